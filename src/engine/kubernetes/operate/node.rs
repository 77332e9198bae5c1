//! Nodes: kept free of new pods, and emptied of those on them as their budgets allow.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::call::{annotation, items, text};
use super::change::{Patch, Told, change_at};
use super::pod::{Said, evict};
use crate::engine::kubernetes::client::Client;
use crate::engine::kubernetes::place::encoded;
use crate::engine::{EngineError, Report};
use crate::operate::Accepted;

/// How often what is still on a node is asked to go again.
const AGAIN: Duration = Duration::from_secs(2);

/// Keeps new pods off a node, or lets them on it again.
///
/// # Errors
/// What the server refused.
pub(super) async fn cordon(client: &Client, node: &str, on: bool) -> Result<Accepted, EngineError> {
    let is = |raw: &Value| raw.pointer("/spec/unschedulable").and_then(Value::as_bool).unwrap_or(false);
    change_at(client, &format!("Node {node}"), &path(node), is, |raw| Ok(if is(raw) == on { Told::Already } else { told(on) }))
        .await
}

fn told(on: bool) -> Told {
    let value = if on { json!(true) } else { Value::Null };
    Told::Changed(Patch::Strategic, json!({ "spec": { "unschedulable": value } }))
}

fn path(node: &str) -> String {
    format!("/api/v1/nodes/{}", encoded(node))
}

/// What is to become of a pod when its node is emptied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// It belongs to the node: one of a `DaemonSet`, or a file of the kubelet's.
    Stays,
    Goes,
    /// Nothing would make it anew.
    Lost,
}

fn fate(pod: &Value) -> Fate {
    let owners = || pod.pointer("/metadata/ownerReferences").and_then(Value::as_array).into_iter().flatten();
    let is_mirror = annotation(pod, "kubernetes.io/config.mirror").is_some();
    let ended = matches!(text(pod, "/status/phase").as_str(), "Succeeded" | "Failed");
    if is_mirror || owners().any(|owner| text(owner, "/kind") == "DaemonSet") {
        Fate::Stays
    } else if ended || owners().any(|owner| owner.get("controller") == Some(&json!(true))) {
        Fate::Goes
    } else {
        Fate::Lost
    }
}

/// Evicts the pods of a node until none is left that can go, for `within` at most.
///
/// # Errors
/// [`EngineError::Unmet`] when one would be lost, or those left have not gone in time, with why; what the server refused.
pub(super) async fn drain(client: &Client, node: &str, within: Duration, report: &Report) -> Result<Accepted, EngineError> {
    let end = Instant::now() + within;
    let what = || format!("Draining {node}");
    let list = format!("/api/v1/pods?fieldSelector={}", encoded(&format!("spec.nodeName={node}")));
    let mut evicted = 0_usize;
    loop {
        let pods: Value = client.get(&what(), &list).await?;
        let name = |pod: &Value| (text(pod, "/metadata/namespace"), text(pod, "/metadata/name"));
        if let Some(lost) = items(&pods).find(|pod| fate(pod) == Fate::Lost) {
            let (namespace, name) = name(lost);
            let why = format!("pod {namespace}/{name} belongs to no controller and would not come back: remove it first");
            return Err(EngineError::Unmet { what: what().into(), why: why.into() });
        }
        let going: Vec<&Value> = items(&pods).filter(|pod| fate(pod) == Fate::Goes).collect();
        if going.is_empty() {
            return Ok(if evicted == 0 { Accepted::AlreadySo } else { Accepted::Done });
        }
        let mut held = BTreeMap::new();
        for pod in going.iter().filter(|pod| pod.pointer("/metadata/deletionTimestamp").is_none()) {
            let (namespace, name) = name(pod);
            match evict(client, &namespace, &name).await? {
                Said::Evicted | Said::Gone => evicted += 1,
                Said::NotNow(why) => drop(held.insert(format!("{namespace}/{name}"), why)),
            }
        }
        let left = left(going.len(), &held);
        if Instant::now() + AGAIN >= end {
            let why = format!("{left}, not gone within {} s", within.as_secs());
            return Err(EngineError::Unmet { what: what().into(), why: why.into() });
        }
        report(left);
        tokio::time::sleep(AGAIN).await;
    }
}

/// Who is still there, and why.
fn left(going: usize, held: &BTreeMap<String, String>) -> String {
    match held.iter().next() {
        None => format!("{going} to go"),
        Some((pod, why)) => format!("{going} to go, {} held by a budget ({pod}: {why})", held.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_belongs_to_a_node_stays_and_what_nothing_makes_anew_is_not_lost() {
        let owned = |kind: &str| json!({ "metadata": { "ownerReferences": [{ "kind": kind, "controller": true }] } });
        let mirror = json!({ "metadata": { "annotations": { "kubernetes.io/config.mirror": "1" } } });
        for (pod, expected) in [
            (owned("ReplicaSet"), Fate::Goes),
            (owned("DaemonSet"), Fate::Stays),
            (mirror, Fate::Stays),
            (json!({ "status": { "phase": "Succeeded" } }), Fate::Goes),
            (json!({ "status": { "phase": "Running" } }), Fate::Lost),
        ] {
            assert_eq!(fate(&pod), expected, "{pod}");
        }
    }

    #[test]
    fn who_is_held_is_said_with_why() {
        let held = [("shop/api-1".to_owned(), "the budget api needs 2".to_owned())].into_iter().collect();
        assert_eq!(left(3, &held), "3 to go, 1 held by a budget (shop/api-1: the budget api needs 2)");
        assert_eq!(left(3, &BTreeMap::new()), "3 to go");
    }
}
