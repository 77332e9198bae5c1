//! What an action does to the demo world: one door for both vocabularies, each where it applies.

use std::sync::Arc;

use super::containers::Deed;
use super::incident::{self, Incident};
use super::world::World;
use super::{containers, hands, pods};
use crate::engine::EngineError;
use crate::model::{EnvironmentId, InstanceId, LockHolder, Mechanics, OperationId, WorkloadId};
use crate::operate::action::{Accepted, Action, InstanceRef};

/// Does one small thing.
///
/// # Errors
/// As on a real engine: [`EngineError::NotFound`], [`EngineError::Conflict`], [`EngineError::Rejected`], and
/// [`EngineError::Unsupported`] for an action of the other vocabulary.
pub fn apply(world: &mut World, action: &Action) -> Result<Accepted, EngineError> {
    match action {
        Action::TakeLock { environment, holder, replaces } => take_lock(world, environment, holder, replaces.as_deref()),
        Action::ReleaseLock { environment, operation } => release_lock(world, environment, operation.as_ref()),
        Action::EnsureImage { environment, image, digest } => ensure_image(world, environment, image, digest.as_deref()),
        Action::Create { operation, replica } => {
            let index = place(world, &replica.environment, Mechanics::Instances)?;
            containers::create(world, index, operation, replica)
        }
        Action::SetAside { instance } => on_instance(world, instance, Deed::SetAside),
        Action::BringBack { instance } => on_instance(world, instance, Deed::BringBack),
        Action::Start { instance } => on_instance(world, instance, Deed::Start),
        Action::Stop { instance, .. } => on_instance(world, instance, Deed::Stop),
        Action::Restart { instance, .. } => on_instance(world, instance, Deed::Restart),
        Action::Pause { instance } => on_instance(world, instance, Deed::Pause),
        Action::Unpause { instance } => on_instance(world, instance, Deed::Unpause),
        Action::Kill { instance, signal } => on_instance(world, instance, Deed::Kill(signal)),
        Action::Remove { instance, force } => on_instance(world, instance, Deed::Remove { force: *force }),
        Action::SetReplicas { environment, workload, .. }
        | Action::SetImage { environment, workload, .. }
        | Action::Rollout { environment, workload, .. }
        | Action::Revert { environment, workload, .. } => {
            let index = place(world, environment, Mechanics::Declared)?;
            wanted(world, index, workload, action)
        }
        Action::Exec { instance, command, .. } => hands::exec(world, instance, command),
        Action::RunOnce { operation, replica, command, .. } => {
            let index =
                world.place(&replica.environment).ok_or_else(|| not_found(format!("environment {}", replica.environment)))?;
            hands::run_once(world, index, operation, replica, command)
        }
        Action::ForgetOnce { environment, operation, slot } => {
            let index = world.place(environment).ok_or_else(|| not_found(format!("environment {environment}")))?;
            Ok(hands::forget_once(&mut world.places[index], operation, *slot))
        }
        Action::PutFile { instance, path, content, keep } => hands::put(world, instance, path, content, keep),
        Action::RestoreFile { instance, path, keep } => hands::restore(world, instance, path, keep),
        Action::ForgetFile { instance, path, keep } => hands::forget(world, instance, path, keep),
        Action::Join { instance, aliases } => hands::join(world, instance, aliases),
        Action::LookAtImage { environment, image, digest: _ } => look_at_image(world, environment, image),
        Action::LookAtDisk { environment: _, least_bytes } => look_at_disk(*least_bytes),
        // Files of this machine: the engine reads and writes them before and after it looks at the world.
        Action::CopyIn { .. } | Action::CopyOut { .. } | Action::Errand(_) => {
            not_here("this step", "it is not done in the world")
        }
        // Pods are replaced as their engine sees fit, always.
        Action::Unpace { .. } => Ok(Accepted::AlreadySo),
        Action::Suspend { workload, .. } | Action::Trigger { workload, .. } | Action::SetBounds { workload, .. } => {
            not_here(&format!("this on {workload}"), "the demo's workloads have no such controller")
        }
        Action::Mirror { workload, .. } | Action::SwitchTraffic { workload, .. } | Action::ForgetMirror { workload, .. } => {
            not_here(&format!("a mirror of {workload}"), "the demo replaces its pods one after the other")
        }
        Action::Cordon { node, .. } | Action::Drain { node, .. } => {
            not_here(&format!("changing node {node}"), "the demo's nodes are only there to be seen")
        }
        Action::ComposeUp { .. } => not_here("Bringing services up", "the demo has no compose file"),
        Action::Drill { name } => incident::play(world, Incident::parse(name)?).map(|()| Accepted::Done),
    }
}

/// What a controller is told.
fn wanted(world: &mut World, index: usize, id: &WorkloadId, action: &Action) -> Result<Accepted, EngineError> {
    match action {
        Action::SetReplicas { replicas, .. } => pods::set_replicas(world, index, id, *replicas),
        Action::SetImage { revision, .. } => pods::set_image(world, index, id, revision),
        Action::Rollout { operation, .. } => pods::rollout(world, index, id, operation),
        Action::Revert { to, revision, .. } => pods::revert(world, index, id, *to, revision),
        other => not_here(&format!("{other:?}"), "no controller is told that"),
    }
}

fn not_here(what: &str, why: &str) -> Result<Accepted, EngineError> {
    Err(EngineError::Unsupported { what: what.into(), why: why.into() })
}

/// The index of an environment whose workloads are changed this way.
fn place(world: &World, id: &EnvironmentId, mechanics: Mechanics) -> Result<usize, EngineError> {
    let index = world.place(id).ok_or_else(|| not_found(format!("environment {id}")))?;
    if world.places[index].stack.mechanics == mechanics {
        return Ok(index);
    }
    let why = match mechanics {
        Mechanics::Instances => "its pods are made by the engine; say how many replicas and which image are wanted instead",
        Mechanics::Declared => "its containers are made one by one; there is no wanted state to declare",
    };
    Err(EngineError::Unsupported { what: format!("this change of {id}").into(), why: why.into() })
}

fn on_instance(world: &mut World, instance: &InstanceRef, deed: Deed) -> Result<Accepted, EngineError> {
    let id = match instance {
        InstanceRef::Known(id) => id,
        InstanceRef::Made(slot) => return Err(not_found(format!("the instance of slot {slot}"))),
    };
    let Some(index) = world.places.iter().position(|p| p.find(id).is_some()) else {
        // Ending a pod, whatever it is called, is done when it is gone; it is known by its namespace.
        let is_pod = id.as_str().contains('/');
        let gone_is_fine = matches!(deed, Deed::Remove { .. }) || (is_pod && matches!(deed, Deed::Restart | Deed::Kill(_)));
        return if gone_is_fine { Ok(Accepted::AlreadySo) } else { Err(not_found(format!("instance {}", short(id)))) };
    };
    match world.places[index].stack.mechanics {
        Mechanics::Instances => containers::act(world, index, id, deed),
        Mechanics::Declared => pods::act(world, index, id, deed),
    }
}

fn take_lock(
    world: &mut World,
    id: &EnvironmentId,
    holder: &LockHolder,
    replaces: Option<&LockHolder>,
) -> Result<Accepted, EngineError> {
    let index = world.place(id).ok_or_else(|| not_found(format!("environment {id}")))?;
    let lock = &mut world.places[index].lock;
    if let Some(held) = lock.as_deref() {
        if is_same_lock(held, holder) {
            return Ok(Accepted::AlreadySo);
        }
        if !replaces.is_some_and(|old| is_same_lock(held, old)) {
            let why = if held.why.is_empty() { String::new() } else { format!(": {}", held.why) };
            let cause = format!("{} has held it since {}{why}", held.by, held.since);
            return Err(EngineError::Conflict { what: format!("the lock of {id}").into(), cause: cause.into() });
        }
    }
    *lock = Some(Arc::new(holder.clone()));
    Ok(Accepted::Done)
}

/// An operation's lock is its own wherever it goes on; one taken by hand is the one taken by that person at that moment.
fn is_same_lock(held: &LockHolder, other: &LockHolder) -> bool {
    held.operation == other.operation && (held.operation.is_some() || (held.by == other.by && held.since == other.since))
}

fn release_lock(world: &mut World, id: &EnvironmentId, operation: Option<&OperationId>) -> Result<Accepted, EngineError> {
    let index = world.place(id).ok_or_else(|| not_found(format!("environment {id}")))?;
    let lock = &mut world.places[index].lock;
    let ours = lock.as_ref().is_some_and(|held| operation.is_none_or(|op| held.operation.as_ref() == Some(op)));
    if !ours {
        return Ok(Accepted::AlreadySo);
    }
    *lock = None;
    Ok(Accepted::Done)
}

/// Whether the image would have to be pulled; `None` where there is no such image at all.
#[must_use]
pub fn needs_pull(world: &World, id: &EnvironmentId, image: &str) -> Option<bool> {
    let place = &world.places[world.place(id)?];
    let (repository, tag) = image.rsplit_once(':').unwrap_or((image, "latest"));
    let recipe = place.stack.recipes.iter().find(|r| r.repository == repository)?;
    super::declared::exists(recipe, tag).then(|| !place.images.contains(image))
}

fn ensure_image(world: &mut World, id: &EnvironmentId, image: &Arc<str>, digest: Option<&str>) -> Result<Accepted, EngineError> {
    let index = world.place(id).ok_or_else(|| not_found(format!("environment {id}")))?;
    let pulled = needs_pull(world, id, image).ok_or_else(|| not_found(format!("image {image}")))?;
    let content = super::dice::digest(image);
    if digest.is_some_and(|wanted| wanted != content) {
        return Err(not_found(format!("image {image} with that digest")));
    }
    if pulled {
        world.places[index].images.insert(image.clone());
    }
    Ok(Accepted::Image { digest: Some(content.into()), pulled })
}

fn look_at_image(world: &World, id: &EnvironmentId, image: &Arc<str>) -> Result<Accepted, EngineError> {
    let Some(pulled) = needs_pull(world, id, image) else {
        let what = format!("image {image}").into();
        return Err(EngineError::Unmet { what, why: "it is neither here nor in its registry".into() });
    };
    let content = super::dice::digest(image);
    let content = content.get(..19).unwrap_or(&content);
    let place = if pulled { "in its registry" } else { "present" };
    Ok(Accepted::Reading { value: None, words: format!("{place}, {content}, linux/amd64").into() })
}

fn look_at_disk(least: u64) -> Result<Accepted, EngineError> {
    /// Bytes the demo's disk has left.
    const FREE: u64 = 41_200_000_000;
    let giga = |bytes: u64| format!("{:.1} GB", bytes as f64 / 1e9);
    if FREE < least {
        let why = format!("{} free, {} are wanted", giga(FREE), giga(least));
        return Err(EngineError::Unmet { what: "the demo's disk".into(), why: why.into() });
    }
    Ok(Accepted::Reading { value: Some(FREE as f64), words: format!("{} free (≥ {})", giga(FREE), giga(least)).into() })
}

/// Something that does not exist.
pub(super) fn not_found(what: impl Into<Arc<str>>) -> EngineError {
    let what: Arc<str> = what.into();
    EngineError::NotFound { what: crate::observe::text::clean(&what).into() }
}

/// The first digits of an identity, as people know them.
pub(super) fn short(id: &InstanceId) -> &str {
    if id.as_str().contains('/') { id.as_str() } else { id.as_str().get(..12).unwrap_or(id.as_str()) }
}
