//! Why a request cannot become a plan: each a sentence a person can act on.

use std::sync::Arc;

use jiff::Timestamp;

use crate::model::Verb;

/// Why there is no plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("there is no {what} in {environment}{}", meant(.nearest.as_ref()))]
    Unknown { what: Arc<str>, environment: Arc<str>, nearest: Option<Arc<str>> },
    #[error("{verb} needs at least one workload or instance")]
    NoTarget { verb: Verb },
    #[error("{verb} works on a whole workload, not on a single instance of {workload}")]
    WholeWorkload { verb: Verb, workload: Arc<str> },
    #[error("{verb} of {what} is not possible: {why}")]
    Denied { verb: Verb, what: Arc<str>, why: Arc<str> },
    /// It is so already.
    #[error("nothing to do: {0}")]
    Nothing(Arc<str>),
    #[error(
        "{workload} cannot have more than one instance: its definition publishes host port {}; let the engine choose the port, or put a proxy in front",
        numbers(.ports)
    )]
    FixedPort { workload: Arc<str>, ports: Vec<u16> },
    #[error("{workload} cannot have more than one instance: its definition fixes the name {name} (container_name)")]
    FixedName { workload: Arc<str>, name: Arc<str> },
    #[error("`{image}` cannot be an image: {why}")]
    NotAnImage { image: Arc<str>, why: &'static str },
    #[error("{workload} has no container left to copy its definition from: bring it back with `docker compose up -d {workload}`")]
    NoDefinition { workload: Arc<str> },
    #[error("revision {wanted} of {workload} is not recorded; {}", recorded(.known))]
    UnknownRevision { workload: Arc<str>, wanted: u64, known: Vec<u64> },
    #[error("{workload} has no earlier revision to go back to; {}", recorded(.known))]
    NoPrevious { workload: Arc<str>, known: Vec<u64> },
    #[error("{what} is frozen until {until:.0}: {why}; the fast path (--fast) goes through it")]
    Frozen { what: Arc<str>, why: Arc<str>, until: Timestamp },
    #[error(
        "nothing would tell whether the new {workload} is well: it has no health check, and no gate or verification is configured; give it one, or deploy it all the same (--unwatched)"
    )]
    NoSignal { workload: Arc<str> },
    #[error("nothing knows {what}: {why}")]
    NoSource { what: Arc<str>, why: &'static str },
    #[error("the runbook {runbook} needs a value for {{{name}}} in `{text}`: give it with --set {name}=VALUE")]
    NoVariable { runbook: Arc<str>, name: Arc<str>, text: Arc<str> },
    #[error("{environment} takes no load test: {why}")]
    NoLoad { environment: Arc<str>, why: Arc<str> },
    #[error("there is no such load test: {0}")]
    BadLoad(Arc<str>),
    #[error("{environment} is locked by {by} since {since:.0}: {why}")]
    Locked { environment: Arc<str>, by: Arc<str>, why: Arc<str>, since: Timestamp },
    #[error(
        "an operation of {by} in {environment} has not ended ({what}, since {since:.0}): finish or undo it first (qd recover {environment} --finish or --undo)"
    )]
    Unfinished { environment: Arc<str>, by: Arc<str>, what: Arc<str>, since: Timestamp },
    #[error("nothing is unfinished in {environment}")]
    NotUnfinished { environment: Arc<str> },
    /// Its owner lives or may live: only with the knowledge that it does not.
    #[error(
        "{what} in {environment} is {by}'s since {since:.0}, who may still be at it: only to be taken over knowingly (--take-over)"
    )]
    MayBeAlive { environment: Arc<str>, what: Arc<str>, by: Arc<str>, since: Timestamp },
    #[error(
        "what was begun in {environment} cannot be read from its lock: {why}; look at its containers, then unlock it knowingly"
    )]
    Unreadable { environment: Arc<str>, why: Arc<str> },
    #[error(
        "which steps of `{what}` have run is not known, so it cannot be finished: undo it (what it stopped is started), then run it again"
    )]
    OnlyUndo { what: Arc<str> },
    #[error(
        "it is too late to undo {what}: the traffic is switched and the old ones are aside; finish it, then roll back, which is quick"
    )]
    Switched { what: Arc<str> },
    #[error("it is too late to undo {what}: {gone} is removed already; finish it, then roll back or scale")]
    TooLate { what: Arc<str>, gone: Arc<str> },
}

fn meant(nearest: Option<&Arc<str>>) -> String {
    nearest.map(|n| format!(" (did you mean {n}?)")).unwrap_or_default()
}

fn numbers<T: ToString>(numbers: &[T]) -> String {
    numbers.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn recorded(known: &[u64]) -> String {
    if known.is_empty() { "none is recorded".into() } else { format!("recorded: {}", numbers(known)) }
}
