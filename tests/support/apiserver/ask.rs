//! One request as it is understood, and what can be answered.

use std::pin::Pin;

use bytes::Bytes;
use futures_util::Stream;
use hyper::HeaderMap;
use hyper::upgrade::OnUpgrade;
use serde_json::Value;

use super::kind::{Kind, at};
use super::status::{Failure, Outcome, no_such_path, no_such_resource, not_acceptable};

/// A request, read to its end.
pub struct Ask {
    pub method: String,
    pub path: String,
    pub query: Vec<(String, String)>,
    pub headers: HeaderMap,
    pub body: Bytes,
    pub user: String,
    /// Where it asks to go on as something else than HTTP.
    pub upgrade: Option<OnUpgrade>,
}

/// What it is about.
#[derive(Clone, Debug)]
pub struct Aim {
    pub kind: &'static Kind,
    /// Nothing: all namespaces, or a kind without.
    pub namespace: Option<String>,
    pub name: Option<String>,
    /// `scale`, `log`.
    pub sub: Option<String>,
    /// What follows the subresource: the path behind a node's proxy.
    pub rest: String,
}

/// In which form objects are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Whole,
    /// Nothing but metadata.
    Metadata,
}

pub type Stretch = Pin<Box<dyn Stream<Item = Result<Bytes, std::io::Error>> + Send>>;

pub enum Content {
    Whole(Bytes),
    Stream(Stretch),
    /// The connection is handed over: the key a WebSocket is accepted with, and the subprotocol.
    Switched(String, String),
}

pub struct Reply {
    pub code: u16,
    pub media: &'static str,
    pub content: Content,
    pub retry_after: Option<u64>,
}

pub const JSON: &str = "application/json";
pub const TEXT: &str = "text/plain; charset=utf-8";

impl Reply {
    pub fn json(code: u16, body: impl Into<Bytes>) -> Self {
        Self { code, media: JSON, content: Content::Whole(body.into()), retry_after: None }
    }

    pub fn value(code: u16, value: &Value) -> Self {
        Self::json(code, value.to_string())
    }

    pub fn text(text: impl Into<Bytes>) -> Self {
        Self { media: TEXT, ..Self::json(200, text) }
    }

    pub fn stream(media: &'static str, stream: Stretch) -> Self {
        Self { code: 200, media, content: Content::Stream(stream), retry_after: None }
    }
}

impl From<Failure> for Reply {
    fn from(failure: Failure) -> Self {
        let (media, body) = match &failure.body {
            Value::String(text) => (TEXT, text.clone()),
            body => (JSON, body.to_string()),
        };
        Self { code: failure.code, media, content: Content::Whole(body.into()), retry_after: failure.retry_after }
    }
}

impl Ask {
    /// The value of a query parameter; empty where there is none.
    pub fn param(&self, name: &str) -> &str {
        self.query.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    pub fn params(&self, name: &str) -> Vec<&str> {
        self.query.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str()).collect()
    }

    pub fn is(&self, name: &str) -> bool {
        matches!(self.param(name), "true" | "1")
    }

    pub fn number(&self, name: &str) -> Option<u64> {
        self.param(name).parse().ok()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default()
    }

    /// The first form of an answer that is wanted and can be given.
    pub fn form(&self) -> Outcome<Form> {
        let accept = self.header("accept");
        for media in accept.split(',').map(str::trim) {
            let mut parts = media.split(';').map(str::trim);
            let json = matches!(parts.next(), Some("" | JSON | "application/*" | "*/*"));
            match parts.find_map(|p| p.strip_prefix("as=")) {
                None if json => return Ok(Form::Whole),
                Some("PartialObjectMetadata" | "PartialObjectMetadataList") if json => return Ok(Form::Metadata),
                None | Some(_) => {}
            }
        }
        Err(not_acceptable())
    }

    /// What RBAC calls the thing that is asked to be done.
    pub fn verb(&self, aim: &Aim) -> &'static str {
        if matches!(aim.sub.as_deref(), Some("exec" | "portforward")) {
            // Who opens one by a WebSocket must be allowed to create it all the same.
            return "create";
        }
        match (self.method.as_str(), &aim.name) {
            ("GET", None) if self.is("watch") => "watch",
            ("GET", None) => "list",
            ("GET", Some(_)) => "get",
            ("POST", _) => "create",
            ("PUT", _) => "update",
            ("PATCH", _) => "patch",
            ("DELETE", None) => "deletecollection",
            ("DELETE", Some(_)) => "delete",
            _ => "",
        }
    }

    /// Who says it writes: the query's word, else the first of the user agent.
    pub fn manager(&self) -> String {
        match self.param("fieldManager") {
            "" => self.header("user-agent").split(['/', ' ']).next().filter(|s| !s.is_empty()).unwrap_or("unknown").to_owned(),
            manager => manager.to_owned(),
        }
    }
}

impl Aim {
    /// Reads the path behind `/api/v1` or `/apis/GROUP/VERSION`.
    ///
    /// # Errors
    /// A path that leads nowhere.
    pub fn parse(path: &str) -> Outcome<Self> {
        let mut parts = path.trim_start_matches('/').split('/');
        let (group, version) = match parts.next() {
            Some("api") => ("", parts.next().unwrap_or_default()),
            Some("apis") => (parts.next().unwrap_or_default(), parts.next().unwrap_or_default()),
            _ => return Err(no_such_path()),
        };
        let mut rest: Vec<String> = parts.map(str::to_owned).collect();
        let mut namespace = None;
        // `/namespaces/x/pods` is about pods, `/namespaces/x` and `/namespaces/x/status` about the namespace.
        if rest.len() > 2 && rest[0] == "namespaces" && !matches!(rest[2].as_str(), "status" | "finalize") {
            namespace = Some(rest[1].clone());
            rest.drain(..2);
        }
        let mut rest = rest.into_iter();
        let plural = rest.next().unwrap_or_default();
        if !super::kind::KINDS.iter().any(|k| (k.group, k.version) == (group, version)) {
            return Err(no_such_path());
        }
        let kind = at(group, version, &plural).ok_or_else(no_such_resource)?;
        let (name, sub) = (rest.next(), rest.next());
        if sub.as_ref().is_some_and(|s| !kind.subresources.contains(&s.as_str())) {
            return Err(no_such_resource());
        }
        Ok(Self { kind, namespace, name, sub, rest: rest.collect::<Vec<_>>().join("/") })
    }

    /// `pods` or `pods/exec`.
    pub fn resource(&self) -> String {
        self.sub.as_ref().map_or(self.kind.plural.to_owned(), |sub| format!("{}/{sub}", self.kind.plural))
    }

    /// Where the object is kept.
    pub fn key(&self) -> (String, String) {
        (self.namespace.clone().unwrap_or_default(), self.name.clone().unwrap_or_default())
    }
}
