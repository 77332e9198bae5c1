//! How far an engine that makes the wanted state itself is with it, as a workload shows it.

use std::sync::Arc;

use crate::model::{Instance, InstanceState, RolloutState, Workload, WorkloadKind};

use super::gate::is_well;

/// What is waited for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rollout {
    pub revision: Option<u64>,
    /// The revision that is to be left.
    pub left: Option<u64>,
    pub replicas: u32,
    /// The engine was told a new definition.
    pub follow: bool,
}

impl Rollout {
    /// The workload is still at what was before.
    pub(super) fn is_before(&self, workload: &Workload) -> bool {
        (self.revision.is_some() && self.revision != workload.revision) || (self.left.is_some() && self.left == workload.revision)
    }

    /// The revision whose instances count; `None` where any does.
    pub(super) fn current(&self, workload: &Workload) -> Option<u64> {
        self.revision.or_else(|| workload.controller.as_ref().and(workload.revision))
    }

    /// How many there are to be: where somebody else decides that meanwhile, as many as they say.
    fn wanted(&self, workload: &Workload) -> u32 {
        let scaled = workload.controller.as_ref().is_some_and(|c| c.scaler.is_some());
        let by_nodes = workload.kind == WorkloadKind::DaemonSet;
        if self.follow && (scaled || by_nodes) { workload.desired } else { self.replicas }
    }

    /// Why the engine will not get through with what it was told. A controller says so of the rollout before for a moment
    /// (`settling`).
    pub(super) fn stuck(&self, workload: &Workload, settling: bool) -> Option<Arc<str>> {
        let rollout = workload.rollout.as_ref().filter(|_| !self.is_before(workload))?;
        let what = match rollout.state {
            RolloutState::Running => return None,
            RolloutState::Paused if settling && workload.controller.is_some() => return None,
            RolloutState::Paused => "the engine has paused the update",
            RolloutState::GoingBack | RolloutState::GoneBack => "the engine has gone back by itself",
        };
        // What became of the instances says more than the engine's summary; those that failed come first.
        let mut troubled: Vec<&Arc<Instance>> = workload.replicas().filter(|i| !i.verdict.reasons.is_empty()).collect();
        troubled.sort_by_key(|i| std::cmp::Reverse((i.verdict.health, i.created_at)));
        let trouble = troubled.first().and_then(|i| Some(format!("{}: {}", i.name, i.verdict.reasons.first()?)));
        let words = trouble.or_else(|| Some(rollout.message.to_string()).filter(|m| !m.is_empty()));
        Some(words.map_or_else(|| what.into(), |words| format!("{what}: {words}").into()))
    }

    /// Whether every instance is of the wanted revision and well, and the engine through with it; else how far it is.
    pub(super) fn is_through(&self, workload: &Workload) -> Result<(), String> {
        if self.is_before(workload) {
            return Err(match (self.revision, self.left) {
                (Some(wanted), _) => format!("not at revision {wanted} yet"),
                (None, left) => format!("still at revision {}", left.unwrap_or(0)),
            });
        }
        let (follow, replicas) = (self.follow, self.wanted(workload));
        let outdated = workload.rollout.as_ref().filter(|_| follow).map_or(0, |r| r.outdated);
        // A pod that has ended stays in the list, and its controller does not count it.
        let ended = |i: &Instance| matches!(i.state, InstanceState::Exited | InstanceState::Dead);
        let now: Vec<&Arc<Instance>> = workload.replicas().filter(|i| workload.controller.is_none() || !ended(i)).collect();
        let current = self.revision.or(workload.revision);
        let new = |i: &Instance| i.revision.is_none() || current.is_none() || i.revision == current;
        let ready = now.iter().filter(|i| new(i) && i.state == InstanceState::Running && is_well(i)).count();
        if ready == now.len() && ready == replicas as usize && outdated == 0 {
            return match workload.rollout.as_ref().filter(|_| follow) {
                Some(_) => Err(format!("{ready} of {replicas} ready, the engine still watches them")),
                None => Ok(()),
            };
        }
        let trouble = now.iter().filter(|i| new(i) && !is_well(i)).find_map(|i| i.verdict.reasons.first());
        let why = trouble.map(|r| format!(": {r}")).unwrap_or_default();
        let beyond = now.len().saturating_sub(replicas as usize);
        let leaving = now.iter().filter(|i| !new(i)).count().max(outdated as usize).max(beyond);
        let old = if leaving > 0 { format!(", {leaving} to go") } else { String::new() };
        Err(format!("{ready} of {replicas} ready{old}{why}"))
    }
}
