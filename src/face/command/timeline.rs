//! `qd timeline`: what happens, as it happens: engine events, operations, health changes.

use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use tokio::time::Instant;

use crate::app::State;
use crate::cli::{Since, Timeline};
use crate::model::{Item, Source};

use super::output::{Format, Grid, Out};
use super::{Driver, Exit, Result};

/// How long the engine may take to tell what happened before.
const PAST_WITHIN: Duration = Duration::from_millis(700);

/// How far back operations are told unless it is said.
const HISTORY: Duration = Duration::from_secs(3600);

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
        let mut rows: Vec<Row> = shown(state, arguments).map(|(_, item)| row(state, item)).collect();
        rows.extend(journalled(state, arguments));
        rows.sort_by_key(|r| r.at);
        out.list(&rows, table)?;
        return Ok(super::tell_failed(driver));
    }
    let mut last = None;
    loop {
        let rows: Vec<(u64, Row)> = {
            let state = driver.state();
            shown(state, arguments)
                .filter(|(seq, _)| last.is_none_or(|l| *seq > l))
                .map(|(seq, item)| (seq, row(state, item)))
                .collect()
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

/// What is asked for.
fn shown<'a>(state: &'a State, arguments: &'a Timeline) -> impl Iterator<Item = (u64, &'a Item)> {
    let only = state.settings.only.as_deref();
    state
        .timeline
        .iter()
        .filter(move |(_, i)| only.is_none_or(|o| *i.environment.name == *o || state.name_of(&i.environment) == o))
        .filter(|(_, i)| wanted(state, arguments, i.at, i.source, &i.subject))
}

fn wanted(state: &State, arguments: &Timeline, at: Timestamp, source: Source, subject: &str) -> bool {
    (arguments.source.is_empty() || arguments.source.contains(&source))
        && arguments.subject.as_ref().is_none_or(|s| subject.to_lowercase().contains(&s.to_lowercase()))
        && arguments.since.is_none_or(|since| at >= since.moment(state.now))
        && arguments.until.is_none_or(|until| at <= until.moment(state.now))
}

/// Operations the journal holds from before: how each began and how it ended. Without a time asked for, those of the last
/// hour, as far back as engines tell.
fn journalled(state: &State, arguments: &Timeline) -> Vec<Row> {
    let from = arguments.since.unwrap_or(Since::Ago(HISTORY)).moment(state.now);
    let mut rows = Vec::new();
    for past in &state.operations.past {
        let Some(first) = past.records.first() else { continue };
        let only = state.settings.only.as_deref();
        if only.is_some_and(|only| *first.environment != *only) {
            continue;
        }
        let mut tell = |at: Timestamp, what: &str, detail: String| {
            if at >= from && wanted(state, arguments, at, Source::Operation, &first.target) {
                rows.push(Row {
                    at,
                    environment: first.environment.to_string(),
                    subject: first.target.to_string(),
                    source: Source::Operation.word(),
                    what: what.to_owned(),
                    detail,
                });
            }
        };
        tell(first.at, &first.kind, format!("{} by {}@{}", past.title(), first.by, first.host));
        if let (Some(last), Some(_)) = (past.records.last(), past.outcome()) {
            let detail = past.detail().map_or_else(|| past.title().to_owned(), ToString::to_string);
            tell(last.at, past.outcome_word(), detail);
        }
    }
    rows
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
