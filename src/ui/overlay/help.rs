//! Every key in force here, by group, made from the live keymap; and what the symbols mean.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::app::command::{COMMANDS, Group};
use crate::model::{Capability, Health};
use crate::theme::Role;

use super::super::scene::Scene;
use super::super::widget::panel;
use super::super::widget::{Page, Pen};
use super::{Cursor, look, on};

/// Columns of key and title.
const KEYS: u16 = 18;
const TITLE: u16 = 40;

pub fn draw(scene: &Scene<'_>, (scroll, filter): (usize, &str), room: Rect, buf: &mut Buffer) -> Cursor {
    let area = panel::middle(room, 110, room.height);
    let title = format!("Keys of {}", scene.view.screen.title());
    let inner = panel::draw(buf, area, &title, look(scene, scene.style(Role::Border)));
    let page = page(scene, filter);
    let head = u16::from(!filter.is_empty() && inner.height > 2);
    let body = Rect { y: inner.y + head, height: inner.height - head, ..inner };
    let (_, below) = page.draw(buf, body, scroll);
    if below > 0 {
        let last = Rect { y: area.bottom().saturating_sub(1), height: 1, ..area };
        Pen::new(buf, last, 0).skip(3).put(&format!(" ↓ {below} more "), on(scene, Role::Dim));
    }
    if head == 0 {
        return None;
    }
    let mut pen = Pen::new(buf, inner, 0);
    pen.put("find: ", on(scene, Role::Dim)).put(filter, on(scene, Role::Text));
    Some((pen.x(), inner.y))
}

fn page(scene: &Scene<'_>, filter: &str) -> Page {
    let wanted = filter.to_lowercase();
    let (text, dim, key) = (on(scene, Role::Text), on(scene, Role::Dim), on(scene, Role::Key));
    let mut page = Page::new();
    for group in [Group::Change, Group::Look, Group::Find, Group::Logs, Group::Mark, Group::Move, Group::Program] {
        let mut begun = false;
        for info in COMMANDS.iter().filter(|i| i.group == group) {
            let keys = scene.state.keys.keymap.keys_of(scene.context(), info.command).join(" ");
            let all = [info.name, info.title, info.doc, &keys];
            if keys.is_empty() || !all.iter().any(|t| t.to_lowercase().contains(&wanted)) {
                continue;
            }
            if !begun {
                begun = true;
                if !page.lines.is_empty() {
                    page.line();
                }
                page.line().add(group.title(), on(scene, Role::Heading));
            }
            let denied = match scene.capability(info.command) {
                Capability::Allowed => None,
                Capability::Denied(why) => Some(why),
            };
            page.line().add("  ", text);
            page.column(&keys, if denied.is_some() { dim } else { key }, KEYS);
            page.column(info.title, if denied.is_some() { dim } else { text }, TITLE);
            match denied {
                Some(why) => page.add(format!("not now: {why}"), dim),
                None => page.add(info.doc, dim),
            };
        }
    }
    if wanted.is_empty() {
        symbols(scene, &mut page);
    } else if page.lines.is_empty() {
        page.line().add("No key does anything of that name.", dim);
    }
    page
}

fn symbols(scene: &Scene<'_>, page: &mut Page) {
    let text = on(scene, Role::Text);
    page.line();
    page.line().add("Symbols", on(scene, Role::Heading));
    page.line().add("  ", text);
    use Health::{Degraded, Healthy, Starting, Stopped, Unhealthy, Unknown};
    for health in [Healthy, Starting, Degraded, Unhealthy, Stopped, Unknown] {
        let style = on(scene, Role::Text).patch(scene.theme.health(health));
        page.add(health.symbol(), style).add(format!(" {}   ", health.word()), text);
    }
    page.line().add("  ▸ selected   ◆ marked   ◈ both   ◌ not live   ~ estimated from the instances that were measured", text);
}
