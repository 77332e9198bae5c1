//! A body that is a list: heading, rows with the reason under those that are not well, a pane about the selected one.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::app::layout::{self, GUTTER, List, Placed, Seen};
use crate::app::rows::{self, Cell, ColumnSpec};
use crate::app::state::{Direction, RowId, Screen};
use crate::theme::Role;

use super::scene::Scene;
use super::widget::Pen;
use super::widget::spark::spark;
use super::widget::text::cells;
use super::{details, notice, rect};

/// Growing columns take room in steps, so that scrolling does not shift the others at every row.
const STEP: u16 = 4;

pub fn draw(scene: &Scene<'_>, buf: &mut Buffer) {
    let order = rows::order(scene.state, scene.view);
    let list = layout::list(scene.state, scene.view, &order);
    if order.is_empty() {
        return empty(scene, &list, buf);
    }
    let specs = rows::columns(scene.view.screen);
    let width = rect(list.rows).width.saturating_sub(GUTTER + 1);
    let kept = layout::place(specs, width, |_| u16::MAX);
    let table: Vec<Vec<Cell>> = list
        .seen
        .iter()
        .map(|s| kept.iter().map(|p| rows::cell(scene.state, &order[s.index], specs[p.index].column)).collect())
        .collect();
    let placed = layout::place(specs, width, |index| ideal(&kept, &table, index, specs));
    heading(scene, rect(list.heading), specs, &placed, buf);
    for (seen, cells) in list.seen.iter().zip(&table) {
        row(scene, rect(list.rows), &order[seen.index], *seen, (specs, &placed, cells), buf);
    }
    more(scene, &list, order.len(), buf);
    details::draw(scene, rect(list.details), buf);
}

/// Cells a growing column has use for.
fn ideal(kept: &[Placed], table: &[Vec<Cell>], index: usize, specs: &[ColumnSpec]) -> u16 {
    let Some(at) = kept.iter().position(|p| p.index == index) else { return 0 };
    let longest = table.iter().filter_map(|row| row.get(at)).map(|c| cells(&c.text)).max().unwrap_or(0);
    longest.max(cells(specs[index].title)).div_ceil(STEP).saturating_mul(STEP)
}

fn heading(scene: &Scene<'_>, area: Rect, specs: &[ColumnSpec], placed: &[Placed], buf: &mut Buffer) {
    let style = scene.style(Role::Heading);
    let sorted = scene.view.table.sort;
    for place in placed {
        let spec = &specs[place.index];
        let mut title = spec.title.to_owned();
        if let Some((_, direction)) = sorted.filter(|(column, _)| *column == spec.column) {
            title.push(match direction {
                Direction::Up => '↑',
                Direction::Down => '↓',
            });
        }
        let mut pen = Pen::new(buf, area, 0);
        pen.skip(GUTTER + place.x);
        if spec.right {
            pen.put_right(&title, place.width, style)
        } else {
            pen.put_in(&title, place.width, style)
        };
    }
}

/// One row: its cells and, below them, why it is not well.
fn row(
    scene: &Scene<'_>,
    area: Rect,
    id: &RowId,
    seen: Seen,
    (specs, placed, cells): (&[ColumnSpec], &[Placed], &[Cell]),
    buf: &mut Buffer,
) {
    let table = &scene.view.table;
    let (selected, marked, old) = (table.selected.as_ref() == Some(id), table.marks.contains(id), scene.is_stale(id));
    let look = scene.theme.row(selected, marked, old);
    let line = Rect { y: seen.y, height: seen.lines, ..area };
    // Only the name is lit: a cursor move then costs a slow line two names, not two lines.
    let lit = placed.iter().find(|p| specs[p.index].grows).or(placed.first()).map_or(0, |p| p.x + p.width);
    let pointer = match (selected, marked) {
        (true, true) => "◈",
        (true, false) => "▸",
        (false, true) => "◆",
        (false, false) => " ",
    };
    if selected || marked {
        buf.set_style(Rect { x: line.x + 1, width: (GUTTER + lit).min(line.width.saturating_sub(1)), height: 1, ..line }, look);
    }
    Pen::new(buf, line, 0).skip(1).put(pointer, look);
    for (place, cell) in placed.iter().zip(cells) {
        let style = if old || ((selected || marked) && place.x < lit) {
            scene.theme.tone(cell.tone).patch(look)
        } else {
            scene.theme.tone(cell.tone)
        };
        let mut pen = Pen::new(buf, line, 0);
        pen.skip(GUTTER + place.x);
        put(scene, &mut pen, cell, (specs[place.index].right, place.width), style);
    }
    if seen.lines > 1
        && let Some(note) = rows::note(scene.state, id)
    {
        let style = if old { look } else { scene.style(Role::Warn) };
        Pen::new(buf, line, 1).skip(GUTTER + 2).put_in(&note, line.width.saturating_sub(GUTTER + 3), style);
    }
}

fn put(scene: &Scene<'_>, pen: &mut Pen<'_>, cell: &Cell, (right, width): (bool, u16), style: Style) {
    if right {
        pen.put_right(&cell.text, width, style);
    } else {
        pen.put_in(&cell.text, width, style);
    }
    if let Some(values) = &cell.spark {
        let taken = if right { width } else { cells(&cell.text) };
        let gap = u16::from(taken > 0);
        let room = width.saturating_sub(taken + gap);
        pen.skip(gap).put_in(&spark(values, usize::from(room), 0.05), room, scene.style(Role::Chart));
    }
}

/// Says, in the heading, how much of the list is out of sight.
fn more(scene: &Scene<'_>, list: &List, count: usize, buf: &mut Buffer) {
    let (Some(first), Some(end)) = (list.seen.first(), list.seen.last()) else { return };
    let (above, below) = (first.index, count - 1 - end.index);
    if above + below == 0 {
        return;
    }
    let text = format!("{}–{} of {count}", first.index + 1, end.index + 1);
    let heading = rect(list.heading);
    let width = cells(&text);
    // Only over what is blank: a title of a column matters more.
    let x = heading.right().saturating_sub(width + 1);
    let blank = (x.saturating_sub(1)..heading.right()).all(|x| buf.cell((x, heading.y)).is_none_or(|c| c.symbol() == " "));
    if blank && heading.width > width + 1 {
        Pen::new(buf, heading, 0).to(x).put(&text, scene.style(Role::Dim));
    }
}

/// Why the list is empty, and what to do.
fn empty(scene: &Scene<'_>, list: &List, buf: &mut Buffer) {
    let area = rect(list.heading).union(rect(list.rows)).union(rect(list.details));
    let filter = &scene.view.table.filter;
    let name = scene.environment.map(|id| scene.state.name_of(id)).unwrap_or_default();
    let (headline, what) = if filter.is_empty() {
        match scene.view.screen {
            Screen::Fleet => (
                "No containers here".to_owned(),
                "The engine answers, and holds nothing. docker compose up -d in a project starts something; it shows here by itself.",
            ),
            Screen::Workloads | Screen::Instances | Screen::Health | Screen::Metrics => (
                if name.is_empty() { "Nothing here".to_owned() } else { format!("Nothing runs in {name}") },
                "What is started shows here by itself. Esc goes back to the fleet.",
            ),
            Screen::Alerts => (
                "No alert rules here".to_owned(),
                "Name rule files under [environment.alerts], or a server under [environment.prometheus], in quarterdeck.toml.",
            ),
            Screen::Timeline => {
                ("Nothing has happened yet".to_owned(), "Engine events, operations and health changes show here as they come.")
            }
            Screen::Operations => ("No operation yet".to_owned(), "What you start shows here step by step, and stays on record."),
            Screen::Revisions => (
                "No revision is recorded".to_owned(),
                "Revisions are written from the first deploy made with quarterdeck on; select a workload to see its own.",
            ),
            Screen::Logs | Screen::Describe => (String::new(), ""),
        }
    } else {
        (format!("Nothing matches {filter}"), "Esc clears the filter.")
    };
    notice::draw(scene, area, buf, (&headline, scene.style(Role::Strong)), &[what]);
}
