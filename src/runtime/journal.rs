//! The audit file: one JSON line a record, appended and synced, rotated by size, never deleted.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::operate::audit::Record;

/// A file larger than this is set aside before the next record.
const ROTATE_AT: u64 = 16 << 20;
/// Records kept when the past is read for the screen: some two hundred operations.
const RECENT: usize = 4_000;
/// Bytes read from the end for it.
const RECENT_BYTES: u64 = 2 << 20;

/// The audit file of this user on this host. Several processes may append to it at once: a record is one write.
#[derive(Clone, Debug)]
pub struct Journal {
    directory: PathBuf,
}

impl Journal {
    /// The journal in this directory, which is made with the first record.
    #[must_use]
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self { directory: directory.into() }
    }

    /// The file records are appended to.
    #[must_use]
    pub fn file(&self) -> PathBuf {
        self.directory.join("audit.jsonl")
    }

    /// Appends a record and returns once it is on the disk.
    ///
    /// # Errors
    /// A sentence with the path when the directory or file cannot be made, written or synced.
    pub fn append(&self, record: &Record) -> Result<(), String> {
        let path = self.file();
        self.write(&path, record).map_err(|error| format!("the audit log {} cannot be written: {error}", path.display()))
    }

    fn write(&self, path: &Path, record: &Record) -> io::Result<()> {
        let mut line = serde_json::to_vec(record)?;
        line.push(b'\n');
        fs::create_dir_all(&self.directory)?;
        if fs::metadata(path).is_ok_and(|m| m.len() >= ROTATE_AT) {
            fs::rename(path, self.set_aside_name(record.at))?;
        }
        let fresh = !path.exists();
        let mut file = append_only(path)?;
        file.write_all(&line)?;
        file.sync_all()?;
        if fresh {
            // The name itself must survive a crash too.
            File::open(&self.directory)?.sync_all()?;
        }
        Ok(())
    }

    /// A name no other file has: two processes may rotate in the same moment, and a rename replaces silently.
    fn set_aside_name(&self, at: Timestamp) -> PathBuf {
        let stamp = at.strftime("%Y%m%dT%H%M%S%3fZ").to_string();
        let name = (0..u32::MAX)
            .map(|n| if n == 0 { format!("audit-{stamp}.jsonl") } else { format!("audit-{stamp}-{n:04}.jsonl") })
            .map(|name| self.directory.join(name))
            .find(|path| !path.exists());
        name.unwrap_or_else(|| self.directory.join(format!("audit-{stamp}-{}.jsonl", std::process::id())))
    }

    /// Every file, oldest first.
    #[must_use]
    pub fn files(&self) -> Vec<PathBuf> {
        let Ok(entries) = fs::read_dir(&self.directory) else { return Vec::new() };
        let mut files: Vec<PathBuf> = entries
            .flatten()
            .map(|e| e.path())
            .filter(|p| {
                let name = p.file_name().and_then(|n| n.to_str()).unwrap_or_default();
                name.starts_with("audit-") && p.extension().is_some_and(|e| e == "jsonl")
            })
            .collect();
        files.sort();
        if self.file().exists() {
            files.push(self.file());
        }
        files
    }

    /// Hands every record of every file to `each`, oldest first, until it answers `false`. Answers how many lines were
    /// no records (cut off by a crash, or of a later version).
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn read(&self, mut each: impl FnMut(Record) -> bool) -> io::Result<u64> {
        let mut unreadable = 0;
        for path in self.files() {
            for line in BufReader::new(File::open(path)?).split(b'\n') {
                match serde_json::from_slice(&line?) {
                    Ok(record) => {
                        if !each(record) {
                            return Ok(unreadable);
                        }
                    }
                    Err(_) => unreadable += 1,
                }
            }
        }
        Ok(unreadable)
    }

    /// The last records of the current file, oldest first, bounded; an absent file is an empty past.
    ///
    /// # Errors
    /// When the file is there and cannot be read.
    pub fn recent(&self) -> io::Result<Vec<Record>> {
        use std::io::{Read as _, Seek as _, SeekFrom};
        let mut file = match File::open(self.file()) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let from = file.metadata()?.len().saturating_sub(RECENT_BYTES);
        file.seek(SeekFrom::Start(from))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let mut records = VecDeque::new();
        // The first line is cut when reading began in its middle; it is then no record and left out with the others.
        for record in bytes.split(|b| *b == b'\n').filter_map(|line| serde_json::from_slice::<Record>(line).ok()) {
            if records.len() == RECENT {
                records.pop_front();
            }
            records.push_back(record);
        }
        Ok(records.into())
    }
}

/// The log tells who did what: it is for its owner to read.
fn append_only(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).mode(0o600).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operate::audit::Phase;

    fn record(operation: &str) -> Record {
        Record {
            at: "2026-11-21T03:00:00Z".parse().unwrap(),
            by: "ops".into(),
            host: "bastion".into(),
            ssh: None,
            operation: operation.into(),
            kind: "scale".into(),
            environment: "staging".into(),
            endpoint: "unix:///x".into(),
            target: "web".into(),
            phase: Phase::Started,
            plan: None,
            step: None,
            outcome: None,
            detail: None,
            duration_ms: None,
        }
    }

    fn operations(journal: &Journal) -> Vec<String> {
        let mut found = Vec::new();
        journal
            .read(|r| {
                found.push(r.operation.to_string());
                true
            })
            .unwrap();
        found
    }

    #[test]
    fn records_are_appended_and_read_back_in_order() {
        let directory = tempfile::tempdir().unwrap();
        let journal = Journal::new(directory.path().join("made/on/demand"));
        assert_eq!(journal.recent().unwrap(), []);
        for name in ["a", "b"] {
            journal.append(&record(name)).unwrap();
        }
        assert_eq!(journal.recent().unwrap(), [record("a"), record("b")]);
        assert_eq!(operations(&journal), ["a", "b"]);
    }

    #[test]
    fn a_line_cut_off_by_a_crash_is_counted_and_the_rest_is_kept() {
        let directory = tempfile::tempdir().unwrap();
        let journal = Journal::new(directory.path());
        journal.append(&record("a")).unwrap();
        append_only(&journal.file()).unwrap().write_all(b"{\"at\":\"2026\n").unwrap();
        journal.append(&record("b")).unwrap();
        assert_eq!(journal.read(|_| true).unwrap(), 1);
        assert_eq!(journal.recent().unwrap().len(), 2);
    }

    #[test]
    fn a_large_file_is_set_aside_and_never_overwritten() {
        let directory = tempfile::tempdir().unwrap();
        let journal = Journal::new(directory.path());
        for name in ["a", "b", "c"] {
            // Grown without writing: a sparse file of the size that rotates, after a real record.
            journal.append(&record(name)).unwrap();
            let file = append_only(&journal.file()).unwrap();
            file.set_len(file.metadata().unwrap().len().max(ROTATE_AT)).unwrap();
        }
        assert_eq!(journal.files().len(), 3, "the current one and two set aside in the same millisecond");
        let names: std::collections::BTreeSet<_> = journal.files().into_iter().collect();
        assert_eq!(names.len(), 3);
    }

    #[test]
    fn what_cannot_be_written_says_which_file() {
        let directory = tempfile::tempdir().unwrap();
        let blocked = directory.path().join("file");
        fs::write(&blocked, "in the way").unwrap();
        let said = Journal::new(&blocked).append(&record("a")).unwrap_err();
        assert!(said.contains("audit.jsonl"), "{said}");
    }
}
