//! What a command prints, as it comes in: both streams in their order, line by line sanitised and masked; the end is kept.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::Arc;

use super::log::Stream;
use super::redact::{self, MASK, Redaction};
use super::text::clean_bytes;

/// So much is kept, bytes.
pub const KEPT: usize = 64 << 10;
/// A line without an end is cut here, bytes.
const LINE: usize = 16 << 10;
/// Lines a private key may have after its first.
const KEY_LINES: u32 = 128;

/// Takes what a command prints.
#[derive(Debug)]
pub struct Capture {
    redaction: Arc<Redaction>,
    stdout: Open,
    stderr: Open,
    lines: VecDeque<String>,
    /// Of the lines and their ends.
    bytes: usize,
    cut: bool,
}

/// A stream's line that has not ended yet.
#[derive(Debug, Default)]
struct Open {
    bytes: Vec<u8>,
    /// So many lines more may belong to a private key.
    key_lines: u32,
}

impl Capture {
    /// Nothing yet; everything is masked by `redaction`.
    #[must_use]
    pub fn new(redaction: Arc<Redaction>) -> Self {
        Self { redaction, stdout: Open::default(), stderr: Open::default(), lines: VecDeque::new(), bytes: 0, cut: false }
    }

    /// Takes the next piece of a stream.
    pub fn take(&mut self, stream: Stream, mut piece: &[u8]) {
        while !piece.is_empty() {
            let open = self.open(stream);
            let room = LINE - open.bytes.len();
            let end = piece.iter().take(room).position(|b| *b == b'\n');
            let length = end.unwrap_or(room.min(piece.len()));
            open.bytes.extend_from_slice(&piece[..length]);
            let full = open.bytes.len() == LINE;
            piece = &piece[length + usize::from(end.is_some())..];
            if end.is_some() || full {
                self.close(stream);
            }
        }
    }

    /// Adds a line of our own.
    pub fn remark(&mut self, line: &str) {
        for stream in [Stream::Stdout, Stream::Stderr] {
            if !self.open(stream).bytes.is_empty() {
                self.close(stream);
            }
        }
        self.keep(line.to_owned());
    }

    /// The last whole line that says something.
    #[must_use]
    pub fn last_line(&self) -> Option<&str> {
        self.lines.iter().rev().map(|line| line.trim()).find(|line| !line.is_empty())
    }

    /// Everything kept, and whether the beginning had to be left out.
    #[must_use]
    pub fn finish(mut self) -> (String, bool) {
        for stream in [Stream::Stdout, Stream::Stderr] {
            if !self.open(stream).bytes.is_empty() {
                self.close(stream);
            }
        }
        let mut text = self.lines.into_iter().fold(String::with_capacity(self.bytes), |text, line| text + &line + "\n");
        text.truncate(text.trim_end().len());
        (text, self.cut)
    }

    fn open(&mut self, stream: Stream) -> &mut Open {
        match stream {
            Stream::Stdout => &mut self.stdout,
            Stream::Stderr => &mut self.stderr,
        }
    }

    /// The stream's open line has ended.
    fn close(&mut self, stream: Stream) {
        let redaction = self.redaction.clone();
        let open = self.open(stream);
        let whole = open.bytes.strip_suffix(b"\r").unwrap_or(&open.bytes);
        // What was written over is not what is read: of a progress line its last state stays.
        let shown = whole.rsplit(|b| *b == b'\r').next().unwrap_or_default();
        let line = masked(&redaction, &clean_bytes(shown), &mut open.key_lines).into_owned();
        open.bytes.clear();
        self.keep(line);
    }

    fn keep(&mut self, line: String) {
        self.bytes += line.len() + 1;
        self.lines.push_back(line);
        while self.bytes > KEPT {
            let Some(first) = self.lines.pop_front() else { break };
            self.bytes -= first.len() + 1;
            self.cut = true;
        }
    }
}

/// The line without its secrets. A private key goes on over the lines after its first.
fn masked<'a>(redaction: &Redaction, clean: &'a str, key_lines: &mut u32) -> Cow<'a, str> {
    if *key_lines > 0 {
        *key_lines -= 1;
        if !clean.contains("-----END ") && !clean.trim().is_empty() {
            return Cow::Borrowed(MASK);
        }
        *key_lines = 0;
    }
    if redaction.hides_private_keys() && redact::opens_key(clean) {
        *key_lines = KEY_LINES;
    }
    redaction.text(clean)
}

#[cfg(test)]
mod tests {
    use super::*;

    type Piece<'a> = (Stream, &'a [u8]);

    fn of(pieces: &[Piece<'_>]) -> (String, bool) {
        let mut capture = Capture::new(Arc::default());
        for (stream, piece) in pieces {
            capture.take(*stream, piece);
        }
        capture.finish()
    }

    #[test]
    fn lines_come_out_whole_safe_and_masked() {
        use Stream::{Stderr, Stdout};
        let table: &[(&[Piece<'_>], &str)] = &[
            (&[], ""),
            (&[(Stdout, b"one\ntwo")], "one\ntwo"),
            (&[(Stdout, b"on"), (Stderr, b"warn\n"), (Stdout, b"e\n")], "warn\none"),
            (&[(Stdout, b"\x1b[31mred\x1b[0m \x07bell\n")], "red \u{2407}bell"),
            (&[(Stdout, b"10 %\r50 %\r100 %\r\nready\r\n")], "100 %\nready"),
            (&[(Stdout, b"pass"), (Stdout, b"word=hunter2\n")], "password=\u{2022}\u{2022}\u{2022}\u{2022}\u{2022}\u{2022}"),
            (
                &[(Stdout, b"-----BEGIN PRIVATE KEY-----\nMIIEvQ\n-----END PRIVATE KEY-----\nafter\n")],
                "\u{2022}\u{2022}\u{2022}\u{2022}\u{2022}\u{2022}\n\u{2022}\u{2022}\u{2022}\u{2022}\u{2022}\u{2022}\n-----END PRIVATE KEY-----\nafter",
            ),
            (&[(Stdout, b"\xff\xfe\n\n\n")], "\u{fffd}\u{fffd}"),
        ];
        for (pieces, expected) in table {
            assert_eq!(of(pieces), ((*expected).to_owned(), false), "{pieces:?}");
        }
    }

    #[test]
    fn what_is_kept_has_a_bound_and_it_is_the_end() {
        let mut capture = Capture::new(Arc::default());
        for n in 0..20_000 {
            capture.take(Stream::Stdout, format!("line {n}\n").as_bytes());
        }
        assert_eq!(capture.last_line(), Some("line 19999"));
        capture.remark("over");
        let (text, cut) = capture.finish();
        assert!(cut && text.len() <= KEPT && text.ends_with("line 19999\nover"), "{}", text.len());

        let (text, cut) = of(&[(Stream::Stderr, &vec![b'x'; 3 * KEPT])]);
        assert!(cut && text.len() <= KEPT && text.len() > KEPT / 2);
    }
}
