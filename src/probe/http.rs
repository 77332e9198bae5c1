//! HTTP requests, bounded in time and size: redirects followed as far as one is told to, TLS as for any server, bodies
//! unpacked. What one logs in with, and headers of one's own, go to the server that was named and to no other.

mod line;
mod target;

use std::time::{Duration, Instant};

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{
    ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONNECTION, CONTENT_TYPE, HOST, HeaderName, HeaderValue, LOCATION, USER_AGENT,
};
use hyper::http::request::Builder;
use hyper::{Method, Request};

pub(super) use self::line::{Line, Room};
pub(super) use self::target::{Target, percent_encoded, shown};
use super::certificate::Certificate;
use super::stream::{Fault, Way};
use super::{good, milliseconds, unmet};
use crate::engine::EngineError;
use crate::operate::Accepted;

/// A body is never read further, bytes; of one that is packed neither before nor after unpacking.
pub(super) const BODY: usize = 4 << 20;
/// Redirects that are followed when nothing is said.
const REDIRECTS: u32 = 5;

/// What is asked.
#[derive(Clone, Debug)]
pub(super) struct Ask<'a> {
    pub(super) method: Method,
    pub(super) url: &'a str,
    /// JSON.
    pub(super) body: Option<&'a str>,
    /// So many redirects are followed, one more is a fault; with 0 the redirect itself is the answer.
    pub(super) redirects: u32,
    /// Read the answer's body; without it only its head is waited for.
    pub(super) whole: bool,
    /// Sent to the server that is named, and to no other.
    pub(super) headers: &'a [(HeaderName, HeaderValue)],
    /// The name the request and the certificate are held to, where that is not the address's own.
    pub(super) host: Option<&'a str>,
    /// A file of certificates that are trusted beside those this machine trusts.
    pub(super) ca: Option<&'a str>,
    /// How the server that is named is reached.
    pub(super) way: Way,
}

impl<'a> Ask<'a> {
    /// A GET whose body is read and whose redirects are followed.
    pub(super) fn get(url: &'a str) -> Self {
        Self {
            method: Method::GET,
            url,
            body: None,
            redirects: REDIRECTS,
            whole: true,
            headers: &[],
            host: None,
            ca: None,
            way: Way::Direct,
        }
    }
}

/// What came back.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Bytes,
    /// Until the head was there, redirects and connecting included; what an engine took to connect left out.
    pub(super) took: Duration,
    pub(super) redirects: u32,
    pub(super) certificate: Option<Certificate>,
    /// Where it points to when it is a redirect that was not followed.
    pub(super) location: Option<String>,
}

/// Sends a request whose answer must be a 2xx.
pub(super) async fn send(method: &str, url: &str, body: Option<&str>, limit: Duration) -> Result<Accepted, EngineError> {
    let shown = format!("{method} {}", shown(url));
    let Ok(method) = Method::from_bytes(method.as_bytes()) else { return Err(unmet(&shown, "there is no such method")) };
    let ask = Ask { method, body, redirects: 0, whole: false, ..Ask::get(url) };
    let answer = ask.send(limit).await.map_err(|fault| unmet(&shown, &fault.why))?;
    match (answer.status, &answer.location) {
        (200..=299, _) => Ok(good(None, format!("{} in {}", answer.status, milliseconds(answer.took)))),
        (status, Some(location)) => Err(unmet(&shown, &format!("it answers {status} and points to {location}"))),
        (status, None) => Err(unmet(&shown, &format!("it answers {status}"))),
    }
}

impl Ask<'_> {
    /// Asks, and follows redirects where told to; never from TLS into the clear.
    pub(super) async fn send(&self, limit: Duration) -> Result<Answer, Fault> {
        tokio::time::timeout(limit, self.follow(limit)).await.unwrap_or_else(|_| Err(Fault::late(limit)))
    }

    async fn follow(&self, limit: Duration) -> Result<Answer, Fault> {
        let begun = Instant::now();
        let first = Target::parse(self.url).map_err(Fault::new)?.called(self.host);
        let mut target = first.clone();
        let (mut redirects, mut detour) = (0, Duration::ZERO);
        loop {
            let own = target.is_at(&first);
            let way = if own { &self.way } else { &Way::Direct };
            let mut line = Line::open(&target, way, self.ca, limit).await?;
            detour += line.detour;
            let response = line.send(self.request(&target, own).map_err(Fault::new)?).await?;
            let took = begun.elapsed().saturating_sub(detour);
            let status = response.status();
            let location = response.headers().get(LOCATION).filter(|_| status.is_redirection());
            let location = location.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
            if let Some(location) = location.as_deref().filter(|_| self.redirects > 0) {
                let next = target.join(location).map_err(Fault::new)?;
                if target.tls && !next.tls {
                    return Err(Fault::new(format!("it answers {status} and points out of TLS, to {}", shown(location))));
                }
                if redirects == self.redirects {
                    let times = if redirects == 1 { "once".to_owned() } else { format!("{redirects} times") };
                    return Err(Fault::new(format!("it redirects more than {times}")));
                }
                redirects += 1;
                target = next;
                continue;
            }
            let certificate = line.certificate;
            let body =
                if self.whole { Bytes::copy_from_slice(Room::default().body(response, BODY).await?) } else { Bytes::new() };
            let location = location.map(|location| shown(&location));
            return Ok(Answer { status: status.as_u16(), body, took, redirects, certificate, location });
        }
    }

    /// The request; `own`: the server is the one that was named.
    fn request(&self, target: &Target, own: bool) -> Result<Request<Full<Bytes>>, String> {
        let mut request = head(&self.method, target)?.header(CONNECTION, "close");
        let named = |name: HeaderName| own && self.headers.iter().any(|(given, _)| *given == name);
        if !named(ACCEPT) {
            request = request.header(ACCEPT, "*/*");
        }
        if self.whole && !named(ACCEPT_ENCODING) {
            request = request.header(ACCEPT_ENCODING, "gzip");
        }
        if self.body.is_some() && !named(CONTENT_TYPE) {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        if let (Some(login), false) = (&target.login, named(AUTHORIZATION)) {
            request = request.header(AUTHORIZATION, basic(login)?);
        }
        for (name, value) in self.headers.iter().filter(|_| own) {
            request = request.header(name, value);
        }
        let body = Bytes::from(self.body.unwrap_or_default().to_owned());
        request.body(Full::new(body)).map_err(|error| error.to_string())
    }
}

/// The beginning of every request.
pub(super) fn head(method: &Method, target: &Target) -> Result<Builder, String> {
    let host = HeaderValue::from_str(&target.authority).map_err(|_| "it names no host".to_owned())?;
    let begun = Request::builder().method(method.clone()).uri(&target.path).header(HOST, host);
    Ok(begun.header(USER_AGENT, concat!("quarterdeck/", env!("CARGO_PKG_VERSION"))))
}

/// User and password, in base64 already, as a header that is not printed.
pub(super) fn basic(login: &str) -> Result<HeaderValue, String> {
    let mut value = HeaderValue::from_str(&format!("Basic {login}")).map_err(|error| error.to_string())?;
    value.set_sensitive(true);
    Ok(value)
}
