//! A real Kubernetes for tests, where `QD_TEST_KUBECONFIG` names a kubeconfig: its current context, in namespaces of the
//! tests' own, which go with the test.
//!
//! Its nodes must have, or can fetch, `lms/ai-backend` in the versions `1.0.0`, `1.1.0` and `1.2.0` (http on port 3000, 200
//! on `/health`) and `1.3.0-bad` (never 200).

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use http::Method;
use quarterdeck::engine::kubernetes::client::Client;
use quarterdeck::engine::kubernetes::{self, kubeconfig};
use serde_json::{Value, json};

use crate::cluster::{place, spec};
use crate::contract::Case;
use crate::real_engine::not_run;

/// A namespace on the cluster.
pub struct Space {
    client: Client,
    kubeconfig: PathBuf,
    context: String,
    pub name: String,
}

/// A namespace of its own with the Deployment `web` behind a Service; `None` after saying loudly that the test is not run.
pub async fn space(stem: &str) -> Option<Space> {
    let Some(kubeconfig) = std::env::var_os("QD_TEST_KUBECONFIG").filter(|path| !path.is_empty()).map(PathBuf::from) else {
        let test = std::thread::current().name().unwrap_or("a test").to_owned();
        not_run(&test, "no real cluster (name a kubeconfig in QD_TEST_KUBECONFIG)");
        return None;
    };
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let name = format!("qd-test-{stem}-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let context = kubeconfig::contexts(vec![kubeconfig.clone()]).unwrap().current.unwrap().to_string();
    let client = Client::new(&spec(kubeconfig.clone(), &context, &name));
    let space = Space { client, kubeconfig, context, name };
    space
        .post("/api/v1/namespaces", json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": space.name } }))
        .await;
    space.post(&space.path("/apis/apps/v1", "deployments"), workload("Deployment")).await;
    let service = json!({
        "apiVersion": "v1", "kind": "Service", "metadata": { "name": "web" },
        "spec": { "selector": { "app": "web" }, "ports": [{ "port": 80, "targetPort": 3000 }] },
    });
    space.post(&space.path("/api/v1", "services"), service).await;
    Some(space)
}

/// `web`, of this kind.
pub fn workload(kind: &str) -> Value {
    let probe =
        |delay: u32| json!({ "httpGet": { "path": "/health", "port": 3000 }, "initialDelaySeconds": delay, "periodSeconds": 1 });
    let mut object = json!({
        "apiVersion": "apps/v1", "kind": kind, "metadata": { "name": "web" },
        "spec": {
            "selector": { "matchLabels": { "app": "web" } },
            "template": {
                "metadata": { "labels": { "app": "web" } },
                "spec": {
                    "terminationGracePeriodSeconds": 1,
                    "containers": [{
                        "name": "web", "image": "lms/ai-backend:1.0.0", "readinessProbe": probe(0),
                        "ports": [{ "containerPort": 3000 }],
                    }],
                },
            },
        },
    });
    if kind != "DaemonSet" {
        object["spec"]["replicas"] = json!(2);
    }
    if kind == "Deployment" {
        object["spec"]["progressDeadlineSeconds"] = json!(20);
        object["spec"]["strategy"] = json!({ "rollingUpdate": { "maxSurge": 1, "maxUnavailable": 0 } });
    }
    if kind == "StatefulSet" {
        object["spec"]["serviceName"] = json!("web");
    }
    object
}

impl Space {
    pub fn path(&self, group: &str, plural: &str) -> String {
        format!("{group}/namespaces/{}/{plural}", self.name)
    }

    pub async fn post(&self, path: &str, body: Value) -> Value {
        let body = body.to_string().into_bytes();
        self.client.ask(path, Method::POST, path, body, Some("application/json")).await.unwrap()
    }

    pub async fn get(&self, group: &str, plural: &str, name: &str) -> Option<Value> {
        self.client.get("looking", &format!("{}/{name}", self.path(group, plural))).await.ok()
    }

    pub async fn remove(&self, group: &str, plural: &str, name: &str) {
        let path = format!("{}/{name}", self.path(group, plural));
        let _gone: Result<Value, _> = self.client.ask(&path, Method::DELETE, &path, Vec::new(), None).await;
    }

    /// The namespace and all in it.
    pub async fn end(self) {
        let path = format!("/api/v1/namespaces/{}", self.name);
        let _gone: Result<Value, _> = self.client.ask(&path, Method::DELETE, &path, Vec::new(), None).await;
    }

    pub async fn case(&self) -> Case {
        let spec = spec(self.kubeconfig.clone(), &self.context, &self.name);
        let case = Case {
            place: place(kubernetes::connect(&spec)),
            workload: "web",
            good: "lms/ai-backend:1.1.0",
            bad: "lms/ai-backend:1.3.0-bad",
            missing: "lms/ai-backend:9.9.9",
            declared: true,
        };
        let there =
            |s: &quarterdeck::model::Snapshot| s.workload(&"web".into()).is_some_and(|w| w.desired > 0 && w.ready == w.desired);
        case.place.until("web", there).await;
        case
    }
}
