//! Sorting by any column: typed keys, so that 10 comes after 9 and what is not known comes last either way.

use std::cmp::Ordering;

use jiff::Timestamp;

use super::{Column, Subject};
use crate::app::figures;
use crate::app::state::{Direction, Past, State};
use crate::model::{Health, Link};
use crate::observe::metric::Figure;

/// What a column is sorted by.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum SortKey<'a> {
    Text(&'a str),
    Number(f64),
    Whole(i64),
    Time(Timestamp),
    Health(Health),
    /// Not known: last, whichever way the list is sorted.
    Nothing,
}

/// Sorts by a column; rows that are equal there stay in order of their names.
pub(super) fn sort(state: &State, rows: &mut Vec<Subject<'_>>, column: Column, direction: Direction) {
    let mut keyed: Vec<_> = rows.drain(..).map(|row| (key(state, &row, column), row)).collect();
    keyed.sort_by(|(a, x), (b, y)| compare(a, b, direction).then_with(|| natural(x.name(), y.name())));
    rows.extend(keyed.into_iter().map(|(_, row)| row));
}

/// Figures are first sorted from the top, words from the start.
#[must_use]
pub(in crate::app) fn first_direction(column: Column) -> Direction {
    match column {
        Column::Health
        | Column::Unhealthy
        | Column::Alerts
        | Column::Requests
        | Column::Errors
        | Column::Revision
        | Column::Cpu
        | Column::CpuTrend
        | Column::Memory
        | Column::MemoryLimit
        | Column::Net
        | Column::Block
        | Column::Pids
        | Column::Restarts
        | Column::At
        | Column::LastOperation
        | Column::Value
        | Column::Duration => Direction::Down,
        Column::Name
        | Column::Tier
        | Column::Engine
        | Column::Feed
        | Column::Kind
        | Column::Ready
        | Column::State
        | Column::Image
        | Column::Node
        | Column::Ip
        | Column::Ports
        | Column::Age
        | Column::Lock
        | Column::Digest
        | Column::By
        | Column::Cause
        | Column::Subject
        | Column::Source
        | Column::What
        | Column::Detail
        | Column::Outcome
        | Column::Severity
        | Column::Environment => Direction::Up,
    }
}

fn compare(a: &SortKey<'_>, b: &SortKey<'_>, direction: Direction) -> Ordering {
    let forward = match (a, b) {
        (SortKey::Nothing, SortKey::Nothing) => return Ordering::Equal,
        (SortKey::Nothing, _) => return Ordering::Greater,
        (_, SortKey::Nothing) => return Ordering::Less,
        (SortKey::Text(a), SortKey::Text(b)) => natural(a, b),
        (SortKey::Number(a), SortKey::Number(b)) => a.total_cmp(b),
        (SortKey::Whole(a), SortKey::Whole(b)) => a.cmp(b),
        (SortKey::Time(a), SortKey::Time(b)) => a.cmp(b),
        (SortKey::Health(a), SortKey::Health(b)) => a.cmp(b),
        // A column has keys of one kind.
        (SortKey::Text(_) | SortKey::Number(_) | SortKey::Whole(_) | SortKey::Time(_) | SortKey::Health(_), _) => Ordering::Equal,
    };
    match direction {
        Direction::Up => forward,
        Direction::Down => forward.reverse(),
    }
}

pub(super) fn key<'a>(state: &'a State, row: &Subject<'a>, column: Column) -> SortKey<'a> {
    let figure = |figure| figures::of(state, row, figure).map_or(SortKey::Nothing, |f| SortKey::Number(f.value));
    let pair = |a, b| match (figures::of(state, row, a), figures::of(state, row, b)) {
        (None, None) => SortKey::Nothing,
        (a, b) => SortKey::Number(a.map_or(0.0, |f| f.value) + b.map_or(0.0, |f| f.value)),
    };
    match column {
        Column::Cpu | Column::CpuTrend => figure(Figure::Cpu),
        Column::Memory => figure(Figure::Memory),
        Column::MemoryLimit => figures::memory_share(state, row).map_or(SortKey::Nothing, SortKey::Number),
        Column::Net => pair(Figure::NetRx, Figure::NetTx),
        Column::Block => pair(Figure::BlockRead, Figure::BlockWrite),
        Column::Pids => figures::pids(state, row).and_then(|n| i64::try_from(n).ok()).map_or(SortKey::Nothing, SortKey::Whole),
        Column::Alerts => alerts(state, row),
        Column::Requests | Column::Errors => rate(state, row, column),
        Column::Health => row.health().map_or(SortKey::Nothing, SortKey::Health),
        Column::Environment => {
            row.environment().map_or_else(|| text(past(row, |p| p.environment())), |id| SortKey::Text(&id.name))
        }
        Column::Feed => feed(state, row),
        Column::LastOperation => {
            row.environment().and_then(|id| state.last_operation(id)).and_then(Past::at).map_or(SortKey::Nothing, SortKey::Time)
        }
        Column::Name
        | Column::Tier
        | Column::Engine
        | Column::Kind
        | Column::Ready
        | Column::State
        | Column::Unhealthy
        | Column::Revision
        | Column::Image
        | Column::Node
        | Column::Ip
        | Column::Ports
        | Column::Restarts
        | Column::Age
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
        | Column::Severity
        | Column::Value
        | Column::Duration => of(row, column),
    }
}

fn alerts<'a>(state: &'a State, row: &Subject<'a>) -> SortKey<'a> {
    if let Subject::Environment(s) = row { whole(state.alerts_firing(&s.environment.id)) } else { SortKey::Nothing }
}

fn rate<'a>(state: &State, row: &Subject<'a>, column: Column) -> SortKey<'a> {
    let Subject::Workload(s, w) = row else { return SortKey::Nothing };
    let rates = state.rates(&s.environment.id, &w.id);
    let value = if column == Column::Requests { rates.requests } else { rates.failed };
    value.map_or(SortKey::Nothing, SortKey::Number)
}

fn feed<'a>(state: &State, row: &Subject<'a>) -> SortKey<'a> {
    let link = match row {
        Subject::Connection(c) => Some(&c.link),
        Subject::Environment(s) => state.link(&s.environment.id.connection),
        Subject::Workload(..)
        | Subject::Instance(..)
        | Subject::Revision(..)
        | Subject::Running(_)
        | Subject::Past(_)
        | Subject::Alert(..)
        | Subject::Item(..) => None,
    };
    match link {
        Some(Link::Failed { .. }) => SortKey::Whole(0),
        Some(Link::Stale { .. }) => SortKey::Whole(1),
        Some(Link::Connecting) => SortKey::Whole(2),
        Some(Link::Live { .. }) => SortKey::Whole(3),
        None => SortKey::Nothing,
    }
}

fn text(text: Option<&str>) -> SortKey<'_> {
    text.map_or(SortKey::Nothing, SortKey::Text)
}

fn whole<'a>(n: impl TryInto<i64>) -> SortKey<'a> {
    n.try_into().map_or(SortKey::Nothing, SortKey::Whole)
}

fn time<'a>(at: Option<Timestamp>) -> SortKey<'a> {
    at.map_or(SortKey::Nothing, SortKey::Time)
}

/// Age counts up while the time it counts from goes back.
fn since<'a>(at: Option<Timestamp>) -> SortKey<'a> {
    at.map_or(SortKey::Nothing, |at| SortKey::Whole(-at.as_second()))
}

fn past<'a, T>(row: &Subject<'a>, get: impl FnOnce(&'a Past) -> Option<T>) -> Option<T> {
    if let Subject::Past(p) = row { get(p) } else { None }
}

/// The keys that need nothing but the thing itself.
fn of<'a>(row: &Subject<'a>, column: Column) -> SortKey<'a> {
    match (row, column) {
        (_, Column::Name | Column::Subject) => SortKey::Text(row.name()),
        (Subject::Environment(s), Column::Tier) => whole(s.environment.tier as i64),
        (Subject::Environment(s), Column::Engine) => SortKey::Text(s.environment.engine.word()),
        (Subject::Environment(s), Column::Ready) => whole(s.workloads.iter().filter(|w| w.ready >= w.desired).count()),
        (Subject::Environment(s), Column::Unhealthy) => whole(figures::not_well(s)),
        (Subject::Environment(s), Column::Lock) => text(s.lock.as_ref().map(|l| &*l.by)),
        (Subject::Workload(_, w), Column::Kind) => SortKey::Text(w.kind.word()),
        // The one that lacks most comes first.
        (Subject::Workload(_, w), Column::Ready) => whole(i64::from(w.ready) - i64::from(w.desired)),
        (Subject::Workload(_, w), Column::Revision) => w.revision.map_or(SortKey::Nothing, whole),
        (Subject::Workload(_, w), Column::Image) => SortKey::Text(&w.image),
        (Subject::Workload(_, w), Column::Restarts) => whole(w.restarts()),
        (Subject::Workload(_, w), Column::Age) => since(w.created_at),
        (Subject::Workload(_, w), Column::Detail) => text(w.verdict.reasons.first().map(|r| &**r)),
        (Subject::Instance(_, _, i), Column::State) => SortKey::Text(i.state.word()),
        (Subject::Instance(_, _, i), Column::Revision) => i.revision.map_or(SortKey::Nothing, whole),
        (Subject::Instance(_, _, i), Column::Image) => SortKey::Text(&i.image),
        (Subject::Instance(_, _, i), Column::Restarts) => whole(i.restarts),
        (Subject::Instance(_, _, i), Column::Age) => since(i.started_at.or(i.created_at)),
        (Subject::Instance(_, _, i), Column::Node) => text(i.node.as_deref()),
        (Subject::Instance(_, _, i), Column::Ip) => text(i.ip.as_deref()),
        (Subject::Instance(_, _, i), Column::Ports) => i.ports.first().map_or(SortKey::Nothing, |p| whole(p.container)),
        (Subject::Instance(_, _, i), Column::Detail) => text(i.verdict.reasons.first().map(|r| &**r)),
        (Subject::Revision(_, r), Column::Revision) => whole(r.number),
        (Subject::Revision(_, r), Column::Image) => SortKey::Text(&r.image),
        (Subject::Revision(_, r), Column::Digest) => text(r.digest.as_deref()),
        (Subject::Revision(_, r), Column::At) => time(r.at),
        (Subject::Revision(_, r), Column::By) => text(r.by.as_deref()),
        (Subject::Revision(_, r), Column::Cause) => text(r.cause.as_deref()),
        (Subject::Running(m), Column::What) => SortKey::Text(&m.plan.title),
        (Subject::Running(m), Column::At) => time(Some(m.began)),
        (Subject::Past(p), Column::What) => SortKey::Text(p.title()),
        (Subject::Past(p), Column::At) => time(p.at()),
        (Subject::Past(p), Column::By) => text(p.by()),
        (Subject::Past(p), Column::Outcome) => SortKey::Text(p.outcome_word()),
        (Subject::Past(p), Column::Duration) => p.duration_ms().map_or(SortKey::Nothing, whole),
        (Subject::Alert(_, a), Column::State) => whole(a.state as i64),
        (Subject::Alert(_, a), Column::Severity) => SortKey::Text(a.labels.get("severity")),
        (Subject::Alert(_, a), Column::Age) => since(a.since),
        (Subject::Alert(_, a), Column::Value) => a.value.map_or(SortKey::Nothing, SortKey::Number),
        (Subject::Item(_, item), Column::At) => time(Some(item.at)),
        (Subject::Item(_, item), Column::Source) => SortKey::Text(item.source.word()),
        (Subject::Item(_, item), Column::What) => SortKey::Text(&item.what),
        (Subject::Item(_, item), Column::Detail) => SortKey::Text(&item.detail),
        (
            Subject::Connection(_)
            | Subject::Environment(_)
            | Subject::Workload(..)
            | Subject::Instance(..)
            | Subject::Revision(..)
            | Subject::Running(_)
            | Subject::Past(_)
            | Subject::Alert(..)
            | Subject::Item(..),
            _,
        ) => SortKey::Nothing,
    }
}

/// Compares names the way a person does: runs of digits by their value, letters without case.
#[must_use]
pub(in crate::app) fn natural(a: &str, b: &str) -> Ordering {
    let (mut left, mut right) = (a.as_bytes(), b.as_bytes());
    while let (Some(l), Some(r)) = (left.first(), right.first()) {
        let both = l.is_ascii_digit() && r.is_ascii_digit();
        let (ours, theirs) = if both { (digits(left), digits(right)) } else { (1, 1) };
        let order = if both {
            let (ours, theirs) = (significant(&left[..ours]), significant(&right[..theirs]));
            ours.len().cmp(&theirs.len()).then_with(|| ours.cmp(theirs))
        } else {
            l.to_ascii_lowercase().cmp(&r.to_ascii_lowercase())
        };
        if order != Ordering::Equal {
            return order;
        }
        (left, right) = (&left[ours..], &right[theirs..]);
    }
    left.len().cmp(&right.len()).then_with(|| a.cmp(b))
}

fn digits(text: &[u8]) -> usize {
    text.iter().take_while(|b| b.is_ascii_digit()).count()
}

fn significant(digits: &[u8]) -> &[u8] {
    let zeros = digits.iter().take_while(|b| **b == b'0').count();
    &digits[zeros..]
}
