//! What happened in the time that is shown, as marks on the axes.

use jiff::Timestamp;

use crate::app::changes::owner;
use crate::app::rows::Subject;
use crate::app::state::Dots;
use crate::model::{Item, Source, WorkloadId};
use crate::theme::Role;

use super::super::scene::Scene;

/// Marks on the axes at most: the newest.
const MOST: usize = 200;

/// One mark.
#[derive(Clone, Copy, Debug)]
pub struct Mark<'a> {
    pub item: &'a Item,
    pub kind: MarkKind,
}

/// What kind of thing happened, the least important first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MarkKind {
    Well,
    Began,
    Scaled,
    Errors,
    Ill,
    Ended,
    Changed,
    Alert,
}

impl MarkKind {
    /// Its one-cell symbol.
    #[must_use]
    pub fn symbol(self, dots: Dots) -> &'static str {
        let (symbol, plain) = match self {
            Self::Well => ("✔", "v"),
            Self::Began => ("↻", "r"),
            Self::Scaled => ("⇅", "s"),
            Self::Errors => ("≡", "e"),
            Self::Ill => ("◐", "o"),
            Self::Ended => ("✖", "x"),
            Self::Changed => ("▲", "^"),
            Self::Alert => ("!", "!"),
        };
        if dots == Dots::Ascii { plain } else { symbol }
    }

    /// How it looks.
    #[must_use]
    pub fn role(self) -> Role {
        match self {
            Self::Well => Role::Good,
            Self::Began | Self::Scaled => Role::Text,
            Self::Errors | Self::Ill => Role::Warn,
            Self::Ended | Self::Alert => Role::Bad,
            Self::Changed => Role::Accent,
        }
    }
}

/// What happened, oldest first.
#[derive(Debug)]
pub struct Marks<'a> {
    pub all: Vec<Mark<'a>>,
}

impl<'a> Marks<'a> {
    /// What happened to what a row stands for from one moment to another.
    pub fn of(scene: &Scene<'a>, subject: &Subject<'_>, (from, to): (Timestamp, Timestamp)) -> Self {
        let (environment, workload): (_, Option<&WorkloadId>) = match subject {
            Subject::Environment(s) => (&s.environment.id, None),
            Subject::Workload(s, w) | Subject::Instance(s, w, _) => (&s.environment.id, Some(&w.id)),
            Subject::Connection(_)
            | Subject::Revision(..)
            | Subject::Running(_)
            | Subject::Past(_)
            | Subject::Alert(..)
            | Subject::Item(..) => return Self { all: Vec::new() },
        };
        let inside = |item: &&Item| item.at >= from && item.at <= to && &item.environment == environment;
        // Whose it is takes longest to find out: it is asked last, and only of what could be its.
        let mine = |item: &Item| {
            workload.is_none_or(|w| item.subject.contains(w.as_str()) && owner(scene.state, item).as_ref() == Some(w))
        };
        let items = scene.state.timeline.iter().rev().map(|(_, item)| item).filter(inside);
        let marks = items.filter_map(|item| kind(item).filter(|_| mine(item)).map(|kind| Mark { item, kind }));
        let mut all: Vec<Mark<'a>> = marks.take(MOST).collect();
        all.sort_by_key(|m| m.item.at);
        Self { all }
    }
}

/// What an item is marked as; none for what is not worth a mark.
fn kind(item: &Item) -> Option<MarkKind> {
    Some(match (item.source, &*item.what) {
        (Source::Alert, "firing") => MarkKind::Alert,
        (Source::Log, "errors") => MarkKind::Errors,
        (Source::Health, "unhealthy" | "degraded") => MarkKind::Ill,
        (Source::Health, "healthy") | (Source::Alert, "resolved") => MarkKind::Well,
        (Source::Operation, "done") => return None,
        (Source::Operation, "failed" | "unknown" | "rolled back")
        | (Source::Engine, "die" | "oom" | "kill" | "OOMKilling" | "Evicted" | "gone") => MarkKind::Ended,
        (Source::Operation, "scale" | "autoscale") | (Source::Engine, "scaled" | "SuccessfulRescale") => MarkKind::Scaled,
        (Source::Operation, _) | (Source::Engine, "image" | "revision" | "new" | "update" | "drift") => MarkKind::Changed,
        (Source::Engine, "start" | "restart" | "restarted" | "Started") => MarkKind::Began,
        (Source::Engine | Source::Alert | Source::Log | Source::Health, _) => return None,
    })
}
