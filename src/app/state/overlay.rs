//! What lies over the screen: the last on top alone receives keys.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use crate::app::changes::Changes;
use crate::app::{Command, rows};
use crate::model::{EnvironmentId, InstanceId, OperationId};
use crate::observe::log::Format;
use crate::operate::{Operation, Plan, Request, Target};

use super::RowId;

/// What lies over the screen.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "a handful at a time, never moved in bulk")]
pub enum Overlay {
    Help {
        scroll: usize,
        filter: String,
    },
    Palette(Palette),
    /// The plan, waiting for the guard's answer.
    Confirm(Confirm),
    /// A value is asked for: replicas, an image, a reason.
    Prompt(Prompt),
    /// One of several: revisions to go back to, actions, a column to sort by.
    Menu(Menu),
    /// The shapes of a log's lines; those first seen since then are new.
    Patterns {
        selected: usize,
        since: Option<Timestamp>,
    },
    /// What changed before something, most likely cause first.
    Changes {
        changes: Box<Changes>,
        selected: usize,
    },
    /// Quitting with operations under way.
    Quit,
    /// A text to be read, with a title.
    Text {
        title: Arc<str>,
        lines: Vec<Arc<str>>,
        scroll: usize,
    },
}

/// Fuzzy search over every command and everything one can jump to.
#[derive(Clone, Debug, Default)]
pub struct Palette {
    pub input: Input,
    pub jump_only: bool,
    pub selected: usize,
}

/// One line of text being edited.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Input {
    pub text: String,
    /// Byte offset of the cursor, always on a character boundary.
    pub cursor: usize,
}

/// A plan waiting for its answer.
#[derive(Debug)]
pub struct Confirm {
    pub plan: Plan,
    /// The person knows that a lock's owner may be alive.
    pub take_over: bool,
    pub typed: Input,
    pub scroll: usize,
    /// What looking ahead has told, by step: words, and whether it is well.
    pub previews: Previews,
    /// Why the last answer was not enough.
    pub refusal: Option<Arc<str>>,
}

/// What looking ahead at a plan has told, by step: whether it is well, and words.
pub type Previews = BTreeMap<usize, (bool, Arc<str>)>;

impl Confirm {
    /// A plan nobody has answered yet.
    #[must_use]
    pub fn of(plan: Plan, take_over: bool) -> Self {
        Self { plan, take_over, typed: Input::default(), scroll: 0, previews: Previews::new(), refusal: None }
    }
}

/// What a prompt asks and what its answer is for.
#[derive(Clone, Debug)]
pub struct Prompt {
    pub purpose: Purpose,
    pub title: Arc<str>,
    pub input: Input,
    pub error: Option<Arc<str>>,
}

/// What a prompt's answer is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Purpose {
    Filter,
    Search,
    Replicas {
        environment: EnvironmentId,
        targets: Vec<Target>,
    },
    Image {
        environment: EnvironmentId,
        targets: Vec<Target>,
    },
    /// The bounds of an autoscaler: the least and the most.
    Bounds {
        environment: EnvironmentId,
        targets: Vec<Target>,
    },
    /// The size of a load test, and where to.
    Load {
        environment: EnvironmentId,
        targets: Vec<Target>,
    },
    /// How long and why an alert is silenced.
    Silence {
        environment: EnvironmentId,
        alert: Arc<str>,
    },
    LockReason {
        environment: EnvironmentId,
    },
    /// Opens a shell: the environment's name where its guard asks for it.
    Shell {
        environment: EnvironmentId,
        instance: InstanceId,
    },
    /// Which port is forwarded to.
    Forward {
        environment: EnvironmentId,
        target: Target,
    },
    /// Forwards it: the environment's name where its guard asks for it.
    ForwardInto {
        environment: EnvironmentId,
        target: Target,
        local: u16,
        remote: u16,
    },
    Save,
    /// Goes to a time in the log.
    Time,
    /// A command that is given the log.
    Pipe,
    /// From when on the log is read.
    Since,
    /// Which lines of the log are shown.
    LogFilter,
    /// Words to be lit up in the log.
    Highlight,
    /// Fields shown before the message.
    Fields,
}

/// One of several to choose from.
#[derive(Clone, Debug)]
pub struct Menu {
    pub title: Arc<str>,
    pub entries: Vec<Entry>,
    pub selected: usize,
}

/// One line of a menu.
#[derive(Clone, Debug)]
pub struct Entry {
    pub label: Arc<str>,
    pub key: Option<char>,
    pub choice: Choice,
    /// Why it cannot be chosen.
    pub denied: Option<Arc<str>>,
}

/// What is done with a field of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldDeed {
    Copy,
    /// Only lines are shown that have it.
    Only,
    /// Lines that have it are hidden.
    Exclude,
    Highlight,
    /// Shown before every message.
    Column,
}

/// What choosing an entry does.
#[derive(Clone, Debug, PartialEq)]
pub enum Choice {
    Run(Command),
    Do {
        environment: EnvironmentId,
        targets: Vec<Target>,
        operation: Operation,
    },
    Sort(rows::Column),
    Theme(Arc<str>),
    /// How lines of an instance are read; as they seem without one.
    Format(InstanceId, Option<Format>),
    /// Goes to it, wherever it is.
    Open(RowId),
    /// Does it although a lock's owner may be alive.
    TakeOver(Request),
    /// Says that what an operation asks is so.
    Tick(OperationId, Arc<str>),
    /// Goes back, whatever it is at.
    Abort(OperationId),
    /// What to do about a failed step.
    Answer(OperationId, crate::operate::machine::Choice),
    /// A field of a log line, to do something with.
    Field {
        name: Arc<str>,
        value: Arc<str>,
    },
    FieldDeed {
        name: Arc<str>,
        value: Arc<str>,
        deed: FieldDeed,
    },
    /// Forwards a port no longer.
    CloseForward(u64),
    /// Puts the menu away.
    Nothing,
}
