//! Rollouts and schedules held where they are, and a job of a schedule started by hand.

use serde_json::{Value, json};

use super::call::{annotation, create, text, within};
use super::change::{Patch, Told, change};
use super::template::OPERATION;
use crate::engine::EngineError;
use crate::engine::kubernetes::client::Client;
use crate::engine::kubernetes::object::Object;
use crate::model::OperationId;
use crate::model::WorkloadKind as Kind;
use crate::operate::{Accepted, mirror};

/// Holds a rollout or a schedule where it is, or lets it go on.
///
/// # Errors
/// What the server refused; [`EngineError::Unsupported`] for kinds that cannot be held.
pub(super) async fn suspend(client: &Client, object: &Object, on: bool) -> Result<Accepted, EngineError> {
    let field = match object.kind {
        Kind::Deployment => "paused",
        Kind::CronJob => "suspend",
        Kind::StatefulSet | Kind::DaemonSet | Kind::Job | Kind::Container | Kind::Service | Kind::Dependency => {
            let why = format!("a {} cannot be held where it is", object.kind.word()).into();
            return Err(EngineError::Unsupported { what: format!("Holding {object}").into(), why });
        }
    };
    let is = |raw: &Value| raw.pointer(&format!("/spec/{field}")).and_then(Value::as_bool).unwrap_or(false);
    change(client, object, is, |raw| {
        let body = json!({ "spec": { field: on } });
        Ok(if is(raw) == on { Told::Already } else { Told::Changed(Patch::Merge, body) })
    })
    .await
}

/// Makes a job of a schedule now.
///
/// # Errors
/// As [`suspend`].
pub(super) async fn trigger(client: &Client, object: &Object, operation: &OperationId) -> Result<Accepted, EngineError> {
    if object.kind != Kind::CronJob {
        let why = format!("it is a {}, not a schedule", object.kind.word()).into();
        return Err(EngineError::Unsupported { what: format!("Starting a job of {object}").into(), why });
    }
    let job = job(object, operation);
    let what = format!("Job {}/{}", object.namespace, text(&job, "/metadata/name"));
    let path = within("/apis/batch/v1", &object.namespace, "jobs", "");
    match create(client, &what, &path, &job).await {
        Ok(_) => Ok(Accepted::Done),
        Err(EngineError::Conflict { cause, .. }) => {
            let path = within("/apis/batch/v1", &object.namespace, "jobs", &text(&job, "/metadata/name"));
            let there: Value = client.get(&what, &path).await?;
            if annotation(&there, OPERATION) == Some(operation.as_str()) {
                return Ok(Accepted::AlreadySo);
            }
            Err(EngineError::Conflict { what: what.into(), cause })
        }
        Err(other) => Err(other),
    }
}

/// The job, as `kubectl create job --from` makes it, named by the operation.
fn job(object: &Object, operation: &OperationId) -> Value {
    let of = |pointer: &str| object.value.pointer(pointer).cloned().unwrap_or_else(|| json!({}));
    let mut annotations = of("/spec/jobTemplate/metadata/annotations");
    annotations["cronjob.kubernetes.io/instantiate"] = json!("manual");
    annotations[OPERATION] = json!(operation.as_str());
    json!({
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": mirror::beside(&object.name, operation),
            "namespace": &*object.namespace,
            "labels": of("/spec/jobTemplate/metadata/labels"),
            "annotations": annotations,
            "ownerReferences": [{
                "apiVersion": "batch/v1",
                "kind": "CronJob",
                "name": &*object.name,
                "uid": of("/metadata/uid"),
                "controller": true,
            }],
        },
        "spec": of("/spec/jobTemplate/spec"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_started_by_hand_is_its_schedules_own() {
        let value = json!({
            "metadata": { "uid": "u-1" },
            "spec": { "jobTemplate": { "metadata": { "labels": { "app": "x" } }, "spec": { "backoffLimit": 2 } } },
        });
        let object = Object { kind: Kind::CronJob, namespace: "shop".into(), name: "nightly".into(), value };
        let operation = OperationId::from("op-1");
        let job = job(&object, &operation);
        assert_eq!(text(&job, "/metadata/name"), format!("nightly-{}", mirror::tag(&operation)));
        assert_eq!(job["metadata"]["ownerReferences"][0]["uid"], "u-1");
        assert_eq!(annotation(&job, "cronjob.kubernetes.io/instantiate"), Some("manual"));
        assert_eq!((&job["metadata"]["labels"]["app"], &job["spec"]["backoffLimit"]), (&json!("x"), &json!(2)));
    }
}
