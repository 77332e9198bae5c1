//! The way back from wherever an unfinished operation stopped: every instance again what it was, nothing made stays.

use std::sync::Arc;
use std::time::Duration;

use crate::model::{Instance, Workload};
use crate::operate::action::{Action, InstanceRef};
use crate::operate::refusal::Refusal;
use crate::operate::request::Operation;
use crate::operate::unfinished::{Affected, Fate, Original, Was};

use super::super::draft::{self, Draft};
use super::super::{Work, around, blue_green};
use super::{Left, made, switch, tell, there, workload};

/// An original that is still there.
struct Kept<'a> {
    original: &'a Original,
    instance: Arc<Instance>,
    reference: InstanceRef,
}

pub fn undo(draft: &mut Draft<'_>, left: &Left<'_>) -> Result<(), Refusal> {
    for affected in &left.begun.workloads {
        let Some(workload) = workload(draft, affected) else {
            match affected.originals.iter().find(|o| o.fate != Fate::Kept) {
                Some(original) => return Err(too_late(left, original)),
                None => continue,
            }
        };
        if blue_green::was(affected) {
            switch::undo(draft, left, affected, &workload)?;
        } else {
            restore(draft, left, affected, &workload)?;
            if let (Operation::Deploy { .. }, Some(forget)) = (&left.begun.operation, around::forget(draft, &workload)) {
                draft.tidy(forget);
            }
        }
    }
    Ok(())
}

pub fn too_late(left: &Left<'_>, original: &Original) -> Refusal {
    Refusal::TooLate { what: left.title().into(), gone: original.name.clone() }
}

fn restore(draft: &mut Draft<'_>, left: &Left<'_>, affected: &Affected, workload: &Workload) -> Result<(), Refusal> {
    let mut kept: Vec<Kept<'_>> = Vec::new();
    for original in affected.originals.iter().filter(|o| o.fate != Fate::Kept) {
        let Some(instance) = there(workload, &original.id) else { return Err(too_late(left, original)) };
        let old = original.fate == Fate::Replaced;
        let reference = draft.know(workload, &instance, old);
        kept.push(Kept { original, instance, reference });
    }
    let made: Vec<(Arc<Instance>, InstanceRef)> = made(workload, left)
        .into_iter()
        .map(|i| {
            let reference = draft.know(workload, &i, false);
            (i, reference)
        })
        .collect();
    let running = |i: &Instance| Was::of(i.state) != Was::Stopped;
    if affected.stop_first {
        for (_, reference) in made.iter().filter(|(i, _)| running(i)) {
            draft.stop(reference, Vec::new());
        }
    }
    awaken(draft, workload, &kept);
    for (instance, reference) in &made {
        if !affected.stop_first && running(instance) {
            draft.stop(reference, Vec::new());
        }
    }
    for (instance, reference) in made {
        tell(draft, workload, &instance, "removed");
        draft.act(Action::Remove { instance: reference, force: true }, Vec::new());
    }
    settle(draft, workload, &kept);
    Ok(())
}

/// What ran and no longer does is started, and waited for where it was healthy: before anything is taken away.
fn awaken(draft: &mut Draft<'_>, workload: &Workload, kept: &[Kept<'_>]) {
    let policy = draft.policy(workload);
    let mut gates: Vec<Work> = Vec::new();
    for one in kept {
        let now = Was::of(one.instance.state);
        if now == Was::Stopped && one.original.was != Was::Stopped {
            draft.act(Action::Start { instance: one.reference.clone() }, Vec::new());
            tell(draft, workload, &one.instance, "runs again");
        }
        if one.original.was == Was::Running && now == Was::Paused {
            draft.act(Action::Unpause { instance: one.reference.clone() }, Vec::new());
            tell(draft, workload, &one.instance, "goes on");
        }
        if one.original.was == Was::Running && one.original.healthy {
            gates.push(draft::healthy(one.reference.clone(), policy, Duration::ZERO));
        }
    }
    // Where nothing was started there is still something to be sure of before new instances are taken away.
    let needed = draft.steps.iter().any(|s| matches!(s.work, Work::Act(_))) || kept.iter().any(|k| k.instance.set_aside);
    for gate in gates.into_iter().filter(|_| needed) {
        draft.step(gate, Vec::new());
    }
}

/// Names and the quiet states come back last.
fn settle(draft: &mut Draft<'_>, workload: &Workload, kept: &[Kept<'_>]) {
    for one in kept {
        let now = Was::of(one.instance.state);
        let instance = one.reference.clone();
        if one.instance.set_aside {
            draft.act(Action::BringBack { instance: instance.clone() }, Vec::new());
            tell(draft, workload, &one.instance, "in its place again");
        }
        if one.original.was == Was::Stopped && now != Was::Stopped {
            draft.stop(&instance, Vec::new());
            tell(draft, workload, &one.instance, "stopped again");
        }
        if one.original.was == Was::Paused && now != Was::Paused {
            draft.act(Action::Pause { instance }, Vec::new());
            tell(draft, workload, &one.instance, "paused again");
        }
    }
}
