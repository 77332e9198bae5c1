//! Chance that is the same every time: everything random in the demo world comes from its seed through here.

use std::fmt::Write as _;

/// A stream of pseudo-random numbers (splitmix64, public domain, Sebastiano Vigna).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dice(u64);

impl Dice {
    /// The stream that belongs to `what` in the world of this seed.
    #[must_use]
    pub fn of(seed: u64, what: &str) -> Self {
        Self(mix(seed ^ hash(what)))
    }

    /// The next number.
    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// From 0 to just under 1.
    pub fn unit(&mut self) -> f64 {
        (self.roll() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// From `low` to just under `high`.
    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// A whole number from 0 to just under `bound`; 0 where the bound is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        if bound == 0 { 0 } else { self.roll() % bound }
    }

    /// True in this share of cases.
    pub fn chance(&mut self, share: f64) -> bool {
        self.unit() < share
    }

    /// One of these; the default of the type where there is none.
    pub fn pick<T: Copy + Default>(&mut self, of: &[T]) -> T {
        let at = self.below(of.len() as u64);
        usize::try_from(at).ok().and_then(|at| of.get(at)).copied().unwrap_or_default()
    }

    /// How many of what happens `expected` times on average happen now.
    pub fn count(&mut self, expected: f64) -> u64 {
        whole(expected + self.unit())
    }
}

/// Scatters the bits of a number.
fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// FNV-1a.
#[must_use]
pub fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3))
}

/// `digits` hexadecimal digits that belong to `what`.
#[must_use]
pub fn hex(seed: u64, what: &str, digits: usize) -> String {
    let mut dice = Dice::of(seed, what);
    let mut text = String::with_capacity(digits + 16);
    while text.len() < digits {
        let _ = write!(text, "{:016x}", dice.roll());
    }
    text.truncate(digits);
    text
}

/// The content address of an image in this world: the same reference has the same one everywhere.
#[must_use]
pub fn digest(image: &str) -> String {
    format!("sha256:{}", hex(0, image, 64))
}

/// A smooth line through chance, from -1 to 1, that turns about once in `period` of `at`.
#[must_use]
pub fn noise(seed: u64, at: f64, period: f64) -> f64 {
    let x = at / period;
    let (cell, part) = (x.floor(), x - x.floor());
    let corner = |offset: f64| {
        let bits = mix(seed ^ (cell + offset).to_bits());
        (bits >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    };
    let smooth = part * part * (3.0 - 2.0 * part);
    corner(0.0) + (corner(1.0) - corner(0.0)) * smooth
}

/// The whole part of a figure; 0 for what is negative or no number.
#[must_use]
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates, and figures here are far below 2^53")]
pub fn whole(figure: f64) -> u64 {
    figure.max(0.0) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_tells_the_same_story_and_another_does_not() {
        let rolls = |seed, what: &str| {
            let mut dice = Dice::of(seed, what);
            (0..20).map(|_| dice.roll()).collect::<Vec<_>>()
        };
        assert_eq!(rolls(7, "redis"), rolls(7, "redis"));
        assert_ne!(rolls(7, "redis"), rolls(8, "redis"));
        assert_ne!(rolls(7, "redis"), rolls(7, "postgres"));
    }

    #[test]
    fn chance_stays_within_its_bounds() {
        let mut dice = Dice::of(1, "bounds");
        for step in 0..2000 {
            assert!((0.0..1.0).contains(&dice.unit()));
            assert!(dice.below(3) < 3);
            let value = noise(9, f64::from(step) * 0.37, 5.0);
            assert!((-1.0..=1.0).contains(&value), "{value}");
        }
        assert_eq!(dice.below(0), 0);
        assert_eq!(dice.pick::<u8>(&[]), 0);
    }

    #[test]
    fn what_is_expected_happens_on_average() {
        let mut dice = Dice::of(3, "average");
        let total: u64 = (0..10_000).map(|_| dice.count(0.3)).sum();
        assert!((2800..3200).contains(&total), "{total}");
    }

    #[test]
    fn noise_is_smooth() {
        for step in 0..1000_u32 {
            let at = f64::from(step) * 0.01;
            let jump = (noise(5, at, 1.0) - noise(5, at + 0.01, 1.0)).abs();
            assert!(jump < 0.05, "{jump} at {at}");
        }
    }
}
