//! The last line: what was just said, or the keys that apply here, those that do not dimmed.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::app::Command;
use crate::app::available::footer;
use crate::app::state::{Overlay, Screen};
use crate::model::Capability;
use crate::theme::Role;

use super::scene::Scene;
use super::widget::Pen;
use super::widget::text::cells;

pub fn draw(scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    let style = (scene.style(Role::Key), scene.style(Role::Dim));
    let mut pen = Pen::new(buf, area, 0);
    pen.skip(1);
    if let Some(overlay) = scene.state.overlays.last() {
        for (key, title) in of_overlay(overlay) {
            entry(&mut pen, key, title, style);
        }
        return;
    }
    if let Some(message) = scene.state.messages.back() {
        let (symbol, role) = if message.ok { ("✔ ", Role::Good) } else { ("✖ ", Role::Bad) };
        pen.put(symbol, scene.style(role)).put(&message.text, scene.style(Role::Text));
        return;
    }
    // Help and quit have their place whatever else is cut.
    for command in [Command::Help, Command::Palette] {
        let (key, title) = (scene.key(command), command.info().map_or("", |i| i.title));
        if !key.is_empty() && pen.left() > 12 {
            pen.put_at_end(title, style.1).put_at_end(&key, style.0);
        }
    }
    let denied = scene.style(Role::Disabled);
    for command in footer(scene.state).into_iter().filter(|c| !matches!(c, Command::Help | Command::Palette)) {
        let key = scene.key(command);
        let title = match command {
            Command::Filter if scene.view.screen == Screen::Logs => "search",
            _ => command.info().map_or("", |i| i.title),
        };
        if key.is_empty() || pen.left() < cells(&key) + cells(title) + 1 {
            continue;
        }
        match scene.capability(command) {
            Capability::Allowed => entry(&mut pen, &key, title, style),
            Capability::Denied(_) => entry(&mut pen, &key, title, (denied, denied)),
        }
    }
}

fn entry(pen: &mut Pen<'_>, key: &str, title: &str, (bright, dim): (Style, Style)) {
    pen.put(key, bright).skip(1).put(title, dim).skip(2);
}

/// Keys of what lies on top: they are not in the keymap, because everything else there is text.
fn of_overlay(overlay: &Overlay) -> &'static [(&'static str, &'static str)] {
    match overlay {
        Overlay::Help { .. } => &[("type", "to find a key"), ("↑ ↓", "scroll"), ("esc", "close")],
        Overlay::Palette(_) => &[("type", "to find"), ("↑ ↓", "select"), ("enter", "run"), ("esc", "close")],
        Overlay::Confirm(_) => &[("enter", "start"), ("↑ ↓", "scroll"), ("esc", "leave, change nothing")],
        Overlay::Prompt(_) => &[("enter", "accept"), ("esc", "leave")],
        Overlay::Menu(_) => &[("↑ ↓", "select"), ("enter", "choose"), ("esc", "close")],
        Overlay::Changes { .. } => &[("↑ ↓", "select"), ("enter", "open"), ("esc", "close")],
        Overlay::Patterns { .. } => &[("↑ ↓", "select"), ("enter", "go to the newest line"), ("esc", "close")],
        Overlay::Quit => &[("s w a l", "answer"), ("esc", "stay")],
        Overlay::Text { .. } => &[("↑ ↓", "scroll"), ("c", "copy"), ("esc", "close")],
    }
}
