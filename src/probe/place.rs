//! Where instances are: their addresses and names, as their engine knows them.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;

use crate::engine::{Engine, Topic, Update};
use crate::model::{InstanceId, Link};
use crate::operate::action::InstanceRef;

/// How long the engine is asked.
const WITHIN: Duration = Duration::from_secs(10);
/// What stands in an address for that of each instance.
const MARK: &str = "{instance}";

/// An address to be looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// The instance it is one of, by its name.
    pub(super) instance: Option<Arc<str>>,
    pub(super) address: String,
}

impl Place {
    /// What is said of it: with the instance it is about.
    pub(super) fn says(&self, words: &str) -> String {
        self.instance.as_ref().map_or_else(|| words.to_owned(), |name| format!("{name}: {words}"))
    }

    /// Why nothing came back: the address of an instance may mean nothing here.
    pub(super) fn silence(&self, why: &str) -> String {
        if self.instance.is_none() {
            return why.to_owned();
        }
        let hint = "an instance's own address can be reached on its engine's machine only; from elsewhere use a published \
                    port or an exec probe";
        self.says(&format!("{why} ({hint})"))
    }
}

/// The places an address stands for.
///
/// # Errors
/// A sentence when the engine does not tell, or an instance has no address.
pub(super) async fn places(engine: Option<&dyn Engine>, address: &str, instances: &[InstanceRef]) -> Result<Vec<Place>, String> {
    if !address.contains(MARK) {
        return Ok(vec![Place { instance: None, address: address.to_owned() }]);
    }
    if instances.is_empty() {
        return Err("there is no instance to ask".to_owned());
    }
    let engine = engine.ok_or("its engine is not connected")?;
    let known = tokio::time::timeout(WITHIN, known(engine, &ids(instances)?))
        .await
        .map_err(|_| format!("its engine did not tell where it is within {}", super::seconds(WITHIN)))??;
    known
        .into_iter()
        .map(|(name, ip)| {
            let ip = ip.ok_or_else(|| format!("{name} has no address: it does not run, or has no network of its own"))?;
            let ip = if ip.contains(':') { format!("[{ip}]") } else { ip.to_string() };
            Ok(Place { instance: Some(name), address: address.replace(MARK, &ip) })
        })
        .collect()
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

/// Names and addresses of these instances, as of now.
async fn known(engine: &dyn Engine, instances: &[InstanceId]) -> Result<Vec<(Arc<str>, Option<Arc<str>>)>, String> {
    let mut updates = engine.subscribe(Topic::Inventory);
    while let Some(update) = updates.next().await {
        match update {
            Update::Inventory(inventory) => {
                let find = |id: &InstanceId| {
                    let seen = inventory.environments.iter().find_map(|snapshot| snapshot.instance(id));
                    seen.map(|(_, instance)| (instance.name.clone(), instance.ip.clone()))
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
