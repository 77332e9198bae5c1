//! A gate that is read by looking outside: a probe, a figure, an alert, a command. Asked again and again until it has been
//! good for long enough, or bad too often.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::engine::EngineError;
use crate::operate::action::{Accepted, Action};
use crate::operate::plan::{Gate, Work, words};

use super::{Doing, Effect, Fault, Machine, Phase, Ticket, elapsed, gate};

/// How long an engine may be away before a look at it counts as bad.
const AWAY: Duration = Duration::from_secs(120);
/// Readings kept for the screen.
const READINGS: usize = 60;

/// A gate that is being read.
#[derive(Clone, Debug)]
pub(super) struct Look {
    action: Action,
    every: Duration,
    within: Duration,
    hold: Duration,
    patience: u32,
    began: Timestamp,
    /// The look that is under way.
    ticket: Option<Ticket>,
    next: Timestamp,
    good_since: Option<Timestamp>,
    /// It was good at least once: from then on patience counts, before it the time.
    was_good: bool,
    /// Bad ones in a row.
    bad: u32,
    away_since: Option<Timestamp>,
}

/// What a look told.
enum Told {
    Good {
        value: Option<f64>,
        words: Arc<str>,
    },
    Bad(Arc<str>),
    /// The engine could not be asked.
    Away(Arc<str>),
}

impl Machine {
    pub(super) fn begin_look(&mut self, now: Timestamp, work: &Work, action: Action) {
        let Work::Await(Gate::Reading { every, within, hold, patience, .. }) = work else { return };
        self.doing = Doing::Look(Box::new(Look {
            action,
            every: *every,
            within: *within,
            hold: *hold,
            patience: (*patience).max(1),
            began: now,
            ticket: None,
            next: now,
            good_since: None,
            was_good: false,
            bad: 0,
            away_since: None,
        }));
        self.look(now);
    }

    /// Looks when it is time to; what had held before must stay well meanwhile.
    pub(super) fn look(&mut self, now: Timestamp) {
        let lost = match (&self.last, &self.phase) {
            (Some(snapshot), Phase::Running(_)) => gate::lost(&self.held, snapshot, &self.plan.names),
            _ => None,
        };
        if let Some(why) = lost {
            self.finished(now, Err(Fault { why, uncertain: false }));
            return;
        }
        let Doing::Look(look) = &self.doing else { return };
        if look.ticket.is_some() || now < look.next {
            return;
        }
        let ticket = self.ticket();
        let Doing::Look(look) = &mut self.doing else { return };
        look.ticket = Some(ticket);
        self.out.push(Effect::Execute(ticket, look.action.clone()));
    }

    /// Whether `ticket` is the look under way.
    pub(super) fn looks(&self, ticket: Ticket) -> bool {
        matches!(&self.doing, Doing::Look(look) if look.ticket == Some(ticket))
    }

    pub(super) fn looked(&mut self, now: Timestamp, result: Result<Accepted, EngineError>) {
        let told = told(result);
        self.keep(&told);
        let Doing::Look(look) = &mut self.doing else { return };
        look.ticket = None;
        look.next = now.checked_add(look.every).unwrap_or(now);
        let (words, failed) = match told {
            Told::Good { words, .. } => {
                look.bad = 0;
                look.was_good = true;
                look.away_since = None;
                let since = *look.good_since.get_or_insert(now);
                let held = elapsed(now, since);
                if held >= look.hold {
                    self.say(words);
                    self.finished(now, Ok(()));
                    return;
                }
                let left = words::seconds(Duration::from_secs(look.hold.saturating_sub(held).as_secs().max(1)));
                (format!("{words}, holding {left} more").into(), None)
            }
            Told::Away(why) => {
                let away = elapsed(now, *look.away_since.get_or_insert(now));
                (why.clone(), (away >= AWAY).then_some(why))
            }
            Told::Bad(why) => {
                look.good_since = None;
                look.bad += 1;
                let waited = elapsed(now, look.began);
                let (over, note) = if look.was_good {
                    (look.bad >= look.patience, format!("{} of {}", look.bad, look.patience))
                } else {
                    (waited >= look.within, format!("{} of {}", waited.as_secs(), words::seconds(look.within)))
                };
                (format!("{why} ({note})").into(), over.then_some(why))
            }
        };
        self.say(words);
        if let Some(why) = failed {
            self.finished(now, Err(Fault { why, uncertain: false }));
        }
    }

    /// Keeps a figure for the screen.
    fn keep(&mut self, told: &Told) {
        if let (Phase::Running(index), Told::Good { value: Some(value), .. }) = (&self.phase, told) {
            let readings = &mut self.progress[*index].readings;
            if readings.len() == READINGS {
                readings.remove(0);
            }
            readings.push(*value);
        }
    }
}

fn told(result: Result<Accepted, EngineError>) -> Told {
    match result {
        Ok(Accepted::Reading { value, words }) => Told::Good { value, words },
        Ok(Accepted::Output(output)) if output.code == 0 => {
            let words = output.last_line();
            Told::Good { value: None, words: if words.is_empty() { "ended with 0".into() } else { words.into() } }
        }
        Ok(Accepted::Output(output)) => Told::Bad(output.failure()),
        Ok(Accepted::Done | Accepted::AlreadySo | Accepted::Made(_) | Accepted::Image { .. } | Accepted::Load(_)) => {
            Told::Good { value: None, words: "good".into() }
        }
        Err(error @ EngineError::Unreachable { .. }) => Told::Away(error.to_string().into()),
        Err(error) => Told::Bad(error.to_string().into()),
    }
}
