//! One version of a workload: what ran, since when, by whom and why.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One version of a workload. Written on the engine (labels), so every console sees the same history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revision {
    /// Counts up by one from 1.
    #[serde(rename = "revision")]
    pub number: u64,
    pub image: Arc<str>,
    pub digest: Option<Arc<str>>,
    pub at: Option<Timestamp>,
    /// `user@host`; unknown for what quarterdeck did not make.
    pub by: Option<Arc<str>>,
    pub cause: Option<Arc<str>>,
}
