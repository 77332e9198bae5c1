//! What is in force as the text of a configuration file that would say the same.

mod policy;

use std::fmt::Write;
use std::sync::Arc;

use super::file::Redact;
use super::{ConnectionSpec, DockerTarget, EnvironmentSpec, Resolved, TargetSpec};
use crate::document::read::spell_duration;
use crate::model::Tier;

/// The effective configuration: it can be read back and means the same.
#[must_use]
pub fn show(resolved: &Resolved) -> String {
    let mut out = String::new();
    for path in &resolved.files {
        line(&mut out, &format!("# from {}", path.display()));
    }
    if resolved.files.is_empty() {
        line(&mut out, "# no configuration file: this is what holds by itself");
    }
    line(&mut out, &format!("theme = {}", quote(&resolved.theme)));
    line(&mut out, &format!("keymap = {}", quote(&resolved.keymap)));
    if let Some(charts) = resolved.charts {
        line(&mut out, &format!("charts = \"{}\"", charts.word()));
    }
    line(&mut out, &format!("refresh = \"{}\"", spell_duration(resolved.refresh)));
    line(&mut out, &format!("read_only = {}", resolved.read_only));
    line(&mut out, &format!("\n[logs]\nbytes = {}\ntail = {}", resolved.log_bytes, resolved.log_tail));
    show_redact(&mut out, &resolved.redact);
    for connection in &resolved.connections {
        show_connection(&mut out, connection);
    }
    for (_, why) in &resolved.unsupported {
        line(&mut out, &format!("\n# {why}"));
    }
    out
}

fn show_redact(out: &mut String, redact: &Redact) {
    let off: Vec<String> = redact.off.iter().map(|name| quote(name)).collect();
    if !off.is_empty() {
        line(out, &format!("redact.off = [{}]", off.join(", ")));
    }
    let patterns = redact.patterns.iter().map(|p| {
        let name = p.name.as_deref().map(|name| format!("name = {}, ", quote(name))).unwrap_or_default();
        format!("{{ {name}regex = {} }}", quote(&p.regex))
    });
    let patterns: Vec<String> = patterns.collect();
    if !patterns.is_empty() {
        line(out, &format!("redact.patterns = [{}]", patterns.join(", ")));
    }
}

fn show_connection(out: &mut String, connection: &ConnectionSpec) {
    let (words, address) = match &connection.target {
        TargetSpec::Demo { seed, .. } => (format!("the demo world {seed}"), None),
        TargetSpec::Kubernetes(target) => (format!("the context {}", target.context), Some(("context", &target.context))),
        TargetSpec::Docker(DockerTarget::Ambient) => ("the engine found here".to_owned(), None),
        TargetSpec::Docker(DockerTarget::Host(host)) => (host.to_string(), Some(("host", host))),
        TargetSpec::Docker(DockerTarget::Context(name)) => (format!("the docker context {name}"), Some(("docker_context", name))),
    };
    let found = if connection.discover { ", and everything that is found there" } else { "" };
    line(out, &format!("\n# {}: {words}{found}", connection.id));
    for environment in &connection.environments {
        show_environment(out, environment, address);
    }
}

fn show_environment(out: &mut String, environment: &EnvironmentSpec, address: Option<(&str, &Arc<str>)>) {
    line(out, &format!("\n[[environment]]\nname = {}", quote(&environment.name)));
    if environment.tier != Tier::Unknown {
        line(out, &format!("tier = \"{}\"", environment.tier));
    }
    line(out, &format!("engine = \"{}\"", environment.engine));
    if let Some((key, value)) = address {
        line(out, &format!("{key} = {}", quote(value)));
    }
    line(out, &format!("project = {}\nguard = \"{}\"", quote(&environment.project), environment.guard));
    policy::show(out, &environment.policy);
}

fn line(out: &mut String, text: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(out, "{text}");
}

fn quote(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}
