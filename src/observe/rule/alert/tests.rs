//! Rules over series, step by step.

use super::*;
use crate::observe::rule::file::read;

const MIB: usize = 1 << 20;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).unwrap()
}

fn up(job: &str) -> Labels {
    Labels::new([(NAME, "up"), ("job", job)])
}

fn rules(text: &str) -> Rules {
    let rules = read(&format!("groups:\n- name: g\n  interval: 15s\n  rules:\n{text}"), "r.yml");
    assert_eq!(rules.problems, [], "{text}");
    rules
}

/// Feeds `up` of one job with a letter a step (`1`, `0`, ` ` for nothing) and writes a letter of the alert's state after
/// each step: `.` inactive, `p`, `f`, `r`.
fn course(rule: &str, values: &str) -> String {
    let mut evaluation = Evaluation::new(&rules(rule));
    let mut store = Store::new(MIB);
    let mut course = String::new();
    for (step, value) in values.chars().enumerate() {
        let now = at(15 * i64::try_from(step).unwrap());
        let value = value.to_digit(10).map_or(ABSENT, f64::from);
        store.append(&up("a"), now.as_millisecond(), value);
        assert!(evaluation.due(now));
        evaluation.evaluate(&mut store, now);
        assert!(!evaluation.due(now));
        let states: Vec<AlertState> = evaluation.alerts().iter().map(|alert| alert.state).collect();
        course.push(match states[..] {
            [AlertState::Inactive] => '.',
            [AlertState::Pending] => 'p',
            [AlertState::Firing] => 'f',
            [AlertState::Resolved] => 'r',
            _ => panic!("{states:?}"),
        });
    }
    course
}

#[test]
fn an_alert_pends_fires_and_resolves_as_in_prometheus() {
    let down = "  - {alert: Down, expr: up == 0, for: 30s}\n";
    let kept = "  - {alert: Down, expr: up == 0, for: 30s, keep_firing_for: 30s}\n";
    let soon = "  - {alert: Down, expr: up == 0}\n";
    for (rule, values, expected) in [
        (down, "1100110", "..pp..p"),
        (down, "100001101", ".ppffrrp."),
        (down, "10000 0000", ".ppffrppff"),
        (soon, "1010", ".frf"),
        (kept, "00011101111", "ppfffrp...."),
        (kept, "000110111", "ppffffffr"),
        (down, "0010", "pp.p"),
    ] {
        assert_eq!(course(rule, values), expected, "{rule} {values}");
    }
}

#[test]
fn a_resolved_alert_is_shown_for_a_quarter_of_an_hour() {
    let shown = course("  - {alert: Down, expr: up == 0}\n", &format!("0{}", "1".repeat(64)));
    assert_eq!(shown, format!("f{}...", "r".repeat(61)));
}

#[test]
fn every_set_of_labels_is_an_alert_of_its_own_and_says_what_it_found() {
    let rule = "  - alert: Slow\n    expr: latency > 1\n    labels: {severity: page, job: 'x-{{ $labels.job }}'}\n    \
                annotations: {summary: '{{ $labels.job }} takes {{ $value | humanizeDuration }}, token=abcdefgh12345678'}\n";
    let mut evaluation = Evaluation::new(&rules(rule));
    let mut store = Store::new(MIB);
    for (job, value) in [("a", 2.5), ("b", 0.5), ("c", 90.0)] {
        store.append(&Labels::new([(NAME, "latency"), ("job", job)]), at(0).as_millisecond(), value);
    }
    let changes = evaluation.evaluate(&mut store, at(0));
    let told: Vec<(AlertState, AlertState)> = changes.iter().map(|c| (c.was, c.alert.state)).collect();
    let turn = [(AlertState::Inactive, AlertState::Pending), (AlertState::Pending, AlertState::Firing)];
    assert_eq!(told, [turn, turn].concat());
    let alerts = evaluation.alerts();
    assert_eq!(alerts.len(), 2);
    assert_eq!(alerts[0].labels.to_string(), r#"{alertname="Slow",job="x-a",severity="page"}"#);
    assert!(alerts[1].annotations.get("summary").starts_with("c takes 1m 30s"), "{alerts:?}");
    assert!(!alerts[1].annotations.get("summary").contains("abcdefgh12345678"), "{alerts:?}");
    assert_eq!((alerts[1].value, alerts[1].since), (Some(90.0), Some(at(0))));
}

#[test]
fn what_is_recorded_is_there_for_the_next_rule_and_ends_with_what_it_is_made_of() {
    let text = "  - {record: 'job:up:sum', expr: sum by (job) (up), labels: {kind: sum}}\n  \
                - {alert: Gone, expr: 'job:up:sum{kind=\"sum\"} == 0'}\n  - {alert: Loud, expr: 'ALERTS{alertname=\"Gone\",alertstate=\"firing\"}'}\n";
    let mut evaluation = Evaluation::new(&rules(text));
    let mut store = Store::new(MIB);
    store.append(&up("a"), at(0).as_millisecond(), 0.0);
    evaluation.evaluate(&mut store, at(0));
    let states = |evaluation: &Evaluation| evaluation.alerts().iter().map(|a| a.state).collect::<Vec<_>>();
    assert_eq!(states(&evaluation), [AlertState::Firing, AlertState::Firing]);
    store.append(&up("a"), at(15).as_millisecond(), ABSENT);
    evaluation.evaluate(&mut store, at(15));
    assert_eq!(states(&evaluation), [AlertState::Resolved, AlertState::Resolved]);
}

#[test]
fn a_rule_that_cannot_be_evaluated_says_so_and_the_others_work() {
    let text = "groups:\n- name: g\n  limit: 1\n  rules:\n  - {alert: Beyond, expr: 'nothing_like_it(up)'}\n  \
                - {alert: Twice, expr: 'up == 0', labels: {job: same}}\n  - {alert: Many, expr: 'up == 0'}\n  \
                - {alert: One, expr: 'sum(up) == 0'}\n";
    let mut evaluation = Evaluation::new(&read(text, "r.yml"));
    let mut store = Store::new(MIB);
    for job in ["a", "b"] {
        store.append(&up(job), at(0).as_millisecond(), 0.0);
    }
    evaluation.evaluate(&mut store, at(0));
    let seen: Vec<(Arc<str>, AlertState, bool)> =
        evaluation.alerts().iter().map(|a| (a.name.clone(), a.state, a.trouble.is_some())).collect();
    let inactive = |name: &str| (name.into(), AlertState::Inactive, true);
    assert_eq!(seen, [inactive("Beyond"), inactive("Twice"), inactive("Many"), ("One".into(), AlertState::Firing, false)]);
    let troubles = evaluation.troubles();
    assert_eq!(&*troubles[1].1, "two results have the same labels once those of the rule are put on");
    assert_eq!(&*troubles[2].1, "it gives 2 alerts, 1 are allowed");
    // A group that does not say how often is evaluated every 15 s.
    assert_eq!(evaluation.next(), Some(at(15)));
}

#[test]
fn states_survive_a_reload_and_late_evaluations_keep_their_step() {
    let text = "  - {alert: Down, expr: up == 0, for: 30s}\n";
    let mut evaluation = Evaluation::new(&rules(text));
    let mut store = Store::new(MIB);
    store.append(&up("a"), at(0).as_millisecond(), 0.0);
    evaluation.evaluate(&mut store, at(0));
    evaluation.reload(&rules(&format!("  - {{alert: New, expr: up == 5}}\n{text}")));
    assert!(!evaluation.due(at(14)));
    evaluation.evaluate(&mut store, at(38));
    let states: Vec<AlertState> = evaluation.alerts().iter().map(|a| a.state).collect();
    assert_eq!(states, [AlertState::Inactive, AlertState::Firing]);
    assert_eq!(evaluation.alerts()[1].since, Some(at(0)));
    assert_eq!(evaluation.next(), Some(at(45)));
    evaluation.reload(&Rules::default());
    assert_eq!((evaluation.alerts().len(), evaluation.next()), (0, None));
}
