//! Subresources of objects, their scale and a pod's eviction; and the end of many at once.

use serde_json::{Value, json};

use super::ask::{Aim, Ask, Reply};
use super::hub::Hub;
use super::kind::{SCALE, plural};
use super::remove::deleted;
use super::select::{Selection, label_selector_takes, selector_text};
use super::status::{Cause, Outcome, bad_request, disruption, invalid, not_found, success};
use super::store::{Entry, Store};
use super::write::{patched, replace};

/// The scale of what has replicas.
fn scale(entry: &Entry) -> Value {
    let object = &entry.value;
    let mut metadata = json!({});
    for name in ["name", "namespace", "uid", "resourceVersion", "creationTimestamp"] {
        metadata[name] = object["metadata"][name].clone();
    }
    let mut spec = json!({});
    // Go leaves a zero out here.
    if object["spec"]["replicas"] != json!(0) {
        spec["replicas"] = object["spec"]["replicas"].clone();
    }
    let there = object["status"]["replicas"].as_i64().unwrap_or(0);
    json!({
        "kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": metadata, "spec": spec,
        "status": { "replicas": there, "selector": selector_text(&object["spec"]["selector"]) }
    })
}

/// Answers for a scale: shown, put or patched.
///
/// # Errors
/// No such object, or a number that does not hold.
pub fn scaled(hub: &Hub, ask: &Ask, aim: &Aim) -> Outcome<Reply> {
    let mut store = hub.store();
    let entry = store.get(aim.kind, &aim.key()).ok_or_else(|| not_found(aim.kind, &aim.key().1))?;
    let mut wanted = scale(&entry);
    match ask.method.as_str() {
        "GET" => return Ok(Reply::value(200, &wanted)),
        "PUT" => wanted = serde_json::from_slice(&ask.body).map_err(|e| bad_request(e.to_string()))?,
        _ => patched(ask)?(&mut wanted)?,
    }
    if wanted["spec"]["replicas"].as_i64().is_some_and(|n| n < 0) {
        let why = "must be greater than or equal to 0";
        return Err(invalid(&SCALE, entry.name(), &[Cause::invalid("spec.replicas", &wanted["spec"]["replicas"], why)]));
    }
    let mut after = (*entry.value).clone();
    after["spec"]["replicas"] = json!(wanted["spec"]["replicas"].as_i64().unwrap_or(0));
    after["metadata"]["resourceVersion"] = wanted["metadata"]["resourceVersion"].clone();
    let dry = ask.param("dryRun") == "All";
    let entry = replace(&mut store, aim.kind, &entry, after, (&ask.manager(), "scale"), dry)?;
    Ok(Reply::value(200, &scale(&entry)))
}

/// Answers an eviction: the pod goes, if its disruption budget lets it.
///
/// # Errors
/// No such pod, or its budget forbids it.
pub fn evict(hub: &Hub, ask: &Ask, aim: &Aim) -> Outcome<Reply> {
    let mut store = hub.store();
    let pod = store.get(aim.kind, &aim.key()).ok_or_else(|| not_found(aim.kind, &aim.key().1))?;
    let eviction: Value = serde_json::from_slice(&ask.body).unwrap_or_default();
    if let Some(budget) = budget_of(&store, &pod) {
        let status = &budget.value["status"];
        let number = |name: &str| status[name].as_i64().unwrap_or(0);
        if number("disruptionsAllowed") <= 0 {
            return Err(disruption(budget.name(), number("desiredHealthy"), number("currentHealthy")));
        }
        if ask.param("dryRun") != "All" {
            let mut value = (*budget.value).clone();
            value["status"]["disruptionsAllowed"] = json!(number("disruptionsAllowed") - 1);
            value["status"]["currentHealthy"] = json!(number("currentHealthy") - 1);
            store.keep(plural("poddisruptionbudgets"), value);
        }
    }
    if ask.param("dryRun") != "All" {
        let grace = eviction["deleteOptions"]["gracePeriodSeconds"].as_i64();
        deleted(&mut store, aim.kind, &aim.key(), grace, false);
    }
    Ok(Reply::value(201, &success(201)))
}

/// Answers a `DELETE` of a collection: everything the selectors take goes.
///
/// # Errors
/// Selectors that cannot be read.
pub fn delete_all(hub: &Hub, ask: &Ask, aim: &Aim) -> Outcome<Reply> {
    let selection = Selection::parse(ask.param("labelSelector"), ask.param("fieldSelector"))?;
    let mut store = hub.store();
    let taken: Vec<Entry> =
        store.list(aim.kind, aim.namespace.as_deref()).into_iter().filter(|e| selection.takes(&e.value)).collect();
    for entry in &taken {
        deleted(&mut store, aim.kind, &entry.key(), None, false);
    }
    let items: Vec<&Value> = taken.iter().map(|e| &*e.value).collect();
    let metadata = json!({ "resourceVersion": store.version().to_string() });
    let kind = format!("{}List", aim.kind.name);
    Ok(Reply::value(200, &json!({ "kind": kind, "apiVersion": aim.kind.api_version(), "metadata": metadata, "items": items })))
}

fn budget_of(store: &Store, pod: &Entry) -> Option<Entry> {
    let budgets = store.list(plural("poddisruptionbudgets"), Some(pod.namespace()));
    budgets.into_iter().find(|b| label_selector_takes(&b.value["spec"]["selector"], &pod.value["metadata"]["labels"]))
}
