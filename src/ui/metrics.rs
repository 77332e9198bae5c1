//! Charts of what is selected, over a window of time: figures with their limits, what happened marked on the axis, the
//! values at a moment in the titles.

mod columns;
mod legend;
mod marks;
mod plot;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::app::figures::{graph::Graph, measured};
use crate::app::rows::Subject;
use crate::theme::Role;

use super::scene::Scene;
use super::widget::Pen;
use marks::Marks;
use plot::Plot;

/// Cells a chart is wide at least where there are several beside one another.
const WIDE: u16 = 58;
/// Charts beside one another, at most.
const ACROSS: u16 = 4;
/// Lines of a chart at least: its title and two rows.
const LEAST: u16 = 3;
/// From so many lines on every chart has an axis of its own.
const ROOMY: u16 = 6;

/// Draws as many charts as there is room for; how many are left out is said.
pub fn draw(scene: &Scene<'_>, subject: &Subject<'_>, area: Rect, buf: &mut Buffer) {
    if area.height < 4 || area.width < 24 {
        return;
    }
    let graphs = graphs(scene, subject);
    if graphs.is_empty() {
        Pen::new(buf, area, 0).put("nothing is measured of this", scene.style(Role::Dim));
        return;
    }
    let span = scene.state.charts.span(scene.state.now);
    let marks = Marks::of(scene, subject, span);
    let below = if area.height >= 10 { 2 } else { 1 };
    let room = Rect { height: area.height - below, ..area };
    let count = u16::try_from(graphs.len()).unwrap_or(u16::MAX);
    let across = (area.width / WIDE).clamp(1, ACROSS).min(count);
    let down = count.div_ceil(across).min((room.height.saturating_sub(1) / LEAST).max(1));
    let (width, height) = (room.width / across, (room.height.saturating_sub(1) / down).max(LEAST));
    for (graph, at) in graphs.iter().zip(0_u16..across * down) {
        let (x, y) = (at % across, at / across);
        let last = y + 1 == down || at + across >= count;
        let axis = height >= ROOMY || last;
        let place = Rect {
            x: room.x + x * width,
            y: room.y + y * height,
            width: width.saturating_sub(2),
            // The lowest have the line over that is left for their axis.
            height: height + u16::from(height < ROOMY && last),
        };
        Plot { scene, graph, span, marks: &marks, axis }.draw(place.intersection(room), buf);
    }
    let out = usize::from(count).saturating_sub(usize::from(across * down));
    legend::draw(scene, (subject, &graphs), &marks, (span, out), Rect { y: room.bottom(), height: below, ..area }, buf);
}

/// Every chart of what a row stands for, the most telling first.
fn graphs(scene: &Scene<'_>, subject: &Subject<'_>) -> Vec<Graph> {
    let state = scene.state;
    let mut graphs = measured::graphs(state, subject, state.charts.span(state.now).0, state.charts.each);
    // What people feel stands right after what it costs.
    let scraped = state.sheet.iter().filter(|sheet| sheet.key.row == subject.id()).flat_map(|sheet| sheet.graphs.clone());
    let rest = graphs.split_off(graphs.len().min(2));
    graphs.extend(scraped.chain(rest));
    graphs
}
