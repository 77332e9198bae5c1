//! What pods and nodes use: `metrics.k8s.io`, and a kubelet's summary behind its node's proxy.

use std::sync::atomic::Ordering;

use serde_json::{Value, json};

use super::ask::{Aim, Ask, Reply};
use super::hub::Hub;
use super::kind::plural;
use super::status::{Outcome, failure, forbidden, no_such_resource, not_found, plain};
use super::store::{Entry, stamp};

/// Answers below `/apis/metrics.k8s.io`.
///
/// # Errors
/// The metrics-server is down, or there is no such thing.
pub fn answer(hub: &Hub, ask: &Ask) -> Outcome<Reply> {
    if hub.faults.no_metrics.load(Ordering::SeqCst) {
        return Err(plain(503, "service unavailable\n"));
    }
    let parts: Vec<&str> = ask.path.trim_matches('/').split('/').skip(3).collect();
    let (namespace, what, name) = match parts.as_slice() {
        ["namespaces", namespace, "pods"] => (Some(*namespace), "pods", None),
        ["namespaces", namespace, "pods", name] => (Some(*namespace), "pods", Some(*name)),
        ["pods"] => (None, "pods", None),
        ["nodes"] => (None, "nodes", None),
        ["nodes", name] => (None, "nodes", Some(*name)),
        _ => return Err(no_such_resource()),
    };
    let kind = plural(what);
    let verb = if name.is_some() { "get" } else { "list" };
    if !hub.may(&ask.user, verb, what) {
        return Err(forbidden(&ask.user, verb, kind, what, namespace, name.unwrap_or_default()));
    }
    let wanted = |entry: &Entry| name.is_none_or(|n| n == entry.name());
    let of = if what == "pods" { pod } else { node };
    let items: Vec<Value> = hub.store().list(kind, namespace).iter().filter(|e| wanted(e)).filter_map(of).collect();
    let kind_name = if what == "pods" { "PodMetrics" } else { "NodeMetrics" };
    if let Some(name) = name {
        let mut one = items.into_iter().next().ok_or_else(|| not_found(kind, name))?;
        one["kind"] = json!(kind_name);
        one["apiVersion"] = json!("metrics.k8s.io/v1beta1");
        return Ok(Reply::value(200, &one));
    }
    let list =
        json!({ "kind": format!("{kind_name}List"), "apiVersion": "metrics.k8s.io/v1beta1", "metadata": {}, "items": items });
    Ok(Reply::value(200, &list))
}

fn measured(entry: &Entry, window: &str) -> Value {
    let mut metadata = json!({ "name": entry.name(), "creationTimestamp": stamp() });
    if !entry.namespace().is_empty() {
        metadata["namespace"] = json!(entry.namespace());
    }
    if !entry.value["metadata"]["labels"].is_null() {
        metadata["labels"] = entry.value["metadata"]["labels"].clone();
    }
    json!({ "metadata": metadata, "timestamp": stamp(), "window": window })
}

/// Figures that differ from pod to pod and stay as they are: nano-cores and bytes.
fn used(entry: &Entry, container: usize) -> (u64, u64) {
    let mark = entry.uid().bytes().fold(7u64, |sum, b| sum.wrapping_mul(31).wrapping_add(u64::from(b))) + container as u64;
    (1_000_000 + mark % 40_000_000, (8 << 20) + (mark % 4000) * 4096)
}

fn running(pod: &Entry) -> Vec<String> {
    let statuses = pod.value["status"]["containerStatuses"].as_array();
    let up = statuses.into_iter().flatten().filter(|s| !s["state"]["running"].is_null());
    up.filter_map(|s| s["name"].as_str().map(str::to_owned)).collect()
}

/// Nothing for a pod of which no container runs: a metrics-server leaves it out.
fn pod(entry: &Entry) -> Option<Value> {
    let names = running(entry);
    if names.is_empty() {
        return None;
    }
    let mut item = measured(entry, "15.016s");
    let containers = names.iter().enumerate().map(|(n, name)| {
        let (cpu, memory) = used(entry, n);
        json!({ "name": name, "usage": { "cpu": format!("{cpu}n"), "memory": format!("{}Ki", memory / 1024) } })
    });
    item["containers"] = containers.collect();
    Some(item)
}

#[allow(clippy::unnecessary_wraps, reason = "pods may have none")]
fn node(entry: &Entry) -> Option<Value> {
    let mut item = measured(entry, "20.056s");
    item["usage"] = json!({ "cpu": "517008327n", "memory": "1503468Ki" });
    Some(item)
}

/// Answers behind a node's proxy: the kubelet's summary and its word that it is well.
///
/// # Errors
/// There is no such node, its kubelet is silent, or knows no such path.
pub fn node_proxy(hub: &Hub, _: &Ask, aim: &Aim) -> Outcome<Reply> {
    let name = aim.key().1;
    let entry = hub.store().get(aim.kind, &aim.key()).ok_or_else(|| not_found(aim.kind, &name))?;
    let ready = entry.value["status"]["conditions"]
        .as_array()
        .is_some_and(|list| list.iter().any(|c| c["type"] == json!("Ready") && c["status"] == json!("True")));
    if !ready {
        let message = "error trying to reach service: dial tcp 10.200.0.1:10250: connect: connection refused";
        return Err(failure(503, "ServiceUnavailable", message));
    }
    match aim.rest.as_str() {
        "healthz" => Ok(Reply::text("ok")),
        "stats/summary" => Ok(Reply::value(200, &summary(hub, &entry))),
        _ => Err(plain(404, "404 page not found\n")),
    }
}

fn figures(cpu: u64, memory: u64) -> (Value, Value) {
    let cpu = json!({ "time": stamp(), "usageNanoCores": cpu, "usageCoreNanoSeconds": cpu * 60 });
    let memory = json!({
        "time": stamp(), "usageBytes": memory + (1 << 20), "workingSetBytes": memory, "rssBytes": memory / 2, "pageFaults": 0,
        "majorPageFaults": 0
    });
    (cpu, memory)
}

fn summary(hub: &Hub, node: &Entry) -> Value {
    let here = |pod: &Entry| pod.value["spec"]["nodeName"] == json!(node.name());
    let pods = hub.store().list(plural("pods"), None);
    let pods = pods.iter().filter(|p| here(p) && !running(p).is_empty()).map(|pod| {
        let containers: Vec<Value> = running(pod)
            .iter()
            .enumerate()
            .map(|(n, name)| {
                let (cpu, memory) = used(pod, n);
                let (cpu, memory) = figures(cpu, memory);
                json!({ "name": name, "startTime": pod.value["status"]["startTime"], "cpu": cpu, "memory": memory })
            })
            .collect();
        let sum = (0..containers.len()).map(|n| used(pod, n)).fold((0, 0), |a, b| (a.0 + b.0, a.1 + b.1));
        let (cpu, memory) = figures(sum.0, sum.1);
        let named = json!({ "name": pod.name(), "namespace": pod.namespace(), "uid": pod.uid() });
        json!({ "podRef": named, "startTime": pod.value["status"]["startTime"], "containers": containers, "cpu": cpu, "memory": memory })
    });
    let pods: Vec<Value> = pods.collect();
    let (cpu, memory) = figures(517_008_327, 1_539_551_232);
    let fs = json!({
        "time": stamp(), "availableBytes": 70_574_280_704u64, "capacityBytes": 270_553_174_016u64, "usedBytes": 26_998_468_608u64,
        "inodesFree": 16_166_397, "inodes": 16_777_216, "inodesUsed": 610_819
    });
    let network =
        json!({ "time": stamp(), "name": "eth0", "rxBytes": 998_893_439, "rxErrors": 0, "txBytes": 2_801_148, "txErrors": 0 });
    let node = json!({
        "nodeName": node.name(), "systemContainers": [], "startTime": stamp(), "cpu": cpu, "memory": memory, "fs": fs, "network": network
    });
    json!({ "node": node, "pods": pods })
}
