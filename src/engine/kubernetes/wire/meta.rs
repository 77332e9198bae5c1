//! What all objects have in common, and the frames they come in.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;

use super::{Loose, loose, wire};

wire! {
    /// An object's own words for itself.
    Meta {
        name: String,
        namespace: String,
        uid: String,
        resource_version: String,
        generation: Option<i64>,
        creation_timestamp: Option<Timestamp>,
        deletion_timestamp: Option<Timestamp>,
        labels: BTreeMap<String, String>,
        annotations: BTreeMap<String, String>,
        owner_references: Vec<Owner>,
    }

    /// Who an object belongs to.
    Owner { kind: String, name: String, uid: String, controller: bool }

    /// Where a list stands.
    ListMeta { resource_version: String, next: String = "continue" }

    /// One of an object's conditions.
    Condition {
        kind: String = "type",
        status: String,
        reason: String,
        message: String,
        last_transition_time: Option<Timestamp>,
    }

    /// What the server says instead of an object.
    Status { code: Option<i64>, reason: String, message: String }
}

impl Meta {
    /// Who controls it.
    #[must_use]
    pub fn owner(&self) -> Option<&Owner> {
        self.owner_references.iter().find(|o| o.controller).or(self.owner_references.first())
    }
}

/// A page of a list.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound = "T: Loose")]
pub struct List<T: Loose> {
    #[serde(deserialize_with = "loose")]
    pub metadata: ListMeta,
    #[serde(deserialize_with = "loose")]
    pub items: Vec<T>,
}

/// A line of a watch.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound = "T: Loose")]
pub struct Line<T: Loose> {
    #[serde(rename = "type", deserialize_with = "loose")]
    pub kind: String,
    #[serde(deserialize_with = "loose")]
    pub object: T,
}

/// The condition of this kind.
#[must_use]
pub fn condition<'a>(all: &'a [Condition], kind: &str) -> Option<&'a Condition> {
    all.iter().find(|c| c.kind == kind)
}
