//! Figures from two readings of the text of stores and routers.

use super::*;

const BEFORE: &str = "\
# TYPE app_requests_total counter
app_requests_total{mode=\"cp\",operation=\"write\",status=\"success\"} 100
app_requests_total{mode=\"cp\",operation=\"write\",status=\"error\"} 5
# TYPE app_request_latency_seconds histogram
app_request_latency_seconds_bucket{le=\"0.1\"} 50
app_request_latency_seconds_bucket{le=\"0.5\"} 90
app_request_latency_seconds_bucket{le=\"1\"} 100
app_request_latency_seconds_bucket{le=\"+Inf\"} 105
# TYPE circuit_breaker_state gauge
circuit_breaker_state{node=\"g1\"} 2
db_connection_failures_total 7
";
const AFTER: &str = "\
# TYPE app_requests_total counter
app_requests_total{mode=\"cp\",operation=\"write\",status=\"success\"} 190
app_requests_total{mode=\"cp\",operation=\"write\",status=\"error\"} 10
app_requests_total{mode=\"cp\",operation=\"read\",status=\"error\"} 5
# TYPE app_request_latency_seconds histogram
app_request_latency_seconds_bucket{le=\"0.1\"} 100
app_request_latency_seconds_bucket{le=\"0.5\"} 180
app_request_latency_seconds_bucket{le=\"1\"} 200
app_request_latency_seconds_bucket{le=\"+Inf\"} 205
# TYPE circuit_breaker_state gauge
circuit_breaker_state{node=\"g1\"} 0
circuit_breaker_state{node=\"g2\"} 2
db_connection_failures_total 2
";

fn pair(before: &str, after: &str) -> Pair {
    Pair { before: Exposition::read(before), after: Exposition::read(after), seconds: 10.0 }
}

fn of(name: &str, pairs: &[Pair]) -> Result<(f64, String), String> {
    reckon(name, pairs).map(|r| ((r.value * 1e6).round() / 1e6, r.note.unwrap_or_default()))
}

#[test]
fn figures_are_reckoned_from_what_has_grown() {
    let pairs = [pair(BEFORE, AFTER)];
    for (name, value, note) in [
        ("requests", 10.0, ""),
        ("error_rate", 0.1, "10 of 100 requests failed"),
        // 100 requests: 50 up to 0.1 s, 90 up to 0.5 s, all up to 1 s.
        ("p50", 0.1, ""),
        ("p95", 0.75, ""),
        ("p99", 0.95, ""),
        ("circuit_breaker_state", 2.0, ""),
        ("circuit_breaker_state{node=\"g1\"}", 0.0, ""),
        // It went back: the process began anew.
        ("db_connection_failures_total", 0.2, ""),
        ("app_requests_total{status=\"error\"}", 1.0, ""),
    ] {
        assert_eq!(of(name, &pairs), Ok((value, note.to_owned())), "{name}");
    }
    let twice = [pair(BEFORE, AFTER), pair(BEFORE, AFTER)];
    assert_eq!(of("requests", &twice).map(|f| f.0), Ok(20.0), "replicas are summed");
    assert_eq!(of("error_rate", &twice).map(|f| f.0), Ok(0.1));
    assert_eq!(of("p50", &twice).map(|f| f.0), Ok(0.1));
}

#[test]
fn other_ways_to_count_requests_and_errors_are_understood() {
    for (text, error_rate) in [
        ("http_requests_total{code=\"503\"} 1\nhttp_requests_total{code=\"200\"} 3\nother_requests_total 9\n", Ok(0.25)),
        ("http_requests_total{status=\"5xx\"} 1\nhttp_requests_total{status=\"4xx\"} 3\n", Ok(0.25)),
        ("ai_requests_total 10\nai_errors_total 1\n", Ok(0.1)),
        ("ai_requests_total{status_code=\"200\"} 10\nai_errors_total 5\n", Ok(0.0)),
        ("ai_requests_total 10\n", Err("its requests do not tell how they ended (status, code), and there is no …errors_total")),
        ("up 1\n", Err("there is no counter of requests (…requests_total)")),
    ] {
        let seen = of("error_rate", &[pair("", text)]).map(|f| f.0);
        assert_eq!(seen, error_rate.map_err(str::to_owned), "{text}");
    }
}

#[test]
fn nothing_happening_and_nothing_there_are_told_apart() {
    let still = [pair(AFTER, AFTER)];
    assert_eq!(of("error_rate", &still), Ok((0.0, "no requests".to_owned())));
    assert_eq!(of("p95", &still), Ok((0.0, "no requests".to_owned())));
    assert_eq!(of("requests", &still), Ok((0.0, String::new())));
    let none = [pair("", "up 1\nbad NaN\n")];
    for (name, why) in [
        ("p95", "there is no histogram of latencies (…_duration_seconds, …_latency_seconds)"),
        ("queue", "there is no queue in what it exposes"),
        ("bad", "bad is no number (NaN)"),
        ("up{x=1}", "up{x=1} is no name{label=\"value\"}"),
        ("up{} > 3", "up{} > 3 is no name{label=\"value\"}; expressions are for rules"),
    ] {
        assert_eq!(of(name, &none), Err(why.to_owned()), "{name}");
    }
}

#[test]
fn a_quantile_in_the_last_bucket_is_its_lower_bound() {
    let after = "x_latency_seconds_bucket{le=\"0.5\"} 1\nx_latency_seconds_bucket{le=\"+Inf\"} 10\n";
    assert_eq!(of("p99", &[pair("", after)]).map(|f| f.0), Ok(0.5));
}
