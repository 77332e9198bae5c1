//! What a user wrote (`file`) and what it means (`resolve`); the paths of both. The types here are what the rest of the
//! program gets to see.

mod clash;
pub mod demo;
pub mod file;
mod flags;
pub mod load;
pub mod paths;
pub mod resolve;
mod show;
mod template;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::app::state::Dots;
use crate::model::{ConnectionId, EngineKind, Guard, Tier};
use crate::observe::redact::Redaction;
use crate::operate::Policy;

pub use load::load;
pub use paths::Paths;
pub use show::show;
pub use template::TEMPLATE;

/// What the configuration means, all layers and flags taken together.
#[derive(Clone, Debug)]
pub struct Resolved {
    pub connections: Vec<ConnectionSpec>,
    pub read_only: bool,
    pub keymap: Arc<str>,
    pub theme: Arc<str>,
    /// What charts are drawn with, where somebody says so.
    pub charts: Option<Dots>,
    /// Interval of statistics.
    pub refresh: Duration,
    /// Bound of a log view's store, bytes.
    pub log_bytes: usize,
    /// Lines of history when a log is opened.
    pub log_tail: u64,
    /// What is masked in logs, as it was written.
    pub redact: file::Redact,
    /// Only this environment is wanted (`-e`, `-p`).
    pub only: Option<Arc<str>>,
    /// Configured environments this version cannot show, and why: a whole sentence.
    pub unsupported: Vec<(Arc<str>, Arc<str>)>,
    /// The files that were read, in order of precedence, lowest first.
    pub files: Vec<PathBuf>,
}

/// What the command line and the process environment say about configuration.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Flags {
    /// `--config`: this file instead of the one found upward from the working directory.
    pub config: Option<PathBuf>,
    pub environment: Option<Arc<str>>,
    pub project: Option<Arc<str>>,
    /// `--file`: compose files of the one environment meant.
    pub files: Vec<PathBuf>,
    pub host: Option<Arc<str>>,
    /// `--context`: of a kubeconfig, else of Docker.
    pub context: Option<Arc<str>>,
    pub namespace: Option<Arc<str>>,
    pub all_namespaces: bool,
    pub kubeconfig: Option<PathBuf>,
    /// What a command is about, as it was written: a context named in it is opened.
    pub targets: Vec<Arc<str>>,
    pub read_only: bool,
    pub theme: Option<Arc<str>>,
    pub keymap: Option<Arc<str>>,
    pub refresh: Option<Duration>,
    /// The demo world instead of everything else.
    pub demo: Option<Demo>,
}

/// The kubeconfig files at hand and the contexts in them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Clusters {
    pub files: Vec<PathBuf>,
    pub contexts: Vec<Arc<str>>,
    pub current: Option<Arc<str>>,
    /// Why they cannot be read: a sentence.
    pub trouble: Option<Arc<str>>,
}

/// How the demo world is made.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Demo {
    pub seed: u64,
    pub incident: Option<Arc<str>>,
    /// 100 is real time.
    pub speed_percent: u32,
}

impl Default for Demo {
    fn default() -> Self {
        Self { seed: 7, incident: None, speed_percent: 100 }
    }
}

impl Demo {
    /// The endpoint it is.
    #[must_use]
    pub fn target(&self) -> TargetSpec {
        TargetSpec::Demo { seed: self.seed, incident: self.incident.clone(), speed_percent: self.speed_percent }
    }
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
    /// It is connected only when somebody opens it.
    pub on_demand: bool,
    /// What is masked in its logs.
    pub redaction: Arc<Redaction>,
}

/// Where an endpoint is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TargetSpec {
    Docker(DockerTarget),
    Kubernetes(KubernetesTarget),
    Demo { seed: u64, incident: Option<Arc<str>>, speed_percent: u32 },
}

/// How a Docker engine is named.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DockerTarget {
    /// `DOCKER_HOST`, else the active docker context, else the default and rootless sockets.
    Ambient,
    /// `unix://`, `tcp://`, `ssh://`.
    Host(Arc<str>),
    /// A docker context by name.
    Context(Arc<str>),
}

/// How a cluster is named.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct KubernetesTarget {
    /// The files, merged in this order; none: the service account of the pod this runs in.
    pub kubeconfig: Vec<PathBuf>,
    /// The context of them, pinned by name.
    pub context: Arc<str>,
}

/// A configured environment.
#[derive(Clone, Debug, PartialEq)]
pub struct EnvironmentSpec {
    pub name: Arc<str>,
    pub tier: Tier,
    pub guard: Guard,
    pub engine: EngineKind,
    /// The Compose project or stack, its own name unless given; of Kubernetes the namespace: `*` is all, empty the context's own.
    pub project: Arc<str>,
    /// Its compose files, in order, and the file of variables for them; empty where none is configured.
    pub files: Vec<PathBuf>,
    pub env_file: Option<PathBuf>,
    pub policy: Policy,
}
