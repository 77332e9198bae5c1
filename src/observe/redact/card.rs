//! Numbers of payment cards, told from other numbers by length, issuer and check digit (ISO/IEC 7812-1).

use std::ops::Range;

/// Every card number in a text, digits in groups included.
pub(super) fn find(text: &str) -> Vec<Range<usize>> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    // A card number is thirteen digits or more with at most one other byte between two of them: of every sixth byte
    // and the one after it, one is a digit.
    while at < bytes.len() {
        if bytes[at].is_ascii_digit() || bytes.get(at + 1).is_some_and(u8::is_ascii_digit) {
            let place = if bytes[at].is_ascii_digit() { at } else { at + 1 };
            let run = run(bytes, place);
            if run.len() >= 14 {
                within(bytes, run.clone(), &mut found);
            }
            at = run.end.max(at + 1);
        } else {
            at += 6;
        }
    }
    found
}

/// Digits around a place, with single spaces and dashes between them.
fn run(bytes: &[u8], place: usize) -> Range<usize> {
    let joined = |i: usize, next: Option<&u8>| matches!(bytes[i], b' ' | b'-') && next.is_some_and(u8::is_ascii_digit);
    let (mut start, mut end) = (place, place + 1);
    while start > 0 && (bytes[start - 1].is_ascii_digit() || joined(start - 1, start.checked_sub(2).and_then(|i| bytes.get(i)))) {
        start -= 1;
    }
    while end < bytes.len() && (bytes[end].is_ascii_digit() || joined(end, bytes.get(end + 1))) {
        end += 1;
    }
    start..end
}

/// The numbers within a run: one group alone, or groups as they are printed on cards.
fn within(bytes: &[u8], run: Range<usize>, found: &mut Vec<Range<usize>>) {
    let mut groups: Vec<Range<usize>> = Vec::new();
    let mut start = run.start;
    for at in run.clone().chain([run.end]) {
        if at == run.end || !bytes[at].is_ascii_digit() {
            groups.push(start..at);
            start = at + 1;
        }
    }
    let mut n = 0;
    while n < groups.len() {
        let size = |i: usize| groups.get(n + i).map_or(0, ExactSizeIterator::len);
        let count = match (size(0), size(1), size(2), size(3)) {
            (14..=19, ..) => 1,
            (4, 6, 4 | 5, _) => 3,
            (4, 4, 4, 2..=4) => 4,
            _ => 0,
        };
        let number = groups[n].start..groups[(n + count.max(1)) - 1].end;
        if count > 0 && alone(bytes, &number) && is_card(&bytes[number.clone()]) {
            found.push(number);
            n += count;
        } else {
            n += 1;
        }
    }
}

/// Whether the number is no part of a longer name: an id, a version, a fraction.
fn alone(bytes: &[u8], number: &Range<usize>) -> bool {
    let part = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    let before = number.start.checked_sub(1).and_then(|i| bytes.get(i));
    let after = bytes.get(number.end);
    let fraction = after == Some(&b'.') && bytes.get(number.end + 1).is_some_and(u8::is_ascii_digit);
    !before.is_some_and(|b| part(b) || *b == b'.') && !after.is_some_and(part) && !fraction
}

fn is_card(text: &[u8]) -> bool {
    let digits: Vec<u8> = text.iter().filter(|b| b.is_ascii_digit()).map(|b| b - b'0').collect();
    let front = |count: usize| digits.iter().take(count).fold(0_u32, |n, d| n * 10 + u32::from(*d));
    let issued = match digits.len() {
        14 => matches!(front(3), 300..=305) || matches!(front(2), 36 | 38),
        15 => matches!(front(2), 34 | 37),
        16 => {
            matches!(front(1), 4)
                || matches!(front(2), 51..=55 | 62 | 65)
                || matches!(front(4), 2221..=2720 | 3528..=3589 | 6011)
                || matches!(front(3), 644..=649)
        }
        17..=19 => front(2) == 62,
        _ => false,
    };
    issued && luhn(&digits)
}

/// The check digit of ISO/IEC 7812-1, annex B.
fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(n, d)| match (n % 2, u32::from(*d)) {
            (1, d) if d > 4 => 2 * d - 9,
            (1, d) => 2 * d,
            (_, d) => d,
        })
        .sum();
    sum.is_multiple_of(10)
}
