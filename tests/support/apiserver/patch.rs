//! The ways to change an object in part: merge patch, strategic merge patch, and JSON patch.

use serde_json::{Map, Value, json};

/// RFC 7386: objects are merged, `null` takes away, everything else replaces.
pub fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(fields) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    for (name, value) in fields {
        if value.is_null() {
            take(target, name);
        } else {
            merge(&mut target[name], value);
        }
    }
}

fn take(target: &mut Value, name: &str) {
    if let Some(fields) = target.as_object_mut() {
        fields.remove(name);
    }
}

/// What the items of a list are told apart by, where a strategic merge goes into the list; nothing where it replaces it.
fn merge_key(list: &str, items: &[Value]) -> Option<&'static str> {
    match list {
        "containers" | "initContainers" | "ephemeralContainers" | "volumes" | "env" | "imagePullSecrets" => Some("name"),
        "ports" if items.iter().any(|i| !i["containerPort"].is_null()) => Some("containerPort"),
        "ports" => Some("port"),
        "volumeMounts" => Some("mountPath"),
        "volumeDevices" => Some("devicePath"),
        "conditions" => Some("type"),
        "ownerReferences" => Some("uid"),
        "hostAliases" => Some("ip"),
        "taints" => Some("key"),
        _ => None,
    }
}

/// As `merge`, but the lists that matter are merged item by item, with the directives of the format.
pub fn strategic(target: &mut Value, patch: &Value) {
    let Value::Object(fields) = patch else {
        *target = patch.clone();
        return;
    };
    if fields.get("$patch") == Some(&json!("replace")) {
        let mut whole = fields.clone();
        whole.remove("$patch");
        *target = Value::Object(whole);
        return;
    }
    if !target.is_object() {
        *target = json!({});
    }
    if let Some(kept) = fields.get("$retainKeys").and_then(Value::as_array)
        && let Some(have) = target.as_object_mut()
    {
        have.retain(|name, _| kept.contains(&json!(name)));
    }
    for (name, value) in fields {
        if let Some(list) = name.strip_prefix("$deleteFromPrimitiveList/") {
            let gone = value.as_array().cloned().unwrap_or_default();
            if let Some(items) = target[list].as_array_mut() {
                items.retain(|item| !gone.contains(item));
            }
        } else if name.starts_with('$') {
            // The order of elements is that of the object here.
        } else if value.is_null() {
            take(target, name);
        } else if let Some(items) = value.as_array() {
            merge_list(&mut target[name], name, items);
        } else {
            strategic(&mut target[name], value);
        }
    }
}

fn merge_list(target: &mut Value, name: &str, items: &[Value]) {
    let replaced = items.iter().any(|i| i["$patch"] == json!("replace"));
    let Some(key) = merge_key(name, items).filter(|_| target.is_array() && !replaced) else {
        let plain = items.iter().filter(|i| i["$patch"] != json!("replace")).cloned().collect();
        *target = if name == "finalizers" { union(target, items) } else { plain };
        return;
    };
    let Some(have) = target.as_array_mut() else { return };
    for item in items {
        let at = have.iter().position(|h| h[key] == item[key]);
        match (at, item["$patch"] == json!("delete")) {
            (Some(at), true) => drop(have.remove(at)),
            (Some(at), false) => strategic(&mut have[at], item),
            (None, true) => {}
            (None, false) => have.push(item.clone()),
        }
    }
}

fn union(target: &Value, items: &[Value]) -> Value {
    let mut all = target.as_array().cloned().unwrap_or_default();
    all.extend(items.iter().filter(|i| !target.as_array().is_some_and(|t| t.contains(i))).cloned());
    Value::Array(all)
}

/// RFC 6902.
///
/// # Errors
/// An operation that does not apply.
pub fn json_patch(target: &mut Value, operations: &Value) -> Result<(), String> {
    for operation in operations.as_array().ok_or("a list of operations is wanted")? {
        let path = operation["path"].as_str().ok_or("an operation without a path")?;
        let value = || operation["value"].clone();
        match operation["op"].as_str().unwrap_or_default() {
            "add" => add(target, path, value())?,
            "replace" => *target.pointer_mut(path).ok_or_else(|| format!("missing {path}"))? = value(),
            "remove" => drop(cut(target, path)?),
            "test" if target.pointer(path) == Some(&operation["value"]) => {}
            "test" => return Err(format!("testing value {path} failed")),
            "move" => {
                let moved = cut(target, operation["from"].as_str().unwrap_or_default())?;
                add(target, path, moved)?;
            }
            "copy" => {
                let from = operation["from"].as_str().unwrap_or_default();
                let copied = target.pointer(from).cloned().ok_or_else(|| format!("missing {from}"))?;
                add(target, path, copied)?;
            }
            other => return Err(format!("unexpected kind: {other}")),
        }
    }
    Ok(())
}

fn parent<'a>(target: &'a mut Value, path: &str) -> Result<(&'a mut Value, String), String> {
    let (above, last) = path.rsplit_once('/').ok_or_else(|| format!("missing {path}"))?;
    let above =
        target.pointer_mut(above).ok_or_else(|| format!("add operation does not apply: doc is missing path: \"{path}\""))?;
    Ok((above, last.replace("~1", "/").replace("~0", "~")))
}

fn add(target: &mut Value, path: &str, value: Value) -> Result<(), String> {
    if path.is_empty() {
        *target = value;
        return Ok(());
    }
    let (above, last) = parent(target, path)?;
    match above {
        Value::Object(fields) => drop(fields.insert(last, value)),
        Value::Array(items) if last == "-" => items.push(value),
        Value::Array(items) => {
            let at = last.parse().ok().filter(|at| *at <= items.len()).ok_or_else(|| format!("no place {path}"))?;
            items.insert(at, value);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return Err(format!("nothing holds {path}")),
    }
    Ok(())
}

fn cut(target: &mut Value, path: &str) -> Result<Value, String> {
    let missing = || format!("remove operation does not apply: doc is missing path: \"{path}\"");
    let (above, last) = parent(target, path)?;
    match above {
        Value::Object(fields) => fields.remove(&last).ok_or_else(missing),
        Value::Array(items) => {
            let at = last.parse::<usize>().ok().filter(|at| *at < items.len()).ok_or_else(missing)?;
            Ok(items.remove(at))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Err(missing()),
    }
}

/// The fields of `after` that are not as in `before`, in the notation of `managedFields`. Lists are taken whole.
pub fn fields(before: &Value, after: &Value) -> Map<String, Value> {
    let mut found = Map::new();
    for (name, value) in after.as_object().into_iter().flatten() {
        let old = &before[name];
        if old == value || SYSTEM.contains(&name.as_str()) {
            continue;
        }
        let inner = if value.is_object() { fields(old, value) } else { Map::new() };
        found.insert(format!("f:{name}"), Value::Object(inner));
    }
    found
}

/// What no one manages.
const SYSTEM: &[&str] =
    &["managedFields", "resourceVersion", "uid", "creationTimestamp", "generation", "selfLink", "name", "namespace"];
