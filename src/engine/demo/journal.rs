//! What one instance has printed, bounded: the oldest lines go first, as the engine's own log rotation does it.

use std::collections::VecDeque;
use std::sync::Arc;

use jiff::Timestamp;

use crate::observe::log::Stream;

/// Lines kept of one instance.
pub const KEPT: usize = 2_000;

/// What an instance printed, or what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    Text(Stream, Box<str>),
    /// The run ended, and how.
    Ended(Arc<str>),
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub at: Timestamp,
    /// Which run of the instance printed it, from 1.
    pub run: u32,
    pub entry: Entry,
}

/// Something about to be printed; line breaks in it make several lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    pub stream: Stream,
    pub text: String,
}

impl Said {
    /// To standard output.
    pub fn out(text: impl Into<String>) -> Self {
        Self { stream: Stream::Stdout, text: text.into() }
    }

    /// To standard error.
    pub fn err(text: impl Into<String>) -> Self {
        Self { stream: Stream::Stderr, text: text.into() }
    }
}

/// The log of one instance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Journal {
    lines: VecDeque<Line>,
    /// The sequence number of the first line kept.
    first: u64,
}

impl Journal {
    /// Writes what was said down.
    pub fn write(&mut self, at: Timestamp, run: u32, said: &Said) {
        for text in said.text.split('\n') {
            self.push(Line { at, run, entry: Entry::Text(said.stream, text.into()) });
        }
    }

    /// Writes down that the run ended.
    pub fn end(&mut self, at: Timestamp, run: u32, how: impl Into<Arc<str>>) {
        self.push(Line { at, run, entry: Entry::Ended(how.into()) });
    }

    fn push(&mut self, line: Line) {
        if self.lines.len() >= KEPT {
            self.lines.pop_front();
            self.first += 1;
        }
        self.lines.push_back(line);
    }

    /// The sequence number the next line will have.
    #[must_use]
    pub fn next(&self) -> u64 {
        self.first + self.lines.len() as u64
    }

    /// The lines from this sequence number on, each with its own, and how many before them are gone.
    pub fn from(&self, seq: u64) -> (u64, impl DoubleEndedIterator<Item = (u64, &Line)>) {
        let start = seq.clamp(self.first, self.next());
        let skip = usize::try_from(start - self.first).unwrap_or(usize::MAX);
        let lines = self.lines.range(skip.min(self.lines.len())..).enumerate();
        (self.first.saturating_sub(seq), lines.map(move |(i, line)| (start + i as u64, line)).collect::<Vec<_>>().into_iter())
    }

    /// The last thing the run printed that is a line of text.
    #[must_use]
    pub fn last_text(&self, run: u32) -> Option<&str> {
        self.lines.iter().rev().take_while(|l| l.run == run).find_map(|l| match &l.entry {
            Entry::Text(_, text) => Some(&**text),
            Entry::Ended(_) => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_bounded_and_says_what_is_gone() {
        let mut journal = Journal::default();
        for n in 0..KEPT as u64 + 5 {
            journal.write(Timestamp::UNIX_EPOCH, 1, &Said::out(format!("line {n}")));
        }
        assert_eq!(journal.next(), KEPT as u64 + 5);
        let (gone, mut lines) = journal.from(2);
        assert_eq!(gone, 3);
        assert_eq!(lines.next().map(|(seq, _)| seq), Some(5));
        assert_eq!(journal.from(journal.next()).1.count(), 0);
        assert_eq!(journal.from(u64::MAX).1.count(), 0, "a cursor from beyond the end finds nothing");
    }

    #[test]
    fn a_trace_is_several_lines_and_the_last_text_is_of_its_run() {
        let mut journal = Journal::default();
        journal.write(Timestamp::UNIX_EPOCH, 1, &Said::err("Traceback\n  File x\nKeyError"));
        journal.end(Timestamp::UNIX_EPOCH, 1, "exited 1");
        assert_eq!(journal.next(), 4);
        assert_eq!(journal.last_text(1), Some("KeyError"));
        assert_eq!(journal.last_text(2), None);
    }
}
