//! The machine every operation runs on: events in, effects out, no I/O.

use std::sync::Arc;

use jiff::Timestamp;

use crate::engine::EngineError;
use crate::model::Snapshot;

use super::action::{Accepted, Action};
use super::audit::Record;
use super::plan::{Plan, Work};
use super::policy::Actor;

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
    /// The feed is no longer live: what was last seen no longer counts, and waiting is not held against an instance.
    Stale,
    /// A person wants it stopped and undone.
    Abort,
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    Execute(Ticket, Action),
    Journal(Record),
    /// A fresh snapshot is waited for: ask the engine now instead of at the next change.
    Refresh,
}

/// Where an operation is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Taking the lock.
    Locking,
    /// At step `n` (index into the plan's steps).
    Running(usize),
    /// Step `n` failed; a person is asked ([`Event::Choose`]).
    Asking(usize),
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

/// One step of the way back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UndoProgress {
    /// The step it undoes.
    pub step: usize,
    pub name: Arc<str>,
    pub call: Arc<str>,
    pub work: Work,
    pub progress: StepProgress,
}

/// One operation under way.
#[derive(Clone, Debug)]
pub struct Machine {
    pub plan: Plan,
    pub phase: Phase,
    /// Of the plan's steps, one each.
    pub progress: Vec<StepProgress>,
    /// The way back, as far as it is known; empty while going forward.
    pub undo_progress: Vec<UndoProgress>,
    pub began: Timestamp,
    pub ended: Option<Timestamp>,
    /// What is going on outside the steps (the lock), why it failed, and at the end what exactly was done.
    pub detail: Arc<str>,
    actor: Actor,
}

impl Machine {
    /// Starts `plan`: the journal's first record, then the lock.
    #[must_use]
    pub fn new(plan: Plan, actor: &Actor, now: Timestamp) -> (Self, Vec<Effect>) {
        let waiting = StepProgress { state: StepState::Waiting, detail: "".into(), began: None, ended: None };
        let progress = vec![waiting; plan.steps.len()];
        let machine = Self {
            plan,
            phase: Phase::Locking,
            progress,
            undo_progress: Vec::new(),
            began: now,
            ended: None,
            detail: "".into(),
            actor: actor.clone(),
        };
        (machine, Vec::new())
    }

    /// Moves by one event. Late answers are ignored; after [`Phase::Ended`] nothing is returned any more.
    pub fn on(&mut self, now: Timestamp, event: Event<'_>) -> Vec<Effect> {
        let _ = (now, event, &self.actor);
        Vec::new()
    }

    /// How it ended, once it has.
    #[must_use]
    pub fn outcome(&self) -> Option<&Outcome> {
        match &self.phase {
            Phase::Ended(outcome) => Some(outcome),
            Phase::Locking | Phase::Running(_) | Phase::Asking(_) | Phase::Undoing | Phase::Unlocking => None,
        }
    }
}
