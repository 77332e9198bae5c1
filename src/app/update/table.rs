//! A list's selection, marks and order. The selection is an identity; where it stands is looked up.

use crate::app::rows::{self, Column};
use crate::app::state::{Direction, RowId, Screen};
use crate::app::{State, layout};

use super::run::turned;

/// Moves the selection by so many rows, stopping at either end.
pub fn step(state: &mut State, by: isize) {
    let table = &state.nav.view().table;
    let rows = table.listed.rows();
    if rows.is_empty() {
        return;
    }
    let current = table.selected.as_ref().and_then(|s| rows::index_of(rows, s, table.last_index));
    let index = match current {
        Some(index) => index.saturating_add_signed(by).min(rows.len() - 1),
        None => 0,
    };
    move_to(state, index);
    state.nav.moved = true;
}

/// Selects the row at this place.
pub fn move_to(state: &mut State, index: usize) {
    let table = &mut state.nav.view_mut().table;
    if let Some(row) = table.listed.rows().get(index).cloned() {
        table.selected = Some(row);
        table.last_index = index;
    }
}

/// Marks or unmarks the selected row and goes on to the next.
pub fn mark(state: &mut State) {
    let table = &mut state.nav.view_mut().table;
    let Some(row) = table.selected.clone() else { return };
    if !can_be_marked(&row) {
        state.say(false, "only environments, workloads and instances can be marked");
        return;
    }
    if !table.marks.remove(&row) {
        table.marks.insert(row);
    }
    step(state, 1);
}

/// Marks every row of the list as filtered.
pub fn mark_all(state: &mut State) {
    let rows = state.nav.view().table.listed.rows().clone();
    state.nav.view_mut().table.marks.extend(rows.iter().filter(|r| can_be_marked(r)).cloned());
}

fn can_be_marked(row: &RowId) -> bool {
    match row {
        RowId::Environment(_) | RowId::Workload(..) | RowId::Instance(..) => true,
        RowId::Connection(_) | RowId::Revision(_) | RowId::Operation(_) | RowId::Alert(..) | RowId::Item(_) => false,
    }
}

/// Sorts by a column; by the one it is sorted by already: the other way round.
pub fn sort_by(state: &mut State, column: Column) {
    let view = state.nav.view_mut();
    view.table.sort = Some(match view.table.sort {
        Some((current, direction)) if current == column => (column, turned(direction)),
        Some(_) | None => (column, rows::first_direction(column)),
    });
}

/// Turns the order round.
pub fn reverse(state: &mut State) {
    let view = state.nav.view_mut();
    let current = view.table.sort.or_else(|| rows::default_sort(view.screen)).unwrap_or((Column::Name, Direction::Up));
    if rows::is_list(view.screen) {
        view.table.sort = Some((current.0, turned(current.1)));
    }
}

/// After every message: the list is made anew if it has to be, the selection stands on a row that is there, marks of
/// what is gone are gone, and the offset is the row drawn first.
pub fn settle(state: &mut State) {
    let remade = rows::refresh(state);
    let view = state.nav.view();
    let rows = view.table.listed.rows().clone();
    let table = &view.table;
    // At the top of what happened one wants to see what happens.
    let newest = remade && view.screen == Screen::Timeline && table.last_index == 0;
    let found = table.selected.as_ref().filter(|_| !newest).and_then(|s| rows::index_of(&rows, s, table.last_index));
    let index = match found {
        Some(index) => index,
        None => table.last_index.min(rows.len().saturating_sub(1)),
    };
    let gone: Vec<RowId> =
        if remade { table.marks.iter().filter(|row| rows::subject(state, row).is_none()).cloned().collect() } else { Vec::new() };
    let table = &mut state.nav.view_mut().table;
    for row in gone {
        table.marks.remove(&row);
    }
    table.last_index = index;
    if found.is_none() {
        table.selected = rows.get(index).cloned();
    }
    let view = state.nav.view();
    if rows::is_list(view.screen) {
        let first = layout::list(state, view, &rows).seen.first().map_or(0, |s| s.index);
        state.nav.view_mut().table.offset = first;
    }
}
