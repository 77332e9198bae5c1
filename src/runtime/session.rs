//! One run of the app, driven by either face: state, what is followed for it, what is done for it.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use tokio::runtime::Handle;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use crate::app::msg::Stamped;
use crate::app::subscription::{held, subscriptions};
use crate::app::watches::watches;
use crate::app::{Effect, Msg, State, update};
use crate::engine::{Engine, Topic, Update};
use crate::model::{ConnectionId, Workload};
use crate::probe::offer::offer;

use super::follow::{Engines, Following, Wanted};
use super::forward::Forwards;
use super::journal::Journal;
use super::perform::Performer;
use super::watching::Watching;

/// Messages on their way to the loop. When it is full, what feeds it waits, back to the engine's own stream.
const INBOX: usize = 64;

/// What comes in from outside the loop.
#[derive(Debug)]
pub enum Incoming {
    /// From a topic; dropped when `id` is of one no longer wanted.
    Update { id: u64, connection: ConnectionId, update: Update },
    /// An answer to an effect.
    Msg(Msg),
    /// The command the terminal was handed to has ended; with an error, it could not be opened or broke off.
    ShellEnded(Result<(), Arc<str>>),
}

/// State and the hands that serve it.
pub struct Session {
    pub state: State,
    engines: Engines,
    following: Following,
    watching: Watching,
    performer: Performer,
    handle: Handle,
    sender: Sender<Incoming>,
    inbox: Receiver<Incoming>,
    /// Followed beside what the state wants: by commands that show more than a screen would.
    also: Wanted,
    forwards: Forwards,
    /// Something happened after which the state may want other topics.
    unsettled: bool,
}

impl Session {
    /// A session with these engines. Nothing is followed before the first [`Self::settle`].
    ///
    /// # Errors
    /// When no thread can be had.
    pub fn new(
        state: State,
        engines: BTreeMap<ConnectionId, Arc<dyn Engine>>,
        journal: Journal,
        handle: Handle,
    ) -> std::io::Result<Self> {
        let (sender, inbox) = channel(INBOX);
        let engines: Engines = Arc::new(engines);
        let performer = Performer::new(engines.clone(), journal, handle.clone(), sender.clone())?;
        Ok(Self {
            state,
            engines,
            following: Following::default(),
            watching: Watching::default(),
            performer,
            handle,
            sender,
            inbox,
            also: Wanted::new(),
            forwards: Forwards::default(),
            unsettled: true,
        })
    }

    /// Asks for what the journal holds from before; it comes in as a message.
    pub fn recall(&self) {
        self.performer.load();
    }

    /// Takes what has come in, at most `limit` at a time; waits when nothing has.
    pub async fn receive(&mut self, buffer: &mut Vec<Incoming>, limit: usize) {
        self.inbox.recv_many(buffer, limit).await;
    }

    /// The message in what came in, unless it comes too late or is not for the state.
    #[must_use]
    pub fn admit(&self, incoming: Incoming) -> Option<Msg> {
        match incoming {
            Incoming::Update { id, connection, update } => {
                self.following.is_current(id).then_some(Msg::Update { connection, update })
            }
            Incoming::Msg(msg) => Some(msg),
            Incoming::ShellEnded(_) => None,
        }
    }

    /// Lets the app think about a message and does what it wants done; answers with what only a face can do.
    pub fn feed(&mut self, msg: Msg) -> Vec<Effect> {
        // Lines and figures come by the thousand and change nothing about what is wanted.
        let minor = matches!(&msg, Msg::Update { update: Update::Logs(_) | Update::Samples(_), .. } | Msg::Sighted { .. });
        self.unsettled |= !minor;
        let effects = update(&mut self.state, Stamped { at: Timestamp::now(), msg });
        effects.into_iter().filter_map(|effect| self.perform(effect)).collect()
    }

    fn perform(&mut self, effect: Effect) -> Option<Effect> {
        match effect {
            Effect::Execute { connection, operation, ticket, action } => {
                self.performer.execute(&connection, operation, ticket, action);
            }
            Effect::Stop { operation, ticket } => self.performer.stop(&operation, ticket),
            Effect::Preview { connection, plan, step, look } => self.performer.preview(&connection, plan, step, look),
            Effect::Measure { connection, environment, policy, look } => {
                self.performer.measure(&connection, environment, policy, look);
            }
            Effect::Journal(record) => self.performer.append(record),
            Effect::LoadJournal => self.performer.load(),
            Effect::Save { name, content } => self.performer.save(name, content),
            Effect::Pipe { command, content } => self.performer.pipe(command, content),
            Effect::Forward { id, connection, local, remote } => {
                let engine = self.engine(&connection);
                self.forwards.open(id, engine, (local, remote), &self.handle, &self.sender);
            }
            Effect::Offer { connection, workload } => self.offer(&connection, workload),
            Effect::Unforward(id) => self.forwards.close(id),
            Effect::ProbeOwners(owners) => self.performer.probe_owners(owners),
            Effect::Refresh(connection) => {
                self.following.ask_again(&connection);
                self.unsettled = true;
            }
            Effect::Copy(_) | Effect::Shell { .. } | Effect::Theme(_) | Effect::Suspend | Effect::Quit => return Some(effect),
        }
        None
    }

    /// Asks what a workload could be watched by, away from the loop.
    fn offer(&self, connection: &ConnectionId, workload: Arc<Workload>) {
        let (engine, sender) = (self.engine(connection), self.sender.clone());
        self.handle.spawn(async move {
            let result = match engine {
                Some(engine) => offer(&engine, &workload).await.map(|found| found.words().into()).map_err(Arc::from),
                None => Err("its engine is not connected".into()),
            };
            let command = format!("what {} could be watched by", workload.id).into();
            drop(sender.send(Incoming::Msg(Msg::Piped { command, result })).await);
        });
    }

    /// Follows these topics too, from the next [`Self::settle`] on.
    pub fn follow_also(&mut self, topics: impl IntoIterator<Item = (ConnectionId, Topic)>) {
        self.also = topics.into_iter().collect();
        self.unsettled = true;
    }

    /// Starts and stops following, so that exactly what is wanted is followed.
    pub fn settle(&mut self) {
        self.following.hold(held(&self.state));
        self.forwards.settle(&self.state);
        if self.unsettled {
            self.unsettled = false;
            let mut wanted = subscriptions(&self.state);
            wanted.extend(self.also.iter().cloned());
            self.following.settle(wanted, &self.engines, &self.handle, &self.sender);
            self.watching.settle(watches(&self.state), &self.engines, &self.handle, &self.sender);
        }
    }

    /// The engine of a connection.
    #[must_use]
    pub fn engine(&self, connection: &ConnectionId) -> Option<Arc<dyn Engine>> {
        self.engines.get(connection).cloned()
    }

    /// Where answers are sent to.
    #[must_use]
    pub fn sender(&self) -> Sender<Incoming> {
        self.sender.clone()
    }

    /// Where tasks are run.
    #[must_use]
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Ends it: nothing is followed any more, and every record has reached the disk, or was given the time to.
    pub fn close(self) {
        let Self { following, watching, performer, inbox, sender, .. } = self;
        drop((following, watching));
        // Nobody answers to a session that has ended: whoever tries is not held up.
        drop((inbox, sender));
        performer.close();
    }
}
