//! One replica: a container, task or pod, as last observed.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;

use super::{Container, ContainerRole, Health, InstanceId, Pod, Verdict};

/// What the engine says the instance is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum InstanceState {
    Created,
    Running,
    Paused,
    Restarting,
    Removing,
    Exited,
    Dead,
    Unknown,
}

impl InstanceState {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Restarting => "restarting",
            Self::Removing => "removing",
            Self::Exited => "exited",
            Self::Dead => "dead",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for InstanceState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// A published or exposed port.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Port {
    /// Host address and port when published; a host port of the workload's own choosing cannot be doubled.
    pub host: Option<(Arc<str>, u16)>,
    pub container: u16,
    /// `tcp`, `udp` or `sctp`.
    pub protocol: Arc<str>,
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Some((address, port)) => write!(f, "{address}:{port}->{}/{}", self.container, self.protocol),
            None => write!(f, "{}/{}", self.container, self.protocol),
        }
    }
}

/// One check of health and its last result: the engine's own HEALTHCHECK, a probe, an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    pub name: Arc<str>,
    /// `engine`, `container`, `probe` or `alert`.
    pub source: &'static str,
    pub health: Health,
    pub latency_ms: Option<u64>,
    /// Its last output, sanitised and masked, at most 4 KiB.
    pub output: Arc<str>,
    pub at: Option<Timestamp>,
}

/// One replica as last observed. Figures come apart from it, as [`super::Sample`]s.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    pub id: InstanceId,
    /// The engine's name for it (`lms-ai_backend_1`).
    pub name: Arc<str>,
    /// Its place in the workload, from 1 (Compose's container number).
    pub number: u32,
    pub state: InstanceState,
    pub verdict: Verdict,
    /// Has a health signal of its own (HEALTHCHECK, readiness probe); without one a gate can only watch it run.
    pub has_healthcheck: bool,
    pub checks: Vec<Check>,
    /// The image as it was asked for (`backend:1.4.2`).
    pub image: Arc<str>,
    /// The image's content address (`sha256:…`), where known.
    pub digest: Option<Arc<str>>,
    pub revision: Option<u64>,
    /// The operation that made it, when quarterdeck did.
    pub made_by: Option<super::OperationId>,
    /// Set aside by a running operation: kept for the way back, not counted as a replica.
    pub set_aside: bool,
    /// Takes no part in scaling or deploying (`docker compose run`).
    pub one_off: bool,
    /// Set in the definition: `container_name`, which cannot be doubled.
    pub fixed_name: bool,
    /// Host ports named in the definition: no second instance can have them (ephemeral ones are not among them).
    pub fixed_ports: Vec<u16>,
    /// Restarts the engine made by itself since it was created.
    pub restarts: u32,
    pub exit_code: Option<i64>,
    pub oom_killed: bool,
    pub node: Option<Arc<str>>,
    /// Why it cannot be entered, stopped or removed over this connection (it runs on another node); a whole sentence.
    pub elsewhere: Option<Arc<str>>,
    pub ip: Option<Arc<str>>,
    pub ports: Vec<Port>,
    pub created_at: Option<Timestamp>,
    pub started_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
    pub memory_limit_bytes: Option<u64>,
    /// What only a pod has.
    pub pod: Option<Arc<Pod>>,
    pub labels: Arc<BTreeMap<Arc<str>, Arc<str>>>,
}

impl Instance {
    /// The logs it has, by what they are asked for and what they are called: its own, or where it is a pod of several
    /// containers one of each (`namespace/pod/container`, `pod/container`) that has run or is to, of their runs before only
    /// those that had one.
    #[must_use]
    pub fn logs(&self, previous: bool) -> Vec<(InstanceId, Arc<str>)> {
        let containers = self.pod.as_ref().map(|pod| pod.containers.as_slice()).unwrap_or_default();
        if containers.len() < 2 {
            return vec![(self.id.clone(), self.name.clone())];
        }
        let main = |c: &&Container| c.role == ContainerRole::Main;
        let has = |c: &&Container| if previous { c.last.is_some() } else { c.has_log || main(c) };
        let mut wanted: Vec<&Container> = containers.iter().filter(has).collect();
        if wanted.is_empty() {
            // Why there is nothing to read is said in its place.
            wanted = containers.iter().filter(main).collect();
        }
        wanted.into_iter().filter_map(|c| self.log_of(&c.name)).collect()
    }

    /// The log of one container of a pod; none where it has no such container.
    #[must_use]
    pub fn log_of(&self, container: &str) -> Option<(InstanceId, Arc<str>)> {
        let pod = self.pod.as_ref()?;
        let found = pod.containers.iter().find(|c| &*c.name == container)?;
        if pod.containers.len() < 2 {
            return Some((self.id.clone(), self.name.clone()));
        }
        let (id, name) = (format!("{}/{}", self.id, found.name), format!("{}/{}", self.name, found.name));
        Some((InstanceId::new(id), name.into()))
    }
}
