//! A socket before the engine's that can stall and cut.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

const PASS: u8 = 0;
const STALL: u8 = 1;
const CUT: u8 = 2;

pub struct Proxy {
    mode: Arc<AtomicU8>,
    open: Arc<Mutex<Vec<UnixStream>>>,
}

impl Proxy {
    pub fn start(listen: &Path, engine: &Path) -> Self {
        drop(std::fs::remove_file(listen));
        let listener = UnixListener::bind(listen).expect("the proxy's socket can be bound");
        let mode = Arc::new(AtomicU8::new(PASS));
        let open: Arc<Mutex<Vec<UnixStream>>> = Arc::default();
        let (shared_mode, shared_open, engine) = (mode.clone(), open.clone(), engine.to_path_buf());
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if shared_mode.load(Ordering::SeqCst) == CUT {
                    continue;
                }
                let Ok(server) = UnixStream::connect(&engine) else { continue };
                for (from, to) in [(&client, &server), (&server, &client)] {
                    let (Ok(from), Ok(to)) = (from.try_clone(), to.try_clone()) else { continue };
                    if let (Ok(mut list), Ok(handle)) = (shared_open.lock(), from.try_clone()) {
                        list.push(handle);
                    }
                    let mode = shared_mode.clone();
                    thread::spawn(move || forward(from, to, &mode));
                }
            }
        });
        Self { mode, open }
    }

    pub fn pass(&self) {
        self.mode.store(PASS, Ordering::SeqCst);
    }

    pub fn stall(&self) {
        self.mode.store(STALL, Ordering::SeqCst);
    }

    pub fn cut(&self) {
        self.mode.store(CUT, Ordering::SeqCst);
        if let Ok(mut list) = self.open.lock() {
            for stream in list.drain(..) {
                drop(stream.shutdown(Shutdown::Both));
            }
        }
    }
}

fn forward(mut from: UnixStream, mut to: UnixStream, mode: &AtomicU8) {
    let mut buffer = vec![0; 1 << 16];
    while let Ok(n) = from.read(&mut buffer) {
        while mode.load(Ordering::SeqCst) == STALL {
            thread::sleep(Duration::from_millis(10));
        }
        if n == 0 || to.write_all(&buffer[..n]).is_err() {
            break;
        }
    }
    drop(to.shutdown(Shutdown::Write));
}
