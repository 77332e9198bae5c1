//! The time a line begins with, in the ways programs write it. It is told apart, not read: a line has the engine's time.

const MONTHS: &[&[u8; 3]] = &[b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];
const DAYS: &[&[u8; 3]] = &[b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat", b"Sun"];

/// Bytes of the time this text begins with, its zone included; 0 without one.
pub(super) fn leading(text: &str) -> usize {
    let b = text.as_bytes();
    match b.first() {
        Some(b'0'..=b'9') => numeric(b),
        Some(b'A'..=b'Z') => named(b),
        Some(_) | None => 0,
    }
}

/// `2026-11-21 14:03:22`, `2026/11/21 …`, `21/Nov/2026:14:03:22`, `21 Nov 2026 14:03:22`, `14:03:22`.
fn numeric(b: &[u8]) -> usize {
    if digits(b, 0, 4) && matches!(b.get(4), Some(b'-' | b'/')) && digits(b, 5, 2) && b.get(7) == b.get(4) && digits(b, 8, 2) {
        if !matches!(b.get(10), Some(b'T' | b' ' | b't' | b'_')) {
            return 0;
        }
        return zone(b, clock(b, 11));
    }
    if digits(b, 0, 2) && matches!(b.get(2), Some(b'/' | b'-' | b' ')) && month(b, 3) && b.get(6) == b.get(2) && digits(b, 7, 4) {
        return if matches!(b.get(11), Some(b':' | b' ')) { zone(b, clock(b, 12)) } else { 0 };
    }
    zone(b, clock(b, 0))
}

/// `Nov 21 14:03:22`, `Sat Nov 21 14:03:22.123 2026`.
fn named(b: &[u8]) -> usize {
    let start = if at(b, 0, DAYS) && b.get(3) == Some(&b' ') { 4 } else { 0 };
    if !month(b, start) || b.get(start + 3) != Some(&b' ') {
        return 0;
    }
    let day = start + 4;
    if !(digits(b, day + 1, 1) && matches!(b.get(day), Some(b' ' | b'0'..=b'3')) && b.get(day + 2) == Some(&b' ')) {
        return 0;
    }
    let end = clock(b, day + 3);
    let year = end > 0 && b.get(end) == Some(&b' ') && digits(b, end + 1, 4) && !matches!(b.get(end + 5), Some(b'0'..=b'9'));
    if year && start > 0 { end + 5 } else { end }
}

/// `14:03:22` with a fraction; where it ends, 0 without one.
fn clock(b: &[u8], from: usize) -> usize {
    let colon = |i: usize| b.get(i) == Some(&b':');
    if !(digits(b, from, 2) && colon(from + 2) && digits(b, from + 3, 2) && colon(from + 5) && digits(b, from + 6, 2)) {
        return 0;
    }
    let end = from + 8;
    if matches!(b.get(end), Some(b'.' | b',')) && digits(b, end + 1, 1) {
        end + 1 + b[end + 1..].iter().take_while(|c| c.is_ascii_digit()).count()
    } else {
        end
    }
}

/// Where the zone after a time ends: `Z`, `+00:00`, ` +0000`, ` UTC`.
fn zone(b: &[u8], end: usize) -> usize {
    if end == 0 {
        return 0;
    }
    if b.get(end) == Some(&b'Z') {
        return end + 1;
    }
    let sign = if b.get(end) == Some(&b' ') { end + 1 } else { end };
    match b.get(sign) {
        Some(b'+' | b'-') if digits(b, sign + 1, 4) => sign + 5,
        Some(b'+' | b'-') if digits(b, sign + 1, 2) && b.get(sign + 3) == Some(&b':') && digits(b, sign + 4, 2) => sign + 6,
        Some(b'+' | b'-') if digits(b, sign + 1, 2) && sign == end => sign + 3,
        Some(b'A'..=b'Z') if sign > end => {
            let letters = b[sign..].iter().take_while(|c| c.is_ascii_uppercase()).count();
            let name = &b[sign..sign + letters];
            let known = name == b"UTC" || name == b"GMT" || (matches!(letters, 3 | 4) && matches!(name.last(), Some(b'T')));
            if known && !matches!(b.get(sign + letters), Some(b'a'..=b'z' | b':' | b'0'..=b'9')) { sign + letters } else { end }
        }
        Some(_) | None => end,
    }
}

fn digits(b: &[u8], from: usize, count: usize) -> bool {
    b.get(from..from + count).is_some_and(|d| d.iter().all(u8::is_ascii_digit))
}

fn month(b: &[u8], from: usize) -> bool {
    at(b, from, MONTHS)
}

fn at(b: &[u8], from: usize, names: &[&[u8; 3]]) -> bool {
    b.get(from..from + 3).is_some_and(|word| names.iter().any(|n| n.as_slice() == word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_apart_from_what_follows() {
        let table: &[(&str, &str)] = &[
            ("2026-11-21T14:03:22.123456Z INFO", "2026-11-21T14:03:22.123456Z"),
            ("2026-11-21 14:03:22,123 - app", "2026-11-21 14:03:22,123"),
            ("2026-11-21 14:03:22.123 UTC [1] LOG", "2026-11-21 14:03:22.123 UTC"),
            ("2026-11-21 14:03:22 CEST [1]", "2026-11-21 14:03:22 CEST"),
            ("2026-11-21 14:03:22 ERROR x", "2026-11-21 14:03:22"),
            ("2026-11-21 14:03:22 +0100] x", "2026-11-21 14:03:22 +0100"),
            ("2026-11-21T14:03:22+01:00 x", "2026-11-21T14:03:22+01:00"),
            ("2026-11-21 14:03:22.1+00 x", "2026-11-21 14:03:22.1+00"),
            ("2026/11/21 14:03:22 http: x", "2026/11/21 14:03:22"),
            ("21/Nov/2026:14:03:22 +0000] x", "21/Nov/2026:14:03:22 +0000"),
            ("21 Nov 2026 14:03:22.123 * x", "21 Nov 2026 14:03:22.123"),
            ("21-Nov-2026 14:03:22] NOTICE", "21-Nov-2026 14:03:22"),
            ("Nov 21 14:03:22 host x", "Nov 21 14:03:22"),
            ("Nov  1 14:03:22 2026", "Nov  1 14:03:22"),
            ("Sat Nov 21 14:03:22.5 2026] x", "Sat Nov 21 14:03:22.5 2026"),
            ("14:03:22.123 [main] INFO", "14:03:22.123"),
            ("2026-11-21 is a day", ""),
            ("Nov is a month", ""),
            ("1234 items", ""),
            ("", ""),
        ];
        for (text, expected) in table {
            assert_eq!(&text[..leading(text)], *expected, "{text}");
        }
    }
}
