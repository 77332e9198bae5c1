//! What is checked, run and told around a deploy, as it is written.

use std::sync::Arc;
use std::time::Duration;

use super::{Asked, Before, Verify};
use crate::config::file::automation::limit;
use crate::config::file::one_of;
use crate::document::{Section, read};
use crate::operate::policy::{Freeze, Migration, Place, Proxy, Switch};

/// What a check before, between or after can ask.
const ASKED: [&str; 5] = ["probe", "metric", "alert", "command", "check"];
/// How long a migration may take when nothing is said.
const MIGRATION: Duration = Duration::from_secs(300);

pub(super) fn before(section: &Section<'_>) -> Option<Before> {
    const OWN: [&str; 10] =
        ["env_file", "tcp", "certificate", "disk", "runbook", ASKED[0], ASKED[1], ASKED[2], ASKED[3], ASKED[4]];
    let way = one_of(section, "a check before", &OWN)?;
    if ASKED.contains(&way) {
        return asked(section, way).map(Before::Also);
    }
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
        "disk" => section.require("disk", read::bytes).map(Before::Disk),
        _ => section.require("runbook", |n| Some(Before::Runbook { name: read::text(n)?, at: n.span().start })),
    };
    section.end();
    before
}

pub(super) fn verify(section: &Section<'_>) -> Option<Verify> {
    let way = one_of(section, "a check", &ASKED)?;
    asked(section, way)
}

fn asked(section: &Section<'_>, way: &str) -> Option<Verify> {
    let asked = match way {
        "probe" => section.require("probe", |n| Some(Asked::Probe { name: read::text(n)?, at: n.span().start })),
        "metric" => {
            let limit = limit(section);
            section.require("metric", read::text).zip(limit).map(|(name, limit)| Asked::Metric { name, limit })
        }
        "alert" => section.require("alert", |n| Some(Asked::Silent { name: read::text(n)?, at: n.span().start })),
        "command" => {
            let timeout = section.read("timeout", read::positive_duration);
            section.require("command", read::texts).map(|argv| Asked::Command { argv, timeout })
        }
        _ => section.require("check", read::text).map(Asked::Check),
    };
    // A command is run once and a person says it once: there is nothing to wait for.
    let (within, during) = match way {
        "command" | "check" => (None, None),
        _ => (section.read("within", read::positive_duration), section.read("for", read::duration)),
    };
    section.end();
    Some(Verify { asked: asked?, within, during })
}

pub(super) fn migrate(section: &Section<'_>) -> Option<Migration> {
    const PLACES: [(&str, Place); 2] = [("container", Place::OneOff), ("instance", Place::Instance)];
    let exec = section.require("exec", read::texts);
    let timeout = section.read("timeout", read::positive_duration).unwrap_or(MIGRATION);
    let place = section.read("in", read::choice(&PLACES)).unwrap_or_default();
    section.end();
    Some(Migration { exec: exec?, timeout, place })
}

pub(super) fn freeze(section: &Section<'_>) -> Option<Freeze> {
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

pub(super) fn switch(section: &Section<'_>) -> Option<Switch> {
    let way = one_of(section, "a way to switch", &["alias", "proxy"])?;
    if way == "alias" {
        let aliases = section.require("alias", read::texts);
        section.end();
        return aliases.map(Switch::Alias);
    }
    let workload = section.require("proxy", read::text);
    let file = section.require("file", read::text);
    let server = section.require("server", read::text);
    let text: Arc<str> = section.read("text", read::lines).unwrap_or_else(|| "{servers}".into());
    let test = section.read("test", read::texts);
    let reload = section.require("reload", read::texts);
    section.end();
    if !text.contains("{servers}") {
        section.note("`text` must hold `{servers}`, where one line an instance goes");
    }
    if server.as_ref().is_some_and(|s| !s.contains("{instance}")) {
        section.note("`server` must hold `{instance}`, the name of an instance on the network");
    }
    if file.as_ref().is_some_and(|f| !f.starts_with('/')) {
        section.note("`file` is a path inside the proxy and begins with `/`");
    }
    let ((workload, file), (server, reload)) = workload.zip(file).zip(server.zip(reload))?;
    Some(Switch::Proxy(Proxy { workload, file, text, server, test, reload }))
}
