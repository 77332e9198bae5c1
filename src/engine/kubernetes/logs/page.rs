//! Pages of history: the lines just before what a reader holds. The server pages by lines from the end only, so a page is
//! asked for by how many lines lie between it and the end, read until the reader's oldest line comes, and asked for again
//! with more when that was too near. Lines before the page are passed over as they come: memory stays that of a page.

use std::sync::Arc;
use std::time::Duration;

use http_body_util::BodyExt as _;
use jiff::{SignedDuration, Timestamp};
use kube::client::Body;
use tokio::time::{sleep, timeout};

use super::lines::Lines;
use super::source::{Ask, Refused, open, refused};
use super::{RETRY_CAP, RETRY_FIRST, TRIES};
use crate::engine::backoff::Backoff;
use crate::engine::kubernetes::client::Client;
use crate::engine::kubernetes::place::Place;
use crate::engine::outlet::Outlet;
use crate::engine::reading::{Found, Window};
use crate::engine::{Before, EngineError, LogQuery, Update};
use crate::observe::log::{ChunkBuilder, LogBatch, Marker};

/// Lines of a page unless told otherwise, and at most.
const USUAL: u64 = 500;
const MOST: u64 = 100_000;
/// Lines asked for beyond those needed: some were written meanwhile.
const SLACK: u64 = 64;
/// How long the server may be silent in the middle of a reply.
const PATIENCE: Duration = Duration::from_secs(10);

/// A page that is asked for, by a reader who pages up or as the last lines of a log with an end.
pub(super) struct Page {
    pub client: Client,
    pub place: Place,
    pub query: LogQuery,
    pub outlet: Outlet,
}

impl Page {
    /// Reads it, through whatever the server does meanwhile, and hands it over as one batch.
    pub(super) async fn run(self) {
        let (mut backoff, mut tries) = (Backoff::default(), 0);
        loop {
            let error = match self.find().await {
                Ok(found) => return self.hand_over(found).await,
                Err(error) => error,
            };
            tries += 1;
            let why = match refused(&error) {
                Refused::Never(why) | Refused::NotYet(why) => Some(why),
                Refused::NotNow(why) if tries >= TRIES => Some(why),
                Refused::NotNow(_) | Refused::Away => None,
            };
            if let Some(why) = why {
                let mut chunk = ChunkBuilder::new();
                chunk.marker(self.query.before.as_ref().map_or_else(Timestamp::now, |b| b.at), Marker::Ended(why));
                return self.send(chunk).await;
            }
            sleep(backoff.next(RETRY_FIRST, RETRY_CAP, Timestamp::now().subsec_nanosecond().unsigned_abs())).await;
        }
    }

    fn wanted(&self) -> u64 {
        self.query.tail.unwrap_or(USUAL).clamp(1, MOST)
    }

    /// Where it ends: before what is held, or with everything up to `until`.
    fn place(&self) -> Before {
        self.query.before.clone().unwrap_or_else(|| {
            let until = self.query.until.unwrap_or(Timestamp::MAX);
            let at = until.checked_add(SignedDuration::from_nanos(1)).unwrap_or(Timestamp::MAX);
            Before { at, same: 0, held: 0 }
        })
    }

    async fn find(&self) -> Result<Found, EngineError> {
        let before = self.place();
        let container = self.place.look(&self.client).await?.container;
        let mut tail = before.held.saturating_add(self.wanted()).saturating_add(SLACK);
        loop {
            let mut window = self.window(&before, false);
            let mut reply = self.open(&container, Some(tail)).await?;
            self.read(&mut reply, &mut window).await?;
            let first = window.first();
            let found = window.find();
            if found.is_whole() {
                return Ok(found);
            }
            // Too near, or the log begins here: its first line tells.
            let mut window = self.window(&before, true);
            let mut reply = self.open(&container, None).await?;
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

    async fn open(&self, container: &str, tail: Option<u64>) -> Result<Reply, EngineError> {
        let ask = Ask { tail, previous: self.query.previous, ..Ask::default() };
        let body = open(&self.client, &self.place, container, &ask).await?;
        Ok(Reply { body, lines: Lines::default() })
    }

    /// Reads until enough is known, or to the end. What is not read is not sent either: the connection is dropped.
    async fn read(&self, reply: &mut Reply, window: &mut Window) -> Result<(), EngineError> {
        while !window.is_enough() && self.read_some(reply, window).await? {}
        Ok(())
    }

    /// Reads one piece. False at the end.
    async fn read_some(&self, reply: &mut Reply, window: &mut Window) -> Result<bool, EngineError> {
        let frame = match timeout(PATIENCE, reply.body.frame()).await {
            Ok(Some(Ok(frame))) => frame,
            Ok(Some(Err(error))) => return Err(self.client.fail("Reading the log", &error)),
            Ok(None) => {
                reply.lines.finish(&mut |line| window.take(line));
                return Ok(false);
            }
            Err(_) => return Err(EngineError::TimedOut { what: "Reading the log".into(), seconds: PATIENCE.as_secs() }),
        };
        if let Some(data) = frame.data_ref() {
            reply.lines.push(data, &mut |line| window.take(line));
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
    body: Body,
    lines: Lines,
}
