//! `[[environment.autoscale]]` and `[[environment.runbook]]`.

use std::sync::Arc;
use std::time::Duration;

use super::one_of;
use crate::document::{Node, Section, read};
use crate::model::Tier;

/// A bound of a figure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Limit {
    Above(f64),
    Below(f64),
}

/// When a workload gets more or fewer replicas.
#[derive(Clone, Debug, PartialEq)]
pub struct Autoscale {
    pub workload: Arc<str>,
    pub metric: Arc<str>,
    pub above: Option<f64>,
    pub below: Option<f64>,
    /// It must hold so long.
    pub during: Option<Duration>,
    pub step: Option<u32>,
    pub min: u32,
    pub max: u32,
    pub cooldown: Option<Duration>,
    pub mode: Adjustment,
}

/// Whether an autoscaler says or does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Adjustment {
    #[default]
    Recommend,
    Act,
}

/// A named list of steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Runbook {
    pub name: Arc<str>,
    /// Where it may run; everywhere when empty.
    pub tiers: Vec<Tier>,
    pub steps: Vec<RunbookStep>,
}

/// One step of a runbook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunbookStep {
    Exec {
        workload: Arc<str>,
        command: Vec<Arc<str>>,
    },
    CopyIn {
        workload: Arc<str>,
        from: Arc<str>,
        to: Arc<str>,
    },
    CopyOut {
        workload: Arc<str>,
        from: Arc<str>,
        to: Arc<str>,
    },
    Stop {
        workload: Arc<str>,
    },
    Start {
        workload: Arc<str>,
    },
    Wait {
        probe: Arc<str>,
        within: Option<Duration>,
    },
    /// A person says yes to this.
    Confirm(Arc<str>),
    /// A command on this machine.
    Command(Vec<Arc<str>>),
    Http(Arc<str>),
}

/// `above` or `below`, one of them.
pub(super) fn limit(section: &Section<'_>) -> Option<Limit> {
    one_of(section, "a limit", &["above", "below"])?;
    let above = section.read("above", read::number).map(Limit::Above);
    above.or_else(|| section.read("below", read::number).map(Limit::Below))
}

pub(super) fn autoscale(section: &Section<'_>) -> Option<Autoscale> {
    let workload = section.require("workload", read::text);
    let metric = section.require("metric", read::text);
    let scale = Autoscale {
        workload: workload.clone().unwrap_or_default(),
        metric: metric.clone().unwrap_or_default(),
        above: section.read("above", read::number),
        below: section.read("below", read::number),
        during: section.read("for", read::duration),
        step: section.read("step", read::count(1..=1000)),
        min: section.require("min", read::count(0..=10_000)).unwrap_or(0),
        max: section.require("max", read::count(1..=10_000)).unwrap_or(10_000),
        cooldown: section.read("cooldown", read::duration),
        mode: section
            .read("mode", read::choice(&[("recommend", Adjustment::Recommend), ("act", Adjustment::Act)]))
            .unwrap_or_default(),
    };
    section.end();
    if !section.has("above") && !section.has("below") {
        section.note("`above` or `below` is missing: nothing would ever be scaled");
    }
    if scale.above.zip(scale.below).is_some_and(|(above, below)| above <= below) {
        section.note("`above` must be more than `below`");
    }
    if scale.min > scale.max {
        section.note("`min` must not be more than `max`");
    }
    workload.and(metric).map(|_| scale)
}

pub(super) fn runbook(section: &Section<'_>) -> Option<Runbook> {
    const TIERS: [(&str, Tier); 3] = [("local", Tier::Local), ("staging", Tier::Staging), ("production", Tier::Production)];
    let name = section.require("name", read::name);
    let tiers = section.read("tiers", read::list("an array of tiers", read::choice(&TIERS))).unwrap_or_default();
    if !section.has("steps") {
        section.note("`steps` is missing");
    }
    let steps = section.each("steps", |s| step(&s));
    section.end();
    Some(Runbook { name: name?, tiers, steps })
}

fn step(section: &Section<'_>) -> Option<RunbookStep> {
    const WAYS: [&str; 9] = ["exec", "copy_in", "copy_out", "stop", "start", "wait", "confirm", "command", "http"];
    let way = one_of(section, "a step", &WAYS)?;
    let step = match way {
        "confirm" => section.read("confirm", read::text).map(RunbookStep::Confirm),
        "command" => section.read("command", read::texts).map(RunbookStep::Command),
        "http" => section.read("http", read::url).map(RunbookStep::Http),
        table => section.read(table, |node: Node<'_>| in_workload(table, &node.section()?)),
    };
    section.end();
    step
}

/// The steps that are tables.
fn in_workload(way: &str, section: &Section<'_>) -> Option<RunbookStep> {
    let step = if way == "wait" {
        let within = section.read("within", read::positive_duration);
        section.require("probe", read::text).map(|probe| RunbookStep::Wait { probe, within })
    } else {
        let workload = section.require("workload", read::text);
        let both = || section.require("from", read::text).zip(section.require("to", read::text));
        match way {
            "exec" => {
                let command = section.require("command", read::texts);
                workload.zip(command).map(|(workload, command)| RunbookStep::Exec { workload, command })
            }
            "copy_in" => both().zip(workload).map(|((from, to), workload)| RunbookStep::CopyIn { workload, from, to }),
            "copy_out" => both().zip(workload).map(|((from, to), workload)| RunbookStep::CopyOut { workload, from, to }),
            "stop" => workload.map(|workload| RunbookStep::Stop { workload }),
            _ => workload.map(|workload| RunbookStep::Start { workload }),
        }
    };
    section.end();
    step
}
