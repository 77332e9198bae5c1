//! What is done about a node whose kubelet has fallen silent: it is marked, and its pods are counted as not ready.

use std::time::Duration;

use serde_json::{Value, json};

use super::control::{Desk, Writer, condition, controller, involved};
use super::kind::plural;
use super::kubelet::node_ready;
use super::replicaset::ready;
use super::store::{Entry, Key, stamp};

const WRITER: Writer = controller("node-controller");
const SILENT: &str = "node.kubernetes.io/unreachable";
const CORDONED: &str = "node.kubernetes.io/unschedulable";

pub fn look(desk: &mut Desk, key: &Key) -> Option<Duration> {
    let node = desk.get("nodes", key)?;
    let (up, cordoned) = (node_ready(&node.value), node.value["spec"]["unschedulable"] == json!(true));
    let tainted = |with: &str| node.value["spec"]["taints"].as_array().is_some_and(|t| t.iter().any(|t| t["key"] == json!(with)));
    let fell = !up && !tainted(SILENT);
    if fell || up == tainted(SILENT) || cordoned != tainted(CORDONED) {
        desk.change("nodes", key, WRITER, |node| {
            let taints = &mut node["spec"]["taints"];
            taint(taints, SILENT, if up { &[] } else { &["NoSchedule", "NoExecute"] });
            taint(taints, CORDONED, if cordoned { &["NoSchedule"] } else { &[] });
            if taints == &json!([]) {
                node["spec"].as_object_mut().map(|s| s.remove("taints"));
            }
        });
    }
    if fell {
        let message = format!("Node {} status is now: NodeNotReady", node.name());
        desk.tell_of(&involved(plural("nodes"), &node), &node, WRITER, ("Normal", "NodeNotReady"), &message);
        for pod in
            desk.store.list(plural("pods"), None).iter().filter(|p| p.value["spec"]["nodeName"] == json!(node.name()) && ready(p))
        {
            lose(desk, pod);
        }
    }
    None
}

/// Puts a taint on a node with these effects, and no others.
fn taint(taints: &mut Value, key: &str, effects: &[&str]) {
    let mut all = taints.as_array().cloned().unwrap_or_default();
    let kept: Vec<Value> = all.iter().filter(|t| t["key"] == json!(key)).cloned().collect();
    if kept.len() != effects.len() {
        all.retain(|t| t["key"] != json!(key));
        all.extend(effects.iter().map(|effect| json!({ "key": key, "effect": effect, "timeAdded": stamp() })));
    }
    *taints = Value::Array(all);
}

/// A pod no one hears of is not ready; that its containers were is the last that is known.
fn lose(desk: &mut Desk, pod: &Entry) {
    let mut wanted = json!({ "type": "Ready", "status": "False", "lastProbeTime": null });
    wanted["observedGeneration"] = pod.value["metadata"]["generation"].clone();
    let written = condition(&pod.value["status"]["conditions"], wanted, false);
    desk.change("pods", &pod.key(), WRITER, |pod| {
        for known in pod["status"]["conditions"].as_array_mut().into_iter().flatten() {
            if known["type"] == json!("Ready") {
                *known = written.clone();
            }
        }
    });
}
