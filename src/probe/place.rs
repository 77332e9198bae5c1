//! Where an address leads: from here, or for each instance through its engine, which knows them by name.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;

use super::stream::{INSIDE, Way};
use crate::engine::{Engine, Topic, Update};
use crate::model::{InstanceId, Link};
use crate::operate::action::InstanceRef;

/// How long the engine is asked.
const WITHIN: Duration = Duration::from_secs(10);
/// What stands in an address for that of each instance.
const MARK: &str = "{instance}";

/// An address to be looked at.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// The name of the instance it is one of.
    pub(super) instance: Option<Arc<str>>,
    pub(super) address: String,
    pub(super) way: Way,
}

impl Place {
    /// An address as it is written.
    pub(super) fn plain(address: &str) -> Self {
        Self { instance: None, address: address.to_owned(), way: Way::Direct }
    }

    /// The address of one instance, asked through its engine.
    pub(super) fn inside(engine: &Arc<dyn Engine>, instance: &InstanceId, address: &str) -> Self {
        let way = Way::Through(engine.clone(), instance.clone());
        Self { instance: None, address: address.replace(MARK, INSIDE), way }
    }

    /// What is said of it: with the instance it is about.
    pub(super) fn says(&self, words: &str) -> String {
        self.instance.as_ref().map_or_else(|| words.to_owned(), |name| format!("{name}: {words}"))
    }
}

/// Whether an address is one of each instance.
pub(super) fn is_of_instances(address: &str) -> bool {
    address.contains(MARK)
}

/// The places an address stands for.
///
/// # Errors
/// A sentence when the engine does not tell, or an instance is gone.
pub(super) async fn places(
    engine: Option<&Arc<dyn Engine>>,
    address: &str,
    instances: &[InstanceRef],
) -> Result<Vec<Place>, String> {
    if !is_of_instances(address) {
        return Ok(vec![Place::plain(address)]);
    }
    if instances.is_empty() {
        return Err("there is no instance to ask".to_owned());
    }
    let engine = engine.ok_or("its engine is not connected")?;
    let ids = ids(instances)?;
    let names = tokio::time::timeout(WITHIN, names(&**engine, &ids))
        .await
        .map_err(|_| format!("its engine did not tell where it is within {}", super::seconds(WITHIN)))??;
    let place = |(id, name)| Place { instance: Some(name), ..Place::inside(engine, id, address) };
    Ok(ids.iter().zip(names).map(place).collect())
}

/// The instances, all of which must be made by now.
///
/// # Errors
/// A sentence when one is not.
pub(super) fn ids(instances: &[InstanceRef]) -> Result<Vec<InstanceId>, String> {
    let id = |instance: &InstanceRef| match instance {
        InstanceRef::Known(id) => Ok(id.clone()),
        InstanceRef::Made(slot) => Err(format!("new replica {slot} has not been made yet")),
    };
    instances.iter().map(id).collect()
}

/// The names of these instances, as of now.
async fn names(engine: &dyn Engine, instances: &[InstanceId]) -> Result<Vec<Arc<str>>, String> {
    let mut updates = engine.subscribe(Topic::Inventory);
    while let Some(update) = updates.next().await {
        match update {
            Update::Inventory(inventory) => {
                let find = |id: &InstanceId| {
                    let seen = inventory.environments.iter().find_map(|snapshot| snapshot.instance(id));
                    seen.map(|(_, instance)| instance.name.clone())
                };
                return instances.iter().map(|id| find(id).ok_or_else(|| format!("the instance {id} is gone"))).collect();
            }
            Update::Link(Link::Failed { error, .. } | Link::Stale { error, .. }) => return Err(error.to_string()),
            Update::Link(Link::Connecting | Link::Live { .. })
            | Update::Events(_)
            | Update::Samples(_)
            | Update::Logs(_)
            | Update::Description(_) => {}
        }
    }
    Err("its engine does not tell".to_owned())
}
