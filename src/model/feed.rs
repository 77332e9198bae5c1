//! How far what is shown can be trusted: the state of one stream of observations.

use std::sync::Arc;

use jiff::Timestamp;

/// The state of a feed. What was last seen is kept apart from it: unreachable is never drawn as empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Link {
    /// Nothing seen yet.
    #[default]
    Connecting,
    /// Fresh. `latency_ms` is the last round trip.
    Live { latency_ms: Option<u64> },
    /// Was live; nothing heard since, trying again.
    Stale { since: Timestamp, error: Arc<str>, retry_at: Option<Timestamp> },
    /// Never was live and cannot be without help; still trying, slowly.
    Failed { since: Timestamp, error: Arc<str>, hint: Arc<str>, retry_at: Option<Timestamp> },
}

impl Link {
    /// The word for the state.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Live { .. } => "live",
            Self::Stale { .. } => "stale",
            Self::Failed { .. } => "failed",
        }
    }

    /// Whether what is shown is as fresh as it can be.
    #[must_use]
    pub fn is_live(&self) -> bool {
        matches!(self, Self::Live { .. })
    }
}
