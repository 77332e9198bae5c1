//! Effects on engines, files and processes, done away from the loop and answered by messages. A change is not executed
//! before its record is on the disk.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::AssertUnwindSafe;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use tokio::runtime::Handle;
use tokio::sync::mpsc::Sender;
use tokio::sync::watch;

use crate::app::Msg;
use crate::engine::{Engine, EngineError, Report};
use crate::model::{ConnectionId, EnvironmentId, OperationId};
use crate::observe::load::Figures;
use crate::operate::audit::{Phase, Record};
use crate::operate::machine::Ticket;
use crate::operate::{Accepted, Action, Errand};
use crate::probe;

use super::follow::Engines;
use super::journal::Journal;
use super::{Incoming, pipe, process};

/// Records and actions waiting for the disk. Far more than any number of operations has under way.
const QUEUE: usize = 256;
/// How long the end of the program waits for the disk.
const RECORDED_WITHIN: Duration = Duration::from_secs(3);

/// Does what is to be done outside.
pub(super) struct Performer {
    engines: Engines,
    handle: Handle,
    inbox: Sender<Incoming>,
    queue: SyncSender<Job>,
    clerk: JoinHandle<()>,
    stops: Stops,
}

/// What is being executed and can be told to end.
type Stops = Arc<Mutex<BTreeMap<(OperationId, Ticket), watch::Sender<bool>>>>;

/// Done in order by one thread: what comes after a record waits until it is on the disk.
enum Job {
    Append(Record),
    Execute(Order),
    Load,
}

/// One action for an engine.
struct Order {
    engine: Option<Arc<dyn Engine>>,
    operation: OperationId,
    ticket: Ticket,
    action: Action,
}

impl Performer {
    pub(super) fn new(engines: Engines, journal: Journal, handle: Handle, inbox: Sender<Incoming>) -> std::io::Result<Self> {
        let (queue, jobs) = sync_channel(QUEUE);
        let stops = Stops::default();
        let clerk =
            Clerk { journal, handle: handle.clone(), inbox: inbox.clone(), unrecorded: BTreeSet::new(), stops: stops.clone() };
        let clerk =
            thread::Builder::new().name("qd-journal".to_owned()).stack_size(256 << 10).spawn(move || clerk.work(&jobs))?;
        Ok(Self { engines, handle, inbox, queue, clerk, stops })
    }

    /// Takes nothing more on and waits until every record is on the disk, but not for a disk that hangs.
    pub(super) fn close(self) {
        let Self { queue, clerk, .. } = self;
        drop(queue);
        let end = Instant::now() + RECORDED_WITHIN;
        while !clerk.is_finished() && Instant::now() < end {
            thread::sleep(Duration::from_millis(1));
        }
    }

    pub(super) fn execute(&self, connection: &ConnectionId, operation: OperationId, ticket: Ticket, action: Action) {
        let engine = self.engines.get(connection).cloned();
        if self.queue.try_send(Job::Execute(Order { engine, operation: operation.clone(), ticket, action })).is_err() {
            self.tell(Msg::Done { operation, ticket, result: Err(unrecorded("the audit log does not keep up")) });
        }
    }

    /// Tells what is being executed to end; its answer comes as ever. What has ended by now is left alone.
    pub(super) fn stop(&self, operation: &OperationId, ticket: Ticket) {
        let stops = self.stops.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(stop) = stops.get(&(operation.clone(), ticket)) {
            stop.send_replace(true);
        }
    }

    /// Looks ahead for a plan that is on screen: it changes nothing, so nothing of it is recorded.
    pub(super) fn preview(&self, connection: &ConnectionId, plan: OperationId, step: usize, look: Action) {
        let (engine, inbox) = (self.engines.get(connection).cloned(), self.inbox.clone());
        self.handle.spawn(async move {
            let result = act(engine, look, Arc::new(|_| {})).await;
            drop(inbox.send(Incoming::Msg(Msg::Previewed { plan, step, result })).await);
        });
    }

    /// Reads a figure: it changes nothing, so nothing of it is recorded.
    pub(super) fn measure(&self, connection: &ConnectionId, environment: EnvironmentId, policy: usize, look: Action) {
        let (engine, inbox) = (self.engines.get(connection).cloned(), self.inbox.clone());
        self.handle.spawn(async move {
            let result = act(engine, look, Arc::new(|_| {})).await;
            drop(inbox.send(Incoming::Msg(Msg::Measured { environment, policy, result })).await);
        });
    }

    pub(super) fn append(&self, record: Record) {
        if self.queue.try_send(Job::Append(record)).is_err() {
            self.tell(Msg::JournalFailed("the audit log does not keep up: the disk hangs".into()));
        }
    }

    pub(super) fn load(&self) {
        if self.queue.try_send(Job::Load).is_err() {
            self.tell(Msg::JournalFailed("the audit log does not keep up: the disk hangs".into()));
        }
    }

    /// Writes a new file in the working directory; one that is there already is left alone.
    pub(super) fn save(&self, name: String, content: String) {
        let inbox = self.inbox.clone();
        self.handle.spawn_blocking(move || {
            let written = std::fs::File::create_new(&name)
                .and_then(|mut file| std::io::Write::write_all(&mut file, content.as_bytes()).and_then(|()| file.sync_all()));
            let path = std::path::absolute(&name).unwrap_or_else(|_| name.clone().into());
            let msg = match written {
                Ok(()) => Msg::Note { ok: true, text: format!("saved {}", path.display()).into() },
                Err(error) => Msg::Note { ok: false, text: format!("{} was not saved: {error}", path.display()).into() },
            };
            drop(inbox.blocking_send(Incoming::Msg(msg)));
        });
    }

    pub(super) fn pipe(&self, command: String, content: String) {
        let inbox = self.inbox.clone();
        self.handle.spawn(async move {
            let result = pipe::run(&command, content).await;
            drop(inbox.send(Incoming::Msg(Msg::Piped { command: command.into(), result })).await);
        });
    }

    pub(super) fn probe_owners(&self, owners: Vec<(u32, u64)>) {
        self.tell(Msg::Alive(process::alive(owners)));
    }

    /// Answers without holding up the loop, which is what reads the answers.
    pub(super) fn tell(&self, msg: Msg) {
        let inbox = self.inbox.clone();
        self.handle.spawn(async move {
            drop(inbox.send(Incoming::Msg(msg)).await);
        });
    }
}

/// Keeps the records: a thread of its own, because syncing waits for the disk.
struct Clerk {
    journal: Journal,
    handle: Handle,
    inbox: Sender<Incoming>,
    /// Operations whose start is not on record: nothing of them is executed. One that has begun and whose later record
    /// fails goes on, because half a change is worse than a missing line; the failure is told either way.
    unrecorded: BTreeSet<Arc<str>>,
    stops: Stops,
}

impl Clerk {
    fn work(mut self, jobs: &Receiver<Job>) {
        while let Ok(job) = jobs.recv() {
            match job {
                Job::Append(record) => {
                    if let Err(error) = self.journal.append(&record) {
                        tracing::error!(%error, "audit");
                        if record.phase == Phase::Started {
                            self.unrecorded.insert(record.operation.clone());
                        }
                        self.tell(Msg::JournalFailed(error.into()));
                    }
                }
                Job::Execute(order) if self.unrecorded.contains(&order.operation.0) => {
                    let result = Err(unrecorded("its start could not be written to the audit log"));
                    self.tell(Msg::Done { operation: order.operation, ticket: order.ticket, result });
                }
                Job::Execute(order) => {
                    let stop = self.stoppable(&order);
                    self.handle.spawn(execute(order, self.inbox.clone(), stop));
                }
                Job::Load => match self.journal.recent() {
                    Ok(records) => self.tell(Msg::Journal(records)),
                    Err(error) => {
                        let path = self.journal.file();
                        self.tell(Msg::Note {
                            ok: false,
                            text: format!("the audit log {} cannot be read: {error}", path.display()).into(),
                        });
                    }
                },
            }
        }
    }

    /// A way to end what is executed, where it has one: a load test.
    fn stoppable(&self, order: &Order) -> Option<Stoppable> {
        let Some(Errand::Load(_)) = order.action.errand() else { return None };
        let key = (order.operation.clone(), order.ticket);
        let (sender, told) = watch::channel(false);
        self.stops.lock().unwrap_or_else(PoisonError::into_inner).insert(key.clone(), sender);
        Some(Stoppable { told, key, stops: self.stops.clone() })
    }

    fn tell(&self, msg: Msg) {
        drop(self.inbox.blocking_send(Incoming::Msg(msg)));
    }
}

fn unrecorded(why: &str) -> EngineError {
    EngineError::Unsupported { what: "a change that is not on record".into(), why: why.into() }
}

/// Something that is executed and can be told to end, for as long as it is.
struct Stoppable {
    told: watch::Receiver<bool>,
    key: (OperationId, Ticket),
    stops: Stops,
}

impl Drop for Stoppable {
    fn drop(&mut self) {
        self.stops.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}

async fn execute(order: Order, inbox: Sender<Incoming>, stop: Option<Stoppable>) {
    let Order { engine, operation, ticket, action } = order;
    tracing::info!(%operation, ?action, "execute");
    let (to, of) = (inbox.clone(), operation.clone());
    let report: Report = Arc::new(move |text: String| {
        // Words about progress may be lost when the loop is busy: the next ones say more.
        drop(to.try_send(Incoming::Msg(Msg::Progress { operation: of.clone(), ticket, text: text.into() })));
    });
    let result = match (stop, action.errand()) {
        (Some(stop), Some(errand @ Errand::Load(load))) if engine.as_ref().is_none_or(|e| e.plays(errand).is_none()) => {
            let (to, of) = (inbox.clone(), operation.clone());
            let tell: Arc<dyn Fn(Figures) + Send + Sync> = Arc::new(move |figures| {
                let figures = Arc::new(figures);
                // As words about progress: the next ones say more.
                drop(to.try_send(Incoming::Msg(Msg::Figures { operation: of.clone(), ticket, figures })));
            });
            probe::load(load, &tell, stop.told.clone()).await
        }
        (_, _) => act(engine, action, report).await,
    };
    tracing::info!(%operation, ?result, "answered");
    drop(inbox.send(Incoming::Msg(Msg::Done { operation, ticket, result })).await);
}

/// Does one action; a panic in it is an error of its own.
async fn act(engine: Option<Arc<dyn Engine>>, action: Action, report: Report) -> Result<Accepted, EngineError> {
    AssertUnwindSafe(dispatch(engine, action, report)).catch_unwind().await.unwrap_or_else(|_| {
        Err(EngineError::Protocol { endpoint: "quarterdeck".into(), cause: "a fault of its own; please report it".into() })
    })
}

/// An action is for its engine, an errand for the world around it.
async fn dispatch(engine: Option<Arc<dyn Engine>>, action: Action, report: Report) -> Result<Accepted, EngineError> {
    let Some(errand) = action.errand() else {
        let engine = engine.ok_or_else(|| EngineError::NotFound { what: "the connection".into() })?;
        return engine.execute(action, report).await;
    };
    if let Some(played) = engine.as_ref().and_then(|engine| engine.plays(errand)) {
        return played.await;
    }
    let redaction = engine.as_ref().map(|engine| engine.redaction()).unwrap_or_default();
    probe::perform(engine, errand.clone(), report, redaction).await
}
