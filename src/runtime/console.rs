//! The loop: one thread owns the state, takes what comes in, and draws when something changed. It never waits for
//! anything outside; whatever may take time happens elsewhere and comes back as a message.

mod pace;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::{Instant, sleep_until};

use crate::app::subscription::tick_every;
use crate::app::{Effect, Msg};
use crate::engine::Shell;
use crate::model::ConnectionId;
use crate::theme::Theme;
use crate::ui;

use super::clipboard::{self, Multiplexer};
use super::input::{self, Input};
use super::paint::Painter;
use super::screen::{self, Screen};
use super::signals::{self, Continued, Stop};
use super::writer::Writer;
use super::{Incoming, Session, shell};

use pace::Pace;

/// Messages taken in before keys are looked at again.
const AT_ONCE: usize = 32;
/// Keys taken in before the screen is drawn: a held key or a flood of them still shows where it is.
const KEYS_AT_ONCE: usize = 64;
/// How long the last frame may take to reach a slow terminal before it is given up.
const LAST_FRAME: Duration = Duration::from_millis(500);
/// How long after asking to be stopped we are surely stopped, or never will be.
const STOPPED_WITHIN: Duration = Duration::from_millis(200);

/// Finds a theme by name, at the terminal's own colour depth.
pub type Themes = Box<dyn Fn(&str) -> Result<Theme, String>>;

/// The console on a terminal.
pub struct Console {
    session: Session,
    /// Gives the terminal back when dropped, however the loop ends.
    screen: Screen,
    painter: Painter,
    writer: Writer,
    /// None while the terminal is lent.
    keys: Option<Input>,
    continued: Continued,
    theme: Theme,
    themes: Themes,
    pace: Pace,
    /// Sequences that go to the terminal beside the picture.
    beside: Vec<u8>,
    /// Why the loop is to end.
    exit: Option<u8>,
}

impl Console {
    /// Takes the terminal and shows the first picture, waiting for nothing: the engines are asked meanwhile.
    ///
    /// # Errors
    /// When there is no terminal, or no thread to write to it from.
    pub fn open(mut session: Session, theme: Theme, themes: Themes, mouse: bool) -> io::Result<Self> {
        let screen = Screen::take(mouse)?;
        let writer = Writer::start(io::stdout())?;
        let size = screen::size();
        drop(session.feed(Msg::Resize(size.0, size.1)));
        session.settle();
        let mut console = Self {
            session,
            screen,
            painter: Painter::new(size, screen::erases()),
            writer,
            keys: None,
            continued: Continued::listen()?,
            theme,
            themes,
            pace: Pace::new(Instant::now()),
            beside: Vec::new(),
            exit: None,
        };
        console.painter.redraw();
        console.draw();
        Ok(console)
    }

    /// Runs until the person or a signal ends it; answers with the exit code.
    ///
    /// # Errors
    /// When signals or the terminal cannot be listened to, or the terminal is gone.
    pub async fn run(&mut self) -> io::Result<u8> {
        let mut stop = Stop::listen()?;
        self.keys = Some(Input::open()?);
        self.session.recall();
        let mut tick = self.next_tick();
        let mut came: Vec<Incoming> = Vec::with_capacity(AT_ONCE);
        loop {
            self.session.settle();
            // A piece at a time, between whatever else comes.
            let working = self.session.state.is_working();
            if working {
                self.feed(Msg::Work).await?;
                self.pace.soon();
            }
            let now = Instant::now();
            if self.pace.is_due(now) && !self.writer.is_busy() {
                self.draw();
            }
            if let Some(code) = self.exit {
                return Ok(code);
            }
            if self.writer.is_broken() {
                return Err(input::gone());
            }
            let (busy, due) = (self.writer.is_busy(), self.pace.due());
            tokio::select! {
                biased;
                code = stop.wait() => return Ok(code),
                msg = next_key(&mut self.keys) => self.on_keys(msg?).await?,
                () = self.writer.idle(), if busy && due.is_some() => {}
                () = sleep_until(due.unwrap_or(now)), if !busy && due.is_some() => {}
                () = sleep_until(tick) => {
                    self.feed(Msg::Tick).await?;
                    tick = self.next_tick();
                    self.pace.soon();
                }
                () = self.continued.wait() => self.come_back()?,
                () = self.session.receive(&mut came, AT_ONCE) => {
                    for incoming in came.drain(..) {
                        self.on_incoming(incoming).await?;
                    }
                }
                () = std::future::ready(()), if working => {}
            }
        }
    }

    /// Gives the terminal back and ends the session.
    pub fn close(self) {
        // What is half written would end up behind the restored screen.
        let _ = self.writer.drain(LAST_FRAME);
        drop(self.keys);
        drop(self.screen);
        self.session.close();
    }

    async fn on_keys(&mut self, first: Msg) -> io::Result<()> {
        let mut next = Some(first);
        for _ in 0..KEYS_AT_ONCE {
            let Some(msg) = next else { break };
            if let Msg::Resize(columns, rows) = msg {
                self.painter.resize((columns, rows));
            }
            self.feed(msg).await?;
            self.pace.now();
            if self.exit.is_some() {
                break;
            }
            next = self.keys.as_mut().and_then(Input::at_hand);
        }
        Ok(())
    }

    async fn on_incoming(&mut self, incoming: Incoming) -> io::Result<()> {
        if let Incoming::ShellEnded(result) = incoming {
            self.take_back()?;
            if let Err(error) = result {
                self.feed(Msg::Note { ok: false, text: error }).await?;
            }
        } else if let Some(msg) = self.session.admit(incoming) {
            self.feed(msg).await?;
            self.pace.soon();
        }
        Ok(())
    }

    async fn feed(&mut self, msg: Msg) -> io::Result<()> {
        let mut effects = self.session.feed(msg);
        while let Some(effect) = (!effects.is_empty()).then(|| effects.remove(0)) {
            let answer = match effect {
                Effect::Copy(text) => Some(self.copy(&text)),
                Effect::Theme(name) => self.wear(&name),
                Effect::Shell { connection, shell } => self.hand_over(&connection, shell),
                Effect::Suspend => {
                    self.suspend().await?;
                    None
                }
                Effect::Quit => {
                    self.exit = Some(0);
                    None
                }
                // The session performs these itself.
                Effect::Execute { .. }
                | Effect::Stop { .. }
                | Effect::Preview { .. }
                | Effect::Measure { .. }
                | Effect::Journal(_)
                | Effect::LoadJournal
                | Effect::Save { .. }
                | Effect::Pipe { .. }
                | Effect::Forward { .. }
                | Effect::Unforward(_)
                | Effect::Offer { .. }
                | Effect::ProbeOwners(_)
                | Effect::Refresh(_) => None,
            };
            if let Some(msg) = answer {
                effects.extend(self.session.feed(msg));
            }
        }
        Ok(())
    }

    fn next_tick(&self) -> Instant {
        Instant::now() + to_next_second().min(tick_every(&self.session.state))
    }

    /// Draws what changed, if the terminal is ours to draw on.
    fn draw(&mut self) {
        self.pace.drawn(Instant::now());
        if self.keys.is_none() && !screen::is_taken() {
            return;
        }
        let mut frame = self.writer.buffer();
        frame.append(&mut self.beside);
        let (state, theme) = (&self.session.state, &self.theme);
        self.painter.frame(&mut frame, |f| ui::render(state, theme, f));
        if !frame.is_empty() {
            // Only sent while the writer is idle: it comes back in no other case than a writer that is gone.
            drop(self.writer.send(frame));
        }
    }

    fn copy(&mut self, text: &str) -> Msg {
        match clipboard::sequence(text, Multiplexer::detect()) {
            Ok(sequence) => {
                self.beside.extend_from_slice(sequence.as_bytes());
                self.pace.now();
                let lines = text.lines().count();
                let what = if lines == 1 { "copied".to_owned() } else { format!("{lines} lines copied") };
                Msg::Note { ok: true, text: what.into() }
            }
            Err(why) => Msg::Note { ok: false, text: why.into() },
        }
    }

    fn wear(&mut self, name: &str) -> Option<Msg> {
        match (self.themes)(name) {
            Ok(theme) => {
                self.theme = theme;
                self.pace.now();
                None
            }
            Err(why) => Some(Msg::Note { ok: false, text: why.into() }),
        }
    }

    /// Hands the terminal to a command in an instance. The loop goes on beside it and draws nothing.
    fn hand_over(&mut self, connection: &ConnectionId, shell: Shell) -> Option<Msg> {
        let refused = |text: Arc<str>| Some(Msg::Note { ok: false, text });
        let Some(engine) = self.session.engine(connection) else { return refused("that connection is gone".into()) };
        if !self.writer.drain(LAST_FRAME) {
            return refused("the terminal is too slow at the moment".into());
        }
        // From here on nobody but the bridge reads keys.
        self.keys = None;
        self.screen.lend();
        let sender = self.session.sender();
        self.session.handle().spawn(async move {
            let result = shell::bridge(engine, shell).await;
            drop(sender.send(Incoming::ShellEnded(result)).await);
        });
        self.pace.pause();
        None
    }

    fn take_back(&mut self) -> io::Result<()> {
        self.screen.enter()?;
        // Told twice of one return, it keeps what was typed in between.
        if self.keys.is_none() {
            self.keys = Some(Input::open()?);
        }
        self.pace.resume();
        self.draw_anew();
        Ok(())
    }

    async fn suspend(&mut self) -> io::Result<()> {
        self.keys = None;
        // A terminal that takes nothing is given back all the same.
        let _ = self.writer.drain(LAST_FRAME);
        self.screen.leave();
        signals::suspend();
        tokio::select! {
            biased;
            () = self.continued.wait() => {}
            () = tokio::time::sleep(STOPPED_WITHIN) => {}
        }
        self.take_back()
    }

    /// Going on after somebody else stopped us: the terminal is as the shell left it.
    fn come_back(&mut self) -> io::Result<()> {
        if self.pace.is_paused() {
            return Ok(());
        }
        self.take_back()
    }

    /// The screen may have any content and any size.
    fn draw_anew(&mut self) {
        let size = screen::size();
        drop(self.session.feed(Msg::Resize(size.0, size.1)));
        self.painter.resize(size);
        self.pace.now();
    }
}

/// What comes next from the terminal; nothing, while it is lent.
async fn next_key(keys: &mut Option<Input>) -> io::Result<Msg> {
    match keys {
        Some(keys) => keys.next().await,
        None => std::future::pending().await,
    }
}

/// How long until just after the wall clock's next full second: a clock on screen is never late by more than is seen.
fn to_next_second() -> Duration {
    let into = u64::try_from(Timestamp::now().subsec_nanosecond()).unwrap_or(0);
    Duration::from_nanos(1_002_000_000 - into)
}
