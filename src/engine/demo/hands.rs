//! What is done by hand in the demo world: commands in its instances, one-off containers, files, names on its networks.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::act::{not_found, short};
use super::place::{Place, container_labels};
use super::prompt;
use super::unit::{Told, Unit};
use super::world::World;
use crate::engine::EngineError;
use crate::engine::docker::labels;
use crate::model::{InstanceId, InstanceState, Mechanics, OperationId};
use crate::operate::action::{Accepted, InstanceRef, Output, Replica};

/// Files remembered in a place; a world has no disk.
const FILES: usize = 200;

/// What hands have left in a place.
#[derive(Clone, Debug, Default)]
pub struct Hands {
    files: BTreeMap<(InstanceId, Arc<str>), Arc<str>>,
    /// What was in a file before an operation wrote it; nothing, where it was not there.
    kept: BTreeMap<(InstanceId, Arc<str>, OperationId), Option<Arc<str>>>,
    /// Names instances answer to beside their own.
    pub names: BTreeMap<InstanceId, BTreeSet<Arc<str>>>,
    /// What one-off containers have left.
    once: BTreeMap<(OperationId, u32), Output>,
}

/// The instance an action is about, and where it is.
fn place_of<'a>(world: &'a mut World, instance: &InstanceRef) -> Result<(usize, &'a mut Place, InstanceId), EngineError> {
    let id = match instance {
        InstanceRef::Known(id) => id.clone(),
        InstanceRef::Made(slot) => return Err(not_found(format!("the instance of slot {slot}"))),
    };
    let index = world.places.iter().position(|place| place.find(&id).is_some());
    let index = index.ok_or_else(|| not_found(format!("instance {}", short(&id))))?;
    Ok((index, &mut world.places[index], id))
}

/// Runs a command in an instance that runs.
pub fn exec(world: &mut World, instance: &InstanceRef, command: &[Arc<str>]) -> Result<Accepted, EngineError> {
    let now = world.now;
    let (_, place, id) = place_of(world, instance)?;
    let unit = place.find(&id).ok_or_else(|| not_found("the instance"))?;
    if unit.state != InstanceState::Running {
        return Err(EngineError::Conflict { what: unit.name.clone(), cause: "it does not run".into() });
    }
    if let [program, path] = command
        && &**program == "cat"
    {
        let found = place.hands.files.get(&(id.clone(), path.clone()));
        let missing = || (1, format!("cat: {path}: No such file or directory"));
        return Ok(output(found.map_or_else(missing, |content| (0, content.to_string()))));
    }
    Ok(output(prompt::answer(unit, command, now)))
}

fn output((code, text): (i64, String)) -> Accepted {
    Accepted::Output(Box::new(Output { code, text: text.into(), cut: false }))
}

/// Runs a command in a container of its own, or answers what the first one left.
pub fn run_once(
    world: &mut World,
    index: usize,
    operation: &OperationId,
    replica: &Replica,
    command: &[Arc<str>],
) -> Result<Accepted, EngineError> {
    let moment = world.moment();
    let place = &mut world.places[index];
    let key = (operation.clone(), replica.slot);
    if let Some(left) = place.hands.once.get(&key) {
        return Ok(Accepted::Output(Box::new(left.clone())));
    }
    let like = place.find(&replica.like).ok_or_else(|| not_found(format!("instance {}", short(&replica.like))))?.clone();
    let image = replica.image.clone().unwrap_or_else(|| like.image.clone());
    if !place.images.contains(&image) {
        return Err(not_found(format!("image {image}")));
    }
    let mechanics = place.stack.mechanics;
    let stack = place.stack;
    let Place { services, maker, hands, .. } = place;
    let service = services
        .iter_mut()
        .find(|service| service.recipe.name == replica.workload.as_str())
        .ok_or_else(|| not_found(format!("workload {}", replica.workload)))?;
    let mut unit = maker.unit(service, like.number, moment.now);
    unit.load(&image);
    unit.check.trouble = like.check.trouble;
    let (code, text) = prompt::answer(&unit, command, moment.now);
    unit.call(format!(
        "{}-{}-run-{}",
        stack.project,
        service.recipe.name,
        super::dice::hex(0, &format!("{operation}/{}", replica.slot), 8)
    ));
    unit.one_off = true;
    unit.made_by = Some(operation.clone());
    unit.slot = Some(replica.slot);
    unit.revision = like.revision;
    unit.state = InstanceState::Exited;
    unit.wanted = code != 0;
    unit.exit_code = Some(code);
    (unit.started_at, unit.finished_at) = (Some(moment.now), Some(moment.now));
    let mut on = container_labels(stack, service.recipe, like.number);
    on.insert(labels::ONE_OFF.into(), "True".into());
    unit.labels = Arc::new(on);
    let left = Output { code, text: text.into(), cut: false };
    hands.once.insert(key, left.clone());
    let told = Told { subject: unit.name.clone(), what: "run", detail: format!("{} ended with {code}", command.join(" ")) };
    // A declared workload's pods are made by the engine: an extra one would be taken for one too many.
    if mechanics == Mechanics::Instances {
        service.units.push(unit);
    }
    world.note(index, vec![told]);
    Ok(Accepted::Output(Box::new(left)))
}

/// Forgets a one-off container.
pub fn forget_once(place: &mut Place, operation: &OperationId, slot: u32) -> Accepted {
    let is_it = |unit: &Unit| unit.one_off && unit.made_by.as_ref() == Some(operation) && unit.slot == Some(slot);
    for service in &mut place.services {
        service.units.retain(|unit| !is_it(unit));
    }
    if place.hands.once.remove(&(operation.clone(), slot)).is_some() { Accepted::Done } else { Accepted::AlreadySo }
}

/// What a file in an instance holds: what was written there, or what a store of its kind would have.
pub fn content(world: &mut World, instance: &InstanceRef, path: &Arc<str>) -> Result<String, EngineError> {
    let now = world.now;
    let (_, place, id) = place_of(world, instance)?;
    let unit = place.find(&id).ok_or_else(|| not_found("the instance"))?;
    if let Some(content) = place.hands.files.get(&(id.clone(), path.clone())) {
        return Ok(content.to_string());
    }
    if path.ends_with(".rdb") || path.ends_with(".sql") || path.ends_with(".dump") {
        return Ok(format!("demo world: {path} of {} at {now}\n", unit.name));
    }
    Err(EngineError::Unmet { what: format!("{path} in {}", unit.name).into(), why: "there is no such file".into() })
}

/// Puts a file in an instance; it need not run.
pub fn place_file(world: &mut World, instance: &InstanceRef, path: &Arc<str>, content: &str) -> Result<Accepted, EngineError> {
    let (index, place, id) = place_of(world, instance)?;
    let name = place.find(&id).map_or_else(|| id.0.clone(), |unit| unit.name.clone());
    write(place, &id, path, content)?;
    world.note(index, vec![Told { subject: name, what: "copy", detail: path.to_string() }]);
    Ok(Accepted::Done)
}

fn write(place: &mut Place, id: &InstanceId, path: &Arc<str>, content: &str) -> Result<(), EngineError> {
    let key = (id.clone(), path.clone());
    if place.hands.files.len() >= FILES && !place.hands.files.contains_key(&key) {
        let (what, message) = (path.clone(), "no space left on device".into());
        return Err(EngineError::Rejected { what, status: 500, message });
    }
    place.hands.files.insert(key, content.into());
    Ok(())
}

/// Writes a file after keeping what was there, the first time.
pub fn put(
    world: &mut World,
    instance: &InstanceRef,
    path: &Arc<str>,
    content: &str,
    keep: &OperationId,
) -> Result<Accepted, EngineError> {
    let (_, place, id) = place_of(world, instance)?;
    let before = place.hands.files.get(&(id.clone(), path.clone())).cloned();
    place.hands.kept.entry((id.clone(), path.clone(), keep.clone())).or_insert(before);
    write(place, &id, path, content).map(|()| Accepted::Done)
}

/// Puts back what was kept.
pub fn restore(world: &mut World, instance: &InstanceRef, path: &Arc<str>, keep: &OperationId) -> Result<Accepted, EngineError> {
    let (_, place, id) = place_of(world, instance)?;
    match place.hands.kept.remove(&(id.clone(), path.clone(), keep.clone())) {
        None => Ok(Accepted::AlreadySo),
        Some(Some(before)) => write(place, &id, path, &before).map(|()| Accepted::Done),
        Some(None) => {
            place.hands.files.remove(&(id, path.clone()));
            Ok(Accepted::Done)
        }
    }
}

/// Forgets what was kept.
pub fn forget(world: &mut World, instance: &InstanceRef, path: &Arc<str>, keep: &OperationId) -> Result<Accepted, EngineError> {
    let (_, place, id) = place_of(world, instance)?;
    let kept = place.hands.kept.remove(&(id, path.clone(), keep.clone()));
    Ok(if kept.is_some() { Accepted::Done } else { Accepted::AlreadySo })
}

/// Gives an instance more names.
pub fn join(world: &mut World, instance: &InstanceRef, aliases: &[Arc<str>]) -> Result<Accepted, EngineError> {
    let (_, place, id) = place_of(world, instance)?;
    let names = place.hands.names.entry(id).or_default();
    let count = names.len();
    names.extend(aliases.iter().cloned());
    Ok(if names.len() > count { Accepted::Done } else { Accepted::AlreadySo })
}
