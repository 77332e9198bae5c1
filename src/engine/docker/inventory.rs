//! The inventory topic: one list at the start, events from then on, inspections in the background, and a link that never
//! lies about how fresh all that is.

mod holding;
mod inspect;
mod looks;

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::stream::BoxStream;
use http_body_util::BodyExt;
use hyper::body::{Bytes, Frame, Incoming};
use jiff::Timestamp;
use tokio::time::{Instant, sleep_until};

use super::client::Client;
use super::compose::Watcher;
use super::events::{self, Event, Lines, Told};
use super::known::Known;
use super::swarm::Look;
use crate::engine::backoff::Backoff;
use crate::engine::link::{self, LinkTeller};
use crate::engine::outlet::{Outlet, drive};
use crate::engine::{EngineError, Update};
use crate::model::Item;
use holding::Holding;
use inspect::Inspections;
use looks::Looks;

/// After a list, at least this many times its own duration passes before the next: a slow engine is asked less.
const LIST_REST: u32 = 5;
/// Events told together, at most.
const EVENTS_AT_ONCE: usize = 256;
/// How long the first list waits for a Swarm's first answer; one without a quorum takes its time.
const FIRST_LOOK: Duration = Duration::from_millis(1500);

/// Follows everything the endpoint holds.
pub fn follow(client: Client) -> BoxStream<'static, Update> {
    drive(move |outlet| async move {
        let _follower = Known::follower(&client);
        let mut watch = Watch::new(client, outlet);
        let mut backoff = Backoff::default();
        // Ends only when nobody reads any more.
        while let Ok(error) = watch.attempt(&mut backoff).await {
            watch.lost_at.get_or_insert_with(Instant::now);
            let noise = Timestamp::now().subsec_nanosecond().unsigned_abs();
            let pace = watch.client.pace();
            let pause = backoff.next(pace.retry_first, pace.cap(link::is_hopeless(&error)), noise);
            if !watch.outlet.send(watch.link.lost(&error, pause)).await {
                return;
            }
            tokio::time::sleep(pause).await;
        }
    })
}

/// Nobody reads the topic any more.
struct Unread;

struct Watch {
    client: Client,
    outlet: Outlet,
    link: LinkTeller,
    holding: Holding,
    looks: Looks,
    files: Watcher,
    told: Told,
    due: Due,
    /// The engine is gone since.
    lost_at: Option<Instant>,
}

/// When what is to be done next; `None` is not at all.
struct Due {
    ping: Instant,
    list: Option<Instant>,
    resync: Instant,
    look_again: Instant,
    hand_over: Option<Instant>,
    /// No list before this.
    rested: Instant,
}

impl Watch {
    fn new(client: Client, outlet: Outlet) -> Self {
        let now = Instant::now();
        let due = Due { ping: now, list: None, resync: now, look_again: now, hand_over: None, rested: now };
        let (holding, looks) = (Holding::new(&client), Looks::new(client.clone()));
        let files = Watcher::new(client.clone());
        Self { client, outlet, link: LinkTeller::default(), holding, looks, files, told: Told::default(), due, lost_at: None }
    }

    /// Connects and follows until the engine is lost.
    async fn attempt(&mut self, backoff: &mut Backoff) -> Result<EngineError, Unread> {
        if let Err(error) = self.list_and_look().await {
            return Ok(error);
        }
        // The first list is shown before anything else is asked.
        let update = self.link.connected();
        self.tell(Some(update)).await?;
        self.hand_over().await?;
        let path = self.told.path(Timestamp::now());
        let opened = guarded(&self.client, self.client.get("Following events", &path)).await;
        let body = match opened {
            Ok(reply) => reply.into_body(),
            Err(error) => return Ok(error),
        };
        self.link.came_back();
        if let Some(at) = self.lost_at.take() {
            self.client.known().came_back(at);
        }
        backoff.reset();
        self.stay(body).await
    }

    async fn tell(&mut self, update: Option<Update>) -> Result<(), Unread> {
        let Some(update) = update else { return Ok(()) };
        if self.outlet.send(update).await { Ok(()) } else { Err(Unread) }
    }

    /// Follows an open event stream until the engine is lost.
    async fn stay(&mut self, mut body: Incoming) -> Result<EngineError, Unread> {
        let pace = self.client.pace().clone();
        let mut lines = Lines::default();
        let mut inspections = Inspections::new(self.client.clone());
        let now = Instant::now();
        self.due.ping = now;
        self.due.look_again = now + pace.look_again;
        inspections.want(self.holding.lacking());
        loop {
            tokio::select! {
                frame = body.frame() => match frame {
                    Some(Ok(frame)) => {
                        let events = together(&frame, &mut body, &mut lines);
                        self.events(events).await?;
                    }
                    Some(Err(error)) => return Ok(self.client.fail("Following events", error.into())),
                    None => return Ok(EngineError::Unreachable { endpoint: self.client.endpoint(), cause: events::ended() }),
                },
                () = sleep_until(self.due.ping) => match self.client.ping().await {
                    Ok(latency) => {
                        self.due.ping = Instant::now() + pace.ping_every;
                        let update = self.link.heard(latency);
                        self.tell(update).await?;
                    }
                    Err(error) => return Ok(error),
                },
                (id, details) = inspections.next() => {
                    if self.holding.add(id, details) {
                        self.due.list.get_or_insert(Instant::now() + pace.debounce);
                    }
                    let soon = if inspections.is_idle() { Instant::now() } else { Instant::now() + pace.debounce };
                    self.due.hand_over = Some(self.due.hand_over.unwrap_or(soon).min(soon));
                }
                look = self.looks.next() => {
                    self.looked(look);
                    self.hand_over().await?;
                }
                (project, outcome) = self.files.next() => {
                    self.holding.compared(&project, outcome);
                    self.due.hand_over.get_or_insert(Instant::now());
                }
                () = sleep_until(self.due.list.unwrap_or(self.due.resync).min(self.due.resync)) => {
                    if let Err(error) = self.list().await {
                        return Ok(error);
                    }
                    self.hand_over().await?;
                    inspections.want(self.holding.lacking());
                }
                () = sleep_until(self.due.hand_over.unwrap_or(now)), if self.due.hand_over.is_some() => {
                    self.hand_over().await?;
                }
                () = sleep_until(self.due.look_again) => {
                    self.due.look_again = Instant::now() + pace.look_again;
                    inspections.want(self.holding.unwell());
                    // What was noted to settle may have.
                    self.hand_over().await?;
                }
            }
        }
    }

    /// Notes events: the timeline hears them, and what they change is asked for soon.
    async fn events(&mut self, events: Vec<Event>) -> Result<(), Unread> {
        let mut items: Vec<Item> = Vec::new();
        for event in events {
            if !self.told.is_new(&event) {
                continue;
            }
            if event.is_of_swarm() || event.is_of_task() {
                self.looks.soon(event.is_of_swarm());
            }
            if self.holding.is_news(&event) {
                self.holding.touch(&event.instance());
                let soon = Instant::now() + self.client.pace().debounce;
                self.due.list.get_or_insert(soon.max(self.due.rested));
            }
            items.extend(event.item(self.holding.places(), |service| self.holding.service(service)));
        }
        if items.is_empty() { Ok(()) } else { self.tell(Some(Update::Events(items))).await }
    }

    /// Asks for the list and, at the same time, whether there is a Swarm: its tasks' containers are shown as tasks from
    /// the first moment on.
    async fn list_and_look(&mut self) -> Result<(), EngineError> {
        self.looks.begin_again();
        let client = self.client.clone();
        let mut looks = std::mem::replace(&mut self.looks, Looks::new(client));
        let (listed, look) = tokio::join!(self.list(), tokio::time::timeout(FIRST_LOOK, looks.next()));
        self.looks = looks;
        listed?;
        if let Ok(look) = look {
            self.looked(look);
        }
        Ok(())
    }

    fn looked(&mut self, look: Option<Look>) {
        if let Some(look) = look {
            self.holding.looked(look);
        }
        self.looks.plan_next(self.holding.membership());
    }

    /// Asks for the list.
    async fn list(&mut self) -> Result<(), EngineError> {
        let begun = Instant::now();
        self.holding.begin_list(Timestamp::now());
        let body = guarded(&self.client, self.client.get_bytes("Listing containers", "/containers/json?all=true")).await?;
        let now = Instant::now();
        self.due.list = None;
        self.due.resync = now + self.client.pace().resync;
        self.due.rested = now + (now - begun) * LIST_REST;
        self.holding.listed(&body).map_err(|cause| self.client.nonsense(&cause))?;
        self.files.want(self.holding.projects(self.client.is_local()));
        Ok(())
    }

    /// Hands the inventory over, unless it is what it was.
    async fn hand_over(&mut self) -> Result<(), Unread> {
        self.due.hand_over = None;
        match self.holding.inventory(&self.client, Timestamp::now()) {
            Some(inventory) => {
                self.client.known().saw(Arc::clone(&inventory));
                self.tell(Some(Update::Inventory(inventory))).await
            }
            None => Ok(()),
        }
    }
}

/// The events of a piece of the stream. Every event comes by itself; those that are there already are told together.
fn together(first: &Frame<Bytes>, body: &mut Incoming, lines: &mut Lines) -> Vec<Event> {
    let mut events = first.data_ref().map(|d| lines.push(d)).unwrap_or_default();
    while events.len() < EVENTS_AT_ONCE
        && let Some(Some(Ok(frame))) = body.frame().now_or_never()
    {
        events.extend(frame.data_ref().map(|d| lines.push(d)).unwrap_or_default());
    }
    events
}

/// Waits for an answer for as long as the engine shows signs of life: a long answer is not a hang.
async fn guarded<T>(client: &Client, answer: impl Future<Output = Result<T, EngineError>>) -> Result<T, EngineError> {
    tokio::pin!(answer);
    loop {
        tokio::select! {
            answer = &mut answer => return answer,
            () = tokio::time::sleep(client.pace().ping_every) => {}
        }
        tokio::select! {
            answer = &mut answer => return answer,
            alive = client.ping() => alive.map(drop)?,
        }
    }
}
