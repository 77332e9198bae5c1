//! The containers of a template as they are judged. The values of their environment are judged here and go no further.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use crate::model::{Port, WorkloadId};
use crate::observe::hygiene::{Makeup, User, Why, env, is_engine_socket};
use crate::observe::text::clean;

/// Every container of the pods a template makes. `ports` are those its Services open to the outside; `serves` is false for
/// what runs to its end.
#[must_use]
pub fn of_template(workload: &WorkloadId, template: &Value, ports: &[Port], serves: bool) -> Vec<Makeup> {
    let spec = &template["spec"];
    let mut all: Vec<Makeup> = items(&spec["containers"]).map(|one| container(workload, spec, one, ports, serves)).collect();
    // One that is always restarted stays beside the others.
    let stays = |one: &Value| serves && one["restartPolicy"] == "Always";
    all.extend(items(&spec["initContainers"]).map(|one| container(workload, spec, one, &[], stays(one))));
    all
}

fn items(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().map(Vec::as_slice).unwrap_or_default().iter()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn container(workload: &WorkloadId, spec: &Value, one: &Value, outside: &[Port], serves: bool) -> Makeup {
    let limited = |what: &str| Some(!one["resources"]["limits"][what].is_null());
    let probed = |kind: &str| Some(one[kind].is_object());
    let mut ports: Vec<Port> = items(&one["ports"]).filter_map(host_port).collect();
    let named: Vec<u16> = items(&one["ports"]).filter_map(|port| number(&port["containerPort"])).collect();
    ports.extend(outside.iter().filter(|port| named.is_empty() || named.contains(&port.container)).cloned());
    // Those it only names say where a probe would ask.
    let unsaid = |port: &u16| !ports.iter().any(|known| known.container == *port);
    let inner: Vec<Port> = named
        .iter()
        .filter(|port| unsaid(port))
        .map(|port| Port { host: None, container: *port, protocol: "tcp".into() })
        .collect();
    ports.extend(inner);
    Makeup {
        container: Some(clean(text(&one["name"])).into()),
        serves,
        user: user(&spec["securityContext"], &one["securityContext"]),
        privileged: one["securityContext"]["privileged"] == true,
        // Unless a definition says no, the answer is yes (the API reference of SecurityContext).
        escalates: Some(one["securityContext"]["allowPrivilegeEscalation"] != false),
        host_network: spec["hostNetwork"] == true,
        sockets: sockets(spec, one),
        ports,
        checked: probed("readinessProbe"),
        revived: probed("livenessProbe"),
        memory_limited: limited("memory"),
        cpu_limited: limited("cpu"),
        keys: keys(one),
        ..Makeup::new(workload.clone(), clean(text(&one["image"])))
    }
}

fn number(value: &Value) -> Option<u16> {
    value.as_u64().and_then(|n| u16::try_from(n).ok()).filter(|n| *n > 0)
}

/// A port of the node it runs on.
fn host_port(port: &Value) -> Option<Port> {
    let host = number(&port["hostPort"])?;
    let address = Some(text(&port["hostIP"])).filter(|ip| !ip.is_empty()).unwrap_or("its node");
    let protocol = Some(text(&port["protocol"])).filter(|p| !p.is_empty()).unwrap_or("TCP");
    Some(Port {
        host: Some((clean(address).into(), host)),
        container: number(&port["containerPort"])?,
        protocol: clean(protocol).into(),
    })
}

/// What a container says of its user counts before what its pod says.
fn user(pod: &Value, container: &Value) -> User {
    let said = |key: &str| [container, pod].into_iter().map(|of| &of[key]).find(|value| !value.is_null());
    match (said("runAsUser").and_then(Value::as_i64), said("runAsNonRoot").and_then(Value::as_bool)) {
        (Some(0), _) => User::Root,
        (Some(_), _) | (None, Some(true)) => User::Other,
        (None, Some(false) | None) => User::OfImage,
    }
}

/// Sockets of the node's container engine among the volumes it mounts.
fn sockets(spec: &Value, one: &Value) -> Vec<Arc<str>> {
    let mounted = |volume: &Value| items(&one["volumeMounts"]).any(|mount| mount["name"] == volume["name"]);
    let paths = items(&spec["volumes"]).filter(|volume| mounted(volume)).map(|volume| text(&volume["hostPath"]["path"]));
    paths.filter(|path| is_engine_socket(path)).map(|path| clean(path).into()).collect()
}

/// Variables that are not as they should be; one that comes from a Secret has no value here.
fn keys(one: &Value) -> Vec<(Arc<str>, Why)> {
    let written: Vec<(&str, &str)> = items(&one["env"])
        .filter(|entry| entry["valueFrom"].is_null())
        .map(|entry| (text(&entry["name"]), text(&entry["value"])))
        .collect();
    let mut keys = env::judge(written.iter().copied());
    for (key, value) in &written {
        // A reference to another variable (`$(NAME)`) is none of its own.
        let plain = env::is_secret(key, value) && !value.starts_with("$(");
        if plain && !keys.iter().any(|(known, _)| **known == **key) {
            keys.push((clean(key).into(), Why::Plain));
        }
    }
    keys
}

/// The ports a Service opens to the outside of the cluster, by the labels of the pods it leads to; none for one that does
/// not.
#[must_use]
pub fn opened(service: &Value) -> Option<(BTreeMap<String, String>, Vec<Port>)> {
    let spec = &service["spec"];
    if !matches!(text(&spec["type"]), "LoadBalancer" | "NodePort") {
        return None;
    }
    let selector: BTreeMap<String, String> = serde_json::from_value(spec["selector"].clone()).ok()?;
    let of = |port: &Value| {
        let target = number(&port["targetPort"]).or_else(|| number(&port["port"]))?;
        let seen = if text(&spec["type"]) == "NodePort" { number(&port["nodePort"])? } else { number(&port["port"])? };
        let host = (clean(&format!("{} {}", text(&spec["type"]), text(&service["metadata"]["name"]))).into(), seen);
        Some(Port { host: Some(host), container: target, protocol: clean(text(&port["protocol"])).into() })
    };
    (!selector.is_empty()).then(|| (selector, items(&spec["ports"]).filter_map(of).collect()))
}

/// Whether a Service leads to the pods of a template.
#[must_use]
pub fn selects(selector: &BTreeMap<String, String>, template: &Value) -> bool {
    selector.iter().all(|(key, value)| template["metadata"]["labels"][key] == **value)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn template(pod: &Value, container: &Value) -> Value {
        let mut spec = pod.clone();
        spec["containers"] = json!([container]);
        json!({ "metadata": { "labels": { "app": "db" } }, "spec": spec })
    }

    #[test]
    fn whose_process_it_is() {
        for (pod, container, expected) in [
            (json!({}), json!({}), User::OfImage),
            (json!({ "runAsNonRoot": true }), json!({}), User::Other),
            (json!({ "runAsUser": 1000 }), json!({ "runAsUser": 0 }), User::Root),
            (json!({ "runAsUser": 0 }), json!({ "runAsUser": 1000 }), User::Other),
            (json!({ "runAsNonRoot": true }), json!({ "runAsNonRoot": false }), User::OfImage),
        ] {
            assert_eq!(user(&pod, &container), expected, "{pod} {container}");
        }
    }

    #[test]
    fn a_containers_bad_habits_are_seen_and_its_secrets_are_not_told() {
        let pod = json!({ "hostNetwork": true, "volumes": [{ "name": "run", "hostPath": { "path": "/run/containerd/containerd.sock" } }] });
        let bad = json!({
            "name": "db", "image": "postgres",
            "ports": [{ "containerPort": 5432, "hostPort": 5432 }],
            "volumeMounts": [{ "name": "run", "mountPath": "/x" }],
            "securityContext": { "privileged": true },
            "env": [{ "name": "POSTGRES_PASSWORD", "value": "postgres" }, { "name": "API_TOKEN", "value": "9b1d2c7e" },
                { "name": "JWT_SECRET", "valueFrom": { "secretKeyRef": { "name": "s", "key": "k" } } },
                { "name": "DATABASE_URL", "value": "$(OTHER)" }],
        });
        let made = of_template(&WorkloadId::new("db"), &template(&pod, &bad), &[], true);
        let [makeup] = &made[..] else { panic!("{made:?}") };
        assert!(makeup.privileged && makeup.host_network && makeup.escalates == Some(true));
        assert_eq!(makeup.sockets, ["/run/containerd/containerd.sock".into()]);
        assert_eq!(makeup.keys, [("POSTGRES_PASSWORD".into(), Why::Default), ("API_TOKEN".into(), Why::Plain)]);
        assert_eq!(makeup.ports[0].host, Some(("its node".into(), 5432)));
        assert_eq!((makeup.checked, makeup.revived), (Some(false), Some(false)));
        assert_eq!((makeup.memory_limited, makeup.cpu_limited), (Some(false), Some(false)));
    }

    #[test]
    fn a_service_opens_what_it_leads_to() {
        let service = json!({ "metadata": { "name": "db" }, "spec": { "type": "LoadBalancer", "selector": { "app": "db" },
            "ports": [{ "port": 15432, "targetPort": 5432, "protocol": "TCP" }] } });
        let (selector, ports) = opened(&service).unwrap();
        let template =
            template(&json!({}), &json!({ "name": "db", "image": "postgres:15", "ports": [{ "containerPort": 5432 }] }));
        assert!(selects(&selector, &template));
        let made = of_template(&WorkloadId::new("db"), &template, &ports, true);
        assert_eq!(made[0].ports[0].host, Some(("LoadBalancer db".into(), 15432)));
        assert_eq!(opened(&json!({ "spec": { "type": "ClusterIP", "selector": { "app": "db" } } })), None);
    }
}
