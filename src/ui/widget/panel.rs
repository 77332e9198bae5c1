//! A panel over the screen: cleared, framed, titled.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::text::Pen;

/// Styles of a panel.
#[derive(Clone, Copy)]
pub struct Look {
    pub surface: Style,
    pub frame: Style,
    pub title: Style,
}

/// A rectangle of at most this size in the middle of the area, a little above it.
#[must_use]
pub fn middle(area: Rect, width: u16, height: u16) -> Rect {
    let (width, height) = (width.min(area.width), height.min(area.height));
    Rect { x: area.x + (area.width - width) / 2, y: area.y + (area.height - height) / 3, width, height }
}

/// Clears and frames the rectangle; gives what is left inside, two cells in from the sides. A panel too small for a frame has none.
pub fn draw(buf: &mut Buffer, area: Rect, title: &str, look: Look) -> Rect {
    let area = area.intersection(buf.area);
    for y in area.top()..area.bottom() {
        for x in area.left()..area.right() {
            if let Some(cell) = buf.cell_mut((x, y)) {
                cell.reset();
                cell.set_style(look.surface);
            }
        }
    }
    if area.width < 8 || area.height < 4 {
        return area;
    }
    edge(buf, area, 0, ["╭", "╮"], look.frame);
    edge(buf, area, area.height - 1, ["╰", "╯"], look.frame);
    for line in 1..area.height - 1 {
        Pen::new(buf, area, line).put("│", look.frame).to(area.right() - 1).put("│", look.frame);
    }
    if !title.is_empty() {
        let inside = Rect { width: area.width - 2, ..area };
        Pen::new(buf, inside, 0).skip(2).put(" ", look.frame).put(title, look.title).put(" ", look.frame);
    }
    Rect { x: area.x + 2, y: area.y + 1, width: area.width - 4, height: area.height - 2 }
}

fn edge(buf: &mut Buffer, area: Rect, line: u16, [left, right]: [&str; 2], style: Style) {
    let mut pen = Pen::new(buf, area, line);
    pen.put_at_end(right, style).put(left, style).fill("─", style);
    // The pen keeps a space before what stands at the end.
    let gap = Rect { x: area.right() - 2, width: 1, ..area };
    Pen::new(buf, gap, line).put("─", style);
}
