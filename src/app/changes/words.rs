//! What the words of the timeline and of operations mean as causes, and a cause in words.

use jiff::Timestamp;

use crate::app::format::millis;
use crate::model::{Item, Source};
use crate::observe::cause::{Candidate, Kind, Relation};

use super::Lead;

/// What an operation of this kind is as a cause.
pub(super) fn kind_of_operation(verb: &str) -> Kind {
    match verb {
        "deploy" | "rollback" | "roll back" | "up" | "recover" => Kind::Deploy,
        "scale" | "bounds" => Kind::Scale,
        "restart" | "stop" | "start" | "pause" | "unpause" | "kill" | "remove" => Kind::Handled,
        "lock" | "unlock" => Kind::Other,
        _ => Kind::Operation,
    }
}

/// What an item is as a cause; none for what is only a sign of it, or is told elsewhere.
pub(super) fn kind_of(item: &Item, relation: Relation) -> Option<Kind> {
    match item.source {
        Source::Operation => (&*item.what == "autoscale").then_some(Kind::Autoscale),
        // That the thing itself was not well is what is asked about.
        Source::Health => (relation != Relation::Same && matches!(&*item.what, "unhealthy" | "degraded")).then_some(Kind::Ill),
        Source::Alert => (&*item.what == "firing" && relation != Relation::Same).then_some(Kind::Alert),
        Source::Log => (&*item.what == "errors" && relation != Relation::Same).then_some(Kind::Errors),
        Source::Engine => kind_of_event(item, relation),
    }
}

fn kind_of_event(item: &Item, relation: Relation) -> Option<Kind> {
    let out_of_memory = || item.detail.contains("OOM") || item.detail.contains("memory");
    Some(match &*item.what {
        "image" | "new" | "deploy" => Kind::Deploy,
        "revision" | "update" => Kind::Config,
        "drift" => Kind::Drift,
        "scaled" if item.detail.contains("(autoscaler") => Kind::Autoscale,
        "scaled" | "autoscaler" => Kind::Scale,
        "SuccessfulRescale" => Kind::Autoscale,
        "paused" | "resumed" | "locked" | "drill" => Kind::Operation,
        "oom" | "OOMKilling" | "SystemOOM" => Kind::OutOfMemory,
        "restarted" | "die" if out_of_memory() => Kind::OutOfMemory,
        // Ended as it was told to.
        "die" if &*item.detail == "exit code 0" => Kind::Other,
        "die" | "restarted" | "Evicted" | "Preempted" | "Preempting" | "NodeNotReady" | "TaintManagerEviction" => Kind::Died,
        "kill" | "stop" | "pause" | "restart" | "gone" | "remove" => Kind::Handled,
        "create" | "start" | "Created" | "Started" | "ScalingReplicaSet" => Kind::Began,
        "unhealthy" | "Unhealthy" | "BackOff" | "Failed" | "FailedScheduling" | "FailedMount" | "FailedCreate"
            if relation != Relation::Same =>
        {
            Kind::Ill
        }
        "healthy" | "unhealthy" | "unlocked" | "destroy" | "rename" | "unpause" | "Scheduled" | "Pulling" | "Pulled"
        | "SuccessfulCreate" | "SuccessfulDelete" => return None,
        _ => Kind::Other,
    })
}

/// A cause in words: `app_ap deploy 2.2.0 → 2.3.0 by ops@bastion-1`.
#[must_use]
pub fn line(cause: &Candidate<Lead>) -> String {
    // An operation's title names what it is about.
    let named = cause.what.split([' ', ':', ',']).any(|word| *word == *cause.subject);
    let subject = if named { String::new() } else { format!("{} ", cause.subject) };
    let by = cause.by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
    format!("{subject}{}{by}{}", cause.what, how_often(cause.times))
}

/// ` (4 times)`; nothing for once.
#[must_use]
pub fn how_often(times: u32) -> String {
    if times > 1 { format!(" ({times} times)") } else { String::new() }
}

/// How long before: `29 s before`.
#[must_use]
pub fn ahead(at: Timestamp, moment: Timestamp) -> String {
    let ms = u64::try_from(moment.as_millisecond() - at.as_millisecond()).unwrap_or(0);
    match ms / 1000 {
        s @ 0..60 => format!("{s} s before"),
        s @ 60..3600 => format!("{} min before", s / 60),
        s @ 3600..172_800 => format!("{} before", millis(s * 1000)),
        s => format!("{} d before", s / 86_400),
    }
}
