//! Where a forwarded port leads: the instances that can take a connection now, and the ports they are known to have.

use std::sync::Arc;

use crate::model::{EnvironmentId, Health, Instance, InstanceId, InstanceState, WorkloadId};

use super::State;
use super::format::count;

/// What happens to a forwarded port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// It is listened on, at this address of this machine.
    Listening(Arc<str>),
    /// It cannot be listened on.
    Refused(Arc<str>),
    /// A connection goes to an instance.
    Opened { connection: u64, instance: InstanceId },
    /// A connection could not be passed on: nothing is ready, or nothing of what is answers.
    Failed { why: Arc<str> },
    /// A connection is over; `why` where it broke off.
    Closed { connection: u64, sent: u64, received: u64, why: Option<Arc<str>> },
}

/// A port of this machine that leads to one of a workload, as long as the console runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forwarded {
    pub id: u64,
    pub environment: EnvironmentId,
    pub workload: WorkloadId,
    /// Only to this instance.
    pub instance: Option<InstanceId>,
    pub local: u16,
    pub remote: u16,
    /// The address, once it is listened on.
    pub address: Option<Arc<str>>,
    /// Connections now, and so far.
    pub open: u32,
    pub all: u64,
    pub sent: u64,
    pub received: u64,
    /// Why the last connection failed or broke off.
    pub trouble: Option<Arc<str>>,
}

impl Forwarded {
    /// What it leads to.
    #[must_use]
    pub fn called(&self) -> String {
        self.instance.as_ref().map_or_else(|| self.workload.to_string(), ToString::to_string)
    }

    /// How it is, in a line; `ready`: how many instances can take a connection now.
    #[must_use]
    pub fn words(&self, environment: &str, ready: usize) -> String {
        let address = self.address.as_deref().unwrap_or("not listening yet");
        let state = if ready == 0 { "nothing is ready".to_owned() } else { format!("{ready} ready") };
        let open = count(usize::try_from(self.open).unwrap_or(usize::MAX), "connection");
        let trouble = self.trouble.as_ref().map(|why| format!(", last: {why}")).unwrap_or_default();
        format!(
            "{address} → {} of {} in {environment}: {state}, {open} of {} so far{trouble}",
            self.remote,
            self.called(),
            self.all
        )
    }
}

/// The instances a connection may go to now: those of the workload that run and are not known to be unwell, or the one
/// named.
#[must_use]
pub fn ready(state: &State, environment: &EnvironmentId, workload: &WorkloadId, only: Option<&InstanceId>) -> Vec<InstanceId> {
    let Some((_, workload)) = state.workload(environment, workload) else { return Vec::new() };
    let fit = |i: &&Arc<Instance>| match only {
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
