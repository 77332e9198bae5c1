//! Quantities as Kubernetes writes them: `100m`, `64Mi`, `1149552n`, `2`.

/// As a number in its unit; `None` for what is no quantity.
#[must_use]
pub fn parse(text: &str) -> Option<f64> {
    let split = text.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '+' | '-'))).unwrap_or(text.len());
    let (number, suffix) = text.split_at(split);
    let number: f64 = number.parse().ok()?;
    let factor = match suffix {
        "" => 1.0,
        "n" => 1e-9,
        "u" => 1e-6,
        "m" => 1e-3,
        "k" => 1e3,
        "M" => 1e6,
        "G" => 1e9,
        "T" => 1e12,
        "P" => 1e15,
        "E" => 1e18,
        "Ki" => 1024.0,
        "Mi" => 1024_f64.powi(2),
        "Gi" => 1024_f64.powi(3),
        "Ti" => 1024_f64.powi(4),
        "Pi" => 1024_f64.powi(5),
        "Ei" => 1024_f64.powi(6),
        exponent => 10_f64.powi(exponent.strip_prefix(['e', 'E'])?.parse().ok()?),
    };
    let value = number * factor;
    value.is_finite().then_some(value)
}

/// Whole units: bytes, pods.
#[must_use]
pub fn whole(text: &str) -> Option<u64> {
    rounded(parse(text)?)
}

/// Thousandths, rounded up as the scheduler does.
#[must_use]
pub fn milli(text: &str) -> Option<u64> {
    rounded((parse(text)? * 1000.0 - 1e-6).ceil())
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be a whole number that fits")]
fn rounded(value: f64) -> Option<u64> {
    (0.0..9e18).contains(&value).then_some(value as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_read_and_what_is_none_is_not() {
        let table = [
            ("100m", Some(0), Some(100)),
            ("2", Some(2), Some(2000)),
            ("1149552n", Some(0), Some(2)),
            ("64Mi", Some(67_108_864), Some(67_108_864_000)),
            ("1e3", Some(1000), Some(1_000_000)),
            ("0.5", Some(0), Some(500)),
            ("", None, None),
            ("12Q", None, None),
            ("-1", None, None),
        ];
        for (text, bytes, thousandths) in table {
            assert_eq!((whole(text), milli(text)), (bytes, thousandths), "{text}");
        }
    }
}
