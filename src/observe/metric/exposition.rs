//! Prometheus text and OpenMetrics, as far as figures need them: samples with their labels, and what kind their family is.
//! <https://prometheus.io/docs/instrumenting/exposition_formats/>, <https://prometheus.io/docs/specs/om/open_metrics_spec/>

use std::collections::BTreeMap;
use std::sync::Arc;

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
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            if let Some(comment) = line.strip_prefix('#') {
                if comment.trim() == "EOF" {
                    break;
                }
                read.comment(comment);
            } else if read.points.len() == SAMPLES {
                read.unread += 1;
            } else {
                match point(line) {
                    Some(point) => read.points.push(point),
                    None => read.unread += 1,
                }
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

    fn comment(&mut self, comment: &str) {
        let mut words = comment.split_whitespace();
        if let (Some("TYPE"), Some(name), Some(kind)) = (words.next(), words.next(), words.next()) {
            let kind = match kind {
                "counter" => Kind::Counter,
                "gauge" => Kind::Gauge,
                "histogram" | "gaugehistogram" => Kind::Histogram,
                "summary" => Kind::Summary,
                _ => Kind::Untyped,
            };
            self.kinds.insert(name.into(), kind);
        }
    }
}

/// `name{label="value",…} value [timestamp] [# exemplar]`.
fn point(line: &str) -> Option<Point> {
    let end = line.find(|c: char| c == '{' || c.is_whitespace())?;
    let (name, rest) = line.split_at(end);
    let (labels, rest) = match rest.trim_start().strip_prefix('{') {
        Some(inside) => labels(inside)?,
        None => (BTreeMap::new(), rest),
    };
    let value = number(rest.split_whitespace().next()?)?;
    (is_name(name)).then(|| Point { name: name.into(), labels, value })
}

fn is_name(name: &str) -> bool {
    let good = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    !name.is_empty() && name.chars().all(good) && !name.starts_with(|c: char| c.is_ascii_digit())
}

/// `label="value",…}`, and what comes after it.
pub(super) fn labels(text: &str) -> Option<(Labels, &str)> {
    let mut labels = BTreeMap::new();
    let mut rest = text.trim_start();
    loop {
        if let Some(after) = rest.strip_prefix('}') {
            return Some((labels, after));
        }
        let (name, after) = rest.split_once('=')?;
        let (value, after) = quoted(after.trim_start())?;
        labels.insert(name.trim().into(), value.into());
        rest = after.trim_start();
        rest = rest.strip_prefix(',').unwrap_or(rest).trim_start();
    }
}

/// `"text"`, its escapes undone, and what comes after it.
fn quoted(text: &str) -> Option<(String, &str)> {
    let body = text.strip_prefix('"')?;
    let mut value = String::new();
    let mut chars = body.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((value, &body[at + 1..])),
            '\\' => match chars.next()?.1 {
                'n' => value.push('\n'),
                other => value.push(other),
            },
            other => value.push(other),
        }
    }
    None
}

/// A figure as the format writes it: `1.5e3`, `+Inf`, `NaN`.
pub(super) fn number(text: &str) -> Option<f64> {
    match text {
        "+Inf" | "Inf" => Some(f64::INFINITY),
        "-Inf" => Some(f64::NEG_INFINITY),
        "NaN" => Some(f64::NAN),
        other if other.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.')) => other.parse().ok(),
        _ => None,
    }
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
