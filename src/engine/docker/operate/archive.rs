//! Files of a container as the engine hands them over: in archives, whether the container runs or not.

use std::time::Duration;

use bollard::query_parameters::{
    ContainerArchiveInfoOptionsBuilder, DownloadFromContainerOptionsBuilder, UploadToContainerOptionsBuilder,
};
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};

use super::tar::{self, Entry, Kind, Reader};
use super::wire::{LONG, SHORT, Wire};
use crate::engine::EngineError;
use crate::observe::text::clean;

/// An archive of which nothing comes for this long is given up.
pub(super) const SILENCE: Duration = Duration::from_secs(60);
/// Go's bits in a file's mode.
const FOLDER: u32 = 1 << 31;
const LINK: u32 = 1 << 27;
/// Everything beside permissions and the three old bits.
const SPECIAL: u32 = FOLDER | LINK | 1 << 26 | 1 << 25 | 1 << 24 | 1 << 21 | 1 << 19;

/// A container whose files are handled.
pub(super) struct Files<'a> {
    pub(super) wire: &'a Wire,
    pub(super) id: &'a str,
    /// Its name, for people.
    pub(super) name: String,
}

/// What is at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    Nothing,
    /// A regular file: where it really is (links followed) and its size.
    File {
        path: String,
        size: u64,
    },
    Folder {
        path: String,
    },
    /// A device, a pipe, a socket, a link to nowhere.
    Other,
}

impl<'a> Files<'a> {
    /// The files of container `id`.
    pub(super) async fn of(wire: &'a Wire, id: &'a str) -> Result<Self, EngineError> {
        let found = wire.container(id).await?;
        let name = clean(found.name.as_deref().unwrap_or(id).trim_start_matches('/')).into_owned();
        Ok(Self { wire, id, name })
    }

    /// How a path in it is called in messages.
    pub(super) fn words(&self, path: &str) -> String {
        format!("{} in {}", clean(path), self.name)
    }

    /// What was looked at there is not as it should be.
    pub(super) fn unmet(&self, path: &str, why: impl AsRef<str>) -> EngineError {
        EngineError::Unmet { what: self.words(path).into(), why: clean(why.as_ref()).into() }
    }

    /// Looks what is at `path`.
    pub(super) async fn look(&self, path: &str) -> Result<Found, EngineError> {
        let mut path = path.to_owned();
        // The engine resolves a link to its end at once.
        for _ in 0..2 {
            let (id, here, what) = (self.id, path.clone(), self.words(&path));
            let options = ContainerArchiveInfoOptionsBuilder::new().path(&here).build();
            let asked =
                self.wire.call(&what, SHORT, |docker| async move { docker.get_container_archive_info(id, Some(options)).await });
            let found = match asked.await {
                Ok(found) => found,
                // The container is there: what is not is the path.
                Err(EngineError::NotFound { .. } | EngineError::Rejected { status: 404, .. }) => return Ok(Found::Nothing),
                // An answer to HEAD has no words: they come with the archive.
                Err(EngineError::Rejected { message, .. }) if message.is_empty() => return self.why_not(&here).await,
                Err(other) => return Err(other),
            };
            if found.file_mode & LINK == 0 {
                let size = u64::try_from(found.size).unwrap_or(0);
                return Ok(match found.file_mode {
                    mode if mode & FOLDER != 0 => Found::Folder { path },
                    mode if mode & SPECIAL == 0 => Found::File { path, size },
                    _ => Found::Other,
                });
            }
            path = found.link_target;
        }
        Ok(Found::Other)
    }

    /// Why a path could not be looked at.
    async fn why_not(&self, path: &str) -> Result<Found, EngineError> {
        let mut pieces = std::pin::pin!(self.fetch(path));
        match self.next(path, &mut pieces).await {
            // `/file/x`: a file is no folder, so there is nothing in it.
            Err(EngineError::Rejected { message, .. }) if message.contains("not a directory") => Ok(Found::Nothing),
            Err(other) => Err(other),
            Ok(_) => Ok(Found::Other),
        }
    }

    /// The archive of a path, piece by piece.
    pub(super) fn fetch(&self, path: &str) -> impl Stream<Item = Result<Bytes, bollard::errors::Error>> + use<> {
        let options = DownloadFromContainerOptionsBuilder::new().path(path).build();
        let docker = self.wire.docker.clone().with_timeout(SILENCE);
        docker.download_from_container(self.id, Some(options))
    }

    /// The head of what is at a path: its owner and mode. Of its content nothing is fetched.
    pub(super) async fn head(&self, path: &str) -> Result<Entry, EngineError> {
        let mut pieces = std::pin::pin!(self.fetch(path));
        let mut reader = Reader::default();
        while let Some(piece) = self.next(path, &mut pieces).await? {
            reader.take(&piece).map_err(|why| self.unmet(path, why))?;
            if let Some(entry) = reader.entry() {
                return Ok(entry.clone());
            }
        }
        Err(self.unmet(path, "it broke off"))
    }

    /// A small file, whole.
    pub(super) async fn read(&self, path: &str, most: u64) -> Result<(Entry, Vec<u8>), EngineError> {
        let mut pieces = std::pin::pin!(self.fetch(path));
        let (mut reader, mut content) = (Reader::default(), Vec::new());
        while let Some(piece) = self.next(path, &mut pieces).await? {
            content.extend(reader.take(&piece).map_err(|why| self.unmet(path, why))?);
            if let Some(entry) = reader.entry().filter(|entry| entry.kind != Kind::File || entry.size > most) {
                return Err(self.unmet(path, format!("it is no text file of at most {most} bytes ({} bytes)", entry.size)));
            }
        }
        match reader.entry() {
            Some(entry) if reader.is_whole() => Ok((entry.clone(), content)),
            Some(_) | None => Err(self.unmet(path, "it broke off")),
        }
    }

    /// The next piece of an archive; a silence is an end.
    pub(super) async fn next(
        &self,
        path: &str,
        pieces: &mut (impl Stream<Item = Result<Bytes, bollard::errors::Error>> + Unpin),
    ) -> Result<Option<Bytes>, EngineError> {
        match tokio::time::timeout(SILENCE, pieces.next()).await {
            Ok(Some(piece)) => piece.map(Some).map_err(|error| self.wire.failure(&self.words(path), error)),
            Ok(None) => Ok(None),
            Err(_) => Err(EngineError::TimedOut { what: self.words(path).into(), seconds: SILENCE.as_secs() }),
        }
    }

    /// Writes small files into a folder, one after the other.
    pub(super) async fn write(&self, folder: &str, files: &[(Entry, &[u8])]) -> Result<(), EngineError> {
        let mut archive = Vec::new();
        for (entry, content) in files {
            archive.extend_from_slice(&tar::head(entry));
            archive.extend_from_slice(content);
            archive.resize(archive.len() + tar::padding(entry.size), 0);
        }
        archive.extend_from_slice(&tar::END);
        let options = UploadToContainerOptionsBuilder::new().path(folder).no_overwrite_dir_non_dir("true").build();
        let (id, body) = (self.id, bollard::body_full(archive.into()));
        let what = self.words(folder);
        let sent = self.wire.call(&what, LONG, |docker| async move { docker.upload_to_container(id, Some(options), body).await });
        sent.await
    }

    /// Who a new file in this folder belongs to, and what it may be.
    pub(super) async fn new_in(&self, folder: &str, name: &str, size: u64) -> Result<Entry, EngineError> {
        let Found::Folder { path } = self.look(folder).await? else {
            return Err(self.unmet(folder, "there is no such folder"));
        };
        let owner = self.head(&path).await?;
        Ok(Entry { name: name.to_owned(), kind: Kind::File, mode: 0o644, size, ..owner })
    }
}
