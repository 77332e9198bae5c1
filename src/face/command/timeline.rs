//! `qd timeline`: what happens, as it happens: engine events, operations, health changes.

use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use tokio::time::Instant;

use crate::app::State;
use crate::cli::Timeline;
use crate::model::Item;

use super::output::{Format, Grid, Out};
use super::{Driver, Exit, Result};

/// How long the engine may take to tell what happened before.
const PAST_WITHIN: Duration = Duration::from_millis(700);

#[derive(Serialize)]
struct Row {
    at: Timestamp,
    environment: String,
    subject: String,
    source: &'static str,
    what: String,
    detail: String,
}

/// Runs it.
///
/// # Errors
/// When nothing can be seen, the environment asked for is not there, or standard output is closed.
pub async fn run(driver: &mut Driver, out: &mut Out, arguments: &Timeline) -> Result<Exit> {
    driver.inventory().await;
    driver.only(arguments.name.as_deref())?;
    if !arguments.follow {
        driver.watch(arguments.duration.unwrap_or(PAST_WITHIN)).await;
        let state = driver.state();
        let mut rows: Vec<Row> = shown(state).map(|(_, item)| row(state, item)).collect();
        rows.sort_by_key(|r| r.at);
        out.list(&rows, table)?;
        return Ok(super::tell_failed(driver));
    }
    let mut last = None;
    loop {
        let rows: Vec<(u64, Row)> = {
            let state = driver.state();
            shown(state).filter(|(seq, _)| last.is_none_or(|l| *seq > l)).map(|(seq, item)| (seq, row(state, item))).collect()
        };
        for (seq, row) in rows {
            last = Some(seq);
            match out.format {
                Format::Json | Format::Ndjson => out.line(&row)?,
                Format::Table => out.text(&format!(
                    "{:.0}  {}  {}  {}  {}  {}\n",
                    row.at, row.environment, row.source, row.subject, row.what, row.detail
                ))?,
            }
        }
        out.flush()?;
        driver.step(Instant::now() + Duration::from_secs(1)).await;
    }
}

fn shown(state: &State) -> impl Iterator<Item = (u64, &Item)> {
    let only = state.settings.only.as_deref();
    state
        .timeline
        .iter()
        .filter(move |(_, i)| only.is_none_or(|o| *i.environment.name == *o || state.name_of(&i.environment) == o))
}

fn row(state: &State, item: &Item) -> Row {
    Row {
        at: item.at,
        environment: state.name_of(&item.environment),
        subject: item.subject.to_string(),
        source: item.source.word(),
        what: item.what.to_string(),
        detail: item.detail.to_string(),
    }
}

fn table(rows: &[Row]) -> Grid {
    let mut grid = Grid::new(&["AT", "ENVIRONMENT", "SOURCE", "SUBJECT", "WHAT", "DETAIL"]);
    for row in rows {
        grid.row([
            format!("{:.0}", row.at),
            row.environment.clone(),
            row.source.to_owned(),
            row.subject.clone(),
            row.what.clone(),
            row.detail.clone(),
        ]);
    }
    grid
}
