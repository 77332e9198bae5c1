//! `qd status`: one line for each environment, and an exit code that says whether all is well.

use serde::Serialize;

use crate::app::format;
use crate::cli::Observe;
use crate::model::Link;

use super::output::{Grid, Out, say};
use super::shape::{self, Environment};
use super::{Driver, Exit, Result};

#[derive(Serialize)]
struct Status {
    environments: Vec<Environment>,
}

/// Runs it.
///
/// # Errors
/// When the environment asked for is not there, or standard output is closed.
pub async fn run(driver: &mut Driver, out: &mut Out, arguments: &Observe) -> Result<Exit> {
    driver.decide_at_once(arguments.duration);
    driver.inventory().await;
    let failed = driver.failed();
    if failed.is_empty() || arguments.name.is_some() {
        driver.only(arguments.name.as_deref())?;
    }
    let running = driver.running();
    driver.figures(running).await;
    driver.looks(arguments.duration).await;
    let state = driver.state();
    let mut environments: Vec<Environment> = state.snapshots().map(|s| shape::environment(state, s)).collect();
    // What cannot be seen is told as such, never left out.
    for (id, why) in &failed {
        if let Some(connection) = state.connections.get(id) {
            environments.push(unseen(id.as_str(), &connection.endpoint, &connection.link, why));
        }
    }
    let status = Status { environments };
    out.one(&status, |s| table(s).to_string())?;
    for environment in &status.environments {
        if let Some(words) = &environment.unfinished {
            say(&format!("{}: {words}", environment.name));
        }
    }
    if !failed.is_empty() {
        for (id, why) in &failed {
            say(&format!("{id}: {why}"));
        }
        return Ok(Exit::Failed);
    }
    let stale = state.snapshots().any(|s| state.link(&s.environment.id.connection).is_some_and(|l| !l.is_live()));
    let bad = status.environments.iter().any(|e| e.unhealthy > 0 || e.alerts_firing > 0 || e.unfinished.is_some());
    Ok(if stale {
        Exit::Failed
    } else if bad {
        Exit::Unhealthy
    } else {
        Exit::Done
    })
}

fn unseen(name: &str, endpoint: &str, link: &Link, why: &str) -> Environment {
    let mut feed = shape::Feed::from(link);
    feed.error.get_or_insert_with(|| why.to_owned());
    Environment {
        name: name.to_owned(),
        tier: "unknown",
        engine: "unknown",
        endpoint: endpoint.to_owned(),
        guard: "confirm",
        feed,
        workloads_ready: 0,
        workloads_total: 0,
        instances_running: 0,
        instances_total: 0,
        unhealthy: 0,
        alerts_firing: 0,
        cpu_cores: None,
        memory_bytes: None,
        last_operation: None,
        lock: None,
        unfinished: None,
        notes: Vec::new(),
    }
}

fn table(status: &Status) -> Grid {
    let mut grid = Grid::new(&[
        "ENVIRONMENT",
        "TIER",
        "ENGINE",
        "FEED",
        ">READY",
        ">INSTANCES",
        ">UNHEALTHY",
        ">ALERTS",
        ">CPU",
        ">MEM",
        "GUARD",
        "LAST OPERATION",
        "ENDPOINT",
    ]);
    for e in &status.environments {
        let last = e.last_operation.as_ref().map(|o| format!("{}: {}", o.title, o.outcome.replace('_', " ")));
        grid.row([
            e.name.clone(),
            e.tier.to_owned(),
            e.engine.to_owned(),
            e.feed.state.to_owned(),
            format!("{}/{}", e.workloads_ready, e.workloads_total),
            format!("{}/{}", e.instances_running, e.instances_total),
            e.unhealthy.to_string(),
            e.alerts_firing.to_string(),
            e.cpu_cores.map_or_else(|| format::UNKNOWN.to_owned(), format::cores),
            e.memory_bytes.map_or_else(|| format::UNKNOWN.to_owned(), |b| format::bytes(b as f64)),
            e.guard.to_owned(),
            last.unwrap_or_else(|| format::UNKNOWN.to_owned()),
            e.endpoint.clone(),
        ]);
    }
    grid
}
