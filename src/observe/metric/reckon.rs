//! Figures reckoned from exposition text fetched twice: rates, the part that failed, latencies, any family by name.

use std::collections::BTreeMap;

use super::exposition::{Exposition, Kind, Labels, Point};
use super::scan::line::{number, parts};

/// What one target said, and what it said a while later.
#[derive(Clone, Debug)]
pub struct Pair {
    pub before: Exposition,
    pub after: Exposition,
    /// Between the two, seconds.
    pub seconds: f64,
}

/// A figure and what it was made from.
#[derive(Clone, Debug, PartialEq)]
pub struct Reckoned {
    pub value: f64,
    /// What a person should know of it, where there is something: `no requests`, `12 requests`.
    pub note: Option<String>,
}

/// Labels that carry how a request ended.
const OUTCOMES: &[&str] = &["status", "code", "status_code", "http_status", "outcome", "result"];
/// Families of buckets that measure how long a request takes, in seconds.
const LATENCIES: &[&str] = &["_duration_seconds_bucket", "_latency_seconds_bucket"];

/// The figure `name` over all `pairs`: `requests` (a second), `error_rate` (0 to 1), `p50`, `p95`, `p99` (seconds), or a
/// family (`name{label="x"}`): a counter's rate a second, anything else's sum as it is now.
///
/// # Errors
/// A sentence when nothing there measures it.
pub fn reckon(name: &str, pairs: &[Pair]) -> Result<Reckoned, String> {
    match name {
        "requests" => requests(pairs),
        "error_rate" => error_rate(pairs),
        "p50" => latency(pairs, 0.5),
        "p95" => latency(pairs, 0.95),
        "p99" => latency(pairs, 0.99),
        family => by_name(family, pairs),
    }
}

/// How much each counter that `wanted` picks has grown, per second. One that went back has begun anew; one that was not
/// there before has grown from nothing.
fn grown<'a>(pairs: &'a [Pair], wanted: impl Fn(&Point) -> bool + 'a) -> impl Iterator<Item = (&'a Point, f64)> {
    pairs.iter().flat_map(move |pair| {
        let mut before: BTreeMap<(&str, &Labels), f64> = BTreeMap::new();
        for point in pair.before.points.iter().filter(|point| wanted(point)) {
            before.insert((&point.name, &point.labels), point.value);
        }
        let grown = pair.after.points.iter().filter(|point| wanted(point)).map(|point| {
            let from = before.get(&(&*point.name, &point.labels)).copied().unwrap_or(0.0);
            let by = if point.value >= from { point.value - from } else { point.value };
            (point, if pair.seconds > 0.0 { by / pair.seconds } else { 0.0 })
        });
        grown.collect::<Vec<_>>()
    })
}

/// Whether anything there has a name like this.
fn has(pairs: &[Pair], wanted: impl Fn(&str) -> bool) -> bool {
    pairs.iter().any(|pair| pair.after.points.iter().any(|point| wanted(&point.name)))
}

/// The family requests are counted in: the usual one where it is there, else every one called like it.
fn is_request(pairs: &[Pair]) -> impl Fn(&str) -> bool + use<> {
    const USUAL: &str = "http_requests_total";
    let usual = has(pairs, |name| name == USUAL);
    move |name| if usual { name == USUAL } else { name.ends_with("requests_total") }
}

fn requests(pairs: &[Pair]) -> Result<Reckoned, String> {
    let is_request = is_request(pairs);
    if !has(pairs, &is_request) {
        return Err("there is no counter of requests (…requests_total)".to_owned());
    }
    let value = grown(pairs, |point| is_request(&point.name)).map(|(_, rate)| rate).sum();
    Ok(Reckoned { value, note: None })
}

fn error_rate(pairs: &[Pair]) -> Result<Reckoned, String> {
    let is_request = is_request(pairs);
    if !has(pairs, &is_request) {
        return Err("there is no counter of requests (…requests_total)".to_owned());
    }
    let window = pairs.iter().map(|pair| pair.seconds).fold(0.0, f64::max);
    let (mut all, mut failed, mut tells) = (0.0, 0.0, false);
    for (point, rate) in grown(pairs, |point| is_request(&point.name)) {
        let outcome = OUTCOMES.iter().find_map(|label| point.labels.get(*label));
        tells |= outcome.is_some();
        all += rate;
        failed += if outcome.is_some_and(|outcome| is_failure(outcome)) { rate } else { 0.0 };
    }
    if !tells {
        let is_error = |name: &str| name.ends_with("errors_total");
        if !has(pairs, is_error) {
            return Err("its requests do not tell how they ended (status, code), and there is no …errors_total".to_owned());
        }
        failed = grown(pairs, |point| is_error(&point.name)).map(|(_, rate)| rate).sum();
    }
    if all <= 0.0 {
        return Ok(Reckoned { value: 0.0, note: Some("no requests".to_owned()) });
    }
    let note = Some(format!("{:.0} of {:.0} requests failed", (failed * window).round(), (all * window).round()));
    Ok(Reckoned { value: (failed / all).min(1.0), note })
}

/// A 5xx, or a word for it.
fn is_failure(outcome: &str) -> bool {
    let outcome = outcome.to_ascii_lowercase();
    (outcome.len() == 3 && outcome.starts_with('5'))
        || matches!(outcome.as_str(), "error" | "errors" | "failure" | "failed" | "fail" | "server_error")
}

/// A quantile of the requests of the window, as Prometheus' `histogram_quantile` has it: linear within a bucket, the lower
/// bound of the last one where the rank falls into `+Inf`.
fn latency(pairs: &[Pair], quantile: f64) -> Result<Reckoned, String> {
    let is_bucket = |name: &str| LATENCIES.iter().any(|suffix| name.ends_with(suffix));
    if !has(pairs, is_bucket) {
        return Err("there is no histogram of latencies (…_duration_seconds, …_latency_seconds)".to_owned());
    }
    // Bounds as bits: they are finite or infinite, positive, and so in order.
    let mut buckets: BTreeMap<u64, f64> = BTreeMap::new();
    for (point, rate) in grown(pairs, |point| is_bucket(&point.name)) {
        let bound = point.labels.get("le").and_then(|le| number(le));
        if let Some(bound) = bound.filter(|bound| *bound >= 0.0) {
            *buckets.entry(bound.to_bits()).or_default() += rate;
        }
    }
    let buckets: Vec<(f64, f64)> = buckets.into_iter().map(|(bound, rate)| (f64::from_bits(bound), rate)).collect();
    Ok(match quantile_of(&buckets, quantile) {
        Some(value) => Reckoned { value, note: None },
        None => Reckoned { value: 0.0, note: Some("no requests".to_owned()) },
    })
}

/// `buckets` are cumulative: upper bound and rate, sorted.
fn quantile_of(buckets: &[(f64, f64)], quantile: f64) -> Option<f64> {
    let total = buckets.last().map(|(_, rate)| *rate).filter(|total| *total > 0.0)?;
    let rank = quantile * total;
    let at = buckets.iter().position(|(_, rate)| *rate >= rank)?;
    let (bound, rate) = buckets[at];
    let (from, below) = at.checked_sub(1).map_or((0.0, 0.0), |before| buckets[before]);
    if bound.is_infinite() {
        return Some(from);
    }
    Some(if rate > below { from + (bound - from) * (rank - below) / (rate - below) } else { bound })
}

fn by_name(family: &str, pairs: &[Pair]) -> Result<Reckoned, String> {
    let wrong = || match family.rsplit_once('}') {
        Some((before, rest)) if !rest.trim().is_empty() && parts(&format!("{before}}}")).is_some() => {
            format!("{family} is no name{{label=\"value\"}}; expressions are for rules")
        }
        _ => format!("{family} is no name{{label=\"value\"}}"),
    };
    let (name, labels) = parts(family.trim()).ok_or_else(wrong)?;
    let name = &*name;
    let wanted: Labels = labels.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
    let fits = |point: &Point| *point.name == *name && wanted.iter().all(|(label, value)| point.labels.get(label) == Some(value));
    let kind = pairs.iter().map(|pair| pair.after.kind(name)).find(|kind| *kind != Kind::Untyped).unwrap_or(Kind::Untyped);
    let mut now = pairs.iter().flat_map(|pair| &pair.after.points).filter(|point| fits(point)).peekable();
    if now.peek().is_none() {
        return Err(format!("there is no {family} in what it exposes"));
    }
    let value = match kind {
        Kind::Counter => grown(pairs, fits).map(|(_, rate)| rate).sum(),
        Kind::Gauge | Kind::Histogram | Kind::Summary | Kind::Untyped => now.map(|point| point.value).sum(),
    };
    if f64::is_nan(value) { Err(format!("{family} is no number (NaN)")) } else { Ok(Reckoned { value, note: None }) }
}

#[cfg(test)]
#[path = "reckon_tests.rs"]
mod tests;
