//! The machine every operation runs on: events in, effects out, no I/O. Lock, steps, the way back, unlock; every turn
//! is written to the journal. Strategies and engines differ in the plan, never here.

mod flight;
mod gate;
mod journal;
mod lock;
mod look;
mod person;
mod rollout;
mod tell;
mod undo;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::model::{InstanceId, Snapshot};

use super::action::{Action, InstanceRef};
use super::plan::{Gate, Plan, Work};
use super::policy::{Actor, OnFailure};

use flight::Flight;
use gate::{Reading, Times, Watch};
use look::Look;
pub use words::{Choice, Effect, Event, Outcome, Phase, StepProgress, StepState, Ticket, UndoProgress};

/// What is being waited for.
#[derive(Clone, Debug)]
enum Doing {
    Nothing,
    /// An action's answer, or the time to try it again.
    Flight(Flight),
    /// A gate.
    Watch(Box<Watch>),
    /// A look at the environment under the lock; since when.
    Verify(Timestamp),
    /// A gate that is read by looking outside, again and again.
    Look(Box<Look>),
    /// A person's word.
    Person,
}

/// Why a piece of work failed.
#[derive(Clone, Debug)]
struct Fault {
    why: Arc<str>,
    /// It may have taken effect all the same.
    uncertain: bool,
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
    doing: Doing,
    tickets: u32,
    made: BTreeMap<u32, InstanceId>,
    /// Content addresses the engine has told, by image reference.
    digests: BTreeMap<Arc<str>, Arc<str>>,
    /// Instances that have passed their gate: they must stay well while others follow.
    held: BTreeSet<InstanceRef>,
    /// Steps whose action may have taken effect although it failed.
    uncertain: BTreeSet<usize>,
    last: Option<Snapshot>,
    /// Since when the feed is not live.
    stale: Option<Timestamp>,
    /// Since when the engine does not answer.
    outage: Option<Timestamp>,
    /// When the last action was sent.
    issued: Timestamp,
    /// Since when there has been nothing but waiting: a look taken since then shows how things are.
    calm: Option<Timestamp>,
    /// When the runs began that a start or restart has ended.
    runs: BTreeMap<InstanceId, Timestamp>,
    refreshed: Option<Timestamp>,
    /// Something that was there has been removed: there is no way back by undoing.
    committed: bool,
    failures: Vec<Arc<str>>,
    settled: Outcome,
    /// Hooks still to be told how it ended, last first; and the one that is told now.
    untold: Vec<Arc<str>>,
    telling: Option<Arc<str>>,
    out: Vec<Effect>,
}

impl Machine {
    /// Starts `plan`: the journal's first record, then the lock (or, without one, the first step).
    #[must_use]
    pub fn new(plan: Plan, actor: &Actor, now: Timestamp) -> (Self, Vec<Effect>) {
        let waiting = StepProgress {
            state: StepState::Waiting,
            detail: "".into(),
            output: None,
            load: None,
            readings: Vec::new(),
            began: None,
            ended: None,
        };
        let progress = vec![waiting; plan.steps.len()];
        let mut machine = Self {
            plan,
            phase: Phase::Locking,
            progress,
            undo_progress: Vec::new(),
            began: now,
            ended: None,
            detail: "".into(),
            actor: actor.clone(),
            doing: Doing::Nothing,
            tickets: 0,
            made: BTreeMap::new(),
            digests: BTreeMap::new(),
            held: BTreeSet::new(),
            uncertain: BTreeSet::new(),
            last: None,
            stale: None,
            outage: None,
            issued: now,
            calm: None,
            runs: BTreeMap::new(),
            refreshed: None,
            committed: false,
            failures: Vec::new(),
            settled: Outcome::Done,
            untold: Vec::new(),
            telling: None,
            out: Vec::new(),
        };
        machine.journal_start(now);
        machine.take_lock(now);
        let effects = std::mem::take(&mut machine.out);
        (machine, effects)
    }

    /// Moves by one event. Late answers are ignored; after [`Phase::Ended`] nothing is returned any more.
    pub fn on(&mut self, now: Timestamp, event: Event<'_>) -> Vec<Effect> {
        if self.outcome().is_some() {
            return Vec::new();
        }
        match event {
            // What is still being listed (after the connection was lost) would look gone.
            Event::Snapshot(snapshot) if !snapshot.is_listed() => {}
            Event::Snapshot(snapshot) => self.see(now, snapshot),
            Event::Done(ticket, result) => self.answered(now, ticket, result),
            Event::Progress(ticket, words) => self.progressed(ticket, words),
            Event::Figures(ticket, figures) => self.measured(ticket, figures),
            Event::Tick => {}
            Event::Stale => {
                self.stale.get_or_insert(now);
            }
            Event::Abort => self.abort(now),
            Event::Choose(choice) => self.chosen(now, choice),
            Event::Confirm(text) => {
                self.plan.confirmed.insert(text);
            }
        }
        self.advance(now);
        std::mem::take(&mut self.out)
    }

    /// How it ended, once it has.
    #[must_use]
    pub fn outcome(&self) -> Option<&Outcome> {
        match &self.phase {
            Phase::Ended(outcome) => Some(outcome),
            Phase::Locking | Phase::Running(_) | Phase::Asking(_) | Phase::Undoing | Phase::Unlocking | Phase::Telling(_) => None,
        }
    }

    fn see(&mut self, now: Timestamp, snapshot: &Snapshot) {
        if let (Some(since), Doing::Watch(watch)) = (self.stale, &mut self.doing) {
            watch.forgive(elapsed(now, since));
        }
        self.stale = None;
        self.last = Some(snapshot.clone());
    }

    /// Looks whether what is waited for has come.
    fn advance(&mut self, now: Timestamp) {
        match &self.doing {
            Doing::Nothing => {}
            Doing::Flight(flight) => {
                if flight.retry_at.is_some_and(|at| now >= at) {
                    self.fly_again();
                }
            }
            Doing::Verify(since) => {
                let since = *since;
                self.verify(now, since);
            }
            Doing::Watch(_) => self.watch(now),
            Doing::Look(_) => self.look(now),
            Doing::Person => self.ask_person(now),
        }
    }

    fn watch(&mut self, now: Timestamp) {
        let forward = matches!(self.phase, Phase::Running(_));
        let Doing::Watch(watch) = &mut self.doing else { return };
        let reading = watch.read(self.last.as_ref(), self.stale, now);
        let lost = match (&self.last, forward) {
            (Some(snapshot), true) if snapshot.at >= watch.times.calm => gate::lost(&self.held, snapshot, &self.plan.names),
            _ => None,
        };
        let (unseen, began) = (watch.unseen, watch.times.began);
        match (lost, reading) {
            (Some(why), _) | (None, Reading::Failed(why)) => self.finished(now, Err(Fault { why, uncertain: false })),
            (None, Reading::Passed(words)) => {
                if let Some(instance) = self.gated() {
                    self.held.insert(instance);
                }
                self.say(words);
                self.finished(now, Ok(()));
            }
            (None, Reading::Waiting(words)) => {
                self.say(words);
                if unseen || self.stale.is_some() {
                    self.refresh(now, began);
                }
            }
        }
    }

    /// The instance whose gate is being watched, when the operation goes forward.
    fn gated(&self) -> Option<InstanceRef> {
        match (&self.phase, &self.doing) {
            (Phase::Running(_), Doing::Watch(watch)) => watch.instance(),
            _ => None,
        }
    }

    /// Asks for a fresh look, when none has come by itself for three seconds, and at most every five.
    fn refresh(&mut self, now: Timestamp, since: Timestamp) {
        let waited = elapsed(now, since) >= Duration::from_secs(3);
        if waited && self.refreshed.is_none_or(|at| elapsed(now, at) >= Duration::from_secs(5)) {
            self.refreshed = Some(now);
            self.out.push(Effect::Refresh);
        }
    }

    /// Begins step `index`, or ends when there is none left.
    fn run(&mut self, now: Timestamp, index: usize) {
        let Some(step) = self.plan.steps.get(index) else {
            let outcome = if self.failures.is_empty() { Outcome::Done } else { Outcome::Failed };
            self.settle(now, outcome);
            return;
        };
        let work = step.work.clone();
        self.phase = Phase::Running(index);
        let progress = &mut self.progress[index];
        progress.state = StepState::Running;
        progress.began = Some(now);
        self.committed |= commits(&work);
        self.begin(now, &work);
    }

    /// Begins a piece of work, forwards or back.
    fn begin(&mut self, now: Timestamp, work: &Work) {
        if matches!(work, Work::Act(_) | Work::Await(Gate::Reading { .. } | Gate::Person { .. })) {
            self.calm = None;
        }
        match work {
            Work::Act(action) => match self.resolve(action) {
                Ok(action) => self.fly(now, action),
                Err(fault) => self.finished(now, Err(fault)),
            },
            Work::Await(Gate::Reading { look, .. }) => match self.resolve(look) {
                Ok(look) => self.begin_look(now, work, look),
                Err(fault) => self.finished(now, Err(fault)),
            },
            Work::Await(Gate::Person { .. }) => {
                self.doing = Doing::Person;
                self.ask_person(now);
            }
            Work::Await(gate @ (Gate::Healthy { .. } | Gate::RolledOut { .. } | Gate::Wait { .. })) => {
                let times = Times { began: now, calm: *self.calm.get_or_insert(now), issued: self.issued };
                let watch = Watch::new(gate, &self.made, &self.plan.names, times, &self.runs);
                self.doing = Doing::Watch(Box::new(watch));
                self.watch(now);
            }
        }
    }

    /// What was being done has come to its end.
    fn finished(&mut self, now: Timestamp, result: Result<(), Fault>) {
        self.doing = Doing::Nothing;
        match self.phase.clone() {
            Phase::Locking => self.lock_answered(now, result),
            Phase::Running(index) => self.step_finished(now, index, result),
            Phase::Undoing => self.undo_finished(now, result),
            Phase::Unlocking => self.unlock_answered(now, result),
            Phase::Telling(outcome) => self.told(now, outcome, result),
            Phase::Asking(_) | Phase::Ended(_) => {}
        }
    }

    fn step_finished(&mut self, now: Timestamp, index: usize, result: Result<(), Fault>) {
        let progress = &mut self.progress[index];
        progress.ended = Some(now);
        let Err(fault) = result else {
            progress.state = StepState::Done;
            self.journal_step(now, index);
            self.run(now, index + 1);
            return;
        };
        progress.state = StepState::Failed;
        progress.detail = fault.why.clone();
        if fault.uncertain {
            self.uncertain.insert(index);
        }
        self.journal_step(now, index);
        let step = &self.plan.steps[index];
        let sentence: Arc<str> = format!("{}: {}", step.name.trim_start_matches("wait for "), fault.why).into();
        if step.optional || self.committed {
            // Past the point of no return the rest is still worth doing.
            if !step.optional {
                self.failures.push(sentence);
            }
            self.run(now, index + 1);
            return;
        }
        self.detail = sentence.clone();
        self.failures.push(sentence);
        match self.plan.on_failure {
            OnFailure::Auto => self.go_back(now),
            OnFailure::Ask if self.leaves_something() => self.phase = Phase::Asking(index),
            OnFailure::Ask | OnFailure::Never => self.leave(now),
        }
    }

    /// Shows words at whatever is being done.
    fn say(&mut self, words: Arc<str>) {
        match self.phase {
            Phase::Running(index) => self.progress[index].detail = words,
            Phase::Undoing => {
                if let Some(undo) = self.undo_progress.iter_mut().find(|u| u.progress.state == StepState::Running) {
                    undo.progress.detail = words;
                }
            }
            Phase::Locking | Phase::Unlocking => self.detail = words,
            // How it ended is said already.
            Phase::Telling(_) | Phase::Asking(_) | Phase::Ended(_) => {}
        }
    }
}

/// Whether there is no way back by undoing once this has begun: something that was there goes.
fn commits(work: &Work) -> bool {
    matches!(work, Work::Act(Action::Remove { instance: InstanceRef::Known(_), .. } | Action::ForgetFile { .. }))
}

/// The time from `since` to `now`; nothing when the clock went back.
fn elapsed(now: Timestamp, since: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(since)).unwrap_or_default()
}
