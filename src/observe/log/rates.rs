//! How many lines and errors there were when, in a bounded number of intervals that widen as the log grows longer.
//!
//! An error is a line of level error or worse, a trace once. Standard error does not count by itself: most programs
//! write all their logs there.

use std::collections::VecDeque;

use jiff::Timestamp;

use super::{Level, LineView, Store};

/// Intervals kept; with more of them each becomes twice as long.
const INTERVALS: usize = 4096;
/// The shortest interval, nanoseconds.
const SHORTEST: i64 = 1_000_000_000;

/// What was counted in one stretch of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bucket {
    pub lines: u64,
    pub errors: u64,
}

/// Lines and errors by time.
#[derive(Clone, Debug)]
pub struct Rates {
    /// Length of an interval, nanoseconds.
    width: i64,
    /// The number of the first interval since 1970.
    first: i64,
    counts: VecDeque<Bucket>,
}

impl Default for Rates {
    fn default() -> Self {
        Self { width: SHORTEST, first: 0, counts: VecDeque::new() }
    }
}

/// Whether a line counts as an error.
#[must_use]
pub fn is_error(line: &LineView<'_>) -> bool {
    line.level.is_some_and(|l| l >= Level::Error)
}

impl Rates {
    /// Counts a line; markers are none.
    pub fn add(&mut self, line: &LineView<'_>) {
        if line.marker.is_none() {
            let bucket = self.at(nanos(line.at));
            bucket.lines += 1;
            bucket.errors += u64::from(is_error(line));
        }
    }

    /// Takes in what the last push has changed: call it after each. What the store dropped is forgotten.
    pub fn pushed(&mut self, store: &Store) {
        store.newest().for_each(|line| self.add(&line));
        if let (true, Some(oldest)) = (store.dropped() > 0, store.get(0)) {
            self.forget_before(oldest.at);
        }
        if let (true, Some(newest)) = (store.cut() > 0, store.len().checked_sub(1).and_then(|last| store.get(last))) {
            self.forget_after(newest.at);
        }
    }

    /// Forgets everything before this time, what the store no longer holds.
    pub fn forget_before(&mut self, oldest: Timestamp) {
        let number = nanos(oldest).div_euclid(self.width);
        while self.first < number && self.counts.pop_front().is_some() {
            self.first += 1;
        }
    }

    /// Forgets everything after this time.
    pub fn forget_after(&mut self, newest: Timestamp) {
        let keep = nanos(newest).div_euclid(self.width) - self.first + 1;
        self.counts.truncate(usize::try_from(keep.max(0)).unwrap_or(usize::MAX));
    }

    /// So many stretches of the same length from one time to another. An interval that lies in two of them counts for
    /// the one its middle is in.
    #[must_use]
    pub fn buckets(&self, from: Timestamp, to: Timestamp, count: usize) -> Vec<Bucket> {
        let mut out = vec![Bucket::default(); count];
        let (from, to) = (i128::from(nanos(from)), i128::from(nanos(to)));
        let span = (to - from).max(1);
        for (number, bucket) in (self.first..).zip(&self.counts) {
            let middle = i128::from(number) * i128::from(self.width) + i128::from(self.width / 2);
            // The interval the first line is in may begin before it.
            let middle = if middle < from && middle + i128::from(self.width / 2) >= from { from } else { middle };
            let middle = if middle >= to && middle - i128::from(self.width / 2) < to { to - 1 } else { middle };
            let place = usize::try_from((middle - from) * count as i128 / span).unwrap_or(usize::MAX);
            if let Some(sum) = out.get_mut(place).filter(|_| middle >= from) {
                sum.lines += bucket.lines;
                sum.errors += bucket.errors;
            }
        }
        out
    }

    /// The interval of this time, made if there is none.
    fn at(&mut self, at_ns: i64) -> &mut Bucket {
        loop {
            let number = at_ns.div_euclid(self.width);
            if self.counts.is_empty() {
                self.first = number;
            }
            let last = self.first + i64::try_from(self.counts.len()).unwrap_or(i64::MAX) - 1;
            let span = number.max(last) - number.min(self.first);
            if usize::try_from(span).unwrap_or(usize::MAX) < INTERVALS {
                while number < self.first {
                    self.counts.push_front(Bucket::default());
                    self.first -= 1;
                }
                let place = usize::try_from(number - self.first).unwrap_or(0);
                if place >= self.counts.len() {
                    self.counts.resize(place + 1, Bucket::default());
                }
                return &mut self.counts[place];
            }
            self.widen();
        }
    }

    /// Makes each interval twice as long.
    fn widen(&mut self) {
        let first = self.first.div_euclid(2);
        let mut wide: VecDeque<Bucket> = VecDeque::new();
        for (number, bucket) in (self.first..).zip(&self.counts) {
            let place = usize::try_from(number.div_euclid(2) - first).unwrap_or(0);
            if place >= wide.len() {
                wide.resize(place + 1, Bucket::default());
            }
            wide[place].lines += bucket.lines;
            wide[place].errors += bucket.errors;
        }
        (self.width, self.first, self.counts) = (self.width.saturating_mul(2), first, wide);
    }
}

fn nanos(at: Timestamp) -> i64 {
    i64::try_from(at.as_nanosecond()).unwrap_or(if at < Timestamp::UNIX_EPOCH { i64::MIN } else { i64::MAX })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::{ChunkBuilder, LogBatch, Stream};
    use super::*;

    fn rates(lines: &[(i64, &str)]) -> Rates {
        let mut rates = Rates::default();
        for (second, text) in lines {
            let mut builder = ChunkBuilder::new();
            builder.line(at(*second), Stream::Stdout, text.as_bytes());
            let batch = LogBatch::new("a".into(), Arc::new(builder.finish()));
            rates.add(&batch.line(0).unwrap());
        }
        rates
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn told(rates: &Rates, from: i64, to: i64, count: usize) -> Vec<(u64, u64)> {
        rates.buckets(at(from), at(to), count).iter().map(|b| (b.lines, b.errors)).collect()
    }

    #[test]
    fn lines_and_errors_are_counted_when_they_were() {
        let mut rates = rates(&[(100, "INFO: a"), (101, "ERROR: b"), (100, "  c"), (109, "FATAL: d"), (95, "x")]);
        assert_eq!(told(&rates, 90, 110, 2), [(1, 0), (4, 2)]);
        assert_eq!(told(&rates, 100, 110, 10)[..2], [(2, 0), (1, 1)]);
        assert_eq!(told(&rates, 0, 10, 2), [(0, 0), (0, 0)]);
        rates.forget_before(at(101));
        assert_eq!(told(&rates, 90, 110, 1), [(2, 2)]);
        rates.forget_after(at(105));
        assert_eq!(told(&rates, 90, 110, 1), [(1, 1)]);
    }

    #[test]
    fn a_long_log_takes_no_more_memory() {
        let lines: Vec<(i64, &str)> = (0..1000).map(|n| (n * 3600, "ERROR: x")).collect();
        let rates = rates(&lines);
        assert!(rates.counts.len() <= INTERVALS);
        assert_eq!(told(&rates, 0, 3_600_000, 1), [(1000, 1000)]);
        let (early, late) = (told(&rates, 0, 3_600_000, 2)[0].0, told(&rates, 0, 3_600_000, 2)[1].0);
        assert!(early.abs_diff(late) <= 2, "{early} {late}");
    }
}
