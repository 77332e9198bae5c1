//! The definition a workload had at a revision, as lines two of which can be compared: the template of its `ReplicaSet`, or
//! what its `ControllerRevision` holds.

use serde_json::Value;

use super::masked;
use crate::engine::EngineError;
use crate::engine::kubernetes::client::Client;
use crate::engine::kubernetes::object::Object;
use crate::engine::kubernetes::place::encoded;
use crate::model::WorkloadKind;
use crate::observe::text::clean;

/// Where a `ReplicaSet` carries the number of its revision.
const NUMBER: &str = "/metadata/annotations/deployment.kubernetes.io~1revision";
/// Labels the controllers put on templates themselves: they differ whatever was changed.
const VOLATILE: [&str; 3] = ["pod-template-hash", "controller-revision-hash", "pod-template-generation"];

/// The lines of a revision, `path: value` each, sorted by path.
///
/// # Errors
/// [`EngineError::NotFound`] when the cluster does not keep it; what the server refused otherwise.
pub(super) async fn lines(client: &Client, object: &Object, number: u64) -> Result<Vec<String>, EngineError> {
    let what = format!("revision {number} of {}", object.words());
    let plural = match object.kind {
        WorkloadKind::Deployment => "replicasets",
        WorkloadKind::StatefulSet | WorkloadKind::DaemonSet => "controllerrevisions",
        WorkloadKind::CronJob
        | WorkloadKind::Job
        | WorkloadKind::Container
        | WorkloadKind::Service
        | WorkloadKind::Dependency => {
            let why = "only Deployments, StatefulSets and DaemonSets keep revisions";
            return Err(EngineError::Unsupported { what: what.into(), why: why.into() });
        }
    };
    let selector = encoded(&labels(object.value.pointer("/spec/selector/matchLabels")));
    let path = format!("/apis/apps/v1/namespaces/{}/{plural}?labelSelector={selector}", encoded(&object.namespace));
    let all: Value = client.get(&what, &path).await?;
    let owner = object.value.pointer("/metadata/uid").and_then(Value::as_str).unwrap_or_default();
    let template = find(&all, owner, number).ok_or_else(|| EngineError::NotFound { what: what.into() })?;
    Ok(flattened(template))
}

fn labels(of: Option<&Value>) -> String {
    let all = of.and_then(Value::as_object).into_iter().flatten();
    all.map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default())).collect::<Vec<_>>().join(",")
}

/// The template of a revision among those an owner has.
fn find<'a>(all: &'a Value, owner: &str, number: u64) -> Option<&'a Value> {
    let is_its = |item: &&Value| {
        let owners = item.pointer("/metadata/ownerReferences").and_then(Value::as_array);
        owners.is_some_and(|all| all.iter().any(|o| o.get("uid").and_then(Value::as_str) == Some(owner)))
    };
    let number_of = |item: &Value| match item.get("revision") {
        Some(revision) => revision.as_u64(),
        None => item.pointer(NUMBER)?.as_str()?.parse().ok(),
    };
    let found = all.get("items")?.as_array()?.iter().filter(is_its).find(|item| number_of(item) == Some(number))?;
    found.pointer("/spec/template").or_else(|| found.pointer("/data/spec/template"))
}

/// `path: value` of every leaf, masked.
fn flattened(template: &Value) -> Vec<String> {
    let mut template = template.clone();
    if let Some(fields) = template.as_object_mut() {
        fields.remove("$patch");
    }
    if let Some(labels) = template.pointer_mut("/metadata/labels").and_then(Value::as_object_mut) {
        labels.retain(|key, _| !VOLATILE.contains(&key.as_str()));
    }
    masked::mask(None, &mut template);
    let mut lines = Vec::new();
    flatten("", &template, &mut lines);
    lines.sort_unstable();
    lines
}

fn flatten(path: &str, value: &Value, lines: &mut Vec<String>) {
    let mut leaf = |text: &str| lines.push(format!("{path}: {}", clean(text).replace('\n', "\\n")));
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                let path = match (path, key.contains(['.', '/'])) {
                    ("", _) => key.clone(),
                    (path, true) => format!("{path}[{key}]"),
                    (path, false) => format!("{path}.{key}"),
                };
                flatten(&path, value, lines);
            }
        }
        Value::Array(list) => {
            let keys = keys(list);
            for (index, item) in list.iter().enumerate() {
                let key = keys.as_ref().and_then(|keys| keys.get(index)).cloned().unwrap_or_else(|| index.to_string());
                flatten(&format!("{path}[{key}]"), item, lines);
            }
        }
        Value::String(text) => leaf(text),
        Value::Null => {}
        Value::Bool(_) | Value::Number(_) => leaf(&value.to_string()),
    }
}

/// What the items of a list are called, where each has a name of its own: one put in front of others moves none of them.
fn keys(list: &[Value]) -> Option<Vec<String>> {
    ["mountPath", "name", "containerPort", "key", "topologyKey", "ip"].iter().find_map(|field| {
        let of = |item: &Value| match item.get(field)? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        };
        let keys: Vec<String> = list.iter().map(of).collect::<Option<_>>()?;
        let mut unique = keys.clone();
        unique.sort_unstable();
        unique.dedup();
        (unique.len() == keys.len() && !keys.is_empty()).then_some(keys)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_template_is_one_leaf_a_line() {
        let template = json!({
            "$patch": "replace",
            "metadata": {"labels": {"app": "web", "pod-template-hash": "5d4"}, "annotations": {"shop.io/by": "me"}, "creationTimestamp": null},
            "spec": {
                "containers": [{
                    "name": "web", "image": "shop/web:2", "args": ["serve", "--password=hunter2"],
                    "env": [{"name": "LEVEL", "value": "a: b"}, {"name": "DB_PASSWORD", "value": "hunter2"}],
                    "ports": [{"containerPort": 80}, {"containerPort": 81}],
                    "volumeMounts": [{"name": "data", "mountPath": "/a"}, {"name": "data", "mountPath": "/b"}],
                }],
                "hostNetwork": true,
            },
        });
        let lines = flattened(&template);
        let expected = [
            "metadata.annotations[shop.io/by]: me",
            "metadata.labels.app: web",
            "spec.containers[web].args[0]: serve",
            "spec.containers[web].env[DB_PASSWORD].name: DB_PASSWORD",
            "spec.containers[web].env[LEVEL].value: a: b",
            "spec.containers[web].image: shop/web:2",
            "spec.containers[web].ports[80].containerPort: 80",
            "spec.containers[web].volumeMounts[/b].name: data",
            "spec.hostNetwork: true",
        ];
        for line in expected {
            assert!(lines.iter().any(|l| l == line), "{line} in {lines:#?}");
        }
        assert!(!lines.iter().any(|l| l.contains("hunter2") || l.contains("hash") || l.contains("$patch")), "{lines:#?}");
    }

    #[test]
    fn a_revision_is_found_among_those_of_its_owner() {
        let recorded: Value =
            serde_json::from_str(include_str!("../../../../tests/engines/kubernetes/recorded/controllerrevisions.json")).unwrap();
        let owner = recorded.pointer("/items/0/metadata/ownerReferences/0/uid").unwrap().as_str().unwrap();
        let lines = flattened(find(&recorded, owner, 1).unwrap());
        assert!(lines.contains(&"spec.containers[agent].image: busybox:1.35".to_owned()), "{lines:#?}");
        assert!(find(&recorded, "somebody else", 1).is_none() && find(&recorded, owner, 99).is_none());
        let sets = json!({"items": [{
            "metadata": {"annotations": {"deployment.kubernetes.io/revision": "7"}, "ownerReferences": [{"uid": "u"}]},
            "spec": {"template": {"spec": {}}},
        }]});
        assert!(find(&sets, "u", 7).is_some() && find(&sets, "u", 6).is_none());
    }
}
