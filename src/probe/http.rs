//! One HTTP request over a connection of its own, bounded in time and size; TLS as for any server.

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{ACCEPT, AUTHORIZATION, CONNECTION, CONTENT_TYPE, HOST, HeaderValue, LOCATION, USER_AGENT};
use hyper::{Method, Request, Response, Uri};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinSet;

use super::certificate::{self, Certificate};
use super::stream::{self, Fault};
use super::{good, milliseconds, unmet};
use crate::engine::EngineError;
use crate::operate::Accepted;

/// A body is never read further, bytes.
const BODY: usize = 4 << 20;
/// Redirects that are followed.
const REDIRECTS: usize = 3;

/// What is asked.
#[derive(Clone, Debug)]
pub(super) struct Ask<'a> {
    pub(super) method: Method,
    pub(super) url: &'a str,
    /// JSON.
    pub(super) body: Option<&'a str>,
    pub(super) follow: bool,
    /// Read the answer's body; without it only its head is waited for.
    pub(super) whole: bool,
}

impl<'a> Ask<'a> {
    /// A GET whose body is read and whose redirects are followed.
    pub(super) fn get(url: &'a str) -> Self {
        Self { method: Method::GET, url, body: None, follow: true, whole: true }
    }
}

/// What came back.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Bytes,
    /// Until the head was there, redirects and connecting included.
    pub(super) took: Duration,
    pub(super) redirects: usize,
    pub(super) certificate: Option<Certificate>,
    /// Where it points to when it is a redirect that was not followed.
    pub(super) location: Option<String>,
}

/// Sends a request whose answer must be a 2xx.
pub(super) async fn send(method: &str, url: &str, body: Option<&str>, limit: Duration) -> Result<Accepted, EngineError> {
    let shown = format!("{method} {}", shown(url));
    let Ok(method) = Method::from_bytes(method.as_bytes()) else { return Err(unmet(&shown, "there is no such method")) };
    let ask = Ask { method, url, body, follow: false, whole: false };
    let answer = ask.send(limit).await.map_err(|fault| unmet(&shown, &fault.why))?;
    match (answer.status, &answer.location) {
        (200..=299, _) => Ok(good(None, format!("{} in {}", answer.status, milliseconds(answer.took)))),
        (status, Some(location)) => Err(unmet(&shown, &format!("it answers {status} and points to {location}"))),
        (status, None) => Err(unmet(&shown, &format!("it answers {status}"))),
    }
}

/// The address for people: without who logs in, and without what is asked.
pub(super) fn shown(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
    let rest = rest.split(['?', '#']).next().unwrap_or(rest);
    let (authority, path) = rest.split_once('/').map_or((rest, ""), |(authority, path)| (authority, path));
    let host = authority.rsplit('@').next().unwrap_or(authority);
    if path.is_empty() { format!("{scheme}://{host}") } else { format!("{scheme}://{host}/{path}") }
}

impl Ask<'_> {
    /// Asks, and follows redirects where told to; never from TLS into the clear.
    pub(super) async fn send(&self, limit: Duration) -> Result<Answer, Fault> {
        tokio::time::timeout(limit, self.follow(limit)).await.unwrap_or_else(|_| Err(Fault::late(limit)))
    }

    async fn follow(&self, limit: Duration) -> Result<Answer, Fault> {
        let begun = Instant::now();
        let mut target = Target::parse(self.url).map_err(Fault::new)?;
        for redirects in 0..=REDIRECTS {
            let (response, certificate, _conversation) = self.once(&target, limit).await?;
            let took = begun.elapsed();
            let status = response.status();
            let location = response.headers().get(LOCATION).filter(|_| status.is_redirection());
            let location = location.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
            if let Some(location) = location.as_deref().filter(|_| self.follow) {
                let next = target.join(location).map_err(Fault::new)?;
                if target.tls && !next.tls {
                    return Err(Fault::new(format!("it answers {status} and points out of TLS, to {}", shown(location))));
                }
                target = next;
                continue;
            }
            let body = if self.whole { body(response.into_body()).await? } else { Bytes::new() };
            let location = location.map(|location| shown(&location));
            return Ok(Answer { status: status.as_u16(), body, took, redirects, certificate, location });
        }
        Err(Fault::new(format!("it redirects more than {REDIRECTS} times")))
    }

    /// One request on one connection; the connection lasts as long as what is returned last.
    async fn once(
        &self,
        target: &Target,
        limit: Duration,
    ) -> Result<(Response<Incoming>, Option<Certificate>, JoinSet<()>), Fault> {
        let (stream, _) = stream::open(&target.address, limit).await?;
        if target.tls {
            let (stream, certificate) =
                certificate::shake(stream, &target.host, certificate::roots().await).await.map_err(Fault::new)?;
            let (response, conversation) = self.converse(stream, target).await?;
            return Ok((response, Some(certificate), conversation));
        }
        let (response, conversation) = self.converse(stream, target).await?;
        Ok((response, None, conversation))
    }

    async fn converse(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        target: &Target,
    ) -> Result<(Response<Incoming>, JoinSet<()>), Fault> {
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|error| broken(&error))?;
        // Ended with what holds it: a connection nobody reads from must not stay.
        let mut conversation = JoinSet::new();
        conversation.spawn(async move { drop(connection.await) });
        let request = self.request(target).map_err(Fault::new)?;
        let response = sender.send_request(request).await.map_err(|error| broken(&error))?;
        Ok((response, conversation))
    }

    fn request(&self, target: &Target) -> Result<Request<Full<Bytes>>, String> {
        let mut request = Request::builder()
            .method(self.method.clone())
            .uri(&target.path)
            .header(HOST, &target.authority)
            .header(USER_AGENT, concat!("quarterdeck/", env!("CARGO_PKG_VERSION")))
            .header(ACCEPT, "*/*")
            .header(CONNECTION, "close");
        if let Some(login) = &target.login {
            let mut value = HeaderValue::from_str(&format!("Basic {login}")).map_err(|error| error.to_string())?;
            value.set_sensitive(true);
            request = request.header(AUTHORIZATION, value);
        }
        if self.body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        let body = Bytes::from(self.body.unwrap_or_default().to_owned());
        request.body(Full::new(body)).map_err(|error| error.to_string())
    }
}

/// Where a request goes.
#[derive(Debug)]
struct Target {
    tls: bool,
    /// For certificates and names.
    host: String,
    /// `host:port`, to connect to.
    address: String,
    /// As the request names it.
    authority: String,
    path: String,
    /// User and password of the address, in base64.
    login: Option<String>,
}

impl Target {
    fn parse(url: &str) -> Result<Self, String> {
        let uri: Uri = url.parse().map_err(|_| "it is no address of a web server".to_owned())?;
        let tls = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            Some(other) => return Err(format!("{other} is not spoken, http and https are")),
            None => return Err("it does not begin with http:// or https://".to_owned()),
        };
        let authority = uri.authority().ok_or("it names no host")?;
        let host = authority.host();
        let address = format!("{host}:{}", authority.port_u16().unwrap_or(if tls { 443 } else { 80 }));
        let (login, named) = match authority.as_str().rsplit_once('@') {
            Some((login, named)) => (Some(STANDARD.encode(percent_decoded(login))), named),
            None => (None, authority.as_str()),
        };
        let path = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        Ok(Self { tls, host, address, authority: named.to_owned(), path, login })
    }

    /// Where a redirect from here leads. Who logs in here does not do so elsewhere.
    fn join(&self, location: &str) -> Result<Self, String> {
        let scheme = if self.tls { "https" } else { "http" };
        let location = location.split('#').next().unwrap_or_default();
        let mut next = if location.contains("://") {
            Self::parse(location)?
        } else if let Some(rest) = location.strip_prefix("//") {
            Self::parse(&format!("{scheme}://{rest}"))?
        } else {
            let folder = self.path.split('?').next().and_then(|path| path.rsplit_once('/')).map_or("", |(folder, _)| folder);
            let path = if location.starts_with('/') { location.to_owned() } else { format!("{folder}/{location}") };
            Self::parse(&format!("{scheme}://{}{path}", self.authority))?
        };
        if next.login.is_none() && next.address == self.address && next.tls == self.tls {
            next.login.clone_from(&self.login);
        }
        Ok(next)
    }
}

fn percent_decoded(text: &str) -> Vec<u8> {
    let hex = |code: &[u8]| u8::from_str_radix(std::str::from_utf8(code).ok()?, 16).ok();
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let code = after.get(..2).and_then(hex).filter(|_| byte == b'%');
        decoded.push(code.unwrap_or(byte));
        rest = if code.is_some() { &after[2..] } else { after };
    }
    decoded
}

/// Text as it may stand in a query.
pub(super) fn percent_encoded(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
        encoded
    })
}

async fn body(mut from: Incoming) -> Result<Bytes, Fault> {
    let mut body = Vec::new();
    while let Some(frame) = from.frame().await {
        let frame = frame.map_err(|error| broken(&error))?;
        if let Some(data) = frame.data_ref() {
            body.extend_from_slice(data);
        }
        if body.len() > BODY {
            return Err(Fault::new("its answer is longer than 4 MiB"));
        }
    }
    Ok(body.into())
}

fn broken(error: &hyper::Error) -> Fault {
    Fault::new(if error.is_parse() { "that is not HTTP" } else { "the connection broke off" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_taken_apart() {
        for (url, expected) in [
            ("http://a/x?y=1", Ok((false, "a:80", "a", "/x?y=1", None))),
            ("https://a.example", Ok((true, "a.example:443", "a.example", "/", None))),
            ("http://[::1]:8080/", Ok((false, "[::1]:8080", "[::1]:8080", "/", None))),
            ("http://me:p%40ss@a:81/", Ok((false, "a:81", "a:81", "/", Some("bWU6cEBzcw==")))),
            ("ftp://a/", Err("ftp is not spoken, http and https are")),
            ("a/b", Err("it is no address of a web server")),
            ("/b", Err("it does not begin with http:// or https://")),
        ] {
            let target = Target::parse(url);
            let seen = target.as_ref().map(|t| (t.tls, &*t.address, &*t.authority, &*t.path, t.login.as_deref()));
            assert_eq!(seen.map_err(String::as_str), expected, "{url}");
        }
        assert_eq!(shown("https://me:secret@a.example/hook/x?token=1#f"), "https://a.example/hook/x");
        assert_eq!(percent_encoded("up{job=\"a b\"}"), "up%7Bjob%3D%22a%20b%22%7D");
    }

    #[test]
    fn a_redirect_leads_somewhere_and_takes_no_password_along() {
        let from = Target::parse("https://me:x@a.example/api/v1/health?q").unwrap();
        for (location, address, path, login) in [
            ("/login", "a.example:443", "/login", true),
            ("ready", "a.example:443", "/api/v1/ready", true),
            ("//b.example/x", "b.example:443", "/x", false),
            ("http://a.example/x", "a.example:80", "/x", false),
        ] {
            let to = from.join(location).unwrap();
            assert_eq!((&*to.address, &*to.path, to.login.is_some()), (address, path, login), "{location}");
        }
    }
}
