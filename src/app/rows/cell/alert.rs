//! The cells of alerts.

use crate::app::format::{age, figure};
use crate::app::rows::{Cell, Column, Tone};
use crate::app::state::State;
use crate::model::{Alert, AlertState, EnvironmentId, Severity};

pub(super) fn cell(state: &State, environment: &EnvironmentId, alert: &Alert, column: Column) -> Cell {
    match column {
        Column::State => standing(alert),
        Column::Name => Cell::toned(alert.name.to_string(), Tone::Strong),
        Column::Environment => Cell::plain(state.name_of(environment)),
        Column::Severity => match (alert.labels.get("severity"), alert.severity()) {
            ("", _) => Cell::unknown(),
            (word, Severity::Critical) => Cell::toned(word, Tone::Bad),
            (word, Severity::Warning | Severity::Info) => Cell::plain(word),
        },
        Column::Age => alert.since.map_or_else(Cell::unknown, |at| Cell::plain(age(state.now, at))),
        Column::Value => alert.value.map_or_else(Cell::unknown, |value| Cell::plain(figure(value))),
        Column::Detail => match &alert.silence {
            Some(silence) => Cell::dim(format!("silenced by {}: {}", silence.by, silence.why)),
            None if alert.state == AlertState::Inactive => Cell::dim(alert.expression.to_string()),
            None => Cell::plain(alert.words()),
        },
        _ => Cell::unknown(),
    }
}

/// `▲ firing`, `▲ silenced`.
fn standing(alert: &Alert) -> Cell {
    let symbol = alert.state.symbol();
    match alert.state {
        AlertState::Firing | AlertState::Pending if alert.silence.is_some() => Cell::dim(format!("{symbol} silenced")),
        AlertState::Firing => Cell::toned(format!("{symbol} firing"), Tone::Bad),
        AlertState::Pending => Cell::toned(format!("{symbol} pending"), Tone::Warn),
        AlertState::Resolved => Cell::toned(format!("{symbol} resolved"), Tone::Good),
        AlertState::Inactive => Cell::dim(format!("{symbol} inactive")),
    }
}
