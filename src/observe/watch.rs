//! What is followed outside the engines, as data: probes, what is scraped, the servers that know alerts; and what is seen
//! there. Whoever follows ([`crate::probe`]) has a rhythm of its own and never ends by itself.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::model::{Alert, EnvironmentId, InstanceId, Labels, ProbeSpec, ScrapeSpec, ServerSpec, TargetId};

use super::metric::series::{Scan, Target};
use super::rule::silence::Silences;

/// Something to be followed. Watches are compared: the runtime starts the new ones and stops those no longer wanted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Watch {
    Probe(ProbeWatch),
    Scrape(ScrapeWatch),
    /// The alerts of a Prometheus server.
    Prometheus(ServerWatch),
    /// The silences of an Alertmanager.
    Alertmanager(ServerWatch),
    /// The silences made on this machine.
    Silences(SilencesWatch),
}

/// One probe at one place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ProbeWatch {
    pub environment: EnvironmentId,
    pub probe: Arc<ProbeSpec>,
    /// The instance it looks at, where it looks at each by itself.
    pub instance: Option<InstanceId>,
}

/// One endpoint that is scraped.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ScrapeWatch {
    pub environment: EnvironmentId,
    pub scrape: Arc<ScrapeSpec>,
    /// The instance it is one of, and its name.
    pub instance: Option<(InstanceId, Arc<str>)>,
}

impl ScrapeWatch {
    /// What its series belong to: `job` as configured, and as `instance` where it is: the name of the instance with the port,
    /// or host and port of the address.
    #[must_use]
    pub fn target(&self) -> Target {
        let url = &self.scrape.url;
        let rest = url.split_once("://").map_or(&**url, |(_, rest)| rest);
        let authority = rest.split(['/', '?']).next().unwrap_or(rest);
        let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        let place = match &self.instance {
            Some((_, name)) => authority.replace("{instance}", name),
            None => authority.to_owned(),
        };
        let id = match &self.instance {
            Some((id, _)) => format!("{} {id} {url}", self.scrape.job),
            None => format!("{} {url}", self.scrape.job),
        };
        Target { id: TargetId::new(id), labels: Labels::new([("job", self.scrape.job.clone()), ("instance", place.into())]) }
    }
}

/// One server that is asked.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ServerWatch {
    pub environment: EnvironmentId,
    pub server: Arc<ServerSpec>,
}

/// The file of silences, and whose are wanted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SilencesWatch {
    pub environment: EnvironmentId,
    pub path: Arc<str>,
}

/// What was seen there.
#[derive(Clone, Debug)]
pub enum Sighting {
    Probed(Outcome),
    Scraped(Scraped),
    Alerts(Asked<Told>),
    Silences(Asked<Silences>),
}

/// What one question has brought, or why nothing came.
#[derive(Clone, Debug)]
pub struct Asked<T> {
    pub at: Timestamp,
    pub read: Result<Arc<T>, Arc<str>>,
}

/// The alerts of a server, and what is wrong with its rules.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Told {
    /// One for each active set of labels, and an inactive one for a rule without any.
    pub alerts: Vec<Arc<Alert>>,
    /// Alerts that were left out.
    pub dropped: usize,
    /// Rules the server itself cannot evaluate, and why.
    pub troubles: Vec<(Arc<str>, Arc<str>)>,
}

/// What one look of a probe has found. Text is sanitised and masked.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    pub at: Timestamp,
    pub ok: bool,
    /// It answers well, but later than it is wanted to.
    pub slow: bool,
    pub latency: Option<Duration>,
    /// What it said, or what is wrong.
    pub words: Arc<str>,
    /// Whole days the certificate it was shown is still good for.
    pub certificate_days: Option<u64>,
}

/// What one scrape has brought.
#[derive(Clone, Debug)]
pub struct Scraped {
    pub at: Timestamp,
    pub took: Duration,
    /// Or why nothing came.
    pub read: Result<Scan, Arc<str>>,
}
