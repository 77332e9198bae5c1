//! Writing, and what follows from it: rollouts that end, rollouts that do not, pods that crash, evictions.

use serde_json::{Value, json};

use crate::apiserver::{ApiServer, World, deployment};
use crate::client::{get, send};

pub const BACKEND: &str = "/apis/apps/v1/namespaces/lms-ai/deployments/lms-ai-backend";
const MERGE: &str = "application/merge-patch+json";
const STRATEGIC: &str = "application/strategic-merge-patch+json";

fn lms() -> ApiServer {
    let server = ApiServer::start(World::lms());
    server.settle();
    server
}

fn image(server: &ApiServer, image: &str) {
    let body = json!({ "spec": { "template": { "spec": { "containers": [{ "name": "backend", "image": image }] } } } });
    assert_eq!(send(server, "PATCH", BACKEND, STRATEGIC, &body).code, 200);
}

fn backend(server: &ApiServer) -> Value {
    server.get("deployments", "lms-ai", "lms-ai-backend").unwrap()
}

fn condition(object: &Value, kind: &str) -> String {
    let found = object["status"]["conditions"].as_array().unwrap().iter().find(|c| c["type"] == json!(kind));
    found.map_or_else(String::new, |c| format!("{} {}", c["status"].as_str().unwrap(), c["reason"].as_str().unwrap_or_default()))
}

fn images(server: &ApiServer) -> Vec<String> {
    let pods = server.pods("lms-ai").into_iter().filter(|p| p["metadata"]["labels"]["app"] == json!("lms-ai-backend"));
    pods.map(|p| p["spec"]["containers"][0]["image"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_new_image_rolls_out_and_never_has_fewer_available() {
    let server = lms();
    assert_eq!(condition(&backend(&server), "Progressing"), "True NewReplicaSetAvailable");
    image(&server, "lms/ai-backend:1.1.0");
    server.wait("the rollout", |s| {
        let now = backend(s);
        assert!(now["status"]["availableReplicas"].as_i64().unwrap_or(0) >= 3, "{now}");
        now["status"]["updatedReplicas"] == json!(3) && now["status"]["replicas"] == json!(3)
    });
    server.wait("the old pods to go", |s| images(s) == vec!["lms/ai-backend:1.1.0"; 3]);
    let now = backend(&server);
    assert_eq!(now["metadata"]["annotations"]["deployment.kubernetes.io/revision"], "2");
    assert_eq!((now["metadata"]["generation"].clone(), now["status"]["observedGeneration"].clone()), (json!(2), json!(2)));
    server.wait("its end", |s| condition(&backend(s), "Progressing") == "True NewReplicaSetAvailable");
    server.wait("its endpoints", |s| {
        let slice = &s.list("endpointslices", "lms-ai")[0];
        slice["endpoints"].as_array().unwrap().iter().filter(|e| e["conditions"]["ready"] == json!(true)).count() == 3
    });
}

#[test]
fn a_rollout_that_does_not_get_on_says_so_and_can_be_undone() {
    let server = lms();
    for (tag, reason) in [("1.3.0-never-ready", "Unhealthy"), ("9.9.9-missing", "BackOff")] {
        image(&server, &format!("lms/ai-backend:{tag}"));
        server.wait("the deadline", |s| condition(&backend(s), "Progressing") == "False ProgressDeadlineExceeded");
        assert_eq!(backend(&server)["status"]["availableReplicas"], 3);
        let events = server.list("events", "lms-ai");
        assert!(events.iter().any(|e| e["reason"] == json!(reason)), "{tag}");
        image(&server, "lms/ai-backend:1.0.0");
        server.wait("the undo", |s| condition(&backend(s), "Progressing") == "True NewReplicaSetAvailable");
        server.settle();
    }
    let sets = server.list("replicasets", "lms-ai");
    let history = |s: &Value| s["metadata"]["annotations"]["deployment.kubernetes.io/revision-history"].clone();
    assert!(sets.iter().any(|s| history(s) == json!("1,3")), "{sets:?}");
}

#[test]
fn a_crash_is_tried_again_and_again() {
    let server = ApiServer::start(World::empty().with(deployment("crasher", "lms/ai-backend:1.0.0-crash", 1)));
    server.wait("the back-off", |s| {
        s.pods("lms-ai").iter().any(|p| {
            let status = &p["status"]["containerStatuses"][0];
            status["state"]["waiting"]["reason"] == json!("CrashLoopBackOff")
                && status["restartCount"].as_i64() > Some(1)
                && status["lastState"]["terminated"]["exitCode"] == json!(1)
        })
    });
}

#[test]
fn the_scale_is_patched_and_conflicts_are_told() {
    let server = lms();
    let scale = format!("{BACKEND}/scale");
    let told = send(&server, "PATCH", &scale, MERGE, &json!({ "spec": { "replicas": 5 } }));
    assert_eq!((told.code, &told.json()["spec"]["replicas"]), (200, &json!(5)));
    server.settle();
    let mut stale = get(&server, &scale).json();
    send(&server, "PATCH", BACKEND, MERGE, &json!({ "metadata": { "labels": { "x": "y" } } }));
    stale["spec"]["replicas"] = json!(2);
    assert_eq!(send(&server, "PUT", &scale, "application/json", &stale).code, 409);
    let test = json!([{ "op": "test", "path": "/spec/replicas", "value": 4 }, { "op": "replace", "path": "/spec/replicas", "value": 1 }]);
    assert_eq!(send(&server, "PATCH", BACKEND, "application/json-patch+json", &test).code, 422);
    assert_eq!(send(&server, "PATCH", BACKEND, MERGE, &json!({ "metadata": { "resourceVersion": "1" } })).code, 409);
    assert_eq!(send(&server, "PATCH", &format!("{BACKEND}?dryRun=All"), MERGE, &json!({ "spec": { "replicas": 9 } })).code, 200);
    assert_eq!(backend(&server)["spec"]["replicas"], 5);
    let managers = backend(&server)["metadata"]["managedFields"].to_string();
    assert!(managers.contains("kube-controller-manager"), "{managers}");
}

#[test]
fn paused_nothing_rolls_and_recreate_leaves_a_gap() {
    let server = lms();
    send(&server, "PATCH", BACKEND, MERGE, &json!({ "spec": { "paused": true } }));
    image(&server, "lms/ai-backend:2.0.0");
    server.wait("the pause", |s| condition(&backend(s), "Progressing") == "Unknown DeploymentPaused");
    assert_eq!(images(&server), vec!["lms/ai-backend:1.0.0"; 3]);
    let strategy = json!({ "spec": { "paused": null, "strategy": { "type": "Recreate", "rollingUpdate": null } } });
    send(&server, "PATCH", BACKEND, MERGE, &strategy);
    server.wait("all of the old to go first", |s| {
        let here = images(s);
        assert!(!(here.contains(&"lms/ai-backend:1.0.0".into()) && here.contains(&"lms/ai-backend:2.0.0".into())), "{here:?}");
        here == vec!["lms/ai-backend:2.0.0"; 3]
    });
    server.settle();
}

#[test]
fn sets_roll_by_their_revisions() {
    let server = lms();
    let redis = "/apis/apps/v1/namespaces/lms-ai/statefulsets/redis";
    send(&server, "PATCH", redis, MERGE, &json!({ "spec": { "replicas": 3 } }));
    server.settle();
    let body = json!({ "spec": { "template": { "spec": { "containers": [{ "name": "redis", "image": "redis:8" }] } } } });
    send(&server, "PATCH", redis, STRATEGIC, &body);
    server.settle();
    let now = server.get("statefulsets", "lms-ai", "redis").unwrap();
    server.wait("the revision", |s| {
        let status = s.get("statefulsets", "lms-ai", "redis").unwrap()["status"].clone();
        status["currentRevision"] == status["updateRevision"]
    });
    assert_eq!(now["spec"]["template"]["spec"]["containers"][0]["image"], "redis:8");
    let agent = "/apis/apps/v1/namespaces/lms-ai/daemonsets/log-agent";
    let body =
        json!({ "spec": { "template": { "metadata": { "annotations": { "kubectl.kubernetes.io/restartedAt": "now" } } } } });
    send(&server, "PATCH", agent, STRATEGIC, &body);
    server.settle();
    let revisions = server.list("controllerrevisions", "lms-ai");
    assert_eq!(revisions.len(), 4);
}

#[test]
fn jobs_end_well_or_not() {
    let server = lms();
    let job = |name: &str, script: &str| {
        let container = json!({ "name": "run", "image": "busybox:1.35", "command": ["sh", "-c", script] });
        let spec = json!({ "backoffLimit": 0, "template": { "spec": { "containers": [container], "restartPolicy": "Never" } } });
        json!({ "apiVersion": "batch/v1", "kind": "Job", "metadata": { "name": name, "namespace": "lms-ai" }, "spec": spec })
    };
    server.create(job("well", "echo migrated; sleep 2"));
    server.create(job("ill", "echo no; exit 3"));
    let mut long = job("long", "sleep 900");
    long["spec"]["activeDeadlineSeconds"] = json!(5);
    server.create(long);
    let mut brief = job("brief", "true");
    brief["spec"]["ttlSecondsAfterFinished"] = json!(3);
    server.create(brief);
    let end = |s: &ApiServer, name: &str, kind: &str| {
        let job = s.get("jobs", "lms-ai", name).unwrap();
        if job["status"]["conditions"].is_array() { condition(&job, kind) } else { String::new() }
    };
    server.wait("all ends", |s| {
        let ended = [end(s, "well", "Complete"), end(s, "ill", "Failed"), end(s, "long", "Failed")];
        ended == ["True CompletionsReached", "True BackoffLimitExceeded", "True DeadlineExceeded"]
            && s.get("jobs", "lms-ai", "brief").is_none()
    });
    let path = "/apis/batch/v1/namespaces/lms-ai/jobs?fieldSelector=metadata.name%3Dwell";
    assert_eq!(send(&server, "DELETE", path, "application/json", &json!({})).code, 200);
    assert!(server.get("jobs", "lms-ai", "well").is_none() && server.get("jobs", "lms-ai", "ill").is_some());
}

#[test]
fn an_eviction_asks_the_budget() {
    let server = lms();
    let evict = || {
        let pods = server.pods("lms-ai").into_iter().filter(|p| p["metadata"]["labels"]["app"] == json!("lms-ai-backend"));
        let mut here = pods.filter(|p| p["metadata"]["deletionTimestamp"].is_null() && !p["spec"]["nodeName"].is_null());
        let name = here.next().unwrap()["metadata"]["name"].as_str().unwrap().to_owned();
        let body = json!({ "apiVersion": "policy/v1", "kind": "Eviction", "metadata": { "name": name, "namespace": "lms-ai" } });
        send(&server, "POST", &format!("/api/v1/namespaces/lms-ai/pods/{name}/eviction"), "application/json", &body)
    };
    // No other takes its place.
    server.change("nodes", "", "node-1", |node| node["spec"]["unschedulable"] = json!(true));
    assert_eq!(evict().code, 201);
    let refused = evict();
    assert_eq!((refused.code, refused.json()["details"]["causes"][0]["reason"].clone()), (429, json!("DisruptionBudget")));
    server.change("nodes", "", "node-1", |node| node["spec"]["unschedulable"] = json!(false));
    server.settle();
}

#[test]
fn a_cordoned_node_takes_no_pod() {
    let server = lms();
    send(&server, "PATCH", "/api/v1/nodes/node-1", STRATEGIC, &json!({ "spec": { "unschedulable": true } }));
    send(&server, "PATCH", &format!("{BACKEND}/scale"), MERGE, &json!({ "spec": { "replicas": 4 } }));
    server.wait("a pod that finds no node", |s| {
        s.pods("lms-ai").iter().any(|p| p["status"]["conditions"][0]["reason"] == json!("Unschedulable"))
    });
    send(&server, "PATCH", "/api/v1/nodes/node-1", MERGE, &json!({ "spec": { "unschedulable": null } }));
    server.settle();
}

#[test]
fn a_silent_node_takes_its_pods_with_it_until_it_is_back() {
    let server = lms();
    server.node_ready("node-1", false);
    let held = |server: &ApiServer, kind: &str, status: &str| {
        server.pods("lms-ai").iter().all(|p| {
            let conditions = p["status"]["conditions"].as_array().unwrap();
            conditions.iter().any(|c| c["type"] == json!(kind) && c["status"] == json!(status))
        })
    };
    server.wait("the pods to be lost", |s| held(s, "Ready", "False") && held(s, "ContainersReady", "True"));
    server.wait("the deployment to be short", |s| condition(&backend(s), "Available") == "False MinimumReplicasUnavailable");
    let node = server.get("nodes", "", "node-1").unwrap();
    assert_eq!(node["spec"]["taints"][0]["key"], "node.kubernetes.io/unreachable");
    server.node_ready("node-1", true);
    server.settle();
    server.wait("the taints to go", |s| s.get("nodes", "", "node-1").unwrap()["spec"]["taints"].is_null());
}
