//! What the cells say, one function per kind of row.

mod alert;
mod instance;
mod past;

use std::sync::Arc;

use super::{Cell, Column, Subject, Tone, subject};
use crate::app::figures;
use crate::app::format::{UNKNOWN, age, bytes, clock, cores, percent, seconds_since};
use crate::app::state::{Connection, Opening, RowId, State};
use crate::model::{Health, Link, Snapshot, Workload, WorkloadKind};
use crate::observe::metric::Figure;

/// Points of a sparkline.
const POINTS: usize = 60;

impl Cell {
    pub(super) fn plain(text: impl Into<String>) -> Self {
        Self { text: text.into(), tone: Tone::Plain, spark: None }
    }

    pub(super) fn dim(text: impl Into<String>) -> Self {
        Self { text: text.into(), tone: Tone::Dim, spark: None }
    }

    pub(super) fn toned(text: impl Into<String>, tone: Tone) -> Self {
        Self { text: text.into(), tone, spark: None }
    }

    pub(super) fn unknown() -> Self {
        Self::dim(UNKNOWN)
    }

    pub(super) fn or_unknown<T: Into<String>>(text: Option<T>) -> Self {
        text.map_or_else(Self::unknown, |t| Self::plain(t))
    }
}

/// What a cell says.
#[must_use]
pub fn cell(state: &State, row: &RowId, column: Column) -> Cell {
    let Some(subject) = subject(state, row) else { return Cell::default() };
    match column {
        Column::Cpu => figure(state, &subject, Figure::Cpu, cores),
        Column::CpuTrend => {
            let spark = figures::recent(state, &subject, Figure::Cpu, POINTS);
            Cell { spark: (!spark.is_empty()).then_some(spark), ..Cell::default() }
        }
        Column::Memory => figure(state, &subject, Figure::Memory, bytes),
        Column::MemoryLimit => memory_share(state, &subject),
        Column::Net => pair(state, &subject, (Figure::NetRx, '↓'), (Figure::NetTx, '↑')),
        Column::Block => pair(state, &subject, (Figure::BlockRead, 'r'), (Figure::BlockWrite, 'w')),
        Column::Pids => Cell::or_unknown(figures::pids(state, &subject).map(|n| n.to_string())),
        Column::Name
        | Column::Tier
        | Column::Engine
        | Column::Feed
        | Column::Kind
        | Column::Ready
        | Column::State
        | Column::Health
        | Column::Unhealthy
        | Column::Alerts
        | Column::Requests
        | Column::Errors
        | Column::Revision
        | Column::Image
        | Column::Node
        | Column::Ip
        | Column::Ports
        | Column::Restarts
        | Column::Age
        | Column::LastOperation
        | Column::Lock
        | Column::Digest
        | Column::At
        | Column::By
        | Column::Cause
        | Column::Subject
        | Column::Source
        | Column::What
        | Column::Detail
        | Column::Outcome
        | Column::Duration
        | Column::Severity
        | Column::Value
        | Column::Environment => match subject {
            Subject::Connection(c) => connection(state, c, column),
            Subject::Environment(s) => environment(state, s, column),
            Subject::Workload(s, w) => workload(state, s, w, column),
            Subject::Instance(s, w, i) => instance::cell(state, s, w, i, column),
            Subject::Revision(w, r) => past::revision(state, w, r, column),
            Subject::Running(m) => past::running(state, m, column),
            Subject::Past(p) => past::past(state, p, column),
            Subject::Alert(id, a) => alert::cell(state, id, a, column),
            Subject::Item(_, item) => past::item(state, item, column),
        },
    }
}

/// A figure; `~` says that not every instance in the sum was measured.
fn figure(state: &State, row: &Subject<'_>, figure: Figure, words: fn(f64) -> String) -> Cell {
    match figures::of(state, row, figure) {
        Some(f) if f.exact => Cell::plain(words(f.value)),
        Some(f) => Cell::plain(format!("~{}", words(f.value))),
        None => Cell::unknown(),
    }
}

fn memory_share(state: &State, row: &Subject<'_>) -> Cell {
    match figures::memory_share(state, row) {
        Some(share) if share >= 0.95 => Cell::toned(percent(share), Tone::Bad),
        Some(share) if share >= 0.85 => Cell::toned(percent(share), Tone::Warn),
        Some(share) => Cell::plain(percent(share)),
        None => Cell::unknown(),
    }
}

fn pair(state: &State, row: &Subject<'_>, a: (Figure, char), b: (Figure, char)) -> Cell {
    let part = |(figure, sign)| figures::of(state, row, figure).map(|f| format!("{sign}{}", bytes(f.value)));
    match (part(a), part(b)) {
        (None, None) => Cell::unknown(),
        (a, b) => Cell::plain(format!("{:<7}{}", a.unwrap_or_default(), b.unwrap_or_default()).trim_end()),
    }
}

/// A health as symbol and word.
pub(super) fn health(health: Health) -> Cell {
    Cell::toned(format!("{} {}", health.symbol(), health.word()), Tone::Health(health))
}

/// The state of a feed in a few words, with the age of what is shown.
pub(super) fn feed(state: &State, link: Option<&Link>) -> Cell {
    match link {
        Some(Link::Live { latency_ms: Some(ms) }) => Cell::toned(format!("● live {ms} ms"), Tone::Good),
        Some(Link::Live { latency_ms: None }) => Cell::toned("● live", Tone::Good),
        Some(Link::Stale { since, .. }) => {
            let ago = seconds_since(state.now, *since);
            Cell::toned(format!("◌ stale since {} ({ago} s)", clock(*since, 0)), Tone::Warn)
        }
        Some(Link::Failed { since, .. }) => Cell::toned(format!("✖ failed {}", clock(*since, 0)), Tone::Bad),
        Some(Link::Connecting) | None => Cell::dim("◌ connecting"),
    }
}

fn connection(state: &State, connection: &Connection, column: Column) -> Cell {
    match column {
        Column::Name => Cell::toned(connection.id.to_string(), Tone::Strong),
        Column::Feed if connection.opening != Opening::Open => Cell::dim("○ not opened"),
        Column::LastOperation if connection.opening != Opening::Open => Cell::dim("enter opens it"),
        Column::Feed => feed(state, Some(&connection.link)),
        Column::LastOperation if connection.inventory.is_some() => Cell::dim("no environments there"),
        _ => Cell::unknown(),
    }
}

fn environment(state: &State, snapshot: &Arc<Snapshot>, column: Column) -> Cell {
    let environment = &snapshot.environment;
    match column {
        Column::Name => Cell::toned(state.name_of(&environment.id), Tone::Strong),
        Column::Environment => Cell::plain(state.name_of(&environment.id)),
        Column::Tier => Cell::toned(environment.tier.word(), Tone::Tier(environment.tier)),
        Column::Engine => Cell::plain(environment.engine.word()),
        Column::Feed => feed(state, state.link(&environment.id.connection)),
        Column::Ready => {
            let ready = snapshot.workloads.iter().filter(|w| w.ready >= w.desired).count();
            let all = snapshot.workloads.len();
            Cell::toned(format!("{ready}/{all}"), if ready < all { Tone::Warn } else { Tone::Plain })
        }
        Column::Unhealthy => match figures::not_well(snapshot) {
            0 => Cell::dim("0"),
            n => Cell::toned(n.to_string(), Tone::Bad),
        },
        Column::Alerts => match state.alerts_firing(&environment.id) {
            0 if state.watched.alerts.contains_key(&environment.id) => Cell::dim("0"),
            0 => Cell::unknown(),
            n => Cell::toned(n.to_string(), Tone::Bad),
        },
        Column::LastOperation => last_operation(state, snapshot),
        Column::Lock => match &snapshot.lock {
            Some(lock) if lock.why.is_empty() => Cell::toned(lock.by.to_string(), Tone::Warn),
            Some(lock) => Cell::toned(format!("{}: {}", lock.by, lock.why), Tone::Warn),
            None => Cell::unknown(),
        },
        _ => Cell::unknown(),
    }
}

fn last_operation(state: &State, snapshot: &Snapshot) -> Cell {
    if let Some(machine) = state.operation_in(&snapshot.environment.id) {
        return Cell::toned(format!("{} …", machine.plan.title), Tone::Strong);
    }
    let Some(past) = state.last_operation(&snapshot.environment.id) else { return Cell::unknown() };
    let ago = past.at().map(|at| format!(" {} ago", age(state.now, at))).unwrap_or_default();
    Cell::toned(format!("{} {}{ago}", past.title(), past.outcome_word()), past::outcome_tone(past.outcome()))
}

/// The name of something, with its environment's before it where the list is about several.
pub(super) fn name(state: &State, snapshot: &Snapshot, name: &str) -> String {
    if state.nav.view().environment.is_none() && state.snapshots().nth(1).is_some() {
        format!("{}/{name}", state.name_of(&snapshot.environment.id))
    } else {
        name.to_owned()
    }
}

fn workload(state: &State, snapshot: &Snapshot, workload: &Workload, column: Column) -> Cell {
    match column {
        Column::Name => Cell::toned(name(state, snapshot, workload.id.as_str()), Tone::Strong),
        Column::Environment => Cell::plain(state.name_of(&snapshot.environment.id)),
        Column::Tier => Cell::toned(snapshot.environment.tier.word(), Tone::Tier(snapshot.environment.tier)),
        Column::Engine => Cell::plain(snapshot.environment.engine.word()),
        Column::Kind => Cell::dim(workload.kind.word()),
        Column::Ready | Column::Restarts if workload.kind == WorkloadKind::Dependency => Cell::unknown(),
        Column::Ready => {
            let tone = if workload.ready < workload.desired { Tone::Warn } else { Tone::Plain };
            Cell::toned(format!("{}/{}", workload.ready, workload.desired), tone)
        }
        Column::Health => health(workload.verdict.health),
        Column::Revision => Cell::or_unknown(workload.revision.map(|r| r.to_string())),
        Column::Image => Cell::plain(short_image(&workload.image)),
        Column::Digest => Cell::or_unknown(workload.digest.as_deref().map(short_digest)),
        Column::Requests => {
            let rates = state.rates(&snapshot.environment.id, &workload.id);
            Cell::or_unknown(rates.requests.map(per_second))
        }
        Column::Errors => match state.rates(&snapshot.environment.id, &workload.id).failed {
            Some(share) if share >= 0.05 => Cell::toned(format!("{:.1}%", share * 100.0), Tone::Bad),
            Some(share) => Cell::plain(format!("{:.1}%", share * 100.0)),
            None => Cell::unknown(),
        },
        Column::Restarts => restarts(workload.restarts()),
        Column::Age => Cell::or_unknown(workload.created_at.map(|at| age(state.now, at))),
        Column::Detail => Cell::plain(super::note::reasons(&workload.verdict).unwrap_or_default()),
        _ => Cell::unknown(),
    }
}

/// `128`, `0.4`.
fn per_second(rate: f64) -> String {
    if rate >= 9.95 { format!("{rate:.0}") } else { format!("{rate:.1}") }
}

pub(super) fn restarts(count: u32) -> Cell {
    if count == 0 { Cell::dim("0") } else { Cell::toned(count.to_string(), Tone::Warn) }
}

/// An image without its registry, with digests cut: `ghcr.io/org/backend:1.4` is `backend:1.4`.
#[must_use]
pub(in crate::app) fn short_image(image: &str) -> String {
    if image.starts_with("sha256:") {
        return short_digest(image);
    }
    let (name, digest) = image.split_once('@').map_or((image, None), |(n, d)| (n, Some(d)));
    let base = name.rsplit('/').next().unwrap_or(name);
    match digest {
        Some(digest) => format!("{base}@{}", short_digest(digest)),
        None => base.to_owned(),
    }
}

/// The first twelve digits of a digest.
#[must_use]
pub(in crate::app) fn short_digest(digest: &str) -> String {
    digest.strip_prefix("sha256:").unwrap_or(digest).chars().take(12).collect()
}
