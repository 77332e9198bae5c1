//! What a person says while an operation runs: stop and go back, an answer to a question, that something is so.

use std::sync::Arc;

use jiff::Timestamp;

use crate::operate::plan::{Gate, Work};

use super::{Choice, Doing, Effect, Fault, Machine, Outcome, Phase, StepState};

impl Machine {
    /// Whether an abort would still lead back; after something was removed it only would do harm and is ignored.
    #[must_use]
    pub fn can_abort(&self) -> bool {
        !self.committed && matches!(self.phase, Phase::Locking | Phase::Running(_) | Phase::Asking(_))
    }

    pub(super) fn chosen(&mut self, now: Timestamp, choice: Choice) {
        let Phase::Asking(index) = self.phase else { return };
        match choice {
            Choice::Retry => {
                self.failures.clear();
                self.detail = "".into();
                self.run(now, index);
            }
            Choice::Undo => self.go_back(now),
            Choice::Leave => self.leave(now),
        }
    }

    pub(super) fn abort(&mut self, now: Timestamp) {
        if !self.can_abort() {
            return;
        }
        let why: Arc<str> = "aborted".into();
        match (&self.phase, &mut self.doing) {
            // Half of a call cannot be taken back: its answer is waited for, unless it changes nothing.
            (_, Doing::Flight(flight)) if flight.retry_at.is_none() && !flight.is_harmless() => {
                flight.aborted = true;
                if flight.can_be_stopped() {
                    self.out.push(Effect::Stop(flight.ticket));
                }
            }
            (Phase::Locking, Doing::Verify(_)) => {
                self.failures.push(why);
                self.settle(now, Outcome::Failed);
            }
            (Phase::Locking, _) => self.finished(now, Err(Fault { why, uncertain: true })),
            (Phase::Running(index), doing) => {
                let index = *index;
                if matches!(doing, Doing::Flight(f) if !f.is_harmless()) {
                    self.uncertain.insert(index);
                }
                self.abandon(now, index, why);
            }
            (Phase::Asking(_), _) => self.go_back(now),
            (Phase::Undoing | Phase::Unlocking | Phase::Telling(_) | Phase::Ended(_), _) => {}
        }
    }

    /// Leaves step `index` where it is and goes back, because a person wants it.
    pub(super) fn abandon(&mut self, now: Timestamp, index: usize, why: Arc<str>) {
        self.doing = Doing::Nothing;
        let progress = &mut self.progress[index];
        progress.ended = Some(now);
        if progress.state == StepState::Running {
            progress.state = StepState::Failed;
            progress.detail = why.clone();
        }
        self.journal_step(now, index);
        self.detail = why.clone();
        self.failures.push(why);
        self.go_back(now);
    }

    /// What a person is asked to confirm now.
    #[must_use]
    pub fn asks(&self) -> Option<&Arc<str>> {
        match (&self.phase, &self.doing) {
            (Phase::Running(index), Doing::Person) => match &self.plan.steps[*index].work {
                Work::Await(Gate::Person { text }) => Some(text),
                Work::Await(_) | Work::Act(_) => None,
            },
            _ => None,
        }
    }

    /// Goes on once a person has said that it is so.
    pub(super) fn ask_person(&mut self, now: Timestamp) {
        let Some(text) = self.asks().cloned() else {
            // Nothing on the way back asks; were it to, nobody would be there to answer.
            self.finished(now, Ok(()));
            return;
        };
        if self.plan.confirmed.contains(&text) {
            self.say("confirmed".into());
            self.finished(now, Ok(()));
        } else {
            self.say("waiting for a person to say so".into());
        }
    }
}
