//! An alert: what it says, what it is evaluated from, who has silenced it.

use crate::app::format::{figure, moment};
use crate::model::{Alert, AlertState, EnvironmentId};
use crate::theme::Role;
use crate::ui::scene::Scene;
use crate::ui::widget::Page;

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
    page.line().column("rule", dim, 10);
    page.wrapped(&alert.expression, text, 10, width, 4);
    fact(page, "labels", &alert.labels.to_string(), (text, dim));
    for (name, value) in alert.annotations.iter() {
        page.line().column(name, dim, 10);
        page.wrapped(value, text, 10, width, 4);
    }
    fact(page, "source", alert.source.word(), (text, dim));
}
