//! One endpoint scraped again and again by its own rhythm.

use std::sync::Arc;

use jiff::Timestamp;
use tokio::time::Instant;

use crate::engine::Engine;
use crate::observe::watch::{ScrapeWatch, Scraped};
use crate::operate::action::InstanceRef;

use super::{figure, place};

/// An endpoint, and when it is scraped next.
pub(super) struct Endpoint {
    engine: Option<Arc<dyn Engine>>,
    watch: ScrapeWatch,
    due: Instant,
}

impl Endpoint {
    /// One that is scraped for the first time at once.
    pub(super) fn new(engine: Option<Arc<dyn Engine>>, watch: ScrapeWatch) -> Self {
        Self { engine, watch, due: Instant::now() }
    }

    /// Waits until it is time, scrapes, and tells.
    pub(super) async fn next(&mut self) -> Scraped {
        tokio::time::sleep_until(self.due).await;
        let (at, begun) = (Timestamp::now(), Instant::now());
        self.due = begun + self.watch.scrape.interval;
        let read = self.scrape().await.map(Arc::new).map_err(Arc::from);
        Scraped { at, took: begun.elapsed(), read }
    }

    async fn scrape(&self) -> Result<crate::observe::metric::exposition::Exposition, String> {
        let instances: Vec<InstanceRef> = self.watch.instance.iter().map(|(id, _)| InstanceRef::Known(id.clone())).collect();
        let places = place::places(self.engine.as_deref(), &self.watch.scrape.url, &instances).await?;
        let place = places.first().ok_or("there is nothing to scrape")?;
        figure::scrape(place).await
    }
}
