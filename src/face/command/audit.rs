//! `qd audit`: everything that was changed from here, by whom, and how it ended.

use std::collections::VecDeque;

use jiff::Timestamp;

use crate::app::format;
use crate::app::state::past::outcome_word;
use crate::cli::{Audit, Tail};
use crate::operate::audit::{Phase, Record};
use crate::runtime::journal::Journal;

use super::output::{Format, Grid, Out, say};
use super::{Exit, Failure, Result};

/// Records shown unless told otherwise, as a table.
const TABLE_ROWS: usize = 200;

/// Runs it.
///
/// # Errors
/// When the journal cannot be read, or standard output is closed.
pub fn run(journal: &Journal, environment: Option<&str>, out: &mut Out, arguments: &Audit) -> Result<Exit> {
    let since = arguments.since.map(|s| s.moment(Timestamp::now()));
    let bound = match (arguments.tail, out.format) {
        (Some(Tail::Last(n)), _) => usize::try_from(n).unwrap_or(usize::MAX),
        (Some(Tail::All), _) | (None, Format::Json | Format::Ndjson) => usize::MAX,
        (None, Format::Table) => TABLE_ROWS,
    };
    let mut records: VecDeque<Record> = VecDeque::new();
    let unreadable = journal
        .read(|record| {
            if since.is_none_or(|s| record.at >= s) && environment.is_none_or(|e| *record.environment == *e) {
                records.push_back(record);
                if records.len() > bound {
                    records.pop_front();
                }
            }
            true
        })
        .map_err(|error| Failure::failed(format!("the audit log {} cannot be read: {error}", journal.file().display())))?;
    let records = records.make_contiguous();
    out.list(records, table)?;
    if unreadable > 0 {
        say(&format!("{unreadable} lines of the audit log could not be read"));
    }
    Ok(Exit::Done)
}

fn table(records: &[Record]) -> Grid {
    let mut grid = Grid::new(&["AT", "BY", "ENVIRONMENT", "OPERATION", "TARGET", "PHASE", ">TOOK", "WHAT"]);
    for record in records {
        let what = match record.phase {
            Phase::Started => record.plan.as_ref().map(|p| p.title.to_string()),
            Phase::Step => record.step.as_ref().map(|s| format!("{} {}", s.name, s.detail)),
            Phase::Ended => record.outcome.as_ref().map(|o| {
                let detail = record.detail.as_deref().map(|d| format!(": {d}")).unwrap_or_default();
                format!("{}{detail}", outcome_word(o))
            }),
        };
        let phase = match record.phase {
            Phase::Started => "started",
            Phase::Step => "step",
            Phase::Ended => "ended",
        };
        grid.row([
            format!("{:.0}", record.at),
            format!("{}@{}", record.by, record.host),
            record.environment.to_string(),
            record.kind.to_string(),
            record.target.to_string(),
            phase.to_owned(),
            record.duration_ms.map(format::millis).unwrap_or_default(),
            what.unwrap_or_default(),
        ]);
    }
    grid
}
