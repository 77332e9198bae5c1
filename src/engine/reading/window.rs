//! Which of the lines of a reply are the page before a place. Pure: lines in, a page out, bounded memory.
//!
//! A place is a time and how many lines held carry it. Two streams may be written a little out of order, so a line newer
//! than the place is not the end at once: a few more are looked at. A reply that begins in the middle of the log may
//! begin in the middle of a long line, whose pieces all carry the time of the first: such a line is not used.

use std::collections::VecDeque;

use jiff::Timestamp;

use crate::engine::Before;
use crate::observe::log::Stream;

use super::Line;

/// Lines looked at beyond the first one newer than the place.
const BEYOND: usize = 64;
/// Bytes of a page, about: of very long lines it has fewer.
const BYTES: usize = 32 << 20;

/// One line of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    pub at: Timestamp,
    pub stream: Stream,
    pub bytes: Vec<u8>,
}

/// A page.
#[derive(Debug, PartialEq, Eq)]
pub struct Found {
    pub lines: Vec<Kept>,
    /// There is nothing before it.
    pub begins: bool,
    /// It has as many lines as were wanted, or as fit.
    full: bool,
}

impl Found {
    /// Whether looking further back would find no more for it.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.full || self.begins
    }
}

/// The last lines read.
#[derive(Debug)]
pub struct Window {
    at: Timestamp,
    same: usize,
    wanted: usize,
    since: Option<Timestamp>,
    from_the_beginning: bool,
    lines: VecDeque<Kept>,
    bytes: usize,
    /// Of `lines`, those before the first one that is not older than the place.
    older: usize,
    /// Some had to go from the front.
    cut: bool,
    /// Some were older than what is wanted at all.
    passed_over: bool,
    first: Option<Timestamp>,
    /// Which streams were seen.
    seen: [bool; 2],
    /// Lines read since the first one newer than the place, that one included.
    beyond: usize,
}

impl Window {
    /// An empty one before a place, for so many lines and nothing older than `since`.
    #[must_use]
    pub fn new(before: &Before, wanted: usize, since: Option<Timestamp>, from_the_beginning: bool) -> Self {
        Self {
            at: before.at,
            same: usize::try_from(before.same).unwrap_or(usize::MAX),
            wanted,
            since,
            from_the_beginning,
            lines: VecDeque::new(),
            bytes: 0,
            older: 0,
            cut: false,
            passed_over: false,
            first: None,
            seen: [false; 2],
            beyond: 0,
        }
    }

    /// The time of the first line read.
    #[must_use]
    pub fn first(&self) -> Option<Timestamp> {
        self.first
    }

    /// Whether nothing more needs to be read.
    #[must_use]
    pub fn is_enough(&self) -> bool {
        self.beyond > BEYOND
    }

    /// Takes the next line of the reply.
    pub fn take(&mut self, line: Line<'_>) {
        if self.is_enough() {
            return;
        }
        let at = line.at.or_else(|| self.lines.back().map(|l| l.at)).or(self.first).unwrap_or(self.at);
        let first = *self.first.get_or_insert(at);
        let began = std::mem::replace(&mut self.seen[usize::from(line.stream == Stream::Stderr)], true);
        if !self.from_the_beginning && !began && at <= first {
            // Perhaps the rest of a line that began before the reply did: nothing up to here is sure to be whole.
            self.lines.clear();
            (self.bytes, self.older, self.cut) = (0, 0, false);
            self.passed_over = self.since.is_some_and(|since| at < since);
            return;
        }
        if self.since.is_some_and(|since| at < since) {
            self.passed_over = true;
            return;
        }
        if self.beyond > 0 || at > self.at {
            self.beyond += 1;
        }
        if at < self.at && self.older == self.lines.len() {
            self.older += 1;
        }
        self.bytes += line.bytes.len();
        self.lines.push_back(Kept { at, stream: line.stream, bytes: line.bytes.to_vec() });
        self.bound();
    }

    fn bound(&mut self) {
        let room = self.wanted.saturating_add(self.same).saturating_add(2 * BEYOND);
        while self.lines.len() > room || (self.bytes > BYTES && self.older > 1) {
            let Some(line) = self.lines.pop_front() else { return };
            self.bytes -= line.bytes.len();
            self.older = self.older.saturating_sub(1);
            self.cut = true;
        }
    }

    /// The page.
    #[must_use]
    pub fn find(mut self) -> Found {
        let place = self.place();
        let full = self.cut || place >= self.wanted;
        let from = place.saturating_sub(self.wanted);
        let begins = !self.cut && from == 0 && (self.from_the_beginning || self.passed_over);
        self.lines.truncate(place);
        Found { lines: self.lines.drain(from..).collect(), begins, full: full && place > 0 }
    }

    /// Where the reader's oldest line is: of those with its time, the one from which on as many carry it as are held.
    /// Within what is held times never go back, so a line that claims to counts with the one before it.
    fn place(&self) -> usize {
        let end = self.lines.len();
        let from = |start: usize, test: &dyn Fn(&Kept) -> bool| (start..end).find(|i| self.lines.get(*i).is_some_and(test));
        let its = |line: &Kept| line.at == self.at;
        let held = from(0, &its).filter(|_| self.same > 0).and_then(|first| {
            let after = from(first, &|line| line.at > self.at).unwrap_or(end);
            from(after.saturating_sub(self.same).max(first), &its)
        });
        // Its own time may have gone from the log, or nothing of it is held.
        held.or_else(|| from(0, &|line| line.at >= self.at)).unwrap_or(end)
    }
}

#[cfg(test)]
mod tests;
