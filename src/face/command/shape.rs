//! The JSON of the command face, exactly as scripts rely on it: field names here are a promise.

use jiff::Timestamp;
use serde::Serialize;

use crate::app::State;
use crate::app::operations::{is_unfinished, unfinished_note};
use crate::model::{Check, Health, Instance, InstanceId, InstanceState, Link, Snapshot, Workload};
use crate::observe::metric::Figure;

/// How far an environment's data can be trusted.
#[derive(Debug, Serialize)]
pub struct Feed {
    pub state: &'static str,
    pub since: Option<Timestamp>,
    pub error: Option<String>,
}

impl From<&Link> for Feed {
    fn from(link: &Link) -> Self {
        match link {
            Link::Connecting | Link::Live { .. } => Self { state: link.word(), since: None, error: None },
            Link::Stale { since, error, .. } => Self { state: link.word(), since: Some(*since), error: Some(error.to_string()) },
            Link::Failed { since, error, hint, .. } => {
                Self { state: link.word(), since: Some(*since), error: Some(format!("{error}: {hint}")) }
            }
        }
    }
}

/// One environment in `qd status`.
#[derive(Debug, Serialize)]
pub struct Environment {
    pub name: String,
    pub tier: &'static str,
    pub engine: &'static str,
    pub endpoint: String,
    pub guard: &'static str,
    pub feed: Feed,
    pub workloads_ready: usize,
    pub workloads_total: usize,
    pub instances_running: usize,
    pub instances_total: usize,
    pub unhealthy: usize,
    pub alerts_firing: usize,
    pub cpu_cores: Option<f64>,
    pub memory_bytes: Option<u64>,
    pub last_operation: Option<LastOperation>,
    pub lock: Option<Lock>,
    /// An operation whose owner died, in words.
    pub unfinished: Option<String>,
    /// What could not be seen and why.
    pub notes: Vec<String>,
}

/// The newest operation recorded here for an environment.
#[derive(Debug, Serialize)]
pub struct LastOperation {
    pub operation: String,
    pub title: String,
    pub at: Option<Timestamp>,
    pub by: Option<String>,
    pub outcome: String,
}

/// Who holds an environment's lock.
#[derive(Debug, Serialize)]
pub struct Lock {
    pub environment: String,
    pub by: String,
    pub why: String,
    pub since: Timestamp,
    pub operation: Option<String>,
    pub unfinished: bool,
}

/// One workload in `qd ls`.
#[derive(Debug, Serialize)]
pub struct WorkloadRow {
    pub environment: String,
    pub engine: &'static str,
    pub workload: String,
    pub kind: &'static str,
    pub ready: u32,
    pub desired: u32,
    pub health: &'static str,
    pub reasons: Vec<String>,
    pub revision: Option<u64>,
    pub image: String,
    pub digest: Option<String>,
    pub restarts: u32,
    pub cpu_cores: Option<f64>,
    pub memory_bytes: Option<u64>,
    /// Over the last minute, where it is scraped.
    pub requests_per_second: Option<f64>,
    /// The part of them that failed, 0 to 1.
    pub error_rate: Option<f64>,
    pub created_at: Option<Timestamp>,
    pub autoscaler: Option<String>,
    pub drift: Option<String>,
    pub instances: Vec<InstanceRow>,
}

/// One instance of a workload.
#[derive(Debug, Serialize)]
pub struct InstanceRow {
    pub id: String,
    pub name: String,
    pub state: &'static str,
    pub health: &'static str,
    pub reasons: Vec<String>,
    pub image: String,
    pub revision: Option<u64>,
    pub restarts: u32,
    pub cpu_cores: Option<f64>,
    pub memory_bytes: Option<u64>,
    pub memory_limit_bytes: Option<u64>,
    pub net_rx_bytes: Option<u64>,
    pub net_tx_bytes: Option<u64>,
    pub block_read_bytes: Option<u64>,
    pub block_write_bytes: Option<u64>,
    pub pids: Option<u64>,
    pub node: Option<String>,
    pub ip: Option<String>,
    pub ports: Vec<String>,
    pub started_at: Option<Timestamp>,
    pub exit_code: Option<i64>,
}

/// One sample of an instance's figures in `qd top`.
#[derive(Debug, Serialize)]
pub struct TopRow {
    pub at: Option<Timestamp>,
    pub environment: String,
    pub workload: String,
    #[serde(flatten)]
    pub instance: InstanceRow,
}

/// One subject in `qd health`.
#[derive(Debug, Serialize)]
pub struct HealthRow {
    pub environment: String,
    pub subject: String,
    pub health: &'static str,
    /// When it became so, where that was seen.
    pub since: Option<Timestamp>,
    pub reasons: Vec<String>,
    pub checks: Vec<CheckRow>,
}

/// One check of it.
#[derive(Debug, Serialize)]
pub struct CheckRow {
    pub name: String,
    pub source: &'static str,
    pub state: &'static str,
    pub latency_ms: Option<u64>,
    pub output: String,
    pub at: Option<Timestamp>,
}

fn texts(reasons: &[std::sync::Arc<str>]) -> Vec<String> {
    reasons.iter().map(ToString::to_string).collect()
}

/// Bytes are whole: a sum of whole ones, carried as a float.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a sum of byte counts, never negative and far below 2^53"
)]
fn whole(bytes: f64) -> u64 {
    bytes as u64
}

/// Whether a health is one to be woken for.
#[must_use]
pub fn is_bad(health: Health) -> bool {
    matches!(health, Health::Degraded | Health::Unhealthy)
}

/// The instances of a snapshot that run.
pub fn running(snapshot: &Snapshot) -> impl Iterator<Item = &InstanceId> {
    snapshot.workloads.iter().flat_map(|w| &w.instances).filter(|i| i.state == InstanceState::Running).map(|i| &i.id)
}

/// An environment, summed up.
#[must_use]
pub fn environment(state: &State, snapshot: &Snapshot) -> Environment {
    let environment = &snapshot.environment;
    let name = state.name_of(&environment.id);
    let workloads = &snapshot.workloads;
    let instances = || workloads.iter().flat_map(|w| w.replicas());
    let ready = |w: &Workload| w.ready >= w.desired && !is_bad(w.verdict.health);
    Environment {
        tier: environment.tier.word(),
        engine: environment.engine.word(),
        endpoint: environment.endpoint.to_string(),
        guard: state.policy(environment).guard.word(),
        feed: state.link(&environment.id.connection).map_or_else(|| Feed::from(&Link::Connecting), Feed::from),
        workloads_ready: workloads.iter().filter(|w| ready(w)).count(),
        workloads_total: workloads.len(),
        instances_running: instances().filter(|i| i.state == InstanceState::Running).count(),
        instances_total: instances().count(),
        unhealthy: workloads.iter().filter(|w| is_bad(w.verdict.health)).count(),
        alerts_firing: state.alerts_firing(&environment.id),
        cpu_cores: state.metrics.sum_latest(running(snapshot), Figure::Cpu),
        memory_bytes: state.metrics.sum_latest(running(snapshot), Figure::Memory).map(whole),
        last_operation: state.last_operation(&environment.id).map(|past| LastOperation {
            operation: past.id.to_string(),
            title: past.title().to_owned(),
            at: past.at(),
            by: past.by().map(str::to_owned),
            outcome: past.outcome_word().replace(' ', "_"),
        }),
        lock: lock(state, snapshot),
        unfinished: unfinished_note(state, snapshot),
        notes: texts(&snapshot.notes),
        name,
    }
}

/// Who holds the lock of an environment.
#[must_use]
pub fn lock(state: &State, snapshot: &Snapshot) -> Option<Lock> {
    snapshot.lock.as_ref().map(|lock| Lock {
        environment: state.name_of(&snapshot.environment.id),
        by: lock.by.to_string(),
        why: lock.why.to_string(),
        since: lock.since,
        operation: lock.operation.as_ref().map(ToString::to_string),
        unfinished: is_unfinished(state, snapshot),
    })
}

/// A workload with its instances.
#[must_use]
pub fn workload(state: &State, snapshot: &Snapshot, workload: &Workload) -> WorkloadRow {
    let measured = || workload.instances.iter().filter(|i| i.state == InstanceState::Running).map(|i| &i.id);
    WorkloadRow {
        environment: state.name_of(&snapshot.environment.id),
        engine: snapshot.environment.engine.word(),
        workload: workload.id.to_string(),
        kind: workload.kind.word(),
        ready: workload.ready,
        desired: workload.desired,
        health: workload.verdict.health.word(),
        reasons: texts(&workload.verdict.reasons),
        revision: workload.revision,
        image: workload.image.to_string(),
        digest: workload.digest.as_ref().map(ToString::to_string),
        restarts: workload.restarts(),
        cpu_cores: state.metrics.sum_latest(measured(), Figure::Cpu),
        memory_bytes: state.metrics.sum_latest(measured(), Figure::Memory).map(whole),
        requests_per_second: state.rates(&snapshot.environment.id, &workload.id).requests,
        error_rate: state.rates(&snapshot.environment.id, &workload.id).failed,
        created_at: workload.created_at,
        autoscaler: state.autoscaler_of(&snapshot.environment.id, &workload.id),
        drift: workload.drift.as_ref().map(ToString::to_string),
        instances: workload.instances.iter().map(|i| instance(state, i)).collect(),
    }
}

/// An instance with its last figures.
#[must_use]
pub fn instance(state: &State, instance: &Instance) -> InstanceRow {
    let sample = state.metrics.latest(&instance.id).filter(|_| instance.state == InstanceState::Running);
    InstanceRow {
        id: instance.id.to_string(),
        name: instance.name.to_string(),
        state: instance.state.word(),
        health: instance.verdict.health.word(),
        reasons: texts(&instance.verdict.reasons),
        image: instance.image.to_string(),
        revision: instance.revision,
        restarts: instance.restarts,
        cpu_cores: sample.and_then(|s| s.cpu_cores),
        memory_bytes: sample.and_then(|s| s.memory_bytes),
        memory_limit_bytes: instance.memory_limit_bytes.or_else(|| sample.and_then(|s| s.memory_limit_bytes)),
        net_rx_bytes: sample.and_then(|s| s.net_rx_bytes),
        net_tx_bytes: sample.and_then(|s| s.net_tx_bytes),
        block_read_bytes: sample.and_then(|s| s.block_read_bytes),
        block_write_bytes: sample.and_then(|s| s.block_write_bytes),
        pids: sample.and_then(|s| s.pids),
        node: instance.node.as_ref().map(ToString::to_string),
        ip: instance.ip.as_ref().map(ToString::to_string),
        ports: instance.ports.iter().map(ToString::to_string).collect(),
        started_at: instance.started_at,
        // A running container has ended with nothing yet, whatever the engine keeps in the field.
        exit_code: instance.exit_code.filter(|_| instance.state != InstanceState::Running),
    }
}

/// The checks of a workload, its instances' names in front where there are several.
#[must_use]
pub fn health(state: &State, snapshot: &Snapshot, workload: &Workload) -> HealthRow {
    let several = workload.instances.len() > 1;
    let of_instances = workload.instances.iter().flat_map(|i| {
        i.checks.iter().map(move |c| check(if several { format!("{}: {}", i.name, c.name) } else { c.name.to_string() }, c))
    });
    let checks = workload.checks.iter().map(|c| check(c.name.to_string(), c)).chain(of_instances);
    HealthRow {
        environment: state.name_of(&snapshot.environment.id),
        subject: workload.id.to_string(),
        health: workload.verdict.health.word(),
        since: workload.verdict.since,
        reasons: texts(&workload.verdict.reasons),
        checks: checks.collect(),
    }
}

fn check(name: String, check: &Check) -> CheckRow {
    CheckRow {
        name,
        source: check.source,
        state: check.health.word(),
        latency_ms: check.latency_ms,
        output: check.output.to_string(),
        at: check.at,
    }
}
