//! The autoscalers of what is configured: one for each policy, with what it last read.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::model::{EnvironmentId, WorkloadId};
use crate::operate::autoscale::Scaler;

use super::State;

/// The autoscalers, and whether they are at work in this run.
#[derive(Clone, Debug, Default)]
pub struct Autoscalers {
    /// Only what goes on running scales: the console, and the command made for it.
    pub at_work: bool,
    /// By environment and place of the policy in its configuration.
    pub scalers: BTreeMap<(EnvironmentId, usize), Scaler>,
    /// When each figure was last asked for.
    pub asked: BTreeMap<(EnvironmentId, usize), Timestamp>,
}

impl State {
    /// What scales a workload, in a few words: its engine's own autoscaler, or a policy of the configuration.
    #[must_use]
    pub fn autoscaler_of(&self, environment: &EnvironmentId, workload: &WorkloadId) -> Option<String> {
        let own = self.workload(environment, workload).and_then(|(_, w)| w.autoscaler.as_ref()).map(ToString::to_string);
        let configured = || {
            let policy = self.settings.policies.get(environment)?;
            let (at, scale) = policy.autoscale.iter().enumerate().find(|(_, a)| a.workload == *workload)?;
            let scaler = self.autoscalers.scalers.get(&(environment.clone(), at));
            Some(scaler.map_or_else(|| Scaler::new(scale.clone()).words(), Scaler::words))
        };
        own.or_else(configured)
    }
}
