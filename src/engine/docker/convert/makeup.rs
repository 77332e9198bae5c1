//! A container's definition as it is judged. The values of its environment are judged here and go no further.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::engine::docker::wire::{Healthcheck, or_default};
use crate::model::{Port, WorkloadId};
use crate::observe::hygiene::{LogKept, Makeup, User, env, is_engine_socket};
use crate::observe::text::clean;

/// An inspection, as far as it is judged.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Inspected {
    #[serde(deserialize_with = "or_default")]
    config: Config,
    #[serde(deserialize_with = "or_default")]
    host_config: HostConfig,
    #[serde(deserialize_with = "or_default")]
    mounts: Vec<Mount>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Config {
    #[serde(deserialize_with = "or_default")]
    user: String,
    #[serde(deserialize_with = "or_default")]
    env: Vec<String>,
    #[serde(deserialize_with = "or_default")]
    image: String,
    healthcheck: Option<Healthcheck>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct HostConfig {
    privileged: Option<bool>,
    #[serde(deserialize_with = "or_default")]
    network_mode: String,
    #[serde(deserialize_with = "or_default")]
    log_config: LogConfig,
    memory: Option<i64>,
    nano_cpus: Option<i64>,
    cpu_quota: Option<i64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct LogConfig {
    #[serde(rename = "Type", deserialize_with = "or_default")]
    driver: String,
    #[serde(deserialize_with = "or_default")]
    config: BTreeMap<String, String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Mount {
    #[serde(deserialize_with = "or_default")]
    source: String,
}

/// A container as its engine made it: what its image says is in there already. `ports` are those it is published on.
#[must_use]
pub fn of_container(workload: WorkloadId, inspected: &Inspected, ports: Vec<Port>, serves: bool) -> Makeup {
    let (config, host) = (&inspected.config, &inspected.host_config);
    let set = |number: Option<i64>| number.is_some_and(|n| n > 0);
    let entries = config.env.iter().filter_map(|entry| entry.split_once('='));
    let log = Some(&host.log_config).filter(|log| !log.driver.is_empty());
    Makeup {
        serves,
        user: User::of(&config.user),
        privileged: host.privileged.unwrap_or(false),
        host_network: host.network_mode == "host",
        sockets: sockets(inspected.mounts.iter().map(|mount| mount.source.as_str())),
        ports,
        log: log.map(|log| LogKept::by(&clean(&log.driver), log.config.contains_key("max-size"))),
        checked: Some(config.healthcheck.as_ref().is_some_and(is_on)),
        memory_limited: Some(set(host.memory)),
        cpu_limited: Some(set(host.nano_cpus) || set(host.cpu_quota)),
        keys: env::judge(entries),
        ..Makeup::new(workload, clean(&config.image))
    }
}

fn is_on(check: &Healthcheck) -> bool {
    !matches!(check.test.first().map(String::as_str), None | Some("NONE" | ""))
}

fn sockets<'a>(sources: impl Iterator<Item = &'a str>) -> Vec<std::sync::Arc<str>> {
    sources.filter(|source| is_engine_socket(source)).map(|source| clean(source).into()).collect()
}

/// A Swarm service by its definition alone, where no task of it is on this node: what its image says is not known, and
/// neither is what the nodes' engines do with logs nobody gave a driver.
#[must_use]
pub fn of_service(workload: WorkloadId, service: &Value, serves: bool) -> Makeup {
    let template = &service["Spec"]["TaskTemplate"];
    let container = &template["ContainerSpec"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let entries: Vec<String> = list(&container["Env"]).iter().map(text).collect();
    let sources: Vec<String> = list(&container["Mounts"]).iter().map(|mount| text(&mount["Source"])).collect();
    let check: Option<Healthcheck> = serde_json::from_value(container["Healthcheck"].clone()).ok();
    let limit = |key: &str| Some(template["Resources"]["Limits"][key].as_i64().is_some_and(|n| n > 0));
    let driver = template["LogDriver"]["Name"].as_str().filter(|name| !name.is_empty());
    let user = container["User"].as_str().filter(|user| !user.is_empty());
    Makeup {
        serves,
        user: user.map_or(User::Unknown, User::of),
        sockets: sockets(sources.iter().map(String::as_str)),
        ports: published(service),
        log: driver.map(|name| LogKept::by(&clean(name), template["LogDriver"]["Options"]["max-size"].is_string())),
        checked: check.filter(|check| !check.test.is_empty()).map(|check| is_on(&check)),
        memory_limited: limit("MemoryBytes"),
        cpu_limited: limit("NanoCPUs"),
        keys: env::judge(entries.iter().filter_map(|entry| entry.split_once('='))),
        ..Makeup::new(workload, image(service))
    }
}

/// The image of a service as its definition has it, content address included.
#[must_use]
pub fn image(service: &Value) -> String {
    clean(service["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"].as_str().unwrap_or_default()).into_owned()
}

/// Where a service is published: on every node, unless the definition says otherwise.
#[must_use]
pub fn published(service: &Value) -> Vec<Port> {
    let all = service["Endpoint"]["Ports"].as_array().map(Vec::as_slice).unwrap_or_default();
    let number = |value: &Value| value.as_u64().and_then(|n| u16::try_from(n).ok()).filter(|n| *n > 0);
    let port = |port: &Value| {
        let protocol = clean(port["Protocol"].as_str().unwrap_or("tcp")).into();
        let host = ("every node".into(), number(&port["PublishedPort"])?);
        Some(Port { host: Some(host), container: number(&port["TargetPort"])?, protocol })
    };
    all.iter().filter_map(port).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::observe::hygiene::Why;

    fn inspected(value: Value) -> Inspected {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn a_recorded_container_is_taken_as_it_is() {
        let all: Vec<Inspected> =
            serde_json::from_str(include_str!("../../../../tests/engines/recorded/inspect-20.10.json")).unwrap();
        let makeup = of_container(WorkloadId::new("badstart"), &all[0], Vec::new(), true);
        assert_eq!(makeup.user, User::Root);
        assert_eq!(makeup.log, Some(LogKept::by("json-file", false)));
        assert_eq!((makeup.checked, makeup.memory_limited, makeup.cpu_limited), (Some(false), Some(false), Some(false)));
    }

    #[test]
    fn a_containers_bad_habits_are_seen_and_its_secrets_are_not_told() {
        let makeup = of_container(
            WorkloadId::new("db"),
            &inspected(json!({
                "Config": { "User": "0", "Image": "postgres:latest", "Healthcheck": { "Test": ["NONE"] },
                    "Env": ["POSTGRES_PASSWORD=postgres", "API_KEY=", "PATH=/bin", "JWT_SECRET=9b1d2c7e5f"] },
                "HostConfig": { "Privileged": true, "NetworkMode": "host", "Memory": 0, "CpuQuota": 50000,
                    "LogConfig": { "Type": "json-file", "Config": { "max-size": "10m" } } },
                "Mounts": [{ "Type": "bind", "Source": "/var/run/docker.sock" }, { "Type": "volume", "Source": "/v" }],
            })),
            Vec::new(),
            true,
        );
        assert_eq!(makeup.keys, [("POSTGRES_PASSWORD".into(), Why::Default), ("API_KEY".into(), Why::Empty)]);
        assert!(makeup.privileged && makeup.host_network);
        assert_eq!(makeup.sockets, ["/var/run/docker.sock".into()]);
        assert_eq!(makeup.log, Some(LogKept { driver: "json-file".into(), bounded: true }));
        assert_eq!((makeup.checked, makeup.memory_limited, makeup.cpu_limited), (Some(false), Some(false), Some(true)));
    }

    #[test]
    fn a_service_says_what_it_can_and_no_more() {
        let services: Vec<Value> =
            serde_json::from_str(include_str!("../../../../tests/engines/recorded/swarm-20.10/services.json")).unwrap();
        for service in &services {
            let makeup = of_service(WorkloadId::new("x"), service, true);
            assert!(!makeup.image.is_empty());
            assert_eq!(makeup.log, None);
        }
        let makeup = of_service(
            WorkloadId::new("cache"),
            &json!({
                "Spec": { "TaskTemplate": {
                    "ContainerSpec": { "Image": "redis:7@sha256:9f", "Env": ["REDIS_PASSWORD=change_me"], "User": "redis" },
                    "Resources": { "Limits": { "MemoryBytes": 5 } },
                    "LogDriver": { "Name": "json-file", "Options": { "max-size": "10m" } },
                } },
                "Endpoint": { "Ports": [{ "Protocol": "tcp", "TargetPort": 6379, "PublishedPort": 6379, "PublishMode": "ingress" }] },
            }),
            true,
        );
        assert_eq!(makeup.keys, [("REDIS_PASSWORD".into(), Why::Placeholder)]);
        assert_eq!((makeup.user, makeup.checked), (User::Other, None));
        assert_eq!((makeup.memory_limited, makeup.cpu_limited), (Some(true), Some(false)));
        assert!(makeup.log.is_some_and(|log| log.bounded));
        assert_eq!(makeup.ports.first().and_then(|port| port.host.clone()), Some(("every node".into(), 6379)));
    }
}
