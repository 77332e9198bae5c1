//! Reads a JSON object in place: its members in their order, borrowed, without building anything.

use std::borrow::Cow;

use crate::observe::text;

use super::format::{Found, by_status};
use super::{Format, Level};

/// Objects within objects that are opened; what lies deeper stays text.
const DEPTH: usize = 8;

/// A place in a JSON text.
#[derive(Clone, Copy)]
pub(super) struct Scan<'a> {
    text: &'a str,
    at: usize,
}

/// A value as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Value<'a> {
    /// What stands between the quotes, escapes untouched.
    Text(&'a str),
    /// A number, a word, an array, an empty object.
    Other(&'a str),
}

impl<'a> Value<'a> {
    /// The value for people: escapes undone, and made safe again, because an escape may hide anything.
    pub(super) fn read(self) -> Cow<'a, str> {
        match self {
            Self::Text(raw) if raw.contains('\\') => Cow::Owned(text::clean(&unescape(raw)).into_owned()),
            Self::Text(raw) | Self::Other(raw) => Cow::Borrowed(raw),
        }
    }

    /// Its text as it is written.
    pub(super) fn raw(self) -> &'a str {
        match self {
            Self::Text(raw) | Self::Other(raw) => raw,
        }
    }
}

impl<'a> Scan<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// The next byte that is not white.
    pub(super) fn peek(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = bytes.get(self.at) {
            self.at += 1;
        }
        bytes.get(self.at).copied()
    }

    /// Takes this byte if it is the next.
    pub(super) fn take(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }

    /// Takes a string; what stands between its quotes.
    pub(super) fn string(&mut self) -> Option<&'a str> {
        self.take(b'"')?;
        let start = self.at;
        let bytes = self.text.as_bytes();
        loop {
            let found = self.at + memchr::memchr2(b'"', b'\\', bytes.get(self.at..)?)?;
            if bytes[found] == b'"' {
                self.at = found + 1;
                return self.text.get(start..found);
            }
            self.at = found + 2;
        }
    }

    /// Takes any value.
    pub(super) fn value(&mut self) -> Option<Value<'a>> {
        match self.peek()? {
            b'"' => self.string().map(Value::Text),
            b'{' | b'[' => self.nested().map(Value::Other),
            b'-' | b'0'..=b'9' | b'a'..=b'z' => {
                let rest = &self.text[self.at..];
                let end = rest.bytes().position(|b| matches!(b, b',' | b'}' | b']' | b' ')).unwrap_or(rest.len());
                self.at += end;
                Some(Value::Other(&rest[..end]))
            }
            _ => None,
        }
    }

    /// Takes an object or an array whole.
    fn nested(&mut self) -> Option<&'a str> {
        let start = self.at;
        let bytes = self.text.as_bytes();
        let mut open = 0_u32;
        loop {
            match bytes.get(self.at)? {
                b'"' => {
                    self.string()?;
                    continue;
                }
                b'{' | b'[' => open += 1,
                b'}' | b']' => {
                    open -= 1;
                    if open == 0 {
                        self.at += 1;
                        return self.text.get(start..self.at);
                    }
                }
                _ => {}
            }
            self.at += 1;
        }
    }

    /// Takes `"key":`.
    pub(super) fn key(&mut self) -> Option<&'a str> {
        let key = self.string()?;
        self.take(b':')?;
        Some(key)
    }

    /// After a member: whether another follows. `None` where it is no JSON.
    pub(super) fn more(&mut self, close: u8) -> Option<bool> {
        match self.peek()? {
            b',' => {
                self.at += 1;
                Some(true)
            }
            b if b == close => {
                self.at += 1;
                Some(false)
            }
            _ => None,
        }
    }
}

/// Calls for each member, those of objects within with the keys that lead to them, until told to stop. `None` where the
/// text is no JSON object; what was told before that holds.
pub(super) fn walk<'a>(text: &'a str, each: &mut dyn FnMut(&[&'a str], Value<'a>) -> bool) -> Option<()> {
    let mut scan = Scan::new(text);
    let mut path = [""; DEPTH];
    members(&mut scan, &mut path, 0, each).map(drop)
}

fn members<'a>(
    scan: &mut Scan<'a>,
    path: &mut [&'a str; DEPTH],
    depth: usize,
    each: &mut dyn FnMut(&[&'a str], Value<'a>) -> bool,
) -> Option<bool> {
    scan.take(b'{')?;
    if scan.peek()? == b'}' {
        return scan.take(b'}').map(|()| true);
    }
    loop {
        path[depth] = scan.key()?;
        let opened = scan.peek()? == b'{' && depth + 1 < DEPTH && {
            let mut ahead = *scan;
            ahead.take(b'{')?;
            ahead.peek()? != b'}'
        };
        let on = if opened { members(scan, path, depth + 1, each)? } else { each(&path[..=depth], scan.value()?) };
        if !on || !scan.more(b'}')? {
            return Some(on);
        }
    }
}

/// The level of a JSON object; `None` where the text is none.
pub(super) fn level(line: &str) -> Option<Found> {
    let mut scan = Scan::new(line);
    scan.take(b'{')?;
    if scan.peek()? == b'}' {
        return Some((Format::Json, None));
    }
    let (mut second, mut status) = (None, None);
    loop {
        let key = scan.key()?;
        if key == "log" && scan.peek()? == b'{' {
            // Elastic's common schema.
            let _ = walk(&line[scan.at..], &mut |path, value| {
                second = second.or_else(|| (path == ["level"]).then(|| named(value)).flatten());
                second.is_none()
            });
        }
        let value = scan.value()?;
        match key {
            "level" | "severity" | "lvl" | "levelname" | "log.level" | "@l" | "loglevel" | "logLevel" | "log_level"
            | "severity_text" | "Level" | "LEVEL" | "Severity" => {
                let found = named(value);
                if found.is_some() {
                    return Some((Format::Json, found));
                }
            }
            "s" => second = second.or_else(|| letter(value)),
            "PRIORITY" => second = second.or_else(|| value.raw().parse().ok().and_then(Level::of_severity)),
            "status" | "status_code" | "statusCode" => status = status.or(Some(value)),
            _ => {}
        }
        if !scan.more(b'}')? {
            return Some((Format::Json, second.or_else(|| status.and_then(of_status))));
        }
    }
}

fn named(value: Value<'_>) -> Option<Level> {
    match value {
        Value::Text(word) => Level::parse(word.trim()).or_else(|| word.parse().ok().and_then(Level::of_number)),
        Value::Other(number) => number.parse().ok().and_then(Level::of_number),
    }
}

/// `MongoDB`'s severities.
fn letter(value: Value<'_>) -> Option<Level> {
    match value {
        Value::Text("F") => Some(Level::Fatal),
        Value::Text("E") => Some(Level::Error),
        Value::Text("W") => Some(Level::Warn),
        Value::Text("I") => Some(Level::Info),
        Value::Text("D" | "D1" | "D2" | "D3" | "D4" | "D5") => Some(Level::Debug),
        Value::Text(_) | Value::Other(_) => None,
    }
}

/// A status is one of HTTP, or a level as Datadog writes it.
fn of_status(value: Value<'_>) -> Option<Level> {
    match value {
        Value::Other(number) => number.parse().ok().filter(|n| (100..600).contains(n)).map(by_status),
        Value::Text(word) if word.len() == 3 && word.as_bytes()[0].is_ascii_digit() => {
            word.parse().ok().filter(|n| (100..600).contains(n)).map(by_status)
        }
        Value::Text(word) => Level::parse(word),
    }
}

/// Undoes the escapes of a JSON string. What is no escape stays as it is.
pub(super) fn unescape(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let mut after = rest[at + 1..].chars();
        let plain = match after.next() {
            Some('n') => Some('\n'),
            Some('t') => Some('\t'),
            Some('r') => Some('\r'),
            Some('b') => Some('\u{8}'),
            Some('f') => Some('\u{c}'),
            Some(c @ ('"' | '\\' | '/')) => Some(c),
            Some('u') => {
                let (c, used) = unicode(after.as_str());
                after = after.as_str()[used..].chars();
                Some(c)
            }
            Some(_) | None => None,
        };
        out.push(plain.unwrap_or('\\'));
        rest = if plain.is_some() { after.as_str() } else { &rest[at + 1..] };
    }
    out.push_str(rest);
    out
}

/// The character of `XXXX` after `\u`, with the other half of a pair; and the bytes it takes.
fn unicode(text: &str) -> (char, usize) {
    let hex = |from: usize| text.get(from..from + 4).and_then(|d| u16::from_str_radix(d, 16).ok());
    let Some(first) = hex(0) else { return ('\u{fffd}', 0) };
    let second = text.get(4..6).filter(|e| *e == "\\u").and_then(|_| hex(6));
    let pair = second.and_then(|s| char::decode_utf16([first, s]).next()).and_then(Result::ok).filter(|c| c.len_utf16() == 2);
    match (pair, char::from_u32(u32::from(first))) {
        (Some(c), _) => (c, 10),
        (None, Some(c)) => (c, 4),
        (None, None) => ('\u{fffd}', 4),
    }
}
