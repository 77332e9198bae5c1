//! Blue-green where the engine makes the pods: a second set of them (the mirror) beside the workload's own, the traffic of
//! its Services led there once it has held, its own pods replaced meanwhile, the traffic led back, the mirror removed. In
//! the end it is an ordinary workload again, with nothing of it left.

use std::time::Duration;

use crate::model::{OperationId, Revision, Verb, Workload, WorkloadKind};
use crate::operate::action::Action;
use crate::operate::mirror;
use crate::operate::refusal::Refusal;
use crate::operate::request::Strategy;
use crate::operate::unfinished::{Affected, Fate};

use super::declared::{back, followed};
use super::draft::{self, Draft};
use super::replace::{self, Wanted};
use super::{Gate, Work, around, controlled, pacing};

/// Whether a deploy of `workload` goes this way.
pub fn is_meant(draft: &Draft<'_>, workload: &Workload, strategy: Option<Strategy>) -> bool {
    controlled::is_here(draft) && strategy.unwrap_or(draft.policy(workload).strategy) == Strategy::BlueGreen
}

/// The whole way.
pub fn deploy(draft: &mut Draft<'_>, workload: &Workload, wanted: &Wanted) -> Result<(), Refusal> {
    fits(workload)?;
    draft.know_workload(workload);
    let revisions = replace::revisions(draft, workload, wanted);
    let Some(revision) = revisions.first().cloned() else { return Ok(()) };
    let id = &workload.id;
    let services = workload.controller.as_ref().map(|c| c.services.join(", ")).unwrap_or_default();
    draft.change(format!("{id}.image"), controlled::image_before(workload, wanted), wanted.image.clone());
    draft.change(format!("{id}.revision"), draft::current(workload).to_string(), revision.number.to_string());
    let mirror = mirror::workload(id, &draft.made_by);
    draft.change(mirror.0.clone(), "not there", format!("{} pods of {}, then removed", workload.desired, wanted.image));
    draft.change(format!("services {services}"), "all pods of it", "only the mirror's, then all pods of it again");
    draft.warn(format!("{id} runs twice while it is switched: {} pods more", workload.desired));
    if workload.controller.as_ref().is_some_and(|c| c.scaler.is_some()) {
        draft.warn(format!("the autoscaler of {id} counts the mirror's pods, too, while they are there"));
    }
    let facts = draft.affect(workload, |_| Fate::Kept);
    facts.revisions = revisions;
    facts.mirrored = true;
    begin(draft, workload, &revision, wanted.container.clone())
}

/// What stands in the way.
fn fits(workload: &Workload) -> Result<(), Refusal> {
    let denied = |why: &str| Err(Refusal::Denied { verb: Verb::Deploy, what: workload.id.0.clone(), why: why.into() });
    if workload.kind != WorkloadKind::Deployment {
        return denied("blue-green needs a Deployment: the pods of others cannot be there twice");
    }
    if workload.controller.as_ref().is_none_or(|c| c.services.is_empty()) {
        return denied("no Service leads to it, so there is no traffic to switch: deploy it rolling");
    }
    if workload.desired == 0 {
        return denied("it does not run, so there is no traffic to switch: deploy it rolling");
    }
    if workload.rollout.is_some() {
        return denied("its last rollout is not through: roll it back or deploy it rolling first");
    }
    Ok(())
}

/// From the mirror that is to be made to the end.
fn begin(
    draft: &mut Draft<'_>,
    workload: &Workload,
    revision: &Revision,
    container: Option<std::sync::Arc<str>>,
) -> Result<(), Refusal> {
    let policy = draft.policy(workload);
    let (environment, id, operation) = (draft.request.environment.clone(), workload.id.clone(), draft.made_by.clone());
    let make = Action::Mirror {
        environment: environment.clone(),
        workload: id.clone(),
        operation: operation.clone(),
        revision: revision.clone(),
        container: container.clone(),
    };
    draft.act(make, vec![Work::Act(forget(draft, workload))]);
    draft.step(well(draft, workload, &operation), Vec::new());
    around::conditions(draft, workload, &policy.gate, &[])?;
    let (there, back_again) = (lead(draft, workload, true), lead(draft, workload, false));
    draft.act(there, vec![Work::Act(back_again.clone())]);
    if !policy.drain.is_zero() {
        draft.step(Work::Await(Gate::Wait { hold: policy.drain }), Vec::new());
    }
    around::conditions(draft, workload, &policy.verify, &[])?;
    let undo = back(draft, workload, draft::current(workload), revision.number + 1);
    let set = Action::SetImage { environment, workload: id, container, revision: revision.clone(), pacing: None };
    draft.act(set, undo);
    draft.step(followed(draft, workload, Some(revision.number), None, policy.hold), Vec::new());
    // From here on the way back is that of any rollout: pod by pod, under the traffic.
    draft.act(back_again, Vec::new());
    let forget = forget(draft, workload);
    draft.tidy(forget);
    Ok(())
}

/// Waits for the mirror as for any rollout.
fn well(draft: &Draft<'_>, workload: &Workload, operation: &OperationId) -> Work {
    let policy = draft.policy(workload);
    Work::Await(Gate::RolledOut {
        workload: mirror::workload(&workload.id, operation),
        revision: None,
        left: None,
        replicas: workload.desired,
        within: pacing::allowed(policy.healthy_within, workload.desired, None),
        hold: policy.hold,
        follow: true,
    })
}

fn lead(draft: &Draft<'_>, workload: &Workload, away: bool) -> Action {
    Action::SwitchTraffic {
        environment: draft.request.environment.clone(),
        workload: workload.id.clone(),
        to_mirror: away.then(|| draft.made_by.clone()),
    }
}

fn forget(draft: &Draft<'_>, workload: &Workload) -> Action {
    let (environment, operation) = (draft.request.environment.clone(), draft.made_by.clone());
    Action::ForgetMirror { environment, workload: workload.id.clone(), operation }
}

/// The rest of an unfinished one. Its own pods are of the new revision only after all was well with the mirror.
pub fn finish(draft: &mut Draft<'_>, affected: &Affected, workload: &Workload, wanted: &Wanted) -> Result<(), Refusal> {
    let Some(revision) = affected.revisions.first() else { return Ok(()) };
    if workload.revision != Some(revision.number) {
        draft.change(format!("{}.image", workload.id), workload.image.clone(), revision.image.clone());
        return begin(draft, workload, revision, wanted.container.clone());
    }
    let gate = followed(draft, workload, Some(revision.number), None, draft.policy(workload).hold);
    draft.step(gate, Vec::new());
    end(draft, workload);
    Ok(())
}

/// The way back of an unfinished one: its own pods as they were, then the traffic, then the mirror goes.
pub fn undo(draft: &mut Draft<'_>, affected: &Affected, workload: &Workload) {
    let begun = affected.revisions.first().is_some_and(|r| workload.revision == Some(r.number));
    if begun {
        let (to, number) = (affected.from.unwrap_or(1), draft::current(workload) + 1);
        draft.change(format!("{}.revision", workload.id), draft::current(workload).to_string(), number.to_string());
        for work in back(draft, workload, to, number) {
            draft.step(work, Vec::new());
        }
    } else {
        let gate = super::declared::rolled_out(draft, workload, None, workload.desired, Duration::ZERO);
        draft.step(gate, Vec::new());
    }
    end(draft, workload);
}

fn end(draft: &mut Draft<'_>, workload: &Workload) {
    let (lead, forget) = (lead(draft, workload, false), forget(draft, workload));
    draft.act(lead, Vec::new());
    draft.act(forget, Vec::new());
}
