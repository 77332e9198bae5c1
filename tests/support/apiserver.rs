//! A Kubernetes API server in this process, on a port of the loopback: good enough to build and try an engine against.
//!
//! It keeps objects, lists them in pages, streams what changes, and speaks as a real server does when it cannot. What it
//! answers is held to recordings of a real one by `tests/apiserver.rs`.
//!
//! ```ignore
//! let server = ApiServer::start(World::lms());             // or World::empty().node("node-2").with(json!({ … })).still(),
//!                                                          // or World::large(1_000, 5) and then server.churn(1_000)
//! server.settle();                                         // every pod is there and ready; a cluster's second takes 20 ms
//! let kubeconfig = server.kubeconfig_path();               // contexts `lms` (may do all) and `lms-viewer` (may look)
//! server.put(json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { … } }));   // made or replaced, status too
//! server.create(json!({ … }));                             // as a user posts it; `change`, `delete`, `remove` as the names say
//! server.get("deployments", "lms-ai", "lms-ai-backend");   // as it is now, or nothing
//! server.wait("the pods", |s| s.pods("lms-ai").len() == 4);
//! server.faults().slow(About::path("/pods"), Duration::from_secs(1));  // cut, refuse, stall, answer, forbid, no_watch_list …
//! server.compact(); server.expire_watches();               // 410 for whoever begins in the past; and for open watches
//! server.requests();                                       // every request: method, path, query, agent, manager, body, code
//! ```
//!
//! Controllers and kubelets are at work, unless the world is `still()`: how a container behaves is in the tag of its image
//! (`1.0-never-ready`, `1.0-crash`, `1.0-missing`, `1.0-slow`, `1.0-stubborn`). It serves plain http; a request shows the token
//! of the user whose context it is.
//!
//! What it does not do: TLS, server-side apply, tables, YAML and protobuf, attach, `events.k8s.io`, `autoscaling/v1`. No cron
//! job starts by the clock, and an autoscaler wants what `autoscale` tells it to. A rollout scaled in its middle gives what it
//! gains to the new replica set alone.

#![allow(
    dead_code,
    unused_imports,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::needless_pass_by_value,
    reason = "whoever includes it needs a part of it, and it stops where a test is wrong"
)]

#[path = "apiserver/ask.rs"]
mod ask;
#[path = "apiserver/container.rs"]
mod container;
#[path = "apiserver/control.rs"]
mod control;
#[path = "apiserver/daemonset.rs"]
mod daemonset;
#[path = "apiserver/defaults.rs"]
mod defaults;
#[path = "apiserver/deployment.rs"]
mod deployment;
#[path = "apiserver/deployment_status.rs"]
mod deployment_status;
#[path = "apiserver/discover.rs"]
mod discover;
#[path = "apiserver/faults.rs"]
mod faults;
#[path = "apiserver/http.rs"]
mod http;
#[path = "apiserver/hub.rs"]
mod hub;
#[path = "apiserver/job.rs"]
mod job;
#[path = "apiserver/kind.rs"]
mod kind;
#[path = "apiserver/kubelet.rs"]
mod kubelet;
#[path = "apiserver/large.rs"]
mod large;
#[path = "apiserver/lms.rs"]
mod lms;
#[path = "apiserver/logs.rs"]
mod logs;
#[path = "apiserver/metrics.rs"]
mod metrics;
#[path = "apiserver/node.rs"]
mod node;
#[path = "apiserver/patch.rs"]
mod patch;
#[path = "apiserver/read.rs"]
mod read;
#[path = "apiserver/remove.rs"]
mod remove;
#[path = "apiserver/replicaset.rs"]
mod replicaset;
#[path = "apiserver/select.rs"]
mod select;
#[path = "apiserver/service.rs"]
mod service;
#[path = "apiserver/shell.rs"]
mod shell;
#[path = "apiserver/socket.rs"]
mod socket;
#[path = "apiserver/statefulset.rs"]
mod statefulset;
#[path = "apiserver/status.rs"]
mod status;
#[path = "apiserver/store.rs"]
mod store;
#[path = "apiserver/stream.rs"]
mod stream;
#[path = "apiserver/sub.rs"]
mod sub;
#[path = "apiserver/world.rs"]
mod world;
#[path = "apiserver/write.rs"]
mod write;

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::sync::{oneshot, watch};

pub use faults::{About, Answer, Ban, Faults};
pub use hub::{Pace, Seen};
pub use large::Churn;
pub use lms::deployment;
pub use world::World;

use hub::{Hub, Insides, TOKENS};
use store::Store;

/// How long `wait` waits before it says that it never came.
const LIMIT: Duration = Duration::from_secs(30);

/// A server that runs until it is dropped.
pub struct ApiServer {
    hub: Arc<Hub>,
    home: tempfile::TempDir,
    /// Ends the server's thread when it is dropped.
    _end: oneshot::Sender<()>,
}

impl ApiServer {
    /// Starts a server that keeps that world.
    pub fn start(world: World) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let hub = Arc::new(Hub {
            store: Mutex::new(Store::new(world.controlled)),
            changed: watch::Sender::new(0),
            expired: watch::Sender::new(0),
            said: watch::Sender::new(0),
            faults: Faults::default(),
            pace: world.pace,
            seen: Mutex::default(),
            insides: Mutex::new(Insides::default()),
            address,
            connections: AtomicUsize::new(0),
            asked: AtomicU64::new(0),
        });
        for object in world.objects {
            world::keep(&mut hub.store(), object);
        }
        let (end, ended) = oneshot::channel::<()>();
        let served = hub.clone();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                if served.store().touched.is_some() {
                    tokio::spawn(control::run(served.clone()));
                }
                tokio::select! {
                    () = http::serve(served, listener) => {}
                    _ = ended => {}
                }
            });
        });
        let server = Self { hub, home: tempfile::tempdir().unwrap(), _end: end };
        std::fs::write(server.kubeconfig_path(), server.kubeconfig().to_string()).unwrap();
        server
    }

    /// `http://127.0.0.1:41234`.
    pub fn url(&self) -> String {
        format!("http://{}", self.hub.address)
    }

    /// A kubeconfig with the contexts `lms` and `lms-viewer`, both in the namespace `lms-ai`; `lms` is the current one.
    pub fn kubeconfig_path(&self) -> PathBuf {
        self.home.path().join("kubeconfig")
    }

    fn kubeconfig(&self) -> Value {
        let users: Vec<Value> = TOKENS.iter().map(|(token, user)| json!({ "name": user, "user": { "token": token } })).collect();
        let context = |name: &str, user: &str| json!({ "name": name, "context": { "cluster": "lms", "user": user, "namespace": "lms-ai" } });
        json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "lms",
            "clusters": [{ "name": "lms", "cluster": { "server": self.url() } }],
            "contexts": [context("lms", "lms-admin"), context("lms-viewer", "lms-viewer")],
            "users": users
        })
    }

    /// Makes or replaces an object, as given: its status too. What it leaves out of its metadata is filled in.
    pub fn put(&self, manifest: Value) {
        world::keep(&mut self.hub.store(), manifest);
    }

    /// Makes an object as a user does who posts it, and gives its name.
    ///
    /// # Panics
    /// It is refused.
    pub fn create(&self, mut manifest: Value) -> String {
        let kind = kind::of(&manifest).unwrap_or_else(|| panic!("of no kind the server keeps: {manifest}"));
        for name in ["kind", "apiVersion"] {
            manifest.as_object_mut().map(|m| m.remove(name));
        }
        let namespace = manifest["metadata"]["namespace"].as_str().map(str::to_owned);
        let made = write::made(&mut self.hub.store(), kind, namespace.as_deref(), manifest, "test", false);
        made.unwrap_or_else(|failure| panic!("refused: {}", failure.body)).name().to_owned()
    }

    /// Deletes an object as a user does: a pod goes when its grace is over, what an object owns goes with it.
    pub fn delete(&self, plural: &str, namespace: &str, name: &str) {
        remove::deleted(&mut self.hub.store(), kind::plural(plural), &(namespace.into(), name.into()), None, false);
    }

    /// Changes an object that is there, and counts the change where its spec is counted.
    pub fn change(&self, plural: &str, namespace: &str, name: &str, change: impl FnOnce(&mut Value)) {
        let kind = kind::plural(plural);
        let mut store = self.hub.store();
        let entry = store.get(kind, &(namespace.into(), name.into())).unwrap_or_else(|| panic!("no {plural} {namespace}/{name}"));
        let mut value = (*entry.value).clone();
        change(&mut value);
        if kind.counted && value["spec"] != entry.value["spec"] {
            value["metadata"]["generation"] = json!(value["metadata"]["generation"].as_i64().unwrap_or(0) + 1);
        }
        store.keep(kind, value);
    }

    /// Sets whether a node is ready. One that is not has a kubelet that does and says nothing: its
    /// pods count as not ready, their logs cannot be read.
    pub fn node_ready(&self, name: &str, ready: bool) {
        self.change("nodes", "", name, |node| {
            for condition in node["status"]["conditions"].as_array_mut().into_iter().flatten() {
                let well =
                    if condition["type"] == json!("Ready") { ("True", "KubeletReady") } else { ("False", "KubeletHasEnough") };
                let (status, reason) = if ready { well } else { ("Unknown", "NodeStatusUnknown") };
                if condition["status"] != json!(status) {
                    condition["lastTransitionTime"] = json!(store::stamp());
                }
                condition["status"] = json!(status);
                condition["reason"] = json!(reason);
                condition["message"] = json!(if ready { "kubelet is well" } else { "Kubelet stopped posting node status." });
            }
        });
    }

    /// Makes an autoscaler want so many replicas, within its bounds; nothing lets it rest again.
    pub fn autoscale(&self, namespace: &str, name: &str, desired: Option<i64>) {
        self.change("horizontalpodautoscalers", namespace, name, |scaler| match desired {
            Some(desired) => scaler["metadata"]["annotations"]["qd.test/desired"] = json!(desired.to_string()),
            None => drop(scaler["metadata"]["annotations"].as_object_mut().map(|a| a.remove("qd.test/desired"))),
        });
    }

    /// Lets a container say a line.
    pub fn say(&self, namespace: &str, pod: &str, container: &str, text: &str) {
        self.hub.say(namespace, pod, container, text);
    }

    /// What a command that contains the text says and ends with, in any container; tried before the common ones (`echo`,
    /// `cat`, `tar cf -`, `hostname`, `true`, `false`, `exit N`).
    pub fn command(&self, contains: &str, out: &str, err: &str, code: i32) {
        let command = hub::Command { contains: contains.into(), out: out.into(), err: err.into(), code };
        self.hub.insides.lock().unwrap().commands.insert(0, command);
    }

    /// Lets a container say many lines at once.
    pub fn say_all(&self, namespace: &str, pod: &str, container: &str, lines: &[String]) {
        self.hub.say_all(namespace, pod, container, lines);
    }

    /// Puts a file into a pod, or into all whose names begin so.
    pub fn file(&self, namespace: &str, pod: &str, path: &str, content: &[u8]) {
        self.hub.insides.lock().unwrap().files.insert((namespace.into(), pod.into(), path.into()), content.to_vec());
    }

    /// Leads a pod's port, or that of all whose names begin so, to a listener of the test.
    pub fn listen(&self, namespace: &str, pod: &str, port: u16, at: std::net::SocketAddr) {
        self.hub.insides.lock().unwrap().ports.insert((namespace.into(), pod.into(), port), at);
    }

    /// Changes the pods that are there, so many a second, until the answer is dropped.
    pub fn churn(&self, per_second: u32) -> Churn {
        Churn::start(self.hub.clone(), per_second)
    }

    /// Waits until every pod of every deployment, stateful set and daemon set is there and ready, none is on its way out, and the
    /// controllers have nothing left to look at.
    pub fn settle(&self) {
        self.wait("every workload as it is wanted", |server| {
            let number = |object: &Value, path: &str| object.pointer(path).and_then(Value::as_i64).unwrap_or(0);
            let store = server.hub.store();
            let all = |name: &str, want: &str, have: &[&str]| {
                store.list(kind::plural(name), None).iter().all(|e| {
                    have.iter().all(|path| number(&e.value, path) == number(&e.value, want))
                        && number(&e.value, "/status/observedGeneration") == number(&e.value, "/metadata/generation")
                })
            };
            let set = ["/status/readyReplicas", "/status/updatedReplicas", "/status/replicas", "/status/availableReplicas"];
            let daemons = ["/status/numberAvailable", "/status/updatedNumberScheduled"];
            let staying =
                store.list(kind::plural("pods"), None).iter().all(|p| p.value["metadata"]["deletionTimestamp"].is_null());
            // Nothing has changed that the controllers have not looked at.
            let seen = store.touched.as_ref().is_none_or(Vec::is_empty);
            (staying && seen)
                && all("deployments", "/spec/replicas", &set)
                && all("statefulsets", "/spec/replicas", &set)
                && all("daemonsets", "/status/desiredNumberScheduled", &daemons)
        });
    }

    /// Takes an object away, at once and with nothing of what belongs to it.
    pub fn remove(&self, plural: &str, namespace: &str, name: &str) {
        self.hub.store().remove(kind::plural(plural), &(namespace.into(), name.into()));
    }

    /// An object as it is now, without `kind` and `apiVersion`. Without a namespace: an empty one.
    pub fn get(&self, plural: &str, namespace: &str, name: &str) -> Option<Value> {
        let entry = self.hub.store().get(kind::plural(plural), &(namespace.into(), name.into()));
        entry.map(|e| (*e.value).clone())
    }

    /// All of a kind in a namespace.
    pub fn list(&self, plural: &str, namespace: &str) -> Vec<Value> {
        self.hub.store().list(kind::plural(plural), Some(namespace)).iter().map(|e| (*e.value).clone()).collect()
    }

    pub fn pods(&self, namespace: &str) -> Vec<Value> {
        self.list("pods", namespace)
    }

    /// Waits until that holds, looking again whenever something changes.
    ///
    /// # Panics
    /// It never does.
    pub fn wait(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        let begun = Instant::now();
        while !holds(self) {
            assert!(begun.elapsed() < LIMIT, "it never came: {what}");
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// The version of the last change.
    pub fn version(&self) -> u64 {
        self.hub.store().version()
    }

    /// Forgets the past, as a compaction does: whoever begins a watch or goes on with a page from before is told 410.
    pub fn compact(&self) {
        self.hub.store().forget();
    }

    /// The same, and every open watch is told that its version is gone, and ends.
    pub fn expire_watches(&self) {
        self.compact();
        self.hub.expired.send_modify(|n| *n += 1);
    }

    /// What goes wrong.
    pub fn faults(&self) -> &Faults {
        &self.hub.faults
    }

    /// Every request so far, oldest first.
    pub fn requests(&self) -> Vec<Seen> {
        self.hub.seen.lock().unwrap().clone()
    }

    /// Forgets the requests so far.
    pub fn forget_requests(&self) {
        self.hub.seen.lock().unwrap().clear();
    }

    /// How many requests so far have a line (`GET /api/v1/pods?limit=500`) that contains the text.
    pub fn asked(&self, text: &str) -> usize {
        self.hub.seen.lock().unwrap().iter().filter(|s| s.line().contains(text)).count()
    }

    /// Connections taken so far.
    pub fn connections(&self) -> usize {
        self.hub.connections.load(Ordering::SeqCst)
    }
}
