//! A small file written in a container of a pod, with what was there before kept beside it until it is put back or
//! forgotten.

use super::client::Client;
use super::place::Place;
use super::script::{self, SO_ALREADY, failure, shown};
use crate::engine::EngineError;
use crate::engine::transfer::file_safe;
use crate::model::{InstanceId, OperationId};
use crate::operate::Accepted;

/// What is written is never bigger, bytes.
const MOST: usize = 1 << 20;

/// `$1` the file, `$2` what is kept of it, `$3` stands for it where nothing was there, `$4` the size of what comes.
const PUT: &str = r#"s=$4
no() { head -c "$s" >/dev/null; exit "$1"; }
if [ -d "$1" ]; then no 91; fi
if [ -e "$1" ] && [ ! -f "$1" ]; then no 93; fi
d=${1%/*}; if [ ! -d "${d:-/}" ]; then no 94; fi
n="$2.new"; trap 'rm -f "$n"' EXIT
head -c "$4" > "$n" || exit 1
if [ "$(wc -c < "$n")" -ne "$4" ]; then exit 95; fi
if [ -e "$2" ] || [ -e "$3" ]; then
  if [ -e "$1" ] && cmp -s "$n" "$1" 2>/dev/null; then exit 90; fi
elif [ -e "$1" ]; then
  cp -p "$1" "$2.part" && mv "$2.part" "$2" || exit 1
else
  : > "$3" || exit 1
fi
cat "$n" > "$1""#;

const RESTORE: &str = r#"if [ -e "$2" ]; then cat "$2" > "$1" || exit 1
elif [ -e "$3" ]; then rm -f "$1" || exit 1
else exit 90; fi
rm -f "$2" "$3""#;

const FORGET: &str = r#"if [ ! -e "$2" ] && [ ! -e "$3" ]; then exit 90; fi
rm -f "$2" "$3""#;

/// Writes `content`, after keeping what is there under `keep`, the first time only.
///
/// # Errors
/// What is wrong with the file; [`EngineError::Unsupported`] where the container has no shell.
pub async fn put(
    client: &Client,
    instance: &InstanceId,
    path: &str,
    content: &str,
    keep: &OperationId,
) -> Result<Accepted, EngineError> {
    let place = Place::of(instance)?;
    if content.len() > MOST {
        let why = format!("{} bytes are too many: at most {MOST} are written", content.len());
        return Err(EngineError::Unmet { what: shown(&place, path), why: why.into() });
    }
    run(client, &place, PUT, path, keep, Some(content)).await
}

/// Puts back what [`put`] has kept; what was not there before goes.
///
/// # Errors
/// As [`put`].
pub async fn restore(client: &Client, instance: &InstanceId, path: &str, keep: &OperationId) -> Result<Accepted, EngineError> {
    run(client, &Place::of(instance)?, RESTORE, path, keep, None).await
}

/// Removes what [`put`] has kept.
///
/// # Errors
/// As [`put`].
pub async fn forget(client: &Client, instance: &InstanceId, path: &str, keep: &OperationId) -> Result<Accepted, EngineError> {
    run(client, &Place::of(instance)?, FORGET, path, keep, None).await
}

async fn run(
    client: &Client,
    place: &Place,
    script: &str,
    path: &str,
    keep: &OperationId,
    content: Option<&str>,
) -> Result<Accepted, EngineError> {
    script::checked(place, path)?;
    let kept = format!("{path}.quarterdeck-{}", file_safe(keep.as_str()));
    let (none, size) = (format!("{kept}.none"), content.map_or(0, str::len).to_string());
    let arguments = [path, kept.as_str(), none.as_str(), size.as_str()];
    let output = script::run(client, place, script, &arguments, content.map(str::as_bytes)).await?;
    match output.code {
        0 => Ok(Accepted::Done),
        SO_ALREADY => Ok(Accepted::AlreadySo),
        _ => Err(failure(place, path, &output)),
    }
}
