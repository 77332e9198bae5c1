//! Screens as files: what stood in the cells, as text and as a picture.

mod shapes;
pub mod svg;
pub mod text;

pub use svg::svg;
pub use text::text;

use ratatui::buffer::Buffer;
use ratatui::style::Style;

use crate::observe::text::width;

/// A run of cells in one style.
struct Run {
    /// First cell.
    x: u16,
    cells: u16,
    text: String,
    style: Style,
}

/// A line's cells as runs. A wide character is a run of its own, so that what follows it stays in its column.
fn runs(buf: &Buffer, line: u16) -> Vec<Run> {
    let mut out: Vec<Run> = Vec::new();
    let mut x = buf.area.x;
    while x < buf.area.right() {
        let Some(cell) = buf.cell((x, line)) else { break };
        let wide = u16::try_from(width(cell.symbol())).unwrap_or(1).max(1);
        let narrow = wide == 1 && cell.symbol().chars().count() == 1;
        match out.last_mut() {
            Some(run) if narrow && run.style == cell.style() && run.cells == count(&run.text) => {
                run.text.push_str(cell.symbol());
                run.cells += 1;
            }
            Some(_) | None => {
                out.push(Run { x: x - buf.area.x, cells: wide, text: cell.symbol().to_owned(), style: cell.style() });
            }
        }
        x += wide;
    }
    out
}

fn count(text: &str) -> u16 {
    u16::try_from(text.chars().count()).unwrap_or(u16::MAX)
}
