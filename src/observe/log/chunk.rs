//! Finished lines of one instance in one piece of memory: text end to end, and sixteen bytes a line beside it.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::ops::Range;
use std::sync::Arc;

use jiff::Timestamp;

use crate::model::InstanceId;
use crate::observe::redact::{self, Redaction};
use crate::observe::text::{self, Sgr};

use super::{Format, Hint, Level, LineView, Marker, Stream, format};

/// A line longer than this is cut, and says so.
const LINE_LIMIT: usize = 256 * 1024;

/// Lines that are masked after the first of a private key that does not end; the longest keys have about a hundred.
const KEY_LINES: u16 = 160;

/// Finished lines of one instance, sanitised and masked, in order.
#[derive(Debug, Default)]
pub struct Chunk {
    text: String,
    lines: Vec<Line>,
    markers: Vec<Marker>,
    /// Where in the text the look changes, and to which of `looks`; each line begins with the terminal's own.
    runs: Vec<(u32, u16)>,
    looks: Vec<Sgr>,
    hint: Hint,
}

/// One line: when, where its text ends, and what is known of it.
#[derive(Clone, Copy, Debug)]
struct Line {
    at_ns: i64,
    /// Its text ends here; it begins where the one before ends.
    end: u32,
    flags: u8,
    format: Format,
}

const STDERR: u8 = 1;
const MARKER: u8 = 2;
const CONTINUES: u8 = 4;
/// The level plus one stands above these bits.
const LEVEL_SHIFT: u8 = 4;

/// A line read back from a chunk.
#[derive(Clone, Copy, Debug)]
pub(super) struct ChunkLine<'a> {
    pub at_ns: i64,
    pub stream: Stream,
    pub level: Option<Level>,
    pub format: Format,
    pub continues: bool,
    pub text: &'a str,
    pub marker: Option<&'a Marker>,
    pub looks: Looks<'a>,
}

impl<'a> ChunkLine<'a> {
    /// The line as it is shown to others.
    pub(super) fn view(self, seq: u64, instance: &'a InstanceId) -> LineView<'a> {
        LineView {
            seq,
            at: timestamp(self.at_ns),
            instance,
            stream: self.stream,
            level: self.level,
            format: self.format,
            continues: self.continues,
            text: self.text,
            marker: self.marker,
            looks: self.looks,
        }
    }
}

/// The looks a line gave itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct Looks<'a> {
    runs: &'a [(u32, u16)],
    table: &'a [Sgr],
    start: u32,
    end: u32,
}

impl<'a> Looks<'a> {
    /// Whether it gave itself none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// Byte ranges of the line's text with the look of each, in order; what lies between has the terminal's own.
    pub fn iter(&self) -> impl Iterator<Item = (Range<usize>, Sgr)> + use<'a> {
        let (start, end) = (self.start, self.end);
        let ends = self.runs.iter().skip(1).map(|(at, _)| *at).chain([end]);
        let table = self.table;
        self.runs.iter().zip(ends).filter_map(move |((from, look), to)| {
            let look = *table.get(usize::from(*look))?;
            (*from < to && look != Sgr::default()).then_some(((from - start) as usize..(to - start) as usize, look))
        })
    }
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
            + self.runs.capacity() * size_of::<(u32, u16)>()
            + self.looks.capacity() * size_of::<Sgr>()
            + size_of::<Self>()
    }

    /// What its last lines were: what the next chunk of the instance is built after.
    #[must_use]
    pub fn hint(&self) -> Hint {
        self.hint
    }

    /// The time of its last line.
    #[must_use]
    pub fn last_at(&self) -> Option<Timestamp> {
        self.lines.last().map(|l| timestamp(l.at_ns))
    }

    /// Its lines that go on with another.
    pub(super) fn continuing(&self) -> usize {
        self.lines.iter().filter(|l| l.flags & CONTINUES != 0).count()
    }

    /// Whether this line goes on with another; its stream; whether it is an error.
    pub(super) fn kind(&self, index: usize) -> Option<(bool, Stream, bool)> {
        let line = self.lines.get(index)?;
        let stream = if line.flags & STDERR != 0 { Stream::Stderr } else { Stream::Stdout };
        Some((line.flags & CONTINUES != 0, stream, line.flags >> LEVEL_SHIFT > Level::Error as u8))
    }

    pub(super) fn at_ns(&self, index: usize) -> i64 {
        self.lines.get(index).map_or(0, |l| l.at_ns)
    }

    pub(super) fn get(&self, index: usize) -> Option<ChunkLine<'_>> {
        let line = self.lines.get(index)?;
        let start = if index == 0 { 0 } else { self.lines[index - 1].end };
        let is_marker = line.flags & MARKER != 0;
        let body = self.text.get(start as usize..line.end as usize)?;
        Some(ChunkLine {
            at_ns: line.at_ns,
            stream: if line.flags & STDERR != 0 { Stream::Stderr } else { Stream::Stdout },
            level: Level::ALL.get(usize::from(line.flags >> LEVEL_SHIFT).wrapping_sub(1)).copied(),
            format: line.format,
            continues: line.flags & CONTINUES != 0,
            // A marker's number in the chunk is found by counting: they are rare.
            marker: is_marker
                .then(|| self.markers.get(self.lines[..index].iter().filter(|l| l.flags & MARKER != 0).count()))
                .flatten(),
            text: body,
            looks: self.looks(start, line.end),
        })
    }

    fn looks(&self, start: u32, end: u32) -> Looks<'_> {
        if self.runs.is_empty() {
            return Looks::default();
        }
        let from = self.runs.partition_point(|(at, _)| *at < start);
        let to = self.runs.partition_point(|(at, _)| *at < end);
        Looks { runs: self.runs.get(from..to).unwrap_or(&[]), table: &self.looks, start, end }
    }
}

/// The time of so many nanoseconds since 1970, or the end of time beyond what can be told.
pub(super) fn timestamp(at_ns: i64) -> Timestamp {
    // In two halves: dividing 128 bits is slow, and this is asked for every line that is looked at.
    let nanos = i32::try_from(at_ns.rem_euclid(1_000_000_000)).unwrap_or(0);
    Timestamp::new(at_ns.div_euclid(1_000_000_000), nanos).unwrap_or(Timestamp::MAX)
}

/// Makes a [`Chunk`] line by line. Times never go back within it: a line that claims to is given the time before it.
#[derive(Debug, Default)]
pub struct ChunkBuilder {
    chunk: Chunk,
    /// The look changes of the line at work, by place in its text.
    changes: Vec<(usize, Sgr)>,
    redaction: Arc<Redaction>,
}

impl ChunkBuilder {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Masks by this, and not by everything built in.
    #[must_use]
    pub fn with(mut self, redaction: Arc<Redaction>) -> Self {
        self.redaction = redaction;
        self
    }

    /// Goes on after an earlier chunk of the same instance, so that a stack trace may cross the two.
    #[must_use]
    pub fn after(mut self, hint: Hint) -> Self {
        self.chunk.hint = hint;
        self
    }

    /// What the last lines were.
    #[must_use]
    pub fn hint(&self) -> Hint {
        self.chunk.hint
    }

    /// Adds a line as it came, without its line end; sanitises, masks and detects its format and level.
    pub fn line(&mut self, at: Timestamp, stream: Stream, raw: &[u8]) {
        let cut = raw.len() > LINE_LIMIT;
        self.changes.clear();
        let changes = &mut self.changes;
        let clean = text::clean_styled(&raw[..raw.len().min(LINE_LIMIT)], &mut |place, look| changes.push((place, look)));
        let (format, level) = format::detect(&clean);
        let continues = self.chunk.hint.of(stream).take(&clean, format, level);
        let shown = self.masked(stream, &clean);
        // Where something was masked the places no longer fit.
        if !self.changes.is_empty() && matches!(shown, Cow::Borrowed(_)) {
            self.paint();
        }
        self.chunk.text.push_str(&shown);
        if cut {
            let _ = write!(self.chunk.text, " … (cut: the line has {} bytes)", raw.len());
        }
        let level_bits = if continues { 0 } else { level.map_or(0, |l| l as u8 + 1) << LEVEL_SHIFT };
        let stderr = if stream == Stream::Stderr { STDERR } else { 0 };
        self.end(at, level_bits | stderr | if continues { CONTINUES } else { 0 }, format);
    }

    /// The text without its secrets. A private key goes on over the lines after its first.
    fn masked<'a>(&mut self, stream: Stream, clean: &'a str) -> Cow<'a, str> {
        let before = self.chunk.hint.of(stream);
        if before.key_lines > 0 {
            before.key_lines -= 1;
            let ended = clean.contains("-----END ");
            if !ended && !clean.trim().is_empty() {
                return Cow::Owned(redact::MASK.to_owned());
            }
            before.key_lines = 0;
        }
        let shown = self.redaction.text(clean);
        if matches!(shown, Cow::Owned(_)) && self.redaction.hides_private_keys() && redact::opens_key(clean) {
            before.key_lines = KEY_LINES;
        }
        shown
    }

    /// Keeps the look changes of the line whose text comes next.
    fn paint(&mut self) {
        for (place, look) in self.changes.drain(..) {
            let known = self.chunk.looks.iter().position(|l| *l == look).unwrap_or_else(|| {
                self.chunk.looks.push(look);
                self.chunk.looks.len() - 1
            });
            // A chunk of more different looks than that shows the rest of them plain.
            let (Ok(at), Ok(known)) = (u32::try_from(self.chunk.text.len() + place), u16::try_from(known)) else { return };
            match self.chunk.runs.last_mut() {
                Some(last) if last.0 == at => last.1 = known,
                Some(_) | None => self.chunk.runs.push((at, known)),
            }
        }
    }

    /// Adds a line that says what happened to the log.
    pub fn marker(&mut self, at: Timestamp, marker: Marker) {
        self.chunk.text.push_str(&marker.detail());
        self.chunk.markers.push(marker);
        self.end(at, MARKER, Format::Plain);
    }

    fn end(&mut self, at: Timestamp, flags: u8, format: Format) {
        let before = self.chunk.lines.last().map_or(i64::MIN, |l| l.at_ns);
        let at_ns = i64::try_from(at.as_nanosecond()).unwrap_or(i64::MAX).max(before);
        let end = u32::try_from(self.chunk.text.len()).unwrap_or(u32::MAX);
        self.chunk.lines.push(Line { at_ns, end, flags, format });
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
        self.chunk.runs.shrink_to_fit();
        self.chunk
    }
}
