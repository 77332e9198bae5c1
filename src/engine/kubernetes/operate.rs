//! The operating half of Kubernetes: what an action means in calls of the server. Every change is a patch of the version
//! that was read, made as the field manager `quarterdeck`, and harmless when repeated.

mod change;
mod history;
mod lock;
pub mod mirror;
mod node;
mod object;
mod pod;
pub mod scale;
mod schedule;
pub mod template;

mod look;

use self::object::find;
use super::client::Client;
use crate::engine::{EngineError, Report};
use crate::model::{EnvironmentId, InstanceId, WorkloadId};
use crate::operate::action::InstanceRef;
use crate::operate::{Accepted, Action};

/// Does one small thing.
///
/// # Errors
/// What the server refused; [`EngineError::Unsupported`] for what is not done on a cluster.
pub async fn execute(client: Client, action: Action, report: Report) -> Result<Accepted, EngineError> {
    match &action {
        Action::TakeLock { environment, holder, replaces } => {
            lock::take(&client, environment, holder, replaces.as_deref()).await
        }
        Action::ReleaseLock { environment, operation } => lock::release(&client, environment, operation.as_ref()).await,
        Action::SetReplicas { .. }
        | Action::SetImage { .. }
        | Action::Rollout { .. }
        | Action::Revert { .. }
        | Action::Suspend { .. }
        | Action::Trigger { .. }
        | Action::SetBounds { .. } => workload(&client, &action, &report).await,
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
        Action::Remove { instance, force } => pod::remove(&client, known(instance)?, *force, &report).await,
        Action::Restart { instance, .. } => pod::remove(&client, known(instance)?, false, &report).await,
        Action::Kill { instance, signal } => pod::kill(&client, known(instance)?, signal, &report).await,
        Action::Exec { .. }
        | Action::RunOnce { .. }
        | Action::ForgetOnce { .. }
        | Action::CopyIn { .. }
        | Action::CopyOut { .. }
        | Action::PutFile { .. }
        | Action::RestoreFile { .. }
        | Action::ForgetFile { .. } => not_done(&action, "it is not done on Kubernetes"),
        Action::Create { .. } | Action::SetAside { .. } | Action::BringBack { .. } | Action::Join { .. } => {
            not_done(&action, "a cluster makes its pods itself")
        }
        Action::Start { .. } | Action::Stop { .. } => {
            not_done(&action, "a pod cannot be stopped and started again: scale its workload, or restart it")
        }
        Action::Pause { .. } | Action::Unpause { .. } => not_done(&action, "a pod cannot be frozen"),
        Action::Errand(_) => not_done(&action, "it is done outside the cluster"),
        Action::ComposeUp { .. } => not_done(&action, "there is no compose file"),
        Action::Drill { .. } => not_done(&action, "a cluster plays no faults"),
    }
}

/// What is done to a workload's object.
async fn workload(client: &Client, action: &Action, report: &Report) -> Result<Accepted, EngineError> {
    let Some((environment, id)) = subject(action) else { return not_done(action, "it names no workload") };
    let (object, raw) = find(client, environment, id).await?;
    match action {
        Action::SetReplicas { replicas, .. } => scale::set_replicas(client, &object, *replicas, report).await,
        Action::SetBounds { min, max, .. } => scale::set_bounds(client, &object, *min, *max).await,
        Action::SetImage { container, revision, .. } => {
            template::set_image(client, &object, container.as_deref(), revision).await
        }
        Action::Rollout { operation, .. } => template::roll_out(client, &object, operation).await,
        Action::Revert { to, revision, .. } => template::revert(client, &object, *to, revision).await,
        Action::Suspend { on, .. } => schedule::suspend(client, &object, *on).await,
        Action::Trigger { operation, .. } => schedule::trigger(client, &object, &raw, operation).await,
        other => not_done(other, "it is not about a workload"),
    }
}

fn subject(action: &Action) -> Option<(&EnvironmentId, &WorkloadId)> {
    match action {
        Action::SetReplicas { environment, workload, .. }
        | Action::SetImage { environment, workload, .. }
        | Action::Rollout { environment, workload, .. }
        | Action::Revert { environment, workload, .. }
        | Action::Suspend { environment, workload, .. }
        | Action::Trigger { environment, workload, .. }
        | Action::SetBounds { environment, workload, .. } => Some((environment, workload)),
        _ => None,
    }
}

/// The pod meant: a cluster's are all there, none is made by a step.
fn known(instance: &InstanceRef) -> Result<&InstanceId, EngineError> {
    match instance {
        InstanceRef::Known(id) => Ok(id),
        InstanceRef::Made(slot) => Err(EngineError::NotFound { what: format!("instance {slot} of the plan").into() }),
    }
}

fn not_done(action: &Action, why: &str) -> Result<Accepted, EngineError> {
    use crate::operate::plan::{Names, Work, words};
    let what = words::name(&Work::Act(action.clone()), &Names::default());
    Err(EngineError::Unsupported { what, why: why.into() })
}
