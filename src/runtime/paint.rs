//! Cells to bytes: only what changed, by the shortest way there, with the fewest changes of style.
//!
//! Terminal codes are ECMA-48's: CUP, CUF, CUB, ECH, EL, SGR; synchronized update is private mode 2026.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::io::Write as _;

use ratatui::backend::{Backend, ClearType, WindowSize};
use ratatui::buffer::{Buffer, Cell, CellDiffOption, CellWidth as _};
use ratatui::layout::{Position, Rect, Size};
use ratatui::{Frame, Terminal, TerminalOptions, Viewport};

use crate::theme::sgr::{self, Look};

/// A frame shorter than this reaches the terminal in one piece anyway and is sent without the marks of an update.
const SMALL: usize = 128;
/// Blanks from this many on are erased rather than written.
const ERASE_FROM: u16 = 8;

const BEGIN_UPDATE: &[u8] = b"\x1b[?2026h";
const END_UPDATE: &[u8] = b"\x1b[?2026l";

/// Draws frames into bytes.
pub struct Painter {
    terminal: Terminal<Paint>,
}

impl Painter {
    /// A painter for a screen of this size; `erases` says whether the terminal fills erased cells with the background in
    /// force (all but GNU screen do).
    #[must_use]
    pub fn new(size: (u16, u16), erases: bool) -> Self {
        let options = TerminalOptions { viewport: Viewport::Fixed(Rect::new(0, 0, size.0, size.1)) };
        let Ok(terminal) = Terminal::with_options(Paint::new(size, erases), options);
        Self { terminal }
    }

    /// Takes the screen's new size; the next frame is drawn whole.
    pub fn resize(&mut self, size: (u16, u16)) {
        self.terminal.backend_mut().size = size;
        let Ok(()) = self.terminal.resize(Rect::new(0, 0, size.0, size.1));
        self.redraw();
    }

    /// Something else has written to the screen: the next frame is drawn whole.
    pub fn redraw(&mut self) {
        let paint = self.terminal.backend_mut();
        paint.bytes.clear();
        paint.forget();
        paint.bytes.extend_from_slice(b"\x1b[?25l");
        paint.cursor_shown = false;
        let Ok(()) = self.terminal.clear();
    }

    /// Draws a frame into `bytes`, which is left empty when nothing changed.
    pub fn frame(&mut self, bytes: &mut Vec<u8>, render: impl FnOnce(&mut Frame)) {
        let mut wide = std::mem::take(&mut self.terminal.backend_mut().wide);
        let Ok(_) = self.terminal.draw(|frame| {
            render(frame);
            let buffer = frame.buffer_mut();
            wide.retain(|&(column, row)| stays_wide(buffer, column, row));
        });
        let paint = self.terminal.backend_mut();
        paint.wide.append(&mut wide);
        let large = paint.bytes.len() >= SMALL;
        if large {
            bytes.extend_from_slice(BEGIN_UPDATE);
        }
        bytes.append(&mut paint.bytes);
        if large {
            bytes.extend_from_slice(END_UPDATE);
        }
    }
}

/// Whether a cell that held a wide character still does. Where it does not, a terminal blanks the other half in whatever
/// style is in force, so that one is written again too.
fn stays_wide(buffer: &mut Buffer, column: u16, row: u16) -> bool {
    let stays = buffer.cell((column, row)).is_some_and(|cell| cell.cell_width() > 1);
    if !stays && let Some(other_half) = buffer.cell_mut((column + 1, row)) {
        other_half.set_diff_option(CellDiffOption::AlwaysUpdate);
    }
    stays
}

/// The backend ratatui draws on: knows where the cursor stands and which style is in force on the terminal.
struct Paint {
    bytes: Vec<u8>,
    size: (u16, u16),
    /// Column and row; unknown after anything that may have moved it, or when a line was filled to its end.
    at: Option<(u16, u16)>,
    look: Option<Look>,
    cursor_shown: bool,
    erases: bool,
    /// Where wide characters stand on the terminal.
    wide: BTreeSet<(u16, u16)>,
}

impl Paint {
    fn new(size: (u16, u16), erases: bool) -> Self {
        Self {
            bytes: Vec::with_capacity(8 << 10),
            size,
            at: None,
            look: None,
            cursor_shown: false,
            erases,
            wide: BTreeSet::new(),
        }
    }

    fn forget(&mut self) {
        self.at = None;
        self.look = None;
    }

    fn put(&mut self, arguments: std::fmt::Arguments) {
        // Writing to memory does not fail.
        drop(self.bytes.write_fmt(arguments));
    }

    /// Moves the cursor, by the shortest of the ways there are.
    fn go(&mut self, column: u16, row: u16) {
        if self.at == Some((column, row)) {
            return;
        }
        match self.at {
            Some((from, line)) if line == row && column > from => match column - from {
                1 => self.bytes.extend_from_slice(b"\x1b[C"),
                n => self.put(format_args!("\x1b[{n}C")),
            },
            Some((_, line)) if line == row && column == 0 => self.bytes.push(b'\r'),
            Some((from, line)) if line == row => match from - column {
                n @ 1..=3 => self.bytes.extend(std::iter::repeat_n(b'\x08', usize::from(n))),
                n => self.put(format_args!("\x1b[{n}D")),
            },
            // Raw mode turns no line feed into more than it is: straight down.
            Some((from, line)) if row > line && row - line <= 3 && (column == from || column == 0) => {
                if column != from {
                    self.bytes.push(b'\r');
                }
                self.bytes.extend(std::iter::repeat_n(b'\n', usize::from(row - line)));
            }
            Some(_) | None => match (column, row) {
                (0, 0) => self.bytes.extend_from_slice(b"\x1b[H"),
                (0, row) => self.put(format_args!("\x1b[{}H", row + 1)),
                (column, 0) => self.put(format_args!("\x1b[;{}H", column + 1)),
                (column, row) => self.put(format_args!("\x1b[{};{}H", row + 1, column + 1)),
            },
        }
        self.at = Some((column, row));
    }

    fn wear(&mut self, look: Look) {
        if self.look != Some(look) {
            sgr::change(&mut self.bytes, self.look, look);
            self.look = Some(look);
        }
    }

    /// Writes `count` blanks of one look, erasing where that is shorter.
    fn blanks(&mut self, column: u16, row: u16, count: u16) {
        let plain = self.look.is_some_and(|l| !l.shows_on_blank());
        if plain && self.erases && count >= ERASE_FROM {
            // Erasing leaves the cursor where it is.
            if column + count == self.size.0 {
                self.bytes.extend_from_slice(b"\x1b[K");
            } else {
                self.put(format_args!("\x1b[{count}X"));
            }
            return;
        }
        self.bytes.extend(std::iter::repeat_n(b' ', usize::from(count)));
        self.advance(column, row, count);
    }

    fn advance(&mut self, column: u16, row: u16, by: u16) {
        // At the end of a line terminals differ in where the cursor stands.
        self.at = (column + by < self.size.0).then_some((column + by, row));
    }
}

impl Backend for Paint {
    type Error = Infallible;

    fn draw<'a, I>(&mut self, content: I) -> Result<(), Infallible>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        let mut cells = content.peekable();
        while let Some((column, row, cell)) = cells.next() {
            let look = Look::of(cell);
            self.go(column, row);
            if cell.symbol() == " " {
                let mut count = 1;
                while cells
                    .next_if(|(c, r, next)| *r == row && *c == column + count && next.symbol() == " " && Look::of(next) == look)
                    .is_some()
                {
                    count += 1;
                }
                // What differs only in what a blank does not show needs no change of style.
                if self.look.is_none_or(|now| now.on_blank() != look.on_blank()) {
                    self.wear(look);
                }
                self.blanks(column, row, count);
            } else {
                self.wear(look);
                self.bytes.extend_from_slice(cell.symbol().as_bytes());
                let width = crate::observe::text::width(cell.symbol());
                // Terminals disagree on what is not one cell wide (emoji, combining marks): say where to go on.
                self.at = None;
                if width > 1 {
                    self.wide.insert((column, row));
                }
                if width == 1 && cell.symbol().chars().nth(1).is_none() {
                    self.advance(column, row, 1);
                }
            }
        }
        Ok(())
    }

    fn hide_cursor(&mut self) -> Result<(), Infallible> {
        if self.cursor_shown {
            self.bytes.extend_from_slice(b"\x1b[?25l");
            self.cursor_shown = false;
        }
        Ok(())
    }

    fn show_cursor(&mut self) -> Result<(), Infallible> {
        if !self.cursor_shown {
            self.bytes.extend_from_slice(b"\x1b[?25h");
            self.cursor_shown = true;
        }
        Ok(())
    }

    fn get_cursor_position(&mut self) -> Result<Position, Infallible> {
        Ok(self.at.map_or(Position::ORIGIN, Position::from))
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> Result<(), Infallible> {
        let Position { x, y } = position.into();
        self.go(x, y);
        Ok(())
    }

    fn clear(&mut self) -> Result<(), Infallible> {
        // Erased cells take the background in force: the default first.
        self.bytes.extend_from_slice(b"\x1b[m\x1b[2J");
        self.look = Some(Look::of(&Cell::EMPTY));
        self.at = None;
        self.wide.clear();
        Ok(())
    }

    fn clear_region(&mut self, _: ClearType) -> Result<(), Infallible> {
        // Asked for only when everything is drawn again.
        self.clear()
    }

    fn size(&self) -> Result<Size, Infallible> {
        Ok(Size::new(self.size.0, self.size.1))
    }

    fn window_size(&mut self) -> Result<WindowSize, Infallible> {
        Ok(WindowSize { columns_rows: Size::new(self.size.0, self.size.1), pixels: Size::ZERO })
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

#[cfg(test)]
#[path = "paint/tests.rs"]
mod tests;
