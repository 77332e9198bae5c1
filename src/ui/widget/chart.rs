//! A chart in braille dots: two by four to a cell, several series over one another, filled or as lines.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

/// One line of the chart: values at even steps, the newest last and at the right edge; `None` is a gap.
pub struct Series<'a> {
    pub values: &'a [Option<f64>],
    pub style: Style,
    /// Filled down to zero.
    pub filled: bool,
}

/// Dots of a braille cell by row, left and right.
const DOTS: [[u8; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];

/// Values a chart of this many cells can show.
#[must_use]
pub fn steps(cells: u16) -> usize {
    usize::from(cells) * 2
}

/// Draws the series from zero to `top`, later ones over earlier ones.
pub fn draw(buf: &mut Buffer, area: Rect, top: f64, series: &[Series<'_>]) {
    let area = area.intersection(buf.area);
    if area.is_empty() || top <= 0.0 {
        return;
    }
    for one in series {
        draw_one(buf, area, top, one);
    }
}

fn draw_one(buf: &mut Buffer, area: Rect, top: f64, series: &Series<'_>) {
    let columns = steps(area.width);
    let shown = &series.values[series.values.len().saturating_sub(columns)..];
    let skipped = columns - shown.len();
    let mut before: Option<u16> = None;
    for (at, value) in shown.iter().enumerate() {
        let Some(value) = value.filter(|v| v.is_finite()) else {
            before = None;
            continue;
        };
        let level = level(value, top, area.height);
        // A line joins the level before; an area goes down to the floor.
        let (low, high) = if series.filled {
            (0, level)
        } else {
            let from = before.unwrap_or(level);
            (from.min(level), from.max(level))
        };
        let column = u16::try_from(skipped + at).unwrap_or(u16::MAX);
        for dot in low..=high {
            set(buf, area, column, dot, series.style);
        }
        before = Some(level);
    }
}

/// The dot, from 0 at the bottom, a value falls on.
fn level(value: f64, top: f64, height: u16) -> u16 {
    let dots = height.saturating_mul(4).saturating_sub(1);
    let wanted = (value / top).clamp(0.0, 1.0) * f64::from(dots);
    (0..=dots).rev().find(|d| f64::from(*d) <= wanted + 0.5).unwrap_or(0)
}

fn set(buf: &mut Buffer, area: Rect, column: u16, dot: u16, style: Style) {
    let (x, y) = (area.x + column / 2, area.bottom() - 1 - dot / 4);
    let Some(cell) = buf.cell_mut((x, y)) else { return };
    let bit = DOTS[usize::from(3 - dot % 4)][usize::from(column % 2)];
    let old = cell.symbol().chars().next().map(|c| c as u32).filter(|c| (0x2800..=0x28ff).contains(c)).unwrap_or(0x2800);
    if let Some(symbol) = char::from_u32(old | u32::from(bit)) {
        cell.set_char(symbol).set_style(style);
    }
}

/// A round value at or above the greatest: 1, 2 or 5 times a power of `base` 10 (or of 2 for bytes).
#[must_use]
pub fn round_up(value: f64, binary: bool) -> f64 {
    if !value.is_finite() || value <= 0.0 {
        return 1.0;
    }
    if binary {
        return 2_f64.powf(value.log2().ceil());
    }
    let power = 10_f64.powf(value.log10().floor());
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|m| m * power).find(|top| *top >= value * 0.999_999).unwrap_or(10.0 * power)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(values: &[Option<f64>], filled: bool) -> String {
        let area = Rect::new(0, 0, 3, 1);
        let mut buf = Buffer::empty(area);
        draw(&mut buf, area, 3.0, &[Series { values, style: Style::new(), filled }]);
        buf.content.iter().map(ratatui::buffer::Cell::symbol).collect()
    }

    #[test]
    fn the_newest_value_is_at_the_right_edge() {
        assert_eq!(chart(&[Some(0.0), Some(3.0)], true), "  ⣸");
        assert_eq!(chart(&[Some(0.0); 6], true), "⣀⣀⣀");
        assert_eq!(chart(&[Some(3.0), None, Some(3.0), Some(3.0), Some(0.0), Some(0.0)], false), "⠁⠉⣇");
        assert_eq!(chart(&[], true), "   ");
        assert_eq!(chart(&[Some(f64::NAN), Some(99.0)], false), "  ⠈");
    }

    #[test]
    #[allow(clippy::float_cmp, reason = "round numbers are exact")]
    fn scales_end_on_round_numbers() {
        assert_eq!([0.42, 1.0, 1.1, 4.9, 612.0].map(|v| round_up(v, false)), [0.5, 1.0, 2.0, 5.0, 1000.0]);
        assert_eq!([600.0, 1024.0].map(|v| round_up(v, true)), [1024.0, 1024.0]);
        assert_eq!(round_up(0.0, false), 1.0);
    }
}
