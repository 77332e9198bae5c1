//! Bursts of errors in the open log, told on the timeline.

use jiff::Timestamp;

use crate::app::State;
use crate::app::format::{count, millis, seconds_since};
use crate::app::state::LogView;
use crate::model::{EnvironmentId, Item, Source, WorkloadId};
use crate::observe::log::{Turn, is_error, parse};
use crate::observe::redact;

/// Seconds without lines after which time itself ends a burst.
const QUIET: u64 = 3;
/// Seconds around the beginning of a burst in which it is the same one, read again.
const SAME: u64 = 10;

/// Lines came from a source: its errors are counted.
pub fn came(state: &mut State, source: usize) {
    let now = state.now;
    let Some(view) = state.logs.as_mut().filter(|v| !v.previous) else { return };
    let LogView { bursts: (bursts, came), store, sources, reveal, .. } = view;
    let Some(source) = sources.get(source) else { return };
    let key = (source.environment.clone(), source.workload.clone());
    let burst = bursts.entry(key.clone()).or_default();
    *came = now;
    let mut turns = Vec::new();
    let mut newest: Option<Timestamp> = None;
    for line in store.newest().filter(|l| l.marker.is_none()) {
        newest = newest.max(Some(line.at));
        if is_error(&line) {
            let said = || {
                let message = parse(&line).message.lines().next().unwrap_or_default().to_owned();
                if *reveal { redact::text(&message).into_owned() } else { message }
            };
            turns.extend(burst.error(line.at, said));
        }
    }
    turns.extend(newest.map(|at| burst.passed(at)).unwrap_or_default());
    tell(state, &key, turns);
}

/// Time passed: what is quiet now is over.
pub fn tick(state: &mut State) {
    let now = state.now;
    let Some(view) = &mut state.logs else { return };
    let (bursts, came) = &mut view.bursts;
    if seconds_since(now, *came) < QUIET {
        return;
    }
    let turns: Vec<_> = bursts.iter_mut().map(|(key, burst)| (key.clone(), burst.passed(now))).collect();
    for (key, turns) in turns {
        tell(state, &key, turns);
    }
}

fn tell(state: &mut State, (environment, workload): &(EnvironmentId, WorkloadId), turns: Vec<Turn>) {
    for turn in turns {
        let (at, what, detail) = match turn {
            Turn::Began { at, errors, first } => (at, "errors", format!("{errors} in 10 s and more: {first}")),
            Turn::Ended { at, errors, seconds } => {
                let errors = count(usize::try_from(errors).unwrap_or(usize::MAX), "error");
                (at, "errors over", format!("{errors} in {}", millis(seconds * 1000)))
            }
        };
        let item = Item {
            at,
            environment: environment.clone(),
            subject: workload.0.clone(),
            source: Source::Log,
            what: what.into(),
            detail: detail.into(),
        };
        let again = |other: &Item| {
            (&other.environment, &other.subject, &other.what) == (&item.environment, &item.subject, &item.what)
                && other.source == Source::Log
                && other.at.as_second().abs_diff(item.at.as_second()) <= SAME
        };
        if !state.timeline.iter().any(|(_, other)| again(other)) {
            state.timeline.push(item);
            state.generation += 1;
        }
    }
}
