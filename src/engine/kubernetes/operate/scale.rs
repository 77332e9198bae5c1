//! How many: the scale of a workload, what it rests at while it is stopped, and the bounds of its autoscaler.

use serde_json::{Value, json};

use super::call::{annotation, items, text, within};
use super::change::{Patch, Told, change, change_at};
use crate::engine::kubernetes::client::Client;
use crate::engine::kubernetes::object::Object;
use crate::engine::{EngineError, Report};
use crate::model::WorkloadKind as Kind;
use crate::operate::Accepted;

/// How many were wanted before a workload was stopped: what its start brings back.
pub const RESTING: &str = "quarterdeck.io/resting";

/// Sets the number of replicas; what a stopped one had is written on it for its start.
///
/// # Errors
/// [`EngineError::Conflict`] when somebody else changes that number meanwhile; what the server refused.
pub(super) async fn set_replicas(
    client: &Client,
    object: &Object,
    replicas: u32,
    report: &Report,
) -> Result<Accepted, EngineError> {
    if !matches!(object.kind, Kind::Deployment | Kind::StatefulSet) {
        let why = format!("a {} has no number of replicas", object.kind.word()).into();
        return Err(EngineError::Unsupported { what: format!("Scaling {object}").into(), why });
    }
    let rest = |raw: &Value| Ok(resting(raw, replicas));
    let noted = change(client, object, wanted, rest).await;
    match noted {
        Ok(_) => {}
        // Who may only scale may do so.
        Err(EngineError::Forbidden { why, .. }) => report(format!("how many it had cannot be written on it: {why}")),
        Err(other) => return Err(other),
    }
    let path = format!("{}/scale", object.path());
    change_at(client, &object.to_string(), &path, wanted, |raw| Ok(scaled(raw, replicas))).await
}

fn wanted(raw: &Value) -> u64 {
    // What is not said is 0 in a scale, where nothing is left out on the way in.
    raw.pointer("/spec/replicas").and_then(Value::as_u64).unwrap_or(0)
}

fn resting(raw: &Value, replicas: u32) -> Told {
    let now = wanted(raw);
    let note = match (replicas, now) {
        (0, 0) => return Told::Already,
        (0, now) => json!(now.to_string()),
        (_, _) if annotation(raw, RESTING).is_none() => return Told::Already,
        (_, _) => Value::Null,
    };
    Told::Changed(Patch::Merge, json!({ "metadata": { "annotations": { RESTING: note } } }))
}

fn scaled(scale: &Value, replicas: u32) -> Told {
    if wanted(scale) == u64::from(replicas) {
        return Told::Already;
    }
    Told::Changed(Patch::Merge, json!({ "spec": { "replicas": replicas } }))
}

/// Sets the bounds of the autoscaler that owns a workload's number of replicas.
///
/// # Errors
/// [`EngineError::NotFound`] when none does; else as [`set_replicas`].
pub(super) async fn set_bounds(client: &Client, object: &Object, min: u32, max: u32) -> Result<Accepted, EngineError> {
    let all = within("/apis/autoscaling/v2", &object.namespace, "horizontalpodautoscalers", "");
    let list: Value = client.get("Listing autoscalers", &all).await?;
    let owns = |one: &&Value| {
        text(one, "/spec/scaleTargetRef/kind") == object.kind.word() && text(one, "/spec/scaleTargetRef/name") == *object.name
    };
    let Some(name) = items(&list).find(owns).map(|one| text(one, "/metadata/name")) else {
        return Err(EngineError::NotFound { what: format!("an autoscaler of {object}").into() });
    };
    let path = within("/apis/autoscaling/v2", &object.namespace, "horizontalpodautoscalers", &name);
    let what = format!("HorizontalPodAutoscaler {}/{name}", object.namespace);
    change_at(client, &what, &path, bounds, |raw| Ok(bounded(raw, min, max))).await
}

fn bounds(raw: &Value) -> (u64, u64) {
    let number = |pointer| raw.pointer(pointer).and_then(Value::as_u64);
    (number("/spec/minReplicas").unwrap_or(1), number("/spec/maxReplicas").unwrap_or(0))
}

fn bounded(raw: &Value, min: u32, max: u32) -> Told {
    if bounds(raw) == (min.into(), max.into()) {
        return Told::Already;
    }
    Told::Changed(Patch::Merge, json!({ "spec": { "minReplicas": min, "maxReplicas": max } }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stopped_one_is_told_what_it_had_and_a_started_one_forgets_it() {
        let of = |replicas: u32, resting: Option<&str>| json!({ "metadata": { "annotations": { RESTING: resting } }, "spec": { "replicas": replicas } });
        let note = |value: Value| Told::Changed(Patch::Merge, json!({ "metadata": { "annotations": { RESTING: value } } }));
        for (raw, replicas, expected) in [
            (of(3, None), 0, note(json!("3"))),
            (of(0, Some("3")), 0, Told::Already),
            (of(0, Some("3")), 3, note(Value::Null)),
            (of(3, None), 5, Told::Already),
        ] {
            assert_eq!(resting(&raw, replicas), expected, "{raw} to {replicas}");
        }
    }

    #[test]
    fn what_is_so_already_is_not_told_again() {
        assert_eq!(scaled(&json!({ "spec": {} }), 0), Told::Already);
        assert_eq!(scaled(&json!({ "spec": { "replicas": 3 } }), 3), Told::Already);
        assert_eq!(bounded(&json!({ "spec": { "maxReplicas": 4 } }), 1, 4), Told::Already);
        let told = bounded(&json!({ "spec": { "minReplicas": 2, "maxReplicas": 4 } }), 2, 9);
        assert_eq!(told, Told::Changed(Patch::Merge, json!({ "spec": { "minReplicas": 2, "maxReplicas": 9 } })));
    }
}
