//! `qd history` and `qd diff`: the revisions of a workload, and what differs between two of them.

mod drift;

use std::fmt::Write as _;

use jiff::Timestamp;
use serde::Serialize;

use crate::cli;
use crate::model::{Revision, Workload};

use super::output::{Grid, Out};
use super::{Driver, Exit, Failure, Result, target};

#[derive(Serialize)]
struct Row {
    revision: u64,
    image: String,
    digest: Option<String>,
    at: Option<Timestamp>,
    by: Option<String>,
    cause: Option<String>,
    current: bool,
}

/// Runs `qd history`.
///
/// # Errors
/// When the workload is not there, or standard output is closed.
pub async fn run(driver: &mut Driver, out: &mut Out, arguments: &cli::Target) -> Result<Exit> {
    let workload = find(driver, &arguments.target).await?;
    let text = |t: &Option<std::sync::Arc<str>>| t.as_ref().map(ToString::to_string);
    let rows: Vec<Row> = workload
        .revisions
        .iter()
        .map(|r| Row {
            revision: r.number,
            image: r.image.to_string(),
            digest: text(&r.digest),
            at: r.at,
            by: text(&r.by),
            cause: text(&r.cause),
            current: Some(r.number) == workload.revision,
        })
        .collect();
    out.list(&rows, |rows| {
        let mut grid = Grid::new(&["", ">REV", "IMAGE", "AT", "BY", "CAUSE", "DIGEST"]);
        for row in rows {
            grid.row([
                if row.current { "▸" } else { "" }.to_owned(),
                row.revision.to_string(),
                row.image.clone(),
                row.at.map(|at| format!("{at:.0}")).unwrap_or_default(),
                row.by.clone().unwrap_or_default(),
                row.cause.clone().unwrap_or_default(),
                row.digest.clone().unwrap_or_default(),
            ]);
        }
        grid
    })?;
    Ok(Exit::Done)
}

#[derive(Serialize)]
struct Differences {
    from: u64,
    to: u64,
    changes: Vec<Difference>,
}

#[derive(Serialize)]
struct Difference {
    path: &'static str,
    before: Option<String>,
    after: Option<String>,
}

/// Runs `qd diff`.
///
/// # Errors
/// When the workload or a revision is not there, or standard output is closed.
pub async fn diff(driver: &mut Driver, out: &mut Out, arguments: &cli::Diff) -> Result<Exit> {
    if arguments.running {
        return drift::run(driver, out, &arguments.target).await;
    }
    let workload = find(driver, &arguments.target).await?;
    let (from, to) = chosen(&workload, arguments.from, arguments.to)?;
    let differences = Differences { from: from.number, to: to.number, changes: changes(from, to) };
    out.one(&differences, |d| {
        let mut text = format!("revision {} → {}\n", d.from, d.to);
        if d.changes.is_empty() {
            text.push_str("no difference\n");
        }
        for change in &d.changes {
            let value = |v: &Option<String>| v.clone().unwrap_or_else(|| "–".to_owned());
            let _ = writeln!(text, "{}  {} → {}", change.path, value(&change.before), value(&change.after));
        }
        text
    })?;
    Ok(Exit::Done)
}

fn chosen(workload: &Workload, from: Option<u64>, to: Option<u64>) -> Result<(&Revision, &Revision)> {
    let revisions = &workload.revisions;
    let known = || revisions.iter().map(|r| r.number.to_string()).collect::<Vec<_>>().join(", ");
    let of = |number: u64| {
        let missing = || Failure::usage(format!("revision {number} of {} is not recorded; there are: {}", workload.id, known()));
        revisions.iter().find(|r| r.number == number).ok_or_else(missing)
    };
    let to = match to.or(workload.revision) {
        Some(number) => of(number)?,
        None => return Err(Failure::failed(format!("{} has no revisions yet: nothing was deployed here", workload.id))),
    };
    let from = match from {
        Some(number) => of(number)?,
        None => match revisions.iter().find(|r| r.number < to.number) {
            Some(before) => before,
            None => return Err(Failure::failed(format!("{} has no revision before {}", workload.id, to.number))),
        },
    };
    Ok((from, to))
}

fn changes(from: &Revision, to: &Revision) -> Vec<Difference> {
    let text = |t: &std::sync::Arc<str>| t.to_string();
    let all = [
        ("image", Some(text(&from.image)), Some(text(&to.image))),
        ("digest", from.digest.as_ref().map(text), to.digest.as_ref().map(text)),
    ];
    all.into_iter().filter(|(_, b, a)| b != a).map(|(path, before, after)| Difference { path, before, after }).collect()
}

async fn find(driver: &mut Driver, name: &str) -> Result<std::sync::Arc<Workload>> {
    let found = target::resolve(driver, name).await?;
    let state = driver.state();
    let workload = found.workload.as_ref().and_then(|w| state.workload(&found.environment, w));
    let Some((_, workload)) = workload else {
        return Err(Failure::usage(format!("{name} is an environment: name one of its workloads ({name}/WORKLOAD)")));
    };
    Ok(workload.clone())
}
