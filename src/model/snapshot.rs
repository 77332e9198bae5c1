//! What an engine was last seen to hold, whole: never a delta.

use std::sync::Arc;

use jiff::Timestamp;

use super::{Environment, Node, OperationId, StackFile, Workload, WorkloadId};

/// Who holds an environment's lock, as written on the engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockHolder {
    /// `user@host`.
    pub by: Arc<str>,
    pub host: Arc<str>,
    /// Process id on that host: tells whether the owner is still there.
    pub pid: u32,
    /// Kernel start time of that process, so that a reused pid is not mistaken for it.
    pub pid_started: u64,
    pub why: Arc<str>,
    pub since: Timestamp,
    /// The operation under way; `None` for a lock somebody took by hand.
    pub operation: Option<OperationId>,
    /// The operation's request as JSON, from which recovery plans again.
    pub request: Option<Arc<str>>,
}

/// One environment as last observed. Unchanged parts are shared with the one before (`Arc`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    pub environment: Arc<Environment>,
    /// When the engine was asked.
    pub at: Timestamp,
    /// Sorted by name.
    pub workloads: Vec<Arc<Workload>>,
    pub lock: Option<Arc<LockHolder>>,
    /// What else there is to know of it, as (what, words): networks, nodes, names of secrets; never a secret itself.
    pub facts: Vec<(Arc<str>, Arc<str>)>,
    /// The machines of its cluster, sorted by name, where they are the engine's business and may be seen.
    pub nodes: Vec<Arc<Node>>,
    /// What could not be seen and why (a kind one may not list).
    pub notes: Vec<Arc<str>>,
    /// The file it is described by, where that is at hand.
    pub file: Option<Arc<StackFile>>,
}

/// How a note begins that says what has not been listed to its end yet.
pub const LISTING: &str = "still being listed";

impl Snapshot {
    /// Whether everything has been seen that can be: nothing is planned on a part of it.
    #[must_use]
    pub fn is_listed(&self) -> bool {
        !self.notes.iter().any(|note| note.starts_with(LISTING))
    }

    /// The workload `id`.
    #[must_use]
    pub fn workload(&self, id: &WorkloadId) -> Option<&Arc<Workload>> {
        // They are sorted; who makes one by hand may not have done so.
        let found = self.workloads.binary_search_by(|w| w.id.cmp(id)).ok().and_then(|at| self.workloads.get(at));
        found.or_else(|| self.workloads.iter().find(|w| &w.id == id))
    }

    /// The instance `id` and its workload.
    #[must_use]
    pub fn instance(&self, id: &super::InstanceId) -> Option<(&Arc<Workload>, &Arc<super::Instance>)> {
        self.workloads.iter().find_map(|w| w.instances.iter().find(|i| &i.id == id).map(|i| (w, i)))
    }
}

/// Everything one connection holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inventory {
    pub at: Timestamp,
    /// The engine's own words for itself: `Docker 20.10.24, API 1.41`.
    pub engine: Arc<str>,
    /// The basis of CPU and memory figures, for the header.
    pub basis: Arc<str>,
    /// Sorted by environment name.
    pub environments: Vec<Arc<Snapshot>>,
    /// Faults the engine can be told to play (name, what it does). Real engines offer none.
    pub drills: Vec<(Arc<str>, Arc<str>)>,
}
