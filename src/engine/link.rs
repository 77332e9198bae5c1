//! What the link says: live with its latency, stale since the last answer, failed with a hint. Pure but for the clock.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::engine::{EngineError, Update};
use crate::model::Link;

/// A change of latency is told at most this often, seconds.
const LATENCY_SECONDS: i64 = 10;

/// Whether trying again soon is pointless: a person has to do something first.
pub(in crate::engine) fn is_hopeless(error: &EngineError) -> bool {
    !error.is_transient()
}

/// Remembers what was told of the link.
#[derive(Debug, Default)]
pub(in crate::engine) struct LinkTeller {
    /// The last answer.
    heard_at: Option<Timestamp>,
    /// Since when it does not work.
    lost_since: Option<Timestamp>,
    told: Option<(Timestamp, Option<u64>)>,
}

impl LinkTeller {
    /// An answer came after none was expected.
    pub(in crate::engine) fn connected(&mut self) -> Update {
        let now = Timestamp::now();
        self.heard_at = Some(now);
        self.told = Some((now, None));
        Update::Link(Link::Live { latency_ms: None })
    }

    /// It works again: the next loss begins at another moment.
    pub(in crate::engine) fn came_back(&mut self) {
        self.lost_since = None;
    }

    /// A sign of life took this long. Told when it says something new.
    pub(in crate::engine) fn heard(&mut self, latency_ms: u64) -> Option<Update> {
        self.heard_at(Timestamp::now(), latency_ms)
    }

    fn heard_at(&mut self, now: Timestamp, latency_ms: u64) -> Option<Update> {
        self.heard_at = Some(now);
        let news = match self.told {
            Some((at, Some(told))) => {
                told.abs_diff(latency_ms) > 2 + told / 4 && now.as_second() - at.as_second() >= LATENCY_SECONDS
            }
            Some((_, None)) | None => true,
        };
        if !news {
            return None;
        }
        self.told = Some((now, Some(latency_ms)));
        Some(Update::Link(Link::Live { latency_ms: Some(latency_ms) }))
    }

    /// It does not work; the next attempt comes after `pause`.
    pub(in crate::engine) fn lost(&mut self, error: &EngineError, pause: Duration) -> Update {
        self.lost_at(Timestamp::now(), error, pause)
    }

    fn lost_at(&mut self, now: Timestamp, error: &EngineError, pause: Duration) -> Update {
        let since = *self.lost_since.get_or_insert(self.heard_at.unwrap_or(now));
        let retry_at = now.checked_add(pause).ok();
        let text: Arc<str> = error.to_string().into();
        self.told = None;
        Update::Link(match self.heard_at {
            Some(_) => Link::Stale { since, error: text, retry_at },
            None => Link::Failed { since, error: text, hint: error.hint().into(), retry_at },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn word(update: Option<Update>) -> String {
        match update {
            Some(Update::Link(Link::Live { latency_ms })) => format!("live {latency_ms:?}"),
            Some(Update::Link(Link::Stale { since, .. })) => format!("stale since {}", since.as_second()),
            Some(Update::Link(Link::Failed { since, hint, .. })) => format!("failed since {}: {hint}", since.as_second()),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn stale_counts_from_the_last_answer_however_often_it_is_tried() {
        let gone = EngineError::Unreachable { endpoint: "e".into(), cause: "c".into() };
        let pause = Duration::from_secs(1);
        let mut link = LinkTeller::default();
        assert!(word(Some(link.lost_at(at(5), &gone, pause))).starts_with("failed since 5: check that the engine runs"));
        assert!(word(Some(link.lost_at(at(6), &gone, pause))).starts_with("failed since 5"));
        link.came_back();
        assert_eq!(word(link.heard_at(at(10), 3)), "live Some(3)");
        assert_eq!(word(link.heard_at(at(11), 900)), "None");
        assert_eq!(word(link.heard_at(at(30), 4)), "None");
        assert_eq!(word(link.heard_at(at(31), 900)), "live Some(900)");
        assert_eq!(word(Some(link.lost_at(at(40), &gone, pause))), "stale since 31");
        assert_eq!(word(Some(link.lost_at(at(60), &gone, pause))), "stale since 31");
        link.came_back();
        assert_eq!(word(link.heard_at(at(61), 900)), "live Some(900)");
    }
}
