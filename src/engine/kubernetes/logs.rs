//! The log topic: one container's lines, in batches, through restarts of the container, of the kubelet and of the
//! connection, without loss and without a line twice.

pub mod lines;
mod page;
mod runs;
mod source;

use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::BoxStream;
use http_body_util::BodyExt as _;
use jiff::Timestamp;
use kube::client::Body;
use tokio::time::{Instant, sleep, sleep_until};

use super::client::Client;
use super::place::{Place, Run, Seen};
use crate::engine::backoff::Backoff;
use crate::engine::outlet::{Outlet, drive};
use crate::engine::reading::{Line, Resume};
use crate::engine::{EngineError, LogQuery, Update};
use crate::observe::log::{ChunkBuilder, Hint, LogBatch, Marker};
use crate::observe::redact::Redaction;

use lines::Lines;
use page::Page;
use runs::{Next, Runs};
use source::{Ask, Refused, open, refused};

/// A batch is handed over when its text has this many bytes, whatever the time.
const BATCH_BYTES: usize = 256 * 1024;
/// Lines are handed over at least this often; while a log has just been opened somebody waits for the last of them.
const FLUSH: Duration = Duration::from_millis(60);
const FIRST_FLUSH: Duration = Duration::from_millis(5);
const OPENING: Duration = Duration::from_millis(250);
/// Pauses between attempts, and between looks at a container that does not run.
const RETRY_FIRST: Duration = Duration::from_millis(250);
const RETRY_CAP: Duration = Duration::from_secs(5);
/// As long as that while it is about to start.
const STARTING: Duration = Duration::from_secs(1);
/// So often a node is asked for a log that is not followed.
const TRIES: u32 = 5;

/// Follows a log.
#[must_use]
pub fn follow(client: Client, query: LogQuery) -> BoxStream<'static, Update> {
    drive(move |outlet| async move {
        let Ok(place) = Place::of(&query.instance) else { return };
        // The server counts `tail` from the end, whatever is to be the last line: with an end of its own it is a page.
        let page = query.before.is_some() || (query.tail.is_some() && query.until.is_some() && !query.follow);
        if page {
            return Page { client, place, query, outlet }.run().await;
        }
        let redaction = query.redaction(client.redaction());
        let log = Log {
            client,
            place,
            query,
            outlet,
            redaction,
            hint: Hint::default(),
            resume: Resume::default(),
            lines: Lines::default(),
            opened: None,
            lost: None,
            told: None,
        };
        // Ends when there is nothing more to say, or nobody reads any more.
        let _: Result<(), Unread> = log.run().await;
    })
}

/// Nobody reads the topic any more.
struct Unread;

struct Log {
    client: Client,
    place: Place,
    query: LogQuery,
    outlet: Outlet,
    redaction: Arc<Redaction>,
    /// What the last lines were.
    hint: Hint,
    resume: Resume,
    lines: Lines,
    /// When the log was first opened: where to go on when not a single line was seen.
    opened: Option<Timestamp>,
    /// It broke off then, and whether that is worth a word when it goes on.
    lost: Option<(Timestamp, bool)>,
    /// What was said last of why there is nothing to read.
    told: Option<Arc<str>>,
}

/// How one reply ended.
enum End {
    /// The server said all there is.
    Finished,
    /// The last moment that is wanted is over.
    Over,
    Lost(EngineError),
}

impl Log {
    async fn run(mut self) -> Result<(), Unread> {
        // What has ended cannot be followed.
        let ended = self.query.until.is_some_and(|until| until <= Timestamp::now());
        let follow = self.query.follow && !self.query.previous && !ended;
        let (mut runs, mut backoff, mut tries) = (Runs::default(), Backoff::default(), 0);
        loop {
            let began = Instant::now();
            let (error, cap) = match self.turn(&mut runs, follow).await? {
                Turn::Done => return Ok(()),
                Turn::Again(cap) => (None, cap),
                Turn::Failed(error) => (Some(error), RETRY_CAP),
            };
            if began.elapsed() > RETRY_CAP {
                (backoff, tries) = (Backoff::default(), 0);
            }
            tries += 1;
            if let Some(error) = error {
                match refused(&error) {
                    Refused::Never(why) if follow && why.ends_with("is gone") && runs.is_followed_by_its_like() => {
                        self.end("the pod is gone; the next one of its name is waited for").await?;
                    }
                    Refused::Never(why) => return self.end(&why).await,
                    Refused::NotNow(why) if !follow && tries >= TRIES => return self.end(&why).await,
                    Refused::NotYet(why) if !follow => return self.wait(&why).await,
                    Refused::NotYet(why) => self.wait(&why).await?,
                    Refused::NotNow(why) => {
                        self.broke_off();
                        self.wait(&format!("its log cannot be read now: {why}")).await?;
                    }
                    Refused::Away => self.broke_off(),
                }
            }
            sleep(backoff.next(RETRY_FIRST, cap, Timestamp::now().subsec_nanosecond().unsigned_abs())).await;
        }
    }

    /// One look at the container and, where there is something to read, one reply to its end.
    async fn turn(&mut self, runs: &mut Runs, follow: bool) -> Result<Turn, Unread> {
        let seen = match self.place.look(&self.client).await {
            Ok(seen) => seen,
            Err(error) => return Ok(Turn::Failed(error)),
        };
        if self.query.previous {
            return self.once(&seen, true).await;
        }
        match runs.next(&seen) {
            Next::Wait(why) => {
                self.wait(&why).await?;
                return Ok(if follow { Turn::Again(STARTING) } else { Turn::Done });
            }
            Next::Idle => return Ok(Turn::Again(RETRY_CAP)),
            Next::Over(how) => {
                self.finish_line().await?;
                self.end(&how).await?;
                return Ok(if seen.is_over() { Turn::Done } else { Turn::Again(RETRY_CAP) });
            }
            Next::Replaced => self.end("another pod has taken its place").await?,
            Next::Read => {}
            Next::ReadBefore { lost } => {
                // What was not read of the run before, or of one that came and went meanwhile.
                if let Turn::Failed(error) = self.once(&seen, true).await?
                    && !matches!(refused(&error), Refused::Never(_))
                {
                    return Ok(Turn::Failed(error));
                }
                let more = if lost > 0 { format!("; {lost} runs before it are not kept") } else { String::new() };
                self.mark(Marker::Ended(format!("the container was started again{more}").into())).await?;
            }
        }
        runs.reads(&seen);
        if !follow {
            return self.once(&seen, false).await;
        }
        match self.reply(&seen, true, false).await? {
            Ok(End::Over) => Ok(Turn::Done),
            Ok(End::Finished) => {
                // The server may close what is followed at any time; where the container goes on, so do we.
                self.lost.get_or_insert((Timestamp::now(), false));
                self.catch_up(runs).await?;
                Ok(Turn::Again(STARTING))
            }
            Ok(End::Lost(error)) | Err(error) => Ok(Turn::Failed(error)),
        }
    }

    /// Reads what there is of one run, and no more.
    async fn once(&mut self, seen: &Seen, previous: bool) -> Result<Turn, Unread> {
        match self.reply(seen, false, previous).await? {
            Ok(End::Finished | End::Over) => {
                self.finish_line().await?;
                Ok(Turn::Done)
            }
            Ok(End::Lost(error)) | Err(error) => Ok(Turn::Failed(error)),
        }
    }

    /// What is followed may end before the last lines of a container that has ended: what is there is read once more.
    async fn catch_up(&mut self, runs: &mut Runs) -> Result<(), Unread> {
        let Ok(seen) = self.place.look(&self.client).await else { return Ok(()) };
        if runs.is_of(&seen)
            && matches!(seen.run(), Run::Ended { .. })
            && let Ok(End::Finished) = self.reply(&seen, false, false).await?
        {
            runs.read_to_its_end();
        }
        Ok(())
    }

    /// Opens a log where it was left and reads the reply to its end.
    async fn reply(&mut self, seen: &Seen, follow: bool, previous: bool) -> Result<Result<End, EngineError>, Unread> {
        let again = self.resume.begin_again();
        // A log that was empty, or of which no history was wanted, goes on where it was opened.
        let nothing_yet = self.opened.filter(|_| self.query.tail == Some(0));
        let tail = self.query.tail.filter(|_| again.is_none() && self.opened.is_none());
        let ask = Ask { tail, since: again.or(nothing_yet).or(self.query.since), follow, previous };
        self.opened.get_or_insert_with(Timestamp::now);
        let ends = self.ends_at().filter(|_| follow);
        let opened = tokio::select! {
            opened = open(&self.client, &self.place, &seen.container, &ask) => opened,
            () = sleep_until(ends.unwrap_or_else(far)), if ends.is_some() => return Ok(Ok(End::Over)),
        };
        match opened {
            Ok(body) => self.read(body, &ask).await.map(Ok),
            Err(error) => Ok(Err(error)),
        }
    }

    async fn read(&mut self, mut body: Body, ask: &Ask) -> Result<End, Unread> {
        self.lines.forget();
        let mut chunk = self.builder();
        let (connected, ends) = (Instant::now(), self.ends_at().filter(|_| ask.follow));
        let mut due = connected;
        let mut over = false;
        let end = loop {
            tokio::select! {
                // What is there is read before time is looked at.
                biased;
                frame = body.frame() => match frame {
                    Some(Ok(frame)) => {
                        let Some(data) = frame.data_ref() else { continue };
                        if chunk.is_empty() {
                            due = Instant::now() + if connected.elapsed() < OPENING { FIRST_FLUSH } else { FLUSH };
                        }
                        let mut keep = Keep { resume: &mut self.resume, lost: &mut self.lost, told: &mut self.told, over: &mut over };
                        let until = self.query.until;
                        self.lines.push(data, &mut |line| keep.line(&mut chunk, line, ask.since, until));
                        if chunk.bytes() >= BATCH_BYTES || (!chunk.is_empty() && Instant::now() >= due) {
                            self.hand_over(&mut chunk).await?;
                        }
                        if over {
                            break End::Over;
                        }
                    }
                    Some(Err(error)) => break End::Lost(self.client.fail("Following the log", &error)),
                    None => break End::Finished,
                },
                () = sleep_until(due), if !chunk.is_empty() => self.hand_over(&mut chunk).await?,
                () = sleep_until(ends.unwrap_or(due)), if ends.is_some() => break End::Over,
            }
        };
        self.hand_over(&mut chunk).await?;
        Ok(end)
    }

    /// A log with no end to its last line is over: that is a line too.
    async fn finish_line(&mut self) -> Result<(), Unread> {
        let (mut chunk, mut over, until) = (self.builder(), false, self.query.until);
        let mut keep = Keep { resume: &mut self.resume, lost: &mut self.lost, told: &mut self.told, over: &mut over };
        self.lines.finish(&mut |line| keep.line(&mut chunk, line, None, until));
        self.hand_over(&mut chunk).await
    }

    /// When what is followed is over, whatever comes.
    fn ends_at(&self) -> Option<Instant> {
        let left = self.query.until?.duration_since(Timestamp::now());
        Some(Instant::now() + Duration::try_from(left).unwrap_or(Duration::ZERO))
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
        let batch = LogBatch::new(self.query.instance.clone(), Arc::new(finished));
        if self.outlet.send(Update::Logs(batch)).await { Ok(()) } else { Err(Unread) }
    }

    async fn mark(&mut self, marker: Marker) -> Result<(), Unread> {
        let mut chunk = self.builder();
        // Among the lines it belongs after the last one seen, on the node's clock.
        chunk.marker(self.resume.latest().unwrap_or_else(Timestamp::now), marker);
        self.hand_over(&mut chunk).await
    }

    /// What was being read does not come any more.
    fn broke_off(&mut self) {
        if self.opened.is_some() {
            self.lost.get_or_insert((Timestamp::now(), true)).1 = true;
        }
    }

    /// Says once what is waited for.
    async fn wait(&mut self, why: &str) -> Result<(), Unread> {
        if self.told.as_deref() == Some(why) {
            return Ok(());
        }
        self.told = Some(why.into());
        self.mark(Marker::Waiting(why.into())).await
    }

    /// Says once that and how it has ended.
    async fn end(&mut self, how: &str) -> Result<(), Unread> {
        // An end that is known is no loss.
        self.lost = None;
        if self.told.as_deref() == Some(how) {
            return Ok(());
        }
        self.told = Some(how.into());
        self.mark(Marker::Ended(how.into())).await
    }
}

/// What a look at a container led to.
enum Turn {
    Done,
    /// After a pause of at most so long.
    Again(Duration),
    Failed(EngineError),
}

/// Takes lines of a reply, those that were seen before left out.
struct Keep<'a> {
    resume: &'a mut Resume,
    lost: &'a mut Option<(Timestamp, bool)>,
    told: &'a mut Option<Arc<str>>,
    over: &'a mut bool,
}

impl Keep<'_> {
    fn line(&mut self, chunk: &mut ChunkBuilder, line: Line<'_>, since: Option<Timestamp>, until: Option<Timestamp>) {
        let latest = self.resume.latest();
        let at = line.at.or(latest).unwrap_or_else(Timestamp::now);
        *self.over |= until.is_some_and(|until| at > until);
        // The server knows whole seconds only.
        if *self.over || since.is_some_and(|since| at < since) {
            return;
        }
        let is_new = self.resume.is_new(at, line.bytes);
        if let Some((lost_at, loud)) = self.lost.take() {
            // What was seen last comes first again, unless it has gone from the node meanwhile.
            let overlaps = !is_new || latest.is_none();
            if loud || !overlaps {
                chunk.marker(latest.unwrap_or(at), Marker::Reconnected(reconnected(lost_at, overlaps)));
            }
        }
        if is_new {
            *self.told = None;
            chunk.line(at, line.stream, line.bytes);
        }
    }
}

fn far() -> Instant {
    Instant::now() + Duration::from_secs(3600)
}

fn reconnected(lost_at: Timestamp, overlaps: bool) -> Arc<str> {
    let (lost, back) = (lost_at.strftime("%H:%M:%S"), Timestamp::now().strftime("%H:%M:%S"));
    let all = if overlaps { "nothing lost" } else { "the node had turned its file over: lines of that time may be missing" };
    format!("connection lost at {lost}, taken up again at {back} UTC, {all}").into()
}
