//! `qd run` without a name: the runbooks there are; and which environment has the one that is named.

use std::sync::Arc;

use serde::Serialize;

use crate::model::{EnvironmentId, Snapshot};
use crate::operate::runbook::Runbook;

use super::super::output::{Grid, Out};
use super::super::{Driver, Exit, Failure, Result};

/// The runbooks of what is shown.
///
/// # Errors
/// When nothing can be seen, or standard output is closed.
pub async fn runbooks(driver: &mut Driver, out: &mut Out) -> Result<Exit> {
    driver.inventory().await;
    driver.only(None)?;
    let state = driver.state();
    let of = |s: &Arc<Snapshot>| -> Vec<RunbookRow> {
        let tier = s.environment.tier;
        let row = |r: &Runbook| RunbookRow {
            environment: state.name_of(&s.environment.id),
            runbook: r.name.to_string(),
            about: r.about.as_deref().unwrap_or_default().to_owned(),
            steps: r.steps.len(),
            tiers: r.tiers.iter().map(|t| t.word()).collect(),
            allowed: r.tiers.is_empty() || r.tiers.contains(&tier),
        };
        state.policy(&s.environment).runbooks.iter().map(row).collect()
    };
    let rows: Vec<RunbookRow> = state.snapshots().flat_map(of).collect();
    out.list(&rows, |rows| {
        let mut grid = Grid::new(&["ENVIRONMENT", "RUNBOOK", ">STEPS", "MAY RUN", "ABOUT"]);
        for row in rows {
            let may = if row.allowed { "yes".to_owned() } else { format!("only on {}", row.tiers.join(", ")) };
            grid.row([row.environment.clone(), row.runbook.clone(), row.steps.to_string(), may, row.about.clone()]);
        }
        grid
    })?;
    Ok(super::super::tell_failed(driver))
}

/// A runbook as it is listed.
#[derive(Serialize)]
struct RunbookRow {
    environment: String,
    runbook: String,
    about: String,
    steps: usize,
    tiers: Vec<&'static str>,
    /// Its tiers hold this environment's.
    allowed: bool,
}

/// The one environment that has this runbook.
pub(super) async fn having(driver: &mut Driver, runbook: &str) -> Result<EnvironmentId> {
    driver.inventory().await;
    driver.only(None)?;
    let state = driver.state();
    let has = |s: &&Arc<Snapshot>| state.policy(&s.environment).runbooks.iter().any(|r| &*r.name == runbook);
    let all: Vec<&Arc<Snapshot>> = state.snapshots().collect();
    let with: Vec<&Arc<Snapshot>> = all.iter().copied().filter(has).collect();
    match (with.as_slice(), all.as_slice()) {
        // Where there is only one environment, it says itself what it has.
        ([one], _) | ([], [one]) => Ok(one.environment.id.clone()),
        ([], _) => Err(Failure::usage(format!("no environment has a runbook {runbook}: `qd run` lists them"))),
        (several, _) => {
            let names: Vec<String> = several.iter().map(|s| state.name_of(&s.environment.id)).collect();
            Err(Failure::usage(format!("{runbook} is a runbook of {}: say with --env which is meant", names.join(", "))))
        }
    }
}
