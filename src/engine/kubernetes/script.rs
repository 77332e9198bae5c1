//! Small scripts in a container: files are read and written with its own `sh`, `cat` and `head`, the only hands a cluster
//! offers. Where a container has none, that is said.

use std::sync::Arc;
use std::time::Duration;

use super::client::Client;
use super::exec::{self, Order};
use super::place::Place;
use crate::engine::EngineError;
use crate::observe::text::clean;
use crate::operate::Output;

/// How long one may take for a small file.
const WITHIN: Duration = Duration::from_secs(60);

// What our scripts end with, beside 0.
pub(super) const SO_ALREADY: i64 = 90;
pub(super) const IS_FOLDER: i64 = 91;
pub(super) const IS_MISSING: i64 = 92;
pub(super) const IS_ODD: i64 = 93;
pub(super) const NO_FOLDER: i64 = 94;
pub(super) const IS_SHORT: i64 = 95;

/// The call of a script: its arguments are `$1`, `$2`, ….
pub(super) fn call(script: &str, arguments: &[&str]) -> Vec<Arc<str>> {
    ["sh", "-c", script, "sh"].iter().chain(arguments).map(|word| Arc::from(*word)).collect()
}

/// Runs a script with all of its input at hand.
pub(super) async fn run(
    client: &Client,
    place: &Place,
    script: &str,
    arguments: &[&str],
    input: Option<&[u8]>,
) -> Result<Output, EngineError> {
    let command = call(script, arguments);
    let order = Order { command: &command, input, timeout: WITHIN };
    exec::output(client, place, order, &(Arc::new(|_| {}) as crate::engine::Report)).await
}

/// How a path in a container is called in messages.
pub(super) fn shown(place: &Place, path: &str) -> Arc<str> {
    format!("{} in {}", clean(path), place.words()).into()
}

/// What a script that did not do its work has found.
pub(super) fn failure(place: &Place, path: &str, output: &Output) -> EngineError {
    let what = shown(place, path);
    let unmet = |why: &str| EngineError::Unmet { what: what.clone(), why: why.into() };
    match output.code {
        IS_FOLDER => unmet("it is a folder; one file is copied"),
        IS_MISSING => unmet("there is no such file"),
        IS_ODD => unmet("it is no regular file"),
        NO_FOLDER => unmet("there is no such folder"),
        IS_SHORT => unmet("it broke off before its end; nothing was changed"),
        126 | 127 if output.last_line().starts_with("sh cannot be run") => EngineError::Unsupported {
            what,
            why: "files of a pod are handled with its own sh, and this container has none; copy them from a volume, or with a \
                  container that has one"
                .into(),
        },
        _ => unmet(&output.failure()),
    }
}

/// Whether a path is a whole one, to a file.
pub(super) fn checked(place: &Place, path: &str) -> Result<(), EngineError> {
    match crate::engine::transfer::apart(path) {
        Some(_) => Ok(()),
        None => Err(EngineError::Unmet { what: shown(place, path), why: "it is no whole path (/folder/file)".into() }),
    }
}
