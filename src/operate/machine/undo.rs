//! The way back: the undos of the steps begun, last first, each tried until patience ends, one failure not stopping
//! the others.

use std::sync::Arc;

use jiff::Timestamp;

use crate::operate::action::{Action, InstanceRef};
use crate::operate::plan::{Work, words};
use crate::operate::request::Operation;

use super::{Doing, Fault, Machine, Outcome, Phase, StepProgress, StepState, UndoProgress};

impl Machine {
    /// Starts the way back, or ends where there is nothing to take back.
    pub(super) fn go_back(&mut self, now: Timestamp) {
        self.doing = Doing::Nothing;
        self.outage = None;
        self.undo_progress = self.way_back();
        if (0..self.progress.len()).any(|i| self.failed_to_create(i)) {
            self.out.push(super::Effect::Refresh);
        }
        if self.undo_progress.is_empty() {
            self.settle(now, Outcome::Failed);
            return;
        }
        self.phase = Phase::Undoing;
        self.undo(now, 0);
    }

    /// The undos of the steps that have begun, last first. A step that surely had no effect needs none; one whose
    /// answer was lost may have had.
    fn way_back(&self) -> Vec<UndoProgress> {
        let mut way = Vec::new();
        for (index, step) in self.plan.steps.iter().enumerate().rev() {
            if !self.had_effect(index) {
                continue;
            }
            let mut works = step.undo.clone();
            if let Work::Act(Action::Create { replica, .. }) = &step.work
                && !self.made.contains_key(&replica.slot)
            {
                // Asked for again, the engine names what was made the first time, be it half: then it can be removed.
                works.insert(0, step.work.clone());
            }
            for work in works {
                let name = match &work {
                    Work::Act(Action::Create { replica, .. }) => {
                        let new = words::label(&self.plan.names, &InstanceRef::Made(replica.slot));
                        format!("look for {new}").into()
                    }
                    Work::Act(_) | Work::Await(_) => words::name(&work, &self.plan.names),
                };
                way.push(UndoProgress {
                    step: index,
                    name,
                    call: words::call(&work, &self.plan.names),
                    work,
                    progress: StepProgress {
                        state: StepState::Waiting,
                        detail: "".into(),
                        output: None,
                        load: None,
                        readings: Vec::new(),
                        began: None,
                        ended: None,
                    },
                });
            }
        }
        way
    }

    fn had_effect(&self, index: usize) -> bool {
        // A command that failed has left its container.
        let left = matches!(self.plan.steps[index].work, Work::Act(Action::RunOnce { .. }));
        let failed = self.progress[index].state == StepState::Failed;
        let done = self.progress[index].state == StepState::Done;
        done || (left && failed) || self.uncertain.contains(&index) || self.failed_to_create(index)
    }

    /// The compose tool may have replaced some services before it failed.
    fn tool_failed(&self) -> bool {
        let mut steps = self.plan.steps.iter().zip(&self.progress);
        steps.any(|(s, p)| matches!(s.work, Work::Act(Action::ComposeUp { .. })) && p.state == StepState::Failed)
    }

    /// A container can be made and still not be whole: whether it is there is asked again on the way back.
    fn failed_to_create(&self, index: usize) -> bool {
        self.progress[index].state == StepState::Failed && matches!(self.plan.steps[index].work, Work::Act(Action::Create { .. }))
    }

    /// Whether this ends another operation.
    pub(super) fn recovers(&self) -> bool {
        matches!(self.plan.request.operation, Operation::Recover { .. })
    }

    /// Whether something begun could be taken back: left alone, it is for recovery to end.
    pub(super) fn leaves_something(&self) -> bool {
        self.recovers() || (0..self.progress.len()).any(|i| self.had_effect(i) && !self.plan.steps[i].undo.is_empty())
    }

    /// Leaves everything as it is; the lock stays where recovery has something to end.
    pub(super) fn leave(&mut self, now: Timestamp) {
        if self.leaves_something() {
            self.end(now, Outcome::Failed);
        } else {
            self.settle(now, Outcome::Failed);
        }
    }

    fn undo(&mut self, now: Timestamp, index: usize) {
        let Some(undo) = self.undo_progress.get_mut(index) else {
            self.undone(now);
            return;
        };
        undo.progress.state = StepState::Running;
        undo.progress.began = Some(now);
        let work = undo.work.clone();
        self.begin(now, &work);
    }

    pub(super) fn undo_finished(&mut self, now: Timestamp, result: Result<(), Fault>) {
        let running = self.undo_progress.iter().position(|u| u.progress.state == StepState::Running);
        let Some(index) = running else { return };
        let undo = &self.undo_progress[index];
        let is_create = matches!(undo.work, Work::Act(Action::Create { .. }));
        let found = is_create && result.is_err() && self.find_half_made(index);
        let never_made = self.never_made(index);
        let undo = &mut self.undo_progress[index];
        undo.progress.ended = Some(now);
        match result {
            Ok(()) => undo.progress.state = StepState::Done,
            Err(_) if found => {
                undo.progress.state = StepState::Skipped;
                undo.progress.detail = "found half made".into();
            }
            // The engine says clearly that nothing was made: nothing is to be removed either.
            Err(fault) if is_create && !fault.uncertain => {
                undo.progress.state = StepState::Skipped;
                undo.progress.detail = format!("nothing was made: {}", fault.why).into();
            }
            Err(_) if never_made => {
                undo.progress.state = StepState::Skipped;
                undo.progress.detail = "nothing was made".into();
            }
            Err(fault) => {
                undo.progress.state = StepState::Failed;
                undo.progress.detail = fault.why.clone();
            }
        }
        let step = self.undo_progress[index].step;
        self.journal_undo(now, index);
        let of_step = self.undo_progress.iter().filter(|u| u.step == step);
        let over = |u: &UndoProgress| matches!(u.progress.state, StepState::Done | StepState::Skipped);
        if of_step.clone().all(over) {
            self.progress[step].state = StepState::Undone;
        }
        self.undo(now, index + 1);
    }

    /// Looks in what was last seen for an instance that undo `index` would create: made, but not whole.
    fn find_half_made(&mut self, index: usize) -> bool {
        let Work::Act(Action::Create { operation, replica }) = &self.undo_progress[index].work else { return false };
        let Some(workload) = self.last.as_ref().and_then(|s| s.workload(&replica.workload)) else { return false };
        let like = workload.instances.iter().find(|i| i.id == replica.like).map(|i| i.number);
        let number = replica.number.or(like);
        let known: Vec<_> = self.made.values().collect();
        let half = workload
            .instances
            .iter()
            .find(|i| i.made_by.as_ref() == Some(operation) && Some(i.number) == number && !known.contains(&&i.id));
        let Some(half) = half else { return false };
        let (slot, id) = (replica.slot, half.id.clone());
        self.made.insert(slot, id);
        true
    }

    /// Whether undo `index` is about an instance the engine has clearly said was not made.
    fn never_made(&self, index: usize) -> bool {
        let undo = &self.undo_progress[index];
        let asked = self.undo_progress[..index].iter().any(|u| u.step == undo.step && u.progress.state == StepState::Skipped);
        let Work::Act(Action::Remove { instance: InstanceRef::Made(slot), .. }) = &undo.work else { return false };
        asked && !self.made.contains_key(slot)
    }

    fn undone(&mut self, now: Timestamp) {
        if self.undo_progress.iter().any(|u| u.progress.state == StepState::Failed) {
            self.end(now, Outcome::Unknown);
            return;
        }
        // Where all that was taken back is what a check or a command had left, nothing had been changed yet.
        let tidied = self.undo_progress.iter().all(|u| matches!(u.work, Work::Act(Action::ForgetOnce { .. })));
        self.settle(now, if tidied { Outcome::Failed } else { Outcome::RolledBack });
    }

    /// At the end nothing is waited for any more.
    pub(super) fn skip_the_rest(&mut self) {
        let undos = self.undo_progress.iter_mut().map(|u| &mut u.progress);
        for progress in self.progress.iter_mut().chain(undos) {
            if matches!(progress.state, StepState::Waiting | StepState::Running) {
                progress.state = StepState::Skipped;
            }
        }
    }

    /// What was done and cannot be taken back, in words.
    fn what_stays(&self) -> String {
        let stays = |work: &Work| {
            matches!(
                work,
                Work::Act(Action::RunOnce { .. } | Action::Exec { .. } | Action::CopyIn { .. } | Action::CopyOut { .. })
            )
        };
        let names: Vec<&str> = self
            .plan
            .steps
            .iter()
            .zip(&self.progress)
            .filter(|(s, p)| stays(&s.work) && matches!(p.state, StepState::Done | StepState::Undone))
            .map(|(s, _)| &*s.name)
            .collect();
        if names.is_empty() { String::new() } else { format!("; what stays: {}", names.join(", ")) }
    }

    /// What exactly was done, in words.
    pub(super) fn account(&self, outcome: &Outcome) -> Arc<str> {
        let list = |names: Vec<&str>| names.join(", ");
        let done: Vec<&str> = self
            .plan
            .steps
            .iter()
            .zip(&self.progress)
            .filter(|(s, p)| p.state == StepState::Done && is_change(&s.work))
            .map(|(s, _)| &*s.name)
            .collect();
        let undone = |state| -> Vec<&str> {
            let meant = self.undo_progress.iter().filter(move |u| u.progress.state == state);
            meant.filter(|u| matches!(u.work, Work::Act(_))).map(|u| &*u.name).collect()
        };
        let failures = self.failures.iter().map(|f| &**f).collect::<Vec<_>>().join("; ");
        let noted: Vec<String> = self
            .plan
            .steps
            .iter()
            .zip(&self.progress)
            .filter(|(s, p)| s.optional && p.state == StepState::Failed)
            .map(|(s, p)| format!("; left over: {} ({})", s.name, p.detail))
            .collect();
        let text = match outcome {
            Outcome::Done if done.is_empty() => "nothing had to be changed".to_owned(),
            Outcome::Done if done.len() > 4 => format!("{}: {} calls", self.plan.title, done.len()),
            Outcome::Done => list(done),
            Outcome::Refused => format!("{failures}; nothing was changed"),
            Outcome::Failed if self.tool_failed() => {
                format!("{failures}; what the compose tool had done by then stays: qd diff --running shows what still differs")
            }
            Outcome::Failed if done.is_empty() => format!("{failures}; nothing was changed"),
            Outcome::Failed if self.recovers() || (self.leaves_something() && !self.committed) => {
                format!("{failures}; left as it is after: {}; recover finishes or undoes it", list(done))
            }
            Outcome::Failed => format!("{failures}; done and left so: {}", list(done)),
            Outcome::RolledBack => {
                format!("{failures}; the old state is back: {}{}", list(undone(StepState::Done)), self.what_stays())
            }
            Outcome::Unknown => {
                let back = undone(StepState::Done);
                let back = if back.is_empty() { "nothing".to_owned() } else { list(back) };
                let left: Vec<String> = self
                    .undo_progress
                    .iter()
                    .filter(|u| u.progress.state == StepState::Failed)
                    .map(|u| format!("{} ({})", u.name, u.progress.detail))
                    .collect();
                format!(
                    "{failures}; taken back: {back}; NOT taken back: {}; the lock stays until it is recovered",
                    left.join(", ")
                )
            }
        };
        let unreturned =
            if matches!(outcome, Outcome::Done) && !failures.is_empty() { format!("; {failures}") } else { String::new() };
        format!("{text}{unreturned}{}", noted.concat()).into()
    }
}

/// Whether a piece of work changes something: looks, and what only cleans up, do not.
fn is_change(work: &Work) -> bool {
    match work {
        Work::Act(Action::LookAtImage { .. } | Action::LookAtDisk { .. } | Action::ForgetOnce { .. }) | Work::Await(_) => false,
        Work::Act(Action::Errand(errand)) => !errand.is_look(),
        Work::Act(_) => true,
    }
}
