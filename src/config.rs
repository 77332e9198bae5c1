//! What a user wrote (`file`) and what it means (`resolve`); the paths of both. The types here are what the rest of the
//! program gets to see.

use std::sync::Arc;
use std::time::Duration;

use crate::model::{ConnectionId, EngineKind, Guard, Tier};
use crate::operate::Policy;

/// What the configuration means, all layers and flags taken together.
#[derive(Clone, Debug)]
pub struct Resolved {
    pub connections: Vec<ConnectionSpec>,
    pub read_only: bool,
    pub keymap: Arc<str>,
    pub theme: Arc<str>,
    /// Interval of statistics.
    pub refresh: Duration,
    /// Bound of a log view's store, bytes.
    pub log_bytes: usize,
    /// Lines of history when a log is opened.
    pub log_tail: u64,
    /// The files that were read, in order of precedence, lowest first.
    pub files: Vec<std::path::PathBuf>,
}

/// One endpoint to connect to.
#[derive(Clone, Debug)]
pub struct ConnectionSpec {
    pub id: ConnectionId,
    pub target: TargetSpec,
    /// The environments configured on it.
    pub environments: Vec<EnvironmentSpec>,
    /// Whether what is found there beside the configured environments is shown too.
    pub discover: bool,
}

/// Where an endpoint is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TargetSpec {
    Docker(DockerTarget),
    Demo { seed: u64, incident: Option<Arc<str>>, speed_percent: u32 },
}

/// How a Docker engine is named.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DockerTarget {
    /// `DOCKER_HOST`, else the active docker context, else the default and rootless sockets.
    Ambient,
    /// `unix://`, `tcp://` (`ssh://` is recognised and refused with a sentence until it is built).
    Host(Arc<str>),
    /// A docker context by name.
    Context(Arc<str>),
}

/// A configured environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvironmentSpec {
    pub name: Arc<str>,
    pub tier: Tier,
    pub guard: Guard,
    pub engine: EngineKind,
    /// The Compose project; its own name unless given.
    pub project: Arc<str>,
    pub policy: Policy,
}
