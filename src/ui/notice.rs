//! What stands in the middle of a body that has nothing to show: why, and what to do.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::app::state::Connection;
use crate::model::Link;
use crate::observe::text::clean;
use crate::theme::Role;

use super::scene::Scene;
use super::widget::Pen;
use super::widget::text::{cells, wrap};

/// A headline and sentences under it, in the middle.
pub fn draw(scene: &Scene<'_>, area: Rect, buf: &mut Buffer, (headline, style): (&str, Style), sentences: &[&str]) {
    let room = area.width.saturating_sub(6).clamp(8, 76);
    let texts: Vec<_> = sentences.iter().filter(|s| !s.is_empty()).map(|s| clean(s)).collect();
    let headline = clean(headline);
    let mut lines: Vec<(&str, Style)> = wrap(&headline, usize::from(room), 3).into_iter().map(|l| (l, style)).collect();
    for text in &texts {
        lines.push(("", style));
        lines.extend(wrap(text, usize::from(room), 4).into_iter().map(|l| (l, scene.style(Role::Text))));
    }
    let tall = u16::try_from(lines.len()).unwrap_or(u16::MAX);
    if tall > area.height {
        lines.retain(|(l, _)| !l.is_empty());
    }
    let top = area.height.saturating_sub(tall) / 3;
    let wide = lines.iter().map(|(l, _)| cells(l)).max().unwrap_or(0).min(area.width);
    let left = (area.width - wide) / 2;
    for ((line, style), at) in lines.into_iter().zip(top..) {
        Pen::new(buf, area, at).skip(left).put(line, style);
    }
}

/// Why nothing is known of this connection; `None` when something is.
pub fn of_link(scene: &Scene<'_>, connection: &Connection, area: Rect, buf: &mut Buffer) -> bool {
    if connection.inventory.is_some() {
        return false;
    }
    match &connection.link {
        Link::Connecting | Link::Live { .. } => {
            let headline = format!("◌ Connecting to {}", connection.endpoint);
            draw(
                scene,
                area,
                buf,
                (&headline, scene.style(Role::Warn)),
                &["Nothing heard from it yet. Quitting, help and switching work meanwhile."],
            );
        }
        Link::Stale { error, .. } => {
            let headline = format!("◌ {} does not answer", connection.endpoint);
            draw(scene, area, buf, (&headline, scene.style(Role::Warn)), &[error, "It is tried again by itself."]);
        }
        Link::Failed { error, hint, .. } => {
            let headline = format!("✖ {}", sentence(error));
            draw(scene, area, buf, (&headline, scene.style(Role::Bad)), &[&sentence(hint), "It is tried again by itself."]);
        }
    }
    true
}

/// With a capital at its start and a full stop at its end.
pub fn sentence(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 1);
    let mut rest = text.trim().chars();
    // A path or a name of lower case keeps it.
    if let Some(first) = rest.next() {
        out.extend(first.to_uppercase());
    }
    out.extend(rest);
    if !out.is_empty() && !out.ends_with(['.', '!', '?', ')']) {
        out.push('.');
    }
    out
}
