//! Figures of whatever a row stands for: one instance's own, or a sum that says when it is an estimate.

pub mod graph;
pub mod measured;
pub mod scraped;

use std::sync::Arc;

use crate::app::rows::Subject;
use crate::app::state::State;
use crate::model::{Health, Instance, InstanceId, InstanceState, Snapshot, Workload};
use crate::observe::metric::Figure;

/// A figure, and how it was come by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Total {
    pub value: f64,
    /// Every running instance in it was measured. Otherwise the measured ones stand for the rest.
    pub exact: bool,
}

/// Whether an instance has figures at all.
#[must_use]
pub fn is_measurable(instance: &Instance) -> bool {
    matches!(instance.state, InstanceState::Running)
}

/// The instances of a workload that have figures.
pub fn measurable(workload: &Workload) -> impl Iterator<Item = &InstanceId> {
    workload.instances.iter().filter(|i| is_measurable(i)).map(|i| &i.id)
}

/// The figure of what a row stands for; `None` where nothing was measured.
#[must_use]
pub fn of(state: &State, row: &Subject<'_>, figure: Figure) -> Option<Total> {
    match row {
        Subject::Environment(s) => total(state, s.workloads.iter().flat_map(|w| measurable(w)), figure),
        Subject::Workload(_, w) => total(state, measurable(w), figure),
        Subject::Instance(_, _, i) => {
            state.metrics.current(&i.id, figure).filter(|_| is_measurable(i)).map(|value| Total { value, exact: true })
        }
        Subject::Connection(_)
        | Subject::Revision(..)
        | Subject::Running(_)
        | Subject::Past(_)
        | Subject::Alert(..)
        | Subject::Item(..) => None,
    }
}

fn total<'a>(state: &State, instances: impl Iterator<Item = &'a InstanceId>, figure: Figure) -> Option<Total> {
    let (mut sum, mut measured, mut all) = (0.0, 0_u32, 0_u32);
    for id in instances {
        all += 1;
        if let Some(value) = state.metrics.current(id, figure) {
            sum += value;
            measured += 1;
        }
    }
    let scale = f64::from(all) / f64::from(measured);
    (measured > 0).then_some(Total { value: sum * scale, exact: measured == all })
}

/// The last `n` values over time, oldest first.
#[must_use]
pub fn recent(state: &State, row: &Subject<'_>, figure: Figure, n: usize) -> Vec<f64> {
    match row {
        Subject::Environment(s) => state.metrics.sum_recent(s.workloads.iter().flat_map(|w| measurable(w)), figure, n),
        Subject::Workload(_, w) => state.metrics.sum_recent(measurable(w), figure, n),
        Subject::Instance(_, _, i) => state.metrics.recent(&i.id, figure, n),
        Subject::Connection(_)
        | Subject::Revision(..)
        | Subject::Running(_)
        | Subject::Past(_)
        | Subject::Alert(..)
        | Subject::Item(..) => Vec::new(),
    }
}

/// Memory as a share of its limit: of a workload, its fullest instance's.
#[must_use]
pub fn memory_share(state: &State, row: &Subject<'_>) -> Option<f64> {
    let share = |i: &Arc<Instance>| {
        let sample = state.metrics.latest(&i.id).filter(|_| is_measurable(i))?;
        let limit = i.memory_limit_bytes.or(sample.memory_limit_bytes).filter(|l| *l > 0)?;
        Some(sample.memory_bytes? as f64 / limit as f64)
    };
    match row {
        Subject::Workload(_, w) => w.instances.iter().filter_map(share).max_by(f64::total_cmp),
        Subject::Instance(_, _, i) => share(i),
        Subject::Connection(_)
        | Subject::Environment(_)
        | Subject::Revision(..)
        | Subject::Running(_)
        | Subject::Past(_)
        | Subject::Alert(..)
        | Subject::Item(..) => None,
    }
}

/// Processes and threads, summed over what was measured.
#[must_use]
pub fn pids(state: &State, row: &Subject<'_>) -> Option<u64> {
    let pids = |id: &InstanceId| state.metrics.latest(id).and_then(|s| s.pids);
    match row {
        Subject::Workload(_, w) => measurable(w).filter_map(pids).reduce(u64::saturating_add),
        Subject::Instance(_, _, i) => pids(&i.id).filter(|_| is_measurable(i)),
        Subject::Connection(_)
        | Subject::Environment(_)
        | Subject::Revision(..)
        | Subject::Running(_)
        | Subject::Past(_)
        | Subject::Alert(..)
        | Subject::Item(..) => None,
    }
}

/// Workloads of an environment that are neither well nor stopped on purpose.
#[must_use]
pub fn not_well(snapshot: &Snapshot) -> usize {
    snapshot.workloads.iter().filter(|w| !matches!(w.verdict.health, Health::Healthy | Health::Stopped)).count()
}
