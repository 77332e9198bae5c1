//! One user's connection, kept from request to request, and one request over it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt as _, Empty};
use hyper::body::Bytes;
use hyper::client::conn::http1::{Builder, SendRequest};
use hyper::header::{ACCEPT, AUTHORIZATION, HeaderValue};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use rustls::RootCertStore;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::super::http::{self, Target};
use super::super::{certificate, stream};
use crate::observe::load::Failed;

/// What is read ahead of what was asked for, bytes.
const AHEAD: usize = 16 << 10;

/// Where requests go: looked up once, so that no name is asked for a thousand times.
pub(super) struct Where {
    target: Target,
    address: SocketAddr,
    roots: Option<Arc<RootCertStore>>,
    login: Option<HeaderValue>,
}

impl Where {
    /// Looks an address up: the first of its machine's that takes a connection.
    ///
    /// # Errors
    /// A sentence when there is none.
    pub(super) async fn find(url: &str, limit: Duration) -> Result<Self, String> {
        let target = Target::parse(url)?;
        let (connected, _) = stream::open(&target.address, limit).await.map_err(|fault| fault.why)?;
        let address = connected.peer_addr().map_err(|error| error.to_string())?;
        let roots = if target.tls { Some(certificate::roots().await) } else { None };
        let login = match &target.login {
            None => None,
            Some(login) => Some(http::basic(login)?),
        };
        Ok(Self { target, address, roots, login })
    }

    fn request(&self) -> Result<Request<Empty<Bytes>>, Failed> {
        let head = http::head(&Method::GET, &self.target);
        let mut request = head.map_err(|_| failed("a request that cannot be made"))?.header(ACCEPT, "*/*");
        if let Some(login) = &self.login {
            request = request.header(AUTHORIZATION, login.clone());
        }
        request.body(Empty::new()).map_err(|_| failed("a request that cannot be made"))
    }
}

/// A failure that is no answer.
pub(super) fn failed(kind: &str) -> Failed {
    Failed { kind: kind.into(), waited: false, bytes: 0 }
}

/// A connection.
pub(super) struct Line {
    sender: SendRequest<Empty<Bytes>>,
    /// What drives it, ended with it.
    _driver: JoinSet<()>,
    /// It has answered before: the other end may have closed it since, and that is no failure.
    pub(super) used: bool,
}

impl Line {
    /// Opens one.
    ///
    /// # Errors
    /// The kind of failure.
    pub(super) async fn open(place: &Where) -> Result<Self, Failed> {
        let stream = TcpStream::connect(place.address).await.map_err(|error| match error.kind() {
            std::io::ErrorKind::ConnectionRefused => failed("connection refused"),
            std::io::ErrorKind::TimedOut => failed("no connection in time"),
            _ => failed("no connection"),
        })?;
        drop(stream.set_nodelay(true));
        match &place.roots {
            None => Self::begin(stream).await,
            Some(roots) => {
                let shaken = certificate::shake(stream, &place.target.host, roots.clone()).await;
                let (stream, _) = shaken.map_err(|why| failed(&format!("no TLS: {why}")))?;
                Self::begin(stream).await
            }
        }
    }

    async fn begin(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) -> Result<Self, Failed> {
        let handshake = Builder::new().max_buf_size(AHEAD).handshake(TokioIo::new(stream)).await;
        let (sender, connection) = handshake.map_err(|_| failed("the connection broke off"))?;
        let mut driver = JoinSet::new();
        driver.spawn(async move { drop(connection.await) });
        Ok(Self { sender, _driver: driver, used: false })
    }

    /// Whether it can be asked over.
    pub(super) fn is_open(&self) -> bool {
        !self.sender.is_closed()
    }

    /// Asks, and reads the answer whole: how many bytes it had.
    ///
    /// # Errors
    /// The kind of failure. After one that was no answer the connection is of no more use.
    pub(super) async fn ask(&mut self, place: &Where) -> Result<u64, Failed> {
        let request = place.request()?;
        let response =
            self.sender.send_request(request).await.map_err(|error| {
                failed(if error.is_parse() { "an answer that is not HTTP" } else { "the connection broke off" })
            })?;
        let status = response.status().as_u16();
        let mut body = response.into_body();
        let mut bytes = 0;
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| Failed { bytes, ..failed("an answer that broke off") })?;
            bytes += frame.data_ref().map_or(0, |data| data.len() as u64);
        }
        // The other end may have said that it closes; the next request needs to know.
        drop(self.sender.ready().await);
        self.used = true;
        if status >= 400 {
            return Err(Failed { kind: format!("status {status}").into(), waited: true, bytes });
        }
        Ok(bytes)
    }
}
