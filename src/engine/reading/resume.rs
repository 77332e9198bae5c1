//! Where a log was left: the last lines seen, so that it goes on without loss and without a line twice. Pure.
//!
//! The engine can be asked for everything since a time. Several lines may carry that very time, and two streams may be
//! written a little out of order, so the lines of the last moments are remembered by time and content and passed over
//! once each when they come again.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};

use jiff::Timestamp;

/// Lines remembered.
const REMEMBERED: usize = 128;

type Mark = (Timestamp, u64);

/// Where a log was left.
#[derive(Debug, Default)]
pub struct Resume {
    /// The last lines seen, oldest first.
    seen: VecDeque<Mark>,
    /// The newest time seen.
    latest: Option<Timestamp>,
    /// Lines forgotten that carry the time of the oldest one remembered: they come again too.
    forgotten: (Option<Timestamp>, usize),
    /// Lines that will come again and are to be passed over.
    again: Vec<Mark>,
    /// Of the forgotten, those still to come.
    skip: usize,
}

impl Resume {
    /// The newest time seen.
    #[must_use]
    pub fn latest(&self) -> Option<Timestamp> {
        self.latest
    }

    /// The connection is made anew: answers the time from which to ask; none when nothing was seen.
    pub fn begin_again(&mut self) -> Option<Timestamp> {
        let since = self.seen.iter().map(|(at, _)| *at).min()?;
        self.again = self.seen.iter().copied().collect();
        self.skip = if self.forgotten.0 == Some(since) { self.forgotten.1 } else { 0 };
        Some(since)
    }

    /// Notes a line; false when it was seen before the connection was made anew.
    pub fn is_new(&mut self, at: Timestamp, bytes: &[u8]) -> bool {
        let mark = (at, digest(bytes));
        if !self.again.is_empty() {
            if self.skip > 0 && self.forgotten.0 == Some(at) {
                self.skip -= 1;
                return false;
            }
            if let Some(index) = self.again.iter().position(|m| *m == mark) {
                self.again.remove(index);
                return false;
            }
            if self.latest.is_some_and(|latest| at > latest) {
                // Beyond everything that could come again.
                self.again = Vec::new();
            }
        }
        if self.seen.len() == REMEMBERED
            && let Some((old, _)) = self.seen.pop_front()
        {
            let count = if self.forgotten.0 == Some(old) { self.forgotten.1 } else { 0 };
            self.forgotten = (Some(old), count + 1);
        }
        self.seen.push_back(mark);
        self.latest = self.latest.max(Some(at));
        true
    }
}

fn digest(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(ns: i64) -> Timestamp {
        Timestamp::from_nanosecond(i128::from(ns)).unwrap()
    }

    /// What the engine sends when asked for everything since a time.
    fn since(log: &[(i64, String)], from: Option<Timestamp>) -> Vec<(i64, String)> {
        log.iter().filter(|(t, _)| from.is_none_or(|from| at(*t) >= from)).cloned().collect()
    }

    #[test]
    fn lines_of_one_time_are_told_apart() {
        let mut resume = Resume::default();
        assert_eq!(resume.begin_again(), None);
        for text in ["a", "b", "b"] {
            assert!(resume.is_new(at(5), text.as_bytes()));
        }
        assert_eq!(resume.begin_again(), Some(at(5)));
        let again: Vec<bool> = ["a", "b", "b", "b", "c"].iter().map(|t| resume.is_new(at(5), t.as_bytes())).collect();
        assert_eq!(again, [false, false, false, true, true]);
        assert!(resume.is_new(at(6), b"a"));
    }

    proptest! {
        /// However often and wherever it is cut: every line once, in order.
        #[test]
        fn nothing_is_lost_and_nothing_comes_twice(
            steps in prop::collection::vec((0_i64..3, 0_u8..3), 1..400),
            cuts in prop::collection::vec(0_usize..400, 0..6),
        ) {
            // Times grow, often not at all: hundreds of lines may share one.
            let mut time = 0;
            let log: Vec<(i64, String)> = steps.iter().map(|(step, text)| {
                time += i64::from(*step == 2);
                (time, format!("line {text}"))
            }).collect();
            let mut cuts = cuts;
            cuts.sort_unstable();
            cuts.push(log.len());
            let mut resume = Resume::default();
            let mut got: Vec<(i64, String)> = Vec::new();
            for cut in cuts {
                let from = resume.begin_again();
                // The connection breaks off after the line number `cut` of the log.
                let known = &log[..cut.min(log.len())];
                for (t, text) in since(known, from) {
                    if resume.is_new(at(t), text.as_bytes()) {
                        got.push((t, text));
                    }
                }
            }
            prop_assert_eq!(got, log);
        }
    }
}
