//! One chart: its title with the values of the moment looked at, its scale, its lines or states, its axis.

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::app::figures::graph::Graph;
use crate::app::format::clock;
use crate::app::state::Dots;
use crate::theme::Role;

use super::super::scene::Scene;
use super::super::widget::Pen;
use super::super::widget::chart::{Canvas, Column, Series, round_up, steps};
use super::columns::{Span, columns};
use super::marks::Marks;

/// Cells of the scale left of a chart.
const SCALE: u16 = 9;
/// A level further above the values than this many times is told, not drawn: it would press them flat.
const FAR: f64 = 4.0;

/// One chart and what it is drawn over.
pub struct Plot<'a, 's> {
    pub scene: &'a Scene<'s>,
    pub graph: &'a Graph,
    pub span: (Timestamp, Timestamp),
    pub marks: &'a Marks<'s>,
    /// The axis is drawn below it.
    pub axis: bool,
}

impl Plot<'_, '_> {
    pub fn draw(&self, area: Rect, buf: &mut Buffer) {
        let below = u16::from(self.axis);
        let inner = Rect {
            x: area.x + SCALE,
            y: area.y + 1,
            width: area.width.saturating_sub(SCALE),
            height: area.height.saturating_sub(1 + below),
        };
        if inner.width == 0 || inner.height == 0 {
            return;
        }
        let span = Span { from: self.span.0, to: self.span.1, columns: steps(inner.width, self.dots()) };
        let lines: Vec<Vec<Option<Column>>> = self.graph.lines.iter().map(|l| columns(l, span)).collect();
        self.title(&lines, span, Rect { height: 1, ..area }, buf);
        if lines.iter().all(|l| l.iter().all(Option::is_none)) {
            Pen::new(buf, inner, inner.height / 2).put("no figures in this time", self.scene.style(Role::Dim));
        } else if self.graph.states.is_empty() {
            self.curves(&lines, inner, buf);
        } else {
            self.strips(&lines, inner, buf);
        }
        self.moment(inner, buf);
        if self.axis {
            self.axis(Rect { y: inner.bottom(), height: 1, ..inner }, buf);
        }
    }

    fn dots(&self) -> Dots {
        self.scene.state.settings.dots
    }

    /// How the n-th line looks.
    fn look(&self, nth: usize) -> Style {
        let alone = nth == 0 && self.graph.lines.iter().all(|l| l.letter.is_none());
        if alone { self.scene.style(Role::Chart) } else { self.scene.theme.instance(nth) }
    }

    /// `CPU  0.42 (0.11–1.20)  limit 2.00  cpu 0.42, 2 to 10 (recommend)`.
    fn title(&self, lines: &[Vec<Option<Column>>], span: Span, area: Rect, buf: &mut Buffer) {
        let (dim, charts) = (self.scene.style(Role::Dim), &self.scene.state.charts);
        let mut pen = Pen::new(buf, area, 0);
        pen.put(&self.graph.title, self.scene.style(Role::Strong));
        let at = charts.cursor.and_then(|at| span.column(at));
        for (nth, (line, own)) in lines.iter().zip(&self.graph.lines).enumerate() {
            let now = match (charts.cursor, at) {
                (Some(_), at) => at.and_then(|at| line.get(at).copied().flatten()),
                (None, _) => line.iter().rev().flatten().next().copied(),
            };
            let name = own.letter.map_or_else(|| own.name.to_string(), String::from);
            let shown = now.map_or_else(|| "–".to_owned(), |c| self.value(c));
            pen.skip(2).put(&name, dim).skip(u16::from(!name.is_empty())).put(&shown, self.look(nth));
        }
        if self.graph.states.is_empty() && charts.cursor.is_none() {
            let most = lines.iter().flatten().flatten().map(|c| c.high).filter(|v| v.is_finite()).reduce(f64::max);
            if let Some(most) = most {
                pen.skip(2).put(&format!("most {}", self.graph.show(most)), dim);
            }
        }
        for level in &self.graph.levels {
            pen.skip(2).put(&format!("{} {}", level.name, self.graph.show(level.value)), self.scene.style(Role::Warn));
        }
        if let Some(note) = &self.graph.note {
            pen.skip(2).put(note, dim);
        }
    }

    /// A value, with the least and greatest of its column where they are far from it.
    fn value(&self, column: Column) -> String {
        let value = self.graph.show(column.value);
        let (low, high) = (self.graph.show(column.low), self.graph.show(column.high));
        let alone = (low == value && high == value) || !self.graph.states.is_empty();
        if alone || self.scene.state.charts.cursor.is_none() { value } else { format!("{value} ({low}–{high})") }
    }

    /// The value the scale ends at.
    fn top(&self, lines: &[Vec<Option<Column>>]) -> f64 {
        let greatest = lines.iter().flatten().flatten().map(|c| c.high).filter(|v| v.is_finite()).fold(0.0, f64::max);
        let near = self.graph.levels.iter().map(|l| l.value).filter(|v| *v <= greatest * FAR);
        let unit = self.graph.unit;
        round_up(near.fold(greatest, f64::max).max(unit.least()), unit.is_binary())
    }

    fn curves(&self, lines: &[Vec<Option<Column>>], inner: Rect, buf: &mut Buffer) {
        let (dim, top) = (self.scene.style(Role::Dim), self.top(lines));
        for (line, value) in [(0, top), (inner.height.saturating_sub(1), 0.0)] {
            let scale = Rect { x: inner.x - SCALE, width: SCALE - 1, ..inner };
            Pen::new(buf, scale, line).put_right(&self.graph.unit.show(value), SCALE - 1, dim);
        }
        let canvas = Canvas { area: inner, top, dots: self.dots() };
        // Alone the first is filled and others are lines over it: told apart without colours too.
        let lettered = self.graph.lines.iter().any(|l| l.letter.is_some());
        let letter = |nth: usize| self.graph.lines.get(nth).and_then(|l| l.letter.or_else(|| l.name.chars().next()));
        let series: Vec<Series<'_>> = lines
            .iter()
            .enumerate()
            .map(|(nth, line)| Series {
                columns: line,
                style: self.look(nth),
                filled: nth == 0 && !lettered,
                letter: letter(nth).unwrap_or('*'),
            })
            .collect();
        canvas.draw(buf, &series);
        for level in &self.graph.levels {
            canvas.across(buf, level.value, self.scene.style(Role::Warn));
        }
    }

    /// States as strips, one below the other, each with its name where it begins.
    fn strips(&self, lines: &[Vec<Option<Column>>], inner: Rect, buf: &mut Buffer) {
        let per = steps(1, self.dots());
        for (line, (own, row)) in lines.iter().zip(&self.graph.lines).zip(0_u16..inner.height).map(|((c, l), r)| (c, (l, r))) {
            let name = own.letter.map_or_else(|| own.name.to_string(), String::from);
            let label = Rect { x: inner.x - SCALE, width: SCALE - 1, ..inner };
            Pen::new(buf, label, row).put_in(&name, SCALE - 1, self.scene.style(Role::Dim));
            // The worst a cell was: a short OPEN is not hidden by the CLOSED around it.
            let cells: Vec<Option<f64>> = line.chunks(per).map(|c| c.iter().flatten().map(|c| c.high).reduce(f64::max)).collect();
            let mut from = 0;
            while from < cells.len() {
                let to = (from..cells.len()).find(|at| cells[*at] != cells[from]).unwrap_or(cells.len());
                if let (Some(value), Ok(x)) = (cells[from], u16::try_from(from)) {
                    self.segment(value, Rect { x: inner.x + x, width: u16::try_from(to - from).unwrap_or(1), ..inner }, row, buf);
                }
                from = to;
            }
        }
    }

    fn segment(&self, value: f64, area: Rect, row: u16, buf: &mut Buffer) {
        let last = self.graph.states.len().saturating_sub(1) as f64;
        let (role, symbol) = match value {
            v if v < 0.5 => (Role::Good, "─"),
            v if v + 0.5 > last => (Role::Bad, "█"),
            _ => (Role::Warn, "▒"),
        };
        let symbol = match (self.dots(), role) {
            (Dots::Ascii, Role::Good) => "-",
            (Dots::Ascii, Role::Bad) => "#",
            (Dots::Ascii, _) => "=",
            (Dots::Braille | Dots::Blocks, _) => symbol,
        };
        let style = self.scene.style(role);
        let mut pen = Pen::new(buf, area, row);
        let word = self.graph.show(value);
        if area.width as usize >= word.chars().count() + 2 {
            pen.put(&word, style).put(" ", style);
        }
        pen.fill(symbol, style);
    }

    /// The cell a moment is in.
    fn cell(&self, at: Timestamp, inner: Rect) -> Option<u16> {
        let span = Span { from: self.span.0, to: self.span.1, columns: usize::from(inner.width) };
        span.column(at).and_then(|c| u16::try_from(c).ok())
    }

    fn moment(&self, inner: Rect, buf: &mut Buffer) {
        let Some(cell) = self.scene.state.charts.cursor.and_then(|at| self.cell(at, inner)) else { return };
        let canvas = Canvas { area: inner, top: 1.0, dots: self.dots() };
        canvas.moment(buf, cell, self.scene.style(Role::Accent));
    }

    /// `14:00:22 ────▲──────!──── 14:05:22`.
    fn axis(&self, area: Rect, buf: &mut Buffer) {
        let (dim, dots) = (self.scene.style(Role::Dim), self.dots());
        Pen::new(buf, area, 0).fill(if dots == Dots::Ascii { "-" } else { "─" }, self.scene.style(Role::Border));
        let (from, to) = (clock(self.span.0, 0), clock(self.span.1, 0));
        if area.width >= 24 {
            Pen::new(buf, area, 0).put(&from, dim).put(" ", dim);
            let end = Rect { x: area.right() - 9, width: 9, ..area };
            Pen::new(buf, end, 0).put(" ", dim).put(&to, dim);
        }
        // Of several in one cell the one that matters most.
        let mut marks: Vec<_> = self.marks.all.iter().collect();
        marks.sort_by_key(|m| m.kind);
        for mark in marks {
            if let Some(x) = self.cell(mark.item.at, area) {
                let place = Rect { x: area.x + x, width: 1, ..area };
                Pen::new(buf, place, 0).put(mark.kind.symbol(dots), self.scene.style(mark.kind.role()));
            }
        }
    }
}
