//! Going: in, back, to another screen, to another environment.

use crate::app::state::{Opening, RowId, Screen, View};
use crate::app::{Effect, State, rows};
use crate::engine::Subject as Described;
use crate::model::{ConnectionId, EnvironmentId};

use super::scope::{item_in_view, scoped};
use super::{inspect, logs, menus};

/// Views kept below the one on screen.
const DEPTH: usize = 16;

/// Puts a view on top.
pub fn push(state: &mut State, view: View) {
    if state.nav.stack.len() >= DEPTH {
        state.nav.stack.remove(0);
    }
    state.nav.stack.push(view);
    state.nav.moved = true;
    close_unseen(state);
}

/// A log is followed and a description kept only while a view of it is there to go back to.
fn close_unseen(state: &mut State) {
    if !state.nav.stack.iter().any(|v| v.screen == Screen::Logs) {
        state.logs = None;
    }
    if state.description.as_ref().is_some_and(|d| described(state).as_ref() != Some(&d.subject)) {
        state.description = None;
    }
}

/// What the describe screen is about, when it is on screen.
#[must_use]
pub fn described(state: &State) -> Option<Described> {
    let view = state.nav.view();
    if view.screen != Screen::Describe {
        return None;
    }
    if let (Some(revision), Some(workload), Some(environment)) = (view.revision, &view.workload, &view.environment) {
        let (environment, workload) = (environment.clone(), workload.clone());
        return Some(match revision {
            (Some(from), to) => Described::Between(environment, workload, from, to),
            (None, only) => Described::Revision(environment, workload, only),
        });
    }
    match (&view.instance, &view.workload, &view.environment) {
        (Some(instance), _, _) => Some(Described::Instance(instance.clone())),
        (None, Some(workload), Some(environment)) => Some(Described::Workload(environment.clone(), workload.clone())),
        (None, _, _) => None,
    }
}

/// Opens what is selected.
pub fn enter(state: &mut State) -> Vec<Effect> {
    if state.nav.view().screen == Screen::Logs {
        inspect::open(state);
        return Vec::new();
    }
    let Some(row) = state.nav.view().table.selected.clone() else { return Vec::new() };
    open(state, &row)
}

/// Goes to a row's own screen, from wherever.
pub fn open(state: &mut State, row: &RowId) -> Vec<Effect> {
    match row {
        RowId::Environment(id) => push(state, View::of(Screen::Workloads, id.clone())),
        RowId::Workload(id, workload) => {
            push(state, View { workload: Some(workload.clone()), ..View::of(Screen::Instances, id.clone()) });
        }
        RowId::Instance(id, instance) => logs::open_instance(state, id, instance),
        RowId::Connection(id) if opened(state, id) => {}
        RowId::Connection(id) => {
            let note = rows::note(state, row);
            state.say(note.is_none(), note.unwrap_or_else(|| format!("nothing is known there yet; asking {id} again")));
            return vec![Effect::Refresh(id.clone())];
        }
        RowId::Revision(_) => menus::actions(state),
        RowId::Operation(_) => super::operations::show(state, row),
        RowId::Alert(id, key) => {
            let workload = state.alerts(id).find(|a| a.key() == *key).and_then(|a| state.workload_of_alert(id, a));
            match workload {
                Some(workload) => push(state, View { workload: Some(workload), ..View::of(Screen::Instances, id.clone()) }),
                None => state.say(false, "its labels name no workload of this environment"),
            }
        }
        RowId::Item(seq) => open_item(state, *seq),
    }
    Vec::new()
}

/// Opens an endpoint that is only there to be opened; false where it is open already.
fn opened(state: &mut State, id: &ConnectionId) -> bool {
    let Some(connection) = state.connections.get_mut(id).filter(|c| c.opening != Opening::Open) else { return false };
    connection.opening = Opening::Open;
    let endpoint = connection.endpoint.clone();
    state.generation += 1;
    state.say(true, format!("connecting to {endpoint}"));
    true
}

/// Opens all namespaces of the cluster that is selected.
pub fn open_all(state: &mut State) -> Vec<Effect> {
    let selected = match &state.nav.view().table.selected {
        Some(RowId::Connection(id)) => Some(id.clone()),
        _ => state.environment().map(|id| id.connection),
    };
    let all = selected.map(|id| ConnectionId::new(format!("{id}:*"))).filter(|id| state.connections.contains_key(id));
    match all {
        Some(id) if opened(state, &id) => {}
        Some(_) => state.say(true, "all its namespaces are open already"),
        None => {
            state.say(false, "only of a cluster found in the kubeconfig: a configured environment has the namespace it names");
        }
    }
    Vec::new()
}

/// A timeline item leads to what it is about.
fn open_item(state: &mut State, seq: u64) {
    let Some(item) = state.timeline.get(seq) else { return };
    if let Some(operation) = state.operation_of(item) {
        super::operations::show(state, &RowId::Operation(operation));
        return;
    }
    let (environment, subject) = (item.environment.clone(), item.subject.clone());
    let Some(snapshot) = state.snapshot(&environment) else { return };
    let workload =
        snapshot.workloads.iter().find(|w| *w.id.as_str() == *subject || w.instances.iter().any(|i| i.name == subject));
    let mut view = View::of(Screen::Workloads, environment.clone());
    match workload.map(|w| w.id.clone()) {
        Some(id) => {
            view.table.selected = Some(RowId::Workload(environment, id));
            push(state, view);
        }
        None => state.say(false, format!("{subject} is no longer there")),
    }
}

/// Closes the filter, else the marks, else the view.
pub fn back(state: &mut State) {
    if state.nav.view().screen == Screen::Metrics && state.charts.cursor.is_some() {
        (state.charts.cursor, state.charts.until) = (None, None);
        return;
    }
    let table = &mut state.nav.view_mut().table;
    if !table.filter.is_empty() {
        table.filter.clear();
    } else if !table.marks.is_empty() {
        table.marks.clear();
    } else if state.nav.view().screen == Screen::Logs && state.logs.as_ref().is_some_and(|l| l.search.is_some()) {
        if let Some(logs) = &mut state.logs {
            logs.search = None;
        }
    } else if state.nav.view().screen == Screen::Logs && state.logs.as_ref().is_some_and(|l| !l.filter.is_empty()) {
        // Nothing is there to go wrong in an empty filter.
        drop(super::lens::set(state, ""));
    } else if state.nav.stack.len() > 1 {
        state.nav.stack.pop();
        close_unseen(state);
    } else if state.nav.view().screen != Screen::Fleet && several(state) {
        state.nav.stack = vec![View::new(Screen::Fleet)];
        close_unseen(state);
    }
}

fn several(state: &State) -> bool {
    state.snapshots().nth(1).is_some() || state.connections.len() > 1
}

/// Switches to a screen, keeping what is looked at. A screen that is on the way back already is gone back to.
pub fn go(state: &mut State, screen: Screen) -> Vec<Effect> {
    let current = state.nav.view();
    if current.screen == screen {
        return Vec::new();
    }
    let wanted = match scoped(state, screen) {
        Ok(view) => view,
        Err(why) => {
            state.say(false, why);
            return Vec::new();
        }
    };
    if let (Screen::Metrics, Some(at)) = (screen, item_in_view(state).map(|item| item.at)) {
        state.charts.show(at, state.now);
    }
    state.nav.moved = true;
    if screen == Screen::Logs {
        match state.nav.stack.iter().rposition(|v| v.screen == Screen::Logs) {
            Some(at) => state.nav.stack.truncate(at + 1),
            None => logs::open_selected(state, false),
        }
        return Vec::new();
    }
    let same = |v: &View| {
        v.screen == screen
            && v.environment == wanted.environment
            && v.workload == wanted.workload
            && v.instance == wanted.instance
            && v.revision == wanted.revision
    };
    if let Some(at) = state.nav.stack.iter().rposition(same) {
        state.nav.stack.truncate(at + 1);
        close_unseen(state);
        return Vec::new();
    }
    if screen == Screen::Fleet {
        state.nav.stack.clear();
    } else if state.nav.view().switched && state.nav.stack.len() > 1 {
        state.nav.stack.pop();
    }
    push(state, View { switched: true, ..wanted });
    Vec::new()
}

/// The next or previous screen that has something to show here.
pub fn cycle(state: &mut State, by: isize) -> Vec<Effect> {
    let count = Screen::ALL.len();
    let mut at = Screen::ALL.iter().position(|s| *s == state.nav.view().screen).unwrap_or(0);
    for _ in 0..count {
        at = (at.cast_signed() + by).rem_euclid(count.cast_signed()).cast_unsigned();
        let screen = Screen::ALL[at];
        let possible = match screen {
            Screen::Logs => state.logs.is_some() || logs::of_selection(state).is_ok(),
            Screen::Fleet
            | Screen::Workloads
            | Screen::Instances
            | Screen::Health
            | Screen::Metrics
            | Screen::Alerts
            | Screen::Timeline
            | Screen::Operations
            | Screen::Revisions
            | Screen::Describe => scoped(state, screen).is_ok(),
        };
        if possible {
            return go(state, screen);
        }
    }
    Vec::new()
}

/// The same screen for the next environment, or the previous one.
pub fn next_environment(state: &mut State, by: isize) {
    let all: Vec<EnvironmentId> = state.snapshots().map(|s| s.environment.id.clone()).collect();
    if all.is_empty() {
        return;
    }
    let view = state.nav.view();
    if view.screen == Screen::Fleet {
        super::table::step(state, by);
        return;
    }
    let current = view.environment.as_ref().and_then(|e| all.iter().position(|id| id == e));
    let next = current.map_or(0, |at| (at.cast_signed() + by).rem_euclid(all.len().cast_signed()).cast_unsigned());
    let environment = all[next].clone();
    // What is about one workload here has no counterpart there for sure: its screen becomes the list.
    let screen = match view.screen {
        Screen::Logs | Screen::Describe | Screen::Revisions => Screen::Workloads,
        other @ (Screen::Fleet
        | Screen::Workloads
        | Screen::Instances
        | Screen::Health
        | Screen::Metrics
        | Screen::Alerts
        | Screen::Timeline
        | Screen::Operations) => other,
    };
    let switched = view.switched;
    state.nav.stack.pop();
    let kept = state.nav.stack.iter().take_while(|v| v.environment.is_none()).count();
    state.nav.stack.truncate(kept);
    push(state, View { switched, ..View::of(screen, environment) });
}

/// The first time something is known: with one environment its workloads are shown, unless the person has moved.
pub fn start(state: &mut State) {
    if state.nav.moved || state.nav.stack.len() > 1 || state.nav.view().screen != Screen::Fleet {
        return;
    }
    // While an endpoint has not answered it is not known how many there are.
    let waiting = state.open_connections().any(|c| c.inventory.is_none() && matches!(c.link, crate::model::Link::Connecting));
    if waiting {
        return;
    }
    let mut all = state.snapshots().map(|s| s.environment.id.clone());
    let only = match (all.next(), all.next()) {
        (Some(one), None) => Some(one),
        (None | Some(_), _) => None,
    };
    drop(all);
    if let Some(id) = only {
        state.nav.stack = vec![View::of(Screen::Workloads, id)];
    }
    // Once only: what appears or goes later moves nobody.
    state.nav.moved |= state.connections.values().any(|c| c.inventory.is_some());
}

/// Jumps to something from wherever: its list is shown with it selected.
pub fn jump(state: &mut State, row: &RowId) -> Vec<Effect> {
    let mut view = match row {
        RowId::Workload(id, _) => View::of(Screen::Workloads, id.clone()),
        RowId::Instance(id, instance) => {
            let workload = state.instance(&id.connection, instance).map(|(_, w, _)| w.id.clone());
            View { workload, ..View::of(Screen::Instances, id.clone()) }
        }
        RowId::Environment(_)
        | RowId::Connection(_)
        | RowId::Revision(_)
        | RowId::Operation(_)
        | RowId::Alert(..)
        | RowId::Item(_) => {
            return open(state, row);
        }
    };
    view.table.selected = Some(row.clone());
    push(state, view);
    Vec::new()
}
