//! How an engine that makes the wanted state itself is told to go about it, where it takes such orders.

use std::time::Duration;

use crate::model::{EngineKind, Workload};
use crate::operate::action::{Action, Pacing};
use crate::operate::request::Strategy;

use super::draft::Draft;
use super::{Work, words};

/// A new instance is watched at least so long: an engine told to watch for no time at all may call a good one failed.
const LEAST_WATCH: Duration = Duration::from_secs(1);

/// The pacing of `workload` by its policy; `None` where the engine has only its own way.
pub fn of(draft: &Draft<'_>, workload: &Workload, strategy: Option<Strategy>) -> Option<Pacing> {
    if !takes_orders(draft) {
        return None;
    }
    let policy = draft.policy(workload);
    let watch = policy.hold.max(LEAST_WATCH);
    let stop_first = policy.surge == 0 || has_fixed_ports(workload);
    Some(match strategy.unwrap_or(policy.strategy) {
        Strategy::Recreate => Pacing { at_once: 0, new_first: false, delay: Duration::ZERO, watch },
        Strategy::Rolling | Strategy::BlueGreen if stop_first => {
            Pacing { at_once: policy.unavailable.max(1), new_first: false, delay: policy.delay, watch }
        }
        Strategy::Rolling | Strategy::BlueGreen => Pacing { at_once: policy.surge, new_first: true, delay: policy.delay, watch },
    })
}

fn has_fixed_ports(workload: &Workload) -> bool {
    workload.instances.iter().any(|i| !i.fixed_ports.is_empty())
}

/// Whether the engine can be told how to go about it.
fn takes_orders(draft: &Draft<'_>) -> bool {
    draft.snapshot.environment.engine == EngineKind::Swarm
}

/// Says what the pacing means.
pub fn explain(draft: &mut Draft<'_>, workload: &Workload, pacing: Option<Pacing>) {
    let Some(pacing) = pacing else { return };
    let id = &workload.id;
    let many = if pacing.at_once == 0 { "all at once".to_owned() } else { format!("{} at a time", pacing.at_once) };
    let order = if pacing.new_first { "new ones first" } else { "old ones stop first" };
    let delay = if pacing.delay.is_zero() { String::new() } else { format!(", {} between", words::seconds(pacing.delay)) };
    let watch = words::seconds(pacing.watch);
    let after = format!("{many}, {order}{delay}, each watched for {watch}, paused on failure; given back at the end");
    draft.change(format!("{id}.update"), "its own settings", after);
    if pacing.new_first {
        return;
    }
    let ports: Vec<String> = fixed_ports(workload).iter().map(ToString::to_string).collect();
    draft.warn(if pacing.at_once == 0 {
        format!("all instances of {id} stop before the new ones start (recreate): an outage")
    } else if ports.is_empty() {
        format!("surge is 0: an old instance of {id} stops before its new one starts")
    } else {
        let list = ports.join(", ");
        format!("{id} holds port {list} of its nodes: an old one stops before its new one starts")
    });
}

fn fixed_ports(workload: &Workload) -> Vec<u16> {
    let mut ports: Vec<u16> = workload.instances.iter().flat_map(|i| i.fixed_ports.iter().copied()).collect();
    ports.sort_unstable();
    ports.dedup();
    ports
}

/// How long `replicas` may take, each batch `within` and its pauses; one after the other where nobody says how.
pub fn allowed(within: Duration, replicas: u32, pacing: Option<Pacing>) -> Duration {
    let Some(pacing) = pacing else { return within * replicas.max(1) };
    let batches = if pacing.at_once == 0 { 1 } else { replicas.div_ceil(pacing.at_once).max(1) };
    (within + pacing.delay + pacing.watch) * batches
}

/// The work that gives a workload its own settings back; none where they were not touched.
pub fn give_back(draft: &Draft<'_>, workload: &Workload) -> Option<Work> {
    let environment = draft.request.environment.clone();
    takes_orders(draft).then(|| Work::Act(Action::Unpace { environment, workload: workload.id.clone() }))
}
