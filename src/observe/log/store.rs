//! Lines of several instances merged by time, bounded by bytes: the oldest chunk goes first, and what went is counted.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::model::InstanceId;

use super::chunk::Chunk;
use super::{LineView, LogBatch};

/// Bits of a sequence number that tell the line within its chunk.
const LINE_BITS: u32 = 24;

/// The merged lines of a log view. Beside the text it keeps sixteen bytes a line in its chunk and eight in its order.
#[derive(Debug)]
pub struct Store {
    bound: usize,
    bytes: usize,
    dropped: u64,
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

impl Store {
    /// A store that holds at most this many bytes, but always the newest chunk.
    #[must_use]
    pub fn new(bound_bytes: usize) -> Self {
        Self {
            bound: bound_bytes,
            bytes: 0,
            dropped: 0,
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

    /// Takes in a batch, merging it by time, and drops the oldest chunks when it becomes too much.
    pub fn push(&mut self, batch: &LogBatch) {
        if batch.chunk.is_empty() {
            return;
        }
        let instance = self.instances.iter().position(|i| *i == batch.instance).unwrap_or_else(|| {
            self.instances.push(batch.instance.clone());
            self.instances.len() - 1
        });
        let number = self.first_chunk + self.chunks.len() as u64;
        let bytes = batch.chunk.bytes();
        self.chunks.push_back(Some(Held { chunk: batch.chunk.clone(), instance, bytes }));
        self.bytes += bytes;
        self.merge(number, batch);
        if self.bytes() > self.bound {
            self.evict();
        }
    }

    /// Puts the lines of a chunk in order. Only the part of the order later than the chunk's first line is touched.
    fn merge(&mut self, number: u64, batch: &LogBatch) {
        let chunk = &*batch.chunk;
        // Of lines with the same time, an older page goes first and anything else last.
        let stays = |held: i64, at: i64| if batch.older { held < at } else { held <= at };
        let first = chunk.at_ns(0);
        let keep = self.order.partition_point(|seq| stays(self.at_ns(*seq), first));
        let later: Vec<u64> = self.order.split_off(keep).into();
        let mut later = later.into_iter().peekable();
        for line in 0..chunk.len() {
            let at = chunk.at_ns(line);
            while let Some(seq) = later.next_if(|seq| stays(self.at_ns(*seq), at)) {
                self.order.push_back(seq);
            }
            self.order.push_back(number << LINE_BITS | line as u64);
        }
        self.order.extend(later);
    }

    /// Drops chunks, those that end earliest first, down to seven eighths of the bound, so that it happens seldom.
    fn evict(&mut self) {
        let target = self.bound / 8 * 7;
        let newest = self.first_chunk + self.chunks.len() as u64 - 1;
        let mut by_end: Vec<(i64, u64)> =
            (self.first_chunk..newest).filter_map(|n| self.held(n).map(|h| (h.chunk.at_ns(h.chunk.len() - 1), n))).collect();
        by_end.sort_unstable();
        let mut lines = 0;
        for (_, number) in by_end {
            if self.bytes + (self.order.len() - lines) * size_of::<u64>() <= target {
                break;
            }
            let index = usize::try_from(number - self.first_chunk).unwrap_or(usize::MAX);
            if let Some(held) = self.chunks.get_mut(index).and_then(Option::take) {
                self.bytes -= held.bytes;
                lines += held.chunk.len();
            }
        }
        let (chunks, first) = (&self.chunks, self.first_chunk);
        self.order
            .retain(|seq| usize::try_from((seq >> LINE_BITS) - first).is_ok_and(|i| chunks.get(i).is_some_and(Option::is_some)));
        while matches!(self.chunks.front(), Some(None)) {
            self.chunks.pop_front();
            self.first_chunk += 1;
        }
        self.dropped += lines as u64;
    }

    fn held(&self, number: u64) -> Option<&Held> {
        self.chunks.get(usize::try_from(number.checked_sub(self.first_chunk)?).ok()?)?.as_ref()
    }

    fn at_ns(&self, seq: u64) -> i64 {
        self.held(seq >> LINE_BITS).map_or(i64::MIN, |h| h.chunk.at_ns(line_of(seq)))
    }

    /// The lines of the batch taken in last, in its own order.
    pub fn newest(&self) -> impl Iterator<Item = LineView<'_>> {
        let number = (self.first_chunk + self.chunks.len() as u64).saturating_sub(1);
        let lines = self.held(number).map_or(0, |h| h.chunk.len()) as u64;
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
mod tests {
    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::super::{ChunkBuilder, Level, Marker, Stream};
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn batch(instance: &str, lines: &[(i64, &str)]) -> LogBatch {
        let mut builder = ChunkBuilder::new();
        for (second, text) in lines {
            builder.line(at(*second), Stream::Stdout, text.as_bytes());
        }
        LogBatch::new(instance.into(), Arc::new(builder.finish()))
    }

    fn texts(store: &Store) -> Vec<String> {
        (0..store.len()).map(|i| store.get(i).unwrap().text.to_owned()).collect()
    }

    #[test]
    fn instances_are_merged_by_time_and_equal_lines_all_stay() {
        let mut store = Store::new(1 << 20);
        store.push(&batch("a", &[(1, "a1"), (3, "same"), (3, "same")]));
        store.push(&batch("b", &[(2, "b2"), (3, "same"), (4, "b4")]));
        store.push(&batch("a", &[(5, "a5")]));
        assert_eq!(texts(&store), ["a1", "b2", "same", "same", "same", "b4", "a5"]);
        for index in 0..store.len() {
            assert_eq!(store.index_of(store.get(index).unwrap().seq), Some(index));
        }
    }

    #[test]
    fn the_oldest_goes_first_and_is_counted() {
        let mut store = Store::new(64 * 1024);
        let long = "x".repeat(1000);
        for second in 0..1000 {
            store.push(&batch("a", &[(second, &long)]));
        }
        assert!(store.bytes() <= 64 * 1024, "{}", store.bytes());
        assert_eq!(store.dropped() + store.len() as u64, 1000);
        assert_eq!(store.get(store.len() - 1).unwrap().at, at(999));
        assert_eq!(store.index_of(0), None);
    }

    #[test]
    fn levels_streams_and_markers_come_back_as_they_went_in() {
        let mut builder = ChunkBuilder::new();
        builder.line(at(1), Stream::Stderr, b"ERROR x\x1b[0m");
        builder.marker(at(2), Marker::Reconnected("lost for 2 s, nothing lost".into()));
        builder.line(at(1), Stream::Stdout, b"\xff");
        builder.marker(at(3), Marker::Dropped(7));
        let mut store = Store::new(1 << 20);
        store.push(&LogBatch::new("a".into(), Arc::new(builder.finish())));
        let first = store.get(0).unwrap();
        assert_eq!((first.level, first.stream, first.text), (Some(Level::Error), Stream::Stderr, "ERROR x"));
        assert_eq!(store.get(1).unwrap().marker.unwrap().word(), "reconnected");
        assert_eq!((store.get(2).unwrap().text, store.get(2).unwrap().at), ("\u{fffd}", at(2)));
        assert_eq!(store.get(3).unwrap().marker, Some(&Marker::Dropped(7)));
    }

    #[test]
    fn a_line_of_a_megabyte_is_cut_and_says_so() {
        let mut builder = ChunkBuilder::new();
        builder.line(at(1), Stream::Stdout, &vec![b'a'; 1 << 20]);
        let chunk = builder.finish();
        assert!(chunk.get(0).unwrap().text.ends_with("(cut: the line has 1048576 bytes)"));
    }

    #[test]
    fn a_line_costs_at_most_24_bytes_beside_its_text() {
        let mut builder = ChunkBuilder::new();
        for n in 0..10_000 {
            builder.line(at(n), Stream::Stdout, b"0123456789");
        }
        let mut store = Store::new(1 << 30);
        store.push(&LogBatch::new("a".into(), Arc::new(builder.finish())));
        assert!(store.bytes() <= 10_000 * (10 + 24) + 1024, "{}", store.bytes());
    }

    #[test]
    fn an_older_page_goes_before_lines_of_the_same_time() {
        let mut store = Store::new(1 << 20);
        store.push(&batch("a", &[(2, "c"), (2, "d"), (3, "e")]));
        store.push(&batch("b", &[(2, "other")]));
        let page = LogBatch { older: true, ..batch("a", &[(1, "a"), (2, "b")]) };
        store.push(&page);
        let texts: Vec<&str> = (0..store.len()).filter_map(|i| store.get(i)).map(|l| l.text).collect();
        assert_eq!(texts, ["a", "b", "c", "d", "other", "e"]);
    }

    proptest! {
        #[test]
        fn whatever_comes_in_the_order_is_by_time_and_every_line_is_there_or_counted(
            batches in prop::collection::vec((0u8..3, prop::collection::vec(0i64..50, 1..20)), 0..40),
            bound in 500usize..20_000,
        ) {
            let mut store = Store::new(bound);
            let mut pushed = 0;
            for (instance, mut seconds) in batches {
                seconds.sort_unstable();
                let lines: Vec<(i64, &str)> = seconds.iter().map(|s| (*s, "line")).collect();
                pushed += lines.len() as u64;
                store.push(&batch(&format!("i{instance}"), &lines));
            }
            prop_assert_eq!(store.len() as u64 + store.dropped(), pushed);
            let times: Vec<Timestamp> = (0..store.len()).map(|i| store.get(i).unwrap().at).collect();
            prop_assert!(times.is_sorted());
            for index in 0..store.len() {
                prop_assert_eq!(store.index_of(store.get(index).unwrap().seq), Some(index));
            }
        }
    }
}
