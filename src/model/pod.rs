//! What only a pod has: several containers, and what each asks of its node.

use std::fmt;
use std::sync::Arc;

/// What a container is in its pod for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ContainerRole {
    /// Runs once, before the others start.
    Init,
    /// Starts before the others and stays beside them (an init container that is always restarted).
    Sidecar,
    Main,
    /// Put into a running pod to look around.
    Ephemeral,
}

impl ContainerRole {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Init => "init",
            Self::Sidecar => "sidecar",
            Self::Main => "main",
            Self::Ephemeral => "ephemeral",
        }
    }
}

impl fmt::Display for ContainerRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// One container of a pod as last observed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Container {
    pub name: Arc<str>,
    pub role: ContainerRole,
    pub image: Arc<str>,
    pub ready: bool,
    pub restarts: u32,
    /// What it does now, in the engine's words: `running`, `waiting: CrashLoopBackOff`, `terminated: Completed`.
    pub state: Arc<str>,
    /// How its run before ended (`OOMKilled, exit code 137`), where there was one.
    pub last: Option<Arc<str>>,
    /// It has run at least once: there may be a log.
    pub has_log: bool,
    /// The ports it names.
    pub ports: Vec<u16>,
}

/// What only a pod has. Containers in the order of its definition: init, sidecar, main, ephemeral.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pod {
    pub namespace: Arc<str>,
    /// As kubectl's STATUS column has it: `Running`, `CrashLoopBackOff`, `Init:0/2`, `Terminating`.
    pub status: Arc<str>,
    pub containers: Vec<Container>,
    /// `Guaranteed`, `Burstable` or `BestEffort`.
    pub qos: Arc<str>,
    /// Thousandths of a core, over all containers; `None` where any has none.
    pub cpu_request_milli: Option<u64>,
    pub cpu_limit_milli: Option<u64>,
    pub memory_request_bytes: Option<u64>,
    /// Who owns it, nearest first: `ReplicaSet/backend-5d4`, `Deployment/backend`.
    pub owners: Vec<Arc<str>>,
}

impl Pod {
    /// Ready and all of the containers that stay: kubectl's READY column.
    #[must_use]
    pub fn ready(&self) -> (usize, usize) {
        let staying = || self.containers.iter().filter(|c| matches!(c.role, ContainerRole::Main | ContainerRole::Sidecar));
        (staying().filter(|c| c.ready).count(), staying().count())
    }
}
