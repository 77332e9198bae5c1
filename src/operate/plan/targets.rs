//! From what a person named to what there is: the workloads and instances a request is about.

use std::sync::Arc;

use crate::model::{Capability, Instance, Snapshot, Verb, Workload, WorkloadKind};
use crate::operate::refusal::Refusal;
use crate::operate::request::{Operation, Request};

use super::words;

/// A workload that is to be changed, whole or some instances of it.
#[derive(Clone, Debug)]
pub struct Chosen {
    pub workload: Arc<Workload>,
    /// The instances named; `None` is the whole workload.
    pub named: Option<Vec<Arc<Instance>>>,
}

impl Chosen {
    /// The instances meant, by number: those named, or every replica.
    pub fn instances(&self) -> Vec<Arc<Instance>> {
        let mut instances =
            self.named.clone().unwrap_or_else(|| self.workload.replicas().cloned().collect::<Vec<Arc<Instance>>>());
        instances.sort_by(|a, b| (a.number, &a.id).cmp(&(b.number, &b.id)));
        instances
    }
}

/// Finds the request's targets, workload by workload, in the order they were named.
pub fn choose(request: &Request, snapshot: &Snapshot) -> Result<Vec<Chosen>, Refusal> {
    let verb = request.operation.verb();
    let mut chosen: Vec<Chosen> = Vec::new();
    for target in &request.targets {
        let environment = snapshot.environment.id.name.clone();
        let Some(workload) = snapshot.workload(&target.workload) else {
            let known = snapshot.workloads.iter().map(|w| w.id.as_str());
            let nearest = crate::model::problem::nearest(target.workload.as_str(), known).map(Into::into);
            return Err(Refusal::Unknown { what: format!("workload {}", target.workload).into(), environment, nearest });
        };
        permitted(workload, verb)?;
        let instance = match &target.instance {
            None => None,
            Some(id) => {
                let Some(instance) = workload.instances.iter().find(|i| &i.id == id) else {
                    let what = format!("instance {} of {}", words::short(id), workload.id).into();
                    return Err(Refusal::Unknown { what, environment, nearest: None });
                };
                if whole_only(&request.operation) {
                    return Err(Refusal::WholeWorkload { verb, workload: workload.id.0.clone() });
                }
                Some(instance.clone())
            }
        };
        match (chosen.iter_mut().find(|c| c.workload.id == workload.id), instance) {
            (None, instance) => chosen.push(Chosen { workload: workload.clone(), named: instance.map(|i| vec![i]) }),
            (Some(known), None) => known.named = None,
            (Some(Chosen { named: Some(named), .. }), Some(instance)) if !named.contains(&instance) => named.push(instance),
            (Some(_), Some(_)) => {}
        }
    }
    if chosen.is_empty() { Err(Refusal::NoTarget { verb }) } else { Ok(chosen) }
}

fn permitted(workload: &Workload, verb: Verb) -> Result<(), Refusal> {
    let what = workload.id.0.clone();
    if workload.kind == WorkloadKind::Dependency {
        return Err(Refusal::Denied { verb, what, why: "it runs outside the engine and is only watched".into() });
    }
    match workload.capabilities.of(verb) {
        Capability::Allowed => Ok(()),
        Capability::Denied(why) => Err(Refusal::Denied { verb, what, why }),
    }
}

fn whole_only(operation: &Operation) -> bool {
    match operation {
        Operation::Scale { .. }
        | Operation::Deploy { .. }
        | Operation::Rollback { .. }
        | Operation::Up
        | Operation::Load { .. }
        | Operation::Trigger
        | Operation::Bounds { .. } => true,
        Operation::Restart
        | Operation::Stop
        | Operation::Start
        | Operation::Pause
        | Operation::Unpause
        | Operation::Kill { .. }
        | Operation::Remove
        | Operation::Lock { .. }
        | Operation::Unlock
        | Operation::Recover { .. }
        | Operation::Drill { .. }
        | Operation::Run { .. }
        | Operation::Cordon { .. }
        | Operation::Uncordon { .. }
        | Operation::Drain { .. }
        | Operation::Silence { .. }
        | Operation::Unsilence { .. } => false,
    }
}

/// What the targets are called together: `backend`, `backend-1, backend-2`, `5 workloads`.
pub fn subject(chosen: &[Chosen]) -> String {
    let mut subjects = Vec::new();
    for one in chosen {
        match &one.named {
            None => subjects.push(one.workload.id.to_string()),
            Some(named) => subjects.extend(named.iter().map(|i| words::instance_label(&one.workload, i))),
        }
    }
    if subjects.len() <= 3 {
        return subjects.join(", ");
    }
    let kind = if chosen.iter().all(|c| c.named.is_none()) { "workloads" } else { "instances" };
    format!("{} {kind}", subjects.len())
}
