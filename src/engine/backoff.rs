//! Growing pauses between attempts, spread so that many consoles do not knock at once.

use std::time::Duration;

/// How many attempts have failed in a row.
#[derive(Debug, Default)]
pub struct Backoff {
    attempts: u32,
}

impl Backoff {
    /// The pause before the next attempt: the first, doubled each time up to the cap. `noise` is any number.
    pub fn next(&mut self, first: Duration, cap: Duration, noise: u32) -> Duration {
        let base = first.saturating_mul(1 << self.attempts.min(16)).min(cap);
        self.attempts = self.attempts.saturating_add(1);
        base.mul_f64(0.9 + f64::from(noise % 100) / 500.0)
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
    fn pauses_grow_to_the_cap_and_begin_anew() {
        let (first, cap) = (Duration::from_millis(200), Duration::from_secs(1));
        let mut backoff = Backoff::default();
        let pauses: Vec<u128> = (0..5).map(|_| backoff.next(first, cap, 50).as_millis()).collect();
        assert_eq!(pauses, [200, 400, 800, 1000, 1000]);
        backoff.reset();
        assert_eq!(backoff.next(first, cap, 0).as_millis(), 180);
        for _ in 0..70 {
            assert!(backoff.next(first, Duration::from_secs(4), 99) <= Duration::from_millis(4400));
        }
    }
}
