//! Lines of several instances merged by time, bounded by bytes: the oldest chunk goes first, or the newest while somebody
//! reads upward, and what went is counted.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use crate::model::InstanceId;

use super::chunk::Chunk;
use super::{LineView, LogBatch, Stream};

/// Bits of a sequence number that tell the line within its chunk.
const LINE_BITS: u32 = 24;

/// The merged lines of a log view. Beside the text it keeps sixteen bytes a line in its chunk and eight in its order.
#[derive(Debug)]
pub struct Store {
    bound: usize,
    bytes: usize,
    dropped: u64,
    cut: u64,
    /// Chunks go from the new end.
    keep_oldest: bool,
    /// The time of the earliest line that was cut: what begins after it would leave a gap before itself.
    cut_at: i64,
    /// Lines held that go on with another.
    continuing: usize,
    /// Where in the order the lines of the last push stand, from the first to after the last, and how many they are.
    pushed: (Range<usize>, usize),
    instances: Vec<InstanceId>,
    /// By chunk number, from `first_chunk` on; a chunk that went leaves a hole until it is the first.
    chunks: VecDeque<Option<Held>>,
    first_chunk: u64,
    /// Sequence numbers ordered by time, then by arrival.
    order: VecDeque<u64>,
}

#[derive(Debug)]
struct Held {
    chunk: Arc<Chunk>,
    instance: usize,
    bytes: usize,
}

/// What is known of a line without reading it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub seq: u64,
    /// The instance by number, and its stream.
    pub of: (usize, Stream),
    pub continues: bool,
    /// Its level is error or worse.
    pub error: bool,
}

impl Store {
    /// A store that holds at most this many bytes, but always the newest chunk.
    #[must_use]
    pub fn new(bound_bytes: usize) -> Self {
        Self {
            bound: bound_bytes,
            bytes: 0,
            dropped: 0,
            cut: 0,
            keep_oldest: false,
            cut_at: i64::MAX,
            continuing: 0,
            pushed: (0..0, 0),
            instances: Vec::new(),
            chunks: VecDeque::new(),
            first_chunk: 0,
            order: VecDeque::new(),
        }
    }

    /// Lines held, markers included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// Whether no line is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// Memory taken, bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes + self.order.len() * size_of::<u64>()
    }

    /// Lines that were held and had to go.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Lines that were held, or came, and went because older ones are being read.
    #[must_use]
    pub fn cut(&self) -> u64 {
        self.cut
    }

    /// While true the newest chunks go first and what comes after them is only counted: somebody reads upward. When it ends,
    /// what was cut is not there; the end of the log has to be asked for anew.
    pub fn keep_oldest(&mut self, keep: bool) {
        self.keep_oldest = keep;
        if !keep {
            self.cut_at = i64::MAX;
        }
    }

    /// Takes in a batch, merging it by time, and drops chunks when it becomes too much.
    pub fn push(&mut self, batch: &LogBatch) {
        self.pushed = (0..0, 0);
        if batch.chunk.is_empty() {
            return;
        }
        if self.keep_oldest && batch.chunk.at_ns(0) >= self.cut_at {
            self.cut += batch.chunk.len() as u64;
            return;
        }
        let instance = self.instances.iter().position(|i| *i == batch.instance).unwrap_or_else(|| {
            self.instances.push(batch.instance.clone());
            self.instances.len() - 1
        });
        let number = self.first_chunk + self.chunks.len() as u64;
        let bytes = batch.chunk.bytes();
        self.continuing += batch.chunk.continuing();
        self.chunks.push_back(Some(Held { chunk: batch.chunk.clone(), instance, bytes }));
        self.bytes += bytes;
        if self.bytes() + batch.chunk.len() * size_of::<u64>() > self.bound {
            self.evict();
        }
        if self.held(number).is_some() {
            self.merge(number, batch);
        }
    }

    /// Puts the lines of a chunk in order. The end of the order is touched that the chunk is nearer to.
    fn merge(&mut self, number: u64, batch: &LogBatch) {
        let chunk = &*batch.chunk;
        // Of lines with the same time, an older page goes first and anything else last.
        let stays = |held: i64, at: i64| if batch.older { held < at } else { held <= at };
        let (first, last) = (chunk.at_ns(0), chunk.at_ns(chunk.len() - 1));
        let from = self.order.partition_point(|seq| stays(self.at_ns(*seq), first));
        let to = self.order.partition_point(|seq| stays(self.at_ns(*seq), last));
        let mut merged = Vec::with_capacity(to - from + chunk.len());
        let mut between = self.order.range(from..to).copied().peekable();
        for line in 0..chunk.len() {
            let at = chunk.at_ns(line);
            while let Some(seq) = between.next_if(|seq| stays(self.at_ns(*seq), at)) {
                merged.push(seq);
            }
            merged.push(number << LINE_BITS | line as u64);
        }
        merged.extend(between);
        self.pushed = (from..from + merged.len(), chunk.len());
        if to < self.order.len() - from {
            let front: Vec<u64> = self.order.drain(..to).take(from).collect();
            merged.into_iter().rev().chain(front.into_iter().rev()).for_each(|seq| self.order.push_front(seq));
        } else {
            let after = self.order.split_off(to);
            self.order.truncate(from);
            self.order.extend(merged);
            self.order.extend(after);
        }
    }

    /// Drops chunks down to seven eighths of the bound, so that it happens seldom: those that end earliest first, but not
    /// the one that came last; or those that begin last first, but not the earliest.
    fn evict(&mut self) {
        let target = self.bound / 8 * 7;
        let newest = self.first_chunk + self.chunks.len() as u64 - 1;
        // The last chunk's lines are not in the order yet.
        let mut left = self.order.len() + self.held(newest).map_or(0, |h| h.chunk.len());
        let mut candidates: Vec<(i64, u64)> = (self.first_chunk..=newest)
            .filter(|n| self.keep_oldest || *n != newest)
            .filter_map(|n| self.held(n).map(|h| (h.chunk.at_ns(if self.keep_oldest { 0 } else { h.chunk.len() - 1 }), n)))
            .collect();
        candidates.sort_unstable();
        if self.keep_oldest {
            candidates.remove(0);
            candidates.reverse();
        }
        let mut lines = 0;
        for (at, number) in candidates {
            if self.bytes + left * size_of::<u64>() <= target {
                break;
            }
            let index = usize::try_from(number - self.first_chunk).unwrap_or(usize::MAX);
            if let Some(held) = self.chunks.get_mut(index).and_then(Option::take) {
                self.bytes -= held.bytes;
                self.continuing -= held.chunk.continuing();
                lines += held.chunk.len();
                left -= held.chunk.len();
                if self.keep_oldest {
                    self.cut_at = self.cut_at.min(at);
                }
            }
        }
        let (chunks, first) = (&self.chunks, self.first_chunk);
        self.order
            .retain(|seq| usize::try_from((seq >> LINE_BITS) - first).is_ok_and(|i| chunks.get(i).is_some_and(Option::is_some)));
        while matches!(self.chunks.front(), Some(None)) {
            self.chunks.pop_front();
            self.first_chunk += 1;
        }
        if self.keep_oldest {
            self.cut += lines as u64;
        } else {
            self.dropped += lines as u64;
        }
    }

    fn held(&self, number: u64) -> Option<&Held> {
        self.chunks.get(usize::try_from(number.checked_sub(self.first_chunk)?).ok()?)?.as_ref()
    }

    pub(super) fn is_held(&self, seq: u64) -> bool {
        self.held(seq >> LINE_BITS).is_some()
    }

    /// Lines held that go on with another.
    pub(super) fn continuing(&self) -> usize {
        self.continuing
    }

    /// Where the lines of the last push stand, and how many they are.
    pub(super) fn pushed(&self) -> (Range<usize>, usize) {
        self.pushed.clone()
    }

    /// How many lines of the last push stand before this place.
    pub(super) fn pushed_before(&self, index: usize) -> usize {
        let (place, count) = self.pushed.clone();
        if index >= place.end {
            return count;
        }
        let newest = self.first_chunk + self.chunks.len() as u64 - 1;
        self.order.range(place.start.min(index)..index).filter(|seq| *seq >> LINE_BITS == newest).count()
    }

    /// The sequence number at this place.
    pub(super) fn seq(&self, index: usize) -> Option<u64> {
        self.order.get(index).copied()
    }

    /// The first place of a line that is not before this time, nanoseconds since 1970.
    pub(super) fn first_at(&self, at_ns: i64) -> usize {
        self.order.partition_point(|seq| self.at_ns(*seq) < at_ns)
    }

    /// Whose line stands here, and whether it goes on with another.
    pub(super) fn place(&self, index: usize) -> Option<Place> {
        let seq = *self.order.get(index)?;
        let held = self.held(seq >> LINE_BITS)?;
        let (continues, stream, error) = held.chunk.kind(line_of(seq))?;
        Some(Place { seq, of: (held.instance, stream), continues, error })
    }

    /// The line after this one in its chunk goes on with another, or is not known.
    pub(super) fn may_go_on(&self, seq: u64) -> bool {
        let next = self.held(seq >> LINE_BITS).and_then(|h| h.chunk.kind(line_of(seq) + 1));
        next.is_none_or(|(continues, ..)| continues)
    }

    pub(super) fn at_ns(&self, seq: u64) -> i64 {
        self.held(seq >> LINE_BITS).map_or(i64::MIN, |h| h.chunk.at_ns(line_of(seq)))
    }

    /// The lines of the batch taken in last, in its own order.
    pub fn newest(&self) -> impl Iterator<Item = LineView<'_>> {
        let number = (self.first_chunk + self.chunks.len() as u64).saturating_sub(1);
        let lines = self.held(number).filter(|_| self.pushed.1 > 0).map_or(0, |h| h.chunk.len()) as u64;
        (0..lines).filter_map(move |line| self.line(number << LINE_BITS | line))
    }

    /// The line at this place in the merged order.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<LineView<'_>> {
        self.line(*self.order.get(index)?)
    }

    /// The line of this sequence number, while it is held.
    #[must_use]
    pub fn line(&self, seq: u64) -> Option<LineView<'_>> {
        let held = self.held(seq >> LINE_BITS)?;
        let line = held.chunk.get(line_of(seq))?;
        Some(line.view(seq, self.instances.get(held.instance)?))
    }

    /// Where the line of this sequence number stands; for one that went, the first place after it in time is not known: `None`.
    #[must_use]
    pub fn index_of(&self, seq: u64) -> Option<usize> {
        self.held(seq >> LINE_BITS)?;
        let at = self.at_ns(seq);
        let from = self.order.partition_point(|s| self.at_ns(*s) < at);
        let to = self.order.partition_point(|s| self.at_ns(*s) <= at);
        (from..to).find(|i| self.order[*i] == seq)
    }
}

fn line_of(seq: u64) -> usize {
    usize::try_from(seq & ((1 << LINE_BITS) - 1)).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests;
