//! The daemon set controller: a pod on every node that takes one, rolled a few nodes at a time.

use std::time::Duration;

use serde_json::{Value, json};

use super::control::{Desk, Writer, controller, share};
use super::kind::plural;
use super::kubelet::takes;
use super::replicaset::{active, counted, drop_pod, leaving, make_pod, ready};
use super::statefulset::{clean, of, revision};
use super::store::{Entry, Key};

const WRITER: Writer = controller("daemonset-controller");

/// The node a pod is on, or is made for.
fn node_of(pod: &Entry) -> &str {
    let meant =
        "/spec/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution/nodeSelectorTerms/0/matchFields/0/values/0";
    let bound = pod.value["spec"]["nodeName"].as_str();
    bound.or_else(|| pod.value.pointer(meant)?.as_str()).unwrap_or_default()
}

pub fn look(desk: &mut Desk, key: &Key) -> Option<Duration> {
    let kind = plural("daemonsets");
    let set = desk.get("daemonsets", key)?;
    let update = revision(desk, kind, &set, WRITER, |mark| json!({ "controller-revision-hash": mark }))?;
    let mark = update.value["metadata"]["labels"]["controller-revision-hash"].clone();
    let spec = &set.value["spec"]["template"]["spec"];
    let nodes: Vec<Entry> = desk.store.list(plural("nodes"), None).into_iter().filter(|n| takes(&n.value, spec, true)).collect();
    let pods = desk.store.children(plural("pods"), set.uid());
    for node in &nodes {
        if !pods.iter().any(|p| node_of(p) == node.name() && (active(p) || leaving(p))) {
            let generation = set.value["metadata"]["generation"].to_string();
            make_pod(desk, kind, &set, WRITER, None, |pod| {
                pod["metadata"]["labels"]["controller-revision-hash"] = mark.clone();
                pod["metadata"]["labels"]["pod-template-generation"] = json!(generation);
                pod["spec"]["affinity"] = pinned(node.name());
                tolerate(&mut pod["spec"]["tolerations"]);
            });
        }
    }
    for pod in pods.iter().filter(|p| active(p) && !node_of(p).is_empty() && !nodes.iter().any(|n| n.name() == node_of(p))) {
        drop_pod(desk, kind, &set, WRITER, pod);
    }
    if set.value["spec"]["updateStrategy"]["type"] != json!("OnDelete") {
        let total = i64::try_from(nodes.len()).unwrap_or(0);
        let most = share(&set.value["spec"]["updateStrategy"]["rollingUpdate"]["maxUnavailable"], total, true).max(1);
        let away = pods.iter().filter(|p| !active(p) || !ready(p)).count() + nodes.len().saturating_sub(pods.len());
        let mut room = usize::try_from(most).unwrap_or(1).saturating_sub(away);
        // An old pod that is not ready anyway costs nothing.
        for pod in pods.iter().filter(|p| active(p) && !of(p, &update)) {
            if !ready(pod) {
                drop_pod(desk, kind, &set, WRITER, pod);
            } else if room > 0 {
                room -= 1;
                drop_pod(desk, kind, &set, WRITER, pod);
            }
        }
    }
    let pods = desk.store.children(plural("pods"), set.uid());
    clean(desk, &set, &pods);
    report(desk, &set, &update, nodes.len(), &pods)
}

/// Pods of daemon sets stay where others would have to go.
fn tolerate(tolerations: &mut Value) {
    let mut all = tolerations.as_array().cloned().unwrap_or_default();
    for (key, effect) in [
        ("not-ready", "NoExecute"),
        ("unreachable", "NoExecute"),
        ("disk-pressure", "NoSchedule"),
        ("memory-pressure", "NoSchedule"),
        ("pid-pressure", "NoSchedule"),
        ("unschedulable", "NoSchedule"),
    ] {
        all.push(json!({ "key": format!("node.kubernetes.io/{key}"), "operator": "Exists", "effect": effect }));
    }
    *tolerations = Value::Array(all);
}

/// What binds a pod of a daemon set to its node.
fn pinned(node: &str) -> Value {
    let field = json!({ "key": "metadata.name", "operator": "In", "values": [node] });
    let terms = json!({ "nodeSelectorTerms": [{ "matchFields": [field] }] });
    json!({ "nodeAffinity": { "requiredDuringSchedulingIgnoredDuringExecution": terms } })
}

fn report(desk: &mut Desk, set: &Entry, update: &Entry, nodes: usize, pods: &[Entry]) -> Option<Duration> {
    let here: Vec<Entry> = pods.iter().filter(|p| active(p)).cloned().collect();
    let (is_ready, available, again) = counted(desk, &here, &set.value["spec"]["minReadySeconds"]);
    let updated = here.iter().filter(|p| of(p, update)).count();
    let missing = i64::try_from(nodes).unwrap_or(0) - available;
    desk.change("daemonsets", &set.key(), WRITER, |object| {
        let generation = object["metadata"]["generation"].clone();
        object["metadata"]["annotations"]["deprecated.daemonset.template.generation"] = json!(generation.to_string());
        let status = &mut object["status"];
        status["observedGeneration"] = generation;
        status["currentNumberScheduled"] = json!(here.len());
        status["numberMisscheduled"] = json!(0);
        status["desiredNumberScheduled"] = json!(nodes);
        status["numberReady"] = json!(is_ready);
        super::replicaset::set(status, "updatedNumberScheduled", i64::try_from(updated).unwrap_or(0));
        super::replicaset::set(status, "numberAvailable", available);
        super::replicaset::set(status, "numberUnavailable", missing.max(0));
    });
    again
}
