//! Following what is watched: each by its own rhythm, for as long as somebody listens.

use std::sync::Arc;

use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream};

use crate::engine::Engine;
use crate::observe::watch::{Sighting, Watch};

use super::{endpoint, servers, vigil};

/// Follows a watch until the stream is dropped. `engine` is asked for the way to an instance.
#[must_use]
pub fn follow(engine: Option<Arc<dyn Engine>>, watch: Watch) -> BoxStream<'static, Sighting> {
    match watch {
        Watch::Probe(watch) => stream::unfold(vigil::Vigil::new(engine, watch), |mut vigil| async move {
            let outcome = vigil.next().await;
            Some((Sighting::Probed(outcome), vigil))
        })
        .boxed(),
        Watch::Scrape(watch) => stream::unfold(endpoint::Endpoint::new(engine, watch), |mut endpoint| async move {
            let scraped = endpoint.next().await;
            Some((Sighting::Scraped(scraped), endpoint))
        })
        .boxed(),
        Watch::Prometheus(watch) => servers::prometheus(watch).map(Sighting::Alerts).boxed(),
        Watch::Alertmanager(watch) => servers::alertmanager(watch).map(Sighting::Silences).boxed(),
        Watch::Silences(watch) => servers::file(watch).map(Sighting::Silences).boxed(),
    }
}
