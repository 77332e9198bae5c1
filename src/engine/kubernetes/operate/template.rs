//! What a workload's pods are made from: another image, fresh pods of the same, an earlier revision. Each writes on the
//! object who did it and why, which its controller copies to the revision it makes.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::call::{annotation, text};
use super::change::{Patch, Told, change};
use super::history;
use crate::engine::EngineError;
use crate::engine::kubernetes::client::Client;
use crate::engine::kubernetes::object::Object;
use crate::model::WorkloadKind as Kind;
use crate::model::{OperationId, Revision};
use crate::operate::{Accepted, image};

/// Why a revision was made: kubectl's own, and shown by `kubectl rollout history`.
pub const CAUSE: &str = "kubernetes.io/change-cause";
/// By whom: `user@host`.
pub const BY: &str = "quarterdeck.io/by";
/// Which revision it is, by the number and time it was planned with: told again, it is found to be there.
pub const REVISION: &str = "quarterdeck.io/revision";
/// The operation that restarted it last.
pub const OPERATION: &str = "quarterdeck.io/operation";
/// What a restart changes in the template; kubectl's own.
const RESTARTED: &str = "kubectl.kubernetes.io/restartedAt";

/// How long a controller may take to notice what it was told, and how often it is looked at.
const NOTICED_WITHIN: Duration = Duration::from_secs(5);
const LOOK_EVERY: Duration = Duration::from_millis(150);

/// Gives a container of the workload the image of `revision`.
///
/// # Errors
/// [`EngineError::Unmet`] when it is not clear which container is meant; [`EngineError::Conflict`] when somebody else
/// changes the template meanwhile.
pub(super) async fn set_image(
    client: &Client,
    object: &Object,
    container: Option<&str>,
    revision: &Revision,
) -> Result<Accepted, EngineError> {
    let alter = |raw: &Value| imaged(object, raw, container, revision);
    told(client, object, change(client, object, template, alter).await?).await
}

fn imaged(object: &Object, raw: &Value, container: Option<&str>, revision: &Revision) -> Result<Told, EngineError> {
    if is_recorded(raw, revision) {
        return Ok(Told::Already);
    }
    let (name, now) = choose(object, raw, container, revision)?;
    if now == revision.image {
        let cause = format!("its container {name} has the image {now} already: there is no new revision of it").into();
        return Err(EngineError::Conflict { what: object.to_string().into(), cause });
    }
    let pods = json!({ "spec": { "containers": [{ "name": &*name, "image": &*revision.image }] } });
    let spec = match object.kind {
        Kind::CronJob => json!({ "jobTemplate": { "spec": { "template": pods } } }),
        Kind::Deployment
        | Kind::StatefulSet
        | Kind::DaemonSet
        | Kind::Job
        | Kind::Container
        | Kind::Service
        | Kind::Dependency => json!({ "template": pods }),
    };
    Ok(Told::Changed(Patch::Strategic, json!({ "metadata": { "annotations": record(revision) }, "spec": spec })))
}

/// The container meant, and its image now.
pub(super) fn choose(
    object: &Object,
    raw: &Value,
    container: Option<&str>,
    revision: &Revision,
) -> Result<(Arc<str>, Arc<str>), EngineError> {
    let containers = containers(&template(raw));
    let name = image::container(&containers, container, &object.name, &revision.image)
        .map_err(|why| EngineError::Unmet { what: object.to_string().into(), why })?;
    let now = containers.into_iter().find(|(n, _)| *n == name).map(|(_, now)| now).unwrap_or_default();
    Ok((name, now))
}

/// The containers of a template that stay, by name and image.
fn containers(template: &Value) -> Vec<(Arc<str>, Arc<str>)> {
    let list = template.pointer("/spec/containers").and_then(Value::as_array).into_iter().flatten();
    list.map(|one| (text(one, "/name").into(), text(one, "/image").into())).collect()
}

/// The template of a workload's pods.
pub(super) fn template(raw: &Value) -> Value {
    let found = raw.pointer("/spec/jobTemplate/spec/template").or_else(|| raw.pointer("/spec/template"));
    found.cloned().unwrap_or_default()
}

/// Who made a revision, why, and which one it is.
pub(super) fn record(revision: &Revision) -> Map<String, Value> {
    let or_none = |text: Option<&Arc<str>>| text.map_or(Value::Null, |text| json!(&**text));
    [
        (CAUSE.to_owned(), or_none(revision.cause.as_ref())),
        (BY.to_owned(), or_none(revision.by.as_ref())),
        (REVISION.to_owned(), json!(mark(revision))),
    ]
    .into_iter()
    .collect()
}

fn mark(revision: &Revision) -> String {
    let at = revision.at.map(|at| at.to_string()).unwrap_or_default();
    format!("{} {at}", revision.number)
}

/// Whether this very revision was told already.
pub(super) fn is_recorded(raw: &Value, revision: &Revision) -> bool {
    annotation(raw, REVISION) == Some(&mark(revision)) && annotation(raw, BY) == revision.by.as_deref()
}

/// Has every pod replaced by a fresh one of the same definition.
///
/// # Errors
/// As [`set_image`].
pub(super) async fn roll_out(client: &Client, object: &Object, operation: &OperationId) -> Result<Accepted, EngineError> {
    let now = Timestamp::now();
    let alter = |raw: &Value| Ok(restarted(raw, operation, now));
    told(client, object, change(client, object, template, alter).await?).await
}

fn restarted(raw: &Value, operation: &OperationId, now: Timestamp) -> Told {
    if annotation(raw, OPERATION) == Some(operation.as_str()) {
        return Told::Already;
    }
    // Whoever made the revision before did not make this one.
    let notes = json!({ OPERATION: operation.as_str(), CAUSE: "restart", BY: null, REVISION: null });
    let template = json!({ "metadata": { "annotations": { RESTARTED: format!("{now:.0}") } } });
    Told::Changed(Patch::Strategic, json!({ "metadata": { "annotations": notes }, "spec": { "template": template } }))
}

/// Gives a workload the template of an earlier revision back, as a new one.
///
/// # Errors
/// [`EngineError::NotFound`] when the server has forgotten that revision; else as [`set_image`].
pub(super) async fn revert(client: &Client, object: &Object, to: u64, revision: &Revision) -> Result<Accepted, EngineError> {
    let raw: Value = client.get(&object.to_string(), &object.path()).await?;
    if is_recorded(&raw, revision) {
        return Ok(Accepted::AlreadySo);
    }
    let old = history::find(client, object, &raw, to).await?;
    let alter = |raw: &Value| Ok(reverted(raw, &old, revision));
    told(client, object, change(client, object, template, alter).await?).await
}

fn reverted(raw: &Value, old: &history::Old, revision: &Revision) -> Told {
    if is_recorded(raw, revision) || history::is_same(&old.template, &template(raw)) {
        return Told::Already;
    }
    let mut notes = record(revision);
    if let Some(patch) = &old.patch {
        let mut body = patch.clone();
        body["metadata"]["annotations"] = Value::Object(notes);
        return Told::Changed(Patch::Strategic, body);
    }
    notes.retain(|_, value| !value.is_null());
    let mut all = raw.pointer("/metadata/annotations").and_then(Value::as_object).cloned().unwrap_or_default();
    all.retain(|key, _| ![CAUSE, BY, REVISION].contains(&key.as_str()));
    all.extend(notes);
    let steps = json!([
        { "op": "replace", "path": "/spec/template", "value": old.template },
        { "op": "add", "path": "/metadata/annotations", "value": all },
    ]);
    Told::Changed(Patch::Steps, steps)
}

/// Waits until the controller has noticed what it was told: from then on what it says is about that. One that does not is
/// for the gate that follows to find out.
async fn told(client: &Client, object: &Object, accepted: Accepted) -> Result<Accepted, EngineError> {
    let noticed = |raw: &Value| {
        let number = |pointer| raw.pointer(pointer).and_then(Value::as_u64);
        number("/status/observedGeneration") >= number("/metadata/generation")
    };
    let wait = async {
        while let Ok(raw) = client.get::<Value>(&object.to_string(), &object.path()).await {
            if noticed(&raw) {
                break;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    let _late = tokio::time::timeout(NOTICED_WITHIN, wait).await;
    Ok(accepted)
}
