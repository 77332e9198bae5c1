//! What is scraped, and the order its series come in.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::{Labels, TargetId};

use super::super::exposition::Kind;

/// One endpoint, and what is said of every series it has: `job`, `instance`, and what else tells it apart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Target {
    pub id: TargetId,
    pub labels: Labels,
}

/// The series of a target, each in its slot, under the names the endpoint gives them. While a target is scraped by one
/// scanner its layouts only grow: a series keeps its slot, also while it is not shown.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Layout {
    pub series: Vec<Labels>,
    /// What the families were said to be, by the name their series begin with.
    pub kinds: BTreeMap<Arc<str>, Kind>,
}

/// What one scrape has shown.
#[derive(Clone, Debug, PartialEq)]
pub struct Scan {
    pub layout: Arc<Layout>,
    /// By slot; [`super::ABSENT`] for a series that was not shown. Slots past its end were not shown either.
    pub values: Arc<[f64]>,
    /// Samples shown, each series once.
    pub samples: usize,
    /// Lines that are none of the format, and second samples of a series.
    pub unread: usize,
    /// Samples of series beyond what is kept of one target.
    pub left_out: usize,
}
