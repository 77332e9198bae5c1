//! A chart in cells: braille dots two by four to a cell, or eighths of a cell, or plain ASCII; several series over one
//! another, filled or as lines, with levels across and a moment marked.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::app::state::Dots;

/// What a series is in one column.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Column {
    pub low: f64,
    pub high: f64,
    /// The one told in words.
    pub value: f64,
}

/// One line of the chart: columns from left to right; `None` is a gap.
pub struct Series<'a> {
    pub columns: &'a [Option<Column>],
    pub style: Style,
    /// Filled down to zero.
    pub filled: bool,
    /// What it is drawn with where there are no dots.
    pub letter: char,
}

/// Dots of a braille cell by row, left and right.
const DOTS: [[u8; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];
/// The eighths of a cell.
const EIGHTHS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// What stands for them in ASCII, by thirds.
const THIRDS: [char; 4] = [' ', '.', ':', '#'];

/// Where and how a chart is drawn: from zero to `top`.
#[derive(Clone, Copy, Debug)]
pub struct Canvas {
    pub area: Rect,
    pub top: f64,
    pub dots: Dots,
}

/// Columns a chart of this many cells has.
#[must_use]
pub fn steps(cells: u16, dots: Dots) -> usize {
    match dots {
        Dots::Braille => usize::from(cells) * 2,
        Dots::Blocks | Dots::Ascii => usize::from(cells),
    }
}

impl Canvas {
    /// Levels of a cell.
    fn fine(self) -> u16 {
        match self.dots {
            Dots::Braille => 4,
            Dots::Blocks => 8,
            Dots::Ascii => 3,
        }
    }

    /// Levels of all rows.
    fn levels(self) -> u16 {
        self.area.height.saturating_mul(self.fine())
    }

    /// The level, from 0 at the bottom, a value falls on.
    fn level(self, value: f64) -> u16 {
        let most = self.levels().saturating_sub(1);
        let wanted = (value / self.top).clamp(0.0, 1.0) * f64::from(most);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and the levels there are")]
        let level = (wanted + 0.5) as u16;
        level.min(most)
    }

    /// Draws the series, later ones over earlier ones.
    pub fn draw(self, buf: &mut Buffer, series: &[Series<'_>]) {
        let here = Self { area: self.area.intersection(buf.area), ..self };
        if here.area.is_empty() || here.top <= 0.0 {
            return;
        }
        for one in series {
            here.draw_one(buf, one);
        }
    }

    fn draw_one(self, buf: &mut Buffer, series: &Series<'_>) {
        let mut before: Option<u16> = None;
        for (at, column) in series.columns.iter().take(steps(self.area.width, self.dots)).enumerate() {
            let known = column.filter(|c| c.high.is_finite() && c.low.is_finite());
            let (Some(column), Ok(x)) = (known, u16::try_from(at)) else {
                before = None;
                continue;
            };
            let (low, high) = (self.level(column.low), self.level(column.high));
            // A line joins the level before; an area goes down to the floor.
            let (from, to) = match (series.filled, before) {
                (true, _) => (0, high),
                (false, Some(was)) => (low.min(was), high.max(was)),
                (false, None) => (low, high),
            };
            match (self.dots, series.filled) {
                (Dots::Braille, _) => (from..=to).for_each(|dot| self.dot(buf, x, dot, series.style)),
                (Dots::Blocks | Dots::Ascii, true) => self.bar(buf, x, high, series.style),
                (Dots::Blocks | Dots::Ascii, false) => self.letters(buf, x, (low, high), series),
            }
            before = Some(self.level(column.value));
        }
    }

    fn dot(self, buf: &mut Buffer, column: u16, dot: u16, style: Style) {
        let (x, y) = (self.area.x + column / 2, self.area.bottom() - 1 - dot / 4);
        let Some(cell) = buf.cell_mut((x, y)) else { return };
        let bit = DOTS[usize::from(3 - dot % 4)][usize::from(column % 2)];
        let old = cell.symbol().chars().next().map(|c| c as u32).filter(|c| (0x2800..=0x28ff).contains(c)).unwrap_or(0x2800);
        if let Some(symbol) = char::from_u32(old | u32::from(bit)) {
            cell.set_char(symbol).set_style(style);
        }
    }

    /// A column filled up to a level.
    fn bar(self, buf: &mut Buffer, x: u16, level: u16, style: Style) {
        let fine = self.fine();
        for row in 0..=level / fine {
            let part = usize::from((level + 1 - row * fine).min(fine));
            let symbol = match self.dots {
                Dots::Ascii => THIRDS[part],
                Dots::Blocks | Dots::Braille => EIGHTHS[part],
            };
            if let Some(cell) = buf.cell_mut((self.area.x + x, self.area.bottom() - 1 - row)) {
                cell.set_char(symbol).set_style(style);
            }
        }
    }

    /// The series' letter, from one level to another.
    fn letters(self, buf: &mut Buffer, x: u16, (low, high): (u16, u16), series: &Series<'_>) {
        for row in low / self.fine()..=high / self.fine() {
            if let Some(cell) = buf.cell_mut((self.area.x + x, self.area.bottom() - 1 - row)) {
                cell.set_char(series.letter).set_style(series.style);
            }
        }
    }

    /// A level across all of the chart, where nothing else is drawn.
    pub fn across(self, buf: &mut Buffer, value: f64, style: Style) {
        let here = Self { area: self.area.intersection(buf.area), ..self };
        if here.area.is_empty() || here.top <= 0.0 || value > here.top * 1.001 {
            return;
        }
        let level = here.level(value);
        let y = here.area.bottom() - 1 - level / here.fine();
        for x in here.area.left()..here.area.right() {
            let Some(cell) = buf.cell_mut((x, y)) else { continue };
            let free = cell.symbol() == " ";
            match here.dots {
                // Every other dot: told from a line of values.
                Dots::Braille if free => here.dot(buf, (x - here.area.x) * 2, level, style),
                Dots::Blocks if free => drop(cell.set_char('┄').set_style(style)),
                Dots::Ascii if free => drop(cell.set_char('-').set_style(style)),
                Dots::Braille | Dots::Blocks | Dots::Ascii => {}
            }
        }
    }

    /// Marks a cell's column from top to bottom.
    pub fn moment(self, buf: &mut Buffer, cell: u16, style: Style) {
        let area = self.area.intersection(buf.area);
        let x = area.x + cell;
        if x >= area.right() {
            return;
        }
        for y in area.top()..area.bottom() {
            let Some(cell) = buf.cell_mut((x, y)) else { continue };
            if cell.symbol() == " " {
                cell.set_char(if self.dots == Dots::Ascii { '|' } else { '│' });
            }
            cell.set_style(style);
        }
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

    fn chart(dots: Dots, values: &[Option<f64>], filled: bool, height: u16) -> Vec<String> {
        let area = Rect::new(0, 0, 3, height);
        let mut buf = Buffer::empty(area);
        let columns: Vec<Option<Column>> = values.iter().map(|v| v.map(|v| Column { low: v, high: v, value: v })).collect();
        let canvas = Canvas { area, top: 3.0, dots };
        canvas.draw(&mut buf, &[Series { columns: &columns, style: Style::new(), filled, letter: 'A' }]);
        lines(&buf)
    }

    fn lines(buf: &Buffer) -> Vec<String> {
        let row = |y| (0..buf.area.width).map(|x| buf.cell((x, y)).map_or(" ", ratatui::buffer::Cell::symbol)).collect();
        (0..buf.area.height).map(row).collect()
    }

    #[test]
    fn dots_stand_where_the_values_are() {
        let braille = |values: &[Option<f64>], filled| chart(Dots::Braille, values, filled, 1).remove(0);
        assert_eq!(braille(&[None, None, None, None, Some(0.0), Some(3.0)], true), "  ⣸");
        assert_eq!(braille(&[Some(0.0); 6], true), "⣀⣀⣀");
        assert_eq!(braille(&[Some(3.0), None, Some(3.0), Some(3.0), Some(0.0), Some(0.0)], false), "⠁⠉⣇");
        assert_eq!(braille(&[], true), "   ");
        assert_eq!(braille(&[Some(f64::NAN), Some(99.0)], false), "⠈  ");
    }

    #[test]
    fn without_braille_bars_and_letters_do() {
        assert_eq!(chart(Dots::Blocks, &[Some(0.0), Some(1.5), Some(3.0)], true, 1), ["▁▅█"]);
        assert_eq!(chart(Dots::Blocks, &[Some(0.0), Some(1.5), Some(3.0)], true, 2), [" ▁█", "▁██"]);
        assert_eq!(chart(Dots::Ascii, &[Some(0.0), None, Some(3.0)], true, 2), ["  #", ". #"]);
        assert_eq!(chart(Dots::Ascii, &[Some(0.0), None, Some(3.0)], false, 2), ["  A", "A  "]);
    }

    #[test]
    fn a_column_reaches_from_its_least_to_its_greatest() {
        let area = Rect::new(0, 0, 1, 3);
        let mut buf = Buffer::empty(area);
        let columns = [Some(Column { low: 0.0, high: 3.0, value: 1.0 })];
        let canvas = Canvas { area, top: 3.0, dots: Dots::Ascii };
        canvas.draw(&mut buf, &[Series { columns: &columns, style: Style::new(), filled: false, letter: 'B' }]);
        assert_eq!(lines(&buf), ["B", "B", "B"]);
    }

    #[test]
    fn levels_and_a_moment_leave_what_is_drawn() {
        for (dots, level, moment) in [(Dots::Braille, "⠁⠁⠁", "│"), (Dots::Blocks, "┄┄┄", "│"), (Dots::Ascii, "---", "|")]
        {
            let area = Rect::new(0, 0, 3, 2);
            let mut buf = Buffer::empty(area);
            let canvas = Canvas { area, top: 3.0, dots };
            canvas.across(&mut buf, 3.0, Style::new());
            canvas.across(&mut buf, 9.0, Style::new());
            canvas.moment(&mut buf, 1, Style::new());
            canvas.moment(&mut buf, 7, Style::new());
            assert_eq!(lines(&buf), [level.to_owned(), format!(" {moment} ")]);
        }
    }

    #[test]
    #[allow(clippy::float_cmp, reason = "round numbers are exact")]
    fn scales_end_on_round_numbers() {
        assert_eq!([0.42, 1.0, 1.1, 4.9, 612.0].map(|v| round_up(v, false)), [0.5, 1.0, 2.0, 5.0, 1000.0]);
        assert_eq!([600.0, 1024.0].map(|v| round_up(v, true)), [1024.0, 1024.0]);
        assert_eq!(round_up(0.0, false), 1.0);
    }
}
