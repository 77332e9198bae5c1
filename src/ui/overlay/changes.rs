//! What changed before this: one line a cause, the most likely first, and what can be done about the one selected.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::app::Command;
use crate::app::changes::{Changes, ahead, line};
use crate::app::format::{clock, moment};
use crate::app::state::Screen;
use crate::app::update::can_go_back;
use crate::keymap::Context;
use crate::model::{Capability, Verb};
use crate::observe::cause::Relation;
use crate::theme::Role;

use super::super::scene::Scene;
use super::super::widget::text::cells;
use super::super::widget::{Pen, panel};
use super::{Cursor, look, on};

/// Cells before the words of a cause: pointer, time, how long before.
const BEFORE: u16 = 2 + 12 + 16;

pub fn draw(scene: &Scene<'_>, (changes, selected): (&Changes, usize), room: Rect, buf: &mut Buffer) -> Cursor {
    let count = u16::try_from(changes.causes.len()).unwrap_or(u16::MAX);
    let tall = count.max(2).saturating_add(2 + 4);
    let area = panel::middle(room, room.width.min(150), tall);
    let inner = panel::draw(buf, area, &title(scene, changes), look(scene, scene.style(Role::Border)));
    if inner.height < 3 {
        return None;
    }
    let foot = 2.min(inner.height - 1);
    let body = Rect { height: inner.height - foot, ..inner };
    if changes.causes.is_empty() {
        let text = format!("Nothing is known to have changed in the {} before.", millis_of(changes));
        Pen::new(buf, body, 0).put(&text, on(scene, Role::Text));
    }
    let selected = selected.min(changes.causes.len().saturating_sub(1));
    let height = usize::from(body.height);
    let first = selected.saturating_sub(height.saturating_sub(1));
    for (at, index) in (first..changes.causes.len()).take(height).enumerate() {
        let row = Rect { y: body.y + u16::try_from(at).unwrap_or(u16::MAX), height: 1, ..body };
        cause(scene, changes, index, index == selected, row, buf);
    }
    let below = Rect { y: body.bottom(), height: foot, ..inner };
    told(scene, changes, below, buf);
    keys(scene, changes, selected, below, foot - 1, buf);
    None
}

/// `before BreakerOpen on app_ap, since 14:01:10`.
fn title(scene: &Scene<'_>, changes: &Changes) -> String {
    let asked = &changes.asked;
    let offset = 0;
    let when = if asked.began {
        format!("since {}", moment(scene.state.now, asked.moment, offset))
    } else {
        format!("now ({})", clock(asked.moment, offset))
    };
    format!("what changed before: {}, {when}", asked.title)
}

fn millis_of(changes: &Changes) -> String {
    let hours = changes.window.as_secs() / 3600;
    if hours <= 24 { format!("{hours} h") } else { format!("{} days", hours / 24) }
}

fn cause(scene: &Scene<'_>, changes: &Changes, index: usize, selected: bool, row: Rect, buf: &mut Buffer) {
    let Some(cause) = changes.causes.get(index) else { return };
    let mut text = on(scene, Role::Text);
    if selected {
        text = text.patch(scene.theme.row(true, false, false));
        buf.set_style(row.intersection(buf.area), text);
    }
    let dim = if selected { text } else { on(scene, Role::Dim) };
    let mut pen = Pen::new(buf, row, 0);
    pen.put(if selected { "▸ " } else { "  " }, text).put_in(&moment(scene.state.now, cause.at, 0), 11, dim);
    pen.to(row.x + 14).put_in(&ahead(cause.at, changes.asked.moment), 15, text);
    // What happened elsewhere says where before anything else.
    let elsewhere = cause.lead.environment.as_ref().filter(|_| cause.relation == Relation::Elsewhere);
    let place = elsewhere.map(|e| format!("{}: ", scene.state.name_of(e))).unwrap_or_default();
    let words = format!("{place}{}", line(cause));
    // What is of the thing itself stands out from what is around it.
    let style = if cause.relation == Relation::Same && !selected { on(scene, Role::Strong) } else { text };
    pen.to(row.x + BEFORE).put(&words, style);
    let near = match cause.relation {
        Relation::Same | Relation::Beside | Relation::Elsewhere => "",
        Relation::Needed => "  it depends on this",
    };
    if pen.left() > cells(near) {
        pen.put(near, dim);
    }
}

/// How far what is known reaches.
fn told(scene: &Scene<'_>, changes: &Changes, area: Rect, buf: &mut Buffer) {
    let from = changes.asked.moment.as_second().saturating_sub(i64::try_from(changes.window.as_secs()).unwrap_or(i64::MAX));
    let reach = match changes.told_from {
        Some(at) if at.as_second() > from => {
            format!("the engine's own events are known from {} on", moment(scene.state.now, at, 0))
        }
        Some(_) => String::new(),
        None => "the engine has told of no events here".to_owned(),
    };
    let more = if changes.left_out > 0 { format!("{} more left out", changes.left_out) } else { String::new() };
    let parts: Vec<String> =
        [format!("looked {} back", millis_of(changes)), reach, more].into_iter().filter(|p| !p.is_empty()).collect();
    Pen::new(buf, area, 0).put(&parts.join(" · "), on(scene, Role::Dim));
}

/// What the keys do with the cause selected; what cannot be done is dimmed and says why.
fn keys(scene: &Scene<'_>, changes: &Changes, selected: usize, area: Rect, line: u16, buf: &mut Buffer) {
    if line == 0 {
        return;
    }
    let (key, text, off) = (on(scene, Role::Key), on(scene, Role::Text), on(scene, Role::Disabled));
    let of = |command| scene.state.keys.keymap.keys_of(Context::List, command).into_iter().next().unwrap_or_default();
    let mut pen = Pen::new(buf, area, line);
    if let Some(cause) = changes.causes.get(selected) {
        let workload = cause.lead.workload.is_some();
        pen.put("enter", key).put(" open  ", text);
        for (command, word) in
            [(Command::Describe, "diff"), (Command::Logs, "logs then"), (Command::Go(Screen::Metrics), "metrics then")]
        {
            pen.put(&of(command), if workload { key } else { off }).put(&format!(" {word}  "), if workload { text } else { off });
        }
        match can_go_back(scene.state, &cause.lead) {
            Capability::Allowed => pen.put(&of(Command::Operate(Verb::Rollback)), key).put(" roll back  ", text),
            Capability::Denied(_) => pen.put(&of(Command::Operate(Verb::Rollback)), off).put(" roll back  ", off),
        };
    }
    pen.put(&of(Command::Longer), key).put(" look further back  ", text).put("esc", key).put(" close", text);
}
