//! `qd logs`: lines of several instances, merged by time, straight from the engine's streams.
//!
//! Nothing is kept that need not be: a stream is read on only when what it gave has been printed, so a long log costs no
//! memory and a closed pipe ends it.

mod line;
mod merge;
mod pick;
mod reveal;

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream};
use jiff::Timestamp;
use tokio::sync::mpsc::channel;
use tokio::time::Instant;

use crate::app::State;
use crate::cli::Logs;
use crate::engine::{LogQuery, Topic, Update};
use crate::model::{EnvironmentId, InstanceId, Workload};
use crate::runtime::journal::Journal;
use crate::theme::Theme;

use super::interrupt::Interrupts;
use super::output::{Format, Out};
use super::target::{self, Found};
use super::{Driver, Exit, Failure, Result};

use line::{Names, Printer};
use merge::{Merge, Source};
use pick::Pick;

/// How often new replicas are looked for while following.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// Runs it.
///
/// # Errors
/// When a target is not there, a pattern or filter cannot be read, secrets may not be revealed, or standard output is closed.
pub async fn run(driver: &mut Driver, out: &mut Out, theme: &Theme, journal: &Journal, arguments: &Logs) -> Result<Exit> {
    let pick = Pick::new(arguments)?;
    let mut scope = Vec::new();
    for name in &arguments.targets {
        scope.push(target::resolve(driver, name).await?);
    }
    if arguments.reveal {
        reveal::record(driver.state(), journal, &scope)?;
    }
    let query = query(arguments, driver.state().settings.log_tail, Timestamp::now());
    let follow = query.follow;
    let mut reader = Reader {
        query,
        scope,
        container: arguments.container.clone(),
        known: BTreeSet::new(),
        begun: false,
        merge: Merge::new(follow),
        interrupts: Interrupts::listen()?,
    };
    reader.join(driver);
    if reader.known.is_empty() && !follow {
        return Err(match &arguments.container {
            Some(container) => Failure::usage(format!("no pod there has a container {container}")),
            None => Failure::failed("no instance there has a log"),
        });
    }
    let mut printer = Printer::new(theme, pick, arguments.raw, reader.names());
    reader.print(driver, out, &mut printer).await?;
    printer.close(out)?;
    match printer.trouble() {
        Some(why) if printer.printed() == 0 => Err(Failure::failed(why)),
        Some(_) | None => Ok(Exit::Done),
    }
}

/// What is asked of every instance.
fn query(arguments: &Logs, usual: u64, now: Timestamp) -> LogQuery {
    let since = arguments.since.map(|s| s.moment(now));
    let until = arguments.until.map(|s| s.moment(now));
    let tail = match arguments.tail {
        Some(tail) => tail.lines(),
        None if since.is_some() => None,
        None => Some(usual),
    };
    // What has ended cannot be followed.
    let follow = arguments.follow && until.is_none_or(|until| until > now);
    LogQuery { tail, since, until, follow, previous: arguments.previous, reveal: arguments.reveal, ..LogQuery::of("".into()) }
}

/// Reads what is asked for, new replicas included.
struct Reader {
    /// Of every instance, but for which.
    query: LogQuery,
    scope: Vec<Found>,
    /// Of pods only this container.
    container: Option<String>,
    known: BTreeSet<InstanceId>,
    /// Those that were there at the beginning are being read.
    begun: bool,
    merge: Merge,
    interrupts: Interrupts,
}

impl Reader {
    /// Whether instances may join that are not there yet.
    fn is_open(&self) -> bool {
        self.scope.iter().any(|found| found.instance.is_none())
    }

    /// What has to be said about whose a line is.
    fn names(&self) -> Names {
        let environments: BTreeSet<&EnvironmentId> = self.scope.iter().map(|found| &found.environment).collect();
        match (environments.len(), self.known.len()) {
            (2.., _) => Names::Both,
            (_, 2..) => Names::Instance,
            _ if self.is_open() => Names::Instance,
            _ => Names::None,
        }
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
                // Whoever interrupts has read enough, and gets a whole document.
                () = self.interrupts.wait() => return Ok(()),
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
            let source = Source { number: self.known.len(), ..source };
            self.known.insert(id);
            self.merge.add(source, beside(engine.subscribe(Topic::Logs(query))));
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
        let chosen = workload.instances.iter().filter(|i| only.is_none_or(|id| *id == i.id));
        let logs = chosen.flat_map(|i| match &self.container {
            Some(container) => i.log_of(container).into_iter().collect(),
            None => i.logs(self.query.previous),
        });
        logs.filter(|(id, _)| !self.known.contains(id))
            .map(|(id, name)| {
                let source = Source {
                    number: 0,
                    environment: state.name_of(environment),
                    workload: workload.id.to_string(),
                    instance: name.to_string(),
                };
                (environment.clone(), id, source)
            })
            .collect()
    }
}

/// Reads a stream in a task of its own, one update ahead: lines are decoded beside the connection they come by, while
/// those before them are printed.
fn beside(mut stream: BoxStream<'static, Update>) -> BoxStream<'static, Update> {
    let (sender, receiver) = channel(1);
    tokio::spawn(async move {
        while let Some(update) = stream.next().await {
            // Nobody reads any more.
            if sender.send(update).await.is_err() {
                return;
            }
        }
    });
    stream::unfold(receiver, |mut receiver| async move { receiver.recv().await.map(|update| (update, receiver)) }).boxed()
}

/// The form lines are printed in.
fn is_data(out: &Out) -> bool {
    out.format != Format::Table
}
