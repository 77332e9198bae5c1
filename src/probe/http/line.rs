//! One connection that speaks HTTP/1.1, kept for as many requests as one likes; and the bodies of its answers, bounded as they
//! come and bounded again when they are unpacked.

use std::io::Read as _;
use std::time::Duration;

use flate2::read::MultiGzDecoder;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{Builder, SendRequest};
use hyper::header::CONTENT_ENCODING;
use hyper::{HeaderMap, Request, Response};
use hyper_util::rt::TokioIo;
use tokio::task::JoinSet;

use super::Target;
use crate::probe::certificate::{self, Certificate};
use crate::probe::stream::{Fault, Way};

/// What one connection reads ahead at most, bytes: it is kept as long as the connection.
const READ_AHEAD: usize = 32 << 10;

/// An open connection; it is closed when this is dropped.
#[derive(Debug)]
pub(crate) struct Line {
    sender: SendRequest<Full<Bytes>>,
    /// Ended with what holds it: a connection nobody reads from must not stay.
    _conversation: JoinSet<()>,
    /// What the server has shown, where TLS is spoken.
    pub(crate) certificate: Option<Certificate>,
    /// What an engine took to make the connection, which says nothing about the server.
    pub(crate) detour: Duration,
}

impl Line {
    /// Connects to the target, and speaks TLS with it where it is to be.
    pub(crate) async fn open(target: &Target, way: &Way, ca: Option<&str>, limit: Duration) -> Result<Self, Fault> {
        let (stream, took) = way.open(&target.address, limit).await?;
        let detour = if way.is_direct() { Duration::ZERO } else { took };
        let (stream, certificate) = if target.tls {
            let (stream, certificate) =
                certificate::shake(stream, &target.host, certificate::trusted(ca).await.map_err(Fault::new)?)
                    .await
                    .map_err(Fault::new)?;
            (Box::new(stream) as crate::engine::Dialled, Some(certificate))
        } else {
            (stream, None)
        };
        let (sender, connection) =
            Builder::new().max_buf_size(READ_AHEAD).handshake(TokioIo::new(stream)).await.map_err(|error| broken(&error))?;
        let mut conversation = JoinSet::new();
        conversation.spawn(async move { drop(connection.await) });
        Ok(Self { sender, _conversation: conversation, certificate, detour })
    }

    /// Whether the server has not closed it, as far as is known.
    pub(crate) fn is_open(&self) -> bool {
        !self.sender.is_closed()
    }

    /// Sends a request and waits for the head of its answer. The body must be read to its end before the next one.
    pub(crate) async fn send(&mut self, request: Request<Full<Bytes>>) -> Result<Response<Incoming>, Fault> {
        self.sender.ready().await.map_err(|error| broken(&error))?;
        self.sender.send_request(request).await.map_err(|error| broken(&error))
    }
}

/// Room for the body of an answer, as it came and unpacked.
#[derive(Debug, Default)]
pub(crate) struct Room {
    raw: Vec<u8>,
    unpacked: Vec<u8>,
}

impl Room {
    /// The body of an answer, unpacked, of at most `most` bytes.
    pub(crate) async fn body(&mut self, response: Response<Incoming>, most: usize) -> Result<&[u8], Fault> {
        let packing = Packing::of(response.headers())?;
        self.raw.clear();
        let mut from = response.into_body();
        while let Some(frame) = from.frame().await {
            let frame = frame.map_err(|error| broken(&error))?;
            if let Some(data) = frame.data_ref() {
                self.raw.extend_from_slice(data);
            }
            if self.raw.len() > most {
                return Err(too_long(most));
            }
        }
        match packing {
            Packing::None => Ok(&self.raw),
            Packing::Gzip => {
                self.unpacked.clear();
                let most_read = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
                let unpacked = MultiGzDecoder::new(&self.raw[..]).take(most_read).read_to_end(&mut self.unpacked);
                unpacked.map_err(|_| Fault::new("its answer says it is packed with gzip and is not"))?;
                if self.unpacked.len() > most { Err(too_long(most)) } else { Ok(&self.unpacked) }
            }
        }
    }
}

fn too_long(most: usize) -> Fault {
    Fault::new(format!("its answer is longer than {} MiB", most >> 20))
}

enum Packing {
    None,
    Gzip,
}

impl Packing {
    fn of(headers: &HeaderMap) -> Result<Self, Fault> {
        let Some(value) = headers.get(CONTENT_ENCODING) else { return Ok(Self::None) };
        let value = String::from_utf8_lossy(value.as_bytes()).trim().to_ascii_lowercase();
        match value.as_str() {
            "" | "identity" => Ok(Self::None),
            "gzip" | "x-gzip" => Ok(Self::Gzip),
            other => Err(Fault::new(format!("its answer is packed with {other}, which nobody asked for"))),
        }
    }
}

pub(super) fn broken(error: &hyper::Error) -> Fault {
    Fault::new(if error.is_parse() { "that is not HTTP" } else { "the connection broke off" })
}
