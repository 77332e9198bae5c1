//! The audit record: one JSON line for the start, every step and the end of every operation.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::machine::{Outcome, StepState};
use super::plan::Change;

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
}
