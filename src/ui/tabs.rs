//! The second line: the screens, and what the list on this one shows.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::app::Command;
use crate::app::layout;
use crate::theme::Role;

use super::scene::Scene;
use super::widget::Pen;
use super::widget::text::cells;

pub fn draw(scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    let said = layout::summary(scene.state);
    let tabs =
        layout::tabs(area.width, layout::summary_room(area.width, &said), scene.view.screen, |s| scene.key(Command::Go(s)));
    let end = tabs.last().map_or(0, |t| t.x + t.width);
    let (dim, key, active) = (scene.style(Role::Tab), scene.style(Role::Tab), scene.style(Role::TabActive));
    for tab in &tabs {
        let here = tab.screen == scene.view.screen;
        let (key, title) = if here { (active, active) } else { (key, dim) };
        let mut pen = Pen::new(buf, area, 0);
        pen.to(area.x + tab.x).put(&tab.key, key);
        if !tab.title.is_empty() {
            pen.put(if tab.key.is_empty() { "" } else { " " }, title).put(tab.title, title);
        }
    }
    let room = area.width.saturating_sub(end + 3);
    if room >= 6 {
        let width = cells(&said).min(room);
        Pen::new(buf, area, 0).to(area.right() - 1 - width).put_in(&said, width, scene.style(Role::Dim));
    }
}
