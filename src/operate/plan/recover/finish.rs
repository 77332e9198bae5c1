//! The rest of the way of an unfinished operation, from wherever it stopped.

use std::sync::Arc;
use std::time::Duration;

use crate::model::{Instance, Workload};
use crate::operate::action::{Action, InstanceRef, Replica};
use crate::operate::refusal::Refusal;
use crate::operate::request::Operation;
use crate::operate::unfinished::{Affected, Fate, Making, Original, Was};

use super::super::draft::{self, Draft};
use super::super::replace::Wanted;
use super::super::targets::Chosen;
use super::super::{around, blue_green, replace, scale, up, words};
use super::{Left, made, switch, tell, there, workload};

pub fn finish(draft: &mut Draft<'_>, left: &Left<'_>) -> Result<(), Refusal> {
    if left.begun.operation == Operation::Up {
        return up_rest(draft, left);
    }
    let mut removals = Vec::new();
    for affected in &left.begun.workloads {
        let Some(workload) = workload(draft, affected) else {
            let removing = affected.originals.iter().all(|o| o.fate == Fate::Removed);
            if removing && affected.makes.is_empty() {
                continue;
            }
            return Err(Refusal::NoDefinition { workload: affected.workload.0.clone() });
        };
        if blue_green::was(affected) {
            removals.extend(switch::finish(draft, left, affected, &workload)?);
        } else if affected.makes.iter().any(|m| m.replaces) {
            removals.extend(replace_rest(draft, left, affected, &workload)?);
        } else {
            add_rest(draft, left, affected, &workload)?;
            for original in &affected.originals {
                if let Some(instance) = there(&workload, &original.id) {
                    removals.extend(end(draft, left, &workload, original, &instance));
                }
            }
        }
    }
    replace::clear(draft, removals);
    if let Operation::Deploy { .. } = &left.begun.operation {
        for affected in &left.begun.workloads {
            if let Some(forget) = workload(draft, affected).and_then(|w| around::forget(draft, &w)) {
                draft.tidy(forget);
            }
        }
    }
    Ok(())
}

/// What is still not as the file has it is brought up once more.
fn up_rest(draft: &mut Draft<'_>, left: &Left<'_>) -> Result<(), Refusal> {
    let begun: Vec<Chosen> = left
        .begun
        .workloads
        .iter()
        .filter_map(|affected| workload(draft, affected))
        .filter(|workload| workload.drift.is_some())
        .map(|workload| Chosen { workload, named: None })
        .collect();
    draft.affected.clear();
    if begun.is_empty() { Ok(()) } else { up::up(draft, &begun).map(drop) }
}

/// What is still to be done with an original, by its fate; returned when it is to be removed in the end.
fn end(
    draft: &mut Draft<'_>,
    left: &Left<'_>,
    workload: &Workload,
    original: &Original,
    instance: &Instance,
) -> Option<InstanceRef> {
    let policy = draft.policy(workload);
    let now = Was::of(instance.state);
    let since = left.holder.since;
    let is_older_run = instance.started_at.is_some_and(|t| t < since);
    if original.fate == Fate::Kept {
        return None;
    }
    let reference = draft.know(workload, instance, false);
    let of = reference.clone();
    match original.fate {
        Fate::Stopped | Fate::Removed if now != Was::Stopped => {
            draft.stop(&reference, Vec::new());
            tell(draft, workload, instance, "stopped");
        }
        Fate::Started => {
            if now == Was::Stopped {
                draft.act(Action::Start { instance: of }, Vec::new());
                tell(draft, workload, instance, "started");
            }
            draft.healthy(&reference, policy, draft::brief_hold(instance, policy));
        }
        Fate::Restarted => {
            if now == Was::Stopped {
                draft.act(Action::Start { instance: of }, Vec::new());
            } else if is_older_run {
                draft.act(Action::Restart { instance: of, grace: None }, Vec::new());
            }
            tell(draft, workload, instance, "restarted");
            draft.healthy(&reference, policy, draft::brief_hold(instance, policy));
        }
        Fate::Paused if now == Was::Running => draft.act(Action::Pause { instance: of }, Vec::new()),
        Fate::Unpaused if now == Was::Paused => draft.act(Action::Unpause { instance: of }, Vec::new()),
        Fate::Killed if now != Was::Stopped && is_older_run => {
            let signal = match &left.begun.operation {
                Operation::Kill { signal } => signal.clone(),
                _ => "SIGKILL".into(),
            };
            draft.act(Action::Kill { instance: of, signal }, Vec::new());
            tell(draft, workload, instance, "killed");
        }
        Fate::Kept
        | Fate::Replaced
        | Fate::Retired
        | Fate::Revived
        | Fate::Stopped
        | Fate::Removed
        | Fate::Paused
        | Fate::Unpaused
        | Fate::Killed => {}
    }
    (original.fate == Fate::Removed).then_some(reference)
}

/// The additional replicas that are still to be made, started or waited for.
fn add_rest(draft: &mut Draft<'_>, left: &Left<'_>, affected: &Affected, workload: &Workload) -> Result<(), Refusal> {
    let policy = draft.policy(workload);
    let made = made(workload, left);
    let mut gates: Vec<(InstanceRef, Duration)> = Vec::new();
    for making in &affected.makes {
        let (reference, hold) = if let Some(instance) = made.iter().find(|i| i.number == making.number) {
            let reference = draft.know(workload, instance, false);
            if Was::of(instance.state) == Was::Stopped {
                draft.act(Action::Start { instance: reference.clone() }, Vec::new());
                tell(draft, workload, instance, "started");
            }
            (reference, draft::brief_hold(instance, policy))
        } else {
            let like = definition(workload, making)?;
            let reference = scale::make(draft, workload, &like, making);
            draft.start(&reference);
            draft.change(format!("{}-{}", workload.id, making.number), "–", format!("new, like {}", like.name));
            (reference, draft::brief_hold(&like, policy))
        };
        gates.push((reference, hold));
    }
    for (reference, hold) in gates {
        draft.healthy(&reference, policy, hold);
    }
    Ok(())
}

fn definition(workload: &Workload, making: &Making) -> Result<Arc<Instance>, Refusal> {
    there(workload, &making.like)
        .or_else(|| workload.replicas().next().cloned())
        .ok_or(Refusal::NoDefinition { workload: workload.id.0.clone() })
}

/// The replicas that are still to be replaced; returns the old ones to be removed in the end.
fn replace_rest(
    draft: &mut Draft<'_>,
    left: &Left<'_>,
    affected: &Affected,
    workload: &Workload,
) -> Result<Vec<InstanceRef>, Refusal> {
    let mut olds = Vec::new();
    let made = made(workload, left);
    let Some(mut wanted) = affected.revisions.first().cloned() else {
        return Err(Refusal::Unreadable { environment: left.holder.why.clone(), why: "no revision in it".into() });
    };
    // What was made already tells the content, even if the tag has moved since.
    wanted.digest = wanted.digest.or_else(|| made.iter().find_map(|i| i.digest.clone()));
    let mut revisions = affected.revisions.clone();
    if let Some(first) = revisions.first_mut() {
        *first = wanted.clone();
    }
    let missing = affected.makes.iter().any(|m| !made.iter().any(|i| i.number == m.number));
    if missing {
        let environment = draft.request.environment.clone();
        draft.act(Action::EnsureImage { environment, image: wanted.image.clone(), digest: wanted.digest.clone() }, Vec::new());
    }
    // Its container says whether the migration has run. It is removed after the old ones: while all of them are there, it is.
    let whole = affected.makes.iter().all(|m| there(workload, &m.like).is_some());
    if whole && matches!(left.begun.operation, Operation::Deploy { .. }) {
        let cause = wanted.cause.clone().unwrap_or_default();
        let wanted = Wanted { image: wanted.image.clone(), digest: wanted.digest.clone(), cause, container: None, from: None };
        around::migrate(draft, workload, &wanted)?;
    }
    let mut new = Vec::new();
    for making in affected.makes.iter().filter(|m| m.replaces) {
        let old = there(workload, &making.like);
        let there = made.iter().find(|i| i.number == making.number);
        if old.is_none() && there.is_none() {
            return Err(Refusal::NoDefinition { workload: workload.id.0.clone() });
        }
        let old = old.map(|i| (draft.know(workload, &i, true), i));
        let replica = Replica {
            environment: draft.request.environment.clone(),
            workload: workload.id.clone(),
            like: making.like.clone(),
            slot: making.slot,
            number: None,
            image: Some(wanted.image.clone()),
            digest: wanted.digest.clone(),
            revisions: Some(revisions.clone()),
            hidden: false,
        };
        new.extend(one(draft, workload, affected.stop_first, old.as_ref(), there, replica));
        olds.extend(old.map(|(reference, _)| reference));
    }
    if whole {
        around::conditions(draft, workload, &draft.policy(workload).verify, &new)?;
    }
    Ok(olds)
}

/// One old instance and its new one, from wherever the two stand; the new one is returned.
fn one(
    draft: &mut Draft<'_>,
    workload: &Workload,
    stop_first: bool,
    old: Option<&(InstanceRef, Arc<Instance>)>,
    new: Option<&Arc<Instance>>,
    replica: Replica,
) -> Option<InstanceRef> {
    let policy = draft.policy(workload);
    let reference = match (new, old) {
        (Some(instance), _) => draft.know(workload, instance, false),
        (None, Some((aside, instance))) => {
            if !instance.set_aside {
                draft.act(Action::SetAside { instance: aside.clone() }, Vec::new());
            }
            let original_name = instance.name.rsplit_once(&words::short(&instance.id)).map_or(&*instance.name, |(_, n)| n);
            let path = original_name.trim_start_matches('_').to_owned();
            let reference = draft.name_made(replica.slot, words::instance_label(workload, instance), path);
            draft.create(replica);
            tell(draft, workload, instance, "replaced by a new container");
            reference
        }
        (None, None) => return None,
    };
    let stop = old.filter(|(_, i)| Was::of(i.state) != Was::Stopped);
    if let (true, Some((aside, _))) = (stop_first, stop) {
        draft.stop(aside, Vec::new());
    }
    if new.is_none_or(|i| Was::of(i.state) == Was::Stopped) {
        draft.act(Action::Start { instance: reference.clone() }, Vec::new());
    }
    draft.healthy(&reference, policy, policy.hold);
    if let (false, Some((aside, _))) = (stop_first, stop) {
        draft.stop(aside, Vec::new());
    }
    Some(reference)
}
