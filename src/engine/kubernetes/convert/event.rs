//! Events: what the timeline hears of, and what a pod's own warnings say of it.

use std::sync::Arc;

use jiff::Timestamp;

use super::object::Object;
use super::verdict::Warning;
use super::{Key, words};
use crate::engine::intern::Interner;
use crate::engine::kubernetes::watch::Kind;
use crate::engine::kubernetes::wire::around::Event;

/// What happened, as the server tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The event's own identity: it is told once, however often it is counted.
    pub uid: Arc<str>,
    /// What it is about: its kind, and where.
    pub kind: Arc<str>,
    pub about: Key,
    pub first: Timestamp,
    pub last: Timestamp,
    pub count: i64,
    pub warning: bool,
    pub reason: Arc<str>,
    pub message: Arc<str>,
}

impl Told {
    /// What it says of a pod.
    #[must_use]
    pub fn of_pod(&self) -> Option<Warning> {
        let message = self.message.clone();
        (self.warning && &*self.kind == "Pod").then(|| Warning {
            at: self.last,
            reason: self.reason.clone(),
            message,
            count: self.count,
        })
    }
}

/// An event as an object. One without any time is not told: nobody knows when it was.
pub fn object(_: Kind, event: &Event, key: &Key, interner: &mut Interner) -> Option<Object> {
    let first = event.first_timestamp.or(event.event_time).or(event.metadata.creation_timestamp)?;
    let last = event.series.last_observed_time.or(event.last_timestamp).unwrap_or(first).max(first);
    let about = &event.involved_object;
    let namespace = if about.namespace.is_empty() { key.namespace.clone() } else { interner.text(&about.namespace) };
    Some(Object::Event(Box::new(Told {
        uid: words(if event.metadata.uid.is_empty() { &event.metadata.name } else { &event.metadata.uid }),
        kind: interner.text(&about.kind),
        about: Key { namespace, name: interner.text(&about.name) },
        first,
        last,
        count: event.series.count.or(event.count).unwrap_or(1),
        warning: event.kind == "Warning",
        reason: interner.text(&event.reason),
        message: words(&event.message),
    })))
}
