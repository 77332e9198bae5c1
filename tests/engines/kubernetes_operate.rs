//! What a cluster is told to change it: the calls as kubectl makes them, harmless when repeated, and what becomes of them
//! when somebody else was faster or the server refuses.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use quarterdeck::engine::{EngineError, Report};
use quarterdeck::model::{InstanceId, LockHolder, OperationId, Revision};
use quarterdeck::operate::action::InstanceRef;
use quarterdeck::operate::{Accepted, Action, mirror};
use serde_json::{Value, json};

use crate::apiserver::{ApiServer, Seen, World};
use crate::cluster::{act, engine, engine_as, environment};

pub const APP: &str = "lms-ai-backend";
pub const NS: &str = "lms-ai";

pub fn ready() -> ApiServer {
    let server = ApiServer::start(World::lms());
    server.settle();
    server.forget_requests();
    server
}

pub fn revision(number: u64, image: &str) -> Revision {
    Revision {
        number,
        image: image.into(),
        digest: None,
        at: Some(Timestamp::from_second(1_795_000_000).unwrap()),
        by: Some("ada@desk".into()),
        cause: Some(format!("deploy {image}").into()),
    }
}

pub fn set_image(number: u64, image: &str) -> Action {
    let (environment, workload) = (environment(), APP.into());
    Action::SetImage { environment, workload, container: None, revision: revision(number, image), pacing: None }
}

fn scale(to: u32) -> Action {
    Action::SetReplicas { environment: environment(), workload: APP.into(), replicas: to }
}

fn restart(operation: &str) -> Action {
    Action::Rollout { environment: environment(), workload: APP.into(), operation: operation.into(), pacing: None }
}

pub fn pods(server: &ApiServer) -> Vec<String> {
    let ours = |pod: &Value| pod["metadata"]["labels"]["app"] == APP;
    let name = |pod: &Value| pod["metadata"]["name"].as_str().unwrap().to_owned();
    server.pods(NS).iter().filter(|p| ours(p)).map(name).collect()
}

fn instance(pod: &str) -> InstanceRef {
    InstanceRef::Known(InstanceId::new(format!("{NS}/{pod}")))
}

pub fn app(server: &ApiServer) -> Value {
    server.get("deployments", NS, APP).unwrap()
}

/// Writes to the server, in order.
fn writes(server: &ApiServer) -> Vec<Seen> {
    server.requests().into_iter().filter(|r| r.method != "GET").collect()
}

/// A request kubectl makes, from its trace.
fn kubectl(what: &str) -> (String, String, String, Value) {
    let all = include_str!("kubernetes/kubectl.txt");
    let line = all.lines().find(|line| line.starts_with(&format!("{what} "))).unwrap();
    let mut parts = line.splitn(5, ' ').skip(1).map(ToOwned::to_owned);
    let mut next = || parts.next().unwrap();
    (next(), next(), next(), serde_json::from_str(&next()).unwrap())
}

/// Everything `part` says, `whole` says too; what kubectl adds to keep the order of a list it merges is not needed.
fn says(whole: &Value, part: &Value) -> bool {
    match (whole, part) {
        (_, Value::String(cut)) if cut == "…" => true,
        (Value::Object(whole), Value::Object(part)) => part
            .iter()
            .filter(|(key, _)| !key.starts_with("$setElementOrder"))
            .all(|(key, value)| whole.get(key).is_some_and(|there| key.ends_with("restartedAt") || says(there, value))),
        (Value::Array(whole), Value::Array(part)) => {
            part.iter().enumerate().all(|(i, one)| whole.get(i).is_some_and(|w| says(w, one)))
        }
        (whole, part) => whole == part,
    }
}

#[tokio::test]
async fn calls_are_those_of_kubectl_and_name_who_makes_them() {
    let server = ready();
    let engine = engine(&server);
    act(&engine, set_image(2, "lms/ai-backend:1.1.0")).await.unwrap();
    server.settle();
    let back = Action::Revert {
        environment: environment(),
        workload: APP.into(),
        to: 1,
        revision: revision(3, "lms/ai-backend:1.0.0"),
        pacing: None,
    };
    for (what, action) in [
        ("scale", scale(5)),
        ("restart", restart("op-1")),
        ("undo", back),
        ("set-image", set_image(5, "lms/ai-backend:1.1.0")),
        ("cordon", Action::Cordon { environment: environment(), node: "node-1".into(), on: true }),
    ] {
        server.forget_requests();
        assert_eq!(act(&engine, action.clone()).await, Ok(Accepted::Done), "{what}");
        let (method, path, content, body) = kubectl(what);
        // One that met a change of the server's own was refused, and was made anew on what is there.
        let sent: Vec<_> = writes(&server).into_iter().filter(|request| request.code != 409).collect();
        let [request] = &sent[..] else { panic!("{what}: {sent:#?}") };
        assert_eq!((&request.method, &request.path, &request.content_type), (&method, &path, &content), "{what}");
        assert_eq!(request.manager, "quarterdeck", "{what}");
        let mut told: Value = serde_json::from_str(&request.body).unwrap();
        for step in told.as_array_mut().into_iter().flatten().filter(|s| s["path"] == "/metadata/annotations") {
            // `add` puts in place of what is there, too, and where nothing is.
            step["op"] = json!("replace");
        }
        assert!(says(&told, &body), "{what}: {told:#}");
        // Good only for the version that was read.
        assert!(request.body.contains("resourceVersion"), "{what}: {}", request.body);
        server.forget_requests();
        assert_eq!(act(&engine, action).await, Ok(Accepted::AlreadySo), "{what}, again");
        assert!(writes(&server).is_empty(), "{what} is told once");
    }
}

#[tokio::test]
async fn a_revision_says_who_made_it_and_why_and_going_back_gives_the_template_of_then() {
    let server = ready();
    let engine = engine(&server);
    let before = app(&server)["spec"]["template"].clone();
    act(&engine, set_image(2, "lms/ai-backend:1.1.0")).await.unwrap();
    server.settle();
    let sets = server.list("replicasets", NS);
    let newest = sets.iter().find(|s| s["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "2").unwrap();
    let notes = &newest["metadata"]["annotations"];
    assert_eq!(notes["kubernetes.io/change-cause"], "deploy lms/ai-backend:1.1.0");
    assert_eq!(notes["quarterdeck.io/by"], "ada@desk");
    let back = |number| Action::Revert {
        environment: environment(),
        workload: APP.into(),
        to: 1,
        revision: revision(number, "lms/ai-backend:1.0.0"),
        pacing: None,
    };
    act(&engine, back(3)).await.unwrap();
    server.settle();
    assert_eq!(app(&server)["spec"]["template"], before);
    assert_eq!(app(&server)["metadata"]["annotations"]["deployment.kubernetes.io/revision"], "3");
    // It is there: whatever asks for it again, by whichever number.
    assert_eq!(act(&engine, back(4)).await, Ok(Accepted::AlreadySo));
    let missing =
        Action::Revert { environment: environment(), workload: APP.into(), to: 9, revision: revision(4, "x:1"), pacing: None };
    let error = act(&engine, missing).await.unwrap_err();
    assert_eq!(error.to_string(), "revision 9 of Deployment lms-ai/lms-ai-backend does not exist");
}

#[tokio::test]
async fn somebody_elses_change_of_the_same_thing_is_not_overwritten_and_a_new_status_is_no_change() {
    let server = Arc::new(ready());
    let engine = engine(&server);
    // A status moves all the time while a rollout goes on.
    act(&engine, set_image(2, "lms/ai-backend:1.1.0")).await.unwrap();
    assert_eq!(act(&engine, scale(4)).await, Ok(Accepted::Done));
    server.settle();
    let error = act(&engine, set_image(3, "lms/ai-backend:1.1.0")).await.unwrap_err();
    assert!(matches!(error, EngineError::Conflict { .. }), "{error}");
    assert!(error.to_string().contains("has the image lms/ai-backend:1.1.0 already"), "{error}");
}

#[tokio::test]
async fn a_stopped_workload_remembers_how_many_it_had() {
    let server = ready();
    let engine = engine(&server);
    act(&engine, scale(0)).await.unwrap();
    assert_eq!(app(&server)["metadata"]["annotations"]["quarterdeck.io/resting"], "3");
    server.wait("no pods", |s| pods(s).is_empty());
    act(&engine, scale(3)).await.unwrap();
    assert!(app(&server)["metadata"]["annotations"].get("quarterdeck.io/resting").is_none());
}

#[tokio::test]
async fn a_pod_is_evicted_as_its_budget_allows_and_killed_whatever_it_says() {
    let server = ready();
    let engine = engine(&server);
    let all = pods(&server);
    let remove = |pod: &str, force| Action::Remove { instance: instance(pod), force };
    act(&engine, remove(&all[0], false)).await.unwrap();
    assert!(!pods(&server).contains(&all[0]), "it is gone when that is said");
    assert_eq!(act(&engine, remove(&all[0], false)).await, Ok(Accepted::AlreadySo));
    server.settle();
    // Two are needed; with all pods but two away nobody may go.
    act(&engine, scale(2)).await.unwrap();
    server.settle();
    let left = pods(&server);
    let error = act(&engine, remove(&left[0], false)).await.unwrap_err();
    let said = error.to_string();
    assert!(said.contains("The disruption budget lms-ai-backend needs 2 healthy pods and has 2 currently"), "{said}");
    act(&engine, remove(&left[0], true)).await.unwrap();
    assert!(!pods(&server).contains(&left[0]));
    let kill = |signal: &str| Action::Kill { instance: instance(&left[1]), signal: signal.into() };
    assert!(matches!(act(&engine, kill("SIGHUP")).await, Err(EngineError::Unsupported { .. })));
    act(&engine, kill("SIGKILL")).await.unwrap();
    assert!(!pods(&server).contains(&left[1]));
}

#[tokio::test]
async fn a_node_is_emptied_of_what_can_go_and_what_holds_it_up_is_told() {
    let server = ApiServer::start(World::lms().node("node-2"));
    server.settle();
    let engine = engine(&server);
    let on = |server: &ApiServer, node: &str| -> Vec<String> {
        let there = |pod: &Value| pod["spec"]["nodeName"] == node && pod["metadata"]["deletionTimestamp"].is_null();
        server.pods("").iter().filter(|p| there(p)).map(|p| p["metadata"]["name"].as_str().unwrap().to_owned()).collect()
    };
    let cordon = Action::Cordon { environment: environment(), node: "node-1".into(), on: true };
    act(&engine, cordon).await.unwrap();
    let drain = |within| Action::Drain { environment: environment(), node: "node-1".into(), within };
    let heard = Arc::new(Mutex::new(Vec::new()));
    let report: Report = {
        let heard = heard.clone();
        Arc::new(move |words: String| heard.lock().unwrap().push(words))
    };
    engine.execute(drain(Duration::from_secs(60)), report).await.unwrap();
    let left = on(&server, "node-1");
    assert!(left.iter().all(|name| name.starts_with("log-agent")), "only what belongs to it: {left:?}");
    assert_eq!(act(&engine, drain(Duration::from_secs(60))).await, Ok(Accepted::AlreadySo));
    // A pod nothing would make anew is not taken from anybody.
    server.put(json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "alone", "namespace": NS },
        "spec": { "nodeName": "node-1", "containers": [{ "name": "sh", "image": "busybox:1" }] },
    }));
    let error = act(&engine, drain(Duration::from_secs(60))).await.unwrap_err();
    assert!(error.to_string().contains("pod lms-ai/alone belongs to no controller"), "{error}");
}

fn holder(by: &str, operation: &str) -> LockHolder {
    LockHolder {
        by: by.into(),
        host: "desk".into(),
        pid: 7,
        pid_started: 99,
        why: "deploy api".into(),
        since: Timestamp::from_second(1_795_000_000).unwrap(),
        operation: Some(operation.into()),
        request: Some("{}".into()),
    }
}

fn take(holder: &LockHolder, replaces: Option<&LockHolder>) -> Action {
    let replaces = replaces.map(|old| Box::new(old.clone()));
    Action::TakeLock { environment: environment(), holder: Box::new(holder.clone()), replaces }
}

fn release(operation: Option<&str>) -> Action {
    Action::ReleaseLock { environment: environment(), operation: operation.map(OperationId::from) }
}

#[tokio::test]
async fn one_person_has_the_lock_whichever_form_it_takes() {
    for forbidden in [false, true] {
        let server = ready();
        if forbidden {
            for verb in ["get", "create", "update", "delete"] {
                server.faults().forbid(verb, "leases");
            }
        }
        let engine = engine(&server);
        let (ada, bob) = (holder("ada@desk", "op-1"), holder("bob@desk", "op-2"));
        assert_eq!(act(&engine, take(&ada, None)).await, Ok(Accepted::Done));
        assert_eq!(act(&engine, take(&ada, None)).await, Ok(Accepted::AlreadySo));
        let plural = if forbidden { "configmaps" } else { "leases" };
        let there = server.get(plural, NS, "quarterdeck-lock").unwrap();
        assert!(there["metadata"]["annotations"]["quarterdeck.io/lock"].as_str().unwrap().contains("ada@desk"));
        if !forbidden {
            assert_eq!(there["spec"]["holderIdentity"], "ada@desk");
        }
        let error = act(&engine, take(&bob, None)).await.unwrap_err().to_string();
        assert!(error.contains("ada@desk has held it since 2026-11-18T") && error.ends_with("deploy api"), "{error}");
        assert_eq!(act(&engine, release(Some("op-2"))).await, Ok(Accepted::AlreadySo), "not his");
        assert_eq!(act(&engine, take(&bob, Some(&ada))).await, Ok(Accepted::Done), "taken over knowingly");
        assert!(act(&engine, take(&ada, Some(&ada))).await.is_err(), "hers is gone");
        assert_eq!(act(&engine, release(None)).await, Ok(Accepted::Done));
        assert_eq!(act(&engine, release(None)).await, Ok(Accepted::AlreadySo));
        assert!(server.get(plural, NS, "quarterdeck-lock").is_none());
    }
}

#[tokio::test]
async fn of_many_who_want_the_lock_at_once_one_gets_it() {
    let server = ready();
    let engine = engine(&server);
    let holders: Vec<LockHolder> = (0..8).map(|n| holder(&format!("person-{n}@desk"), &format!("op-{n}"))).collect();
    let wanting = holders.iter().map(|one| act(&engine, take(one, None)));
    let answers = futures_util::future::join_all(wanting).await;
    assert_eq!(answers.iter().filter(|a| **a == Ok(Accepted::Done)).count(), 1, "{answers:?}");
    assert_eq!(answers.iter().filter(|a| matches!(a, Err(EngineError::Conflict { .. }))).count(), 7, "{answers:?}");
}

#[tokio::test]
async fn schedules_rollouts_and_bounds_are_held_started_and_set() {
    let server = ready();
    let engine = engine(&server);
    let hold = |workload: &str, on| Action::Suspend { environment: environment(), workload: workload.into(), on };
    for (workload, plural, field) in [(APP, "deployments", "paused"), ("nightly-reindex", "cronjobs", "suspend")] {
        for on in [true, false] {
            assert_eq!(act(&engine, hold(workload, on)).await, Ok(Accepted::Done));
            assert_eq!(act(&engine, hold(workload, on)).await, Ok(Accepted::AlreadySo));
            let is = server.get(plural, NS, workload).unwrap()["spec"][field].as_bool().unwrap_or(false);
            assert_eq!(is, on, "{workload}");
        }
    }
    assert!(matches!(act(&engine, hold("redis", true)).await, Err(EngineError::Unsupported { .. })));
    let operation = OperationId::from("op-1");
    let trigger =
        || Action::Trigger { environment: environment(), workload: "nightly-reindex".into(), operation: operation.clone() };
    assert_eq!(act(&engine, trigger()).await, Ok(Accepted::Done));
    assert_eq!(act(&engine, trigger()).await, Ok(Accepted::AlreadySo), "the same one");
    let job = server.get("jobs", NS, &mirror::beside("nightly-reindex", &operation)).unwrap();
    assert_eq!(job["metadata"]["annotations"]["cronjob.kubernetes.io/instantiate"], "manual");
    assert_eq!(job["metadata"]["ownerReferences"][0]["kind"], "CronJob");
    let bounds = |max| Action::SetBounds { environment: environment(), workload: APP.into(), min: 2, max };
    assert_eq!(act(&engine, bounds(6)).await, Ok(Accepted::Done));
    assert_eq!(act(&engine, bounds(6)).await, Ok(Accepted::AlreadySo));
    let scaler = server.get("horizontalpodautoscalers", NS, APP).unwrap();
    assert_eq!((&scaler["spec"]["minReplicas"], &scaler["spec"]["maxReplicas"]), (&json!(2), &json!(6)));
}

#[tokio::test]
async fn what_one_may_not_do_is_said_and_what_the_nodes_do_is_no_failure() {
    let server = ready();
    let viewer = engine_as(&server, "lms-viewer", NS);
    let error = act(&viewer, scale(5)).await.unwrap_err();
    assert!(matches!(error, EngineError::Forbidden { .. }), "{error}");
    let engine = engine(&server);
    let look = Action::LookAtImage { environment: environment(), image: "nowhere/else:9".into(), digest: None };
    let Ok(Accepted::Reading { words, .. }) = act(&engine, look).await else { panic!("a look is no failure") };
    assert!(words.contains("fetch it when they need it"), "{words}");
    let disk = || Action::LookAtDisk { environment: environment(), least_bytes: 1 << 30 };
    assert!(matches!(act(&engine, disk()).await, Ok(Accepted::Reading { .. })));
    server.change("nodes", "", "node-1", |node| {
        let conditions = node["status"]["conditions"].as_array_mut().unwrap();
        conditions.retain(|c| c["type"] != "DiskPressure");
        conditions.push(json!({ "type": "DiskPressure", "status": "True" }));
    });
    let error = act(&engine, disk()).await.unwrap_err().to_string();
    assert_eq!(error, "The disks of the nodes: node-1 has DiskPressure");
}
