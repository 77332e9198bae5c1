//! What moving one file between this machine and an instance needs on every engine: paths in the instance, and how far it is.

use std::time::{Duration, Instant};

use super::Report;

/// Time between two reports of how far it is.
pub(in crate::engine) const REPORT_EVERY: Duration = Duration::from_millis(250);

/// Folder and name of a path in a container.
pub(in crate::engine) fn apart(path: &str) -> Option<(&str, &str)> {
    let (folder, name) = path.rsplit_once('/')?;
    let good = path.starts_with('/') && !matches!(name, "" | "." | "..");
    good.then_some((if folder.is_empty() { "/" } else { folder }, name))
}

/// An operation's id as it may stand in a file's name.
pub(in crate::engine) fn file_safe(id: &str) -> String {
    id.chars().map(|c| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '-' }).collect()
}

/// How far a copy is, told now and then.
pub(in crate::engine) struct Progress {
    verb: &'static str,
    report: Report,
    done: u64,
    size: u64,
    said: Instant,
}

impl Progress {
    pub(in crate::engine) fn new(verb: &'static str, report: &Report) -> Self {
        Self { verb, report: report.clone(), done: 0, size: 0, said: Instant::now() }
    }

    pub(in crate::engine) fn add(&mut self, bytes: u64, size: u64) {
        self.done += bytes;
        self.size = size;
        if self.said.elapsed() >= REPORT_EVERY {
            self.said = Instant::now();
            self.say();
        }
    }

    pub(in crate::engine) fn say(&self) {
        let mega = |bytes: u64| bytes as f64 / 1e6;
        (self.report)(format!("{} {:.1} of {:.1} MB", self.verb, mega(self.done), mega(self.size)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_taken_apart() {
        for (path, expected) in [
            ("/data/dump.rdb", Some(("/data", "dump.rdb"))),
            ("/dump.rdb", Some(("/", "dump.rdb"))),
            ("dump.rdb", None),
            ("data/dump.rdb", None),
            ("/data/", None),
            ("/data/..", None),
        ] {
            assert_eq!(apart(path), expected, "{path}");
        }
    }
}
