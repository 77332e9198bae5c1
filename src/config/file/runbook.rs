//! `[[environment.runbook]]`.

use std::sync::Arc;

use super::one_of;
use crate::document::{Node, Section, read};
use crate::model::Tier;
use crate::operate::runbook::{Runbook, RunbookStep};

/// A runbook, and the probes its steps wait for with where they are named.
#[derive(Clone, Debug, PartialEq)]
pub struct Written {
    pub runbook: Runbook,
    pub probes: Vec<(Arc<str>, usize)>,
}

pub(super) fn runbook(section: &Section<'_>) -> Option<Written> {
    const TIERS: [(&str, Tier); 3] = [("local", Tier::Local), ("staging", Tier::Staging), ("production", Tier::Production)];
    let name = section.require("name", read::name);
    let about = section.read("about", read::text);
    let tiers = section.read("tiers", read::list("an array of tiers", read::choice(&TIERS))).unwrap_or_default();
    if !section.has("steps") {
        section.note("`steps` is missing");
    }
    let mut probes = Vec::new();
    let steps = section.each("steps", |s| step(&s, &mut probes));
    section.end();
    Some(Written { runbook: Runbook { name: name?, about, tiers, steps }, probes })
}

fn step(section: &Section<'_>, probes: &mut Vec<(Arc<str>, usize)>) -> Option<RunbookStep> {
    const WAYS: [&str; 10] = ["exec", "copy_in", "copy_out", "stop", "start", "wait", "sleep", "confirm", "command", "http"];
    let way = one_of(section, "a step", &WAYS)?;
    let step = match way {
        "confirm" => section.read("confirm", read::text).map(RunbookStep::Confirm),
        "sleep" => section.read("sleep", read::positive_duration).map(RunbookStep::Sleep),
        "command" => {
            let timeout = section.read("timeout", read::positive_duration);
            section.read("command", read::texts).map(|argv| RunbookStep::Command { argv, timeout })
        }
        "http" => {
            let method = section.read("method", method).unwrap_or_else(|| "GET".into());
            let body = section.read("body", read::text);
            section.read("http", read::url).map(|url| RunbookStep::Http { url, method, body })
        }
        table => section.read(table, |node: Node<'_>| in_workload(table, &node.section()?, probes)),
    };
    section.end();
    step
}

fn method(node: Node<'_>) -> Option<Arc<str>> {
    const METHODS: [(&str, &str); 5] =
        [("GET", "GET"), ("POST", "POST"), ("PUT", "PUT"), ("PATCH", "PATCH"), ("DELETE", "DELETE")];
    read::choice(&METHODS)(node).map(Into::into)
}

/// The steps that are tables.
fn in_workload(way: &str, section: &Section<'_>, probes: &mut Vec<(Arc<str>, usize)>) -> Option<RunbookStep> {
    let step = if way == "wait" {
        let within = section.read("within", read::positive_duration);
        let named = section.require("probe", |n| Some((read::text(n)?, n.span().start)));
        probes.extend(named.clone());
        named.map(|(probe, _)| RunbookStep::Wait { probe, within })
    } else {
        let workload = section.require("workload", read::text);
        let both = || section.require("from", read::text).zip(section.require("to", read::text));
        match way {
            "exec" => {
                let command = section.require("command", read::texts);
                let timeout = section.read("timeout", read::positive_duration);
                workload.zip(command).map(|(workload, command)| RunbookStep::Exec { workload, command, timeout })
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
