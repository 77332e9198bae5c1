//! The which-key strip: what may follow the keys typed so far.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::app::Command;
use crate::keymap::Lookup;
use crate::theme::Role;

use super::scene::Scene;
use super::widget::Pen;
use super::widget::text::cells;

/// Cells of one entry.
const WIDE: u16 = 24;

pub fn draw(scene: &Scene<'_>, body: Rect, buf: &mut Buffer) {
    let keys = &scene.state.keys;
    if keys.pending.is_empty() || body.is_empty() {
        return;
    }
    let Lookup::Pending(next) = keys.keymap.lookup(scene.context(), &keys.pending) else { return };
    let columns = (body.width / WIDE).max(1);
    let count = u16::try_from(next.len()).unwrap_or(u16::MAX);
    let lines = (count.div_ceil(columns) + 1).min(body.height);
    let area = Rect { y: body.bottom() - lines, height: lines, ..body };
    let surface = scene.style(Role::Overlay);
    for line in 0..lines {
        Pen::new(buf, area, line).fill(" ", surface);
    }
    let typed: String = keys.pending.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    Pen::new(buf, area, 0).skip(1).put(&typed, surface.patch(scene.style(Role::Key))).put(" …", surface);
    for (at, (chord, command)) in next.iter().enumerate() {
        let at = u16::try_from(at).unwrap_or(u16::MAX);
        let (column, line) = (at % columns, at / columns + 1);
        let cell = Rect { x: area.x + column * WIDE, width: WIDE.min(area.width), ..area };
        let title = command.and_then(Command::info).map_or("…", |i| i.title);
        let key = chord.to_string();
        let room = WIDE.saturating_sub(cells(&key) + 4);
        Pen::new(buf, cell, line)
            .skip(2)
            .put(&key, surface.patch(scene.style(Role::Key)))
            .put(" ", surface)
            .put_in(title, room, surface);
    }
}
