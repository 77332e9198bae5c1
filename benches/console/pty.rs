//! A program in a pty of 160×48 whose screen is interpreted and whose every output is stamped with its time.

use std::io::{Read, Write};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

pub const COLUMNS: u16 = 160;
pub const ROWS: u16 = 48;

/// A program and what it has put on its screen so far.
pub struct Screen {
    pub started: Instant,
    pub first_paint: Option<Instant>,
    /// Bytes written to the terminal so far.
    pub bytes: u64,
    parser: vt100::Parser,
    chunks: Receiver<(Instant, Vec<u8>)>,
    writer: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    _master: Box<dyn MasterPty + Send>,
}

impl Screen {
    pub fn spawn(program: &str, arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let pair = native_pty_system()
            .openpty(PtySize { rows: ROWS, cols: COLUMNS, pixel_width: 0, pixel_height: 0 })
            .expect("a pty can be had");
        let mut command = CommandBuilder::new(program);
        command.args(arguments);
        command.env("TERM", "xterm-256color");
        for (key, value) in environment {
            command.env(key, value);
        }
        let mut reader = pair.master.try_clone_reader().expect("the pty can be read");
        let writer = pair.master.take_writer().expect("the pty can be written");
        let (sender, chunks) = channel();
        let started = Instant::now();
        let child = pair.slave.spawn_command(command).expect("the program starts");
        thread::spawn(move || {
            let mut buffer = vec![0; 1 << 16];
            while let Ok(n) = reader.read(&mut buffer) {
                if n == 0 || sender.send((Instant::now(), buffer[..n].to_vec())).is_err() {
                    break;
                }
            }
        });
        Self {
            started,
            first_paint: None,
            bytes: 0,
            parser: vt100::Parser::new(cells(ROWS), cells(COLUMNS), 0),
            chunks,
            writer,
            child,
            _master: pair.master,
        }
    }

    pub fn pid(&self) -> u32 {
        self.child.process_id().expect("the program has a pid")
    }

    pub fn text(&self) -> String {
        self.parser.screen().contents()
    }

    pub fn send(&mut self, keys: &[u8]) {
        self.writer.write_all(keys).and_then(|()| self.writer.flush()).expect("keys can be sent");
    }

    /// Takes in one chunk; `None` when nothing came in time.
    pub fn step(&mut self, wait: Duration) -> Option<Instant> {
        match self.chunks.recv_timeout(wait) {
            Ok((at, chunk)) => {
                self.first_paint.get_or_insert(at);
                self.bytes += chunk.len() as u64;
                self.parser.process(&chunk);
                Some(at)
            }
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => None,
        }
    }

    /// Takes in what comes during this time.
    pub fn watch(&mut self, time: Duration) {
        let end = Instant::now() + time;
        while let Some(left) = end.checked_duration_since(Instant::now()) {
            self.step(left);
        }
    }

    /// When the screen first satisfied `what`, if it did in time.
    pub fn wait(&mut self, limit: Duration, what: impl Fn(&str) -> bool) -> Option<Instant> {
        let end = Instant::now() + limit;
        if what(&self.text()) {
            return Some(Instant::now());
        }
        while let Some(left) = end.checked_duration_since(Instant::now()) {
            if let Some(at) = self.step(left)
                && what(&self.text())
            {
                return Some(at);
            }
        }
        None
    }

    /// Sends a key; the time until the screen's contents or looks changed, if they did within two seconds.
    pub fn key(&mut self, key: &[u8]) -> Option<Duration> {
        while self.step(Duration::ZERO).is_some() {}
        let before = self.parser.screen().clone();
        let sent = Instant::now();
        self.send(key);
        let end = sent + Duration::from_secs(2);
        while let Some(left) = end.checked_duration_since(Instant::now()) {
            if let Some(at) = self.step(left) {
                let now = self.parser.screen();
                // The clock in the first line may change by itself: only what lies below it counts.
                let differs = (1..ROWS).any(|r| (0..COLUMNS).any(|c| now.cell(r, c) != before.cell(r, c)));
                if differs {
                    return Some(at.duration_since(sent));
                }
            }
        }
        None
    }
}

fn cells(count: u16) -> std::num::NonZero<u16> {
    std::num::NonZero::new(count).expect("a screen has cells")
}

impl Drop for Screen {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
