//! One probe at one place: its health by thresholds, the strip of its last looks, and how long they took.

use std::collections::VecDeque;
use std::time::Duration;

use jiff::Timestamp;

use crate::model::{Health, ProbeSpec};

use super::watch::Outcome;

/// Looks kept of one probe at one place: twenty minutes at one every ten seconds, about 5 KiB.
pub const STRIP: usize = 120;

/// How a look went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    Good,
    /// It answered as it should, but later than is wanted.
    Late,
    Failed,
}

impl Mark {
    /// How this look went.
    #[must_use]
    pub fn of(outcome: &Outcome) -> Self {
        match (outcome.ok, outcome.slow) {
            (false, _) => Self::Failed,
            (true, true) => Self::Late,
            (true, false) => Self::Good,
        }
    }
}

/// One look, as the strip keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    pub at: Timestamp,
    pub mark: Mark,
    /// `None` when nothing came back.
    pub latency: Option<Duration>,
}

/// What is known of one probe at one place.
#[derive(Clone, Debug)]
pub struct Standing {
    /// `Unknown` until enough looks agree, then `Healthy`, `Degraded` (it answers late) or `Unhealthy`.
    pub health: Health,
    /// The first of the looks that made it so.
    pub since: Option<Timestamp>,
    /// The last look, whole.
    pub last: Option<Outcome>,
    failures: u32,
    successes: u32,
    strip: VecDeque<Look>,
    failed: Run,
    late: Run,
    good: Run,
    /// Good or late.
    answered: Run,
}

/// Looks in a row that went alike.
#[derive(Clone, Copy, Debug, Default)]
struct Run {
    count: u32,
    began: Option<Timestamp>,
}

impl Run {
    fn take(&mut self, alike: bool, at: Timestamp) {
        if alike {
            self.count = self.count.saturating_add(1);
            self.began.get_or_insert(at);
        } else {
            *self = Self::default();
        }
    }

    fn has(self, least: u32) -> bool {
        self.count >= least.max(1)
    }
}

impl Standing {
    /// Nothing is known yet. So many failures in a row make it unhealthy, so many successes well again.
    #[must_use]
    pub fn new(failures: u32, successes: u32) -> Self {
        Self {
            health: Health::Unknown,
            since: None,
            last: None,
            failures,
            successes,
            strip: VecDeque::new(),
            failed: Run::default(),
            late: Run::default(),
            good: Run::default(),
            answered: Run::default(),
        }
    }

    /// Nothing is known yet of this probe.
    #[must_use]
    pub fn of(probe: &ProbeSpec) -> Self {
        Self::new(probe.failures, probe.successes)
    }

    /// Takes in a look; answers the health before when this look has changed it. A look that is not newer than the last
    /// is left out.
    pub fn record(&mut self, outcome: Outcome) -> Option<Health> {
        let at = outcome.at;
        if self.last.as_ref().is_some_and(|last| last.at >= at) {
            return None;
        }
        let mark = Mark::of(&outcome);
        if self.strip.len() == STRIP {
            self.strip.pop_front();
        }
        self.strip.push_back(Look { at, mark, latency: outcome.latency });
        self.last = Some(outcome);
        self.failed.take(mark == Mark::Failed, at);
        self.late.take(mark == Mark::Late, at);
        self.good.take(mark == Mark::Good, at);
        self.answered.take(mark != Mark::Failed, at);
        let (health, run) = self.decide(mark)?;
        self.since = run.began;
        Some(std::mem::replace(&mut self.health, health))
    }

    /// What the looks in a row make of it, and which of them; nothing when it stays as it is.
    fn decide(&self, mark: Mark) -> Option<(Health, Run)> {
        let answers = match mark {
            Mark::Late => Health::Degraded,
            Mark::Good | Mark::Failed => Health::Healthy,
        };
        let (health, run) = match self.health {
            _ if self.failed.has(self.failures) => (Health::Unhealthy, self.failed),
            Health::Unhealthy | Health::Unknown | Health::Starting | Health::Stopped if self.answered.has(self.successes) => {
                (answers, self.answered)
            }
            Health::Healthy if self.late.has(self.failures) => (Health::Degraded, self.late),
            Health::Degraded if self.good.has(self.successes) => (Health::Healthy, self.good),
            Health::Healthy | Health::Degraded | Health::Unhealthy | Health::Unknown | Health::Starting | Health::Stopped => {
                return None;
            }
        };
        (health != self.health).then_some((health, run))
    }

    /// The last looks, oldest first; at most [`STRIP`].
    #[must_use]
    pub fn strip(&self) -> impl ExactSizeIterator<Item = &Look> + DoubleEndedIterator {
        self.strip.iter()
    }

    /// How many looks in a row have failed by now.
    #[must_use]
    pub fn failed_in_a_row(&self) -> u32 {
        self.failed.count
    }

    /// So long at most took that part (0 to 1) of the strip's answers: the nearest rank, of those that came.
    #[must_use]
    pub fn latency(&self, part: f64) -> Option<Duration> {
        let mut all: Vec<Duration> =
            self.strip.iter().filter(|look| look.mark != Mark::Failed).filter_map(|look| look.latency).collect();
        all.sort_unstable();
        // At most 120: far from where a float gets coarse.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rank within the strip")]
        let rank = (part.clamp(0.0, 1.0) * all.len() as f64).ceil() as usize;
        all.get(rank.max(1) - 1).copied()
    }
}

#[cfg(test)]
#[path = "probe_tests.rs"]
mod tests;
