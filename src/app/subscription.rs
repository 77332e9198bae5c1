//! Which topics are wanted, derived from state: the runtime starts what is new and stops what is not wanted any more.
//! Sets stay the same while the screen does: what is in sight is taken by whole pages, samples by place in the list.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::engine::{LogQuery, Topic};
use crate::model::{ConnectionId, InstanceId, Workload};

use super::figures::measurable;
use super::layout;
use super::rows::{self, Subject};
use super::state::{Screen, State};

/// Instances measured for the whole fleet together: a total there is a slow estimate.
const FLEET_SAMPLE: usize = 40;
/// How often they are measured.
const FLEET_EVERY: Duration = Duration::from_secs(10);
/// Instances measured of one workload in a list of workloads; the rest is taken to be like them.
const WORKLOAD_SAMPLE: usize = 10;
/// Instances measured at a time, whatever is on screen.
const MOST: usize = 200;

/// Lines of a page of older log.
const PAGE: u64 = 1000;

type Measured = BTreeMap<ConnectionId, BTreeSet<InstanceId>>;

/// Every topic the state wants followed.
#[must_use]
pub fn subscriptions(state: &State) -> BTreeSet<(ConnectionId, Topic)> {
    let mut topics: BTreeSet<_> = state.open_connections().map(|c| (c.id.clone(), Topic::Inventory)).collect();
    let (instances, every) = measured(state);
    for (connection, instances) in instances {
        topics.insert((connection, Topic::Stats { instances, every }));
    }
    if let Some(logs) = &state.logs {
        // Newer lines would only be thrown away while there is no room for them.
        let wanted = logs.sources.iter().filter(|s| !s.ended && !logs.is_cut());
        let pages = logs.sources.iter().filter_map(|s| Some((s, s.page.clone()?)));
        topics.extend(pages.map(|(s, before)| {
            let page = LogQuery { tail: Some(PAGE), before: Some(before), follow: false, since: None, ..s.query.clone() };
            (s.environment.connection.clone(), Topic::Logs(page))
        }));
        topics.extend(wanted.map(|s| (s.environment.connection.clone(), Topic::Logs(s.query.clone()))));
    }
    if let (Some(subject), Some(environment)) = (super::update::described(state), &state.nav.view().environment) {
        topics.insert((environment.connection.clone(), Topic::Describe(subject)));
    }
    topics
}

/// Whether no more log text is to be taken in for now: the view is paused and has taken in more than a quarter of its
/// bound since. What follows waits on the engine's side; pages of history still come.
#[must_use]
pub fn held(state: &State) -> bool {
    let Some(view) = state.logs.as_ref().filter(|view| !view.follow && !view.store.is_empty()) else { return false };
    let a_line = view.store.bytes() / view.store.len();
    let since = usize::try_from(view.new_lines).unwrap_or(usize::MAX).saturating_mul(a_line);
    since > state.settings.log_bytes / 4
}

/// How often the program has to be told the time, for what ages on screen.
#[must_use]
pub fn tick_every(state: &State) -> Duration {
    if state.operations.running.is_empty() { Duration::from_secs(1) } else { Duration::from_millis(500) }
}

/// The instances whose figures are on screen, and how often they are wanted.
fn measured(state: &State) -> (Measured, Duration) {
    match state.nav.view().screen {
        Screen::Fleet => (fleet(state), state.settings.refresh.max(FLEET_EVERY)),
        Screen::Workloads | Screen::Instances | Screen::Metrics => (in_sight(state), state.settings.refresh),
        Screen::Logs
        | Screen::Health
        | Screen::Alerts
        | Screen::Timeline
        | Screen::Operations
        | Screen::Revisions
        | Screen::Describe => (Measured::new(), state.settings.refresh),
    }
}

/// A few instances of every environment, always the same ones.
fn fleet(state: &State) -> Measured {
    let snapshots: Vec<_> = state.snapshots().collect();
    let share = (FLEET_SAMPLE / snapshots.len().max(1)).max(1);
    let mut measured = Measured::new();
    for snapshot in snapshots.into_iter().take(FLEET_SAMPLE) {
        let all: Vec<&InstanceId> = snapshot.workloads.iter().flat_map(|w| measurable(w)).collect();
        let ids = measured.entry(snapshot.environment.id.connection.clone()).or_default();
        // Spread over the list, so that one large workload does not stand for all.
        ids.extend((0..share.min(all.len())).map(|n| all[n * all.len() / share.min(all.len())].clone()));
    }
    measured.retain(|_, ids| !ids.is_empty());
    measured
}

/// The instances behind the rows in sight: the page the first row is on, and the next one when it is not the first of it.
fn in_sight(state: &State) -> Measured {
    let view = state.nav.view();
    let order = rows::order(state, view);
    let page = usize::from(layout::frame(state.size).body.height).max(1);
    let from = view.table.offset / page * page;
    let pages = if view.table.offset == from { 1 } else { 2 };
    let mut measured = Measured::new();
    let mut left = MOST;
    for row in order.iter().skip(from).take(page * pages) {
        let Some(subject) = rows::subject(state, row) else { continue };
        let (connection, ids) = match subject {
            Subject::Workload(s, w) => (&s.environment.id.connection, sample(w)),
            Subject::Instance(s, _, i) if super::figures::is_measurable(i) => (&s.environment.id.connection, vec![i.id.clone()]),
            Subject::Instance(..)
            | Subject::Connection(_)
            | Subject::Environment(_)
            | Subject::Revision(..)
            | Subject::Running(_)
            | Subject::Past(_)
            | Subject::Alert(..)
            | Subject::Item(..) => continue,
        };
        let ids: Vec<_> = ids.into_iter().take(left).collect();
        left -= ids.len();
        if !ids.is_empty() {
            measured.entry(connection.clone()).or_default().extend(ids);
        }
    }
    measured
}

fn sample(workload: &Workload) -> Vec<InstanceId> {
    measurable(workload).take(WORKLOAD_SAMPLE).cloned().collect()
}
