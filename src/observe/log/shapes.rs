//! Lines of one shape counted together: what varies from line to line is replaced by a sign for its kind.

use std::collections::HashMap;

use jiff::Timestamp;

use super::{Level, LineView, Store, parse};

/// Shapes kept. What comes after so many is counted as other.
const MOST: usize = 2000;
/// Bytes of a message its shape is made of.
const LENGTH: usize = 240;

/// The shape of a text: numbers are `#`, hexadecimal names `<hex>`, UUIDs `<uuid>`, addresses `<ip>`, quoted texts `""`;
/// the rest stays.
#[must_use]
pub fn shape(text: &str) -> String {
    let mut end = text.len().min(LENGTH);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let mut out = String::with_capacity(end);
    let mut rest = &text[..end];
    while let Some(c) = rest.chars().next() {
        let length = match c {
            '"' | '\'' | '`' if !out.ends_with(|c: char| c.is_alphanumeric()) => quoted(rest, c, &mut out),
            c if c.is_ascii_alphanumeric() => word(rest, &mut out),
            _ => 0,
        };
        if length == 0 {
            out.push(c);
        }
        rest = &rest[length.max(if length == 0 { c.len_utf8() } else { 0 })..];
    }
    out
}

/// A quoted text; 0 where the quote is not closed.
fn quoted(text: &str, quote: char, out: &mut String) -> usize {
    let Some(end) = text[1..].find(quote) else { return 0 };
    out.push(quote);
    out.push(quote);
    end + 2
}

/// A word of letters and digits and what joins them; its length.
fn word(text: &str, out: &mut String) -> usize {
    let joined = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b':');
    let whole = text.bytes().position(|b| !joined(b)).unwrap_or(text.len());
    let bare = text[..whole].trim_end_matches(['.', ':', '-']);
    if is_uuid(bare) {
        out.push_str("<uuid>");
        return bare.len();
    }
    if is_address(bare) {
        out.push_str("<ip>");
        return bare.len();
    }
    let end = text.bytes().position(|b| !b.is_ascii_alphanumeric()).unwrap_or(text.len());
    let plain = &text[..end];
    let digits = plain.bytes().filter(u8::is_ascii_digit).count();
    if plain.len() >= 7 && digits > 1 && digits < plain.len() && plain.bytes().all(|b| b.is_ascii_hexdigit()) {
        out.push_str("<hex>");
        return end;
    }
    let hex = plain.strip_prefix("0x").is_some_and(|h| !h.is_empty() && h.bytes().all(|b| b.is_ascii_hexdigit()));
    if hex {
        out.push_str("<hex>");
        return end;
    }
    let mut after_digit = false;
    for c in plain.chars() {
        let digit = c.is_ascii_digit();
        match (digit, after_digit) {
            (true, true) => {}
            (true, false) => out.push('#'),
            (false, _) => out.push(c),
        }
        after_digit = digit;
    }
    // A fraction is part of its number.
    let fraction = text[end..].strip_prefix('.').map_or(0, |f| f.bytes().take_while(u8::is_ascii_digit).count());
    if after_digit && fraction > 0 { end + 1 + fraction } else { end }
}

fn is_uuid(word: &str) -> bool {
    let parts: Vec<usize> = word.split('-').map(str::len).collect();
    parts == [8, 4, 4, 4, 12] && word.bytes().all(|b| b == b'-' || b.is_ascii_hexdigit())
}

/// An address of IPv4 or IPv6, with a port or without.
fn is_address(word: &str) -> bool {
    let host = word.split(':').next().unwrap_or(word);
    if host.split('.').count() == 4 && host.split('.').all(|p| p.parse::<u8>().is_ok()) {
        return true;
    }
    word.bytes().filter(|b| *b == b':').count() >= 3
        && word.bytes().all(|b| b == b':' || b.is_ascii_hexdigit())
        && word.contains("::")
}

/// Lines of one shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    pub shape: String,
    pub count: u64,
    pub first: Timestamp,
    pub last: Timestamp,
    /// The worst level among them.
    pub worst: Option<Level>,
    /// One of the lines, the newest that was looked at.
    pub sample: u64,
}

/// The shapes of the lines of a store, filled in slices of work, the newest lines first.
#[derive(Clone, Debug, Default)]
pub struct Patterns {
    shapes: HashMap<String, Pattern>,
    /// Lines of shapes that came after the table was full.
    other: u64,
    /// Lines before this place were not looked at yet.
    edge: usize,
}

impl Patterns {
    /// Begins anew with what the store holds.
    #[must_use]
    pub fn new(store: &Store) -> Self {
        Self { edge: store.len(), ..Self::default() }
    }

    /// Looks at so many lines more that are wanted; whether there is more to do. A store that drops lines meanwhile makes it
    /// look at no line twice, but it may pass over some.
    pub fn work(&mut self, store: &Store, wanted: &dyn Fn(&LineView<'_>) -> bool, lines: usize) -> bool {
        let edge = self.edge.min(store.len());
        let from = edge.saturating_sub(lines.max(1));
        for line in (from..edge).rev().filter_map(|index| store.get(index)) {
            if wanted(&line) {
                self.add(&line);
            }
        }
        self.edge = from;
        from > 0
    }

    /// Counts one line: for those that come in after it began. What goes on with a line is counted with it.
    pub fn add(&mut self, line: &LineView<'_>) {
        if line.marker.is_some() || line.continues || line.text.is_empty() {
            return;
        }
        let shape = shape(&parse(line).message);
        let full = self.shapes.len() >= MOST;
        match self.shapes.get_mut(&shape) {
            Some(pattern) => {
                pattern.count += 1;
                pattern.first = pattern.first.min(line.at);
                if line.at >= pattern.last {
                    (pattern.last, pattern.sample) = (line.at, line.seq);
                }
                pattern.worst = pattern.worst.max(line.level);
            }
            None if full => self.other += 1,
            None => {
                let key = shape.clone();
                let (at, worst, sample) = (line.at, line.level, line.seq);
                self.shapes.insert(key, Pattern { shape, count: 1, first: at, last: at, worst, sample });
            }
        }
    }

    /// Lines of shapes that found no place in the table.
    #[must_use]
    pub fn other(&self) -> u64 {
        self.other
    }

    /// The patterns: those first seen since this time first, then by count, the most frequent first.
    #[must_use]
    pub fn sorted(&self, since: Option<Timestamp>) -> Vec<&Pattern> {
        let mut all: Vec<&Pattern> = self.shapes.values().collect();
        let is_old = |p: &Pattern| since.is_none_or(|t| p.first < t);
        all.sort_by(|a, b| (is_old(a), b.count, &a.shape).cmp(&(is_old(b), a.count, &b.shape)));
        all
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::{ChunkBuilder, LogBatch, Stream};
    use super::*;

    #[test]
    fn what_varies_is_taken_out() {
        let table: &[(&str, &str)] = &[
            ("request 17 took 12.5 ms", "request # took # ms"),
            ("order 4b340366-5fea-4df0-a8a7-c4d3f1f1e8a1 paid", "order <uuid> paid"),
            ("from 10.0.0.17:5432, retry in 2s", "from <ip>, retry in #s"),
            ("commit 4b34036 at 0x7ffd", "commit <hex> at <hex>"),
            ("user \"ann lee\" said 'no'", "user \"\" said ''"),
            ("GET /api/lessons/1184 404", "GET /api/lessons/# #"),
            ("it's fine, isn't it", "it's fine, isn't it"),
            ("fe80::1:2 is up", "<ip> is up"),
            ("deadbeef is a word", "deadbeef is a word"),
            ("14:03:22.123 up", "#:#:# up"),
            ("worker-3: über 5 €", "worker-#: über # €"),
            ("open \" quote", "open \" quote"),
            ("", ""),
        ];
        for (text, expected) in table {
            assert_eq!(shape(text), *expected, "{text}");
        }
    }

    #[test]
    fn new_shapes_come_first_and_then_the_frequent_ones() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let mut builder = ChunkBuilder::new();
        for (second, text) in [
            (1, "INFO: job 1 done"),
            (2, "INFO: job 2 done"),
            (3, "x"),
            (4, "WARN: job 3 done"),
            (5, "ERROR: disk full"),
            (5, "  more"),
        ] {
            builder.line(at(second), Stream::Stdout, text.as_bytes());
        }
        let mut store = Store::new(1 << 20);
        store.push(&LogBatch::new("a".into(), Arc::new(builder.finish())));
        let mut patterns = Patterns::new(&store);
        while patterns.work(&store, &|_| true, 2) {}
        let told = |since: Option<i64>| -> Vec<(String, u64)> {
            patterns.sorted(since.map(at)).iter().map(|p| (p.shape.clone(), p.count)).collect()
        };
        let row = |shape: &str, count| (shape.to_owned(), count);
        assert_eq!(told(None), [row("job # done", 3), row("disk full", 1), row("x", 1)]);
        assert_eq!(told(Some(4)), [row("disk full", 1), row("job # done", 3), row("x", 1)]);
        let jobs = patterns.sorted(None)[0].clone();
        assert_eq!((jobs.first, jobs.last, jobs.worst), (at(1), at(4), Some(Level::Warn)));
        assert_eq!(store.line(jobs.sample).unwrap().text, "WARN: job 3 done");
    }

    #[test]
    fn the_table_is_bounded_and_says_so() {
        let mut patterns = Patterns::default();
        for n in 0..MOST + 10 {
            let name: String = n.to_string().bytes().map(|b| char::from(b - b'0' + b'g')).collect();
            let mut builder = ChunkBuilder::new();
            builder.line(Timestamp::UNIX_EPOCH, Stream::Stdout, name.as_bytes());
            patterns.add(&LogBatch::new("a".into(), Arc::new(builder.finish())).line(0).unwrap());
        }
        assert_eq!((patterns.sorted(None).len(), patterns.other()), (MOST, 10));
    }

    proptest::proptest! {
        #[test]
        fn any_text_has_a_shape_and_its_shape_is_short(text in proptest::prelude::any::<String>()) {
            let text = super::super::super::text::clean(&text).into_owned();
            proptest::prop_assert!(shape(&text).chars().count() <= text.chars().count() * 6);
        }
    }
}
