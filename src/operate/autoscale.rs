//! Autoscaling of workloads whose engine has none: policies over measured figures that recommend, or act.

use std::sync::Arc;
use std::time::Duration;

use crate::model::WorkloadId;

/// When a workload gets more or fewer replicas.
#[derive(Clone, Debug, PartialEq)]
pub struct Autoscale {
    pub workload: WorkloadId,
    /// A figure by name: `cpu`, `memory`, `error_rate`, `p95`, a scraped family, an expression of Prometheus.
    pub metric: Arc<str>,
    /// More replicas above this.
    pub above: Option<f64>,
    /// Fewer below this.
    pub below: Option<f64>,
    /// It must hold so long.
    pub during: Duration,
    /// Replicas more or fewer at a time.
    pub step: u32,
    pub min: u32,
    pub max: u32,
    /// Nothing follows an adjustment for so long.
    pub cooldown: Duration,
    pub mode: Mode,
}

/// Whether a policy says or does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    #[default]
    Recommend,
    Act,
}

impl Mode {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Recommend => "recommend",
            Self::Act => "act",
        }
    }
}
