//! Stretches of time to columns of a chart. Where several values fall into one column its least and greatest are kept; where
//! nothing was measured there is a gap.

use jiff::Timestamp;

use crate::app::figures::graph::Line;
use crate::observe::metric::Stretch;

use super::super::widget::chart::Column;

/// A value holds until the next one, but for no more than this many times the usual time between two.
const HOLDS: f64 = 1.8;
/// Longest usual time between two readings, milliseconds: what comes more seldom is drawn as points.
const SELDOM: i64 = 60_000;

/// From when to when, in how many columns.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    pub from: Timestamp,
    pub to: Timestamp,
    pub columns: usize,
}

impl Span {
    /// The column a moment is in; none where it is outside.
    #[must_use]
    pub fn column(&self, at: Timestamp) -> Option<usize> {
        let at = self.place(at.as_millisecond());
        usize::try_from(at).ok().filter(|c| *c < self.columns)
    }

    /// As [`Self::column`], before the first and after the last too.
    fn place(&self, at_ms: i64) -> i64 {
        let (from, to) = (self.from.as_millisecond(), self.to.as_millisecond());
        let columns = i64::try_from(self.columns).unwrap_or(i64::MAX);
        // The end belongs to the last column.
        let at_ms = if at_ms == to { at_ms - 1 } else { at_ms };
        ((at_ms - from) * columns).div_euclid((to - from).max(1))
    }
}

/// A line in columns: its parts summed. The least and greatest of a sum are those of its parts taken together: it was
/// never outside them.
#[must_use]
pub fn columns(line: &Line, span: Span) -> Vec<Option<Column>> {
    let mut sum: Vec<Option<Column>> = vec![None; span.columns];
    for part in &line.parts {
        for (total, own) in sum.iter_mut().zip(of_part(part, span)) {
            *total = match (*total, own) {
                (Some(a), Some(b)) => Some(Column { low: a.low + b.low, high: a.high + b.high, value: a.value + b.value }),
                (some, None) | (None, some) => some,
            };
        }
    }
    sum
}

fn of_part(part: &[Stretch], span: Span) -> Vec<Option<Column>> {
    let mut out: Vec<Option<Column>> = vec![None; span.columns];
    let hold = holds(part);
    let first = part.partition_point(|s| s.until.as_millisecond() + hold < span.from.as_millisecond());
    for (at, stretch) in part.iter().enumerate().skip(first) {
        if stretch.from > span.to {
            break;
        }
        let value = Column { low: stretch.low, high: stretch.high, value: stretch.mean };
        let (from, to) = (span.place(stretch.from.as_millisecond()), span.place(stretch.until.as_millisecond()));
        for column in from.max(0)..=to {
            take(&mut out, column, value);
        }
        // What is between two readings is as the first of them.
        let next = part.get(at + 1).map_or(span.to, |n| n.from).as_millisecond();
        let held = next.min(stretch.until.as_millisecond() + hold);
        let still = Column { low: stretch.mean, high: stretch.mean, value: stretch.mean };
        let end = if next - stretch.until.as_millisecond() > hold { to } else { span.place(held) };
        // After the newest reading it holds until now.
        let end = if at + 1 == part.len() { span.place(held) } else { end };
        for column in (to + 1).max(0)..=end {
            if let Some(slot) = usize::try_from(column).ok().and_then(|c| out.get_mut(c))
                && slot.is_none()
            {
                *slot = Some(still);
            }
        }
    }
    out
}

/// Takes a value into a column; the last one is the column's own.
fn take(out: &mut [Option<Column>], column: i64, value: Column) {
    let Some(slot) = usize::try_from(column).ok().and_then(|c| out.get_mut(c)) else { return };
    *slot = Some(match *slot {
        Some(old) => Column { low: old.low.min(value.low), high: old.high.max(value.high), value: value.value },
        None => value,
    });
}

/// How long a value holds, milliseconds.
fn holds(part: &[Stretch]) -> i64 {
    let singles = part.iter().rev().take(20).filter(|s| s.from == s.until).map(|s| s.from.as_millisecond());
    let times: Vec<i64> = singles.collect();
    let mut between: Vec<i64> = times.windows(2).map(|w| w[0] - w[1]).collect();
    between.sort_unstable();
    let usual = between.get(between.len() / 2).copied().unwrap_or(10_000).min(SELDOM);
    #[expect(clippy::cast_possible_truncation, reason = "at most a minute and some")]
    let held = (usual as f64 * HOLDS) as i64;
    held
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(10_000 + second).unwrap()
    }

    fn line(points: &[(i64, f64)]) -> Line {
        Line::of_points("", points.iter().map(|(s, v)| (at(*s), *v)))
    }

    fn span(seconds: i64, columns: usize) -> Span {
        Span { from: at(0), to: at(seconds), columns }
    }

    fn shown(line: &Line, span: Span) -> String {
        columns(line, span).iter().map(|c| c.map_or('.', |c| format!("{:.0}", c.high).chars().next().unwrap())).collect()
    }

    #[test]
    fn a_spike_in_a_wide_column_is_kept() {
        let many: Vec<(i64, f64)> = (0..300).map(|s| (s, if s == 123 { 9.0 } else { 1.0 })).collect();
        let out = columns(&line(&many), span(300, 10));
        assert!(out.iter().all(Option::is_some));
        assert_eq!(out.iter().flatten().filter(|c| c.high > 8.0 && c.low < 2.0).count(), 1);
    }

    #[test]
    fn a_value_holds_until_the_next_and_a_gap_is_a_gap() {
        let ten = [(0, 1.0), (10, 2.0), (20, 3.0), (60, 4.0), (70, 5.0), (80, 5.0)];
        assert_eq!(shown(&line(&ten), span(100, 20)), "11223.......44555555");
        assert_eq!(shown(&line(&[]), span(100, 5)), ".....");
        assert_eq!(shown(&line(&[(-3, 7.0)]), span(10, 5)), "77777", "what came just before holds on");
        let lost: Vec<(i64, f64)> = (0..60).step_by(2).filter(|s| *s != 30).map(|s| (s, 1.0)).collect();
        assert_eq!(shown(&line(&lost), span(60, 60)).matches('.').count(), 3, "one reading without a rate is a gap");
    }

    #[test]
    fn long_stretches_fill_their_columns_and_parts_are_summed() {
        let long = |from: i64, to: i64, low: f64, high: f64| Stretch { from: at(from), until: at(to), low, high, mean: low };
        let part = vec![long(0, 60, 1.0, 4.0), long(60, 120, 2.0, 2.0)];
        let line = Line { name: Arc::from(""), letter: None, parts: vec![part.clone(), part] };
        let out = columns(&line, span(120, 6));
        assert_eq!(out.iter().flatten().map(|c| (c.low, c.high)).collect::<Vec<_>>()[..2], [(2.0, 8.0); 2]);
        assert_eq!(out[5].map(|c| c.value), Some(4.0));
    }

    proptest! {
        #[test]
        fn every_value_in_sight_is_in_some_column(values in prop::collection::vec(0.0_f64..100.0, 1..200), count in 1_usize..80) {
            let points: Vec<(i64, f64)> = (0..).zip(values.iter().copied()).collect();
            let seconds = i64::try_from(values.len()).unwrap();
            let out = columns(&line(&points), span(seconds, count));
            let most = values.iter().copied().fold(f64::MIN, f64::max);
            let least = values.iter().copied().fold(f64::MAX, f64::min);
            let high = out.iter().flatten().map(|c| c.high).fold(f64::MIN, f64::max);
            let low = out.iter().flatten().map(|c| c.low).fold(f64::MAX, f64::min);
            prop_assert!((high - most).abs() < 1e-9 && (low - least).abs() < 1e-9);
            prop_assert!(out.iter().flatten().all(|c| c.low <= c.value && c.value <= c.high));
        }
    }
}
