//! The cells of what happened: revisions, operations, timeline items.

use super::{short_digest, short_image};
use crate::app::format::{millis, moment};
use crate::app::rows::{Cell, Column, Tone};
use crate::app::state::{Past, State};
use crate::model::{Item, Revision, Source, Workload};
use crate::operate::machine::{Machine, Outcome, Phase};

pub(super) fn revision(state: &State, workload: &Workload, revision: &Revision, column: Column) -> Cell {
    match column {
        Column::Revision => Cell::toned(revision.number.to_string(), Tone::Strong),
        Column::State if workload.revision == Some(revision.number) => Cell::toned("current", Tone::Good),
        Column::State => Cell::default(),
        Column::Image => Cell::plain(short_image(&revision.image)),
        Column::Digest => Cell::or_unknown(revision.digest.as_deref().map(short_digest)),
        Column::At => Cell::or_unknown(revision.at.map(|at| moment(state.now, at, 0))),
        Column::By => Cell::or_unknown(revision.by.as_deref()),
        Column::Cause => Cell::or_unknown(revision.cause.as_deref()),
        _ => Cell::unknown(),
    }
}

pub(super) fn running(state: &State, machine: &Machine, column: Column) -> Cell {
    let began = machine.began;
    match column {
        Column::At => Cell::plain(moment(state.now, began, 0)),
        Column::Environment => Cell::plain(state.name_of(&machine.plan.request.environment)),
        Column::What => Cell::toned(machine.plan.title.to_string(), Tone::Strong),
        Column::Outcome => match &machine.phase {
            Phase::Locking => Cell::toned("◌ locking", Tone::Warn),
            Phase::Running(n) => Cell::toned(format!("◌ {} of {}", n + 1, machine.plan.steps.len()), Tone::Strong),
            Phase::Asking(_) => Cell::toned("? your answer", Tone::Bad),
            Phase::Undoing => Cell::toned("◌ going back", Tone::Bad),
            Phase::Unlocking => Cell::toned("◌ unlocking", Tone::Warn),
            Phase::Telling(_) => Cell::toned("◌ telling", Tone::Warn),
            Phase::Ended(outcome) => ended(Some(outcome)),
        },
        Column::Duration => {
            let ms = u64::try_from(state.now.as_millisecond() - began.as_millisecond()).unwrap_or(0);
            Cell::plain(millis(ms / 1000 * 1000))
        }
        Column::By => Cell::plain(state.actor.by().to_string()),
        Column::Detail => Cell::plain(match &machine.phase {
            Phase::Running(n) => {
                let step = machine.plan.steps.get(*n).map_or("", |s| &*s.name);
                let detail = machine.progress.get(*n).map_or("", |p| &*p.detail);
                if detail.is_empty() { step.to_owned() } else { format!("{step}: {detail}") }
            }
            Phase::Asking(_) | Phase::Locking | Phase::Undoing | Phase::Unlocking | Phase::Telling(_) | Phase::Ended(_) => {
                machine.detail.to_string()
            }
        }),
        _ => Cell::unknown(),
    }
}

pub(super) fn past(state: &State, past: &Past, column: Column) -> Cell {
    match column {
        Column::At => Cell::or_unknown(past.at().map(|at| moment(state.now, at, 0))),
        Column::Environment => Cell::or_unknown(past.environment()),
        Column::What => Cell::plain(past.title()),
        Column::Outcome => ended(past.outcome()),
        Column::Duration => Cell::or_unknown(past.duration_ms().map(millis)),
        Column::By => Cell::or_unknown(past.by()),
        Column::Detail => Cell::plain(past.detail().map(ToString::to_string).unwrap_or_default()),
        _ => Cell::unknown(),
    }
}

fn ended(outcome: Option<&Outcome>) -> Cell {
    let symbol = match outcome {
        Some(Outcome::Done) => "✔",
        Some(Outcome::Failed | Outcome::Refused) => "✖",
        Some(Outcome::RolledBack) => "↶",
        Some(Outcome::Unknown) | None => "?",
    };
    let word = outcome.map_or("unfinished", crate::app::state::past::outcome_word);
    Cell::toned(format!("{symbol} {word}"), outcome_tone(outcome))
}

/// How an outcome is to be taken.
pub(super) fn outcome_tone(outcome: Option<&Outcome>) -> Tone {
    match outcome {
        Some(Outcome::Done) => Tone::Good,
        Some(Outcome::RolledBack | Outcome::Refused) => Tone::Warn,
        Some(Outcome::Failed | Outcome::Unknown) | None => Tone::Bad,
    }
}

pub(super) fn item(state: &State, item: &Item, column: Column) -> Cell {
    match column {
        Column::At => Cell::plain(moment(state.now, item.at, 0)),
        Column::Environment => Cell::plain(state.name_of(&item.environment)),
        Column::Source => Cell::dim(item.source.word()),
        Column::Subject | Column::Name => Cell::toned(item.subject.to_string(), Tone::Strong),
        Column::What => Cell::toned(item.what.to_string(), what_tone(item)),
        Column::Detail => Cell::plain(item.detail.to_string()),
        _ => Cell::unknown(),
    }
}

/// What is bad news stands out.
fn what_tone(item: &Item) -> Tone {
    match (&*item.what, item.source) {
        ("die" | "oom" | "kill" | "unhealthy" | "failed" | "firing" | "errors", _) => Tone::Bad,
        ("degraded" | "stop" | "rolled back" | "pending" | "refused" | "unknown", _) => Tone::Warn,
        ("healthy" | "resolved" | "errors over", _) | ("done", Source::Operation) => Tone::Good,
        (_, Source::Engine | Source::Operation | Source::Health | Source::Alert | Source::Log) => Tone::Plain,
    }
}
