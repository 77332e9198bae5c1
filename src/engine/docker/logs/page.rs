//! Pages of history: the lines just before what a reader holds, read as cheaply as the engine allows.
//!
//! The engine finds `tail` by seeking back from the end of its file, and decodes everything for `since`; an `until`
//! cuts off after `tail` has counted. So a page is asked for by how many lines lie between it and the end, read until
//! the reader's oldest line comes, and asked for again with more when that was too near.

use std::sync::Arc;
use std::time::Duration;

use http_body_util::BodyExt;
use hyper::body::Incoming;
use jiff::{SignedDuration, Timestamp};
use tokio::time::{sleep, timeout};

use super::super::client::Client;
use super::source::Source;
use super::{Demux, hopeless, short, until};
use crate::engine::backoff::Backoff;
use crate::engine::outlet::Outlet;
use crate::engine::reading::{Found, Window};
use crate::engine::{Before, EngineError, LogQuery, Update};
use crate::model::InstanceId;
use crate::observe::log::{ChunkBuilder, LogBatch, Marker};

/// Lines of a page unless told otherwise, and at most.
const USUAL: u64 = 500;
const MOST: u64 = 100_000;
/// Lines asked for beyond those needed: some were written meanwhile.
const SLACK: u64 = 64;
/// How long the engine may be silent in the middle of a reply.
const PATIENCE: Duration = Duration::from_secs(10);

/// A page that is asked for, by a reader who pages up or as the last lines of a log with an end.
pub(super) struct Page {
    pub client: Client,
    pub target: InstanceId,
    pub query: LogQuery,
    pub outlet: Outlet,
}

impl Page {
    /// Reads it, through whatever the engine does meanwhile, and hands it over as one batch.
    pub(super) async fn run(self) {
        let mut backoff = Backoff::default();
        loop {
            let error = match self.find().await {
                Ok(found) => return self.hand_over(found).await,
                Err(error) => error,
            };
            if let Some(why) = hopeless(&error) {
                let mut chunk = ChunkBuilder::new();
                chunk.marker(self.query.before.as_ref().map_or_else(Timestamp::now, |b| b.at), Marker::Ended(why));
                return self.send(chunk).await;
            }
            let noise = Timestamp::now().subsec_nanosecond().unsigned_abs();
            let pace = self.client.pace();
            sleep(backoff.next(pace.retry_first, pace.cap(!error.is_transient()), noise)).await;
        }
    }

    fn wanted(&self) -> u64 {
        self.query.tail.unwrap_or(USUAL).clamp(1, MOST)
    }

    /// Where it ends.
    async fn place(&self) -> Result<Before, EngineError> {
        if let Some(before) = &self.query.before {
            return Ok(before.clone());
        }
        let until = until(&self.client, &self.query).await?.unwrap_or(Timestamp::MAX);
        // Everything up to then, and nothing of it is held yet.
        let at = until.checked_add(SignedDuration::from_nanos(1)).unwrap_or(Timestamp::MAX);
        Ok(Before { at, same: 0, held: 0 })
    }

    async fn find(&self) -> Result<Found, EngineError> {
        let before = self.place().await?;
        let mut tail = before.held.saturating_add(self.wanted()).saturating_add(SLACK);
        loop {
            let mut window = self.window(&before, false);
            let mut reply = Reply::of(self.open(Some(tail)).await?);
            self.read(&mut reply, &mut window).await?;
            let first = window.first();
            let found = window.find();
            if found.is_whole() {
                return Ok(found);
            }
            // Too near, or the log begins here: its first line tells.
            let mut window = self.window(&before, true);
            let mut reply = Reply::of(self.open(None).await?);
            while window.first().is_none() && self.read_some(&mut reply, &mut window).await? {}
            if window.first().is_none() || first.is_none() || window.first() >= first {
                self.read(&mut reply, &mut window).await?;
                return Ok(window.find());
            }
            tail = tail.saturating_mul(2);
        }
    }

    fn window(&self, before: &Before, from_the_beginning: bool) -> Window {
        let wanted = usize::try_from(self.wanted()).unwrap_or(usize::MAX);
        Window::new(before, wanted, self.query.since, from_the_beginning)
    }

    async fn open(&self, tail: Option<u64>) -> Result<Incoming, EngineError> {
        let tail = tail.map_or_else(|| "all".to_owned(), |tail| tail.to_string());
        let path = format!("{}&tail={tail}", Source::of(&self.client, &self.target).path());
        Ok(self.client.get(&format!("The log of {}", short(self.target.as_str())), &path).await?.into_body())
    }

    /// Reads until enough is known, or to the end. What is not read is not sent either: the connection is dropped.
    async fn read(&self, reply: &mut Reply, window: &mut Window) -> Result<(), EngineError> {
        while !window.is_enough() && self.read_some(reply, window).await? {}
        Ok(())
    }

    /// Reads one piece. False at the end.
    async fn read_some(&self, reply: &mut Reply, window: &mut Window) -> Result<bool, EngineError> {
        let frame = match timeout(PATIENCE, reply.body.frame()).await {
            Ok(Some(frame)) => frame.map_err(|e| self.client.fail("Reading the log", e.into()))?,
            Ok(None) => {
                reply.demux.finish(&mut |line| window.take(line));
                return Ok(false);
            }
            Err(_) => return Err(EngineError::TimedOut { what: "Reading the log".into(), seconds: PATIENCE.as_secs() }),
        };
        if let Some(data) = frame.data_ref() {
            reply.demux.push(data, &mut |line| window.take(line));
        }
        Ok(true)
    }

    async fn hand_over(&self, found: Found) {
        let mut chunk = ChunkBuilder::new().with(self.query.redaction(self.client.redaction()));
        if let Some(before) = self.query.before.as_ref().filter(|_| found.begins) {
            chunk.marker(found.lines.first().map_or(before.at, |l| l.at), Marker::Begin);
        }
        for line in &found.lines {
            chunk.line(line.at, line.stream, &line.bytes);
        }
        if !chunk.is_empty() {
            self.send(chunk).await;
        }
    }

    async fn send(&self, chunk: ChunkBuilder) {
        let batch = LogBatch::new(self.query.instance.clone(), Arc::new(chunk.finish()));
        let older = self.query.before.is_some();
        // Whoever does not want it any more has dropped the stream.
        let _: bool = self.outlet.send(Update::Logs(LogBatch { older, ..batch })).await;
    }
}

struct Reply {
    body: Incoming,
    demux: Demux,
}

impl Reply {
    fn of(body: Incoming) -> Self {
        Self { body, demux: Demux::default() }
    }
}
