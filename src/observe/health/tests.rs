//! Workloads judged by what stands beside their engine.

use super::*;
use crate::model::{EngineKind, Environment, EnvironmentId, Guard, InstanceState, Mechanics, Tier};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_795_000_000 + second).unwrap()
}

fn instance(id: &str, health: Health) -> Arc<Instance> {
    let reasons = if health == Health::Healthy { Vec::new() } else { vec![health.word().into()] };
    Arc::new(Instance {
        id: id.into(),
        name: id.into(),
        number: 1,
        state: InstanceState::Running,
        verdict: Verdict::new(health, reasons),
        has_healthcheck: true,
        checks: Vec::new(),
        image: "x:1".into(),
        digest: None,
        revision: None,
        made_by: None,
        set_aside: false,
        one_off: false,
        fixed_name: false,
        fixed_ports: Vec::new(),
        restarts: 0,
        exit_code: None,
        oom_killed: false,
        node: None,
        elsewhere: None,
        ip: None,
        ports: Vec::new(),
        created_at: None,
        started_at: None,
        finished_at: None,
        memory_limit_bytes: None,
        pod: None,
        labels: Arc::default(),
    })
}

fn workload(name: &str, health: Health, instances: &[(&str, Health)]) -> Arc<Workload> {
    let base = dependency(&name.into(), &[], None, at(0));
    let instances: Vec<_> = instances.iter().map(|(id, health)| instance(id, *health)).collect();
    let reasons = if health == Health::Healthy { Vec::new() } else { vec!["the engine says so".into()] };
    Arc::new(Workload {
        kind: WorkloadKind::Service,
        desired: u32::try_from(instances.len()).unwrap(),
        verdict: Verdict::new(health, reasons),
        instances,
        capabilities: Capabilities::default(),
        ..base.as_ref().clone()
    })
}

fn snapshot(workloads: Vec<Arc<Workload>>) -> Arc<Snapshot> {
    let environment = Environment {
        id: EnvironmentId::new("c", "e"),
        tier: Tier::Local,
        engine: EngineKind::Compose,
        mechanics: Mechanics::Instances,
        endpoint: "x".into(),
        guard: Guard::Open,
    };
    Arc::new(Snapshot {
        environment: Arc::new(environment),
        at: at(0),
        workloads,
        lock: None,
        facts: Vec::new(),
        nodes: Vec::new(),
        notes: Vec::new(),
        file: None,
    })
}

fn check(source: &'static str, health: Health, output: &str) -> Check {
    Check { name: "api".into(), source, health, latency_ms: None, output: output.into(), at: None }
}

fn signs(instances: &[(&str, Health)], workloads: &[(&str, &'static str, Health)]) -> Signs {
    Signs {
        instances: instances.iter().map(|(id, h)| ((*id).into(), vec![check("probe", *h, "answers 503")])).collect(),
        workloads: workloads.iter().map(|(id, source, h)| ((*id).into(), vec![check(source, *h, "0.061 > 0.05")])).collect(),
    }
}

#[test]
fn the_worst_sign_counts_and_says_why() {
    use Health::{Degraded, Healthy, Starting, Stopped, Unhealthy, Unknown};
    type Row = (&'static [(&'static str, Health)], Health, Signs, Health, &'static [&'static str]);
    let table: Vec<Row> = vec![
        (&[("a", Healthy)], Healthy, signs(&[("a", Healthy)], &[]), Healthy, &[]),
        (&[("a", Healthy)], Healthy, signs(&[("a", Unknown)], &[]), Healthy, &[]),
        (&[("a", Healthy)], Healthy, signs(&[("a", Unhealthy)], &[]), Unhealthy, &["probe api: answers 503"]),
        (&[("a", Healthy), ("b", Healthy)], Healthy, signs(&[("b", Unhealthy)], &[]), Degraded, &["b: probe api: answers 503"]),
        (
            &[("a", Unhealthy), ("b", Healthy)],
            Degraded,
            signs(&[("b", Unhealthy)], &[]),
            Unhealthy,
            &["b: probe api: answers 503", "the engine says so"],
        ),
        (&[("a", Healthy)], Healthy, signs(&[], &[("w", "alert", Degraded)]), Degraded, &["alert api: 0.061 > 0.05"]),
        (&[("a", Healthy)], Healthy, signs(&[], &[("w", "probe", Unhealthy)]), Unhealthy, &["probe api: 0.061 > 0.05"]),
        (
            &[("a", Unhealthy)],
            Unhealthy,
            signs(&[], &[("w", "alert", Degraded)]),
            Unhealthy,
            &["the engine says so", "alert api: 0.061 > 0.05"],
        ),
        // What is stopped on purpose or starting does not answer, and an alert on it still counts.
        (&[("a", Stopped)], Stopped, signs(&[("a", Unhealthy)], &[("w", "probe", Unhealthy)]), Stopped, &["the engine says so"]),
        (&[("a", Starting)], Starting, signs(&[("a", Unhealthy)], &[]), Starting, &["the engine says so"]),
        (
            &[("a", Starting)],
            Starting,
            signs(&[], &[("w", "alert", Unhealthy)]),
            Unhealthy,
            &["alert api: 0.061 > 0.05", "the engine says so"],
        ),
    ];
    for (instances, health, signs, expected, reasons) in table {
        let observed = snapshot(vec![workload("w", health, instances)]);
        let judged = judge(&observed, &signs, None, at(1));
        let verdict = &judged.workloads[0].verdict;
        let seen: Vec<&str> = verdict.reasons.iter().map(|r| &**r).collect();
        assert_eq!((verdict.health, seen.as_slice()), (expected, reasons), "{instances:?} {signs:?}");
    }
}

#[test]
fn what_is_no_workload_is_a_dependency_of_its_own() {
    let observed = snapshot(vec![workload("w", Health::Healthy, &[("a", Health::Healthy)])]);
    for (health, expected, ready) in [
        (Health::Healthy, Health::Healthy, 1),
        (Health::Unknown, Health::Unknown, 0),
        (Health::Unhealthy, Health::Unhealthy, 0),
        (Health::Degraded, Health::Degraded, 1),
    ] {
        let judged = judge(&observed, &signs(&[], &[("db.internal", "probe", health)]), None, at(1));
        let row = judged.workload(&"db.internal".into()).unwrap();
        assert_eq!((row.kind, row.verdict.health, row.ready), (WorkloadKind::Dependency, expected, ready));
        assert_eq!(judged.workloads[0].id.as_str(), "db.internal", "sorted by name");
        assert!(crate::model::Verb::ALL.iter().all(|verb| row.capabilities.denied.contains_key(verb)));
    }
}

#[test]
fn a_health_has_a_beginning_from_the_first_change_on_and_what_is_as_before_is_shared() {
    let (good, bad) = (signs(&[("a", Health::Healthy)], &[]), signs(&[("a", Health::Unhealthy)], &[]));
    let observed = snapshot(vec![
        workload("v", Health::Healthy, &[("x", Health::Healthy)]),
        workload("w", Health::Healthy, &[("a", Health::Healthy)]),
    ]);
    let first = judge(&observed, &good, None, at(0));
    assert_eq!(first.workloads[1].verdict.since, None, "it was so when it was first seen");
    assert!(Arc::ptr_eq(&first.workloads[0], &observed.workloads[0]), "nothing is known of it beside its engine");
    let second = judge(&observed, &bad, Some(Judged { observed: &observed, judged: &first }), at(10));
    assert_eq!(second.workloads[1].verdict.since, Some(at(10)));
    assert_eq!(second.workloads[1].instances[0].verdict.since, Some(at(10)));
    let third = judge(&observed, &bad, Some(Judged { observed: &observed, judged: &second }), at(20));
    assert_eq!(third.workloads[1].verdict.since, Some(at(10)), "it goes on");
    let back = judge(&observed, &Signs::default(), Some(Judged { observed: &observed, judged: &third }), at(30));
    assert_eq!((back.workloads[1].verdict.health, back.workloads[1].verdict.since), (Health::Healthy, Some(at(30))));
    assert!(back.workloads[1].instances[0].checks.is_empty());
    let calm = judge(&observed, &Signs::default(), Some(Judged { observed: &observed, judged: &back }), at(40));
    assert!(Arc::ptr_eq(&calm, &back), "nothing has changed");
    let untouched = judge(&observed, &Signs::default(), None, at(0));
    assert!(Arc::ptr_eq(&untouched, &observed));
}

#[test]
fn the_engines_own_changes_have_a_beginning_too() {
    let (well, ill) = (
        snapshot(vec![workload("w", Health::Healthy, &[("a", Health::Healthy)])]),
        snapshot(vec![workload("w", Health::Unhealthy, &[("a", Health::Unhealthy)])]),
    );
    let before = judge(&well, &Signs::default(), None, at(0));
    let after = judge(&ill, &Signs::default(), Some(Judged { observed: &well, judged: &before }), at(5));
    assert_eq!(after.workloads[0].verdict.since, Some(at(5)));
    // Told again, as engines do, in other words.
    let again = snapshot(vec![workload("w", Health::Unhealthy, &[("a", Health::Unhealthy)])]);
    let later = judge(&again, &Signs::default(), Some(Judged { observed: &ill, judged: &after }), at(9));
    assert_eq!(later.workloads[0].verdict.since, Some(at(5)));
    assert_eq!(later.workloads[0].instances[0].verdict.since, Some(at(5)));
}
