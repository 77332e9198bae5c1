//! `qd diff --running`: what runs against what its compose file asks for, field by field.

use std::fmt::Write as _;
use std::sync::Arc;

use serde::Serialize;

use crate::model::{Drift, DriftKind, FileState};

use super::super::output::Out;
use super::super::{Driver, Exit, Failure, Result, target};

#[derive(Serialize)]
struct Against {
    from: &'static str,
    to: String,
    changes: Vec<Change>,
}

#[derive(Serialize)]
struct Change {
    path: String,
    before: Option<String>,
    after: Option<String>,
}

/// Runs it for a workload, or for everything in an environment.
///
/// # Errors
/// When the target is not there, its file is not at hand or cannot be read, or standard output is closed.
pub async fn run(driver: &mut Driver, out: &mut Out, name: &str) -> Result<Exit> {
    driver.inventory().await;
    driver.files().await;
    let found = target::resolve(driver, name).await?;
    let state = driver.state();
    let Some(snapshot) = state.snapshot(&found.environment) else {
        return Err(Failure::failed(format!("{name} is not seen any more")));
    };
    let file = match snapshot.file.as_deref() {
        None => {
            let how = "name it with `files` in the configuration or with --file";
            return Err(Failure::failed(format!("the compose file of {} is not at hand: {how}", snapshot.environment.id.name)));
        }
        Some(file) => match &file.state {
            FileState::Failed(why) => return Err(Failure::failed(why.to_string())),
            FileState::Reading => return Err(Failure::failed(format!("{} has not been read in time", file.names))),
            FileState::Read { .. } => file,
        },
    };
    let meant = |id: &crate::model::WorkloadId| found.workload.as_ref().is_none_or(|one| one == id);
    let whole = found.workload.is_none();
    let mut changes = Vec::new();
    for workload in snapshot.workloads.iter().filter(|w| meant(&w.id)) {
        if let Some(drift) = &workload.drift {
            changes.extend(fields(workload.id.as_str(), drift, whole));
        }
    }
    let against = Against { from: "running", to: file.names.to_string(), changes };
    out.one(&against, words)?;
    Ok(Exit::Done)
}

fn fields(workload: &str, drift: &Drift, whole: bool) -> Vec<Change> {
    let text = |value: &Option<Arc<str>>| value.as_ref().map(ToString::to_string);
    match drift.kind {
        DriftKind::Missing => vec![Change { path: workload.to_owned(), before: None, after: Some("in the file".to_owned()) }],
        DriftKind::Extra => vec![Change { path: workload.to_owned(), before: Some("running".to_owned()), after: None }],
        DriftKind::Changed => {
            let path = |path: &str| if whole { format!("{workload}.{path}") } else { path.to_owned() };
            let change =
                |d: &crate::model::Deviation| Change { path: path(&d.path), before: text(&d.running), after: text(&d.wanted) };
            drift.deviations.iter().map(change).collect()
        }
    }
}

fn words(against: &Against) -> String {
    let mut text = format!("running → {}\n", against.to);
    if against.changes.is_empty() {
        text.push_str("no difference\n");
    }
    for change in &against.changes {
        let value = |v: &Option<String>| v.clone().unwrap_or_else(|| "–".to_owned());
        // Writing into a string cannot fail.
        let _ = writeln!(text, "{}  {} → {}", change.path, value(&change.before), value(&change.after));
    }
    text
}
