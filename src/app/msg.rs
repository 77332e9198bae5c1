//! Everything that can make the program think, in one closed list.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;

use crate::engine::{EngineError, Update};
use crate::keymap::Chord;
use crate::model::{ConnectionId, EnvironmentId, OperationId};
use crate::observe::load::Figures;
use crate::observe::watch::{Sighting, Watch};
use crate::operate::audit::Record;
use crate::operate::machine::Ticket;
use crate::operate::{Accepted, Request};

use super::Command;
use super::forward::Told;

/// What a person brings along to pass a guard: on the command line by flags, on the console by typing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// `--yes`, or Enter on the plan.
    pub yes: bool,
    /// `--confirm ENV`, or the typed name.
    pub typed: Option<Arc<str>>,
    /// Knowingly takes over a lock whose owner may be alive.
    pub take_over: bool,
    /// What a person says is so (`--tick`), by its text.
    pub ticked: BTreeSet<Arc<str>>,
}

/// Something happened. Every message carries the time, because pure code has no clock.
#[derive(Clone, Debug)]
pub enum Msg {
    /// A key, already normalised.
    Key(Chord),
    /// Text pasted into the terminal: goes to whatever takes text, never to the keymap.
    Paste(Arc<str>),
    /// The wheel turned: rows, positive is down.
    Wheel(i16),
    /// A click at column and row.
    Click(u16, u16),
    /// The terminal's new size in cells; 0×0 does happen.
    Resize(u16, u16),
    /// Time passed. Sent at least every second while something on screen ages, and while an operation waits.
    Tick,
    /// There is time to go on with what is being worked off piece by piece ([`super::State::is_working`]).
    Work,
    /// A command by name: palette, menu, or the other face.
    Run(Command),
    /// A request with its answers, from the command face.
    Ask(Request, Answer),
    /// An observation. The runtime drops those of subscriptions that are no longer wanted.
    Update {
        connection: ConnectionId,
        update: Update,
    },
    /// Something was seen outside the engines.
    Sighted {
        watch: Box<Watch>,
        sighting: Sighting,
    },
    /// An engine has answered an action of an operation.
    Done {
        operation: OperationId,
        ticket: Ticket,
        result: Result<Accepted, EngineError>,
    },
    /// What a look ahead at step `step` of a plan on screen has told.
    Previewed {
        plan: OperationId,
        step: usize,
        result: Result<Accepted, EngineError>,
    },
    /// The figure a policy follows, or why there is none.
    Measured {
        environment: EnvironmentId,
        policy: usize,
        result: Result<Accepted, EngineError>,
    },
    /// Words about an action under way.
    Progress {
        operation: OperationId,
        ticket: Ticket,
        text: Arc<str>,
    },
    /// How a load test under way stands.
    Figures {
        operation: OperationId,
        ticket: Ticket,
        figures: Arc<Figures>,
    },
    /// The journal could not be written, or what it holds from before.
    JournalFailed(Arc<str>),
    Journal(Vec<Record>),
    /// Something the runtime did for us went well or not: shown for a while.
    Note {
        ok: bool,
        text: Arc<str>,
    },
    /// What a command that was given text has said: its output, and how it ended.
    Piped {
        command: Arc<str>,
        result: Result<Arc<str>, Arc<str>>,
    },
    /// What has happened to a forwarded port.
    Forward {
        id: u64,
        told: Told,
    },
    /// Which of the lock holders of our own host are still alive: `(pid, started)`.
    Alive(Vec<(u32, u64)>),
}

/// A message and when it happened.
#[derive(Clone, Debug)]
pub struct Stamped {
    pub at: Timestamp,
    pub msg: Msg,
}
