//! Changing what is wanted of production: replicas, image, a fresh start, a step back; the world then makes it so.

use std::sync::Arc;

use super::act::not_found;
use super::containers::{Deed, MOST};
use super::declared;
use super::place::{Service, Template};
use super::unit::Told;
use super::view;
use super::world::World;
use crate::engine::EngineError;
use crate::model::{Capability, InstanceId, OperationId, Revision, Verb, WorkloadId};
use crate::operate::action::Accepted;

/// Revisions kept.
const KEPT: usize = 10;

fn service<'a>(world: &'a mut World, index: usize, id: &WorkloadId) -> Result<&'a mut Service, EngineError> {
    world.places[index].service_mut(id.as_str()).ok_or_else(|| not_found(format!("workload {id}")))
}

/// How many are wanted.
pub fn set_replicas(world: &mut World, index: usize, id: &WorkloadId, replicas: u32) -> Result<Accepted, EngineError> {
    let service = service(world, index, id)?;
    if service.desired == replicas {
        return Ok(Accepted::AlreadySo);
    }
    if let Capability::Denied(why) = view::capabilities(service.recipe, true).of(Verb::Scale)
        && replicas > 1
    {
        return Err(EngineError::Unsupported { what: format!("scaling {id}").into(), why });
    }
    if replicas as usize > MOST {
        let message = format!("exceeded quota: pods, requested {replicas}, limited to {MOST}");
        return Err(EngineError::Rejected { what: id.0.clone(), status: 403, message: message.into() });
    }
    let detail = format!("{} → {replicas} replicas", service.desired);
    service.desired = replicas;
    world.note(index, vec![Told { subject: id.0.clone(), what: "scale", detail }]);
    Ok(Accepted::Done)
}

/// Which image is wanted.
pub fn set_image(world: &mut World, index: usize, id: &WorkloadId, revision: &Revision) -> Result<Accepted, EngineError> {
    let service = service(world, index, id)?;
    if service.template.revision == revision.number && service.template.image == revision.image {
        return Ok(Accepted::AlreadySo);
    }
    let detail = format!("{} → {}", service.template.image, revision.image);
    let template = Template::new(revision.image.clone(), revision.number, None);
    adopt(service, template, revision.clone());
    world.note(index, vec![Told { subject: id.0.clone(), what: "deploy", detail }]);
    Ok(Accepted::Done)
}

/// Fresh replicas of the same definition, as a revision of its own.
pub fn rollout(world: &mut World, index: usize, id: &WorkloadId, operation: &OperationId) -> Result<Accepted, EngineError> {
    let now = world.now;
    let service = service(world, index, id)?;
    if service.template.restarted.as_ref() == Some(operation) {
        return Ok(Accepted::AlreadySo);
    }
    let number = service.revisions.first().map_or(1, |r| r.number + 1);
    let image = service.template.image.clone();
    let template = Template::new(image.clone(), number, Some(operation.clone()));
    let digest = Some(super::dice::digest(&image).into());
    adopt(service, template, Revision { number, image, digest, at: Some(now), by: None, cause: Some("restart".into()) });
    world.note(index, vec![Told { subject: id.0.clone(), what: "restart", detail: String::new() }]);
    Ok(Accepted::Done)
}

/// The definition of an earlier revision.
pub fn revert(world: &mut World, index: usize, id: &WorkloadId, to: u64, revision: &Revision) -> Result<Accepted, EngineError> {
    let service = service(world, index, id)?;
    if service.template.revision == revision.number {
        return Ok(Accepted::AlreadySo);
    }
    let image: Arc<str> = service
        .revisions
        .iter()
        .find(|r| r.number == to)
        .map(|r| r.image.clone())
        .ok_or_else(|| not_found(format!("revision {to} of {id}")))?;
    let detail = format!("{} → {image} (revision {to})", service.template.image);
    let template = Template::new(image.clone(), revision.number, None);
    adopt(service, template, Revision { image, ..revision.clone() });
    world.note(index, vec![Told { subject: id.0.clone(), what: "rollback", detail }]);
    Ok(Accepted::Done)
}

fn adopt(service: &mut Service, template: Template, revision: Revision) {
    service.template = template;
    service.revisions.retain(|r| r.number != revision.number);
    service.revisions.insert(0, revision);
    service.revisions.truncate(KEPT);
}

/// Does something to one pod: all that can be done is to end it, and the world makes another.
pub fn act(world: &mut World, index: usize, id: &InstanceId, deed: Deed) -> Result<Accepted, EngineError> {
    let moment = world.moment();
    let mut told = Vec::new();
    let unit = world.places[index].find_mut(id).ok_or_else(|| not_found(format!("instance {id}")))?;
    match deed {
        Deed::Kill(_) | Deed::Remove { .. } | Deed::Restart => {
            if unit.gone_at.is_some() {
                return Ok(Accepted::AlreadySo);
            }
            declared::end(unit, &moment, &mut told);
            world.note(index, told);
            Ok(Accepted::Done)
        }
        Deed::SetAside | Deed::BringBack | Deed::Start | Deed::Stop | Deed::Pause | Deed::Unpause => {
            Err(EngineError::Unsupported {
                what: format!("this change of pod {}", unit.name).into(),
                why: "a pod can only be ended, and the engine makes another; change the workload instead".into(),
            })
        }
    }
}
