//! From the bytes of a log reply to lines: the kubelet puts a time stamp before each and joins what the runtime had cut. It
//! does not tell the two streams apart. Pure: bytes in, lines out, in pieces of any size.

use crate::engine::reading::{LINE_LIMIT, Line, STAMP, split_stamp};
use crate::observe::log::Stream;

/// A buffer that has grown beyond this is given back, bytes.
const SMALL: usize = 64 * 1024;

/// Cuts a log reply into lines.
#[derive(Debug, Default)]
pub struct Lines {
    /// A line whose end has not come.
    held: Vec<u8>,
}

impl Lines {
    /// Calls `each` with every line completed by these bytes.
    pub fn push(&mut self, mut bytes: &[u8], each: &mut impl FnMut(Line<'_>)) {
        while let Some(end) = memchr::memchr(b'\n', bytes) {
            let (line, rest) = (&bytes[..end], &bytes[end + 1..]);
            if self.held.is_empty() {
                told(line, each);
            } else {
                self.extend(line);
                let mut held = std::mem::take(&mut self.held);
                told(&held, each);
                held.clear();
                self.held = if held.capacity() > SMALL { Vec::new() } else { held };
            }
            bytes = rest;
        }
        self.extend(bytes);
    }

    /// There is nothing more of this log: what has no end yet is a line too.
    pub fn finish(&mut self, each: &mut impl FnMut(Line<'_>)) {
        let held = std::mem::take(&mut self.held);
        if !held.is_empty() {
            told(&held, each);
        }
    }

    /// The reply broke off: a line whose end has not come will come again.
    pub fn forget(&mut self) {
        self.held.clear();
    }

    fn extend(&mut self, bytes: &[u8]) {
        let room = (LINE_LIMIT + STAMP + 2).saturating_sub(self.held.len());
        self.held.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }
}

fn told(raw: &[u8], each: &mut impl FnMut(Line<'_>)) {
    let (at, text) = split_stamp(raw);
    let text = text.strip_suffix(b"\r").unwrap_or(text);
    each(Line { at, stream: Stream::Stdout, bytes: &text[..text.len().min(LINE_LIMIT)] });
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORDED: &[u8] = include_bytes!("../../../../tests/engines/kubernetes/recorded/log-timestamps.log");

    fn read(bytes: &[u8], size: usize) -> Vec<(String, String)> {
        let (mut lines, mut read) = (Lines::default(), Vec::new());
        let mut each = |line: Line<'_>| {
            let at = line.at.map(|at| at.to_string()).unwrap_or_default();
            read.push((at, String::from_utf8_lossy(line.bytes).into_owned()));
        };
        for piece in bytes.chunks(size) {
            lines.push(piece, &mut each);
        }
        lines.finish(&mut each);
        read
    }

    #[test]
    fn a_recorded_log_is_read_whatever_the_pieces() {
        let whole = read(RECORDED, usize::MAX);
        let text = std::str::from_utf8(RECORDED).unwrap();
        // As a time, not as a text: the kubelet writes all nine digits.
        let plain = |line: &str| {
            let (at, text) = line.split_once(' ').unwrap();
            (at.parse::<jiff::Timestamp>().unwrap().to_string(), text.to_owned())
        };
        let plain: Vec<(String, String)> = text.lines().map(plain).collect();
        assert!(whole.len() > 20);
        assert_eq!(whole, plain);
        for size in [1, 7, 64, 4096] {
            assert_eq!(read(RECORDED, size), whole, "in pieces of {size}");
        }
    }

    #[test]
    fn odd_lines_are_kept() {
        let lines = read(
            b"2026-11-21T00:35:59.1Z \n2026-11-21T00:35:59.2Z a\r\nunable to retrieve container logs\n2026-11-21T00:36:00Z end",
            9,
        );
        let texts: Vec<&str> = lines.iter().map(|(_, text)| text.as_str()).collect();
        assert_eq!(texts, ["", "a", "unable to retrieve container logs", "end"]);
        assert_eq!(lines[2].0, "", "the kubelet's own words have no time");
    }

    #[test]
    fn a_line_without_end_is_bounded_and_one_that_broke_off_forgotten() {
        let mut lines = Lines::default();
        for _ in 0..40 {
            lines.push(&vec![b'x'; 64 * 1024], &mut |_| panic!("no line ends here"));
        }
        let mut longest = 0;
        lines.push(b"\n", &mut |line| longest = line.bytes.len());
        assert_eq!(longest, LINE_LIMIT);
        lines.push(b"half", &mut |_| panic!("no line ends here"));
        lines.forget();
        lines.finish(&mut |_| panic!("it is forgotten"));
    }
}
