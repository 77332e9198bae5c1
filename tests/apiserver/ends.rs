//! What fails, hangs, is empty or put off, held to what a real cluster (1.36) made of the same manifests.
//!
//! `recorded/set.json` has the manifests and what became of them there.

use serde_json::{Value, json};

use crate::apiserver::{ApiServer, World};
use crate::client::send;
use crate::held::differences;

/// Where manifests of a kind are posted to.
fn collection(kind: &str) -> String {
    let place = match kind {
        "Pod" => "api/v1 pods",
        "Service" => "api/v1 services",
        "Job" => "apis/batch/v1 jobs",
        "Deployment" => "apis/apps/v1 deployments",
        "StatefulSet" => "apis/apps/v1 statefulsets",
        "PodDisruptionBudget" => "apis/policy/v1 poddisruptionbudgets",
        "Ingress" => "apis/networking.k8s.io/v1 ingresses",
        other => panic!("no place for a {other}"),
    };
    let (group, plural) = place.split_once(' ').unwrap();
    format!("/{group}/namespaces/qd-sim/{plural}")
}

/// What an object says of itself in its conditions, but for the names it was given.
fn says(object: &Value) -> Vec<String> {
    let conditions = object["status"]["conditions"].as_array().into_iter().flatten();
    let mut said: Vec<String> = conditions
        .map(|c| {
            let message = c["message"].as_str().unwrap_or_default().split('"').step_by(2).collect::<String>();
            format!("{} {} {} {message}", c["type"], c["status"], c["reason"])
        })
        .collect();
    // What became of a job is told in the order of a map.
    said.sort();
    said
}

#[test]
fn what_fails_or_waits_is_told_as_recorded() {
    let set: Value = serde_json::from_str(include_str!("recorded/set.json")).unwrap();
    let server = ApiServer::start(World::empty());
    server.create(json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "qd-sim" } }));
    for manifest in set["manifests"].as_array().unwrap() {
        let made = send(&server, "POST", &collection(manifest["kind"].as_str().unwrap()), "application/json", manifest);
        assert_eq!(made.code, 201, "{}", made.text());
    }
    let here = |plural: &str, name: &str| {
        let found = server.list(plural, "qd-sim").into_iter();
        let stem = format!("{name}-");
        let is =
            |o: &Value| o["metadata"]["name"].as_str().is_some_and(|n| n == name || (n.starts_with(&stem) && plural != "jobs"));
        found.into_iter().find(is)
    };
    let mut findings = Vec::new();
    for (place, theirs) in set["objects"].as_object().unwrap() {
        let (plural, name) = place.split_once('/').unwrap();
        // Some of them take their time: a deadline, a container that fails, pods one after the other.
        server.wait(place, |_| {
            here(plural, name).is_some_and(|ours| says(&ours) == says(theirs) && differences(theirs, &ours, &[]).is_empty())
                || server_is_quiet(&server)
        });
        let ours = here(plural, name).unwrap();
        findings.extend(differences(theirs, &ours, &[]).into_iter().map(|d| format!("{place}: {d}")));
        if says(theirs) != says(&ours) {
            findings.push(format!("{place}:\n    recorded {:?}\n    here     {:?}", says(theirs), says(&ours)));
        }
        let counts = |o: &Value| {
            ["failed", "active", "ready", "terminating", "readyReplicas", "updatedReplicas"].map(|n| o["status"][n].clone())
        };
        if counts(theirs) != counts(&ours) {
            findings.push(format!("{place}: {:?} recorded, {:?} here", counts(theirs), counts(&ours)));
        }
    }
    assert!(findings.is_empty(), "- as recorded only, + here only:\n  {}", findings.join("\n  "));
}

/// Whether both jobs have failed and the set is up: nothing more comes.
fn server_is_quiet(server: &ApiServer) -> bool {
    let failed = |name: &str| {
        server.get("jobs", "qd-sim", name).is_some_and(|j| says(&j).iter().any(|s| s.starts_with("\"Failed\" \"True\"")))
    };
    let up = server.get("statefulsets", "qd-sim", "sts").is_some_and(|s| s["status"]["availableReplicas"] == json!(2));
    let gone = !server.pods("qd-sim").iter().any(|p| p["metadata"]["name"].as_str().is_some_and(|n| n.starts_with("long")));
    failed("ill") && failed("long") && up && gone
}
