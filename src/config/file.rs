//! What a user wrote: a configuration file as typed data, and every mistake in it at once. Pure: text in, data out.

mod automation;
mod deploy;
mod environment;
mod load;
mod logs;
mod probe;
mod runbook;
mod server;

use std::sync::Arc;
use std::time::Duration;

use crate::app::state::Dots;
use crate::document::{Document, Node, Section, read};
use crate::model::{EngineKind, Guard, Problem, ServerSpec, Tier};

pub use automation::Limit;
pub use deploy::{Asked, Before, Deploy, Verify};
pub use environment::check_host;
pub use logs::{Pattern, Redact};
pub use probe::{Probe, Scrape, ScrapeFrom};
pub use runbook::Written as Runbook;

/// A whole file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct File {
    pub settings: Settings,
    pub environments: Vec<Environment>,
}

/// What holds for the program as a whole.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings {
    pub theme: Option<Arc<str>>,
    pub keymap: Option<Arc<str>>,
    /// What charts are drawn with.
    pub charts: Option<Dots>,
    /// Interval of statistics, 500 ms to 1 h.
    pub refresh: Option<Duration>,
    pub read_only: Option<bool>,
    /// Bound of a log view's store, 1 MiB to 4 GiB.
    pub log_store_bytes: Option<u64>,
    /// Lines of history when a log is opened.
    pub log_tail: Option<u64>,
    /// What is masked in logs.
    pub redact: Option<Redact>,
}

/// One `[[environment]]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Environment {
    /// Where it begins in its file, both from 1.
    pub line: usize,
    pub column: usize,
    pub name: Arc<str>,
    pub tier: Option<Tier>,
    pub guard: Option<Guard>,
    pub engine: EngineKind,
    /// Address of a Docker engine.
    pub host: Option<Arc<str>>,
    pub docker_context: Option<Arc<str>>,
    /// Compose project or Swarm stack.
    pub project: Option<Arc<str>>,
    /// Compose files, relative to the configuration file.
    pub files: Vec<Arc<str>>,
    pub env_file: Option<Arc<str>>,
    /// Kubernetes.
    pub context: Option<Arc<str>>,
    pub namespace: Option<Arc<str>>,
    pub kubeconfig: Option<Arc<str>>,
    pub probes: Vec<Probe>,
    pub scrapes: Vec<Scrape>,
    /// A Prometheus server; files of its secrets are relative to the configuration file.
    pub prometheus: Option<ServerSpec>,
    /// An Alertmanager, likewise.
    pub alertmanager: Option<ServerSpec>,
    /// Prometheus rule files, relative to the configuration file.
    pub alert_rules: Vec<Arc<str>>,
    pub deploy: Deploy,
    /// `[environment.deploy.WORKLOAD]`, in the order of the file.
    pub deploy_of: Vec<(Arc<str>, Deploy)>,
    pub autoscale: Vec<crate::operate::autoscale::Autoscale>,
    pub load: crate::operate::policy::LoadPolicy,
    pub runbooks: Vec<Runbook>,
}

/// Reads a configuration file.
///
/// # Errors
/// Every mistake in it, top down.
pub fn parse(text: &str, file: &str) -> Result<File, Vec<Problem>> {
    let (parsed, mut problems) = read(text, file);
    problems.extend(super::clash::within(file, &parsed));
    problems.sort();
    if problems.is_empty() { Ok(parsed) } else { Err(problems) }
}

/// Reads as much of a configuration file as can be read, and every mistake in it.
#[must_use]
pub fn read(text: &str, file: &str) -> (File, Vec<Problem>) {
    let document = Document::new(text, file);
    let root = document.root();
    let settings = settings(&root);
    let environments = root.each("environment", |section| environment::read(&document, &section));
    root.end();
    drop(root);
    (File { settings, environments }, document.problems())
}

fn settings(root: &Section<'_>) -> Settings {
    let mut settings = Settings {
        theme: root.read("theme", read::name),
        keymap: root.read("keymap", read::name),
        charts: root.read("charts", read::choice(&Dots::ALL.map(|d| (d.word(), d)))),
        refresh: root.read("refresh", refresh),
        read_only: root.read("read_only", read::boolean),
        ..Settings::default()
    };
    if let Some(section) = root.read("logs", Node::section) {
        logs::read(&mut settings, &section);
    }
    settings
}

fn refresh(node: Node<'_>) -> Option<Duration> {
    let span = read::duration(node)?;
    if !(Duration::from_millis(500)..=Duration::from_secs(3600)).contains(&span) {
        node.note("expected from 500ms to 1h");
        return None;
    }
    Some(span)
}

/// Of several keys that say the same thing in different ways, the one that is there. Notes when there is none or more.
fn one_of(section: &Section<'_>, what: &str, keys: &[&'static str]) -> Option<&'static str> {
    let there: Vec<&'static str> = keys.iter().copied().filter(|key| section.get(key).is_some()).collect();
    match there[..] {
        [only] => Some(only),
        [] => {
            section.note(format!("{what}: expected {}", crate::document::listed(keys.iter().copied())));
            None
        }
        [_, ..] => {
            section.note(format!("{what}: {} exclude each other", crate::document::listed(there.iter().copied())));
            None
        }
    }
}

#[cfg(test)]
mod tests;
