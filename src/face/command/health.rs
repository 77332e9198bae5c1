//! `qd health`: every check with its last output, worst first, and an exit code that says whether all is well.

use std::cmp::Reverse;

use crate::cli::Observe;
use crate::model::Health;

use super::output::{Grid, Out};
use super::shape::{self, HealthRow};
use super::{Driver, Exit, Result};

/// Runs it.
///
/// # Errors
/// When nothing can be seen, the environment asked for is not there, or standard output is closed.
pub async fn run(driver: &mut Driver, out: &mut Out, arguments: &Observe) -> Result<Exit> {
    driver.decide_at_once(arguments.duration);
    driver.inventory().await;
    driver.only(arguments.name.as_deref())?;
    driver.looks(arguments.duration).await;
    let state = driver.state();
    let mut rows: Vec<(Health, HealthRow)> =
        state.snapshots().flat_map(|s| s.workloads.iter().map(|w| (w.verdict.health, shape::health(state, s, w)))).collect();
    rows.sort_by_key(|(health, _)| Reverse(*health));
    let bad = rows.iter().any(|(health, _)| shape::is_bad(*health));
    let rows: Vec<HealthRow> = rows.into_iter().map(|(_, row)| row).collect();
    out.list(&rows, table)?;
    let seen = super::tell_failed(driver);
    Ok(if bad && seen == Exit::Done { Exit::Unhealthy } else { seen })
}

fn table(rows: &[HealthRow]) -> Grid {
    let mut grid = Grid::new(&["ENVIRONMENT", "SUBJECT", "HEALTH", "CHECK", ">LATENCY", "LAST OUTPUT OR REASON"]);
    for row in rows {
        grid.row([
            row.environment.clone(),
            row.subject.clone(),
            row.health.to_owned(),
            String::new(),
            String::new(),
            row.reasons.join("; "),
        ]);
        for check in &row.checks {
            grid.row([
                String::new(),
                String::new(),
                check.state.to_owned(),
                check.name.clone(),
                check.latency_ms.map(|ms| format!("{ms} ms")).unwrap_or_default(),
                check.output.lines().next().unwrap_or_default().to_owned(),
            ]);
        }
    }
    grid
}
