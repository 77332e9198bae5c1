//! What is read and refused, and what cannot be held against a real Prometheus: the ends of series, bounds, reach.

use super::*;
use crate::model::TargetId;
use crate::observe::metric::scan::Scanner;
use crate::observe::metric::series::{ABSENT, Target};

const NOW: i64 = 1_000_000;

fn labels(text: &[(&str, &str)]) -> Labels {
    Labels::new(text.iter().copied())
}

fn shown(value: Result<Value, Arc<str>>) -> String {
    match value {
        Err(why) => format!("! {why}"),
        Ok(Value::Scalar(value)) => value.to_string(),
        Ok(Value::Vector(items)) => items.iter().map(|(l, v)| format!("{l} {v}")).collect::<Vec<_>>().join(" | "),
    }
}

fn at(store: &Store, text: &str, at_ms: i64) -> String {
    shown(Expr::parse(text).unwrap_or_else(|fault| panic!("{text}: {fault:?}")).at(store, at_ms))
}

/// Two targets of one job, scraped every fifteen seconds until now.
fn store() -> Store {
    let mut store = Store::new(1 << 24);
    for (n, instance) in (0_i64..).zip(["a:80", "b:80"]) {
        let target = Target { id: TargetId::from(instance), labels: labels(&[("job", "api"), ("instance", instance)]) };
        let mut scanner = Scanner::default();
        for step in (0..=40).rev() {
            let (at, count) = (NOW - step * 15_000, (40 - step) * 30 * (1 + n));
            let text = format!("# TYPE http_requests_total counter\nhttp_requests_total{{code=\"200\"}} {count}\nload {n}.5\n");
            store.record(&target, at, 0.0, &scanner.scan(&text));
        }
    }
    store
}

#[test]
fn rules_are_evaluated() {
    let store = store();
    for (text, value) in [
        ("1 + 2 * 3 ^ 2", "19"),
        ("sum(rate(http_requests_total[5m]))", "{} 6"),
        ("sum by (job) (rate(http_requests_total{code=~\"2..\"}[1m])) > 5", "{job=\"api\"} 6"),
        ("up{job=\"api\"} == 0", ""),
        ("absent(up{job=\"db\"})", "{job=\"db\"} 1"),
        ("load > 1 and on (instance) up == 1", "load{instance=\"b:80\",job=\"api\"} 1.5"),
        (
            "load * on (instance) group_left (code) http_requests_total",
            "{code=\"200\",instance=\"a:80\",job=\"api\"} 600 | {code=\"200\",instance=\"b:80\",job=\"api\"} 3600",
        ),
        ("topk(1, load)", "load{instance=\"b:80\",job=\"api\"} 1.5"),
        ("count({job=\"api\"}) by (__name__) == 2 and on(__name__) load", "load{} 2"),
        (
            "load / on (job) load",
            "! on the right of an operator load{instance=\"a:80\",job=\"api\"} and load{instance=\"b:80\",job=\"api\"} match the same, and only one may",
        ),
        ("rate({job=\"api\"}[5m])", "! two of its results have the same labels: {instance=\"a:80\",job=\"api\"}"),
        (
            "max_over_time(load[10m:1m]) - ignoring (x) load",
            "{instance=\"a:80\",job=\"api\"} 0 | {instance=\"b:80\",job=\"api\"} 0",
        ),
    ] {
        let value = value.replace("load{} 2", "load 2");
        assert_eq!(at(&store, text, NOW), value, "{text}");
    }
}

#[test]
fn a_series_ends_when_it_is_not_shown_or_not_looked_after() {
    let mut store = Store::new(1 << 24);
    let (a, b) = (labels(&[("__name__", "m"), ("s", "a")]), labels(&[("__name__", "m"), ("s", "b")]));
    for step in 0..10 {
        store.append(&a, NOW + step * 15_000, step as f64);
        store.append(&b, NOW + step * 15_000, if step == 7 { ABSENT } else { step as f64 });
    }
    let end = NOW + 9 * 15_000;
    for (text, time, value) in [
        ("m", NOW + 6 * 15_000, "m{s=\"a\"} 6 | m{s=\"b\"} 6"),
        ("m", NOW + 7 * 15_000, "m{s=\"a\"} 7"),
        ("m", NOW + 7 * 15_000 + 1, "m{s=\"a\"} 7"),
        ("count_over_time(m[1m])", end, "{s=\"a\"} 5 | {s=\"b\"} 4"),
        ("m offset 30s", end, "m{s=\"a\"} 7"),
        ("m", end + LOOKBACK_MS, "m{s=\"a\"} 9 | m{s=\"b\"} 9"),
        ("m", end + LOOKBACK_MS + 1, ""),
        ("m @ 1090", end + 10 * LOOKBACK_MS, "m{s=\"a\"} 6 | m{s=\"b\"} 6"),
        ("timestamp(m)", end + 5_000, "{s=\"a\"} 1135 | {s=\"b\"} 1135"),
    ] {
        assert_eq!(at(&store, text, time), value, "{text} at {time}");
    }
}

#[test]
fn ranges_are_evaluated_step_by_step_and_bounded() {
    let store = store();
    let over = |text: &str, from, to, step| Expr::parse(text).unwrap().over(&store, from, to, step);
    let runs = over("load", NOW - 30_000, NOW, 15_000).unwrap();
    let times: Vec<i64> = runs[1].1.iter().map(|(at, _)| *at).collect();
    assert_eq!((runs.len(), times), (2, vec![NOW - 30_000, NOW - 15_000, NOW]));
    assert_eq!(over("time() - 1", NOW, NOW + 10, 10).unwrap(), [(Labels::default(), vec![(NOW, 999.0), (NOW + 10, 999.01)])]);
    assert_eq!(over("load @ end() == 9", NOW - 30_000, NOW, 15_000).unwrap(), []);
    assert!(over("load", 0, 11_000_000, 1_000).is_err() && over("load", 0, 1, 0).is_err());
    assert!(Expr::parse("max_over_time(load[1y:1s])").unwrap().at(&store, NOW).is_err(), "too many steps");
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    for (text, offset, message) in [
        ("", 0, "there is no expression"),
        ("  # only words", 0, "there is no expression"),
        ("sum(up", 3, "( is not closed"),
        ("sum(up))", 7, ") closes nothing"),
        ("rate(up[5])", 8, "5 is no duration, as 5m or 1h30m is"),
        ("up offset 5", 10, "5 is no duration, as 5m or 1h30m is"),
        ("up > > 1", 5, "> cannot stand here"),
        ("up down", 3, "down cannot stand here"),
        ("up +", 4, "the expression ends too early"),
        ("up{job=\"a}", 7, "this text does not end"),
        ("up ? 1", 3, "? means nothing here"),
        ("1 + nofunction(up)", 4, "unknown function with name 'nofunction'"),
        ("1 + rate(up)", 4, "expected type matrix in call to function 'rate', got vector"),
        ("up{a=~\"(\"}", 6, "illegal regex for ("),
        ("up[5m]", 0, "this gives a range of values at each time: a rule needs one value, as of rate(…) or last_over_time(…)"),
        ("\"x\"", 0, "this is a text: a rule needs values"),
        ("1 + sum(histogram_count(up))", 8, "histogram_count is not evaluated here"),
        ("up + limitk(2, up)", 5, "limitk is not evaluated here"),
        ("up{a=\"b\" or a=\"c\"}", 9, "or between matchers is not of Prometheus' language, and not evaluated here"),
        ("1 > 2", 0, "comparisons between scalars must use BOOL modifier"),
        ("label_replace(up, \"a-b\", \"\", \"\", \"\")", 14, "\"a-b\" is no name of a label"),
        ("exp(Inf)", 0, "a vector is needed here, and this is one number"),
    ] {
        let fault = Expr::parse(text).expect_err(text);
        assert_eq!((fault.offset, &*fault.message), (offset, message), "{text}");
    }
    let deep = format!("{}up{}", "abs(".repeat(70), ")".repeat(70));
    assert!(Expr::parse(&deep).unwrap_err().message.contains("brackets"));
    assert!(Expr::parse(&"-".repeat(500).replace('-', "- ").replace("- ", "-up ")).is_err());
    assert!(Expr::parse(&format!("up{}", "+up".repeat(300))).unwrap_err().message.contains("nested too deep"));
    assert!(Expr::parse(&"up or ".repeat(5_000)).is_err());
}

#[test]
fn an_expression_tells_what_it_looks_at_and_how_far_back() {
    for (text, names, minutes) in [
        ("1", &[][..], 0),
        ("rate(a[10m]) > on () scalar(b) * c offset 1h", &["a", "b", "c"], 65),
        ("max_over_time(rate(a[5m])[1h:1m])", &["a"], 65),
        ("{job=\"x\"}", &[], 5),
    ] {
        let expr = Expr::parse(text).unwrap();
        assert_eq!(expr.names().iter().map(|n| &**n).collect::<Vec<_>>(), names, "{text}");
        assert_eq!(expr.reach_ms(), minutes * 60_000, "{text}");
    }
}
