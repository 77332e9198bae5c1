//! One environment of the demo world: its services, their replicas, the lock, the images at hand.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;

use super::declared;
use super::dice;
use super::hands::Hands;
use super::moment::{Moment, shift};
use super::recipe::{Recipe, Stack};
use super::unit::{Situation, Told, Unit};
use crate::engine::docker::labels;
use crate::model::{Environment, InstanceId, InstanceState, LockHolder, Mechanics, OperationId, Revision};

/// What the replicas of a declared workload are made from.
#[derive(Clone, Debug)]
pub struct Template {
    pub image: Arc<str>,
    pub revision: u64,
    /// The operation that asked for fresh replicas of the same definition.
    pub restarted: Option<OperationId>,
    /// Short, in the names of the pods.
    pub hash: Arc<str>,
}

impl Template {
    /// The template of an image.
    #[must_use]
    pub fn new(image: Arc<str>, revision: u64, restarted: Option<OperationId>) -> Self {
        let what = format!("{image} {}", restarted.as_ref().map_or("", OperationId::as_str));
        Self { hash: dice::hex(0, &what, 9).into(), image, revision, restarted }
    }
}

/// A workload and its replicas.
#[derive(Clone, Debug)]
pub struct Service {
    pub recipe: &'static Recipe,
    pub units: Vec<Unit>,
    pub born: Timestamp,
    /// Declared mechanics only: how many are wanted.
    pub desired: u32,
    /// Declared mechanics only: newest first, at most ten.
    pub revisions: Vec<Revision>,
    /// Declared mechanics only.
    pub template: Template,
}

/// An environment and everything in it.
#[derive(Clone, Debug)]
pub struct Place {
    pub stack: &'static Stack,
    pub environment: Arc<Environment>,
    /// Sorted by name.
    pub services: Vec<Service>,
    pub lock: Option<Arc<LockHolder>>,
    /// Images that need not be pulled.
    pub images: BTreeSet<Arc<str>>,
    /// What was done by hand in it.
    pub hands: Hands,
    pub(super) maker: Maker,
}

/// Makes the replicas of a place, each with an identity of its own.
#[derive(Clone, Debug)]
pub struct Maker {
    stack: &'static Stack,
    pub(super) seed: u64,
    /// Counts replicas ever made.
    made: u64,
}

impl Place {
    /// A stack as it is when the world begins: everything up, for as long as its last version.
    #[must_use]
    pub fn new(stack: &'static Stack, environment: Arc<Environment>, seed: u64, moment: &Moment) -> Self {
        let maker = Maker { stack, seed: seed ^ dice::hash(stack.name), made: 0 };
        let mut place = Self {
            stack,
            environment,
            services: Vec::new(),
            lock: None,
            images: BTreeSet::new(),
            hands: Hands::default(),
            maker,
        };
        for recipe in stack.recipes {
            let service = place.furnish(recipe, moment);
            place.services.push(service);
        }
        place.services.sort_by_key(|s| s.recipe.name);
        place
    }

    fn furnish(&mut self, recipe: &'static Recipe, moment: &Moment) -> Service {
        let revisions = past(recipe, moment);
        self.images.extend(revisions.iter().map(|r| r.image.clone()));
        let current = revisions.first().map_or((1, recipe.image("latest").into()), |r| (r.number, r.image.clone()));
        let template = Template::new(current.1, current.0, None);
        let begun = revisions.first().and_then(|r| r.at).unwrap_or(moment.now);
        let born = revisions.last().and_then(|r| r.at).unwrap_or(moment.now);
        let mut service =
            Service { recipe, units: Vec::new(), born, desired: recipe.replicas, revisions: revisions.clone(), template };
        for number in 1..=recipe.replicas {
            let mut unit = self.maker.unit(&service, number, moment.now);
            unit.revision = service.template.revision;
            if self.stack.mechanics == Mechanics::Instances {
                unit.revisions.clone_from(&revisions);
            }
            unit.settle(shift(begun, f64::from(number) * 17.0), moment);
            service.units.push(unit);
        }
        service
    }

    /// The service of this name.
    #[must_use]
    pub fn service(&self, name: &str) -> Option<&Service> {
        self.services.iter().find(|s| s.recipe.name == name)
    }

    /// The service of this name, to change.
    pub fn service_mut(&mut self, name: &str) -> Option<&mut Service> {
        self.services.iter_mut().find(|s| s.recipe.name == name)
    }

    /// The replica of this identity.
    #[must_use]
    pub fn find(&self, id: &InstanceId) -> Option<&Unit> {
        self.services.iter().flat_map(|s| &s.units).find(|u| &u.id == id)
    }

    /// The replica of this identity, to change.
    pub fn find_mut(&mut self, id: &InstanceId) -> Option<&mut Unit> {
        self.services.iter_mut().flat_map(|s| &mut s.units).find(|u| &u.id == id)
    }

    /// Lets a moment pass everywhere in it.
    pub fn live(&mut self, moment: &Moment, told: &mut Vec<Told>) {
        if self.stack.mechanics == Mechanics::Declared {
            declared::reconcile(self, moment, told);
        }
        let down: Vec<&'static str> =
            self.services.iter().filter(|s| !s.units.iter().any(Unit::answers)).map(|s| s.recipe.name).collect();
        let gone: Vec<&'static str> =
            self.stack.recipes.iter().map(|r| r.name).filter(|name| self.service(name).is_none()).collect();
        let slow = self.services.iter().any(|s| s.units.iter().any(|u| u.slow && u.state == InstanceState::Running));
        for service in &mut self.services {
            let missing = service.recipe.needs.iter().copied().find(|n| down.contains(n) || gone.contains(n));
            let situation = Situation { missing, breaker: slow && service.recipe.name == "app_ap" };
            for unit in &mut service.units {
                unit.live(moment, situation, told);
            }
        }
    }
}

impl Maker {
    /// A new replica of a service, created and not started, from the service's template.
    #[must_use]
    pub fn unit(&mut self, service: &Service, number: u32, now: Timestamp) -> Unit {
        self.made += 1;
        let recipe = service.recipe;
        let mut unit = Unit::new(recipe, self.seed, self.made, number, now);
        unit.load(&service.template.image);
        match self.stack.mechanics {
            Mechanics::Instances => {
                unit.call(container_name(self.stack, recipe, number));
                unit.labels = Arc::new(container_labels(self.stack, recipe, number));
            }
            Mechanics::Declared => {
                unit.pod = true;
                unit.template = service.template.hash.clone();
                unit.made_by.clone_from(&service.template.restarted);
                let name = if declared::is_stateful(recipe) {
                    format!("{}-{}", recipe.name, number - 1)
                } else {
                    format!(
                        "{}-{}-{}",
                        recipe.name,
                        service.template.hash,
                        dice::hex(self.seed, &format!("pod {}", self.made), 5)
                    )
                };
                unit.id = InstanceId::new(format!("{}/{name}", self.stack.project));
                unit.call(name);
                unit.node = Some(format!("node-{}", 1 + self.made % 3).into());
                unit.ip = format!("10.42.{}.{}", self.made % 3, 10 + self.made % 240).into();
                let pairs = [("app.kubernetes.io/name", recipe.name), ("pod-template-hash", &*service.template.hash)];
                unit.labels = Arc::new(pairs.into_iter().map(|(k, v)| (k.into(), v.into())).collect());
            }
        }
        unit
    }
}

/// The name Compose gives a container.
#[must_use]
pub fn container_name(stack: &Stack, recipe: &Recipe, number: u32) -> String {
    format!("{}-{}-{number}", stack.project, recipe.name)
}

/// The revisions of a service up to now, newest first.
fn past(recipe: &Recipe, moment: &Moment) -> Vec<Revision> {
    let numbered = (1..).zip(recipe.versions);
    let mut revisions: Vec<Revision> = numbered
        .map(|(number, version)| {
            let image: Arc<str> = recipe.image(version.tag).into();
            Revision {
                number,
                digest: Some(dice::digest(&image).into()),
                image,
                at: Some(shift(moment.now, -f64::from(version.hours_ago) * 3600.0 - 754.0)),
                by: Some(version.by.into()),
                cause: Some(version.cause.into()),
            }
        })
        .collect();
    revisions.reverse();
    revisions
}

/// The labels Compose puts on a container.
#[must_use]
pub fn container_labels(stack: &Stack, recipe: &Recipe, number: u32) -> BTreeMap<Arc<str>, Arc<str>> {
    let number = number.to_string();
    let pairs =
        [(labels::PROJECT, stack.project), (labels::SERVICE, recipe.name), (labels::NUMBER, &number), (labels::ONE_OFF, "False")];
    pairs.into_iter().map(|(k, v)| (k.into(), v.into())).collect()
}
