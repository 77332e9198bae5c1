//! What an operation writes into its lock before it changes anything, so that anybody can end it after its owner died.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::model::{Instance, InstanceId, InstanceState, LockHolder, OperationId, Revision, WorkloadId};

use super::policy::Switch;
use super::request::{Operation, Target};

/// An operation under way, as kept (JSON) in [`LockHolder::request`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockRequest {
    /// The operation whose name is on what was made; a recovery keeps it.
    pub made_by: OperationId,
    pub operation: Operation,
    pub targets: Vec<Target>,
    pub workloads: Vec<Affected>,
    /// One's own lock taken by hand, under which it ran: who, why and since, to be put back.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub under: Option<Under>,
}

/// A lock taken by hand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Under {
    pub by: Arc<str>,
    pub host: Arc<str>,
    pub why: Arc<str>,
    pub since: jiff::Timestamp,
}

/// A workload as it was, and what is to become of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Affected {
    pub workload: WorkloadId,
    /// The replicas wanted before.
    pub replicas: u32,
    pub originals: Vec<Original>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub makes: Vec<Making>,
    /// The revision before.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub from: Option<u64>,
    /// The revisions the new instances carry, newest first; empty where none is made.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub revisions: Vec<Revision>,
    /// The traffic is switched from old ones, which stay for a way back, to new ones: so.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub switch: Option<Switch>,
    /// A second set of replicas stands beside its own while the traffic is switched.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub mirrored: bool,
    /// Old ones must stop before new ones start.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub stop_first: bool,
}

/// An instance as it was before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Original {
    pub id: InstanceId,
    pub name: Arc<str>,
    pub number: u32,
    pub was: Was,
    /// It was healthy, so it must be again when brought back.
    pub healthy: bool,
    pub fate: Fate,
}

/// What an operation means to do with an instance that was there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Fate {
    /// Not touched.
    Kept,
    /// Set aside, and removed once the new one held.
    Replaced,
    Removed,
    /// Stopped and set aside, and kept for a quick way back.
    Retired,
    /// Set aside by an operation before, and brought back.
    Revived,
    Stopped,
    Started,
    Restarted,
    Paused,
    Unpaused,
    Killed,
}

/// What an instance was doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Was {
    Running,
    Paused,
    Stopped,
}

/// An instance that is made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Making {
    pub slot: u32,
    pub number: u32,
    /// Whose definition it gets.
    pub like: InstanceId,
    /// It takes the place of `like`, which is set aside.
    pub replaces: bool,
}

impl Was {
    /// What an instance in this state is doing.
    #[must_use]
    pub fn of(state: InstanceState) -> Self {
        match state {
            InstanceState::Running | InstanceState::Restarting => Self::Running,
            InstanceState::Paused => Self::Paused,
            InstanceState::Created
            | InstanceState::Removing
            | InstanceState::Exited
            | InstanceState::Dead
            | InstanceState::Unknown => Self::Stopped,
        }
    }
}

impl Original {
    /// The facts of `instance`.
    #[must_use]
    pub fn of(instance: &Instance, fate: Fate) -> Self {
        Self {
            id: instance.id.clone(),
            name: instance.name.clone(),
            number: instance.number,
            was: Was::of(instance.state),
            healthy: instance.verdict.health == crate::model::Health::Healthy,
            fate,
        }
    }
}

impl LockRequest {
    /// The text for [`LockHolder::request`].
    ///
    /// # Errors
    /// Never in practice: the types hold nothing JSON cannot say.
    pub fn to_json(&self) -> Result<Arc<str>, serde_json::Error> {
        serde_json::to_string(self).map(Into::into)
    }

    /// What `holder` had begun; `None` for a lock taken by hand.
    #[must_use]
    pub fn of(holder: &LockHolder) -> Option<Result<Self, serde_json::Error>> {
        holder.operation.as_ref()?;
        Some(serde_json::from_str(holder.request.as_deref().unwrap_or_default()))
    }
}
