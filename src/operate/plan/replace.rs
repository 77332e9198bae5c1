//! Replacing a workload's replicas by new ones, the old kept until every new one has held: what deploy and rollback
//! have in common where quarterdeck makes the instances itself.

use std::sync::Arc;
use std::time::Duration;

use crate::model::{Instance, Revision, Workload};
use crate::operate::action::{Action, InstanceRef, Replica};
use crate::operate::refusal::Refusal;
use crate::operate::request::Strategy;
use crate::operate::unfinished::{Fate, Making, Original, Was};

use super::draft::{self, Draft};
use super::{Gate, Work, around, blue_green, words};

/// What is to run.
pub struct Wanted {
    pub image: Arc<str>,
    pub digest: Option<Arc<str>>,
    pub cause: Arc<str>,
    /// Which container of the template gets it, where that was said.
    pub container: Option<Arc<str>>,
    /// The earlier revision it is taken from.
    pub from: Option<u64>,
}

/// An old instance and the new one in its place.
struct Pair {
    original: Original,
    old: InstanceRef,
    new: InstanceRef,
    replica: Replica,
}

/// The history with the new revision in front.
pub fn revisions(draft: &Draft<'_>, workload: &Workload, wanted: &Wanted) -> Vec<Revision> {
    let mut revisions = draft::recorded(workload);
    revisions.insert(
        0,
        Revision {
            number: next(workload),
            image: wanted.image.clone(),
            digest: wanted.digest.clone(),
            at: Some(draft.terms.now),
            by: Some(draft.terms.actor.by()),
            cause: Some(wanted.cause.clone()),
        },
    );
    revisions.truncate(10);
    revisions
}

/// The number of the revision to come.
pub fn next(workload: &Workload) -> u64 {
    // What is kept from before a way back may carry a later one.
    let kept = workload.instances.iter().filter_map(|i| i.revision);
    draft::recorded(workload).iter().map(|r| r.number).chain(kept).max().unwrap_or(0) + 1
}

/// The steps up to where every new replica has held; returns the old ones, stopped, to be removed at the very end.
pub fn replace(
    draft: &mut Draft<'_>,
    workload: &Workload,
    wanted: &Wanted,
    strategy: Option<Strategy>,
) -> Result<Vec<InstanceRef>, Refusal> {
    let mut replicas: Vec<Arc<Instance>> = workload.replicas().cloned().collect();
    replicas.sort_by(|a, b| (a.number, &a.id).cmp(&(b.number, &b.id)));
    if replicas.is_empty() {
        return Err(Refusal::NoDefinition { workload: workload.id.0.clone() });
    }
    let policy = draft.policy(workload);
    let strategy = strategy.unwrap_or(policy.strategy);
    if strategy == Strategy::BlueGreen {
        return blue_green::replace(draft, workload, wanted);
    }
    let ports: Vec<u16> = replicas.iter().flat_map(|i| i.fixed_ports.iter().copied()).collect();
    let stop_first = strategy == Strategy::Recreate || !ports.is_empty() || policy.surge == 0;
    let batch = match strategy {
        Strategy::Recreate => replicas.len(),
        Strategy::Rolling if stop_first => policy.unavailable.max(1) as usize,
        // Blue-green went its own way above.
        Strategy::Rolling | Strategy::BlueGreen => policy.surge as usize,
    };
    explain(draft, workload, strategy, &ports, stop_first, &replicas);
    let revisions = revisions(draft, workload, wanted);
    describe(draft, workload, wanted, &revisions, &replicas);
    let facts = draft.affect(workload, |i| if i.set_aside { Fate::Kept } else { Fate::Replaced });
    facts.revisions.clone_from(&revisions);
    facts.stop_first = stop_first;
    let pairs: Vec<Pair> = replicas.iter().map(|i| pair(draft, workload, i, wanted, &revisions)).collect();
    let environment = draft.request.environment.clone();
    draft.act(Action::EnsureImage { environment, image: wanted.image.clone(), digest: wanted.digest.clone() }, Vec::new());
    if wanted.from.is_none() {
        around::migrate(draft, workload, wanted)?;
    }
    for (index, pairs) in pairs.chunks(batch).enumerate() {
        if index > 0 && !policy.delay.is_zero() {
            draft.step(Work::Await(Gate::Wait { hold: policy.delay }), Vec::new());
        }
        if stop_first { stop_then_start(draft, workload, pairs)? } else { start_then_stop(draft, workload, pairs)? }
    }
    let new: Vec<InstanceRef> = pairs.iter().map(|p| p.new.clone()).collect();
    around::conditions(draft, workload, &policy.verify, &new)?;
    let mut old: Vec<InstanceRef> = pairs.into_iter().map(|p| p.old).collect();
    // What a blue-green before had kept for a way back would lead back too far now.
    let kept = workload.instances.iter().filter(|i| i.set_aside && !i.one_off && Was::of(i.state) == Was::Stopped);
    old.extend(kept.map(|i| draft.know(workload, i, true)));
    Ok(old)
}

/// Removes what was replaced: cleaning up, after which there is no way back by undoing. So before the first goes, a
/// fresh look must show every new one still well (each gate looks at all that have held before, too).
pub fn clear(draft: &mut Draft<'_>, old: Vec<InstanceRef>) {
    let last = draft.steps.iter().rev().find_map(|s| match &s.work {
        Work::Await(Gate::Healthy { instance, within, .. }) => Some((instance.clone(), *within)),
        Work::Await(Gate::RolledOut { .. } | Gate::Wait { .. } | Gate::Reading { .. } | Gate::Person { .. }) | Work::Act(_) => {
            None
        }
    });
    if let (Some((instance, within)), false) = (last, old.is_empty()) {
        draft.step(Work::Await(Gate::Healthy { instance, within, hold: Duration::ZERO }), Vec::new());
        if let Some(step) = draft.steps.last_mut() {
            step.name = "look at all new ones again".into();
            step.call = "wait: a fresh look shows them still healthy".into();
        }
    }
    for instance in old {
        draft.tidy(Action::Remove { instance, force: false });
    }
}

fn pair(draft: &mut Draft<'_>, workload: &Workload, instance: &Arc<Instance>, wanted: &Wanted, revisions: &[Revision]) -> Pair {
    let slot = draft.slot();
    let making = Making { slot, number: instance.number, like: instance.id.clone(), replaces: true };
    if let Some(facts) = draft.affected.last_mut() {
        facts.makes.push(making);
    }
    let replica = Replica {
        environment: draft.request.environment.clone(),
        workload: workload.id.clone(),
        like: instance.id.clone(),
        slot,
        number: None,
        image: Some(wanted.image.clone()),
        digest: wanted.digest.clone(),
        revisions: Some(revisions.to_vec()),
        hidden: false,
    };
    let old = draft.know(workload, instance, true);
    let new = draft.name_made(slot, words::instance_label(workload, instance), words::made_name(&replica, &instance.name));
    Pair { original: Original::of(instance, Fate::Replaced), old, new, replica }
}

fn make_room_and_create(draft: &mut Draft<'_>, pair: &Pair) {
    let back = Work::Act(Action::BringBack { instance: pair.old.clone() });
    draft.act(Action::SetAside { instance: pair.old.clone() }, vec![back]);
    draft.create(pair.replica.clone());
}

/// New ones start beside the old, which stop once the new have held: nobody notices.
fn start_then_stop(draft: &mut Draft<'_>, workload: &Workload, pairs: &[Pair]) -> Result<(), Refusal> {
    let policy = draft.policy(workload);
    for pair in pairs {
        make_room_and_create(draft, pair);
        draft.start(&pair.new);
    }
    for pair in pairs {
        draft.healthy(&pair.new, policy, policy.hold);
    }
    gate(draft, workload, pairs)?;
    for pair in pairs.iter().filter(|p| p.original.was != Was::Stopped) {
        draft.stop(&pair.old, draft::revive(&pair.old, &pair.original, policy));
    }
    Ok(())
}

/// What must hold, beside health, before a batch is done.
fn gate(draft: &mut Draft<'_>, workload: &Workload, pairs: &[Pair]) -> Result<(), Refusal> {
    let new: Vec<InstanceRef> = pairs.iter().map(|p| p.new.clone()).collect();
    around::conditions(draft, workload, &draft.policy(workload).gate, &new)
}

/// New ones are made ready, the old stop, the new start: as short an outage as there can be.
fn stop_then_start(draft: &mut Draft<'_>, workload: &Workload, pairs: &[Pair]) -> Result<(), Refusal> {
    let policy = draft.policy(workload);
    for pair in pairs {
        make_room_and_create(draft, pair);
    }
    let mut gates: Vec<Work> = Vec::new();
    for pair in pairs.iter().filter(|p| p.original.was != Was::Stopped) {
        let (gate, start) =
            draft::revive(&pair.old, &pair.original, policy).into_iter().partition(|w| matches!(w, Work::Await(_)));
        gates.extend::<Vec<Work>>(gate);
        draft.stop(&pair.old, start);
    }
    // On the way back all old ones are started before the first is waited for: the first stop is undone last.
    let first = draft.steps.len() - pairs.iter().filter(|p| p.original.was != Was::Stopped).count();
    if let Some(step) = draft.steps.get_mut(first) {
        step.undo.extend(gates);
    }
    for pair in pairs {
        draft.start(&pair.new);
    }
    for pair in pairs {
        draft.healthy(&pair.new, policy, policy.hold);
    }
    gate(draft, workload, pairs)
}

fn explain(
    draft: &mut Draft<'_>,
    workload: &Workload,
    strategy: Strategy,
    ports: &[u16],
    stop_first: bool,
    replicas: &[Arc<Instance>],
) {
    let name = &workload.id;
    if strategy == Strategy::Recreate {
        draft.warn(format!("all instances of {name} stop before the new ones start (recreate): an outage"));
    } else if !ports.is_empty() {
        let mut ports: Vec<String> = ports.iter().map(ToString::to_string).collect();
        ports.sort();
        ports.dedup();
        let list = ports.join(", ");
        draft.warn(format!("{name} holds host port {list}: the old one stops before the new one starts, a short outage"));
    } else if stop_first {
        draft.warn(format!("surge is 0: an old instance of {name} stops before its new one starts"));
    }
    if replicas.iter().all(|i| Was::of(i.state) == Was::Stopped) {
        draft.warn(format!("{name} does not run: this starts it"));
    }
}

fn describe(draft: &mut Draft<'_>, workload: &Workload, wanted: &Wanted, revisions: &[Revision], replicas: &[Arc<Instance>]) {
    let id = &workload.id;
    draft.change(format!("{id}.image"), workload.image.clone(), wanted.image.clone());
    let digest = |d: &Option<Arc<str>>, none: &str| d.as_deref().map_or_else(|| none.to_owned(), words::short_digest);
    draft.change(
        format!("{id}.digest"),
        digest(&workload.digest, "unknown"),
        digest(&wanted.digest, "as the tag says when it is pulled"),
    );
    let number = revisions.first().map_or(0, |r| r.number);
    draft.change(format!("{id}.revision"), draft::current(workload).to_string(), number.to_string());
    for instance in replicas {
        let before = format!("{} ({})", words::short(&instance.id), instance.state);
        draft.change(words::instance_label(workload, instance), before, "a new container; the old one is removed once it held");
    }
}
