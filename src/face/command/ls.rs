//! `qd ls`: workloads and their instances.

use crate::app::format;
use crate::cli::Ls;

use super::output::{Grid, Out};
use super::shape::{self, WorkloadRow};
use super::{Driver, Exit, Result};

/// Runs it.
///
/// # Errors
/// When nothing can be seen, the environment asked for is not there, or standard output is closed.
pub async fn run(driver: &mut Driver, out: &mut Out, arguments: &Ls) -> Result<Exit> {
    driver.decide_at_once(None);
    driver.inventory().await;
    driver.only(arguments.name.as_deref())?;
    let running = driver.running();
    driver.figures(running).await;
    driver.files().await;
    driver.looks(None).await;
    let state = driver.state();
    let rows: Vec<WorkloadRow> =
        state.snapshots().flat_map(|s| s.workloads.iter().map(|w| shape::workload(state, s, w))).collect();
    out.list(&rows, table)?;
    Ok(super::tell_failed(driver))
}

fn table(rows: &[WorkloadRow]) -> Grid {
    let titles = ["ENVIRONMENT", "WORKLOAD", "KIND", ">READY", "HEALTH", ">REV", "IMAGE", ">CPU", ">MEM", ">RST", "WHY"];
    let mut grid = Grid::new(&titles);
    for row in rows {
        grid.row([
            row.environment.clone(),
            row.workload.clone(),
            row.kind.to_owned(),
            format!("{}/{}", row.ready, row.desired),
            row.health.to_owned(),
            row.revision.map_or_else(|| format::UNKNOWN.to_owned(), |r| r.to_string()),
            row.image.clone(),
            row.cpu_cores.map_or_else(|| format::UNKNOWN.to_owned(), format::cores),
            row.memory_bytes.map_or_else(|| format::UNKNOWN.to_owned(), |b| format::bytes(b as f64)),
            row.restarts.to_string(),
            row.reasons.first().cloned().or(row.drift.as_ref().map(|drift| format!("drift: {drift}"))).unwrap_or_default(),
        ]);
    }
    grid
}
