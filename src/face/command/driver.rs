//! The app without a screen: messages are taken in until a command has what it needs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use crate::app::operations::is_unfinished;
use crate::app::state::Alerting;
use crate::app::subscription::tick_every;
use crate::app::watches::watches;
use crate::app::{Effect, Msg, State};
use crate::engine::Topic;
use crate::model::{ConnectionId, EnvironmentId, FileState, InstanceId, InstanceState, Link, Snapshot};
use crate::observe::watch::Watch;
use crate::operate::guard::{Owner, owner_state};
use crate::runtime::journal::Journal;
use crate::runtime::{Incoming, Session, process};

use super::output::say;
use super::{Failure, Result, target};

/// How long a connection may take to show what it holds.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);
/// How long after the first picture the details that come behind it are waited for.
const DETAILS_WITHIN: Duration = Duration::from_secs(3);
/// How long figures are waited for: two readings a second apart, and the engine's time to take them.
const FIGURES_WITHIN: Duration = Duration::from_secs(3);
/// How long the compose tool may take to read the files at hand.
const FILES_WITHIN: Duration = Duration::from_secs(30);
/// How long the probes may take to look once.
const LOOKS_WITHIN: Duration = Duration::from_secs(12);
/// Messages taken in at once.
const AT_ONCE: usize = 32;

/// A session driven by a command.
pub struct Driver {
    session: Session,
    tick: Instant,
}

impl Driver {
    /// A driver of this session, knowing what the journal holds from before.
    #[must_use]
    pub fn new(mut session: Session, journal: &Journal) -> Self {
        match journal.recent() {
            Ok(records) => drop(session.feed(Msg::Journal(records))),
            Err(error) => say(&format!("qd: the audit log {} cannot be read: {error}", journal.file().display())),
        }
        Self { session, tick: Instant::now() }
    }

    /// What is known by now.
    #[must_use]
    pub fn state(&self) -> &State {
        &self.session.state
    }

    /// The session itself.
    pub fn session(&mut self) -> &mut Session {
        &mut self.session
    }

    /// Ends the session: what is to be on record is there afterwards.
    pub fn close(self) {
        self.session.close();
    }

    /// Lets the app think about a message. What only a screen could do is left.
    pub fn feed(&mut self, msg: Msg) -> Vec<Effect> {
        self.session.feed(msg)
    }

    /// Takes in what comes, until the moment given at the latest. Tells whether something came.
    pub async fn step(&mut self, until: Instant) -> bool {
        self.session.settle();
        let wake = self.tick.min(until);
        let mut came = Vec::with_capacity(AT_ONCE);
        let something = timeout_at(wake, self.session.receive(&mut came, AT_ONCE)).await.is_ok();
        for incoming in came {
            self.take(incoming);
        }
        if Instant::now() >= self.tick {
            self.tick = Instant::now() + tick_every(&self.session.state);
            drop(self.feed(Msg::Tick));
        }
        something
    }

    fn take(&mut self, incoming: Incoming) {
        if let Some(msg) = self.session.admit(incoming) {
            drop(self.feed(msg));
        }
    }

    /// Takes in what comes until it is enough, or the time is over. Tells whether it was enough.
    pub async fn until(&mut self, limit: Duration, enough: impl Fn(&State) -> bool) -> bool {
        let end = Instant::now() + limit;
        loop {
            if enough(&self.session.state) {
                return true;
            }
            if Instant::now() >= end {
                return false;
            }
            self.step(end).await;
        }
    }

    /// Waits until every connection has shown what it holds or has failed, and knows which lock holders live.
    pub async fn inventory(&mut self) {
        self.until(CONNECT_WITHIN, |state| {
            let listed = |c: &crate::app::state::Connection| {
                c.inventory.as_ref().is_some_and(|i| i.environments.iter().all(|s| s.is_listed()))
            };
            state.open_connections().all(|c| listed(c) || is_settled(&c.link))
        })
        .await;
        self.until(DETAILS_WITHIN, |state| {
            state.connections.values().filter(|c| c.inventory.is_some()).all(|c| c.link.is_live())
                && state.snapshots().all(|s| s.is_listed() && s.workloads.iter().all(|w| w.is_detailed()))
        })
        .await;
        self.owners();
    }

    /// Waits until every stack file at hand has been read and compared, or has failed.
    pub async fn files(&mut self) {
        let is_read = |s: &std::sync::Arc<Snapshot>| s.file.as_ref().is_none_or(|file| file.state != FileState::Reading);
        self.until(FILES_WITHIN, |state| state.snapshots().all(is_read)).await;
    }

    /// Finds out which owners of locks live, so that an unfinished operation is called by its name.
    fn owners(&mut self) {
        let state = &self.session.state;
        let owners: Vec<(u32, u64)> = state
            .connections
            .values()
            .filter_map(|c| c.inventory.as_ref())
            .flat_map(|i| &i.environments)
            .filter_map(|s| s.lock.as_ref())
            .filter(|lock| owner_state(lock, &state.actor, state.alive.as_ref()) == Owner::Alive)
            .map(|lock| (lock.pid, lock.pid_started))
            .collect();
        if !owners.is_empty() {
            drop(self.feed(Msg::Alive(process::alive(owners))));
        }
    }

    /// Waits for figures of these instances, as long as it makes sense to.
    pub async fn figures(&mut self, wanted: BTreeSet<(ConnectionId, InstanceId)>) {
        if wanted.is_empty() {
            return;
        }
        let mut by_connection: BTreeMap<ConnectionId, BTreeSet<InstanceId>> = BTreeMap::new();
        for (connection, instance) in &wanted {
            by_connection.entry(connection.clone()).or_default().insert(instance.clone());
        }
        let every = Duration::from_secs(1);
        let topics: Vec<(ConnectionId, Topic)> =
            by_connection.into_iter().map(|(c, instances)| (c, Topic::Stats { instances, every })).collect();
        self.session.follow_also(topics);
        self.until(FIGURES_WITHIN, |state| {
            wanted.iter().all(|(connection, id)| {
                let running = state.instance(connection, id).is_some_and(|(_, _, i)| i.state == InstanceState::Running);
                !running || state.metrics.latest(id).is_some_and(|s| s.cpu_cores.is_some())
            })
        })
        .await;
    }

    /// One look of each probe decides, unless the command observes for a while: it has no time for three.
    pub fn decide_at_once(&mut self, observed: Option<Duration>) {
        if observed.is_some() {
            return;
        }
        for policy in self.session.state.settings.policies.values_mut() {
            for probe in &mut policy.probes {
                let probe = Arc::make_mut(probe);
                (probe.failures, probe.successes) = (1, 1);
            }
        }
    }

    /// Observes for as long as the command was told, or else until every probe has looked once.
    pub async fn looks(&mut self, observed: Option<Duration>) {
        if let Some(span) = observed {
            return self.watch(span).await;
        }
        let asked = |state: &State, of: &EnvironmentId, is: fn(&Alerting) -> bool| state.watched.alerting.get(of).is_some_and(is);
        let looked = |state: &State| {
            watches(state).into_iter().all(|(_, watch)| match watch {
                Watch::Probe(watch) => state.watched.probes.get(&watch).is_some_and(|standing| standing.last.is_some()),
                // Rules are evaluated when every endpoint has been asked.
                Watch::Scrape(watch) => !has_rules(state, &watch.environment) || state.watched.scrapes.contains_key(&watch),
                Watch::Prometheus(watch) => asked(state, &watch.environment, |a| a.prometheus.is_asked()),
                Watch::Alertmanager(watch) => asked(state, &watch.environment, |a| a.alertmanager.is_asked()),
                Watch::Silences(watch) => asked(state, &watch.environment, |a| a.file.is_asked()),
            })
        };
        self.until(LOOKS_WITHIN, looked).await;
        // What has come since the last tick is taken into the picture.
        drop(self.feed(Msg::Tick));
    }

    /// Goes on watching for this long: a command told so observes before it answers.
    pub async fn watch(&mut self, span: Duration) {
        self.until(span, |_| false).await;
    }

    /// The instances that run in what is shown.
    #[must_use]
    pub fn running(&self) -> BTreeSet<(ConnectionId, InstanceId)> {
        let state = self.state();
        let of = |s: &Snapshot| -> Vec<(ConnectionId, InstanceId)> {
            let connection = &s.environment.id.connection;
            super::shape::running(s).map(|id| (connection.clone(), id.clone())).collect()
        };
        state.snapshots().flat_map(|s| of(s)).collect()
    }

    /// Shows only this environment from now on.
    ///
    /// # Errors
    /// When there is none of this name, although every connection could say what it holds.
    pub fn only(&mut self, name: Option<&str>) -> Result<()> {
        if let Some(name) = name {
            self.session.state.settings.only = Some(name.into());
        }
        let Some(only) = self.state().settings.only.clone() else { return Ok(()) };
        if self.state().snapshots().next().is_some() {
            return Ok(());
        }
        match self.failed().into_iter().next() {
            Some((_, why)) => Err(Failure::failed(why)),
            None => Err(Failure::usage(target::no_environment(self.state(), &only))),
        }
    }

    /// The connections that have shown nothing, and why.
    #[must_use]
    pub fn failed(&self) -> Vec<(ConnectionId, String)> {
        let silent = self.state().open_connections().filter(|c| c.inventory.is_none());
        silent
            .map(|c| {
                let why = match &c.link {
                    Link::Failed { error, hint, .. } => format!("{error}: {hint}"),
                    Link::Stale { error, .. } => error.to_string(),
                    Link::Connecting | Link::Live { .. } => {
                        format!("{} did not show what it holds within {} s", c.endpoint, CONNECT_WITHIN.as_secs())
                    }
                };
                (c.id.clone(), why)
            })
            .collect()
    }

    /// Whether an operation whose owner died lies in an environment that is shown.
    #[must_use]
    pub fn unfinished(&self) -> Vec<String> {
        let state = self.state();
        state.snapshots().filter(|s| is_unfinished(state, s)).map(|s| state.name_of(&s.environment.id)).collect()
    }
}

/// Whether rules of an environment are evaluated here.
fn has_rules(state: &State, environment: &EnvironmentId) -> bool {
    state.settings.policies.get(environment).is_some_and(|policy| policy.prometheus.is_none() && !policy.rules.groups.is_empty())
}

/// Whether waiting longer for a first picture makes no sense.
fn is_settled(link: &Link) -> bool {
    matches!(link, Link::Failed { .. })
}
