//! A moment of the demo world: what time it is there, how busy the day is, and how fast it goes.

use jiff::{SignedDuration, Timestamp};

/// One moment, as everything in the world sees it.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    pub now: Timestamp,
    /// How many seconds of the world's life pass in one second of the clock.
    pub pace: f64,
    /// How busy the day is, from about 0.2 at night to 1.
    pub load: f64,
    /// Seconds of the world's life since the moment before.
    pub passed: f64,
}

impl Moment {
    /// Seconds of the world's life since `then`.
    #[must_use]
    pub fn since(&self, then: Timestamp) -> f64 {
        self.now.duration_since(then).as_secs_f64() * self.pace
    }

    /// When so many seconds of the world's life will have passed.
    #[must_use]
    pub fn later(&self, seconds: f64) -> Timestamp {
        shift(self.now, seconds / self.pace)
    }
}

/// `seconds` after `at`, or before it where they are negative; `at` itself beyond the end of time.
#[must_use]
pub fn shift(at: Timestamp, seconds: f64) -> Timestamp {
    SignedDuration::try_from_secs_f64(seconds).ok().and_then(|by| at.checked_add(by).ok()).unwrap_or(at)
}

/// How busy the day is at this time: quiet at four in the morning UTC, a dip at noon, busiest in the afternoon.
#[must_use]
pub fn load(at: Timestamp) -> f64 {
    let hour = at.as_second().rem_euclid(86_400) as f64 / 3600.0;
    let day = 0.5 - 0.5 * ((hour - 4.0) / 24.0 * std::f64::consts::TAU).cos();
    let noon = 0.14 * (-((hour - 12.0) / 0.9).powi(2)).exp();
    (0.2 + 0.8 * day.powf(1.3) - noon).clamp(0.15, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_day_has_a_rhythm() {
        let at = |hour: i64| load(Timestamp::from_second(20_000 * 86_400 + hour * 3600).unwrap());
        assert!(at(4) < 0.25, "the night is quiet: {}", at(4));
        assert!(at(16) > 0.95, "the afternoon is busy: {}", at(16));
        assert!(at(12) < at(10) + 0.2 && at(12) < at(14), "lunch is taken");
        for hour in 0..24 {
            assert!((0.15..=1.0).contains(&at(hour)));
        }
    }

    #[test]
    fn a_faster_world_lives_more_in_a_second() {
        let now = Timestamp::from_second(1_000).unwrap();
        let moment = Moment { now, pace: 4.0, load: 0.5, passed: 1.0 };
        assert!((moment.since(shift(now, -2.0)) - 8.0).abs() < 1e-9);
        assert_eq!(moment.later(8.0), shift(now, 2.0));
    }
}
