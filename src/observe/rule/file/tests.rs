//! Rule files read and told about.

use super::*;

/// The rules of an LMS and of a store, as their guides have them.
const WELL: &str = r#"
groups:
  - name: ai_alerts
    interval: 15s
    rules:
      - alert: HighErrorRate
        expr: rate(ai_errors_total[5m]) > 0.05
        for: 5m
        labels: {severity: critical, team: 007}
        annotations:
          summary: "High error rate on {{ $labels.instance }}"
          description: 'It is {{ $value | humanizePercentage }}'
      - alert: BudgetExceeded
        expr: ai_monthly_cost_usd > 150
      - record: job:requests:rate1m
        expr: |
          sum by (job) (
            rate(app_requests_total[1m])
          )
        labels:
          kind: recorded
  - name: store
    limit: 10
    query_offset: 5s
    labels: {stack: store}
    rules:
      - alert: BreakerOpen
        expr: circuit_breaker_state == 2
        for: 1m
        keep_firing_for: 30s
        labels: {severity: page}
"#;

#[test]
fn a_rule_file_is_read_as_it_is() {
    let rules = read(WELL, "alerts.yml");
    assert_eq!(rules.problems, []);
    let [ai, store] = &rules.groups[..] else { panic!("{rules:?}") };
    assert_eq!((ai.interval, ai.limit, ai.rules.len()), (Some(Duration::from_secs(15)), 0, 3));
    assert_eq!((store.interval, store.limit, store.offset), (None, 10, Duration::from_secs(5)));
    let high = &ai.rules[0];
    let Does::Alert(alerting) = &high.does else { panic!("{high:?}") };
    assert_eq!((&*high.name, high.line, alerting.after), ("HighErrorRate", 6, Duration::from_secs(300)));
    assert_eq!(&*high.expression, "rate(ai_errors_total[5m]) > 0.05");
    assert!(high.expr.is_ok());
    let labels: Vec<(&str, &str)> = high.labels.iter().map(|(n, t)| (&**n, &*t.text)).collect();
    assert_eq!(labels, [("severity", "critical"), ("team", "007")]);
    assert_eq!(alerting.annotations.len(), 2);
    assert_eq!(ai.rules[2].does, Does::Record);
    let Does::Alert(breaker) = &store.rules[0].does else { panic!("{store:?}") };
    assert_eq!(breaker.keep, Duration::from_secs(30));
    assert_eq!(store.rules[0].labels.iter().map(|(n, _)| &**n).collect::<Vec<_>>(), ["stack", "severity"]);
    assert_eq!(read("", "empty.yml"), Rules::default());
}

#[test]
fn every_mistake_is_told_with_its_place_and_the_rest_works() {
    let source = r#"groups:
- name: a
  intervall: 15s
  rules:
  - alert: Fine
    expr: up == 0
    for: 5 minutes
  - alert: Beyond
    expr: |
      sum(rate(x[5m]))
        + holt_winters2(y)
  - alert: Both
    record: x
    expr: up
  - record: 'a b'
    expr: up
    for: 1m
  - alert: NoExpr
  - expr: up
  - alert: Shown
    expr: up
    labels: {1a: x, __name__: y}
    annotations:
      s: "{{ $labels.a }} {{ humanise $value }}"
      t: [1]
- name: a
  rules: {}
- rules: []
"#;
    let rules = read(source, "r.yml");
    let told: Vec<String> = rules.problems.iter().map(ToString::to_string).collect();
    let starts = [
        "r.yml:3:3: unknown key `intervall` in a group, did you mean `interval`?",
        "r.yml:7:10: `for`: `5 minutes` is no time span",
        "r.yml:11:11: Beyond: ",
        "r.yml:13:13: `alert` and `record` exclude each other",
        "r.yml:15:13: `record`: `a b` is no name of a series",
        "r.yml:17:5: `for` belongs to alerts",
        "r.yml:18:5: the rule `NoExpr` needs an `expr`",
        "r.yml:19:5: a rule needs `alert` or `record`",
        "r.yml:22:14: `1a` is no name of a label",
        "r.yml:22:21: `__name__` is no name of a label",
        "r.yml:24:30: s: unknown function `humanise`, did you mean `humanize`?",
        "r.yml:25:10: `t`: expected a text",
        "r.yml:26:3: the group `a` is there already",
        "r.yml:27:10: `rules`: expected a list",
        "r.yml:28:3: a group needs a `name`",
    ];
    assert_eq!(told.len(), starts.len(), "{told:#?}");
    for (told, start) in told.iter().zip(starts) {
        assert!(told.starts_with(start), "{told}\n{start}");
    }
    let names: Vec<(&str, bool)> = rules.all().map(|r| (&*r.name, r.expr.is_ok())).collect();
    assert_eq!(names, [("Fine", true), ("Beyond", false), ("a b", true), ("Shown", true)]);
}

#[test]
fn what_is_no_rule_file_is_told() {
    for (source, start) in [
        ("groups: 3", "r.yml:1:9: `groups`: expected a list"),
        ("- a", "r.yml:1:1: expected a rule file"),
        ("groups: [", "r.yml:"),
        ("groups:\n- name: x\n  name: y\n", "r.yml:3:3: this is no YAML: duplicate mapping key: name"),
        ("groups:\n- x\n", "r.yml:2:3: expected a group"),
    ] {
        let told = read(source, "r.yml").problems;
        assert!(told.len() == 1 && told[0].to_string().starts_with(start), "{source}: {told:?}");
    }
}
