//! Values of flags: read here, so that a wrong one is a usage error with a sentence.

use std::time::Duration;

use jiff::Timestamp;

use crate::document::read::parse_duration;
use crate::document::unknown;
use crate::model::Source;
use crate::observe::log::Level;

/// From when on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Since {
    Ago(Duration),
    At(Timestamp),
}

impl Since {
    /// The moment it means at `now`.
    #[must_use]
    pub fn moment(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(at) => at,
            Self::Ago(span) => now.checked_sub(span).unwrap_or(Timestamp::MIN),
        }
    }
}

/// How much of what was before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tail {
    All,
    Last(u64),
}

impl Tail {
    /// As engines ask for it: `None` is all.
    #[must_use]
    pub fn lines(self) -> Option<u64> {
        match self {
            Self::All => None,
            Self::Last(lines) => Some(lines),
        }
    }
}

/// Columns and rows, at least 1×1 and at most 1000×1000.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    pub columns: u16,
    pub rows: u16,
}

pub(super) fn span(text: &str) -> Result<Duration, String> {
    parse_duration(text)
}

pub(super) fn since(text: &str) -> Result<Since, String> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(Since::At(at));
    }
    parse_duration(text)
        .map(Since::Ago)
        .map_err(|_| "expected a span such as 10m, or a moment such as 2026-11-21T14:00:00Z".to_owned())
}

pub(super) fn tail(text: &str) -> Result<Tail, String> {
    if text == "all" {
        return Ok(Tail::All);
    }
    text.parse().map(Tail::Last).map_err(|_| "expected a number of lines, or `all`".to_owned())
}

pub(super) fn level(text: &str) -> Result<Level, String> {
    Level::parse(text).ok_or_else(|| unknown("level", text, Level::ALL.iter().map(|l| l.word())))
}

pub(super) fn source(text: &str) -> Result<Source, String> {
    Source::ALL
        .into_iter()
        .find(|s| s.word() == text)
        .ok_or_else(|| unknown("source", text, Source::ALL.iter().map(|s| s.word())))
}

pub(super) fn size(text: &str) -> Result<Size, String> {
    let side = |side: &str| side.parse::<u16>().ok().filter(|n| (1..=1000).contains(n));
    let both = text.split_once(['x', '×']).and_then(|(columns, rows)| Some(Size { columns: side(columns)?, rows: side(rows)? }));
    both.ok_or_else(|| "expected columns and rows such as 120x40".to_owned())
}

/// A factor with at most two decimals, in percent: `2.5` and `2.5x` are 250.
pub(super) fn speed(text: &str) -> Result<u32, String> {
    let (whole, part) = text.trim_end_matches('x').split_once('.').unwrap_or((text.trim_end_matches('x'), ""));
    let percent = match part.len() {
        0..=2 => format!("{whole}{part:0<2}").parse::<u32>().ok(),
        _ => None,
    };
    percent
        .filter(|p| !whole.is_empty() && *p <= 100_000)
        .ok_or_else(|| "expected a number from 0 to 1000, such as 2.5".to_owned())
}

/// `job=api`: what a label must be.
///
/// # Errors
/// A sentence that says what is expected.
pub fn label(text: &str) -> Result<(String, String), String> {
    let good = |c: char| c.is_ascii_alphanumeric() || c == '_';
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() && name.chars().all(good) => Ok((name.to_owned(), value.to_owned())),
        Some((name, _)) => Err(format!("`{name}` is no label's name")),
        None => Err(format!("`{text}` has no `=`: expected NAME=VALUE")),
    }
}

/// `NAME=VALUE`.
///
/// # Errors
/// A sentence when there is no `=`, or no name before it.
pub fn assignment(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c == '_') => {
            Ok((name.to_owned(), value.to_owned()))
        }
        Some((name, _)) => Err(format!("`{name}` is no variable's name: lower-case letters and _ only")),
        None => Err(format!("`{text}` has no `=`: expected NAME=VALUE")),
    }
}

/// `8080:80`, or `80` for the same port here and there.
pub(super) fn ports(text: &str) -> Result<(u16, u16), String> {
    let port = |text: &str| text.parse::<u16>().map_err(|_| format!("{text} is no port (1 to 65535)"));
    let (local, remote) = match text.split_once(':') {
        Some((local, remote)) => (port(local)?, port(remote)?),
        None => (port(text)?, port(text)?),
    };
    if remote == 0 { Err("an instance has no port 0".to_owned()) } else { Ok((local, remote)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speeds_are_read_in_percent() {
        for (text, percent) in [
            ("1", Some(100)),
            ("10x", Some(1000)),
            ("2.5", Some(250)),
            ("0.25", Some(25)),
            ("0", Some(0)),
            ("1000", Some(100_000)),
            ("1001", None),
            ("-1", None),
            (".5", None),
            ("1.255", None),
            ("fast", None),
            ("", None),
        ] {
            assert_eq!(speed(text).ok(), percent, "{text}");
        }
    }
}
