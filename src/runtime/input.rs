//! What comes from the terminal: keys, pasted text, the wheel, a new size.
//!
//! The terminal is opened anew for reading, so that a read never waits and nothing but the reader at hand takes a byte:
//! while the terminal is lent or the program stopped there is none.

mod parse;

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tokio::time::{Instant, sleep_until};

use crate::app::Msg;

use super::screen;
use parse::Parser;

/// How long the rest of a sequence is waited for: a lone Esc is a key, and a slow line splits others.
const REST_WITHIN: Duration = Duration::from_millis(40);

/// Reads the terminal.
#[derive(Debug)]
pub struct Input {
    terminal: Terminal,
    resized: Resized,
    parser: Parser,
    ready: VecDeque<Msg>,
    /// When what was begun is no longer waited for.
    patience: Option<Instant>,
}

impl Input {
    /// Begins to read.
    ///
    /// # Errors
    /// When there is no terminal, or it cannot be opened.
    pub fn open() -> io::Result<Self> {
        Ok(Self {
            terminal: open()?,
            resized: Resized::listen()?,
            parser: Parser::default(),
            ready: VecDeque::new(),
            patience: None,
        })
    }

    /// The next thing that comes. Nothing is lost when the wait is given up.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub async fn next(&mut self) -> io::Result<Msg> {
        let mut bytes = [0; 4096];
        loop {
            if let Some(msg) = self.ready.pop_front() {
                return Ok(msg);
            }
            let patience = self.patience;
            tokio::select! {
                read = self.terminal.read(&mut bytes) => match read? {
                    0 => return Err(gone()),
                    n => self.take(&bytes[..n]),
                },
                () = sleep_until(patience.unwrap_or_else(Instant::now)), if patience.is_some() => {
                    self.parser.give_up(&mut self.ready);
                    self.patience = None;
                }
                () = self.resized.wait() => {
                    let (columns, rows) = screen::size();
                    return Ok(Msg::Resize(columns, rows));
                }
            }
        }
    }

    /// The next thing, if it is there already.
    pub fn at_hand(&mut self) -> Option<Msg> {
        if self.ready.is_empty() {
            let mut bytes = [0; 4096];
            // An error is met again, and told, by the next wait.
            if let Ok(n @ 1..) = self.terminal.try_read(&mut bytes) {
                self.take(&bytes[..n]);
            }
        }
        self.ready.pop_front()
    }

    fn take(&mut self, bytes: &[u8]) {
        self.parser.take(bytes, &mut self.ready);
        self.patience = self.parser.is_begun().then(|| Instant::now() + REST_WITHIN);
    }
}

pub(super) fn gone() -> io::Error {
    io::Error::other("the terminal is gone")
}

/// To the poller a terminal is read like a pipe.
pub(super) type Terminal = tokio::net::unix::pipe::Receiver;

/// Opens the controlling terminal, or where there is none (a container's first process), what standard input is.
pub(super) fn open() -> io::Result<Terminal> {
    let try_open = |path| tokio::net::unix::pipe::OpenOptions::new().unchecked(true).open_receiver(path);
    try_open("/dev/tty").or_else(|_| try_open("/proc/self/fd/0"))
}

/// Tells when the terminal has another size.
#[derive(Debug)]
pub(super) struct Resized(tokio::signal::unix::Signal);

impl Resized {
    pub(super) fn listen() -> io::Result<Self> {
        tokio::signal::unix::signal(tokio::signal::unix::SignalKind::window_change()).map(Self)
    }

    pub(super) async fn wait(&mut self) {
        self.0.recv().await;
    }
}
