//! Logs, pure: lines are decoded into immutable chunks off the loop, sanitised and masked there, and kept in a store
//! bounded by bytes.

mod access;
mod burst;
mod chunk;
mod data;
mod fields;
mod find;
mod format;
mod head;
mod json;
mod lens;
mod level;
mod logfmt;
mod parse;
mod query;
mod rates;
mod shapes;
mod store;
mod time;
mod trace;

use std::sync::Arc;

use jiff::Timestamp;

use crate::model::InstanceId;

pub use burst::{Burst, Turn};
pub use chunk::{Chunk, ChunkBuilder, Looks};
pub use data::{Data, Owner, data};
pub use find::{Found, find};
pub use format::Format;
pub use lens::{Lens, Names};
pub use level::Level;
pub use parse::{Parsed, parse, parse_text, pretty};
pub use query::{Highlight, Query, QueryError};
pub use rates::{Bucket, Rates, is_error};
pub use shapes::{Pattern, Patterns, shape};
pub use store::Store;
pub use trace::Hint;

/// Which of the two streams a line was written to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Stream {
    #[default]
    Stdout,
    Stderr,
}

impl Stream {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
        }
    }
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
    /// There is nothing to be read yet, or not now; the text says what is waited for.
    Waiting(Arc<str>),
    /// The log begins here: there is nothing older, or nothing older that was asked for.
    Begin,
}

impl Marker {
    /// The word for its kind.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Dropped(_) => "dropped",
            Self::Reconnected(_) => "reconnected",
            Self::Ended(_) => "ended",
            Self::Waiting(_) => "waiting",
            Self::Begin => "begin",
        }
    }

    /// What it tells, in words.
    #[must_use]
    pub fn detail(&self) -> String {
        match self {
            Self::Dropped(count) => format!("{count} lines dropped"),
            Self::Reconnected(text) | Self::Ended(text) | Self::Waiting(text) => text.to_string(),
            Self::Begin => "the log begins here".to_owned(),
        }
    }
}

/// Finished lines of one instance, immutable: what an engine's log feed hands over.
#[derive(Clone, Debug)]
pub struct LogBatch {
    pub instance: InstanceId,
    pub chunk: Arc<Chunk>,
    /// A page of history: of lines with the same time it goes before those held already.
    pub older: bool,
}

impl LogBatch {
    /// What has come after everything handed over before.
    #[must_use]
    pub fn new(instance: InstanceId, chunk: Arc<Chunk>) -> Self {
        Self { instance, chunk, older: false }
    }

    /// One of its lines; `seq` is its place in the batch.
    #[must_use]
    pub fn line(&self, index: usize) -> Option<LineView<'_>> {
        let line = self.chunk.get(index)?;
        Some(line.view(index as u64, &self.instance))
    }
}

/// One line as it is read from the store.
#[derive(Clone, Debug)]
pub struct LineView<'a> {
    /// Never reused: what selection and scrolling refer to. Grows within one instance, not over all of them.
    pub seq: u64,
    pub at: Timestamp,
    pub instance: &'a InstanceId,
    pub stream: Stream,
    /// What it says of itself; a line that goes on with another has none.
    pub level: Option<Level>,
    pub format: Format,
    /// It goes on with the line of its instance before it: a stack trace, or indented.
    pub continues: bool,
    /// Sanitised and masked, without the line end.
    pub text: &'a str,
    pub marker: Option<&'a Marker>,
    /// The colours and attributes the line gave itself; nothing for a line that something was masked in.
    pub looks: Looks<'a>,
}
