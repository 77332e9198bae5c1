//! What an environment's configuration says about changes: its guard and how to deploy.

mod around;
mod load;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::model::{Guard, ProbeSpec, ScrapeSpec, ServerSpec, WorkloadId};

use crate::observe::rule::file::Rules;

use super::autoscale::Autoscale;
use super::request::Strategy;
use super::runbook::Runbook;

pub use around::{Asked, Before, Condition, Freeze, Migration, Place, Proxy, Switch};
pub use load::LoadPolicy;

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
#[derive(Clone, Debug, PartialEq)]
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
    pub before: Vec<Before>,
    /// What must hold, beside the new instances' health, before old ones stop.
    pub gate: Vec<Condition>,
    pub migrate: Option<Migration>,
    pub verify: Vec<Condition>,
    /// Addresses that are told how it went.
    pub notify: Vec<Arc<str>>,
    pub freeze: Vec<Freeze>,
    /// How blue-green switches; `None` where nothing is said: by the workload's own name on its networks.
    pub switch: Option<Switch>,
    /// How long blue still runs after the switch, for what is in flight.
    pub drain: Duration,
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
            before: Vec::new(),
            gate: Vec::new(),
            migrate: None,
            verify: Vec::new(),
            notify: Vec::new(),
            freeze: Vec::new(),
            switch: None,
            drain: Duration::from_secs(5),
        }
    }
}

/// Everything an environment's configuration says about changes.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    pub guard: Guard,
    pub deploy: DeployPolicy,
    /// Overrides by workload.
    pub workloads: BTreeMap<WorkloadId, DeployPolicy>,
    pub runbooks: Vec<Runbook>,
    pub probes: Vec<Arc<ProbeSpec>>,
    pub scrapes: Vec<Arc<ScrapeSpec>>,
    /// The Prometheus server that knows figures and alerts.
    pub prometheus: Option<Arc<ServerSpec>>,
    /// Prometheus rule files: paths, with `*` and the like in them.
    pub rule_files: Vec<Arc<str>>,
    /// What stands in them.
    pub rules: Arc<Rules>,
    /// The file of silences made here.
    pub silences: Option<Arc<str>>,
    /// The Alertmanager that knows its silences.
    pub alertmanager: Option<Arc<ServerSpec>>,
    pub autoscale: Vec<Autoscale>,
    pub load: LoadPolicy,
    /// The folder of the configuration file: commands run there, and files of this machine are relative to it.
    pub folder: Option<Arc<str>>,
}

impl Policy {
    /// Nothing but a guard, everything else as it is when nobody says anything.
    #[must_use]
    pub fn of(guard: Guard) -> Self {
        Self {
            guard,
            deploy: DeployPolicy::default(),
            workloads: BTreeMap::new(),
            runbooks: Vec::new(),
            probes: Vec::new(),
            scrapes: Vec::new(),
            prometheus: None,
            alertmanager: None,
            rule_files: Vec::new(),
            rules: Arc::default(),
            silences: None,
            autoscale: Vec::new(),
            load: LoadPolicy::default(),
            folder: None,
        }
    }

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
