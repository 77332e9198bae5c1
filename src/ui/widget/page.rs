//! Styled lines that are scrolled: health, details, plans, help.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::observe::text::clean;

use super::text::{Pen, cells, wrap};

/// A run of text in one style.
pub struct Span {
    pub text: String,
    pub style: Style,
}

/// Lines of spans.
#[derive(Default)]
pub struct Page {
    pub lines: Vec<Vec<Span>>,
}

impl Page {
    /// An empty page.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Begins a new line.
    pub fn line(&mut self) -> &mut Self {
        self.lines.push(Vec::new());
        self
    }

    /// Adds to the last line.
    pub fn add(&mut self, text: impl Into<String>, style: Style) -> &mut Self {
        if self.lines.is_empty() {
            self.lines.push(Vec::new());
        }
        if let Some(line) = self.lines.last_mut() {
            line.push(Span { text: text.into(), style });
        }
        self
    }

    /// Adds to the last line and fills up to a column.
    pub fn column(&mut self, text: &str, style: Style, until: u16) -> &mut Self {
        let used = self.used().saturating_add(cells(text));
        let pad = until.saturating_sub(used).max(1);
        self.add(text, style).add(" ".repeat(usize::from(pad)), style)
    }

    /// Adds text as lines of its own, broken to `width`, each begun with `indent` spaces.
    pub fn wrapped(&mut self, text: &str, style: Style, indent: u16, width: u16, most: usize) -> &mut Self {
        let room = usize::from(width.saturating_sub(indent).max(8));
        let mut left = most;
        // A control picture is what the sanitiser leaves of a line end.
        for part in text.split(['\n', '\u{240a}']).filter(|p| !p.trim().is_empty()) {
            let part = clean(part);
            for piece in wrap(&part, room, left) {
                self.line().add(" ".repeat(usize::from(indent)), style).add(piece, style);
                left -= 1;
            }
            if left == 0 {
                break;
            }
        }
        self
    }

    /// Cells the last line takes.
    fn used(&self) -> u16 {
        self.lines.last().map_or(0, |l| l.iter().map(|s| cells(&s.text)).fold(0, u16::saturating_add))
    }

    /// Draws what is in sight from line `scroll` on, never past the end; tells the first and how many lines are below.
    pub fn draw(&self, buf: &mut Buffer, area: Rect, scroll: usize) -> (usize, usize) {
        let height = usize::from(area.height);
        let first = scroll.min(self.lines.len().saturating_sub(height));
        for (at, line) in self.lines.iter().skip(first).take(height).enumerate() {
            let mut pen = Pen::new(buf, area, u16::try_from(at).unwrap_or(u16::MAX));
            for span in line {
                pen.put(&span.text, span.style);
            }
        }
        (first, self.lines.len().saturating_sub(first + height))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_never_scrolls_past_its_end() {
        let mut page = Page::new();
        for n in 0..5 {
            page.line().add(n.to_string(), Style::new());
        }
        let area = Rect::new(0, 0, 3, 2);
        let mut buf = Buffer::empty(area);
        assert_eq!(page.draw(&mut buf, area, 99), (3, 0));
        assert_eq!(page.draw(&mut buf, area, 1), (1, 2));
        assert_eq!(buf.content[0].symbol(), "1");
    }

    #[test]
    fn line_ends_in_outside_text_become_lines() {
        let mut page = Page::new();
        page.wrapped("one\n\ntwo␊three", Style::new(), 2, 40, 9);
        assert_eq!(page.lines.len(), 3);
        page.wrapped(&"x".repeat(100), Style::new(), 0, 10, 2);
        assert_eq!(page.lines.len(), 5);
    }
}
