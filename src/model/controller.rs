//! What only a workload has whose engine makes its wanted state so by a controller of its own (Kubernetes).

use std::sync::Arc;

use jiff::Timestamp;

/// What the controller of a workload was told and says. Text is sanitised.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Controller {
    pub namespace: Arc<str>,
    /// The name there; a workload's id may say more, to be unique.
    pub name: Arc<str>,
    /// `RollingUpdate (surge 1, unavailable 0)`, `Recreate`, `OnDelete`; empty where it has none.
    pub strategy: Arc<str>,
    /// Pods of the current template, and those that have been ready for long enough.
    pub updated: u32,
    pub available: u32,
    /// A Deployment's rollout is paused, or a CronJob is suspended.
    pub paused: bool,
    /// A CronJob's times.
    pub schedule: Option<Arc<str>>,
    pub last_run: Option<Timestamp>,
    /// The containers of the template, by name and image, init containers apart.
    pub containers: Vec<(Arc<str>, Arc<str>)>,
    pub scaler: Option<Scaler>,
    /// What is not as it should be, as the engine's conditions say it.
    pub conditions: Vec<Arc<str>>,
    /// The ports its containers name.
    pub ports: Vec<u16>,
    /// Services that lead to it.
    pub services: Vec<Arc<str>>,
}

/// The `HorizontalPodAutoscaler` that owns a workload's number of replicas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scaler {
    pub name: Arc<str>,
    pub min: u32,
    pub max: u32,
    pub current: u32,
    pub desired: u32,
    /// What it goes by: `cpu 43 % of 70 %`.
    pub targets: Vec<Arc<str>>,
    /// Why it cannot do its work, where it says so.
    pub trouble: Option<Arc<str>>,
}
