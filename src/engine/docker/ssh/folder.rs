//! The private folder a forwarded socket lives in: only its owner may enter, and it goes when the connection does. What
//! a killed process left is swept away by the next one.

use std::collections::BTreeSet;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Begins the name of every such folder; the id of its process follows.
const PREFIX: &str = "qd-ssh-";
/// The socket in it.
const SOCKET: &str = "engine.sock";
/// The longest path of a socket that every system takes, bytes.
const LONGEST: usize = 100;

/// A folder of our own, removed when dropped.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
}

impl Folder {
    /// A new one below `XDG_RUNTIME_DIR`, else the folder for temporary files, else `/tmp`.
    pub(super) fn new() -> io::Result<Self> {
        let run = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|run| run.is_absolute());
        let mut last = io::Error::from(io::ErrorKind::NotFound);
        for base in run.into_iter().chain([std::env::temp_dir(), PathBuf::from("/tmp")]) {
            // ssh reads `:`, `%`, `$` and `\` in a path otherwise.
            let plain =
                base.to_str().is_some_and(|text| !text.contains([':', '%', '$', '\\', '"', ' ']) && text.len() + 50 < LONGEST);
            match plain.then(|| Self::below(&base)) {
                Some(Ok(folder)) => return Ok(folder),
                Some(Err(error)) => last = error,
                None => {}
            }
        }
        Err(last)
    }

    fn below(base: &Path) -> io::Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        sweep(base);
        let own = std::process::id();
        loop {
            let path = base.join(format!("{PREFIX}{own}-{}", COUNT.fetch_add(1, Ordering::Relaxed)));
            match DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => {
                    live().insert(path.clone());
                    return Ok(Self { path });
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Where the socket is, or will be.
    pub(super) fn socket(&self) -> PathBuf {
        self.path.join(SOCKET)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        remove(&self.path);
        live().remove(&self.path);
    }
}

/// The folders of this process that are there now.
static LIVE: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

fn live() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    LIVE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Removes every folder of this process: at its end nobody waits for what still holds one.
pub(super) fn leave() {
    for path in std::mem::take(&mut *live()) {
        remove(&path);
    }
}

fn remove(path: &Path) {
    drop(fs::remove_file(path.join(SOCKET)));
    drop(fs::remove_dir(path));
}

/// Removes folders of ours whose process has ended. Those of others are left alone, whatever they are called.
fn sweep(base: &Path) {
    let Ok(own) = fs::metadata("/proc/self") else { return };
    for entry in fs::read_dir(base).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let pid = name.to_str().and_then(|name| name.strip_prefix(PREFIX)?.split_once('-')?.0.parse::<i32>().ok());
        let is_ours = || entry.metadata().is_ok_and(|m| m.is_dir() && m.uid() == own.uid());
        if pid.is_some_and(is_gone) && is_ours() {
            remove(&entry.path());
        }
    }
}

fn is_gone(pid: i32) -> bool {
    let Some(pid) = rustix::process::Pid::from_raw(pid) else { return false };
    rustix::process::test_kill_process(pid) == Err(rustix::io::Errno::SRCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_its_owner_may_enter_and_nothing_is_left() {
        let base = tempfile::tempdir().unwrap();
        let (first, second) = (Folder::below(base.path()).unwrap(), Folder::below(base.path()).unwrap());
        assert_ne!(first.path, second.path);
        assert_eq!(fs::metadata(&first.path).unwrap().mode() & 0o777, 0o700);
        fs::write(first.socket(), "").unwrap();
        drop((first, second));
        assert_eq!(fs::read_dir(base.path()).unwrap().count(), 0);
    }

    #[test]
    fn what_the_dead_left_is_swept_and_the_living_are_left_alone() {
        let base = tempfile::tempdir().unwrap();
        let mut ended = std::process::Command::new("true").spawn().unwrap();
        ended.wait().unwrap();
        let names = [format!("{PREFIX}{}-0", ended.id()), format!("{PREFIX}1-0"), format!("{PREFIX}x-0"), "other".to_owned()];
        for name in &names {
            fs::create_dir(base.path().join(name)).unwrap();
        }
        fs::write(base.path().join(&names[0]).join(SOCKET), "").unwrap();
        drop(Folder::below(base.path()).unwrap());
        let left: Vec<bool> = names.iter().map(|name| base.path().join(name).exists()).collect();
        assert_eq!(left, [false, true, true, true]);
    }
}
