//! What a watch tells while things happen, held to the order in which a real cluster (1.36) told it.
//!
//! `recorded/streams.json` says of each story which recording it is from. How long each step lasts, and which pod is first, is
//! another each time; what is compared is the order of what a person would be shown.

use serde_json::{Value, json};

use crate::apiserver::{ApiServer, World};
use crate::client::{open, send};
use crate::rollout::BACKEND;

fn recorded(story: &str) -> Vec<Value> {
    let all: Value = serde_json::from_str(include_str!("recorded/streams.json")).unwrap();
    all[story]["lines"].as_array().unwrap().clone()
}

/// Each once, as long as it stays the same.
fn steps(lines: &[Value], say: impl Fn(&Value) -> String) -> Vec<String> {
    let mut steps: Vec<String> = lines.iter().map(say).collect();
    steps.dedup();
    steps
}

fn life(line: &Value) -> String {
    let object = &line["object"];
    let status = &object["status"]["containerStatuses"][0];
    let state = status["state"].as_object().and_then(|s| s.keys().next().cloned()).unwrap_or_default();
    let reason = status["state"][&state]["reason"].as_str().unwrap_or_default();
    let grace = &object["metadata"]["deletionGracePeriodSeconds"];
    let bound = if object["spec"]["nodeName"].is_null() { "nowhere" } else { "bound" };
    let ready = status["ready"] == json!(true);
    format!(
        "{} {bound} {} {state} {reason} ready={ready} generation={}/{} grace={grace}",
        line["type"].as_str().unwrap(),
        object["status"]["phase"].as_str().unwrap(),
        object["status"]["observedGeneration"],
        object["metadata"]["generation"]
    )
}

#[test]
fn a_pod_comes_and_goes_as_recorded() {
    let server = ApiServer::start(World::lms());
    server.settle();
    let path = format!("/api/v1/namespaces/lms-ai/pods?watch=true&resourceVersion={}", server.version());
    let mut watch = open(&server, "GET", &path, &[], "");
    let scale = |count: i64| {
        let body = json!({ "spec": { "replicas": count } });
        send(&server, "PATCH", &format!("{BACKEND}/scale"), "application/merge-patch+json", &body);
    };
    scale(4);
    let mut lines = vec![watch.event().unwrap()];
    let name = lines[0]["object"]["metadata"]["name"].clone();
    while !life(lines.last().unwrap()).contains("ready=true") {
        lines.push(watch.event().unwrap());
    }
    server.delete("pods", "lms-ai", name.as_str().unwrap());
    while lines.last().unwrap()["type"] != json!("DELETED") {
        lines.extend(watch.event().filter(|e| e["object"]["metadata"]["name"] == name));
    }
    assert_eq!(steps(&lines, life), steps(&recorded("life"), life));
}

fn rollout(line: &Value) -> String {
    let status = &line["object"]["status"];
    let progressing = status["conditions"].as_array().unwrap().iter().find(|c| c["type"] == json!("Progressing")).unwrap();
    format!("{} updated, {}", status["updatedReplicas"].as_i64().unwrap_or(0), progressing["reason"].as_str().unwrap())
}

#[test]
fn a_rollout_is_told_as_recorded() {
    let server = ApiServer::start(World::lms());
    server.settle();
    let path = format!("/apis/apps/v1/namespaces/lms-ai/deployments?watch=true&resourceVersion={}", server.version());
    let mut watch = open(&server, "GET", &path, &[], "");
    let body =
        json!({ "spec": { "template": { "spec": { "containers": [{ "name": "backend", "image": "lms/ai-backend:1.1.0" }] } } } });
    send(&server, "PATCH", BACKEND, "application/strategic-merge-patch+json", &body);
    let mut lines: Vec<Value> = Vec::new();
    let done = |lines: &[Value]| lines.len() > 3 && rollout(lines.last().unwrap()).contains("3 updated, NewReplicaSetAvailable");
    while !done(&lines) {
        lines.push(watch.event().unwrap());
    }
    assert_eq!(steps(&lines, rollout), steps(&recorded("rollout"), rollout));
    // The first a watch tells is the wish alone: its status is still that of before.
    let first = &lines[0]["object"];
    assert!(first["status"]["observedGeneration"].as_i64() < first["metadata"]["generation"].as_i64());
}
