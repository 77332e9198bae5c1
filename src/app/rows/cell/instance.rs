//! The cells of an instance.

use super::{health, name, restarts, short_digest, short_image};
use crate::app::format::age;
use crate::app::rows::{Cell, Column, Tone};
use crate::app::state::State;
use crate::model::{Instance, InstanceState, Snapshot, Workload};

pub(super) fn cell(state: &State, snapshot: &Snapshot, workload: &Workload, instance: &Instance, column: Column) -> Cell {
    match column {
        Column::Name => named(state, snapshot, instance),
        Column::Environment => Cell::plain(state.name_of(&snapshot.environment.id)),
        Column::Kind => Cell::dim(workload.kind.word()),
        Column::State => said(instance),
        Column::Health => health(instance.verdict.health),
        Column::Revision => Cell::or_unknown(instance.revision.map(|r| r.to_string())),
        Column::Image => Cell::plain(short_image(&instance.image)),
        Column::Digest => Cell::or_unknown(instance.digest.as_deref().map(short_digest)),
        Column::Restarts => restarts(instance.restarts),
        Column::Age => Cell::or_unknown(since(instance).map(|at| age(state.now, at))),
        Column::Node => Cell::or_unknown(instance.node.as_deref()),
        Column::Ip => Cell::or_unknown(instance.ip.as_deref()),
        Column::Ports if instance.ports.is_empty() => Cell::unknown(),
        Column::Ports => Cell::plain(instance.ports.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")),
        Column::Detail => Cell::plain(crate::app::rows::note::reasons(&instance.verdict).unwrap_or_default()),
        _ => Cell::unknown(),
    }
}

/// What the age of an instance counts from: the start of this run, or the end of the last.
fn since(instance: &Instance) -> Option<jiff::Timestamp> {
    match instance.state {
        InstanceState::Exited | InstanceState::Dead => instance.finished_at.or(instance.created_at),
        InstanceState::Created
        | InstanceState::Running
        | InstanceState::Paused
        | InstanceState::Restarting
        | InstanceState::Removing
        | InstanceState::Unknown => instance.started_at.or(instance.created_at),
    }
}

fn named(state: &State, snapshot: &Snapshot, instance: &Instance) -> Cell {
    let name = name(state, snapshot, &instance.name);
    if instance.set_aside {
        Cell::dim(format!("{name} (set aside)"))
    } else if instance.one_off {
        Cell::dim(format!("{name} (one-off)"))
    } else {
        Cell::toned(name, Tone::Strong)
    }
}

/// The state, with how it came about when it is an end.
fn said(instance: &Instance) -> Cell {
    let word = instance.state.word();
    if let Some(pod) = &instance.pod {
        // The words every cluster's users know, as kubectl has them, and how many of its containers are ready.
        let (ready, all) = pod.ready();
        let text = if all > 1 { format!("{} {ready}/{all}", pod.status) } else { pod.status.to_string() };
        return match instance.state {
            InstanceState::Running if ready == all => Cell::toned(text, Tone::Plain),
            InstanceState::Running | InstanceState::Created | InstanceState::Removing => Cell::toned(text, Tone::Warn),
            InstanceState::Exited if instance.exit_code == Some(0) => Cell::dim(text),
            InstanceState::Exited | InstanceState::Dead | InstanceState::Restarting => Cell::toned(text, Tone::Bad),
            InstanceState::Paused | InstanceState::Unknown => Cell::dim(text),
        };
    }
    match instance.state {
        InstanceState::Running => Cell::toned(word, Tone::Plain),
        InstanceState::Exited | InstanceState::Dead => match (instance.oom_killed, instance.exit_code) {
            (true, _) => Cell::toned(format!("{word} OOM"), Tone::Bad),
            (false, Some(0)) => Cell::dim(format!("{word} 0")),
            (false, Some(code)) => Cell::toned(format!("{word} {code}"), Tone::Bad),
            (false, None) => Cell::toned(word, Tone::Warn),
        },
        InstanceState::Restarting => Cell::toned(word, Tone::Bad),
        InstanceState::Paused | InstanceState::Removing => Cell::toned(word, Tone::Warn),
        InstanceState::Created | InstanceState::Unknown => Cell::dim(word),
    }
}
