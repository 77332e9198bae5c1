//! What an action is about, as an object of the server: where it lies, and how it is found by a workload's id.

use std::fmt;
use std::sync::Arc;

use http::Method;
use serde_json::Value;

use crate::engine::EngineError;
use crate::engine::kubernetes::client::{Client, FIELD_MANAGER};
use crate::model::{EnvironmentId, InstanceId, WorkloadId};
use crate::observe::text::clean;

/// Kinds that are workloads, in the order a plain name is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Deployment,
    StatefulSet,
    DaemonSet,
    CronJob,
    Job,
}

impl Kind {
    const ALL: [Self; 5] = [Self::Deployment, Self::StatefulSet, Self::DaemonSet, Self::CronJob, Self::Job];

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Deployment => "Deployment",
            Self::StatefulSet => "StatefulSet",
            Self::DaemonSet => "DaemonSet",
            Self::CronJob => "CronJob",
            Self::Job => "Job",
        }
    }

    /// Group and version, and the plural in paths.
    fn place(self) -> (&'static str, &'static str) {
        match self {
            Self::Deployment => ("apps/v1", "deployments"),
            Self::StatefulSet => ("apps/v1", "statefulsets"),
            Self::DaemonSet => ("apps/v1", "daemonsets"),
            Self::CronJob => ("batch/v1", "cronjobs"),
            Self::Job => ("batch/v1", "jobs"),
        }
    }
}

/// A workload as the server has it.
#[derive(Clone, Debug)]
pub(super) struct Object {
    pub kind: Kind,
    pub namespace: Arc<str>,
    pub name: Arc<str>,
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}/{}", self.kind.word(), self.namespace, self.name)
    }
}

impl Object {
    /// Its path on the server.
    pub(super) fn path(&self) -> String {
        let (group, plural) = self.kind.place();
        within(&format!("/apis/{group}"), &self.namespace, plural, &self.name)
    }
}

/// The path of an object (none named: of all of its kind) in a namespace.
pub(super) fn within(group: &str, namespace: &str, plural: &str, name: &str) -> String {
    let name = if name.is_empty() { String::new() } else { format!("/{}", segment(name)) };
    format!("{group}/namespaces/{}/{plural}{name}", segment(namespace))
}

/// A part of a path, or a value of a query, escaped.
pub(super) fn segment(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// `?fieldManager=…`, of everything that is written.
pub(super) fn managed(path: &str) -> String {
    let sign = if path.contains('?') { '&' } else { '?' };
    format!("{path}{sign}fieldManager={FIELD_MANAGER}")
}

/// Where an id says a workload is: its namespace, its kind where it names one, its name.
fn parts<'a>(id: &'a str, namespace: Option<&'a str>) -> Option<(&'a str, Option<Kind>, &'a str)> {
    let (namespace, rest) = match namespace {
        Some(namespace) => (namespace, id),
        None => id.split_once('/')?,
    };
    let Some((kind, name)) = rest.split_once('/') else { return Some((namespace, None, rest)) };
    let kind = Kind::ALL.into_iter().find(|k| k.word().eq_ignore_ascii_case(kind))?;
    Some((namespace, Some(kind), name))
}

/// A workload, found on the server: where it is, and as it is now.
pub(super) async fn find(
    client: &Client,
    environment: &EnvironmentId,
    workload: &WorkloadId,
) -> Result<(Object, Value), EngineError> {
    let namespace = client.namespace(environment).await?;
    let missing = || EngineError::NotFound { what: format!("workload {workload}").into() };
    let (namespace, kind, name) = parts(workload.as_str(), namespace.as_deref()).ok_or_else(missing)?;
    let mut hidden = None;
    for candidate in Kind::ALL.into_iter().filter(|k| kind.is_none_or(|kind| kind == *k)) {
        let object = Object { kind: candidate, namespace: namespace.into(), name: name.into() };
        match client.get::<Value>(&object.to_string(), &object.path()).await {
            Ok(raw) => return Ok((object, raw)),
            Err(EngineError::NotFound { .. }) => {}
            // It may be one of another kind, which one may see.
            Err(error @ EngineError::Forbidden { .. }) => hidden = hidden.or(Some(error)),
            Err(other) => return Err(other),
        }
    }
    Err(hidden.unwrap_or_else(missing))
}

/// A pod's namespace and name.
pub(super) fn pod(instance: &InstanceId) -> Result<(&str, &str), EngineError> {
    let mut parts = instance.as_str().split('/');
    match (parts.next(), parts.next()) {
        (Some(namespace), Some(name)) if !namespace.is_empty() && !name.is_empty() => Ok((namespace, name)),
        _ => Err(EngineError::NotFound { what: format!("pod {instance}").into() }),
    }
}

/// Makes an object.
pub(super) async fn create(client: &Client, what: &str, path: &str, body: &Value) -> Result<Value, EngineError> {
    client.ask(what, Method::POST, &managed(path), body.to_string().into_bytes(), Some("application/json")).await
}

/// Deletes an object. `options`: a `DeleteOptions`. Gone already is fine, and told by `false`.
pub(super) async fn delete(client: &Client, what: &str, path: &str, options: &Value) -> Result<bool, EngineError> {
    let body = options.to_string().into_bytes();
    match client.ask::<Value>(what, Method::DELETE, path, body, Some("application/json")).await {
        Ok(_) => Ok(true),
        Err(EngineError::NotFound { .. }) => Ok(false),
        Err(other) => Err(other),
    }
}

/// The text at a pointer, sanitised; empty where there is none.
pub(super) fn text(raw: &Value, pointer: &str) -> String {
    clean(raw.pointer(pointer).and_then(Value::as_str).unwrap_or_default()).into_owned()
}

/// An annotation as it is.
pub(super) fn annotation<'a>(raw: &'a Value, key: &str) -> Option<&'a str> {
    raw.get("metadata")?.get("annotations")?.get(key)?.as_str()
}

/// The objects of a list.
pub(super) fn items(list: &Value) -> impl Iterator<Item = &Value> {
    list.get("items").and_then(Value::as_array).into_iter().flatten()
}

/// Whether the object `raw` belongs to the one with this uid.
pub(super) fn is_owned(raw: &Value, uid: &str) -> bool {
    let owners = raw.pointer("/metadata/ownerReferences").and_then(Value::as_array).into_iter().flatten();
    !uid.is_empty() && owners.into_iter().any(|owner| owner.get("uid").and_then(Value::as_str) == Some(uid))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_says_where_its_workload_is() {
        for (id, namespace, expected) in [
            ("api", Some("shop"), Some(("shop", None, "api"))),
            ("statefulset/redis", Some("shop"), Some(("shop", Some(Kind::StatefulSet), "redis"))),
            ("shop/api", None, Some(("shop", None, "api"))),
            ("shop/cronjob/api", None, Some(("shop", Some(Kind::CronJob), "api"))),
            ("api", None, None),
            ("secret/api", Some("shop"), None),
        ] {
            assert_eq!(parts(id, namespace), expected, "{id}");
        }
    }

    #[test]
    fn paths_are_escaped_and_pods_are_named_whole() {
        let object = Object { kind: Kind::CronJob, namespace: "shop".into(), name: "a/../b".into() };
        assert_eq!(object.path(), "/apis/batch/v1/namespaces/shop/cronjobs/a%2F..%2Fb");
        assert_eq!(pod(&InstanceId::new("shop/api-1")).unwrap(), ("shop", "api-1"));
        assert_eq!(pod(&InstanceId::new("shop/api-1/web")).unwrap(), ("shop", "api-1"));
        assert!(pod(&InstanceId::new("api-1")).is_err());
    }
}
