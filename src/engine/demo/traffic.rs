//! What the applications of the demo world serve and count: requests, failures, how long they took; and the metrics they
//! expose of it, as the applications they stand for do.

use std::fmt::Write as _;

use super::figures;
use super::moment::Moment;
use super::recipe::Recipe;
use super::trouble::Trouble;
use super::unit::Unit;
use crate::model::Health;

/// Upper bounds of the buckets of latency, seconds.
pub const BOUNDS: [f64; 9] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5];

/// What a replica has served since it was started.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Traffic {
    pub good: f64,
    pub failed: f64,
    /// Seconds, of all of them.
    pub took: f64,
    /// Those that took at most so long, by [`BOUNDS`].
    pub within: [f64; BOUNDS.len()],
    /// Connections to what is behind it that failed.
    pub refused: f64,
}

/// Requests a second a replica serves when the day is at its busiest.
#[must_use]
pub fn rate(recipe: &Recipe) -> f64 {
    recipe.figures.lines * 9.0
}

/// The share of requests that fail.
#[must_use]
pub fn failing(unit: &Unit) -> f64 {
    match (unit.check.trouble, unit.check.health) {
        (Some(Trouble::Deaf | Trouble::Fatal), _) => 1.0,
        (Some(Trouble::BreakerOpen), _) | (_, Health::Unhealthy) => 0.6,
        (Some(Trouble::Without(_)), _) | (_, Health::Degraded) => 0.12,
        (Some(Trouble::Slow | Trouble::Swollen) | None, _) => 0.002,
    }
}

/// The mean time a request takes, seconds.
fn mean(unit: &Unit) -> f64 {
    let usual = 0.018 + unit.check.latency_ms as f64 / 1000.0;
    match unit.check.trouble {
        Some(Trouble::BreakerOpen | Trouble::Slow) => usual + 0.9,
        Some(Trouble::Without(_) | Trouble::Swollen) => usual * 4.0,
        Some(Trouble::Deaf | Trouble::Fatal) | None => usual,
    }
}

/// Serves for so many busy seconds.
pub fn serve(unit: &mut Unit, busy_seconds: f64) {
    let requests = rate(unit.recipe) * busy_seconds;
    let (failing, mean) = (failing(unit), mean(unit));
    let traffic = &mut unit.usage.traffic;
    traffic.good += requests * (1.0 - failing);
    traffic.failed += requests * failing;
    traffic.took += requests * mean;
    for (bound, within) in BOUNDS.iter().zip(&mut traffic.within) {
        // Most are quick and a few take long: a Weibull distribution around the mean.
        *within += requests * (1.0 - (-(bound / mean).powf(1.3)).exp());
    }
    if matches!(unit.check.trouble, Some(Trouble::Without(_) | Trouble::BreakerOpen)) {
        traffic.refused += requests * 0.2;
    }
}

/// What a replica exposes under `/metrics`; `None` where the service it stands for exposes nothing.
#[must_use]
pub fn metrics(unit: &Unit, moment: &Moment) -> Option<String> {
    let mut text = String::new();
    match unit.recipe.name {
        "app_ap" | "app_cp" => store(unit, &mut text),
        "backend" | "proxypal" => router(unit, moment, &mut text),
        "app" => web(unit, &mut text),
        _ => return None,
    }
    let memory = figures::memory(unit, moment);
    // Writing to a String cannot fail.
    let _ = writeln!(text, "# TYPE process_resident_memory_bytes gauge\nprocess_resident_memory_bytes {memory:.0}");
    Some(text)
}

fn store(unit: &Unit, text: &mut String) {
    let traffic = &unit.usage.traffic;
    let mode = if unit.recipe.name == "app_ap" { "ap" } else { "cp" };
    let (write, read) = (0.3, 0.7);
    text.push_str("# HELP app_requests_total Requests by operation and how they ended.\n# TYPE app_requests_total counter\n");
    for (operation, share) in [("write", write), ("read", read)] {
        for (status, count) in [("success", traffic.good), ("error", traffic.failed)] {
            let count = (count * share).floor();
            let _ = writeln!(text, "app_requests_total{{mode=\"{mode}\",operation=\"{operation}\",status=\"{status}\"}} {count}");
        }
    }
    histogram("app_request_latency_seconds", traffic, text);
    let open = unit.check.trouble == Some(Trouble::BreakerOpen);
    text.push_str("# HELP circuit_breaker_state 0 closed, 1 half open, 2 open.\n# TYPE circuit_breaker_state gauge\n");
    for node in ["g1", "g2"] {
        let state = if open && node == "g2" { 2 } else { 0 };
        let _ = writeln!(text, "circuit_breaker_state{{node=\"{node}\"}} {state}");
    }
    text.push_str("# TYPE data_staleness_ms gauge\n");
    for node in ["g1", "g2"] {
        let stale = if open && node == "g2" { 5200.0 + traffic.refused } else { 41.0 };
        let _ = writeln!(text, "data_staleness_ms{{node=\"{node}\"}} {stale:.0}");
    }
    text.push_str("# TYPE db_connection_failures_total counter\n");
    let _ = writeln!(text, "db_connection_failures_total{{node=\"g2\"}} {}", traffic.refused.floor());
}

fn router(unit: &Unit, moment: &Moment, text: &mut String) {
    let traffic = &unit.usage.traffic;
    let _ = writeln!(text, "# TYPE ai_requests_total counter\nai_requests_total {}", (traffic.good + traffic.failed).floor());
    let _ = writeln!(text, "# TYPE ai_errors_total counter\nai_errors_total {}", traffic.failed.floor());
    histogram("ai_request_duration_seconds", traffic, text);
    // Spent since the first of the month, evenly.
    let day = f64::from(i32::from(moment.now.to_zoned(jiff::tz::TimeZone::UTC).day()));
    let _ = writeln!(text, "# TYPE ai_monthly_cost_usd gauge\nai_monthly_cost_usd {:.2}", day * 4.1);
}

fn web(unit: &Unit, text: &mut String) {
    let traffic = &unit.usage.traffic;
    text.push_str("# TYPE http_requests_total counter\n");
    for (code, count) in [(200, traffic.good), (503, traffic.failed)] {
        let _ = writeln!(text, "http_requests_total{{method=\"POST\",code=\"{code}\"}} {}", count.floor());
    }
    histogram("http_request_duration_seconds", traffic, text);
}

fn histogram(name: &str, traffic: &Traffic, text: &mut String) {
    let _ = writeln!(text, "# TYPE {name} histogram");
    for (bound, within) in BOUNDS.iter().zip(&traffic.within) {
        let _ = writeln!(text, "{name}_bucket{{le=\"{bound}\"}} {}", within.floor());
    }
    let all = (traffic.good + traffic.failed).floor();
    let _ = writeln!(text, "{name}_bucket{{le=\"+Inf\"}} {all}\n{name}_sum {:.3}\n{name}_count {all}", traffic.took);
}
