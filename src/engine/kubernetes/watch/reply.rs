//! A request of a list or a watch, and what its answer means.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{Request, Response, header};
use http_body_util::BodyExt;
use kube::client::Body;
use tokio::time::timeout;

use crate::engine::EngineError;
use crate::engine::kubernetes::client::{ANSWER_WITHIN, Client, failure};
use crate::engine::kubernetes::wire::Status;

/// How long a page may take: a slow server is not a dead one.
const PAGE_WITHIN: Duration = Duration::from_secs(60);
/// Bytes of an answer that is an error, at most.
const ERROR_BYTES: usize = 64 * 1024;
/// Bytes of one line, at most: an object is 1.5 MiB at most.
const LINE_BYTES: usize = 16 * 1024 * 1024;

/// Why there is no answer.
#[derive(Debug)]
pub enum Trouble {
    /// What it would go on from is forgotten.
    Expired,
    /// The server does not stream lists.
    NoStreams,
    /// One may not.
    Denied(Arc<str>),
    /// There is no such kind.
    Absent,
    /// Anything else, and how long the server asks to be left alone.
    Error(EngineError, Option<Duration>),
}

/// Lines that are there, each with its end, or the end.
pub enum Answer {
    Lines(Bytes),
    Ended,
}

/// The lines of a watch.
pub struct Lines {
    body: Body,
    kept: BytesMut,
}

impl Lines {
    /// The next whole lines. Cancel safe: what is read is kept.
    pub async fn next(&mut self) -> Answer {
        loop {
            if let Some(end) = memchr::memrchr(b'\n', &self.kept) {
                return Answer::Lines(self.kept.split_to(end + 1).freeze());
            }
            match self.body.frame().await {
                Some(Ok(frame)) => {
                    if let Some(data) = frame.data_ref() {
                        self.kept.extend_from_slice(data);
                    }
                    if self.kept.len() > LINE_BYTES {
                        return Answer::Ended;
                    }
                }
                Some(Err(_)) | None => return Answer::Ended,
            }
        }
    }
}

async fn send(client: &Client, what: &str, path: &str, within: Duration) -> Result<Response<Body>, Trouble> {
    // Compressed watches reach the reader late or not at all.
    let request = Request::get(path).header(header::ACCEPT_ENCODING, "identity").header(header::ACCEPT, "application/json");
    let wrong = |error: EngineError| Trouble::Error(error, None);
    let request = request
        .body(Body::empty())
        .map_err(|error| wrong(EngineError::Protocol { endpoint: client.endpoint(), cause: error.to_string().into() }))?;
    let kube = client.kube().await.map_err(wrong)?;
    match timeout(within, kube.send(request)).await {
        Ok(Ok(response)) if response.status().is_success() => Ok(response),
        Ok(Ok(response)) => Err(refused(client, what, response).await),
        Ok(Err(error)) => Err(wrong(client.fail(what, &error))),
        Err(_) => Err(wrong(EngineError::TimedOut { what: what.into(), seconds: within.as_secs() })),
    }
}

/// Opens a watch.
pub async fn open(client: &Client, what: &str, path: &str) -> Result<Lines, Trouble> {
    let response = send(client, what, path, ANSWER_WITHIN).await?;
    Ok(Lines { body: response.into_body(), kept: BytesMut::new() })
}

/// Asks for a page of a list.
pub async fn page(client: &Client, what: &str, path: &str) -> Result<Bytes, Trouble> {
    let body = send(client, what, path, PAGE_WITHIN).await?.into_body();
    match timeout(PAGE_WITHIN, body.collect()).await {
        Ok(Ok(whole)) => Ok(whole.to_bytes()),
        Ok(Err(error)) => Err(Trouble::Error(client.fail(what, &error), None)),
        Err(_) => Err(Trouble::Error(EngineError::TimedOut { what: what.into(), seconds: PAGE_WITHIN.as_secs() }, None)),
    }
}

async fn refused(client: &Client, what: &str, response: Response<Body>) -> Trouble {
    let code = response.status().as_u16();
    let after = response.headers().get(header::RETRY_AFTER).and_then(|v| v.to_str().ok()?.parse().ok());
    let mut text = Vec::new();
    let mut body = response.into_body();
    while let Ok(Some(Ok(frame))) = timeout(ANSWER_WITHIN, body.frame()).await {
        text.extend_from_slice(frame.data_ref().map_or(&[][..], |d| d));
        if text.len() > ERROR_BYTES {
            break;
        }
    }
    let said: Option<Status> = serde_json::from_slice(&text).ok();
    let status = said.filter(|s| s.code.is_some()).unwrap_or_else(|| Status {
        code: Some(i64::from(code)),
        reason: String::new(),
        // Plain text of what stands before the server, or of one that does not know the path.
        message: String::from_utf8_lossy(&text).trim().to_owned(),
    });
    match trouble(client, what, &status) {
        Trouble::Error(error, _) => Trouble::Error(error, after.map(Duration::from_secs)),
        other => other,
    }
}

/// What the server's refusal means.
pub fn trouble(client: &Client, what: &str, status: &Status) -> Trouble {
    let code = u16::try_from(status.code.unwrap_or(0)).unwrap_or(0);
    let told = kube::core::Status {
        code,
        reason: status.reason.clone(),
        message: status.message.clone(),
        ..kube::core::Status::default()
    };
    let error = || failure(what, &client.endpoint(), &kube::Error::Api(Box::new(told.clone())));
    match code {
        410 => Trouble::Expired,
        404 => Trouble::Absent,
        400 | 422 if status.message.contains("sendInitialEvents") || status.message.contains("resourceVersionMatch") => {
            Trouble::NoStreams
        }
        403 => Trouble::Denied(error().to_string().into()),
        _ => Trouble::Error(error(), None),
    }
}

/// The answer makes no sense.
pub fn nonsense(client: &Client, cause: &str) -> Trouble {
    let cause = crate::observe::text::clean(cause).into();
    Trouble::Error(EngineError::Protocol { endpoint: client.endpoint(), cause }, None)
}
