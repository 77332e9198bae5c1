//! `qd logs`: lines of several instances, merged by time, straight from the engine's streams.
//!
//! Nothing is kept that need not be: a stream is read on only when what it gave has been printed, so a long log costs no
//! memory and a closed pipe ends it.

mod line;
mod merge;

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use crate::app::State;
use crate::cli::Logs;
use crate::engine::{LogQuery, Topic};
use crate::model::{EnvironmentId, InstanceId, Workload};
use crate::theme::Theme;

use super::output::{Format, Out};
use super::target::{self, Found};
use super::{Driver, Exit, Failure, Result};

use line::Printer;
use merge::{Merge, Source};

/// How often new replicas are looked for while following.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// Runs it.
///
/// # Errors
/// When a target is not there, the pattern is no regular expression, or standard output is closed.
pub async fn run(driver: &mut Driver, out: &mut Out, theme: &Theme, arguments: &Logs) -> Result<Exit> {
    let grep = arguments
        .grep
        .as_deref()
        .map(|pattern| regex::Regex::new(pattern).map_err(|error| Failure::usage(format!("--grep: {error}"))))
        .transpose()?;
    let mut scope = Vec::new();
    for name in &arguments.targets {
        scope.push(target::resolve(driver, name).await?);
    }
    let since = arguments.since.map(|s| s.moment(Timestamp::now()));
    let tail = match arguments.tail {
        Some(tail) => tail.lines(),
        None if since.is_some() => None,
        None => Some(driver.state().settings.log_tail),
    };
    let mut reader = Reader {
        query: LogQuery { tail, since, follow: arguments.follow, previous: arguments.previous, ..LogQuery::of("".into()) },
        scope,
        known: BTreeSet::new(),
        begun: false,
        merge: Merge::new(arguments.follow),
    };
    reader.join(driver);
    if reader.known.is_empty() && !arguments.follow {
        return Err(Failure::failed("no instance there has a log"));
    }
    let several = reader.known.len() > 1 || reader.is_open();
    let mut printer = Printer::new(theme, grep, arguments.level, arguments.raw, several);
    reader.print(driver, out, &mut printer).await?;
    printer.close(out)?;
    match printer.trouble() {
        Some(why) if printer.printed() == 0 => Err(Failure::failed(why)),
        Some(_) | None => Ok(Exit::Done),
    }
}

/// Reads what is asked for, new replicas included.
struct Reader {
    /// Of every instance, but for which.
    query: LogQuery,
    scope: Vec<Found>,
    known: BTreeSet<InstanceId>,
    /// Those that were there at the beginning are being read.
    begun: bool,
    merge: Merge,
}

impl Reader {
    /// Whether instances may join that are not there yet.
    fn is_open(&self) -> bool {
        self.scope.iter().any(|found| found.instance.is_none())
    }

    async fn print(&mut self, driver: &mut Driver, out: &mut Out, printer: &mut Printer<'_>) -> Result<()> {
        loop {
            while let Some((source, line)) = self.merge.next() {
                printer.print(out, source, line.view().as_ref())?;
            }
            self.merge.sweep();
            if self.merge.is_over() && !(self.query.follow && self.is_open()) {
                return Ok(());
            }
            if self.query.follow {
                out.flush()?;
            }
            let again = Instant::now() + LOOK_AGAIN;
            tokio::select! {
                biased;
                trouble = self.merge.more() => if let Some(why) = trouble { printer.note(&why) },
                // The inventory is taken in beside: who joins is in it.
                _ = driver.step(again), if self.query.follow => {}
            }
            if self.query.follow {
                self.join(driver);
            }
        }
    }

    /// Begins to read the instances in scope that are not read yet.
    fn join(&mut self, driver: &mut Driver) {
        let mut new = Vec::new();
        for found in &self.scope {
            let state = driver.state();
            let Some(snapshot) = state.snapshot(&found.environment) else { continue };
            for workload in snapshot.workloads.iter().filter(|w| found.workload.as_ref().is_none_or(|id| *id == w.id)) {
                new.extend(self.of_workload(state, &found.environment, workload, found.instance.as_ref()));
            }
        }
        for (environment, id, source) in new {
            let Some(engine) = driver.session().engine(&environment.connection) else { continue };
            let mut query = LogQuery { instance: id.clone(), ..self.query.clone() };
            if self.begun {
                // One that joins while following is younger than the command: all of its log is news.
                query.tail = None;
            }
            self.known.insert(id);
            self.merge.add(source, engine.subscribe(Topic::Logs(query)));
        }
        self.begun = true;
    }

    fn of_workload(
        &self,
        state: &State,
        environment: &EnvironmentId,
        workload: &Workload,
        only: Option<&InstanceId>,
    ) -> Vec<(EnvironmentId, InstanceId, Source)> {
        let chosen = workload.instances.iter().filter(|i| only.is_none_or(|id| *id == i.id) && !self.known.contains(&i.id));
        chosen
            .map(|i| {
                let source = Source {
                    environment: state.name_of(environment),
                    workload: workload.id.to_string(),
                    instance: i.name.to_string(),
                };
                (environment.clone(), i.id.clone(), source)
            })
            .collect()
    }
}

/// The form lines are printed in.
fn is_data(out: &Out) -> bool {
    out.format != Format::Table
}
