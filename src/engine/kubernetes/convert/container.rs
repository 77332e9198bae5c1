//! The containers of a pod, and kubectl's word for the whole of it.

use std::sync::Arc;

use super::count;
use crate::engine::intern::Interner;
use crate::engine::kubernetes::wire::meta::condition;
use crate::engine::kubernetes::wire::pod::{ContainerSpec, ContainerStatus, Pod, State, Terminated};
use crate::model::{Container, ContainerRole};
use crate::observe::text::clean;

/// The containers of a pod in the order of its definition: init, sidecar, main, ephemeral.
#[must_use]
pub fn containers(pod: &Pod, interner: &mut Interner) -> Vec<Container> {
    let (spec, status) = (&pod.spec, &pod.status);
    let lists = [
        (&spec.init_containers, &status.init_container_statuses, ContainerRole::Init),
        (&spec.containers, &status.container_statuses, ContainerRole::Main),
        (&spec.ephemeral_containers, &status.ephemeral_container_statuses, ContainerRole::Ephemeral),
    ];
    let mut all = Vec::with_capacity(spec.containers.len() + spec.init_containers.len());
    for (specs, statuses, role) in lists {
        for spec in specs.iter().filter(|spec| !spec.name.is_empty()) {
            let role = if role == ContainerRole::Init && is_sidecar(spec) { ContainerRole::Sidecar } else { role };
            let status = statuses.iter().find(|s| s.name == spec.name);
            all.push(container(spec, status, role, interner));
        }
    }
    all.sort_by_key(|c| c.role);
    all
}

/// An init container that is always restarted.
#[must_use]
pub fn is_sidecar(spec: &ContainerSpec) -> bool {
    spec.restart_policy == "Always"
}

fn container(spec: &ContainerSpec, status: Option<&ContainerStatus>, role: ContainerRole, interner: &mut Interner) -> Container {
    let ran = |state: &State| state.running.is_some() || state.terminated.is_some();
    Container {
        name: interner.text(&spec.name),
        role,
        image: interner.text(&spec.image),
        ready: status.is_some_and(|s| s.ready),
        restarts: count(status.and_then(|s| s.restart_count)),
        state: interner.text(&status.map_or_else(|| "waiting".into(), |s| state(&s.state))),
        last: status.and_then(|s| s.last_state.terminated.as_ref()).map(|t| interner.text(&ended(t))),
        has_log: status.is_some_and(|s| ran(&s.state) || ran(&s.last_state)),
        ports: spec.ports.iter().filter_map(|p| u16::try_from(p.container_port?).ok()).collect(),
    }
}

fn state(state: &State) -> String {
    let with = |word: &str, reason: &str| if reason.is_empty() { word.to_owned() } else { format!("{word}: {reason}") };
    match (&state.running, &state.terminated, &state.waiting) {
        (Some(_), _, _) => "running".to_owned(),
        (None, Some(terminated), _) => match terminated.reason.as_str() {
            "" => format!("terminated: exit code {}", terminated.exit_code.unwrap_or(0)),
            reason => with("terminated", reason),
        },
        (None, None, Some(waiting)) => with("waiting", &waiting.reason),
        (None, None, None) => "waiting".to_owned(),
    }
}

/// How a run ended: `OOMKilled, exit code 137`.
#[must_use]
pub fn ended(terminated: &Terminated) -> String {
    let code = terminated.exit_code.unwrap_or(0);
    match (terminated.reason.as_str(), terminated.signal) {
        ("", Some(signal)) if signal != 0 => format!("signal {signal}"),
        ("", _) => format!("exit code {code}"),
        (reason, _) => format!("{reason}, exit code {code}"),
    }
}

/// Kubectl's STATUS column, by its own rules (`printPod` of its printers).
#[must_use]
pub fn status(pod: &Pod) -> Arc<str> {
    let status = &pod.status;
    let is = |kind: &str| condition(&status.conditions, kind).is_some_and(|c| c.status == "True");
    let gated = condition(&status.conditions, "PodScheduled").is_some_and(|c| c.reason == "SchedulingGated");
    let mut word = if status.reason.is_empty() { status.phase.clone() } else { status.reason.clone() };
    if gated {
        "SchedulingGated".clone_into(&mut word);
    }
    let first = starting(pod);
    let initializing = first.is_some();
    if let Some(first) = first {
        word = first;
    }
    if !initializing || is("Initialized") {
        let mut running = false;
        for container in status.container_statuses.iter().rev() {
            let (waiting, terminated) = (container.state.waiting.as_ref(), container.state.terminated.as_ref());
            if let Some(reason) = waiting.map(|w| &w.reason).filter(|r| !r.is_empty()) {
                word.clone_from(reason);
            } else if let Some(terminated) = terminated {
                word = end(terminated);
            } else if container.ready && container.state.running.is_some() {
                running = true;
            }
        }
        if word == "Completed" && running {
            if is("Ready") { "Running" } else { "NotReady" }.clone_into(&mut word);
        }
    }
    if pod.metadata.deletion_timestamp.is_some() {
        if status.reason == "NodeLost" {
            "Unknown".clone_into(&mut word);
        } else if !matches!(status.phase.as_str(), "Succeeded" | "Failed") {
            "Terminating".clone_into(&mut word);
        }
    }
    Arc::from(&*clean(&word))
}

fn end(terminated: &Terminated) -> String {
    match (terminated.reason.as_str(), terminated.signal) {
        ("", Some(signal)) if signal != 0 => format!("Signal:{signal}"),
        ("", _) => format!("ExitCode:{}", terminated.exit_code.unwrap_or(0)),
        (reason, _) => reason.to_owned(),
    }
}

/// What the first init container says that is not through; `None` when all are.
fn starting(pod: &Pod) -> Option<String> {
    let specs = &pod.spec.init_containers;
    for (index, container) in pod.status.init_container_statuses.iter().enumerate() {
        let sidecar = specs.iter().any(|s| s.name == container.name && is_sidecar(s));
        if container.state.terminated.as_ref().is_some_and(|t| t.exit_code == Some(0)) {
            continue;
        }
        if sidecar && container.started == Some(true) {
            continue;
        }
        let waiting = container.state.waiting.as_ref().map(|w| w.reason.as_str());
        return Some(match (&container.state.terminated, waiting) {
            (Some(terminated), _) => format!("Init:{}", end(terminated)),
            (None, Some(reason)) if !reason.is_empty() && reason != "PodInitializing" => format!("Init:{reason}"),
            (None, _) => format!("Init:{index}/{}", specs.len()),
        });
    }
    None
}
