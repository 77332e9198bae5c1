//! Every key in force here, by group, made from the live keymap; and what the symbols mean.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::app::help;
use crate::model::Health;
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
    let (text, dim, key) = (on(scene, Role::Text), on(scene, Role::Dim), on(scene, Role::Key));
    let mut page = Page::new();
    for line in help::lines(scene.state) {
        match line {
            help::Line::Heading(title) => {
                if !page.lines.is_empty() {
                    page.line();
                }
                page.line().add(title, on(scene, Role::Heading));
            }
            help::Line::Command { info, keys, denied } => {
                let (key, text) = if denied.is_some() { (dim, dim) } else { (key, text) };
                page.line().add("  ", text);
                page.column(&keys.join(" "), key, KEYS).column(info.title, text, TITLE);
                match denied {
                    Some(why) => page.add(format!("not now: {why}"), dim),
                    None => page.add(info.doc, dim),
                };
            }
        }
    }
    if filter.is_empty() {
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
    for health in [Health::Healthy, Health::Starting, Health::Degraded, Health::Unhealthy, Health::Stopped, Health::Unknown] {
        let style = on(scene, Role::Text).patch(scene.theme.health(health));
        page.add(health.symbol(), style).add(format!(" {}   ", health.word()), text);
    }
    page.line().add("  ▸ selected   ◆ marked   ◈ both   ◌ not live   ~ estimated from the instances that were measured", text);
}
