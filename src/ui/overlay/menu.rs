//! One of several: what cannot be chosen is dimmed and says why.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::app::state::Menu;
use crate::theme::Role;

use super::super::scene::Scene;
use super::super::widget::Pen;
use super::super::widget::panel;
use super::super::widget::text::cells;
use super::{Cursor, look, on};

pub fn draw(scene: &Scene<'_>, menu: &Menu, room: Rect, buf: &mut Buffer) -> Cursor {
    let widest = menu
        .entries
        .iter()
        .map(|e| cells(&e.label) + e.denied.as_ref().map_or(0, |d| cells(d) + 3))
        .chain([cells(&menu.title)])
        .max()
        .unwrap_or(0);
    let tall = u16::try_from(menu.entries.len()).unwrap_or(u16::MAX).saturating_add(2);
    let area = panel::middle(room, widest.saturating_add(12).clamp(36, 110), tall);
    let inner = panel::draw(buf, area, &menu.title, look(scene, scene.style(Role::Border)));
    let height = usize::from(inner.height);
    let first = menu.selected.saturating_sub(height.saturating_sub(1));
    for (line, (at, entry)) in (0_u16..).zip(menu.entries.iter().enumerate().skip(first).take(height)) {
        let selected = at == menu.selected;
        let text = if entry.denied.is_some() { on(scene, Role::Disabled) } else { on(scene, Role::Text) };
        let text = if selected { text.patch(scene.theme.row(true, false, false)) } else { text };
        if selected {
            buf.set_style(Rect { y: inner.y + line, height: 1, ..inner }, text);
        }
        let mut pen = Pen::new(buf, inner, line);
        pen.put(if selected { "▸ " } else { "  " }, text);
        let key = entry.key.map(String::from).unwrap_or_default();
        pen.put_in(&key, 2, if entry.denied.is_some() || selected { text } else { on(scene, Role::Key) });
        pen.to(inner.x + 5).put(&entry.label, text);
        if let Some(why) = &entry.denied {
            pen.put("   ", text).put(why, text);
        }
    }
    None
}
