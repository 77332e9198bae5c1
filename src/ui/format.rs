//! Figures only the screen needs; the others are `app::format`.

use std::fmt::Write as _;

use jiff::Timestamp;

/// Bytes a second: `12K/s`.
#[must_use]
pub fn rate(value: f64) -> String {
    let mut text = crate::app::format::bytes(value);
    text.push_str("/s");
    text
}

/// A span with seconds, for what is waited for: `9 s`, `01:12`, `2:03:04`.
#[must_use]
pub fn elapsed(seconds: i64) -> String {
    let s = seconds.max(0);
    match s {
        i64::MIN..60 => format!("{s} s"),
        60..3600 => format!("{:02}:{:02}", s / 60, s % 60),
        3600.. => format!("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60),
    }
}

/// Seconds of the day at this many minutes east of UTC.
fn of_day(at: Timestamp, offset_minutes: i32) -> i64 {
    (at.as_second() + i64::from(offset_minutes) * 60).rem_euclid(86_400)
}

/// `14:03:22.112`, into a buffer of the caller's: a log draws many of them.
pub fn stamp(out: &mut String, at: Timestamp, offset_minutes: i32) {
    let s = of_day(at, offset_minutes);
    let ms = at.subsec_nanosecond().rem_euclid(1_000_000_000) / 1_000_000;
    // Writing to a String cannot fail.
    let _ = write!(out, "{:02}:{:02}:{:02}.{ms:03}", s / 3600, s / 60 % 60, s % 60);
}

/// A count with its thousands apart: `12,403`.
#[must_use]
pub fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A content address as far as a person compares it: `9f2a41c07b1d`.
#[must_use]
pub fn digest(text: &str) -> &str {
    let hex = text.rsplit(':').next().unwrap_or(text);
    hex.char_indices().nth(12).map_or(hex, |(end, _)| &hex[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_run_in_seconds() {
        assert_eq!([elapsed(9), elapsed(72), elapsed(7384), elapsed(-1)], ["9 s", "01:12", "2:03:04", "0 s"]);
    }

    #[test]
    fn times_of_day_move_with_the_offset() {
        let at = Timestamp::from_millisecond(1_774_101_802_112).unwrap();
        let mut text = String::new();
        stamp(&mut text, at, 0);
        stamp(&mut text, at, 60);
        assert_eq!(text, "14:03:22.11215:03:22.112");
    }

    #[test]
    fn counts_and_digests_are_readable() {
        assert_eq!([count(0), count(999), count(12_403), count(1_234_567)], ["0", "999", "12,403", "1,234,567"]);
        assert_eq!((digest("sha256:9f2a41c07b1dffff"), digest("short")), ("9f2a41c07b1d", "short"));
    }
}
