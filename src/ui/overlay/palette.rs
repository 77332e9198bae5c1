//! Every command by name, and everything one can jump to.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::app::command::COMMANDS;
use crate::app::state::Palette;
use crate::model::Capability;
use crate::theme::Role;

use super::super::scene::Scene;
use super::super::widget::Pen;
use super::super::widget::panel;
use super::{Cursor, input, look, on};

pub fn draw(scene: &Scene<'_>, palette: &Palette, room: Rect, buf: &mut Buffer) -> Cursor {
    let title = if palette.jump_only { "Jump to" } else { "Run or jump to" };
    let area = panel::middle(room, 90, 20.min(room.height));
    let inner = panel::draw(buf, area, title, look(scene, scene.style(Role::Accent)));
    let cursor = input(buf, inner, 0, &palette.input, on(scene, Role::Accent));
    let list = Rect { y: inner.y + 1, height: inner.height.saturating_sub(1), ..inner };
    let wanted = palette.input.text.to_lowercase();
    let found: Vec<_> = COMMANDS.iter().filter(|i| i.title.contains(&wanted) || i.name.contains(&wanted)).collect();
    let height = usize::from(list.height);
    let first = palette.selected.saturating_sub(height.saturating_sub(1));
    for ((at, info), line) in found.iter().enumerate().skip(first).take(height).zip(0_u16..) {
        let denied = matches!(scene.capability(info.command), Capability::Denied(_));
        entry(scene, (info.title, info.doc, &scene.key(info.command)), (at == palette.selected, denied), (list, line), buf);
    }
    if found.is_empty() {
        Pen::new(buf, list, 1).put("Nothing of that name.", on(scene, Role::Dim));
    }
    cursor
}

/// One line: what it is called, what it does, its key.
fn entry(
    scene: &Scene<'_>,
    (title, doc, key): (&str, &str, &str),
    (selected, denied): (bool, bool),
    (area, line): (Rect, u16),
    buf: &mut Buffer,
) {
    let lit = |role| {
        let style = on(scene, if denied { Role::Disabled } else { role });
        if selected { style.patch(scene.theme.row(true, false, false)) } else { style }
    };
    if selected {
        buf.set_style(Rect { y: area.y + line, height: 1, ..area }.intersection(buf.area), lit(Role::Text));
    }
    let mut pen = Pen::new(buf, area, line);
    pen.put_at_end(key, lit(Role::Key)).put(if selected { "▸ " } else { "  " }, lit(Role::Text));
    pen.put_in(title, 28, lit(Role::Text)).to(area.x + 32).put(doc, lit(Role::Dim));
}
