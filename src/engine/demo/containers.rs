//! Changing containers of the demo world: made, renamed, started, stopped and removed one by one.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::act::{not_found, short};
use super::moment::Moment;
use super::place::{Place, container_labels, container_name};
use super::unit::{Told, Unit};
use super::world::World;
use crate::engine::EngineError;
use crate::engine::docker::labels;
use crate::model::{InstanceId, InstanceState, OperationId};
use crate::operate::action::{Accepted, Replica};

/// Replicas a workload may have here.
pub const MOST: usize = 40;

/// Creates a replica, or answers the one this operation has made for this slot.
pub fn create(world: &mut World, index: usize, operation: &OperationId, replica: &Replica) -> Result<Accepted, EngineError> {
    let moment = world.moment();
    let place = &mut world.places[index];
    let made = |u: &&Unit| !u.one_off && u.made_by.as_ref() == Some(operation) && u.slot == Some(replica.slot);
    if let Some(unit) = place.services.iter().flat_map(|s| &s.units).find(made) {
        return Ok(Accepted::Made(unit.id.clone()));
    }
    let like = place.find(&replica.like).ok_or_else(|| not_found(format!("instance {}", short(&replica.like))))?.clone();
    let number = replica.number.unwrap_or(like.number);
    let name: Arc<str> = match replica.number {
        Some(number) => container_name(place.stack, like.recipe, number).into(),
        None => like.proper_name.clone(),
    };
    if place.services.iter().flat_map(|s| &s.units).any(|u| u.name == name) {
        return Err(in_the_way(&name, "another container has that name"));
    }
    let image = replica.image.clone().unwrap_or_else(|| like.image.clone());
    if !place.images.contains(&image) {
        return Err(not_found(format!("image {image}")));
    }
    let stack = place.stack;
    let Place { services, maker, .. } = place;
    let service = services
        .iter_mut()
        .find(|s| s.recipe.name == replica.workload.as_str())
        .ok_or_else(|| not_found(format!("workload {}", replica.workload)))?;
    if service.units.len() >= MOST {
        return Err(rejected(&name, 500, "no space left on device"));
    }
    let mut unit = maker.unit(service, number, moment.now);
    unit.call(name.clone());
    unit.load(&image);
    unit.made_by = Some(operation.clone());
    unit.slot = Some(replica.slot);
    unit.revisions = replica.revisions.clone().unwrap_or(like.revisions);
    unit.revision = unit.revisions.first().map_or(like.revision, |r| r.number);
    unit.leaking = like.leaking && image == like.image;
    unit.labels = made_labels(container_labels(stack, service.recipe, number), operation, replica.slot, unit.revision);
    let id = unit.id.clone();
    service.units.push(unit);
    world.note(index, vec![Told { subject: name, what: "create", detail: image.to_string() }]);
    Ok(Accepted::Made(id))
}

type Labels = BTreeMap<Arc<str>, Arc<str>>;

fn made_labels(mut on: Labels, operation: &OperationId, slot: u32, revision: u64) -> Arc<Labels> {
    on.insert(labels::OPERATION.into(), operation.0.clone());
    on.insert(labels::SLOT.into(), slot.to_string().into());
    on.insert(labels::REVISION.into(), revision.to_string().into());
    Arc::new(on)
}

/// What can be done to one instance that exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed<'a> {
    SetAside,
    BringBack,
    Start,
    Stop,
    Restart,
    Pause,
    Unpause,
    Kill(&'a str),
    Remove { force: bool },
}

/// Does something to one container that exists.
pub fn act(world: &mut World, index: usize, id: &InstanceId, deed: Deed) -> Result<Accepted, EngineError> {
    let moment = world.moment();
    let mut told = Vec::new();
    let place = &mut world.places[index];
    let accepted = match deed {
        Deed::SetAside => set_aside(place, id),
        Deed::BringBack => bring_back(place, id),
        Deed::Start => start(place, id, &moment, &mut told),
        Deed::Stop => Ok(stop(unit(place, id)?, &moment, &mut told)),
        Deed::Restart => Ok(restart(unit(place, id)?, &moment, &mut told)),
        Deed::Pause => pause(unit(place, id)?, &mut told),
        Deed::Unpause => Ok(unpause(unit(place, id)?, &mut told)),
        Deed::Kill(signal) => Ok(kill(unit(place, id)?, signal, &moment, &mut told)),
        Deed::Remove { force } => remove(place, id, force, &moment, &mut told),
    }?;
    world.note(index, told);
    Ok(accepted)
}

fn unit<'a>(place: &'a mut Place, id: &InstanceId) -> Result<&'a mut Unit, EngineError> {
    place.find_mut(id).ok_or_else(|| not_found(format!("instance {}", short(id))))
}

fn set_aside(place: &mut Place, id: &InstanceId) -> Result<Accepted, EngineError> {
    let unit = unit(place, id)?;
    if unit.set_aside {
        return Ok(Accepted::AlreadySo);
    }
    unit.set_aside = true;
    unit.name = format!("{}_{}", short(id), unit.proper_name).into();
    Ok(Accepted::Done)
}

fn bring_back(place: &mut Place, id: &InstanceId) -> Result<Accepted, EngineError> {
    let proper = unit(place, id)?.proper_name.clone();
    if !unit(place, id)?.set_aside {
        return Ok(Accepted::AlreadySo);
    }
    if place.services.iter().flat_map(|s| &s.units).any(|u| u.name == proper) {
        return Err(in_the_way(&proper, "another container has that name"));
    }
    let unit = unit(place, id)?;
    unit.set_aside = false;
    unit.name = proper;
    Ok(Accepted::Done)
}

fn start(place: &mut Place, id: &InstanceId, moment: &Moment, told: &mut Vec<Told>) -> Result<Accepted, EngineError> {
    let starting = unit(place, id)?;
    match starting.state {
        InstanceState::Running | InstanceState::Restarting => return Ok(Accepted::AlreadySo),
        // As on Docker, a paused one runs on.
        InstanceState::Paused => return Ok(unpause(starting, told)),
        InstanceState::Created
        | InstanceState::Removing
        | InstanceState::Exited
        | InstanceState::Dead
        | InstanceState::Unknown => {}
    }
    let (name, ports) = (starting.name.clone(), starting.recipe.ports);
    let running = place.services.iter().flat_map(|s| &s.units).filter(|u| holds_ports(u) && &u.id != id);
    let taken: Vec<u16> = running.flat_map(|u| u.recipe.ports).filter_map(|(host, _)| *host).collect();
    if let Some(port) = ports.iter().filter_map(|(host, _)| *host).find(|p| taken.contains(p)) {
        let why =
            format!("driver failed programming external connectivity: Bind for 0.0.0.0:{port} failed: port is already allocated");
        return Err(rejected(&name, 500, &why));
    }
    let unit = unit(place, id)?;
    unit.crashes = 0;
    unit.start(moment, told);
    Ok(Accepted::Done)
}

fn holds_ports(unit: &Unit) -> bool {
    matches!(unit.state, InstanceState::Running | InstanceState::Paused | InstanceState::Restarting)
}

fn remove(
    place: &mut Place,
    id: &InstanceId,
    force: bool,
    moment: &Moment,
    told: &mut Vec<Told>,
) -> Result<Accepted, EngineError> {
    let going = unit(place, id)?;
    if matches!(going.state, InstanceState::Running | InstanceState::Paused | InstanceState::Restarting) {
        if !force {
            return Err(in_the_way(&going.name, "it runs; stop it first or force it"));
        }
        going.wanted = false;
        going.die(moment, 137, "killed", told);
    }
    told.push(Told { subject: going.name.clone(), what: "destroy", detail: String::new() });
    for service in &mut place.services {
        service.units.retain(|u| &u.id != id);
    }
    // A Compose service is known by its containers alone: with the last of them it is gone.
    place.services.retain(|s| !s.units.is_empty());
    Ok(Accepted::Done)
}

fn stop(unit: &mut Unit, moment: &Moment, told: &mut Vec<Told>) -> Accepted {
    if !holds_ports(unit) {
        return Accepted::AlreadySo;
    }
    unit.stop(moment, told);
    Accepted::Done
}

fn restart(unit: &mut Unit, moment: &Moment, told: &mut Vec<Told>) -> Accepted {
    if holds_ports(unit) {
        unit.stop(moment, told);
    }
    unit.crashes = 0;
    unit.start(moment, told);
    Accepted::Done
}

fn pause(unit: &mut Unit, told: &mut Vec<Told>) -> Result<Accepted, EngineError> {
    match unit.state {
        InstanceState::Paused => return Ok(Accepted::AlreadySo),
        InstanceState::Running => unit.state = InstanceState::Paused,
        InstanceState::Created
        | InstanceState::Restarting
        | InstanceState::Removing
        | InstanceState::Exited
        | InstanceState::Dead
        | InstanceState::Unknown => return Err(in_the_way(&unit.name, "it does not run")),
    }
    told.push(Told { subject: unit.name.clone(), what: "pause", detail: String::new() });
    Ok(Accepted::Done)
}

fn unpause(unit: &mut Unit, told: &mut Vec<Told>) -> Accepted {
    if unit.state != InstanceState::Paused {
        return Accepted::AlreadySo;
    }
    unit.state = InstanceState::Running;
    told.push(Told { subject: unit.name.clone(), what: "unpause", detail: String::new() });
    Accepted::Done
}

fn kill(unit: &mut Unit, signal: &str, moment: &Moment, told: &mut Vec<Told>) -> Accepted {
    if !holds_ports(unit) {
        return Accepted::AlreadySo;
    }
    told.push(Told { subject: unit.name.clone(), what: "kill", detail: signal.into() });
    if let Some(code) = fatal(signal) {
        // Killed is not stopped: it stays down, and that is not well.
        unit.wanted = code == 137;
        unit.held = true;
        unit.die(moment, code, "killed", told);
    }
    Accepted::Done
}

/// The exit code a signal leaves, where it ends the process.
fn fatal(signal: &str) -> Option<i64> {
    match signal.trim_start_matches("SIG") {
        "KILL" | "9" | "" => Some(137),
        "TERM" | "15" => Some(143),
        "INT" | "2" => Some(130),
        "QUIT" | "3" => Some(131),
        _ => None,
    }
}

fn in_the_way(name: &Arc<str>, cause: &str) -> EngineError {
    EngineError::Conflict { what: name.clone(), cause: cause.into() }
}

fn rejected(name: &Arc<str>, status: u16, message: &str) -> EngineError {
    EngineError::Rejected { what: name.clone(), status, message: message.into() }
}
