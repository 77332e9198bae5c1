//! A small world to look at: three environments on two endpoints, one of them in trouble.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use quarterdeck::app::state::{Dots, LogScope, LogSource, LogView, RowId, Screen, Settings, State, View};
use quarterdeck::engine::LogQuery;
use quarterdeck::keymap::Keymap;
use quarterdeck::model::{
    Capabilities, Check, EngineKind, Environment, EnvironmentId, Health, Instance, InstanceState, Inventory, Item, Link,
    LockHolder, Mechanics, Port, Revision, Sample, Snapshot, Source, Tier, Verdict, Workload, WorkloadKind,
};
use quarterdeck::observe::log::{ChunkBuilder, LogBatch, Marker, Stream};
use quarterdeck::operate::policy::Actor;

/// 2026-11-21 14:03:22 UTC.
pub fn now() -> Timestamp {
    Timestamp::from_second(1_795_269_802).unwrap()
}

pub fn ago(seconds: i64) -> Timestamp {
    Timestamp::from_second(now().as_second() - seconds).unwrap()
}

pub fn actor() -> Actor {
    Actor { user: "mira".into(), host: "bastion-1".into(), ssh: Some("10.9.0.4".into()), pid: 411, pid_started: 99 }
}

pub fn settings() -> Settings {
    Settings {
        read_only: false,
        policies: BTreeMap::new(),
        only: None,
        refresh: Duration::from_secs(5),
        log_bytes: 1 << 20,
        log_tail: 500,
        dots: Dots::Braille,
        utc_offset_minutes: 60,
        theme: "terminal".into(),
        themes: vec!["terminal".into(), "dark".into()],
    }
}

pub fn production() -> EnvironmentId {
    EnvironmentId::new("prod-1", "lms-ai")
}

/// An instance that is well; the callers change what is not.
fn instance(project: &str, workload: &str, number: u32, image: &str) -> Instance {
    Instance {
        id: format!("{:0>12}", format!("{number}{}", workload.bytes().map(|b| format!("{b:x}")).collect::<String>()))
            .as_str()
            .into(),
        name: format!("{project}_{workload}_{number}").into(),
        number,
        state: InstanceState::Running,
        verdict: Verdict::healthy(),
        has_healthcheck: true,
        checks: vec![check(Health::Healthy, "ok", 12)],
        image: image.into(),
        digest: Some("sha256:9f2a41c07b1d55aa".into()),
        revision: Some(4),
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
        pod: None,
        ip: Some("172.20.0.7".into()),
        ports: Vec::new(),
        created_at: Some(ago(180_000)),
        started_at: Some(ago(180_000)),
        finished_at: None,
        memory_limit_bytes: Some(1 << 30),
        labels: Arc::default(),
    }
}

fn check(health: Health, output: &str, latency: u64) -> Check {
    Check {
        name: "HEALTHCHECK".into(),
        source: "container",
        health,
        latency_ms: Some(latency),
        output: output.into(),
        at: Some(ago(240)),
    }
}

fn workload(name: &str, image: &str, instances: Vec<Instance>) -> Workload {
    let count = u32::try_from(instances.len()).unwrap();
    Workload {
        checks: Vec::new(),
        id: name.into(),
        kind: WorkloadKind::Service,
        desired: count,
        ready: count,
        verdict: Verdict::healthy(),
        image: image.into(),
        digest: Some("sha256:9f2a41c07b1d55aa".into()),
        revision: Some(4),
        revisions: [("1.4.0", 4, 2 * 86_400), ("1.3.2", 3, 9 * 86_400), ("1.3.1", 2, 20 * 86_400)]
            .into_iter()
            .map(|(tag, number, age)| Revision {
                number,
                image: format!("{}:{tag}", image.split(':').next().unwrap_or(image)).into(),
                digest: Some("sha256:9f2a41c07b1d55aa".into()),
                at: Some(ago(age)),
                by: Some("ops@bastion-1".into()),
                cause: Some("deploy".into()),
            })
            .collect(),
        instances: instances.into_iter().map(Arc::new).collect(),
        resting: None,
        controller: None,
        rollout: None,
        autoscaler: None,
        drift: None,
        created_at: Some(ago(200_000)),
        capabilities: Capabilities::default(),
    }
}

fn sick() -> Workload {
    let why = "exited with 1 four times in 3 min; last line: GOOGLE_API_KEY is not set";
    let mut one = instance("lms-ai", "proxypal", 1, "proxypal:2.3");
    one.state = InstanceState::Restarting;
    one.verdict = Verdict::because(Health::Unhealthy, why);
    one.checks = vec![check(Health::Unhealthy, "curl: (7) Failed to connect to localhost port 8888: Connection refused", 3)];
    one.restarts = 14;
    one.exit_code = Some(1);
    one.started_at = Some(ago(12));
    one.ports = vec![Port { host: Some(("0.0.0.0".into(), 8888)), container: 8888, protocol: "tcp".into() }];
    let mut all = workload("proxypal", "proxypal:2.3", vec![one]);
    all.ready = 0;
    all.verdict = Verdict::because(Health::Unhealthy, why);
    all.revision = Some(4);
    all.created_at = Some(ago(190));
    all
}

fn limping() -> Workload {
    let mut all =
        workload("backend", "backend:1.4.0", (1..=3).map(|n| instance("lms-ai", "backend", n, "backend:1.4.0")).collect());
    let third = Arc::make_mut(&mut all.instances[2]);
    third.verdict = Verdict::because(Health::Unhealthy, "health check failed 3 times: HTTP 503 from /health");
    third.checks =
        vec![check(Health::Unhealthy, "HTTP/1.1 503 Service Unavailable\n{\"status\":\"degraded\",\"redis\":\"timeout\"}", 3004)];
    all.ready = 2;
    all.verdict = Verdict::because(Health::Degraded, "lms-ai_backend_3: health check failed 3 times: HTTP 503 from /health");
    all
}

fn snapshot(id: EnvironmentId, tier: Tier, endpoint: &str, mut workloads: Vec<Workload>) -> Snapshot {
    workloads.sort_by(|a, b| a.id.cmp(&b.id));
    let environment = Environment {
        id,
        tier,
        engine: EngineKind::Compose,
        mechanics: Mechanics::Instances,
        endpoint: endpoint.into(),
        guard: tier.default_guard(),
    };
    Snapshot {
        environment: Arc::new(environment),
        at: now(),
        workloads: workloads.into_iter().map(Arc::new).collect(),
        lock: None,
        facts: Vec::new(),
        nodes: Vec::new(),
        notes: Vec::new(),
        file: None,
    }
}

fn inventory(environments: Vec<Snapshot>) -> Arc<Inventory> {
    Arc::new(Inventory {
        at: now(),
        engine: "Docker 20.10.24, API 1.41".into(),
        basis: "as docker stats".into(),
        environments: environments.into_iter().map(Arc::new).collect(),
        drills: Vec::new(),
    })
}

/// The world, seen from the fleet.
pub fn world(size: (u16, u16)) -> State {
    let mut state = State::new(now(), actor(), settings(), Arc::new(Keymap::default()));
    state.size = size;
    state.connect("prod-1".into(), "tcp://10.0.0.5:2376");
    state.connect("local".into(), "unix:///var/run/docker.sock");
    let lms = |name: &str, image: &str, n| workload(name, image, (1..=n).map(|i| instance("lms-ai", name, i, image)).collect());
    let prod = snapshot(
        production(),
        Tier::Production,
        "tcp://10.0.0.5:2376 · project lms-ai",
        vec![sick(), limping(), lms("frontend", "frontend:1.4.0", 2), lms("db", "postgres:15", 1), lms("redis", "redis:7", 1)],
    );
    let mut shop = vec![];
    for name in ["app_ap", "app_cp"] {
        shop.push(workload(name, "store:2.2.0", vec![instance("shop", name, 1, "store:2.2.0")]));
    }
    let local = snapshot(EnvironmentId::new("local", "shop"), Tier::Local, "unix:///var/run/docker.sock · project shop", shop);
    let mut chat = workload("app", "chatbot:0.9", vec![instance("chat", "app", 1, "chatbot:0.9")]);
    chat.verdict.health = Health::Starting;
    chat.ready = 0;
    let mut staging =
        snapshot(EnvironmentId::new("local", "chat"), Tier::Staging, "unix:///var/run/docker.sock · project chat", vec![chat]);
    staging.lock = Some(Arc::new(LockHolder {
        by: "jo@laptop".into(),
        host: "laptop".into(),
        pid: 7,
        pid_started: 1,
        why: "deploy app 0.9".into(),
        since: ago(65),
        operation: None,
        request: None,
    }));
    hold(&mut state, "prod-1", vec![prod]);
    hold(&mut state, "local", vec![staging, local]);
    measure(&mut state);
    happen(&mut state);
    state
}

/// Puts environments on a connection, live.
pub fn hold(state: &mut State, connection: &str, environments: Vec<Snapshot>) {
    if let Some(connection) = state.connections.get_mut(&connection.into()) {
        let inventory = inventory(environments);
        connection.hold(inventory.clone(), inventory);
        connection.link = Link::Live { latency_ms: Some(42) };
        connection.heard = Some(now());
    }
    state.generation += 1;
}

/// Five minutes of figures with some life in them.
fn measure(state: &mut State) {
    let instances: Vec<_> =
        state.snapshots().flat_map(|s| s.workloads.iter()).flat_map(|w| w.instances.iter()).map(|i| i.id.clone()).collect();
    for step in 0..60_u32 {
        for (n, id) in instances.iter().enumerate() {
            let wave = (f64::from(step) / 9.0 + n as f64).sin() * 0.5 + 0.5;
            let whole = |value: f64| format!("{value:.0}").parse::<u64>().unwrap();
            state.metrics.record(&Sample {
                instance: id.clone(),
                at: ago(i64::from((59 - step) * 5)),
                cpu_cores: Some(0.02 + wave * 0.2 * (n % 4) as f64),
                memory_bytes: Some(whole(120e6 + 80e6 * wave + f64::from(step) * 1e6)),
                memory_limit_bytes: Some(1 << 30),
                net_rx_bytes: Some(u64::from(step) * 64_000 + whole(wave * 90_000.0)),
                net_tx_bytes: Some(u64::from(step) * 21_000),
                block_read_bytes: Some(0),
                block_write_bytes: Some(u64::from(step) * 4096),
                pids: Some(12),
            });
        }
    }
}

fn happen(state: &mut State) {
    let rows = [
        (260, "proxypal", Source::Operation, "deploy", "proxypal 2.2 → 2.3 by ops@bastion-1: done"),
        (190, "lms-ai_proxypal_1", Source::Engine, "die", "exit 1"),
        (189, "lms-ai_proxypal_1", Source::Engine, "start", ""),
        (120, "lms-ai_backend_3", Source::Health, "unhealthy", "HTTP 503 from /health"),
        (12, "lms-ai_proxypal_1", Source::Engine, "die", "exit 1"),
    ];
    for (seconds, subject, source, what, detail) in rows {
        state.timeline.push(Item {
            at: ago(seconds),
            environment: production(),
            subject: subject.into(),
            source,
            what: what.into(),
            detail: detail.into(),
        });
    }
}

/// Goes to a screen of production and selects a workload's row where it lists any.
pub fn go(state: &mut State, screen: Screen) {
    let mut view = View::new(screen);
    if screen != Screen::Fleet {
        view.environment = Some(production());
    }
    view.table.selected = match screen {
        Screen::Fleet => Some(RowId::Environment(production())),
        Screen::Workloads | Screen::Health | Screen::Metrics => Some(RowId::Workload(production(), "backend".into())),
        Screen::Instances => Some(RowId::Instance(production(), "16261636b656e64".into())),
        Screen::Revisions => Some(RowId::Revision(4)),
        Screen::Operations => Some(RowId::Operation("01-deploy".into())),
        Screen::Timeline => Some(RowId::Item(3)),
        Screen::Alerts | Screen::Logs | Screen::Describe => None,
    };
    if matches!(screen, Screen::Revisions) {
        view.workload = Some("backend".into());
    }
    state.nav.stack = vec![View::new(Screen::Fleet), view];
}

/// A log of two instances with everything a log can hold.
pub fn log(state: &mut State) {
    let sources: Vec<LogSource> = ["lms-ai_backend_1", "lms-ai_backend_2"]
        .into_iter()
        .map(|name| LogSource {
            environment: production(),
            workload: "backend".into(),
            instance: name.into(),
            name: name.into(),
            gone: None,
            ended: false,
            begun: false,
            page: None,
            query: LogQuery { tail: Some(500), follow: true, ..LogQuery::of(name.into()) },
        })
        .collect();
    let scope = LogScope::Workloads(production(), BTreeSet::from(["backend".into()]));
    let mut logs = LogView { sources: sources.clone(), ..LogView::new("backend".into(), scope, 1 << 20, 500) };
    for (n, source) in sources.iter().enumerate() {
        let mut chunk = ChunkBuilder::new();
        for i in 0..40_i64 {
            let text = match (i + n as i64) % 8 {
                3 => format!("WARN db_slow latency_ms={} session=s-10{i}", 700 + i),
                6 => format!(
                    "ERROR upstream timeout request_id=r-{i} path=/api/v1/courses/{i}/lessons?expand=author,comments&limit=50"
                ),
                5 => format!("DEBUG cache miss key=user:{i} 界面"),
                _ => format!("INFO request id=r-{i} status=200 latency_ms={}", 10 + i),
            };
            chunk.line(ago(120 - i * 3 - n as i64), Stream::Stdout, text.as_bytes());
        }
        if n == 1 {
            chunk.marker(ago(1), Marker::Reconnected("connection lost 14:03:17, resumed 14:03:20, nothing lost".into()));
        }
        logs.store.push(&LogBatch::new(source.instance.clone(), Arc::new(chunk.finish())));
        logs.pushed();
    }
    state.logs = Some(logs);
}

/// The first instance of the log says something more.
pub fn say(state: &mut State, lines: &[&str]) {
    let Some(logs) = &mut state.logs else { return };
    let mut chunk = ChunkBuilder::new();
    for (line, at) in lines.iter().zip(0_i64..) {
        chunk.line(Timestamp::from_millisecond(now().as_millisecond() - 900 + at * 70).unwrap(), Stream::Stdout, line.as_bytes());
    }
    let instance = logs.sources[0].instance.clone();
    logs.store.push(&LogBatch::new(instance, Arc::new(chunk.finish())));
    logs.pushed();
}
