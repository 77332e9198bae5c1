//! Rows from state: what a list holds, in which order, and what its cells say. The interface draws what this says.

use super::state::{RowId, Screen, State, View};
use crate::model::{Health, Tier};

/// A column of any list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Column {
    Name,
    Tier,
    Engine,
    Feed,
    Kind,
    Ready,
    State,
    Health,
    Unhealthy,
    Revision,
    Image,
    Cpu,
    CpuTrend,
    Memory,
    MemoryLimit,
    Net,
    Block,
    Pids,
    Ports,
    Restarts,
    Age,
    LastOperation,
    Lock,
    Digest,
    At,
    By,
    Cause,
    Subject,
    Source,
    What,
    Detail,
    Outcome,
    Duration,
    Environment,
}

/// How a column is laid out.
#[derive(Clone, Copy, Debug)]
pub struct ColumnSpec {
    pub column: Column,
    /// The heading, upper case.
    pub title: &'static str,
    /// Cells it needs at least.
    pub width: u16,
    /// Takes what is left over.
    pub grows: bool,
    pub right: bool,
    /// When the screen is narrow the highest rank goes first; 0 never goes.
    pub rank: u8,
}

/// What a cell means, for the theme: never a colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    #[default]
    Plain,
    Dim,
    Strong,
    Good,
    Warn,
    Bad,
    Health(Health),
    Tier(Tier),
}

/// What a cell says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cell {
    pub text: String,
    pub tone: Tone,
    /// Values of a sparkline drawn after the text, oldest first, scaled by the widget.
    pub spark: Option<Vec<f64>>,
}

/// The columns of a screen that is a list; empty for the others.
#[must_use]
pub fn columns(_screen: Screen) -> &'static [ColumnSpec] {
    &[]
}

/// The rows of the view, filtered and sorted.
#[must_use]
pub fn order(_state: &State, _view: &View) -> Vec<RowId> {
    Vec::new()
}

/// What a cell says.
#[must_use]
pub fn cell(_state: &State, _row: &RowId, _column: Column) -> Cell {
    Cell::default()
}

/// The reason line under a row that is not well: `CrashLoop, exit 1 four times; last line …`.
#[must_use]
pub fn note(_state: &State, _row: &RowId) -> Option<String> {
    None
}
