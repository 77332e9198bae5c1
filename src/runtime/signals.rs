//! Signals: those that end the program, and stopping and going on (Ctrl-Z, fg).

use std::io;

use rustix::process::Signal as Number;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Tells when the program is to end: terminated, interrupted from outside, or its terminal hung up.
#[derive(Debug)]
pub struct Stop {
    signals: [Signal; 3],
}

impl Stop {
    /// Begins to listen; from now on these signals do not kill the program by themselves.
    ///
    /// # Errors
    /// When the system has no signals to give.
    pub fn listen() -> io::Result<Self> {
        Ok(Self { signals: [signal(SignalKind::terminate())?, signal(SignalKind::hangup())?, signal(SignalKind::interrupt())?] })
    }

    /// Waits for one of them; answers with the exit code a shell would give.
    pub async fn wait(&mut self) -> u8 {
        let [terminate, hangup, interrupt] = &mut self.signals;
        tokio::select! {
            _ = terminate.recv() => 128 + 15,
            _ = hangup.recv() => 128 + 1,
            _ = interrupt.recv() => 128 + 2,
        }
    }
}

/// Tells when the program goes on after it was stopped.
#[derive(Debug)]
pub struct Continued(Signal);

impl Continued {
    /// Begins to listen.
    ///
    /// # Errors
    /// When the system has no signals to give.
    pub fn listen() -> io::Result<Self> {
        signal(SignalKind::from_raw(Number::CONT.as_raw())).map(Self)
    }

    /// Waits for it.
    pub async fn wait(&mut self) {
        self.0.recv().await;
    }
}

/// Stops the program as the terminal itself does on Ctrl-Z: the whole job, so that the shell gets its prompt back. A
/// program no shell controls is not stopped, the kernel sees to that.
pub fn suspend() {
    // There is nothing to do about a refusal but to go on, which is what happens.
    let _ = rustix::process::kill_current_process_group(Number::TSTP);
}
