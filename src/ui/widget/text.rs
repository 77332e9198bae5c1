//! The one way text reaches cells: cleaned whatever it is, cut to its place, never outside the buffer.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::observe::text::{clean, fit, width};

/// Writes along one line, from left to right.
pub struct Pen<'a> {
    buf: &'a mut Buffer,
    x: u16,
    y: u16,
    /// First cell it may not write to.
    end: u16,
}

impl<'a> Pen<'a> {
    /// A pen at the start of the area's line `line`; one that writes nothing where there is no such line.
    pub fn new(buf: &'a mut Buffer, area: Rect, line: u16) -> Self {
        let y = area.y.saturating_add(line);
        let shown = area.intersection(buf.area);
        let end = if line < area.height && y >= shown.y && y < shown.bottom() { shown.right() } else { 0 };
        Self { buf, x: area.x, y, end }
    }

    /// Cells left.
    #[must_use]
    pub fn left(&self) -> u16 {
        self.end.saturating_sub(self.x)
    }

    /// The cell it will write to next.
    #[must_use]
    pub fn x(&self) -> u16 {
        self.x
    }

    /// Moves on without writing.
    pub fn skip(&mut self, cells: u16) -> &mut Self {
        self.x = self.x.saturating_add(cells);
        self
    }

    /// Moves to a cell, forwards or back.
    pub fn to(&mut self, x: u16) -> &mut Self {
        self.x = x;
        self
    }

    /// Moves on to a cell unless it is past it already.
    pub fn to_at_least(&mut self, x: u16) -> &mut Self {
        self.x = self.x.max(x);
        self
    }

    /// Writes text, cut with `…` where it does not fit.
    pub fn put(&mut self, text: &str, style: Style) -> &mut Self {
        let room = self.left();
        self.put_in(text, room, style)
    }

    /// Writes text into at most `cells` cells.
    pub fn put_in(&mut self, text: &str, cells: u16, style: Style) -> &mut Self {
        let cells = cells.min(self.left());
        if cells == 0 {
            return self;
        }
        let text = clean(text);
        let text = fit(&text, usize::from(cells));
        let (x, _) = self.buf.set_stringn(self.x, self.y, &text, usize::from(cells), style);
        self.x = x;
        self
    }

    /// Writes text right-aligned into exactly `cells` cells.
    pub fn put_right(&mut self, text: &str, cells: u16, style: Style) -> &mut Self {
        let cells = cells.min(self.left());
        let text = clean(text);
        let taken = u16::try_from(width(&text)).unwrap_or(u16::MAX).min(cells);
        self.skip(cells - taken).put_in(&text, taken, style)
    }

    /// Writes text against the right end and keeps the rest of the line before it, less a space.
    pub fn put_at_end(&mut self, text: &str, style: Style) -> &mut Self {
        let text = clean(text);
        let taken = u16::try_from(width(&text)).unwrap_or(u16::MAX);
        if taken > self.left() {
            return self;
        }
        let x = self.end - taken;
        self.buf.set_stringn(x, self.y, &text, usize::from(taken), style);
        self.end = x.saturating_sub(1);
        self
    }

    /// Repeats a one-cell symbol of ours to the end of the line.
    pub fn fill(&mut self, symbol: &str, style: Style) -> &mut Self {
        while self.left() > 0 {
            self.buf.set_stringn(self.x, self.y, symbol, 1, style);
            self.x += 1;
        }
        self
    }
}

/// Cells a text takes once it is cleaned.
#[must_use]
pub fn cells(text: &str) -> u16 {
    u16::try_from(width(&clean(text))).unwrap_or(u16::MAX)
}

/// Breaks a cleaned text into pieces of at most `cells` cells, at spaces where there are any, at most `most` pieces.
#[must_use]
pub fn wrap(text: &str, cells: usize, most: usize) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while !rest.is_empty() && pieces.len() < most {
        let cut = cut_at(rest, cells.max(1));
        let (piece, after) = rest.split_at(cut);
        pieces.push(piece.trim_end());
        rest = after.trim_start();
    }
    if pieces.is_empty() {
        pieces.push("");
    }
    pieces
}

/// Byte offset of the last good place to break within `cells` cells; always moves on.
fn cut_at(text: &str, cells: usize) -> usize {
    use unicode_segmentation::UnicodeSegmentation as _;
    let mut taken = 0;
    let mut space = None;
    for (at, grapheme) in text.grapheme_indices(true) {
        let wide = width(grapheme);
        if taken + wide > cells && at > 0 {
            // A break at a space that would leave most of the line empty is worse than one in a word.
            return space.filter(|s| *s * 3 >= at).unwrap_or(at);
        }
        if grapheme == " " {
            space = Some(at);
        }
        taken += wide;
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(write: impl Fn(&mut Pen<'_>)) -> String {
        let mut buf = Buffer::empty(Rect::new(0, 0, 10, 1));
        write(&mut Pen::new(&mut buf, Rect::new(0, 0, 10, 1), 0));
        buf.content.iter().map(ratatui::buffer::Cell::symbol).collect()
    }

    #[test]
    fn text_is_cut_cleaned_and_kept_inside() {
        let s = Style::new();
        assert_eq!(
            line(|p| {
                p.put("abcdefghijkl", s);
            }),
            "abcdefghi…"
        );
        assert_eq!(
            line(|p| {
                p.put("\u{1b}[31mred\u{1b}[0m", s);
            }),
            "red       "
        );
        assert_eq!(
            line(|p| {
                p.put_right("42", 5, s).put("x", s);
            }),
            "   42x    "
        );
        assert_eq!(
            line(|p| {
                p.put_at_end("end", s).put("abcdefghijkl", s);
            }),
            "abcde… end"
        );
        assert_eq!(
            line(|p| {
                p.skip(20).put("x", s);
            }),
            "          "
        );
        assert_eq!(
            line(|p| {
                p.put_in("界界界", 5, s).put("|", s);
            })
            .replace(' ', ""),
            "界界…|"
        );
    }

    #[test]
    fn a_pen_outside_the_buffer_writes_nothing() {
        let mut buf = Buffer::empty(Rect::new(0, 0, 4, 2));
        for area in [Rect::new(0, 2, 4, 1), Rect::new(9, 0, 4, 1), Rect::new(0, 0, 0, 0)] {
            Pen::new(&mut buf, area, 0).put("x", Style::new()).fill("─", Style::new());
        }
        Pen::new(&mut buf, Rect::new(0, 0, 99, 99), 50).put("x", Style::new());
        assert!(buf.content.iter().all(|c| c.symbol() == " "));
    }

    #[test]
    fn long_text_breaks_at_spaces_where_it_can() {
        assert_eq!(wrap("the quick brown fox", 10, 9), ["the quick", "brown fox"]);
        assert_eq!(wrap("abcdefghijklmnop", 5, 9), ["abcde", "fghij", "klmno", "p"]);
        assert_eq!(wrap("a bcdefghijklmnop", 8, 9), ["a bcdefg", "hijklmno", "p"]);
        assert_eq!(wrap("", 5, 9), [""]);
        assert_eq!(wrap("界界界", 1, 9), ["界", "界", "界"]);
        assert_eq!(wrap("aaaa bbbb cccc", 4, 2), ["aaaa", "bbbb"]);
    }
}
