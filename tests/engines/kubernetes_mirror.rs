//! Blue-green on a cluster: a mirror beside a Deployment, and the Services led there and back.

use quarterdeck::engine::EngineError;
use quarterdeck::model::OperationId;
use quarterdeck::operate::{Accepted, Action, mirror};
use serde_json::Value;

use crate::apiserver::{ApiServer, deployment};
use crate::cluster::{act, engine, environment};
use crate::kubernetes_operate::{APP, NS, app, pods, ready, revision, set_image};

/// What the Service of the app leads to.
fn selector(server: &ApiServer) -> Value {
    server.get("services", NS, APP).unwrap()["spec"]["selector"].clone()
}

#[tokio::test]
async fn traffic_goes_to_a_mirror_and_back_and_nothing_is_left_of_it() {
    let server = ready();
    let engine = engine(&server);
    let operation = OperationId::from("op-1");
    let name = mirror::beside(APP, &operation);
    let make = || Action::Mirror {
        environment: environment(),
        workload: APP.into(),
        operation: operation.clone(),
        revision: revision(2, "lms/ai-backend:1.1.0"),
        container: None,
    };
    let switch = |to_mirror: Option<&OperationId>| Action::SwitchTraffic {
        environment: environment(),
        workload: APP.into(),
        to_mirror: to_mirror.cloned(),
    };
    let forget = || Action::ForgetMirror { environment: environment(), workload: APP.into(), operation: operation.clone() };
    let plain = selector(&server);
    act(&engine, make()).await.unwrap();
    assert_eq!(act(&engine, make()).await, Ok(Accepted::AlreadySo));
    assert!(selector(&server)["pod-template-hash"].is_string(), "held to the pods there were: {}", selector(&server));
    server.settle();
    let mirrored = server.get("deployments", NS, &name).unwrap();
    assert_eq!(mirrored["spec"]["template"]["spec"]["containers"][0]["image"], "lms/ai-backend:1.1.0");
    assert_eq!(mirrored["status"]["availableReplicas"], 3);
    assert_eq!(app(&server)["status"]["availableReplicas"], 3, "its own are untouched");
    act(&engine, switch(Some(&operation))).await.unwrap();
    assert_eq!(selector(&server)["quarterdeck.io/mirror"], mirror::tag(&operation));
    // Taken back: held to its own pods while the mirror of another image stands.
    act(&engine, switch(None)).await.unwrap();
    assert!(selector(&server)["pod-template-hash"].is_string());
    act(&engine, switch(Some(&operation))).await.unwrap();
    act(&engine, set_image(2, "lms/ai-backend:1.1.0")).await.unwrap();
    // It is led back only when its own pods are ready.
    act(&engine, switch(None)).await.unwrap();
    assert_eq!(app(&server)["status"]["updatedReplicas"], 3);
    assert_eq!(selector(&server), plain, "both are the same now");
    act(&engine, forget()).await.unwrap();
    assert_eq!(act(&engine, forget()).await, Ok(Accepted::AlreadySo));
    server.wait("its own pods only", |s| pods(s).len() == 3);
    assert!(server.get("deployments", NS, &name).is_none());
    let service = server.get("services", NS, APP).unwrap();
    let notes = service["metadata"]["annotations"].as_object().cloned().unwrap_or_default();
    assert!(notes.keys().all(|key| !key.starts_with("quarterdeck.io/")), "{notes:?}");
}

#[tokio::test]
async fn there_is_no_mirror_where_nothing_leads_to() {
    let server = ready();
    server.put(deployment("alone", "lms/ai-backend:1.0.0", 1));
    server.settle();
    let engine = engine(&server);
    let make = |workload: &str| Action::Mirror {
        environment: environment(),
        workload: workload.into(),
        operation: "op-1".into(),
        revision: revision(2, "lms/ai-backend:1.1.0"),
        container: None,
    };
    let error = act(&engine, make("alone")).await.unwrap_err().to_string();
    assert!(error.contains("no Service leads to it"), "{error}");
    let error = act(&engine, make("redis")).await.unwrap_err();
    assert!(matches!(error, EngineError::Unsupported { .. }), "{error}");
}
