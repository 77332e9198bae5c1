//! Taking away: an object, with what it owns; a pod only after its grace.

use serde_json::{Value, json};

use super::ask::{Aim, Ask, Reply};
use super::hub::Hub;
use super::kind::{Kind, plural};
use super::status::{Outcome, deleted_another};
use super::store::{Entry, Key, Store, stamp};
use super::write::{answer, dry, found};

/// Answers a `DELETE` of one object.
///
/// # Errors
/// There is none, or it is not the one meant.
pub fn delete(hub: &Hub, ask: &Ask, aim: &Aim) -> Outcome<Reply> {
    let options: Value = serde_json::from_slice(&ask.body).unwrap_or_default();
    let mut store = hub.store();
    let entry = found(&store, aim)?;
    for (name, have) in [("uid", entry.uid().to_owned()), ("resourceVersion", entry.version.to_string())] {
        if options["preconditions"][name].as_str().is_some_and(|want| want != have) {
            let want = options["preconditions"][name].as_str().unwrap_or_default();
            return Err(deleted_another(aim.kind, entry.name(), name, (want, &have)));
        }
    }
    if dry(ask) {
        return Ok(answer(aim.kind, 200, &entry));
    }
    let grace = options["gracePeriodSeconds"].as_i64().or_else(|| ask.param("gracePeriodSeconds").parse().ok());
    let policy = options["propagationPolicy"].as_str().unwrap_or(ask.param("propagationPolicy")).to_owned();
    Ok(match deleted(&mut store, aim.kind, &aim.key(), grace, policy == "Orphan") {
        Some(entry) if aim.kind.plural == "pods" => answer(aim.kind, 200, &entry),
        _ => {
            let mut body = super::status::success(200);
            body.as_object_mut().map(|b| b.remove("code"));
            body["details"] = json!({ "name": entry.name(), "kind": aim.kind.plural, "uid": entry.uid() });
            if !aim.kind.group.is_empty() {
                body["details"]["group"] = json!(aim.kind.group);
            }
            Reply::value(200, &body)
        }
    })
}

/// Takes an object away: a pod that runs is asked to go and goes later. What it owns goes with it, unless it is to be orphaned.
pub fn deleted(store: &mut Store, kind: &'static Kind, key: &Key, grace: Option<i64>, orphan: bool) -> Option<Entry> {
    let entry = store.get(kind, key)?;
    if kind.plural == "pods" && store.touched.is_some() && !entry.value["spec"]["nodeName"].is_null() {
        let spec = &entry.value["spec"]["terminationGracePeriodSeconds"];
        let grace = grace.unwrap_or_else(|| spec.as_i64().unwrap_or(30));
        let sooner = entry.value["metadata"]["deletionGracePeriodSeconds"].as_i64().is_none_or(|g| grace < g);
        if grace > 0 && sooner {
            let mut value = (*entry.value).clone();
            value["metadata"]["deletionTimestamp"] = json!(stamp());
            value["metadata"]["deletionGracePeriodSeconds"] = json!(grace);
            let last = value["metadata"]["generation"].as_i64().unwrap_or(0);
            value["metadata"]["generation"] = json!(last + 1);
            return Some(store.keep(kind, value));
        }
        if grace > 0 {
            return Some(entry);
        }
    }
    let removed = store.remove(kind, key);
    for (owned, key) in store.dependents(entry.uid()) {
        let owned = plural(owned);
        if orphan {
            if let Some(child) = store.get(owned, &key) {
                let mut value = (*child.value).clone();
                value["metadata"].as_object_mut().map(|m| m.remove("ownerReferences"));
                store.keep(owned, value);
            }
        } else {
            deleted(store, owned, &key, None, false);
        }
    }
    removed
}
