//! Figures over time as data, wherever they were measured: what a chart is drawn from.

use std::sync::Arc;

use jiff::Timestamp;

use crate::app::format::{bytes, cores, millis, percent};
use crate::observe::metric::Stretch;

/// What a figure is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    Cores,
    Bytes,
    BytesASecond,
    /// Things a second: requests, errors.
    ASecond,
    Seconds,
    /// A part of one.
    Share,
    Number,
}

impl Unit {
    /// A value in words.
    #[must_use]
    pub fn show(self, value: f64) -> String {
        match self {
            Self::Cores => cores(value),
            Self::Bytes => bytes(value),
            Self::BytesASecond => format!("{}/s", bytes(value)),
            Self::ASecond => format!("{}/s", short(value)),
            Self::Seconds if value.is_finite() && (0.0..1e9).contains(&value) => millis(whole(value * 1000.0)),
            Self::Share if value.is_finite() && value.abs() < 0.0995 => format!("{:.1}%", value * 100.0),
            Self::Share => percent(value),
            Self::Seconds | Self::Number => short(value),
        }
    }

    /// Its scale goes in powers of two.
    #[must_use]
    pub fn is_binary(self) -> bool {
        matches!(self, Self::Bytes | Self::BytesASecond)
    }

    /// The scale never ends below this, so that nothing looks like much.
    #[must_use]
    pub fn least(self) -> f64 {
        match self {
            Self::Cores => 0.05,
            Self::Bytes => 1_048_576.0,
            Self::BytesASecond => 1024.0,
            Self::ASecond => 1.0,
            Self::Seconds | Self::Share => 0.01,
            Self::Number => f64::MIN_POSITIVE,
        }
    }
}

/// To three digits that matter.
fn short(value: f64) -> String {
    match value.abs() {
        v if v >= 99.95 => format!("{value:.0}"),
        v if v >= 9.995 => format!("{value:.1}"),
        v if v >= 0.0095 || v == 0.0 => format!("{value:.2}"),
        _ => format!("{value:.4}"),
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the callers keep it between 0 and 1e12")]
fn whole(value: f64) -> u64 {
    value.round() as u64
}

/// One line of a chart.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// `in`, `p95`, an instance's name; empty where there is only one.
    pub name: Arc<str>,
    /// The letter it is told by beside others; none where it has a name of its own on the chart.
    pub letter: Option<char>,
    /// What is summed: one part an instance, each oldest first.
    pub parts: Vec<Vec<Stretch>>,
}

impl Line {
    /// A line through these points, oldest first.
    #[must_use]
    pub fn of_points(name: impl Into<Arc<str>>, points: impl IntoIterator<Item = (Timestamp, f64)>) -> Self {
        let stretch = |(at, v): (Timestamp, f64)| Stretch { from: at, until: at, low: v, high: v, mean: v };
        let part = points.into_iter().filter(|(_, v)| v.is_finite()).map(stretch).collect();
        Self { name: name.into(), letter: None, parts: vec![part] }
    }
}

/// A value that is drawn across a chart: a limit, what an autoscaler goes by.
#[derive(Clone, Debug, PartialEq)]
pub struct Level {
    /// `limit`, `more above`.
    pub name: Arc<str>,
    pub value: f64,
}

/// One chart.
#[derive(Clone, Debug, PartialEq)]
pub struct Graph {
    pub title: Arc<str>,
    pub unit: Unit,
    pub lines: Vec<Line>,
    pub levels: Vec<Level>,
    /// What its values are called, from 0 on (`CLOSED`, `HALF_OPEN`, `OPEN`); empty for a measure.
    pub states: Vec<Arc<str>>,
    /// What belongs beside it: the autoscaler that follows it, and how it reads it.
    pub note: Option<Arc<str>>,
}

impl Graph {
    /// A chart without levels.
    #[must_use]
    pub fn new(title: impl Into<Arc<str>>, unit: Unit, lines: Vec<Line>) -> Self {
        Self { title: title.into(), unit, lines, levels: Vec::new(), states: Vec::new(), note: None }
    }

    /// A value in words: a state's name where it has them.
    #[must_use]
    pub fn show(&self, value: f64) -> String {
        self.state(value).map_or_else(|| self.unit.show(value), ToString::to_string)
    }

    /// The name of a state.
    #[must_use]
    pub fn state(&self, value: f64) -> Option<&Arc<str>> {
        self.states.iter().enumerate().find(|(n, _)| (*n as f64 - value).abs() < 0.5).map(|(_, name)| name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_shown_in_their_units() {
        for (unit, value, expected) in [
            (Unit::Cores, 0.421, "0.42"),
            (Unit::Bytes, 642_000_000.0, "612M"),
            (Unit::BytesASecond, 1229.0, "1.2K/s"),
            (Unit::ASecond, 128.2, "128/s"),
            (Unit::ASecond, 0.033_33, "0.03/s"),
            (Unit::Seconds, 0.212, "212 ms"),
            (Unit::Seconds, 8.24, "8.2 s"),
            (Unit::Seconds, f64::INFINITY, "inf"),
            (Unit::Share, 0.061, "6.1%"),
            (Unit::Share, 0.61, "61%"),
            (Unit::Number, 0.001_24, "0.0012"),
            (Unit::Number, 12_345.6, "12346"),
        ] {
            assert_eq!(unit.show(value), expected);
        }
        let mut breaker = Graph::new("breaker", Unit::Number, Vec::new());
        breaker.states = ["CLOSED", "HALF_OPEN", "OPEN"].map(Arc::from).to_vec();
        assert_eq!([0.0, 1.0, 2.0, 7.0].map(|v| breaker.show(v)), ["CLOSED", "HALF_OPEN", "OPEN", "7.00"]);
    }
}
