//! The event loop and everything that touches the outside: what both faces drive the app with.
//!
//! [`Session`] holds the state and performs what it wants: topics are followed while the state wants them, effects are
//! done and answered. [`console`] is the loop that draws it on a terminal. What must not live here: any decision
//! about what is shown or changed; that is `app`'s and `operate`'s.

pub mod clipboard;
pub mod console;
mod follow;
pub mod forward;
pub mod input;
pub mod journal;
pub mod paint;
mod perform;
mod pipe;
pub mod process;
pub mod screen;
mod session;
pub mod shell;
pub mod signals;
pub mod stage;
mod watching;
pub mod writer;

pub use session::{Incoming, Session};

/// Worker threads for engine I/O and log decoding. The loop has a thread of its own beside them.
const WORKERS: usize = 2;

/// The runtime engines work on; the thread that calls `block_on` runs the loop and nothing else.
///
/// # Errors
/// When the operating system gives no threads or no poll descriptor.
pub fn start() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .max_blocking_threads(4)
        .thread_name("qd-engine")
        .thread_stack_size(1 << 20)
        .enable_all()
        .build()
}
