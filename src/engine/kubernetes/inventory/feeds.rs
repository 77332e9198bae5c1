//! The feeds of a connection: one for each kind and namespace that some environment shows, and how each is.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use tokio::sync::{mpsc, watch as signal};
use tokio::task::JoinSet;

use crate::engine::kubernetes::client::Client;
use crate::engine::kubernetes::watch::{Feed, Kind, Shared, Told, follow};
use crate::model::snapshot::LISTING;

/// Messages of feeds on their way: a slow reader holds them up, and they the server.
const AHEAD: usize = 64;

/// How a feed is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    Listing,
    Live,
    Denied(Arc<str>),
    Absent,
    Lost(Arc<str>),
}

/// The feeds and how they are.
pub struct Feeds {
    all: Vec<(Feed, State)>,
    /// Whether each was complete once.
    complete: Vec<bool>,
    seen_pods: bool,
    renew: signal::Sender<u64>,
}

impl Feeds {
    /// The feeds for environments of these namespaces; where one shows all, all of each kind is one feed.
    #[must_use]
    pub fn new(namespaces: impl Iterator<Item = Option<Arc<str>>>) -> Self {
        let mut places: BTreeSet<Option<Arc<str>>> = namespaces.collect();
        if places.contains(&None) {
            places = BTreeSet::from([None]);
        }
        let mut all = Vec::new();
        for kind in Kind::ALL {
            if kind.is_of_cluster() {
                all.push((Feed { kind, namespace: None }, State::Listing));
                continue;
            }
            all.extend(places.iter().map(|namespace| (Feed { kind, namespace: namespace.clone() }, State::Listing)));
        }
        Self { complete: vec![false; all.len()], all, seen_pods: false, renew: signal::Sender::new(0) }
    }

    /// Starts them; they end with `tasks`.
    pub fn start(&self, client: &Client, tasks: &mut JoinSet<()>) -> mpsc::Receiver<(usize, Told)> {
        let (sender, receiver) = mpsc::channel(AHEAD);
        let streams = Arc::new(AtomicBool::new(true));
        for (number, (feed, _)) in self.all.iter().enumerate() {
            let (client, sender) = (client.clone(), sender.clone());
            let shared = Shared { client, sender, streams: streams.clone(), renewed: self.renew.subscribe() };
            tasks.spawn(follow(number, feed.clone(), shared));
        }
        receiver
    }

    /// The feed of this number.
    #[must_use]
    pub fn get(&self, number: usize) -> Option<&Feed> {
        self.all.get(number).map(|(feed, _)| feed)
    }

    /// The server is back: connections from before may be dead without knowing it.
    pub fn renew(&self) {
        self.renew.send_modify(|count| *count += 1);
    }

    /// Notes how a feed is. Tells whether that is news.
    pub fn heard(&mut self, number: usize, told: &Told) -> bool {
        let Some((feed, state)) = self.all.get_mut(number) else { return false };
        let complete = self.complete.get(number).copied().unwrap_or(false);
        let new = match told {
            Told::Began if complete => return false,
            Told::Began => State::Listing,
            Told::Complete | Told::Resumed => State::Live,
            Told::Changes(_) => {
                self.seen_pods |= feed.kind == Kind::Pod;
                return false;
            }
            Told::Denied(why) => State::Denied(why.clone()),
            Told::Absent => State::Absent,
            Told::Lost(error) => State::Lost(error.to_string().into()),
        };
        if matches!(told, Told::Complete)
            && let Some(complete) = self.complete.get_mut(number)
        {
            *complete = true;
        }
        self.seen_pods |= feed.kind == Kind::Pod && matches!(new, State::Live | State::Denied(_) | State::Absent);
        let news = *state != new;
        *state = new;
        news
    }

    /// Whether pods have been seen, or cannot be. What a server that does not answer holds is not shown as nothing.
    #[must_use]
    pub fn has_pods(&self, alive: bool) -> bool {
        let lost = |(feed, state): &(Feed, State)| feed.kind == Kind::Pod && matches!(state, State::Lost(_));
        self.seen_pods || (alive && self.all.iter().any(lost))
    }

    /// What an environment of this namespace does not show, and why. `alive`: the server answers, so that a feed that is
    /// lost says something.
    #[must_use]
    pub fn notes(&self, namespace: Option<&Arc<str>>, alive: bool) -> Vec<Arc<str>> {
        let of = |feed: &Feed| feed.namespace.is_none() || feed.namespace.as_ref() == namespace;
        let here = || self.all.iter().filter(|(feed, _)| of(feed));
        let mut notes: Vec<Arc<str>> = Vec::new();
        // What decides a plan and was never seen whole is still to come, whatever keeps it.
        let to_come = |(feed, state): &(Feed, State), complete: bool| match state {
            State::Listing => true,
            State::Lost(_) => !complete && feed.kind.is_planned_on(),
            State::Live | State::Denied(_) | State::Absent => false,
        };
        let all = self.all.iter().zip(&self.complete).filter(|((feed, _), _)| of(feed));
        let listing: Vec<&str> =
            all.filter(|(one, complete)| to_come(one, **complete)).map(|((feed, _), _)| feed.kind.plural()).collect();
        if !listing.is_empty() {
            notes.push(format!("{LISTING}: {}", listing.join(", ")).into());
        }
        let blind = |(feed, state): &&(Feed, State)| feed.kind.is_quiet() && matches!(state, State::Denied(_));
        let locks = here().filter(blind).count() == 2;
        for (feed, state) in here() {
            match state {
                State::Denied(why) if !feed.kind.is_quiet() || locks => notes.push(why.clone()),
                State::Lost(why) if alive => notes.push(why.clone()),
                State::Listing | State::Live | State::Denied(_) | State::Absent | State::Lost(_) => {}
            }
        }
        notes
    }
}
