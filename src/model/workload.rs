//! What has replicas and revisions.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;

use super::{Capabilities, Check, Controller, Drift, Instance, InstanceState, Revision, Verdict, WorkloadId};

/// What the engine calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WorkloadKind {
    /// A Compose or Swarm service.
    Service,
    /// A container outside any project.
    Container,
    Deployment,
    StatefulSet,
    DaemonSet,
    Job,
    CronJob,
    /// Outside the engine: known by its probe only.
    Dependency,
}

impl WorkloadKind {
    /// The engine's own word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Service => "Service",
            Self::Container => "Container",
            Self::Deployment => "Deployment",
            Self::StatefulSet => "StatefulSet",
            Self::DaemonSet => "DaemonSet",
            Self::Job => "Job",
            Self::CronJob => "CronJob",
            Self::Dependency => "dependency",
        }
    }
}

impl fmt::Display for WorkloadKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// What an engine says of the wanted state it is making so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RolloutState {
    Running,
    /// The engine has stopped in the middle, because something went wrong or a person told it to.
    Paused,
    /// The engine goes back by itself.
    GoingBack,
    /// The engine has gone back by itself.
    GoneBack,
}

/// How far an engine is with the wanted state it was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rollout {
    pub state: RolloutState,
    /// The engine's own words; empty where it has none.
    pub message: Arc<str>,
    /// Instances that are still of an earlier definition.
    pub outdated: u32,
}

/// What has replicas and revisions: a service, a Deployment, a loose container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workload {
    pub id: WorkloadId,
    pub kind: WorkloadKind,
    /// How many replicas are wanted: what the engine was told, or (Compose) how many exist and are meant to run.
    pub desired: u32,
    /// How many were wanted before it was stopped, where the engine keeps that: what a start brings back.
    pub resting: Option<u32>,
    pub ready: u32,
    pub verdict: Verdict,
    /// What was looked at of the workload as a whole; those of its instances are with them.
    pub checks: Vec<Check>,
    pub image: Arc<str>,
    pub digest: Option<Arc<str>>,
    /// The current revision's number.
    pub revision: Option<u64>,
    /// Newest first, at most ten.
    pub revisions: Vec<Revision>,
    /// Engines that are told a wanted state: how far they are with the last one, while it is not so yet or went wrong.
    pub rollout: Option<Rollout>,
    /// Sorted by number, then id; those set aside included.
    pub instances: Vec<Arc<Instance>>,
    pub autoscaler: Option<Arc<str>>,
    /// How it differs from its file, where that is at hand and it does.
    pub drift: Option<Arc<Drift>>,
    pub created_at: Option<Timestamp>,
    /// What only one with a controller of its own has.
    pub controller: Option<Arc<Controller>>,
    pub capabilities: Capabilities,
}

impl Workload {
    /// The replicas proper: neither set aside nor one-off.
    pub fn replicas(&self) -> impl Iterator<Item = &Arc<Instance>> {
        self.instances.iter().filter(|i| !i.set_aside && !i.one_off)
    }

    /// Whether what comes behind the engine's list (the inspection of each instance) is there: from when each runs.
    #[must_use]
    pub fn is_detailed(&self) -> bool {
        self.instances.iter().all(|i| i.state != InstanceState::Running || i.started_at.is_some())
    }

    /// Restarts the engine made by itself, over all instances.
    #[must_use]
    pub fn restarts(&self) -> u32 {
        self.instances.iter().map(|i| i.restarts).sum()
    }
}
