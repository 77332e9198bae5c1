//! The lock around an operation: taken first, the plan's basis verified under it, given back last.

use std::sync::Arc;

use jiff::Timestamp;

use crate::operate::action::Action;

use super::{Doing, Fault, Machine, Outcome, Phase, elapsed};

/// How long a look at the environment under the lock may take.
const LOOK: std::time::Duration = std::time::Duration::from_secs(60);

impl Machine {
    pub(super) fn take_lock(&mut self, now: Timestamp) {
        let environment = self.plan.request.environment.clone();
        match self.plan.lock.clone() {
            None => self.run(now, 0),
            Some(lock) => {
                self.detail = format!("taking the lock of {environment}").into();
                self.fly(now, Action::TakeLock { environment, holder: lock.holder, replaces: lock.replaces });
            }
        }
    }

    pub(super) fn lock_answered(&mut self, now: Timestamp, result: Result<(), Fault>) {
        match result {
            Ok(()) => {
                self.detail = "looking whether the plan still fits".into();
                self.doing = Doing::Verify(now);
            }
            Err(fault) => {
                self.failures.push(format!("the lock could not be taken: {}", fault.why).into());
                // A lock that may have been taken although the answer was lost must not stay.
                let outcome = if fault.uncertain { Outcome::Failed } else { Outcome::Refused };
                if fault.uncertain { self.settle(now, outcome) } else { self.end(now, outcome) }
            }
        }
    }

    /// Looks whether the plan was made from what is still there. Only a look that shows our lock, or was taken after
    /// it was answered for, counts.
    pub(super) fn verify(&mut self, now: Timestamp, since: Timestamp) {
        let ours = |l: &Arc<crate::model::LockHolder>| l.operation.as_ref() == Some(&self.plan.id);
        let fresh = self.last.as_ref().filter(|s| s.at >= since || s.lock.as_ref().is_some_and(ours));
        let Some(snapshot) = fresh else {
            if elapsed(now, since) > LOOK {
                self.failures.push("the engine has not shown its state under the lock".into());
                self.settle(now, Outcome::Failed);
            } else {
                self.refresh(now, since);
            }
            return;
        };
        let changed = self.plan.basis.changed(snapshot);
        if changed.is_empty() {
            self.doing = Doing::Nothing;
            self.detail = "".into();
            self.run(now, 0);
        } else {
            let why = format!("it has changed since the plan was made: {}; plan again", changed.join("; "));
            self.failures.push(why.into());
            self.settle(now, Outcome::Refused);
        }
    }

    /// Nothing more is to be done but giving the lock back.
    pub(super) fn settle(&mut self, now: Timestamp, outcome: Outcome) {
        self.doing = Doing::Nothing;
        // A recovery that did not get through leaves what it found, lock and all, for the next one.
        if self.recovers() && outcome != Outcome::Done {
            self.end(now, outcome);
            return;
        }
        self.settled = outcome;
        self.outage = None;
        let environment = self.plan.request.environment.clone();
        match self.plan.lock.clone() {
            None => self.end(now, self.settled.clone()),
            Some(lock) => {
                self.phase = Phase::Unlocking;
                self.detail = format!("giving the lock of {environment} back").into();
                let operation = Some(self.plan.id.clone());
                let action = match lock.restores {
                    Some(holder) => Action::TakeLock { environment, holder, replaces: Some(lock.holder) },
                    None => Action::ReleaseLock { environment, operation },
                };
                self.fly(now, action);
            }
        }
    }

    pub(super) fn unlock_answered(&mut self, now: Timestamp, result: Result<(), Fault>) {
        if let Err(fault) = result {
            let name = &self.plan.request.environment.name;
            self.failures.push(format!("the lock of {name} could not be given back ({}); unlock it", fault.why).into());
        }
        self.end(now, self.settled.clone());
    }

    pub(super) fn end(&mut self, now: Timestamp, outcome: Outcome) {
        self.doing = Doing::Nothing;
        self.ended = Some(now);
        self.skip_the_rest();
        self.detail = self.account(&outcome);
        self.journal_end(now, outcome.clone());
        self.tell(now, outcome);
    }
}
