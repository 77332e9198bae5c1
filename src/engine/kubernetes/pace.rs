//! How often and how patiently a cluster is asked.

use std::time::Duration;

use jiff::Timestamp;

/// Between two signs of life asked for, and how long one may take: a hang is noticed within three seconds.
pub const PING_EVERY: Duration = Duration::from_millis(1250);
pub const PING_WITHIN: Duration = Duration::from_millis(1500);
/// While the server is lost it is asked this often: its return is noticed within two seconds.
pub const PING_LOST: Duration = Duration::from_millis(900);
/// What comes within this time is shown together.
pub const DEBOUNCE: Duration = Duration::from_millis(150);
/// The first pause after a failure, and the longest.
const FIRST: Duration = Duration::from_millis(150);
const LONGEST: Duration = Duration::from_secs(10);

/// Growing pauses between attempts, spread so that many consoles do not knock at once.
#[derive(Debug, Default)]
pub struct Backoff {
    attempts: u32,
}

impl Backoff {
    /// The pause before the next attempt.
    pub fn next(&mut self) -> Duration {
        let noise = Timestamp::now().subsec_nanosecond().unsigned_abs() / 1000 % 100;
        self.after(noise)
    }

    fn after(&mut self, noise: u32) -> Duration {
        let base = FIRST.saturating_mul(1 << self.attempts.min(12)).min(LONGEST);
        self.attempts = self.attempts.saturating_add(1);
        base.mul_f64(0.75 + f64::from(noise % 100) / 200.0)
    }

    /// An attempt went well.
    pub fn reset(&mut self) {
        self.attempts = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_the_longest_and_begin_anew() {
        let mut backoff = Backoff::default();
        let pauses: Vec<u128> = (0..10).map(|_| backoff.after(50).as_millis()).collect();
        assert_eq!(pauses, [150, 300, 600, 1200, 2400, 4800, 9600, 10000, 10000, 10000]);
        backoff.reset();
        assert_eq!(backoff.after(0).as_millis(), 112);
        assert!(PING_EVERY + PING_WITHIN < Duration::from_secs(3));
    }
}
