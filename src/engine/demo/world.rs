//! The demo world: a few stacks that live by themselves, from a seed, moment by moment, with no clock of their own.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::incident::{self, Incident};
use super::moment::{Moment, load, shift};
use super::place::Place;
use super::recipe::Stack;
use super::stacks::STACKS;
use super::unit::Told;
use crate::config::EnvironmentSpec;
use crate::model::{ConnectionId, Environment, EnvironmentId, InstanceId, Item, Source};

use super::unit::Unit;

/// The world moves on in steps of this much clock time: in pieces or at once, it arrives at the same.
pub const QUANTUM: Duration = Duration::from_millis(250);
/// Events kept for those who come later.
const ITEMS: usize = 1_000;

/// How a world is made.
#[derive(Clone, Debug)]
pub struct Terms {
    pub connection: ConnectionId,
    pub seed: u64,
    /// 100: a second of the world's life for one of the clock.
    pub speed_percent: u32,
    /// Environments somebody configured: another name, tier or guard.
    pub environments: Vec<EnvironmentSpec>,
    /// Whether the environments nobody configured exist too.
    pub discover: bool,
}

impl Default for Terms {
    fn default() -> Self {
        Self { connection: "demo".into(), seed: 7, speed_percent: 100, environments: Vec::new(), discover: true }
    }
}

/// Everything there is.
#[derive(Clone, Debug)]
pub struct World {
    pub seed: u64,
    pub now: Timestamp,
    began: Timestamp,
    pace: f64,
    /// Time that was given and is too short for a step.
    rest: Duration,
    /// Sorted by the name of their environment.
    pub places: Vec<Place>,
    items: VecDeque<(u64, Item)>,
    told: u64,
    /// The incidents under way and since when.
    pub playing: BTreeMap<Incident, Timestamp>,
}

impl World {
    /// The world of a seed as it is at `now`, everything well.
    #[must_use]
    pub fn new(seed: u64, now: Timestamp) -> Self {
        Self::with(&Terms { seed, ..Terms::default() }, now)
    }

    /// A world on these terms as it is at `now`, everything well.
    #[must_use]
    pub fn with(terms: &Terms, now: Timestamp) -> Self {
        let mut world = Self {
            seed: terms.seed,
            now,
            began: now,
            pace: f64::from(terms.speed_percent.clamp(10, 10_000)) / 100.0,
            rest: Duration::ZERO,
            places: Vec::new(),
            items: VecDeque::new(),
            told: 0,
            playing: BTreeMap::new(),
        };
        let moment = world.moment();
        for stack in STACKS {
            if let Some(environment) = environment(stack, terms) {
                world.places.push(Place::new(stack, Arc::new(environment), terms.seed, &moment));
            }
        }
        world.places.sort_by(|a, b| a.environment.id.name.cmp(&b.environment.id.name));
        world.remember();
        world
    }

    /// The moment the world is at.
    #[must_use]
    pub fn moment(&self) -> Moment {
        let lived = self.now.duration_since(self.began).as_secs_f64() * self.pace;
        let passed = QUANTUM.as_secs_f64() * self.pace;
        Moment { now: self.now, pace: self.pace, load: load(shift(self.began, lived)), passed }
    }

    /// Time it has been given: it is at [`Self::now`] and a part of a step beyond.
    #[must_use]
    pub fn given(&self) -> Timestamp {
        SignedDuration::try_from(self.rest).ok().and_then(|rest| self.now.checked_add(rest).ok()).unwrap_or(self.now)
    }

    /// Lets `by` of clock time pass.
    pub fn step(&mut self, by: Duration) {
        self.rest += by;
        while self.rest >= QUANTUM {
            self.rest -= QUANTUM;
            self.now = self.now.checked_add(SignedDuration::from_millis(250)).unwrap_or(self.now);
            let moment = self.moment();
            incident::watch(self, &moment);
            for index in 0..self.places.len() {
                let mut told = Vec::new();
                self.places[index].live(&moment, &mut told);
                self.note(index, told);
            }
        }
    }

    /// Lets `by` of clock time pass in which nothing lives: the machine slept, and the world with it.
    pub fn doze(&mut self, by: Duration) {
        self.now = SignedDuration::try_from(by).ok().and_then(|by| self.now.checked_add(by).ok()).unwrap_or(self.now);
    }

    /// Puts what happened in a place on record.
    pub fn note(&mut self, place: usize, told: Vec<Told>) {
        let Some(environment) = self.places.get(place).map(|p| p.environment.id.clone()) else { return };
        for Told { subject, what, detail } in told {
            let (environment, detail) = (environment.clone(), detail.into());
            self.record(Item { at: self.now, environment, subject, source: Source::Engine, what: what.into(), detail });
        }
    }

    fn record(&mut self, item: Item) {
        if self.items.len() >= ITEMS {
            self.items.pop_front();
        }
        self.items.push_back((self.told, item));
        self.told += 1;
    }

    /// What happened since the item with this number, and the number to ask with next.
    #[must_use]
    pub fn items_since(&self, seen: u64) -> (Vec<Item>, u64) {
        (self.items.iter().filter(|(n, _)| *n >= seen).map(|(_, item)| item.clone()).collect(), self.told)
    }

    /// Puts what happened before the world began on record: the last deploys, in order.
    fn remember(&mut self) {
        let mut items = Vec::new();
        for place in &self.places {
            for service in &place.services {
                for unit in &service.units {
                    let (environment, subject) = (place.environment.id.clone(), unit.name.clone());
                    let at = unit.started_at.unwrap_or(self.now);
                    let detail = unit.image.clone();
                    items.push(Item { at, environment, subject, source: Source::Engine, what: "start".into(), detail });
                }
            }
        }
        items.sort_by_key(|i| i.at);
        for item in items {
            self.record(item);
        }
    }

    /// The place of an environment and its index.
    #[must_use]
    pub fn place(&self, id: &EnvironmentId) -> Option<usize> {
        self.places.iter().position(|p| &p.environment.id == id)
    }

    /// The place that holds a stack, whatever its environment is called, and its index.
    #[must_use]
    pub fn place_of(&self, stack: &str) -> Option<usize> {
        self.places.iter().position(|p| p.stack.name == stack)
    }

    /// The replica of this identity.
    #[must_use]
    pub fn unit(&self, id: &InstanceId) -> Option<&Unit> {
        self.places.iter().find_map(|p| p.find(id))
    }
}

/// The environment a stack is shown as, where it is shown at all.
fn environment(stack: &'static Stack, terms: &Terms) -> Option<Environment> {
    let configured = terms.environments.iter().find(|e| &*e.project == stack.project || &*e.project == stack.name);
    if configured.is_none() && !terms.discover {
        return None;
    }
    let name: Arc<str> = configured.map_or_else(|| stack.name.into(), |e| e.name.clone());
    let scope = match stack.mechanics {
        crate::model::Mechanics::Instances => "project",
        crate::model::Mechanics::Declared => "namespace",
    };
    Some(Environment {
        id: EnvironmentId::new(terms.connection.clone(), name),
        tier: configured.map_or(stack.tier, |e| e.tier),
        engine: stack.engine,
        mechanics: stack.mechanics,
        endpoint: format!("demo://seed-{}/{} · {scope} {}", terms.seed, stack.name, stack.project).into(),
        guard: configured.map_or_else(|| stack.tier.default_guard(), |e| e.guard),
    })
}
