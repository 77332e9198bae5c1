//! Services that are in a project's file and nowhere on the engine: shown beside the others, so that they can be brought up.

use std::sync::Arc;

use crate::engine::docker::compose::Outcome;
use crate::model::{Capabilities, DriftKind, Health, Snapshot, Verb, Verdict, Workload, WorkloadId, WorkloadKind};

/// Adds those of `outcome` that have no workload yet; what is as it was is shared with `before`.
pub(super) fn add(outcome: &Outcome, before: Option<&Arc<Snapshot>>, workloads: &mut Vec<Arc<Workload>>) {
    for (name, image) in &outcome.missing {
        let id = WorkloadId(name.clone());
        let Err(place) = workloads.binary_search_by(|w| w.id.cmp(&id)) else { continue };
        let workload = workload(id, image.clone(), outcome);
        let shared = before.and_then(|b| b.workload(&workload.id)).filter(|old| ***old == workload).cloned();
        workloads.insert(place, shared.unwrap_or_else(|| Arc::new(workload)));
    }
}

fn workload(id: WorkloadId, image: Arc<str>, outcome: &Outcome) -> Workload {
    let drift = outcome.drifts.get(&id.0).filter(|drift| drift.kind == DriftKind::Missing).cloned();
    let capabilities = Verb::ALL
        .into_iter()
        .filter(|verb| *verb != Verb::Up)
        .fold(Capabilities::default(), |caps, verb| caps.deny(verb, "it has no container yet: bring it up"));
    Workload {
        checks: Vec::new(),
        id,
        kind: WorkloadKind::Service,
        desired: 0,
        resting: None,
        controller: None,
        rollout: None,
        ready: 0,
        verdict: Verdict::new(Health::Stopped, Vec::new()),
        image,
        digest: None,
        revision: None,
        revisions: Vec::new(),
        instances: Vec::new(),
        autoscaler: None,
        drift,
        created_at: None,
        capabilities,
    }
}
