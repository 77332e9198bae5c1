//! What reading a log is on every engine: lines as they come off the wire, where it was left, and which lines a page is.
//! Pure: bytes and lines in, lines out.

mod resume;
mod window;

use jiff::Timestamp;
use jiff::fmt::temporal::DateTimeParser;

use crate::observe::log::Stream;

pub use resume::Resume;
pub use window::{Found, Window};

/// A line is kept up to this many bytes; what it has more is left out.
pub const LINE_LIMIT: usize = 1024 * 1024;
/// Longest time stamp looked for, bytes: `2026-11-21T03:21:51.897993094+01:00`.
pub const STAMP: usize = 36;

static PARSER: DateTimeParser = DateTimeParser::new();

/// One line, without its end and its time stamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// When the engine got it; the engine's own errors have none.
    pub at: Option<Timestamp>,
    pub stream: Stream,
    pub bytes: &'a [u8],
}

/// The time stamp in front and the text after it; a text without one is whole.
#[must_use]
pub fn split_stamp(text: &[u8]) -> (Option<Timestamp>, &[u8]) {
    let head = &text[..text.len().min(STAMP + 1)];
    // An empty line may come without the space.
    let end = head.iter().position(|b| matches!(b, b' ' | b'\n')).unwrap_or(head.len());
    match PARSER.parse_timestamp(&head[..end]) {
        Ok(at) => (Some(at), text[end..].strip_prefix(b" ").unwrap_or(&text[end..])),
        Err(_) => (None, text),
    }
}
