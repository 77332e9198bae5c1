//! One file between this machine and a container, streamed whatever its size. Out of a container it lands whole or not at
//! all; into one it keeps the owner and mode of what is there.

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bollard::query_parameters::UploadToContainerOptionsBuilder;
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, stream};
use tokio::fs::{self, File};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::archive::{Files, Found, SILENCE};
use super::tar::{self, Entry, Reader};
use super::wire::Wire;
use crate::engine::landing::{Landing, trouble};
use crate::engine::transfer::{Progress, REPORT_EVERY, apart};
use crate::engine::{EngineError, Report};
use crate::observe::text::clean;
use crate::operate::Accepted;

/// Read and sent at a time, bytes.
const PIECE: usize = 256 << 10;
/// No copy takes longer; one that stands still is given up long before.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// Copies a file out of container `id`.
pub(super) async fn out(wire: &Wire, id: &str, from: &str, to: &str, report: &Report) -> Result<Accepted, EngineError> {
    let files = Files::of(wire, id).await?;
    let path = match files.look(from).await? {
        Found::File { path, .. } => path,
        Found::Nothing => return Err(files.unmet(from, "there is no such file")),
        Found::Folder { .. } => return Err(files.unmet(from, "it is a folder; one file is copied")),
        Found::Other => return Err(files.unmet(from, "it is no regular file")),
    };
    let target = Path::new(to);
    let landing = Landing::prepare(target).await.map_err(|error| trouble(target, &error))?;
    let mut pieces = std::pin::pin!(files.fetch(&path));
    let (mut reader, mut progress) = (Reader::default(), Progress::new("copied", report));
    let mut file = landing.open().await.map_err(|error| trouble(target, &error))?;
    while let Some(piece) = files.next(from, &mut pieces).await? {
        let content = reader.take(&piece).map_err(|why| files.unmet(from, why))?;
        file.write_all(&content).await.map_err(|error| trouble(target, &error))?;
        progress.add(content.len() as u64, reader.entry().map_or(0, |entry| entry.size));
    }
    if !reader.is_whole() {
        return Err(files.unmet(from, "it broke off before its end; nothing was written"));
    }
    landing.land(file, target).await.map_err(|error| trouble(target, &error))?;
    progress.say();
    Ok(Accepted::Done)
}

/// Copies a file of this machine into container `id`.
pub(super) async fn into(wire: &Wire, id: &str, from: &str, to: &str, report: &Report) -> Result<Accepted, EngineError> {
    let source = Path::new(from);
    let found = fs::metadata(source).await.map_err(|error| trouble(source, &error))?;
    if !found.is_file() {
        let why = if found.is_dir() { "it is a folder; one file is copied" } else { "it is no regular file" };
        return Err(EngineError::Unmet { what: clean(from).into(), why: why.into() });
    }
    let files = Files::of(wire, id).await?;
    let (path, there) = match files.look(to).await? {
        Found::File { path, .. } => (path, true),
        Found::Nothing => (to.to_owned(), false),
        Found::Folder { .. } => return Err(files.unmet(to, "it is a folder; name the file in it")),
        Found::Other => return Err(files.unmet(to, "it is no regular file")),
    };
    let Some((folder, name)) = apart(&path) else { return Err(files.unmet(to, "it is no whole path (/folder/file)")) };
    let size = found.len();
    let owner = if there { files.head(&path).await? } else { files.new_in(folder, name, size).await? };
    let modified =
        found.modified().ok().and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok()).map_or(0, |at| at.as_secs());
    let entry = Entry { name: name.to_owned(), size, modified, ..owner };
    let file = File::open(source).await.map_err(|error| trouble(source, &error))?;
    let moved = Arc::new(Mutex::new(Instant::now()));
    let body = bollard::body_try_stream(archive(file, &entry, moved.clone(), report));
    let options = UploadToContainerOptionsBuilder::new().path(folder).no_overwrite_dir_non_dir("true").build();
    let what = files.words(to);
    let mut sent = std::pin::pin!(
        wire.call(&what, LONGEST, |docker| async move { docker.upload_to_container(id, Some(options), body).await })
    );
    loop {
        tokio::select! {
            answer = &mut sent => return answer.map(|()| Accepted::Done),
            () = tokio::time::sleep(REPORT_EVERY) => {
                if moved.lock().unwrap_or_else(PoisonError::into_inner).elapsed() > SILENCE {
                    return Err(EngineError::TimedOut { what: what.as_str().into(), seconds: SILENCE.as_secs() });
                }
            }
        }
    }
}

/// The file as an archive. One that grows shorter meanwhile breaks the archive off, which the engine then refuses.
fn archive(
    file: File,
    entry: &Entry,
    moved: Arc<Mutex<Instant>>,
    report: &Report,
) -> impl Stream<Item = io::Result<Bytes>> + Send + use<> {
    let size = entry.size;
    let head = stream::iter([Ok(Bytes::from(tar::head(entry)))]);
    let mut tail = vec![0; tar::padding(size)];
    tail.extend_from_slice(&tar::END);
    let state = (file.take(size), 0, Progress::new("sent", report), moved);
    let content = stream::try_unfold(state, move |(mut file, done, mut progress, moved)| async move {
        if done == size {
            return Ok(None);
        }
        let mut piece = vec![0; PIECE.min(usize::try_from(size - done).unwrap_or(PIECE))];
        let read = file.read(&mut piece).await?;
        if read == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file has become shorter"));
        }
        piece.truncate(read);
        progress.add(read as u64, size);
        *moved.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        Ok(Some((Bytes::from(piece), (file, done + read as u64, progress, moved))))
    });
    head.chain(content).chain(stream::iter([Ok(Bytes::from(tail))]))
}
