//! The faults the demo world can play: how each begins, how it is known to be mended, how it is ended by playing it again.

use std::fmt;
use std::sync::Arc;

use super::moment::Moment;
use super::place::{Service, Template};
use super::trouble::{self, BAD_TAG};
use super::unit::Told;
use super::world::World;
use crate::engine::EngineError;
use crate::model::{InstanceState, Revision};

/// A fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Incident {
    BadDeploy,
    BreakerOpen,
    DbDown,
    MemoryLeak,
}

/// Seconds for which an incident that has just begun is not taken for mended.
const SETTLING: f64 = 1.0;

impl Incident {
    /// Every incident, sorted by name.
    pub const ALL: [Self; 4] = [Self::BadDeploy, Self::BreakerOpen, Self::DbDown, Self::MemoryLeak];

    /// Its name, as in `--incident`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::BadDeploy => "bad-deploy",
            Self::BreakerOpen => "breaker-open",
            Self::DbDown => "db-down",
            Self::MemoryLeak => "memory-leak",
        }
    }

    /// What it does and what mends it, for people.
    #[must_use]
    pub fn about(self) -> &'static str {
        match self {
            Self::BadDeploy => "production: backend gets an image that crashes at start; a roll back mends it",
            Self::BreakerOpen => "local: db_g2 answers too late and app_ap opens its circuit breaker; restarting db_g2 mends it",
            Self::DbDown => "staging: postgres stops and app degrades; starting postgres mends it",
            Self::MemoryLeak => "staging: app leaks until it is killed for memory, again and again; a roll back mends it",
        }
    }

    /// The incident of this name.
    ///
    /// # Errors
    /// [`EngineError::Unsupported`] naming the known ones.
    pub fn parse(name: &str) -> Result<Self, EngineError> {
        Self::ALL.into_iter().find(|i| i.name() == name).ok_or_else(|| {
            let known = Self::ALL.map(Self::name).join(", ");
            EngineError::Unsupported {
                what: format!("incident {}", crate::observe::text::clean(name)).into(),
                why: format!("the demo knows {known}").into(),
            }
        })
    }

    fn stack(self) -> &'static str {
        match self {
            Self::BadDeploy => "production",
            Self::BreakerOpen => "local",
            Self::DbDown | Self::MemoryLeak => "staging",
        }
    }

    fn service(self) -> &'static str {
        match self {
            Self::BadDeploy => "backend",
            Self::BreakerOpen => "db_g2",
            Self::DbDown => "postgres",
            Self::MemoryLeak => "app",
        }
    }
}

impl fmt::Display for Incident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Begins an incident, or ends it where it is under way.
///
/// # Errors
/// [`EngineError::NotFound`] where what it is about is not in the world (any more).
pub fn play(world: &mut World, incident: Incident) -> Result<(), EngineError> {
    let moment = world.moment();
    let ends = world.playing.remove(&incident).is_some();
    let missing = || EngineError::NotFound { what: format!("{} of {}", incident.service(), incident.stack()).into() };
    let index = world.place_of(incident.stack()).ok_or_else(missing)?;
    let mut told = Vec::new();
    let place = &mut world.places[index];
    let name = place.environment.id.name.clone();
    let service = place.service_mut(incident.service()).ok_or_else(missing)?;
    let turn = if ends { "ended" } else { "began" };
    told.push(Told { subject: name, what: "drill", detail: format!("{incident} {turn}: {}", incident.about()) });
    if ends {
        end(incident, service, &moment, &mut told);
    } else {
        begin(incident, service, &moment, &mut told);
        world.playing.insert(incident, moment.now);
    }
    world.note(index, told);
    Ok(())
}

fn begin(incident: Incident, service: &mut Service, moment: &Moment, told: &mut Vec<Told>) {
    match incident {
        Incident::BadDeploy => {
            let image = service.recipe.image(BAD_TAG);
            set_image(service, image.into(), "ci@gitlab", "release 1.5.0", moment, told);
        }
        Incident::BreakerOpen => service.units.iter_mut().for_each(|u| u.slow = true),
        Incident::DbDown => {
            for unit in service.units.iter_mut().filter(|u| u.state == InstanceState::Running) {
                unit.held = true;
                let words = "could not write to file \"pg_wal/xlogtemp.27\": No space left on device";
                unit.say(moment.now, &trouble::plain(unit.recipe, moment.now, "PANIC", words));
                unit.die(moment, 1, "", told);
            }
        }
        Incident::MemoryLeak => service.units.iter_mut().for_each(|u| u.leaking = true),
    }
}

fn end(incident: Incident, service: &mut Service, moment: &Moment, told: &mut Vec<Told>) {
    match incident {
        Incident::BadDeploy => {
            let good = service.revisions.iter().find(|r| !r.image.ends_with(BAD_TAG)).map(|r| r.image.clone());
            if let Some(image) = good {
                set_image(service, image, "ci@gitlab", "roll back of release 1.5.0", moment, told);
            }
        }
        Incident::BreakerOpen => service.units.iter_mut().for_each(|u| u.slow = false),
        Incident::DbDown => {
            for unit in service.units.iter_mut().filter(|u| u.state == InstanceState::Exited && u.held) {
                unit.start(moment, told);
            }
        }
        Incident::MemoryLeak => service.units.iter_mut().for_each(|u| {
            u.leaking = false;
            u.usage.leaked = 0.0;
        }),
    }
}

/// Looks whether incidents have been mended, and keeps the others going.
pub fn watch(world: &mut World, moment: &Moment) {
    let playing: Vec<(Incident, jiff::Timestamp)> = world.playing.iter().map(|(i, at)| (*i, *at)).collect();
    for (incident, since) in playing {
        if moment.since(since) < SETTLING {
            continue;
        }
        let service = world.place_of(incident.stack()).and_then(|i| world.places[i].service_mut(incident.service()));
        if service.is_none_or(|service| is_mended(incident, service)) {
            world.playing.remove(&incident);
        }
    }
}

fn is_mended(incident: Incident, service: &mut Service) -> bool {
    match incident {
        Incident::BadDeploy => !service.template.image.ends_with(BAD_TAG),
        Incident::BreakerOpen => !service.units.iter().any(|u| u.slow && u.state == InstanceState::Running),
        Incident::DbDown => service.units.iter().any(|u| u.state == InstanceState::Running),
        Incident::MemoryLeak => !service.units.iter().any(|u| u.leaking && !u.set_aside),
    }
}

/// Another image for a declared workload, as its next revision.
fn set_image(service: &mut Service, image: Arc<str>, by: &str, cause: &str, moment: &Moment, told: &mut Vec<Told>) {
    let number = service.revisions.first().map_or(1, |r| r.number + 1);
    let detail = format!("{} → {image} by {by}: {cause}", service.template.image);
    told.push(Told { subject: service.recipe.name.into(), what: "deploy", detail });
    let digest = Some(super::dice::digest(&image).into());
    let revision =
        Revision { number, image: image.clone(), digest, at: Some(moment.now), by: Some(by.into()), cause: Some(cause.into()) };
    service.revisions.insert(0, revision);
    service.revisions.truncate(10);
    service.template = Template::new(image, number, None);
}
