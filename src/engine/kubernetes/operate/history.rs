//! Earlier templates of a workload, as its controller keeps them: a Deployment's in its `ReplicaSets`, those of the others
//! in `ControllerRevisions`.

use serde_json::Value;

use super::call::{annotation, is_owned, items, text, within};
use crate::engine::EngineError;
use crate::engine::kubernetes::client::Client;
use crate::engine::kubernetes::object::Object;
use crate::engine::kubernetes::place::encoded;
use crate::model::WorkloadKind as Kind;

/// The number of the revision a `ReplicaSet` is, and those it was before.
const NUMBER: &str = "deployment.kubernetes.io/revision";
const NUMBERS: &str = "deployment.kubernetes.io/revision-history";
/// What a controller adds to the labels of the pods of one template.
pub(super) const HASH: &str = "pod-template-hash";

/// A template of before.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Old {
    pub template: Value,
    /// What brings it back, where its controller has kept that whole.
    pub patch: Option<Value>,
}

/// The template revision `to` of a workload had.
pub(super) async fn find(client: &Client, object: &Object, raw: &Value, to: u64) -> Result<Old, EngineError> {
    let missing = || EngineError::NotFound { what: format!("revision {to} of {object}").into() };
    let found = match object.kind {
        Kind::Deployment => replica_set(client, object, raw, to).await?.map(|set| Old { template: unhashed(&set), patch: None }),
        Kind::StatefulSet | Kind::DaemonSet => controller_revision(client, object, raw, to).await?,
        Kind::CronJob | Kind::Job | Kind::Container | Kind::Service | Kind::Dependency => {
            let what = format!("Going back with {object}").into();
            return Err(EngineError::Unsupported { what, why: "the server keeps no earlier revisions of it".into() });
        }
    };
    found.ok_or_else(missing)
}

/// Those of the objects of a kind that belong to a workload.
async fn owned(client: &Client, object: &Object, raw: &Value, plural: &str) -> Result<Vec<Value>, EngineError> {
    let path = within("/apis/apps/v1", &object.namespace, plural, "");
    let labels = raw.pointer("/spec/selector/matchLabels").and_then(Value::as_object).into_iter().flatten();
    let chosen: Vec<String> = labels.filter_map(|(key, value)| Some(format!("{key}={}", value.as_str()?))).collect();
    let path = format!("{path}?labelSelector={}", encoded(&chosen.join(",")));
    let list: Value = client.get(&format!("Listing {plural}"), &path).await?;
    let uid = text(raw, "/metadata/uid");
    Ok(items(&list).filter(|one| is_owned(one, &uid)).cloned().collect())
}

/// The `ReplicaSet` that is, or else once was, revision `to` of a Deployment.
async fn replica_set(client: &Client, object: &Object, raw: &Value, to: u64) -> Result<Option<Value>, EngineError> {
    let sets = owned(client, object, raw, "replicasets").await?;
    Ok(numbered(&sets, to).cloned())
}

fn numbered(sets: &[Value], to: u64) -> Option<&Value> {
    let number = to.to_string();
    let is = |set: &&Value| annotation(set, NUMBER) == Some(&*number);
    let was = |set: &&Value| annotation(set, NUMBERS).is_some_and(|list| list.split(',').any(|n| n.trim() == number));
    sets.iter().find(is).or_else(|| sets.iter().find(was))
}

/// The `ReplicaSet` a Deployment makes its pods with now.
pub(super) async fn current(client: &Client, object: &Object, raw: &Value) -> Result<Option<Value>, EngineError> {
    let Some(now) = annotation(raw, NUMBER).and_then(|n| n.parse().ok()) else { return Ok(None) };
    replica_set(client, object, raw, now).await
}

/// The template of a `ReplicaSet` as the Deployment had it.
fn unhashed(set: &Value) -> Value {
    let mut template = set.pointer("/spec/template").cloned().unwrap_or_default();
    if let Some(labels) = template.pointer_mut("/metadata/labels").and_then(Value::as_object_mut) {
        labels.remove(HASH);
    }
    template
}

async fn controller_revision(client: &Client, object: &Object, raw: &Value, to: u64) -> Result<Option<Old>, EngineError> {
    let all = owned(client, object, raw, "controllerrevisions").await?;
    Ok(all.iter().find(|one| one.get("revision").and_then(Value::as_u64) == Some(to)).and_then(kept))
}

fn kept(revision: &Value) -> Option<Old> {
    let data = revision.get("data")?;
    let mut template = data.pointer("/spec/template")?.clone();
    template.as_object_mut()?.remove("$patch");
    Some(Old { template, patch: Some(data.clone()) })
}

/// Whether two templates say the same: what is not said and what is said to be nothing are one.
pub(super) fn is_same(one: &Value, other: &Value) -> bool {
    bare(one) == bare(other)
}

fn bare(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let said = map.iter().map(|(key, value)| (key.clone(), bare(value))).filter(|(_, value)| !value.is_null());
            Value::Object(said.collect())
        }
        Value::Array(list) => Value::Array(list.iter().map(bare).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_revision_is_found_by_its_number_now_before_its_numbers_of_before() {
        let set = |name: &str, now: &str, before: &str| json!({ "metadata": { "name": name, "annotations": { NUMBER: now, NUMBERS: before } } });
        let sets = [set("a", "5", "1,3"), set("b", "3", ""), set("c", "4", "2")];
        for (to, expected) in [(5, Some("a")), (3, Some("b")), (1, Some("a")), (2, Some("c")), (6, None)] {
            assert_eq!(numbered(&sets, to).map(|s| text(s, "/metadata/name")).as_deref(), expected, "{to}");
        }
    }

    #[test]
    fn a_template_is_taken_out_of_what_keeps_it() {
        let set = json!({ "spec": { "template": { "metadata": { "labels": { "app": "api", HASH: "5d4" } }, "spec": {} } } });
        assert_eq!(unhashed(&set), json!({ "metadata": { "labels": { "app": "api" } }, "spec": {} }));
        let revision = json!({ "revision": 2, "data": { "spec": { "template": { "$patch": "replace", "spec": { "a": 1 } } } } });
        let old = kept(&revision).unwrap();
        assert_eq!(old.template, json!({ "spec": { "a": 1 } }));
        assert_eq!(old.patch.as_ref(), revision.get("data"));
        assert!(!is_same(&old.template, &json!({ "spec": { "a": 2 } })));
        assert!(is_same(&json!({ "a": null, "b": [1] }), &json!({ "b": [1] })));
    }
}
