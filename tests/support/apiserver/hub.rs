//! What all parts of the server share: the store, the faults, who may do what, and the record of what was asked.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;

use super::ask::{Aim, Ask};
use super::faults::Faults;
use super::status::{Outcome, forbidden};
use super::store::Store;

/// How fast time goes for the server.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// A second of the cluster: probes, grace periods, deadlines and back-offs are counted in these.
    pub second: Duration,
    /// Between two bookmarks of a quiet watch; a minute, as with a real server, unless a test waits for them.
    pub bookmark: Duration,
    /// How long it waits for a version of the future.
    pub patience: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self { second: Duration::from_millis(20), bookmark: Duration::from_secs(60), patience: Duration::from_millis(300) }
    }
}

/// One request, as it came.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Which request it was, from the start of the server.
    pub number: u64,
    pub at: Timestamp,
    pub method: String,
    pub path: String,
    /// As it was sent.
    pub query: String,
    pub user_agent: String,
    /// Whose token it carried; empty where that was none.
    pub user: String,
    pub accept: String,
    pub content_type: String,
    /// The `fieldManager` of the query.
    pub manager: String,
    pub body: String,
    /// What it was answered with; 0 while it is not.
    pub code: u16,
}

impl Seen {
    /// `GET /api/v1/pods?limit=500`.
    pub fn line(&self) -> String {
        let mark = if self.query.is_empty() { "" } else { "?" };
        format!("{} {}{mark}{}", self.method, self.path, self.query)
    }
}

/// What a container said, and where its ports lead.
#[derive(Default)]
pub struct Insides {
    /// By namespace, pod, container.
    pub logs: HashMap<(String, String, String), Vec<Said>>,
    /// The same of the containers before the last restart.
    pub previous: HashMap<(String, String, String), Vec<Said>>,
    /// By namespace, pod, port.
    pub ports: HashMap<(String, String, u16), SocketAddr>,
    /// By namespace, pod, path.
    pub files: HashMap<(String, String, String), Vec<u8>>,
    /// Commands that say something special, tried before the table of common ones.
    pub commands: Vec<Command>,
}

/// A line of a container.
#[derive(Clone, Debug)]
pub struct Said {
    pub at: Timestamp,
    pub text: String,
}

/// What a command does that contains a text.
#[derive(Clone, Debug)]
pub struct Command {
    pub contains: String,
    pub out: String,
    pub err: String,
    pub code: i32,
}

pub struct Hub {
    pub store: Mutex<Store>,
    /// The version of the last change.
    pub changed: watch::Sender<u64>,
    pub expired: watch::Sender<u64>,
    /// Counts the log lines written.
    pub said: watch::Sender<u64>,
    pub faults: Faults,
    pub pace: Pace,
    pub seen: Mutex<Vec<Seen>>,
    pub insides: Mutex<Insides>,
    pub address: SocketAddr,
    /// Connections taken so far.
    pub connections: AtomicUsize,
    /// Requests taken so far.
    pub asked: AtomicU64,
}

/// Requests the record holds; later ones are only answered.
const RECORD: usize = 100_000;

/// The tokens the server knows, and whose they are.
pub const TOKENS: [(&str, &str); 2] = [("admin-token", "lms-admin"), ("viewer-token", "lms-viewer")];

/// What a viewer may look at.
const VIEWED: &[&str] = &[
    "configmaps",
    "endpointslices",
    "events",
    "namespaces",
    "persistentvolumeclaims",
    "pods",
    "pods/log",
    "pods/status",
    "serviceaccounts",
    "services",
    "controllerrevisions",
    "daemonsets",
    "deployments",
    "deployments/scale",
    "replicasets",
    "replicasets/scale",
    "statefulsets",
    "statefulsets/scale",
    "horizontalpodautoscalers",
    "cronjobs",
    "jobs",
    "ingresses",
    "networkpolicies",
    "poddisruptionbudgets",
];

/// Works on the store; who watches is told when it is given back.
pub struct Opened<'a> {
    store: MutexGuard<'a, Store>,
    changed: &'a watch::Sender<u64>,
}

impl std::ops::Deref for Opened<'_> {
    type Target = Store;

    fn deref(&self) -> &Store {
        &self.store
    }
}

impl std::ops::DerefMut for Opened<'_> {
    fn deref_mut(&mut self) -> &mut Store {
        &mut self.store
    }
}

impl Drop for Opened<'_> {
    fn drop(&mut self) {
        let version = self.store.version();
        self.changed.send_if_modified(|told| std::mem::replace(told, version) != version);
    }
}

impl Hub {
    pub fn store(&self) -> Opened<'_> {
        Opened { store: self.store.lock().unwrap(), changed: &self.changed }
    }

    /// The name behind the token of a request: nothing without one, an error with a wrong one.
    pub fn user(authorization: &str) -> Result<&'static str, ()> {
        if authorization.is_empty() {
            return Ok("system:anonymous");
        }
        let token = authorization.strip_prefix("Bearer ").unwrap_or_default();
        TOKENS.iter().find(|(known, _)| *known == token).map(|(_, user)| *user).ok_or(())
    }

    /// Whether a user may do that; `resource` with its subresource.
    pub fn may(&self, user: &str, verb: &str, resource: &str) -> bool {
        let role = match user {
            "lms-admin" => true,
            "lms-viewer" => matches!(verb, "get" | "list" | "watch") && VIEWED.contains(&resource),
            _ => false,
        };
        role && !self.faults.forbids(user, verb, resource)
    }

    /// Whether a user may do what it asks.
    ///
    /// # Errors
    /// It may not.
    pub fn permit(&self, ask: &Ask, aim: &Aim) -> Outcome<()> {
        let (verb, resource) = (ask.verb(aim), aim.resource());
        if self.may(&ask.user, verb, &resource) {
            return Ok(());
        }
        let name = aim.name.as_deref().unwrap_or_default();
        Err(forbidden(&ask.user, verb, aim.kind, &resource, aim.namespace.as_deref(), name))
    }

    /// Puts a request on record, as long as there is room; its number.
    pub fn record(&self, mut seen: Seen) -> u64 {
        seen.number = self.asked.fetch_add(1, Ordering::SeqCst);
        let number = seen.number;
        let mut record = self.seen.lock().unwrap();
        if record.len() < RECORD {
            record.push(seen);
        }
        number
    }

    /// Puts beside a request what it was answered with.
    pub fn answered(&self, number: u64, code: u16) {
        let mut record = self.seen.lock().unwrap();
        // A test may have forgotten it in between.
        if let Some(seen) = record.iter_mut().rev().find(|s| s.number == number) {
            seen.code = code;
        }
    }

    /// So many seconds of the cluster.
    pub fn seconds(&self, count: f64) -> Duration {
        self.pace.second.mul_f64(count.max(0.0))
    }
}
