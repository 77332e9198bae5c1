//! What changed before this? What happened in the window before a moment, the most likely cause first.
//!
//! Three things make a likelihood: what was done (a deploy breaks more than a restart), to what (the thing itself more
//! than its neighbours), and how shortly before. None of them proves anything: it is an order to look in.

use std::cmp::Reverse;
use std::sync::Arc;

use jiff::Timestamp;

/// What happened, as far as it matters for what it may have caused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Another image, or back to an earlier one.
    Deploy,
    /// Another definition: environment, command, limits.
    Config,
    /// What runs differs from its file.
    Drift,
    /// More or fewer replicas, by a person.
    Scale,
    /// More or fewer replicas, by an autoscaler.
    Autoscale,
    /// Stopped, killed, paused or restarted by a person.
    Handled,
    /// A runbook, a job, a node drained: something done there that is none of the others.
    Operation,
    /// Killed for its memory.
    OutOfMemory,
    /// Ended by itself.
    Died,
    /// An instance began.
    Began,
    /// Something beside it was not well already.
    Ill,
    /// An alert fired.
    Alert,
    /// Many errors in a log.
    Errors,
    /// Whatever else the engine tells.
    Other,
}

impl Kind {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Deploy => "deploy",
            Self::Config => "config",
            Self::Drift => "drift",
            Self::Scale => "scale",
            Self::Autoscale => "autoscale",
            Self::Handled => "handled",
            Self::Operation => "operation",
            Self::OutOfMemory => "out-of-memory",
            Self::Died => "died",
            Self::Began => "began",
            Self::Ill => "ill",
            Self::Alert => "alert",
            Self::Errors => "errors",
            Self::Other => "other",
        }
    }

    /// How much such a thing breaks, of 100.
    fn weight(self) -> u64 {
        match self {
            Self::Deploy => 100,
            Self::Config => 95,
            Self::OutOfMemory => 75,
            Self::Drift => 65,
            Self::Scale | Self::Operation => 60,
            Self::Died | Self::Handled => 55,
            Self::Autoscale | Self::Ill => 45,
            Self::Errors => 40,
            Self::Alert => 35,
            Self::Began => 25,
            Self::Other => 15,
        }
    }

    /// Whether somebody or something changed what was wanted, and it did not just happen.
    #[must_use]
    pub fn is_change(self) -> bool {
        match self {
            Self::Deploy | Self::Config | Self::Drift | Self::Scale | Self::Autoscale | Self::Handled | Self::Operation => true,
            Self::OutOfMemory | Self::Died | Self::Began | Self::Ill | Self::Alert | Self::Errors | Self::Other => false,
        }
    }
}

/// How near a thing is to the one that is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Relation {
    /// The thing itself.
    Same,
    /// What it says it depends on.
    Needed,
    /// In the same environment.
    Beside,
    /// On the same engine, in another environment.
    Elsewhere,
}

impl Relation {
    /// In per cent.
    fn weight(self) -> u64 {
        match self {
            Self::Same => 100,
            Self::Needed => 90,
            Self::Beside => 60,
            Self::Elsewhere => 15,
        }
    }
}

/// Something that happened, and what it leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate<T> {
    pub at: Timestamp,
    pub kind: Kind,
    pub relation: Relation,
    /// What it happened to.
    pub subject: Arc<str>,
    /// In words, without the subject: `deploy 2.2.0 → 2.3.0`.
    pub what: Arc<str>,
    /// Who did it, where that is known.
    pub by: Option<Arc<str>>,
    /// How often in a row; the last time is `at`.
    pub times: u32,
    pub lead: T,
}

/// So many seconds before, a thing is half as likely the cause as right before; twice as many, a third.
const HALF_S: u64 = 900;

/// How likely a candidate is the cause of something that began so many seconds later; only good for comparing.
#[must_use]
pub fn score(kind: Kind, relation: Relation, seconds_before: i64) -> u64 {
    let seconds = u64::try_from(seconds_before).unwrap_or(0);
    // Whole numbers are the same on every machine.
    kind.weight() * relation.weight() * 1_000_000 * HALF_S / HALF_S.saturating_add(seconds)
}

/// What happened from `from` to `moment`, most likely cause first; of two that are as likely the later one, then in order
/// of their names. What came after the moment is never among them. The same thing over and over is told once.
#[must_use]
pub fn rank<T>(moment: Timestamp, from: Timestamp, candidates: Vec<Candidate<T>>) -> Vec<Candidate<T>> {
    let mut known: Vec<Candidate<T>> = candidates.into_iter().filter(|c| c.at <= moment && c.at >= from).collect();
    known.sort_by(|a, b| (Reverse(a.at), &a.subject, &a.what).cmp(&(Reverse(b.at), &b.subject, &b.what)));
    let mut told: Vec<Candidate<T>> = Vec::with_capacity(known.len());
    for next in known {
        // What just happens again and again is one thing, whatever is told of it each time.
        let alike = |t: &Candidate<T>| t.what == next.what || !next.kind.is_change();
        let same = |t: &&mut Candidate<T>| t.kind == next.kind && t.subject == next.subject && alike(t);
        match told.iter_mut().find(same) {
            Some(before) => before.times = before.times.saturating_add(next.times),
            None => told.push(next),
        }
    }
    told.sort_by_key(|c| Reverse(score(c.kind, c.relation, before(c.at, moment))));
    told
}

/// Seconds from one to the other.
fn before(at: Timestamp, moment: Timestamp) -> i64 {
    moment.as_second().saturating_sub(at.as_second())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KINDS: [Kind; 14] = [
        Kind::Deploy,
        Kind::Config,
        Kind::Drift,
        Kind::Scale,
        Kind::Autoscale,
        Kind::Handled,
        Kind::Operation,
        Kind::OutOfMemory,
        Kind::Died,
        Kind::Began,
        Kind::Ill,
        Kind::Alert,
        Kind::Errors,
        Kind::Other,
    ];
    const RELATIONS: [Relation; 4] = [Relation::Same, Relation::Needed, Relation::Beside, Relation::Elsewhere];

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn one(second: i64, kind: Kind, relation: Relation, subject: &str) -> Candidate<()> {
        let (subject, what) = (subject.into(), format!("{kind:?}").into());
        Candidate { at: at(second), kind, relation, subject, what, by: None, times: 1, lead: () }
    }

    #[test]
    fn the_deploy_shortly_before_comes_first() {
        let ranked = rank(
            at(10_000),
            at(6_400),
            vec![
                one(10_000 - 1260, Kind::Autoscale, Relation::Beside, "app_cp"),
                one(10_000 - 180, Kind::OutOfMemory, Relation::Needed, "db_g2"),
                one(10_000 - 29, Kind::Deploy, Relation::Same, "app_ap"),
                one(10_000 - 5, Kind::Began, Relation::Beside, "web"),
                one(10_001, Kind::Deploy, Relation::Same, "app_ap"),
                one(6_399, Kind::Deploy, Relation::Same, "app_ap"),
            ],
        );
        let order: Vec<&str> = ranked.iter().map(|c| &*c.subject).collect();
        assert_eq!(order, ["app_ap", "db_g2", "web", "app_cp"]);
    }

    #[test]
    fn what_weighs_more_where() {
        // (likelier, than)
        let table = [
            ((Kind::Deploy, Relation::Same, 60), (Kind::Scale, Relation::Same, 60)),
            ((Kind::Deploy, Relation::Same, 60), (Kind::Deploy, Relation::Beside, 60)),
            ((Kind::Deploy, Relation::Same, 60), (Kind::Deploy, Relation::Same, 600)),
            ((Kind::Scale, Relation::Same, 60), (Kind::Began, Relation::Needed, 60)),
            ((Kind::OutOfMemory, Relation::Needed, 60), (Kind::Died, Relation::Beside, 60)),
            ((Kind::Deploy, Relation::Same, 1200), (Kind::Began, Relation::Same, 5)),
            ((Kind::Deploy, Relation::Beside, 300), (Kind::Deploy, Relation::Elsewhere, 10)),
        ];
        for ((a, b, c), (x, y, z)) in table {
            assert!(score(a, b, c) > score(x, y, z), "{a:?} {b:?} {c} is likelier than {x:?} {y:?} {z}");
        }
    }

    #[test]
    fn the_same_over_and_over_is_told_once_with_how_often() {
        let many = (0..4).map(|n| one(100 + n * 10, Kind::Died, Relation::Same, "api")).collect();
        let ranked = rank(at(200), at(0), many);
        assert_eq!((ranked.len(), ranked[0].times, ranked[0].at), (1, 4, at(130)));
    }

    proptest! {
        #[test]
        fn nothing_is_listed_that_came_after_and_the_order_does_not_depend_on_the_telling(
            raw in prop::collection::vec((0_i64..10_000, 0_usize..14, 0_usize..4, 0_u8..5), 0..40),
            moment in 0_i64..10_000,
            window in 0_i64..10_000,
        ) {
            let made: Vec<_> =
                raw.iter().map(|(s, k, r, n)| one(*s, KINDS[*k], RELATIONS[*r], &format!("s{n}"))).collect();
            let told = |list: Vec<Candidate<()>>| rank(at(moment), at(moment - window), list);
            let forth = told(made.clone());
            prop_assert!(forth.iter().all(|c| c.at <= at(moment) && c.at >= at(moment - window)));
            let mut back = made.clone();
            back.reverse();
            let places = |list: &[Candidate<()>]| list.iter().map(|c| (c.at, c.subject.clone(), c.what.clone(), c.times)).collect::<Vec<_>>();
            prop_assert_eq!(places(&forth), places(&told(back)));
            let inside = made.iter().filter(|c| c.at <= at(moment) && c.at >= at(moment - window)).count();
            prop_assert_eq!(forth.iter().map(|c| c.times as usize).sum::<usize>(), inside, "nothing is lost");
        }

        #[test]
        fn later_is_never_less_likely(kind in 0_usize..14, relation in 0_usize..4, seconds in 0_i64..50_000) {
            let (kind, relation) = (KINDS[kind], RELATIONS[relation]);
            prop_assert!(score(kind, relation, seconds) >= score(kind, relation, seconds + 1));
        }
    }
}
