//! A small file written in a container, with what was there before kept beside it until it is put back or forgotten.

use std::sync::Arc;
use std::time::Duration;

use super::archive::{Files, Found};
use super::exec::{self, Order};
use super::tar::{Entry, Kind};
use super::wire::Wire;
use crate::engine::transfer::{apart, file_safe};
use crate::engine::{EngineError, Report};
use crate::model::OperationId;
use crate::operate::Accepted;

/// What is written and kept is never bigger, bytes.
const MOST: u64 = 1 << 20;
/// How long a program of the container may take for one file.
const WITHIN: Duration = Duration::from_secs(20);

/// A file and what is kept of it.
struct Place {
    path: String,
    folder: String,
    name: String,
    /// What was there before, beside it.
    kept: String,
    /// Stands for it where nothing was there.
    none: String,
    now: Found,
}

impl Place {
    async fn of(files: &Files<'_>, path: &str, keep: &OperationId) -> Result<Self, EngineError> {
        let now = files.look(path).await?;
        let path = match &now {
            Found::File { path, .. } => path.clone(),
            Found::Nothing => path.to_owned(),
            Found::Folder { .. } | Found::Other => return Err(files.unmet(path, "it is no regular file")),
        };
        let Some((folder, name)) = apart(&path) else { return Err(files.unmet(&path, "it is no whole path (/folder/file)")) };
        let (folder, name) = (folder.to_owned(), name.to_owned());
        let kept = format!("{path}.quarterdeck-{}", file_safe(keep.as_str()));
        Ok(Self { none: format!("{kept}.none"), path, folder, name, kept, now })
    }
}

/// Writes `content`, after keeping what is there under `keep`, the first time only.
pub(super) async fn put(
    wire: &Wire,
    id: &str,
    path: &str,
    content: &str,
    keep: &OperationId,
    report: &Report,
) -> Result<Accepted, EngineError> {
    let files = Files::of(wire, id).await?;
    let place = Place::of(&files, path, keep).await?;
    let before = match &place.now {
        Found::File { .. } => Some(files.read(&place.path, MOST).await?),
        Found::Nothing | Found::Folder { .. } | Found::Other => None,
    };
    let is_kept = files.look(&place.kept).await? != Found::Nothing || files.look(&place.none).await? != Found::Nothing;
    if is_kept && before.as_ref().is_some_and(|(_, before)| before == content.as_bytes()) {
        return Ok(Accepted::AlreadySo);
    }
    let like = match &before {
        Some((entry, _)) => entry.clone(),
        None => files.new_in(&place.folder, &place.name, 0).await?,
    };
    let entry = |name: &str, size: usize| Entry { name: name.to_owned(), kind: Kind::File, size: size as u64, ..like.clone() };
    if !is_kept {
        // Before anything is changed: whoever is stopped after this can be undone.
        let (path, kept) = before.as_ref().map_or((&place.none, &b""[..]), |(_, before)| (&place.kept, before));
        let name = apart(path).map_or(path.as_str(), |(_, name)| name);
        files.write(&place.folder, &[(entry(name, kept.len()), kept)]).await?;
    }
    write(&files, &place, entry(&place.name, content.len()), content.as_bytes(), report).await?;
    Ok(Accepted::Done)
}

/// Puts back what [`put`] has kept; what was not there before goes.
pub(super) async fn restore(
    wire: &Wire,
    id: &str,
    path: &str,
    keep: &OperationId,
    report: &Report,
) -> Result<Accepted, EngineError> {
    let files = Files::of(wire, id).await?;
    let place = Place::of(&files, path, keep).await?;
    if files.look(&place.kept).await? != Found::Nothing {
        let (entry, before) = files.read(&place.kept, MOST).await?;
        write(&files, &place, Entry { name: place.name.clone(), ..entry }, &before, report).await?;
    } else if files.look(&place.none).await? == Found::Nothing {
        return Ok(Accepted::AlreadySo);
    } else if place.now != Found::Nothing && remove(&files, &[&place.path], report).await.is_err() {
        let entry = files.head(&place.path).await?;
        write(&files, &place, Entry { name: place.name.clone(), size: 0, ..entry }, b"", report).await?;
        report(format!("{} could not be removed (the container has no rm that runs): it is empty now", files.words(path)));
    }
    // Left behind it does no harm: putting back again puts back the same.
    if remove(&files, &[&place.kept, &place.none], report).await.is_err() {
        report(format!("a copy stays beside {}: the container has no rm that runs", files.words(path)));
    }
    Ok(Accepted::Done)
}

/// Removes what [`put`] has kept.
pub(super) async fn forget(
    wire: &Wire,
    id: &str,
    path: &str,
    keep: &OperationId,
    report: &Report,
) -> Result<Accepted, EngineError> {
    let files = Files::of(wire, id).await?;
    let place = Place::of(&files, path, keep).await?;
    if files.look(&place.kept).await? == Found::Nothing && files.look(&place.none).await? == Found::Nothing {
        return Ok(Accepted::AlreadySo);
    }
    remove(&files, &[&place.kept, &place.none], report).await.map(|()| Accepted::Done)
}

/// Writes a file through the engine; where the file itself is a mount, which cannot be replaced, from within.
async fn write(files: &Files<'_>, place: &Place, entry: Entry, content: &[u8], report: &Report) -> Result<(), EngineError> {
    let refused = match files.write(&place.folder, &[(entry, content)]).await {
        Err(error @ EngineError::Rejected { .. }) if error.to_string().contains("busy") => error,
        other => return other,
    };
    let command = words(&["sh", "-c", "cat > \"$1\"", "sh", &place.path]);
    let order = Order { command: &command, input: Some(content), timeout: WITHIN };
    match exec::output(files.wire, files.id, order, report).await {
        Ok(output) if output.code == 0 => Ok(()),
        Ok(output) => Err(files.unmet(&place.path, format!("it is a mount of its own, and writing it {}", output.failure()))),
        Err(EngineError::Conflict { .. }) => Err(refused),
        Err(other) => Err(other),
    }
}

/// Removes files with the container's own `rm`: the engine has no way to.
async fn remove(files: &Files<'_>, paths: &[&str], report: &Report) -> Result<(), EngineError> {
    let command: Vec<Arc<str>> = ["rm", "-f", "--"].iter().chain(paths).map(|word| Arc::from(*word)).collect();
    let quiet: Report = Arc::new(|_| {});
    let order = Order { command: &command, input: None, timeout: WITHIN };
    let removed = exec::output(files.wire, files.id, order, &quiet).await;
    let why = match removed {
        Ok(output) if output.code == 0 => return Ok(()),
        Ok(output) => format!("rm {}", output.failure()),
        Err(EngineError::Conflict { cause, .. }) => format!("{cause}, and files are removed with its own rm"),
        Err(other) => return Err(other),
    };
    report(why.clone());
    let what = format!("removing {}", files.words(paths.first().unwrap_or(&"")));
    Err(EngineError::Unsupported { what: what.into(), why: why.into() })
}

fn words(command: &[&str]) -> Vec<Arc<str>> {
    command.iter().map(|word| Arc::from(*word)).collect()
}
