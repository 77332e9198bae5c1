//! Load tests as data: what is sent when, what came of it, and when enough is enough. [`crate::probe::load()`] does it.
//!
//! Two models. **Closed**: so many users, each asking again (after a pause for thought) once it was answered; a server that
//! stalls is asked less. **Open**: so many requests a second, whatever comes back, over at most so many connections.

mod ledger;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use ledger::{Failed, Ledger, Tally};

/// The most users, requests a second, and the longest a test may run.
pub const MAX_USERS: u32 = 5_000;
pub const MAX_RATE: u32 = 20_000;
pub const MAX_DURATION: Duration = Duration::from_secs(3600);
/// An answer may take so long at most: where latencies end.
pub const MAX_TIMEOUT: Duration = Duration::from_secs(60);

/// How much is sent, and for how long.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shape {
    /// Closed: people at it at the same time. Open: connections, at most.
    pub users: u32,
    /// Requests a second, whatever comes back; `None`: each user asks again once it was answered.
    #[serde(default)]
    pub rate: Option<u32>,
    /// From the first request to the last, the ramp included.
    pub duration: Duration,
    /// Over how long users come in, or the rate grows from nothing, evenly.
    pub ramp: Duration,
    /// Closed: the pause of a user between an answer and the next request.
    pub think: Duration,
    /// How long an answer may take before it counts as failed.
    pub timeout: Duration,
}

impl Default for Shape {
    fn default() -> Self {
        Self {
            users: 10,
            rate: None,
            duration: Duration::from_secs(30),
            ramp: Duration::ZERO,
            think: Duration::ZERO,
            timeout: Duration::from_secs(10),
        }
    }
}

/// A test by name: so many concurrent users, who come in over a while and think a second between two requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scenario {
    pub name: &'static str,
    pub users: u32,
    pub ramp: Duration,
    pub duration: Duration,
}

const fn scenario(name: &'static str, users: u32, ramp: u64, duration: u64) -> Scenario {
    Scenario { name, users, ramp: Duration::from_secs(ramp), duration: Duration::from_secs(duration) }
}

/// The tests there are by name.
pub const SCENARIOS: [Scenario; 4] =
    [scenario("100", 100, 5, 30), scenario("500", 500, 10, 60), scenario("1000", 1000, 20, 60), scenario("2000", 2000, 30, 120)];

impl Scenario {
    /// The scenario of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        SCENARIOS.into_iter().find(|scenario| scenario.name == name)
    }

    /// What it sends.
    #[must_use]
    pub fn shape(self) -> Shape {
        let think = Duration::from_secs(1);
        Shape { users: self.users, ramp: self.ramp, duration: self.duration, think, ..Shape::default() }
    }
}

impl Shape {
    /// Whether it is within what is ever allowed.
    ///
    /// # Errors
    /// A sentence that names the bound.
    pub fn check(&self) -> Result<(), String> {
        if self.users == 0 || self.rate == Some(0) || self.duration.is_zero() {
            return Err("it needs at least one user, one request a second and some time".to_owned());
        }
        if self.users > MAX_USERS {
            return Err(format!("at most {MAX_USERS} users, {} are wanted", self.users));
        }
        if let Some(rate) = self.rate.filter(|rate| *rate > MAX_RATE) {
            return Err(format!("at most {MAX_RATE} requests a second, {rate} are wanted"));
        }
        if self.duration > MAX_DURATION {
            return Err(format!("at most {}, {} are wanted", span(MAX_DURATION), span(self.duration)));
        }
        if self.ramp > self.duration {
            return Err(format!("the ramp ({}) is longer than all of it ({})", span(self.ramp), span(self.duration)));
        }
        if self.timeout.is_zero() || self.timeout > MAX_TIMEOUT {
            return Err(format!("an answer may take at most {}", span(MAX_TIMEOUT)));
        }
        Ok(())
    }

    /// When user `n` (from 0) comes in, after the beginning.
    #[must_use]
    pub fn begins(&self, n: u32) -> Duration {
        self.ramp.mul_f64(f64::from(n) / f64::from(self.users.max(1)))
    }

    /// Open: when request `n` (from 0) is due, after the beginning. Over the ramp the rate grows evenly, so that by time `t`
    /// of it `rate·t²/(2·ramp)` requests are due.
    #[must_use]
    pub fn due(&self, n: u64) -> Duration {
        let rate = f64::from(self.rate.unwrap_or(1).max(1));
        let (ramp, n) = (self.ramp.as_secs_f64(), n as f64);
        let during = rate * ramp / 2.0;
        let seconds = if n < during { (2.0 * ramp * n / rate).sqrt() } else { ramp + (n - during) / rate };
        Duration::from_secs_f64(seconds)
    }

    /// Open: how many requests are due in all.
    #[must_use]
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "bounded by the largest rate and the longest test"
    )]
    pub fn requests(&self) -> u64 {
        let rate = f64::from(self.rate.unwrap_or(0));
        (rate * (self.duration.as_secs_f64() - self.ramp.as_secs_f64() / 2.0)).max(0.0).ceil() as u64
    }

    /// `100 users for 30 s, 5 s of them ramp`.
    #[must_use]
    pub fn words(&self) -> String {
        let mut words = match self.rate {
            Some(rate) => format!("{rate} requests a second over at most {} connections", self.users),
            None if self.users == 1 => "1 user".to_owned(),
            None => format!("{} users", self.users),
        };
        let _ = write!(words, " for {}", span(self.duration));
        if !self.ramp.is_zero() {
            let _ = write!(words, ", {} of it ramp", span(self.ramp));
        }
        if !self.think.is_zero() && self.rate.is_none() {
            let _ = write!(words, ", thinking {} between requests", span(self.think));
        }
        words
    }
}

/// What is sent where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Load {
    /// GET of this address; redirects are not followed.
    pub url: Arc<str>,
    pub shape: Shape,
    /// It ends by itself when more than so many percent of the requests of five seconds fail.
    pub abort_percent: u8,
}

/// Latencies, microseconds: from when a request was due to when its answer was there whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quantiles {
    pub mean_us: u64,
    pub p50_us: u64,
    pub p90_us: u64,
    pub p95_us: u64,
    pub p99_us: u64,
    pub p999_us: u64,
    pub max_us: u64,
}

/// Why a test is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// Its time is up.
    Done,
    /// A person stopped it.
    Stopped,
    /// Too many requests failed.
    Failing,
}

/// What has come of a test so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figures {
    pub elapsed_ms: u64,
    /// Requests that were sent, answered well, and failed.
    pub sent: u64,
    pub answered: u64,
    pub failed: u64,
    /// Sent and neither answered nor failed yet; at the end, given up.
    pub in_flight: u64,
    /// Open: due by now and not sent, because every connection waited for an answer.
    pub late: u64,
    /// Connections opened, those opened anew included.
    pub connections: u64,
    /// Bytes of the answers' bodies.
    pub bytes: u64,
    /// Answered and failed in the last second; at the end, a second on average.
    pub per_second: u64,
    /// Failures by kind: `status 503`, `no answer in time`; the rarest of many together.
    pub failures: BTreeMap<Arc<str>, u64>,
    /// Corrected for coordinated omission: waiting that a stalled server kept from being measured is put back in.
    pub latency: Quantiles,
    /// As measured: from when each request was sent.
    pub uncorrected: Quantiles,
    /// Of the last second alone, as measured from when requests were due.
    pub now: Quantiles,
    pub end: Option<End>,
}

impl Figures {
    /// Failed, per cent of what is over.
    #[must_use]
    pub fn failed_percent(&self) -> f64 {
        let over = self.answered + self.failed;
        if over == 0 { 0.0 } else { self.failed as f64 * 100.0 / over as f64 }
    }

    /// Everything in a line: `1,204 answered, 0.3 % failed, 412/s, p50 3.1 ms, p95 9.0 ms, p99 41 ms`.
    #[must_use]
    pub fn words(&self) -> String {
        let mut words = format!("{} answered", grouped(self.answered));
        if self.failed > 0 {
            let _ = write!(words, ", {} failed ({:.1} %)", grouped(self.failed), self.failed_percent());
        }
        let _ = write!(words, ", {}/s", grouped(self.per_second));
        for (name, us) in [("p50", self.latency.p50_us), ("p95", self.latency.p95_us), ("p99", self.latency.p99_us)] {
            let _ = write!(words, ", {name} {}", latency(us));
        }
        words
    }

    /// Everything, one line each: what was sent, how fast, latencies corrected and as measured, failures by kind.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let mut counts = format!("{} sent, {} answered", grouped(self.sent), grouped(self.answered));
        let _ = write!(counts, ", {} failed ({:.1} %)", grouped(self.failed), self.failed_percent());
        for (many, what) in [(self.late, "due and not sent"), (self.in_flight, "waited for")] {
            if many > 0 {
                let _ = write!(counts, ", {} {what}", grouped(many));
            }
        }
        let rate = format!("{}/s", grouped(self.per_second));
        let kept = format!("{} connections, {} KiB", grouped(self.connections), grouped(self.bytes.div_ceil(1024)));
        let mut lines = vec![format!("requests     {counts}"), format!("rate         {rate}, {kept}")];
        let names = ["mean", "p50", "p90", "p95", "p99", "p99.9", "max"];
        lines.push(format!("             {}", names.map(|name| format!("{name:>8}")).join(" ")));
        for (name, of) in [("latency", &self.latency), ("uncorrected", &self.uncorrected)] {
            let all = [of.mean_us, of.p50_us, of.p90_us, of.p95_us, of.p99_us, of.p999_us, of.max_us];
            lines.push(format!("{name:<12} {}", all.map(|us| format!("{:>8}", latency(us))).join(" ")));
        }
        if !self.failures.is_empty() {
            let kinds = self.failures.iter().map(|(kind, many)| format!("{} {kind}", grouped(*many)));
            lines.push(format!("failures     {}", kinds.collect::<Vec<_>>().join(", ")));
        }
        lines
    }

    /// Why it did not run to its end as it should, if so.
    #[must_use]
    pub fn failure(&self) -> Option<String> {
        match self.end {
            Some(End::Failing) => {
                let most = self.failures.iter().max_by_key(|(_, count)| **count).map(|(kind, _)| format!(", most by {kind}"));
                Some(format!("ended early: {:.0} % of the requests failed{}", self.failed_percent(), most.unwrap_or_default()))
            }
            Some(End::Done | End::Stopped) | None => None,
        }
    }
}

/// `820 µs`, `3.1 ms`, `1.24 s`.
#[must_use]
pub fn latency(us: u64) -> String {
    let value = us as f64;
    match us {
        0..1_000 => format!("{us} µs"),
        1_000..10_000 => format!("{:.1} ms", value / 1e3),
        10_000..1_000_000 => format!("{:.0} ms", value / 1e3),
        _ => format!("{:.2} s", value / 1e6),
    }
}

/// `12,345`.
#[must_use]
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `90 s`, `1.5 s`, `2 min`.
#[must_use]
pub fn span(span: Duration) -> String {
    let (seconds, rest) = (span.as_secs(), span.subsec_millis());
    match (seconds, rest) {
        (60.., 0) if seconds.is_multiple_of(60) => format!("{} min", seconds / 60),
        (_, 0) => format!("{seconds} s"),
        (0, _) => format!("{rest} ms"),
        (_, _) => format!("{:.1} s", span.as_secs_f64()),
    }
}

#[cfg(test)]
mod tests;
