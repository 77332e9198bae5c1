//! Readers of single values: each notes what it did not like and where, and gives nothing then.

use std::fmt::Write;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use toml::de::DeValue;

use super::{Node, unknown};

/// A string that is not empty and has no control characters.
#[must_use]
pub fn text(node: Node<'_>) -> Option<Arc<str>> {
    without(node, char::is_control)
}

/// The same, with line breaks and tabs: what a file is to hold.
#[must_use]
pub fn lines(node: Node<'_>) -> Option<Arc<str>> {
    without(node, |c| c.is_control() && c != '\n' && c != '\t')
}

fn without(node: Node<'_>, bad: impl Fn(char) -> bool) -> Option<Arc<str>> {
    let DeValue::String(text) = node.value() else { return node.mismatch("a string") };
    if text.trim().is_empty() {
        node.note("must not be empty");
        return None;
    }
    if let Some(c) = text.chars().find(|c| bad(*c)) {
        node.note(format!("must not hold the control character {}", c.escape_unicode()));
        return None;
    }
    Some(text.as_ref().into())
}

/// A string without white space: names of environments, workloads, probes.
#[must_use]
pub fn name(node: Node<'_>) -> Option<Arc<str>> {
    let text = text(node)?;
    if text.contains(char::is_whitespace) {
        node.note("a name has no spaces in it");
        return None;
    }
    Some(text)
}

/// `true` or `false`.
#[must_use]
pub fn boolean(node: Node<'_>) -> Option<bool> {
    match node.value() {
        DeValue::Boolean(value) => Some(*value),
        _ => node.mismatch("`true` or `false`"),
    }
}

/// A whole number within bounds.
pub fn integer(bounds: RangeInclusive<u64>) -> impl Fn(Node<'_>) -> Option<u64> {
    move |node| {
        let DeValue::Integer(value) = node.value() else { return node.mismatch("a whole number") };
        let parsed = u64::from_str_radix(value.as_str(), value.radix()).ok().filter(|v| bounds.contains(v));
        if parsed.is_none() {
            let most = if *bounds.end() == u64::MAX { "more".to_owned() } else { bounds.end().to_string() };
            node.note(format!("expected a whole number from {} to {most}, found {value}", bounds.start()));
        }
        parsed
    }
}

/// A whole number that fits `u32`, within bounds.
pub fn count(bounds: RangeInclusive<u32>) -> impl Fn(Node<'_>) -> Option<u32> {
    let whole = integer(u64::from(*bounds.start())..=u64::from(*bounds.end()));
    move |node| whole(node).and_then(|v| u32::try_from(v).ok())
}

/// A TCP port.
#[must_use]
pub fn port(node: Node<'_>) -> Option<u16> {
    integer(1..=65_535)(node).and_then(|v| u16::try_from(v).ok())
}

/// A finite number.
#[must_use]
pub fn number(node: Node<'_>) -> Option<f64> {
    let parsed = match node.value() {
        DeValue::Float(value) => value.as_str().parse::<f64>().ok(),
        DeValue::Integer(value) => value.to_string().parse::<f64>().ok(),
        _ => return node.mismatch("a number"),
    };
    if parsed.is_none_or(|v| !v.is_finite()) {
        node.note("expected a finite number");
        return None;
    }
    parsed
}

/// One of a few words.
pub fn choice<T: Copy>(words: &[(&'static str, T)]) -> impl Fn(Node<'_>) -> Option<T> {
    move |node| {
        let DeValue::String(word) = node.value() else { return node.mismatch("a string") };
        let found = words.iter().find(|(w, _)| w == word).map(|(_, value)| *value);
        if found.is_none() {
            node.note(unknown("value", word, words.iter().map(|(w, _)| *w)));
        }
        found
    }
}

/// A time span as people write it: `"10s"`, `"1m30s"`.
#[must_use]
pub fn duration(node: Node<'_>) -> Option<Duration> {
    let DeValue::String(text) = node.value() else { return node.mismatch("a time span such as \"10s\"") };
    parse_duration(text).map_err(|why| node.note(why)).ok()
}

/// A time span that is not nothing.
#[must_use]
pub fn positive_duration(node: Node<'_>) -> Option<Duration> {
    let span = duration(node)?;
    if span.is_zero() {
        node.note("must be longer than nothing");
        return None;
    }
    Some(span)
}

/// A moment: RFC 3339, as a string or as TOML's own date.
#[must_use]
pub fn moment(node: Node<'_>) -> Option<Timestamp> {
    let text = match node.value() {
        DeValue::String(text) => text.to_string(),
        DeValue::Datetime(at) => at.to_string(),
        _ => return node.mismatch("a moment such as \"2026-12-24T00:00:00Z\""),
    };
    let parsed = text.parse::<Timestamp>().ok();
    if parsed.is_none() {
        node.note("expected a moment with its offset, such as \"2026-12-24T00:00:00Z\"");
    }
    parsed
}

/// A size in bytes: a whole number, or `"64MiB"`.
#[must_use]
pub fn bytes(node: Node<'_>) -> Option<u64> {
    match node.value() {
        DeValue::Integer(_) => integer(0..=u64::MAX)(node),
        DeValue::String(text) => parse_bytes(text).map_err(|why| node.note(why)).ok(),
        _ => node.mismatch("a size such as \"64MiB\""),
    }
}

/// An array of values that must not be empty.
pub fn list<T>(of: &'static str, reader: impl Fn(Node<'_>) -> Option<T>) -> impl Fn(Node<'_>) -> Option<Vec<T>> {
    move |node| {
        let items = node.items(of)?;
        if items.is_empty() {
            node.note(format!("expected {of}, found an empty one"));
            return None;
        }
        let wanted = items.len();
        let read: Vec<T> = items.into_iter().filter_map(&reader).collect();
        (read.len() == wanted).then_some(read)
    }
}

/// An array of strings that must not be empty.
#[must_use]
pub fn texts(node: Node<'_>) -> Option<Vec<Arc<str>>> {
    list("an array of strings", text)(node)
}

/// An address as `host:port`.
#[must_use]
pub fn host_port(node: Node<'_>) -> Option<Arc<str>> {
    let text = text(node)?;
    let fits = text
        .rsplit_once(':')
        .is_some_and(|(host, port)| !host.is_empty() && !host.contains(['/', ' ']) && port.parse::<u16>().is_ok_and(|p| p > 0));
    if !fits {
        node.note("expected `HOST:PORT`, such as \"db.internal:5432\"");
        return None;
    }
    Some(text)
}

/// An address that begins with `http://` or `https://` and names a host.
#[must_use]
pub fn url(node: Node<'_>) -> Option<Arc<str>> {
    let text = text(node)?;
    let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    if rest.is_none_or(|r| r.is_empty() || r.starts_with('/') || r.contains(char::is_whitespace)) {
        node.note("expected an address such as \"https://host/path\"");
        return None;
    }
    Some(text)
}

/// Reads a time span: numbers each with one of `ms s m h d`, such as `90s`, `1m30s`, `500ms`; at most 10 years.
///
/// # Errors
/// A sentence that says what is expected.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    const UNITS: [(&str, u64); 5] = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];
    const MOST: u64 = 10 * 365 * 86_400_000;
    let wrong = || format!("`{}` is no time span: expected a number with a unit, such as `10s`, `1m30s` or `500ms`", text.trim());
    let mut rest = text.trim();
    let mut total = 0_u64;
    if rest.is_empty() {
        return Err("expected a time span such as `10s`".to_owned());
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let number: u64 = rest[..digits].parse().map_err(|_| wrong())?;
        rest = &rest[digits..];
        let letters = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
        let (_, unit) = UNITS.iter().find(|(word, _)| *word == &rest[..letters]).ok_or_else(wrong)?;
        rest = &rest[letters..];
        total = number.checked_mul(*unit).and_then(|ms| total.checked_add(ms)).filter(|t| *t <= MOST).ok_or_else(wrong)?;
    }
    Ok(Duration::from_millis(total))
}

/// A time span as [`parse_duration`] reads it.
#[must_use]
pub fn spell_duration(span: Duration) -> String {
    let mut left = span.as_millis();
    let mut out = String::new();
    for (word, unit) in [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)] {
        if left >= unit {
            // Writing to a String cannot fail.
            let _ = write!(out, "{}{word}", left / unit);
            left %= unit;
        }
    }
    if out.is_empty() { "0s".to_owned() } else { out }
}

/// Reads a size: a number with one of `B KiB MiB GiB kB MB GB`.
///
/// # Errors
/// A sentence that says what is expected.
pub fn parse_bytes(text: &str) -> Result<u64, String> {
    const UNITS: [(&str, u64); 8] = [
        ("", 1),
        ("B", 1),
        ("kB", 1_000),
        ("MB", 1_000_000),
        ("GB", 1_000_000_000),
        ("KiB", 1 << 10),
        ("MiB", 1 << 20),
        ("GiB", 1 << 30),
    ];
    let wrong = || format!("`{}` is no size: expected a whole number with a unit, such as `64MiB`", text.trim());
    let trimmed = text.trim();
    let digits = trimmed.find(|c: char| !c.is_ascii_digit()).unwrap_or(trimmed.len());
    let number: u64 = trimmed[..digits].parse().map_err(|_| wrong())?;
    let unit = trimmed[digits..].trim_start();
    let (_, factor) = UNITS.iter().find(|(word, _)| *word == unit).ok_or_else(wrong)?;
    number.checked_mul(*factor).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_spans_are_read_as_people_write_them() {
        let table: &[(&str, Option<u64>)] = &[
            ("10s", Some(10_000)),
            ("1m30s", Some(90_000)),
            ("500ms", Some(500)),
            (" 2h ", Some(7_200_000)),
            ("1d", Some(86_400_000)),
            ("0s", Some(0)),
            ("10", None),
            ("s", None),
            ("", None),
            ("1 m", None),
            ("10x", None),
            ("-1s", None),
            ("99999999999999999999s", None),
            ("999999999d", None),
        ];
        for (text, ms) in table {
            assert_eq!(parse_duration(text).ok().map(|d| d.as_millis()), ms.map(u128::from), "{text:?}");
        }
    }

    #[test]
    fn a_time_span_survives_being_written_and_read() {
        for ms in [0, 1, 500, 1_000, 1_500, 90_000, 3_600_000, 90_061_001] {
            let span = Duration::from_millis(ms);
            assert_eq!(parse_duration(&spell_duration(span)), Ok(span), "{ms} ms");
        }
    }

    #[test]
    fn sizes_are_read_as_people_write_them() {
        let table: &[(&str, Option<u64>)] = &[
            ("64MiB", Some(64 << 20)),
            ("1 GB", Some(1_000_000_000)),
            ("7", Some(7)),
            ("12kB", Some(12_000)),
            ("MiB", None),
            ("1.5MiB", None),
            ("64mib", None),
            ("99999999999GiB", None),
        ];
        for (text, expected) in table {
            assert_eq!(parse_bytes(text).ok(), *expected, "{text:?}");
        }
    }
}
