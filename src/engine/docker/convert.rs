//! From the engine's words to ours: a listed container becomes an instance, with what an inspection adds to it.
//! Wire types stop here; every text is sanitised and secrets are masked on the way.

mod details;
mod group;
pub mod list;
pub mod makeup;
mod missing;
mod place;
mod seen;
mod verdict;

use std::sync::Arc;

use jiff::Timestamp;

pub use crate::engine::intern::Interner;
pub use details::{Details, StateKey};
pub use group::assemble;
pub use place::{Group, Places, group_of};
pub use seen::{Seen, lock_holder};
pub use verdict::{is_ready, of as container_verdict};

use crate::model::{Instance, InstanceState};

/// The engine's word for what a container does.
#[must_use]
pub fn state(word: &str) -> InstanceState {
    match word {
        "created" | "configured" | "initialized" => InstanceState::Created,
        "running" => InstanceState::Running,
        "paused" => InstanceState::Paused,
        "restarting" => InstanceState::Restarting,
        "removing" => InstanceState::Removing,
        "exited" | "stopped" => InstanceState::Exited,
        "dead" => InstanceState::Dead,
        _ => InstanceState::Unknown,
    }
}

/// A time of the engine's; its zero (year 1) is none.
#[must_use]
pub fn time(text: &str) -> Option<Timestamp> {
    if text.starts_with("0001-") {
        return None;
    }
    text.parse().ok()
}

/// The instance of a listed container. Details that belong to an earlier state only give what does not change.
#[must_use]
pub fn instance(seen: &Seen, details: Option<&Details>, now: Timestamp) -> Instance {
    let current = details.filter(|d| d.key == seen.key());
    let verdict = verdict::of(seen, details, now);
    Instance {
        id: seen.id.clone(),
        name: seen.name.clone(),
        number: seen.number,
        state: seen.state,
        verdict,
        has_healthcheck: seen.health.is_some() || details.is_some_and(|d| d.has_healthcheck),
        checks: current.and_then(|d| d.check.clone()).into_iter().collect(),
        image: seen.image_name(details),
        digest: seen.image_id.clone(),
        revision: Some(seen.revision.unwrap_or(1)),
        made_by: seen.made_by.clone(),
        set_aside: seen.set_aside,
        one_off: seen.one_off,
        fixed_name: seen.fixed_name,
        fixed_ports: details.map_or_else(|| seen.guess_fixed_ports(), |d| d.fixed_ports.clone()),
        restarts: details.map_or(0, |d| d.restarts),
        exit_code: current.map_or(seen.exit_code, |d| d.exit_code),
        oom_killed: current.is_some_and(|d| d.oom_killed),
        node: None,
        elsewhere: None,
        pod: None,
        ip: seen.ip.clone(),
        ports: if seen.ports.is_empty() { details.map(|d| d.ports.clone()).unwrap_or_default() } else { seen.ports.clone() },
        created_at: seen.created_at,
        started_at: current.and_then(|d| d.started_at),
        finished_at: current.and_then(|d| d.finished_at),
        memory_limit_bytes: details.and_then(|d| d.memory_limit),
        labels: Arc::clone(&seen.labels),
    }
}
