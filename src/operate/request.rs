//! What a person asked for, before it is planned.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::{EnvironmentId, InstanceId, Verb, WorkloadId};
use crate::observe::load::Shape;

/// A workload, or one of its instances.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Target {
    pub workload: WorkloadId,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub instance: Option<InstanceId>,
}

/// How instances are replaced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Strategy {
    #[default]
    Rolling,
    Recreate,
    /// New instances beside all old ones, then the traffic is switched; the old ones are kept, stopped.
    BlueGreen,
}

impl Strategy {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Rolling => "rolling",
            Self::Recreate => "recreate",
            Self::BlueGreen => "blue-green",
        }
    }
}

/// How an operation whose owner died is ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    Finish,
    Undo,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "do")]
pub enum Operation {
    Scale {
        to: u32,
    },
    Restart,
    Stop,
    Start,
    Pause,
    Unpause,
    Kill {
        signal: Arc<str>,
    },
    Remove,
    Deploy {
        image: Arc<str>,
        /// Which container of the template gets it; needed only where several could.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        container: Option<Arc<str>>,
        strategy: Option<Strategy>,
        /// The fast path: the checks before are left out, and freeze windows do not hold it up.
        #[serde(default)]
        fast: bool,
        /// It may go on although nothing tells whether the new instances are well: they are only watched to run.
        #[serde(default)]
        unwatched: bool,
    },
    /// To a revision number, or the one before the current.
    Rollback {
        to: Option<u64>,
    },
    /// Brings services up as their compose file has them; without targets, all that are not so.
    Up,
    Lock {
        why: Arc<str>,
    },
    Unlock,
    /// Ends what an operation whose owner died has left.
    Recover {
        ending: Ending,
    },
    /// Plays a fault the engine offers, to rehearse.
    Drill {
        name: Arc<str>,
    },
    /// Runs a runbook, with values for variables of its own.
    Run {
        runbook: Arc<str>,
        variables: Vec<(Arc<str>, Arc<str>)>,
    },
    /// Sends requests to a workload, or to an address of its environment, and measures the answers.
    Load {
        /// Without one, where it is published, or the only address configured.
        url: Option<Arc<str>>,
        shape: Shape,
    },
    /// Starts a job of a schedule now.
    Trigger,
    /// Sets the bounds of the autoscaler that owns a workload's number of replicas.
    Bounds {
        min: u32,
        max: u32,
    },
    /// Keeps new pods off a node.
    Cordon {
        node: Arc<str>,
    },
    Uncordon {
        node: Arc<str>,
    },
    /// Keeps new pods off a node and moves those on it elsewhere, as their budgets allow.
    Drain {
        node: Arc<str>,
    },
    /// Says that alerts are known of and need nobody for a while.
    Silence {
        /// The alert's name.
        alert: Arc<str>,
        /// What other labels must be, to silence only some of its alerts.
        labels: Vec<(Arc<str>, Arc<str>)>,
        span: Duration,
        why: Arc<str>,
    },
    /// Ends the silence of this name.
    Unsilence {
        id: Arc<str>,
    },
}

impl Operation {
    /// Its verb.
    #[must_use]
    pub fn verb(&self) -> Verb {
        match self {
            Self::Scale { .. } => Verb::Scale,
            Self::Restart => Verb::Restart,
            Self::Stop => Verb::Stop,
            Self::Start => Verb::Start,
            Self::Pause => Verb::Pause,
            Self::Unpause => Verb::Unpause,
            Self::Kill { .. } => Verb::Kill,
            Self::Remove => Verb::Remove,
            Self::Deploy { .. } => Verb::Deploy,
            Self::Rollback { .. } => Verb::Rollback,
            Self::Up => Verb::Up,
            Self::Lock { .. } => Verb::Lock,
            Self::Unlock => Verb::Unlock,
            Self::Recover { .. } => Verb::Recover,
            Self::Drill { .. } => Verb::Drill,
            Self::Run { .. } => Verb::Run,
            Self::Load { .. } => Verb::Load,
            Self::Trigger => Verb::Trigger,
            Self::Bounds { .. } => Verb::Bounds,
            Self::Cordon { .. } => Verb::Cordon,
            Self::Uncordon { .. } => Verb::Uncordon,
            Self::Drain { .. } => Verb::Drain,
            Self::Silence { .. } => Verb::Silence,
            Self::Unsilence { .. } => Verb::Unsilence,
        }
    }

    /// Values a person gave for variables.
    #[must_use]
    pub fn variables(&self) -> &[(Arc<str>, Arc<str>)] {
        match self {
            Self::Run { variables, .. } => variables,
            _ => &[],
        }
    }
}

/// What a person asked for, where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    pub environment: EnvironmentId,
    /// One or several (marked) targets; empty only for up, lock, unlock, recover, drill, run, load, and what is done to a node
    /// or an alert.
    pub targets: Vec<Target>,
    pub operation: Operation,
}
