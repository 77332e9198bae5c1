//! A file of this machine that is there whole or not at all: written beside its place, and moved there once it is on the disk.

use std::io;
use std::path::{Path, PathBuf};

use tokio::fs::{self, File, OpenOptions};

use super::EngineError;
use crate::observe::text::clean;

/// A file beside its place until it is whole; gone when it never gets there.
#[derive(Debug)]
pub(in crate::engine) struct Landing(PathBuf);

impl Landing {
    /// Makes the folders on the way to `target`, which must not be one itself.
    pub(in crate::engine) async fn prepare(target: &Path) -> io::Result<Self> {
        let name = target.file_name().ok_or(io::ErrorKind::IsADirectory)?.to_string_lossy().into_owned();
        let ends_in_slash = target.as_os_str().as_encoded_bytes().ends_with(b"/");
        if ends_in_slash || fs::metadata(target).await.is_ok_and(|found| found.is_dir()) {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        let folder = folder_of(target);
        fs::create_dir_all(folder).await?;
        let nanos = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |now| now.as_nanos());
        Ok(Self(folder.join(format!(".{name}.{}-{nanos}.part", std::process::id()))))
    }

    /// Opens it for writing. What it holds may be a backup: only its owner may read it.
    pub(in crate::engine) async fn open(&self) -> io::Result<File> {
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(&self.0).await
    }

    /// Puts what was written in its place for good.
    pub(in crate::engine) async fn land(self, file: File, target: &Path) -> io::Result<()> {
        file.sync_all().await?;
        fs::rename(&self.0, target).await?;
        File::open(folder_of(target)).await?.sync_all().await
    }
}

impl Drop for Landing {
    fn drop(&mut self) {
        // After it has landed there is nothing under this name.
        drop(std::fs::remove_file(&self.0));
    }
}

fn folder_of(target: &Path) -> &Path {
    target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// What is wrong with a file of this machine.
pub(in crate::engine) fn trouble(path: &Path, error: &io::Error) -> EngineError {
    let why = match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".into(),
        io::ErrorKind::PermissionDenied => "permission denied".into(),
        io::ErrorKind::IsADirectory => "it is a folder; name the file in it".into(),
        io::ErrorKind::StorageFull => "the disk is full".into(),
        _ => clean(&error.to_string()).into(),
    };
    EngineError::Unmet { what: clean(&path.display().to_string()).into(), why }
}
