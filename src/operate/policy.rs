//! What an environment's configuration says about changes: its guard and how to deploy.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::model::{Guard, WorkloadId};

use super::request::Strategy;

/// What happens when a gate fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum OnFailure {
    #[default]
    Auto,
    Ask,
    Never,
}

/// How a workload is deployed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeployPolicy {
    pub strategy: Strategy,
    /// How many more than wanted may run at a time.
    pub surge: u32,
    /// How many fewer than wanted may run at a time.
    pub unavailable: u32,
    /// Pause between two batches.
    pub delay: Duration,
    /// A new instance must be healthy within this.
    pub healthy_within: Duration,
    /// And stay so for this long.
    pub hold: Duration,
    pub rollback: OnFailure,
}

impl Default for DeployPolicy {
    fn default() -> Self {
        Self {
            strategy: Strategy::Rolling,
            surge: 1,
            unavailable: 0,
            delay: Duration::ZERO,
            healthy_within: Duration::from_secs(90),
            hold: Duration::from_secs(10),
            rollback: OnFailure::Auto,
        }
    }
}

/// Everything an environment's configuration says about changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    pub guard: Guard,
    pub deploy: DeployPolicy,
    /// Overrides by workload.
    pub workloads: BTreeMap<WorkloadId, DeployPolicy>,
    /// What is configured but not done by this version, each a sentence: a deploy's plan warns of it.
    pub notes: Vec<Arc<str>>,
}

impl Policy {
    /// The deploy policy of `workload`.
    #[must_use]
    pub fn deploy_of(&self, workload: &WorkloadId) -> &DeployPolicy {
        self.workloads.get(workload).unwrap_or(&self.deploy)
    }
}

/// Who is at the keyboard: read once at start-up by the runtime, written into locks, revisions and the audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    pub user: Arc<str>,
    pub host: Arc<str>,
    /// The client's address when over ssh.
    pub ssh: Option<Arc<str>>,
    pub pid: u32,
    /// Kernel start time of this process.
    pub pid_started: u64,
}

impl Actor {
    /// `user@host`.
    #[must_use]
    pub fn by(&self) -> Arc<str> {
        format!("{}@{}", self.user, self.host).into()
    }
}
