//! The body: the screen's own region, or why there is nothing to show; dimmed, never emptied, when the feed is not live.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::app::state::Screen;
use crate::theme::Role;

use super::scene::Scene;
use super::{describe, list, logs, notice};

pub fn draw(scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    if missing(scene, area, buf) {
        return;
    }
    match scene.view.screen {
        Screen::Fleet
        | Screen::Workloads
        | Screen::Instances
        | Screen::Health
        | Screen::Metrics
        | Screen::Alerts
        | Screen::Timeline
        | Screen::Operations
        | Screen::Revisions => list::draw(scene, buf),
        Screen::Logs => logs::draw(scene, area, buf),
        Screen::Describe => describe::draw(scene, area, buf),
    }
    if !scene.is_fresh() {
        // Old is still worth reading: every word stays, only the colours go.
        buf.set_style(area.intersection(buf.area), scene.style(Role::Stale));
    }
}

/// Says why nothing can be shown; tells whether that is so.
fn missing(scene: &Scene<'_>, area: Rect, buf: &mut Buffer) -> bool {
    let state = scene.state;
    if matches!(scene.view.screen, Screen::Alerts | Screen::Timeline | Screen::Operations) {
        return false;
    }
    if let Some(connection) = scene.connection {
        return notice::of_link(scene, connection, area, buf);
    }
    let mut all = state.connections.values();
    match (all.next(), all.next()) {
        (None, _) => {
            let headline = ("No engine is configured and none was found", scene.style(Role::Warn));
            let what =
                "Set DOCKER_HOST, start Docker, or write a quarterdeck.toml (qd config init). qd demo needs no engine at all.";
            notice::draw(scene, area, buf, headline, &[what]);
            true
        }
        (Some(only), None) => notice::of_link(scene, only, area, buf),
        (Some(_), Some(_)) => false,
    }
}
