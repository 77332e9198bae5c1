//! Rows from state: what a list holds, in which order, and what its cells say. The interface draws what this says.

mod cell;
mod columns;
mod filter;
mod note;
mod order;
mod sort;
mod subject;

use std::sync::Arc;

use super::state::{RowId, Screen, State, View};
use crate::model::{Health, Tier};

pub use cell::cell;
pub use columns::{columns, title};
pub(in crate::app) use filter::contains;
pub use filter::{Filter, filter_error};
pub use note::note;
pub(in crate::app) use order::refresh;
pub use order::{Listed, default_sort, order};
pub(in crate::app) use sort::first_direction;
pub use subject::{Subject, label, subject};

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
    Alerts,
    Requests,
    Errors,
    Revision,
    Image,
    Cpu,
    CpuTrend,
    Memory,
    MemoryLimit,
    Node,
    Ip,
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
    Severity,
    Value,
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

/// How many rows the list would have without its filter.
#[must_use]
pub fn total(state: &State, view: &View) -> usize {
    if view.table.filter.is_empty() { order(state, view).len() } else { order::candidates(state, view).len() }
}

/// The row's place in the order, looked for first where it was last seen.
#[must_use]
pub fn index_of(rows: &Arc<[RowId]>, row: &RowId, hint: usize) -> Option<usize> {
    if rows.get(hint) == Some(row) { Some(hint) } else { rows.iter().position(|r| r == row) }
}

/// Whether the screen is a list of rows.
#[must_use]
pub fn is_list(screen: Screen) -> bool {
    !columns(screen).is_empty()
}

/// Whether the column shows a measured figure, which changes without anything else changing.
#[must_use]
pub fn is_figure(column: Column) -> bool {
    matches!(
        column,
        Column::Cpu | Column::CpuTrend | Column::Memory | Column::MemoryLimit | Column::Net | Column::Block | Column::Pids
    )
}
