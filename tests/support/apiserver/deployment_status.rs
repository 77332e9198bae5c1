//! What a deployment says of itself: counts, and the conditions that tell whether a rollout gets on.

use std::time::Duration;

use serde_json::{Value, json};

use super::control::{Desk, condition};
use super::deployment::{Rollout, WRITER, number};
use super::replicaset::set;

/// Writes the status; when to look again for a deadline.
pub fn report(desk: &mut Desk, rollout: &Rollout, news: Option<&str>) -> Option<Duration> {
    let sum = |path: &str| rollout.all().map(|s| number(s, path)).sum::<i64>();
    let (replicas, is_ready, available) =
        (sum("/status/replicas"), sum("/status/readyReplicas"), sum("/status/availableReplicas"));
    let updated = rollout.new.as_ref().map_or(0, |s| number(s, "/status/replicas"));
    let (going, total) = (sum("/status/terminatingReplicas"), sum("/spec/replicas"));
    let wanted = rollout.wanted();
    let complete = updated == wanted && replicas == wanted && available == wanted;
    let (_, unavailable) = rollout.bounds();
    let enough = available >= wanted - unavailable;
    let deployment = rollout.deployment.clone();
    let (progressing, again) =
        progress(desk, rollout, news, complete, &json!([updated, replicas - updated, is_ready, available]));
    desk.change("deployments", &deployment.key(), WRITER, |object| {
        let generation = object["metadata"]["generation"].clone();
        let status = &mut object["status"];
        status["observedGeneration"] = generation;
        for (name, count) in [
            ("replicas", replicas),
            ("updatedReplicas", updated),
            ("readyReplicas", is_ready),
            ("availableReplicas", available),
            ("unavailableReplicas", (total - available).max(0)),
        ] {
            set(status, name, count);
        }
        status["terminatingReplicas"] = json!(going);
        let held = if enough { "True" } else { "False" };
        let (reason, message) = if enough {
            ("MinimumReplicasAvailable", "Deployment has minimum availability.")
        } else {
            ("MinimumReplicasUnavailable", "Deployment does not have minimum availability.")
        };
        put(status, json!({ "type": "Available", "status": held, "reason": reason, "message": message }));
        if let Some(progressing) = progressing {
            put(status, progressing);
        }
    });
    again
}

/// Puts a condition among the others: at the end where it says something new.
pub fn put(status: &mut Value, wanted: Value) {
    let written = condition(&status["conditions"], wanted, true);
    let mut all = status["conditions"].as_array().cloned().unwrap_or_default();
    match all.iter().position(|c| c["type"] == written["type"]) {
        Some(at) if all[at]["status"] == written["status"] && all[at]["reason"] == written["reason"] => all[at] = written,
        at => {
            if let Some(at) = at {
                all.remove(at);
            }
            all.push(written);
        }
    }
    status["conditions"] = Value::Array(all);
}

/// The word on a rollout that has begun with that replica set.
pub fn begun(news: &str, name: &str) -> Value {
    let what = if news == "NewReplicaSetCreated" { "Created new replica set" } else { "Found new replica set" };
    json!({ "type": "Progressing", "status": "True", "reason": news, "message": format!("{what} \"{name}\"") })
}

/// The word on how the rollout gets on, if there is a new one, and when its time is over.
fn progress(
    desk: &mut Desk,
    rollout: &Rollout,
    news: Option<&str>,
    complete: bool,
    share: &Value,
) -> (Option<Value>, Option<Duration>) {
    let deployment = &rollout.deployment;
    let conditions = deployment.value["status"]["conditions"].as_array();
    let last = conditions.into_iter().flatten().find(|c| c["type"] == json!("Progressing")).cloned().unwrap_or_default();
    let reason = last["reason"].as_str().unwrap_or_default();
    let say = |status: &str, reason: &str, message: String| {
        Some(json!({ "type": "Progressing", "status": status, "reason": reason, "message": message }))
    };
    if deployment.value["spec"]["paused"] == json!(true) {
        return (say("Unknown", "DeploymentPaused", "Deployment is paused".into()), None);
    }
    let name = rollout.new.as_ref().map_or(deployment.name(), |s| s.name());
    let uid = deployment.uid().to_owned();
    if complete {
        desk.memory.progress.remove(&uid);
        return (say("True", "NewReplicaSetAvailable", format!("ReplicaSet \"{name}\" has successfully progressed.")), None);
    }
    if reason == "DeploymentPaused" && news.is_none() {
        desk.memory.progress.insert(uid, (desk.now, share.clone()));
        let deadline = desk.seconds(number(deployment, "/spec/progressDeadlineSeconds") as f64);
        return (say("Unknown", "DeploymentResumed", "Deployment is resumed".into()), Some(deadline));
    }
    let known = desk.memory.progress.get(&uid).cloned();
    let deadline = desk.seconds(number(deployment, "/spec/progressDeadlineSeconds") as f64);
    if let Some(news) = news {
        desk.memory.progress.insert(uid, (desk.now, share.clone()));
        return (Some(begun(news, name)), Some(deadline));
    }
    // A deployment that was whole and is only scaled, or lost a pod, has no deadline to miss.
    if reason == "NewReplicaSetAvailable" && known.is_none() && updated_all(rollout) {
        return (None, None);
    }
    let on = known.as_ref().is_none_or(|(_, before)| got_on(before, share));
    if on {
        desk.memory.progress.insert(uid, (desk.now, share.clone()));
        return (say("True", "ReplicaSetUpdated", format!("ReplicaSet \"{name}\" is progressing.")), Some(deadline));
    }
    let since = known.map_or(desk.now, |(since, _)| since);
    let left = (since + deadline).saturating_duration_since(desk.now);
    if left.is_zero() {
        return (say("False", "ProgressDeadlineExceeded", format!("ReplicaSet \"{name}\" has timed out progressing.")), None);
    }
    (None, Some(left))
}

fn updated_all(rollout: &Rollout) -> bool {
    rollout.old.iter().all(|s| number(s, "/spec/replicas") == 0)
}

/// More updated, fewer old, more ready or more available than before.
fn got_on(before: &Value, now: &Value) -> bool {
    let at = |v: &Value, n: usize| v[n].as_i64().unwrap_or(0);
    at(now, 0) > at(before, 0) || at(now, 1) < at(before, 1) || at(now, 2) > at(before, 2) || at(now, 3) > at(before, 3)
}
