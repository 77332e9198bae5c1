//! The machine every operation runs on: events in, effects out, no I/O.

use std::sync::Arc;

use jiff::Timestamp;

use crate::engine::EngineError;
use crate::model::Snapshot;

use super::action::{Accepted, Action};
use super::audit::Record;
use super::plan::Plan;

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
    /// Time passed.
    Tick,
    /// A person wants it stopped and undone.
    Abort,
}

/// What the machine wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    Execute(Ticket, Action),
    Journal(Record),
}

/// Where an operation is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Taking the lock.
    Locking,
    /// At step `n` (index into the plan's steps).
    Running(usize),
    /// Going back, after a failure or an abort.
    Undoing,
    /// Giving the lock back.
    Unlocking,
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepProgress {
    pub state: StepState,
    pub detail: Arc<str>,
    pub began: Option<Timestamp>,
    pub ended: Option<Timestamp>,
}

/// One operation under way.
#[derive(Debug)]
pub struct Machine {
    pub plan: Plan,
    pub phase: Phase,
    pub progress: Vec<StepProgress>,
}
