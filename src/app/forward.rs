//! Where a forwarded port leads: the instances that can take a connection now, and the ports they are known to have.

use crate::model::{EnvironmentId, Health, Instance, InstanceId, InstanceState, WorkloadId};

use super::State;

/// The instances a connection may go to now: those of the workload that run and are not known to be unwell, or the one
/// named.
#[must_use]
pub fn ready(state: &State, environment: &EnvironmentId, workload: &WorkloadId, only: Option<&InstanceId>) -> Vec<InstanceId> {
    let Some((_, workload)) = state.workload(environment, workload) else { return Vec::new() };
    let fit = |i: &&std::sync::Arc<Instance>| match only {
        Some(id) => i.id == *id && i.state == InstanceState::Running,
        None => is_ready(i),
    };
    workload.instances.iter().filter(fit).map(|i| i.id.clone()).collect()
}

fn is_ready(instance: &Instance) -> bool {
    let pod = instance.pod.as_ref().is_none_or(|pod| {
        let (ready, all) = pod.ready();
        ready == all && !pod.status.starts_with("Terminating")
    });
    let well = match instance.verdict.health {
        Health::Healthy | Health::Degraded | Health::Unknown => true,
        Health::Starting | Health::Unhealthy | Health::Stopped => false,
    };
    instance.state == InstanceState::Running && !instance.set_aside && !instance.one_off && pod && well
}

/// The ports a workload is known to have, sorted.
#[must_use]
pub fn ports(state: &State, environment: &EnvironmentId, workload: &WorkloadId) -> Vec<u16> {
    let Some((_, workload)) = state.workload(environment, workload) else { return Vec::new() };
    let named = workload.controller.iter().flat_map(|c| c.ports.iter().copied());
    let seen = workload.instances.iter().flat_map(|i| i.ports.iter().filter(|p| &*p.protocol == "tcp").map(|p| p.container));
    let mut all: Vec<u16> = named.chain(seen).collect();
    all.sort_unstable();
    all.dedup();
    all
}
