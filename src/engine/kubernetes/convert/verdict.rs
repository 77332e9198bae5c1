//! Whether a pod is well, with what the server gives as reasons; and what an event of it adds.

use std::sync::Arc;

use jiff::Timestamp;

use super::container::ended;
use super::words;
use super::workload::Tail;
use crate::engine::kubernetes::wire::meta::condition;
use crate::engine::kubernetes::wire::pod::{ContainerStatus, Pod};
use crate::model::{Check, Health, Verdict};

/// What keeps a container from running for as long as nobody changes something.
const HOPELESS: [&str; 9] = [
    "ImagePullBackOff",
    "ErrImagePull",
    "ErrImageNeverPull",
    "InvalidImageName",
    "ImageInspectError",
    "RegistryUnavailable",
    "CreateContainerConfigError",
    "CreateContainerError",
    "RunContainerError",
];

/// What a pod's own events can say more of than the pod.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Doubt {
    #[default]
    None,
    /// It waits for something: a volume, a network.
    Waiting,
    /// This container is not ready; its probe is asked since then and counts as failed after so many failures.
    Probe { container: Arc<str>, since: Option<Timestamp>, threshold: i64 },
}

/// The last warning of a pod's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    pub at: Timestamp,
    pub reason: Arc<str>,
    pub message: Arc<str>,
    /// How often.
    pub count: i64,
}

/// What is thought of a pod, without its events, and what those may add to.
#[must_use]
pub fn of(pod: &Pod) -> (Verdict, Doubt) {
    let status = &pod.status;
    if pod.metadata.deletion_timestamp.is_some() {
        return (Verdict::because(Health::Stopped, "told to end"), Doubt::None);
    }
    match status.phase.as_str() {
        "Succeeded" => return (Verdict::because(Health::Stopped, "done"), Doubt::None),
        "Failed" => return (Verdict::because(Health::Unhealthy, failed(pod)), Doubt::None),
        "Pending" | "Running" => {}
        other => {
            let word = if other.is_empty() { "nothing yet" } else { other };
            return (Verdict::because(Health::Unknown, format!("the server says: {}", words(word))), Doubt::None);
        }
    }
    if let Some(scheduled) = condition(&status.conditions, "PodScheduled").filter(|c| c.status == "False") {
        let reason = if scheduled.reason.is_empty() { "Unschedulable" } else { &scheduled.reason };
        return (Verdict::because(Health::Unhealthy, told(reason, &scheduled.message)), Doubt::None);
    }
    let containers = || status.init_container_statuses.iter().chain(&status.container_statuses);
    if let Some(why) = containers().find_map(crashing).or_else(|| containers().find_map(hopeless)) {
        return (Verdict::because(Health::Unhealthy, why), Doubt::None);
    }
    if status.phase == "Pending" {
        let waiting = containers().find_map(|c| c.state.waiting.as_ref().map(|w| (c, w)).filter(|(_, w)| !w.reason.is_empty()));
        let why = waiting.map_or_else(
            || if pod.spec.node_name.is_empty() { "waits for a node".into() } else { "is being set up on its node".into() },
            |(c, w)| named(pod, &c.name, &told(&w.reason, &w.message)),
        );
        return (Verdict::because(Health::Starting, why), Doubt::Waiting);
    }
    running(pod)
}

fn running(pod: &Pod) -> (Verdict, Doubt) {
    let status = &pod.status;
    let ready = condition(&status.conditions, "Ready");
    let unready = status.container_statuses.iter().find(|c| !c.ready && c.state.terminated.is_none());
    let Some(container) = unready else {
        let Some(ready) = ready.filter(|c| c.status != "True") else { return (Verdict::healthy(), Doubt::None) };
        if status.container_statuses.is_empty() {
            return (Verdict::because(Health::Starting, "nothing is known of its containers yet"), Doubt::Waiting);
        }
        if ready.reason == "ReadinessGatesNotReady" || !ready.message.is_empty() {
            return (Verdict::because(Health::Starting, told("not ready", &ready.message)), Doubt::Waiting);
        }
        // Its containers were ready when the kubelet was last heard of; now the cluster counts it out.
        let why = format!("not ready: the kubelet of {} is not heard of", words(&pod.spec.node_name));
        return (Verdict::because(Health::Unhealthy, why), Doubt::None);
    };
    let since = container.state.running.as_ref().and_then(|r| r.started_at);
    // It lost what it had: the condition is younger than the run.
    let lost = ready.is_some_and(|c| c.status == "False" && c.last_transition_time > since && since.is_some());
    let health = if lost { Health::Unhealthy } else { Health::Starting };
    let probe = pod.spec.containers.iter().find(|c| c.name == container.name).and_then(|c| c.readiness_probe.as_ref());
    let threshold = probe.and_then(|p| p.failure_threshold).unwrap_or(3);
    let text = named(pod, &container.name, if lost { "not ready any more" } else { "not ready yet" });
    (Verdict::because(health, text), Doubt::Probe { container: words(&container.name), since, threshold })
}

/// With the container's name where there are several.
fn named(pod: &Pod, container: &str, what: &str) -> String {
    if pod.spec.containers.len() + pod.spec.init_containers.len() > 1 {
        format!("{}: {what}", words(container))
    } else {
        what.to_owned()
    }
}

/// `reason: message`, in one line.
fn told(reason: &str, message: &str) -> String {
    match (reason, message) {
        (reason, "") => words(reason).to_string(),
        ("", message) => words(message).to_string(),
        (reason, message) => format!("{}: {}", words(reason), words(message)),
    }
}

fn crashing(container: &ContainerStatus) -> Option<String> {
    let waiting = container.state.waiting.as_ref().filter(|w| w.reason == "CrashLoopBackOff");
    if waiting.is_some() {
        let last = container.last_state.terminated.as_ref();
        let last = last.map(|t| format!(", its last run ended: {}{}", words(&ended(t)), dying(&t.message))).unwrap_or_default();
        return Some(format!("{}: CrashLoopBackOff{last}", words(&container.name)));
    }
    let ended_now = container.state.terminated.as_ref().filter(|t| t.exit_code.unwrap_or(0) != 0)?;
    Some(format!("{} ended: {}{}", words(&container.name), words(&ended(ended_now)), dying(&ended_now.message)))
}

/// What a container left as its last words.
fn dying(message: &str) -> String {
    if message.trim().is_empty() { String::new() } else { format!(" ({})", words(message)) }
}

fn hopeless(container: &ContainerStatus) -> Option<String> {
    let waiting = container.state.waiting.as_ref().filter(|w| HOPELESS.contains(&w.reason.as_str()))?;
    Some(format!("{}: {}", words(&container.name), told(&waiting.reason, &waiting.message)))
}

fn failed(pod: &Pod) -> String {
    let status = &pod.status;
    if !status.reason.is_empty() || !status.message.is_empty() {
        return told(&status.reason, &status.message);
    }
    let all = status.init_container_statuses.iter().chain(&status.container_statuses);
    all.into_iter().find_map(crashing).unwrap_or_else(|| "failed".to_owned())
}

/// What a container wrote last before it crashed, as a check.
#[must_use]
pub fn last_words(tail: &Tail) -> Check {
    Check {
        name: format!("last log of {}", tail.container).into(),
        source: "container",
        health: Health::Unhealthy,
        latency_ms: None,
        output: tail.text.clone(),
        at: None,
    }
}

/// The verdict with what the pod's last warning says, and the check it tells of.
#[must_use]
pub fn with(base: &Verdict, doubt: &Doubt, warning: Option<&Warning>) -> (Verdict, Vec<Check>) {
    let Some(warning) = warning else { return (base.clone(), Vec::new()) };
    match doubt {
        Doubt::Waiting if warning.reason.starts_with("Failed") => {
            let reason = told(&warning.reason, &warning.message);
            (Verdict::because(base.health, reason), Vec::new())
        }
        Doubt::Probe { container, since, threshold } if &*warning.reason == "Unhealthy" && Some(warning.at) >= *since => {
            let health = if warning.count >= *threshold { Health::Unhealthy } else { base.health };
            let check = Check {
                name: format!("probe of {container}").into(),
                source: "container",
                health: Health::Unhealthy,
                latency_ms: None,
                output: warning.message.clone(),
                at: Some(warning.at),
            };
            (Verdict::because(health, warning.message.clone()), vec![check])
        }
        Doubt::None | Doubt::Waiting | Doubt::Probe { .. } => (base.clone(), Vec::new()),
    }
}
