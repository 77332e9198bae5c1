//! What happened: one item of the timeline.

use std::sync::Arc;

use jiff::Timestamp;

use super::EnvironmentId;

/// Where a timeline item comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    Engine,
    Operation,
    Health,
    Alert,
    Log,
}

impl Source {
    /// Every source.
    pub const ALL: [Self; 5] = [Self::Engine, Self::Operation, Self::Health, Self::Alert, Self::Log];

    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Engine => "engine",
            Self::Operation => "operation",
            Self::Health => "health",
            Self::Alert => "alert",
            Self::Log => "log",
        }
    }
}

/// One thing that happened. Text is sanitised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    pub at: Timestamp,
    pub environment: EnvironmentId,
    /// A workload or instance name, or the environment's own.
    pub subject: Arc<str>,
    pub source: Source,
    /// A short word: `start`, `die`, `oom`, `unhealthy`, `deploy`.
    pub what: Arc<str>,
    pub detail: Arc<str>,
}
