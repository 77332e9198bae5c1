//! The line under a row that is not well: why, in words, worst first.

use super::{Subject, subject};
use crate::app::format::seconds_since;
use crate::app::state::{Opening, RowId, Screen, State};
use crate::model::{Health, Link, Verdict};
use crate::operate::machine::{Machine, Phase};

/// The reason line under a row that is not well: `CrashLoop, exit 1 four times; last line …`; what is being done to it.
#[must_use]
pub fn note(state: &State, row: &RowId) -> Option<String> {
    match state.nav.view().screen {
        Screen::Fleet | Screen::Workloads | Screen::Instances => {}
        // These say why in a column of their own, or have nothing to explain.
        Screen::Health
        | Screen::Metrics
        | Screen::Alerts
        | Screen::Timeline
        | Screen::Operations
        | Screen::Revisions
        | Screen::Logs
        | Screen::Describe => return None,
    }
    match subject(state, row)? {
        Subject::Connection(c) if c.opening != Opening::Open => None,
        Subject::Connection(c) => link(state, &c.link),
        Subject::Environment(s) => {
            let trouble = state.link(&s.environment.id.connection).and_then(|l| link(state, l));
            let running = state.operation_in(&s.environment.id).map(progress);
            let notes = s.notes.first().map(ToString::to_string);
            join([trouble, running, crate::app::operations::unfinished_note(state, s), notes])
        }
        Subject::Workload(s, w) => {
            let running = state.operation_in(&s.environment.id);
            let running = running.filter(|m| m.plan.request.targets.iter().any(|t| t.workload == w.id)).map(progress);
            join([running, reasons(&w.verdict), w.drift.as_ref().map(|d| format!("drift: {d}"))])
        }
        Subject::Instance(_, _, i) => reasons(&i.verdict),
        Subject::Revision(..) | Subject::Running(_) | Subject::Past(_) | Subject::Alert(..) | Subject::Item(..) => None,
    }
}

fn join(parts: impl IntoIterator<Item = Option<String>>) -> Option<String> {
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(" · "))
}

/// The reasons of a verdict that is not well, as one line.
pub(super) fn reasons(verdict: &Verdict) -> Option<String> {
    let quiet = matches!(verdict.health, Health::Healthy | Health::Stopped) || verdict.reasons.is_empty();
    (!quiet).then(|| verdict.reasons.iter().map(|r| &**r).collect::<Vec<_>>().join("; "))
}

/// Where an operation is, in a few words: `deploy backend …: start backend-2 (3 of 7)`.
#[must_use]
pub(in crate::app) fn progress(machine: &Machine) -> String {
    let title = &machine.plan.title;
    let count = machine.plan.steps.len();
    match &machine.phase {
        Phase::Locking => format!("{title}: taking the lock"),
        Phase::Running(n) => {
            let step = machine.plan.steps.get(*n).map_or("", |s| &*s.name);
            let detail = machine.progress.get(*n).map(|p| &*p.detail).filter(|d| !d.is_empty());
            let detail = detail.map_or_else(String::new, |d| format!(", {d}"));
            format!("{title}: {step} ({} of {count}){detail}", n + 1)
        }
        Phase::Asking(n) => {
            let step = machine.plan.steps.get(*n).map_or("", |s| &*s.name);
            format!("{title}: {step} failed, waiting for an answer")
        }
        Phase::Undoing => format!("{title}: going back"),
        Phase::Unlocking => format!("{title}: giving the lock back"),
        Phase::Telling(_) => format!("{title}: telling who is to be notified"),
        Phase::Ended(outcome) => format!("{title}: {}", crate::app::state::past::outcome_word(outcome)),
    }
}

/// What is wrong with a feed and what is being done about it.
fn link(state: &State, link: &Link) -> Option<String> {
    let again = |at: &Option<jiff::Timestamp>| match at {
        Some(at) if *at > state.now => format!(", trying again in {} s", seconds_since(*at, state.now).max(1)),
        Some(_) | None => ", trying again".to_owned(),
    };
    match link {
        Link::Live { .. } | Link::Connecting => None,
        Link::Stale { error, retry_at, .. } => Some(format!("{error}{}", again(retry_at))),
        Link::Failed { error, hint, retry_at, .. } if hint.is_empty() => Some(format!("{error}{}", again(retry_at))),
        Link::Failed { error, hint, .. } => Some(format!("{error}: {hint}")),
    }
}
