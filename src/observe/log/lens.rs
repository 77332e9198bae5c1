//! Which lines of a store are shown: those a query asks for with what stands around them, stack traces folded under their
//! first line. It holds sequence numbers only, and is filled from the newest line backwards in slices of work, so that
//! the last screen is right at once and no key waits for a million lines.

mod scan;

use std::collections::{BTreeSet, VecDeque};

use jiff::Timestamp;

use crate::model::InstanceId;

use super::{Bucket, Query, Store};

/// The name an instance goes under in a query.
pub type Names<'n> = dyn Fn(&InstanceId) -> &'n str + 'n;

/// Marks a line of the list that matches by itself, or by what is folded under it.
const MATCHED: u64 = 1 << 63;
/// Marks a line of level error or worse.
const ERROR: u64 = 1 << 62;
/// The bits of the sequence number, which stays below the marks.
const SEQ: u64 = ERROR - 1;
/// Lines at the end of a store that are looked at again when a batch falls among them; with more than that the scan
/// begins anew.
const AGAIN: usize = 20_000;

/// What is shown.
#[derive(Clone, Debug, Default)]
struct Rules {
    query: Option<Query>,
    fold: bool,
    context: usize,
    /// Each line by itself: what goes on with a match is not shown with it.
    single: bool,
    /// First lines whose traces are open.
    opened: BTreeSet<u64>,
}

/// The lines of a store that are shown, in its order.
#[derive(Clone, Debug, Default)]
pub struct Lens {
    rules: Rules,
    shown: VecDeque<u64>,
    matches: usize,
    /// Lines at the front of the store's order that were not looked at yet.
    edge: usize,
    /// The first line after them, and its time.
    edge_line: Option<(u64, i64)>,
    /// Lines are chosen; else every one is shown and nothing is kept here.
    chooses: bool,
    /// Lines the store had lost when last looked at.
    lost: u64,
}

impl Lens {
    /// Shows what the query asks for, or everything; `fold` hides what goes on with a line under it until it is
    /// opened, `context` adds so many lines of the merged order before and after each match. A trace is asked for as a
    /// whole: all of it is shown when one line of it matches.
    #[must_use]
    pub fn new(query: Option<Query>, fold: bool, context: u16) -> Self {
        let query = query.filter(|q| !q.is_empty());
        let chooses = query.is_some();
        Self { rules: Rules { query, fold, context: context.into(), ..Rules::default() }, chooses, ..Self::default() }
    }

    /// Holds the lines that match by themselves, for counting them and going from one to the next.
    #[must_use]
    pub fn matching(query: Query) -> Self {
        Self { rules: Rules { query: Some(query), single: true, ..Rules::default() }, chooses: true, ..Self::default() }
    }

    /// Begins anew with a store, as must be done with one that holds lines already; [`Lens::work`] does the rest.
    pub fn reset(&mut self, store: &Store) {
        self.shown.clear();
        self.matches = 0;
        self.lost = store.dropped() + store.cut();
        self.chooses = self.rules.query.is_some() || (self.rules.fold && store.continuing() > 0);
        self.set_edge(store, if self.chooses { store.len() } else { 0 });
    }

    /// Takes in what the last push has changed: call it after each.
    pub fn pushed(&mut self, store: &Store, names: &Names<'_>) {
        let lost = store.dropped() + store.cut();
        if self.chooses && lost != self.lost {
            self.forget(store);
        }
        self.lost = lost;
        let (place, count) = store.pushed();
        if count == 0 {
            return;
        }
        if !self.chooses {
            if self.rules.fold && store.continuing() > 0 {
                self.reset(store);
            }
            return;
        }
        // The lines of a trace that was cut off by the end of this page have their first line now.
        let end = if store.continuing() > 0 { scan::under(store, place.end - 1).last().map_or(0, |(at, _)| at + 1) } else { 0 };
        let end = (end.max(place.end) + self.rules.context).min(store.len());
        if place.end - count <= self.edge {
            // All of it stands before what was looked at, but for what it changes there.
            self.set_edge(store, self.edge + count);
            if end > self.edge {
                self.begin_after(store, end);
            }
            return;
        }
        let from = self.first_touched(store, place.start);
        if store.len() - from <= AGAIN.max(2 * count) && from >= self.edge {
            self.look_again(store, names, from);
            self.set_edge(store, self.edge);
        } else {
            self.begin_after(store, end);
        }
    }

    /// Looks at no more than about this many lines, the newest first; whether there is more to do.
    pub fn work(&mut self, store: &Store, names: &Names<'_>, lines: usize) -> bool {
        if self.edge > 0 && self.chooses {
            let from = self.edge.saturating_sub(lines.max(1));
            let found = scan::scan(&self.rules, store, names, from..self.edge);
            self.matches += count(&found);
            found.into_iter().rev().for_each(|seq| self.shown.push_front(seq));
            self.set_edge(store, from);
        }
        !self.is_complete()
    }

    /// Whether every line was looked at.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        !self.chooses || self.edge == 0
    }

    /// Lines shown, as far as is known.
    #[must_use]
    pub fn len(&self, store: &Store) -> usize {
        if self.chooses { self.shown.len() } else { store.len() }
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self, store: &Store) -> bool {
        self.len(store) == 0
    }

    /// Lines that match, context and the rest of a trace not counted, a folded trace once. Without a query all of them.
    #[must_use]
    pub fn matches(&self, store: &Store) -> usize {
        if self.chooses { self.matches } else { store.len() }
    }

    /// The line at this place of what is shown.
    #[must_use]
    pub fn seq(&self, store: &Store, index: usize) -> Option<u64> {
        if self.chooses { self.shown.get(index).map(|s| s & SEQ) } else { store.seq(index) }
    }

    /// Whether the line at this place matches, and is no context.
    #[must_use]
    pub fn is_match(&self, index: usize) -> bool {
        !self.chooses || self.shown.get(index).is_some_and(|s| s & MATCHED != 0)
    }

    /// Lines shown and errors among them in so many stretches of the same length from one time to another, as far as is
    /// known. `None` where every line is shown: [`super::Rates`] knows those.
    #[must_use]
    pub fn buckets(&self, store: &Store, from: Timestamp, to: Timestamp, count: usize) -> Option<Vec<Bucket>> {
        if !self.chooses {
            return None;
        }
        let (from, to) = (from.as_nanosecond(), to.as_nanosecond().max(from.as_nanosecond() + 1));
        let place = |n: usize| {
            let time = from + (to - from) * n as i128 / count.max(1) as i128;
            self.shown.partition_point(|seq| i128::from(store.at_ns(seq & SEQ)) < time)
        };
        let mut start = place(0);
        let bucket = |n: usize| {
            let end = place(n + 1);
            let errors = self.shown.range(start..end).filter(|s| **s & ERROR != 0).count();
            let lines = end - start;
            start = end;
            Bucket { lines: lines as u64, errors: errors as u64 }
        };
        Some((0..count).map(bucket).collect())
    }

    /// Where this line is shown; where it is not, the place of the first line after it that is. `None` for a line that is
    /// no longer held.
    #[must_use]
    pub fn index_of(&self, store: &Store, seq: u64) -> Option<usize> {
        let index = store.index_of(seq)?;
        Some(if self.chooses { self.place_of(store, index) } else { index })
    }

    /// Whether this line is shown.
    #[must_use]
    pub fn shows(&self, store: &Store, seq: u64) -> bool {
        self.index_of(store, seq).is_some_and(|at| self.seq(store, at) == Some(seq))
    }

    /// The first line of the trace this line is part of, or the line itself.
    #[must_use]
    pub fn head_of(&self, store: &Store, seq: u64) -> Option<u64> {
        scan::head(store, store.index_of(seq)?)
    }

    /// Lines that go on with this one: how many are folded under it, or would be.
    #[must_use]
    pub fn under(&self, store: &Store, head: u64) -> usize {
        store.index_of(head).map_or(0, |at| scan::under(store, at).len())
    }

    /// Opens the trace under this line, or closes it again.
    pub fn toggle(&mut self, store: &Store, names: &Names<'_>, head: u64) {
        if !self.rules.opened.remove(&head) {
            self.rules.opened.insert(head);
        }
        let Some(at) = store.index_of(head) else { return };
        let lines = scan::under(store, at);
        let Some(last) = lines.last().map(|(index, _)| *index) else { return };
        if !self.chooses || at < self.edge {
            return;
        }
        // What stands from the head to the end of its trace is chosen again.
        let (from, to) = (self.place_of(store, at), self.place_of(store, last + 1));
        let after = self.shown.split_off(to);
        let before = self.shown.split_off(from);
        self.matches -= before.iter().filter(|s| **s & MATCHED != 0).count();
        let found = scan::scan(&self.rules, store, names, at..last + 1);
        self.matches += count(&found);
        self.shown.extend(found);
        self.shown.extend(after);
    }

    /// Whether the trace under this line is open.
    #[must_use]
    pub fn is_open(&self, head: u64) -> bool {
        !self.rules.fold || self.rules.opened.contains(&head)
    }

    /// Where the line at this place of the store's order is shown, or the first after it.
    fn place_of(&self, store: &Store, index: usize) -> usize {
        self.shown.partition_point(|seq| store.index_of(seq & SEQ).is_some_and(|i| i < index))
    }

    /// The first line to look at again after lines came in from here on: a new line may go on with one before.
    fn first_touched(&self, store: &Store, start: usize) -> usize {
        let goes_on = store.place(start).is_some_and(|p| p.continues) && !self.rules.single;
        let head = goes_on.then(|| scan::head(store, start)).flatten().and_then(|seq| store.index_of(seq));
        head.unwrap_or(start).saturating_sub(self.rules.context)
    }

    fn look_again(&mut self, store: &Store, names: &Names<'_>, from: usize) {
        let keep = self.place_of(store, from);
        let gone = self.shown.split_off(keep);
        self.matches -= gone.iter().filter(|s| **s & MATCHED != 0).count();
        let found = scan::scan(&self.rules, store, names, from..store.len());
        self.matches += count(&found);
        self.shown.extend(found);
    }

    /// Everything before this place is to be looked at anew.
    fn begin_after(&mut self, store: &Store, index: usize) {
        let place = self.place_of(store, index);
        let gone = self.shown.drain(..place).filter(|s| s & MATCHED != 0).count();
        self.matches -= gone;
        self.set_edge(store, index);
    }

    /// Forgets the lines the store no longer holds.
    fn forget(&mut self, store: &Store) {
        self.shown.retain(|seq| store.is_held(seq & SEQ));
        self.matches = self.shown.iter().filter(|s| **s & MATCHED != 0).count();
        self.rules.opened.retain(|seq| store.is_held(*seq));
        if self.edge == 0 {
            return;
        }
        // The push that made room is not taken in yet: its lines are not counted.
        let index = match self.edge_line {
            None => store.len(),
            Some((seq, at_ns)) => store.index_of(seq).unwrap_or_else(|| {
                // Among lines of the same time it is not known which were looked at: all of them are again.
                let index = store.first_at(at_ns.saturating_add(1));
                let again = self.place_of(store, index);
                self.matches -= self.shown.drain(..again).filter(|s| s & MATCHED != 0).count();
                index
            }),
        };
        self.edge = index - store.pushed_before(index);
    }

    fn set_edge(&mut self, store: &Store, edge: usize) {
        self.edge = edge;
        self.edge_line = store.seq(edge).map(|seq| (seq, store.at_ns(seq)));
    }
}

fn count(found: &[u64]) -> usize {
    found.iter().filter(|s| **s & MATCHED != 0).count()
}

#[cfg(test)]
mod tests;
