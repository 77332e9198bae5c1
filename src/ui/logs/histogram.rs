//! How many lines and errors there were over the time the log holds, and where in it the reader is.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::app::format::clock;
use crate::app::layout;
use crate::app::state::{LogView, Stamps};
use crate::observe::log::Bucket;
use crate::theme::Role;

use super::super::format::count;
use super::super::scene::Scene;
use super::super::widget::{Pen, spark::spark};

pub fn draw(scene: &Scene<'_>, logs: &LogView, area: Rect, buf: &mut Buffer) {
    let Some(columns) = layout::histogram(scene.state.size) else { return };
    let Some((from, to)) = logs.span() else { return };
    // With a filter, of the lines it shows.
    let many = usize::from(columns);
    let filtered = if logs.filter.is_empty() { None } else { logs.lens.buckets(&logs.store, from, to, many) };
    let buckets = filtered.unwrap_or_else(|| logs.rates.buckets(from, to, many));
    let local = if logs.stamps == Stamps::Local { scene.state.settings.utc_offset_minutes } else { 0 };
    let dim = scene.style(Role::Dim);
    let reader = logs.line(logs.at()).map_or(to, |l| l.at);
    let span = (to.as_millisecond() - from.as_millisecond()).max(1);
    let at = (reader.as_millisecond() - from.as_millisecond()) * i64::from(columns) / span;
    let at = usize::try_from(at.clamp(0, i64::from(columns) - 1)).unwrap_or(0);
    let mut pen = Pen::new(buf, area, 0);
    pen.skip(3).put(&clock(from, local), dim).skip(1);
    line(scene, &mut pen, &buckets, at, (|b| b.lines, Role::Text));
    pen.skip(1).put(&clock(to, local), dim);
    let errors: u64 = buckets.iter().map(|b| b.errors).sum();
    let word = match errors {
        0 => "  no errors".to_owned(),
        n => format!("  {} errors ", count(n)),
    };
    pen.put(&word, if errors == 0 { dim } else { scene.style(Role::LevelError) });
    if errors > 0 {
        line(scene, &mut pen, &buckets, at, (|b| b.errors, Role::LevelError));
    }
}

/// One sparkline; the column the reader is at stands out.
fn line(scene: &Scene<'_>, pen: &mut Pen<'_>, buckets: &[Bucket], at: usize, (of, role): (fn(&Bucket) -> u64, Role)) {
    let values: Vec<f64> = buckets.iter().map(|b| of(b) as f64).collect();
    let text = spark(&values, values.len(), 1.0);
    let cut = |n: usize| text.char_indices().nth(n).map_or(text.len(), |(i, _)| i);
    let (before, here) = (cut(at), cut(at + 1));
    let style = scene.style(role);
    pen.put(&text[..before], style).put(&text[before..here], scene.style(Role::MatchCurrent)).put(&text[here..], style);
}
