//! Creating a replica: its sister is looked at, its image settled, the container made and put on its networks. Asked
//! again for the same slot of the same operation, it answers the one that is there, whole.

use std::collections::{BTreeSet, HashMap};

use bollard::models::{ContainerInspectResponse, ImageConfig, ImageInspect, NetworkConnectRequest};
use bollard::query_parameters::{CreateContainerOptionsBuilder, ListContainersOptionsBuilder};

use super::definition::{self, Draft, Wanted};
use super::wire::{LONG, SHORT, Wire};
use super::{name, network};
use crate::engine::docker::labels;
use crate::engine::{EngineError, Report};
use crate::model::{InstanceId, OperationId};
use crate::observe::text::clean;
use crate::operate::Accepted;
use crate::operate::action::Replica;

/// Creates the replica, without starting it.
pub(super) async fn create(
    wire: &Wire,
    operation: &OperationId,
    replica: &Replica,
    report: &Report,
) -> Result<Accepted, EngineError> {
    let made = made_already(wire, operation, replica).await?;
    let like = match (wire.container(replica.like.as_str()).await, &made) {
        (Ok(like), _) => like,
        // The sister has gone since, but what was to be made is there.
        (Err(EngineError::NotFound { .. }), Some(id)) => return Ok(Accepted::Made(InstanceId::new(id.as_str()))),
        (Err(error), _) => return Err(error),
    };
    let image = settle_image(wire, &like, replica).await?;
    let defaults = defaults(wire, &like, &image, report).await?;
    let wanted = Wanted {
        name: new_name(&like, replica)?,
        number: replica.number,
        image: image.reference,
        image_id: image.id,
        operation: operation.as_str(),
        slot: replica.slot,
        revisions: replica.revisions.as_deref(),
        replaces: replica.number.is_none(),
        hidden: replica.hidden,
    };
    if made.is_none() {
        check_addresses(&like, replica, &wanted.name)?;
    }
    let draft = definition::draft(&like, defaults.as_ref(), wanted);
    let id = match made {
        Some(id) => id,
        None => make(wire, &draft).await?,
    };
    connect(wire, &id, &draft).await?;
    Ok(Accepted::Made(InstanceId::new(id)))
}

/// The container an earlier asking made.
async fn made_already(wire: &Wire, operation: &OperationId, replica: &Replica) -> Result<Option<String>, EngineError> {
    let wanted = vec![format!("{}={operation}", labels::OPERATION), format!("{}={}", labels::SLOT, replica.slot)];
    let filters = HashMap::from([("label".to_owned(), wanted)]);
    let options = ListContainersOptionsBuilder::new().all(true).filters(&filters).build();
    let what = format!("replica of {}", replica.workload);
    let found = wire.call(&what, SHORT, |docker| async move { docker.list_containers(Some(options)).await }).await?;
    // A lock carries an operation too, under another label; what is on its way out does not count, nor what runs a command.
    let is_one_off = |labels: &HashMap<String, String>| labels.get(labels::ONE_OFF).is_some_and(|value| value == "True");
    Ok(found
        .into_iter()
        .filter(|c| c.state != Some(bollard::models::ContainerSummaryStateEnum::REMOVING))
        .filter(|c| !c.labels.as_ref().is_some_and(is_one_off))
        .find_map(|c| c.id))
}

pub(super) async fn make(wire: &Wire, draft: &Draft) -> Result<String, EngineError> {
    let options = CreateContainerOptionsBuilder::new().name(&draft.name).build();
    let body = draft.body.clone();
    let what = format!("container {}", draft.name);
    let made = wire.call(&what, LONG, |docker| async move { docker.create_container(Some(options), body).await }).await?;
    Ok(made.id)
}

/// Puts the container on the networks it is not on yet.
pub(super) async fn connect(wire: &Wire, id: &str, draft: &Draft) -> Result<(), EngineError> {
    if draft.further.is_empty() {
        return Ok(());
    }
    let on = wire.container(id).await?.network_settings.and_then(|settings| settings.networks).unwrap_or_default();
    let on: BTreeSet<&str> = on.keys().map(String::as_str).collect();
    for endpoint in draft.further.iter().filter(|endpoint| !on.contains(endpoint.network.as_str())) {
        let request = NetworkConnectRequest { container: id.to_owned(), endpoint_config: Some(endpoint.settings.clone()) };
        let what = format!("container {} on network {}", draft.name, endpoint.network);
        let network = endpoint.id.as_deref().unwrap_or(&endpoint.network);
        wire.call(&what, SHORT, |docker| async move { docker.connect_network(network, request).await }).await?;
    }
    Ok(())
}

/// The image a replica is made from.
pub(super) struct Settled {
    /// What the engine is told.
    pub(super) reference: String,
    pub(super) id: String,
    found: ImageInspect,
}

/// Settles what the replica is made from: the reference where it still means the wanted content, else the content's id.
pub(super) async fn settle_image(
    wire: &Wire,
    like: &ContainerInspectResponse,
    replica: &Replica,
) -> Result<Settled, EngineError> {
    let reference = replica.image.as_deref().or(like.config.as_ref().and_then(|config| config.image.as_deref()));
    let reference = reference.or(like.image.as_deref()).unwrap_or_default().to_owned();
    // Without another image, a sister is of the same content, even where the tag has moved on since.
    let content = replica.digest.as_deref().or(if replica.image.is_none() { like.image.as_deref() } else { None });
    let by_name = wire.image(&reference).await?;
    let id_of = |image: &ImageInspect| image.id.clone().unwrap_or_default();
    match (by_name, content) {
        (Some(found), None) => Ok(Settled { reference, id: id_of(&found), found }),
        (Some(found), Some(content)) if found.id.as_deref() == Some(content) => {
            Ok(Settled { reference, id: id_of(&found), found })
        }
        (_, Some(content)) => {
            let Some(found) = wire.image(content).await? else {
                let what = format!("the content {content} of image {}, which is no longer on this host,", clean(&reference));
                return Err(EngineError::NotFound { what: what.into() });
            };
            Ok(Settled { reference: id_of(&found), id: id_of(&found), found })
        }
        (None, None) => Err(EngineError::NotFound { what: format!("image {}", clean(&reference)).into() }),
    }
}

/// What the sister's own image says, so that the author's wishes can be told from it; `None` when that image is gone.
pub(super) async fn defaults(
    wire: &Wire,
    like: &ContainerInspectResponse,
    image: &Settled,
    report: &Report,
) -> Result<Option<ImageConfig>, EngineError> {
    let defaults = match like.image.as_deref() {
        Some(id) if id == image.id => image.found.config.clone(),
        Some(id) => wire.image(id).await?.and_then(|image| image.config),
        None => None,
    };
    if defaults.is_none() {
        report("the old image is gone: settings that came from it are kept".to_owned());
    }
    Ok(defaults)
}

/// The new container's name.
fn new_name(like: &ContainerInspectResponse, replica: &Replica) -> Result<String, EngineError> {
    let proper = name::proper(like.id.as_deref().unwrap_or_default(), like.name.as_deref().unwrap_or_default());
    let number = number_of(like);
    match (replica.number, number) {
        (None, _) => Ok(proper.to_owned()),
        (Some(to), Some(from)) if to == from => Ok(proper.to_owned()),
        (Some(to), Some(from)) => name::renumbered(proper, from, to).ok_or_else(|| EngineError::Conflict {
            what: format!("the name {}", clean(proper)).into(),
            cause: "it is given in the definition (container_name), so there can be only one".into(),
        }),
        (Some(_), None) => Err(EngineError::Unsupported {
            what: format!("a second {}", clean(proper)).into(),
            why: "it belongs to no Compose project, so its replicas have no numbers to tell them apart".into(),
        }),
    }
}

fn number_of(like: &ContainerInspectResponse) -> Option<u32> {
    like.config.as_ref()?.labels.as_ref()?.get(labels::NUMBER)?.parse().ok()
}

/// A fixed address cannot be doubled: a replica beside its sister can never start. One in its place may be made while the
/// old one still runs; should it be started too early, the engine says that the address is in use.
fn check_addresses(like: &ContainerInspectResponse, replica: &Replica, name: &str) -> Result<(), EngineError> {
    let fixed = network::fixed_addresses(like);
    let Some((network, address)) = fixed.first() else { return Ok(()) };
    if replica.number.is_none_or(|number| Some(number) == number_of(like)) {
        return Ok(());
    }
    let sister = name::proper(like.id.as_deref().unwrap_or_default(), like.name.as_deref().unwrap_or_default());
    Err(EngineError::Conflict {
        what: format!("the fixed address {address} of {} on network {}", clean(sister), clean(network)).into(),
        cause: format!("{} would need it too: it is given in the definition, so there can be only one", clean(name)).into(),
    })
}
