//! What an environment asks before it lets an operation start, and whose a lock is. Both faces ask here.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::model::{Guard, LockHolder};

use super::policy::Actor;

/// What must still be answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// A yes (`--yes`, Enter on the plan).
    Yes,
    /// This name, typed (`--confirm NAME`).
    Type(Arc<str>),
}

/// Whether an operation may start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    Go,
    Ask(Question),
    /// A whole sentence.
    Refuse(Arc<str>),
}

/// What a person has answered so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Answered<'a> {
    pub yes: bool,
    pub typed: Option<&'a str>,
}

/// Decides whether an operation may start in the environment `name`: `open` lets everything pass that destroys nothing,
/// `confirm` (and a destructive operation behind `open`) wants a yes, `type` wants the environment's name, and behind
/// `read-only` or with `--read-only` nothing starts. The typed name counts as a yes; a yes never counts as the name.
#[must_use]
pub fn decide(guard: Guard, read_only: bool, destructive: bool, name: &str, answered: Answered<'_>) -> Decision {
    if read_only {
        return Decision::Refuse(format!("quarterdeck was started with --read-only: {name} is not changed").into());
    }
    let typed = answered.typed.is_some_and(|t| t.trim() == name);
    match guard {
        Guard::ReadOnly => Decision::Refuse(format!("{name} is guarded read-only: nothing may be changed there").into()),
        Guard::Type if typed => Decision::Go,
        Guard::Type => Decision::Ask(Question::Type(name.into())),
        Guard::Confirm if answered.yes || typed => Decision::Go,
        Guard::Open if !destructive || answered.yes || typed => Decision::Go,
        Guard::Confirm | Guard::Open => Decision::Ask(Question::Yes),
    }
}

/// Who stands behind a lock, seen from here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// This very process; for a lock taken by hand, this person on this host.
    Ours,
    /// A process of this host that is gone: what it began can be recovered.
    Dead,
    /// A process of this host that lives or of which it is not known yet; or a lock another person here took by hand.
    Alive,
    /// Another host: whether it lives cannot be seen from here.
    Elsewhere,
}

/// Whose `holder` is. `alive` are the living processes of this host among the lock holders; `None`: not asked yet.
#[must_use]
pub fn owner_state(holder: &LockHolder, actor: &Actor, alive: Option<&BTreeSet<(u32, u64)>>) -> Owner {
    if holder.operation.is_none() && holder.by == actor.by() {
        return Owner::Ours;
    }
    if holder.host != actor.host {
        return Owner::Elsewhere;
    }
    if holder.operation.is_none() {
        return Owner::Alive;
    }
    if (holder.pid, holder.pid_started) == (actor.pid, actor.pid_started) {
        return Owner::Ours;
    }
    match alive {
        Some(living) if !living.contains(&(holder.pid, holder.pid_started)) => Owner::Dead,
        Some(_) | None => Owner::Alive,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Verb;

    /// Every verb, guard, `--read-only` and answer, against the rules said another way.
    #[test]
    fn every_verb_behind_every_guard() {
        let answers = [
            Answered::default(),
            Answered { yes: true, typed: None },
            Answered { yes: false, typed: Some("prod") },
            Answered { yes: false, typed: Some("prd") },
            Answered { yes: true, typed: Some("prd") },
        ];
        let mut seen = 0;
        for verb in Verb::ALL {
            for guard in Guard::ALL {
                for read_only in [false, true] {
                    for answered in answers {
                        let decision = decide(guard, read_only, verb.is_destructive(), "prod", answered);
                        let named = answered.typed == Some("prod");
                        let allowed = !read_only
                            && match guard {
                                Guard::Open => !verb.is_destructive() || answered.yes || named,
                                Guard::Confirm => answered.yes || named,
                                Guard::Type => named,
                                Guard::ReadOnly => false,
                            };
                        assert_eq!(decision == Decision::Go, allowed, "{verb} {guard} {read_only} {answered:?}: {decision:?}");
                        let refused = read_only || guard == Guard::ReadOnly;
                        assert_eq!(matches!(decision, Decision::Refuse(_)), refused, "{verb} {guard} {answered:?}");
                        if let Decision::Ask(question) = &decision {
                            let typing = guard == Guard::Type;
                            assert_eq!(*question == Question::Type("prod".into()), typing, "{verb} {guard}");
                        }
                        seen += 1;
                    }
                }
            }
        }
        assert_eq!(seen, Verb::ALL.len() * 4 * 2 * 5);
    }

    #[test]
    fn whose_a_lock_is() {
        let me = Actor { user: "ann".into(), host: "here".into(), ssh: None, pid: 7, pid_started: 70 };
        let lock = |by: &str, host: &str, process: (u32, u64), operation: Option<&str>| LockHolder {
            by: by.into(),
            host: host.into(),
            pid: process.0,
            pid_started: process.1,
            why: "x".into(),
            since: jiff::Timestamp::UNIX_EPOCH,
            operation: operation.map(Into::into),
            request: None,
        };
        let living = BTreeSet::from([(8, 80)]);
        let table = [
            (lock("ann@here", "here", (7, 70), Some("op")), Owner::Ours),
            (lock("ann@here", "here", (7, 71), Some("op")), Owner::Dead),
            (lock("ann@here", "here", (8, 80), Some("op")), Owner::Alive),
            (lock("bob@there", "there", (7, 70), Some("op")), Owner::Elsewhere),
            (lock("ann@here", "here", (1, 1), None), Owner::Ours),
            (lock("bob@here", "here", (1, 1), None), Owner::Alive),
            (lock("bob@there", "there", (1, 1), None), Owner::Elsewhere),
        ];
        for (holder, owner) in table {
            assert_eq!(owner_state(&holder, &me, Some(&living)), owner, "{holder:?}");
        }
        assert_eq!(owner_state(&lock("ann@here", "here", (9, 9), Some("op")), &me, None), Owner::Alive, "not asked yet");
    }
}
