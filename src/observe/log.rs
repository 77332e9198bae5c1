//! Logs, pure: lines are decoded into immutable chunks off the loop, sanitised there, and kept in a store bounded by bytes.

use std::sync::Arc;

use jiff::Timestamp;

use crate::model::InstanceId;

/// Which of the two streams a line was written to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Stream {
    #[default]
    Stdout,
    Stderr,
}

/// How bad a line says it is, mild first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    Trace,
    Debug,
    Info,
    Warn,
    Error,
    Fatal,
}

/// A line that is not log text but says what happened to the log itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Marker {
    /// This many lines were dropped here.
    Dropped(u64),
    /// The connection was lost and taken up again; the text says when and that nothing was lost (or what).
    Reconnected(Arc<str>),
    /// The instance has ended.
    Ended(Arc<str>),
}

/// Finished lines of one instance, immutable: what an engine's log feed hands over.
#[derive(Clone, Debug)]
pub struct LogBatch {
    pub instance: InstanceId,
    pub chunk: Arc<Chunk>,
}

/// Finished lines, sanitised, in order.
#[derive(Debug, Default)]
pub struct Chunk {}

/// One line as it is read from the store.
#[derive(Clone, Debug)]
pub struct LineView<'a> {
    /// Grows by one per line and is never reused: what selection and scrolling refer to.
    pub seq: u64,
    pub at: Timestamp,
    pub instance: &'a InstanceId,
    pub stream: Stream,
    pub level: Option<Level>,
    pub text: &'a str,
    pub marker: Option<&'a Marker>,
}

/// Bounded by bytes: the oldest chunk goes first; what went is counted.
#[derive(Debug)]
pub struct Store {}
