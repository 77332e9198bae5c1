//! The log topic: one instance's lines, in batches, through restarts of the instance, of the engine and of the connection,
//! without loss and without a line twice.

mod demux;
mod page;
mod run;
mod source;

use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::BoxStream;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use jiff::Timestamp;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};

use super::client::Client;
use super::convert::state;
use super::wire::Inspected;
use crate::engine::backoff::Backoff;
use crate::engine::outlet::{Outlet, drive};
use crate::engine::reading::{Line, Resume};
use crate::engine::{EngineError, LogQuery, Update};
use crate::model::{InstanceId, InstanceState};
use crate::observe::log::{ChunkBuilder, Hint, LogBatch, Marker};
use crate::observe::redact::Redaction;

use page::Page;
use run::until;
use source::Source;

pub use demux::Demux;

/// A batch is handed over when its text has this many bytes, whatever the time.
const BATCH_BYTES: usize = 256 * 1024;
/// While a log has just been opened its lines are handed over after this: somebody waits for the last of them.
const FIRST_FLUSH: Duration = Duration::from_millis(5);
/// A log has just been opened for so long.
const OPENING: Duration = Duration::from_millis(250);
/// How often an ended instance is looked at when no inventory says that it runs again.
const LOOK: Duration = Duration::from_secs(2);

/// Follows a log.
#[must_use]
pub fn follow(client: Client, query: LogQuery) -> BoxStream<'static, Update> {
    drive(move |outlet| async move {
        let redaction = query.redaction(client.redaction());
        let (resume, hint) = (Resume::default(), Hint::default());
        let meant = source::meant(&client, &query);
        let (target, query, there) = meant.map_or((query.instance.clone(), query, false), |(id, query)| (id, query, true));
        let mut log = Log { client, target, query, outlet, resume, opened: None, redaction, hint };
        if !there {
            let _: Result<(), Unread> = log.mark(Marker::Ended("there was no attempt before this one".into())).await;
            return;
        }
        // Ends when there is nothing more to say, or nobody reads any more.
        let _: Result<(), Unread> = log.begin().await;
    })
}

/// Nobody reads the topic any more.
struct Unread;

struct Log {
    client: Client,
    /// Whose lines they are: of a task's earlier run, the attempt before it.
    target: InstanceId,
    query: LogQuery,
    outlet: Outlet,
    resume: Resume,
    /// The engine's time when the log was first opened: where to go on when not a single line was seen.
    opened: Option<Timestamp>,
    redaction: Arc<Redaction>,
    /// What the last lines were.
    hint: Hint,
}

/// How one reply ended.
enum End {
    /// The engine said all there is: the instance has ended, or nothing was to be followed.
    Finished,
    Lost(EngineError),
    /// The engine was away and is back: the connection may hang without anybody noticing.
    Renewed,
}

/// What an ended instance turned out to be.
enum Look {
    Runs,
    Ended(String),
    Gone,
}

impl Log {
    /// A page, or the log itself. The engine counts `tail` from the end of all runs, whatever is to be the last line:
    /// with an end of its own the last so many lines are a page.
    async fn begin(self) -> Result<(), Unread> {
        let query = &self.query;
        let ends = query.previous || (query.until.is_some() && !query.follow);
        if query.before.is_none() && (query.tail.is_none() || !ends) {
            return self.run().await;
        }
        Page { client: self.client, target: self.target, query: self.query, outlet: self.outlet }.run().await;
        Ok(())
    }

    async fn run(mut self) -> Result<(), Unread> {
        let mut returns = self.client.known().returns();
        let mut backoff = Backoff::default();
        let mut lost_at: Option<Timestamp> = None;
        loop {
            returns.mark_unchanged();
            let follow = self.query.follow && !self.query.previous;
            let error = match self.open(follow).await {
                Ok(body) => {
                    backoff.reset();
                    if let Some(at) = lost_at.take() {
                        self.mark(Marker::Reconnected(reconnected(at))).await?;
                    }
                    match self.read(body, follow, &mut returns).await? {
                        End::Finished if !follow || self.query.until.is_some() => return Ok(()),
                        End::Finished if self.await_next_run(&mut returns).await? => continue,
                        End::Finished => return Ok(()),
                        End::Renewed => None,
                        End::Lost(error) => Some(error),
                    }
                }
                Err(error) => Some(error),
            };
            lost_at.get_or_insert_with(Timestamp::now);
            let Some(error) = error else { continue };
            if let Some(why) = hopeless(&error) {
                return self.mark(Marker::Ended(why)).await;
            }
            let (pace, noise) = (self.client.pace(), Timestamp::now().subsec_nanosecond().unsigned_abs());
            let pause = backoff.next(pace.retry_first, pace.cap(!error.is_transient()), noise);
            tokio::select! {
                () = sleep(pause) => {}
                _ = returns.changed() => {}
            }
        }
    }

    /// Opens the log where it was left.
    async fn open(&mut self, follow: bool) -> Result<Incoming, EngineError> {
        let until = until(&self.client, &self.query).await?;
        let path = self.path(until, follow);
        let reply = self.client.get(&format!("The log of {}", short(self.target.as_str())), &path).await?;
        if self.opened.is_none() {
            let date = reply.headers().get("date").and_then(|d| d.to_str().ok());
            self.opened =
                Some(date.and_then(|d| jiff::fmt::rfc2822::parse(d).ok()).map_or_else(Timestamp::now, |d| d.timestamp()));
        }
        Ok(reply.into_body())
    }

    fn path(&mut self, until: Option<Timestamp>, follow: bool) -> String {
        let mut path = Source::of(&self.client, &self.target).path();
        let mut add = |name: &str, value: &str| {
            path.push('&');
            path.push_str(name);
            path.push('=');
            path.push_str(value);
        };
        if follow {
            add("follow", "true");
        }
        if let Some(until) = until {
            add("until", &stamp(until));
        }
        let again = self.resume.begin_again();
        // A log that was empty, or of which no history was wanted, goes on where it was opened.
        let nothing_yet = || self.opened.filter(|_| self.query.tail == Some(0));
        let seen = again.or_else(nothing_yet);
        if let Some(since) = seen.or(self.query.since) {
            add("since", &stamp(since));
        }
        // An empty log has no history to be spared: when it is opened again, everything in it is new.
        if let Some(tail) = self.query.tail.filter(|_| seen.is_none() && self.opened.is_none()) {
            add("tail", &tail.to_string());
        }
        path
    }

    /// Reads a reply to its end. What has no end yet is a line at the end of what is there, not of what is followed.
    async fn read(
        &mut self,
        mut body: Incoming,
        follow: bool,
        returns: &mut watch::Receiver<Option<Instant>>,
    ) -> Result<End, Unread> {
        let mut demux = Demux::default();
        let mut chunk = self.builder();
        let connected = Instant::now();
        let mut due = connected;
        let end = loop {
            tokio::select! {
                // What is there is read before time is looked at.
                biased;
                frame = body.frame() => match frame {
                    Some(Ok(frame)) => {
                        let Some(data) = frame.data_ref() else { continue };
                        if chunk.is_empty() {
                            due = Instant::now() + if connected.elapsed() < OPENING { FIRST_FLUSH } else { self.client.pace().log_flush };
                        }
                        let (resume, until) = (&mut self.resume, self.query.until);
                        demux.push(data, &mut |line| keep(resume, &mut chunk, line, until));
                        if chunk.bytes() >= BATCH_BYTES || (!chunk.is_empty() && Instant::now() >= due) {
                            self.hand_over(&mut chunk).await?;
                        }
                    }
                    Some(Err(error)) => break End::Lost(self.client.fail("Following the log", error.into())),
                    None => break End::Finished,
                },
                () = sleep_until(due), if !chunk.is_empty() => self.hand_over(&mut chunk).await?,
                _ = returns.changed() => {
                    if returns.borrow_and_update().is_some_and(|lost| connected < lost) {
                        break End::Renewed;
                    }
                }
            }
        };
        if matches!(end, End::Finished) && !follow {
            let (resume, until) = (&mut self.resume, self.query.until);
            demux.finish(&mut |line| keep(resume, &mut chunk, line, until));
        }
        self.hand_over(&mut chunk).await?;
        Ok(end)
    }

    /// An empty chunk that goes on after the last one.
    fn builder(&self) -> ChunkBuilder {
        ChunkBuilder::new().with(self.redaction.clone()).after(self.hint)
    }

    async fn hand_over(&mut self, chunk: &mut ChunkBuilder) -> Result<(), Unread> {
        if chunk.is_empty() {
            return Ok(());
        }
        self.hint = chunk.hint();
        let finished = std::mem::replace(chunk, self.builder()).finish();
        let chunk = Arc::new(finished);
        let batch = LogBatch::new(self.query.instance.clone(), chunk);
        if self.outlet.send(Update::Logs(batch)).await { Ok(()) } else { Err(Unread) }
    }

    async fn mark(&mut self, marker: Marker) -> Result<(), Unread> {
        let mut chunk = self.builder();
        // Among the lines it belongs after the last one seen, on the engine's clock.
        chunk.marker(self.resume.latest().unwrap_or_else(Timestamp::now), marker);
        self.hand_over(&mut chunk).await
    }

    /// The instance has ended: says so and waits until it runs again. False when it never will.
    async fn await_next_run(&mut self, returns: &mut watch::Receiver<Option<Instant>>) -> Result<bool, Unread> {
        let mut told = false;
        let mut inventories = self.client.known().inventories();
        loop {
            inventories.mark_unchanged();
            match self.look().await {
                Ok(Look::Runs) => return Ok(true),
                Ok(Look::Gone) => {
                    self.mark(Marker::Ended("the container is gone".into())).await?;
                    return Ok(false);
                }
                Ok(Look::Ended(how)) if !told => {
                    told = true;
                    self.catch_up(returns).await?;
                    self.mark(Marker::Ended(how.into())).await?;
                }
                // What cannot be asked now is asked again.
                Ok(Look::Ended(_)) | Err(_) => {}
            }
            // With an inventory at hand nothing needs to be asked until that changes.
            let watched = told && self.client.known().inventory().is_some();
            tokio::select! {
                _ = inventories.changed() => {}
                _ = returns.changed() => {}
                () = sleep(LOOK), if !watched => {}
            }
        }
    }

    /// An engine may end what is followed before it has sent the last lines of an instance: what is there is read once more.
    async fn catch_up(&mut self, returns: &mut watch::Receiver<Option<Instant>>) -> Result<(), Unread> {
        // When the engine is away its return is awaited anyway, and the log opened again where it was left.
        if let Ok(body) = self.open(false).await {
            self.read(body, false, returns).await?;
        }
        Ok(())
    }

    async fn look(&self) -> Result<Look, EngineError> {
        if let Source::Task(id) = Source::of(&self.client, &self.target) {
            return source::look(&self.client, &id).await;
        }
        let inspected = match inspect(&self.client, &self.target).await {
            Ok(inspected) => inspected,
            Err(EngineError::NotFound { .. }) => return Ok(Look::Gone),
            Err(error) => return Err(error),
        };
        let now = inspected.state.status.as_deref().map_or(InstanceState::Unknown, state);
        Ok(match now {
            InstanceState::Running | InstanceState::Paused => Look::Runs,
            InstanceState::Restarting => Look::Ended("the container has ended and is being restarted".into()),
            InstanceState::Created
            | InstanceState::Removing
            | InstanceState::Exited
            | InstanceState::Dead
            | InstanceState::Unknown => match inspected.state.exit_code {
                Some(code) => Look::Ended(format!("the container has ended with exit code {code}")),
                None => Look::Ended("the container has ended".into()),
            },
        })
    }
}

async fn inspect(client: &Client, id: &InstanceId) -> Result<Inspected, EngineError> {
    let path = Source::of(client, id).inspection();
    client.get_json(&format!("Container {}", short(id.as_str())), &path).await
}

/// Adds a line unless it was seen before the connection was lost; a manager does not cut a log off by itself.
fn keep(resume: &mut Resume, chunk: &mut ChunkBuilder, line: Line<'_>, until: Option<Timestamp>) {
    let at = line.at.or_else(|| resume.latest()).unwrap_or_else(Timestamp::now);
    if until.is_none_or(|until| at <= until) && resume.is_new(at, line.bytes) {
        chunk.line(at, line.stream, line.bytes);
    }
}

/// Why it is pointless to ask again.
fn hopeless(error: &EngineError) -> Option<Arc<str>> {
    match error {
        EngineError::NotFound { .. } => Some("the container is gone".into()),
        // A log driver that cannot be read; a log file that is damaged is a 500 and may be readable later.
        EngineError::Rejected { status: 501, message, .. } => Some(message.clone()),
        EngineError::Rejected { message, .. } if message.contains("does not support reading") => Some(message.clone()),
        EngineError::Unreachable { .. }
        | EngineError::Ssh { .. }
        | EngineError::Permission { .. }
        | EngineError::Tls { .. }
        | EngineError::TooOld { .. }
        | EngineError::Conflict { .. }
        | EngineError::Rejected { .. }
        | EngineError::TimedOut { .. }
        | EngineError::Unsupported { .. }
        | EngineError::Unmet { .. }
        | EngineError::Forbidden { .. }
        | EngineError::Config { .. }
        | EngineError::Protocol { .. } => None,
    }
}

fn reconnected(lost_at: Timestamp) -> Arc<str> {
    let (lost, back) = (lost_at.strftime("%H:%M:%S"), Timestamp::now().strftime("%H:%M:%S"));
    format!("connection lost at {lost}, taken up again at {back} UTC, nothing lost").into()
}

/// Seconds and nanoseconds since 1970, as the engine takes them.
fn stamp(at: Timestamp) -> String {
    let ns = at.as_nanosecond().max(0);
    format!("{}.{:09}", ns / 1_000_000_000, ns % 1_000_000_000)
}

fn short(id: &str) -> &str {
    id.get(..12).unwrap_or(id)
}
