//! What happened, in one bounded list: engine events, operations, health changes.

mod changes;

use std::collections::VecDeque;

use crate::model::Item;

pub use changes::{between, changes};

/// How many items are kept.
const BOUND: usize = 5_000;
/// How far back a repeated item is looked for: an event stream taken up again repeats its last second.
const REPEATS: usize = 512;

/// Items by arrival; sequence numbers are never reused.
#[derive(Debug, Default)]
pub struct Timeline {
    items: VecDeque<Item>,
    first: u64,
}

impl Timeline {
    /// Adds an item unless the very same one was added just before. Tells whether it was new.
    pub fn push(&mut self, item: Item) -> bool {
        if self.items.iter().rev().take(REPEATS).any(|i| *i == item) {
            return false;
        }
        if self.items.len() == BOUND {
            self.items.pop_front();
            self.first += 1;
        }
        self.items.push_back(item);
        true
    }

    /// Sequence numbers and items, oldest first.
    #[must_use]
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (u64, &Item)> {
        self.items.iter().enumerate().map(|(i, item)| (self.first + i as u64, item))
    }

    /// The item of this sequence number, while it is kept.
    #[must_use]
    pub fn get(&self, seq: u64) -> Option<&Item> {
        self.items.get(usize::try_from(seq.checked_sub(self.first)?).ok()?)
    }

    /// Items kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether nothing happened yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{EnvironmentId, Source};

    fn item(second: i64, subject: &str) -> Item {
        Item {
            at: jiff::Timestamp::from_second(second).unwrap(),
            environment: EnvironmentId::new("c", "e"),
            subject: subject.into(),
            source: Source::Engine,
            what: "start".into(),
            detail: "".into(),
        }
    }

    #[test]
    fn repeats_are_dropped_and_the_bound_holds() {
        let mut timeline = Timeline::default();
        assert!(timeline.push(item(1, "a")));
        assert!(!timeline.push(item(1, "a")));
        assert!(timeline.push(item(1, "b")));
        for second in 0..6_000 {
            timeline.push(item(second, "c"));
        }
        assert_eq!(timeline.len(), BOUND);
        let (seq, last) = timeline.iter().next_back().unwrap();
        assert_eq!((timeline.get(seq), last.at.as_second()), (Some(last), 5_999));
        assert_eq!(timeline.get(0), None);
    }
}
