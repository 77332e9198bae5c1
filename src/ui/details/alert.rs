//! An alert: what it says, what it is evaluated from, who has silenced it.

use ratatui::style::Style;

use crate::app::format::{figure, moment};
use crate::model::{Alert, AlertState, EnvironmentId};
use crate::theme::Role;
use crate::ui::scene::Scene;
use crate::ui::widget::Page;
use crate::ui::widget::text::cells;

use super::fact;

pub fn write(scene: &Scene<'_>, environment: &EnvironmentId, alert: &Alert, width: u16, page: &mut Page) {
    let (text, dim) = (scene.style(Role::Text), scene.style(Role::Dim));
    let tone = match alert.state {
        AlertState::Firing => Role::Bad,
        AlertState::Pending => Role::Warn,
        AlertState::Resolved | AlertState::Inactive => Role::Text,
    };
    if alert.state != AlertState::Inactive {
        page.wrapped(&alert.words(), scene.style(tone), 0, width, 6);
    }
    let since = alert.since.map_or_else(String::new, |at| format!(" since {}", moment(scene.state.now, at, 0)));
    let value = alert.value.map_or_else(String::new, |value| format!(", value {}", figure(value)));
    fact(page, "state", &format!("{}{since}{value}", alert.state.word()), (text, dim));
    if let Some(silence) = &alert.silence {
        let until = moment(scene.state.now, silence.until, 0);
        fact(page, "silenced", &format!("until {until} by {}: {}", silence.by, silence.why), (text, dim));
    }
    if let Some(workload) = scene.state.workload_of_alert(environment, alert) {
        fact(page, "workload", workload.as_str(), (text, dim));
    }
    long(page, "rule", &alert.expression, width, (text, dim));
    fact(page, "labels", &alert.labels.to_string(), (text, dim));
    for (name, value) in alert.annotations.iter() {
        if **value != *alert.words() {
            long(page, name, value, width, (text, dim));
        }
    }
    fact(page, "source", alert.source.word(), (text, dim));
}

/// A name and a value that may take several lines.
fn long(page: &mut Page, name: &str, value: &str, width: u16, styles: (Style, Style)) {
    if cells(value) + 12 < width && !value.contains('\n') {
        return fact(page, name, value, styles);
    }
    page.line().add(name, styles.1);
    page.wrapped(value.trim_end(), styles.0, 10, width, 6);
}
