//! Files of this machine that are looked into.

use std::io::ErrorKind;
use std::sync::Arc;

use tokio::io::AsyncReadExt as _;

use super::{good, unmet};
use crate::engine::EngineError;
use crate::operate::{Accepted, env_file};

/// An env file is never bigger, bytes.
const LARGEST: u64 = 1 << 20;

/// Whether the env file at `path` has every one of these keys filled in.
pub(super) async fn complete(path: &str, required: &[Arc<str>]) -> Result<Accepted, EngineError> {
    let text = read(path).await.map_err(|why| unmet(path, &why))?;
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    match env_file::complete(&text, required, &is_set) {
        Ok(words) => Ok(good(None, words)),
        Err(why) => Err(unmet(path, &why)),
    }
}

/// The text of a small file; where it cannot be had, why.
async fn read(path: &str) -> Result<String, String> {
    let said = |error: std::io::Error| match error.kind() {
        ErrorKind::NotFound => "there is no such file".to_owned(),
        ErrorKind::PermissionDenied => "it may not be read".to_owned(),
        ErrorKind::IsADirectory => "it is a folder".to_owned(),
        _ => error.to_string(),
    };
    // Opening a pipe would wait for somebody to write into it.
    let found = tokio::fs::metadata(path).await.map_err(said)?;
    if !found.is_file() {
        return Err(if found.is_dir() { "it is a folder" } else { "it is no file" }.to_owned());
    }
    let file = tokio::fs::File::open(path).await.map_err(said)?;
    let mut bytes = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut bytes).await.map_err(said)?;
    if bytes.len() as u64 > LARGEST {
        return Err("it is bigger than 1 MiB, which no env file is".to_owned());
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
