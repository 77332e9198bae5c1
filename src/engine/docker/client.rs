//! One pinned endpoint: a pool of connections to it, the API version agreed on, and what its topics share.

mod ask;
mod connections;
mod failure;
mod pace;

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use hyper::Response;
use hyper::body::Incoming;
use jiff::Timestamp;
use serde::de::DeserializeOwned;

use super::context::{self, Address, Endpoint};
use super::convert::{Group, Places, group_of};
use super::known::Known;
use crate::config::{ConnectionSpec, DockerTarget, EnvironmentSpec, TargetSpec};
use crate::engine::EngineError;
use crate::model::{ConnectionId, EnvironmentId, InstanceId};
use crate::observe::redact::Redaction;
use crate::observe::text::clean;

use connections::Connections;
pub use failure::failure;
pub use pace::Pace;

/// The oldest API spoken: Docker 19.03.
const OLDEST_API: u32 = 40;
/// How long a question may take that is not a log, an event stream or an operation.
const PATIENCE: Duration = Duration::from_secs(20);
/// Default limit of a call through [`Client::docker`]: an operation that may take longer raises it (`with_timeout`).
const OPERATION_PATIENCE: Duration = Duration::from_secs(120);
/// An answer bigger than this is not one of Docker's.
const ANSWER_LIMIT: usize = 256 * 1024 * 1024;

/// A handle to one engine; clones share everything.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

struct Inner {
    connection: ConnectionId,
    target: DockerTarget,
    environments: Arc<[EnvironmentSpec]>,
    discover: bool,
    redaction: Arc<Redaction>,
    pace: Pace,
    /// Set at the first success and never again.
    line: OnceLock<Line>,
    /// The minor API version agreed on; 0 before the first answer.
    api: AtomicU32,
    /// The engine's own words for itself.
    words: Mutex<Arc<str>>,
    known: Known,
}

struct Line {
    endpoint: Endpoint,
    connections: Connections,
}

impl Client {
    /// A client for `spec`. Looks at files and variables, opens no connection; what is wrong shows at the first use,
    /// and is looked at again then.
    #[must_use]
    pub fn new(spec: &ConnectionSpec) -> Self {
        Self::with_pace(spec, Pace::default())
    }

    /// As [`Client::new`], with other intervals.
    #[must_use]
    pub fn with_pace(spec: &ConnectionSpec, pace: Pace) -> Self {
        let target = match &spec.target {
            TargetSpec::Docker(target) => target.clone(),
            TargetSpec::Kubernetes(_) | TargetSpec::Demo { .. } => DockerTarget::Ambient,
        };
        let client = Self {
            inner: Arc::new(Inner {
                connection: spec.id.clone(),
                target,
                environments: spec.environments.clone().into(),
                discover: spec.discover,
                redaction: spec.redaction.clone(),
                pace,
                line: OnceLock::new(),
                api: AtomicU32::new(0),
                words: Mutex::new("Docker".into()),
                known: Known::default(),
            }),
        };
        // Pinned now, so that a context switched meanwhile changes nothing. A failure is told when it matters.
        drop(client.line());
        client
    }

    /// The connection this is.
    #[must_use]
    pub fn connection(&self) -> &ConnectionId {
        &self.inner.connection
    }

    /// The environments configured on it.
    #[must_use]
    pub fn environments(&self) -> &[EnvironmentSpec] {
        &self.inner.environments
    }

    /// Whether projects that are not configured are shown too.
    #[must_use]
    pub fn discovers(&self) -> bool {
        self.inner.discover
    }

    /// Which environment a container on it belongs to.
    #[must_use]
    pub fn places(&self) -> Places {
        Places {
            connection: self.inner.connection.clone(),
            endpoint: self.endpoint(),
            specs: self.inner.environments.clone(),
            discover: self.inner.discover,
            projects: std::collections::BTreeSet::new(),
        }
    }

    /// What is masked in its logs.
    #[must_use]
    pub fn redaction(&self) -> &Arc<Redaction> {
        &self.inner.redaction
    }

    /// Its intervals.
    #[must_use]
    pub fn pace(&self) -> &Pace {
        &self.inner.pace
    }

    /// What the topics of this endpoint share.
    #[must_use]
    pub fn known(&self) -> &Known {
        &self.inner.known
    }

    /// The pinned target in full, for people; before it could be pinned, what was asked for.
    #[must_use]
    pub fn endpoint(&self) -> Arc<str> {
        match (self.inner.line.get(), &self.inner.target) {
            (Some(line), _) => line.endpoint.text.clone(),
            (None, DockerTarget::Ambient) => "the Docker engine".into(),
            (None, DockerTarget::Host(host)) => clean(host).into(),
            (None, DockerTarget::Context(name)) => format!("docker context {}", clean(name)).into(),
        }
    }

    /// What an environment stands for: what is configured, else what it was seen to be, else the project of its name.
    #[must_use]
    pub fn group(&self, environment: &EnvironmentId) -> Group {
        let configured = self.inner.environments.iter().find(|spec| spec.name == environment.name);
        configured.map_or_else(|| self.inner.known.group(&environment.name), group_of)
    }

    /// The Compose project or Swarm stack an environment stands for; also the scope of its lock.
    #[must_use]
    pub fn project(&self, environment: &EnvironmentId) -> Arc<str> {
        self.group(environment).scope().into()
    }

    /// The container an instance is; [`EngineError::Unsupported`] for a task that has none on this node.
    ///
    /// # Errors
    /// When it is on another node, or has not been started.
    pub fn container(&self, id: &InstanceId) -> Result<Arc<str>, EngineError> {
        let Some(task) = self.inner.known.whereabouts(id) else { return Ok(id.0.clone()) };
        let why = || task.elsewhere.unwrap_or_else(|| "it has no container".into());
        task.container.ok_or_else(|| EngineError::Unsupported { what: format!("task {id}").into(), why: why() })
    }

    /// The engine's own words for itself: `Docker 20.10.24, API 1.41`.
    #[must_use]
    pub fn words(&self) -> Arc<str> {
        self.inner.words.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What names this very engine to a child process: `DOCKER_HOST` and what goes with it.
    ///
    /// # Errors
    /// When the endpoint cannot be pinned, or lies behind ssh and cannot be reached.
    pub async fn tool_environment(&self) -> Result<Vec<(&'static str, String)>, EngineError> {
        let line = self.line()?;
        let host = |host: String| ("DOCKER_HOST", host);
        Ok(match &line.endpoint.address {
            Address::Unix(path) => vec![host(format!("unix://{}", path.display()))],
            Address::Tcp(authority) => vec![host(format!("tcp://{authority}"))],
            Address::Tls(authority, files) => {
                let mut all = vec![host(format!("tcp://{authority}")), ("DOCKER_TLS_VERIFY", "1".to_owned())];
                let folder = files.ca.as_ref().and_then(|ca| ca.parent());
                all.extend(folder.map(|folder| ("DOCKER_CERT_PATH", folder.display().to_string())));
                all
            }
            // Over the connection there is: the tool opens none of its own.
            Address::Ssh(_) => vec![host(format!("unix://{}", line.connections.socket().await?.display()))],
        })
    }

    /// Whether the engine's files are this machine's.
    #[must_use]
    pub fn is_local(&self) -> bool {
        self.line().is_ok_and(|line| matches!(line.endpoint.address, Address::Unix(_)))
    }

    /// The machine the engine is on, where it is not reached by a socket of this one.
    #[must_use]
    pub fn machine(&self) -> Option<String> {
        match &self.line().ok()?.endpoint.address {
            Address::Unix(_) => None,
            Address::Ssh(address) => Some(address.host.clone()),
            Address::Tcp(authority) | Address::Tls(authority, _) => {
                let host = authority.rsplit_once(':').map_or(authority.as_str(), |(host, _)| host);
                Some(host.trim_start_matches('[').trim_end_matches(']').to_owned())
            }
        }
    }

    fn line(&self) -> Result<&Line, EngineError> {
        if let Some(line) = self.inner.line.get() {
            return Ok(line);
        }
        let endpoint = context::resolve(&self.inner.target)?;
        let connections = Connections::new(&endpoint)?;
        Ok(self.inner.line.get_or_init(|| Line { endpoint, connections }))
    }

    /// Bollard on this endpoint, the API version agreed on. Calls end after two minutes unless told otherwise
    /// (`with_timeout`). Errors of its calls become ours through [`failure()`] or [`Client::fail`].
    ///
    /// # Errors
    /// When the endpoint cannot be pinned or reached, or is too old.
    pub async fn docker(&self) -> Result<bollard::Docker, EngineError> {
        if self.inner.api.load(Ordering::Relaxed) == 0 {
            self.negotiate().await?;
        }
        let version = bollard::ClientVersion {
            major_version: 1,
            minor_version: self.inner.api.load(Ordering::Relaxed).max(OLDEST_API) as usize,
        };
        let line = self.line()?;
        line.connections.docker(OPERATION_PATIENCE, version).map_err(|e| self.fail("Connecting", e))
    }

    /// Asks for the version. Every other answer carries it too, so this is only needed before a change.
    async fn negotiate(&self) -> Result<(), EngineError> {
        self.get("Agreeing on the API version", "/_ping").await.map(drop)
    }

    /// An error of bollard's in our words, about this endpoint.
    #[must_use]
    pub fn fail(&self, what: &str, error: bollard::errors::Error) -> EngineError {
        let error = failure(what, &self.endpoint(), error);
        if let EngineError::TooOld { .. } = &error {
            // Perhaps another engine has taken this one's place: agree on the version anew.
            self.inner.api.store(0, Ordering::Relaxed);
        }
        error
    }

    /// Asks `path` (with its query) and answers when the head of the reply is there; the body is left to be read.
    ///
    /// # Errors
    /// When there is no such thing, no connection, no answer in twenty seconds, or a refusal.
    pub async fn get(&self, what: &str, path: &str) -> Result<Response<Incoming>, EngineError> {
        let line = self.line()?;
        let api = self.inner.api.load(Ordering::Relaxed);
        let prefix = if api == 0 { String::new() } else { format!("/v1.{api}") };
        let reply = tokio::time::timeout(PATIENCE, line.connections.get(&format!("{prefix}{path}"))).await;
        let reply = match reply {
            Ok(reply) => reply.map_err(|e| self.fail(what, e))?,
            Err(_) => return Err(EngineError::TimedOut { what: what.into(), seconds: PATIENCE.as_secs() }),
        };
        self.read_head(&reply)?;
        Ok(reply)
    }

    /// Learns the version from a reply's head.
    fn read_head(&self, reply: &Response<Incoming>) -> Result<(), EngineError> {
        let header = |name: &str| reply.headers().get(name).and_then(|v| v.to_str().ok());
        let Some(api) = header("api-version").and_then(|v| v.strip_prefix("1.")?.parse::<u32>().ok()) else {
            return Ok(());
        };
        // `Docker/20.10.24 (linux)`
        let server = header("server").and_then(|s| s.split_whitespace().next()).unwrap_or("Docker").replace('/', " ");
        let words = clean(&format!("{server}, API 1.{api}")).into_owned();
        if api < OLDEST_API {
            let cause = format!("{words}; API 1.{OLDEST_API} is needed").into();
            return Err(EngineError::TooOld { endpoint: self.endpoint(), cause });
        }
        let newest = u32::try_from(bollard::API_DEFAULT_VERSION.minor_version).unwrap_or(OLDEST_API);
        if self.inner.api.swap(api.min(newest), Ordering::Relaxed) == 0 {
            *self.inner.words.lock().unwrap_or_else(PoisonError::into_inner) = words.into();
        }
        Ok(())
    }

    /// Asks `path` and reads the whole answer.
    ///
    /// # Errors
    /// As [`Client::get`], and when the answer breaks off or is absurdly long.
    pub async fn get_bytes(&self, what: &str, path: &str) -> Result<Vec<u8>, EngineError> {
        let mut reply = self.get(what, path).await?.into_body();
        let read = async {
            let mut body = Vec::new();
            while let Some(frame) = http_body_util::BodyExt::frame(&mut reply).await {
                let frame = frame.map_err(|e| self.fail(what, e.into()))?;
                if let Some(data) = frame.data_ref() {
                    body.extend_from_slice(data);
                }
                if body.len() > ANSWER_LIMIT {
                    return Err(self.nonsense(&format!("{what}: an answer without an end")));
                }
            }
            Ok(body)
        };
        match tokio::time::timeout(PATIENCE, read).await {
            Ok(body) => body,
            Err(_) => Err(EngineError::TimedOut { what: what.into(), seconds: PATIENCE.as_secs() }),
        }
    }

    /// Asks `path` and reads the answer as JSON.
    ///
    /// # Errors
    /// As [`Client::get_bytes`], and when the answer is not what it should be.
    pub async fn get_json<T: DeserializeOwned>(&self, what: &str, path: &str) -> Result<T, EngineError> {
        let body = self.get_bytes(what, path).await?;
        serde_json::from_slice(&body).map_err(|e| self.nonsense(&format!("{what}: {e}")))
    }

    /// The engine answered something that is not an answer.
    #[must_use]
    pub fn nonsense(&self, cause: &str) -> EngineError {
        EngineError::Protocol { endpoint: self.endpoint(), cause: clean(cause).into() }
    }

    /// Asks for a sign of life and measures how long it takes, milliseconds.
    ///
    /// # Errors
    /// As [`Client::get`]; silence for longer than the pace allows is [`EngineError::Unreachable`].
    pub async fn ping(&self) -> Result<u64, EngineError> {
        // How long ssh takes to connect says nothing about the engine.
        self.line()?.connections.ready().await?;
        let begun = Timestamp::now();
        let patience = self.inner.pace.ping_timeout;
        match tokio::time::timeout(patience, self.get_bytes("A sign of life", "/_ping")).await {
            Ok(answer) => answer.map(|_| u64::try_from(Timestamp::now().duration_since(begun).as_millis()).unwrap_or(0)),
            Err(_) => Err(self.silent(patience)),
        }
    }

    /// The engine said nothing for this long.
    #[must_use]
    pub fn silent(&self, waited: Duration) -> EngineError {
        let cause = format!("it does not answer (waited {:.1} s)", waited.as_secs_f64()).into();
        EngineError::Unreachable { endpoint: self.endpoint(), cause }
    }
}
