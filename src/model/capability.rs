//! What may be done to a workload or instance, as data: keys, palette, help and footer read it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// The kinds of change a person can start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verb {
    Scale,
    Restart,
    Stop,
    Start,
    Pause,
    Unpause,
    Kill,
    Remove,
    Deploy,
    Rollback,
    /// Brings services up as their compose file has them.
    Up,
    Shell,
    Lock,
    Unlock,
    Recover,
    /// Plays a fault on purpose, where the engine offers it.
    Drill,
    /// Runs a runbook.
    Run,
    /// Sends requests and measures the answers.
    Load,
    /// Starts a job of a schedule now.
    Trigger,
    /// Sets the bounds of an autoscaler.
    Bounds,
    /// Keeps new pods off a node, lets them on it again, and moves those on it elsewhere.
    Cordon,
    Uncordon,
    Drain,
    /// Says that an alert is known of, until an end; and that it is not any more.
    Silence,
    Unsilence,
}

impl Verb {
    /// Every verb, for tables and exhaustive tests.
    pub const ALL: [Self; 25] = [
        Self::Scale,
        Self::Restart,
        Self::Stop,
        Self::Start,
        Self::Pause,
        Self::Unpause,
        Self::Kill,
        Self::Remove,
        Self::Deploy,
        Self::Rollback,
        Self::Up,
        Self::Shell,
        Self::Lock,
        Self::Unlock,
        Self::Recover,
        Self::Drill,
        Self::Run,
        Self::Load,
        Self::Trigger,
        Self::Bounds,
        Self::Cordon,
        Self::Uncordon,
        Self::Drain,
        Self::Silence,
        Self::Unsilence,
    ];

    /// The word for it, as on the command line.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Scale => "scale",
            Self::Restart => "restart",
            Self::Stop => "stop",
            Self::Start => "start",
            Self::Pause => "pause",
            Self::Unpause => "unpause",
            Self::Kill => "kill",
            Self::Remove => "remove",
            Self::Deploy => "deploy",
            Self::Rollback => "rollback",
            Self::Up => "up",
            Self::Shell => "shell",
            Self::Lock => "lock",
            Self::Unlock => "unlock",
            Self::Recover => "recover",
            Self::Drill => "drill",
            Self::Run => "run",
            Self::Load => "load",
            Self::Trigger => "trigger",
            Self::Bounds => "bounds",
            Self::Cordon => "cordon",
            Self::Uncordon => "uncordon",
            Self::Drain => "drain",
            Self::Silence => "silence",
            Self::Unsilence => "unsilence",
        }
    }

    /// Whether it takes something away that a person would miss: asks even behind an `open` guard.
    #[must_use]
    pub fn is_destructive(self) -> bool {
        match self {
            Self::Stop | Self::Kill | Self::Remove | Self::Rollback | Self::Recover | Self::Drill | Self::Run | Self::Drain => {
                true
            }
            Self::Scale
            | Self::Restart
            | Self::Start
            | Self::Pause
            | Self::Unpause
            | Self::Deploy
            | Self::Up
            | Self::Shell
            | Self::Lock
            | Self::Unlock
            | Self::Load
            | Self::Trigger
            | Self::Bounds
            | Self::Cordon
            | Self::Uncordon
            | Self::Silence
            | Self::Unsilence => false,
        }
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Whether something can be done, and if not, why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Capability {
    Allowed,
    /// A whole sentence a person can act on.
    Denied(Arc<str>),
}

/// What is denied, by verb; a verb that is absent is allowed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    pub denied: BTreeMap<Verb, Arc<str>>,
}

impl Capabilities {
    /// Nothing may be done, for one reason.
    #[must_use]
    pub fn none(why: impl Into<Arc<str>>) -> Self {
        let why = why.into();
        Self { denied: Verb::ALL.into_iter().map(|verb| (verb, why.clone())).collect() }
    }

    /// The capability for `verb`.
    #[must_use]
    pub fn of(&self, verb: Verb) -> Capability {
        self.denied.get(&verb).map_or(Capability::Allowed, |why| Capability::Denied(why.clone()))
    }

    /// Adds a denial with its reason.
    #[must_use]
    pub fn deny(mut self, verb: Verb, why: impl Into<Arc<str>>) -> Self {
        self.denied.insert(verb, why.into());
        self
    }
}
