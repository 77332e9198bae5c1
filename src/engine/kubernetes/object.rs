//! A workload's own object, looked up on the server by what the workload is called.

use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use super::client::Client;
use super::place::encoded;
use crate::engine::EngineError;
use crate::model::{EnvironmentId, WorkloadId, WorkloadKind};
use crate::observe::text::clean;

/// The kinds a workload may be of, in the order they are looked for: of two with one name the first keeps it.
const KINDS: [WorkloadKind; 6] = [
    WorkloadKind::Deployment,
    WorkloadKind::StatefulSet,
    WorkloadKind::DaemonSet,
    WorkloadKind::CronJob,
    WorkloadKind::Job,
    WorkloadKind::Container,
];

/// An object as the server has it.
#[derive(Clone, Debug)]
pub struct Object {
    pub kind: WorkloadKind,
    pub namespace: Arc<str>,
    pub name: Arc<str>,
    pub value: Value,
}

impl Object {
    /// The template its pods are made from; a pod of its own is its own.
    #[must_use]
    pub fn template(&self) -> Option<&Value> {
        match self.kind {
            WorkloadKind::Deployment | WorkloadKind::StatefulSet | WorkloadKind::DaemonSet | WorkloadKind::Job => {
                self.value.pointer("/spec/template")
            }
            WorkloadKind::CronJob => self.value.pointer("/spec/jobTemplate/spec/template"),
            WorkloadKind::Container => Some(&self.value),
            WorkloadKind::Service | WorkloadKind::Dependency => None,
        }
    }

    /// Its path on the server.
    #[must_use]
    pub fn path(&self) -> String {
        path(self.kind, &self.namespace, &self.name).unwrap_or_default()
    }

    /// `Deployment web`, for messages.
    #[must_use]
    pub fn words(&self) -> String {
        let kind = if self.kind == WorkloadKind::Container { "Pod" } else { self.kind.word() };
        format!("{kind} {}", clean(&self.name))
    }
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.kind == WorkloadKind::Container { "Pod" } else { self.kind.word() };
        write!(f, "{kind} {}/{}", clean(&self.namespace), clean(&self.name))
    }
}

/// The path of an object of a kind; none where the kind is not the cluster's.
#[must_use]
pub fn path(kind: WorkloadKind, namespace: &str, name: &str) -> Option<String> {
    let (group, plural) = match kind {
        WorkloadKind::Deployment => ("apis/apps/v1", "deployments"),
        WorkloadKind::StatefulSet => ("apis/apps/v1", "statefulsets"),
        WorkloadKind::DaemonSet => ("apis/apps/v1", "daemonsets"),
        WorkloadKind::CronJob => ("apis/batch/v1", "cronjobs"),
        WorkloadKind::Job => ("apis/batch/v1", "jobs"),
        WorkloadKind::Container => ("api/v1", "pods"),
        WorkloadKind::Service | WorkloadKind::Dependency => return None,
    };
    Some(format!("/{group}/namespaces/{}/{plural}/{}", encoded(namespace), encoded(name)))
}

/// What a workload's name says: its namespace, its kind where the name tells it, and its name there.
fn parse(all: Option<&str>, id: &str) -> Option<(Arc<str>, Option<WorkloadKind>, Arc<str>)> {
    let (namespace, rest) = match all {
        Some(namespace) => (namespace, id),
        None => id.split_once('/')?,
    };
    let (kind, name) = match rest.split_once('/') {
        None => (None, rest),
        Some((word, name)) => {
            let named = |kind: &&WorkloadKind| kind.word().eq_ignore_ascii_case(word);
            let pod = word.eq_ignore_ascii_case("pod").then_some(WorkloadKind::Container);
            (Some(KINDS.iter().find(named).copied().or(pod)?), name)
        }
    };
    (!name.is_empty()).then(|| (namespace.into(), kind, name.into()))
}

/// Looks a workload's object up.
///
/// # Errors
/// [`EngineError::NotFound`] when there is none of that name; what the server refused otherwise.
pub async fn find(client: &Client, environment: &EnvironmentId, workload: &WorkloadId) -> Result<Object, EngineError> {
    let missing = || EngineError::NotFound { what: format!("{environment}/{workload}").into() };
    let all = client.namespace(environment).await?;
    let (namespace, kind, name) = parse(all.as_deref(), workload.as_str()).ok_or_else(missing)?;
    let mut refused = None;
    for kind in KINDS.into_iter().filter(|k| kind.is_none_or(|kind| kind == *k)) {
        let Some(path) = path(kind, &namespace, &name) else { continue };
        match client.get(&format!("{kind} {}", clean(&name)), &path).await {
            Ok(value) => return Ok(Object { kind, namespace, name, value }),
            Err(EngineError::NotFound { .. }) => {}
            // One may not look at every kind; another may be the one.
            Err(error @ EngineError::Forbidden { .. }) => refused = refused.or(Some(error)),
            Err(other) => return Err(other),
        }
    }
    Err(refused.unwrap_or_else(missing))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_where_an_object_is() {
        use WorkloadKind::{Container, StatefulSet};
        for (all, id, expected) in [
            (Some("shop"), "web", Some(("shop", None, "web"))),
            (Some("shop"), "statefulset/redis", Some(("shop", Some(StatefulSet), "redis"))),
            (Some("shop"), "pod/shell", Some(("shop", Some(Container), "shell"))),
            (Some("shop"), "nonsense/redis", None),
            (None, "shop/web", Some(("shop", None, "web"))),
            (None, "shop/statefulset/redis", Some(("shop", Some(StatefulSet), "redis"))),
            (None, "web", None),
        ] {
            let found = parse(all, id);
            let parts = found.as_ref().map(|(namespace, kind, name)| (&**namespace, *kind, &**name));
            assert_eq!(parts, expected, "{id}");
        }
    }
}
