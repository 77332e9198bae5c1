//! The lock of an environment as it is written on a cluster: where it lies, and what it says of its holder.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::{LockHolder, OperationId};
use crate::observe::text::clean;

/// The name of the Lease; of the `ConfigMap` where leases are forbidden.
pub const NAME: &str = "quarterdeck-lock";
/// The annotation that holds the holder as [`print()`] writes it.
pub const ANNOTATION: &str = "quarterdeck.io/lock";
/// Where the lock of an environment of all namespaces lies.
const EVERYWHERE: &str = "default";

/// The namespace the lock of an environment lies in; `of`: the environment's own, `None` for all of them.
#[must_use]
pub fn namespace(of: Option<&Arc<str>>) -> Arc<str> {
    of.cloned().unwrap_or_else(|| EVERYWHERE.into())
}

/// What is written; a field nobody knows yet does not make it unreadable.
#[derive(Debug, Serialize, Deserialize)]
struct Note {
    by: String,
    #[serde(default)]
    host: String,
    #[serde(default)]
    pid: u32,
    #[serde(default)]
    pid_started: u64,
    #[serde(default)]
    why: String,
    since: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    operation: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    request: Option<String>,
}

/// The text of the annotation.
#[must_use]
pub fn print(holder: &LockHolder) -> String {
    let note = Note {
        by: holder.by.to_string(),
        host: holder.host.to_string(),
        pid: holder.pid,
        pid_started: holder.pid_started,
        why: holder.why.to_string(),
        since: holder.since,
        operation: holder.operation.as_ref().map(ToString::to_string),
        request: holder.request.as_ref().map(ToString::to_string),
    };
    // Strings, numbers and a time: JSON can say them all.
    serde_json::to_string(&note).unwrap_or_default()
}

/// The holder an annotation names, sanitised; `None` for what is no lock of ours.
#[must_use]
pub fn parse(text: &str) -> Option<LockHolder> {
    let note: Note = serde_json::from_str(text).ok()?;
    let words = |text: &str| Arc::from(&*clean(text));
    Some(LockHolder {
        by: words(&note.by),
        host: words(&note.host),
        pid: note.pid,
        pid_started: note.pid_started,
        why: words(&note.why),
        since: note.since,
        operation: note.operation.as_deref().map(|id| OperationId(words(id))),
        request: note.request.as_deref().map(words),
    })
}

/// Whether a lock is that of `holder`: an operation's lock is its own wherever it goes on, one taken by hand is the one
/// taken by that person at that moment.
#[must_use]
pub fn is_of(written: &LockHolder, holder: &LockHolder) -> bool {
    let same_person = written.by == holder.by && written.since == holder.since;
    written.operation == holder.operation && (holder.operation.is_some() || same_person)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holder(by: &str, since: i64, operation: Option<&str>) -> LockHolder {
        LockHolder {
            by: by.into(),
            host: "desk".into(),
            pid: 7,
            pid_started: 99,
            why: "deploy api".into(),
            since: Timestamp::from_second(since).unwrap(),
            operation: operation.map(OperationId::from),
            request: operation.map(|_| r#"{"do":"deploy","image":"a:1"}"#.into()),
        }
    }

    #[test]
    fn what_is_written_is_read_again_and_anything_else_is_no_lock() {
        for one in [holder("ada@desk", 1, Some("op-1")), holder("bob@desk", 2, None)] {
            assert_eq!(parse(&print(&one)), Some(one));
        }
        for text in ["", "7", "{}", r#"{"by":"ada"}"#, r#"{"by":"ada","since":"yesterday"}"#] {
            assert_eq!(parse(text), None, "{text}");
        }
        let later = r#"{"by":"ada\u001b[2J","since":"2026-11-21T00:00:00Z","colour":"red"}"#;
        assert_eq!(&*parse(later).unwrap().by, "ada", "made by a later version, and not to be trusted");
    }

    #[test]
    fn a_lock_is_its_operations_or_its_persons() {
        for (written, asks, expected) in [
            (holder("ada", 1, Some("op-1")), holder("bob", 2, Some("op-1")), true),
            (holder("ada", 1, Some("op-1")), holder("ada", 1, Some("op-2")), false),
            (holder("ada", 1, Some("op-1")), holder("ada", 1, None), false),
            (holder("ada", 1, None), holder("ada", 1, None), true),
            (holder("ada", 1, None), holder("ada", 2, None), false),
            (holder("ada", 1, None), holder("ada", 1, Some("op-1")), false),
        ] {
            assert_eq!(is_of(&written, &asks), expected, "{written:?} asked by {asks:?}");
        }
    }
}
