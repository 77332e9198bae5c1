//! Autoscaling of workloads whose engine has none: policies over measured figures that recommend, or act.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::model::WorkloadId;

/// When a workload gets more or fewer replicas.
#[derive(Clone, Debug, PartialEq)]
pub struct Autoscale {
    pub workload: WorkloadId,
    /// A figure by name: `cpu`, `memory`, `error_rate`, `p95`, a scraped family, an expression of Prometheus.
    pub metric: Arc<str>,
    /// More replicas above this.
    pub above: Option<f64>,
    /// Fewer below this.
    pub below: Option<f64>,
    /// It must hold so long.
    pub during: Duration,
    /// Replicas more or fewer at a time.
    pub step: u32,
    pub min: u32,
    pub max: u32,
    /// Nothing follows an adjustment for so long.
    pub cooldown: Duration,
    pub mode: Mode,
}

/// Whether a policy says or does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    #[default]
    Recommend,
    Act,
}

impl Mode {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Recommend => "recommend",
            Self::Act => "act",
        }
    }
}

/// What watches one workload by one policy: pure, told the time and the figure.
#[derive(Clone, Debug, PartialEq)]
pub struct Scaler {
    pub policy: Autoscale,
    /// The last figure and when it was read.
    pub reading: Option<(Timestamp, f64)>,
    /// Why there is none.
    pub trouble: Option<Arc<str>>,
    /// On which side of its bounds the figure is, and since when.
    past: Option<(Side, Timestamp)>,
    /// When the number of replicas last changed, by whomever.
    changed: Option<Timestamp>,
    replicas: Option<u32>,
    /// What was said last: it is not said again while nothing is new.
    said: Option<Arc<str>>,
}

/// Where a figure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Above,
    Below,
}

/// What is around the workload now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Around<'a> {
    /// Replicas wanted now.
    pub replicas: u32,
    /// Why nothing may be changed now: a lock, an operation under way.
    pub held: Option<&'a str>,
}

/// What a policy comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    pub from: u32,
    pub to: u32,
    /// With its numbers: `cpu 0.84 > 0.8 for 60 s: 2 → 3`.
    pub why: Arc<str>,
    /// Something stands in the way: it is only told.
    pub held: Option<Arc<str>>,
}

impl Scaler {
    /// A policy that has seen nothing yet.
    #[must_use]
    pub fn new(policy: Autoscale) -> Self {
        Self { policy, reading: None, trouble: None, past: None, changed: None, replicas: None, said: None }
    }

    /// Takes a reading, or why there is none, and decides. The same decision is told once, until something is new.
    pub fn read(&mut self, now: Timestamp, value: Result<f64, Arc<str>>, around: Around<'_>) -> Option<Decision> {
        if self.replicas.replace(around.replicas).is_some_and(|before| before != around.replicas) {
            // Whoever changed it: the figure needs time to follow.
            self.changed = Some(now);
            self.past = None;
            self.said = None;
        }
        let value = match value {
            Ok(value) if value.is_finite() => value,
            Ok(value) => return self.without(format!("{} is {value}", self.policy.metric).into()),
            Err(why) => return self.without(why),
        };
        self.trouble = None;
        self.reading = Some((now, value));
        let side = self.side(value, around.replicas);
        let Some(side) = side else {
            self.past = None;
            self.said = None;
            return None;
        };
        let since = match self.past {
            Some((before, since)) if before == side => since,
            Some(_) | None => now,
        };
        self.past = Some((side, since));
        let lasting = elapsed(now, since);
        let resting = self.changed.is_some_and(|at| elapsed(now, at) < self.policy.cooldown);
        if lasting < self.policy.during || resting {
            return None;
        }
        self.decide(side, value, around)
    }

    /// Nothing is decided on what is not known, and time without figures counts for nothing.
    fn without(&mut self, why: Arc<str>) -> Option<Decision> {
        self.reading = None;
        self.past = None;
        self.trouble = Some(why);
        None
    }

    /// The side of the figure that calls for a change. Too many or too few replicas call by themselves.
    fn side(&self, value: f64, replicas: u32) -> Option<Side> {
        let policy = &self.policy;
        if replicas < policy.min || (policy.above.is_some_and(|bound| value > bound) && replicas < policy.max) {
            return Some(Side::Above);
        }
        if replicas > policy.max {
            return Some(Side::Below);
        }
        let fewer = replicas.saturating_sub(policy.step).max(policy.min).max(1);
        // The rest would carry it all: were that too much at once, it would only go up again.
        let carried = value * f64::from(replicas) / f64::from(fewer);
        let below = policy.below.is_some_and(|bound| value < bound) && policy.above.is_none_or(|bound| carried < bound);
        (below && replicas > policy.min).then_some(Side::Below)
    }

    fn decide(&mut self, side: Side, value: f64, around: Around<'_>) -> Option<Decision> {
        let policy = &self.policy;
        let from = around.replicas;
        let to = match side {
            Side::Above => from.saturating_add(policy.step),
            Side::Below => from.saturating_sub(policy.step),
        }
        .clamp(policy.min, policy.max);
        if to == from {
            return None;
        }
        let (metric, seconds) = (&policy.metric, policy.during.as_secs());
        let why: Arc<str> = match (side, policy.above, policy.below) {
            _ if from < policy.min => format!("at least {} are wanted: {from} → {to}", policy.min),
            _ if from > policy.max => format!("at most {} are wanted: {from} → {to}", policy.max),
            (Side::Above, Some(bound), _) => format!("{metric} {value:.2} > {bound} for {seconds} s: {from} → {to}"),
            (Side::Below, _, Some(bound)) => format!("{metric} {value:.2} < {bound} for {seconds} s: {from} → {to}"),
            (Side::Above | Side::Below, _, _) => return None,
        }
        .into();
        let held: Option<Arc<str>> = around.held.map(Into::into);
        // The figure moves all the time; what is told anew is another number, or that the way is free.
        let gist: Arc<str> = format!("{from}{to}{}", held.as_deref().unwrap_or_default()).into();
        if self.said.as_ref() == Some(&gist) {
            return None;
        }
        self.said = Some(gist);
        if held.is_none() && self.policy.mode == Mode::Act {
            self.changed = Some(self.reading.map_or(Timestamp::UNIX_EPOCH, |(at, _)| at));
        }
        Some(Decision { from, to, why, held })
    }

    /// An adjustment that was decided could not be begun: it is decided again when it still holds.
    pub fn not_done(&mut self) {
        self.said = None;
        self.changed = None;
    }

    /// In a few words, for a list: `cpu 0.84, 2 to 10`.
    #[must_use]
    pub fn words(&self) -> String {
        let Autoscale { metric, min, max, mode, .. } = &self.policy;
        let value = match (&self.reading, &self.trouble) {
            (Some((_, value)), _) => format!("{value:.2}"),
            (None, Some(why)) => format!("unknown ({why})"),
            (None, None) => "–".to_owned(),
        };
        format!("{metric} {value}, {min} to {max} ({})", mode.word())
    }
}

/// The time from `since` to `now`; nothing when the clock went back.
fn elapsed(now: Timestamp, since: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(since)).unwrap_or_default()
}

#[cfg(test)]
mod tests;
