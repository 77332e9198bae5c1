//! How what runs differs from what its file says.

use std::fmt;
use std::sync::Arc;

/// What kind of difference it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DriftKind {
    /// Both are there and differ.
    Changed,
    /// In the file, and nowhere on the engine.
    Missing,
    /// On the engine, and nowhere in the file.
    Extra,
}

/// One field that is not as the file has it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deviation {
    /// `image`, `environment.DB_HOST`, `volumes./data`.
    pub path: Arc<str>,
    /// As it runs; `None` where nothing of it does. Secrets are masked.
    pub running: Option<Arc<str>>,
    /// As the file has it; `None` where it says nothing of it.
    pub wanted: Option<Arc<str>>,
}

/// The drift of one workload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drift {
    pub kind: DriftKind,
    /// Sorted by path; empty for what is missing or extra.
    pub deviations: Vec<Deviation>,
    /// How many replicas the file asks for, where it says so.
    pub replicas: Option<u32>,
}

/// Fields named in the sentence before the rest is counted.
const NAMED: usize = 3;

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            DriftKind::Missing => f.write_str("in the file, not created yet"),
            DriftKind::Extra => f.write_str("not in the file"),
            DriftKind::Changed => {
                let named: Vec<&str> = self.deviations.iter().take(NAMED).map(|d| &*d.path).collect();
                f.write_str(&named.join(", "))?;
                match self.deviations.len().saturating_sub(NAMED) {
                    0 => Ok(()),
                    more => write!(f, " and {more} more"),
                }
            }
        }
    }
}

/// The file a stack is described by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StackFile {
    /// Its names, for people: `docker-compose.yml, docker-compose.prod.yml`.
    pub names: Arc<str>,
    pub state: FileState,
}

/// What is known of a stack's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileState {
    /// It has not been read, or not been compared, yet.
    Reading,
    /// It has been read; the call of the tool up to its verb: `docker-compose --project-name lms --file …`.
    Read { call: Vec<Arc<str>> },
    /// It could not be read: the tool's own words.
    Failed(Arc<str>),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sentence_names_some_and_counts_the_rest() {
        let drift = |paths: &[&str]| {
            let deviation = |p: &&str| Deviation { path: (*p).into(), running: None, wanted: None };
            Drift { kind: DriftKind::Changed, deviations: paths.iter().map(deviation).collect(), replicas: None }.to_string()
        };
        assert_eq!(drift(&["image"]), "image");
        assert_eq!(drift(&["a", "b", "c"]), "a, b, c");
        assert_eq!(drift(&["a", "b", "c", "d", "e"]), "a, b, c and 2 more");
    }
}
