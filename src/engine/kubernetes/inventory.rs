//! The inventory topic: every kind watched, put together into environments, and a link that never lies about how fresh all
//! that is.

mod feeds;
mod heart;
pub mod store;
mod tails;
pub mod view;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::BoxStream;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::client::Client;
use super::convert::event::Told as Event;
use super::pace::{Backoff, DEBOUNCE, PING_LOST};
use super::permissions::{self, Rights};
use super::watch::Told;
use crate::engine::link::LinkTeller;
use crate::engine::outlet::{Outlet, drive};
use crate::engine::{EngineError, Update};
use crate::model::{Inventory, Item, Node};
use feeds::Feeds;
use heart::Beat;
use store::Store;
use tails::Tails;
use view::View;

/// What the server did so shortly ago may not have reached its watchers yet.
const UNDERWAY: SignedDuration = SignedDuration::from_millis(300);
/// Nothing older is told when the timeline begins.
const PAST: SignedDuration = SignedDuration::from_hours(1);
/// Items of the timeline told together, at most.
const ITEMS: usize = 256;
/// After so long without a change the inventory is told anew, to say that it is fresh.
const ANEW: Duration = Duration::from_millis(600);

/// Follows everything the configured environments of the context hold.
#[must_use]
pub fn follow(client: Client) -> BoxStream<'static, Update> {
    drive(move |outlet| async move {
        let _follower = Follower(client.clone());
        let mut link = LinkTeller::default();
        let mut backoff = Backoff::default();
        loop {
            match Watch::new(&client, &outlet, &mut link).await {
                Ok(mut watch) => {
                    if watch.run().await.is_err() {
                        return;
                    }
                    backoff.reset();
                }
                Err(error) => {
                    let pause = backoff.next();
                    if !outlet.send(link.lost(&error, pause)).await {
                        return;
                    }
                    tokio::time::sleep(pause).await;
                }
            }
        }
    })
}

/// Somebody follows the inventory for as long as this lives.
struct Follower(Client);

impl Drop for Follower {
    fn drop(&mut self) {
        self.0.known().forget();
    }
}

/// Nobody reads the topic any more.
struct Unread;

struct Watch<'a> {
    client: &'a Client,
    outlet: &'a Outlet,
    link: &'a mut LinkTeller,
    server: Arc<str>,
    feeds: Feeds,
    store: Store,
    views: Vec<View>,
    rights: BTreeMap<Option<Arc<str>>, Rights>,
    version: Arc<str>,
    /// Events to be told with the next inventory.
    events: Vec<Event>,
    nodes: Vec<Arc<Node>>,
    /// When the inventory is told next.
    due: Option<Instant>,
    tails: Tails,
    /// The link works.
    alive: bool,
    /// It had failed since the feeds were started: their connections may be dead.
    broken: bool,
    last: Option<Arc<Inventory>>,
}

/// What is learnt beside the feeds.
enum Learnt {
    Rights(BTreeMap<Option<Arc<str>>, Rights>),
    Version(Arc<str>),
}

impl<'a> Watch<'a> {
    async fn new(client: &'a Client, outlet: &'a Outlet, link: &'a mut LinkTeller) -> Result<Self, EngineError> {
        let (server, _) = client.place().await?;
        let mut views = Vec::new();
        for spec in client.environments() {
            let id = crate::model::EnvironmentId { connection: client.connection().clone(), name: spec.name.clone() };
            views.push(View::new(client, spec, &server, client.namespace(&id).await?));
        }
        views.sort_by(|a, b| a.environment.id.cmp(&b.environment.id));
        let feeds = Feeds::new(views.iter().map(|view| view.namespace.clone()));
        Ok(Self {
            client,
            outlet,
            link,
            server,
            feeds,
            store: Store::default(),
            views,
            rights: BTreeMap::new(),
            version: "Kubernetes".into(),
            events: Vec::new(),
            nodes: Vec::new(),
            due: None,
            tails: Tails::default(),
            alive: false,
            broken: false,
            last: None,
        })
    }

    /// Follows until the context means another server.
    async fn run(&mut self) -> Result<(), Unread> {
        let mut tasks = JoinSet::new();
        let (beats, mut beating) = mpsc::channel(1);
        tasks.spawn(heart::beat(self.client.clone(), beats));
        let (learn, mut learnt) = mpsc::channel(4);
        tasks.spawn(ask(self.client.clone(), self.views.iter().map(|view| view.namespace.clone()).collect(), learn));
        let mut heard = self.feeds.start(self.client, &mut tasks);
        let far = Instant::now() + Duration::from_secs(1 << 30);
        loop {
            tokio::select! {
                Some((feed, told)) = heard.recv() => self.hear(feed, told),
                Some(beat) = beating.recv() => {
                    if !self.beat(beat).await? {
                        return Ok(());
                    }
                }
                Some(news) = learnt.recv() => self.learn(news),
                Some((key, tail)) = self.tails.next() => {
                    self.store.put_tail(key, tail);
                    self.tails.start(self.client, &mut self.store);
                    self.soon();
                }
                () = sleep_until(self.due.unwrap_or(far)), if self.due.is_some() => self.hand_over().await?,
                else => return Ok(()),
            }
        }
    }

    async fn tell(&mut self, update: Update) -> Result<(), Unread> {
        if self.outlet.send(update).await { Ok(()) } else { Err(Unread) }
    }

    fn soon(&mut self) {
        // The first names are shown at once.
        let when = if self.last.is_none() { Instant::now() } else { Instant::now() + DEBOUNCE };
        self.due = Some(self.due.map_or(when, |due| due.min(when)));
    }

    /// Takes in what a feed tells.
    fn hear(&mut self, number: usize, told: Told) {
        let Some(feed) = self.feeds.get(number) else { return };
        let (kind, namespace) = (feed.kind, feed.namespace.clone());
        match &told {
            Told::Began => self.store.begin(number),
            Told::Complete => self.store.complete(number, kind, namespace.as_ref()),
            Told::Denied(_) | Told::Absent => {
                // What may not be seen any more is not shown as if it were.
                self.store.begin(number);
                self.store.complete(number, kind, namespace.as_ref());
            }
            Told::Changes(_) | Told::Resumed | Told::Lost(_) => {}
        }
        let news = self.feeds.heard(number, &told);
        if let Told::Changes(changes) = told {
            for change in changes {
                self.events.extend(self.store.apply(number, kind, change));
            }
        }
        if news || self.store.is_changed() || !self.events.is_empty() {
            self.soon();
        }
    }

    /// A sign of life, or none. False: the context means another server now.
    async fn beat(&mut self, beat: Beat) -> Result<bool, Unread> {
        match beat {
            Beat::Alive { latency_ms, server } => {
                if server != self.server {
                    return Ok(false);
                }
                if !self.alive {
                    self.alive = true;
                    self.link.came_back();
                    if std::mem::take(&mut self.broken) {
                        self.feeds.renew();
                    }
                    self.soon();
                }
                if let Some(update) = self.link.heard(latency_ms) {
                    self.tell(update).await?;
                }
                if self.client.known().is_watched() {
                    self.soon();
                }
            }
            Beat::Lost(error) => {
                self.alive = false;
                self.broken = true;
                let update = self.link.lost(&error, PING_LOST);
                self.tell(update).await?;
            }
        }
        Ok(true)
    }

    fn learn(&mut self, news: Learnt) {
        match news {
            Learnt::Version(version) => self.version = version,
            Learnt::Rights(rights) => {
                if self.rights == rights {
                    return;
                }
                self.rights = rights;
                self.store.touch_all();
            }
        }
        self.soon();
    }

    /// Hands the inventory over, and what happened.
    async fn hand_over(&mut self) -> Result<(), Unread> {
        self.due = None;
        if self.last.is_none() && !self.feeds.has_pods(self.alive) {
            return Ok(());
        }
        let moved = self.store.is_changed();
        let inventory = self.inventory();
        let items = self.items();
        self.client.known().saw(inventory.clone());
        self.last = Some(inventory.clone());
        self.tell(Update::Inventory(inventory)).await?;
        for chunk in items.chunks(ITEMS) {
            self.tell(Update::Events(chunk.to_vec())).await?;
        }
        self.tails.start(self.client, &mut self.store);
        if moved {
            self.due = Some(self.due.unwrap_or_else(|| Instant::now() + ANEW));
        }
        Ok(())
    }

    fn inventory(&mut self) -> Arc<Inventory> {
        let at = Timestamp::now().saturating_sub(UNDERWAY).unwrap_or(Timestamp::MIN);
        let none = Rights::default();
        if self.store.is_changed() {
            let dirty = self.store.take_dirty();
            for view in &mut self.views {
                let rights = self.rights.get(&view.namespace).unwrap_or(&none);
                view.rebuild(&mut self.store, &dirty, rights);
            }
            self.store.around.changed = false;
            let nodes = self.store.around.nodes(self.store.pods.values().map(|held| &**held));
            let old = |node: &Node| self.nodes.iter().find(|old| ***old == *node).cloned();
            self.nodes = nodes.into_iter().map(|node| old(&node).unwrap_or_else(|| Arc::new(node))).collect();
        }
        let figures = self.client.known().figures();
        let mut environments = Vec::with_capacity(self.views.len());
        for view in &mut self.views {
            let mut notes = self.feeds.notes(view.namespace.as_ref(), self.alive);
            notes.extend(figures.trouble.clone());
            environments.push(view.snapshot(&self.store, at, &self.nodes, &notes));
        }
        Arc::new(Inventory { at, engine: self.version.clone(), basis: figures.basis, environments, drills: Vec::new() })
    }

    fn items(&mut self) -> Vec<Item> {
        let oldest = Timestamp::now().saturating_sub(PAST).unwrap_or(Timestamp::MIN);
        let events = std::mem::take(&mut self.events);
        let recent = events.iter().filter(|event| event.last >= oldest);
        let mut items: Vec<Item> =
            recent.flat_map(|event| self.views.iter().filter_map(|view| view.item(&self.store, event))).collect();
        items.sort_by_key(|item| item.at);
        items
    }
}

/// Asks what the server is, and what one may do there, again and again.
async fn ask(client: Client, namespaces: std::collections::BTreeSet<Option<Arc<str>>>, sender: mpsc::Sender<Learnt>) {
    let mut version = None;
    loop {
        if version.is_none() {
            version = heart::version(&client).await;
            if let Some(version) = &version
                && sender.send(Learnt::Version(version.clone())).await.is_err()
            {
                return;
            }
        }
        let rights = permissions::ask(client.clone(), namespaces.clone()).await;
        let known = rights.values().any(|rights| *rights != Rights::default());
        if known && sender.send(Learnt::Rights(rights)).await.is_err() {
            return;
        }
        tokio::time::sleep(if known { permissions::EVERY } else { Duration::from_secs(10) }).await;
    }
}
