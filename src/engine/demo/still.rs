//! The demo world with nobody's clock: stepped by hand, for screenshots and tests that are the same every time.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::feed::Feed;
use super::incident::{self, Incident};
use super::outside;
use super::world::{QUANTUM, Terms, World};
use super::{act, dial};
use crate::engine::{EngineError, Topic, Update};
use crate::model::Inventory;
use crate::observe::metric::scan::Scanner;
use crate::observe::watch::{Asked, Outcome, ProbeWatch, ScrapeWatch, Scraped, Sighting, Watch};
use crate::operate::Errand;
use crate::operate::action::{Accepted, Action, InstanceRef};

/// A world and the topics followed in it. Time passes only in [`Self::advance`].
#[derive(Debug)]
pub struct Still {
    world: World,
    feeds: BTreeMap<Topic, Feed>,
    /// When each watch looked last, and what reads its scrapes.
    looked: BTreeMap<Watch, (Timestamp, Scanner)>,
}

impl Still {
    /// The world of a seed at `start`, with an incident begun at that moment where one is named.
    ///
    /// # Errors
    /// When there is no incident of that name; the error names the known ones.
    pub fn new(seed: u64, incident: Option<&str>, start: Timestamp) -> Result<Self, EngineError> {
        Self::with(&Terms { seed, ..Terms::default() }, incident, start)
    }

    /// The same on other terms.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn with(terms: &Terms, incident: Option<&str>, start: Timestamp) -> Result<Self, EngineError> {
        let incident = incident.map(Incident::parse).transpose()?;
        let mut world = World::with(terms, start);
        if let Some(incident) = incident {
            incident::play(&mut world, incident)?;
        }
        Ok(Self { world, feeds: BTreeMap::new(), looked: BTreeMap::new() })
    }

    /// What time it is there.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.world.now
    }

    /// The world itself.
    #[must_use]
    pub fn world(&self) -> &World {
        &self.world
    }

    /// The inventory now.
    #[must_use]
    pub fn inventory(&self) -> Inventory {
        super::view::inventory(&self.world, None)
    }

    /// Follows exactly these topics from now on; those followed already go on where they are. Answers what the new
    /// ones have to say at once.
    pub fn follow(&mut self, topics: &BTreeSet<Topic>) -> Vec<(Timestamp, Update)> {
        self.feeds.retain(|topic, _| topics.contains(topic));
        for topic in topics {
            self.feeds.entry(topic.clone()).or_insert_with(|| Feed::new(topic.clone()));
        }
        self.poll()
    }

    /// Lets `by` pass in steps of a quarter of a second; answers everything the topics had to say, in order, with the
    /// moment they said it.
    pub fn advance(&mut self, by: Duration) -> Vec<(Timestamp, Update)> {
        let mut updates = Vec::new();
        let mut left = by;
        while !left.is_zero() {
            let step = left.min(QUANTUM);
            left -= step;
            self.world.step(step);
            updates.extend(self.poll());
        }
        updates
    }

    /// What these watches see now: each whose interval is over looks once.
    pub fn sight(&mut self, watches: &BTreeSet<Watch>) -> Vec<(Watch, Sighting)> {
        self.looked.retain(|watch, _| watches.contains(watch));
        let now = self.world.now;
        let mut seen = Vec::new();
        for watch in watches {
            let every = match watch {
                Watch::Probe(probe) => probe.probe.interval,
                Watch::Scrape(scrape) => scrape.scrape.interval,
                Watch::Prometheus(_) | Watch::Alertmanager(_) | Watch::Silences(_) => SERVERS,
            };
            let due = |at: Timestamp| now.duration_since(at).as_secs_f64() >= every.as_secs_f64();
            if self.looked.get(watch).is_some_and(|(at, _)| !due(*at)) {
                continue;
            }
            let (at, scanner) = self.looked.entry(watch.clone()).or_insert_with(|| (now, Scanner::default()));
            *at = now;
            seen.push((watch.clone(), look(&mut self.world, watch, scanner)));
        }
        seen
    }

    /// Does an action, which takes a quarter of a second, so that the answer is later than what was seen before. Its
    /// effects are seen by the topics at the next [`Self::advance`].
    ///
    /// # Errors
    /// As the engine's own `execute`.
    pub fn execute(&mut self, action: &Action) -> Result<Accepted, EngineError> {
        let answer = match action.errand() {
            None => act::apply(&mut self.world, action),
            Some(errand) => outside::answer(&mut self.world, errand).unwrap_or_else(|| {
                Err(EngineError::Unsupported { what: "this errand".into(), why: "it leads outside the demo world".into() })
            }),
        };
        self.world.step(QUANTUM);
        answer
    }

    fn poll(&mut self) -> Vec<(Timestamp, Update)> {
        let now = self.world.now;
        self.feeds.values_mut().flat_map(|feed| feed.poll(&self.world)).map(|update| (now, update)).collect()
    }
}

/// Between two questions to a server.
const SERVERS: Duration = Duration::from_secs(15);
/// Why there is no answer.
const ELSEWHERE: &str = "it leads outside the demo world";

fn look(world: &mut World, watch: &Watch, scanner: &mut Scanner) -> Sighting {
    match watch {
        Watch::Probe(watch) => Sighting::Probed(probe(world, watch)),
        Watch::Scrape(watch) => {
            let read = expose(world, watch).map(|text| scanner.scan(&text)).map_err(Into::into);
            Sighting::Scraped(Scraped { at: world.now, took: Duration::from_millis(4), read })
        }
        Watch::Prometheus(_) => Sighting::Alerts(Asked { at: world.now, read: Err(ELSEWHERE.into()) }),
        Watch::Alertmanager(_) => Sighting::Silences(Asked { at: world.now, read: Err(ELSEWHERE.into()) }),
        // A world that stands still has no file: nobody has silenced anything.
        Watch::Silences(_) => Sighting::Silences(Asked { at: world.now, read: Ok(Arc::default()) }),
    }
}

fn probe(world: &mut World, watch: &ProbeWatch) -> Outcome {
    let instances = watch.instance.iter().cloned().map(InstanceRef::Known).collect();
    let at = world.now;
    let outcome = |ok, ms: Option<f64>, words| Outcome {
        at,
        ok,
        slow: false,
        latency: ms.map(|ms| Duration::from_secs_f64(ms / 1000.0)),
        words,
        certificate_days: None,
    };
    match outside::answer(world, &Errand::Probe { probe: watch.probe.clone(), instances }) {
        Some(Ok(Accepted::Reading { value, words })) => outcome(true, value, words),
        Some(Err(EngineError::Unmet { why, .. })) => outcome(false, None, why),
        Some(Err(error)) => outcome(false, None, error.to_string().into()),
        Some(Ok(_)) | None => outcome(false, None, "it leads outside the demo world".into()),
    }
}

/// The text an endpoint of the world exposes.
fn expose(world: &World, watch: &ScrapeWatch) -> Result<String, String> {
    let (instance, _) = watch.instance.as_ref().ok_or("it leads outside the demo world")?;
    let rest = watch.scrape.url.split_once("{instance}:").map_or("", |(_, rest)| rest);
    let (port, path) = rest.split_once('/').unwrap_or((rest, ""));
    let port = port.parse().map_err(|_| "its address names no port".to_owned())?;
    dial::listens(world, instance, port).map_err(|error| error.to_string())?;
    match dial::answer(world, instance, &format!("/{path}")) {
        (200, _, text) => Ok(text),
        (status, ..) => Err(format!("it answers {status}")),
    }
}
