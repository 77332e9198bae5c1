//! A namespace of a real cluster for one test, with pods as it wants them.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use http::Method;
use quarterdeck::config::ConnectionSpec;
use quarterdeck::engine::kubernetes::client::Client;
use quarterdeck::engine::kubernetes::{self, kubeconfig};
use quarterdeck::engine::{Engine, EngineError, LogQuery, Topic, Update};
use quarterdeck::model::InstanceId;
use quarterdeck::observe::log::Marker;
use quarterdeck::operate::action::InstanceRef;
use quarterdeck::operate::{Accepted, Action, Output};
use serde_json::{Value, json};

use crate::cluster::{act, spec};
use crate::real_engine::not_run;

pub const IMAGE: &str = "busybox:1.35";
/// No test waits longer for anything.
pub const LIMIT: Duration = Duration::from_secs(90);

/// A namespace of a real cluster.
pub struct Ground {
    pub client: Client,
    pub engine: Arc<dyn Engine>,
    pub namespace: String,
    spec: ConnectionSpec,
}

impl Ground {
    /// A fresh one, or nothing after saying loudly that the test is not run.
    pub async fn make(what: &str) -> Option<Self> {
        let Some(file) = std::env::var_os("QD_TEST_KUBECONFIG").filter(|v| !v.is_empty()) else {
            not_run(what, "no real cluster (name a kubeconfig in QD_TEST_KUBECONFIG)");
            return None;
        };
        let contexts = kubeconfig::contexts(vec![file.clone().into()]).unwrap();
        let namespace = format!("qd-test-{what}-{}", std::process::id());
        let spec = spec(file.into(), &contexts.current.unwrap(), &namespace);
        let ground = Self { client: Client::new(&spec), engine: kubernetes::connect(&spec), namespace, spec };
        let name = json!({"metadata": {"name": ground.namespace}, "apiVersion": "v1", "kind": "Namespace"});
        ground.post("/api/v1/namespaces", &name).await;
        Some(ground)
    }

    pub async fn post(&self, path: &str, object: &Value) {
        let body = serde_json::to_vec(object).unwrap();
        // The service account of a new namespace comes a moment after it.
        for _ in 0..50 {
            let made: Result<Value, EngineError> =
                self.client.ask("a test's object", Method::POST, path, body.clone(), Some("application/json")).await;
            match made {
                Ok(_) => return,
                Err(EngineError::Forbidden { .. } | EngineError::NotFound { .. }) => {
                    tokio::time::sleep(Duration::from_millis(200)).await;
                }
                Err(error) => panic!("{path}: {error}"),
            }
        }
        panic!("{path} is never allowed");
    }

    pub fn path(&self, rest: &str) -> String {
        format!("/api/v1/namespaces/{}/{rest}", self.namespace)
    }

    /// A pod of these containers: name and script.
    pub async fn pod(&self, name: &str, restart: &str, containers: &[(&str, &str)]) -> InstanceId {
        let containers: Vec<Value> = containers
            .iter()
            .map(|(name, script)| json!({"name": name, "image": IMAGE, "command": ["sh", "-c", script]}))
            .collect();
        let pod = json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name},
            "spec": {"containers": containers, "restartPolicy": restart, "terminationGracePeriodSeconds": 1},
        });
        self.post(&self.path("pods"), &pod).await;
        InstanceId::new(format!("{}/{name}", self.namespace))
    }

    /// Waits until the pod is so.
    pub async fn until(&self, pod: &InstanceId, what: &str, holds: impl Fn(&Value) -> bool) {
        let path = self.path(&format!("pods/{}", pod.as_str().rsplit('/').next().unwrap()));
        let wait = async {
            loop {
                let found: Result<Value, EngineError> = self.client.get("a test's pod", &path).await;
                if found.is_ok_and(|pod| holds(&pod)) {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        };
        assert!(tokio::time::timeout(LIMIT, wait).await.is_ok(), "{pod} is never {what}");
    }

    pub async fn running(&self, name: &str, script: &str) -> InstanceId {
        let pod = self.pod(name, "Always", &[("main", script)]).await;
        self.until(&pod, "running", |p| p.pointer("/status/containerStatuses/0/state/running").is_some()).await;
        pod
    }

    pub async fn exec(&self, pod: &InstanceId, command: &[&str]) -> Result<Output, EngineError> {
        let command = command.iter().map(|word| Arc::from(*word)).collect();
        let action = Action::Exec { instance: InstanceRef::Known(pod.clone()), command, timeout: Duration::from_secs(20) };
        match act(&self.engine, action).await? {
            Accepted::Output(output) => Ok(*output),
            other => panic!("{other:?}"),
        }
    }

    /// The texts of a log, its markers in brackets, until `enough` holds or it ends.
    pub async fn log(&self, query: LogQuery, enough: impl Fn(&[String]) -> bool) -> Vec<String> {
        let mut lines = Vec::new();
        let mut updates = self.engine.subscribe(Topic::Logs(query));
        let read = async {
            while let Some(update) = updates.next().await {
                let Update::Logs(batch) = update else { continue };
                for line in (0..batch.chunk.len()).filter_map(|i| batch.line(i)) {
                    lines.push(match line.marker {
                        Some(marker @ (Marker::Ended(_) | Marker::Waiting(_) | Marker::Reconnected(_) | Marker::Begin)) => {
                            format!("[{}: {}]", marker.word(), marker.detail())
                        }
                        Some(Marker::Dropped(_)) => "[dropped]".to_owned(),
                        None => line.text.to_owned(),
                    });
                }
                if enough(&lines) {
                    return;
                }
            }
        };
        let ended = tokio::time::timeout(LIMIT, read).await;
        assert!(ended.is_ok(), "it stops at {lines:#?}");
        lines
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        let (spec, path) = (self.spec.clone(), format!("/api/v1/namespaces/{}", self.namespace));
        let remove = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            // A client of its own: the test's is bound to the test's runtime.
            drop(runtime.block_on(Client::new(&spec).ask::<Value>(
                "a test's namespace",
                Method::DELETE,
                &path,
                Vec::new(),
                None,
            )));
        };
        drop(std::thread::spawn(remove).join());
    }
}
