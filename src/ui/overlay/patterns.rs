//! The shapes of a log's lines, each with how many there are; what is new stands first and says so.

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::app::format::clock;
use crate::theme::Role;

use super::super::format::count;
use super::super::scene::Scene;
use super::super::widget::{Pen, panel};
use super::{Cursor, look, on};

pub fn draw(scene: &Scene<'_>, (selected, since): (usize, Option<Timestamp>), room: Rect, buf: &mut Buffer) -> Cursor {
    let logs = scene.state.logs.as_ref()?;
    let patterns = logs.patterns.as_ref()?;
    let sorted = patterns.sorted(since);
    let selected = selected.min(sorted.len().saturating_sub(1));
    let so_far = if logs.shaping { "…" } else { "" };
    let news = since.map(|at| format!(", new since {}", clock(at, 0))).unwrap_or_default();
    let title = format!("{} patterns{so_far}{news}", count(sorted.len() as u64));
    let tall = u16::try_from(sorted.len()).unwrap_or(u16::MAX).saturating_add(3).max(8);
    let area = panel::middle(room, room.width, tall);
    let inner = panel::draw(buf, area, &title, look(scene, scene.style(Role::Border)));
    if inner.height == 0 {
        return None;
    }
    let mut heading = Pen::new(buf, inner, 0);
    let dim = on(scene, Role::Heading);
    heading
        .skip(2)
        .put_right("COUNT", 9, dim)
        .skip(2)
        .put_in("LEVEL", 6, dim)
        .to(inner.x + 20)
        .put("FIRST     LAST      PATTERN", dim);
    let body = Rect { y: inner.y + 1, height: inner.height - 1, ..inner };
    let height = usize::from(body.height);
    let first = selected.saturating_sub(height.saturating_sub(1));
    for (line, (at, pattern)) in (0_u16..).zip(sorted.iter().enumerate().skip(first).take(height)) {
        let mut text = on(scene, Role::Text);
        if at == selected {
            text = text.patch(scene.theme.row(true, false, false));
            buf.set_style(Rect { y: body.y + line, height: 1, ..body }, text);
        }
        let is_new = since.is_some_and(|since| pattern.first >= since);
        let mut pen = Pen::new(buf, body, line);
        pen.put(if at == selected { "▸ " } else { "  " }, text).put_right(&count(pattern.count), 9, text).skip(2);
        let level = pattern.worst.map(|l| l.word().to_uppercase()).unwrap_or_default();
        pen.put_in(&level, 6, text.patch(scene.theme.level(pattern.worst)));
        pen.to(body.x + 20).put(&clock(pattern.first, 0), text).skip(2).put(&clock(pattern.last, 0), text).skip(2);
        if is_new {
            pen.put("NEW ", text.patch(scene.style(Role::Accent)));
        }
        pen.put(&pattern.shape, text);
    }
    None
}
