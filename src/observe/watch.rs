//! What is followed outside the engines, as data: probes, what is scraped, the servers that know alerts; and what is seen
//! there. Whoever follows ([`crate::probe`]) has a rhythm of its own and never ends by itself.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::model::{EnvironmentId, InstanceId, ProbeSpec, ScrapeSpec};

use super::metric::exposition::Exposition;

/// Something to be followed. Watches are compared: the runtime starts the new ones and stops those no longer wanted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Watch {
    Probe(ProbeWatch),
    Scrape(ScrapeWatch),
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

/// What was seen there.
#[derive(Clone, Debug)]
pub enum Sighting {
    Probed(Outcome),
    Scraped(Scraped),
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
    pub read: Result<Arc<Exposition>, Arc<str>>,
}
