//! `[environment.deploy]` and its overrides by workload.

mod around;

use std::sync::Arc;
use std::time::Duration;

use toml::de::DeValue;

use super::automation::Limit;
use crate::document::{Node, Section, read};
use crate::operate::policy::{Freeze, Migration, OnFailure, Switch};
use crate::operate::request::Strategy;

/// How a workload is deployed, as far as it was written.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Deploy {
    pub strategy: Option<Strategy>,
    pub surge: Option<u32>,
    pub unavailable: Option<u32>,
    pub delay: Option<Duration>,
    pub healthy_within: Option<Duration>,
    pub hold: Option<Duration>,
    pub rollback: Option<OnFailure>,
    pub before: Vec<Before>,
    /// What must hold before old instances stop.
    pub gate: Vec<Verify>,
    pub migrate: Option<Migration>,
    pub verify: Vec<Verify>,
    /// Addresses that are told how it went.
    pub notify: Vec<Arc<str>>,
    pub freeze: Vec<Freeze>,
    pub switch: Option<Switch>,
    pub drain: Option<Duration>,
}

/// A check before anything is changed.
#[derive(Clone, Debug, PartialEq)]
pub enum Before {
    /// The file has every one of these keys.
    EnvFile { path: Arc<str>, required: Vec<Arc<str>> },
    /// `host:port` can be reached.
    Tcp(Arc<str>),
    /// The certificate at `host:port` is valid for so many days more.
    Certificate { address: Arc<str>, days: u32 },
    /// So many bytes of disk are left.
    Disk(u64),
    /// This runbook has run; and where it is named.
    Runbook { name: Arc<str>, at: usize },
    /// What can also be asked after.
    Also(Verify),
}

/// A check between or after.
#[derive(Clone, Debug, PartialEq)]
pub struct Verify {
    pub asked: Asked,
    /// It may take so long to become so.
    pub within: Option<Duration>,
    /// And must stay so for this long.
    pub during: Option<Duration>,
}

/// What a check looks at.
#[derive(Clone, Debug, PartialEq)]
pub enum Asked {
    /// This probe is healthy; and where it is named.
    Probe {
        name: Arc<str>,
        at: usize,
    },
    Metric {
        name: Arc<str>,
        limit: Limit,
    },
    /// This alert does not fire; `any` is every one. And where it is named.
    Silent {
        name: Arc<str>,
        at: usize,
    },
    Command {
        argv: Vec<Arc<str>>,
        timeout: Option<Duration>,
    },
    /// A person ticks this.
    Check(Arc<str>),
}

impl Deploy {
    fn asked(&self) -> impl Iterator<Item = &Asked> {
        let before = self.before.iter().filter_map(|b| match b {
            Before::Also(verify) => Some(verify),
            Before::EnvFile { .. } | Before::Tcp(_) | Before::Certificate { .. } | Before::Disk(_) | Before::Runbook { .. } => {
                None
            }
        });
        before.chain(&self.gate).chain(&self.verify).map(|v| &v.asked)
    }

    /// The probes it names, and where.
    pub(super) fn probes(&self) -> impl Iterator<Item = (&str, usize)> {
        self.asked().filter_map(|asked| match asked {
            Asked::Probe { name, at } => Some((&**name, *at)),
            Asked::Metric { .. } | Asked::Silent { .. } | Asked::Command { .. } | Asked::Check(_) => None,
        })
    }

    /// Where it names alerts.
    pub(super) fn alerts(&self) -> impl Iterator<Item = usize> {
        self.asked().filter_map(|asked| match asked {
            Asked::Silent { at, .. } => Some(*at),
            Asked::Probe { .. } | Asked::Metric { .. } | Asked::Command { .. } | Asked::Check(_) => None,
        })
    }

    /// The runbooks it names, and where.
    pub(super) fn runbooks(&self) -> impl Iterator<Item = (&str, usize)> {
        self.before.iter().filter_map(|b| match b {
            Before::Runbook { name, at } => Some((&**name, *at)),
            Before::EnvFile { .. } | Before::Tcp(_) | Before::Certificate { .. } | Before::Disk(_) | Before::Also(_) => None,
        })
    }
}

const STRATEGIES: [(&str, Strategy); 3] =
    [("rolling", Strategy::Rolling), ("recreate", Strategy::Recreate), ("blue-green", Strategy::BlueGreen)];
const ON_FAILURE: [(&str, OnFailure); 3] = [("auto", OnFailure::Auto), ("ask", OnFailure::Ask), ("never", OnFailure::Never)];

/// The defaults of an environment, and what is said of single workloads: every table in it that is no key of its own.
pub(super) fn read(environment: &Section<'_>) -> (Deploy, Vec<(Arc<str>, Deploy)>) {
    let Some(section) = environment.read("deploy", Node::section) else { return Default::default() };
    let defaults = one(&section);
    let mut overrides = Vec::new();
    for (key, offset, node) in section.rest() {
        if let DeValue::Table(_) = node.value()
            && let Some(table) = node.section()
        {
            overrides.push((key.into(), one(&table)));
            table.end();
        } else {
            section.unknown(key, offset);
        }
    }
    (defaults, overrides)
}

fn one(section: &Section<'_>) -> Deploy {
    let deploy = Deploy {
        strategy: section.read("strategy", read::choice(&STRATEGIES)),
        surge: section.read("surge", read::count(0..=1000)),
        unavailable: section.read("unavailable", read::count(0..=1000)),
        delay: section.read("delay", read::duration),
        healthy_within: section.read("healthy_within", read::positive_duration),
        hold: section.read("hold", read::duration),
        rollback: section.read("rollback", read::choice(&ON_FAILURE)),
        before: section.each("before", |s| around::before(&s)),
        gate: section.each("gate", |s| around::verify(&s)),
        migrate: section.read("migrate", |n| around::migrate(&n.section()?)),
        verify: section.each("verify", |s| around::verify(&s)),
        notify: section.each("notify", |s| {
            let address = s.require("http", read::url);
            s.end();
            address
        }),
        freeze: section.each("freeze", |s| around::freeze(&s)),
        switch: section.read("switch", |n| around::switch(&n.section()?)),
        drain: section.read("drain", read::duration),
    };
    if deploy.surge == Some(0) && deploy.unavailable.unwrap_or(0) == 0 {
        section.note("`surge` and `unavailable` cannot both be 0: nothing could ever be replaced");
    }
    deploy
}
