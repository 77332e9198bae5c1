//! A Kubernetes API server in this process, on a port of the loopback: good enough to build and try an engine against.
//!
//! It keeps objects, lists them in pages, streams what changes, and speaks as a real server does when it cannot. What it
//! answers is held to recordings of a real one by `tests/apiserver.rs`.
//!
//! ```ignore
//! let server = ApiServer::start(World::empty().node("node-2"));
//! let kubeconfig = server.kubeconfig_path();               // contexts `lms` (may do all) and `lms-viewer` (may look)
//! server.put(json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { … } }));   // made or replaced, status too
//! server.get("deployments", "lms-ai", "lms-ai-backend");   // as it is now, or nothing
//! server.wait("the pods", |s| s.pods("lms-ai").len() == 4);
//! server.faults().slow(About::path("/pods"), Duration::from_secs(1));  // cut, refuse, stall, answer, forbid, no_watch_list …
//! server.compact(); server.expire_watches();               // 410 for whoever begins in the past; and for open watches
//! server.requests();                                       // every request: method, path, query, agent, manager, body, code
//! ```
//!
//! It serves plain http; a request shows the token of the user whose context it is.

#![allow(
    dead_code,
    unused_imports,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::needless_pass_by_value,
    clippy::too_many_lines,
    reason = "whoever includes it needs a part of it, and it stops where a test is wrong"
)]

#[path = "apiserver/ask.rs"]
mod ask;
#[path = "apiserver/discover.rs"]
mod discover;
#[path = "apiserver/faults.rs"]
mod faults;
#[path = "apiserver/http.rs"]
mod http;
#[path = "apiserver/hub.rs"]
mod hub;
#[path = "apiserver/kind.rs"]
mod kind;
#[path = "apiserver/metrics.rs"]
mod metrics;
#[path = "apiserver/read.rs"]
mod read;
#[path = "apiserver/select.rs"]
mod select;
#[path = "apiserver/status.rs"]
mod status;
#[path = "apiserver/store.rs"]
mod store;
#[path = "apiserver/stream.rs"]
mod stream;
#[path = "apiserver/world.rs"]
mod world;

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::sync::{oneshot, watch};

pub use faults::{About, Answer, Ban, Faults};
pub use hub::{Pace, Seen};
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
            began: Instant::now(),
            address,
            connections: AtomicUsize::new(0),
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

    /// Changes an object that is there.
    pub fn change(&self, plural: &str, namespace: &str, name: &str, change: impl FnOnce(&mut Value)) {
        let kind = kind::plural(plural);
        let mut store = self.hub.store();
        let entry = store.get(kind, &(namespace.into(), name.into())).unwrap_or_else(|| panic!("no {plural} {namespace}/{name}"));
        let mut value = (*entry.value).clone();
        change(&mut value);
        store.keep(kind, value);
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
