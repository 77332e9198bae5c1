//! `qd history` and `qd diff`: the revisions of a workload, and what differs between two of them.

mod drift;

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use jiff::Timestamp;
use serde::Serialize;

use crate::cli;
use crate::engine::{Subject, Topic, Update};
use crate::model::{EngineKind, EnvironmentId, Revision, Workload};
use crate::observe::definition::compare;

use super::output::{Grid, Out};
use super::{Driver, Exit, Failure, Result, target};

/// How long an engine may take to hand a definition out.
const DEFINITION_WITHIN: Duration = Duration::from_secs(15);

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
    let text = |t: &Option<Arc<str>>| t.as_ref().map(ToString::to_string);
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
    path: String,
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
    let (environment, workload) = found(driver, &arguments.target).await?;
    let (from, to) = chosen(&workload, arguments.from, arguments.to)?;
    let whole = driver.state().snapshot(&environment).is_some_and(|s| s.environment.engine == EngineKind::Kubernetes);
    let changes = if whole {
        let before = definition(driver, &environment, &workload, from.number).await?;
        let after = definition(driver, &environment, &workload, to.number).await?;
        compare(&before, &after).into_iter().map(|d| Difference { path: d.path, before: d.before, after: d.after }).collect()
    } else {
        changes(from, to)
    };
    let differences = Differences { from: from.number, to: to.number, changes };
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
    let text = |t: &Arc<str>| t.to_string();
    let all = [
        ("image", Some(text(&from.image)), Some(text(&to.image))),
        ("digest", from.digest.as_ref().map(text), to.digest.as_ref().map(text)),
    ];
    all.into_iter()
        .filter(|(_, b, a)| b != a)
        .map(|(path, before, after)| Difference { path: path.to_owned(), before, after })
        .collect()
}

/// The whole definition of a revision, where the engine keeps it, masked.
async fn definition(driver: &mut Driver, environment: &EnvironmentId, workload: &Workload, number: u64) -> Result<Vec<Arc<str>>> {
    let subject = Subject::Revision(environment.clone(), workload.id.clone(), number);
    let engine = driver.session().engine(&environment.connection);
    let asked = async {
        let mut updates = engine?.subscribe(Topic::Describe(subject));
        while let Some(update) = updates.next().await {
            if let Update::Description(description) = update {
                return Some(description.lines.clone());
            }
        }
        None
    };
    let lines = tokio::time::timeout(DEFINITION_WITHIN, asked).await.ok().flatten();
    let lines =
        lines.ok_or_else(|| Failure::failed(format!("revision {number} of {}: the engine did not answer", workload.id)))?;
    match lines.first().and_then(|line| line.strip_prefix("# ")) {
        // What is no line of a definition says why there is none.
        Some(why) => Err(Failure::failed(why)),
        None => Ok(lines),
    }
}

async fn find(driver: &mut Driver, name: &str) -> Result<Arc<Workload>> {
    Ok(found(driver, name).await?.1)
}

async fn found(driver: &mut Driver, name: &str) -> Result<(EnvironmentId, Arc<Workload>)> {
    let found = target::resolve(driver, name).await?;
    let state = driver.state();
    let workload = found.workload.as_ref().and_then(|w| state.workload(&found.environment, w));
    let Some((_, workload)) = workload else {
        return Err(Failure::usage(format!("{name} is an environment: name one of its workloads ({name}/WORKLOAD)")));
    };
    Ok((found.environment.clone(), workload.clone()))
}

/// Runs `qd offer`: the ports of a workload are asked once, and what answered is printed as it would be configured.
///
/// # Errors
/// When the workload is not there, has nothing to ask, or standard output is closed.
pub async fn offer(driver: &mut Driver, out: &mut Out, arguments: &cli::Target) -> Result<Exit> {
    let (environment, workload) = found(driver, &arguments.target).await?;
    let engine = driver.session().engine(&environment.connection);
    let engine = engine.ok_or_else(|| Failure::failed("its engine is not connected"))?;
    let found = crate::probe::offer::offer(&engine, &workload).await.map_err(Failure::failed)?;
    out.text(&found.words())?;
    Ok(Exit::Done)
}
