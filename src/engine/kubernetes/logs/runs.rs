//! Which run of a container is being read, and what to do next by what the pod says of it. Pure.
//!
//! A node keeps the log of the run there is and of the one before it; a container that has ended and waits to be started
//! again still has the log of the run that ended.

use crate::engine::kubernetes::place::{Run, Seen};

/// The run that is being read.
#[derive(Debug, Default)]
pub(super) struct Runs {
    /// Which pod, and how often its container had been started again.
    current: Option<(String, u64)>,
    /// It was read to its end, and that was told.
    whole: bool,
    told: bool,
    /// The pod whose container was seen before it had run at all: its first run is wanted too, however short.
    awaited: Option<String>,
    followed_by_its_like: bool,
}

/// What is to be done now.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// It has never run.
    Wait(String),
    /// Nothing has changed.
    Idle,
    /// The run that was read is over; with how, for people.
    Over(String),
    /// Another pod is there under its name.
    Replaced,
    Read,
    /// First what is left of the run before the one there is; so many runs before that one nobody keeps.
    ReadBefore {
        lost: u64,
    },
}

impl Runs {
    /// What is to be done by what the pod says.
    pub(super) fn next(&mut self, seen: &Seen) -> Next {
        self.followed_by_its_like = seen.is_followed_by_its_like();
        let how = match seen.run() {
            Run::Waiting(why) => {
                self.awaited = Some(seen.uid().to_owned());
                return Next::Wait(why);
            }
            Run::Ended { how, .. } => Some(how),
            Run::Running => None,
        };
        let Some((uid, restarts)) = &self.current else {
            let missed = seen.restarts() > 0 && self.awaited.as_deref() == Some(seen.uid());
            return if missed { Next::ReadBefore { lost: seen.restarts() - 1 } } else { Next::Read };
        };
        if uid != seen.uid() {
            self.current = None;
            return Next::Replaced;
        }
        let since = seen.restarts().saturating_sub(*restarts);
        match (since, self.whole) {
            (0, true) if self.told => Next::Idle,
            (0, true) => {
                self.told = true;
                Next::Over(format!("the container has ended with {}", how.unwrap_or_else(|| "no word of how".to_owned())))
            }
            (0, false) | (1, true) => Next::Read,
            (since, whole) => Next::ReadBefore { lost: since - 1 - u64::from(whole) },
        }
    }

    /// This run is being read now.
    pub(super) fn reads(&mut self, seen: &Seen) {
        self.current = Some((seen.uid().to_owned(), seen.restarts()));
        (self.whole, self.told) = (false, false);
    }

    /// Whether this is the run that is being read.
    pub(super) fn is_of(&self, seen: &Seen) -> bool {
        self.current.as_ref().is_some_and(|(uid, restarts)| uid == seen.uid() && *restarts == seen.restarts())
    }

    /// There is nothing more of it.
    pub(super) fn read_to_its_end(&mut self) {
        self.whole = true;
    }

    /// Whether another pod of its name comes when it goes.
    pub(super) fn is_followed_by_its_like(&self) -> bool {
        self.followed_by_its_like
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn seen(uid: &str, restarts: u64, running: bool) -> Seen {
        let ended = json!({"terminated": {"exitCode": 1}});
        let state = if running { json!({"running": {}}) } else { json!({"waiting": {"reason": "CrashLoopBackOff"}}) };
        let pod = json!({
            "metadata": {"uid": uid}, "spec": {"containers": [{"name": "a"}]},
            "status": {"containerStatuses": [{"name": "a", "restartCount": restarts, "state": state, "lastState": ended}]},
        });
        Seen::of(pod).unwrap()
    }

    #[test]
    fn a_crashing_container_is_read_run_by_run() {
        let mut runs = Runs::default();
        assert_eq!(runs.next(&seen("u", 0, true)), Next::Read);
        runs.reads(&seen("u", 0, true));
        assert_eq!(runs.next(&seen("u", 0, true)), Next::Read, "the reply broke off");
        runs.reads(&seen("u", 0, false));
        runs.read_to_its_end();
        assert_eq!(runs.next(&seen("u", 0, false)), Next::Over("the container has ended with exit code 1".into()));
        assert_eq!(runs.next(&seen("u", 0, false)), Next::Idle);
        assert_eq!(runs.next(&seen("u", 1, true)), Next::Read);
        runs.reads(&seen("u", 1, true));
        assert_eq!(runs.next(&seen("u", 2, false)), Next::ReadBefore { lost: 0 }, "its end was not seen");
        runs.reads(&seen("u", 2, false));
        runs.read_to_its_end();
        assert_eq!(runs.next(&seen("u", 4, false)), Next::ReadBefore { lost: 0 }, "one came and went unseen");
        assert_eq!(runs.next(&seen("u", 6, true)), Next::ReadBefore { lost: 2 });
    }

    #[test]
    fn a_first_run_too_short_to_be_seen_is_read() {
        let mut runs = Runs::default();
        let pod = json!({"metadata": {"uid": "u"}, "spec": {"containers": [{"name": "a"}]}, "status": {"phase": "Pending"}});
        assert_eq!(runs.next(&Seen::of(pod).unwrap()), Next::Wait("the pod is Pending".into()));
        assert_eq!(runs.next(&seen("u", 1, true)), Next::ReadBefore { lost: 0 });
        assert_eq!(Runs::default().next(&seen("u", 1, true)), Next::Read, "nobody waited for it");
    }

    #[test]
    fn another_pod_of_the_same_name_begins_anew() {
        let mut runs = Runs::default();
        runs.reads(&seen("u", 3, true));
        assert_eq!(runs.next(&seen("v", 0, true)), Next::Replaced);
        assert_eq!(runs.next(&seen("v", 0, true)), Next::Read);
    }
}
