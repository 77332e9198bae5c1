//! The terminal while it is ours: taken with [`Screen::take`], given back on every way out, panics included.

use std::io::{self, IsTerminal as _, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use crossterm::terminal::{disable_raw_mode, enable_raw_mode};

/// Whether the terminal is ours at the moment: the panic hook has no other way to know.
static TAKEN: AtomicBool = AtomicBool::new(false);
/// Whether mouse reports were asked for.
static MOUSE: AtomicBool = AtomicBool::new(false);

/// Alternate screen, cursor hidden, bracketed paste; what is on it is cleared by the first frame.
const ENTER: &[u8] = b"\x1b[?1049h\x1b[?25l\x1b[?2004h";
/// The same undone; a synchronized update that was begun is ended, the style in force forgotten.
const LEAVE: &[u8] = b"\x1b[?2026l\x1b[m\x1b[?2004l\x1b[?25h\x1b[?1049l";
/// Button and wheel reports in SGR coding; without them the terminal's own selection works as ever.
const MOUSE_ON: &[u8] = b"\x1b[?1000h\x1b[?1006h";
const MOUSE_OFF: &[u8] = b"\x1b[?1006l\x1b[?1000l";

/// The terminal, ours until dropped.
#[derive(Debug)]
pub struct Screen(());

impl Screen {
    /// Takes the terminal.
    ///
    /// # Errors
    /// When standard input or output is no terminal, or it does not obey.
    pub fn take(mouse: bool) -> io::Result<Self> {
        if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
            return Err(io::Error::other("standard input and output are not a terminal"));
        }
        MOUSE.store(mouse, Ordering::Release);
        // Dropped, and with it undone, when what follows fails.
        let screen = Self(());
        screen.enter()?;
        Ok(screen)
    }

    /// Takes it again after [`Self::leave`].
    ///
    /// # Errors
    /// When the terminal does not obey.
    pub fn enter(&self) -> io::Result<()> {
        TAKEN.store(true, Ordering::Release);
        // Keeps the mode it was found in, the first time.
        enable_raw_mode()?;
        // Whoever had it meanwhile may have changed its mode. It is never another than ours in between: a key that
        // comes then would wait for the end of its line.
        let mut mode = rustix::termios::tcgetattr(io::stdin())?;
        mode.make_raw();
        rustix::termios::tcsetattr(io::stdin(), rustix::termios::OptionalActions::Now, &mode)?;
        write(ENTER)?;
        if MOUSE.load(Ordering::Acquire) {
            write(MOUSE_ON)?;
        }
        Ok(())
    }

    /// Gives it back for a while.
    pub fn leave(&self) {
        restore();
    }

    /// Gives the picture back and keeps the keys raw: for a command that is shown instead of us.
    pub fn lend(&self) {
        if MOUSE.load(Ordering::Acquire) {
            drop(write(MOUSE_OFF));
        }
        drop(write(LEAVE));
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        restore();
    }
}

/// Gives the terminal back if it is ours; harmless otherwise and when repeated. Errors have nowhere to go: the terminal
/// may be gone.
pub fn restore() {
    if TAKEN.swap(false, Ordering::AcqRel) {
        if MOUSE.load(Ordering::Acquire) {
            drop(write(MOUSE_OFF));
        }
        drop(write(LEAVE));
        drop(disable_raw_mode());
    }
}

/// Whether the terminal is ours at the moment.
#[must_use]
pub fn is_taken() -> bool {
    TAKEN.load(Ordering::Acquire)
}

/// Whether the terminal fills erased cells with the background in force. GNU screen does not.
#[must_use]
pub fn erases() -> bool {
    std::env::var_os("STY").is_none_or(|v| v.is_empty())
}

fn write(bytes: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(bytes)?;
    out.flush()
}

/// Its size in columns and rows; 0×0 where it cannot say, which does happen.
#[must_use]
pub fn size() -> (u16, u16) {
    crossterm::terminal::size().unwrap_or((0, 0))
}
