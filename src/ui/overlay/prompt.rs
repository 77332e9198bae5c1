//! A value is asked for: a filter or search on the last line, as one types it; anything else in a panel.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::app::state::{Prompt, Purpose};
use crate::theme::Role;

use super::super::scene::Scene;
use super::super::widget::Pen;
use super::super::widget::panel;
use super::super::widget::text::cells;
use super::{Cursor, input, look, on};

pub fn draw(scene: &Scene<'_>, prompt: &Prompt, room: Rect, footer: Rect, buf: &mut Buffer) -> Cursor {
    match hint(&prompt.purpose) {
        Some(hint) if footer.height > 0 => on_last_line(scene, prompt, hint, footer, buf),
        Some(_) | None => in_panel(scene, prompt, room, buf),
    }
}

/// What may be typed where the answer is about the lines above: those stay in sight.
fn hint(purpose: &Purpose) -> Option<&'static str> {
    Some(match purpose {
        Purpose::Filter => "health:unhealthy image:api !canary",
        Purpose::Search => "a regular expression; n and N go on",
        Purpose::LogFilter => "timeout !healthcheck level>=warn status:5.. latency_ms>500 /re/",
        Purpose::Since => "15m, 2h, 14:03; nothing for the last lines",
        Purpose::Time => "14:03, 14:03:22, 5m ago",
        Purpose::Highlight => "words, each in a colour of its own; none puts them out",
        Purpose::Fields => "names, like status latency_ms",
        Purpose::Pipe => "a command, like sort | uniq -c",
        Purpose::Load { .. } => "100 30s 5s: users, how long, ramp; 200/s 1m; 500, 1000: scenarios; an address behind it",
        Purpose::Bounds { .. } => "the least and the most, like 3 10",
        Purpose::Forward { .. } => "here and there, like 8080:80; 0:80 for any that is free here",
        Purpose::Replicas { .. }
        | Purpose::Image { .. }
        | Purpose::LockReason { .. }
        | Purpose::Silence { .. }
        | Purpose::Shell { .. }
        | Purpose::ForwardInto { .. }
        | Purpose::Save => return None,
    })
}

fn on_last_line(scene: &Scene<'_>, prompt: &Prompt, hint: &str, footer: Rect, buf: &mut Buffer) -> Cursor {
    Pen::new(buf, footer, 0).fill(" ", scene.style(Role::Text));
    let hint = match &prompt.error {
        Some(error) => (error.as_ref(), scene.style(Role::Bad)),
        None => (hint, scene.style(Role::Dim)),
    };
    let mut pen = Pen::new(buf, footer, 0);
    // What is typed goes before what may be.
    let typed = cells(&prompt.input.text).max(if prompt.error.is_some() { 8 } else { 24 });
    if footer.width > cells(hint.0).saturating_add(typed).saturating_add(cells(&prompt.title) + 4) {
        pen.put_at_end(" ", Style::new()).put_at_end(hint.0, hint.1);
    }
    let end = pen.x() + pen.left();
    pen.skip(1).put(&prompt.title, scene.style(Role::Key)).put(" ", Style::new());
    let x = pen.x();
    input(buf, Rect { x, width: end.saturating_sub(x), ..footer }, 0, &prompt.input, scene.style(Role::Text))
}

fn in_panel(scene: &Scene<'_>, prompt: &Prompt, room: Rect, buf: &mut Buffer) -> Cursor {
    let area = panel::middle(room, 72, 6);
    let inner = panel::draw(buf, area, &prompt.title, look(scene, scene.style(Role::Accent)));
    let line = u16::from(inner.height > 2);
    let field = Rect { y: inner.y + line, height: 1, ..inner };
    buf.set_style(field.intersection(buf.area), on(scene, Role::Accent));
    let cursor = input(buf, field, 0, &prompt.input, on(scene, Role::Accent));
    if let Some(error) = &prompt.error {
        Pen::new(buf, inner, line + 2).put("✖ ", on(scene, Role::Bad)).put(error, on(scene, Role::Bad));
    }
    cursor
}
