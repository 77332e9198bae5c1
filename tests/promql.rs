//! Expressions evaluated here and by Prometheus over the same samples. Where no Prometheus is installed, its answers of another
//! time are what ours are held against; `QD_TEST_RECORD=1` writes them down anew.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    clippy::float_cmp,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::type_complexity,
    clippy::used_underscore_binding,
    reason = "a test or a measurement says what it needs, and stops where it is not so"
)]

#[path = "promql/answer.rs"]
mod answer;
#[path = "promql/feed.rs"]
mod feed;
#[path = "support/not_run.rs"]
mod not_run;
#[path = "promql/server.rs"]
mod server;

use std::collections::BTreeMap;

use answer::{Answer, difference};

/// Milliseconds after the first scrape: near the end, between two scrapes, early, after the end.
const TIMES: [i64; 4] = [3_450_000, 1_807_123, 725_000, 3_700_000];
const RECORDED: &str = "tests/promql/answers.txt";

fn path(name: &str) -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// What is compared, and whether it is an error.
fn expressions() -> Vec<(String, bool)> {
    let text = std::fs::read_to_string(path("tests/promql/expressions.txt")).unwrap();
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| line.strip_prefix("! ").map_or((line.to_owned(), false), |line| (line.to_owned(), true))).collect()
}

fn is_ordered(expression: &str) -> bool {
    ["sort", "topk(", "bottomk("].iter().any(|name| expression.starts_with(name))
}

/// Prometheus' answers of another time, by expression.
fn recorded() -> BTreeMap<String, Vec<Answer>> {
    let text = std::fs::read_to_string(path(RECORDED)).unwrap();
    let mut all = BTreeMap::new();
    for one in text.split("\n> ").skip(1) {
        let (expression, answers) = one.split_once('\n').unwrap();
        let answers = format!("\n{answers}");
        let answers = answers.split("\n@ ").skip(1).zip(TIMES).map(|(answer, at)| {
            let (said, rows) = answer.split_once('\n').unwrap_or((answer, ""));
            assert_eq!(said.trim().parse::<i64>().unwrap(), at, "{expression}");
            answer::read(rows, feed::BEGIN + at)
        });
        all.insert(expression.to_owned(), answers.collect());
    }
    all
}

fn agree(wrong: &[String], all: usize) {
    assert!(wrong.is_empty(), "{} of {all} answers differ from those of Prometheus:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn answers_are_those_prometheus_gave() {
    let (store, recorded, expressions) = (feed::stored(), recorded(), expressions());
    assert!(expressions.len() >= 300, "{}", expressions.len());
    assert_eq!(recorded.len(), expressions.len(), "each expression is recorded once: QD_TEST_RECORD=1 does it");
    let mut wrong = Vec::new();
    for (expression, _) in &expressions {
        let answers = recorded.get(expression).unwrap_or_else(|| panic!("{expression} is not recorded"));
        assert_eq!(answers.len(), TIMES.len(), "{expression}");
        for (time, theirs) in TIMES.into_iter().zip(answers) {
            let ours = answer::at(&store, expression, feed::BEGIN + time);
            let differs = difference(&ours, theirs, is_ordered(expression));
            wrong.extend(differs.map(|how| format!("{expression} at {time}:\n    {how}")));
        }
    }
    agree(&wrong, expressions.len() * TIMES.len());
}

#[test]
fn answers_are_those_of_a_real_prometheus() {
    if !server::is_installed() {
        not_run::not_run("expressions against a real Prometheus", "prometheus and promtool are not installed");
        assert!(std::env::var("QD_TEST_REQUIRE_PROMETHEUS").as_deref() != Ok("1"), "a real Prometheus is required");
        return;
    }
    let (store, server) = (feed::stored(), server::Server::start(&feed::text()));
    let (from, to, step) = (feed::BEGIN + 600_000, feed::BEGIN + 3_500_000, 97_000);
    let (mut wrong, mut lines) = (Vec::new(), String::from("What Prometheus 2.42 answered.\n"));
    let expressions = expressions();
    for (expression, fails) in &expressions {
        lines += &format!("> {expression}\n");
        for time in TIMES {
            let theirs = server.at(expression, feed::BEGIN + time);
            lines += &format!("@ {time}\n{}", answer::written(&theirs));
            let ours = answer::at(&store, expression, feed::BEGIN + time);
            let differs = difference(&ours, &theirs, is_ordered(expression));
            wrong.extend(differs.map(|how| format!("{expression} at {time}:\n    {how}")));
            if *fails && time == TIMES[0] && theirs != Answer::Error {
                wrong.push(format!("{expression} is no error to Prometheus: {theirs:?}"));
            }
        }
        let theirs = server.over(expression, from, to, step);
        let ours = answer::over(&store, expression, from, to, step);
        let differs = difference(&ours, &theirs, false);
        wrong.extend(differs.map(|how| format!("{expression} over a range:\n    {how}")));
    }
    if std::env::var("QD_TEST_RECORD").as_deref() == Ok("1") {
        std::fs::write(path(RECORDED), lines).unwrap();
    }
    agree(&wrong, expressions.len() * (TIMES.len() + 1));
}
