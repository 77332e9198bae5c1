//! The controllers' common ground: what is to be looked at and when, and how they write.
//!
//! Each looks at one object at a time and says when it wants to look again; whatever changes is looked at again at once,
//! and so is what owns it.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::time::sleep_until;

use super::hub::Hub;
use super::kind::{self, Kind, plural};
use super::select::{label_selector_takes, map_takes};
use super::store::{Change, Entry, Key, Store, fine_stamp, stamp};
use super::write::manage;
use super::{daemonset, deployment, job, kubelet, node, replicaset, service, statefulset};

/// What the controllers know beside the objects.
#[derive(Default)]
pub struct Memory {
    /// Of pods by uid.
    pub lives: HashMap<String, kubelet::Life>,
    /// Since when a pod is ready, by uid.
    pub ready: HashMap<String, Instant>,
    /// When a deployment last got on, by uid, and its share of pods then.
    pub progress: HashMap<String, (Instant, Value)>,
    pub addresses: u32,
}

/// One controller at work.
pub struct Desk<'a> {
    pub store: &'a mut Store,
    pub hub: &'a Hub,
    pub memory: &'a mut Memory,
    pub now: Instant,
}

#[derive(Default)]
struct Work {
    when: HashMap<(&'static str, Key), Instant>,
    order: BTreeSet<(Instant, &'static str, Key)>,
}

/// Works until the server is dropped.
///
/// Its time stands still while this thread is kept waiting by others: on a busy machine no deadline of the cluster passes early.
pub async fn run(hub: Arc<Hub>) {
    let (mut work, mut memory) = (Work::default(), Memory::default());
    let mut changed = hub.changed.subscribe();
    let mut late = Duration::ZERO;
    loop {
        let now = Instant::now();
        let next = turn(&hub, &mut work, &mut memory, now.checked_sub(late).unwrap_or(now));
        let next = next.map_or_else(|| Instant::now() + Duration::from_secs(60), |next| next + late);
        tokio::select! {
            changed = changed.changed() => if changed.is_err() { return },
            () = sleep_until(next.into()) => {}
        }
        late += next.elapsed();
    }
}

/// Looks at everything that is due; when the next is.
fn turn(hub: &Hub, work: &mut Work, memory: &mut Memory, now: Instant) -> Option<Instant> {
    let mut store = hub.store();
    let touched = store.touched.replace(Vec::new()).unwrap_or_default();
    for (kind, change) in touched {
        work.note(&store, kind, &change, now);
    }
    while let Some((plural_name, key)) = work.due(now) {
        let mut desk = Desk { store: &mut store, hub, memory, now };
        if let Some(after) = look(&mut desk, plural_name, &key) {
            work.at(plural_name, key, now + after);
        }
    }
    work.order.first().map(|(when, _, _)| *when)
}

fn look(desk: &mut Desk, plural: &str, key: &Key) -> Option<Duration> {
    match plural {
        "pods" => kubelet::pod(desk, key),
        "nodes" => node::look(desk, key),
        "replicasets" => replicaset::look(desk, key),
        "deployments" => deployment::look(desk, key),
        "statefulsets" => statefulset::look(desk, key),
        "daemonsets" => daemonset::look(desk, key),
        "jobs" => job::look(desk, key),
        "cronjobs" => job::cron(desk, key),
        "services" => service::look(desk, key),
        "poddisruptionbudgets" => service::budget(desk, key),
        "horizontalpodautoscalers" => service::autoscaler(desk, key),
        _ => None,
    }
}

impl Work {
    fn at(&mut self, plural: &'static str, key: Key, when: Instant) {
        let id = (plural, key);
        if let Some(known) = self.when.get(&id) {
            if *known <= when {
                return;
            }
            self.order.remove(&(*known, id.0, id.1.clone()));
        }
        self.order.insert((when, id.0, id.1.clone()));
        self.when.insert(id, when);
    }

    fn due(&mut self, now: Instant) -> Option<(&'static str, Key)> {
        let first = self.order.first().filter(|(when, _, _)| *when <= now)?.clone();
        self.order.remove(&first);
        let id = (first.1, first.2);
        self.when.remove(&id);
        Some(id)
    }

    /// What a change makes worth a look.
    fn note(&mut self, store: &Store, kind: &'static Kind, change: &Change, now: Instant) {
        let object = &change.entry.value;
        self.at(kind.plural, change.entry.key(), now);
        let namespace = change.entry.namespace();
        for owner in object["metadata"]["ownerReferences"].as_array().into_iter().flatten() {
            if let Some(kind) = kind::of(owner) {
                let name = owner["name"].as_str().unwrap_or_default();
                self.at(kind.plural, (namespace.to_owned(), name.to_owned()), now);
            }
        }
        match kind.plural {
            "pods" => {
                // Those that took it before as well: it may have left them.
                let labels = &object["metadata"]["labels"];
                let before = change.before.as_ref().map_or(labels, |b| &b.value["metadata"]["labels"]);
                for service in store.list(plural("services"), Some(namespace)) {
                    let selector = &service.value["spec"]["selector"];
                    if map_takes(selector, labels) || map_takes(selector, before) {
                        self.at("services", service.key(), now);
                    }
                }
                for budget in store.list(plural("poddisruptionbudgets"), Some(namespace)) {
                    if label_selector_takes(&budget.value["spec"]["selector"], labels) {
                        self.at("poddisruptionbudgets", budget.key(), now);
                    }
                }
            }
            "nodes" => {
                for other in ["pods", "daemonsets"] {
                    for entry in store.list(plural(other), None) {
                        self.at(other, entry.key(), now);
                    }
                }
            }
            "deployments" | "statefulsets" => {
                for scaler in store.list(plural("horizontalpodautoscalers"), Some(namespace)) {
                    if scaler.value["spec"]["scaleTargetRef"]["name"] == json!(change.entry.name()) {
                        self.at("horizontalpodautoscalers", scaler.key(), now);
                    }
                }
            }
            _ => {}
        }
    }
}

/// Who writes, as `managedFields` names it, and as events do.
#[derive(Clone, Copy)]
pub struct Writer {
    pub manager: &'static str,
    pub component: &'static str,
}

pub const fn controller(component: &'static str) -> Writer {
    Writer { manager: "kube-controller-manager", component }
}

impl Desk<'_> {
    pub fn get(&self, plural_name: &str, key: &Key) -> Option<Entry> {
        self.store.get(plural(plural_name), key)
    }

    /// Changes an object; its status by the subresource, everything else beside it.
    pub fn change(&mut self, plural_name: &str, key: &Key, writer: Writer, change: impl FnOnce(&mut Value)) -> Option<Entry> {
        let kind = plural(plural_name);
        let before = self.store.get(kind, key)?;
        let mut after = (*before.value).clone();
        change(&mut after);
        if after == *before.value {
            return Some(before);
        }
        // Binding a pod is no change of what is wanted.
        if kind.counted && kind.plural != "pods" && after["spec"] != before.value["spec"] {
            after["metadata"]["generation"] = json!(before.value["metadata"]["generation"].as_i64().unwrap_or(0) + 1);
        }
        let sub = if after["status"] == before.value["status"] { "" } else { "status" };
        manage(&before.value, &mut after, kind, writer.manager, sub);
        Some(self.store.keep(kind, after))
    }

    pub fn seconds(&self, count: f64) -> Duration {
        self.hub.seconds(count)
    }

    /// Tells of something that happened to an object, once more where it was told before.
    pub fn tell(&mut self, plural_name: &str, about: &Entry, writer: Writer, (kind, reason): (&str, &str), message: &str) {
        let involved = involved(plural(plural_name), about);
        self.tell_of(&involved, about, writer, (kind, reason), message);
    }

    pub fn tell_of(&mut self, involved: &Value, about: &Entry, writer: Writer, (kind, reason): (&str, &str), message: &str) {
        let events = plural("events");
        let namespace = if about.namespace().is_empty() { "default" } else { about.namespace() };
        let stem = format!("{}.", about.name());
        let known = self.store.list_from(events, namespace, &stem).into_iter().find(|e| {
            e.value["reason"] == json!(reason)
                && e.value["message"] == json!(message)
                && e.value["involvedObject"]["uid"] == json!(about.uid())
        });
        if let Some(known) = known {
            let mut value = (*known.value).clone();
            value["count"] = json!(value["count"].as_i64().unwrap_or(1) + 1);
            value["lastTimestamp"] = json!(stamp());
            self.store.keep(events, value);
            return;
        }
        let uid = self.store.uid();
        let name = format!("{stem}18e9e{:0>11}", self.store.version());
        let node = if writer.component == "kubelet" { about.value["spec"]["nodeName"].as_str().unwrap_or_default() } else { "" };
        let mut source = json!({ "component": writer.component });
        if !node.is_empty() {
            source["host"] = json!(node);
        }
        let mut event = json!({
            "metadata": { "name": name, "namespace": namespace, "uid": uid, "creationTimestamp": stamp() },
            "involvedObject": involved, "reason": reason, "message": message, "type": kind, "source": source,
            "firstTimestamp": stamp(), "lastTimestamp": stamp(), "count": 1, "eventTime": null,
            "reportingComponent": writer.component, "reportingInstance": node
        });
        if writer.component == "default-scheduler" {
            // The scheduler writes the newer form.
            event["source"] = json!({});
            event["eventTime"] = json!(fine_stamp());
            event["firstTimestamp"] = Value::Null;
            event["lastTimestamp"] = Value::Null;
            event["action"] = json!(if reason == "Scheduled" { "Binding" } else { "Scheduling" });
            event["reportingInstance"] = json!("default-scheduler-vm");
            event.as_object_mut().map(|e| e.remove("count"));
        }
        manage(&Value::Null, &mut event, events, writer.manager, "");
        self.store.keep(events, event);
    }
}

/// How an event names what it is about.
pub fn involved(kind: &Kind, about: &Entry) -> Value {
    let mut involved = json!({
        "kind": kind.name, "name": about.name(), "uid": about.uid(), "apiVersion": kind.api_version(),
        "resourceVersion": about.version.to_string()
    });
    if !about.namespace().is_empty() {
        involved["namespace"] = json!(about.namespace());
    }
    involved
}

/// A reference to what controls an object.
pub fn owned_by(kind: &Kind, owner: &Entry) -> Value {
    json!([{
        "apiVersion": kind.api_version(), "kind": kind.name, "name": owner.name(), "uid": owner.uid(), "controller": true,
        "blockOwnerDeletion": true
    }])
}

/// A condition that keeps its time as long as its status stays.
pub fn condition(before: &Value, mut condition: Value, updated: bool) -> Value {
    let known = before.as_array().into_iter().flatten().find(|c| c["type"] == condition["type"]);
    let same = known.filter(|k| k["status"] == condition["status"]);
    condition["lastTransitionTime"] = same.map_or_else(|| json!(stamp()), |k| k["lastTransitionTime"].clone());
    if updated {
        let unchanged = same.filter(|k| k["reason"] == condition["reason"] && k["message"] == condition["message"]);
        condition["lastUpdateTime"] = unchanged.map_or_else(|| json!(stamp()), |k| k["lastUpdateTime"].clone());
    }
    condition
}

/// A number, or a share of `whole`, as surge and the like are given.
pub fn share(value: &Value, whole: i64, up: bool) -> i64 {
    match value {
        Value::String(text) => {
            let percent = text.trim_end_matches('%').parse::<i64>().unwrap_or(0) * whole;
            if up { (percent + 99) / 100 } else { percent / 100 }
        }
        value => value.as_i64().unwrap_or(0),
    }
}
