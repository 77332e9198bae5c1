//! Scaling by hand: new replicas are made from the workload's newest one; the highest numbers go first.

use std::sync::Arc;
use std::time::Duration;

use crate::model::{Instance, Verb, Workload, WorkloadKind};
use crate::operate::action::{InstanceRef, Replica};
use crate::operate::refusal::Refusal;
use crate::operate::unfinished::{Affected, Fate, Making, Original, Was};

use super::draft::{self, Draft};
use super::targets::Chosen;
use super::words;
use crate::operate::action::Action;

/// Scales every chosen workload to `to`.
pub fn scale(draft: &mut Draft<'_>, chosen: &[Chosen], to: u32) -> Result<String, Refusal> {
    let mut removals = Vec::new();
    for one in chosen {
        workload(draft, &one.workload, to, &mut removals)?;
    }
    if draft.steps.is_empty() && removals.is_empty() {
        let names: Vec<&str> = chosen.iter().map(|c| c.workload.id.as_str()).collect();
        return Err(Refusal::Nothing(format!("{} already has {to}", names.join(", ")).into()));
    }
    for instance in removals {
        draft.act(Action::Remove { instance, force: false }, Vec::new());
    }
    let [one] = chosen else { return Ok(format!("scale {} to {to}", super::targets::subject(chosen))) };
    Ok(format!("scale {} {} → {to}", one.workload.id, before(&one.workload, to)))
}

fn is_stopped(instance: &Instance) -> bool {
    Was::of(instance.state) == Was::Stopped
}

/// How many there are: those that run, or all where it is only stopped ones that go.
fn before(workload: &Workload, to: u32) -> usize {
    let running = workload.replicas().filter(|i| !is_stopped(i)).count();
    if running == to as usize { workload.replicas().count() } else { running }
}

fn workload(draft: &mut Draft<'_>, workload: &Workload, to: u32, removals: &mut Vec<InstanceRef>) -> Result<(), Refusal> {
    let name = workload.id.0.clone();
    if workload.kind == WorkloadKind::Container {
        let why = "it is a single container outside any project".into();
        return Err(Refusal::Denied { verb: Verb::Scale, what: name, why });
    }
    let mut replicas: Vec<Arc<Instance>> = workload.replicas().cloned().collect();
    // Last in this order goes first: what runs stays longest, low numbers before high ones.
    replicas.sort_by_key(|i| (is_stopped(i), i.number));
    let Some(newest) = newest(&replicas) else { return Err(Refusal::NoDefinition { workload: name }) };
    // The last container is the definition: it stays, stopped, when none is wanted.
    let kept = replicas.len().min(to.max(1) as usize);
    let surplus = replicas.split_off(kept);
    let missing = (to as usize).saturating_sub(kept);
    if missing > 0 {
        let ports = newest.fixed_ports.clone();
        if !ports.is_empty() {
            return Err(Refusal::FixedPort { workload: name, ports });
        }
        if newest.fixed_name {
            return Err(Refusal::FixedName { workload: name, name: newest.name.clone() });
        }
    }
    let starting: Vec<Arc<Instance>> = replicas.iter().filter(|i| to > 0 && is_stopped(i)).cloned().collect();
    let stopping: Vec<Arc<Instance>> = replicas.iter().filter(|i| to == 0 && !is_stopped(i)).cloned().collect();
    if surplus.is_empty() && missing == 0 && starting.is_empty() && stopping.is_empty() {
        return Ok(());
    }
    let fate = |i: &Instance| {
        let among = |list: &[Arc<Instance>]| list.iter().any(|other| other.id == i.id);
        match (among(&surplus), among(&starting), among(&stopping)) {
            (true, _, _) => Fate::Removed,
            (_, true, _) => Fate::Started,
            (_, _, true) => Fate::Stopped,
            (false, false, false) => Fate::Kept,
        }
    };
    let mut facts = draft.affect(workload, fate).clone();
    draft.change(format!("{}.replicas", workload.id), before(workload, to).to_string(), to.to_string());
    up(draft, workload, &starting, &newest, missing, &mut facts);
    down(draft, workload, &surplus, &stopping, removals);
    if to == 0 {
        draft.warn(format!("{} keeps one stopped container as its definition, so that it can be scaled up again", workload.id));
    }
    if let Some(last) = draft.affected.last_mut() {
        *last = facts;
    }
    Ok(())
}

/// The replica whose definition is the newest.
fn newest(replicas: &[Arc<Instance>]) -> Option<Arc<Instance>> {
    replicas.iter().max_by_key(|i| (i.revision, i.created_at, i.number)).cloned()
}

fn up(
    draft: &mut Draft<'_>,
    workload: &Workload,
    starting: &[Arc<Instance>],
    like: &Instance,
    missing: usize,
    facts: &mut Affected,
) {
    let policy = draft.policy(workload);
    // Compose's rule: one more than the highest there is.
    let highest = workload.instances.iter().filter(|i| !i.one_off).map(|i| i.number).max().unwrap_or(0);
    let mut gates: Vec<(InstanceRef, Duration)> = Vec::new();
    for instance in starting {
        let reference = draft.know(workload, instance, false);
        draft.change(format!("{}.state", words::instance_label(workload, instance)), instance.state.word(), "running");
        gates.push((reference, draft::brief_hold(instance, policy)));
    }
    for number in (highest + 1..).take(missing) {
        let making = Making { slot: draft.slot(), number, like: like.id.clone(), replaces: false };
        let reference = make(draft, workload, like, &making);
        draft.change(format!("{}-{number}", workload.id), "–", format!("new, like {}", like.name));
        facts.makes.push(making);
        gates.push((reference, draft::brief_hold(like, policy)));
    }
    for (reference, _) in &gates {
        draft.start(reference);
    }
    for (reference, hold) in &gates {
        draft.healthy(reference, policy, *hold);
    }
}

/// The step that makes an additional replica.
pub fn make(draft: &mut Draft<'_>, workload: &Workload, like: &Instance, making: &Making) -> InstanceRef {
    let replica = Replica {
        environment: draft.request.environment.clone(),
        workload: workload.id.clone(),
        like: making.like.clone(),
        slot: making.slot,
        number: Some(making.number),
        image: None,
        digest: None,
        revisions: None,
        hidden: false,
    };
    let path = words::made_name(&replica, &like.name);
    let reference = draft.name_made(making.slot, format!("{}-{}", workload.id, making.number), path);
    draft.create(replica);
    reference
}

fn down(
    draft: &mut Draft<'_>,
    workload: &Workload,
    surplus: &[Arc<Instance>],
    stopping: &[Arc<Instance>],
    removals: &mut Vec<InstanceRef>,
) {
    let policy = draft.policy(workload);
    for instance in surplus.iter().rev().chain(stopping.iter().rev()) {
        let reference = draft.know(workload, instance, false);
        let gone = surplus.iter().any(|s| s.id == instance.id);
        let label = words::instance_label(workload, instance);
        if gone {
            draft.change(label, format!("{} ({})", instance.name, instance.state), "removed");
            removals.push(reference.clone());
        } else {
            draft.change(format!("{label}.state"), instance.state.word(), "exited");
        }
        if !is_stopped(instance) {
            let undo = draft::revive(&reference, &Original::of(instance, Fate::Removed), policy);
            draft.stop(&reference, undo);
        }
    }
}
