//! Reading a log or a text: scrolling, following, wrapping. A paused log stays where it is whatever comes in.

use crate::app::State;
use crate::app::layout;
use crate::app::state::{LogView, Stamps};
use crate::observe::text;

/// Moves the reader by lines; upwards pauses the log, downwards past its end follows it again.
pub fn step(state: &mut State, by: isize) {
    let sheet = Sheet::of(state);
    let Some(view) = &mut state.logs else { return };
    let Some(last) = view.len().checked_sub(1) else { return };
    let at = view.at();
    if by > 0 && (view.follow || at == last) {
        return follow(state);
    }
    read_at(view, at.saturating_add_signed(by).min(last), sheet);
}

/// Scrolls by lines; the reader stays in sight.
pub fn scroll(state: &mut State, by: isize) {
    let sheet = Sheet::of(state);
    let Some(view) = &mut state.logs else { return };
    let Some(last) = view.len().checked_sub(1) else { return };
    let (at, bottom) = (view.at(), view.bottom());
    if by > 0 && (view.follow || bottom == last) {
        return follow(state);
    }
    // The first screenful is as far up as it goes.
    let bottom = bottom.saturating_add_signed(by).max(sheet.last_from(view, 0)).min(last);
    let moved = at.saturating_add_signed(by).clamp(sheet.first_to(view, bottom), bottom);
    pause(view, moved, bottom);
}

/// How much of a log is on the screen.
#[derive(Clone, Copy)]
pub(super) struct Sheet {
    rows: usize,
    width: usize,
}

/// Cells before the text of a line, about: stamp, letter, level.
const PREFIX: usize = 22;

impl Sheet {
    pub(super) fn of(state: &State) -> Self {
        let area = state.log_lines();
        Self { rows: usize::from(area.height).max(1), width: usize::from(area.width).saturating_sub(PREFIX).max(1) }
    }

    /// Lines of the screen.
    pub(super) fn rows(self) -> usize {
        self.rows
    }

    /// The index of the first line in sight with this one at the bottom.
    pub(super) fn first_to(self, view: &LogView, bottom: usize) -> usize {
        if !view.wrap {
            return (bottom + 1).saturating_sub(self.rows);
        }
        let mut used = self.height(view, bottom);
        let mut first = bottom;
        while let Some(above) = first.checked_sub(1) {
            used += self.height(view, above);
            if used > self.rows {
                break;
            }
            first = above;
        }
        first
    }

    /// The index of the last line in sight with this one at the top.
    fn last_from(self, view: &LogView, top: usize) -> usize {
        let end = view.len().saturating_sub(1);
        if !view.wrap {
            return (top + self.rows - 1).min(end);
        }
        let mut used = self.height(view, top);
        let mut last = top;
        while last < end {
            used += self.height(view, last + 1);
            if used > self.rows {
                break;
            }
            last += 1;
        }
        last
    }

    fn height(self, view: &LogView, index: usize) -> usize {
        view.line(index).map_or(1, |line| text::width(line.text).div_ceil(self.width).max(1))
    }
}

/// Pauses with the reader at this line, scrolling no further than it takes to show it.
pub(super) fn read_at(view: &mut LogView, index: usize, sheet: Sheet) {
    let bottom = view.bottom();
    let bottom = if index > bottom {
        index
    } else if index < sheet.first_to(view, bottom) {
        sheet.last_from(view, index)
    } else {
        bottom
    };
    pause(view, index, bottom);
}

/// Pauses with the reader at this line and some lines after it, as far as there is room.
pub(super) fn read_around(view: &mut LogView, index: usize, sheet: Sheet) {
    let bottom = view.bottom();
    if view.follow || index > bottom || index < sheet.first_to(view, bottom) {
        let last = view.len().saturating_sub(1);
        let below = (index + sheet.rows / 3).min(last);
        let below = if sheet.first_to(view, below) > index { index } else { below };
        pause(view, index, below.max(sheet.last_from(view, 0)));
    } else {
        pause(view, index, bottom);
    }
}

fn pause(view: &mut LogView, at: usize, bottom: usize) {
    let (Some(at), Some(bottom)) = (view.line(at).map(|l| l.seq), view.line(bottom).map(|l| l.seq)) else { return };
    view.cursor = Some(at);
    view.anchor = bottom;
    view.follow = false;
}

fn start_following(view: &mut LogView) {
    view.follow = true;
    view.cursor = None;
    view.new_lines = 0;
    view.store.keep_oldest(false);
}

/// Follows the end. Where the newest lines had to go for older ones, the log is read from its end again.
pub fn follow(state: &mut State) {
    let Some(view) = &mut state.logs else { return };
    if view.is_cut() {
        super::logs::read_anew(state);
    } else {
        start_following(view);
    }
}

/// Pauses or follows.
pub fn toggle_follow(state: &mut State) {
    let Some(view) = &mut state.logs else { return };
    if view.follow {
        let at = view.bottom();
        pause(view, at, at);
        // An empty log can be paused too: nothing scrolls when its first lines come.
        view.follow = false;
    } else {
        follow(state);
    }
}

/// To the first line held.
pub fn top(state: &mut State) {
    let sheet = Sheet::of(state);
    let Some(view) = state.logs.as_mut().filter(|v| !v.is_empty()) else { return };
    let bottom = sheet.last_from(view, 0);
    pause(view, 0, bottom);
}

/// One screenful, with a line in common. Wrapped lines count as many as they take.
pub fn page(state: &mut State, down: bool) {
    let sheet = Sheet::of(state);
    let Some(view) = &state.logs else { return };
    let bottom = view.bottom();
    let first = sheet.first_to(view, bottom);
    let lines = if down { sheet.last_from(view, bottom) - bottom } else { bottom - first };
    let lines = isize::try_from(lines.max(1)).unwrap_or(1);
    scroll(state, if down { lines } else { -lines });
}

/// Marks the line the reader is at, or unmarks it, and goes on to the next.
pub fn mark(state: &mut State) {
    let sheet = Sheet::of(state);
    let Some(view) = &mut state.logs else { return };
    let at = view.at();
    let Some(seq) = view.line(at).map(|l| l.seq) else { return };
    if !view.marks.remove(&seq) {
        view.marks.insert(seq);
    }
    read_at(view, (at + 1).min(view.len() - 1), sheet);
}

/// Takes every mark away.
pub fn unmark(state: &mut State) {
    if let Some(view) = &mut state.logs {
        view.marks.clear();
    }
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

/// Shows lines as they were written, or taken apart.
pub fn raw(state: &mut State) {
    if let Some(view) = &mut state.logs {
        view.raw = !view.raw;
        view.column = 0;
    }
}

/// The next way of showing times.
pub fn stamps(state: &mut State) {
    if let Some(view) = &mut state.logs {
        view.stamps = match view.stamps {
            Stamps::Utc => Stamps::Local,
            Stamps::Local => Stamps::Relative,
            Stamps::Relative => Stamps::Delta,
            Stamps::Delta => Stamps::Off,
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
