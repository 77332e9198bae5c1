//! The app on a demo world whose time is moved by hand: what it shows is the same every time.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::app::msg::Stamped;
use crate::app::state::{Screen, Settings};
use crate::app::subscription::subscriptions;
use crate::app::watches::watches;
use crate::app::{Command, Effect, Msg, State, update};
use crate::config::Demo;
use crate::engine::demo::still::Still;
use crate::engine::demo::world::Terms;
use crate::engine::{EngineError, Topic};
use crate::keymap::{Keymap, parse_keys};
use crate::model::ConnectionId;
use crate::operate::policy::Actor;

/// A Saturday afternoon: the demo's daily rhythm makes it a busy one.
const BEGIN: Timestamp = Timestamp::constant(1_795_269_780, 0);
/// How long the world lives before it is looked at: long enough for an incident to show and for lines of figures.
const BEFORE: Duration = Duration::from_secs(45);
/// How long it lives after each key.
const AFTER_KEY: Duration = Duration::from_millis(750);

/// The app, the world, and nothing else.
pub struct Stage {
    state: State,
    world: Still,
    connection: ConnectionId,
}

impl Stage {
    /// The app on such a world, on the first screen, at this size.
    ///
    /// # Errors
    /// When there is no such incident.
    pub fn new(demo: &Demo, settings: Settings, keymap: Arc<Keymap>, size: (u16, u16)) -> Result<Self, EngineError> {
        let terms = Terms { seed: demo.seed, speed_percent: demo.speed_percent, ..Terms::default() };
        let world = Still::with(&terms, demo.incident.as_deref(), BEGIN)?;
        let actor = Actor { user: "ops".into(), host: "bastion-1".into(), ssh: None, pid: 1, pid_started: 1 };
        let settings = Settings { utc_offset_minutes: 0, ..settings };
        let mut state = State::new(BEGIN, actor, settings, keymap);
        state.connect(terms.connection.clone(), "demo");
        let mut stage = Self { state, world, connection: terms.connection };
        stage.feed(Msg::Resize(size.0, size.1));
        stage.pass(BEFORE);
        Ok(stage)
    }

    /// What the app knows.
    #[must_use]
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Goes to a screen.
    pub fn go(&mut self, screen: Screen) {
        self.feed(Msg::Run(Command::Go(screen)));
        self.pass(AFTER_KEY);
    }

    /// Presses keys, one after the other.
    pub fn keys(&mut self, keys: &str) {
        for chord in parse_keys(keys) {
            self.feed(Msg::Key(chord));
            self.pass(AFTER_KEY);
        }
    }

    /// Lets time pass, second by second.
    pub fn pass(&mut self, span: Duration) {
        let mut left = span;
        while !left.is_zero() {
            let step = left.min(Duration::from_secs(1));
            left -= step;
            self.settle();
            for (at, update) in self.world.advance(step) {
                self.feed_at(at, Msg::Update { connection: self.connection.clone(), update });
            }
            self.sight();
            self.feed(Msg::Tick);
        }
        self.settle();
    }

    /// Looks at what is watched, where it is time.
    fn sight(&mut self) {
        let watches = watches(&self.state).into_iter().map(|(_, watch)| watch).collect();
        for (watch, sighting) in self.world.sight(&watches) {
            self.feed(Msg::Sighted { watch: Box::new(watch), sighting });
        }
    }

    /// Follows what the app wants, and gives it what that has to say at once.
    fn settle(&mut self) {
        let topics: BTreeSet<Topic> = subscriptions(&self.state).into_iter().map(|(_, topic)| topic).collect();
        for (at, update) in self.world.follow(&topics) {
            self.feed_at(at, Msg::Update { connection: self.connection.clone(), update });
        }
    }

    fn feed(&mut self, msg: Msg) {
        self.feed_at(self.world.now(), msg);
    }

    fn feed_at(&mut self, at: Timestamp, msg: Msg) {
        for effect in update(&mut self.state, Stamped { at, msg }) {
            match effect {
                Effect::Execute { operation, ticket, action, .. } => {
                    let result = self.world.execute(&action);
                    self.feed(Msg::Done { operation, ticket, result });
                }
                Effect::Preview { plan, step, look, .. } => {
                    let result = self.world.execute(&look);
                    self.feed(Msg::Previewed { plan, step, result });
                }
                Effect::ProbeOwners(_) => self.feed(Msg::Alive(Vec::new())),
                Effect::LoadJournal => self.feed(Msg::Journal(Vec::new())),
                // A picture changes nothing outside.
                Effect::Journal(_)
                | Effect::Stop { .. }
                | Effect::Measure { .. }
                | Effect::Copy(_)
                | Effect::Save { .. }
                | Effect::Pipe { .. }
                | Effect::Shell { .. }
                | Effect::Offer { .. }
                | Effect::Forward { .. }
                | Effect::Unforward(_)
                | Effect::Refresh(_)
                | Effect::Theme(_)
                | Effect::Suspend
                | Effect::Quit => {}
            }
        }
    }
}
