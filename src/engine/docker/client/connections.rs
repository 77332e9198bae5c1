//! The bytes below bollard: connections over a unix socket, TCP, TLS or ssh, kept open between calls.
//!
//! Bollard opens a connection a call and reads every answer into strict types, so that one unknown word loses a whole
//! list. What observes therefore asks through here and reads for itself; what changes things goes through bollard, on
//! the same connections.

use std::fmt::Write as _;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bollard::errors::Error;
use futures_util::future::BoxFuture;
use futures_util::{FutureExt, Stream};
use http_body_util::{BodyExt, Either, Full, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::{Method, Request, Response};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::{Connect, HttpConnector};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::super::context::{Address, Endpoint, TlsFiles};
use super::super::ssh::{Over, Tunnel};
use crate::engine::EngineError;
use crate::observe::text::clean;

/// What bollard sends.
type Body = Either<Full<Bytes>, StreamBody<Pin<Box<dyn Stream<Item = io::Result<Frame<Bytes>>> + Send>>>>;
type Sender = dyn Fn(Request<Body>) -> BoxFuture<'static, Result<Response<Incoming>, Error>> + Send + Sync;

/// Connections kept for the next call.
const KEPT: usize = 32;
/// For this long.
const KEPT_FOR: Duration = Duration::from_secs(20);
/// Longest wait for a TCP connection.
const CONNECT: Duration = Duration::from_secs(5);

/// Connections to one address.
pub(super) struct Connections {
    /// Scheme and authority of every request.
    base: String,
    send: Arc<Sender>,
    /// What they run through, for an engine behind ssh.
    tunnel: Option<Tunnel>,
}

impl Connections {
    pub(super) fn new(endpoint: &Endpoint) -> Result<Self, EngineError> {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_connect_timeout(Some(CONNECT));
        tcp.set_keepalive(Some(Duration::from_secs(30)));
        tcp.set_nodelay(true);
        let (base, send): (String, Arc<Sender>) = match &endpoint.address {
            Address::Unix(path) => {
                let host = path.as_os_str().as_encoded_bytes().iter().fold(String::new(), |mut hex, byte| {
                    // Writing into a string cannot fail.
                    let _ = write!(hex, "{byte:02x}");
                    hex
                });
                (format!("unix://{host}"), sender(hyperlocal::UnixConnector))
            }
            Address::Tcp(authority) => (format!("http://{authority}"), sender(tcp)),
            Address::Tls(authority, files) => {
                let config = tls(files)
                    .map_err(|cause| EngineError::Tls { endpoint: endpoint.text.clone(), cause: clean(&cause).into() })?;
                (format!("https://{authority}"), sender(HttpsConnector::from((tcp, config))))
            }
            Address::Ssh(address) => {
                let tunnel = Tunnel::new(address.clone(), endpoint.text.clone());
                let send = sender(Over(tunnel.clone()));
                return Ok(Self { base: "http://docker".to_owned(), send, tunnel: Some(tunnel) });
            }
        };
        Ok(Self { base, send, tunnel: None })
    }

    /// Waits until connections can be opened: behind ssh that takes its time, and is bounded.
    pub(super) async fn ready(&self) -> Result<(), EngineError> {
        match &self.tunnel {
            Some(tunnel) => tunnel.open().await.map(drop),
            None => Ok(()),
        }
    }

    /// The private socket that leads to an engine behind ssh.
    pub(super) async fn socket(&self) -> Result<std::path::PathBuf, EngineError> {
        match &self.tunnel {
            Some(tunnel) => tunnel.open().await,
            None => Err(EngineError::Unsupported { what: "A forwarded socket".into(), why: "it is not behind ssh".into() }),
        }
    }

    /// Bollard over these connections.
    pub(super) fn docker(&self, timeout: Duration, version: bollard::ClientVersion) -> Result<bollard::Docker, Error> {
        let send = self.send.clone();
        let transport = move |mut request: bollard::BollardRequest| {
            // Bollard leaves the version out of the path.
            if let Some(uri) = versioned(request.uri(), &version) {
                *request.uri_mut() = uri;
            }
            send(request)
        };
        bollard::Docker::connect_with_custom_transport(transport, Some(self.base.as_str()), timeout.as_secs(), &version)
    }

    /// Asks for `path`. A refusal is an error with the engine's words.
    pub(super) async fn get(&self, path: &str) -> Result<Response<Incoming>, Error> {
        self.ask(Method::GET, path, Bytes::new(), None).await
    }

    /// Asks with a body (JSON; empty is none) and, in a header, registry credentials.
    pub(super) async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
        credentials: Option<&str>,
    ) -> Result<Response<Incoming>, Error> {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.base));
        if !body.is_empty() {
            request = request.header("content-type", "application/json");
        }
        if let Some(credentials) = credentials {
            request = request.header("x-registry-auth", credentials);
        }
        let request = request.body(Either::Left(Full::new(body)))?;
        let mark = self.tunnel.as_ref().map_or(0, Tunnel::mark);
        let response = match ((self.send)(request).await, &self.tunnel) {
            (Err(error), Some(tunnel)) => return Err(tunnel.why(mark).await.map_or(error, |why| io::Error::other(why).into())),
            (response, _) => response?,
        };
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let body = response.into_body().collect().await?.to_bytes();
        let message =
            serde_json::from_slice::<Refusal>(&body).map_or_else(|_| String::from_utf8_lossy(&body).into_owned(), |r| r.message);
        Err(Error::DockerResponseServerError { status_code: status.as_u16(), message })
    }
}

/// The engine's reason for a refusal.
#[derive(serde::Deserialize)]
struct Refusal {
    message: String,
}

/// The same address with the version in front of its path, unless it has one.
fn versioned(uri: &hyper::Uri, version: &bollard::ClientVersion) -> Option<hyper::Uri> {
    let path = uri.path_and_query()?.as_str();
    if path.starts_with("/v1.") {
        return None;
    }
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = format!("/v{version}{path}").parse().ok();
    hyper::Uri::from_parts(parts).ok()
}

fn sender<C>(connector: C) -> Arc<Sender>
where
    C: Connect + Clone + Send + Sync + 'static,
{
    let client: Client<C, Body> = Client::builder(TokioExecutor::new())
        .pool_max_idle_per_host(KEPT)
        .pool_idle_timeout(KEPT_FOR)
        .pool_timer(TokioTimer::new())
        .build(connector);
    Arc::new(move |request| client.request(request).map(|r| r.map_err(Error::from)).boxed())
}

/// Trust and identity from the files; the sentence says which of them is wrong.
fn tls(files: &TlsFiles) -> Result<rustls::ClientConfig, String> {
    let mut roots = rustls::RootCertStore::empty();
    match &files.ca {
        Some(path) => {
            for certificate in certificates(path)? {
                roots.add(certificate).map_err(|e| format!("{}: {e}", path.display()))?;
            }
        }
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    if roots.is_empty() {
        return Err("there is no certificate authority to trust (ca.pem)".into());
    }
    let builder = rustls::ClientConfig::builder().with_root_certificates(roots);
    let Some((certificate, key)) = &files.pair else {
        return Ok(builder.with_no_client_auth());
    };
    let chain = certificates(certificate)?;
    let secret = PrivateKeyDer::from_pem_file(key).map_err(|e| format!("{}: {e}", key.display()))?;
    builder.with_client_auth_cert(chain, secret).map_err(|e| format!("{} with {}: {e}", certificate.display(), key.display()))
}

fn certificates(path: &std::path::Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let said = |e: rustls::pki_types::pem::Error| format!("{}: {e}", path.display());
    let list: Vec<_> = CertificateDer::pem_file_iter(path).map_err(said)?.collect::<Result<_, _>>().map_err(said)?;
    if list.is_empty() { Err(format!("{} holds no certificate", path.display())) } else { Ok(list) }
}

#[cfg(test)]
#[path = "connections_tests.rs"]
mod tests;
