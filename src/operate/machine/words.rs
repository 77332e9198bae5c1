//! What the machine takes and gives: events, effects, phases, outcomes, and how its steps are doing.

use std::sync::Arc;

use jiff::Timestamp;

use crate::engine::EngineError;
use crate::model::Snapshot;
use crate::observe::load::Figures;
use crate::operate::action::{Accepted, Action};
use crate::operate::audit::Record;
use crate::operate::plan::Work;

/// Names one execution of an action, so that a late answer is not taken for another's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u32);

/// What moves the machine.
#[derive(Clone, Debug)]
pub enum Event<'a> {
    /// A fresh snapshot of the plan's environment (only while the feed is live).
    Snapshot(&'a Snapshot),
    /// An action was answered.
    Done(Ticket, Result<Accepted, EngineError>),
    /// Words about an action under way.
    Progress(Ticket, Arc<str>),
    /// How a load test stands.
    Figures(Ticket, Arc<Figures>),
    /// Time passed: send one at least every second while the operation runs.
    Tick,
    /// The feed is no longer live: what was last seen no longer counts, and waiting is not held against an instance.
    Stale,
    /// A person wants it stopped and undone.
    Abort,
    /// A person says that this is so ([`Machine::asks`](super::Machine::asks)).
    Confirm(Arc<str>),
    /// A person's answer in [`Phase::Asking`].
    Choose(Choice),
}

/// What may be done about a failed step when the policy says to ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// Try the failed step again.
    Retry,
    /// Go back to the old state.
    Undo,
    /// Leave it as it is; the lock stays, so that it can be recovered either way.
    Leave,
}

/// What the machine wants done.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    Execute(Ticket, Action),
    /// What was executed under this ticket is to end now; it is answered all the same.
    Stop(Ticket),
    Journal(Record),
    /// A fresh snapshot is waited for: ask the engine now instead of at the next change, and send what it says even
    /// when nothing has changed.
    Refresh,
}

/// Where an operation is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Taking the lock, and making sure under it that the plan still fits.
    Locking,
    /// At step `n` (index into the plan's steps).
    Running(usize),
    /// Step `n` failed; a person is asked ([`Event::Choose`]).
    Asking(usize),
    /// Going back, after a failure or an abort.
    Undoing,
    /// Giving the lock back.
    Unlocking,
    /// It is over; the notification hooks are told.
    Telling(Outcome),
    Ended(Outcome),
}

/// How an operation ended.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Done,
    /// Failed, and nothing (or nothing more) was changed.
    Failed,
    /// Failed, and the old state is back.
    RolledBack,
    /// Not started: guard, lock, or the basis had changed.
    Refused,
    /// The engine can no longer say; the lock stays for whoever recovers it.
    Unknown,
}

/// How a step is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    Waiting,
    Running,
    Done,
    Failed,
    Skipped,
    Undone,
}

/// A step's progress, for the screen and the journal.
#[derive(Clone, Debug, PartialEq)]
pub struct StepProgress {
    pub state: StepState,
    pub detail: Arc<str>,
    /// What a command of it printed, sanitised and masked; kept in the journal.
    pub output: Option<Arc<str>>,
    /// How a load test stands, or how it went.
    pub load: Option<Arc<Figures>>,
    /// Figures a gate has read, oldest first.
    pub readings: Vec<f64>,
    pub began: Option<Timestamp>,
    pub ended: Option<Timestamp>,
}

/// One step of the way back.
#[derive(Clone, Debug, PartialEq)]
pub struct UndoProgress {
    /// The step it undoes.
    pub step: usize,
    pub name: Arc<str>,
    pub call: Arc<str>,
    pub work: Work,
    pub progress: StepProgress,
}
