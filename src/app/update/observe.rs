//! Taking observations in: inventories replace what was there whole, and what changed between two is told.

use std::sync::Arc;

use crate::app::{Effect, State};
use crate::engine::Description;
use crate::model::{ConnectionId, Environment, Health, InstanceId, Inventory, Item, Link, Sample, Snapshot, Source, Verdict};
use crate::operate::machine::Event;

use super::{around, changed, discovery, navigation, operations};

/// A feed's state changed.
pub fn link(state: &mut State, id: &ConnectionId, link: &Link) -> Vec<Effect> {
    let Some(connection) = state.connections.get_mut(id) else { return Vec::new() };
    let was_live = connection.link.is_live();
    if link.is_live() {
        connection.heard = Some(state.now);
    }
    let same_kind = connection.link.word() == link.word();
    connection.link = link.clone();
    if !same_kind {
        state.generation += 1;
    }
    let effects = if was_live && !link.is_live() { operations::broadcast(state, id, &Event::Stale) } else { Vec::new() };
    navigation::start(state);
    effects
}

/// What an endpoint holds, whole.
pub fn inventory(state: &mut State, id: &ConnectionId, inventory: &Arc<Inventory>) -> Vec<Effect> {
    let Some(connection) = state.connections.get_mut(id) else { return Vec::new() };
    connection.heard = Some(state.now);
    let before = connection.observed.clone();
    let judged = around::judged(state, inventory);
    replace(state, id, inventory.clone(), &judged);
    if let Some(before) = &before {
        changed::tell(state, before, inventory);
    }
    let connections = &state.connections;
    let is_there = |instance: &InstanceId| connections.values().any(|c| c.index.contains_key(instance));
    state.metrics.retain(is_there);
    state.watched.retain(is_there);
    navigation::start(state);
    let mut effects = operations::snapshots(state, id);
    effects.extend(discovery::owners(state));
    effects
}

/// Puts an inventory in the place of the one before, and tells what has changed.
pub(super) fn replace(state: &mut State, id: &ConnectionId, observed: Arc<Inventory>, judged: &Arc<Inventory>) {
    let Some(connection) = state.connections.get_mut(id) else { return };
    let before = connection.inventory.clone();
    connection.hold(observed, judged.clone());
    state.generation += 1;
    for item in before.iter().flat_map(|before| changes(before, judged)) {
        state.timeline.push(item);
    }
}

/// Health changes between two inventories, as timeline items. What was not there before has not changed.
fn changes(before: &Inventory, after: &Inventory) -> Vec<Item> {
    let mut items = Vec::new();
    for new in &after.environments {
        let Some(old) = before.environments.iter().find(|s| s.environment.id == new.environment.id) else { continue };
        if !Arc::ptr_eq(old, new) {
            compare(old, new, &mut items);
        }
    }
    items
}

fn compare(old: &Snapshot, new: &Snapshot, items: &mut Vec<Item>) {
    for workload in &new.workloads {
        let Some(was) = old.workload(&workload.id).filter(|w| !Arc::ptr_eq(w, workload)) else { continue };
        let changed = was.verdict.health != workload.verdict.health;
        if changed {
            items.push(item(&new.environment, new, workload.id.as_str(), was.verdict.health, &workload.verdict));
        }
        // The one instance of a workload has nothing to add to it.
        if workload.instances.len() < 2 && changed {
            continue;
        }
        for instance in workload.instances.iter().filter(|i| !i.set_aside && !i.one_off) {
            let Some(was) = was.instances.iter().find(|i| i.id == instance.id) else { continue };
            let (from, to) = (was.verdict.health, instance.verdict.health);
            if from != to && (bad(from) || bad(to)) {
                items.push(item(&new.environment, new, &instance.name, from, &instance.verdict));
            }
        }
    }
}

fn bad(health: Health) -> bool {
    matches!(health, Health::Unhealthy | Health::Degraded)
}

fn item(environment: &Environment, snapshot: &Snapshot, subject: &str, from: Health, verdict: &Verdict) -> Item {
    let why = verdict.reasons.first().map_or_else(String::new, |r| format!(": {r}"));
    Item {
        at: snapshot.at,
        environment: environment.id.clone(),
        subject: subject.into(),
        source: Source::Health,
        what: verdict.health.word().into(),
        detail: format!("was {from}{why}").into(),
    }
}

/// What the engine itself tells.
pub fn events(state: &mut State, id: &ConnectionId, items: Vec<Item>) -> Vec<Effect> {
    let mut new = false;
    for item in items {
        new |= state.timeline.push(item);
    }
    if let Some(connection) = state.connections.get_mut(id) {
        connection.heard = Some(state.now);
    }
    if new {
        state.generation += 1;
    }
    Vec::new()
}

/// Figures.
pub fn samples(state: &mut State, id: &ConnectionId, samples: &[Sample]) -> Vec<Effect> {
    let Some(connection) = state.connections.get_mut(id) else { return Vec::new() };
    connection.heard = Some(state.now);
    let mut any = false;
    for sample in samples.iter().filter(|s| connection.index.contains_key(&s.instance)) {
        state.metrics.record(sample);
        any = true;
    }
    // Only a list in order of figures changes with them, or one filtered by them.
    let table = &state.nav.view().table;
    let by_figures = table.sort.is_some_and(|(column, _)| crate::app::rows::is_figure(column));
    if any && (by_figures || !table.filter.is_empty()) {
        state.generation += 1;
    }
    Vec::new()
}

/// A definition, if it is the one on screen.
pub fn description(state: &mut State, description: &Arc<Description>) -> Vec<Effect> {
    if navigation::described(state).as_ref() == Some(&description.subject) {
        state.description = Some(description.clone());
    }
    Vec::new()
}
