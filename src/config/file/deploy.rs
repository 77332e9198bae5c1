//! `[environment.deploy]` and its overrides by workload.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use toml::de::DeValue;

use super::automation::{Limit, limit};
use super::one_of;
use crate::document::{Node, Section, read};
use crate::operate::policy::OnFailure;

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
    pub migrate: Option<Migrate>,
    pub verify: Vec<Verify>,
    /// Addresses that are told how it went.
    pub notify: Vec<Arc<str>>,
    pub freeze: Vec<Freeze>,
}

/// How instances are replaced, as it can be written; not every version can do every one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    Rolling,
    Recreate,
    BlueGreen,
}

/// A check before anything is changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Before {
    /// The file has every one of these keys.
    EnvFile { path: Arc<str>, required: Vec<Arc<str>> },
    /// `host:port` can be reached.
    Tcp(Arc<str>),
    /// The certificate at `host:port` is valid for so many days more.
    Certificate { address: Arc<str>, days: u32 },
    /// A person ticks this.
    Check(Arc<str>),
    /// This runbook has run; and where it is named.
    Runbook { name: Arc<str>, at: usize },
}

/// A one-off command before instances are replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Migrate {
    pub exec: Vec<Arc<str>>,
    pub timeout: Option<Duration>,
}

/// A check after.
#[derive(Clone, Debug, PartialEq)]
pub enum Verify {
    /// This probe is healthy; and where it is named.
    Probe {
        name: Arc<str>,
        at: usize,
    },
    Metric {
        name: Arc<str>,
        limit: Limit,
        during: Option<Duration>,
    },
    Command(Vec<Arc<str>>),
}

/// A time in which nothing is deployed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Freeze {
    pub from: Timestamp,
    pub to: Timestamp,
    pub why: Option<Arc<str>>,
}

impl Deploy {
    /// The probes it names, and where.
    pub(super) fn probes(&self) -> impl Iterator<Item = (&str, usize)> {
        self.verify.iter().filter_map(|v| match v {
            Verify::Probe { name, at } => Some((&**name, *at)),
            Verify::Metric { .. } | Verify::Command(_) => None,
        })
    }

    /// The runbooks it names, and where.
    pub(super) fn runbooks(&self) -> impl Iterator<Item = (&str, usize)> {
        self.before.iter().filter_map(|b| match b {
            Before::Runbook { name, at } => Some((&**name, *at)),
            Before::EnvFile { .. } | Before::Tcp(_) | Before::Certificate { .. } | Before::Check(_) => None,
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
        before: section.each("before", |s| before(&s)),
        migrate: section.read("migrate", |n| migrate(&n.section()?)),
        verify: section.each("verify", |s| verify(&s)),
        notify: section.each("notify", |s| {
            let address = s.require("http", read::url);
            s.end();
            address
        }),
        freeze: section.each("freeze", |s| freeze(&s)),
    };
    if deploy.surge == Some(0) && deploy.unavailable.unwrap_or(0) == 0 {
        section.note("`surge` and `unavailable` cannot both be 0: nothing could ever be replaced");
    }
    deploy
}

fn before(section: &Section<'_>) -> Option<Before> {
    let way = one_of(section, "a check before", &["env_file", "tcp", "certificate", "check", "runbook"])?;
    let before = match way {
        "env_file" => {
            let required = section.require("required", read::texts);
            section.require("env_file", read::text).zip(required).map(|(path, required)| Before::EnvFile { path, required })
        }
        "tcp" => section.require("tcp", read::host_port).map(Before::Tcp),
        "certificate" => {
            let days = section.require("days", read::count(0..=3650));
            section.require("certificate", read::host_port).zip(days).map(|(address, days)| Before::Certificate { address, days })
        }
        "check" => section.require("check", read::text).map(Before::Check),
        _ => section.require("runbook", |n| Some(Before::Runbook { name: read::text(n)?, at: n.span().start })),
    };
    section.end();
    before
}

fn migrate(section: &Section<'_>) -> Option<Migrate> {
    let exec = section.require("exec", read::texts);
    let timeout = section.read("timeout", read::positive_duration);
    section.end();
    Some(Migrate { exec: exec?, timeout })
}

fn verify(section: &Section<'_>) -> Option<Verify> {
    let way = one_of(section, "a check after", &["probe", "metric", "command"])?;
    let verify = match way {
        "probe" => section.require("probe", |n| Some(Verify::Probe { name: read::text(n)?, at: n.span().start })),
        "metric" => {
            let limit = limit(section);
            let during = section.read("for", read::duration);
            section.require("metric", read::text).zip(limit).map(|(name, limit)| Verify::Metric { name, limit, during })
        }
        _ => section.require("command", read::texts).map(Verify::Command),
    };
    section.end();
    verify
}

fn freeze(section: &Section<'_>) -> Option<Freeze> {
    let from = section.require("from", read::moment);
    let to = section.require("to", read::moment);
    let why = section.read("why", read::text);
    section.end();
    let (from, to) = from.zip(to)?;
    if from >= to {
        section.note("a freeze must end after it begins: `from` is not before `to`");
    }
    Some(Freeze { from, to, why })
}
