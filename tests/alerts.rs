//! Alert states and silences held to the real things: `promtool` evaluates the same rules over the same samples, Prometheus
//! tells its alerts, an Alertmanager takes silences. Needs Debian's `prometheus` and `prometheus-alertmanager`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    clippy::cast_possible_wrap,
    clippy::cast_possible_truncation,
    reason = "a test says what it needs, and stops where it is not so"
)]

#[path = "support/not_run.rs"]
mod not_run;
#[path = "alerts/server.rs"]
mod server;

use std::fmt::Write as _;
use std::process::Command;

use jiff::Timestamp;
use quarterdeck::model::labels::NAME;
use quarterdeck::model::server::{Login, Secret};
use quarterdeck::model::{AlertState, Labels, Matcher, ServerSpec, Silence};
use quarterdeck::observe::metric::series::{ABSENT, Store};
use quarterdeck::observe::rule::alert::Evaluation;
use quarterdeck::observe::rule::file::read;
use quarterdeck::probe::{alertmanager, prometheus};

use server::{Server, installed};

const RULES: &str = include_str!("alerts/rules.yml");
/// Steps of 15 s that are compared.
const STEPS: usize = 120;

/// One value of a series, as `promtool` writes it.
#[derive(Clone, Copy)]
enum Sample {
    Value(f64),
    Missing,
    Stale,
}

/// The samples of every series, the same each time: counters that grow in fits, gauges that jump, gaps, ends.
fn samples() -> Vec<(Labels, Vec<Sample>)> {
    let mut seed = 7_u64;
    let mut dice = move |sides: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % sides
    };
    let mut all = Vec::new();
    for (name, job, high) in [
        ("up", "lms-ai-backend", 1),
        ("up", "store", 1),
        ("ai_monthly_cost_usd", "lms-ai-backend", 300),
        ("circuit_breaker_state", "store", 2),
        ("data_staleness_ms", "store", 60_000),
        ("ai_errors_total", "lms-ai-backend", 0),
    ] {
        let (mut value, mut series) = (high as f64, Vec::new());
        for _ in 0..STEPS {
            match dice(10) {
                0 if high == 0 => value = 0.0,
                0..4 if high == 0 => value += dice(40) as f64,
                0..2 => value = dice(high + 1) as f64,
                _ => {}
            }
            series.push(match dice(40) {
                0 => Sample::Missing,
                1 => Sample::Stale,
                _ => Sample::Value(value),
            });
        }
        all.push((Labels::new([(NAME, name), ("job", job)]), series));
    }
    all
}

#[test]
fn alerts_pend_and_fire_exactly_when_prometheus_says_so() {
    if !installed("promtool") {
        return not_run::not_run("alerts", "promtool is not installed (apt-get install prometheus)");
    }
    let rules = read(RULES, "rules.yml");
    assert_eq!(rules.problems, []);
    let samples = samples();
    let (mut evaluation, mut store) = (Evaluation::new(&rules), Store::new(16 << 20));
    let (mut tests, mut seen) = (String::new(), [0_usize; 2]);
    for step in 0..STEPS {
        let at = Timestamp::from_second(15 * step as i64).unwrap();
        for (labels, series) in &samples {
            match series[step] {
                Sample::Value(value) => store.append(labels, at.as_millisecond(), value),
                Sample::Stale => store.append(labels, at.as_millisecond(), ABSENT),
                Sample::Missing => {}
            }
        }
        evaluation.evaluate(&mut store, at);
        let active: Vec<_> = evaluation.alerts().into_iter().filter(|alert| alert.state.is_active()).collect();
        writeln!(tests, "  - {{expr: ALERTS, eval_time: {}s, exp_samples: [", 15 * step).unwrap();
        for alert in &active {
            seen[usize::from(alert.state == AlertState::Firing)] += 1;
            let labels = alert.labels.with(NAME, "ALERTS").with("alertstate", alert.state.word());
            writeln!(tests, "      {{labels: '{labels}', value: 1}},").unwrap();
        }
        writeln!(tests, "    ]}}").unwrap();
        for rule in rules.all() {
            writeln!(tests, "@  - {{eval_time: {}s, alertname: {}, exp_alerts: [", 15 * step, rule.name).unwrap();
            for alert in active.iter().filter(|a| a.name == rule.name && a.state == AlertState::Firing) {
                let pairs = |labels: &Labels| serde_json::to_string(labels).unwrap();
                let own = alert.labels.with("alertname", "");
                writeln!(tests, "@      {{exp_labels: {}, exp_annotations: {}}},", pairs(&own), pairs(&alert.annotations))
                    .unwrap();
            }
            writeln!(tests, "@    ]}}").unwrap();
        }
    }
    assert!(seen.iter().all(|n| *n > 50), "the samples make alerts pend and fire: {seen:?}");
    judge(&samples, &tests);
}

/// Lets `promtool` evaluate the rules, and compare.
fn judge(samples: &[(Labels, Vec<Sample>)], tests: &str) {
    let (mut exprs, mut alerts, mut series) = (String::new(), String::new(), String::new());
    for line in tests.lines() {
        let (to, line) = line.strip_prefix('@').map_or((&mut exprs, line), |line| (&mut alerts, line));
        writeln!(to, "{line}").unwrap();
    }
    for (labels, values) in samples {
        let written = |sample: &Sample| match sample {
            Sample::Value(value) => value.to_string(),
            Sample::Missing => "_".to_owned(),
            Sample::Stale => "stale".to_owned(),
        };
        let values: Vec<String> = values.iter().map(written).collect();
        writeln!(series, "  - {{series: '{labels}', values: '{}'}}", values.join(" ")).unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("rules.yml"), RULES).unwrap();
    let text = format!(
        "rule_files: [rules.yml]\nevaluation_interval: 15s\ntests:\n- interval: 15s\n  input_series:\n{series}  alert_rule_test:\n{alerts}  \
         promql_expr_test:\n{exprs}"
    );
    let path = folder.path().join("tests.yml");
    std::fs::write(&path, text).unwrap();
    let told = Command::new("promtool").args(["test", "rules"]).arg(&path).output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&told.stdout), String::from_utf8_lossy(&told.stderr));
    let said: String = said.chars().take(4_000).collect();
    assert!(told.status.success(), "{said}");
}

fn matcher(label: &str, value: &str) -> Matcher {
    Matcher { label: label.into(), value: value.into(), regex: false, equal: true }
}

#[tokio::test]
async fn a_real_server_tells_its_alerts_and_lets_in_whom_it_knows() {
    if !installed("prometheus") {
        return not_run::not_run("alerts", "prometheus is not installed (apt-get install prometheus)");
    }
    let rules = format!(
        "{RULES}- name: sure\n  interval: 1s\n  rules:\n  - {{alert: Always, expr: vector(7), labels: {{severity: page}}}}\n"
    );
    let server = Server::prometheus(&rules).await;
    let open = ServerSpec::open(&server.url);
    let refused = prometheus::alerts(&open).await.unwrap_err();
    assert!(refused.contains("it asks who we are"), "{refused}");
    let basic = |password: Secret| ServerSpec { login: Login::Basic { user: "ann".into(), password }, ..open.clone() };
    let wrong = prometheus::alerts(&basic(Secret::Clear("wrong".into()))).await.unwrap_err();
    assert!(wrong.contains("does not let ann in") && !wrong.contains("wrong\""), "{wrong}");
    let file = server.folder.path().join("password");
    std::fs::write(&file, "test\n").unwrap();
    let spec = basic(Secret::File(file.display().to_string().into()));
    let told =
        server.until(async || prometheus::alerts(&spec).await.ok().filter(|told| told.alerts.iter().any(|a| a.is_loud()))).await;
    let always = told.alerts.iter().find(|alert| &*alert.name == "Always").unwrap();
    assert_eq!((always.value, always.labels.get("severity"), &*always.expression), (Some(7.0), "page", "vector(7)"));
    assert!(always.since.is_some());
    let breaker = told.alerts.iter().find(|alert| &*alert.name == "BreakerOpen").unwrap();
    assert_eq!(breaker.state, AlertState::Inactive);
    let now = Timestamp::now();
    let before = now.checked_sub(jiff::SignedDuration::from_secs(60)).unwrap();
    let courses = prometheus::range(&spec, "vector(3)", (before, now), std::time::Duration::from_secs(15)).await.unwrap();
    assert_eq!((courses.courses.len(), courses.courses[0].points.len()), (1, 5));
    let nonsense = prometheus::range(&spec, "rate(", (before, now), std::time::Duration::from_secs(15)).await.unwrap_err();
    assert!(nonsense.contains("Prometheus says: "), "{nonsense}");
}

#[tokio::test]
async fn a_token_is_sent_and_a_wrong_one_is_told() {
    let url = server::asks_for("Bearer s3cret").await;
    let with = |token: &str| ServerSpec { login: Login::Bearer(Secret::Clear(token.into())), ..ServerSpec::open(&url) };
    assert_eq!(prometheus::alerts(&with("s3cret")).await.unwrap().alerts.len(), 0);
    let wrong = prometheus::alerts(&with("other")).await.unwrap_err();
    assert!(wrong.contains("does not take the token: check `token`") && !wrong.contains("other"), "{wrong}");
}

#[tokio::test]
async fn an_alertmanager_takes_silences_and_ends_them() {
    if !installed("prometheus-alertmanager") || !installed("amtool") {
        return not_run::not_run("alerts", "alertmanager is not installed (apt-get install prometheus-alertmanager)");
    }
    let server = Server::alertmanager().await;
    let spec = ServerSpec::open(&server.url);
    let now = Timestamp::now();
    let silence = Silence {
        id: "not used".into(),
        matchers: vec![matcher("alertname", "BreakerOpen"), matcher("job", "store")],
        why: "the disk is being replaced".into(),
        by: "ann@here".into(),
        from: now,
        until: now.checked_add(jiff::SignedDuration::from_hours(2)).unwrap(),
    };
    let id = alertmanager::create(&spec, &silence).await.unwrap();
    let listed =
        Command::new("amtool").args(["silence", "query", "-o", "extended", "--alertmanager.url", &server.url]).output().unwrap();
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    assert!(listed.contains(&*id) && listed.contains("BreakerOpen") && listed.contains("the disk is being replaced"), "{listed}");
    let labels = Labels::new([("alertname", "BreakerOpen"), ("job", "store"), ("instance", "a")]);
    let over =
        |silences: &quarterdeck::observe::rule::silence::Silences| silences.over(&labels, Timestamp::now()).map(|s| s.id.clone());
    let standing = server.until(async || alertmanager::silences(&spec).await.ok().filter(|s| over(s).is_some())).await;
    assert_eq!(over(&standing), Some(id.clone()));
    alertmanager::expire(&spec, &id).await.unwrap();
    assert_eq!(over(&alertmanager::silences(&spec).await.unwrap()), None);
    let past = Silence { until: now, from: now, ..silence };
    let refused = alertmanager::create(&spec, &past).await.unwrap_err();
    assert!(refused.contains("Alertmanager says: "), "{refused}");
    let gone = alertmanager::expire(&spec, "00000000-0000-0000-0000-000000000000").await.unwrap_err();
    assert!(gone.contains("silence"), "{gone}");
}
