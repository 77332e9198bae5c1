//! What follows pods from afar: endpoint slices of services, disruption budgets, and the figures of autoscalers.

use std::time::Duration;

use serde_json::{Value, json};

use super::control::{Desk, Writer, condition, controller, owned_by, share};
use super::deployment::number;
use super::kind::plural;
use super::replicaset::{active, leaving, ready};
use super::select::{label_selector_takes, map_takes};
use super::store::{Entry, Key, stamp};
use super::write::made;

const SLICES: Writer = controller("endpoint-slice-controller");
const BUDGETS: Writer = controller("disruption-controller");
const SCALERS: Writer = controller("horizontal-pod-autoscaler");

/// Keeps a service's endpoint slice as its pods are.
pub fn look(desk: &mut Desk, key: &Key) -> Option<Duration> {
    let service = desk.get("services", key)?;
    if !service.value["spec"]["selector"].is_object() {
        return None;
    }
    let pods = desk.store.list(plural("pods"), Some(service.namespace()));
    let pods: Vec<Entry> =
        pods.into_iter().filter(|p| map_takes(&service.value["spec"]["selector"], &p.value["metadata"]["labels"])).collect();
    let endpoints: Vec<Value> = pods.iter().filter(|p| active(p) || leaving(p)).filter_map(endpoint).collect();
    let slices = plural("endpointslices");
    let ports = ports(&service, &pods);
    // Of no pods there is no list of addresses or ports, not an empty one.
    let (endpoints, ports) = if endpoints.is_empty() { (Value::Null, Value::Null) } else { (json!(endpoints), ports) };
    if let Some(slice) = desk.store.children(slices, service.uid()).into_iter().next() {
        let mut value = (*slice.value).clone();
        if value["endpoints"] != endpoints || value["ports"] != ports {
            value["endpoints"] = endpoints;
            value["ports"] = ports;
            value["metadata"]["annotations"]["endpoints.kubernetes.io/last-change-trigger-time"] = json!(stamp());
            value["metadata"]["generation"] = json!(number(&slice, "/metadata/generation") + 1);
            super::write::manage(&slice.value, &mut value, slices, SLICES.manager, "");
            desk.store.keep(slices, value);
        }
        return None;
    }
    let slice = json!({
        "metadata": {
            "generateName": format!("{}-", service.name()),
            "labels": {
                "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
                "kubernetes.io/service-name": service.name()
            },
            "annotations": { "endpoints.kubernetes.io/last-change-trigger-time": stamp() },
            "ownerReferences": owned_by(plural("services"), &service)
        },
        "addressType": "IPv4", "endpoints": endpoints, "ports": ports
    });
    let _ = made(desk.store, slices, Some(service.namespace()), slice, SLICES.manager, false);
    None
}

fn endpoint(pod: &Entry) -> Option<Value> {
    let address = pod.value["status"]["podIP"].as_str()?;
    let (serves, goes) = (ready(pod), leaving(pod));
    Some(json!({
        "addresses": [address], "conditions": { "ready": serves && !goes, "serving": serves, "terminating": goes },
        "targetRef": { "kind": "Pod", "namespace": pod.namespace(), "name": pod.name(), "uid": pod.uid() },
        "nodeName": pod.value["spec"]["nodeName"]
    }))
}

/// A service's ports as its pods have them: a name is looked up in their containers.
fn ports(service: &Entry, pods: &[Entry]) -> Value {
    let of_pod = |name: &str| {
        let containers = pods.first().and_then(|p| p.value["spec"]["containers"].as_array());
        let mut ports = containers.into_iter().flatten().flat_map(|c| c["ports"].as_array().into_iter().flatten());
        ports.find(|p| p["name"] == json!(name)).map(|p| p["containerPort"].clone())
    };
    let all = service.value["spec"]["ports"].as_array().into_iter().flatten().map(|port| {
        let number = match &port["targetPort"] {
            Value::String(name) => of_pod(name).unwrap_or_else(|| port["port"].clone()),
            number => number.clone(),
        };
        json!({ "name": port["name"].as_str().unwrap_or_default(), "protocol": port["protocol"], "port": number })
    });
    all.collect()
}

/// Counts what a disruption budget allows.
pub fn budget(desk: &mut Desk, key: &Key) -> Option<Duration> {
    let budget = desk.get("poddisruptionbudgets", key)?;
    let spec = &budget.value["spec"];
    let pods = desk.store.list(plural("pods"), Some(budget.namespace()));
    let pods: Vec<&Entry> = pods
        .iter()
        .filter(|p| (active(p) || leaving(p)) && label_selector_takes(&spec["selector"], &p.value["metadata"]["labels"]))
        .collect();
    let healthy = i64::try_from(pods.iter().filter(|p| ready(p) && !leaving(p)).count()).unwrap_or(0);
    let expected = expected(desk, &pods);
    let desired = if spec["minAvailable"].is_null() {
        (expected - share(&spec["maxUnavailable"], expected, true)).max(0)
    } else {
        share(&spec["minAvailable"], expected, true)
    };
    let allowed = (healthy - desired).max(0);
    if pods.is_empty() && budget.value["status"]["conditions"].is_null() {
        desk.tell("poddisruptionbudgets", &budget, BUDGETS, ("Normal", "NoPods"), "No matching pods found");
    }
    desk.change("poddisruptionbudgets", key, BUDGETS, |object| {
        let generation = object["metadata"]["generation"].clone();
        let status = &mut object["status"];
        for (name, count) in
            [("disruptionsAllowed", allowed), ("currentHealthy", healthy), ("desiredHealthy", desired), ("expectedPods", expected)]
        {
            status[name] = json!(count);
        }
        let (held, reason) = if allowed > 0 { ("True", "SufficientPods") } else { ("False", "InsufficientPods") };
        let wanted =
            json!({ "type": "DisruptionAllowed", "status": held, "reason": reason, "message": "", "observedGeneration": generation });
        let written = condition(&status["conditions"], wanted, false);
        status["conditions"] = json!([written]);
        status["observedGeneration"] = generation;
    });
    None
}

/// How many pods the controllers of these pods want.
fn expected(desk: &Desk, pods: &[&Entry]) -> i64 {
    let mut owners: Vec<&str> = pods.iter().filter_map(|p| super::store::controller(&p.value)).collect();
    owners.sort_unstable();
    owners.dedup();
    let mut deployments = std::collections::BTreeSet::new();
    let mut sum = 0;
    for (kind, uid) in
        [("replicasets", &owners), ("statefulsets", &owners)].into_iter().flat_map(|(k, o)| o.iter().map(move |u| (k, *u)))
    {
        let namespace = pods.first().map(|p| p.namespace());
        let Some(owner) = desk.store.list(plural(kind), namespace).into_iter().find(|e| e.uid() == uid) else { continue };
        match super::store::controller(&owner.value) {
            Some(above) if kind == "replicasets" => drop(deployments.insert(above.to_owned())),
            Some(_) | None => sum += number(&owner, "/spec/replicas"),
        }
    }
    let all = desk.store.list(plural("deployments"), pods.first().map(|p| p.namespace()));
    sum + all.iter().filter(|d| deployments.contains(d.uid())).map(|d| number(d, "/spec/replicas")).sum::<i64>()
}

fn target(desk: &Desk, scaler: &Entry) -> Option<(&'static str, Entry)> {
    let target = &scaler.value["spec"]["scaleTargetRef"];
    let kind = super::kind::of(target)?;
    let name = target["name"].as_str()?.to_owned();
    Some((kind.plural, desk.get(kind.plural, &(scaler.namespace().to_owned(), name))?))
}

/// Shows how many there are; scales only to what a test has told it to want (`ApiServer::autoscale`).
pub fn autoscaler(desk: &mut Desk, key: &Key) -> Option<Duration> {
    let scaler = desk.get("horizontalpodautoscalers", key)?;
    let (kind, of) = target(desk, &scaler)?;
    let there = number(&of, "/spec/replicas");
    let told = scaler.value["metadata"]["annotations"]["qd.test/desired"].as_str().and_then(|n| n.parse::<i64>().ok());
    let desired = told.unwrap_or(there).clamp(number(&scaler, "/spec/minReplicas"), number(&scaler, "/spec/maxReplicas"));
    if told.is_some() && desired != there {
        desk.change(kind, &of.key(), SCALERS, |object| object["spec"]["replicas"] = json!(desired));
        let message = format!("New size: {desired}; reason: cpu resource utilization (percentage of request) above target");
        desk.tell("horizontalpodautoscalers", &scaler, SCALERS, ("Normal", "SuccessfulRescale"), &message);
    }
    let shown = if told.is_some() { desired } else { there };
    desk.change("horizontalpodautoscalers", key, SCALERS, |object| {
        let metrics = object["spec"]["metrics"].clone();
        let status = &mut object["status"];
        status["currentReplicas"] = json!(there);
        status["desiredReplicas"] = json!(shown);
        let current = metrics.as_array().into_iter().flatten().map(|m| {
            let name = &m["resource"]["name"];
            json!({ "type": "Resource", "resource": { "name": name, "current": { "averageValue": "2m", "averageUtilization": 20 } } })
        });
        status["currentMetrics"] = current.collect();
        let says = [
            ("AbleToScale", "True", "ReadyForNewScale", "recommended size matches current size"),
            (
                "ScalingActive",
                "True",
                "ValidMetricFound",
                "the HPA was able to successfully calculate a replica count from cpu resource utilization (percentage of request)",
            ),
            ("ScalingLimited", "False", "DesiredWithinRange", "the desired count is within the acceptable range"),
        ];
        let before = status["conditions"].clone();
        let said = says.iter().map(|(kind, held, reason, message)| {
            condition(&before, json!({ "type": kind, "status": held, "reason": reason, "message": message }), false)
        });
        status["conditions"] = said.collect();
    });
    None
}
