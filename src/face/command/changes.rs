//! `qd changes`: what changed before something that is not well, an alert, or now; the most likely cause first.

use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use crate::app::State;
use crate::app::changes::{self, Asked, Changes, ahead, how_often};
use crate::app::format::clock;
use crate::app::state::RowId;
use crate::cli;

use super::output::{Grid, Out, say};
use super::target::{Found, find};
use super::{Driver, Exit, Failure, Result};

/// How long the engine may take to tell what happened before.
const PAST_WITHIN: Duration = Duration::from_millis(700);
/// How far back is looked unless it is said.
const WINDOW: Duration = Duration::from_secs(3600);

#[derive(Serialize)]
struct Row {
    at: Timestamp,
    seconds_before: i64,
    environment: String,
    subject: String,
    workload: Option<String>,
    kind: String,
    relation: &'static str,
    what: String,
    by: Option<String>,
    times: u32,
    revision: Option<u64>,
    operation: Option<String>,
}

/// Runs it.
///
/// # Errors
/// When what is named is not there, or standard output is closed.
pub async fn run(driver: &mut Driver, out: &mut Out, arguments: &cli::Changes) -> Result<Exit> {
    driver.inventory().await;
    driver.watch(arguments.duration.unwrap_or(PAST_WITHIN)).await;
    let state = driver.state();
    let mut asked = asked(state, &arguments.name)?;
    if let Some(at) = arguments.at {
        asked = Asked { moment: at.moment(state.now), began: true, ..asked };
    }
    let told = changes::before(state, asked, arguments.before.unwrap_or(WINDOW));
    let rows: Vec<Row> = told.causes.iter().map(|cause| row(state, &told, cause)).collect();
    say(&title(&told));
    out.list(&rows, |_| table(&told))?;
    Ok(super::tell_failed(driver))
}

/// What a name means: an environment, a workload or an instance, else an alert.
fn asked(state: &State, name: &str) -> Result<Asked> {
    let thing = find(state, name).map(|found| match found {
        Found { environment, instance: Some(instance), .. } => RowId::Instance(environment, instance),
        Found { environment, workload: Some(workload), .. } => RowId::Workload(environment, workload),
        Found { environment, .. } => RowId::Environment(environment),
    });
    let named = name.rsplit('/').next().unwrap_or(name);
    let alert = || {
        let all = state.snapshots().flat_map(|s| state.alerts(&s.environment.id).map(move |a| (&s.environment.id, a)));
        let fits = |id: &crate::model::EnvironmentId| named == name || name.starts_with(&format!("{}/", state.name_of(id)));
        let found = all.filter(|(id, a)| &*a.name == named && fits(id)).max_by_key(|(_, a)| a.state);
        found.map(|(id, a)| RowId::Alert(id.clone(), a.key()))
    };
    let row = match thing {
        Ok(row) => row,
        Err(why) => alert().ok_or_else(|| Failure::usage(why))?,
    };
    changes::about(state, &row).ok_or_else(|| Failure::failed(format!("{name} is no longer there")))
}

/// Which words JSON has for a relation.
fn relation(relation: crate::observe::cause::Relation) -> &'static str {
    use crate::observe::cause::Relation;
    match relation {
        Relation::Same => "same",
        Relation::Needed => "needed",
        Relation::Beside => "beside",
        Relation::Elsewhere => "elsewhere",
    }
}

type Cause = crate::observe::cause::Candidate<changes::Lead>;

fn row(state: &State, told: &Changes, cause: &Cause) -> Row {
    let lead = &cause.lead;
    Row {
        at: cause.at,
        seconds_before: told.asked.moment.as_second() - cause.at.as_second(),
        environment: lead.environment.as_ref().map(|e| state.name_of(e)).unwrap_or_default(),
        subject: cause.subject.to_string(),
        workload: lead.workload.as_ref().map(ToString::to_string),
        kind: cause.kind.word().to_owned(),
        relation: relation(cause.relation),
        what: cause.what.to_string(),
        by: cause.by.as_ref().map(ToString::to_string),
        times: cause.times,
        revision: lead.revision,
        operation: lead.operation.as_ref().map(ToString::to_string),
    }
}

fn title(told: &Changes) -> String {
    let when = if told.asked.began { "since" } else { "now," };
    let none = if told.causes.is_empty() { ": nothing is known to have changed" } else { "" };
    let more = if told.left_out > 0 { format!(" ({} more left out)", told.left_out) } else { String::new() };
    format!("before {}, {when} {} UTC{none}{more}", told.asked.title, clock(told.asked.moment, 0))
}

fn table(told: &Changes) -> Grid {
    let mut grid = Grid::new(&["AT", "BEFORE", "SUBJECT", "WHAT", "BY"]);
    for cause in &told.causes {
        grid.row([
            format!("{:.0}", cause.at),
            ahead(cause.at, told.asked.moment),
            cause.subject.to_string(),
            format!("{}{}", cause.what, how_often(cause.times)),
            cause.by.as_ref().map(ToString::to_string).unwrap_or_default(),
        ]);
    }
    grid
}
