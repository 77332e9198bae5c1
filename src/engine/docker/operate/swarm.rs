//! Actions on environments of a Swarm: told to its manager, or done to the one container that is on this node.

use super::life;
use super::wire::Wire;
use crate::engine::docker::client::Client;
use crate::engine::docker::swarm::operate as manager;
use crate::engine::{EngineError, Report};
use crate::model::{EnvironmentId, InstanceId};
use crate::operate::action::InstanceRef;
use crate::operate::{Accepted, Action};

/// Does an action, where it is about a Swarm; `None` where it is about containers of one's own making.
pub(super) async fn execute(client: &Client, action: &Action, report: &Report) -> Option<Result<Accepted, EngineError>> {
    Some(match action {
        Action::TakeLock { environment, .. } | Action::ReleaseLock { environment, .. } => {
            lock(client, environment, action).await?
        }
        Action::SetReplicas { environment, workload, replicas } => {
            manager::set_replicas(&manager::aim(client, environment, workload)?, *replicas).await
        }
        Action::SetImage { environment, workload, container: _, revision, pacing } => {
            manager::set_image(&manager::aim(client, environment, workload)?, revision, pacing.as_deref(), report).await
        }
        Action::Rollout { environment, workload, operation, pacing } => {
            manager::roll_out(&manager::aim(client, environment, workload)?, operation, pacing.as_deref()).await
        }
        Action::Unpace { environment, workload } => manager::unpace(&manager::aim(client, environment, workload)?).await,
        Action::Revert { environment, workload, to, revision, pacing } => {
            manager::revert(&manager::aim(client, environment, workload)?, *to, revision, pacing.as_deref()).await
        }
        Action::Remove { instance: InstanceRef::Known(task), force } if client.known().whereabouts(task).is_some() => {
            take_away(client, task, *force).await
        }
        Action::EnsureImage { .. }
        | Action::Create { .. }
        | Action::SetAside { .. }
        | Action::BringBack { .. }
        | Action::Start { .. }
        | Action::Stop { .. }
        | Action::Restart { .. }
        | Action::Pause { .. }
        | Action::Unpause { .. }
        | Action::Kill { .. }
        | Action::Remove { .. }
        | Action::Exec { .. }
        | Action::RunOnce { .. }
        | Action::ForgetOnce { .. }
        | Action::CopyIn { .. }
        | Action::CopyOut { .. }
        | Action::PutFile { .. }
        | Action::RestoreFile { .. }
        | Action::ForgetFile { .. }
        | Action::Join { .. }
        | Action::LookAtImage { .. }
        | Action::LookAtDisk { .. }
        | Action::ComposeUp { .. }
        | Action::Drill { .. }
        | Action::Suspend { .. }
        | Action::Trigger { .. }
        | Action::SetBounds { .. }
        | Action::Cordon { .. }
        | Action::Drain { .. }
        | Action::Mirror { .. }
        | Action::SwitchTraffic { .. }
        | Action::ForgetMirror { .. }
        | Action::Errand(_) => return None,
    })
}

/// The lock of a stack, taken or given back.
async fn lock(client: &Client, environment: &EnvironmentId, action: &Action) -> Option<Result<Accepted, EngineError>> {
    if !client.group(environment).is_swarm() {
        return None;
    }
    let scope = client.project(environment);
    match action {
        Action::TakeLock { holder, replaces, .. } => Some(manager::take_lock(client, &scope, holder, replaces.as_deref()).await),
        Action::ReleaseLock { operation, .. } => Some(manager::release_lock(client, &scope, operation.as_ref()).await),
        _ => None,
    }
}

/// The same action on the container of a task, for what is done inside of it.
pub(super) fn in_container(client: &Client, mut action: Action) -> Result<Action, EngineError> {
    if let Action::RunOnce { replica, .. } = &action
        && client.known().whereabouts(&replica.like).is_some()
    {
        return Err(EngineError::Unsupported {
            what: format!("a one-off container of {}", replica.workload).into(),
            why: "Swarm has no containers beside its tasks; run the command in a task instead".into(),
        });
    }
    if let Action::Exec { instance: InstanceRef::Known(id), .. }
    | Action::CopyIn { instance: InstanceRef::Known(id), .. }
    | Action::CopyOut { instance: InstanceRef::Known(id), .. }
    | Action::PutFile { instance: InstanceRef::Known(id), .. }
    | Action::RestoreFile { instance: InstanceRef::Known(id), .. }
    | Action::ForgetFile { instance: InstanceRef::Known(id), .. } = &mut action
    {
        *id = manager::container(client, id)?;
    }
    Ok(action)
}

/// Ends a task by its container; the manager makes another one. The container stays for its log until the manager
/// clears it away.
async fn take_away(client: &Client, task: &InstanceId, force: bool) -> Result<Accepted, EngineError> {
    let container = manager::container(client, task)?;
    let wire = &Wire::of(client).await?;
    let container = container.as_str();
    let done = if force { life::kill(wire, container, "SIGKILL").await } else { life::stop(wire, container, None).await };
    match done {
        // Its manager was faster.
        Err(EngineError::NotFound { .. }) => Ok(Accepted::AlreadySo),
        other => other,
    }
}
