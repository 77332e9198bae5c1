//! What the topics of one endpoint share: the last inventory, when the connection was taken up again, the last counters.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;
use tokio::time::Instant;

use super::client::Client;
use super::convert::Group;
use super::labels::LOOSE;
use super::stats::Reading;
use crate::model::{InstanceId, InstanceState, Inventory};

/// Shared by the topics of an endpoint; everything in it is optional, every topic works without.
#[derive(Debug)]
pub struct Known {
    inventory: watch::Sender<Option<Arc<Inventory>>>,
    /// When the engine was lost that is back now: connections older than that may hang without anybody noticing.
    returned: watch::Sender<Option<Instant>>,
    readings: Mutex<HashMap<InstanceId, Reading>>,
    /// What the environments that were seen stand for, by name.
    groups: Mutex<HashMap<Arc<str>, Group>>,
    /// The Swarm tasks there are.
    tasks: Mutex<HashMap<InstanceId, Whereabouts>>,
    /// How many inventory topics are followed now.
    followers: AtomicUsize,
}

/// Where a Swarm task is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whereabouts {
    /// Its container, when that is on this node.
    pub container: Option<Arc<str>>,
    /// The attempt before it in its place.
    pub before: Option<InstanceId>,
    /// Why it cannot be reached from here, when it cannot.
    pub elsewhere: Option<Arc<str>>,
}

/// Somebody follows the inventory for as long as this lives.
pub(super) struct Follower {
    client: Client,
}

impl Drop for Follower {
    fn drop(&mut self) {
        let known = self.client.known();
        if known.followers.fetch_sub(1, Ordering::AcqRel) == 1 {
            // It would only grow old.
            known.inventory.send_replace(None);
        }
    }
}

impl Default for Known {
    fn default() -> Self {
        Self {
            inventory: watch::Sender::new(None),
            returned: watch::Sender::new(None),
            readings: Mutex::default(),
            groups: Mutex::default(),
            tasks: Mutex::default(),
            followers: AtomicUsize::new(0),
        }
    }
}

impl Known {
    /// The last inventory seen, if one is followed.
    #[must_use]
    pub fn inventory(&self) -> Option<Arc<Inventory>> {
        self.inventory.borrow().clone()
    }

    /// Wakes when another inventory is seen.
    #[must_use]
    pub fn inventories(&self) -> watch::Receiver<Option<Arc<Inventory>>> {
        self.inventory.subscribe()
    }

    pub(super) fn saw(&self, inventory: Arc<Inventory>) {
        self.inventory.send_replace(Some(inventory));
    }

    /// From now on somebody follows the inventory of `client`, whose knowledge this is.
    pub(super) fn follower(client: &Client) -> Follower {
        client.known().followers.fetch_add(1, Ordering::AcqRel);
        Follower { client: client.clone() }
    }

    /// Wakes when the engine is back after it was gone; tells since when it had been.
    #[must_use]
    pub fn returns(&self) -> watch::Receiver<Option<Instant>> {
        self.returned.subscribe()
    }

    pub(super) fn came_back(&self, lost_at: Instant) {
        self.returned.send_replace(Some(lost_at));
    }

    /// Whether the instance may be running, as far as is known.
    #[must_use]
    pub fn may_run(&self, id: &InstanceId) -> bool {
        let inventory = self.inventory.borrow();
        inventory.as_ref().is_none_or(|inventory| {
            let instance = inventory.environments.iter().find_map(|e| e.instance(id));
            instance.is_some_and(|(_, i)| {
                matches!(i.state, InstanceState::Running | InstanceState::Paused | InstanceState::Restarting)
            })
        })
    }

    /// The counters last read of an instance, and keeps these instead.
    pub(super) fn exchange(&self, id: &InstanceId, reading: Reading) -> Option<Reading> {
        self.readings.lock().unwrap_or_else(PoisonError::into_inner).insert(id.clone(), reading)
    }

    /// Keeps the counters of these instances only.
    pub(super) fn retain_readings(&self, keep: impl Fn(&InstanceId) -> bool) {
        self.readings.lock().unwrap_or_else(PoisonError::into_inner).retain(|id, _| keep(id));
    }

    /// What an environment that is not configured stands for; a Compose project where it was never seen.
    pub(super) fn group(&self, environment: &Arc<str>) -> Group {
        let groups = self.groups.lock().unwrap_or_else(PoisonError::into_inner);
        let found = groups.get(environment).cloned();
        found.unwrap_or_else(|| if **environment == *LOOSE { Group::Loose } else { Group::Project(environment.clone()) })
    }

    pub(super) fn set_groups(&self, groups: HashMap<Arc<str>, Group>) {
        *self.groups.lock().unwrap_or_else(PoisonError::into_inner) = groups;
    }

    /// Where an instance is, if it is a task.
    pub(in crate::engine::docker) fn whereabouts(&self, id: &InstanceId) -> Option<Whereabouts> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }

    pub(super) fn set_tasks(&self, tasks: HashMap<InstanceId, Whereabouts>) {
        *self.tasks.lock().unwrap_or_else(PoisonError::into_inner) = tasks;
    }
}
