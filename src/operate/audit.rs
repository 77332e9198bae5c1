//! The audit record: one JSON line for the start, every step and the end of every operation.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::observe::load::Figures;

use super::machine::{Outcome, StepState};
use super::plan::Change;
use super::policy::Actor;

/// What a record tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    Started,
    Step,
    Ended,
}

/// One line of the audit log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    pub at: Timestamp,
    /// `user@host` is split: the person here, the machine in `host`.
    pub by: Arc<str>,
    pub host: Arc<str>,
    pub ssh: Option<Arc<str>>,
    pub operation: Arc<str>,
    /// The verb: `deploy`.
    pub kind: Arc<str>,
    pub environment: Arc<str>,
    pub endpoint: Arc<str>,
    pub target: Arc<str>,
    pub phase: Phase,
    /// At the start: the steps in words and what changes.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub plan: Option<PlanText>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub step: Option<StepText>,
    pub outcome: Option<Outcome>,
    /// At the end: what exactly was done, in words.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub detail: Option<Arc<str>>,
    pub duration_ms: Option<u64>,
}

/// What is put on record without being an operation: opening a shell, revealing a log.
#[derive(Clone, Debug)]
pub struct Deed {
    /// One word: `shell`, `reveal`.
    pub kind: &'static str,
    pub environment: Arc<str>,
    pub endpoint: Arc<str>,
    pub target: Arc<str>,
    /// What was done and what is not recorded of it.
    pub detail: Arc<str>,
}

impl Record {
    /// The one line of a deed.
    #[must_use]
    pub fn of_deed(deed: Deed, actor: &Actor, now: Timestamp) -> Self {
        Self {
            at: now,
            by: actor.user.clone(),
            host: actor.host.clone(),
            ssh: actor.ssh.clone(),
            operation: format!("{:013}-{}-{}", now.as_millisecond().max(0), actor.pid, deed.kind).into(),
            kind: deed.kind.into(),
            environment: deed.environment,
            endpoint: deed.endpoint,
            target: deed.target,
            phase: Phase::Ended,
            plan: None,
            step: None,
            outcome: Some(Outcome::Done),
            detail: Some(deed.detail),
            duration_ms: None,
        }
    }
}

/// A plan as it is written down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanText {
    pub title: Arc<str>,
    pub steps: Vec<Arc<str>>,
    pub changes: Vec<ChangeText>,
}

/// A change as it is written down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeText {
    pub path: Arc<str>,
    pub before: Arc<str>,
    pub after: Arc<str>,
}

impl From<&Change> for ChangeText {
    fn from(change: &Change) -> Self {
        Self { path: change.path.clone(), before: change.before.clone(), after: change.after.clone() }
    }
}

/// A step as it is written down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepText {
    pub name: Arc<str>,
    pub call: Arc<str>,
    pub state: StepState,
    pub detail: Arc<str>,
    /// What a command of it printed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub output: Option<Arc<str>>,
    /// How a load test of it went.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub load: Option<Arc<Figures>>,
}
