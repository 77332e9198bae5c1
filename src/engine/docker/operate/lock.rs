//! The lock of an environment: a container that is never started, whose fixed name the engine gives out once and whose
//! labels say who holds it, why, and since when.

use std::collections::HashMap;

use bollard::models::{ContainerCreateBody, HostConfig};
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, ListContainersOptionsBuilder, ListImagesOptions, RemoveContainerOptionsBuilder,
};
use jiff::Timestamp;

use super::wire::{SHORT, Wire};
use crate::engine::EngineError;
use crate::engine::docker::labels;
use crate::model::{LockHolder, OperationId};
use crate::observe::text::clean;
use crate::operate::Accepted;

/// How often taking is tried when the lock changes hands between the refusal and the look at who holds it.
const TRIES: u32 = 3;

/// Takes the lock of `scope`, taking exactly the lock `replaces` away first.
pub(super) async fn take(
    wire: &Wire,
    scope: &str,
    holder: &LockHolder,
    replaces: Option<&LockHolder>,
) -> Result<Accepted, EngineError> {
    let name = labels::lock_name(scope);
    let words = format!("the lock of {scope}");
    let body = body(wire, scope, holder).await?;
    for _ in 0..TRIES {
        let options = CreateContainerOptionsBuilder::new().name(&name).build();
        let asked = body.clone();
        let made = wire.call(&words, SHORT, |docker| async move { docker.create_container(Some(options), asked).await }).await;
        match made {
            Ok(_) => return Ok(Accepted::Done),
            Err(EngineError::Conflict { .. }) => {}
            Err(other) => return Err(other),
        }
        let found = match wire.container(&name).await {
            Ok(found) => found,
            Err(EngineError::NotFound { .. }) => continue,
            Err(other) => return Err(other),
        };
        let written = found.config.and_then(|config| config.labels).unwrap_or_default();
        if is_of(&written, holder) {
            return Ok(Accepted::AlreadySo);
        }
        if !replaces.is_some_and(|old| is_of(&written, old)) {
            return Err(held(&written, &words, &name));
        }
        give_back(wire, scope, &found.id.unwrap_or_else(|| name.clone())).await?;
    }
    Err(EngineError::Conflict { what: words.into(), cause: "it is taken and given back all the time".into() })
}

/// Whether these labels are the lock of `holder`: an operation's lock is its own wherever it goes on, one taken by hand
/// is the one taken by that person at that moment.
fn is_of(written: &HashMap<String, String>, holder: &LockHolder) -> bool {
    let label = |key: &str| written.get(key).map(String::as_str);
    let same_operation = label(labels::LOCK_OPERATION) == holder.operation.as_ref().map(OperationId::as_str);
    let since = label(labels::LOCK_SINCE).and_then(|since| since.parse::<Timestamp>().ok());
    let same_person = label(labels::LOCK_BY) == Some(&*holder.by) && since == Some(holder.since);
    label(labels::LOCK).is_some() && same_operation && (holder.operation.is_some() || same_person)
}

/// Somebody else holds the lock, or something else its name.
fn held(written: &HashMap<String, String>, words: &str, name: &str) -> EngineError {
    if !written.contains_key(labels::LOCK) {
        let cause = format!("container {name} has its name and is no lock");
        return EngineError::Conflict { what: words.into(), cause: cause.into() };
    }
    let part = |key: &str| written.get(key).map_or("an unknown time".into(), |text| clean(text).into_owned());
    let by = written.get(labels::LOCK_BY).map_or("somebody".into(), |by| clean(by).into_owned());
    let why = written.get(labels::LOCK_WHY).filter(|why| !why.is_empty()).map(|why| format!(": {}", clean(why)));
    let cause = format!("{by} has held it since {}{}", part(labels::LOCK_SINCE), why.unwrap_or_default());
    EngineError::Conflict { what: words.into(), cause: cause.into() }
}

/// Gives the lock of `scope` back; with an operation, only if that one holds it.
pub(super) async fn release(wire: &Wire, scope: &str, operation: Option<&OperationId>) -> Result<Accepted, EngineError> {
    let name = labels::lock_name(scope);
    let found = match wire.container(&name).await {
        Ok(found) => found,
        Err(EngineError::NotFound { .. }) => return Ok(Accepted::AlreadySo),
        Err(other) => return Err(other),
    };
    let found_labels = found.config.and_then(|config| config.labels).unwrap_or_default();
    let is_lock = found_labels.contains_key(labels::LOCK);
    let is_ours = operation.is_none_or(|op| found_labels.get(labels::LOCK_OPERATION).is_some_and(|held| held == op.as_str()));
    if !is_lock || !is_ours {
        return Ok(Accepted::AlreadySo);
    }
    // By id: were it given back and taken by somebody else meanwhile, theirs has another one.
    give_back(wire, scope, &found.id.unwrap_or(name)).await
}

async fn give_back(wire: &Wire, scope: &str, id: &str) -> Result<Accepted, EngineError> {
    // Its volumes are those its image declares, made for nothing.
    let options = RemoveContainerOptionsBuilder::new().force(false).v(true).build();
    let words = format!("the lock of {scope}");
    match wire.call(&words, SHORT, |docker| async move { docker.remove_container(id, Some(options)).await }).await {
        Ok(()) => Ok(Accepted::Done),
        Err(EngineError::NotFound { .. }) => Ok(Accepted::AlreadySo),
        Err(other) => Err(other),
    }
}

/// The lock container: of an image that is there already, unable to run, on no network.
async fn body(wire: &Wire, scope: &str, holder: &LockHolder) -> Result<ContainerCreateBody, EngineError> {
    let image = any_image(wire, scope).await?;
    let inherited = wire.image(&image).await?.and_then(|image| image.config).and_then(|config| config.labels).unwrap_or_default();
    // An image built by Compose would make the lock look like one of the project's containers.
    let mut all: HashMap<String, String> =
        inherited.into_keys().filter(|key| key.starts_with("com.docker.compose.")).map(|key| (key, String::new())).collect();
    all.extend(labels_of(scope, holder));
    Ok(ContainerCreateBody {
        image: Some(image),
        entrypoint: Some(vec!["/quarterdeck-lock".to_owned()]),
        labels: Some(all),
        network_disabled: Some(true),
        host_config: Some(HostConfig { network_mode: Some("none".to_owned()), ..HostConfig::default() }),
        ..ContainerCreateBody::default()
    })
}

/// The image of one of the scope's containers, else of any, else any image: only its being there matters.
async fn any_image(wire: &Wire, scope: &str) -> Result<String, EngineError> {
    let words = format!("the lock of {scope}");
    let project = HashMap::from([("label".to_owned(), vec![format!("{}={scope}", labels::PROJECT)])]);
    for filters in [project, HashMap::new()] {
        let options = ListContainersOptionsBuilder::new().all(true).limit(1).filters(&filters).build();
        let found = wire.call(&words, SHORT, |docker| async move { docker.list_containers(Some(options)).await }).await?;
        if let Some(id) = found.into_iter().find_map(|container| container.image_id) {
            return Ok(id);
        }
    }
    let images = wire.call(&words, SHORT, |docker| async move { docker.list_images(None::<ListImagesOptions>).await }).await?;
    images.into_iter().map(|image| image.id).next().ok_or_else(|| EngineError::Unsupported {
        what: words.into(),
        why: "the lock is a container, and the engine has no image to make one from".into(),
    })
}

/// What the lock says of its holder.
fn labels_of(scope: &str, holder: &LockHolder) -> HashMap<String, String> {
    let mut all = vec![
        (labels::LOCK, scope.to_owned()),
        (labels::LOCK_BY, holder.by.to_string()),
        (labels::LOCK_HOST, holder.host.to_string()),
        (labels::LOCK_PID, holder.pid.to_string()),
        (labels::LOCK_PID_STARTED, holder.pid_started.to_string()),
        (labels::LOCK_WHY, holder.why.to_string()),
        (labels::LOCK_SINCE, holder.since.to_string()),
    ];
    all.extend(holder.operation.as_ref().map(|operation| (labels::LOCK_OPERATION, operation.to_string())));
    all.extend(holder.request.as_ref().map(|request| (labels::LOCK_REQUEST, request.to_string())));
    all.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holder(by: &str, since: i64, operation: Option<&str>) -> LockHolder {
        LockHolder {
            by: by.into(),
            host: "desk".into(),
            pid: 7,
            pid_started: 99,
            why: "deploy api".into(),
            since: Timestamp::from_second(since).unwrap(),
            operation: operation.map(OperationId::from),
            request: None,
        }
    }

    #[test]
    fn a_lock_is_its_operations_or_its_persons() {
        let table = [
            (holder("ada", 1, Some("op-1")), holder("ada", 1, Some("op-1")), true),
            // Recovered by somebody else, later.
            (holder("ada", 1, Some("op-1")), holder("bob", 2, Some("op-1")), true),
            (holder("ada", 1, Some("op-1")), holder("ada", 1, Some("op-2")), false),
            (holder("ada", 1, Some("op-1")), holder("ada", 1, None), false),
            (holder("ada", 1, None), holder("ada", 1, None), true),
            (holder("ada", 1, None), holder("ada", 2, None), false),
            (holder("ada", 1, None), holder("bob", 1, None), false),
            (holder("ada", 1, None), holder("ada", 1, Some("op-1")), false),
        ];
        for (written, asks, expected) in table {
            assert_eq!(is_of(&labels_of("shop", &written), &asks), expected, "{written:?} asked by {asks:?}");
        }
        assert!(!is_of(&HashMap::new(), &holder("ada", 1, None)), "not a lock at all");
    }

    #[test]
    fn a_conflict_names_holder_reason_and_time() {
        let written = labels_of("shop", &holder("ada\u{1b}[2J@desk", 0, None));
        let error = held(&written, "the lock of shop", "quarterdeck-lock-shop").to_string();
        assert_eq!(error, "the lock of shop is in the way: ada@desk has held it since 1970-01-01T00:00:00Z: deploy api");
        let error = held(&HashMap::new(), "the lock of shop", "quarterdeck-lock-shop").to_string();
        assert_eq!(error, "the lock of shop is in the way: container quarterdeck-lock-shop has its name and is no lock");
    }
}
