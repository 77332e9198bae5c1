//! Bursts of errors in a log: when one begins and when it is over. Counted by the lines' own times, so that a log read late
//! tells the same as one that was followed.
//!
//! A burst begins in an interval with more errors than ten and than five times the usual, and ends with the first interval
//! that is back. Lines that come late count where they belong as long as their interval is kept.

use std::collections::VecDeque;
use std::sync::Arc;

use jiff::Timestamp;

/// Length of an interval, seconds.
const INTERVAL_S: i64 = 10;
/// So many errors in an interval are never a burst.
const FEW: u64 = 10;
/// A burst has more than so many times the usual.
const TIMES: f64 = 5.0;
/// Intervals without errors count for the usual too; each one counts a twentieth of what is usual.
const WEIGHT: f64 = 0.05;
/// Intervals kept open for lines that come late.
const LATE: i64 = 3;
/// Characters of the first error that are told.
const TOLD: usize = 160;

/// What is to be told of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Many errors: so many in the interval so far, the first of them.
    Began { at: Timestamp, errors: u64, first: Arc<str> },
    /// They are over: so many in all.
    Ended { at: Timestamp, errors: u64, seconds: u64 },
}

/// The errors of one stretch.
#[derive(Clone, Debug)]
struct Interval {
    number: i64,
    errors: u64,
    first: Option<(Timestamp, Arc<str>)>,
}

/// The errors of one workload's log.
#[derive(Clone, Debug, Default)]
pub struct Burst {
    /// Not yet judged to their end, oldest first; at most [`LATE`].
    open: VecDeque<Interval>,
    /// Everything before this interval is judged.
    judged: i64,
    /// Errors in an interval, as is usual; none before the first was judged.
    usual: Option<f64>,
    /// The burst going on: since when, and its errors in the intervals judged.
    on: Option<(Timestamp, u64)>,
}

impl Burst {
    /// Takes an error in: when, and what it says, already masked; that is only asked of the first of an interval.
    pub fn error(&mut self, at: Timestamp, message: impl FnOnce() -> String) -> Vec<Turn> {
        let number = at.as_second().div_euclid(INTERVAL_S);
        let mut turns = self.until(number - LATE + 1);
        let late = self.open.back().is_some_and(|last| number <= last.number - LATE);
        if late || (number < self.judged && self.usual.is_some()) {
            return turns;
        }
        let place = self.open.partition_point(|i| i.number < number);
        if self.open.get(place).is_none_or(|i| i.number != number) {
            self.open.insert(place, Interval { number, errors: 0, first: None });
        }
        let many = self.many();
        let Some(interval) = self.open.get_mut(place) else { return turns };
        interval.errors += 1;
        if interval.first.is_none() {
            interval.first = Some((at, message().chars().take(TOLD).collect::<String>().into()));
        }
        if self.on.is_none() && interval.errors as f64 > many {
            let (errors, first) = (interval.errors, interval.first.clone());
            let (since, first) = first.unwrap_or((at, Arc::from("")));
            self.on = Some((since, 0));
            turns.push(Turn::Began { at: since, errors, first });
        }
        turns
    }

    /// Time has passed, or lines of later have come: what lies far enough before is judged.
    pub fn passed(&mut self, now: Timestamp) -> Vec<Turn> {
        self.until(now.as_second().div_euclid(INTERVAL_S) - LATE + 1)
    }

    /// More than this is a burst.
    fn many(&self) -> f64 {
        (self.usual.unwrap_or(0.0) * TIMES).max(FEW as f64)
    }

    /// Judges every interval before this one.
    fn until(&mut self, number: i64) -> Vec<Turn> {
        let mut turns = Vec::new();
        if self.usual.is_none() && self.open.is_empty() {
            // The log begins here.
            self.judged = self.judged.max(number);
            return turns;
        }
        if let Some(first) = self.open.front().filter(|_| self.usual.is_none()) {
            self.judged = first.number;
        }
        while self.judged < number {
            let due = self.open.front().is_some_and(|i| i.number <= self.judged);
            let interval = if due { self.open.pop_front() } else { None };
            let idle = interval.is_none() && self.on.is_none() && self.open.front().is_none_or(|i| i.number >= number);
            if idle {
                // Nothing happens until then: the usual fades at once.
                let quiet = number - self.judged;
                self.usual = self.usual.map(|u| u * (1.0 - WEIGHT).powf(quiet.min(1000) as f64));
                self.judged = number;
                break;
            }
            turns.extend(self.judge(interval.map_or(0, |i| i.errors)));
            self.judged += 1;
        }
        turns
    }

    fn judge(&mut self, errors: u64) -> Option<Turn> {
        // What comes before the burst is judged while it goes on.
        let on = self.on.filter(|(since, _)| self.judged >= since.as_second().div_euclid(INTERVAL_S));
        if let Some((since, before)) = on {
            if errors as f64 > self.many() {
                self.on = Some((since, before + errors));
                return None;
            }
            self.on = None;
            let at = Timestamp::from_second(self.judged * INTERVAL_S).unwrap_or(since);
            let seconds = u64::try_from(at.as_second() - since.as_second()).unwrap_or(0);
            return Some(Turn::Ended { at: at.max(since), errors: before + errors, seconds });
        }
        // A burst is not what is usual.
        let usual = self.usual.unwrap_or(errors as f64);
        self.usual = Some(usual + (errors as f64 - usual) * WEIGHT);
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_000_000 + second).unwrap()
    }

    /// So many errors in each interval from the beginning on.
    fn told(counts: &[u64]) -> Vec<String> {
        let mut burst = Burst::default();
        let mut turns = Vec::new();
        for (number, count) in (0_i64..).zip(counts) {
            for n in 0..*count {
                turns.extend(burst.error(at(number * 10 + i64::try_from(n % 10).unwrap()), || format!("error {number}.{n}")));
            }
            turns.extend(burst.passed(at(number * 10 + 9)));
        }
        turns.extend(burst.passed(at(10_000)));
        turns.iter().map(words).collect()
    }

    fn words(turn: &Turn) -> String {
        let since = |at: &Timestamp| at.as_second() - 1_000_000;
        match turn {
            Turn::Began { at, errors, first } => format!("began {} {errors} {first}", since(at)),
            Turn::Ended { at, errors, seconds } => format!("ended {} {errors} {seconds}", since(at)),
        }
    }

    #[test]
    fn a_burst_is_told_when_it_begins_and_when_it_is_over() {
        assert_eq!(told(&[0, 1, 0, 2, 30, 40, 1, 0]), ["began 40 11 error 4.0", "ended 60 71 20"]);
        assert_eq!(told(&[3, 2, 4, 10, 9, 10, 3]), [""; 0], "ten are never a burst");
        assert_eq!(told(&[25; 3]), ["began 0 11 error 0.0", "ended 30 75 30"], "an unknown log with many errors");
    }

    #[test]
    fn what_is_usual_is_no_burst() {
        // It grows slowly to 40 an interval: noisy, but usual.
        let slow: Vec<u64> = (0..200).map(|n| (n / 5).min(8)).collect();
        assert_eq!(told(&slow), [""; 0]);
        let mut then = slow;
        then.extend([30, 30, 60, 8]);
        assert_eq!(told(&then).len(), 2, "thirty are within five times eight, sixty are not: {:?}", told(&then));
    }

    #[test]
    fn lines_that_come_late_count_where_they_belong() {
        let mut burst = Burst::default();
        let mut turns = Vec::new();
        for n in 0..12 {
            // Two instances, one ten seconds behind.
            turns.extend(burst.error(at(100), || format!("a{n}")));
            turns.extend(burst.error(at(90), || "late".to_owned()));
        }
        assert_eq!(turns.len(), 1, "{turns:?}");
    }

    #[test]
    fn a_message_is_cut() {
        let mut burst = Burst::default();
        let long = "x".repeat(10_000);
        let turns: Vec<Turn> = (0..20).flat_map(|_| burst.error(at(0), || long.clone())).collect();
        assert!(matches!(&turns[..], [Turn::Began { first, .. }] if first.len() == TOLD));
    }

    proptest! {
        #[test]
        fn beginnings_and_ends_take_turns_and_memory_is_bounded(times in prop::collection::vec((0_i64..3_000, 0_u8..30), 0..300)) {
            let mut burst = Burst::default();
            let mut on = false;
            for (second, many) in times {
                for _ in 0..many {
                    for turn in burst.error(at(second), || "x".to_owned()) {
                        prop_assert_ne!(on, matches!(turn, Turn::Began { .. }));
                        on = matches!(turn, Turn::Began { .. });
                    }
                }
                prop_assert!(burst.open.len() <= 4);
            }
        }
    }
}
