//! Workloads whose engine is told the wanted state and makes it so (Swarm, Kubernetes): one call and a gate that
//! follows it to its end.

use std::sync::Arc;
use std::time::Duration;

use crate::model::{EngineKind, Instance, Revision, Workload, WorkloadKind};
use crate::operate::action::{Action, Pacing};
use crate::operate::refusal::Refusal;
use crate::operate::request::{Operation, Strategy};
use crate::operate::unfinished::Fate;

use super::draft::{self, Draft};
use super::replace::{self, Wanted};
use super::targets::{Chosen, subject};
use super::{Gate, Work, controlled, pacing, words};

/// Waits until the workload is what it should be. The time allowed grows with the replicas, which follow each other.
pub fn rolled_out(draft: &Draft<'_>, workload: &Workload, revision: Option<u64>, replicas: u32, hold: Duration) -> Work {
    let within = pacing::allowed(draft.policy(workload).healthy_within, replicas, None);
    Work::Await(Gate::RolledOut { workload: workload.id.clone(), revision, left: None, replicas, within, hold, follow: false })
}

/// As [`rolled_out`], after the engine was told a new definition.
pub fn followed(draft: &Draft<'_>, workload: &Workload, revision: Option<u64>, pacing: Option<Pacing>, hold: Duration) -> Work {
    let replicas = workload.desired;
    let within = pacing::allowed(draft.policy(workload).healthy_within, replicas, pacing);
    let workload = workload.id.clone();
    Work::Await(Gate::RolledOut { workload, revision, left: None, replicas, within, hold, follow: true })
}

/// Gives the workload its own settings back: cleaning up.
pub fn unpace(draft: &mut Draft<'_>, workload: &Workload) {
    if let Some(Work::Act(action)) = pacing::give_back(draft, workload) {
        draft.tidy(action);
    }
}

/// Sets the number of replicas and waits for it; undone by setting it back.
fn set_replicas(draft: &mut Draft<'_>, workload: &Workload, to: u32) {
    draft.know_workload(workload);
    let environment = draft.request.environment.clone();
    let act =
        |replicas| Work::Act(Action::SetReplicas { environment: environment.clone(), workload: workload.id.clone(), replicas });
    let back = vec![act(workload.desired), rolled_out(draft, workload, None, workload.desired, Duration::ZERO)];
    draft.affect(workload, |_| Fate::Kept);
    draft.change(format!("{}.replicas", workload.id), workload.desired.to_string(), to.to_string());
    draft.step(act(to), back);
    let gate = rolled_out(draft, workload, None, to, Duration::ZERO);
    draft.step(gate, Vec::new());
}

fn whole(draft: &Draft<'_>, chosen: &[Chosen]) -> Result<(), Refusal> {
    let verb = draft.request.operation.verb();
    match chosen.iter().find(|c| c.named.is_some()) {
        None => Ok(()),
        Some(one) => Err(Refusal::WholeWorkload { verb, workload: one.workload.id.0.clone() }),
    }
}

/// Scales every chosen workload to `to`.
pub fn scale(draft: &mut Draft<'_>, chosen: &[Chosen], to: u32) -> Result<String, Refusal> {
    let changing: Vec<&Chosen> = chosen.iter().filter(|c| c.workload.desired != to).collect();
    if changing.is_empty() {
        return Err(Refusal::Nothing(format!("{} already has {to}", subject(chosen)).into()));
    }
    for one in changing {
        controlled::may_scale(draft, &one.workload, to)?;
        set_replicas(draft, &one.workload, to);
    }
    match chosen {
        [one] => Ok(format!("scale {} {} → {to}", one.workload.id, one.workload.desired)),
        _ => Ok(format!("scale {} to {to}", subject(chosen))),
    }
}

/// Stops workloads by scaling them to nothing.
pub fn stop(draft: &mut Draft<'_>, chosen: &[Chosen]) -> Result<String, Refusal> {
    whole(draft, chosen)?;
    for one in chosen.iter().filter(|c| c.workload.desired > 0) {
        set_replicas(draft, &one.workload, 0);
        if !matches!(draft.snapshot.environment.engine, EngineKind::Swarm | EngineKind::Kubernetes) {
            draft.warn(format!("remember that {} had {}: start brings back one", one.workload.id, one.workload.desired));
        }
    }
    if draft.steps.is_empty() {
        return Err(Refusal::Nothing(format!("{} is stopped already", subject(chosen)).into()));
    }
    Ok(format!("stop {}", subject(chosen)))
}

/// Starts workloads that are scaled to nothing.
pub fn start(draft: &mut Draft<'_>, chosen: &[Chosen]) -> Result<String, Refusal> {
    whole(draft, chosen)?;
    for one in chosen.iter().filter(|c| c.workload.desired == 0) {
        set_replicas(draft, &one.workload, one.workload.resting.unwrap_or(1));
        if one.workload.resting.is_none() {
            draft.warn(format!("how many {} had is not recorded: one starts, scale it from there", one.workload.id));
        }
    }
    if draft.steps.is_empty() {
        return Err(Refusal::Nothing(format!("{} runs already", subject(chosen)).into()));
    }
    Ok(format!("start {}", subject(chosen)))
}

/// Replaces every instance by a fresh one, as the engine does that; of single instances: takes them away, the engine
/// makes new ones.
pub fn restart(draft: &mut Draft<'_>, chosen: &[Chosen]) -> Result<String, Refusal> {
    for one in chosen {
        let workload = &one.workload;
        if one.named.is_some() {
            take(draft, one)?;
            continue;
        }
        if workload.desired == 0 {
            return Err(Refusal::Nothing(format!("{} does not run; start it instead", workload.id).into()));
        }
        controlled::may_roll(draft, workload)?;
        draft.know_workload(workload);
        draft.affect(workload, |_| Fate::Restarted);
        draft.change(workload.id.0.clone(), format!("{} instances", workload.desired), "fresh ones of the same definition");
        let pacing = pacing::of(draft, workload, Some(Strategy::Rolling));
        pacing::explain(draft, workload, pacing);
        controlled::explain(draft, workload, Some(Strategy::Rolling));
        roll(draft, workload, pacing);
    }
    Ok(format!("restart {}", subject(chosen)))
}

/// Has every instance replaced and follows that to its end.
pub fn roll(draft: &mut Draft<'_>, workload: &Workload, pacing: Option<Pacing>) {
    let (environment, operation) = (draft.request.environment.clone(), draft.made_by.clone());
    draft
        .act(Action::Rollout { environment, workload: workload.id.clone(), operation, pacing: pacing.map(Box::new) }, Vec::new());
    // A controller makes a restart a revision of its own; a manager does not.
    let next = controlled::is_here(draft).then(|| replace::next(workload));
    let gate = followed(draft, workload, next, pacing, draft.policy(workload).hold);
    draft.step(gate, Vec::new());
    unpace(draft, workload);
}

/// Takes instances away; the engine makes new ones.
pub fn take_away(draft: &mut Draft<'_>, chosen: &[Chosen]) -> Result<String, Refusal> {
    let verb = draft.request.operation.verb();
    for one in chosen {
        if one.named.is_none() && draft.request.operation == Operation::Remove {
            let why = "that would delete its definition; scale it to 0 or remove single instances".into();
            return Err(Refusal::Denied { verb, what: one.workload.id.0.clone(), why });
        }
        take(draft, one)?;
    }
    if draft.steps.is_empty() {
        return Err(Refusal::Nothing(format!("{} has no instance", subject(chosen)).into()));
    }
    Ok(format!("{verb} {}", subject(chosen)))
}

fn take(draft: &mut Draft<'_>, one: &Chosen) -> Result<(), Refusal> {
    let (workload, instances) = (&one.workload, one.instances());
    if instances.is_empty() {
        return Ok(());
    }
    if let Some((far, why)) = instances.iter().find_map(|i| Some((i, i.elsewhere.clone()?))) {
        return Err(Refusal::Denied { verb: draft.request.operation.verb(), what: far.name.clone(), why });
    }
    draft.know_workload(workload);
    let meant = |i: &Instance| instances.iter().any(|m| m.id == i.id);
    draft.affect(workload, |i| if meant(i) { Fate::Killed } else { Fate::Kept });
    let force = matches!(draft.request.operation, Operation::Kill { .. });
    for instance in &instances {
        let reference = draft.know(workload, instance, false);
        let after = if is_made_anew(workload) { "taken away; the engine makes a new one" } else { "taken away for good" };
        draft.change(instance.name.clone(), instance.state.word(), after);
        draft.act(Action::Remove { instance: reference, force }, Vec::new());
    }
    if !is_made_anew(workload) {
        return Ok(());
    }
    let gate = rolled_out(draft, workload, None, workload.desired, draft.policy(workload).hold);
    draft.step(gate, Vec::new());
    Ok(())
}

/// Whether an instance taken away is replaced by another one: not where it runs to its end, or nothing owns it.
fn is_made_anew(workload: &Workload) -> bool {
    match workload.kind {
        WorkloadKind::Service | WorkloadKind::Deployment | WorkloadKind::StatefulSet | WorkloadKind::DaemonSet => true,
        WorkloadKind::Container | WorkloadKind::Job | WorkloadKind::CronJob | WorkloadKind::Dependency => false,
    }
}

/// Tells the engine the wanted image (or the earlier revision) and follows the rollout; undone by going back.
pub fn set_image(draft: &mut Draft<'_>, workload: &Workload, wanted: &Wanted, strategy: Option<Strategy>) -> Result<(), Refusal> {
    controlled::may_roll(draft, workload)?;
    draft.know_workload(workload);
    let revisions = replace::revisions(draft, workload, wanted);
    let Some(revision) = revisions.first().cloned() else { return Ok(()) };
    let (current, number) = (draft::current(workload), revision.number);
    let pacing = pacing::of(draft, workload, strategy);
    draft.change(format!("{}.image", workload.id), controlled::image_before(workload, wanted), wanted.image.clone());
    if let Some(digest) = &wanted.digest {
        let before = workload.digest.as_deref().map_or_else(|| "unknown".to_owned(), words::short_digest);
        draft.change(format!("{}.digest", workload.id), before, words::short_digest(digest));
    }
    draft.change(format!("{}.revision", workload.id), current.to_string(), number.to_string());
    pacing::explain(draft, workload, pacing);
    controlled::explain(draft, workload, strategy);
    let asked = strategy.unwrap_or(draft.policy(workload).strategy);
    if asked == Strategy::BlueGreen && !controlled::is_here(draft) {
        draft.warn("blue-green needs instances of one's own making: here they are replaced one after the other instead");
    }
    draft.affect(workload, |_| Fate::Kept).revisions = revisions;
    let undo = back(draft, workload, current, number + 1);
    let (environment, id) = (draft.request.environment.clone(), workload.id.clone());
    let action = match wanted.from {
        None => Action::SetImage {
            environment,
            workload: id,
            container: wanted.container.clone(),
            revision,
            pacing: pacing.map(Box::new),
        },
        Some(to) => Action::Revert { environment, workload: id, to, revision, pacing: pacing.map(Box::new) },
    };
    draft.act(action, undo);
    let gate = followed(draft, workload, Some(number), pacing, draft.policy(workload).hold);
    draft.step(gate, Vec::new());
    unpace(draft, workload);
    Ok(())
}

/// Back to revision `to`, recorded as `number`.
pub fn back(draft: &Draft<'_>, workload: &Workload, to: u64, number: u64) -> Vec<Work> {
    let recorded = draft::recorded(workload).into_iter().find(|r| r.number == to);
    let (image, digest) = recorded.map_or((workload.image.clone(), None), |r| (r.image, r.digest));
    let revision = Revision {
        number,
        image,
        digest,
        at: Some(draft.terms.now),
        by: Some(draft.terms.actor.by()),
        cause: Some(Arc::from(format!("back to {to}, the change failed"))),
    };
    let (environment, id) = (draft.request.environment.clone(), workload.id.clone());
    let pacing = pacing::of(draft, workload, None);
    let mut gate = followed(draft, workload, Some(number), pacing, Duration::ZERO);
    if let (true, Work::Await(Gate::RolledOut { revision, left, .. })) = (controlled::is_here(draft), &mut gate) {
        // A controller counts for itself: what it never got to make is none of its revisions.
        (*revision, *left) = (None, Some(number.saturating_sub(1)));
    }
    let mut works =
        vec![Work::Act(Action::Revert { environment, workload: id, to, revision, pacing: pacing.map(Box::new) }), gate];
    works.extend(pacing::give_back(draft, workload));
    works
}
