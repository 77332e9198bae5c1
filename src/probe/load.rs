//! The load generator: users who ask, each over a connection of its own that is kept, and the books kept of them. What is
//! sent when, and what is made of the answers, is [`crate::observe::load`]'s.
//!
//! One user costs a task, a connection and what is read ahead of it: about 24 KiB, at most 16 KiB more while an answer is long.
//! All of them share a handful of tallies. Requests
//! are GETs, answers are read whole and thrown away, redirects are answers like others.

mod line;
mod user;

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use crate::observe::load::{End, Figures, Ledger, Load, Tally};

use line::{Line, Where};

/// How often the books are looked at.
const TICK: Duration = Duration::from_secs(1);
/// Users that share a tally take turns; so many tallies are enough that they need not wait for each other.
const TALLIES: u32 = 16;
/// Threads that users are served by, at most.
const THREADS: usize = 4;
/// Open files that are none of the users'.
const OTHER_FILES: u64 = 256;

/// Who is told how it stands, once a second.
pub(super) type Tell = Arc<dyn Fn(Figures) + Send + Sync>;

/// Runs a test to its end, or until `stop` turns true.
///
/// # Errors
/// A sentence when it could not begin.
pub(super) async fn run(load: &Load, tell: &Tell, stop: watch::Receiver<bool>) -> Result<Figures, String> {
    load.shape.check()?;
    files_for(load.shape.users)?;
    let place = Where::find(&load.url, load.shape.timeout).await?;
    first(&place, load).await?;
    let own = Own::new()?;
    let (load, tell) = (load.clone(), tell.clone());
    let test = own.spawn(conduct(load, place, tell, stop));
    test.await.unwrap_or_else(|_| Err("a fault of its own; please report it".to_owned()))
}

/// One request ahead of all others: a test of what is not there, or only fails, measures nothing.
async fn first(place: &Where, load: &Load) -> Result<(), String> {
    let ask = async {
        let mut line = Line::open(place).await.map_err(|failed| failed.kind.to_string())?;
        line.ask(place).await.map_err(|failed| format!("its first answer is {}", failed.kind))
    };
    match tokio::time::timeout(load.shape.timeout, ask).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(why)) => Err(why),
        Err(_) => Err(super::stream::Fault::late(load.shape.timeout).why),
    }
}

/// A runtime for the users alone: what else goes on does not wait for them, and they end with it.
struct Own(Option<Runtime>);

impl Own {
    fn new() -> Result<Self, String> {
        let threads = std::thread::available_parallelism().map_or(1, usize::from).min(THREADS);
        let runtime = Builder::new_multi_thread().worker_threads(threads).thread_name("qd-load").enable_all().build();
        runtime.map(|runtime| Self(Some(runtime))).map_err(|error| format!("no threads are to be had: {error}"))
    }

    fn spawn<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> tokio::task::JoinHandle<T> {
        match &self.0 {
            Some(runtime) => runtime.spawn(work),
            None => tokio::spawn(work),
        }
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// Makes sure that every user can have a connection.
fn files_for(users: u32) -> Result<(), String> {
    let wanted = u64::from(users) + OTHER_FILES;
    let limit = getrlimit(Resource::Nofile);
    let enough = |limit: Option<u64>| limit.is_none_or(|limit| limit >= wanted);
    if enough(limit.current) {
        return Ok(());
    }
    if enough(limit.maximum) && setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), ..limit }).is_ok() {
        return Ok(());
    }
    let most = limit.maximum.unwrap_or(u64::MAX);
    Err(format!("{users} users need {wanted} open files, and at most {most} are allowed here (ulimit -n)"))
}

/// What users share.
struct Shared {
    load: Load,
    place: Where,
    tallies: Vec<Mutex<Tally>>,
    /// Open: the next request that is due.
    next: AtomicU64,
    begun: Instant,
}

impl Shared {
    /// When the last request may be sent.
    fn ends(&self) -> Instant {
        self.begun + self.load.shape.duration
    }

    fn tally<T>(&self, user: u32, tell: impl FnOnce(&mut Tally) -> T) -> T {
        let tally = &self.tallies[user as usize % self.tallies.len()];
        tell(&mut tally.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn collect(&self, ledger: &mut Ledger) {
        for tally in &self.tallies {
            ledger.add(&mut tally.lock().unwrap_or_else(PoisonError::into_inner));
        }
    }
}

async fn conduct(load: Load, place: Where, tell: Tell, mut stop: watch::Receiver<bool>) -> Result<Figures, String> {
    let failed = |error: hdrhistogram::CreationError| error.to_string();
    let mut ledger = Ledger::new(&load.shape).map_err(failed)?;
    let tallies = (0..load.shape.users.clamp(1, TALLIES)).map(|_| Tally::new().map(Mutex::new)).collect::<Result<Vec<_>, _>>();
    let begun = Instant::now();
    let (shape, percent) = (load.shape.clone(), load.abort_percent);
    let shared = Arc::new(Shared { load, place, tallies: tallies.map_err(failed)?, next: AtomicU64::new(0), begun });
    let mut users = JoinSet::new();
    for number in 0..shape.users {
        users.spawn(user::live(shared.clone(), number));
    }
    let mut tick = interval_at(begun + TICK, TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let end = loop {
        tokio::select! {
            biased;
            () = told(&mut stop) => break End::Stopped,
            _ = tick.tick() => {
                shared.collect(&mut ledger);
                tell(ledger.tick(begun.elapsed()).clone());
                if ledger.is_failing(percent) {
                    break End::Failing;
                }
            }
            ended = users.join_next() => if ended.is_none() {
                break End::Done;
            },
        }
    };
    // What is still waited for is given up, and told as what it is.
    users.abort_all();
    shared.collect(&mut ledger);
    Ok(ledger.close(begun.elapsed(), end))
}

/// Waits until it is told to stop; for ever when nobody can say so any more.
async fn told(stop: &mut watch::Receiver<bool>) {
    if stop.wait_for(|stop| *stop).await.is_err() {
        std::future::pending::<()>().await;
    }
}

#[cfg(test)]
mod tests;
