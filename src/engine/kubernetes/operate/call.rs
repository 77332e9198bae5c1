//! What all calls to the server have in common: paths, making and deleting, and reading what it answers.

use http::Method;
use serde_json::Value;

use crate::engine::EngineError;
use crate::engine::kubernetes::client::{Client, FIELD_MANAGER};
use crate::engine::kubernetes::place::encoded;
use crate::model::InstanceId;
use crate::observe::text::clean;

/// The path of an object (none named: of all of its kind) in a namespace.
pub(super) fn within(group: &str, namespace: &str, plural: &str, name: &str) -> String {
    let name = if name.is_empty() { String::new() } else { format!("/{}", encoded(name)) };
    format!("{group}/namespaces/{}/{plural}{name}", encoded(namespace))
}

/// `?fieldManager=…`, of everything that is written.
pub(super) fn managed(path: &str) -> String {
    let sign = if path.contains('?') { '&' } else { '?' };
    format!("{path}{sign}fieldManager={FIELD_MANAGER}")
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
    fn paths_are_escaped_and_pods_are_named_with_their_namespace() {
        assert_eq!(within("/api/v1", "shop", "pods", "a/../b"), "/api/v1/namespaces/shop/pods/a%2F..%2Fb");
        assert_eq!(managed("/x?a=b"), "/x?a=b&fieldManager=quarterdeck");
        assert_eq!(pod(&InstanceId::new("shop/api-1")).unwrap(), ("shop", "api-1"));
        assert_eq!(pod(&InstanceId::new("shop/api-1/web")).unwrap(), ("shop", "api-1"));
        assert!(pod(&InstanceId::new("api-1")).is_err());
    }
}
