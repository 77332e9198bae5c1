//! The charts of what is scraped: requests, errors and latency by the names these families usually have, and the gauges an
//! application exposes of its own; states (a circuit breaker's) by their names.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;

use crate::model::labels::NAME;
use crate::observe::metric::exposition::Kind;
use crate::observe::metric::series::{Matcher, Must, Store};
use crate::observe::rule::expr::Expr;

use super::graph::{Graph, Line, Unit};

/// Labels that carry how a request ended.
const OUTCOMES: [&str; 6] = ["status", "code", "status_code", "http_status", "outcome", "result"];
/// What says that it failed.
const FAILED: &str = "(?i)5..|errors?|fail|failed|failure|server_error";
/// Time over which rates are taken.
const RATE: &str = "1m";
/// Gauges of its own that are drawn, at most, and lines of each.
const GAUGES: usize = 6;
const LINES: usize = 8;
/// What rules write, and families every client library exposes of its own process.
const COMMON: [&str; 8] = ["ALERTS", "go_", "process_", "python_", "nodejs_", "jvm_", "promhttp_", "scrape_"];

/// From when to when, in what steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    pub from: Timestamp,
    pub to: Timestamp,
    /// Milliseconds, at least one.
    pub step_ms: i64,
}

/// The charts of the series that fit: `job="api"`, as one would write it in an expression, and as matchers.
#[must_use]
pub fn graphs(store: &Store, selector: &str, matchers: &[Matcher], range: Range) -> Vec<Graph> {
    let source = Source { store, selector, range, names: names(store, matchers), outcomes: outcomes(store, matchers) };
    let mut graphs: Vec<Graph> = source.requests();
    graphs.extend(source.latencies());
    graphs.extend(source.gauges());
    graphs.retain(|g| g.lines.iter().any(|l| l.parts.iter().any(|p| !p.is_empty())));
    graphs
}

/// How busy something is, and how well it does.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rates {
    /// A second.
    pub requests: Option<f64>,
    /// The part of them that failed, 0 to 1.
    pub failed: Option<f64>,
}

/// What a job has served over the last minute; `None` where it counts none.
#[must_use]
pub fn rates(store: &Store, job: &str, at: Timestamp) -> Rates {
    let matchers = [Matcher { label: "job".into(), must: Must::Be(job.into()) }];
    let selector = format!("job={job:?}");
    let range = Range { from: at, to: at, step_ms: 1 };
    let names = names(store, &matchers);
    let source = Source { store, selector: &selector, range, names, outcomes: outcomes(store, &matchers) };
    let graphs = source.requests();
    let last = |title: &str| {
        let graph = graphs.iter().find(|graph| *graph.title == *title)?;
        Some(graph.lines.first()?.parts.first()?.last()?.mean).filter(|value| value.is_finite())
    };
    Rates { requests: last("Requests"), failed: last("Errors") }
}

fn names(store: &Store, matchers: &[Matcher]) -> BTreeSet<String> {
    store.select(matchers).into_iter().map(|s| store.label(s, NAME).to_owned()).collect()
}

/// Of each family of requests, the label that says how they ended.
fn outcomes(store: &Store, matchers: &[Matcher]) -> BTreeMap<String, &'static str> {
    let mut found = BTreeMap::new();
    for series in store.select(matchers) {
        let name = store.label(series, NAME);
        if name.ends_with("requests_total") && !found.contains_key(name) {
            let label = OUTCOMES.into_iter().find(|label| !store.label(series, label).is_empty());
            found.extend(label.map(|label| (name.to_owned(), label)));
        }
    }
    found
}

/// The series of one workload.
struct Source<'a> {
    store: &'a Store,
    selector: &'a str,
    range: Range,
    names: BTreeSet<String>,
    outcomes: BTreeMap<String, &'static str>,
}

impl Source<'_> {
    /// Requests a second, and the part of them that fails.
    fn requests(&self) -> Vec<Graph> {
        let usual = self.names.get("http_requests_total");
        let errors = self.names.iter().find(|n| n.ends_with("errors_total"));
        let Some(name) = usual.or_else(|| self.names.iter().find(|n| n.ends_with("requests_total"))) else {
            let only = errors.map(|name| (name, self.run(&format!("sum(rate({name}{{{}}}[{RATE}]))", self.selector))));
            return only.map(|(name, line)| Graph::new(name.as_str(), Unit::ASecond, line)).into_iter().collect();
        };
        let all = format!("sum(rate({name}{{{}}}[{RATE}]))", self.selector);
        let failed = match (self.outcomes.get(name), errors) {
            (Some(label), _) => {
                let sum = format!("sum(rate({name}{{{},{label}=~\"{FAILED}\"}}[{RATE}]))", self.selector);
                Some(format!("({sum} or vector(0)) / {all}"))
            }
            (None, Some(errors)) => Some(format!("sum(rate({errors}{{{}}}[{RATE}])) / {all}", self.selector)),
            (None, None) => None,
        };
        let mut graphs = vec![Graph::new("Requests", Unit::ASecond, self.run(&all))];
        graphs.extend(failed.map(|failed| Graph::new("Errors", Unit::Share, self.run(&failed))));
        graphs
    }

    /// p50, p95 and p99 of every histogram of latencies.
    fn latencies(&self) -> Vec<Graph> {
        let families: Vec<&String> = self
            .names
            .iter()
            .filter(|n| n.ends_with("_duration_seconds_bucket") || n.ends_with("_latency_seconds_bucket"))
            .collect();
        let one = families.len() == 1;
        let graph = |name: &&String| {
            let quantile = |(word, part): (&str, &str)| {
                let sum = format!("sum by (le) (rate({name}{{{}}}[{RATE}]))", self.selector);
                let run = self.run(&format!("histogram_quantile({part}, {sum})")).into_iter().next();
                run.map(|line| Line { name: word.into(), ..line })
            };
            let lines = [("p99", "0.99"), ("p95", "0.95"), ("p50", "0.5")].into_iter().filter_map(quantile).collect();
            let title = if one { "Latency" } else { name.trim_end_matches("_seconds_bucket") };
            Graph::new(title, Unit::Seconds, lines)
        };
        families.iter().map(graph).collect()
    }

    /// Gauges of its own, states first.
    fn gauges(&self) -> Vec<Graph> {
        let own = |name: &&String| {
            let kind = self.store.kind(name);
            let whole = !["_total", "_bucket", "_sum", "_count", "_created", "_info"].iter().any(|end| name.ends_with(end));
            let common = COMMON.iter().any(|start| name.starts_with(start)) || **name == "up";
            whole && !common && matches!(kind, Some(Kind::Gauge | Kind::Untyped) | None)
        };
        let mut found: Vec<&String> = self.names.iter().filter(own).collect();
        found.sort_by_key(|name| states(name).is_none());
        found.into_iter().take(GAUGES).map(|name| self.gauge(name)).collect()
    }

    fn gauge(&self, name: &str) -> Graph {
        let (unit, scale) = unit(name);
        let gauge = format!("max without (job, instance) ({name}{{{}}})", self.selector);
        let text = if (scale - 1.0).abs() < f64::EPSILON { gauge } else { format!("{gauge} * {scale}") };
        let mut graph = Graph::new(name, unit, self.run(&text));
        graph.states = states(name).map(|s| s.map(Arc::from).to_vec()).unwrap_or_default();
        graph
    }

    /// What an expression gives over the range, a line for each set of labels; nothing where it gives nothing.
    fn run(&self, text: &str) -> Vec<Line> {
        let Range { from, to, step_ms } = self.range;
        // Steps at round times: a chart does not tremble while time goes on.
        let step = step_ms.max(1);
        let first = from.as_millisecond().div_euclid(step) * step;
        let Ok(expr) = Expr::parse(text) else { return Vec::new() };
        let runs = expr.over(self.store, first, to.as_millisecond(), step).unwrap_or_default();
        let points =
            |values: Vec<(i64, f64)>| values.into_iter().filter_map(|(ms, v)| Some((Timestamp::from_millisecond(ms).ok()?, v)));
        let line = |(labels, values): (crate::model::Labels, Vec<(i64, f64)>)| {
            let own = labels.iter().filter(|(n, _)| &***n != NAME).map(|(_, v)| v.to_string()).collect::<Vec<_>>();
            Line::of_points(own.join(" "), points(values))
        };
        runs.into_iter().take(LINES).map(line).collect()
    }
}

/// What the values of a state are called.
fn states(name: &str) -> Option<[&'static str; 3]> {
    (name.contains("breaker") && name.ends_with("state")).then_some(["CLOSED", "HALF_OPEN", "OPEN"])
}

/// The unit a family's name ends with, and what its values are to be multiplied by for it.
fn unit(name: &str) -> (Unit, f64) {
    let ends: [(&str, Unit, f64); 6] = [
        ("_milliseconds", Unit::Seconds, 0.001),
        ("_seconds", Unit::Seconds, 1.0),
        ("_ms", Unit::Seconds, 0.001),
        ("_bytes", Unit::Bytes, 1.0),
        ("_ratio", Unit::Share, 1.0),
        ("_celsius", Unit::Number, 1.0),
    ];
    ends.into_iter().find(|(end, _, _)| name.ends_with(end)).map_or((Unit::Number, 1.0), |(_, unit, scale)| (unit, scale))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Labels;

    const NOW: i64 = 1_800_000_000_000;

    fn store() -> Store {
        let mut store = Store::new(1 << 22);
        // Ten minutes at 15 s: ten requests a second of which two fail from the fifth minute on.
        for n in 0..=40_i64 {
            let at = NOW - (40 - n) * 15_000;
            let mut put = |name: &str, more: &[(&str, &str)], value: f64| {
                let own = [(NAME, name), ("job", "api"), ("instance", "a:1")];
                store.append(&Labels::new(own.into_iter().chain(more.iter().copied())), at, value);
            };
            let n = n as f64;
            put("app_requests_total", &[("status", "success")], n * 150.0 - (n - 20.0).max(0.0) * 30.0);
            put("app_requests_total", &[("status", "error")], (n - 20.0).max(0.0) * 30.0);
            for (le, part) in [("0.1", 0.9), ("1", 1.0), ("+Inf", 1.0)] {
                put("app_request_latency_seconds_bucket", &[("le", le)], n * 150.0 * part);
            }
            put("circuit_breaker_state", &[("node", "db")], if n > 25.0 { 2.0 } else { 0.0 });
            put("data_staleness_ms", &[("node", "db")], 1500.0);
            put("go_goroutines", &[], 12.0);
        }
        store
    }

    fn made(selector: &str, job: &str) -> Vec<Graph> {
        let at = |ms| Timestamp::from_millisecond(ms).unwrap();
        let range = Range { from: at(NOW - 600_000), to: at(NOW), step_ms: 15_000 };
        let matcher = Matcher { label: "job".into(), must: Must::Be(job.into()) };
        graphs(&store(), selector, &[matcher], range)
    }

    fn last(graph: &Graph, line: usize) -> f64 {
        graph.lines[line].parts[0].last().unwrap().mean
    }

    #[test]
    fn what_applications_usually_expose_becomes_charts() {
        let graphs = made("job=\"api\"", "api");
        let titles: Vec<&str> = graphs.iter().map(|g| &*g.title).collect();
        assert_eq!(titles, ["Requests", "Errors", "Latency", "circuit_breaker_state", "data_staleness_ms"]);
        assert!((last(&graphs[0], 0) - 10.0).abs() < 0.01 && (last(&graphs[1], 0) - 0.2).abs() < 0.01);
        assert_eq!(graphs[2].lines.iter().map(|l| &*l.name).collect::<Vec<_>>(), ["p99", "p95", "p50"]);
        assert_eq!((graphs[3].show(last(&graphs[3], 0)), &*graphs[3].lines[0].name), ("OPEN".to_owned(), "db"));
        assert_eq!(graphs[4].show(last(&graphs[4], 0)), "1.5 s");
    }

    #[test]
    fn what_is_not_scraped_has_no_charts() {
        assert!(made("job=\"web\"", "web").is_empty());
    }
}
