//! `qd top`: one sample of every instance's figures, the busiest first.

use crate::app::format;
use crate::cli::Ls;
use crate::model::InstanceState;

use super::output::{Grid, Out};
use super::shape::{self, TopRow};
use super::{Driver, Exit, Result};

/// Runs it.
///
/// # Errors
/// When nothing can be seen, the environment asked for is not there, or standard output is closed.
pub async fn run(driver: &mut Driver, out: &mut Out, arguments: &Ls) -> Result<Exit> {
    driver.inventory().await;
    driver.only(arguments.name.as_deref())?;
    let running = driver.running();
    driver.figures(running).await;
    let state = driver.state();
    let mut rows: Vec<TopRow> = Vec::new();
    for snapshot in state.snapshots() {
        for workload in &snapshot.workloads {
            for instance in workload.instances.iter().filter(|i| i.state == InstanceState::Running) {
                rows.push(TopRow {
                    at: state.metrics.latest(&instance.id).map(|s| s.at),
                    environment: state.name_of(&snapshot.environment.id),
                    workload: workload.id.to_string(),
                    instance: shape::instance(state, instance),
                });
            }
        }
    }
    rows.sort_by(|a, b| b.instance.cpu_cores.unwrap_or(-1.0).total_cmp(&a.instance.cpu_cores.unwrap_or(-1.0)));
    out.list(&rows, table)?;
    Ok(super::tell_failed(driver))
}

fn table(rows: &[TopRow]) -> Grid {
    let titles =
        ["ENVIRONMENT", "INSTANCE", ">CPU", ">MEM", ">LIMIT", ">NET RX", ">NET TX", ">DISK READ", ">DISK WRITE", ">PIDS"];
    let mut grid = Grid::new(&titles);
    let bytes = |b: Option<u64>| b.map_or_else(|| format::UNKNOWN.to_owned(), |b| format::bytes(b as f64));
    for row in rows {
        let i = &row.instance;
        grid.row([
            row.environment.clone(),
            i.name.clone(),
            i.cpu_cores.map_or_else(|| format::UNKNOWN.to_owned(), format::cores),
            bytes(i.memory_bytes),
            bytes(i.memory_limit_bytes),
            bytes(i.net_rx_bytes),
            bytes(i.net_tx_bytes),
            bytes(i.block_read_bytes),
            bytes(i.block_write_bytes),
            i.pids.map_or_else(|| format::UNKNOWN.to_owned(), |p| p.to_string()),
        ]);
    }
    grid
}
