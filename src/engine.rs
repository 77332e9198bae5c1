//! The seam to whatever runs the containers: one trait, the topics it can be asked to follow, what it answers, and
//! how it fails. Wire types of the engines stop below, in each engine's `convert`.

mod backoff;
mod command;
pub mod demo;
pub mod docker;
mod intern;
pub mod kubernetes;
mod landing;
mod link;
mod outlet;
mod reading;
pub mod ssh;
mod transfer;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use jiff::Timestamp;

use crate::model::{EnvironmentId, InstanceId, Inventory, Item, Link, Sample, WorkloadId};
use crate::observe::hygiene::Survey;
use crate::observe::log::LogBatch;
use crate::observe::redact::Redaction;
use crate::operate::action::{Accepted, Action, InstanceRef, Output};
use crate::operate::errand::Errand;

/// What can be followed. Topics are compared: the runtime starts the new ones and stops those no longer wanted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Topic {
    /// Everything the endpoint holds, whole, whenever it changes; and its events.
    Inventory,
    /// Figures of these instances, at about this interval. An empty set is never asked for.
    Stats { instances: BTreeSet<InstanceId>, every: Duration },
    /// The log of one instance: the last `tail` lines (or all since `since`), then what follows. With `before` it is one
    /// page further back, and the stream ends after it.
    Logs(LogQuery),
    /// The definition as the engine has it, secrets masked; again whenever it changes.
    Describe(Subject),
}

/// Which part of one instance's log.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LogQuery {
    pub instance: InstanceId,
    /// Lines of history; `None` is all.
    pub tail: Option<u64>,
    /// Nothing older than this; the lines of that very time are in.
    pub since: Option<Timestamp>,
    /// Nothing newer than this; the lines of that very time are in. It ends what is followed, too.
    pub until: Option<Timestamp>,
    /// The page of at most `tail` lines just before what a reader holds, instead of the end of the log: one batch, marked
    /// as older, and then the stream ends. It begins with [`crate::observe::log::Marker::Begin`] when there is nothing
    /// before it.
    pub before: Option<Before>,
    /// Go on after the history. Without it the stream ends after the last line.
    pub follow: bool,
    /// The log of the run before this one, where the engine keeps it.
    pub previous: bool,
    /// The text as it was written, nothing masked. Whoever asks has put it on record.
    pub reveal: bool,
}

impl LogQuery {
    /// What is masked in it, where so much is masked otherwise.
    #[must_use]
    pub fn redaction(&self, usual: &Arc<Redaction>) -> Arc<Redaction> {
        if self.reveal { Arc::new(Redaction::none()) } else { usual.clone() }
    }

    /// The whole log of an instance, without what follows.
    #[must_use]
    pub fn of(instance: InstanceId) -> Self {
        Self { instance, tail: None, since: None, until: None, before: None, follow: false, previous: false, reveal: false }
    }
}

/// Where what a reader holds of an instance's log begins. Markers are no lines.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Before {
    /// The time of the oldest line held.
    pub at: Timestamp,
    /// Lines held that carry this very time: the last ones of it in the log. A reader to whom more of that time may still
    /// be on their way (nothing newer is held, and the log goes on) asks later.
    pub same: u64,
    /// Lines from the oldest one held to the end of the log, as far as is known: where to look first. A number too small
    /// costs a second look and nothing else.
    pub held: u64,
}

/// What a description is of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    Workload(EnvironmentId, WorkloadId),
    Instance(InstanceId),
    /// The definition a workload had at a revision, one `path: value` a line, where the engine keeps it: what two revisions
    /// are compared by.
    Revision(EnvironmentId, WorkloadId, u64),
    /// What differs between two of them, the first before and the second after, one `path: before → after` a line.
    Between(EnvironmentId, WorkloadId, u64, u64),
    Node(EnvironmentId, Arc<str>),
}

/// A definition as the engine has it: pretty JSON or YAML, sanitised and masked, line by line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    pub subject: Subject,
    pub lines: Vec<Arc<str>>,
}

/// What a topic's stream yields. A stream does not end on error: it yields the trouble as a [`Link`] and goes on
/// trying. It ends only when it has nothing more to say ever (a log without `follow`, an instance that is gone).
#[derive(Clone, Debug)]
pub enum Update {
    Link(Link),
    Inventory(Arc<Inventory>),
    Events(Vec<Item>),
    Samples(Vec<Sample>),
    Logs(LogBatch),
    Description(Arc<Description>),
}

/// An endpoint that holds environments.
pub trait Engine: Send + Sync {
    /// Follows a topic until the stream is dropped.
    fn subscribe(&self, topic: Topic) -> BoxStream<'static, Update>;

    /// Does one small thing. Harmless when repeated with the same operation id. Only [`crate::operate`] decides what;
    /// `report` is called with progress for people (bytes pulled).
    fn execute(&self, action: Action, report: Report) -> BoxFuture<'static, Result<Accepted, EngineError>>;

    /// Does an errand in a world of its own, where the engine has one around it: a demo's hosts are nowhere else. `None`:
    /// the world outside is the real one ([`crate::probe`]).
    fn plays(&self, _errand: &Errand) -> Option<BoxFuture<'static, Result<Accepted, EngineError>>> {
        None
    }

    /// What is masked in what is printed on its behalf.
    fn redaction(&self) -> Arc<Redaction> {
        Arc::default()
    }

    /// Opens a connection to a port of an instance, as of a service behind it. Each call is one connection.
    fn dial(&self, instance: InstanceId, port: u16) -> BoxFuture<'static, Result<Dialled, EngineError>> {
        let what = format!("A connection to port {port} of {instance}").into();
        Box::pin(async move { Err(EngineError::Unsupported { what, why: "nothing listens there".into() }) })
    }

    /// Runs the command of a probe in an instance and waits for its end: a look, behind which no operation stands. It reads
    /// nothing, and what it prints is bounded. No engine ends a command that was begun: given up, it may still run there.
    fn ask(
        &self,
        instance: InstanceId,
        command: Vec<Arc<str>>,
        limit: Duration,
    ) -> BoxFuture<'static, Result<Output, EngineError>> {
        let action = Action::Exec { instance: InstanceRef::Known(instance), command, timeout: limit };
        let work = self.execute(action, Arc::new(|_| {}));
        Box::pin(async move {
            match work.await? {
                Accepted::Output(output) => Ok(*output),
                other => {
                    Err(EngineError::Protocol { endpoint: "the engine".into(), cause: format!("{other:?} is no output").into() })
                }
            }
        })
    }

    /// Looks at the definitions of an environment, once, to be judged ([`crate::observe::hygiene`]): its inventory must be
    /// followed meanwhile. Nothing of it is asked for unless somebody wants to know.
    fn survey(&self, environment: EnvironmentId) -> BoxFuture<'static, Result<Survey, EngineError>> {
        let what = format!("A look at the definitions of {environment}").into();
        Box::pin(async move { Err(EngineError::Unsupported { what, why: "this engine does not tell them".into() }) })
    }

    /// Opens a command in an instance with a terminal of its own.
    fn attach(&self, shell: Shell) -> BoxFuture<'static, Result<Attached, EngineError>>;
}

/// A connection to a port of an instance.
pub type Dialled = Box<dyn Duplex>;

/// Bytes in both directions.
pub trait Duplex: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin {}

impl<T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin> Duplex for T {}

/// Takes progress of a long action, in words.
pub type Report = Arc<dyn Fn(String) + Send + Sync>;

/// A command to be run interactively in an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shell {
    pub instance: InstanceId,
    /// The command; tried in order until one exists (`bash`, `sh`).
    pub commands: Vec<Vec<String>>,
    /// Columns and rows of the terminal.
    pub size: (u16, u16),
}

/// A running interactive command.
pub struct Attached {
    /// What it prints.
    pub output: BoxStream<'static, Result<bytes::Bytes, EngineError>>,
    /// What it reads; dropping it ends the command's input.
    pub input: tokio::sync::mpsc::Sender<AttachedInput>,
}

/// What is sent to an interactive command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttachedInput {
    Bytes(bytes::Bytes),
    Resize(u16, u16),
}

/// How an engine fails. Text is sanitised; [`std::fmt::Display`] says what failed and on what, [`Self::hint`] what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    #[error("{endpoint} cannot be reached: {cause}")]
    Unreachable { endpoint: Arc<str>, cause: Arc<str> },
    #[error("{endpoint} cannot be reached over ssh: {cause}")]
    Ssh { endpoint: Arc<str>, trouble: ssh::SshTrouble, cause: Arc<str> },
    #[error("{endpoint} may not be opened: {cause}")]
    Permission { endpoint: Arc<str>, cause: Arc<str> },
    #[error("TLS with {endpoint} failed: {cause}")]
    Tls { endpoint: Arc<str>, cause: Arc<str> },
    #[error("{endpoint} is too old: {cause}")]
    TooOld { endpoint: Arc<str>, cause: Arc<str> },
    #[error("{what} does not exist")]
    NotFound { what: Arc<str> },
    #[error("{what} is in the way: {cause}")]
    Conflict { what: Arc<str>, cause: Arc<str> },
    #[error("{what} was rejected ({status}): {message}")]
    Rejected { what: Arc<str>, status: u16, message: Arc<str> },
    #[error("{what} took longer than {seconds} s")]
    TimedOut { what: Arc<str>, seconds: u64 },
    #[error("{what} cannot be done here: {why}")]
    Unsupported { what: Arc<str>, why: Arc<str> },
    /// Something that was looked at is not as it should be, or a command could not be run.
    #[error("{what}: {why}")]
    Unmet { what: Arc<str>, why: Arc<str> },
    /// One is known there and may not do this.
    #[error("{what} is not allowed: {why}")]
    Forbidden { what: Arc<str>, why: Arc<str> },
    /// What was written about the endpoint is wrong.
    #[error("{what}: {why}")]
    Config { what: Arc<str>, why: Arc<str> },
    #[error("{endpoint} answered nonsense: {cause}")]
    Protocol { endpoint: Arc<str>, cause: Arc<str> },
}

/// How an endpoint that is a context of a kubeconfig is called.
const CONTEXT: &str = "context ";

impl EngineError {
    /// What a person can do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Unreachable { endpoint, .. } if endpoint.starts_with(CONTEXT) => {
                "check that the API server runs and that its address in the kubeconfig is right (kubectl cluster-info)"
            }
            Self::Permission { endpoint, .. } if endpoint.starts_with(CONTEXT) => {
                "log in again, or mend the user of that context (kubectl config view)"
            }
            Self::Tls { endpoint, .. } if endpoint.starts_with(CONTEXT) => {
                "check the certificate authority and the client certificate of that context, and the name in the server's certificate"
            }
            Self::Protocol { endpoint, .. } if endpoint.starts_with(CONTEXT) => {
                "check that the address is a Kubernetes API server and not something in front of it"
            }
            Self::Unreachable { .. } => "check that the engine runs and that DOCKER_HOST, the docker context or --host names it",
            Self::Ssh { trouble, .. } => trouble.hint(),
            Self::Permission { .. } => {
                "add yourself to the docker group (sudo usermod -aG docker $USER, then log in again), or use a rootless engine"
            }
            Self::Tls { .. } => {
                "check the CA, certificate and key (DOCKER_CERT_PATH or the docker context) and the host name in the certificate"
            }
            Self::TooOld { .. } => "quarterdeck needs Docker 19.03 (API 1.40) or newer: upgrade the engine",
            Self::NotFound { .. } => "it may have been removed meanwhile; look at the list again",
            Self::Conflict { .. } => "somebody else changed it meanwhile; look at the list again",
            Self::Rejected { .. } => "the engine's own words say why; its log may say more",
            Self::TimedOut { .. } => "the engine is slow or hangs; it is tried again where that is safe",
            Self::Unsupported { .. } => "another way is needed on this engine",
            Self::Unmet { .. } => "mend what the check names, then try again",
            Self::Forbidden { .. } => "ask whoever runs the cluster for that permission, or use another context",
            Self::Config { .. } => "mend the kubeconfig (kubectl config view), or name another one with --kubeconfig",
            Self::Protocol { .. } => "check that the address is a Docker engine and not something in front of it",
        }
    }

    /// Whether trying the same again later may help by itself.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::TimedOut { .. } => true,
            Self::Rejected { status, .. } => *status >= 500,
            Self::Ssh { trouble, .. } => trouble.is_transient(),
            Self::Permission { .. }
            | Self::Tls { .. }
            | Self::TooOld { .. }
            | Self::NotFound { .. }
            | Self::Conflict { .. }
            | Self::Unsupported { .. }
            | Self::Unmet { .. }
            | Self::Forbidden { .. }
            | Self::Config { .. }
            | Self::Protocol { .. } => false,
        }
    }
}
