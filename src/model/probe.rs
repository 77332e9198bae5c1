//! A check quarterdeck makes itself, as it is configured: what is asked, how often, and what must come back.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// A check quarterdeck makes itself.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ProbeSpec {
    pub name: Arc<str>,
    /// The workload it speaks for; needed by `exec` and by addresses with `{instance}` in them.
    pub workload: Option<Arc<str>>,
    pub kind: ProbeKind,
    pub interval: Duration,
    /// How long an answer may take.
    pub timeout: Duration,
    /// So many bad answers in a row before it counts as failed.
    pub failures: u32,
    /// So many good answers in a row before it counts as well again.
    pub successes: u32,
    pub expect: Expect,
}

/// What a probe does. In addresses `{instance}` stands for the address of each instance of its workload.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProbeKind {
    /// GET of this URL.
    Http(Arc<str>),
    /// `host:port` takes connections.
    Tcp(Arc<str>),
    /// `host:port` speaks TLS with a certificate that is valid for this host.
    Tls(Arc<str>),
    /// A command in an instance of the workload ends with 0.
    Exec(Vec<Arc<str>>),
}

/// What a probe's answer must be.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Expect {
    /// Any 2xx or 3xx when not given.
    pub status: Option<u16>,
    /// Path in the answer's JSON (`components.db`) and the value there.
    pub json: BTreeMap<Arc<str>, Json>,
    /// The certificate is valid for so many days more.
    pub certificate_days: Option<u32>,
}

/// A JSON value that is compared.
#[derive(Clone, Debug)]
pub enum Json {
    Text(Arc<str>),
    Number(f64),
    Boolean(bool),
}

impl Ord for Json {
    /// A total order, so that probes can be told apart; it means nothing else.
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            (Self::Number(a), Self::Number(b)) => a.total_cmp(b),
            (Self::Boolean(a), Self::Boolean(b)) => a.cmp(b),
            (Self::Text(_), Self::Number(_) | Self::Boolean(_)) | (Self::Number(_), Self::Boolean(_)) => Ordering::Less,
            (Self::Number(_), Self::Text(_)) | (Self::Boolean(_), Self::Text(_) | Self::Number(_)) => Ordering::Greater,
        }
    }
}

impl PartialOrd for Json {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Json {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Json {}
