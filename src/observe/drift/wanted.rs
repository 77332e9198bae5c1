//! What a compose file asks for: the output of the compose tool's `config`, of either generation, as one [`Service`] each.

mod place;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{Fields, scalar};

/// Which compose tool has read the file: they do not make the same of everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Generation {
    /// `docker-compose` 1, in Python.
    One,
    /// `docker compose` and `docker-compose` from 2 on.
    Two,
}

/// One service as the file has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Service {
    pub fields: Fields,
    /// Its image's name as written; `None` where it is built and has none.
    pub image: Option<String>,
    /// Made from a folder here: what it is called says little.
    pub is_built: bool,
    /// How many replicas, where the file says so.
    pub replicas: Option<u32>,
    /// Only wanted with a profile.
    pub has_profile: bool,
}

/// A file as the tool understood it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    pub services: BTreeMap<String, Service>,
}

/// Reads the output of `config` for a project.
///
/// # Errors
/// What is not as it should be.
pub fn read(output: &str, project: &str, generation: Generation) -> Result<Wanted, String> {
    let mut root: Value = serde_saphyr::from_str(output).map_err(|e| e.to_string())?;
    unescape(&mut root);
    let services = root.get("services").and_then(Value::as_object).ok_or("it tells of no services")?;
    let around = place::Around { project, root: &root };
    let read = |(name, service): (&String, &Value)| {
        let service = service.as_object()?;
        Some((name.clone(), self::service(name, service, &around, generation)))
    };
    Ok(Wanted { services: services.iter().filter_map(read).collect() })
}

/// Both tools double every `$` in what they print, so that it could be read again.
fn unescape(value: &mut Value) {
    match value {
        Value::String(text) if text.contains("$$") => *text = text.replace("$$", "$"),
        Value::Array(values) => values.iter_mut().for_each(unescape),
        Value::Object(map) => map.values_mut().for_each(unescape),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn service(name: &str, service: &Map<String, Value>, around: &place::Around<'_>, generation: Generation) -> Service {
    let mut fields = Fields::new();
    let mut put = |path: &str, value: Option<String>| drop(value.map(|value| fields.insert(path.to_owned(), value)));
    let get = |key: &str| service.get(key).filter(|value| !value.is_null());
    let text = |key: &str| get(key).and_then(scalar::text).filter(|text| !text.is_empty());
    let image = text("image");
    put("image", image.as_deref().map(scalar::image));
    for key in ["command", "entrypoint"] {
        put(key, get(key).map(|value| scalar::line(&words(value))).filter(|line| !line.is_empty()));
    }
    for key in ["user", "working_dir", "hostname", "container_name", "stop_signal"] {
        put(key, text(key));
    }
    for key in ["privileged", "read_only", "tty", "stdin_open", "init"] {
        put(key, get(key).and_then(Value::as_bool).filter(|on| *on).map(|on| on.to_string()));
    }
    for key in ["cap_add", "cap_drop", "security_opt", "dns", "group_add"] {
        put(key, get(key).map(|value| set(&words(value))).filter(|set| !set.is_empty()));
    }
    put("extra_hosts", get("extra_hosts").map(|v| set(&hosts(v))).filter(|set| !set.is_empty()));
    put("stop_grace_period", get("stop_grace_period").and_then(scalar::nanoseconds).map(scalar::duration));
    put("restart", restart(service, generation));
    put("logging", get("logging").and_then(|l| l.get("driver")).and_then(scalar::text));
    for (path, limit) in limits(service, generation) {
        put(path, limit);
    }
    fields.extend(map(get("environment"), "environment"));
    fields.extend(map(get("labels"), "labels"));
    healthcheck(get("healthcheck"), &mut fields);
    place::ports(service, &mut fields);
    around.volumes(service, &mut fields);
    around.networks(name, service, &mut fields);
    let deploy = |key: &str| get("deploy").and_then(|deploy| deploy.get(key));
    let replicas = get("scale").or_else(|| deploy("replicas")).and_then(Value::as_u64).and_then(|n| u32::try_from(n).ok());
    let has_profile = get("profiles").and_then(Value::as_array).is_some_and(|profiles| !profiles.is_empty());
    Service { fields, image, is_built: get("build").is_some(), replicas, has_profile }
}

/// A list, or a text that stands for one.
fn words(value: &Value) -> Vec<String> {
    match value {
        Value::Array(values) => values.iter().filter_map(scalar::text).collect(),
        other => scalar::text(other).map(|text| scalar::split(&text)).unwrap_or_default(),
    }
}

/// Things whose order means nothing.
fn set(things: &[String]) -> String {
    let mut things = things.to_vec();
    things.sort();
    things.dedup();
    things.join(", ")
}

/// `name:address`, whichever way it is written.
fn hosts(value: &Value) -> Vec<String> {
    match value {
        Value::Object(map) => {
            map.iter().filter_map(|(name, address)| Some(format!("{name}:{}", scalar::text(address)?))).collect()
        }
        other => words(other).into_iter().map(|entry| entry.replacen('=', ":", 1)).collect(),
    }
}

/// A map or a list of `NAME=value`. A name without a value is one the tool found no value for: it is not set.
fn map<'a>(value: Option<&'a Value>, prefix: &'a str) -> Vec<(String, String)> {
    let pairs: Vec<(String, String)> = match value {
        Some(Value::Object(map)) => map.iter().filter_map(|(name, value)| Some((name.clone(), scalar::text(value)?))).collect(),
        Some(Value::Array(list)) => list
            .iter()
            .filter_map(Value::as_str)
            .filter_map(|entry| entry.split_once('=').or((prefix == "labels").then_some((entry, ""))))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        Some(_) | None => Vec::new(),
    };
    pairs.into_iter().map(|(name, value)| (format!("{prefix}.{name}"), value)).collect()
}

/// `always`, `on-failure:3`; none is `no`. The first generation leaves `deploy` to Swarm.
fn restart(service: &Map<String, Value>, generation: Generation) -> Option<String> {
    let written = service.get("restart").and_then(scalar::text).filter(|text| !text.is_empty());
    let policy = service.get("deploy").and_then(|deploy| deploy.get("restart_policy")).filter(|_| generation == Generation::Two);
    let of_deploy = || {
        let policy = policy?;
        let most = policy.get("max_attempts").and_then(Value::as_u64).filter(|n| *n > 0);
        Some(match policy.get("condition").and_then(Value::as_str).unwrap_or("any") {
            "none" => "no".to_owned(),
            "on-failure" => most.map_or("on-failure".to_owned(), |n| format!("on-failure:{n}")),
            _ => "always".to_owned(),
        })
    };
    // `false` is how YAML reads `no`.
    written.or_else(of_deploy).filter(|policy| policy != "no" && policy != "false")
}

fn limits(service: &Map<String, Value>, generation: Generation) -> [(&'static str, Option<String>); 4] {
    let of_deploy = |kind: &str, key: &str| {
        let resources = service.get("deploy")?.get("resources")?.get(kind)?;
        resources.get(key).filter(|_| generation == Generation::Two)
    };
    let memory = service.get("mem_limit").or_else(|| of_deploy("limits", "memory")).and_then(scalar::bytes);
    let reserved = service.get("mem_reservation").or_else(|| of_deploy("reservations", "memory")).and_then(scalar::bytes);
    let cpus = service.get("cpus").or_else(|| of_deploy("limits", "cpus")).and_then(scalar::text);
    let cpus = cpus.and_then(|text| text.parse::<f64>().ok()).filter(|cpus| *cpus > 0.0);
    let pids = service.get("pids_limit").or_else(|| of_deploy("limits", "pids")).and_then(Value::as_i64);
    let some = |bytes: Option<u64>| bytes.filter(|b| *b > 0).map(scalar::size);
    [
        ("memory", some(memory)),
        ("memory_reservation", some(reserved)),
        ("cpus", cpus.map(|c| c.to_string())),
        ("pids_limit", pids.filter(|n| *n > 0).map(|n| n.to_string())),
    ]
}

fn healthcheck(value: Option<&Value>, fields: &mut Fields) {
    let Some(check) = value.and_then(Value::as_object) else { return };
    if check.get("disable").and_then(Value::as_bool) == Some(true) {
        fields.insert("healthcheck.test".to_owned(), "NONE".to_owned());
        return;
    }
    let test = match check.get("test") {
        Some(Value::String(shell)) => Some(vec!["CMD-SHELL".to_owned(), shell.clone()]),
        Some(list @ Value::Array(_)) => Some(words(list)),
        Some(_) | None => None,
    };
    if let Some(test) = test.filter(|test| !test.is_empty()) {
        fields.insert("healthcheck.test".to_owned(), scalar::line(&test));
    }
    for key in ["interval", "timeout", "start_period"] {
        let span = check.get(key).and_then(scalar::nanoseconds).filter(|ns| *ns > 0);
        fields.extend(span.map(|ns| (format!("healthcheck.{key}"), scalar::duration(ns))));
    }
    let retries = check.get("retries").and_then(scalar::text).filter(|n| n != "0");
    fields.extend(retries.map(|n| ("healthcheck.retries".to_owned(), n)));
}
