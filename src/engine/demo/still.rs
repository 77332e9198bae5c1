//! The demo world with nobody's clock: stepped by hand, for screenshots and tests that are the same every time.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;

use super::act;
use super::feed::Feed;
use super::incident::{self, Incident};
use super::outside;
use super::world::{QUANTUM, Terms, World};
use crate::engine::{EngineError, Topic, Update};
use crate::model::Inventory;
use crate::operate::action::{Accepted, Action};

/// A world and the topics followed in it. Time passes only in [`Self::advance`].
#[derive(Debug)]
pub struct Still {
    world: World,
    feeds: BTreeMap<Topic, Feed>,
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
        Ok(Self { world, feeds: BTreeMap::new() })
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
