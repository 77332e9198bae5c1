//! Exposition text read once, as gates need it: samples with their labels, and what kind their family is. What is scraped again
//! and again goes through [`super::scan`].

use std::collections::BTreeMap;
use std::sync::Arc;

use super::scan::line::{Line, parts};

/// Samples kept of one text: what has more is no metrics endpoint of one service.
const SAMPLES: usize = 100_000;

/// What a family says it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Counter,
    Gauge,
    Histogram,
    Summary,
    /// Nothing was said.
    Untyped,
}

/// What tells the samples of a family apart.
pub type Labels = BTreeMap<Arc<str>, Arc<str>>;

/// One sample.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    pub name: Arc<str>,
    pub labels: Labels,
    pub value: f64,
}

/// What was read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Exposition {
    pub points: Vec<Point>,
    kinds: BTreeMap<Arc<str>, Kind>,
    /// Lines that could not be read.
    pub unread: usize,
}

impl Exposition {
    /// Reads a text. Lines that are none of the format are counted and left out.
    #[must_use]
    pub fn read(text: &str) -> Self {
        let mut read = Self::default();
        for line in text.split('\n') {
            match Line::read(line) {
                Line::Nothing => {}
                Line::End => break,
                Line::Kind(family, kind) => {
                    read.kinds.insert(family.into(), kind);
                }
                Line::Sample(..) if read.points.len() == SAMPLES => read.unread += 1,
                Line::Sample(key, value) => match point(key, value) {
                    Some(point) => read.points.push(point),
                    None => read.unread += 1,
                },
                Line::Bad => read.unread += 1,
            }
        }
        read
    }

    /// What the family of a sample's name is.
    #[must_use]
    pub fn kind(&self, name: &str) -> Kind {
        // OpenMetrics names a counter's family without its samples' `_total`.
        let said = self.kinds.get(name).or_else(|| self.kinds.get(name.strip_suffix("_total")?));
        said.copied().unwrap_or(if name.ends_with("_total") { Kind::Counter } else { Kind::Untyped })
    }
}

/// What tells a sample apart, and its value.
fn point(key: &str, value: f64) -> Option<Point> {
    let (name, labels) = parts(key)?;
    let labels = labels.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
    Some(Point { name: name.into(), labels, value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_formats_are_read_and_what_is_neither_is_counted() {
        let text = "# HELP up x\n# TYPE http_requests counter\nhttp_requests_total{code=\"200\",path=\"/a \\\"b\\\" \\\\ {x}\"} 1.5e3 1700000000000\n\
                    http_requests_total{code=\"500\",} 3 # {trace=\"x\"} 1\nbreaker 2\nq_bucket{le=\"+Inf\"} +Inf\nn NaN\n<html>\nbad{x=1} 2\n\
                    1x 2\nnovalue\n\n# EOF\nafter 1\n";
        let read = Exposition::read(text);
        let seen: Vec<(&str, f64)> = read.points.iter().map(|p| (&*p.name, p.value)).filter(|(_, v)| !v.is_nan()).collect();
        assert_eq!(
            seen,
            [("http_requests_total", 1500.0), ("http_requests_total", 3.0), ("breaker", 2.0), ("q_bucket", f64::INFINITY)]
        );
        assert_eq!(&*read.points[0].labels["path"], "/a \"b\" \\ {x}");
        assert_eq!(read.unread, 4);
        assert_eq!(read.kind("http_requests_total"), Kind::Counter);
        assert_eq!(read.kind("errors_total"), Kind::Counter);
        assert_eq!(read.kind("breaker"), Kind::Untyped);
    }
}
