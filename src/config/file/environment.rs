//! One `[[environment]]`: its names, its address, and that they fit together.

use std::sync::Arc;

use super::{Environment, automation, deploy, load, probe, runbook, server};
use crate::document::{Document, Node, Section, read, unknown};
use crate::model::{EngineKind, Guard, Tier};

const TIERS: [(&str, Tier); 3] = [("local", Tier::Local), ("staging", Tier::Staging), ("production", Tier::Production)];
const ENGINES: [(&str, EngineKind); 4] = [
    ("compose", EngineKind::Compose),
    ("swarm", EngineKind::Swarm),
    ("kubernetes", EngineKind::Kubernetes),
    ("demo", EngineKind::Demo),
];
const GUARDS: [(&str, Guard); 4] =
    [("open", Guard::Open), ("confirm", Guard::Confirm), ("type", Guard::Type), ("read-only", Guard::ReadOnly)];

/// Which engines a key means something to.
const BELONGS: [(&str, &[EngineKind], &str); 8] = [
    ("host", &[EngineKind::Compose, EngineKind::Swarm], "compose and swarm"),
    ("docker_context", &[EngineKind::Compose, EngineKind::Swarm], "compose and swarm"),
    ("project", &[EngineKind::Compose, EngineKind::Swarm, EngineKind::Demo], "compose and swarm"),
    ("files", &[EngineKind::Compose, EngineKind::Swarm], "compose and swarm"),
    ("env_file", &[EngineKind::Compose, EngineKind::Swarm], "compose and swarm"),
    ("context", &[EngineKind::Kubernetes], "kubernetes"),
    ("namespace", &[EngineKind::Kubernetes], "kubernetes"),
    ("kubeconfig", &[EngineKind::Kubernetes], "kubernetes"),
];

/// Reads one environment. One without a readable name is still read, so that its other mistakes are told.
pub(super) fn read(document: &Document<'_>, section: &Section<'_>) -> Option<Environment> {
    let (line, column) = document.place(section.offset());
    let name = section.require("name", read::text);
    let engine = section.read("engine", read::choice(&ENGINES));
    let (deploy, deploy_of) = deploy::read(section);
    let environment = Environment {
        line,
        column,
        name: name.clone().unwrap_or_default(),
        tier: section.read("tier", read::choice(&TIERS)),
        guard: section.read("guard", read::choice(&GUARDS)),
        engine: engine.unwrap_or(EngineKind::Compose),
        host: section.read("host", host),
        docker_context: section.read("docker_context", read::text),
        project: section.read("project", read::text),
        files: section.read("files", read::texts).unwrap_or_default(),
        env_file: section.read("env_file", read::text),
        context: section.read("context", read::text),
        namespace: section.read("namespace", read::text),
        kubeconfig: section.read("kubeconfig", read::text),
        probes: section.each("probe", |s| probe::probe(&s)),
        scrapes: section.each("scrape", |s| probe::scrape(&s)),
        prometheus: section.read("prometheus", |n| server::read(&n.section()?)),
        alertmanager: section.read("alertmanager", |n| server::read(&n.section()?)),
        alert_rules: section.read("alerts", |n| rules(&n.section()?)).unwrap_or_default(),
        deploy,
        deploy_of,
        load: section.read("load", |n| Some(load::load(&n.section()?))).unwrap_or_default(),
        autoscale: section.each("autoscale", |s| automation::autoscale(&s)),
        runbooks: section.each("runbook", |s| runbook::runbook(&s)),
    };
    section.end();
    // An engine that could not be read says nothing about what fits it.
    if engine.is_some() || !section.has("engine") {
        fits(section, environment.engine);
    }
    if environment.host.is_some() && environment.docker_context.is_some() {
        section.note("`host` and `docker_context` exclude each other: each names the engine");
    }
    refers(section, &environment);
    name.map(|_| environment)
}

/// Notes keys that mean nothing to the engine.
fn fits(section: &Section<'_>, engine: EngineKind) {
    for (key, offset, node) in section.entries() {
        if let Some((_, engines, words)) = BELONGS.iter().find(|(k, _, _)| *k == key)
            && !engines.contains(&engine)
        {
            let given = if section.has("engine") { "engine is" } else { "no `engine` is given, so it is" };
            node.document().note(offset, format!("`{key}` belongs to {words}; here {given} {engine}"));
        }
    }
}

/// Notes names that refer to nothing.
fn refers(section: &Section<'_>, environment: &Environment) {
    let mut probes: Vec<&str> = Vec::new();
    for probe in &environment.probes {
        if probes.contains(&&*probe.name) {
            section.note(format!("two probes are named `{}`", probe.name));
        }
        probes.push(&probe.name);
    }
    let mut runbooks: Vec<&str> = Vec::new();
    for written in &environment.runbooks {
        let name = &*written.runbook.name;
        if runbooks.contains(&name) {
            section.note(format!("two runbooks are named `{name}`"));
        }
        runbooks.push(name);
        for (probe, at) in written.probes.iter().filter(|(name, _)| !probes.contains(&&**name)) {
            section.document().note(*at, missing("probe", probe, &probes));
        }
    }
    for deploy in std::iter::once(&environment.deploy).chain(environment.deploy_of.iter().map(|(_, d)| d)) {
        for (name, at) in deploy.probes().filter(|(name, _)| !probes.contains(name)) {
            section.document().note(at, missing("probe", name, &probes));
        }
        for (name, at) in deploy.runbooks().filter(|(name, _)| !runbooks.contains(name)) {
            section.document().note(at, missing("runbook", name, &runbooks));
        }
        if environment.prometheus.is_none() {
            for at in deploy.alerts() {
                let why = "an alert is asked of a Prometheus server: this environment has no [environment.prometheus]";
                section.document().note(at, why);
            }
        }
    }
}

fn missing(what: &str, name: &str, known: &[&str]) -> String {
    if known.is_empty() {
        return format!("unknown {what} `{name}`: this environment has no [[environment.{what}]]");
    }
    unknown(what, name, known.iter().copied())
}

/// The address of a Docker engine.
fn host(node: Node<'_>) -> Option<Arc<str>> {
    let text = read::text(node)?;
    match check_host(&text) {
        Ok(()) => Some(text),
        Err(why) => {
            node.note(why);
            None
        }
    }
}

/// Whether an address of a Docker engine is one.
///
/// # Errors
/// A sentence that says what was expected.
pub fn check_host(text: &str) -> Result<(), String> {
    let expected = "expected an address such as `unix:///var/run/docker.sock`, `tcp://10.0.0.5:2376` or `ssh://deploy@10.0.0.5`";
    match text.split_once("://") {
        Some(("unix", path)) if path.starts_with('/') => Ok(()),
        Some(("unix", _)) => Err("a socket's path begins with `/`: `unix:///var/run/docker.sock`".to_owned()),
        Some(("tcp" | "http" | "https" | "ssh", rest)) if !rest.is_empty() && !rest.starts_with('/') => Ok(()),
        Some(_) | None => Err(format!("`{text}` is no engine's address: {expected}")),
    }
}

fn rules(section: &Section<'_>) -> Option<Vec<Arc<str>>> {
    let rules = section.require("rules", read::texts);
    section.end();
    rules
}
