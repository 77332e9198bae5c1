//! The end of an unfinished blue-green: on to green, or back to blue, from wherever the two stand.

use std::sync::Arc;
use std::time::Duration;

use crate::model::{Instance, Workload};
use crate::operate::action::{Action, InstanceRef};
use crate::operate::policy::Switch;
use crate::operate::refusal::Refusal;
use crate::operate::request::Operation;
use crate::operate::unfinished::{Affected, Fate, Original, Was};

use super::super::blue_green::{self, Blue, Green};
use super::super::draft::Draft;
use super::super::replace::Wanted;
use super::super::{around, words};
use super::{Left, made, tell, there};

/// The rest of the way to green; returns what was kept from before and is to be removed in the end.
pub fn finish(
    draft: &mut Draft<'_>,
    left: &Left<'_>,
    affected: &Affected,
    workload: &Workload,
) -> Result<Vec<InstanceRef>, Refusal> {
    let Some(switch) = &affected.switch else { return Ok(Vec::new()) };
    let originals = |fate: Fate| affected.originals.iter().filter(move |o| o.fate == fate);
    let retired: Vec<(Original, Arc<Instance>)> =
        originals(Fate::Retired).filter_map(|o| Some((o.clone(), there(workload, &o.id)?))).collect();
    let mut green = revived(draft, affected, workload);
    green.extend(new(draft, left, affected, workload, &retired)?);
    let blue: Vec<Blue> = retired
        .into_iter()
        .map(|(original, instance)| Blue {
            reference: draft.know(workload, &instance, true),
            stop: Was::of(instance.state) != Was::Stopped,
            aside: !instance.set_aside,
            original,
        })
        .collect();
    blue_green::bring_up(draft, workload, &green, &blue, switch)?;
    let kept: Vec<_> = originals(Fate::Removed).filter_map(|o| there(workload, &o.id)).collect();
    Ok(kept.iter().map(|i| draft.know(workload, i, true)).collect())
}

/// What had been kept and is brought back.
fn revived(draft: &mut Draft<'_>, affected: &Affected, workload: &Workload) -> Vec<Green> {
    let mut green = Vec::new();
    for original in affected.originals.iter().filter(|o| o.fate == Fate::Revived) {
        let Some(instance) = there(workload, &original.id) else { continue };
        let reference = draft.know(workload, &instance, false);
        if instance.set_aside {
            draft.act(Action::BringBack { instance: reference.clone() }, Vec::new());
            tell(draft, workload, &instance, "in its place again");
        }
        let start = Was::of(instance.state) == Was::Stopped;
        green.push(Green { reference, name: blue_green::plain_name(&instance), make: None, start });
    }
    green
}

/// What is made anew, as far as it is not there yet.
fn new(
    draft: &mut Draft<'_>,
    left: &Left<'_>,
    affected: &Affected,
    workload: &Workload,
    retired: &[(Original, Arc<Instance>)],
) -> Result<Vec<Green>, Refusal> {
    let (made, Some(first)) = (made(workload, left), affected.revisions.first()) else { return Ok(Vec::new()) };
    // What was made already tells the content, even if the tag has moved since.
    let digest = first.digest.clone().or_else(|| made.iter().find_map(|i| i.digest.clone()));
    let cause = first.cause.clone().unwrap_or_default();
    let wanted = Wanted { image: first.image.clone(), digest, cause, container: None, from: None };
    let mut revisions = affected.revisions.clone();
    if let Some(first) = revisions.first_mut() {
        first.digest.clone_from(&wanted.digest);
    }
    if affected.makes.iter().any(|m| !made.iter().any(|i| i.number == m.number)) {
        let environment = draft.request.environment.clone();
        draft.act(Action::EnsureImage { environment, image: wanted.image.clone(), digest: wanted.digest.clone() }, Vec::new());
    }
    // Its container says whether the migration has run; it is removed at the very end, when blue is aside.
    let migrates = matches!(left.begun.operation, Operation::Deploy { .. }) && retired.iter().any(|(_, i)| !i.set_aside);
    if migrates {
        around::migrate(draft, workload, &wanted)?;
    }
    let mut green = Vec::new();
    for making in &affected.makes {
        if let Some(instance) = made.iter().find(|i| i.number == making.number) {
            let reference = draft.know(workload, instance, false);
            let start = Was::of(instance.state) == Was::Stopped;
            green.push(Green { reference, name: instance.name.clone(), make: None, start });
            continue;
        }
        let like = there(workload, &making.like).ok_or(Refusal::NoDefinition { workload: workload.id.0.clone() })?;
        let at = (making.slot, making.number);
        let replica = blue_green::green_replica(draft, workload, at, &like, &wanted, &revisions);
        let name: Arc<str> = words::made_name(&replica, &blue_green::plain_name(&like)).into();
        let label = format!("{}-{}", workload.id, making.number);
        let reference = draft.name_made(making.slot, label, name.to_string());
        green.push(Green { reference, name, make: Some(replica), start: true });
    }
    Ok(green)
}

/// Back to blue: its names and its instances first, then the traffic, then green goes.
pub fn undo(draft: &mut Draft<'_>, left: &Left<'_>, affected: &Affected, workload: &Workload) -> Result<(), Refusal> {
    let mut blue: Vec<(&Original, Arc<Instance>, InstanceRef)> = Vec::new();
    for original in affected.originals.iter().filter(|o| o.fate == Fate::Retired) {
        let Some(instance) = there(workload, &original.id) else { return Err(super::undo::too_late(left, original)) };
        let reference = draft.know(workload, &instance, true);
        blue.push((original, instance, reference));
    }
    // From here on what was kept of the proxy's file may be gone.
    if blue.iter().all(|(_, i, _)| i.set_aside) {
        return Err(Refusal::Switched { what: left.title().into() });
    }
    let policy = draft.policy(workload);
    for (_, instance, reference) in blue.iter().filter(|(_, i, _)| i.set_aside) {
        draft.act(Action::BringBack { instance: reference.clone() }, Vec::new());
        tell(draft, workload, instance, "in its place again");
    }
    for (original, instance, reference) in &blue {
        if Was::of(instance.state) == Was::Stopped && original.was != Was::Stopped {
            draft.act(Action::Start { instance: reference.clone() }, Vec::new());
            tell(draft, workload, instance, "runs again");
        }
    }
    for (_, _, reference) in blue.iter().filter(|(o, _, _)| o.was == Was::Running && o.healthy) {
        draft.healthy(reference, policy, Duration::ZERO);
    }
    turn_back(draft, affected)?;
    leave_green(draft, left, affected, workload);
    for (_, _, reference) in
        blue.iter().filter(|(o, i, _)| o.was == Was::Paused && i.state != crate::model::InstanceState::Paused)
    {
        draft.act(Action::Pause { instance: reference.clone() }, Vec::new());
    }
    Ok(())
}

/// The proxy gets its old file back, where one was kept.
fn turn_back(draft: &mut Draft<'_>, affected: &Affected) -> Result<(), Refusal> {
    let Some(Switch::Proxy(proxy)) = &affected.switch else { return Ok(()) };
    for instance in blue_green::proxies(draft, proxy)? {
        let keep = draft.made_by.clone();
        draft.act(Action::RestoreFile { instance: instance.clone(), path: proxy.file.clone(), keep }, Vec::new());
        let timeout = Duration::from_secs(30);
        draft.act(Action::Exec { instance, command: proxy.reload.clone(), timeout }, Vec::new());
    }
    Ok(())
}

/// What was made goes; what had been kept is kept again.
fn leave_green(draft: &mut Draft<'_>, left: &Left<'_>, affected: &Affected, workload: &Workload) {
    for instance in made(workload, left) {
        let reference = draft.know(workload, &instance, false);
        if Was::of(instance.state) != Was::Stopped {
            draft.stop(&reference, Vec::new());
        }
        tell(draft, workload, &instance, "removed");
        draft.act(Action::Remove { instance: reference, force: true }, Vec::new());
    }
    for original in affected.originals.iter().filter(|o| o.fate == Fate::Revived) {
        let Some(instance) = there(workload, &original.id) else { continue };
        let reference = draft.know(workload, &instance, false);
        if Was::of(instance.state) != Was::Stopped {
            draft.stop(&reference, Vec::new());
        }
        if !instance.set_aside {
            draft.act(Action::SetAside { instance: reference }, Vec::new());
            tell(draft, workload, &instance, "kept, stopped, again");
        }
    }
    if let Some(forget) = around::forget(draft, workload) {
        draft.tidy(forget);
    }
}
