//! Every command by name, and everything one can jump to.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::app::palette::{Offer, offers};
use crate::app::state::Palette;
use crate::theme::Role;

use super::super::scene::Scene;
use super::super::widget::Pen;
use super::super::widget::panel;
use super::{Cursor, input, look, on};

pub fn draw(scene: &Scene<'_>, palette: &Palette, room: Rect, buf: &mut Buffer) -> Cursor {
    let title = if palette.jump_only { "Jump to" } else { "Run or jump to" };
    let area = panel::middle(room, 100, 20.min(room.height));
    let inner = panel::draw(buf, area, title, look(scene, scene.style(Role::Accent)));
    let cursor = input(buf, inner, 0, &palette.input, on(scene, Role::Accent));
    let list = Rect { y: inner.y + 1, height: inner.height.saturating_sub(1), ..inner };
    let found = offers(scene.state, palette);
    let height = usize::from(list.height);
    let first = palette.selected.saturating_sub(height.saturating_sub(1));
    for ((at, offer), line) in found.iter().enumerate().skip(first).take(height).zip(0_u16..) {
        entry(scene, offer, at == palette.selected, (list, line), buf);
    }
    if found.is_empty() {
        Pen::new(buf, list, 1).put("Nothing of that name.", on(scene, Role::Dim));
    }
    cursor
}

/// One line: what it is called, with the letters that matched, what it does or why it cannot be done, its key.
fn entry(scene: &Scene<'_>, offer: &Offer, selected: bool, (area, line): (Rect, u16), buf: &mut Buffer) {
    let lit = |role| {
        let style = on(scene, if offer.denied.is_some() { Role::Disabled } else { role });
        if selected { style.patch(scene.theme.row(true, false, false)) } else { style }
    };
    if selected {
        buf.set_style(Rect { y: area.y + line, height: 1, ..area }.intersection(buf.area), lit(Role::Text));
    }
    let mut pen = Pen::new(buf, area, line);
    let key = offer.keys.first().map_or("", String::as_str);
    pen.put_at_end(key, lit(Role::Key)).put(if selected { "▸ " } else { "  " }, lit(Role::Text));
    let mut room = 36_u16;
    for (at, c) in (0_u32..).zip(offer.label.chars()) {
        let style = if offer.hits.binary_search(&at).is_ok() { lit(Role::Accent) } else { lit(Role::Text) };
        let before = pen.x();
        pen.put_in(c.encode_utf8(&mut [0; 4]), room, style);
        room = room.saturating_sub(pen.x() - before);
    }
    let doc = match (&offer.denied, offer.doc) {
        (Some(why), _) => why.as_ref(),
        (None, "") => offer.name,
        (None, doc) => doc,
    };
    pen.skip(2).to_at_least(area.x + 28).put(doc, lit(Role::Dim));
}
