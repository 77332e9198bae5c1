//! The books of a load test: what its users tell, added up; latencies in histograms of three digits, so that a test of any
//! length takes the same room.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use hdrhistogram::{CreationError, Histogram};

use super::{End, Figures, MAX_TIMEOUT, Quantiles, Shape};

/// Seconds that are looked at to tell whether too many requests fail.
const WINDOW: usize = 5;
/// Fewer requests than this in the window say nothing.
const ENOUGH: u64 = 20;
/// Kinds of failures kept apart.
const KINDS: usize = 32;
/// What the others are called.
const OTHERS: &str = "others";

/// Latencies from 1 µs to 60 s, to three digits: 145 KiB. Longer ones count as 60 s.
fn histogram() -> Result<Histogram<u64>, CreationError> {
    Histogram::new_with_bounds(1, u64::try_from(MAX_TIMEOUT.as_micros()).unwrap_or(60_000_000), 3)
}

/// What users have told since it was last looked at. One for several users: they take turns.
#[derive(Debug)]
pub struct Tally {
    /// From when a request was due.
    due: Histogram<u64>,
    /// From when it was sent.
    sent: Histogram<u64>,
    asked: u64,
    answered: u64,
    bytes: u64,
    connections: u64,
    failures: BTreeMap<Arc<str>, u64>,
}

impl Tally {
    /// An empty one.
    ///
    /// # Errors
    /// Never with the bounds it has; the library asks for them at run time.
    pub fn new() -> Result<Self, CreationError> {
        let (due, sent, failures) = (histogram()?, histogram()?, BTreeMap::new());
        Ok(Self { due, sent, asked: 0, answered: 0, bytes: 0, connections: 0, failures })
    }

    /// A request is sent.
    pub fn ask(&mut self) {
        self.asked += 1;
    }

    /// A connection is opened.
    pub fn connect(&mut self) {
        self.connections += 1;
    }

    /// It was answered or failed: how long after it was due, how long after it was sent, and the bytes of the answer or the
    /// kind of failure. A failure that was no answer at all says nothing about latencies, unless it was waited for.
    pub fn end(&mut self, since_due: Duration, since_sent: Duration, outcome: Result<u64, Failed>) {
        let measured = match &outcome {
            Ok(_) => true,
            Err(failed) => failed.waited,
        };
        if measured {
            self.due.saturating_record(micros(since_due));
            self.sent.saturating_record(micros(since_sent));
        }
        match outcome {
            Ok(bytes) => {
                self.answered += 1;
                self.bytes += bytes;
            }
            Err(failed) => {
                self.bytes += failed.bytes;
                count(&mut self.failures, failed.kind, 1);
            }
        }
    }
}

/// A request that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    pub kind: Arc<str>,
    /// It was answered badly, or waited for in vain: how long it took counts.
    pub waited: bool,
    pub bytes: u64,
}

fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX).max(1)
}

fn count(failures: &mut BTreeMap<Arc<str>, u64>, kind: Arc<str>, many: u64) {
    let known = failures.contains_key(&kind) || failures.len() < KINDS;
    *failures.entry(if known { kind } else { OTHERS.into() }).or_default() += many;
}

/// Everything a test has told so far.
#[derive(Debug)]
pub struct Ledger {
    shape: Shape,
    due: Histogram<u64>,
    sent: Histogram<u64>,
    /// Of the last second.
    now: Histogram<u64>,
    figures: Figures,
    /// What was over, and what of it had failed, at the last tick.
    before: (u64, u64),
    /// Of the last seconds: what was over, and what of it had failed.
    window: VecDeque<(u64, u64)>,
}

impl Ledger {
    /// Books of a test that begins.
    ///
    /// # Errors
    /// As [`Tally::new`].
    pub fn new(shape: &Shape) -> Result<Self, CreationError> {
        Ok(Self {
            shape: shape.clone(),
            due: histogram()?,
            sent: histogram()?,
            now: histogram()?,
            figures: Figures::default(),
            before: (0, 0),
            window: VecDeque::with_capacity(WINDOW + 1),
        })
    }

    /// Takes in what was told since the last time, and leaves the tally empty.
    pub fn add(&mut self, tally: &mut Tally) {
        for (all, new) in [(&mut self.now, &tally.due), (&mut self.due, &tally.due), (&mut self.sent, &tally.sent)] {
            // Histograms of the same bounds always add up.
            let _: Result<(), _> = all.add(new);
        }
        tally.due.reset();
        tally.sent.reset();
        let figures = &mut self.figures;
        figures.sent += std::mem::take(&mut tally.asked);
        figures.answered += std::mem::take(&mut tally.answered);
        figures.bytes += std::mem::take(&mut tally.bytes);
        figures.connections += std::mem::take(&mut tally.connections);
        for (kind, many) in std::mem::take(&mut tally.failures) {
            figures.failed += many;
            count(&mut figures.failures, kind, many);
        }
    }

    /// How it stands so long after the beginning. Called once a second, after everything told was added.
    pub fn tick(&mut self, elapsed: Duration) -> &Figures {
        let over = self.figures.answered + self.figures.failed;
        let (new, failed) = (over - self.before.0, self.figures.failed - self.before.1);
        self.before = (over, self.figures.failed);
        self.window.push_back((new, failed));
        if self.window.len() > WINDOW {
            self.window.pop_front();
        }
        let elapsed_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        let took = elapsed_ms.saturating_sub(self.figures.elapsed_ms).max(1);
        self.figures.per_second = new.saturating_mul(1000) / took;
        self.figures.elapsed_ms = elapsed_ms;
        self.figures.now = quantiles(&self.now);
        self.now.reset();
        self.stand(elapsed);
        &self.figures
    }

    fn stand(&mut self, elapsed: Duration) {
        let figures = &mut self.figures;
        figures.in_flight = figures.sent.saturating_sub(figures.answered + figures.failed);
        figures.late = match self.shape.rate {
            Some(_) => due_by(&self.shape, elapsed).saturating_sub(figures.sent),
            None => 0,
        };
        figures.uncorrected = quantiles(&self.sent);
        figures.latency = match self.shape.rate {
            // Measured from when each was due: nothing is left out.
            Some(_) => quantiles(&self.due),
            // A user who waits does not ask. What asking at the usual pace would have met meanwhile is put back in, as
            // HdrHistogram does it: for each answer that took longer than the pace, one shorter by it, and so on.
            None => quantiles(&self.sent.clone_correct(pace(&self.shape, &self.sent))),
        };
    }

    /// Whether so many of the last five seconds' requests failed that it must end.
    #[must_use]
    pub fn is_failing(&self, percent: u8) -> bool {
        let (over, failed) = self.window.iter().fold((0, 0), |(over, failed), (o, f)| (over + o, failed + f));
        self.window.len() >= WINDOW && over >= ENOUGH && failed * 100 > over * u64::from(percent)
    }

    /// How it stands at the end, once everything told was added.
    #[must_use]
    pub fn close(mut self, elapsed: Duration, end: End) -> Figures {
        self.tick(elapsed);
        let over = self.figures.answered + self.figures.failed;
        self.figures.per_second = over.saturating_mul(1000) / self.figures.elapsed_ms.max(1);
        self.figures.end = Some(end);
        self.figures
    }
}

/// Open: how many requests are due by then.
fn due_by(shape: &Shape, elapsed: Duration) -> u64 {
    let (rate, ramp) = (f64::from(shape.rate.unwrap_or(0)), shape.ramp.as_secs_f64());
    let at = elapsed.min(shape.duration).as_secs_f64();
    let due = if at < ramp { rate * at * at / (2.0 * ramp) } else { rate * (at - ramp / 2.0) };
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "bounded by the largest rate and the longest test"
    )]
    let due = due.max(0.0) as u64;
    due.min(shape.requests())
}

/// How often a user usually asks, microseconds: the median answer and the pause for thought.
fn pace(shape: &Shape, latencies: &Histogram<u64>) -> u64 {
    (latencies.value_at_quantile(0.5) + micros(shape.think)).max(1)
}

fn quantiles(of: &Histogram<u64>) -> Quantiles {
    if of.is_empty() {
        return Quantiles::default();
    }
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a mean of what is between 1 µs and 60 s")]
    let mean_us = of.mean().round() as u64;
    // The bound of a bucket may lie above everything in it.
    let at = |quantile: f64| of.value_at_quantile(quantile).min(of.max());
    Quantiles {
        mean_us,
        p50_us: at(0.5),
        p90_us: at(0.9),
        p95_us: at(0.95),
        p99_us: at(0.99),
        p999_us: at(0.999),
        max_us: of.max(),
    }
}
