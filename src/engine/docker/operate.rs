//! The operating half of the Docker engine: every small action, done over one connection, harmless when repeated. What
//! is to be done, and in which order, is decided elsewhere.

mod archive;
mod copy;
mod credential;
mod definition;
#[cfg(test)]
mod definition_tests;
mod exec;
mod file;
mod image;
mod join;
mod life;
mod lock;
pub(super) mod lock_labels;
mod look;
mod name;
mod network;
mod once;
mod reference;
mod replica;
mod swarm;
mod tar;
mod volume;
pub(super) mod wire;

pub(super) use credential::encoded as encoded_credentials;
pub(super) use reference::registry as registry_of;

use self::wire::Wire;
use super::client::Client;
use super::compose;
use crate::engine::{EngineError, Report};
use crate::operate::action::InstanceRef;
use crate::operate::{Accepted, Action};

/// Does one action.
///
/// # Errors
/// What the engine refused, in our words; [`EngineError::Conflict`] where somebody else is in the way (a lock, a name, a
/// port), [`EngineError::Unsupported`] for what only declared engines do.
pub async fn execute(client: &Client, action: Action, report: Report) -> Result<Accepted, EngineError> {
    if let Some(answer) = swarm::execute(client, &action, &report).await {
        return answer;
    }
    let action = swarm::in_container(client, action)?;
    let wire = &Wire::of(client).await?;
    let scope = |environment| client.project(environment);
    match &action {
        Action::TakeLock { environment, holder, replaces } => {
            lock::take(wire, &scope(environment), holder, replaces.as_deref()).await
        }
        Action::ReleaseLock { environment, operation } => lock::release(wire, &scope(environment), operation.as_ref()).await,
        Action::EnsureImage { environment: _, image, digest } => image::ensure(wire, image, digest.as_deref(), &report).await,
        Action::Create { operation, replica } => replica::create(wire, operation, replica, &report).await,
        Action::SetAside { instance } => life::set_aside(wire, known(instance)?).await,
        Action::BringBack { instance } => life::bring_back(wire, known(instance)?).await,
        Action::Start { instance } => life::start(wire, known(instance)?).await,
        Action::Stop { instance, grace } => life::stop(wire, known(instance)?, *grace).await,
        Action::Restart { instance, grace } => life::restart(wire, known(instance)?, *grace).await,
        Action::Pause { instance } => life::pause(wire, known(instance)?).await,
        Action::Unpause { instance } => life::unpause(wire, known(instance)?).await,
        Action::Kill { instance, signal } => life::kill(wire, known(instance)?, signal).await,
        Action::Remove { instance, force } => life::remove(wire, known(instance)?, *force).await,
        Action::Exec { instance, command, timeout } => {
            exec::run(wire, known(instance)?, exec::Order { command, input: None, timeout: *timeout }, &report).await
        }
        Action::RunOnce { operation, replica, command, timeout } => {
            once::run(wire, once::Once { operation, replica, command, timeout: *timeout }, &report).await
        }
        Action::ForgetOnce { environment: _, operation, slot } => once::forget(wire, operation, *slot).await,
        Action::CopyIn { instance, from, to } => copy::into(wire, known(instance)?, from, to, &report).await,
        Action::CopyOut { instance, from, to } => copy::out(wire, known(instance)?, from, to, &report).await,
        Action::PutFile { instance, path, content, keep } => {
            file::put(wire, known(instance)?, path, content, keep, &report).await
        }
        Action::RestoreFile { instance, path, keep } => file::restore(wire, known(instance)?, path, keep, &report).await,
        Action::ForgetFile { instance, path, keep } => file::forget(wire, known(instance)?, path, keep, &report).await,
        Action::LookAtImage { environment: _, image, digest } => look::image(wire, image, digest.as_deref()).await,
        Action::LookAtDisk { environment: _, least_bytes } => look::disk(wire, *least_bytes).await,
        Action::Errand(_) => elsewhere("an errand", "it is done in the world outside the engine"),
        Action::Join { instance, aliases } => join::join(wire, known(instance)?, aliases).await,
        Action::SetReplicas { workload, .. }
        | Action::SetImage { workload, .. }
        | Action::Rollout { workload, .. }
        | Action::Unpace { workload, .. }
        | Action::Revert { workload, .. }
        | Action::Suspend { workload, .. }
        | Action::Trigger { workload, .. }
        | Action::SetBounds { workload, .. }
        | Action::Mirror { workload, .. }
        | Action::SwitchTraffic { workload, .. }
        | Action::ForgetMirror { workload, .. } => declared(&format!("telling the engine what is wanted of {workload}")),
        Action::Cordon { node, .. } | Action::Drain { node, .. } => declared(&format!("changing node {node}")),
        Action::ComposeUp { environment, call, .. } => compose::up(client, environment, call, &report).await,
        Action::Drill { name } => {
            elsewhere(&format!("the drill {name}"), "a real engine plays no faults; try it on the demo (qd demo)")
        }
    }
}

fn elsewhere(what: &str, why: &str) -> Result<Accepted, EngineError> {
    Err(EngineError::Unsupported { what: what.into(), why: why.into() })
}

/// The container an action is about.
fn known(instance: &InstanceRef) -> Result<&str, EngineError> {
    match instance {
        InstanceRef::Known(id) => Ok(id.as_str()),
        InstanceRef::Made(slot) => Err(EngineError::Unsupported {
            what: format!("acting on new replica {slot}").into(),
            why: "it has not been made yet".into(),
        }),
    }
}

/// What only engines do that are told a wanted state.
fn declared(what: &str) -> Result<Accepted, EngineError> {
    Err(EngineError::Unsupported {
        what: what.into(),
        why: "Docker keeps no wanted state for Compose services: their containers are made and removed one by one".into(),
    })
}
