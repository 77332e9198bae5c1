//! Starting, stopping and the rest of what happens to one container that exists. What is so already is said to be so.

use std::time::Duration;

use bollard::models::ContainerState;
use bollard::query_parameters::{
    KillContainerOptionsBuilder, RemoveContainerOptionsBuilder, RenameContainerOptionsBuilder, RestartContainerOptionsBuilder,
    StopContainerOptionsBuilder,
};

use super::name;
use super::wire::{LONG, SHORT, Wire, container_words};
use crate::engine::EngineError;
use crate::operate::Accepted;

/// The engine's grace where a container names none.
const DEFAULT_GRACE: Duration = Duration::from_secs(10);
/// What stopping may take beyond its grace: killing, and taking networks and mounts down on a busy host.
const MARGIN: Duration = Duration::from_secs(30);

/// A container as far as these calls need it.
struct Seen {
    /// `container shop_api_1`.
    words: String,
    state: ContainerState,
    grace: Duration,
}

async fn look(wire: &Wire, id: &str) -> Result<Seen, EngineError> {
    let found = wire.container(id).await?;
    let name = found.name.unwrap_or_default().trim_start_matches('/').to_owned();
    let seconds = found.config.and_then(|config| config.stop_timeout).and_then(|t| u64::try_from(t).ok());
    Ok(Seen {
        words: if name.is_empty() { container_words(id) } else { format!("container {name}") },
        state: found.state.unwrap_or_default(),
        grace: seconds.map_or(DEFAULT_GRACE, Duration::from_secs),
    })
}

fn is(flag: Option<bool>) -> bool {
    flag == Some(true)
}

/// Whole seconds for the engine, upwards: a grace is never cut short.
fn seconds(grace: Duration) -> i32 {
    i32::try_from(grace.as_secs() + u64::from(grace.subsec_nanos() > 0)).unwrap_or(i32::MAX)
}

/// Starts a container; a paused one runs on.
pub(super) async fn start(wire: &Wire, id: &str) -> Result<Accepted, EngineError> {
    let seen = look(wire, id).await?;
    if is(seen.state.paused) {
        return unpause(wire, id).await;
    }
    if is(seen.state.running) && !is(seen.state.restarting) {
        return Ok(Accepted::AlreadySo);
    }
    wire.call(&seen.words, LONG, |docker| async move { docker.start_container(id, None).await }).await?;
    Ok(Accepted::Done)
}

/// Stops a container with its own signal and, unless given, its own grace.
pub(super) async fn stop(wire: &Wire, id: &str, grace: Option<Duration>) -> Result<Accepted, EngineError> {
    let seen = look(wire, id).await?;
    if !is(seen.state.running) && !is(seen.state.restarting) && !is(seen.state.paused) {
        return Ok(Accepted::AlreadySo);
    }
    let options = StopContainerOptionsBuilder::new();
    let options = grace.map_or(options.clone(), |grace| options.t(seconds(grace))).build();
    let limit = grace.unwrap_or(seen.grace) + MARGIN;
    wire.call(&seen.words, limit, |docker| async move { docker.stop_container(id, Some(options)).await }).await?;
    Ok(Accepted::Done)
}

/// Stops and starts a container.
pub(super) async fn restart(wire: &Wire, id: &str, grace: Option<Duration>) -> Result<Accepted, EngineError> {
    let seen = look(wire, id).await?;
    let options = RestartContainerOptionsBuilder::new();
    let options = grace.map_or(options.clone(), |grace| options.t(seconds(grace))).build();
    let limit = grace.unwrap_or(seen.grace) + MARGIN + LONG;
    wire.call(&seen.words, limit, |docker| async move { docker.restart_container(id, Some(options)).await }).await?;
    Ok(Accepted::Done)
}

/// Freezes a container.
pub(super) async fn pause(wire: &Wire, id: &str) -> Result<Accepted, EngineError> {
    let seen = look(wire, id).await?;
    if is(seen.state.paused) {
        return Ok(Accepted::AlreadySo);
    }
    wire.call(&seen.words, SHORT, |docker| async move { docker.pause_container(id).await }).await?;
    Ok(Accepted::Done)
}

/// Lets a frozen container run on.
pub(super) async fn unpause(wire: &Wire, id: &str) -> Result<Accepted, EngineError> {
    let seen = look(wire, id).await?;
    if !is(seen.state.paused) && is(seen.state.running) {
        return Ok(Accepted::AlreadySo);
    }
    wire.call(&seen.words, SHORT, |docker| async move { docker.unpause_container(id).await }).await?;
    Ok(Accepted::Done)
}

/// Sends a signal. A container that does not run needs none.
pub(super) async fn kill(wire: &Wire, id: &str, signal: &str) -> Result<Accepted, EngineError> {
    let seen = look(wire, id).await?;
    if !is(seen.state.running) && !is(seen.state.paused) {
        return Ok(Accepted::AlreadySo);
    }
    let options = KillContainerOptionsBuilder::new().signal(signal).build();
    let sent = wire.call(&seen.words, SHORT, |docker| async move { docker.kill_container(id, Some(options)).await }).await;
    match sent {
        // It ended between the look and the signal.
        Err(EngineError::Conflict { cause, .. } | EngineError::Rejected { message: cause, .. })
            if cause.contains("is not running") =>
        {
            Ok(Accepted::AlreadySo)
        }
        other => other.map(|()| Accepted::Done),
    }
}

/// Removes a container. Its volumes stay, those without a name too: taking data away is never a side effect.
pub(super) async fn remove(wire: &Wire, id: &str, force: bool) -> Result<Accepted, EngineError> {
    let words = match look(wire, id).await {
        Ok(seen) => seen.words,
        Err(EngineError::NotFound { .. }) => return Ok(Accepted::AlreadySo),
        Err(other) => return Err(other),
    };
    let options = RemoveContainerOptionsBuilder::new().force(force).v(false).build();
    match wire.call(&words, LONG, |docker| async move { docker.remove_container(id, Some(options)).await }).await {
        Ok(()) => Ok(Accepted::Done),
        Err(EngineError::NotFound { .. }) => Ok(Accepted::AlreadySo),
        Err(EngineError::Conflict { cause, .. }) if cause.contains("already in progress") => Ok(Accepted::AlreadySo),
        Err(other) => Err(other),
    }
}

/// Renames a container out of the way, as Compose does.
pub(super) async fn set_aside(wire: &Wire, id: &str) -> Result<Accepted, EngineError> {
    rename(wire, id, name::aside).await
}

/// Gives a container set aside its name back.
pub(super) async fn bring_back(wire: &Wire, id: &str) -> Result<Accepted, EngineError> {
    rename(wire, id, |id, name| name::proper(id, name).to_owned()).await
}

async fn rename(wire: &Wire, id: &str, new: impl Fn(&str, &str) -> String) -> Result<Accepted, EngineError> {
    let found = wire.container(id).await?;
    let (full, name) = (found.id.unwrap_or_default(), found.name.unwrap_or_default());
    let new = new(&full, &name);
    let name = name.trim_start_matches('/');
    if new == name {
        return Ok(Accepted::AlreadySo);
    }
    let options = RenameContainerOptionsBuilder::new().name(&new).build();
    let words = format!("container {name}");
    wire.call(&words, SHORT, |docker| async move { docker.rename_container(id, options).await }).await?;
    Ok(Accepted::Done)
}
