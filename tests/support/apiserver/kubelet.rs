//! The scheduler and the kubelets: a pod is bound, its containers come up, or not, and go again.
//!
//! How a container behaves is in the tag of its image: `…never-ready` fails its probe, `…crash` ends with 1 again and again,
//! `…missing` (or a registry ending in `.invalid`) cannot be pulled, `…slow` is ready after five seconds, `…stubborn` takes its
//! whole grace period to end. Everything else is well. Seconds are those of the cluster.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::container::{Container, Stage, Turn};
use super::control::{Desk, Writer, condition};
use super::kind::plural;
use super::replicaset::leaving;
use super::store::{Entry, Key, stamp};

pub const KUBELET: Writer = Writer { manager: "kubelet", component: "kubelet" };
const SCHEDULER: Writer = Writer { manager: "kube-scheduler", component: "default-scheduler" };

/// What a kubelet knows of a pod.
pub struct Life {
    pub began: Instant,
    pub ending: Option<Instant>,
    pub address: String,
    pub containers: HashMap<String, Container>,
}

/// Whether a node's kubelet is heard of and well.
pub fn node_ready(node: &Value) -> bool {
    let conditions = node["status"]["conditions"].as_array();
    conditions.is_some_and(|l| l.iter().any(|c| c["type"] == json!("Ready") && c["status"] == json!("True")))
}

/// Whether a node takes pods of that spec; those of daemon sets come on a cordoned one too.
pub fn takes(node: &Value, spec: &Value, daemon: bool) -> bool {
    why_not(node, spec, daemon).is_none()
}

fn why_not(node: &Value, spec: &Value, daemon: bool) -> Option<&'static str> {
    if node["spec"]["unschedulable"] == json!(true) && !daemon {
        return Some("node(s) were unschedulable");
    }
    if !node_ready(node) && !daemon {
        return Some("node(s) had untolerated taint(s)");
    }
    let labels = &node["metadata"]["labels"];
    if spec["nodeSelector"].as_object().is_some_and(|want| want.iter().any(|(k, v)| labels[k] != *v)) {
        return Some("node(s) didn't match Pod's node affinity/selector");
    }
    let millis = |text: &Value| {
        let text = text.as_str().unwrap_or("0");
        text.strip_suffix('m').map_or_else(|| text.parse::<i64>().unwrap_or(0) * 1000, |m| m.parse().unwrap_or(0))
    };
    let asked: i64 =
        spec["containers"].as_array().into_iter().flatten().map(|c| millis(&c["resources"]["requests"]["cpu"])).sum();
    (asked > millis(&node["status"]["allocatable"]["cpu"])).then_some("Insufficient cpu")
}

/// Looks after one pod.
pub fn pod(desk: &mut Desk, key: &Key) -> Option<Duration> {
    let pod = desk.get("pods", key)?;
    let ended = matches!(pod.value["status"]["phase"].as_str(), Some("Succeeded" | "Failed"));
    if leaving(&pod) {
        return end(desk, &pod);
    }
    if ended {
        return None;
    }
    let Some(node) = pod.value["spec"]["nodeName"].as_str() else { return schedule(desk, &pod) };
    let ready = desk.get("nodes", &(String::new(), node.to_owned())).is_some_and(|n| node_ready(&n.value));
    // A kubelet that is down does nothing and says nothing.
    if !ready {
        return None;
    }
    live(desk, &pod)
}

fn schedule(desk: &mut Desk, pod: &Entry) -> Option<Duration> {
    let spec = &pod.value["spec"];
    let meant =
        "/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution/nodeSelectorTerms/0/matchFields/0/values/0";
    let meant = spec.pointer(meant).and_then(Value::as_str);
    let nodes: Vec<Entry> =
        desk.store.list(plural("nodes"), None).into_iter().filter(|n| meant.is_none_or(|m| m == n.name())).collect();
    let on = |node: &Entry, pods: &[Entry]| pods.iter().filter(|p| p.value["spec"]["nodeName"] == json!(node.name())).count();
    let pods = desk.store.list(plural("pods"), None);
    let free = nodes.iter().filter(|n| takes(&n.value, spec, meant.is_some())).min_by_key(|n| on(n, &pods));
    if let Some(node) = free {
        let name = node.name().to_owned();
        desk.change("pods", &pod.key(), SCHEDULER, |p| {
            p["spec"]["nodeName"] = json!(name);
            let mut bound = said(&pod.value, "PodScheduled", "True", "", "");
            bound.as_object_mut().map(|b| b.remove("observedGeneration"));
            p["status"]["conditions"] = json!([bound]);
        });
        let message = format!("Successfully assigned {}/{} to {name}", pod.namespace(), pod.name());
        desk.tell("pods", pod, SCHEDULER, ("Normal", "Scheduled"), &message);
        return None;
    }
    let mut reasons: Vec<&str> = nodes.iter().filter_map(|n| why_not(&n.value, spec, meant.is_some())).collect();
    reasons.sort_unstable();
    reasons.dedup();
    let counted: Vec<String> = reasons
        .iter()
        .map(|r| format!("{} {r}", nodes.iter().filter(|n| why_not(&n.value, spec, meant.is_some()) == Some(r)).count()))
        .collect();
    let message = format!(
        "0/{0} nodes are available: {1}. no new claims to deallocate, preemption: 0/{0} nodes are available: {0} Preemption is not \
         helpful for scheduling.",
        nodes.len(),
        counted.join(", ")
    );
    let before = pod.value["status"]["conditions"].clone();
    desk.change("pods", &pod.key(), SCHEDULER, |p| {
        p["status"]["conditions"] = json!([said(&pod.value, "PodScheduled", "False", "Unschedulable", &message)]);
    });
    if before[0]["message"] != json!(message) {
        desk.tell("pods", pod, SCHEDULER, ("Warning", "FailedScheduling"), &message);
    }
    Some(desk.seconds(5.0))
}

/// A condition of a pod.
fn said(pod: &Value, kind: &str, held: &str, reason: &str, message: &str) -> Value {
    let generation = &pod["metadata"]["generation"];
    let mut wanted = json!({ "type": kind, "status": held, "lastProbeTime": null, "observedGeneration": generation });
    if !reason.is_empty() {
        wanted["reason"] = json!(reason);
    }
    if !message.is_empty() {
        wanted["message"] = json!(message);
    }
    condition(&pod["status"]["conditions"], wanted, false)
}

fn live(desk: &mut Desk, pod: &Entry) -> Option<Duration> {
    let uid = pod.uid().to_owned();
    if !desk.memory.lives.contains_key(&uid) {
        desk.memory.addresses += 1;
        let n = desk.memory.addresses;
        let address = format!("10.244.{}.{}", n / 250, n % 250 + 2);
        desk.memory.lives.insert(uid.clone(), Life { began: desk.now, ending: None, address, containers: HashMap::new() });
    }
    let mut life = desk.memory.lives.remove(&uid)?;
    let creating = desk.seconds(0.3);
    let age = desk.now.duration_since(life.began);
    let again = if age < creating {
        for spec in containers(&pod.value["spec"], "containers") {
            life.containers.entry(name_of(spec)).or_insert_with(|| Container::new(desk.now));
        }
        Some(creating.checked_sub(age).unwrap_or_default())
    } else {
        let mut again = None::<Duration>;
        for spec in containers(&pod.value["spec"], "containers") {
            let mut container = life.containers.remove(&name_of(spec)).unwrap_or_else(|| Container::new(desk.now));
            let next = Turn { desk: &mut *desk, pod, spec }.step(&mut container);
            again = [again, next].into_iter().flatten().min();
            life.containers.insert(name_of(spec), container);
        }
        again
    };
    write(desk, pod, &life, age >= creating);
    desk.memory.lives.insert(uid, life);
    again
}

pub fn containers<'a>(spec: &'a Value, list: &str) -> impl Iterator<Item = &'a Value> {
    spec[list].as_array().into_iter().flatten()
}

fn name_of(spec: &Value) -> String {
    spec["name"].as_str().unwrap_or_default().to_owned()
}

/// Writes the status of a pod as its containers are.
fn write(desk: &mut Desk, pod: &Entry, life: &Life, sandbox: bool) {
    let spec = &pod.value["spec"];
    let states: Vec<(&Value, &Container)> =
        containers(spec, "containers").filter_map(|c| Some((c, life.containers.get(c["name"].as_str()?)?))).collect();
    let idle: Vec<&str> = states.iter().filter(|(_, c)| !c.ready).filter_map(|(s, _)| s["name"].as_str()).collect();
    let done = !states.is_empty() && states.iter().all(|(_, c)| matches!(c.stage, Stage::Done(_)));
    let failed = states.iter().any(|(_, c)| matches!(c.stage, Stage::Done(code) if code != 0));
    let begun = states.iter().any(|(_, c)| c.begun());
    let phase = match (done, failed, begun) {
        (true, true, _) => "Failed",
        (true, false, _) => "Succeeded",
        (false, _, true) => "Running",
        (false, _, false) => "Pending",
    };
    let whole = idle.is_empty();
    let was_ready = super::replicaset::ready(pod);
    if whole && !was_ready {
        desk.memory.ready.insert(pod.uid().to_owned(), desk.now);
    }
    let node = pod.value["spec"]["nodeName"].clone();
    let host = desk.get("nodes", &(String::new(), node.as_str().unwrap_or_default().to_owned()));
    let host = host.map_or(json!("10.200.0.1"), |n| n.value["status"]["addresses"][0]["address"].clone());
    let inits: Vec<Value> =
        if sandbox { containers(spec, "initContainers").map(super::container::initialized).collect() } else { Vec::new() };
    let statuses: Vec<Value> = states.iter().map(|(s, c)| c.status(pod, s)).collect();
    desk.change("pods", &pod.key(), KUBELET, |object| {
        let conditions = conditions(object, &idle, done.then_some(phase), sandbox);
        let generation = object["metadata"]["generation"].clone();
        let started = object["status"]["startTime"].clone();
        let mut status = json!({
            "observedGeneration": generation, "phase": phase, "conditions": conditions, "hostIP": host, "hostIPs": [{ "ip": host }],
            "startTime": if started.is_null() { json!(stamp()) } else { started }, "containerStatuses": statuses,
            "qosClass": quality(&object["spec"])
        });
        if sandbox {
            status["podIP"] = json!(life.address);
            status["podIPs"] = json!([{ "ip": life.address }]);
        }
        if !inits.is_empty() {
            let known = object["status"]["initContainerStatuses"].clone();
            status["initContainerStatuses"] = if known.is_null() { json!(inits) } else { known };
        }
        if sandbox && begun {
            status["resources"] = json!({});
        }
        resources(&object["spec"], &mut status, done);
        object["status"] = status;
    });
}

/// What is said of a pod, of which these containers are not ready.
fn conditions(object: &Value, idle: &[&str], end: Option<&str>, sandbox: bool) -> Value {
    let held = |yes: bool| if yes { "True" } else { "False" };
    let unready = format!("containers with unready status: [{}]", idle.join(" "));
    let ready = idle.is_empty() && end.is_none();
    let ended = match end {
        Some("Succeeded") => "PodCompleted",
        Some(_) => "PodFailed",
        None => "",
    };
    let (reason, message) = match (ready, ended) {
        (true, _) => ("", ""),
        (false, "") => ("ContainersNotReady", unready.as_str()),
        (false, ended) => (ended, ""),
    };
    json!([
        said(object, "PodReadyToStartContainers", held(sandbox && end.is_none()), "", ""),
        said(object, "Initialized", "True", if ended == "PodCompleted" { ended } else { "" }, ""),
        said(object, "Ready", held(ready), reason, message),
        said(object, "ContainersReady", held(ready), reason, message),
        said(object, "PodScheduled", "True", "", "")
    ])
}

/// What the pod has been given, as a kubelet reports it.
fn resources(spec: &Value, status: &mut Value, ended: bool) {
    let (requests, mut limits) = (sum(spec, "requests"), sum(spec, "limits"));
    if limits.is_null() && status.get("resources").is_some() && (ended || !requests.is_null()) {
        // What a runtime says where nothing is limited.
        limits = json!({ "memory": "9007199254740988Ki" });
    }
    if !requests.is_null() {
        status["allocatedResources"] = requests.clone();
        status["resources"]["requests"] = requests;
    }
    if !limits.is_null() {
        status["resources"]["limits"] = limits;
    }
}

/// What the containers have together, of requests or limits.
fn sum(spec: &Value, what: &str) -> Value {
    let mut all = json!({});
    let amount = |text: &str, unit: &str| match (text.strip_suffix(unit), unit) {
        (Some(number), _) => number.parse::<u64>().ok(),
        (None, "m") => Some(text.parse::<u64>().ok()? * 1000),
        (None, _) => Some(text.strip_suffix("Gi")?.parse::<u64>().ok()? * 1024),
    };
    for (name, unit) in [("cpu", "m"), ("memory", "Mi")] {
        let amounts = containers(spec, "containers").filter_map(|c| amount(c["resources"][what][name].as_str()?, unit));
        let amount: u64 = amounts.sum();
        if amount > 0 {
            all[name] = json!(format!("{amount}{unit}"));
        }
    }
    if all == json!({}) { Value::Null } else { all }
}

/// How hard a pod is protected from what its neighbours need.
pub fn quality(spec: &Value) -> &'static str {
    let all = |what: &str| containers(spec, "containers").all(|c| c["resources"][what].is_object());
    let any = |what: &str| containers(spec, "containers").any(|c| c["resources"][what].is_object());
    let same = containers(spec, "containers").all(|c| c["resources"]["limits"] == c["resources"]["requests"]);
    if all("limits") && same {
        "Guaranteed"
    } else if any("requests") || any("limits") {
        "Burstable"
    } else {
        "BestEffort"
    }
}

/// Lets a pod end: its containers are told to, and when they have, it is gone.
fn end(desk: &mut Desk, pod: &Entry) -> Option<Duration> {
    let uid = pod.uid().to_owned();
    let node = pod.value["spec"]["nodeName"].as_str().unwrap_or_default().to_owned();
    if desk.get("nodes", &(String::new(), node)).is_some_and(|n| !node_ready(&n.value)) {
        return None;
    }
    let Some(life) = desk.memory.lives.get_mut(&uid) else {
        desk.store.remove(plural("pods"), &pod.key());
        return None;
    };
    let (now, first) = (desk.now, life.ending.is_none());
    let since = *life.ending.get_or_insert(now);
    let up: Vec<String> =
        life.containers.iter().filter(|(_, c)| matches!(c.stage, Stage::Running)).map(|(n, _)| n.clone()).collect();
    if first {
        for name in &up {
            super::container::tell(desk, pod, name, ("Normal", "Killing"), &format!("Stopping container {name}"));
        }
        desk.change("pods", &pod.key(), KUBELET, |p| p["status"]["observedGeneration"] = p["metadata"]["generation"].clone());
    }
    let grace = pod.value["metadata"]["deletionGracePeriodSeconds"].as_f64().unwrap_or(30.0);
    let stubborn =
        containers(&pod.value["spec"], "containers").any(|c| c["image"].as_str().is_some_and(|i| i.ends_with("stubborn")));
    let needs = desk.seconds(if up.is_empty() {
        0.0
    } else if stubborn {
        grace
    } else {
        grace.min(1.5)
    });
    let left = (since + needs).saturating_duration_since(now);
    if !left.is_zero() {
        return Some(left);
    }
    let mut life = desk.memory.lives.remove(&uid)?;
    if up.is_empty() && life.containers.values().all(|c| !c.begun() || matches!(c.stage, Stage::Done(_))) {
        desk.memory.ready.remove(&uid);
        desk.change("pods", &pod.key(), KUBELET, |p| p["metadata"]["deletionGracePeriodSeconds"] = json!(0));
        desk.store.remove(plural("pods"), &pod.key());
        return None;
    }
    for container in life.containers.values_mut() {
        container.stop();
    }
    write(desk, pod, &life, true);
    desk.memory.lives.insert(uid, life);
    Some(desk.seconds(0.3))
}
