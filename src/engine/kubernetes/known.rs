//! What the topics of one cluster share: the last inventory, where figures come from, when something was changed last.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::model::{Instance, InstanceId, Inventory};

/// How long after a change the inventory is told anew even where nothing has changed: a gate asks how fresh it is.
const WATCHED_FOR: Duration = Duration::from_secs(20);

/// Shared by the topics of a cluster; everything in it is optional, every topic works without.
#[derive(Debug)]
pub struct Known {
    inventory: watch::Sender<Option<Arc<Inventory>>>,
    figures: Mutex<Figures>,
    acted: Mutex<Option<Instant>>,
}

/// Where figures come from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// The basis, in words; empty while nobody has asked.
    pub basis: Arc<str>,
    /// Why there are none.
    pub trouble: Option<Arc<str>>,
}

impl Default for Known {
    fn default() -> Self {
        Self { inventory: watch::Sender::new(None), figures: Mutex::default(), acted: Mutex::default() }
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

    /// Nobody follows the inventory any more; it would only grow old.
    pub(super) fn forget(&self) {
        self.inventory.send_replace(None);
    }

    /// Where figures come from, as far as is known.
    #[must_use]
    pub fn figures(&self) -> Figures {
        self.figures.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn set_figures(&self, figures: Figures) {
        *self.figures.lock().unwrap_or_else(PoisonError::into_inner) = figures;
    }

    /// Something is being changed: how fresh what is shown is matters now.
    pub fn acted(&self) {
        *self.acted.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// Whether somebody may wait for what a change does.
    #[must_use]
    pub fn is_watched(&self) -> bool {
        self.acted.lock().unwrap_or_else(PoisonError::into_inner).is_some_and(|at| at.elapsed() < WATCHED_FOR)
    }

    /// The pods last seen, by id.
    #[must_use]
    pub fn instances(&self) -> BTreeMap<InstanceId, Arc<Instance>> {
        let inventory = self.inventory.borrow();
        let all = inventory.iter().flat_map(|i| &i.environments).flat_map(|e| &e.workloads).flat_map(|w| &w.instances);
        all.map(|instance| (instance.id.clone(), instance.clone())).collect()
    }
}
