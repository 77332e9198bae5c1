//! What lies over the screen; only the topmost is drawn.

mod changes;
mod confirm;
mod help;
mod menu;
mod palette;
mod patterns;
mod prompt;
mod quit;

use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::app::layout::Frame;
use crate::app::state::{Input, Overlay};
use crate::observe::text::{clean, width};
use crate::theme::Role;

use super::rect;
use super::scene::Scene;
use super::widget::panel::{self, Look};
use super::widget::{Page, Pen};

/// Where the terminal's cursor goes.
pub type Cursor = Option<(u16, u16)>;

/// Draws the topmost overlay.
pub fn draw(scene: &Scene<'_>, parts: &Frame, buf: &mut Buffer) -> Cursor {
    let overlay = scene.state.overlays.last()?;
    // On a screen too small for a footer the overlay has all of it.
    let body = rect(parts.body);
    let room = if body.height < 6 { buf.area } else { body };
    match overlay {
        Overlay::Help { scroll, filter } => help::draw(scene, (*scroll, filter), room, buf),
        Overlay::Palette(palette) => palette::draw(scene, palette, room, buf),
        Overlay::Confirm(confirm) => confirm::draw(scene, confirm, room, buf),
        Overlay::Prompt(prompt) => prompt::draw(scene, prompt, room, rect(parts.footer), buf),
        Overlay::Menu(menu) => menu::draw(scene, menu, room, buf),
        Overlay::Patterns { selected, since } => patterns::draw(scene, (*selected, *since), room, buf),
        Overlay::Changes { changes, selected } => changes::draw(scene, (changes, *selected), room, buf),
        Overlay::Quit => quit::draw(scene, room, buf),
        Overlay::Text { title, lines, scroll } => {
            text(scene, title, lines, *scroll, room, buf);
            None
        }
    }
}

/// How a panel looks; `frame` in the tier's colour where it asks something about an environment.
fn look(scene: &Scene<'_>, frame: Style) -> Look {
    let surface = scene.style(Role::Overlay);
    Look { surface, frame: surface.patch(frame), title: surface.patch(scene.style(Role::Strong)) }
}

/// A style on a panel's surface.
fn on(scene: &Scene<'_>, role: Role) -> Style {
    let (surface, style) = (scene.style(Role::Overlay), scene.style(role));
    // The ground of plain text is the screen's, not the panel's.
    let ground = if style.bg == scene.style(Role::Text).bg { surface.bg } else { style.bg };
    Style { bg: ground.or(surface.bg), ..surface.patch(style) }
}

fn text(scene: &Scene<'_>, title: &str, lines: &[Arc<str>], scroll: usize, room: Rect, buf: &mut Buffer) {
    let mut page = Page::new();
    let area = panel::middle(room, 100, room.height);
    let mut first = 0;
    for (at, line) in lines.iter().enumerate() {
        // Scrolled by lines as they came, however many they take here.
        if at == scroll {
            first = page.lines.len();
        }
        if line.trim().is_empty() {
            page.line();
        } else {
            page.wrapped(line, on(scene, Role::Text), 0, area.width.saturating_sub(4), 40);
        }
    }
    let tall = u16::try_from(page.lines.len()).unwrap_or(u16::MAX).saturating_add(2);
    let area = panel::middle(room, 100, tall);
    let inner = panel::draw(buf, area, title, look(scene, scene.style(Role::Border)));
    page.draw(buf, inner, first);
}

/// A line being typed: what is around the cursor stays in sight. Tells where the cursor is.
fn input(buf: &mut Buffer, area: Rect, line: u16, input: &Input, style: Style) -> Cursor {
    let room = usize::from(area.width.saturating_sub(1));
    let before = clean(input.text.get(..input.cursor).unwrap_or(&input.text));
    let after = clean(input.text.get(input.cursor..).unwrap_or_default());
    let mut start = 0;
    while width(&before[start..]) > room {
        start += before[start..].chars().next().map_or(1, char::len_utf8);
    }
    let mut pen = Pen::new(buf, area, line);
    pen.put(&before[start..], style);
    let x = pen.x();
    pen.put(&after, style);
    (line < area.height).then_some((x, area.y + line))
}
