//! A pod as an instance: what the server says of it alone. Its number, its revision and what events add come later.

use std::sync::Arc;

use super::object::{Object, labels};
use super::verdict::{self, Doubt};
use super::{Key, container, quantity};
use crate::engine::intern::Interner;
use crate::engine::kubernetes::watch::Kind;
use crate::engine::kubernetes::wire::pod::{ContainerSpec, ContainerStatus, Pod};
use crate::model::{Instance, InstanceId, InstanceState, Pod as Shape, Port, Verdict};
use crate::observe::text::clean;

/// A pod as it is held.
#[derive(Clone, Debug)]
pub struct Held {
    /// What it belongs to: the group it is shown in.
    pub owner: Maker,
    /// The hash of its template: of a Deployment's pods their `ReplicaSet`, of others their `ControllerRevision`.
    pub hash: Option<Arc<str>>,
    pub instance: Arc<Instance>,
    /// The container that crashes again and again, and how often it has.
    pub crash: Option<(Arc<str>, u32)>,
    /// What is thought of it without its events.
    pub verdict: Verdict,
    /// What its events may say more of.
    pub doubt: Doubt,
    /// Over its containers, for its node: thousandths of a core and bytes asked for.
    pub asks: (u64, u64),
}

/// What made a pod; of several of one name the first here has it plainly.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Maker {
    /// Of the `ReplicaSet` with the pod's hash.
    Deployment(Arc<str>),
    StatefulSet(Arc<str>),
    DaemonSet(Arc<str>),
    CronJob(Arc<str>),
    Job(Arc<str>),
    /// Anything else, by kind and name; of a pod nobody made the pod itself.
    Other(Arc<str>, Arc<str>),
}

impl Maker {
    /// The kind in the server's words, and the name.
    #[must_use]
    pub fn words(&self) -> (&str, &Arc<str>) {
        match self {
            Self::Deployment(name) => ("Deployment", name),
            Self::StatefulSet(name) => ("StatefulSet", name),
            Self::DaemonSet(name) => ("DaemonSet", name),
            Self::Job(name) => ("Job", name),
            Self::CronJob(name) => ("CronJob", name),
            Self::Other(kind, name) => (kind, name),
        }
    }
}

/// A pod as an object.
pub fn object(_: Kind, pod: &Pod, key: &Key, interner: &mut Interner) -> Option<Object> {
    let containers = container::containers(pod, interner);
    let (verdict, doubt) = verdict::of(pod);
    let state = state(pod);
    let (owner, owners, hash) = owner(pod, key, interner);
    let main = main(pod);
    let name = main.map_or("", |spec| spec.name.as_str());
    let status = pod.status.container_statuses.iter().find(|s| s.name == name);
    let asked = |what: &str, of: fn(&ContainerSpec) -> &std::collections::BTreeMap<String, String>| -> Vec<Option<String>> {
        staying(pod).map(|spec| of(spec).get(what).cloned()).collect()
    };
    let all = |list: &[Option<String>], read: fn(&str) -> Option<u64>| -> Option<u64> {
        list.iter().map(|q| read(q.as_deref()?)).sum::<Option<u64>>().filter(|_| !list.is_empty())
    };
    let some =
        |list: &[Option<String>], read: fn(&str) -> Option<u64>| -> u64 { list.iter().filter_map(|q| read(q.as_deref()?)).sum() };
    let (cpu, memory) = (asked("cpu", |s| &s.resources.requests), asked("memory", |s| &s.resources.requests));
    let shape = Shape {
        namespace: key.namespace.clone(),
        status: container::status(pod),
        qos: interner.text(&pod.status.qos_class),
        cpu_request_milli: all(&cpu, quantity::milli),
        cpu_limit_milli: all(&asked("cpu", |s| &s.resources.limits), quantity::milli),
        memory_request_bytes: all(&memory, quantity::whole),
        owners,
        containers,
    };
    let last = last_end(pod);
    let finished = matches!(pod.status.phase.as_str(), "Succeeded" | "Failed");
    let instance = Instance {
        id: InstanceId(format!("{}/{}", key.namespace, key.name).into()),
        name: key.name.clone(),
        number: ordinal(&owner, &key.name).map_or(1, |ordinal| ordinal + 1),
        state,
        verdict: verdict.clone(),
        has_healthcheck: pod.spec.containers.iter().any(|c| c.readiness_probe.is_some()),
        checks: Vec::new(),
        image: interner.text(main.map_or("", |spec| &spec.image)),
        digest: status.and_then(|s| digest(&s.image_id)).map(|d| interner.text(d)),
        revision: None,
        made_by: None,
        set_aside: false,
        // What ended stays listed for a while; its controller has long put another in its place.
        one_off: finished && matches!(owner, Maker::Deployment(_)),
        fixed_name: matches!(owner, Maker::StatefulSet(_)),
        fixed_ports: ports(pod, interner).iter().filter_map(|p| p.host.as_ref().map(|(_, port)| *port)).collect(),
        restarts: shape.containers.iter().map(|c| c.restarts).sum(),
        exit_code: if state == InstanceState::Running { None } else { last.map(|(code, _)| code) },
        oom_killed: last.is_some_and(|(_, oom)| oom),
        node: Some(pod.spec.node_name.as_str()).filter(|n| !n.is_empty()).map(|n| interner.text(n)),
        elsewhere: None,
        ip: Some(pod.status.pod_ip.as_str()).filter(|ip| !ip.is_empty()).map(|ip| Arc::from(&*clean(ip))),
        ports: ports(pod, interner),
        created_at: pod.metadata.creation_timestamp,
        started_at: started_at(pod, status),
        finished_at: finished.then(|| ends(pod).filter_map(|t| t.finished_at).max()).flatten(),
        memory_limit_bytes: all(&asked("memory", |s| &s.resources.limits), quantity::whole),
        pod: Some(Arc::new(shape)),
        labels: labels(&pod.metadata.labels, interner),
    };
    let asks = if finished { (0, 0) } else { (some(&cpu, quantity::milli), some(&memory, quantity::whole)) };
    Some(Object::Pod(Box::new(Held { owner, hash, crash: crash(pod), instance: Arc::new(instance), verdict, doubt, asks })))
}

/// The container a pod is looked at by: the one it names, else its first.
fn main(pod: &Pod) -> Option<&ContainerSpec> {
    let named = pod.metadata.annotations.get("kubectl.kubernetes.io/default-container");
    let found = named.and_then(|name| pod.spec.containers.iter().find(|c| &c.name == name));
    found.or(pod.spec.containers.first())
}

/// The containers that stay, whose use adds up.
fn staying(pod: &Pod) -> impl Iterator<Item = &ContainerSpec> {
    let sidecars = pod.spec.init_containers.iter().filter(|spec| container::is_sidecar(spec));
    pod.spec.containers.iter().chain(sidecars)
}

/// Its place among the pods of a `StatefulSet`.
fn ordinal(owner: &Maker, name: &str) -> Option<u32> {
    match owner {
        Maker::StatefulSet(set) => name.strip_prefix(&**set)?.strip_prefix('-')?.parse().ok(),
        Maker::Deployment(_) | Maker::DaemonSet(_) | Maker::Job(_) | Maker::CronJob(_) | Maker::Other(..) => None,
    }
}

/// What made it, who owns it nearest first, and the hash of its template.
fn owner(pod: &Pod, key: &Key, interner: &mut Interner) -> (Maker, Vec<Arc<str>>, Option<Arc<str>>) {
    let label = |name: &str| pod.metadata.labels.get(name).map(String::as_str);
    let Some(owner) = pod.metadata.owner().filter(|o| o.kind != "Node") else {
        return (Maker::Other("Pod".into(), key.name.clone()), Vec::new(), None);
    };
    let name = interner.text(&owner.name);
    let chain = |kind: &str, interner: &mut Interner| interner.text(&format!("{kind}/{}", owner.name));
    let first = chain(&owner.kind, interner);
    let hash = label("controller-revision-hash").map(|h| interner.text(h));
    match owner.kind.as_str() {
        "ReplicaSet" => {
            // A Deployment's `ReplicaSet` is named after it and the hash of its template.
            let hash = label("pod-template-hash");
            let deployment = hash.and_then(|hash| owner.name.strip_suffix(hash)?.strip_suffix('-'));
            match deployment {
                Some(deployment) => {
                    let above = interner.text(&format!("Deployment/{deployment}"));
                    let hash = hash.map(|h| interner.text(h));
                    (Maker::Deployment(interner.text(deployment)), vec![first, above], hash)
                }
                None => (Maker::Other("ReplicaSet".into(), name), vec![first], None),
            }
        }
        "StatefulSet" => (Maker::StatefulSet(name), vec![first], hash),
        "DaemonSet" => (Maker::DaemonSet(name), vec![first], hash),
        "Job" => (Maker::Job(name), vec![first], None),
        other => (Maker::Other(interner.text(other), name), vec![first], None),
    }
}

/// What it does, in our words.
fn state(pod: &Pod) -> InstanceState {
    if pod.metadata.deletion_timestamp.is_some() {
        return InstanceState::Removing;
    }
    match pod.status.phase.as_str() {
        "Pending" => InstanceState::Created,
        "Running" => {
            let statuses = &pod.status.container_statuses;
            let any = |of: fn(&ContainerStatus) -> bool| statuses.iter().any(of);
            if any(|s| s.state.running.is_some()) || statuses.is_empty() {
                InstanceState::Running
            } else if any(|s| s.state.waiting.is_some() || s.state.terminated.is_some()) {
                InstanceState::Restarting
            } else {
                InstanceState::Running
            }
        }
        "Succeeded" | "Failed" => InstanceState::Exited,
        _ => InstanceState::Unknown,
    }
}

/// The ends of its containers' current runs.
fn ends(pod: &Pod) -> impl Iterator<Item = &crate::engine::kubernetes::wire::pod::Terminated> {
    pod.status.container_statuses.iter().filter_map(|s| s.state.terminated.as_ref())
}

/// The container that waits to be started anew after it has crashed.
fn crash(pod: &Pod) -> Option<(Arc<str>, u32)> {
    let waits = |s: &&ContainerStatus| s.state.waiting.as_ref().is_some_and(|w| w.reason == "CrashLoopBackOff");
    let all = pod.status.init_container_statuses.iter().chain(&pod.status.container_statuses);
    all.into_iter().find(waits).map(|s| (Arc::from(&*clean(&s.name)), super::count(s.restart_count)))
}

/// The exit code of the run that ended last and worst, and whether it was for lack of memory.
fn last_end(pod: &Pod) -> Option<(i64, bool)> {
    let now = ends(pod);
    let before = pod
        .status
        .container_statuses
        .iter()
        .filter(|s| s.state.running.is_none() || !s.ready)
        .filter_map(|s| s.last_state.terminated.as_ref());
    let all: Vec<_> = now.chain(before).collect();
    let worst = all.iter().max_by_key(|t| (t.exit_code != Some(0), t.finished_at))?;
    Some((worst.exit_code.unwrap_or(0), all.iter().any(|t| t.reason == "OOMKilled")))
}

fn started_at(pod: &Pod, main: Option<&ContainerStatus>) -> Option<jiff::Timestamp> {
    let state = &main?.state;
    let run = state.running.as_ref().map(|r| r.started_at).or(state.terminated.as_ref().map(|t| t.started_at)).flatten();
    run.or(pod.status.start_time.filter(|_| state.running.is_some()))
}

/// The content address at the end of what a runtime calls an image.
fn digest(image: &str) -> Option<&str> {
    let at = image.rfind("sha256:")?;
    Some(&image[at..]).filter(|d| d.len() > "sha256:".len())
}

fn ports(pod: &Pod, interner: &mut Interner) -> Vec<Port> {
    let mut all = Vec::new();
    for port in pod.spec.containers.iter().flat_map(|c| &c.ports) {
        let Some(container) = port.container_port.and_then(|p| u16::try_from(p).ok()) else { continue };
        let host = port.host_port.filter(|p| *p > 0).and_then(|p| u16::try_from(p).ok());
        let protocol = if port.protocol.is_empty() { "tcp".into() } else { interner.text(&port.protocol.to_lowercase()) };
        all.push(Port { host: host.map(|p| (interner.text(&pod.spec.node_name), p)), container, protocol });
    }
    all
}

/// Ports the containers that stay name.
#[must_use]
pub fn named_ports(containers: &[ContainerSpec]) -> Vec<u16> {
    let mut all: Vec<u16> = Vec::new();
    for port in containers.iter().flat_map(|c| &c.ports).filter_map(|p| u16::try_from(p.container_port?).ok()) {
        if !all.contains(&port) {
            all.push(port);
        }
    }
    all
}
