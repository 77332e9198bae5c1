//! The lock of an environment: a container that is never started, whose fixed name the engine gives out once and whose
//! labels say who holds it, why, and since when.

use std::collections::HashMap;

use super::lock_labels::{TRIES, held, is_of, labels_of};
use super::wire::{SHORT, Wire};
use crate::engine::EngineError;
use crate::engine::docker::labels;
use crate::model::{LockHolder, OperationId};
use crate::operate::Accepted;
use bollard::models::{ContainerCreateBody, HostConfig};
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, ListContainersOptionsBuilder, ListImagesOptions, RemoveContainerOptionsBuilder,
};

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
            return Err(held(&written, &words, &format!("container {name}")));
        }
        give_back(wire, scope, &found.id.unwrap_or_else(|| name.clone())).await?;
    }
    Err(EngineError::Conflict { what: words.into(), cause: "it is taken and given back all the time".into() })
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
