//! How a container is, and whether it is meant to run. Compose leaves no wanted number on the engine, so what is wanted is
//! read from what is there.

use std::sync::Arc;

use jiff::Timestamp;

use super::{Details, Seen};
use crate::model::{Health, InstanceState, Verdict};
use crate::observe::text::fit;

/// A container the engine had to start again is watched this long before it counts as well, seconds.
const SETTLE_SECONDS: i64 = 60;
/// Cells of a check's output that fit into a reason.
const OUTPUT_CELLS: usize = 160;

/// How it is, and why.
#[must_use]
pub fn of(seen: &Seen, details: Option<&Details>, now: Timestamp) -> Verdict {
    let current = details.filter(|d| d.key == seen.key());
    match seen.state {
        InstanceState::Running => running(seen, current, now),
        InstanceState::Paused => Verdict::because(Health::Degraded, "paused"),
        InstanceState::Restarting => Verdict::because(Health::Unhealthy, restarting(seen, details)),
        InstanceState::Created => match current.and_then(|d| d.error.clone()) {
            Some(error) => Verdict::because(Health::Unhealthy, format!("could not be started: {error}")),
            None => Verdict::because(Health::Stopped, "created, not started"),
        },
        InstanceState::Exited => {
            let health = if is_meant_to_run(seen, details) { Health::Unhealthy } else { Health::Stopped };
            Verdict::because(health, ended(seen, current))
        }
        InstanceState::Dead => Verdict::because(Health::Unhealthy, "dead: the engine could not remove it"),
        InstanceState::Removing => Verdict::because(Health::Stopped, "being removed"),
        InstanceState::Unknown => Verdict::because(Health::Unknown, "the engine gives it a state quarterdeck does not know"),
    }
}

fn running(seen: &Seen, current: Option<&Details>, now: Timestamp) -> Verdict {
    match seen.health {
        Some(Health::Unhealthy) => Verdict::because(Health::Unhealthy, unhealthy(current)),
        Some(Health::Starting) => Verdict::because(Health::Starting, "its health check has not passed yet"),
        Some(Health::Healthy | Health::Stopped | Health::Unknown | Health::Degraded) | None => {
            let started = current.and_then(|d| d.started_at);
            let restarts = current.map_or(0, |d| d.restarts);
            match started {
                Some(at) if restarts > 0 && now.as_second() - at.as_second() < SETTLE_SECONDS => {
                    let times = if restarts == 1 { "once".to_owned() } else { format!("{restarts} times") };
                    let since = at.strftime("%H:%M:%S");
                    Verdict::because(
                        Health::Degraded,
                        format!("the engine has restarted it {times}, the last time at {since} UTC"),
                    )
                }
                Some(_) | None => Verdict::healthy(),
            }
        }
    }
}

fn unhealthy(current: Option<&Details>) -> Arc<str> {
    let Some(details) = current else {
        return "its health check fails".into();
    };
    let times = match details.failing {
        0 => String::new(),
        1 => " once".into(),
        n => format!(" {n} times in a row"),
    };
    match details.check.as_ref().map(|c| c.output.as_ref()).filter(|o| !o.is_empty()) {
        Some(output) => format!("its health check failed{times}: {}", fit(output, OUTPUT_CELLS)).into(),
        None => format!("its health check failed{times}, without output").into(),
    }
}

fn restarting(seen: &Seen, details: Option<&Details>) -> String {
    let mut text = "the engine restarts it again and again".to_owned();
    if let Some(code) = seen.exit_code {
        text = format!("{text}: it ends with {}", exit_words(code));
    }
    match details.map(|d| d.restarts) {
        Some(n) if n > 1 => format!("{text} ({n} restarts)"),
        Some(_) | None => text,
    }
}

fn ended(seen: &Seen, current: Option<&Details>) -> String {
    if let Some(error) = current.and_then(|d| d.error.as_ref()) {
        return format!("could not be started: {error}");
    }
    if current.is_some_and(|d| d.oom_killed) {
        return "killed: out of memory".into();
    }
    match current.and_then(|d| d.exit_code).or(seen.exit_code) {
        Some(code) => format!("ended with {}", exit_words(code)),
        None => "ended".into(),
    }
}

/// The exit code and what it commonly means.
fn exit_words(code: i64) -> String {
    let meaning = match code {
        126 => "the command cannot be executed",
        127 => "the command does not exist",
        130 => "interrupted",
        134 => "aborted",
        137 => "killed",
        139 => "crashed in memory",
        143 => "told to stop",
        _ => return format!("exit code {code}"),
    };
    format!("exit code {code} ({meaning})")
}

/// Whether a container that is there is meant to run.
///
/// What runs, restarts or is paused is. One that ended is not when somebody stopped it or it finished: exit code 0, or
/// that of the signals of `docker stop` and Ctrl-C (130, 137, 143) without running out of memory; or any code where the
/// engine restarts it always, because then only a person's stop ends it for good. What the engine failed to start is.
#[must_use]
pub(super) fn is_meant_to_run(seen: &Seen, details: Option<&Details>) -> bool {
    let current = details.filter(|d| d.key == seen.key());
    let failed_to_start = current.is_some_and(|d| d.error.is_some());
    match seen.state {
        InstanceState::Running
        | InstanceState::Restarting
        | InstanceState::Paused
        | InstanceState::Dead
        | InstanceState::Unknown => true,
        InstanceState::Created => failed_to_start,
        InstanceState::Removing => false,
        InstanceState::Exited => {
            if failed_to_start {
                return true;
            }
            if details.is_some_and(|d| d.always_restarted) {
                return false;
            }
            current.is_some_and(|d| d.oom_killed) || !matches!(seen.exit_code, None | Some(0 | 130 | 137 | 143))
        }
    }
}

/// Whether it does its work now.
#[must_use]
pub fn is_ready(state: InstanceState, verdict: &Verdict) -> bool {
    state == InstanceState::Running && matches!(verdict.health, Health::Healthy | Health::Degraded)
}
