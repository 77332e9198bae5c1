//! How figures are looked at: over what window, at what moment, summed or each instance by itself.

use jiff::{SignedDuration, Timestamp};

use crate::app::figures::graph::Graph;
use crate::app::figures::scraped::Range;

use super::RowId;

/// How much time a chart shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Window {
    #[default]
    FiveMinutes,
    Quarter,
    Half,
    Hour,
}

impl Window {
    /// Every window, shortest first.
    pub const ALL: [Self; 4] = [Self::FiveMinutes, Self::Quarter, Self::Half, Self::Hour];

    /// Its length, milliseconds.
    #[must_use]
    pub fn ms(self) -> i64 {
        match self {
            Self::FiveMinutes => 5 * 60_000,
            Self::Quarter => 15 * 60_000,
            Self::Half => 30 * 60_000,
            Self::Hour => 60 * 60_000,
        }
    }

    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::FiveMinutes => "5 min",
            Self::Quarter => "15 min",
            Self::Half => "30 min",
            Self::Hour => "1 h",
        }
    }

    /// The next one in this direction, or itself at the end.
    #[must_use]
    pub fn next(self, by: isize) -> Self {
        let at = Self::ALL.iter().position(|w| *w == self).unwrap_or(0);
        Self::ALL[at.saturating_add_signed(by).min(Self::ALL.len() - 1)]
    }
}

/// How charts are drawn: in what characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dots {
    /// Two by four dots to a cell.
    #[default]
    Braille,
    /// Eighths of a cell, for fonts without braille.
    Blocks,
    /// Nothing but ASCII.
    Ascii,
}

impl Dots {
    /// Every way, as they are named in a configuration.
    pub const ALL: [Self; 3] = [Self::Braille, Self::Blocks, Self::Ascii];

    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Braille => "braille",
            Self::Blocks => "blocks",
            Self::Ascii => "ascii",
        }
    }
}

/// How figures are looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Charts {
    pub window: Window,
    /// The moment whose values are told; the newest ones without it.
    pub cursor: Option<Timestamp>,
    /// The end of what is shown; now without it.
    pub until: Option<Timestamp>,
    /// Each instance by itself, over one another, instead of their sum.
    pub each: bool,
}

/// The charts of what is scraped, as last made.
#[derive(Clone, Debug, PartialEq)]
pub struct Sheet {
    pub key: SheetKey,
    pub graphs: Vec<Graph>,
}

/// What they were made from: while it stays the same, so do they.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SheetKey {
    pub row: RowId,
    pub range: Range,
    /// When something was scraped last.
    pub newest: Option<Timestamp>,
}

/// Steps the cursor takes from one end of a window to the other.
const STEPS: i64 = 60;
/// How far back figures are kept, milliseconds.
const KEPT: i64 = 60 * 60_000;

impl Charts {
    /// From when to when is shown.
    #[must_use]
    pub fn span(&self, now: Timestamp) -> (Timestamp, Timestamp) {
        let window = self.window.ms();
        let to = match (self.until, self.cursor) {
            (Some(until), _) => until.min(now),
            // Time goes on, and the moment that is looked at stays in sight.
            (None, Some(cursor)) if cursor < moved(now, -window) => moved(cursor, window),
            (None, Some(_) | None) => now,
        };
        (moved(to, -window), to)
    }

    /// Moves the cursor by steps; past now there is none.
    pub fn step(&mut self, by: i64, now: Timestamp) {
        let window = self.window.ms();
        let (_, to) = self.span(now);
        let cursor = moved(self.cursor.unwrap_or(now), by * (window / STEPS)).max(moved(now, -KEPT));
        if cursor >= now {
            (self.cursor, self.until) = (None, None);
            return;
        }
        self.cursor = Some(cursor);
        if cursor < moved(to, -window) {
            self.until = Some(moved(cursor, window));
        } else if cursor > to {
            self.until = Some(cursor);
        }
    }

    /// Shows a moment, with some time after it. What is older than what is kept is shown as far as it goes.
    pub fn show(&mut self, at: Timestamp, now: Timestamp) {
        let at = at.max(moved(now, -KEPT)).min(now);
        self.cursor = Some(at);
        let after = moved(at, self.window.ms() / 4);
        self.until = (after < now).then_some(after);
    }

    /// Another window; the moment looked at stays in sight.
    pub fn widen(&mut self, by: isize, now: Timestamp) {
        self.window = self.window.next(by);
        match self.cursor {
            Some(at) => self.show(at, now),
            None => self.until = None,
        }
    }
}

fn moved(at: Timestamp, ms: i64) -> Timestamp {
    at.saturating_add(SignedDuration::from_millis(ms)).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(100_000 + second).unwrap()
    }

    #[test]
    fn the_moment_looked_at_is_always_in_sight() {
        let mut charts = Charts::default();
        let inside = |c: &Charts, now| c.cursor.is_none_or(|at| c.span(now).0 <= at && at <= c.span(now).1);
        for by in [-1, -10, -60, 30, -200, -2000, 5, 500, -1, 3000, -3] {
            charts.step(by, at(0));
            assert!(inside(&charts, at(0)), "{by}: {charts:?}");
        }
        charts.widen(3, at(0));
        assert!(inside(&charts, at(0)) && inside(&charts, at(10_000)), "time goes on");
        charts.show(at(-5000), at(0));
        assert_eq!(charts.cursor, Some(at(-3600)), "no further than figures are kept");
        charts.step(100_000, at(0));
        assert_eq!((charts.cursor, charts.span(at(0)).1), (None, at(0)));
    }

    #[test]
    fn a_window_ends_now_and_goes_from_short_to_long() {
        let mut charts = Charts::default();
        assert_eq!(charts.span(at(0)), (at(-300), at(0)));
        charts.widen(1, at(0));
        charts.widen(9, at(0));
        assert_eq!((charts.window, charts.span(at(0))), (Window::Hour, (at(-3600), at(0))));
        charts.widen(-9, at(0));
        assert_eq!(charts.window, Window::FiveMinutes);
    }
}
