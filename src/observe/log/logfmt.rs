//! `key=value key="two words"`: lines that are written so throughout, and pairs within a message.

use std::borrow::Cow;

use crate::observe::text;

use super::format::Found;
use super::{Format, Level};

/// A pair: the key, the value as written between its quotes, and whether it had any.
pub(super) type Pair<'a> = (&'a str, &'a str, bool);

/// The pairs of a text, and whatever stands between them skipped.
pub(super) struct Pairs<'a> {
    text: &'a str,
    at: usize,
    /// Words that are no pair were passed over.
    pub skipped: usize,
}

impl<'a> Pairs<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0, skipped: 0 }
    }
}

impl<'a> Iterator for Pairs<'a> {
    type Item = Pair<'a>;

    fn next(&mut self) -> Option<Pair<'a>> {
        let bytes = self.text.as_bytes();
        loop {
            while matches!(bytes.get(self.at), Some(b' ' | b',' | b'(' | b'[')) {
                self.at += 1;
            }
            let start = self.at;
            while bytes.get(self.at).is_some_and(|b| is_key(*b)) {
                self.at += 1;
            }
            let key = &self.text[start..self.at];
            if bytes.get(self.at) != Some(&b'=') || key.is_empty() || bytes.get(self.at + 1) == Some(&b'=') {
                let word = memchr::memchr(b' ', bytes.get(start..).filter(|r| !r.is_empty())?);
                self.at = word.map_or(bytes.len(), |n| start + n);
                self.skipped += 1;
                continue;
            }
            self.at += 1;
            return Some(self.value(key));
        }
    }
}

impl<'a> Pairs<'a> {
    fn value(&mut self, key: &'a str) -> Pair<'a> {
        let bytes = self.text.as_bytes();
        let start = self.at;
        if bytes.get(start) == Some(&b'"') {
            let mut at = start + 1;
            while let Some(found) = bytes.get(at..).and_then(|rest| memchr::memchr2(b'"', b'\\', rest)) {
                if bytes[at + found] == b'"' {
                    self.at = at + found + 1;
                    return (key, &self.text[start + 1..at + found], true);
                }
                at += found + 2;
            }
        }
        let end = memchr::memchr(b' ', &bytes[start..]).map_or(bytes.len(), |n| start + n);
        self.at = end;
        (key, self.text[start..end].trim_end_matches([',', ')', ']']), false)
    }
}

fn is_key(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-' | b'/' | b'@')
}

/// The value for people.
pub(super) fn read(raw: &str, quoted: bool) -> Cow<'_, str> {
    if quoted && raw.contains('\\') {
        Cow::Owned(text::clean(&super::json::unescape(raw)).into_owned())
    } else {
        Cow::Borrowed(raw)
    }
}

/// The level of a line that is logfmt; `None` where it is not: its first word is a pair, and so is nearly every other.
pub(super) fn level(line: &str) -> Option<Found> {
    let head = line.as_bytes();
    let first = head.iter().position(|b| !is_key(*b))?;
    if first == 0 || head[first] != b'=' || !head[0].is_ascii_alphabetic() {
        return None;
    }
    let mut pairs = Pairs::new(line);
    let (mut count, mut found, mut second) = (0, None, None);
    for (key, value, _) in &mut pairs {
        count += 1;
        match key {
            "level" | "lvl" | "severity" | "loglevel" | "levelname" | "log.level" => {
                found = found.or_else(|| Level::parse(value));
            }
            "at" => second = second.or_else(|| Level::parse(value)),
            _ => {}
        }
        if found.is_some() && count > 2 {
            return Some((Format::Logfmt, found));
        }
    }
    let known = found.is_some() || second.is_some();
    ((count > 1 && pairs.skipped < count) || (known && pairs.skipped <= 1)).then_some((Format::Logfmt, found.or(second)))
}
