//! What only a cluster shows of this world: controllers, pods and machines, from the same units as everything else.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::dice;
use super::figures;
use super::place::{Place, Service};
use super::unit::Unit;
use crate::model::{Container, ContainerRole, Controller, Health, InstanceState, Node, Pod, Verdict, WorkloadKind};

/// What every machine of this world has: thousandths of a core, bytes, pods.
const CPU_MILLI: u64 = 4000;
const MEMORY_BYTES: u64 = 16 << 30;
const PODS_MAX: u32 = 110;
/// What every pod asks for, thousandths of a core, and at most gets.
const CPU_REQUEST_MILLI: u64 = 250;
const CPU_LIMIT_MILLI: u64 = 1000;

/// The controller of a workload.
pub(super) fn controller(place: &Place, service: &Service, ready: u32) -> Controller {
    let current = service.units.iter().filter(|u| u.revision == service.template.revision && !u.one_off).count();
    let strategy = match service.recipe.kind {
        WorkloadKind::Deployment => "RollingUpdate (surge 1, unavailable 0)",
        WorkloadKind::StatefulSet => "RollingUpdate (partition 0)",
        WorkloadKind::DaemonSet => "RollingUpdate (unavailable 1)",
        WorkloadKind::Service
        | WorkloadKind::Container
        | WorkloadKind::Job
        | WorkloadKind::CronJob
        | WorkloadKind::Dependency => "",
    };
    Controller {
        namespace: place.stack.project.into(),
        name: service.recipe.name.into(),
        strategy: strategy.into(),
        updated: u32::try_from(current).unwrap_or(u32::MAX),
        available: ready,
        containers: vec![(service.recipe.name.into(), service.template.image.clone())],
        ports: service.recipe.ports.iter().map(|(_, container)| *container).collect(),
        services: if service.recipe.ports.is_empty() { Vec::new() } else { vec![service.recipe.name.into()] },
        ..Controller::default()
    }
}

/// A unit as the pod it is.
pub(super) fn pod(place: &Place, unit: &Unit, verdict: &Verdict) -> Pod {
    let status = match unit.state {
        InstanceState::Created if unit.unpulled => "ImagePullBackOff",
        InstanceState::Created => "ContainerCreating",
        InstanceState::Running | InstanceState::Paused => "Running",
        InstanceState::Restarting => "CrashLoopBackOff",
        InstanceState::Removing => "Terminating",
        InstanceState::Exited if unit.exit_code == Some(0) => "Completed",
        InstanceState::Exited | InstanceState::Dead => "Error",
        InstanceState::Unknown => "Unknown",
    };
    let running = unit.state == InstanceState::Running;
    let state = match (running, unit.exit_code) {
        (true, _) => "running".to_owned(),
        (false, Some(code)) if unit.state == InstanceState::Exited => format!("terminated: exit code {code}"),
        (false, _) => format!("waiting: {status}"),
    };
    let last = unit.exit_code.filter(|_| unit.restarts > 0);
    let container = Container {
        name: unit.recipe.name.into(),
        role: ContainerRole::Main,
        image: unit.image.clone(),
        ready: running && matches!(verdict.health, Health::Healthy | Health::Degraded),
        restarts: unit.restarts,
        state: state.into(),
        last: last.map(|code| {
            Arc::from(if unit.oom_killed { format!("OOMKilled, exit code {code}") } else { format!("exit code {code}") })
        }),
        has_log: unit.started_at.is_some(),
        ports: unit.recipe.ports.iter().map(|(_, container)| *container).collect(),
    };
    Pod {
        namespace: place.stack.project.into(),
        status: status.into(),
        containers: vec![container],
        qos: "Burstable".into(),
        cpu_request_milli: Some(CPU_REQUEST_MILLI),
        cpu_limit_milli: Some(CPU_LIMIT_MILLI),
        memory_request_bytes: Some(dice::whole(figures::limit(unit.recipe)) / 2),
        owners: vec![format!("{}/{}", unit.recipe.kind, unit.recipe.name).into()],
    }
}

/// The machines the units run on.
pub(super) fn nodes(place: &Place) -> Vec<Arc<Node>> {
    let mut nodes: BTreeMap<Arc<str>, Node> = BTreeMap::new();
    for unit in place.services.iter().flat_map(|s| &s.units) {
        let Some(name) = &unit.node else { continue };
        let node = nodes.entry(name.clone()).or_insert_with(|| Node {
            name: name.clone(),
            verdict: Verdict::healthy(),
            cordoned: false,
            roles: vec!["worker".into()],
            version: "v1.36.2".into(),
            cpu_milli: CPU_MILLI,
            memory_bytes: MEMORY_BYTES,
            pods_max: PODS_MAX,
            pods: 0,
            cpu_requested_milli: 0,
            memory_requested_bytes: 0,
            created_at: None,
        });
        node.pods += 1;
        node.cpu_requested_milli += CPU_REQUEST_MILLI;
        node.memory_requested_bytes += dice::whole(figures::limit(unit.recipe)) / 2;
    }
    nodes.into_values().map(Arc::new).collect()
}
