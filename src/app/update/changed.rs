//! What somebody changed, told on the timeline: not what our own operations tell of themselves, nor what the engine has
//! told already.

use std::sync::Arc;

use crate::app::State;
use crate::app::format::seconds_since;
use crate::model::{EnvironmentId, Inventory, Item, Snapshot, Source};
use crate::observe::timeline::changes;

/// Seconds an operation's own changes may take to show after it has ended.
const TRAILS: u64 = 30;
/// Seconds around a restart in which the engine's own word for it counts.
const TOLD: u64 = 60;

/// Tells what changed from one inventory to the next.
pub fn tell(state: &mut State, before: &Inventory, after: &Inventory) {
    for new in &after.environments {
        let old = before.environments.iter().find(|s| s.environment.id == new.environment.id);
        let Some(old) = old.filter(|old| !Arc::ptr_eq(old, new)) else { continue };
        let mut items = changes(old, new);
        items.retain(|item| !is_ours(state, new, item) && !is_told(state, item));
        for item in items {
            state.timeline.push(item);
        }
    }
}

/// Whether an operation of this program made it, and tells of it itself.
fn is_ours(state: &State, snapshot: &Snapshot, item: &Item) -> bool {
    if matches!(&*item.what, "restarted" | "drift") {
        return false;
    }
    let id = &snapshot.environment.id;
    state.operation_in(id).is_some() || ended_lately(state, id)
}

fn ended_lately(state: &State, id: &EnvironmentId) -> bool {
    let here = |p: &&crate::app::state::Past| p.environment().is_some_and(|name| *name == *id.name);
    let ended = state.operations.past.iter().filter(here).filter_map(|p| p.records.last()).map(|r| r.at).max();
    ended.is_some_and(|at| seconds_since(state.now, at) < TRAILS)
}

/// Whether the engine has told of a restart in its own words.
fn is_told(state: &State, item: &Item) -> bool {
    let same = |other: &Item| {
        other.source == Source::Engine
            && other.environment == item.environment
            && other.subject == item.subject
            && matches!(&*other.what, "die" | "oom" | "restart")
            && item.at.duration_since(other.at).unsigned_abs().as_secs() < TOLD
    };
    &*item.what == "restarted" && state.timeline.iter().rev().take(512).any(|(_, other)| same(other))
}
