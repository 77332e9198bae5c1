//! Taking in what was seen outside the engines.

use crate::app::{Effect, State};
use crate::observe::watch::{Sighting, Watch};

/// A probe has looked, or an endpoint was scraped.
pub fn sighted(state: &mut State, watch: &Watch, sighting: Sighting) -> Vec<Effect> {
    match (watch, sighting) {
        (Watch::Probe(watch), Sighting::Probed(outcome)) => drop(state.watched.probes.insert(watch.clone(), outcome)),
        (Watch::Scrape(watch), Sighting::Scraped(scraped)) => drop(state.watched.scrapes.insert(watch.clone(), scraped)),
        (Watch::Probe(_) | Watch::Scrape(_), Sighting::Probed(_) | Sighting::Scraped(_)) => {}
    }
    Vec::new()
}
