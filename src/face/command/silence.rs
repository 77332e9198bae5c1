//! `qd silence` and `qd unsilence`: what is meant is found among the alerts that are known, then it goes the way of every
//! change.

use std::sync::Arc;

use crate::app::State;
use crate::cli::{Global, Silence, Unsilence};
use crate::model::problem::nearest;
use crate::model::{EnvironmentId, Snapshot};
use crate::observe::text::clean;
use crate::operate::Operation;

use super::output::Out;
use super::{Driver, Exit, Failure, Result, operate};

/// Makes a silence.
///
/// # Errors
/// When there is no such alert, the plan or the guard says no, or standard output is closed.
pub async fn silence(driver: &mut Driver, out: &mut Out, global: &Global, arguments: &Silence) -> Result<Exit> {
    let (environment, alert) = find(driver, &arguments.alert).await?;
    let labels = arguments.labels.iter().map(|(name, value)| (name.as_str().into(), value.as_str().into())).collect();
    let why: Arc<str> = clean(&arguments.why).into();
    let operation = Operation::Silence { alert, labels, span: arguments.duration, why };
    operate::run_in(driver, out, global, operation, environment).await
}

/// Ends the silence over an alert. Where several lie over it, the one meant must be named.
///
/// # Errors
/// As [`silence`]; when nothing or more than one lies over it.
pub async fn unsilence(driver: &mut Driver, out: &mut Out, global: &Global, arguments: &Unsilence) -> Result<Exit> {
    let (environment, alert) = find(driver, &arguments.alert).await?;
    let id = match &arguments.id {
        Some(id) => id.as_str().into(),
        None => over(driver.state(), &environment, &alert)?,
    };
    operate::run_in(driver, out, global, Operation::Unsilence { id }, environment).await
}

/// The one silence over alerts of this name.
fn over(state: &State, environment: &EnvironmentId, alert: &str) -> Result<Arc<str>> {
    let alerting = state.watched.alerting.get(environment);
    let kept = alerting.into_iter().flat_map(|a| [&a.alertmanager.last, &a.file.last]).flatten();
    let is = |s: &crate::model::Silence| s.matchers.iter().any(|m| &*m.label == "alertname" && &*m.value == alert);
    let mut ids: Vec<Arc<str>> = kept.flat_map(|k| &k.all).filter(|s| is(s)).map(|s| s.id.clone()).collect();
    ids.extend(state.alerts(environment).filter(|a| &*a.name == alert).filter_map(|a| Some(a.silence.as_ref()?.id.clone())));
    ids.sort();
    ids.dedup();
    match &ids[..] {
        [one] => Ok(one.clone()),
        [] => Err(Failure::usage(format!("no silence lies over {alert}"))),
        several => Err(Failure::usage(format!("several silences lie over {alert}: say which with --id: {}", several.join(", ")))),
    }
}

/// The environment and alert a name means. An alert that is not known is told: a slip must not look like silence.
async fn find(driver: &mut Driver, name: &str) -> Result<(EnvironmentId, Arc<str>)> {
    driver.inventory().await;
    driver.only(None)?;
    driver.looks(None).await;
    let state = driver.state();
    let environments: Vec<&Arc<Snapshot>> = state.snapshots().collect();
    let named = environments.iter().filter_map(|s| {
        let rest = name.strip_prefix(state.name_of(&s.environment.id).as_str())?.strip_prefix('/')?;
        Some((s.environment.id.clone(), rest))
    });
    let (environment, alert) = match (named.max_by_key(|(id, _)| id.name.len()), &environments[..]) {
        (Some(found), _) => found,
        (None, [one]) => (one.environment.id.clone(), name),
        (None, _) => return Err(Failure::usage(format!("{name}: say which environment's alert is meant, as ENV/ALERT"))),
    };
    let known: Vec<&str> = state.alerts(&environment).map(|a| &*a.name).collect();
    if known.contains(&alert) {
        return Ok((environment, alert.into()));
    }
    let meant = nearest(alert, known.iter().copied()).map(|near| format!(" (did you mean {near}?)")).unwrap_or_default();
    Err(Failure::usage(format!("{} has no alert {alert}{meant}", state.name_of(&environment))))
}
