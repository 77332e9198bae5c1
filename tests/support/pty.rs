//! A program in a pty whose screen is interpreted. Tests wait for what is on it, never for time.

use std::io::{Read, Write};
use std::num::NonZero;
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, ExitStatus, MasterPty, PtySize, native_pty_system};

/// How long anything awaited may take on a busy machine. A test that waits for it in vain fails.
const PATIENCE: Duration = Duration::from_secs(30);

/// A program at a terminal.
pub struct Terminal {
    parser: vt100::Parser,
    chunks: Receiver<Vec<u8>>,
    writer: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    master: Box<dyn MasterPty + Send>,
}

impl Terminal {
    /// Starts a program in a terminal of this size (columns, rows), its own files below `home`.
    pub fn start(program: &str, arguments: &[&str], home: &Path, size: (u16, u16)) -> Self {
        let pair = native_pty_system().openpty(pty_size(size)).expect("a pty can be had");
        let mut command = CommandBuilder::new(program);
        command.args(arguments);
        command.cwd(home);
        for (name, value) in [("TERM", "xterm-256color"), ("PS1", "prompt> "), ("PS2", "")] {
            command.env(name, value);
        }
        for name in ["HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"] {
            command.env(name, home);
        }
        for name in ["NO_COLOR", "TMUX", "STY", "COLORTERM", "DOCKER_HOST", "DOCKER_CONTEXT", "BASH_ENV", "ENV"] {
            command.env_remove(name);
        }
        let mut reader = pair.master.try_clone_reader().expect("the pty can be read");
        let writer = pair.master.take_writer().expect("the pty can be written");
        let child = pair.slave.spawn_command(command).expect("the program starts");
        let (sender, chunks) = channel();
        thread::spawn(move || {
            let mut buffer = vec![0; 1 << 16];
            while let Ok(n) = reader.read(&mut buffer) {
                if n == 0 || sender.send(buffer[..n].to_vec()).is_err() {
                    break;
                }
            }
        });
        let parser = vt100::Parser::new(cells(size.1), cells(size.0), 0);
        Self { parser, chunks, writer, child, master: pair.master }
    }

    /// What is on the screen.
    pub fn text(&self) -> String {
        self.parser.screen().contents()
    }

    /// The screen, for what is more than text.
    pub fn screen(&self) -> &vt100::Screen {
        self.parser.screen()
    }

    /// Types.
    pub fn send(&mut self, keys: &str) {
        self.writer.write_all(keys.as_bytes()).and_then(|()| self.writer.flush()).expect("keys can be sent");
    }

    /// Changes the size of the terminal.
    pub fn resize(&mut self, size: (u16, u16)) {
        self.master.resize(pty_size(size)).expect("the pty takes a size");
        self.parser.screen_mut().set_size(cells(size.1), cells(size.0));
    }

    /// Waits until the screen satisfies `what`.
    #[track_caller]
    pub fn wait(&mut self, why: &str, what: impl Fn(&vt100::Screen) -> bool) {
        let end = Instant::now() + PATIENCE;
        while !what(self.parser.screen()) {
            match self.chunks.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(chunk) => self.parser.process(&chunk),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    panic!("waited in vain for: {why}\non the screen:\n{}", self.text())
                }
            }
        }
    }

    /// Waits until this text is on the screen.
    #[track_caller]
    pub fn wait_text(&mut self, text: &str) {
        self.wait(text, |screen| screen.contents().contains(text));
    }

    /// Waits for the program to end and takes in its last words.
    #[track_caller]
    pub fn wait_exit(&mut self) -> ExitStatus {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().expect("the program can be waited for") {
                // The reader ends when nobody holds the other side any more; what it still has is taken in.
                while let Ok(chunk) = self.chunks.recv_timeout(Duration::from_millis(200)) {
                    self.parser.process(&chunk);
                }
                return status;
            }
            if let Ok(chunk) = self.chunks.recv_timeout(Duration::from_millis(20)) {
                self.parser.process(&chunk);
            }
            assert!(Instant::now() < end, "the program does not end; on the screen:\n{}", self.text());
        }
    }

    /// The program's process id.
    pub fn pid(&self) -> u32 {
        self.child.process_id().expect("the program has a pid")
    }

    /// Sends the program a signal by name.
    pub fn signal(&self, name: &str) {
        let status = std::process::Command::new("kill").args([&format!("-{name}"), &self.pid().to_string()]).status();
        assert!(status.is_ok_and(|s| s.success()), "the signal {name} was sent");
    }

    /// Whether the terminal is as a program found it: main screen, cursor shown, no modes left.
    #[track_caller]
    pub fn assert_restored(&self) {
        let screen = self.parser.screen();
        assert!(!screen.alternate_screen(), "the alternate screen is left");
        assert!(!screen.hide_cursor(), "the cursor is shown");
        assert!(!screen.bracketed_paste(), "bracketed paste is off");
        assert_eq!(screen.mouse_protocol_mode(), vt100::MouseProtocolMode::None, "mouse reports are off");
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn pty_size((cols, rows): (u16, u16)) -> PtySize {
    PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }
}

fn cells(count: u16) -> NonZero<u16> {
    NonZero::new(count).unwrap_or(NonZero::<u16>::MIN)
}
