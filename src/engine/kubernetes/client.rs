//! One context of a kubeconfig: the client for it, made when it is first needed and again when its files change, and what
//! every request has in common.

mod failure;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http::{Method, Request};
use serde::de::DeserializeOwned;
use tokio::sync::Mutex;

use super::known::Known;
use super::kubeconfig;
use crate::config::{ConnectionSpec, EnvironmentSpec, KubernetesTarget, TargetSpec};
use crate::engine::EngineError;
use crate::model::{ConnectionId, EnvironmentId};
use crate::observe::redact::Redaction;

pub use failure::failure;

/// Who made a change, as the server notes it with every field.
pub const FIELD_MANAGER: &str = "quarterdeck";
/// How long one answer may take, unless it is a stream.
pub const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// A context, pinned. Cheap to clone.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    connection: ConnectionId,
    target: KubernetesTarget,
    environments: Vec<EnvironmentSpec>,
    redaction: Arc<Redaction>,
    made: Mutex<Option<Made>>,
    known: Known,
}

/// A client and the state its files were in when it was made.
struct Made {
    client: kube::Client,
    server: Arc<str>,
    namespace: Arc<str>,
    read: Vec<Option<SystemTime>>,
}

impl Client {
    /// The client of `spec`. Nothing is read before it is needed.
    #[must_use]
    pub fn new(spec: &ConnectionSpec) -> Self {
        let target = match &spec.target {
            TargetSpec::Kubernetes(target) => target.clone(),
            TargetSpec::Docker(_) | TargetSpec::Demo { .. } => {
                KubernetesTarget { kubeconfig: Vec::new(), context: kubeconfig::IN_CLUSTER.into() }
            }
        };
        Self(Arc::new(Inner {
            connection: spec.id.clone(),
            target,
            environments: spec.environments.clone(),
            redaction: spec.redaction.clone(),
            made: Mutex::new(None),
            known: Known::default(),
        }))
    }

    /// The connection it is.
    #[must_use]
    pub fn connection(&self) -> &ConnectionId {
        &self.0.connection
    }

    /// The context, by name.
    #[must_use]
    pub fn context(&self) -> &Arc<str> {
        &self.0.target.context
    }

    /// The environments on it.
    #[must_use]
    pub fn environments(&self) -> &[EnvironmentSpec] {
        &self.0.environments
    }

    /// What is masked.
    #[must_use]
    pub fn redaction(&self) -> &Arc<Redaction> {
        &self.0.redaction
    }

    /// What its topics share.
    #[must_use]
    pub fn known(&self) -> &Known {
        &self.0.known
    }

    /// The address in messages.
    #[must_use]
    pub fn endpoint(&self) -> Arc<str> {
        format!("context {}", self.context()).into()
    }

    /// The client itself. Made anew when a file of its kubeconfig has changed since: a new token, another server.
    ///
    /// # Errors
    /// When the files cannot be read, or do not say how to reach the context.
    pub async fn kube(&self) -> Result<kube::Client, EngineError> {
        self.made(|made| made.client.clone()).await
    }

    /// The address of the server and the context's own namespace.
    ///
    /// # Errors
    /// As [`Self::kube`].
    pub async fn place(&self) -> Result<(Arc<str>, Arc<str>), EngineError> {
        self.made(|made| (made.server.clone(), made.namespace.clone())).await
    }

    async fn made<T>(&self, pick: impl Fn(&Made) -> T) -> Result<T, EngineError> {
        let mut made = self.0.made.lock().await;
        let read = self.0.target.kubeconfig.iter().map(|path| changed(path)).collect::<Vec<_>>();
        if let Some(made) = made.as_ref().filter(|m| m.read == read) {
            return Ok(pick(made));
        }
        let wrong = |cause: String| EngineError::Config { what: self.endpoint(), why: cause.into() };
        let config = kubeconfig::config(&self.0.target).await.map_err(wrong)?;
        let (server, namespace) = (config.cluster_url.to_string(), config.default_namespace.clone());
        // An exec plugin is run while the client is made, and may take its time.
        let handle = tokio::runtime::Handle::current();
        let client = tokio::task::spawn_blocking(move || {
            let _inside = handle.enter();
            kube::Client::try_from(config)
        });
        let client = match client.await {
            Ok(Ok(client)) => client,
            Ok(Err(error)) => return Err(self.fail("Connecting", &error)),
            Err(error) => return Err(wrong(error.to_string())),
        };
        let fresh = Made { client, server: server.trim_end_matches('/').into(), namespace: namespace.into(), read };
        let answer = pick(&fresh);
        *made = Some(fresh);
        Ok(answer)
    }

    /// An error of the library in our words; `what` was being done.
    #[must_use]
    pub fn fail(&self, what: &str, error: &kube::Error) -> EngineError {
        failure(what, &self.endpoint(), error)
    }

    /// Asks for JSON.
    ///
    /// # Errors
    /// What the server refused, that it cannot be reached, or did not answer in time.
    pub async fn get<T: DeserializeOwned>(&self, what: &str, path: &str) -> Result<T, EngineError> {
        self.ask(what, Method::GET, path, Vec::new(), None).await
    }

    /// Asks for plain text.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub async fn get_text(&self, what: &str, path: &str) -> Result<String, EngineError> {
        let request = self.request(Method::GET, path, Vec::new(), None)?;
        let client = self.kube().await?;
        self.within(what, client.request_text(request)).await
    }

    /// Sends a request with a JSON body (`content`: its type) and takes the JSON of the answer.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub async fn ask<T: DeserializeOwned>(
        &self,
        what: &str,
        method: Method,
        path: &str,
        body: Vec<u8>,
        content: Option<&str>,
    ) -> Result<T, EngineError> {
        let request = self.request(method, path, body, content)?;
        let client = self.kube().await?;
        self.within(what, client.request(request)).await
    }

    async fn within<T>(&self, what: &str, asked: impl Future<Output = kube::Result<T>>) -> Result<T, EngineError> {
        match tokio::time::timeout(ANSWER_WITHIN, asked).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(self.fail(what, &error)),
            Err(_) => Err(EngineError::TimedOut { what: what.into(), seconds: ANSWER_WITHIN.as_secs() }),
        }
    }

    /// A request for a path of the server.
    ///
    /// # Errors
    /// When the path is none.
    pub fn request(
        &self,
        method: Method,
        path: &str,
        body: Vec<u8>,
        content: Option<&str>,
    ) -> Result<Request<Vec<u8>>, EngineError> {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(content) = content {
            request = request.header(http::header::CONTENT_TYPE, content);
        }
        request.body(body).map_err(|error| EngineError::Protocol { endpoint: self.endpoint(), cause: error.to_string().into() })
    }

    /// The namespace of an environment, `None` for all of them.
    ///
    /// # Errors
    /// As [`Self::kube`].
    pub async fn namespace(&self, environment: &EnvironmentId) -> Result<Option<Arc<str>>, EngineError> {
        let of = self.environments().iter().find(|e| e.name == environment.name).map_or("", |e| &*e.project);
        match of {
            "*" => Ok(None),
            "" => self.place().await.map(|(_, namespace)| Some(namespace)),
            named => Ok(Some(named.into())),
        }
    }
}

/// When a file was last written; none where it is not there.
fn changed(path: &Path) -> Option<SystemTime> {
    std::fs::metadata(path).ok()?.modified().ok()
}
