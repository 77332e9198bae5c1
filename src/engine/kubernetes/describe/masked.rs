//! What of an object is shown: secrets masked, what only programs read folded to a line, text sanitised. Pure.

use serde_json::{Map, Value};

use crate::observe::redact;
use crate::observe::text::clean;

/// What `kubectl apply` was told last, whole: the object again.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
/// Our own lock and requests are as long.
const LONG_NOTE: usize = 2048;

/// An object as it is shown.
#[must_use]
pub fn shown(mut value: Value) -> Value {
    let secret = value.get("kind").and_then(Value::as_str) == Some("Secret");
    if let Some(metadata) = value.get_mut("metadata").and_then(Value::as_object_mut) {
        fold(metadata);
    }
    if secret {
        for part in ["data", "stringData"] {
            if let Some(map) = value.get_mut(part).and_then(Value::as_object_mut) {
                map.values_mut().for_each(size_of);
            }
        }
        return value;
    }
    mask(None, &mut value);
    value
}

/// `managedFields` tells who wrote each field, at many times the length of what it tells of.
fn fold(metadata: &mut Map<String, Value>) {
    if let Some(managed) = metadata.get_mut("managedFields") {
        let mut who: Vec<&str> = managed.as_array().into_iter().flatten().filter_map(|m| m.get("manager")?.as_str()).collect();
        who.sort_unstable();
        who.dedup();
        *managed = format!("folded, of {}", who.join(", ")).into();
    }
    let annotations = metadata.get_mut("annotations").and_then(Value::as_object_mut);
    for (name, value) in annotations.into_iter().flatten() {
        let bytes = value.as_str().map_or(0, str::len);
        if name == LAST_APPLIED || bytes > LONG_NOTE {
            *value = format!("folded, {bytes} bytes").into();
        }
    }
}

/// Of a secret only how long it is: base64 holds three bytes in four characters.
fn size_of(value: &mut Value) {
    let text = value.as_str().unwrap_or_default();
    let padding = text.bytes().rev().take_while(|b| *b == b'=').count();
    *value = format!("{} bytes", (text.len() / 4 * 3).saturating_sub(padding)).into();
}

/// Masks by the name a value goes under, as `name` and `value` in environments, and by its look everywhere.
pub(super) fn mask(name: Option<&str>, value: &mut Value) {
    match value {
        Value::String(text) => {
            let secret = name.is_some_and(redact::is_secret_name) && !text.is_empty();
            *text = if secret { redact::MASK.to_owned() } else { plain(text) };
        }
        Value::Array(list) => list.iter_mut().for_each(|item| mask(None, item)),
        Value::Object(map) => {
            let named = map.get("name").and_then(Value::as_str).map(str::to_owned);
            if let (Some(named), Some(Value::String(text))) = (named, map.get_mut("value")) {
                mask_entry(&named, text);
            }
            *map = std::mem::take(map)
                .into_iter()
                .map(|(key, mut value)| {
                    mask(Some(&key), &mut value);
                    (clean(&key).into_owned(), value)
                })
                .collect();
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// An entry of an environment or a header: its name tells whether its value is a secret.
fn mask_entry(name: &str, text: &mut String) {
    if redact::is_secret_name(name) && !text.is_empty() {
        redact::MASK.clone_into(text);
    }
}

fn plain(text: &str) -> String {
    // Lines are cleaned one by one: what is shown keeps its lines.
    text.split('\n').map(|line| redact::text(&clean(line)).into_owned()).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn secrets_are_masked_wherever_they_stand() {
        let value = json!({
            "kind": "Pod",
            "metadata": {
                "annotations": {LAST_APPLIED: "{\"a\":1}", "note": "token=abcdefghij", "api-token": "xyz", "odd": "a\u{1b}[31mb"},
                "managedFields": [{"manager": "kubectl", "fieldsV1": {}}, {"manager": "kubelet"}, {"manager": "kubectl"}],
            },
            "spec": {"containers": [{
                "env": [{"name": "DB_PASSWORD", "value": "hunter2"}, {"name": "LEVEL", "value": "debug"},
                        {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "credentials", "key": "api-key"}}}],
                "args": ["--password=hunter2", "run"],
            }]},
        });
        let shown = shown(value);
        let text = shown.to_string();
        assert!(!text.contains("hunter2") && !text.contains("xyz") && !text.contains("abcdefghij"), "{text}");
        assert_eq!(shown.pointer("/metadata/managedFields"), Some(&json!("folded, of kubectl, kubelet")));
        assert_eq!(
            shown.pointer(&format!("/metadata/annotations/{}", LAST_APPLIED.replace('/', "~1"))),
            Some(&json!("folded, 7 bytes"))
        );
        assert_eq!(shown.pointer("/metadata/annotations/odd"), Some(&json!("ab")));
        assert_eq!(shown.pointer("/spec/containers/0/env/1/value"), Some(&json!("debug")));
        assert_eq!(shown.pointer("/spec/containers/0/env/2/valueFrom/secretKeyRef/name"), Some(&json!("credentials")));
    }

    #[test]
    fn of_a_secret_only_names_and_sizes_are_shown() {
        let secret =
            json!({"kind": "Secret", "data": {"password": "aHVudGVyMg==", "empty": ""}, "stringData": {"x": "12345678"}});
        let expected =
            json!({"kind": "Secret", "data": {"password": "7 bytes", "empty": "0 bytes"}, "stringData": {"x": "6 bytes"}});
        assert_eq!(shown(secret), expected);
    }
}
