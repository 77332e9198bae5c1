//! Which rows a list holds, and in which order. Made once per change: nothing is formatted for rows that are not shown.

use std::cmp::Reverse;
use std::sync::Arc;

use super::filter::Filter;
use super::subject::{Subject, workload_in_view};
use super::{Column, sort};
use crate::app::state::{Direction, Opening, RowId, Screen, State, View};
use crate::model::{Alert, EnvironmentId, Health, Item, Snapshot, WorkloadId};

/// What a list was made from.
#[derive(Clone, Debug, Default, PartialEq)]
struct Key {
    generation: u64,
    screen: Option<Screen>,
    environment: Option<EnvironmentId>,
    workload: Option<WorkloadId>,
    filter: String,
    sort: Option<(Column, Direction)>,
}

impl Key {
    fn fits(&self, state: &State, view: &View) -> bool {
        self.generation == state.generation
            && self.screen == Some(view.screen)
            && self.environment == view.environment
            && self.workload == view.workload
            && self.sort == view.table.sort
            && self.filter == view.table.filter
    }
}

/// A list's rows as last made.
#[derive(Clone, Debug)]
pub struct Listed {
    key: Key,
    rows: Arc<[RowId]>,
}

impl Default for Listed {
    fn default() -> Self {
        Self { key: Key::default(), rows: Arc::new([]) }
    }
}

impl Listed {
    /// The rows as they were when last made, current or not.
    #[must_use]
    pub fn rows(&self) -> &Arc<[RowId]> {
        &self.rows
    }
}

/// The rows of the view, filtered and sorted. Cheap while nothing has changed since `update` last ran.
#[must_use]
pub fn order(state: &State, view: &View) -> Arc<[RowId]> {
    let listed = &view.table.listed;
    if listed.key.fits(state, view) { listed.rows.clone() } else { make(state, view) }
}

/// Makes the list of the view on screen anew if it has to be. Tells whether it did.
pub(in crate::app) fn refresh(state: &mut State) -> bool {
    let view = state.nav.view();
    if view.table.listed.key.fits(state, view) {
        return false;
    }
    let rows = make(state, view);
    let key = Key {
        generation: state.generation,
        screen: Some(view.screen),
        environment: view.environment.clone(),
        workload: view.workload.clone(),
        filter: view.table.filter.clone(),
        sort: view.table.sort,
    };
    state.nav.view_mut().table.listed = Listed { key, rows };
    true
}

fn make(state: &State, view: &View) -> Arc<[RowId]> {
    let mut rows = candidates(state, view);
    if !view.table.filter.is_empty() {
        let filter = Filter::parse(&view.table.filter, view.screen);
        rows.retain(|row| filter.admits(state, row));
    }
    match view.table.sort {
        Some((column, direction)) => sort::sort(state, &mut rows, column, direction),
        None => by_default(view.screen, &mut rows),
    }
    rows.iter().map(Subject::id).collect()
}

/// Every row the list could hold, unfiltered, in the order the engine gave.
pub(super) fn candidates<'a>(state: &'a State, view: &View) -> Vec<Subject<'a>> {
    let scope = || state.scope(view.environment.as_ref());
    match view.screen {
        Screen::Fleet => fleet(state),
        Screen::Instances => scope().into_iter().flat_map(|s| instances(s, view.workload.as_ref())).collect(),
        Screen::Metrics => scope().into_iter().flat_map(|s| metrics(s, view.workload.as_ref())).collect(),
        Screen::Workloads => scope().into_iter().flat_map(workloads).collect(),
        Screen::Health => scope().into_iter().flat_map(|s| health(s, view.workload.as_ref())).collect(),
        Screen::Alerts => alerts(state, view),
        Screen::Timeline => timeline(state, view),
        Screen::Operations => operations(state, view.environment.as_ref()),
        Screen::Revisions => match workload_in_view(state, view) {
            Some(workload) => workload.revisions.iter().map(|r| Subject::Revision(workload, r)).collect(),
            None => Vec::new(),
        },
        Screen::Logs | Screen::Describe => Vec::new(),
    }
}

fn fleet(state: &State) -> Vec<Subject<'_>> {
    let mut rows = Vec::new();
    for connection in state.connections.values().filter(|c| c.opening != Opening::Aside) {
        let before = rows.len();
        rows.extend(state.snapshots_of(connection).map(Subject::Environment));
        // An endpoint that shows nothing is shown itself: unreachable is not the same as empty.
        if rows.len() == before && (state.settings.only.is_none() || connection.inventory.is_none()) {
            rows.push(Subject::Connection(connection));
        }
    }
    rows
}

fn workloads(snapshot: &Arc<Snapshot>) -> impl Iterator<Item = Subject<'_>> {
    snapshot.workloads.iter().map(move |w| Subject::Workload(snapshot, w))
}

/// The whole, then its parts: an environment and its workloads, or a workload and its instances.
fn metrics<'a>(snapshot: &'a Arc<Snapshot>, only: Option<&WorkloadId>) -> Vec<Subject<'a>> {
    match only {
        None => std::iter::once(Subject::Environment(snapshot)).chain(workloads(snapshot)).collect(),
        Some(id) => {
            let whole = snapshot.workload(id).map(|w| Subject::Workload(snapshot, w));
            whole.into_iter().chain(instances(snapshot, only)).collect()
        }
    }
}

fn instances<'a>(snapshot: &'a Arc<Snapshot>, only: Option<&WorkloadId>) -> Vec<Subject<'a>> {
    snapshot
        .workloads
        .iter()
        .filter(|w| only.is_none_or(|only| &w.id == only))
        .flat_map(|w| w.instances.iter().map(move |i| Subject::Instance(snapshot, w, i)))
        .collect()
}

/// Every workload, and beside it those of its several instances that are not well.
fn health<'a>(snapshot: &'a Arc<Snapshot>, only: Option<&WorkloadId>) -> Vec<Subject<'a>> {
    let mut rows = Vec::new();
    for workload in snapshot.workloads.iter().filter(|w| only.is_none_or(|only| &w.id == only)) {
        rows.push(Subject::Workload(snapshot, workload));
        if workload.instances.len() > 1 {
            let bad = workload.instances.iter().filter(|i| !matches!(i.verdict.health, Health::Healthy | Health::Stopped));
            rows.extend(bad.map(|i| Subject::Instance(snapshot, workload, i)));
        }
    }
    rows
}

/// The alerts of what is in view, as they stand: worst first, of workload in view only its own.
fn alerts<'a>(state: &'a State, view: &View) -> Vec<Subject<'a>> {
    let shown = |id: &EnvironmentId| match &view.environment {
        Some(environment) => environment == id,
        None => state.settings.only.as_ref().is_none_or(|only| id.name == *only || state.name_of(id) == **only),
    };
    let mut rows: Vec<(&EnvironmentId, &Arc<Alert>)> = Vec::new();
    for (id, alerts) in state.watched.alerts.iter().filter(|(id, _)| shown(id)) {
        let wanted = |alert: &Alert| view.workload.is_none() || state.workload_of_alert(id, alert) == view.workload;
        rows.extend(alerts.iter().filter(|a| wanted(a)).map(|a| (id, a)));
    }
    rows.sort_by_key(|(_, a)| Reverse(a.rank()));
    rows.into_iter().map(|(id, a)| Subject::Alert(id, a)).collect()
}

fn timeline<'a>(state: &'a State, view: &View) -> Vec<Subject<'a>> {
    let names: Option<Vec<&str>> = view.workload.as_ref().map(|id| {
        let mut names = vec![id.as_str()];
        names.extend(workload_in_view(state, view).iter().flat_map(|w| w.instances.iter()).map(|i| &*i.name));
        names
    });
    let wanted = |item: &Item| {
        let shown = match &view.environment {
            Some(id) => &item.environment == id,
            None => state.settings.only.as_ref().is_none_or(|only| item.environment.name == *only),
        };
        shown && names.as_ref().is_none_or(|names| names.contains(&&*item.subject))
    };
    let mut found: Vec<(u64, &Item)> = state.timeline.iter().rev().filter(|(_, item)| wanted(item)).collect();
    // What was told late stands where it happened; of what happened at once, what was told last comes first.
    found.sort_by_key(|(_, item)| Reverse(item.at));
    found.into_iter().map(|(seq, item)| Subject::Item(seq, item)).collect()
}

fn operations<'a>(state: &'a State, environment: Option<&EnvironmentId>) -> Vec<Subject<'a>> {
    let name = environment.map(|id| state.name_of(id));
    let running = state.operations.running.iter().rev();
    let running = running.filter(|m| environment.is_none_or(|id| &m.plan.request.environment == id)).map(Subject::Running);
    let past = state.operations.past.iter();
    let past = past.filter(|p| match (environment, &name, p.environment()) {
        (Some(id), Some(name), Some(its)) => *its == *id.name || its == name,
        (Some(_), _, _) => false,
        (None, _, _) => true,
    });
    running.chain(past.map(Subject::Past)).collect()
}

/// The order a list has until a person chooses another.
fn by_default(screen: Screen, rows: &mut [Subject<'_>]) {
    match screen {
        Screen::Workloads | Screen::Instances => rows.sort_by(|a, b| sort::natural(a.name(), b.name())),
        Screen::Metrics => {
            let part = |s: &Subject<'_>| (!matches!(s, Subject::Environment(_)), matches!(s, Subject::Instance(..)));
            rows.sort_by(|a, b| part(a).cmp(&part(b)).then_with(|| sort::natural(a.name(), b.name())));
        }
        Screen::Health => rows.sort_by(|a, b| {
            let key = |s: &Subject<'_>| Reverse(s.health());
            key(a).cmp(&key(b)).then_with(|| sort::natural(a.name(), b.name()))
        }),
        // Connections, times and revisions already come in the order they are read in.
        Screen::Fleet
        | Screen::Alerts
        | Screen::Timeline
        | Screen::Operations
        | Screen::Revisions
        | Screen::Logs
        | Screen::Describe => {}
    }
}

/// What the default order shows in the heading.
#[must_use]
pub fn default_sort(screen: Screen) -> Option<(Column, Direction)> {
    match screen {
        Screen::Workloads | Screen::Instances | Screen::Metrics => Some((Column::Name, Direction::Up)),
        Screen::Health => Some((Column::Health, Direction::Down)),
        Screen::Timeline | Screen::Operations => Some((Column::At, Direction::Down)),
        Screen::Revisions => Some((Column::Revision, Direction::Down)),
        Screen::Alerts => Some((Column::State, Direction::Down)),
        Screen::Fleet | Screen::Logs | Screen::Describe => None,
    }
}
