//! Figures and times as short text: one place, so that a byte count reads the same on every screen.

use jiff::Timestamp;

pub use crate::observe::metric::words::figure;

/// What stands where an engine cannot say.
pub const UNKNOWN: &str = "–";

/// Bytes in binary units to three digits: `0`, `812`, `1.2K`, `612M`, `3.0G`.
#[must_use]
pub fn bytes(count: f64) -> String {
    const UNITS: [&str; 6] = ["", "K", "M", "G", "T", "P"];
    let mut value = count.max(0.0);
    let mut unit = 0;
    while value >= 999.5 && unit < UNITS.len() - 1 {
        value /= 1024.0;
        unit += 1;
    }
    if unit == 0 || value >= 9.95 { format!("{value:.0}{}", UNITS[unit]) } else { format!("{value:.1}{}", UNITS[unit]) }
}

/// Processor cores: `0.42`, `12.5`, `128`.
#[must_use]
pub fn cores(cores: f64) -> String {
    if cores < 9.995 {
        format!("{cores:.2}")
    } else if cores < 99.95 {
        format!("{cores:.1}")
    } else {
        format!("{cores:.0}")
    }
}

/// A share of one as per cent: `20%`.
#[must_use]
pub fn percent(share: f64) -> String {
    format!("{:.0}%", share * 100.0)
}

/// Milliseconds as a person says them: `42 ms`, `8.2 s`, `1 m 12 s`, `2 h 05 m`.
#[must_use]
pub fn millis(ms: u64) -> String {
    match ms {
        0..1_000 => format!("{ms} ms"),
        1_000..60_000 => format!("{}.{} s", ms / 1000, ms % 1000 / 100),
        60_000..3_600_000 => format!("{} m {:02} s", ms / 60_000, ms / 1000 % 60),
        3_600_000.. => format!("{} h {:02} m", ms / 3_600_000, ms / 60_000 % 60),
    }
}

/// Whole seconds from `then` to `now`, never below zero.
#[must_use]
pub fn seconds_since(now: Timestamp, then: Timestamp) -> u64 {
    u64::try_from(now.as_second() - then.as_second()).unwrap_or(0)
}

/// An age in its largest unit, two for short ones: `9s`, `3m`, `5h`, `2d`, `3y`.
#[must_use]
pub fn age(now: Timestamp, then: Timestamp) -> String {
    let s = seconds_since(now, then);
    match s {
        0..60 => format!("{s}s"),
        60..3_600 => format!("{}m", s / 60),
        3_600..86_400 => format!("{}h", s / 3_600),
        86_400..31_536_000 => format!("{}d", s / 86_400),
        31_536_000.. => format!("{}y", s / 31_536_000),
    }
}

/// The time of day in UTC moved by `offset_minutes`: `14:03:22`.
#[must_use]
pub fn clock(at: Timestamp, offset_minutes: i32) -> String {
    let s = (at.as_second() + i64::from(offset_minutes) * 60).rem_euclid(86_400);
    format!("{:02}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60)
}

/// The time of day with milliseconds: `14:03:22.112`.
#[must_use]
pub fn clock_millis(at: Timestamp, offset_minutes: i32) -> String {
    format!("{}.{:03}", clock(at, offset_minutes), at.as_millisecond().rem_euclid(1000))
}

/// A day and time for lists: the time alone within the last day, the date with it before: `14:03:22`, `11-20 14:03`.
#[must_use]
pub fn moment(now: Timestamp, at: Timestamp, offset_minutes: i32) -> String {
    let time = clock(at, offset_minutes);
    if seconds_since(now, at) < 86_400 {
        return time;
    }
    let moved = at.as_second() + i64::from(offset_minutes) * 60;
    let date = Timestamp::from_second(moved).map(|t| t.to_string()).unwrap_or_default();
    format!("{} {}", date.get(5..10).unwrap_or("--"), &time[..5])
}

/// `1 instance`, `3 instances`.
#[must_use]
pub fn count(n: usize, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_keep_to_three_digits() {
        let table = [(0.0, "0"), (812.0, "812"), (1000.0, "1.0K"), (1229.0, "1.2K"), (642_000_000.0, "612M"), (3.2e9, "3.0G")];
        for (value, expected) in table {
            assert_eq!(bytes(value), expected, "{value}");
        }
        assert_eq!([cores(0.421), cores(12.49), cores(128.2)], ["0.42", "12.5", "128"]);
        assert_eq!([millis(42), millis(8_240), millis(72_000), millis(7_500_000)], ["42 ms", "8.2 s", "1 m 12 s", "2 h 05 m"]);
    }

    #[test]
    fn ages_and_clocks() {
        let at = |s: i64| Timestamp::from_second(s).unwrap();
        let now = at(1_795_000_000);
        for (ago, expected) in [(0, "0s"), (59, "59s"), (60, "1m"), (7200, "2h"), (200_000, "2d"), (40_000_000, "1y"), (-9, "0s")]
        {
            assert_eq!(age(now, at(1_795_000_000 - ago)), expected);
        }
        assert_eq!(clock(at(0), 90), "01:30:00");
        assert_eq!(clock(at(0), -60), "23:00:00");
        assert_eq!(moment(at(90_000), at(60), 0), "01-01 00:01");
    }
}
