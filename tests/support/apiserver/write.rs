//! Making, replacing and changing, with the checks a server makes before.

use serde_json::{Value, json};

use super::ask::{Aim, Ask, Reply};
use super::defaults::fill;
use super::hub::Hub;
use super::kind::{Kind, plural};
use super::kubelet::quality;
use super::patch::{fields, json_patch, merge, strategic};
use super::select::label_selector_takes;
use super::status::{
    Cause, Failure, Outcome, already_exists, bad_request, conflict, failure, invalid, not_found, replaced_another,
    unsupported_media_type,
};
use super::store::{Entry, Store, stamp};

/// The kinds whose status is written by its own subresource only.
fn has_status(kind: &Kind) -> bool {
    kind.subresources.contains(&"status")
}

pub fn dry(ask: &Ask) -> bool {
    ask.param("dryRun") == "All"
}

fn parsed(ask: &Ask, kind: &Kind) -> Outcome<Value> {
    // A real one reads YAML and protobuf too.
    if !matches!(ask.header("content-type").split(';').next(), Some("" | "application/json" | "*/*")) {
        return Err(unsupported_media_type());
    }
    let mut object: Value = serde_json::from_slice(&ask.body).map_err(|e| {
        bad_request(format!(
            "the object provided is unrecognized (must be of type {}): couldn't get version/kind; json parse error: {e}",
            kind.name
        ))
    })?;
    // What it is its place tells.
    if let Some(fields) = object.as_object_mut() {
        fields.remove("kind");
        fields.remove("apiVersion");
    }
    Ok(object)
}

pub fn answer(kind: &Kind, code: u16, entry: &Entry) -> Reply {
    Reply::json(code, entry.whole(kind))
}

/// Keeps an object, or shows what would be kept.
fn save(store: &mut Store, kind: &'static Kind, value: Value, dry: bool) -> Entry {
    if dry { Entry::shown(value) } else { store.keep(kind, value) }
}

/// Answers a `POST` to a collection.
///
/// # Errors
/// No such namespace, a name that is taken, fields that do not hold.
pub fn create(hub: &Hub, ask: &Ask, aim: &Aim) -> Outcome<Reply> {
    let mut object = parsed(ask, aim.kind)?;
    if has_status(aim.kind) {
        object.as_object_mut().map(|o| o.remove("status"));
    }
    let mut store = hub.store();
    let entry = made(&mut store, aim.kind, aim.namespace.as_deref(), object, &ask.manager(), dry(ask))?;
    Ok(answer(aim.kind, 201, &entry))
}

/// Makes an object: names it, fills it in, checks it, keeps it.
///
/// # Errors
/// As `create`.
pub fn made(
    store: &mut Store,
    kind: &'static Kind,
    namespace: Option<&str>,
    mut object: Value,
    manager: &str,
    dry: bool,
) -> Outcome<Entry> {
    if let Some(namespace) = namespace {
        store
            .get(plural("namespaces"), &(String::new(), namespace.to_owned()))
            .ok_or_else(|| not_found(plural("namespaces"), namespace))?;
        object["metadata"]["namespace"] = json!(namespace);
    }
    if object["metadata"]["name"].is_null()
        && let Some(stem) = object["metadata"]["generateName"].as_str()
    {
        object["metadata"]["name"] = json!(format!("{stem}{}", store.suffix()));
    }
    let name = object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    if name.is_empty() {
        let cause = Cause::required("metadata.name", "name or generateName is required");
        return Err(invalid(kind, "", &[cause]));
    }
    if store.get(kind, &(namespace.unwrap_or_default().to_owned(), name.clone())).is_some() {
        return Err(already_exists(kind, &name));
    }
    object["metadata"]["uid"] = json!(store.uid());
    object["metadata"]["creationTimestamp"] = json!(stamp());
    if kind.counted {
        object["metadata"]["generation"] = json!(1);
    }
    complete(kind, &mut object);
    check(kind, &Value::Null, &object)?;
    manage(&Value::Null, &mut object, kind, manager, "");
    Ok(save(store, kind, object, dry))
}

/// Fills in what a new object has that its manifest does not say.
pub fn complete(kind: &Kind, object: &mut Value) {
    job_labels(kind, object);
    fill(kind, object);
    if has_status(kind) && object["status"].is_null() {
        object["status"] = first_status(kind, &object["spec"]);
    }
}

fn first_status(kind: &Kind, spec: &Value) -> Value {
    match kind.plural {
        "pods" => json!({ "phase": "Pending", "qosClass": quality(spec) }),
        "replicasets" => json!({ "replicas": 0 }),
        "services" | "ingresses" => json!({ "loadBalancer": {} }),
        "namespaces" => json!({ "phase": "Active" }),
        _ => json!({}),
    }
}

/// A job's pods are found by labels of its own making.
fn job_labels(kind: &Kind, object: &mut Value) {
    if kind.plural != "jobs" || object["spec"]["manualSelector"] == json!(true) {
        return;
    }
    let (uid, name) = (object["metadata"]["uid"].clone(), object["metadata"]["name"].clone());
    let made = json!({
        "batch.kubernetes.io/controller-uid": uid, "batch.kubernetes.io/job-name": name, "controller-uid": uid, "job-name": name
    });
    merge(&mut object["metadata"]["labels"], &made);
    merge(&mut object["spec"]["template"]["metadata"]["labels"], &made);
    object["spec"]["selector"] = json!({ "matchLabels": { "batch.kubernetes.io/controller-uid": uid } });
}

/// Checks the fields tests and engines are likely to get wrong.
fn check(kind: &Kind, before: &Value, object: &Value) -> Outcome<()> {
    let mut causes = Vec::new();
    let spec = &object["spec"];
    if spec["replicas"].as_i64().is_some_and(|n| n < 0) {
        causes.push(Cause::invalid("spec.replicas", &spec["replicas"], "must be greater than or equal to 0"));
    }
    if matches!(kind.plural, "deployments" | "replicasets" | "statefulsets" | "daemonsets") {
        let labels = &spec["template"]["metadata"]["labels"];
        if spec["selector"].is_null() {
            causes.push(Cause::required("spec.selector", ""));
        }
        if spec["selector"].is_null() || !label_selector_takes(&spec["selector"], labels) {
            let why = "`selector` does not match template `labels`";
            causes.push(Cause::invalid("spec.template.metadata.labels", labels, why));
        }
        if !before.is_null() && before["spec"]["selector"] != spec["selector"] {
            causes.push(Cause::invalid("spec.selector", &spec["selector"], "field is immutable"));
        }
        if spec["template"]["spec"]["containers"].as_array().is_none_or(Vec::is_empty) {
            causes.push(Cause::required("spec.template.spec.containers", ""));
        }
    }
    if kind.plural == "jobs" && !before.is_null() && before["spec"]["template"] != spec["template"] {
        causes.push(Cause::invalid("spec.template", &spec["template"], "field is immutable"));
    }
    if kind.plural == "horizontalpodautoscalers" && spec["maxReplicas"].as_i64() < spec["minReplicas"].as_i64() {
        let why = "must be greater than or equal to `minReplicas`";
        causes.push(Cause::invalid("spec.maxReplicas", &spec["maxReplicas"], why));
    }
    let name = object["metadata"]["name"].as_str().unwrap_or_default();
    if causes.is_empty() { Ok(()) } else { Err(invalid(kind, name, &causes)) }
}

/// Notes who wrote what.
pub fn manage(before: &Value, after: &mut Value, kind: &Kind, manager: &str, sub: &str) {
    let written = fields(before, after);
    if written.is_empty() {
        return;
    }
    let operation = "Update";
    let mut entry = json!({
        "manager": manager, "operation": operation, "apiVersion": kind.api_version(), "time": stamp(), "fieldsType": "FieldsV1",
        "fieldsV1": written
    });
    if !sub.is_empty() {
        entry["subresource"] = json!(sub);
    }
    let mut all = after["metadata"]["managedFields"].as_array().cloned().unwrap_or_default();
    match all.iter_mut().find(|m| m["manager"] == json!(manager) && m["subresource"] == entry["subresource"]) {
        Some(known) => {
            merge(&mut known["fieldsV1"], &entry["fieldsV1"]);
            known["time"] = entry["time"].clone();
        }
        None => all.push(entry),
    }
    after["metadata"]["managedFields"] = Value::Array(all);
}

/// Puts a changed object in the place of the one before, as far as the writer may change it.
///
/// # Errors
/// It was changed in between, or fields do not hold.
pub fn replace(
    store: &mut Store,
    kind: &'static Kind,
    before: &Entry,
    mut after: Value,
    (manager, sub): (&str, &str),
    dry: bool,
) -> Outcome<Entry> {
    let version = after["metadata"]["resourceVersion"].as_str().unwrap_or_default();
    if !version.is_empty() && version != before.version.to_string() {
        return Err(conflict(kind, before.name()));
    }
    let uid = after["metadata"]["uid"].as_str().unwrap_or_default();
    if !uid.is_empty() && uid != before.uid() {
        return Err(replaced_another(kind, before.name(), (uid, before.uid())));
    }
    let old = &before.value;
    if let Some(object) = after.as_object_mut() {
        object.remove("kind");
        object.remove("apiVersion");
        if sub == "status" {
            object.insert("spec".into(), old["spec"].clone());
        } else if has_status(kind) {
            object.insert("status".into(), old["status"].clone());
        }
        object.retain(|_, value| !value.is_null());
    }
    for name in
        ["uid", "creationTimestamp", "resourceVersion", "generation", "managedFields", "name", "namespace", "deletionTimestamp"]
    {
        if old["metadata"][name].is_null() {
            after["metadata"].as_object_mut().map(|m| m.remove(name));
        } else {
            after["metadata"][name] = old["metadata"][name].clone();
        }
    }
    fill(kind, &mut after);
    check(kind, old, &after)?;
    // Of a deployment annotations count too, as long as it is not its controller that writes them.
    let noted =
        kind.plural == "deployments" && sub.is_empty() && after["metadata"]["annotations"] != old["metadata"]["annotations"];
    if kind.counted && (noted || after["spec"] != old["spec"]) {
        after["metadata"]["generation"] = json!(old["metadata"]["generation"].as_i64().unwrap_or(0) + 1);
    }
    manage(old, &mut after, kind, manager, sub);
    Ok(save(store, kind, after, dry))
}

pub fn found(store: &Store, aim: &Aim) -> Outcome<Entry> {
    store.get(aim.kind, &aim.key()).ok_or_else(|| not_found(aim.kind, &aim.key().1))
}

/// Answers a `PUT`.
///
/// # Errors
/// As `replace`.
pub fn update(hub: &Hub, ask: &Ask, aim: &Aim) -> Outcome<Reply> {
    let after = parsed(ask, aim.kind)?;
    let mut store = hub.store();
    let before = match found(&store, aim) {
        Ok(before) => before,
        // A lease, and little else, may be made by putting it.
        Err(_) if aim.kind.plural == "leases" => {
            let entry = made(&mut store, aim.kind, aim.namespace.as_deref(), after, &ask.manager(), dry(ask))?;
            return Ok(answer(aim.kind, 201, &entry));
        }
        Err(failure) => return Err(failure),
    };
    let sub = aim.sub.as_deref().unwrap_or_default();
    let entry = replace(&mut store, aim.kind, &before, after, (&ask.manager(), sub), dry(ask))?;
    Ok(answer(aim.kind, 200, &entry))
}

/// Answers a `PATCH`.
///
/// # Errors
/// A patch of no known kind, one that does not apply, or as `replace`.
pub fn patch(hub: &Hub, ask: &Ask, aim: &Aim) -> Outcome<Reply> {
    let mut store = hub.store();
    let change = patched(ask)?;
    let before = found(&store, aim)?;
    let mut after = (*before.value).clone();
    change(&mut after)?;
    let sub = aim.sub.as_deref().unwrap_or_default();
    // A patch carries a version only where it wants one.
    let entry = replace(&mut store, aim.kind, &before, after, (&ask.manager(), sub), dry(ask))?;
    Ok(answer(aim.kind, 200, &entry))
}

/// What is done to an object.
type Change = Box<dyn FnOnce(&mut Value) -> Outcome<()>>;

/// What the body of a patch does to an object.
///
/// # Errors
/// A patch of no known kind, or one that cannot be read. Server-side apply is not served here.
pub fn patched(ask: &Ask) -> Outcome<Change> {
    let media = ask.header("content-type").split(';').next().unwrap_or_default().trim();
    if !matches!(media, "application/merge-patch+json" | "application/strategic-merge-patch+json" | "application/json-patch+json")
    {
        return Err(unsupported_media_type());
    }
    let patch: Value = serde_json::from_slice(&ask.body).map_err(|e| {
        let why = if e.is_eof() { "unexpected end of JSON input".to_owned() } else { e.to_string() };
        bad_request(format!("error decoding patch: {why}"))
    })?;
    let media = media.to_owned();
    Ok(Box::new(move |object| match media.as_str() {
        "application/merge-patch+json" => {
            merge(object, &patch);
            Ok(())
        }
        "application/strategic-merge-patch+json" => {
            strategic(object, &patch);
            Ok(())
        }
        _ => json_patch(object, &patch).map_err(|_| rejected()),
    }))
}

/// What a real server says of a JSON patch that does not apply: not why.
fn rejected() -> Failure {
    let mut failure = failure(422, "Invalid", "the server rejected our request due to an error in our request");
    failure.body["details"] = json!({});
    failure
}
