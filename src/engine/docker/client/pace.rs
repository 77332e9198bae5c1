//! How often, how long and how patiently: the intervals of an endpoint, in one place so that tests can shorten them.

use std::time::Duration;

/// Intervals. A hang is noticed after `ping_every + ping_timeout` at the latest, the engine's return after
/// `retry_cap` and a fifth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Between two signs of life asked for.
    pub ping_every: Duration,
    /// After this long without an answer the engine counts as gone.
    pub ping_timeout: Duration,
    /// The first pause after a failure; doubled up to the cap.
    pub retry_first: Duration,
    pub retry_cap: Duration,
    /// The cap while the trouble needs a person (a permission, a certificate).
    pub retry_hopeless: Duration,
    /// Events that come within this time are answered by one list.
    pub debounce: Duration,
    /// The list is asked for at least this often, in case an event was missed.
    pub resync: Duration,
    /// Between two looks at containers that are not well: their health log grows without an event.
    pub look_again: Duration,
    /// Between two looks at a Swarm whose tasks move: they do so without events.
    pub swarm_moving: Duration,
    /// Between two looks at a Swarm of several nodes where nothing moves.
    pub swarm_idle: Duration,
    /// Between two looks at a Swarm that does not answer.
    pub swarm_lost: Duration,
    /// Log lines are handed over at least this often.
    pub log_flush: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            ping_every: Duration::from_millis(1250),
            ping_timeout: Duration::from_millis(1500),
            retry_first: Duration::from_millis(200),
            retry_cap: Duration::from_secs(1),
            retry_hopeless: Duration::from_secs(4),
            debounce: Duration::from_millis(150),
            resync: Duration::from_secs(60),
            look_again: Duration::from_secs(15),
            swarm_moving: Duration::from_secs(1),
            swarm_idle: Duration::from_secs(15),
            swarm_lost: Duration::from_secs(5),
            log_flush: Duration::from_millis(60),
        }
    }
}

impl Pace {
    /// The longest pause between two attempts.
    #[must_use]
    pub fn cap(&self, hopeless: bool) -> Duration {
        if hopeless { self.retry_hopeless } else { self.retry_cap }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hang_is_noticed_within_three_seconds_and_the_return_within_two() {
        let pace = Pace::default();
        assert!(pace.ping_every + pace.ping_timeout < Duration::from_secs(3));
        assert!(pace.cap(false).mul_f64(1.1) + pace.debounce < Duration::from_millis(1500));
    }
}
