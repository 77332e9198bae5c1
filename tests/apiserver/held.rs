//! Objects held to recordings of a real API server (1.36): the same fields of the same types, no more and no fewer.
//!
//! `recorded/objects.json` says of each which recording it is of. What a manifest alone decides (labels, limits, the names of
//! annotations) is not compared by name, and what differs by what was done to the recorded object is named in the table.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::apiserver::{ApiServer, World, deployment};
use crate::client::{get, open, send};

fn recorded() -> Value {
    serde_json::from_str(include_str!("recorded/objects.json")).unwrap()
}

/// Fields whose inner names are a user's.
const MAPS: &[&str] = &[
    "labels",
    "annotations",
    "matchLabels",
    "data",
    "capacity",
    "allocatable",
    "limits",
    "requests",
    "allocatedResources",
    "fieldsV1",
];

/// Every path of an object with the type of what is there; the items of a list are one.
pub fn shape(value: &Value) -> BTreeSet<String> {
    let mut paths = BTreeSet::new();
    walk(value, "", &mut paths);
    paths
}

fn walk(value: &Value, path: &str, paths: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            paths.insert(format!("{path}: object"));
            let map = MAPS.contains(&path.rsplit('.').next().unwrap_or_default());
            if path.ends_with("fieldsV1") {
                return;
            }
            for (name, value) in fields {
                walk(value, &if map { format!("{path}.*") } else { format!("{path}.{name}") }, paths);
            }
        }
        Value::Array(items) => {
            paths.insert(format!("{path}: list"));
            for item in items {
                walk(item, &format!("{path}[]"), paths);
            }
        }
        Value::Null => drop(paths.insert(format!("{path}: null"))),
        Value::Bool(_) => drop(paths.insert(format!("{path}: bool"))),
        Value::Number(_) => drop(paths.insert(format!("{path}: number"))),
        Value::String(_) => drop(paths.insert(format!("{path}: text"))),
    }
}

/// What the recording has and the server not (`-`), and the other way round (`+`), beside what is allowed to differ.
pub fn differences(theirs: &Value, ours: &Value, allowed: &[&str]) -> Vec<String> {
    let (theirs, ours) = (shape(theirs), shape(ours));
    let missing = theirs.difference(&ours).map(|p| format!("-{p}"));
    let more = ours.difference(&theirs).map(|p| format!("+{p}"));
    missing.chain(more).filter(|d| !allowed.iter().any(|a| d[1..].starts_with(a))).collect()
}

const APPS: &str = "/apis/apps/v1/namespaces/lms-ai";
const CORE: &str = "/api/v1/namespaces/lms-ai";

/// The stack, and beside it what cannot be pulled, what is never ready, what crashes, and a job that is done.
fn server() -> ApiServer {
    let server = ApiServer::start(World::lms());
    server.settle();
    for (name, tag) in [("missing", "9-missing"), ("unready", "1-never-ready")] {
        server.create(deployment(name, &format!("lms/ai-backend:{tag}"), 1));
    }
    let mut crasher = deployment("crasher", "lms/ai-backend:1-crash", 1);
    let container = &mut crasher["spec"]["template"]["spec"]["containers"][0];
    *container = json!({ "name": "backend", "image": "lms/ai-backend:1-crash", "env": [{ "name": "CRASH", "value": "1" }],
        "resources": { "requests": { "cpu": "5m", "memory": "8Mi" } } });
    server.create(crasher);
    let cron = server.get("cronjobs", "lms-ai", "nightly-reindex").unwrap();
    let owner = json!([{ "apiVersion": "batch/v1", "kind": "CronJob", "name": "nightly-reindex", "uid": cron["metadata"]["uid"],
        "controller": true, "blockOwnerDeletion": true }]);
    let metadata = json!({ "name": "nightly-1", "namespace": "lms-ai", "ownerReferences": owner,
        "annotations": { "batch.kubernetes.io/cronjob-scheduled-timestamp": "2026-11-21T00:34:00Z" } });
    server.create(
        json!({ "apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": cron["spec"]["jobTemplate"]["spec"] }),
    );
    server.wait("the job", |s| s.get("jobs", "lms-ai", "nightly-1").is_some_and(|j| j["status"]["completionTime"].is_string()));
    server.wait("the crash", |s| {
        pod(s, "crasher")
            .is_some_and(|p| p["status"]["containerStatuses"][0]["state"]["waiting"]["reason"] == json!("CrashLoopBackOff"))
    });
    for name in ["missing", "unready"] {
        let exceeded = |s: &ApiServer| {
            s.get("deployments", "lms-ai", name).unwrap()["status"].to_string().contains("ProgressDeadlineExceeded")
        };
        server.wait("its deadline", exceeded);
    }
    server
}

/// The first pod whose name begins so, as a list has it.
fn pod(server: &ApiServer, stem: &str) -> Option<Value> {
    let begins = |p: &Value| p["metadata"]["name"].as_str().is_some_and(|n| n.starts_with(stem));
    server.pods("lms-ai").into_iter().find(begins)
}

fn event(server: &ApiServer, reason: &str, kind: &str) -> Value {
    let found = server
        .list("events", "lms-ai")
        .into_iter()
        .find(|e| e["reason"] == json!(reason) && e["involvedObject"]["kind"] == json!(kind));
    found.unwrap_or_else(|| panic!("no event {reason} of a {kind}"))
}

fn check(findings: &mut Vec<String>, recorded: &Value, name: &str, ours: &Value, allowed: &[&str]) {
    let theirs = &recorded[name];
    assert!(theirs.is_object(), "no recording {name}");
    for difference in differences(&theirs["object"], ours, allowed) {
        findings.push(format!("{name} ({}): {difference}", theirs["from"].as_str().unwrap()));
    }
}

fn none(findings: &[String]) {
    assert!(findings.is_empty(), "- as recorded only, + here only:\n  {}", findings.join("\n  "));
}

#[test]
fn workloads_have_the_recorded_fields() {
    let (server, recorded) = (server(), recorded());
    let mut findings = Vec::new();
    // The recorded one was restarted, which an annotation of its template tells.
    let restarted = ".spec.template.metadata.annotations";
    let backend = format!("{APPS}/deployments/lms-ai-backend");
    check(&mut findings, &recorded, "deployment", &get(&server, &backend).json(), &[restarted]);
    check(&mut findings, &recorded, "deployment-scale", &get(&server, &format!("{backend}/scale")).json(), &[]);
    let exceeded = get(&server, &format!("{APPS}/deployments/missing")).json();
    // There the old pods were still up: here there never were any.
    let up = [restarted, ".status.readyReplicas", ".status.availableReplicas"];
    check(&mut findings, &recorded, "deployment-progress-deadline-exceeded", &exceeded, &up);
    // It had been given a variable by then.
    let env = ".spec.template.spec.containers[].env:";
    let env = &env[..env.len() - 1];
    let pause = json!({ "spec": { "paused": true, "template": { "metadata": { "annotations": { "a": "b" } } } } });
    send(&server, "PATCH", &backend, "application/merge-patch+json", &pause);
    server.wait("the pause", |s| {
        s.get("deployments", "lms-ai", "lms-ai-backend").unwrap()["status"].to_string().contains("DeploymentPaused")
    });
    check(&mut findings, &recorded, "deployment-paused", &get(&server, &backend).json(), &[env]);
    check(&mut findings, &recorded, "statefulset-redis", &get(&server, &format!("{APPS}/statefulsets/redis")).json(), &[]);
    let one = |plural: &str, stem: &str| {
        let all = server.list(plural, "lms-ai").into_iter();
        all.into_iter().find(|o| o["metadata"]["name"].as_str().is_some_and(|n| n.starts_with(stem))).unwrap()
    };
    check(&mut findings, &recorded, "replicaset", &one("replicasets", "lms-ai-backend"), &[restarted]);
    check(&mut findings, &recorded, "daemonset", &one("daemonsets", "log-agent"), &[]);
    check(&mut findings, &recorded, "job", &one("jobs", "nightly-1"), &[]);
    check(&mut findings, &recorded, "cronjob", &one("cronjobs", "nightly"), &[]);
    check(&mut findings, &recorded, "controllerrevision-daemonset", &one("controllerrevisions", "log-agent"), &[]);
    check(&mut findings, &recorded, "controllerrevision-statefulset", &one("controllerrevisions", "redis"), &[]);
    none(&findings);
}

#[test]
fn pods_have_the_recorded_fields() {
    let (server, recorded) = (server(), recorded());
    let mut findings = Vec::new();
    // The recorded ones had been restarted, which an annotation of their template told.
    let restarted: &[&str] = &[".metadata.annotations"];
    for (name, stem) in [
        ("pod-running", "lms-ai-backend"),
        ("pod-image-missing", "missing"),
        ("pod-not-ready", "unready"),
        ("pod-completed", "nightly-1"),
    ] {
        check(&mut findings, &recorded, name, &pod(&server, stem).unwrap(), restarted);
    }
    for (name, stem) in [("pod-crasher", "crasher"), ("pod-redis", "redis-0"), ("pod-log", "log-agent")] {
        let pod_name = pod(&server, stem).unwrap()["metadata"]["name"].as_str().unwrap().to_owned();
        check(&mut findings, &recorded, name, &get(&server, &format!("{CORE}/pods/{pod_name}")).json(), &[]);
    }
    none(&findings);
}

#[test]
fn events_have_the_recorded_fields() {
    let (server, recorded) = (server(), recorded());
    server.delete("pods", "lms-ai", "redis-0");
    let body = json!({ "spec": { "replicas": 2 } });
    send(&server, "PATCH", &format!("{APPS}/deployments/lms-ai-backend/scale"), "application/merge-patch+json", &body);
    server.wait("what is told of it", |s| {
        s.list("events", "lms-ai")
            .iter()
            .any(|e| e["reason"] == json!("SuccessfulDelete") && e["involvedObject"]["kind"] == json!("ReplicaSet"))
    });
    let mut findings = Vec::new();
    for (name, reason, kind) in [
        ("event-scheduled", "Scheduled", "Pod"),
        ("event-pulled", "Pulled", "Pod"),
        ("event-killing", "Killing", "Pod"),
        ("event-unhealthy", "Unhealthy", "Pod"),
        ("event-back-off", "BackOff", "Pod"),
        ("event-failed", "Failed", "Pod"),
        ("event-scaled", "ScalingReplicaSet", "Deployment"),
        ("event-created", "SuccessfulCreate", "ReplicaSet"),
        ("event-deleted", "SuccessfulDelete", "ReplicaSet"),
        ("event-completed", "Completed", "Job"),
    ] {
        check(&mut findings, &recorded, name, &event(&server, reason, kind), &[]);
    }
    none(&findings);
}

#[test]
fn everything_else_has_the_recorded_fields() {
    let (server, recorded) = (server(), recorded());
    let mut findings = Vec::new();
    let one = |plural: &str, stem: &str| {
        let all = server.list(plural, "lms-ai").into_iter();
        all.into_iter().find(|o| o["metadata"]["name"].as_str().is_some_and(|n| n.starts_with(stem))).unwrap()
    };
    let scaler = get(&server, "/apis/autoscaling/v2/namespaces/lms-ai/horizontalpodautoscalers/lms-ai-backend").json();
    check(&mut findings, &recorded, "hpa", &scaler, &[]);
    check(&mut findings, &recorded, "endpointslice", &one("endpointslices", "lms-ai-backend"), &[]);
    check(&mut findings, &recorded, "service", &one("services", "lms-ai-backend"), &[]);
    check(&mut findings, &recorded, "pdb", &one("poddisruptionbudgets", "lms"), &[]);
    check(&mut findings, &recorded, "configmap", &one("configmaps", "ai-config"), &[]);
    check(&mut findings, &recorded, "secret", &one("secrets", "ai-credentials"), &[]);
    check(&mut findings, &recorded, "namespace", &server.get("namespaces", "", "lms-ai").unwrap(), &[]);
    // Images and features of the machine it ran on.
    let machine = [".status.images", ".status.runtimeHandlers", ".status.features", ".status.declaredFeatures"];
    check(&mut findings, &recorded, "node-1", &get(&server, "/api/v1/nodes/node-1").json(), &machine);
    let metrics = "/apis/metrics.k8s.io/v1beta1";
    check(
        &mut findings,
        &recorded,
        "metrics-pod",
        &get(&server, &format!("{metrics}/namespaces/lms-ai/pods")).json()["items"][0],
        &[],
    );
    check(&mut findings, &recorded, "metrics-node", &get(&server, &format!("{metrics}/nodes")).json()["items"][0], &[]);
    let form = ("Accept", "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1");
    let list = open(&server, "GET", &format!("{CORE}/secrets"), &[form], "").read().json();
    check(&mut findings, &recorded, "list-metadata-only", &list, &[]);
    let mut page = get(&server, &format!("{CORE}/pods?limit=3")).json();
    page["items"] = json!([]);
    check(&mut findings, &recorded, "list-page", &page, &[]);
    // A kubelet tells more than this one does; what this one tells, it tells as a kubelet.
    let summary = get(&server, "/api/v1/nodes/node-1/proxy/stats/summary").json();
    let more = differences(&recorded["summary"]["object"], &summary, &[]).into_iter().filter(|d| d.starts_with('+'));
    findings.extend(more.map(|d| format!("summary: {d}")));
    check(&mut findings, &recorded, "list-empty", &get(&server, "/api/v1/namespaces/default/pods").json(), &[]);
    none(&findings);
}

#[test]
fn the_server_says_of_itself_what_was_recorded() {
    let (server, recorded) = (ApiServer::start(World::empty()), recorded());
    let mut findings = Vec::new();
    for (name, path, allowed) in [
        ("version", "/version", [""; 0].as_slice()),
        ("api", "/api", &[]),
        // What a real one tells of how it stores things.
        ("apis-apps-v1", "/apis/apps/v1", &[".resources[].storageVersionHash", ".resources[].categories"]),
        ("apis-autoscaling-v2", "/apis/autoscaling/v2", &[".resources[].storageVersionHash", ".resources[].categories"]),
        ("apis-metrics", "/apis/metrics.k8s.io/v1beta1", &[]),
    ] {
        check(&mut findings, &recorded, name, &get(&server, path).json(), allowed);
    }
    let aggregated = ("Accept", "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList");
    let mut groups = open(&server, "GET", "/apis", &[aggregated], "").read().json();
    groups["items"].as_array_mut().unwrap().retain(|g| g["metadata"]["name"] == json!("apps"));
    check(&mut findings, &recorded, "apis-aggregated", &groups, &[".items[].versions[].resources[].categories"]);
    let about = json!({ "namespace": "lms-ai", "verb": "patch", "group": "apps", "resource": "deployments" });
    for (kind, spec) in [
        ("selfsubjectaccessreview", json!({ "resourceAttributes": about })),
        ("selfsubjectrulesreview", json!({ "namespace": "lms-ai" })),
    ] {
        let headers = [("Authorization", "Bearer viewer-token"), ("Content-Type", "application/json")];
        let path = format!("/apis/authorization.k8s.io/v1/{kind}s");
        let review = open(&server, "POST", &path, &headers, &json!({ "spec": spec }).to_string()).read();
        assert_eq!(review.code, 201);
        // A real one notes who wrote what, even of what it does not keep.
        check(&mut findings, &recorded, kind, &review.json(), &[".metadata.managedFields"]);
    }
    none(&findings);
}
