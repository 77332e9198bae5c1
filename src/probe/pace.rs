//! The rhythm of what is done again and again: spread, so that a hundred of them do not do it at once, and never made up for
//! when it is late.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hasher as _};
use std::time::Duration;

use tokio::time::Instant;

/// The longest pause before the first turn.
const FIRST_WITHIN: Duration = Duration::from_secs(1);

/// When it is time for the next turn.
#[derive(Debug)]
pub(super) struct Pace {
    every: Duration,
    due: Instant,
}

impl Pace {
    /// A turn about `every` so often, the first one soon.
    pub(super) fn new(every: Duration) -> Self {
        Self { every, due: Instant::now() + every.min(FIRST_WITHIN).mul_f64(noise()) }
    }

    /// Waits until it is time. Given up while waiting, nothing is lost.
    pub(super) async fn turn(&mut self) {
        tokio::time::sleep_until(self.due).await;
        self.due = after(self.due, Instant::now(), self.every, noise());
    }
}

/// The turn after the one that was due then: an interval later, give or take a tenth of it; turns whose time has passed by
/// now are left out. `noise` is from 0 to 1.
fn after(due: Instant, now: Instant, every: Duration, noise: f64) -> Instant {
    let mut next = due + every.mul_f64(0.9 + 0.2 * noise);
    if next <= now {
        let missed = now.duration_since(next).as_nanos() / every.as_nanos().max(1);
        next += every.saturating_mul(u32::try_from(missed).unwrap_or(u32::MAX).saturating_add(1));
    }
    next
}

/// Any number from 0 to 1.
fn noise() -> f64 {
    f64::from(u16::try_from(RandomState::new().build_hasher().finish() >> 48).unwrap_or(u16::MAX)) / f64::from(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_keep_their_distance_and_are_not_made_up_for() {
        let due = Instant::now();
        let ms = Duration::from_millis;
        for (late, noise, expected) in [
            (0, 0.0, 9_000),
            (0, 0.5, 10_000),
            (0, 1.0, 11_000),
            (8_999, 0.0, 9_000),
            (9_000, 0.0, 19_000),
            (35_000, 0.5, 40_000),
            (3_600_000, 0.5, 3_610_000),
        ] {
            let next = after(due, due + ms(late), ms(10_000), noise);
            assert_eq!(next.duration_since(due), ms(expected), "{late} {noise}");
        }
        let some: Vec<f64> = (0..50).map(|_| super::noise()).collect();
        assert!(some.iter().all(|n| (0.0..=1.0).contains(n)) && some.iter().any(|n| (n - some[0]).abs() > 1e-9), "{some:?}");
    }
}
