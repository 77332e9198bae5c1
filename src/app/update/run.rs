//! Every command, sent to the file that does it; the wheel and the mouse button too.

use crate::app::layout;
use crate::app::rows;
use crate::app::state::{Charts, Direction, Overlay, Screen};
use crate::app::{Command, Effect, State};
use crate::model::{Capability, Verb};

use super::{
    changes, forward, log_run, logs, menus, navigation, older, operations, output, palette, prompt, reading, search, table, wish,
};

/// Runs a command on whatever is on screen.
pub fn run(state: &mut State, command: Command) -> Vec<Effect> {
    match command {
        Command::Down => by(state, 1),
        Command::Up => by(state, -1),
        Command::PageDown => by_page(state, 1),
        Command::PageUp => by_page(state, -1),
        Command::Top => to_end(state, false),
        Command::Bottom => to_end(state, true),
        Command::Left => sideways(state, -1),
        Command::Right => sideways(state, 1),
        Command::Enter => return navigation::enter(state),
        Command::Back => navigation::back(state),
        Command::NextScreen => return navigation::cycle(state, 1),
        Command::PreviousScreen => return navigation::cycle(state, -1),
        Command::Go(screen) => return navigation::go(state, screen),
        Command::NextEnvironment => navigation::next_environment(state, 1),
        Command::PreviousEnvironment => navigation::next_environment(state, -1),
        Command::Filter => prompt::filter_or_search(state),
        Command::SearchNext => search::step(state, true),
        Command::SearchPrevious => search::step(state, false),
        Command::Palette => palette::open(state, false),
        Command::Jump => palette::open(state, true),
        Command::Sort => menus::sort(state),
        Command::SortReverse => table::reverse(state),
        Command::Mark if state.nav.view().screen == Screen::Logs => reading::mark(state),
        Command::Mark => table::mark(state),
        Command::MarkAll => table::mark_all(state),
        Command::MarkNone if state.nav.view().screen == Screen::Logs => reading::unmark(state),
        Command::MarkNone => state.nav.view_mut().table.marks.clear(),
        Command::Logs => logs::open_selected(state, false),
        Command::PreviousLogs => logs::open_selected(state, true),
        Command::Describe => return navigation::go(state, Screen::Describe),
        Command::Revisions => return navigation::go(state, Screen::Revisions),
        Command::Forward => return forward::ask(state),
        Command::Forwards => forward::list(state),
        Command::Offer => return offer(state),
        Command::Menu => menus::actions(state),
        Command::Help => state.overlays.push(Overlay::Help { scroll: 0, filter: String::new() }),
        Command::Refresh => return refresh(state),
        Command::Copy => return output::copy(state),
        Command::Save => output::ask(state),
        Command::Log(command) => return log_run::run(state, command),
        Command::WhatChanged => changes::ask(state),
        Command::Longer => charts_only(state, |charts, now| charts.widen(1, now)),
        Command::Shorter => charts_only(state, |charts, now| charts.widen(-1, now)),
        Command::Each => charts_only(state, |charts, _| charts.each = !charts.each),
        Command::Operate(verb) => return operate(state, verb),
        Command::AbortOperation => return operations::abort(state),
        Command::TickOperation => return operations::tick_meant(state),
        Command::Theme => menus::theme(state),
        Command::AllNamespaces => return navigation::open_all(state),
        Command::Suspend => return vec![Effect::Suspend],
        Command::Quit => return quit(state),
    }
    Vec::new()
}

/// Sideways in a log, or in time.
fn sideways(state: &mut State, by: i8) {
    if state.nav.view().screen == Screen::Metrics {
        state.charts.step(by.into(), state.now);
    } else {
        reading::sideways(state, isize::from(by) * 8);
    }
}

/// Changes how charts are looked at, where there are any.
fn charts_only(state: &mut State, change: impl FnOnce(&mut Charts, jiff::Timestamp)) {
    if state.nav.view().screen == Screen::Metrics {
        change(&mut state.charts, state.now);
    } else {
        state.say(false, "only where there are charts: on the screen Metrics");
    }
}

fn operate(state: &mut State, verb: Verb) -> Vec<Effect> {
    match crate::app::operations::capability(state, verb) {
        Capability::Allowed => wish::wish(state, verb),
        Capability::Denied(why) => {
            state.say(false, format!("{verb}: {why}"));
            Vec::new()
        }
    }
}

fn quit(state: &mut State) -> Vec<Effect> {
    if state.operations.running.is_empty() {
        state.quitting = true;
    } else if !state.overlays.iter().any(|o| matches!(o, Overlay::Quit)) {
        state.overlays.push(Overlay::Quit);
    }
    Vec::new()
}

fn refresh(state: &mut State) -> Vec<Effect> {
    let only = state.environment().map(|e| e.connection);
    let ids: Vec<_> = match only {
        Some(id) => vec![id],
        None => state.connections.keys().cloned().collect(),
    };
    state.say(true, "asking the engine again");
    ids.into_iter().map(Effect::Refresh).collect()
}

/// Moves through whatever is on screen.
pub(super) fn by(state: &mut State, lines: isize) {
    match state.nav.view().screen {
        Screen::Logs => {
            reading::step(state, lines);
            if lines < 0 {
                older::want(state);
            }
        }
        Screen::Describe => reading::scroll_text(state, lines),
        Screen::Fleet
        | Screen::Workloads
        | Screen::Instances
        | Screen::Health
        | Screen::Metrics
        | Screen::Alerts
        | Screen::Timeline
        | Screen::Operations
        | Screen::Revisions => table::step(state, lines),
    }
}

fn by_page(state: &mut State, pages: isize) {
    let page = isize::try_from(layout::page(state)).unwrap_or(1);
    if state.nav.view().screen == Screen::Logs {
        reading::page(state, pages > 0);
        if pages < 0 {
            older::want(state);
        }
    } else {
        by(state, pages * page);
    }
}

fn to_end(state: &mut State, last: bool) {
    match state.nav.view().screen {
        Screen::Logs if last => reading::follow(state),
        Screen::Logs => {
            reading::top(state);
            older::want(state);
        }
        Screen::Fleet
        | Screen::Workloads
        | Screen::Instances
        | Screen::Health
        | Screen::Metrics
        | Screen::Alerts
        | Screen::Timeline
        | Screen::Operations
        | Screen::Revisions
        | Screen::Describe => by(state, if last { isize::MAX / 2 } else { isize::MIN / 2 }),
    }
}

/// The wheel: what lies on top scrolls, else the screen.
pub fn wheel(state: &mut State, lines: i16) -> Vec<Effect> {
    let lines = isize::from(lines);
    match state.overlays.last_mut() {
        Some(Overlay::Help { scroll, .. } | Overlay::Text { scroll, .. }) => *scroll = scroll.saturating_add_signed(lines),
        Some(Overlay::Confirm(confirm)) => confirm.scroll = confirm.scroll.saturating_add_signed(lines),
        Some(Overlay::Menu(menu)) => {
            menu.selected = menu.selected.saturating_add_signed(lines.signum()).min(menu.entries.len().saturating_sub(1));
        }
        Some(Overlay::Palette(palette)) => palette.selected = palette.selected.saturating_add_signed(lines.signum()),
        Some(Overlay::Changes { changes, selected }) => {
            *selected = selected.saturating_add_signed(lines.signum()).min(changes.causes.len().saturating_sub(1));
        }
        Some(Overlay::Patterns { selected, .. }) => *selected = selected.saturating_add_signed(lines.signum()),
        Some(Overlay::Prompt(_) | Overlay::Quit) => {}
        None if state.nav.view().screen == Screen::Logs => {
            reading::scroll(state, lines);
            if lines < 0 {
                older::want(state);
            }
        }
        None => by(state, lines),
    }
    Vec::new()
}

/// The mouse button: a row is selected, a selected one opened, a tab gone to, a heading sorted by.
pub fn click(state: &mut State, x: u16, y: u16) -> Vec<Effect> {
    if !state.overlays.is_empty() {
        return Vec::new();
    }
    let view = state.nav.view();
    let screen = view.screen;
    let frame = layout::frame(state.size);
    if frame.tabs.holds(x, y) {
        let context = super::keys::context(state);
        let key = |s| state.keys.keymap.keys_of(context, Command::Go(s)).into_iter().next().unwrap_or_default();
        let room = layout::summary_room(frame.tabs.width, &layout::summary(state));
        let mut tabs = layout::tabs(frame.tabs.width, room, screen, key).into_iter();
        let hit = tabs.find(|t| x >= t.x && x <= t.x + t.width);
        return hit.map_or_else(Vec::new, |tab| navigation::go(state, tab.screen));
    }
    if !rows::is_list(screen) {
        return Vec::new();
    }
    let order = rows::order(state, view);
    let list = layout::list(state, view, &order);
    let Some(seen) = list.seen.iter().find(|s| y >= s.y && y < s.y + s.lines) else { return Vec::new() };
    if order.get(seen.index) == view.table.selected.as_ref() {
        return navigation::enter(state);
    }
    table::move_to(state, seen.index);
    Vec::new()
}

/// The other way.
pub(super) fn turned(direction: Direction) -> Direction {
    match direction {
        Direction::Up => Direction::Down,
        Direction::Down => Direction::Up,
    }
}

/// Asks what the selected workload could be watched by.
fn offer(state: &mut State) -> Vec<Effect> {
    let Some((environment, id, _)) = super::scope::narrowed(state) else { return Vec::new() };
    let Some((_, workload)) = state.workload(&environment, &id) else { return Vec::new() };
    let effect = Effect::Offer { connection: environment.connection.clone(), workload: workload.clone() };
    state.say(true, format!("asking the ports of {id}"));
    vec![effect]
}
