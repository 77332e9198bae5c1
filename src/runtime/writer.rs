//! Frames go to the terminal from a thread of their own: a slow line lowers the frame rate and never holds up a key.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::Notify;

/// Writes one frame after the other. While one is on its way no other is taken.
#[derive(Debug)]
pub struct Writer {
    frames: SyncSender<Vec<u8>>,
    /// Written buffers on their way back, so that no frame needs fresh memory.
    spare: Receiver<Vec<u8>>,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    busy: AtomicBool,
    broken: AtomicBool,
    idle: Notify,
}

impl Writer {
    /// A writer to `output`.
    ///
    /// # Errors
    /// When no thread can be had.
    pub fn start(mut output: impl Write + Send + 'static) -> io::Result<Self> {
        let (frames, queue) = sync_channel::<Vec<u8>>(1);
        let (back, spare) = sync_channel::<Vec<u8>>(1);
        let shared = Arc::new(Shared::default());
        let theirs = shared.clone();
        thread::Builder::new().name("qd-writer".to_owned()).stack_size(64 << 10).spawn(move || {
            while let Ok(mut frame) = queue.recv() {
                if output.write_all(&frame).and_then(|()| output.flush()).is_err() {
                    theirs.broken.store(true, Ordering::Release);
                }
                frame.clear();
                // Nobody waiting for it is fine.
                drop(back.try_send(frame));
                theirs.busy.store(false, Ordering::Release);
                theirs.idle.notify_one();
            }
        })?;
        Ok(Self { frames, spare, shared })
    }

    /// Whether a frame is still on its way.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.shared.busy.load(Ordering::Acquire)
    }

    /// Whether the terminal is gone.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        self.shared.broken.load(Ordering::Acquire)
    }

    /// Sends a frame on its way. Only while not busy: otherwise the bytes are handed back.
    #[must_use]
    pub fn send(&self, frame: Vec<u8>) -> Option<Vec<u8>> {
        if self.shared.busy.swap(true, Ordering::AcqRel) {
            return Some(frame);
        }
        self.frames.send(frame).err().map(|e| e.0)
    }

    /// An empty buffer, reused where one came back.
    #[must_use]
    pub fn buffer(&self) -> Vec<u8> {
        self.spare.try_recv().unwrap_or_default()
    }

    /// Waits until nothing is on its way.
    pub async fn idle(&self) {
        while self.is_busy() {
            self.shared.idle.notified().await;
        }
    }

    /// Waits so from a thread, at most this long. Tells whether it became idle.
    #[must_use]
    pub fn drain(&self, limit: Duration) -> bool {
        let end = Instant::now() + limit;
        while self.is_busy() {
            if Instant::now() >= end {
                return false;
            }
            thread::sleep(Duration::from_millis(1));
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// Takes a frame only once it is allowed to.
    struct Gate {
        open: Receiver<()>,
        written: Arc<Mutex<Vec<u8>>>,
    }

    impl Write for Gate {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.open.recv().map_err(io::Error::other)?;
            self.written.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn a_busy_writer_hands_the_next_frame_back() {
        let (open, gate) = sync_channel(4);
        let written = Arc::new(Mutex::new(Vec::new()));
        let writer = Writer::start(Gate { open: gate, written: written.clone() }).unwrap();
        assert!(writer.send(b"one".to_vec()).is_none());
        assert!(writer.is_busy());
        assert_eq!(writer.send(b"two".to_vec()), Some(b"two".to_vec()));
        open.send(()).unwrap();
        writer.idle().await;
        assert_eq!(*written.lock().unwrap(), b"one");
        open.send(()).unwrap();
        assert!(writer.send(b"three".to_vec()).is_none());
        writer.idle().await;
        assert_eq!(*written.lock().unwrap(), b"onethree");
        assert!(!writer.is_broken());
    }

    #[tokio::test]
    async fn a_terminal_that_is_gone_is_noticed() {
        let (open, gate) = sync_channel::<()>(1);
        drop(open);
        let writer = Writer::start(Gate { open: gate, written: Arc::default() }).unwrap();
        assert!(writer.send(b"x".to_vec()).is_none());
        writer.idle().await;
        assert!(writer.is_broken());
    }
}
