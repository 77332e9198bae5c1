//! Reading a log or a text: scrolling, following, wrapping. A paused log stays where it is whatever comes in.

use crate::app::State;
use crate::app::layout;
use crate::app::state::{LogView, Stamps};
use crate::observe::text;

/// Scrolls the log by lines; upwards pauses it, downwards past its end follows it again.
pub fn scroll(state: &mut State, by: isize) {
    let page = usize::from(layout::log_lines(state.size).height).max(1);
    let Some(view) = &mut state.logs else { return };
    let Some(last) = view.store.len().checked_sub(1) else { return };
    if by > 0 && (view.follow || bottom(view) == last) {
        start_following(view);
        return;
    }
    let target = bottom(view).saturating_add_signed(by).min(last);
    // The first screenful is as far up as it goes.
    pause_at(view, target.max((page - 1).min(last)));
}

/// The index of the last line in sight.
fn bottom(view: &LogView) -> usize {
    let last = view.store.len().saturating_sub(1);
    if view.follow { last } else { view.store.index_of(view.anchor).unwrap_or(last) }
}

fn pause_at(view: &mut LogView, index: usize) {
    if let Some(line) = view.store.get(index) {
        view.anchor = line.seq;
        view.follow = false;
    }
}

fn start_following(view: &mut LogView) {
    view.follow = true;
    view.new_lines = 0;
}

/// Follows the end.
pub fn follow(state: &mut State) {
    if let Some(view) = &mut state.logs {
        start_following(view);
    }
}

/// Pauses or follows.
pub fn toggle_follow(state: &mut State) {
    let Some(view) = &mut state.logs else { return };
    if view.follow {
        let at = bottom(view);
        pause_at(view, at);
        // An empty log can be paused too: nothing scrolls when its first lines come.
        view.follow = false;
    } else {
        start_following(view);
    }
}

/// To the first line held.
pub fn top(state: &mut State) {
    scroll(state, isize::MIN / 2);
}

/// One screenful, with a line in common. Wrapped lines count as many as they take.
pub fn page(state: &mut State, down: bool) {
    let area = layout::log_lines(state.size);
    let rows = usize::from(area.height.saturating_sub(1)).max(1);
    let Some(view) = &state.logs else { return };
    let lines = if view.wrap { wrapped(view, usize::from(area.width), rows, down) } else { rows };
    let lines = isize::try_from(lines).unwrap_or(1);
    scroll(state, if down { lines } else { -lines });
}

/// Cells before the text of a line, about: stamp, letter, level.
const PREFIX: usize = 22;

/// How many log lines from the bottom one on fill `rows` screen lines.
fn wrapped(view: &LogView, width: usize, rows: usize, down: bool) -> usize {
    let width = width.saturating_sub(PREFIX).max(1);
    let mut index = bottom(view);
    let (mut used, mut lines) = (0, 0);
    while used < rows {
        let Some(line) = view.store.get(index) else { break };
        used += text::width(line.text).div_ceil(width).max(1);
        lines += 1;
        match if down { index.checked_add(1) } else { index.checked_sub(1) } {
            Some(next) => index = next,
            None => break,
        }
    }
    lines.max(1)
}

/// Scrolls sideways by cells.
pub fn sideways(state: &mut State, by: isize) {
    if state.nav.view().screen == crate::app::state::Screen::Logs
        && let Some(view) = &mut state.logs
        && !view.wrap
    {
        view.column = view.column.saturating_add_signed(by).min(1 << 20);
    }
}

/// Wraps long lines or cuts them.
pub fn wrap(state: &mut State) {
    if let Some(view) = &mut state.logs {
        view.wrap = !view.wrap;
        view.column = 0;
    }
}

/// The next way of showing times.
pub fn stamps(state: &mut State) {
    if let Some(view) = &mut state.logs {
        view.stamps = match view.stamps {
            Stamps::Utc => Stamps::Local,
            Stamps::Local => Stamps::Relative,
            Stamps::Relative => Stamps::Off,
            Stamps::Off => Stamps::Utc,
        };
    }
}

/// Scrolls a text that is no log.
pub fn scroll_text(state: &mut State, by: isize) {
    let height = usize::from(layout::frame(state.size).body.height);
    let lines = state.description.as_ref().map_or(0, |d| d.lines.len());
    let view = state.nav.view_mut();
    view.scroll = view.scroll.saturating_add_signed(by).min(lines.saturating_sub(height.min(lines)));
}
