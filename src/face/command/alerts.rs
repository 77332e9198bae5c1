//! `qd alerts`: every alert with its state, worst first, and an exit code that says whether one fires unsilenced.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;

use crate::app::state::Alerting;
use crate::app::{State, format};
use crate::cli::Observe;
use crate::model::{Alert, AlertState, EnvironmentId};
use crate::observe::metric::words::figure;

use super::output::{Grid, Out, say};
use super::{Driver, Exit, Result};

/// One alert.
#[derive(Serialize)]
struct Row {
    environment: String,
    name: String,
    state: AlertState,
    since: Option<Timestamp>,
    /// `null` where there is none, or it is no number.
    value: Option<f64>,
    expression: String,
    labels: BTreeMap<Arc<str>, Arc<str>>,
    annotations: BTreeMap<Arc<str>, Arc<str>>,
    source: &'static str,
    silenced_until: Option<Timestamp>,
    silenced_why: Option<Arc<str>>,
    /// Why the rule could not be evaluated: its state is only what was last known.
    trouble: Option<Arc<str>>,
    #[serde(skip)]
    words: String,
}

/// Runs it.
///
/// # Errors
/// When nothing can be seen, the environment asked for is not there, or standard output is closed.
pub async fn run(driver: &mut Driver, out: &mut Out, arguments: &Observe) -> Result<Exit> {
    driver.inventory().await;
    driver.only(arguments.name.as_deref())?;
    driver.looks(arguments.duration).await;
    let state = driver.state();
    let shown: Vec<EnvironmentId> = state.snapshots().map(|s| s.environment.id.clone()).collect();
    let mut unheard = false;
    for id in &shown {
        for why in state.watched.alerting.get(id).map(Alerting::troubles).unwrap_or_default() {
            say(&format!("qd: {}: {why}", state.name_of(id)));
            unheard = true;
        }
    }
    let alerts = || shown.iter().flat_map(|id| state.alerts(id).map(move |alert| (id, alert)));
    let loud = alerts().any(|(_, alert)| alert.is_loud());
    let rows: Vec<Row> = alerts().map(|(id, alert)| row(state, id, alert)).collect();
    out.list(&rows, table)?;
    Ok(match super::tell_failed(driver) {
        Exit::Done if loud => Exit::Unhealthy,
        // What nobody could be asked about is not silence.
        Exit::Done if unheard => Exit::Failed,
        seen => seen,
    })
}

fn row(state: &State, environment: &EnvironmentId, alert: &Alert) -> Row {
    let pairs = |labels: &crate::model::Labels| labels.iter().map(|(n, v)| (n.clone(), v.clone())).collect();
    Row {
        environment: state.name_of(environment),
        name: alert.name.to_string(),
        state: alert.state,
        since: alert.since,
        value: alert.value.filter(|value| value.is_finite()),
        expression: alert.expression.to_string(),
        labels: pairs(&alert.labels),
        annotations: pairs(&alert.annotations),
        source: alert.source.word(),
        silenced_until: alert.silence.as_ref().map(|s| s.until),
        silenced_why: alert.silence.as_ref().map(|s| s.why.clone()),
        trouble: alert.trouble.clone(),
        words: alert.words(),
    }
}

fn table(rows: &[Row]) -> Grid {
    let mut grid = Grid::new(&["ENVIRONMENT", "ALERT", "STATE", "SINCE", ">VALUE", "ABOUT"]);
    for row in rows {
        let state = match (&row.silenced_until, &row.trouble) {
            (Some(until), _) => format!("{}, silenced until {until:.0}", row.state.word()),
            (None, Some(_)) => format!("{}?", row.state.word()),
            (None, None) => row.state.word().to_owned(),
        };
        let about = row.trouble.as_ref().map_or_else(|| row.words.clone(), |why| format!("not evaluated: {why}"));
        grid.row([
            row.environment.clone(),
            row.name.clone(),
            state,
            row.since.map_or_else(|| format::UNKNOWN.to_owned(), |at| format!("{at:.0}")),
            row.value.map_or_else(|| format::UNKNOWN.to_owned(), figure),
            about,
        ]);
    }
    grid
}
