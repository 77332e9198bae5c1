//! Ctrl-C while an operation runs: a wish, not a kill.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Tells of interrupts and of being asked to end.
pub(super) struct Interrupts {
    signals: [Signal; 2],
}

impl Interrupts {
    /// Begins to listen; from now on these signals do not kill the program by themselves.
    ///
    /// # Errors
    /// When the system has no signals to give.
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Self { signals: [signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?] })
    }

    /// Waits for the next one.
    pub(super) async fn wait(&mut self) {
        let [interrupt, terminate] = &mut self.signals;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    }
}
