//! The view a switch of screens leads to: about what.

use std::collections::BTreeSet;

use crate::app::state::{RowId, Screen, Table, View};
use crate::app::{State, rows};
use crate::model::{EngineKind, EnvironmentId, Health, Item};

/// The view a switch leads to: the scope of the one on screen, narrowed by the selection where the screen needs it.
pub(super) fn scoped(state: &State, screen: Screen) -> Result<View, &'static str> {
    let current = state.nav.view();
    let selected = current.table.selected.as_ref();
    let mut view = View { table: Table::default(), ..View::new(screen) };
    view.environment.clone_from(&current.environment);
    view.workload.clone_from(&current.workload);
    // The same row stays selected where the other list has it.
    view.table.selected = selected.filter(|row| matches!(row, RowId::Workload(..) | RowId::Instance(..))).cloned();
    match screen {
        Screen::Fleet => {
            view.environment = None;
            view.workload = None;
            view.table.selected = current.environment.clone().map(RowId::Environment);
        }
        Screen::Workloads => {
            view.environment = Some(environment(state)?);
            view.workload = None;
            if let (Some(id), Some(workload)) = (&view.environment, &current.workload) {
                view.table.selected = Some(RowId::Workload(id.clone(), workload.clone()));
            }
        }
        Screen::Metrics if item_in_view(state).is_some() => of_item(state, &mut view),
        Screen::Instances | Screen::Metrics => view.environment = Some(environment(state)?),
        // From the fleet these are about all of it. What is worst is looked at first.
        Screen::Health => {
            let sick = |row: &RowId| rows::subject(state, row).and_then(|s| s.health()).is_some_and(|h| h > Health::Starting);
            view.table.selected = view.table.selected.filter(sick);
        }
        Screen::Alerts | Screen::Timeline | Screen::Operations | Screen::Logs => {}
        Screen::Revisions | Screen::Describe => {
            let (environment, workload, instance) = narrowed(state).ok_or("select a workload or an instance first")?;
            view.environment = Some(environment);
            view.workload = Some(workload);
            view.instance = if screen == Screen::Describe { instance } else { None };
            view.revision = if screen == Screen::Describe { revisions(state, &view) } else { None };
            view.table.selected = None;
        }
    }
    Ok(view)
}

/// The timeline item that is selected.
pub(super) fn item_in_view(state: &State) -> Option<&Item> {
    match state.nav.view().table.selected.as_ref()? {
        RowId::Item(seq) => state.timeline.get(*seq),
        _ => None,
    }
}

/// A view about what a timeline item is about.
fn of_item(state: &State, view: &mut View) {
    let Some(item) = item_in_view(state) else { return };
    let found = crate::app::changes::owner(state, item);
    view.workload = None;
    view.environment = Some(item.environment.clone());
    view.table.selected = found.map(|workload| RowId::Workload(item.environment.clone(), workload));
}

/// On a list of revisions: the two marked, or the one selected and the one before it. Only where they are kept whole.
fn revisions(state: &State, wanted: &View) -> Option<(Option<u64>, u64)> {
    let (snapshot, workload) = state.workload(wanted.environment.as_ref()?, wanted.workload.as_ref()?)?;
    let list = state.nav.view();
    if list.screen != Screen::Revisions || snapshot.environment.engine != EngineKind::Kubernetes {
        return None;
    }
    let number = |row: &RowId| if let RowId::Revision(number) = row { Some(*number) } else { None };
    let marked: BTreeSet<u64> = list.table.marks.iter().chain(&list.table.selected).filter_map(number).collect();
    let newest = *marked.last()?;
    let older = || workload.revisions.iter().map(|r| r.number).filter(|n| *n < newest).max();
    let before = if list.table.marks.is_empty() { older() } else { marked.first().copied().filter(|first| *first < newest) };
    Some((before, newest))
}

fn environment(state: &State) -> Result<EnvironmentId, &'static str> {
    let first = || state.snapshots().next().map(|s| s.environment.id.clone());
    state.environment().or_else(first).ok_or("no environment is known yet")
}

type Narrowed = (EnvironmentId, crate::model::WorkloadId, Option<crate::model::InstanceId>);

/// The one workload or instance looked at: the selected row's, else the screen's.
pub(super) fn narrowed(state: &State) -> Option<Narrowed> {
    let view = state.nav.view();
    match view.table.selected.as_ref() {
        Some(RowId::Workload(environment, id)) => return Some((environment.clone(), id.clone(), None)),
        Some(RowId::Instance(environment, id)) => {
            let (_, workload, _) = state.instance(&environment.connection, id)?;
            return Some((environment.clone(), workload.id.clone(), Some(id.clone())));
        }
        Some(RowId::Alert(id, key)) => {
            let alert = state.alerts(id).find(|a| a.key() == *key)?;
            return Some((id.clone(), state.workload_of_alert(id, alert)?, None));
        }
        Some(RowId::Connection(_) | RowId::Environment(_) | RowId::Revision(_) | RowId::Operation(_) | RowId::Item(_)) | None => {
        }
    }
    Some((view.environment.clone()?, view.workload.clone()?, view.instance.clone()))
}
