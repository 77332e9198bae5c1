//! The replica set controller, and what all that own pods have in common: making them, counting them, choosing which go.

use std::time::Duration;

use serde_json::{Value, json};

use super::control::{Desk, Writer, controller, owned_by};
use super::kind::{Kind, plural};
use super::remove::deleted;
use super::store::{Entry, Key, letters};
use super::write::made;

const WRITER: Writer = controller("replicaset-controller");

/// Whether a pod still counts: it is not on its way out and has not ended.
pub fn active(pod: &Entry) -> bool {
    let ended = matches!(pod.value["status"]["phase"].as_str(), Some("Succeeded" | "Failed"));
    pod.value["metadata"]["deletionTimestamp"].is_null() && !ended
}

pub fn leaving(pod: &Entry) -> bool {
    !pod.value["metadata"]["deletionTimestamp"].is_null()
}

pub fn ready(pod: &Entry) -> bool {
    let conditions = pod.value["status"]["conditions"].as_array();
    conditions.is_some_and(|list| list.iter().any(|c| c["type"] == json!("Ready") && c["status"] == json!("True")))
}

/// A mark that is the same for the same template and hardly ever for another.
pub fn hash(template: &Value) -> String {
    let sum =
        template.to_string().bytes().fold(0xcbf2_9ce4_8422_2325u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
    letters(sum, 10)
}

/// How many of some pods are ready, how many for long enough, and when to look again for those that are not yet.
pub fn counted(desk: &Desk, pods: &[Entry], min_ready: &Value) -> (i64, i64, Option<Duration>) {
    let long = desk.seconds(min_ready.as_f64().unwrap_or(0.0));
    let (mut is_ready, mut available, mut again) = (0, 0, None::<Duration>);
    for pod in pods.iter().filter(|p| ready(p)) {
        is_ready += 1;
        let since = desk.memory.ready.get(pod.uid()).copied().unwrap_or(desk.now);
        let left = (since + long).saturating_duration_since(desk.now);
        if left.is_zero() {
            available += 1;
        } else {
            again = Some(again.map_or(left, |a| a.min(left)));
        }
    }
    (is_ready, available, again)
}

/// Makes a pod from a template; `change` is what this one has beside it.
pub fn make_pod(
    desk: &mut Desk,
    kind: &Kind,
    owner: &Entry,
    writer: Writer,
    name: Option<String>,
    change: impl FnOnce(&mut Value),
) {
    let template = &owner.value["spec"]["template"];
    let mut pod = json!({ "metadata": template["metadata"], "spec": template["spec"] });
    if pod["metadata"].is_null() {
        pod["metadata"] = json!({});
    }
    pod["metadata"]["generateName"] = json!(format!("{}-", owner.name()));
    pod["metadata"]["ownerReferences"] = owned_by(kind, owner);
    if let Some(name) = name {
        pod["metadata"]["name"] = json!(name);
    }
    change(&mut pod);
    match made(desk.store, plural("pods"), Some(owner.namespace()), pod, writer.manager, false) {
        Ok(pod) => {
            let message = match kind.plural {
                "statefulsets" => format!("Create Pod {} in StatefulSet {} successful", pod.name(), owner.name()),
                _ => format!("Created pod: {}", pod.name()),
            };
            desk.tell(kind.plural, owner, writer, ("Normal", "SuccessfulCreate"), &message);
        }
        Err(failure) => {
            let message = format!("Error creating: {}", failure.body["message"].as_str().unwrap_or_default());
            desk.tell(kind.plural, owner, writer, ("Warning", "FailedCreate"), &message);
        }
    }
}

/// Asks a pod to go.
pub fn drop_pod(desk: &mut Desk, kind: &Kind, owner: &Entry, writer: Writer, pod: &Entry) {
    deleted(desk.store, plural("pods"), &pod.key(), None, false);
    let message = match kind.plural {
        "statefulsets" => format!("Delete Pod {} in StatefulSet {} successful", pod.name(), owner.name()),
        _ => format!("Deleted pod: {}", pod.name()),
    };
    desk.tell(kind.plural, owner, writer, ("Normal", "SuccessfulDelete"), &message);
}

/// Leaves a zero out, as the real thing does in a status.
pub fn set(status: &mut Value, name: &str, count: i64) {
    if count == 0 {
        status.as_object_mut().map(|s| s.remove(name));
    } else {
        status[name] = json!(count);
    }
}

pub fn look(desk: &mut Desk, key: &Key) -> Option<Duration> {
    let kind = plural("replicasets");
    let set_ = desk.get("replicasets", key)?;
    let pods = desk.store.children(plural("pods"), set_.uid());
    let mut here: Vec<Entry> = pods.iter().filter(|p| active(p)).cloned().collect();
    let wanted = usize::try_from(set_.value["spec"]["replicas"].as_i64().unwrap_or(1)).unwrap_or(0);
    if here.len() < wanted {
        for _ in here.len()..wanted {
            make_pod(desk, kind, &set_, WRITER, None, |_| {});
        }
    } else if here.len() > wanted {
        // Those go first that serve least: without a node, not ready, youngest.
        here.sort_by_key(|p| (!p.value["spec"]["nodeName"].is_null(), ready(p), std::cmp::Reverse(p.version)));
        for pod in &here[..here.len() - wanted] {
            drop_pod(desk, kind, &set_, WRITER, pod);
        }
    }
    let pods = desk.store.children(plural("pods"), set_.uid());
    let here: Vec<Entry> = pods.iter().filter(|p| active(p)).cloned().collect();
    let (is_ready, available, again) = counted(desk, &here, &set_.value["spec"]["minReadySeconds"]);
    let going = pods.iter().filter(|p| leaving(p)).count();
    desk.change("replicasets", key, WRITER, |object| {
        let generation = object["metadata"]["generation"].clone();
        let status = &mut object["status"];
        let count = i64::try_from(here.len()).unwrap_or(0);
        status["replicas"] = json!(count);
        set(status, "fullyLabeledReplicas", count);
        set(status, "readyReplicas", is_ready);
        set(status, "availableReplicas", available);
        status["terminatingReplicas"] = json!(going);
        status["observedGeneration"] = generation;
    });
    again
}
