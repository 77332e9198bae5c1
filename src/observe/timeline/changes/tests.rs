//! What two looks at a small environment tell.

use jiff::Timestamp;

use super::*;
use crate::model::{
    Capabilities, Container, ContainerRole, Controller, Drift, DriftKind, EngineKind, Environment, EnvironmentId, Guard,
    InstanceState, Mechanics, Pod, Scaler, Tier, Verdict,
};

fn workload() -> Workload {
    let revision = |number: u64, tag: &str| Revision {
        number,
        image: format!("ghcr.io/acme/api:{tag}").into(),
        digest: None,
        at: None,
        by: Some("ops@bastion-1".into()),
        cause: Some("deploy".into()),
    };
    Workload {
        id: "api".into(),
        kind: WorkloadKind::Deployment,
        desired: 2,
        resting: None,
        ready: 2,
        verdict: Verdict::healthy(),
        image: "ghcr.io/acme/api:1.4.2".into(),
        digest: Some("sha256:aaaaaaaaaaaaaaaa".into()),
        revision: Some(7),
        revisions: vec![revision(8, "1.5.0"), revision(7, "1.4.2")],
        rollout: None,
        instances: vec![Arc::new(pod(0))],
        checks: Vec::new(),
        autoscaler: None,
        drift: None,
        created_at: None,
        controller: Some(Arc::default()),
        capabilities: Capabilities::default(),
    }
}

fn pod(restarts: u32) -> Instance {
    let container = Container {
        name: "api".into(),
        role: ContainerRole::Main,
        image: "ghcr.io/acme/api:1.4.2".into(),
        ready: true,
        restarts,
        state: "running".into(),
        last: (restarts > 0).then(|| "OOMKilled, exit code 137".into()),
        has_log: true,
        ports: Vec::new(),
    };
    Instance {
        id: "ns/api-1".into(),
        name: "api-1".into(),
        number: 1,
        state: InstanceState::Running,
        verdict: Verdict::healthy(),
        has_healthcheck: true,
        checks: Vec::new(),
        image: "ghcr.io/acme/api:1.4.2".into(),
        digest: None,
        revision: Some(7),
        made_by: None,
        set_aside: false,
        one_off: false,
        fixed_name: false,
        fixed_ports: Vec::new(),
        restarts,
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
        pod: Some(Arc::new(Pod { containers: vec![container], ..Pod::default() })),
        labels: Arc::default(),
    }
}

fn snapshot(workloads: Vec<Workload>, lock: Option<LockHolder>, notes: &[&str]) -> Snapshot {
    let environment = Environment {
        id: EnvironmentId::new("c", "shop"),
        tier: Tier::Staging,
        engine: EngineKind::Kubernetes,
        mechanics: Mechanics::Declared,
        endpoint: "e".into(),
        guard: Guard::Open,
    };
    Snapshot {
        environment: Arc::new(environment),
        at: Timestamp::from_second(100).unwrap(),
        workloads: workloads.into_iter().map(Arc::new).collect(),
        lock: lock.map(Arc::new),
        facts: Vec::new(),
        nodes: Vec::new(),
        notes: notes.iter().map(|n| Arc::from(*n)).collect(),
        file: None,
    }
}

fn told(old: &Snapshot, new: &Snapshot) -> Vec<String> {
    changes(old, new).iter().map(|i| format!("{} {}: {}", i.subject, i.what, i.detail)).collect()
}

fn after(change: impl Fn(&mut Workload)) -> Vec<String> {
    let mut new = workload();
    change(&mut new);
    told(&snapshot(vec![workload()], None, &[]), &snapshot(vec![new], None, &[]))
}

#[test]
fn what_somebody_changed_is_told_once_with_who_and_why() {
    let scaler = |max: u32, desired: u32| Scaler {
        name: "api".into(),
        min: 2,
        max,
        current: 2,
        desired,
        targets: vec!["cpu 91 % of 70 %".into()],
        trouble: None,
    };
    let controlled =
        |w: &mut Workload, s: Scaler| w.controller = Some(Arc::new(Controller { scaler: Some(s), ..Controller::default() }));
    assert_eq!(after(|_| {}), [""; 0], "nothing has changed");
    assert_eq!(after(|w| w.verdict = Verdict::because(crate::model::Health::Degraded, "x")), [""; 0], "health is told elsewhere");
    assert_eq!(
        after(|w| (w.image, w.revision) = ("ghcr.io/acme/api:1.5.0".into(), Some(8))),
        ["api image: api 1.4.2 → 1.5.0 by ops@bastion-1: deploy"]
    );
    assert_eq!(after(|w| w.revision = Some(8)), ["api revision: 8 (was 7) by ops@bastion-1: deploy"]);
    assert_eq!(
        after(|w| w.digest = Some("sha256:bbbbbbbbbbbbbbbb".into())),
        ["api image: ghcr.io/acme/api:1.4.2 is another one: aaaaaaaaaaaa → bbbbbbbbbbbb"]
    );
    assert_eq!(after(|w| w.desired = 3), ["api scaled: 2 → 3"]);
    assert_eq!(
        after(|w| {
            w.desired = 3;
            controlled(w, scaler(10, 3));
        }),
        ["api scaled: 2 → 3 (autoscaler api: cpu 91 % of 70 %)"]
    );
    assert_eq!(
        after(|w| w.drift = Some(Arc::new(Drift { kind: DriftKind::Extra, deviations: Vec::new(), replicas: None }))),
        ["api drift: from its file: not in the file"]
    );
    assert_eq!(
        after(|w| w.controller = Some(Arc::new(Controller { paused: true, ..Controller::default() }))),
        ["api paused: its controller"]
    );
    assert_eq!(after(|w| w.instances = vec![Arc::new(pod(3))]), ["api-1 restarted: api: OOMKilled, exit code 137; restart 3"]);
    let mut before = workload();
    controlled(&mut before, scaler(10, 2));
    let mut wider = before.clone();
    controlled(&mut wider, scaler(20, 2));
    assert_eq!(
        told(&snapshot(vec![before], None, &[]), &snapshot(vec![wider], None, &[])),
        ["api autoscaler: bounds 2–10 → 2–20"]
    );
}

#[test]
fn what_comes_and_goes_is_told_once_the_list_is_whole() {
    let (empty, full) = (snapshot(Vec::new(), None, &[]), snapshot(vec![workload()], None, &[]));
    assert_eq!(told(&empty, &full), ["api new: Deployment ghcr.io/acme/api:1.4.2"]);
    assert_eq!(told(&full, &empty), ["api gone: ghcr.io/acme/api:1.4.2"]);
    let listing = snapshot(Vec::new(), None, &["still being listed: Deployments"]);
    assert_eq!(told(&listing, &full), [""; 0]);
}

#[test]
fn a_lock_says_who_is_at_work() {
    let lock = |by: &str| LockHolder {
        by: by.into(),
        host: "h".into(),
        pid: 1,
        pid_started: 1,
        why: "deploy api 1.5.0".into(),
        since: Timestamp::from_second(5).unwrap(),
        operation: None,
        request: None,
    };
    let at = |lock| snapshot(Vec::new(), lock, &[]);
    assert_eq!(told(&at(None), &at(Some(lock("mira@b")))), ["shop locked: by mira@b: deploy api 1.5.0"]);
    assert_eq!(told(&at(Some(lock("mira@b"))), &at(Some(lock("jo@b")))), ["shop locked: by jo@b: deploy api 1.5.0 (was mira@b)"]);
    assert_eq!(told(&at(Some(lock("mira@b"))), &at(None)), ["shop unlocked: was mira@b: deploy api 1.5.0"]);
    assert_eq!(told(&at(Some(lock("mira@b"))), &at(Some(lock("mira@b")))), [""; 0]);
}

#[test]
fn images_of_one_name_are_told_by_their_tags() {
    let table = [
        ("api:1", "api:2", "api 1 → 2"),
        ("r:5000/api:1", "r:5000/api:2", "api 1 → 2"),
        ("api:1", "web:1", "api:1 → web:1"),
        ("api", "api:2", "api → api:2"),
        ("api@sha256:a", "api@sha256:b", "api@sha256 a → b"),
    ];
    for (before, after, expected) in table {
        assert_eq!(between(before, after), expected);
    }
}
