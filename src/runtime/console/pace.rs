//! When to draw: at once for a key, soon for data, and seldom enough that a slow line and a busy engine do no harm.

use std::time::Duration;

use tokio::time::Instant;

/// The time between two frames for data, sustained.
const FRAME: Duration = Duration::from_millis(33);
/// Frames for data that may come without waiting after a quiet time: a view that opens is filled in a few steps.
const BURST: u32 = 3;

/// Tells when the next frame is due.
#[derive(Debug)]
pub(super) struct Pace {
    wanted: Wanted,
    /// When the allowance of data frames would be full again, had none been drawn meanwhile.
    full_at: Instant,
    paused: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd)]
enum Wanted {
    Nothing,
    Soon,
    Now,
}

impl Pace {
    pub(super) fn new(now: Instant) -> Self {
        Self { wanted: Wanted::Nothing, full_at: now, paused: false }
    }

    /// A person did something.
    pub(super) fn now(&mut self) {
        self.wanted = Wanted::Now;
    }

    /// Something else changed.
    pub(super) fn soon(&mut self) {
        if self.wanted == Wanted::Nothing {
            self.wanted = Wanted::Soon;
        }
    }

    /// Nothing is drawn until [`Self::resume`].
    pub(super) fn pause(&mut self) {
        self.paused = true;
    }

    pub(super) fn resume(&mut self) {
        self.paused = false;
    }

    pub(super) fn is_paused(&self) -> bool {
        self.paused
    }

    /// When the next frame is due; `None` while nothing changed.
    pub(super) fn due(&self) -> Option<Instant> {
        match self.wanted {
            _ if self.paused => None,
            Wanted::Nothing => None,
            Wanted::Soon => self.full_at.checked_sub(FRAME * (BURST - 1)).or(Some(self.full_at)),
            // Long past: due whatever the time is.
            Wanted::Now => Some(self.full_at.checked_sub(FRAME * (BURST + 1)).unwrap_or(self.full_at)),
        }
    }

    pub(super) fn is_due(&self, now: Instant) -> bool {
        !self.paused && (self.wanted == Wanted::Now || self.due().is_some_and(|due| due <= now))
    }

    /// A frame has been drawn.
    pub(super) fn drawn(&mut self, now: Instant) {
        if self.wanted == Wanted::Soon {
            self.full_at = self.full_at.max(now) + FRAME;
        }
        self.wanted = Wanted::Nothing;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_drawn_at_once_and_data_at_its_pace() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        assert!(!pace.is_due(start));
        let mut drawn = 0;
        for millisecond in 0..1_000 {
            let now = start + Duration::from_millis(millisecond);
            pace.soon();
            if pace.is_due(now) {
                pace.drawn(now);
                drawn += 1;
            }
        }
        assert!((30..=30 + BURST).contains(&drawn), "{drawn} frames in a second of data");
        let now = start + Duration::from_secs(1);
        pace.soon();
        assert!(!pace.is_due(now));
        pace.now();
        assert!(pace.is_due(now));
        pace.drawn(now);
        assert_eq!(pace.due(), None);
    }

    #[test]
    fn after_a_quiet_time_the_first_data_are_drawn_at_once() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        for _ in 0..BURST {
            pace.soon();
            assert!(pace.is_due(start));
            pace.drawn(start);
        }
        pace.soon();
        assert!(!pace.is_due(start));
        assert_eq!(pace.due(), Some(start + FRAME));
    }

    #[test]
    fn nothing_is_due_while_the_terminal_is_lent() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        pace.now();
        pace.pause();
        assert!(!pace.is_due(start) && pace.due().is_none());
        pace.resume();
        assert!(pace.is_due(start));
    }
}
