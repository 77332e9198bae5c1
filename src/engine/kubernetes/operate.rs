//! The operating half of Kubernetes: what an action means in calls of the server. Every change is a patch of the version
//! that was read, made as the field manager `quarterdeck`, and harmless when repeated.

mod call;
mod change;
mod history;
mod lock;
mod look;
pub mod mirror;
mod node;
mod pod;
pub mod scale;
mod schedule;
pub mod template;
mod way;

use super::client::Client;
use super::object::{Object, find};
use super::{copy, exec, file, once};
use crate::engine::{EngineError, Report};
use crate::model::InstanceId;
use crate::operate::action::InstanceRef;
use crate::operate::{Accepted, Action};

/// Does one small thing.
///
/// # Errors
/// What the server refused; [`EngineError::Unsupported`] for what is not done on a cluster.
pub async fn execute(client: Client, action: Action, report: Report) -> Result<Accepted, EngineError> {
    match &action {
        Action::TakeLock { environment, holder, replaces } => lock::take(&client, environment, holder, replaces.as_deref()).await,
        Action::ReleaseLock { environment, operation } => lock::release(&client, environment, operation.as_ref()).await,
        Action::SetReplicas { environment, workload: id, .. }
        | Action::SetImage { environment, workload: id, .. }
        | Action::Rollout { environment, workload: id, .. }
        | Action::Revert { environment, workload: id, .. }
        | Action::Suspend { environment, workload: id, .. }
        | Action::Trigger { environment, workload: id, .. }
        | Action::SetBounds { environment, workload: id, .. } => {
            let object = find(&client, environment, id).await?;
            workload(&client, &object, &action, &report).await
        }
        // Nothing of a workload's own is ever changed for the time of a rollout.
        Action::Unpace { .. } => Ok(Accepted::AlreadySo),
        Action::Cordon { node, on, .. } => node::cordon(&client, node, *on).await,
        Action::Drain { node, within, .. } => node::drain(&client, node, *within, &report).await,
        Action::Mirror { environment, workload, operation, revision, container } => {
            mirror::pair(&client, environment, workload).await?.make(operation, revision, container.as_deref()).await
        }
        Action::SwitchTraffic { environment, workload, to_mirror } => {
            mirror::pair(&client, environment, workload).await?.switch(to_mirror.as_ref()).await
        }
        Action::ForgetMirror { environment, workload, operation } => {
            mirror::pair(&client, environment, workload).await?.forget(operation).await
        }
        // The nodes fetch it by themselves.
        Action::EnsureImage { .. } => Ok(Accepted::Image { digest: None, pulled: false }),
        Action::LookAtImage { image, .. } => look::image(&client, image).await,
        Action::LookAtDisk { .. } => look::disk(&client).await,
        Action::RunOnce { operation, replica, command, timeout } => {
            once::run(&client, once::Once { operation, replica, command, timeout: *timeout }, &report).await
        }
        Action::ForgetOnce { environment, operation, slot } => once::forget(&client, environment, operation, *slot).await,
        Action::Start { instance }
        | Action::Stop { instance, .. }
        | Action::Restart { instance, .. }
        | Action::Pause { instance }
        | Action::Unpause { instance }
        | Action::Kill { instance, .. }
        | Action::Remove { instance, .. }
        | Action::SetAside { instance }
        | Action::BringBack { instance }
        | Action::Join { instance, .. }
        | Action::Exec { instance, .. }
        | Action::CopyIn { instance, .. }
        | Action::CopyOut { instance, .. }
        | Action::PutFile { instance, .. }
        | Action::RestoreFile { instance, .. }
        | Action::ForgetFile { instance, .. } => in_pod(&client, known(instance)?, &action, &report).await,
        Action::Create { .. } => not_done("Making an instance", "a cluster makes its pods itself"),
        Action::Errand(_) => not_done("An errand", "it is done outside the cluster"),
        Action::ComposeUp { .. } => not_done("Bringing services up", "a cluster has no compose file"),
        Action::Drill { name } => not_done(&format!("The drill {name}"), "a cluster plays no faults"),
    }
}

/// What is done to a workload's object.
async fn workload(client: &Client, object: &Object, action: &Action, report: &Report) -> Result<Accepted, EngineError> {
    match action {
        Action::SetReplicas { replicas, .. } => scale::set_replicas(client, object, *replicas, report).await,
        Action::SetBounds { min, max, .. } => scale::set_bounds(client, object, *min, *max).await,
        Action::SetImage { container, revision, .. } => template::set_image(client, object, container.as_deref(), revision).await,
        Action::Rollout { operation, .. } => template::roll_out(client, object, operation).await,
        Action::Revert { to, revision, .. } => template::revert(client, object, *to, revision).await,
        Action::Suspend { on, .. } => schedule::suspend(client, object, *on).await,
        Action::Trigger { operation, .. } => schedule::trigger(client, object, operation).await,
        other => not_done(&format!("{other:?}"), "it is not about a workload"),
    }
}

/// What is done to a pod, or in it.
async fn in_pod(client: &Client, pod: &InstanceId, action: &Action, report: &Report) -> Result<Accepted, EngineError> {
    match action {
        Action::Remove { force, .. } => pod::remove(client, pod, *force, report).await,
        Action::Restart { .. } => pod::remove(client, pod, false, report).await,
        Action::Kill { signal, .. } => pod::kill(client, pod, signal, report).await,
        Action::Exec { command, timeout, .. } => {
            exec::run(client, pod, exec::Order { command, input: None, timeout: *timeout }, report).await
        }
        Action::CopyIn { from, to, .. } => copy::into(client, pod, from, to, report).await,
        Action::CopyOut { from, to, .. } => copy::out(client, pod, from, to, report).await,
        Action::PutFile { path, content, keep, .. } => file::put(client, pod, path, content, keep).await,
        Action::RestoreFile { path, keep, .. } => file::restore(client, pod, path, keep).await,
        Action::ForgetFile { path, keep, .. } => file::forget(client, pod, path, keep).await,
        Action::Start { .. } | Action::Stop { .. } => {
            not_done(&format!("Stopping pod {pod}"), "it would be another one when it starts: scale its workload, or restart it")
        }
        Action::Pause { .. } | Action::Unpause { .. } => not_done(&format!("Freezing pod {pod}"), "a cluster freezes no pods"),
        _ => not_done(&format!("Naming pod {pod} anew"), "a pod keeps its name"),
    }
}

/// The pod meant: a cluster's are all there, none is made by a step.
fn known(instance: &InstanceRef) -> Result<&InstanceId, EngineError> {
    match instance {
        InstanceRef::Known(id) => Ok(id),
        InstanceRef::Made(slot) => Err(EngineError::NotFound { what: format!("instance {slot} of the plan").into() }),
    }
}

fn not_done(what: &str, why: &str) -> Result<Accepted, EngineError> {
    Err(EngineError::Unsupported { what: what.into(), why: why.into() })
}
