//! What only a cluster has: rollouts and schedules held where they are, jobs started by hand, autoscalers, nodes.

use std::sync::Arc;
use std::time::Duration;

use crate::model::{Node, Snapshot, WorkloadKind};
use crate::operate::action::Action;
use crate::operate::refusal::Refusal;
use crate::operate::request::Request;

use super::draft::Draft;
use super::targets::{Chosen, subject};
use super::{Plan, Terms, Work, lock};

/// How long the pods of a node may take to find another place.
const DRAIN_WITHIN: Duration = Duration::from_secs(600);

/// Holds rollouts and schedules where they are, or lets them go on.
pub fn suspend(draft: &mut Draft<'_>, chosen: &[Chosen], on: bool) -> Result<String, Refusal> {
    let verb = draft.request.operation.verb();
    for one in chosen {
        let workload = &one.workload;
        let what = workload.id.0.clone();
        let (path, held, goes_on) = match workload.kind {
            WorkloadKind::Deployment => ("rollout", "paused", "goes on"),
            WorkloadKind::CronJob => ("schedule", "suspended", "runs again"),
            WorkloadKind::Service
            | WorkloadKind::Container
            | WorkloadKind::StatefulSet
            | WorkloadKind::DaemonSet
            | WorkloadKind::Job
            | WorkloadKind::Dependency => {
                let why = format!("a {} cannot be held where it is; scale it to 0 instead", workload.kind).into();
                return Err(Refusal::Denied { verb, what, why });
            }
        };
        let is = workload.controller.as_ref().is_some_and(|c| c.paused);
        if is == on {
            continue;
        }
        draft.know_workload(workload);
        let (environment, id) = (draft.request.environment.clone(), workload.id.clone());
        let (before, after) = if on { (goes_on, held) } else { (held, goes_on) };
        draft.change(format!("{id}.{path}"), before, after);
        let back = Action::Suspend { environment: environment.clone(), workload: id.clone(), on: !on };
        draft.act(Action::Suspend { environment, workload: id, on }, vec![Work::Act(back)]);
    }
    if draft.steps.is_empty() {
        let is = if on { "is held already" } else { "is not held" };
        return Err(Refusal::Nothing(format!("{} {is}", subject(chosen)).into()));
    }
    Ok(format!("{verb} {}", subject(chosen)))
}

/// Starts a job of each chosen schedule.
pub fn trigger(draft: &mut Draft<'_>, chosen: &[Chosen]) -> Result<String, Refusal> {
    for one in chosen {
        let workload = &one.workload;
        if workload.kind != WorkloadKind::CronJob {
            let why = format!("it is a {}, not a schedule", workload.kind).into();
            return Err(Refusal::Denied { verb: draft.request.operation.verb(), what: workload.id.0.clone(), why });
        }
        draft.know_workload(workload);
        let (environment, operation) = (draft.request.environment.clone(), draft.made_by.clone());
        draft.change(workload.id.0.clone(), "by its schedule", "one job more, now");
        draft.act(Action::Trigger { environment, workload: workload.id.clone(), operation }, Vec::new());
    }
    Ok(format!("trigger {}", subject(chosen)))
}

/// Sets the bounds of the autoscalers of the chosen workloads; undone by setting them back.
pub fn bounds(draft: &mut Draft<'_>, chosen: &[Chosen], min: u32, max: u32) -> Result<String, Refusal> {
    let verb = draft.request.operation.verb();
    for one in chosen {
        let workload = &one.workload;
        let what = workload.id.0.clone();
        let Some(scaler) = workload.controller.as_ref().and_then(|c| c.scaler.as_ref()) else {
            return Err(Refusal::Denied { verb, what, why: "no autoscaler owns it".into() });
        };
        if min == 0 || min > max {
            let why = format!("{min} to {max} are no bounds: the least is 1 and not more than the most").into();
            return Err(Refusal::Denied { verb, what, why });
        }
        if (scaler.min, scaler.max) == (min, max) {
            continue;
        }
        draft.know_workload(workload);
        draft.change(format!("{}.bounds", workload.id), format!("{} to {}", scaler.min, scaler.max), format!("{min} to {max}"));
        let set = |(min, max)| Action::SetBounds {
            environment: draft.request.environment.clone(),
            workload: workload.id.clone(),
            min,
            max,
        };
        let (there, back) = (set((min, max)), set((scaler.min, scaler.max)));
        draft.act(there, vec![Work::Act(back)]);
    }
    if draft.steps.is_empty() {
        return Err(Refusal::Nothing(format!("{} has these bounds already", subject(chosen)).into()));
    }
    Ok(format!("bounds of {} {min} to {max}", subject(chosen)))
}

fn find<'a>(request: &Request, snapshot: &'a Snapshot, node: &str) -> Result<&'a Arc<Node>, Refusal> {
    snapshot.nodes.iter().find(|n| &*n.name == node).ok_or_else(|| Refusal::Unknown {
        what: format!("node {node}").into(),
        environment: request.environment.name.clone(),
        nearest: None,
    })
}

/// Keeps new pods off a node, or lets them on it again.
pub fn cordon(request: &Request, snapshot: &Snapshot, terms: &Terms<'_>, name: &Arc<str>, on: bool) -> Result<Plan, Refusal> {
    let node = find(request, snapshot, name)?;
    if node.cordoned == on {
        let is = if on { "is cordoned already" } else { "is not cordoned" };
        return Err(Refusal::Nothing(format!("{name} {is}").into()));
    }
    let under = lock::free_or_ours(snapshot, terms)?;
    let mut draft = Draft::new(request, snapshot, terms);
    set(&mut draft, name, on);
    let title = format!("{} {name}", request.operation.verb());
    Ok(draft.finish(title, name.to_string(), under))
}

fn set(draft: &mut Draft<'_>, name: &Arc<str>, on: bool) {
    let environment = draft.request.environment.clone();
    let (before, after) = if on { ("takes new pods", "takes none") } else { ("takes none", "takes new pods") };
    draft.change(format!("{name}.schedulable"), before, after);
    let back = Action::Cordon { environment: environment.clone(), node: name.clone(), on: !on };
    draft.act(Action::Cordon { environment, node: name.clone(), on }, vec![Work::Act(back)]);
}

/// Keeps new pods off a node and moves those on it elsewhere.
pub fn drain(request: &Request, snapshot: &Snapshot, terms: &Terms<'_>, name: &Arc<str>) -> Result<Plan, Refusal> {
    let node = find(request, snapshot, name)?;
    let under = lock::free_or_ours(snapshot, terms)?;
    let mut draft = Draft::new(request, snapshot, terms);
    if !node.cordoned {
        set(&mut draft, name, true);
    }
    draft.change(format!("{name}.pods"), node.pods.to_string(), "only those bound to it");
    draft.warn("every pod of the node is evicted, those of other environments too; budgets (PodDisruptionBudget) are kept");
    if !snapshot.nodes.iter().any(|n| n.name != *name && !n.cordoned) {
        draft.warn("no other node takes pods: what is evicted stays pending");
    }
    let environment = request.environment.clone();
    draft.act(Action::Drain { environment, node: name.clone(), within: DRAIN_WITHIN }, Vec::new());
    Ok(draft.finish(format!("drain {name}"), name.to_string(), under))
}
