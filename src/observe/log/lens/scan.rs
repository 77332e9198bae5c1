//! Chooses lines of a stretch of a store. What goes on with a line is chosen with it: a trace matches as a whole.

use std::ops::Range;

use super::super::store::Place;
use super::super::{LineView, Store, Stream, is_error};
use super::{ERROR, MATCHED, Names, Rules};

/// Lines of other instances a trace is followed across.
const REACH: usize = 4096;

/// A trace and whether any of its lines matches.
struct Block {
    of: (usize, Stream),
    head: u64,
    matched: bool,
}

/// What is known of a line.
#[derive(Clone, Copy, Default)]
struct Choice {
    seq: u64,
    /// It is asked for, by itself or with its trace.
    wanted: bool,
    /// It is folded away.
    hidden: bool,
    /// It counts as a match.
    matched: bool,
    error: bool,
}

impl Choice {
    /// The line as it stands in a lens.
    fn marked(self) -> u64 {
        self.seq | if self.matched { MATCHED } else { 0 } | if self.error { ERROR } else { 0 }
    }
}

/// The lines of a stretch that are shown, in order, those that match marked.
pub(super) fn scan(rules: &Rules, store: &Store, names: &Names<'_>, range: Range<usize>) -> Vec<u64> {
    let around = range.start.saturating_sub(rules.context)..(range.end + rules.context).min(store.len());
    let mut scan = Scan { rules, store, names, blocks: Vec::new() };
    let mut chosen: Vec<Choice> = Vec::with_capacity(if rules.context > 0 { around.len() } else { 0 });
    let mut out = Vec::new();
    for index in around.clone().rev() {
        let Some(choice) = scan.choose(index) else { continue };
        if rules.context > 0 {
            chosen.push(choice);
        } else if choice.wanted && !choice.hidden {
            out.push(choice.marked());
        }
    }
    out.reverse();
    if rules.context > 0 {
        chosen.reverse();
        in_context(rules.context, &chosen, range.start - around.start..range.end - around.start, &mut out);
    }
    out
}

/// Adds what stands around the lines that are wanted.
fn in_context(context: usize, chosen: &[Choice], range: Range<usize>, out: &mut Vec<u64>) {
    let mut near = vec![false; chosen.len()];
    for (at, _) in chosen.iter().enumerate().filter(|(_, c)| c.wanted) {
        near[at.saturating_sub(context)..(at + context + 1).min(chosen.len())].fill(true);
    }
    for index in range {
        let Some(choice) = chosen.get(index).filter(|c| near[index] && !c.hidden) else { continue };
        out.push(choice.marked());
    }
}

struct Scan<'s, 'n> {
    rules: &'s Rules,
    store: &'s Store,
    names: &'s Names<'n>,
    /// The traces that end at or after the line at work and begin before it, one for each instance and stream at most.
    blocks: Vec<Block>,
}

impl Scan<'_, '_> {
    fn choose(&mut self, index: usize) -> Option<Choice> {
        let (rules, store) = (self.rules, self.store);
        if rules.single || (store.continuing() == 0) {
            let line = store.get(index)?;
            let own = self.own(&line);
            return Some(Choice { seq: line.seq, wanted: own, hidden: false, matched: own, error: is_error(&line) });
        }
        let place = store.place(index)?;
        let (head, wanted) = if place.continues { self.trace(index, place) } else { (place.seq, self.first(index, place)) };
        let is_head = head == place.seq;
        let folded = rules.fold && !rules.opened.contains(&head);
        let matched = if folded { wanted } else { wanted && store.get(index).is_some_and(|line| self.own(&line)) };
        Some(Choice { seq: place.seq, wanted, hidden: folded && !is_head, matched, error: place.error })
    }

    /// Whether a line matches by itself.
    fn own(&self, line: &LineView<'_>) -> bool {
        let Some(query) = &self.rules.query else { return true };
        let name = if query.needs_name() { (self.names)(line.instance) } else { "" };
        query.matches(line, name)
    }

    /// A line that goes on with another: the first of its trace, and whether any line of it matches.
    fn trace(&mut self, index: usize, place: Place) -> (u64, bool) {
        if let Some(block) = self.blocks.iter().find(|b| b.of == place.of) {
            return (block.head, block.matched);
        }
        let mut matched = self.matches_at(index);
        let mut head = place.seq;
        for (before, other) in back(self.store, index, place) {
            matched = matched || self.matches_at(before);
            head = other.seq;
        }
        // Lines after this one are part of it too, where the stretch ends within it.
        matched = matched || after(self.store, index, place).any(|(later, _)| self.matches_at(later));
        self.blocks.push(Block { of: place.of, head, matched });
        (head, matched)
    }

    /// The first line of a trace, or one without any.
    fn first(&mut self, index: usize, place: Place) -> bool {
        if let Some(known) = self.blocks.iter().position(|b| b.of == place.of) {
            let block = self.blocks.swap_remove(known);
            if block.head == place.seq {
                return block.matched;
            }
        }
        self.matches_at(index)
            || (self.store.may_go_on(place.seq) && after(self.store, index, place).any(|(later, _)| self.matches_at(later)))
    }

    fn matches_at(&self, index: usize) -> bool {
        self.rules.query.is_none() || self.store.get(index).is_some_and(|line| self.own(&line))
    }
}

/// The lines of this one's trace before it, back to the first.
fn back(store: &Store, index: usize, place: Place) -> impl Iterator<Item = (usize, Place)> {
    let mut done = !place.continues;
    (index.saturating_sub(REACH)..index)
        .rev()
        .filter_map(move |i| store.place(i).filter(|p| p.of == place.of).map(|p| (i, p)))
        .take_while(move |(_, p)| !std::mem::replace(&mut done, !p.continues))
}

/// The lines of this one's trace after it.
fn after(store: &Store, index: usize, place: Place) -> impl Iterator<Item = (usize, Place)> {
    (index + 1..store.len().min(index + 1 + REACH))
        .filter_map(move |i| store.place(i).filter(|p| p.of == place.of).map(|p| (i, p)))
        .take_while(|(_, p)| p.continues)
}

/// The first line of the trace the line at this place is part of.
pub(super) fn head(store: &Store, index: usize) -> Option<u64> {
    let place = store.place(index)?;
    Some(back(store, index, place).last().map_or(place.seq, |(_, p)| p.seq))
}

/// The lines that go on with the one at this place.
pub(super) fn under(store: &Store, index: usize) -> Vec<(usize, u64)> {
    store.place(index).map(|place| after(store, index, place).map(|(i, p)| (i, p.seq)).collect()).unwrap_or_default()
}
