//! A log line as data for scripts and files: the object the command line promises.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};

use super::fields::fields;
use super::{Level, LineView, Marker, parse};

/// Whose line it is.
#[derive(Clone, Copy, Debug)]
pub struct Owner<'a> {
    pub environment: &'a str,
    pub workload: &'a str,
    pub instance: &'a str,
}

/// A line, or what happened to the log in its place.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Data<'a> {
    Line {
        at: Timestamp,
        environment: &'a str,
        workload: &'a str,
        instance: &'a str,
        stream: &'static str,
        level: Option<&'static str>,
        message: Cow<'a, str>,
        fields: Map<String, Value>,
    },
    Marker {
        at: Timestamp,
        environment: &'a str,
        workload: &'a str,
        instance: &'a str,
        marker: &'static str,
        detail: String,
        /// Lines, where it is about some.
        count: Option<u64>,
    },
}

/// A line as data.
#[must_use]
pub fn data<'a>(owner: Owner<'a>, line: &LineView<'a>) -> Data<'a> {
    let (at, Owner { environment, workload, instance }) = (line.at, owner);
    if let Some(marker) = line.marker {
        let count = match marker {
            Marker::Dropped(count) => Some(*count),
            Marker::Reconnected(_) | Marker::Ended(_) | Marker::Waiting(_) | Marker::Begin => None,
        };
        return Data::Marker { at, environment, workload, instance, marker: marker.word(), detail: marker.detail(), count };
    }
    let parsed = parse(line);
    let (stream, level) = (line.stream.word(), line.level.map(Level::word));
    let fields = fields(line, &parsed);
    Data::Line { at, environment, workload, instance, stream, level, message: parsed.message, fields }
}
