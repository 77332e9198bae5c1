//! Finished lines of one instance in one piece of memory: text end to end, and sixteen bytes a line beside it.

use std::fmt::Write as _;

use jiff::Timestamp;

use crate::observe::{redact, text};

use super::{Level, Marker, Stream};

/// A line longer than this is cut, and says so.
const LINE_LIMIT: usize = 256 * 1024;

/// Finished lines of one instance, sanitised and masked, in order.
#[derive(Debug, Default)]
pub struct Chunk {
    text: String,
    lines: Vec<Line>,
    markers: Vec<Marker>,
}

/// One line: when, where its text ends, and what is known of it.
#[derive(Clone, Copy, Debug)]
struct Line {
    at_ns: i64,
    /// Its text ends here; it begins where the one before ends.
    end: u32,
    flags: u8,
}

const STDERR: u8 = 1;
const MARKER: u8 = 2;
/// The level plus one stands above these bits.
const LEVEL_SHIFT: u8 = 4;

/// A line read back from a chunk.
#[derive(Clone, Copy, Debug)]
pub(super) struct ChunkLine<'a> {
    pub at_ns: i64,
    pub stream: Stream,
    pub level: Option<Level>,
    pub text: &'a str,
    pub marker: Option<&'a Marker>,
}

impl Chunk {
    /// How many lines it holds, markers included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether it holds nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Memory it takes, bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.text.capacity()
            + self.lines.capacity() * size_of::<Line>()
            + self.markers.capacity() * size_of::<Marker>()
            + size_of::<Self>()
    }

    /// The time of its last line.
    #[must_use]
    pub fn last_at(&self) -> Option<Timestamp> {
        self.lines.last().map(|l| timestamp(l.at_ns))
    }

    pub(super) fn at_ns(&self, index: usize) -> i64 {
        self.lines.get(index).map_or(0, |l| l.at_ns)
    }

    pub(super) fn get(&self, index: usize) -> Option<ChunkLine<'_>> {
        let line = self.lines.get(index)?;
        let start = if index == 0 { 0 } else { self.lines[index - 1].end as usize };
        let is_marker = line.flags & MARKER != 0;
        let body = self.text.get(start..line.end as usize)?;
        Some(ChunkLine {
            at_ns: line.at_ns,
            stream: if line.flags & STDERR != 0 { Stream::Stderr } else { Stream::Stdout },
            level: Level::ALL.get(usize::from(line.flags >> LEVEL_SHIFT).wrapping_sub(1)).copied(),
            // A marker's number in the chunk is found by counting: they are rare.
            marker: is_marker
                .then(|| self.markers.get(self.lines[..index].iter().filter(|l| l.flags & MARKER != 0).count()))
                .flatten(),
            text: body,
        })
    }
}

/// The time of so many nanoseconds since 1970, or the end of time beyond what can be told.
pub(super) fn timestamp(at_ns: i64) -> Timestamp {
    Timestamp::from_nanosecond(i128::from(at_ns)).unwrap_or(Timestamp::MAX)
}

/// Makes a [`Chunk`] line by line. Times never go back within it: a line that claims to is given the time before it.
#[derive(Debug, Default)]
pub struct ChunkBuilder {
    chunk: Chunk,
}

impl ChunkBuilder {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a line as it came, without its line end; sanitises, masks and detects its level.
    pub fn line(&mut self, at: Timestamp, stream: Stream, raw: &[u8]) {
        let cut = raw.len() > LINE_LIMIT;
        let clean = text::clean_bytes(&raw[..raw.len().min(LINE_LIMIT)]);
        let level = Level::detect(&clean);
        self.chunk.text.push_str(&redact::text(&clean));
        if cut {
            let _ = write!(self.chunk.text, " … (cut: the line has {} bytes)", raw.len());
        }
        let level_bits = level.map_or(0, |l| l as u8 + 1) << LEVEL_SHIFT;
        self.end(at, level_bits | if stream == Stream::Stderr { STDERR } else { 0 });
    }

    /// Adds a line that says what happened to the log.
    pub fn marker(&mut self, at: Timestamp, marker: Marker) {
        self.chunk.text.push_str(&marker.detail());
        self.chunk.markers.push(marker);
        self.end(at, MARKER);
    }

    fn end(&mut self, at: Timestamp, flags: u8) {
        let before = self.chunk.lines.last().map_or(i64::MIN, |l| l.at_ns);
        let at_ns = i64::try_from(at.as_nanosecond()).unwrap_or(i64::MAX).max(before);
        let end = u32::try_from(self.chunk.text.len()).unwrap_or(u32::MAX);
        self.chunk.lines.push(Line { at_ns, end, flags });
    }

    /// Lines so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.chunk.lines.len()
    }

    /// Whether nothing was added.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.chunk.lines.is_empty()
    }

    /// Bytes of text so far: finish before this passes a few MiB.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.chunk.text.len()
    }

    /// The chunk, with no memory to spare.
    #[must_use]
    pub fn finish(mut self) -> Chunk {
        self.chunk.text.shrink_to_fit();
        self.chunk.lines.shrink_to_fit();
        self.chunk
    }
}
