//! From the bytes of a log reply to lines: frames of two streams, or a terminal's one; time stamps taken off; lines the
//! engine cut into pieces put together again. Pure: bytes in, lines out, in pieces of any size.

use std::borrow::Cow;

use jiff::Timestamp;

use crate::engine::reading::{LINE_LIMIT, Line, STAMP, split_stamp};
use crate::observe::log::Stream;

/// A frame's head: stream, three zeros, length.
const HEAD: usize = 8;
/// The engine cuts lines into pieces of this size, and a terminal's pieces have no frames around them.
const PIECE: usize = 16 * 1024;
/// Where the reader is.
#[derive(Debug, Default)]
enum At {
    /// Nothing read yet: the first byte tells frames from a terminal's bytes, which begin with a digit of a time stamp.
    #[default]
    Begin,
    /// In a frame's head.
    Head,
    /// In a frame's body.
    Body { kind: u8, missing: usize },
    /// A terminal's bytes, without frames.
    Raw,
}

/// Cuts a log reply into lines.
#[derive(Debug, Default)]
pub struct Demux {
    at: At,
    head: Vec<u8>,
    /// The frame, or the terminal's line, that is not complete.
    body: Vec<u8>,
    /// Bytes of `body` that were left out because there were too many.
    partial: [Partial; 2],
}

/// A line whose end has not come.
#[derive(Debug, Default)]
struct Partial {
    at: Option<Timestamp>,
    bytes: Vec<u8>,
    open: bool,
}

impl Demux {
    /// Calls `each` with every line completed by these bytes.
    pub fn push(&mut self, mut bytes: &[u8], each: &mut impl FnMut(Line<'_>)) {
        while !bytes.is_empty() {
            match self.at {
                At::Begin => self.at = if bytes[0] <= 3 { At::Head } else { At::Raw },
                At::Head => {
                    let take = (HEAD - self.head.len()).min(bytes.len());
                    self.head.extend_from_slice(&bytes[..take]);
                    bytes = &bytes[take..];
                    if let [kind, _, _, _, a, b, c, d] = self.head[..] {
                        let missing = u32::from_be_bytes([a, b, c, d]) as usize;
                        self.head.clear();
                        self.at = if missing == 0 { At::Head } else { At::Body { kind, missing } };
                    }
                }
                At::Body { kind, missing } => {
                    let take = missing.min(bytes.len());
                    let (now, later) = bytes.split_at(take);
                    bytes = later;
                    if take < missing {
                        extend(&mut self.body, now);
                        self.at = At::Body { kind, missing: missing - take };
                        continue;
                    }
                    self.at = At::Head;
                    if self.body.is_empty() {
                        self.frame(kind, now, each);
                    } else {
                        let mut body = std::mem::take(&mut self.body);
                        extend(&mut body, now);
                        self.frame(kind, &body, each);
                        body.clear();
                        self.body = keep_small(body);
                    }
                }
                At::Raw => bytes = self.raw(bytes, each),
            }
        }
    }

    /// The reply has ended for good: what has no end yet is a line too.
    pub fn finish(&mut self, each: &mut impl FnMut(Line<'_>)) {
        if !self.body.is_empty() && matches!(self.at, At::Raw) {
            let body = std::mem::take(&mut self.body);
            terminal_line(&body, each);
        }
        for (index, stream) in [Stream::Stdout, Stream::Stderr].into_iter().enumerate() {
            let partial = std::mem::take(&mut self.partial[index]);
            if partial.open {
                each(Line { at: partial.at, stream, bytes: &partial.bytes });
            }
        }
    }

    /// One frame is one message of the log driver: a line, or a piece of one when its end is missing. All pieces carry the
    /// time of the first, and all but the last are of full size; the `local` driver leaves the end out of the last one
    /// too, and every driver does so for what a run has not ended.
    fn frame(&mut self, kind: u8, body: &[u8], each: &mut impl FnMut(Line<'_>)) {
        let stream = if kind >= 2 { Stream::Stderr } else { Stream::Stdout };
        // 3 is the engine's own error, without a time stamp.
        let (at, text) = if kind == 3 { (None, body) } else { split_stamp(body) };
        let (text, ended) = match text.strip_suffix(b"\n") {
            Some(text) => (text, true),
            None => (text, kind == 3 || text.len() < PIECE),
        };
        let partial = &mut self.partial[usize::from(kind >= 2)];
        if partial.open && partial.at != at {
            let over = std::mem::take(partial);
            each(Line { at: over.at, stream, bytes: &over.bytes });
        }
        if !partial.open && ended {
            return each(Line { at, stream, bytes: &text[..text.len().min(LINE_LIMIT)] });
        }
        if !partial.open {
            partial.at = at;
            partial.open = true;
        }
        extend(&mut partial.bytes, text);
        if ended {
            each(Line { at: partial.at, stream, bytes: &partial.bytes });
            *partial = Partial { bytes: keep_small(std::mem::take(&mut partial.bytes)), ..Partial::default() };
            partial.bytes.clear();
        }
    }

    /// A terminal's bytes: a line ends at its line feed.
    fn raw<'a>(&mut self, bytes: &'a [u8], each: &mut impl FnMut(Line<'_>)) -> &'a [u8] {
        let Some(end) = bytes.iter().position(|b| *b == b'\n') else {
            extend(&mut self.body, bytes);
            return &[];
        };
        if self.body.is_empty() {
            terminal_line(&bytes[..end], each);
        } else {
            let mut body = std::mem::take(&mut self.body);
            extend(&mut body, &bytes[..end]);
            terminal_line(&body, each);
            body.clear();
            self.body = keep_small(body);
        }
        &bytes[end + 1..]
    }
}

fn terminal_line(raw: &[u8], each: &mut impl FnMut(Line<'_>)) {
    let (at, text) = split_stamp(raw);
    let text = join_pieces(text);
    let text = text.strip_suffix(b"\r").unwrap_or(&text);
    each(Line { at, stream: Stream::Stdout, bytes: &text[..text.len().min(LINE_LIMIT)] });
}

/// Takes the stamps of further pieces out of a terminal's long line.
fn join_pieces(text: &[u8]) -> Cow<'_, [u8]> {
    let mut rest = text;
    let mut joined = Vec::new();
    while rest.len() > PIECE {
        let (piece, more) = rest.split_at(PIECE);
        let (Some(_), more) = split_stamp(more) else { break };
        joined.extend_from_slice(piece);
        rest = more;
    }
    if joined.is_empty() {
        return Cow::Borrowed(text);
    }
    joined.extend_from_slice(rest);
    Cow::Owned(joined)
}

/// Appends within the limit; room for the stamp is left above it.
fn extend(buffer: &mut Vec<u8>, bytes: &[u8]) {
    let room = (LINE_LIMIT + STAMP + 2).saturating_sub(buffer.len());
    buffer.extend_from_slice(&bytes[..bytes.len().min(room)]);
}

/// A buffer that has grown large is given back.
fn keep_small(buffer: Vec<u8>) -> Vec<u8> {
    if buffer.capacity() > 4 * PIECE { Vec::new() } else { buffer }
}

#[cfg(test)]
#[path = "demux_tests.rs"]
mod tests;
