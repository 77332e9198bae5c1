//! Which environment's cluster has a node.

use std::sync::Arc;

use super::super::{Driver, Failure, Result};
use crate::model::{EnvironmentId, Snapshot};
use crate::operate::Operation;

/// The node an operation is about, where it is about one.
pub(super) fn named(operation: &Operation) -> Option<&Arc<str>> {
    match operation {
        Operation::Cordon { node } | Operation::Uncordon { node } | Operation::Drain { node } => Some(node),
        _ => None,
    }
}

/// The one environment whose cluster has this node.
pub(super) async fn having(driver: &mut Driver, node: &str) -> Result<EnvironmentId> {
    driver.inventory().await;
    driver.only(None)?;
    let state = driver.state();
    let has = |s: &&Arc<Snapshot>| s.nodes.iter().any(|n| &*n.name == node);
    let with: Vec<&Arc<Snapshot>> = state.snapshots().filter(has).collect();
    match with.as_slice() {
        [one] => Ok(one.environment.id.clone()),
        [] => Err(Failure::usage(format!("no cluster that is shown has a node {node}, or its nodes may not be seen"))),
        several => {
            let names: Vec<String> = several.iter().map(|s| state.name_of(&s.environment.id)).collect();
            Err(Failure::usage(format!("{node} is seen from {}: say with --env under whose lock", names.join(", "))))
        }
    }
}
