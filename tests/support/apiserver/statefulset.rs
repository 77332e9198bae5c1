//! The stateful set controller: pods by number, one after the other, rolled from the last to the first; and the revisions
//! it shares with daemon sets.

use std::time::Duration;

use serde_json::{Value, json};

use super::control::{Desk, Writer, controller, owned_by};
use super::deployment::number;
use super::kind::{Kind, plural};
use super::remove::deleted;
use super::replicaset::{active, counted, drop_pod, hash, leaving, make_pod, ready};
use super::store::{Entry, Key};
use super::write::made;

const WRITER: Writer = controller("statefulset-controller");
const HASH: &str = "controller-revision-hash";

/// The revision of an owner's template as it is now: found, renewed where it is an old one, or made.
pub fn revision(desk: &mut Desk, kind: &Kind, owner: &Entry, writer: Writer, marks: impl Fn(&str) -> Value) -> Option<Entry> {
    let revisions = plural("controllerrevisions");
    let mut template = owner.value["spec"]["template"].clone();
    template["$patch"] = json!("replace");
    let data = json!({ "spec": { "template": template } });
    let known = desk.store.children(revisions, owner.uid());
    let newest = known.iter().map(|r| number(r, "/revision")).max().unwrap_or(0);
    if let Some(same) = known.iter().find(|r| r.value["data"] == data) {
        if number(same, "/revision") == newest {
            return Some(same.clone());
        }
        return desk.change("controllerrevisions", &same.key(), writer, |r| r["revision"] = json!(newest + 1));
    }
    let mark = hash(&data);
    let mut labels = owner.value["spec"]["template"]["metadata"]["labels"].clone();
    for (name, value) in marks(&mark).as_object().into_iter().flatten() {
        labels[name] = value.clone();
    }
    let mut made_one = json!({
        "metadata": { "name": format!("{}-{mark}", owner.name()), "labels": labels, "ownerReferences": owned_by(kind, owner) },
        "data": data, "revision": newest + 1
    });
    if owner.value["metadata"]["annotations"].is_object() {
        made_one["metadata"]["annotations"] = owner.value["metadata"]["annotations"].clone();
    }
    made(desk.store, revisions, Some(owner.namespace()), made_one, writer.manager, false).ok()
}

/// Revisions beyond the history that no pod is of go.
pub fn clean(desk: &mut Desk, owner: &Entry, pods: &[Entry]) {
    let limit = usize::try_from(owner.value["spec"]["revisionHistoryLimit"].as_i64().unwrap_or(10)).unwrap_or(10);
    let revisions = plural("controllerrevisions");
    let mut all = desk.store.children(revisions, owner.uid());
    all.sort_by_key(|r| number(r, "/revision"));
    all.pop();
    all.retain(|r| pods.iter().all(|p| !of(p, r)));
    while all.len() > limit {
        deleted(desk.store, revisions, &all.remove(0).key(), None, false);
    }
}

/// Whether a pod is of a revision: its mark is the revision's name, or the end of it.
pub fn of(pod: &Entry, revision: &Entry) -> bool {
    let mark = pod.value["metadata"]["labels"][HASH].as_str().unwrap_or_default();
    !mark.is_empty() && (revision.name() == mark || revision.name().ends_with(&format!("-{mark}")))
}

fn ordinal(pod: &Entry) -> i64 {
    pod.name().rsplit('-').next().and_then(|n| n.parse().ok()).unwrap_or(-1)
}

pub fn look(desk: &mut Desk, key: &Key) -> Option<Duration> {
    let kind = plural("statefulsets");
    let set = desk.get("statefulsets", key)?;
    let update = revision(desk, kind, &set, WRITER, |mark| json!({ "controller.kubernetes.io/hash": mark }))?;
    let pods = desk.store.children(plural("pods"), set.uid());
    let was = set.value["status"]["currentRevision"].as_str().unwrap_or_default();
    let current = if was.is_empty() { update.name().to_owned() } else { was.to_owned() };
    arrange(desk, kind, &set, &update, &current, &pods);
    let pods = desk.store.children(plural("pods"), set.uid());
    let again = report(desk, &set, &update, &current, &pods);
    clean(desk, &set, &pods);
    again
}

/// Takes the one step that is next: a missing pod is made, one too many goes, one of an old revision goes.
fn arrange(desk: &mut Desk, kind: &'static Kind, set: &Entry, update: &Entry, current: &str, pods: &[Entry]) {
    let wanted = number(set, "/spec/replicas");
    let parallel = set.value["spec"]["podManagementPolicy"] == json!("Parallel");
    let partition = number(set, "/spec/updateStrategy/rollingUpdate/partition");
    for n in 0..wanted {
        match pods.iter().find(|p| ordinal(p) == n) {
            None => {
                let revision = if n < partition { current } else { update.name() };
                make(desk, kind, set, n, revision);
            }
            Some(pod) if active(pod) && ready(pod) => continue,
            // One that has ended is made anew.
            Some(pod) if !leaving(pod) && !active(pod) => drop(deleted(desk.store, plural("pods"), &pod.key(), Some(0), false)),
            // One of an old revision that is not ready is not waited for, when its turn has come.
            Some(pod) if !leaving(pod) && !of(pod, update) && n >= partition => break,
            Some(_) => {}
        }
        if !parallel {
            return;
        }
    }
    if let Some(over) = pods.iter().filter(|p| ordinal(p) >= wanted).max_by_key(|p| ordinal(p)) {
        if !leaving(over) {
            drop_pod(desk, kind, set, WRITER, over);
        }
        return;
    }
    if set.value["spec"]["updateStrategy"]["type"] == json!("OnDelete") {
        return;
    }
    for n in (partition..wanted).rev() {
        let Some(pod) = pods.iter().find(|p| ordinal(p) == n) else { return };
        if !of(pod, update) && !leaving(pod) {
            drop_pod(desk, kind, set, WRITER, pod);
            return;
        }
        if !ready(pod) {
            return;
        }
    }
}

fn make(desk: &mut Desk, kind: &'static Kind, set: &Entry, n: i64, revision: &str) {
    let name = format!("{}-{n}", set.name());
    let revisions = plural("controllerrevisions");
    let stored = desk.store.get(revisions, &(set.namespace().to_owned(), revision.to_owned()));
    let claims: Vec<Value> = set.value["spec"]["volumeClaimTemplates"].as_array().cloned().unwrap_or_default();
    for claim in &claims {
        let mut made_one = claim.clone();
        let stem = claim["metadata"]["name"].as_str().unwrap_or_default();
        made_one["metadata"]["name"] = json!(format!("{stem}-{name}"));
        made_one["status"] = json!({ "phase": "Bound" });
        // It stays when the pod goes: the next of this number finds it there.
        let kept = made(desk.store, plural("persistentvolumeclaims"), Some(set.namespace()), made_one, WRITER.manager, false);
        if let Ok(claim) = kept {
            let message = format!("Create Claim {} Pod {name} in StatefulSet {} success", claim.name(), set.name());
            desk.tell(kind.plural, set, WRITER, ("Normal", "SuccessfulCreate"), &message);
        }
    }
    make_pod(desk, kind, set, WRITER, Some(name.clone()), |pod| {
        if let Some(template) = stored.map(|r| r.value["data"]["spec"]["template"].clone()) {
            pod["spec"] = template["spec"].clone();
            pod["metadata"]["labels"] = template["metadata"]["labels"].clone();
        }
        for (label, value) in [
            (HASH, revision.to_owned()),
            ("apps.kubernetes.io/pod-index", n.to_string()),
            ("statefulset.kubernetes.io/pod-name", name.clone()),
        ] {
            pod["metadata"]["labels"][label] = json!(value);
        }
        pod["spec"]["hostname"] = json!(name);
        pod["spec"]["subdomain"] = set.value["spec"]["serviceName"].clone();
        let volumes = claims.iter().map(|claim| {
            let stem = claim["metadata"]["name"].as_str().unwrap_or_default();
            json!({ "name": stem, "persistentVolumeClaim": { "claimName": format!("{stem}-{name}") } })
        });
        let kept = pod["spec"]["volumes"].as_array().cloned().unwrap_or_default();
        pod["spec"]["volumes"] = volumes.chain(kept).collect();
    });
}

fn report(desk: &mut Desk, set: &Entry, update: &Entry, current: &str, pods: &[Entry]) -> Option<Duration> {
    let here: Vec<Entry> = pods.iter().filter(|p| active(p) || leaving(p)).cloned().collect();
    let (is_ready, available, again) = counted(desk, &here, &set.value["spec"]["minReadySeconds"]);
    let updated = here.iter().filter(|p| of(p, update)).count();
    let wanted = number(set, "/spec/replicas");
    let done = i64::try_from(updated) == Ok(wanted) && is_ready == wanted && here.len() == updated;
    let current = if done { update.name() } else { current };
    let old = here.iter().filter(|p| p.value["metadata"]["labels"][HASH] == json!(current)).count();
    desk.change("statefulsets", &set.key(), WRITER, |object| {
        let generation = object["metadata"]["generation"].clone();
        let status = &mut object["status"];
        status["observedGeneration"] = generation;
        status["replicas"] = json!(here.len());
        for (name, count) in [("readyReplicas", is_ready), ("currentReplicas", i64::try_from(old).unwrap_or(0))] {
            super::replicaset::set(status, name, count);
        }
        super::replicaset::set(status, "updatedReplicas", i64::try_from(updated).unwrap_or(0));
        status["currentRevision"] = json!(current);
        status["updateRevision"] = json!(update.name());
        status["collisionCount"] = json!(0);
        status["availableReplicas"] = json!(available);
    });
    again
}
