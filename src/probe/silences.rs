//! Silences made on this machine: one file of this user's, written whole or not at all, of every environment. Several
//! processes may change it at once: each holds a lock beside it meanwhile.

use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::safe;
use crate::model::{Matcher, Silence};
use crate::observe::rule::silence::Silences;

/// The file is never read further, bytes.
const LONGEST: u64 = 4 << 20;
/// Silences that may stand at once.
const MOST: usize = 1_000;

#[derive(Debug, Default, Serialize, Deserialize)]
struct Written {
    silences: Vec<Kept>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    environment: String,
    id: String,
    matchers: Vec<WrittenMatcher>,
    by: String,
    why: String,
    from: Timestamp,
    until: Timestamp,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WrittenMatcher {
    name: String,
    value: String,
    is_regex: bool,
    is_equal: bool,
}

/// Those of an environment that have not ended.
///
/// # Errors
/// A sentence when the file is there and cannot be read.
pub(super) fn read(path: &str, environment: &str, now: Timestamp) -> Result<Silences, String> {
    let written = load(Path::new(path)).map_err(|why| format!("the silences in {path} cannot be read: {why}"))?;
    let own = written.silences.iter().filter(|one| one.environment == environment && now < one.until);
    Ok(Silences { all: own.map(|one| Arc::new(silence(one))).collect(), ..Silences::default() })
}

fn silence(one: &Kept) -> Silence {
    let matcher =
        |m: &WrittenMatcher| Matcher { label: safe(&m.name), value: safe(&m.value), regex: m.is_regex, equal: m.is_equal };
    Silence {
        id: safe(&one.id),
        matchers: one.matchers.iter().map(matcher).collect(),
        why: safe(&one.why),
        by: safe(&one.by),
        from: one.from,
        until: one.until,
    }
}

/// Adds one; one of the same name is replaced.
///
/// # Errors
/// A sentence when the file cannot be changed.
pub(super) fn add(path: &str, environment: &str, silence: &Silence) -> Result<(), String> {
    change(path, silence.from, |silences| {
        silences.retain(|one| one.id != *silence.id);
        if silences.len() >= MOST {
            return Err(format!("{MOST} silences stand already: end some"));
        }
        let matcher = |m: &Matcher| WrittenMatcher {
            name: m.label.to_string(),
            value: m.value.to_string(),
            is_regex: m.regex,
            is_equal: m.equal,
        };
        silences.push(Kept {
            environment: environment.to_owned(),
            id: silence.id.to_string(),
            matchers: silence.matchers.iter().map(matcher).collect(),
            by: silence.by.to_string(),
            why: silence.why.to_string(),
            from: silence.from,
            until: silence.until,
        });
        Ok(())
    })
}

/// Takes one out.
///
/// # Errors
/// A sentence when there is none of this name, or the file cannot be changed.
pub(super) fn remove(path: &str, id: &str) -> Result<(), String> {
    change(path, Timestamp::UNIX_EPOCH, |silences| {
        let before = silences.len();
        silences.retain(|one| one.id != id);
        if silences.len() == before { Err(format!("there is no silence {id}")) } else { Ok(()) }
    })
}

/// Changes the file; what has ended by `now` is left out of it (it is on the audit record).
fn change(path: &str, now: Timestamp, how: impl FnOnce(&mut Vec<Kept>) -> Result<(), String>) -> Result<(), String> {
    let path = Path::new(path);
    let said = |why: String| format!("the silences in {} cannot be changed: {why}", path.display());
    let io = |error: std::io::Error| said(error.to_string());
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(io)?;
    }
    let lock = File::create(path.with_extension("lock")).map_err(io)?;
    // Given up with the file, whatever happens.
    rustix::fs::flock(&lock, rustix::fs::FlockOperation::LockExclusive).map_err(|error| io(error.into()))?;
    let mut written = load(path).map_err(&said)?;
    written.silences.retain(|one| now < one.until);
    how(&mut written.silences)?;
    let text = serde_json::to_vec_pretty(&written).map_err(|error| said(error.to_string()))?;
    let beside = path.with_extension("new");
    let mut file = File::create(&beside).map_err(io)?;
    file.write_all(&text).and_then(|()| file.sync_all()).map_err(io)?;
    fs::rename(&beside, path).map_err(io)
}

fn load(path: &Path) -> Result<Written, String> {
    match fs::metadata(path) {
        Ok(metadata) if metadata.len() > LONGEST => return Err("it is longer than 4 MiB".to_owned()),
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Written::default()),
        Err(error) => return Err(error.to_string()),
    }
    let text = fs::read(path).map_err(|error| error.to_string())?;
    serde_json::from_slice(&text).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn silence(id: &str, from: i64, until: i64) -> Silence {
        let matcher = Matcher { label: "alertname".into(), value: "Down".into(), regex: false, equal: true };
        Silence {
            id: id.into(),
            matchers: vec![matcher],
            why: "known".into(),
            by: "ann@here".into(),
            from: at(from),
            until: at(until),
        }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn silences_are_kept_by_environment_until_they_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/silences.json").display().to_string();
        let ids = |environment: &str, now: i64| -> Vec<String> {
            read(&path, environment, at(now)).unwrap().all.iter().map(|s| s.id.to_string()).collect()
        };
        assert!(ids("shop", 0).is_empty());
        add(&path, "shop", &silence("a", 0, 100)).unwrap();
        add(&path, "shop", &silence("b", 0, 50)).unwrap();
        add(&path, "other", &silence("c", 0, 100)).unwrap();
        assert_eq!((ids("shop", 1), ids("other", 1)), (vec!["a".to_owned(), "b".to_owned()], vec!["c".to_owned()]));
        assert_eq!(ids("shop", 50), ["a"]);
        assert_eq!(*read(&path, "other", at(1)).unwrap().all[0], silence("c", 0, 100));
        // The same once more is one; what has ended goes with the next change.
        add(&path, "shop", &silence("a", 60, 200)).unwrap();
        assert_eq!(ids("shop", 10), ["a"]);
        remove(&path, "a").unwrap();
        assert_eq!(remove(&path, "a"), Err("there is no silence a".to_owned()));
        assert!(ids("shop", 10).is_empty());
        fs::write(&path, "{").unwrap();
        assert!(read(&path, "shop", at(0)).unwrap_err().contains("cannot be read"));
        assert!(add(&path, "shop", &silence("a", 0, 100)).unwrap_err().contains("cannot be changed"));
        assert_eq!(fs::read_to_string(&path).unwrap(), "{", "what cannot be read is not written over");
    }
}
