//! A check quarterdeck makes itself, as it is configured: what is asked, how often, and what must come back.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;
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
    /// An answer that takes longer is well, but late: degraded.
    pub latency: Option<Duration>,
    pub manner: Manner,
}

impl ProbeSpec {
    /// How long an answer may take when nothing is said.
    pub const TIMEOUT: Duration = Duration::from_secs(3);

    /// A probe of which nothing else is said: every ten seconds, with three seconds for the answer; the third failure in a
    /// row counts, and the first success.
    #[must_use]
    pub fn of(name: impl Into<Arc<str>>, kind: ProbeKind) -> Self {
        Self {
            name: name.into(),
            workload: None,
            kind,
            interval: Duration::from_secs(10),
            timeout: Self::TIMEOUT,
            failures: 3,
            successes: 1,
            expect: Expect::default(),
            latency: None,
            manner: Manner::default(),
        }
    }
}

/// How an `http` or `tls` probe asks.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Manner {
    /// HEAD instead of GET.
    pub head: bool,
    /// So many redirects are followed, one more is a failure; with 0 the redirect itself is the answer.
    pub redirects: u32,
    /// Sent to the server the probe names, and to no other.
    pub headers: BTreeMap<Arc<str>, Arc<str>>,
    /// The name that is asked for and that the certificate must be for, where it is not the address's own.
    pub host: Option<Arc<str>>,
    /// A file of certificates that are trusted beside those the machine trusts.
    pub ca: Option<Arc<str>>,
}

impl Manner {
    /// Redirects that are followed when nothing is said.
    pub const REDIRECTS: u32 = 5;
}

impl Default for Manner {
    fn default() -> Self {
        Self { head: false, redirects: Self::REDIRECTS, headers: BTreeMap::new(), host: None, ca: None }
    }
}

impl fmt::Debug for Manner {
    /// The values of headers are nobody's business.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headers: Vec<&Arc<str>> = self.headers.keys().collect();
        let Self { head, redirects, headers: _, host, ca } = self;
        let mut shown = f.debug_struct("Manner");
        shown.field("head", head).field("redirects", redirects).field("headers", &headers).field("host", host).field("ca", ca);
        shown.finish()
    }
}

/// What a probe does. In addresses `{instance}` stands for the address of each instance of its workload.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProbeKind {
    /// GET (or HEAD) of this URL.
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
