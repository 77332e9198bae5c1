//! A world made of messages, and a program driven by a string of keys: what `tests/update` is written in.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use jiff::Timestamp;
use quarterdeck::app::msg::Stamped;
use quarterdeck::app::rows;
use quarterdeck::app::state::{Overlay, RowId, Screen, Settings};
use quarterdeck::app::{Effect, Msg, State, update};
use quarterdeck::engine::Update;
use quarterdeck::keymap::{Keymap, parse_keys};
use quarterdeck::model::{
    Capabilities, ConnectionId, EngineKind, Environment, EnvironmentId, Guard, Health, Instance, InstanceState, Inventory, Link,
    LockHolder, Mechanics, OperationId, Revision, Snapshot, Tier, Verdict, Workload, WorkloadKind,
};
use quarterdeck::observe::log::{ChunkBuilder, LogBatch, Stream};
use quarterdeck::operate::policy::Actor;
use quarterdeck::operate::unfinished::LockRequest;
use quarterdeck::operate::{Operation, Target};

/// So many seconds after the start of the test's time.
pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_795_269_800 + seconds).unwrap()
}

pub fn actor() -> Actor {
    Actor { user: "mira".into(), host: "desk".into(), ssh: None, pid: 7, pid_started: 70 }
}

pub fn settings() -> Settings {
    Settings {
        read_only: false,
        policies: BTreeMap::new(),
        only: None,
        refresh: Duration::from_secs(2),
        log_bytes: 1 << 20,
        log_tail: 100,
        dots: quarterdeck::app::state::Dots::Braille,
        utc_offset_minutes: 0,
        theme: "terminal".into(),
        themes: vec!["terminal".into(), "dark".into()],
    }
}

pub fn instance(workload: &str, number: u32) -> Instance {
    Instance {
        id: format!("{workload}-{number}-id").as_str().into(),
        name: format!("{workload}-{number}").into(),
        number,
        state: InstanceState::Running,
        verdict: Verdict::healthy(),
        has_healthcheck: true,
        checks: Vec::new(),
        image: format!("{workload}:1.0").into(),
        digest: Some("sha256:aaaa".into()),
        revision: Some(2),
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
        ip: None,
        ports: Vec::new(),
        created_at: Some(at(-3600)),
        started_at: Some(at(-3600)),
        finished_at: None,
        memory_limit_bytes: None,
        labels: Arc::new(BTreeMap::from([("app".into(), workload.into())])),
    }
}

pub fn workload(name: &str, count: u32) -> Workload {
    let instances: Vec<Arc<Instance>> = (1..=count).map(|n| Arc::new(instance(name, n))).collect();
    Workload {
        checks: Vec::new(),
        id: name.into(),
        kind: WorkloadKind::Service,
        desired: count,
        ready: count,
        verdict: Verdict::healthy(),
        image: format!("registry:5000/{name}:1.0").into(),
        digest: Some("sha256:aaaa".into()),
        revision: Some(2),
        revisions: [2_u64, 1]
            .map(|number| Revision {
                number,
                image: format!("registry:5000/{name}:{}", if number == 2 { "1.0" } else { "0.9" }).into(),
                digest: Some(format!("sha256:aaa{number}").into()),
                at: Some(at(-7200)),
                by: Some("ann@desk".into()),
                cause: None,
            })
            .to_vec(),
        instances,
        resting: None,
        controller: None,
        rollout: None,
        autoscaler: None,
        drift: None,
        created_at: Some(at(-3600)),
        capabilities: Capabilities::default(),
    }
}

/// Makes a workload (and its first instance) unwell.
pub fn unwell(mut workload: Workload, health: Health, why: &str) -> Workload {
    workload.verdict = Verdict::because(health, why);
    workload.ready = workload.ready.saturating_sub(1);
    if let Some(first) = workload.instances.first_mut() {
        Arc::make_mut(first).verdict = Verdict::because(health, why);
    }
    workload
}

pub fn environment(connection: &str, name: &str, tier: Tier, guard: Guard) -> Arc<Environment> {
    Arc::new(Environment {
        id: EnvironmentId::new(connection, name),
        tier,
        engine: EngineKind::Compose,
        mechanics: Mechanics::Instances,
        endpoint: format!("unix:///{connection}.sock · project {name}").into(),
        guard,
    })
}

pub fn snapshot(environment: Arc<Environment>, mut workloads: Vec<Workload>) -> Snapshot {
    workloads.sort_by(|a, b| a.id.cmp(&b.id));
    Snapshot {
        environment,
        at: at(0),
        workloads: workloads.into_iter().map(Arc::new).collect(),
        lock: None,
        facts: Vec::new(),
        nodes: Vec::new(),
        notes: Vec::new(),
        file: None,
    }
}

pub fn inventory(snapshots: Vec<Snapshot>) -> Arc<Inventory> {
    Arc::new(Inventory {
        at: snapshots.first().map_or_else(|| at(0), |s| s.at),
        engine: "Docker 20.10".into(),
        basis: "as docker stats".into(),
        environments: snapshots.into_iter().map(Arc::new).collect(),
        drills: vec![("breaker-open".into(), "the breaker opens".into())],
    })
}

pub fn lock(pid: u32, why: &str, operation: Option<&str>) -> Arc<LockHolder> {
    Arc::new(LockHolder {
        by: "mira@desk".into(),
        host: "desk".into(),
        pid,
        pid_started: 1,
        why: why.into(),
        since: at(-60),
        operation: operation.map(OperationId::from),
        request: operation.map(begun),
    })
}

/// What a lock says of an operation under way: a restart of `api` that has not touched anything yet.
fn begun(id: &str) -> Arc<str> {
    let request = LockRequest {
        made_by: id.into(),
        operation: Operation::Restart,
        targets: vec![Target { workload: "api".into(), instance: None }],
        workloads: Vec::new(),
        under: None,
    };
    request.to_json().unwrap()
}

/// The default keymap, read once.
fn keymap() -> Arc<Keymap> {
    static KEYMAP: OnceLock<Arc<Keymap>> = OnceLock::new();
    KEYMAP.get_or_init(Arc::default).clone()
}

/// A program and what it wanted done since it was last asked.
pub struct Deck {
    pub state: State,
    pub effects: Vec<Effect>,
    pub clock: i64,
}

impl Deck {
    pub fn new(connections: &[&str]) -> Self {
        Self::with(settings(), connections)
    }

    pub fn with(settings: Settings, connections: &[&str]) -> Self {
        let mut state = State::new(at(0), actor(), settings, keymap());
        for id in connections {
            state.connect(ConnectionId::from(*id), format!("unix:///{id}.sock"));
        }
        Self { state, effects: Vec::new(), clock: 0 }
    }

    /// One environment `shop` behind this guard: `api` (3 instances), `db` (1), `web` (2, one of them unwell).
    pub fn shop(guard: Guard) -> Self {
        Self::shop_with(settings(), guard)
    }

    pub fn shop_with(settings: Settings, guard: Guard) -> Self {
        let mut deck = Self::with(settings, &["here"]);
        deck.live("here");
        deck.holds("here", vec![shop(guard)]);
        deck
    }

    /// Three environments on two endpoints.
    pub fn fleet() -> Self {
        let mut deck = Self::new(&["here", "prod-1"]);
        deck.live("here");
        deck.live("prod-1");
        deck.holds(
            "here",
            vec![
                shop(Guard::Open),
                snapshot(environment("here", "tools", Tier::Unknown, Guard::Confirm), vec![workload("cron", 1)]),
            ],
        );
        deck.holds(
            "prod-1",
            vec![snapshot(environment("prod-1", "shop", Tier::Production, Guard::Type), vec![workload("api", 2)])],
        );
        deck
    }

    pub fn send(&mut self, msg: Msg) -> &mut Self {
        self.effects.extend(update(&mut self.state, Stamped { at: at(self.clock), msg }));
        self
    }

    pub fn press(&mut self, keys: &str) -> &mut Self {
        for chord in parse_keys(keys) {
            self.send(Msg::Key(chord));
        }
        self
    }

    pub fn wait(&mut self, seconds: i64) -> &mut Self {
        for _ in 0..seconds {
            self.clock += 1;
            self.send(Msg::Tick);
        }
        self
    }

    pub fn update(&mut self, connection: &str, update: Update) -> &mut Self {
        self.send(Msg::Update { connection: connection.into(), update })
    }

    pub fn live(&mut self, connection: &str) -> &mut Self {
        self.update(connection, Update::Link(Link::Live { latency_ms: Some(2) }))
    }

    pub fn stale(&mut self, connection: &str) -> &mut Self {
        let link = Link::Stale { since: at(self.clock), error: "connection reset".into(), retry_at: None };
        self.update(connection, Update::Link(link))
    }

    pub fn holds(&mut self, connection: &str, snapshots: Vec<Snapshot>) -> &mut Self {
        let clock = self.clock;
        let snapshots = snapshots.into_iter().map(|s| Snapshot { at: at(clock), ..s }).collect();
        self.update(connection, Update::Inventory(inventory(snapshots)))
    }

    pub fn log(&mut self, instance: &str, lines: &[&str]) -> &mut Self {
        let mut chunk = ChunkBuilder::new();
        for line in lines {
            chunk.line(at(self.clock), Stream::Stdout, line.as_bytes());
        }
        let batch = LogBatch::new(instance.into(), Arc::new(chunk.finish()));
        self.update("here", Update::Logs(batch))
    }

    /// The effects since last asked, as words.
    pub fn wanted(&mut self) -> Vec<String> {
        std::mem::take(&mut self.effects).iter().map(words).collect()
    }

    pub fn selected(&self) -> Option<String> {
        self.state.nav.view().table.selected.as_ref().map(|row| rows::label(&self.state, row))
    }

    /// The names of the rows in order.
    pub fn rows(&self) -> Vec<String> {
        let state = &self.state;
        rows::order(state, state.nav.view()).iter().map(|r| rows::subject(state, r).unwrap().name().to_owned()).collect()
    }

    /// Where one is, what is listed, what lies on top, what was said and what is wanted done.
    pub fn look(&mut self) -> String {
        let mut out = String::new();
        let path: Vec<String> = self.state.nav.stack.iter().map(view).collect();
        let _ = writeln!(out, "{}", path.join(" > "));
        let table = &self.state.nav.view().table;
        for row in rows::order(&self.state, self.state.nav.view()).iter() {
            let pointer = if table.selected.as_ref() == Some(row) { '▸' } else { ' ' };
            let mark = if table.marks.contains(row) { '◆' } else { ' ' };
            let _ = writeln!(out, "{pointer}{mark}{}", rows::label(&self.state, row));
        }
        for overlay in &self.state.overlays {
            let _ = writeln!(out, "over: {}", over(overlay));
        }
        for message in &self.state.messages {
            let _ = writeln!(out, "says: {}", message.text);
        }
        for effect in self.wanted() {
            let _ = writeln!(out, "wants: {effect}");
        }
        out
    }
}

pub fn shop(guard: Guard) -> Snapshot {
    let tier = match guard {
        Guard::Open => Tier::Local,
        Guard::Confirm => Tier::Staging,
        Guard::Type | Guard::ReadOnly => Tier::Production,
    };
    let web = unwell(workload("web", 2), Health::Degraded, "web-1 does not answer");
    snapshot(environment("here", "shop", tier, guard), vec![workload("api", 3), workload("db", 1), web])
}

fn view(view: &quarterdeck::app::state::View) -> String {
    let mut about: Vec<String> = Vec::new();
    about.extend(view.environment.iter().map(|e| format!("{}:{}", e.connection, e.name)));
    about.extend(view.workload.iter().map(ToString::to_string));
    about.extend(view.instance.iter().map(ToString::to_string));
    let filter = if view.table.filter.is_empty() { String::new() } else { format!(" /{}", view.table.filter) };
    format!("{:?}({}){filter}", view.screen, about.join(" "))
}

fn over(overlay: &Overlay) -> String {
    match overlay {
        Overlay::Help { filter, .. } => format!("help {filter:?}"),
        Overlay::Palette(p) => format!("palette {:?}", p.input.text),
        Overlay::Confirm(c) => format!("plan of {} steps: {}{}", c.plan.steps.len(), c.plan.title, error(c.refusal.as_deref())),
        Overlay::Prompt(p) => {
            let (head, tail) = p.input.text.split_at(p.input.cursor);
            format!("{} > {head}|{tail}{}", p.title, error(p.error.as_deref()))
        }
        Overlay::Menu(m) => {
            let entries = m.entries.iter().enumerate().map(|(i, e)| {
                let pointer = if i == m.selected { "▸" } else { "" };
                let denied = if e.denied.is_some() { "(no)" } else { "" };
                format!("{pointer}{}{denied}", e.label)
            });
            format!("menu {}: {}", m.title, entries.collect::<Vec<_>>().join(" | "))
        }
        Overlay::Changes { changes, selected } => {
            format!("what changed before {}: {} causes, at {selected}", changes.asked.title, changes.causes.len())
        }
        Overlay::Patterns { selected, .. } => format!("patterns, at {selected}"),
        Overlay::Quit => "quit?".to_owned(),
        Overlay::Text { title, .. } => format!("text {title}"),
    }
}

fn error(error: Option<&str>) -> String {
    error.map(|e| format!(" ✖ {e}")).unwrap_or_default()
}

fn words(effect: &Effect) -> String {
    match effect {
        Effect::Execute { connection, action, .. } => {
            let action = format!("{action:?}");
            let word = action.split([' ', '{', '(']).next().unwrap_or_default().to_owned();
            format!("{word} on {connection}")
        }
        Effect::Journal(record) => format!("journal {:?} {} {}", record.phase, record.kind, record.target),
        Effect::Save { name, .. } => format!("save {name}"),
        other => format!("{other:?}"),
    }
}

/// The identities of the rows listed.
pub fn ids(state: &State) -> Arc<[RowId]> {
    rows::order(state, state.nav.view())
}

pub fn screen(deck: &Deck) -> Screen {
    deck.state.nav.view().screen
}
