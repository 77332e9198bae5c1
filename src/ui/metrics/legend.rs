//! Below the charts: what time they show, whose lines they are, and the marks in words.

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::app::Command;
use crate::app::figures::{graph::Graph, measured};
use crate::app::format::{age, clock};
use crate::app::rows::Subject;
use crate::theme::Role;

use super::super::scene::Scene;
use super::super::widget::Pen;
use super::super::widget::text::cells;
use super::marks::Marks;

/// Milliseconds around the cursor in which a mark belongs to it, as a part of the window.
const NEAR: i64 = 30;

pub fn draw(
    scene: &Scene<'_>,
    (subject, graphs): (&Subject<'_>, &[Graph]),
    marks: &Marks<'_>,
    (span, out): ((Timestamp, Timestamp), usize),
    area: Rect,
    buf: &mut Buffer,
) {
    if area.height > 1 {
        time(scene, (subject, graphs), out, Rect { height: 1, ..area }, buf);
    }
    happened(scene, marks, span, Rect { y: area.bottom() - 1, height: 1, ..area }, buf);
}

/// `1 h · at 14:01:10, 2m ago · A api-1  B api-2 · 3 charts more`, and the keys that change it.
fn time(scene: &Scene<'_>, (subject, graphs): (&Subject<'_>, &[Graph]), out: usize, area: Rect, buf: &mut Buffer) {
    let (charts, dim, text) = (&scene.state.charts, scene.style(Role::Dim), scene.style(Role::Text));
    let mut pen = Pen::new(buf, area, 0);
    let key = |command| scene.key(command);
    let keys = format!(
        "{}{} window  {}{} moment  {} each",
        key(Command::Shorter),
        key(Command::Longer),
        key(Command::Left).replace("left", "←"),
        key(Command::Right).replace("right", "→"),
        key(Command::Each)
    );
    if area.width > cells(&keys) + 40 {
        pen.put_at_end(&keys, dim);
    }
    pen.put(charts.window.word(), scene.style(Role::Strong));
    if let Some(at) = charts.cursor {
        let said = format!("at {}, {} ago", clock(at, 0), age(scene.state.now, at));
        pen.skip(2).put(&said, scene.style(Role::Accent));
    }
    if out > 0 {
        pen.skip(2).put(&format!("{out} more below: a larger window shows them"), scene.style(Role::Warn));
    }
    let lettered = graphs.iter().find(|g| g.lines.iter().any(|l| l.letter.is_some()));
    for (at, line) in lettered.into_iter().flat_map(|g| g.lines.iter().enumerate()) {
        if let Some(letter) = line.letter {
            pen.skip(2).put(&letter.to_string(), scene.theme.instance(at)).put(" ", dim).put(&line.name, text);
        }
    }
    let more = measured::left_out(subject);
    if charts.each && more > 0 {
        pen.skip(2).put(&format!("{more} more instances are not drawn"), scene.style(Role::Warn));
    }
}

/// The marks near the cursor, else the newest, in words.
fn happened(scene: &Scene<'_>, marks: &Marks<'_>, (from, to): (Timestamp, Timestamp), area: Rect, buf: &mut Buffer) {
    let (dim, dots) = (scene.style(Role::Dim), scene.state.settings.dots);
    let near = (to.as_millisecond() - from.as_millisecond()) / NEAR;
    let here = |at: Timestamp| {
        scene.state.charts.cursor.is_none_or(|c| c.as_millisecond().abs_diff(at.as_millisecond()) <= near.unsigned_abs())
    };
    let mut pen = Pen::new(buf, area, 0);
    let mut any = false;
    for mark in marks.all.iter().rev().filter(|m| here(m.item.at)) {
        let words = format!("{} {} {}", clock(mark.item.at, 0), mark.item.subject, said(mark.item));
        if pen.left() < 12 {
            break;
        }
        any = true;
        pen.put(mark.kind.symbol(dots), scene.style(mark.kind.role())).put(" ", dim).put(&words, dim).skip(2);
    }
    if !any {
        pen.put(if marks.all.is_empty() { "nothing happened in this time" } else { "nothing happened then" }, dim);
    }
}

fn said(item: &crate::model::Item) -> String {
    if item.detail.is_empty() { item.what.to_string() } else { format!("{}: {}", item.what, item.detail) }
}
