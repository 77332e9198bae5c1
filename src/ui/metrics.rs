//! Charts of what is selected: CPU, memory, network, with their greatest and latest values.

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::app::figures;
use crate::app::format::{bytes, cores};
use crate::app::rows::Subject;
use crate::model::InstanceId;
use crate::observe::metric::Figure;
use crate::theme::Role;

use super::format::rate;
use super::scene::Scene;
use super::widget::Pen;
use super::widget::chart::{self, Series};

/// Cells of the scale left of a chart.
const SCALE: u16 = 9;
/// Seconds a chart shows at least.
const WINDOW: i64 = 300;

/// One chart: its title and what is drawn in it.
struct Plot {
    title: &'static str,
    figures: &'static [(Figure, &'static str)],
    show: fn(f64) -> String,
    binary: bool,
    /// The scale never ends below this, so that nothing looks like much.
    least: f64,
}

const PLOTS: [Plot; 4] = [
    Plot { title: "CPU, cores", figures: &[(Figure::Cpu, "")], show: cores, binary: false, least: 0.05 },
    Plot { title: "Memory", figures: &[(Figure::Memory, "")], show: bytes, binary: true, least: 1_048_576.0 },
    Plot { title: "Network", figures: &[(Figure::NetRx, "in"), (Figure::NetTx, "out")], show: rate, binary: true, least: 1024.0 },
    Plot {
        title: "Disk",
        figures: &[(Figure::BlockRead, "read"), (Figure::BlockWrite, "written")],
        show: rate,
        binary: true,
        least: 1024.0,
    },
];

/// Draws as many charts as the height allows, beside one another where the width does.
pub fn draw(scene: &Scene<'_>, subject: &Subject<'_>, area: Rect, buf: &mut Buffer) {
    let ids: Vec<&InstanceId> = match subject {
        Subject::Environment(s) => s.workloads.iter().flat_map(|w| figures::measurable(w)).collect(),
        Subject::Workload(_, w) => figures::measurable(w).collect(),
        Subject::Instance(_, _, i) => vec![&i.id],
        Subject::Connection(_)
        | Subject::Revision(..)
        | Subject::Running(_)
        | Subject::Past(_)
        | Subject::Alert(..)
        | Subject::Item(..) => Vec::new(),
    };
    if area.height < 4 || area.width < 24 {
        return;
    }
    let across = match area.width {
        0..60 => 1,
        60..180 => 2,
        180.. => 4,
    };
    let down = (4 / across).min(area.height / 6).max(1);
    let (width, height) = (area.width / across, area.height / down);
    for (plot, at) in PLOTS.iter().zip(0_u16..across * down) {
        let place =
            Rect { x: area.x + at % across * width, y: area.y + at / across * height, width: width.saturating_sub(2), height };
        one(scene, plot, &ids, place, buf);
    }
}

fn one(scene: &Scene<'_>, plot: &Plot, ids: &[&InstanceId], area: Rect, buf: &mut Buffer) {
    let dim = scene.style(Role::Dim);
    let inner =
        Rect { x: area.x + SCALE, y: area.y + 1, width: area.width.saturating_sub(SCALE), height: area.height.saturating_sub(2) };
    let values: Vec<Vec<Option<f64>>> =
        plot.figures.iter().map(|(figure, _)| over_time(scene, ids, *figure, chart::steps(inner.width))).collect();
    let greatest = values.iter().flatten().flatten().copied().fold(0.0, f64::max);
    let top = chart::round_up(greatest.max(plot.least), plot.binary);
    let mut pen = Pen::new(buf, area, 0);
    pen.skip(SCALE).put(plot.title, scene.style(Role::Strong));
    for (((_, word), series), nth) in plot.figures.iter().zip(&values).zip(0..) {
        let now = series.iter().rev().flatten().next().map_or_else(|| "–".to_owned(), |v| (plot.show)(*v));
        pen.skip(2).put(word, dim).skip(u16::from(!word.is_empty())).put(&now, look(scene, nth));
    }
    pen.skip(2).put(&format!("most {}", (plot.show)(greatest)), dim);
    if values.iter().all(|v| v.iter().all(Option::is_none)) {
        Pen::new(buf, inner, inner.height / 2).put("no figures yet", dim);
        return;
    }
    for (line, value) in [(0, top), (inner.height.saturating_sub(1), 0.0)] {
        let scale = Rect { width: SCALE - 1, ..Rect { x: area.x, ..inner } };
        Pen::new(buf, scale, line).put_right(&(plot.show)(value), SCALE - 1, dim);
    }
    // The first is filled and the second a line over it: told apart without colours too.
    let series: Vec<Series<'_>> =
        values.iter().zip(0..).map(|(v, nth)| Series { values: v, style: look(scene, nth), filled: nth == 0 }).collect();
    chart::draw(buf, inner, top, &series);
    let foot = Rect { y: inner.bottom(), height: 1, ..inner };
    Pen::new(buf, foot, 0).put_at_end("now", dim).put("5 min ago", dim);
}

/// How the n-th figure of a chart looks.
fn look(scene: &Scene<'_>, nth: usize) -> Style {
    if nth == 0 { scene.style(Role::Chart) } else { scene.theme.instance(nth) }
}

/// The sum over the instances in even steps up to now; a step nobody was measured in takes the value before it, a gap of
/// more than half a minute is shown as one.
fn over_time(scene: &Scene<'_>, ids: &[&InstanceId], figure: Figure, steps: usize) -> Vec<Option<f64>> {
    let now = scene.state.now;
    let mut sum: Vec<Option<f64>> = vec![None; steps];
    for id in ids {
        let points: Vec<(Timestamp, f64)> = scene.state.metrics.over(id, figure).map(|s| (s.until, s.high)).collect();
        for (total, value) in sum.iter_mut().zip(in_steps(&points, now, steps)) {
            if let Some(value) = value {
                *total = Some(total.unwrap_or(0.0) + value);
            }
        }
    }
    sum
}

/// One instance's points in even steps.
fn in_steps(points: &[(Timestamp, f64)], now: Timestamp, steps: usize) -> Vec<Option<f64>> {
    let step_ms = (WINDOW * 1000 / i64::try_from(steps.max(1)).unwrap_or(1)).max(1);
    let carried = (30_000 / step_ms).max(1);
    let mut out = vec![None; steps];
    for (at, value) in points {
        let ago = (now.as_millisecond() - at.as_millisecond()).max(0) / step_ms;
        if let Ok(ago) = usize::try_from(ago)
            && ago < steps
        {
            out[steps - 1 - ago] = Some(*value);
        }
    }
    let mut last: Option<(f64, i64)> = None;
    for slot in &mut out {
        match (*slot, last) {
            (Some(value), _) => last = Some((value, 0)),
            (None, Some((value, age))) if age < carried => {
                *slot = Some(value);
                last = Some((value, age + 1));
            }
            (None, _) => last = None,
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_pause_is_carried_over_and_a_long_one_is_a_gap() {
        let at = |s: i64| Timestamp::from_second(1_000_000 - s).unwrap();
        let points = [(at(290), 1.0), (at(200), 2.0), (at(0), 3.0)];
        let out = in_steps(&points, at(0), 30);
        assert_eq!(out.iter().flatten().count(), 1 + 3 + 1 + 3 + 1, "each carried three steps of ten seconds: {out:?}");
        assert_eq!((out[29], out[0], out[5]), (Some(3.0), Some(1.0), None));
        assert!(in_steps(&[], at(0), 4).iter().all(Option::is_none));
    }
}
