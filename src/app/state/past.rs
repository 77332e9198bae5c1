//! What a finished operation's records say, and what is kept of it.

use std::sync::Arc;

use jiff::Timestamp;

use crate::model::{EnvironmentId, Item, OperationId, Source, Verb};
use crate::operate::audit::{Phase, Record};
use crate::operate::machine::{Machine, Outcome};

use super::{Past, State};

impl Past {
    fn started(&self) -> Option<&Record> {
        self.records.iter().find(|r| r.phase == Phase::Started).or_else(|| self.records.first())
    }

    fn ended(&self) -> Option<&Record> {
        self.records.iter().rev().find(|r| r.phase == Phase::Ended)
    }

    /// `deploy backend 1.4.2 → 1.5.0`, as planned.
    #[must_use]
    pub fn title(&self) -> &str {
        let planned = self.records.iter().find_map(|r| r.plan.as_ref()).map(|p| &*p.title);
        planned.or_else(|| self.started().map(|r| &*r.kind)).unwrap_or("operation")
    }

    /// The name of its environment.
    #[must_use]
    pub fn environment(&self) -> Option<&str> {
        self.started().map(|r| &*r.environment)
    }

    /// When it began.
    #[must_use]
    pub fn at(&self) -> Option<Timestamp> {
        self.started().map(|r| r.at)
    }

    /// Who started it.
    #[must_use]
    pub fn by(&self) -> Option<&str> {
        self.started().map(|r| &*r.by)
    }

    /// How it ended; `None` when the journal has no end of it.
    #[must_use]
    pub fn outcome(&self) -> Option<&Outcome> {
        self.ended().and_then(|r| r.outcome.as_ref())
    }

    /// The outcome as a word; `unfinished` where there is none.
    #[must_use]
    pub fn outcome_word(&self) -> &'static str {
        self.outcome().map_or("unfinished", outcome_word)
    }

    /// The engine could not say how it ended, so its lock is still there.
    #[must_use]
    pub fn left_a_lock(&self) -> bool {
        matches!(self.outcome(), Some(Outcome::Unknown))
    }

    /// What it says about its end.
    #[must_use]
    pub fn detail(&self) -> Option<&Arc<str>> {
        self.ended().and_then(|r| r.detail.as_ref())
    }

    /// How long it took, milliseconds.
    #[must_use]
    pub fn duration_ms(&self) -> Option<u64> {
        self.ended().and_then(|r| r.duration_ms)
    }
}

/// An outcome as a person reads it.
#[must_use]
pub fn outcome_word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Done => "done",
        Outcome::Failed => "failed",
        Outcome::RolledBack => "rolled back",
        Outcome::Refused => "refused",
        Outcome::Unknown => "unknown",
    }
}

impl State {
    /// The newest finished operation of an environment.
    #[must_use]
    pub fn last_operation(&self, environment: &EnvironmentId) -> Option<&Past> {
        self.operations.past.iter().find(|p| p.environment().is_some_and(|name| *name == *environment.name))
    }

    /// How long such an operation usually takes, milliseconds: the median of the last five that went well, of the same
    /// kind, on the same target.
    #[must_use]
    pub fn usual_ms(&self, machine: &Machine) -> Option<u64> {
        let plan = &machine.plan;
        let same = |r: &Record| {
            *r.kind == *plan.request.operation.verb().word()
                && *r.environment == *plan.request.environment.name
                && *r.target == *plan.target
        };
        let well = |p: &&Past| p.outcome() == Some(&Outcome::Done) && p.started().is_some_and(same);
        let mut took: Vec<u64> = self.operations.past.iter().filter(well).filter_map(Past::duration_ms).take(5).collect();
        took.sort_unstable();
        took.get(took.len() / 2).copied()
    }

    /// The operation under way that another one there has to wait for. A load test changes nothing, so only another one
    /// waits for it: scaling and deploying under load is what it is for.
    #[must_use]
    pub fn in_the_way(&self, environment: &EnvironmentId, verb: Verb) -> Option<&Machine> {
        let loads = |verb: Verb| verb == Verb::Load;
        let here = self.operations.running.iter().filter(|m| &m.plan.request.environment == environment);
        here.into_iter().find(|m| loads(m.plan.request.operation.verb()) == loads(verb))
    }

    /// The operation a timeline item tells of: that which was at work on it then.
    #[must_use]
    pub fn operation_of(&self, item: &Item) -> Option<OperationId> {
        if item.source != Source::Operation {
            return None;
        }
        let here = |m: &&Machine| m.plan.request.environment == item.environment && m.plan.target == item.subject;
        if let Some(machine) = self.operations.running.iter().filter(here).find(|m| m.began <= item.at) {
            return Some(machine.plan.id.clone());
        }
        let of = |p: &&Past| {
            let ended = p.records.last().map(|r| r.at);
            p.environment() == Some(&*item.environment.name)
                && p.started().is_some_and(|r| r.target == item.subject)
                && p.at().zip(ended).is_some_and(|(from, to)| from <= item.at && item.at <= to)
        };
        self.operations.past.iter().find(of).map(|p| p.id.clone())
    }

    /// The operation under way in an environment.
    #[must_use]
    pub fn operation_in(&self, environment: &EnvironmentId) -> Option<&Machine> {
        self.operations.running.iter().find(|m| &m.plan.request.environment == environment)
    }
}
