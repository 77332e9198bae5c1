//! Where things are on the screen: drawing, paging, scrolling and clicking agree because all of them ask here.

mod columns;
mod tabs;

pub use columns::{Placed, place};
pub use tabs::{Tab, summary, summary_room, tabs};

use super::rows;
use super::state::{RowId, Screen, State, View};

/// Cells before the text of a row: the tier's rail, the pointer or mark, a space.
pub const GUTTER: u16 = 3;
/// Fewest lines a details pane is worth drawing in.
const DETAILS_MIN: u16 = 5;

/// A rectangle of cells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Area {
    pub x: u16,
    pub y: u16,
    pub width: u16,
    pub height: u16,
}

impl Area {
    const fn line(y: u16, width: u16, height: u16) -> Self {
        Self { x: 0, y, width, height }
    }

    /// Whether the cell is inside.
    #[must_use]
    pub const fn holds(&self, x: u16, y: u16) -> bool {
        x >= self.x && x < self.x.saturating_add(self.width) && y >= self.y && y < self.y.saturating_add(self.height)
    }

    /// Whether there is nothing to draw in.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.width == 0 || self.height == 0
    }
}

/// The four parts every screen has; parts without room are empty. The body is the last to go but one: where am I.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Frame {
    pub header: Area,
    pub tabs: Area,
    pub body: Area,
    pub footer: Area,
}

/// The frame of a terminal of this size.
#[must_use]
pub fn frame((width, height): (u16, u16)) -> Frame {
    let (header, tabs, footer) = match height {
        0 => (0, 0, 0),
        1 | 2 => (1, 0, 0),
        3..=7 => (1, 0, 1),
        8.. => (1, 1, 1),
    };
    let body = height - header - tabs - footer;
    Frame {
        header: Area::line(0, width, header),
        tabs: Area::line(header, width, tabs),
        body: Area::line(header + tabs, width, body),
        footer: Area::line(header + tabs + body, width, footer),
    }
}

/// Columns of the log's histogram, at most.
pub const COLUMNS: u16 = 60;

/// How many columns the log's histogram has, where the screen is large enough for one.
#[must_use]
pub fn histogram(size: (u16, u16)) -> Option<u16> {
    let body = frame(size).body;
    // Two sparklines, two times and a few words.
    (body.height >= 16 && body.width >= 76).then(|| ((body.width - 46) / 2).min(COLUMNS))
}

/// The lines of the log screen that hold log text: the body less its title and, where there is room, its histogram.
#[must_use]
pub fn log_lines(size: (u16, u16)) -> Area {
    let body = frame(size).body;
    let title = u16::from(body.height > 2) + u16::from(histogram(size).is_some());
    Area { y: body.y + title, height: body.height - title, ..body }
}

/// One row of a list that is in sight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Index into the order.
    pub index: usize,
    /// Line on the screen.
    pub y: u16,
    /// Lines it takes: 2 with its reason below it.
    pub lines: u16,
}

/// A body that is a list: heading, rows, and a pane about the selected row where there is room.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct List {
    pub heading: Area,
    pub rows: Area,
    pub details: Area,
    /// The rows in sight, top down. The selected one is always among them.
    pub seen: Vec<Seen>,
}

/// How many lines a row takes: a second one for its reason.
fn lines_of(state: &State, row: &RowId) -> u16 {
    1 + u16::from(rows::note(state, row).is_some())
}

/// Lays a list out: `order` as [`rows::order`] gave it for this view.
#[must_use]
pub fn list(state: &State, view: &View, order: &[RowId]) -> List {
    let body = frame(state.size).body;
    if body.is_empty() {
        return List::default();
    }
    let heading = Area { height: u16::from(body.height > 2), ..body };
    let room = body.height - heading.height;
    let wanted = order.iter().take(usize::from(room)).map(|r| lines_of(state, r)).fold(0, u16::saturating_add);
    let (rows, details) = split(view.screen, room, wanted.max(1));
    let rows = Area { y: heading.y + heading.height, height: rows, ..body };
    let details = Area { y: rows.y + rows.height, height: details, ..body };
    let selected = view.table.selected.as_ref().and_then(|s| order.iter().position(|r| r == s));
    let first = first_in_sight(order.len(), selected, view.table.offset, rows.height, |i| lines_of(state, &order[i]));
    let mut seen = Vec::with_capacity(usize::from(rows.height));
    let mut y = rows.y;
    let end = rows.y + rows.height;
    for (index, row) in order.iter().enumerate().skip(first) {
        if y >= end {
            break;
        }
        let lines = lines_of(state, row).min(end - y);
        seen.push(Seen { index, y, lines });
        y += lines;
    }
    List { heading, rows, details, seen }
}

/// Rows a page key moves by, in the view on screen.
#[must_use]
pub fn page(state: &State) -> usize {
    let lines = match state.nav.view().screen {
        Screen::Logs => log_lines(state.size).height,
        Screen::Fleet
        | Screen::Workloads
        | Screen::Instances
        | Screen::Health
        | Screen::Metrics
        | Screen::Alerts
        | Screen::Timeline
        | Screen::Operations
        | Screen::Revisions
        | Screen::Describe => frame(state.size).body.height.saturating_sub(1),
    };
    usize::from(lines.saturating_sub(1).max(1))
}

/// Divides the lines below the heading between rows and the pane about the selected one.
fn split(screen: Screen, room: u16, wanted: u16) -> (u16, u16) {
    let least = match screen {
        // What an operation does, how a figure went, why something is ill: the pane is what the screen is for.
        Screen::Operations | Screen::Metrics => room * 3 / 5,
        Screen::Health | Screen::Alerts => room * 2 / 5,
        // A list too long for the screen has all of it: a cursor move then costs a slow line two rows, not a pane.
        Screen::Fleet
        | Screen::Workloads
        | Screen::Instances
        | Screen::Revisions
        | Screen::Timeline
        | Screen::Logs
        | Screen::Describe => 0,
    };
    let left = room.saturating_sub(wanted);
    let details = match screen {
        Screen::Timeline => 0,
        Screen::Alerts
        | Screen::Fleet
        | Screen::Workloads
        | Screen::Instances
        | Screen::Operations
        | Screen::Revisions
        | Screen::Logs
        | Screen::Health
        | Screen::Metrics
        | Screen::Describe => left.max(least),
    };
    if details < DETAILS_MIN { (room, 0) } else { (room - details, details) }
}

/// The first row in sight: the one wanted, moved only as far as the selected row and the list's end ask for.
#[must_use]
pub fn first_in_sight(count: usize, selected: Option<usize>, wanted: usize, height: u16, lines: impl Fn(usize) -> u16) -> usize {
    // The first row from which on everything down to `last` fits.
    let from = |last: usize| {
        let mut left = height.saturating_sub(lines(last));
        let mut first = last;
        while first > 0 {
            let need = lines(first - 1);
            if need > left {
                break;
            }
            left -= need;
            first -= 1;
        }
        first
    };
    if count == 0 {
        return 0;
    }
    let first = wanted.min(from(count - 1));
    match selected {
        Some(s) if s < count => first.min(s).max(from(s)),
        Some(_) | None => first,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_fill_the_screen_whatever_its_size() {
        for height in 0..60 {
            let f = frame((80, height));
            assert_eq!(f.header.height + f.tabs.height + f.body.height + f.footer.height, height, "{height} lines");
            assert_eq!(f.footer.y + f.footer.height, height);
        }
        assert!(frame((80, 1)).header.height == 1 && frame((80, 24)).body.height == 21);
    }

    #[test]
    fn the_selected_row_is_in_sight_and_moves_the_list_no_further_than_needed() {
        let one = |_: usize| 1;
        let two = |_: usize| 2;
        type Row = (usize, Option<usize>, usize, u16, fn(usize) -> u16, usize);
        // count, selected, wanted, height, lines of a row → first
        let table: &[Row] = &[
            (0, None, 5, 10, one, 0),
            (100, Some(0), 0, 10, one, 0),
            (100, Some(9), 0, 10, one, 0),
            (100, Some(10), 0, 10, one, 1),
            (100, Some(50), 55, 10, one, 50),
            (100, Some(99), 0, 10, one, 90),
            (5, Some(4), 3, 10, one, 0),
            (100, Some(5), 0, 10, two, 1),
            (100, Some(99), 99, 10, two, 95),
            (100, None, 200, 10, one, 90),
            (3, Some(2), 0, 1, two, 2),
            (3, Some(2), 0, 0, one, 2),
        ];
        for (count, selected, wanted, height, lines, first) in table {
            assert_eq!(
                first_in_sight(*count, *selected, *wanted, *height, lines),
                *first,
                "{count} {selected:?} {wanted} {height}"
            );
        }
    }

    #[test]
    fn rows_get_what_they_want_and_the_pane_the_rest() {
        assert_eq!(split(Screen::Workloads, 20, 8), (8, 12));
        assert_eq!(split(Screen::Workloads, 20, 18), (20, 0), "too little left for a pane");
        assert_eq!(split(Screen::Workloads, 30, 200), (30, 0));
        assert_eq!(split(Screen::Health, 30, 200), (18, 12), "the reasons are what the screen is for");
        assert_eq!(split(Screen::Timeline, 30, 2), (30, 0));
        assert_eq!(split(Screen::Operations, 20, 200), (8, 12));
    }
}
