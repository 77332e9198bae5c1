//! A machine of the cluster.

use std::sync::Arc;

use super::object::Object;
use super::{Key, quantity, words};
use crate::engine::intern::Interner;
use crate::engine::kubernetes::watch::Kind;
use crate::engine::kubernetes::wire::around;
use crate::model::{Health, Node, Verdict};

/// What presses on a node when it holds.
const PRESSURE: [&str; 4] = ["MemoryPressure", "DiskPressure", "PIDPressure", "NetworkUnavailable"];
/// What a node's label says of its role begins so.
const ROLE: &str = "node-role.kubernetes.io/";

/// A node as it is held; its pods are counted later.
pub type Machine = Node;

/// A node as an object.
pub fn object(_: Kind, raw: &around::Node, key: &Key, interner: &mut Interner) -> Option<Object> {
    let has = |what: &str| raw.status.allocatable.get(what).map(String::as_str);
    let roles = raw.metadata.labels.keys().filter_map(|label| label.strip_prefix(ROLE)).filter(|role| !role.is_empty());
    Some(Object::Node(Box::new(Node {
        name: key.name.clone(),
        verdict: verdict(raw),
        cordoned: raw.spec.unschedulable,
        roles: roles.map(|role| interner.text(role)).collect(),
        version: interner.text(&raw.status.node_info.kubelet_version),
        cpu_milli: has("cpu").and_then(quantity::milli).unwrap_or(0),
        memory_bytes: has("memory").and_then(quantity::whole).unwrap_or(0),
        pods_max: has("pods").and_then(quantity::whole).and_then(|n| u32::try_from(n).ok()).unwrap_or(0),
        pods: 0,
        cpu_requested_milli: 0,
        memory_requested_bytes: 0,
        created_at: raw.metadata.creation_timestamp,
    })))
}

fn verdict(raw: &around::Node) -> Verdict {
    let mut health = Health::Healthy;
    let mut reasons: Vec<Arc<str>> = Vec::new();
    for condition in &raw.status.conditions {
        let told = |word: &str| words(&format!("{word}: {}", condition.message));
        if condition.kind == "Ready" {
            if condition.status != "True" {
                health = Health::Unhealthy;
                let word = if condition.status == "Unknown" { "not heard of" } else { "not ready" };
                reasons.insert(0, told(word));
            }
        } else if condition.status == "True" && PRESSURE.contains(&condition.kind.as_str()) {
            health = health.max(Health::Degraded);
            reasons.push(told(&condition.kind));
        }
    }
    if !raw.status.conditions.iter().any(|c| c.kind == "Ready") {
        return Verdict::because(Health::Unknown, "it has not said yet how it is");
    }
    Verdict::new(health, reasons)
}
