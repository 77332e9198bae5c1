//! What changed before this? Gathers what is known to have happened around a thing before a moment: the timeline,
//! operations, revisions, what instances say of themselves; the order of likelihood is [`crate::observe::cause`]'s.

mod about;
mod gather;
mod words;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::model::{EnvironmentId, InstanceId, Item, OperationId, WorkloadId};
use crate::observe::cause::{Candidate, rank};

use super::state::State;

pub use about::{about, began, of_selection};
pub use words::{ahead, how_often, line};

/// The workload a timeline item is about, where it is known.
#[must_use]
pub fn owner(state: &State, item: &Item) -> Option<WorkloadId> {
    gather::owner_of(state.snapshot(&item.environment)?, &item.subject)
}

/// How far back is looked first, and when asked for more.
pub const WINDOWS: [Duration; 4] = [
    Duration::from_secs(3600),
    Duration::from_secs(6 * 3600),
    Duration::from_secs(24 * 3600),
    Duration::from_secs(7 * 24 * 3600),
];
/// Causes told at a time.
const MOST: usize = 100;

/// What is asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// `backend is unhealthy`, `BreakerOpen on app_ap`.
    pub title: Arc<str>,
    pub environment: EnvironmentId,
    /// `None`: the environment as a whole.
    pub workload: Option<WorkloadId>,
    /// Before this.
    pub moment: Timestamp,
    /// The moment is when it began; otherwise that is not known, or nothing is wrong, and it is now.
    pub began: bool,
}

/// Where a cause leads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lead {
    pub environment: Option<EnvironmentId>,
    pub workload: Option<WorkloadId>,
    pub instance: Option<InstanceId>,
    pub revision: Option<u64>,
    pub operation: Option<OperationId>,
}

/// What is known to have happened before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changes {
    pub asked: Asked,
    pub window: Duration,
    /// Most likely first.
    pub causes: Vec<Candidate<Lead>>,
    /// Causes left out because there are too many.
    pub left_out: usize,
    /// What the engine told of the environment goes back no further than this; `None` when it has told nothing.
    pub told_from: Option<Timestamp>,
}

/// What happened in the window before it.
#[must_use]
pub fn before(state: &State, asked: Asked, window: Duration) -> Changes {
    let from = asked.moment.checked_sub(window).unwrap_or(Timestamp::MIN);
    let mut causes = rank(asked.moment, from, gather::candidates(state, &asked, from));
    let left_out = causes.len().saturating_sub(MOST);
    causes.truncate(MOST);
    let told = state.timeline.iter().map(|(_, item)| item).filter(|i| i.environment == asked.environment);
    let told_from = told.map(|i| i.at).min();
    Changes { asked, window, causes, left_out, told_from }
}
