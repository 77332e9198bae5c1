//! What is known from outside the engines: probes and scraped series, by what is watched.

use std::collections::BTreeMap;

use crate::observe::watch::{Outcome, ProbeWatch, ScrapeWatch, Scraped};

/// Everything that is watched, as last seen.
#[derive(Debug, Default)]
pub struct Watched {
    pub probes: BTreeMap<ProbeWatch, Outcome>,
    pub scrapes: BTreeMap<ScrapeWatch, Scraped>,
}
