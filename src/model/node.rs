//! A machine of a cluster.

use std::sync::Arc;

use jiff::Timestamp;

use super::Verdict;

/// A machine of a cluster as last observed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    pub name: Arc<str>,
    /// With what presses on it (memory, disk, processes) and that it is not ready among the reasons.
    pub verdict: Verdict,
    /// No new pods are put on it.
    pub cordoned: bool,
    pub roles: Vec<Arc<str>>,
    /// The kubelet's version.
    pub version: Arc<str>,
    /// What it has for pods: thousandths of a core, bytes, pods.
    pub cpu_milli: u64,
    pub memory_bytes: u64,
    pub pods_max: u32,
    /// Pods on it, as far as they can be seen.
    pub pods: u32,
    /// What those ask for.
    pub cpu_requested_milli: u64,
    pub memory_requested_bytes: u64,
    pub created_at: Option<Timestamp>,
}
