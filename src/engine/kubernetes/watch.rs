//! One kind of objects in one place, followed: listed, then watched from there on, resumed where it was cut.
//!
//! A loop of our own and not the library's watcher: that one loses a whole list to one odd object, cannot go on from where
//! it was after a connection was given up as dead, and keeps each object whole.

mod kind;
mod reply;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, timeout};

use super::client::Client;
use super::convert::object::{Change, Reader};
use super::pace::Backoff;
use crate::engine::EngineError;

pub use kind::Kind;
use reply::{Answer, Lines, Trouble};

/// Objects in a page of a list.
const PAGE: u32 = 500;
/// How long the server keeps a watch open; a little different for each, so that they do not all end at once.
const OPEN_SECONDS: u64 = 290;
/// A watch without a line for so long is given up and opened anew where it was: bookmarks come every minute or two.
const SILENT: Duration = Duration::from_secs(180);
/// A streamed list without a line for so long is asked for in pages instead.
const LIST_SILENT: Duration = Duration::from_secs(8);
/// Between two attempts at what one may not list, at first and at most.
const DENIED: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(480));

/// A kind in a namespace, or in all of them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Feed {
    pub kind: Kind,
    pub namespace: Option<Arc<str>>,
}

/// What is heard of a feed.
#[derive(Debug)]
pub enum Told {
    /// A list begins: what it does not name is gone once it is complete.
    Began,
    Changes(Vec<Change>),
    Complete,
    /// A watch goes on where it was.
    Resumed,
    /// It may not be listed, or cannot be for a reason that will last: a whole sentence.
    Denied(Arc<str>),
    /// The server knows no such kind.
    Absent,
    Lost(EngineError),
}

/// What the feeds of a connection share.
#[derive(Clone)]
pub struct Shared {
    pub client: Client,
    /// Which feed it is of, and what is heard.
    pub sender: mpsc::Sender<(usize, Told)>,
    /// Whether the server streams lists, as far as is known.
    pub streams: Arc<AtomicBool>,
    /// Counts up when the server is back after it was lost: connections from before may be dead without knowing it.
    pub renewed: watch::Receiver<u64>,
}

/// Why a watch is over.
enum End {
    /// As servers do, or the connection was cut: it goes on from there.
    Cut,
    /// What it would go on from is forgotten: another list is needed.
    Expired,
}

/// Nobody listens any more.
struct Unheard;

/// Follows a feed for as long as anybody listens.
pub async fn follow(number: usize, feed: Feed, shared: Shared) {
    let reader = Reader::new(feed.kind);
    let mut follower =
        Follower { number, feed, shared, reader, version: None, backoff: Backoff::default(), denied: DENIED.0, absent: false };
    while follower.round().await.is_ok() {}
}

struct Follower {
    number: usize,
    feed: Feed,
    shared: Shared,
    reader: Reader,
    /// Where the next watch goes on.
    version: Option<String>,
    backoff: Backoff,
    denied: Duration,
    absent: bool,
}

impl Follower {
    async fn tell(&self, told: Told) -> Result<(), Unheard> {
        self.shared.sender.send((self.number, told)).await.map_err(|_| Unheard)
    }

    /// Lists where that is needed, and watches until the watch is over.
    async fn round(&mut self) -> Result<(), Unheard> {
        let begun = Instant::now();
        let outcome = match self.version.clone() {
            Some(version) => self.watch(&version).await?,
            None if self.shared.streams.load(Ordering::Relaxed) => self.stream().await?,
            None => match self.list().await? {
                Ok(()) => return Ok(()),
                Err(trouble) => Err(trouble),
            },
        };
        match outcome {
            Ok(End::Cut) => {
                if begun.elapsed() > Duration::from_secs(1) {
                    self.backoff.reset();
                }
                // One that ends at once is not opened again at once.
                let pause = self.backoff.next();
                self.pause(pause).await
            }
            Ok(End::Expired) => {
                self.version = None;
                let pause = self.backoff.next();
                self.pause(pause).await
            }
            Err(trouble) => self.failed(trouble).await,
        }
    }

    async fn pause(&mut self, pause: Duration) -> Result<(), Unheard> {
        tokio::select! {
            () = tokio::time::sleep(pause) => Ok(()),
            // The server is back: not a moment longer.
            changed = self.shared.renewed.changed() => changed.map_err(|_| Unheard),
            () = self.shared.sender.closed() => Err(Unheard),
        }
    }

    async fn failed(&mut self, trouble: Trouble) -> Result<(), Unheard> {
        let pause = match trouble {
            Trouble::Expired => {
                self.version = None;
                self.backoff.next()
            }
            Trouble::NoStreams => {
                self.shared.streams.store(false, Ordering::Relaxed);
                return Ok(());
            }
            Trouble::Denied(why) => {
                self.version = None;
                self.tell(Told::Denied(why)).await?;
                self.rest()
            }
            Trouble::Absent => {
                self.version = None;
                if !std::mem::replace(&mut self.absent, true) {
                    self.tell(Told::Absent).await?;
                }
                self.rest()
            }
            Trouble::Error(error, after) => {
                self.tell(Told::Lost(error)).await?;
                self.backoff.next().max(after.unwrap_or_default())
            }
        };
        self.pause(pause).await
    }

    /// A growing rest.
    fn rest(&mut self) -> Duration {
        let rest = self.denied;
        self.denied = (rest * 2).min(DENIED.1);
        rest
    }

    /// The list page by page; each is told as it comes.
    async fn list(&mut self) -> Result<Result<(), Trouble>, Unheard> {
        self.tell(Told::Began).await?;
        let mut next = String::new();
        loop {
            let mut path = format!("{}{}limit={PAGE}", self.path(), self.mark());
            if !next.is_empty() {
                path.push_str("&continue=");
                path.push_str(&super::place::encoded(&next));
            }
            let body = match reply::page(&self.shared.client, &self.what(), &path).await {
                Ok(body) => body,
                Err(trouble) => return Ok(Err(trouble)),
            };
            let page = match self.reader.list(&body) {
                Ok(page) => page,
                Err(cause) => return Ok(Err(reply::nonsense(&self.shared.client, &cause))),
            };
            self.tell(Told::Changes(page.changes)).await?;
            if page.next.is_empty() {
                self.listed(page.version).await?;
                return Ok(Ok(()));
            }
            next = page.next;
        }
    }

    async fn listed(&mut self, version: String) -> Result<(), Unheard> {
        self.version = Some(version);
        self.backoff.reset();
        self.denied = DENIED.0;
        self.absent = false;
        self.tell(Told::Complete).await
    }

    /// The list as a stream, which then goes on as a watch.
    async fn stream(&mut self) -> Result<Result<End, Trouble>, Unheard> {
        let more = "&sendInitialEvents=true&resourceVersionMatch=NotOlderThan";
        let lines = match self.open(more).await {
            Ok(lines) => lines,
            Err(trouble) => return Ok(Err(trouble)),
        };
        self.tell(Told::Began).await?;
        self.read(lines, true).await
    }

    async fn watch(&mut self, version: &str) -> Result<Result<End, Trouble>, Unheard> {
        match self.open(&format!("&resourceVersion={}", super::place::encoded(version))).await {
            Ok(lines) => {
                self.tell(Told::Resumed).await?;
                self.read(lines, false).await
            }
            Err(trouble) => Ok(Err(trouble)),
        }
    }

    async fn open(&mut self, more: &str) -> Result<Lines, Trouble> {
        // What was renewed before it was opened does not concern it.
        self.shared.renewed.mark_unchanged();
        let seconds = OPEN_SECONDS + self.number as u64 % 30;
        let path = format!("{}{}watch=true&allowWatchBookmarks=true&timeoutSeconds={seconds}{more}", self.path(), self.mark());
        reply::open(&self.shared.client, &self.what(), &path).await
    }

    /// Reads a watch to its end. `listing`: it begins with what there is.
    async fn read(&mut self, mut lines: Lines, mut listing: bool) -> Result<Result<End, Trouble>, Unheard> {
        loop {
            let patience = if listing { LIST_SILENT } else { SILENT };
            let answer = tokio::select! {
                answer = timeout(patience, lines.next()) => answer,
                changed = self.shared.renewed.changed() => {
                    return changed.map(|()| Ok(End::Cut)).map_err(|_| Unheard);
                }
                () = self.shared.sender.closed() => return Err(Unheard),
            };
            let text = match answer {
                Ok(Answer::Lines(text)) => text,
                Err(_) if listing => return Ok(Err(Trouble::NoStreams)),
                Ok(Answer::Ended) | Err(_) => return Ok(Ok(End::Cut)),
            };
            let heard = match self.reader.lines(&text) {
                Ok(heard) => heard,
                Err(cause) => return Ok(Err(reply::nonsense(&self.shared.client, &cause))),
            };
            if !heard.changes.is_empty() {
                self.tell(Told::Changes(heard.changes)).await?;
            }
            if heard.complete && listing {
                listing = false;
                self.listed(heard.version.clone().unwrap_or_default()).await?;
            } else if let Some(version) = heard.version.filter(|_| !listing) {
                self.version = Some(version);
            }
            match heard.error {
                Some(status) if status.code == Some(410) => return Ok(Ok(End::Expired)),
                Some(status) => return Ok(Err(reply::trouble(&self.shared.client, &self.what(), &status))),
                None => {}
            }
        }
    }

    fn path(&self) -> String {
        self.feed.kind.path(self.feed.namespace.as_deref())
    }

    /// What stands before the next parameter.
    fn mark(&self) -> char {
        if self.feed.kind.path(None).contains('?') { '&' } else { '?' }
    }

    fn what(&self) -> String {
        let place = self.feed.namespace.as_ref().map_or_else(|| "all namespaces".to_owned(), |n| format!("namespace {n}"));
        format!("Listing {} in {place}", self.feed.kind.plural())
    }
}
