//! Time spans as Prometheus writes them: `1h30m`.

use std::time::Duration;

/// Units, longest first: their word and milliseconds.
const UNITS: [(&str, u64); 7] =
    [("y", 365 * 86_400_000), ("w", 7 * 86_400_000), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// Reads a span: numbers with units from the longest to the shortest, each at most once; or `0`.
///
/// # Errors
/// A sentence that says what is expected.
pub fn parse_span(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is no time span: expected one such as `30s`, `5m` or `1h30m`");
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    let (mut rest, mut from, mut total) = (text, 0, 0_u64);
    if rest.is_empty() {
        return Err("expected a time span such as `5m`, found nothing".to_owned());
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
        let number: u64 = rest[..digits].parse().map_err(|_| wrong())?;
        rest = &rest[digits..];
        let letters = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
        let unit = UNITS.iter().position(|(word, _)| *word == &rest[..letters]).filter(|unit| *unit >= from).ok_or_else(wrong)?;
        from = unit + 1;
        rest = &rest[letters..];
        let ms = number.checked_mul(UNITS[unit].1).and_then(|ms| total.checked_add(ms));
        total = ms.filter(|ms| i64::try_from(*ms).is_ok()).ok_or_else(wrong)?;
    }
    Ok(Duration::from_millis(total))
}

/// A span as [`parse_span`] reads it.
#[must_use]
pub fn spell_span(span: Duration) -> String {
    let mut left = u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
    let mut out = String::new();
    for (word, unit) in UNITS {
        // Weeks and years are for whole ones only, as Prometheus writes them.
        if left >= unit && (unit <= 86_400_000 || left % unit == 0) {
            out.push_str(&format!("{}{word}", left / unit));
            left %= unit;
        }
    }
    if out.is_empty() { "0s".to_owned() } else { out }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_as_prometheus_reads_them() {
        for (text, ms) in [
            ("30s", Some(30_000)),
            ("1h30m", Some(5_400_000)),
            ("1d", Some(86_400_000)),
            ("1w2d", Some(9 * 86_400_000)),
            ("1y", Some(365 * 86_400_000)),
            ("1m500ms", Some(60_500)),
            ("0", Some(0)),
            ("", None),
            ("5", None),
            ("1.5h", None),
            ("30m1h", None),
            ("5m5m", None),
            ("5 m", None),
            ("99999999999y", None),
        ] {
            assert_eq!(parse_span(text).ok().map(|s| s.as_millis()), ms, "{text:?}");
            if let Ok(span) = parse_span(text) {
                assert_eq!(parse_span(&spell_span(span)), Ok(span), "{text:?}");
            }
        }
    }
}
