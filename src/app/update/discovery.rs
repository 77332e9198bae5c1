//! Finding operations whose owner died: who holds locks, which of them live, and offering to end what they left.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::app::operations::is_unfinished;
use crate::app::{Effect, State};
use crate::model::{EnvironmentId, OperationId};

use super::menus;

/// Lock holders of this host, other than this process, that run (or ran) an operation.
fn holders(state: &State) -> BTreeSet<(u32, u64)> {
    let me = (state.actor.pid, state.actor.pid_started);
    let locks = state.snapshots().filter_map(|s| s.lock.as_ref());
    let ours = locks.filter(|l| l.host == state.actor.host && l.operation.is_some());
    ours.map(|l| (l.pid, l.pid_started)).filter(|p| *p != me).collect()
}

/// Asks which lock holders live: when there are others than before, and again while there are any (every tick).
pub fn owners(state: &mut State) -> Vec<Effect> {
    let holders = holders(state);
    if holders.is_empty() {
        state.operations.probed.clear();
        return Vec::new();
    }
    let due = state.operations.probed_at.is_none_or(|at| state.now.as_second() - at.as_second() >= 5);
    if holders == state.operations.probed && !due {
        return Vec::new();
    }
    state.operations.probed_at = Some(state.now);
    state.operations.probed.clone_from(&holders);
    vec![Effect::ProbeOwners(holders.into_iter().collect())]
}

/// Which of them live. What a dead one left is told of once, and a way to end it is offered.
pub fn alive(state: &mut State, living: Vec<(u32, u64)>) -> Vec<Effect> {
    state.alive = Some(living.into_iter().collect());
    state.generation += 1;
    let found: Vec<(EnvironmentId, OperationId, Arc<str>)> = state
        .snapshots()
        .filter(|s| is_unfinished(state, s))
        .filter_map(|s| {
            let lock = s.lock.as_ref()?;
            Some((s.environment.id.clone(), lock.operation.clone()?, lock.why.clone()))
        })
        .filter(|(_, id, _)| !state.operations.offered.contains(id))
        .collect();
    for (environment, id, why) in found {
        state.operations.offered.insert(id);
        let name = state.name_of(&environment);
        state.say(false, format!("{name} has an unfinished operation ({why}): finish or undo it (recover)"));
        if state.overlays.is_empty() {
            menus::recover(state, &environment);
        }
    }
    Vec::new()
}
