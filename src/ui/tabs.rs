//! The second line: the screens, and what the list on this one shows.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::app::Command;
use crate::app::layout;
use crate::app::rows;
use crate::app::state::Direction;
use crate::theme::Role;

use super::scene::Scene;
use super::widget::Pen;
use super::widget::text::cells;

pub fn draw(scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    let said = summary(scene);
    let spare = cells(&said).min(area.width / 2);
    let tabs = layout::tabs(area.width, spare + 2, scene.view.screen, |s| scene.key(Command::Go(s)));
    let end = tabs.last().map_or(0, |t| t.x + t.width);
    let (dim, key, active) = (scene.style(Role::Tab), scene.style(Role::Tab), scene.style(Role::TabActive));
    for tab in &tabs {
        let here = tab.screen == scene.view.screen;
        let (key, title) = if here { (active, active) } else { (key, dim) };
        let mut pen = Pen::new(buf, area, 0);
        pen.to(area.x + tab.x).put(&tab.key, key);
        if !tab.title.is_empty() {
            pen.skip(u16::from(!tab.key.is_empty())).put(tab.title, title);
        }
    }
    let room = area.width.saturating_sub(end + 3);
    if room >= 6 {
        let width = cells(&said).min(room);
        Pen::new(buf, area, 0).to(area.right() - 1 - width).put_in(&said, width, scene.style(Role::Dim));
    }
}

/// What the list is about: the workload, how many rows, filtered and sorted how.
fn summary(scene: &Scene<'_>) -> String {
    let view = scene.view;
    let mut parts: Vec<String> = Vec::new();
    if let Some(workload) = &view.workload {
        parts.push(workload.to_string());
    }
    if !rows::columns(view.screen).is_empty() {
        if !view.table.marks.is_empty() {
            parts.push(format!("{} marked", view.table.marks.len()));
        }
        if let Some((column, direction)) = &view.table.sort {
            let title = rows::columns(view.screen).iter().find(|c| c.column == *column).map_or("", |c| c.title);
            let arrow = match direction {
                Direction::Up => "↑",
                Direction::Down => "↓",
            };
            parts.push(format!("{arrow} {}", title.to_lowercase()));
        }
        if !view.table.filter.is_empty() {
            let shown = rows::order(scene.state, view).len();
            parts.push(format!("{shown} shown: {}", view.table.filter));
        }
    }
    parts.join(" · ")
}
