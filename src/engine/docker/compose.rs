//! Compose files and the tool that understands them: which files a project was made from, what they ask for, how that
//! differs from what runs, and bringing services up. The comparison itself is [`crate::observe::drift`]'s.

mod running;
mod source;
mod tool;
mod watch;

use std::sync::Arc;

use super::client::Client;
use crate::engine::{EngineError, Report};
use crate::model::EnvironmentId;
use crate::operate::Accepted;

pub(super) use source::Sources;
pub use watch::Outcome;
pub(super) use watch::{Project, Watcher};

/// Runs the whole `call` of the compose tool on the pinned engine and waits for its end.
///
/// # Errors
/// When the engine cannot be reached, or the tool cannot be started. What the tool itself says is in the answer.
pub(super) async fn up(
    client: &Client,
    environment: &EnvironmentId,
    call: &[Arc<str>],
    report: &Report,
) -> Result<Accepted, EngineError> {
    let host = client.tool_environment().await?;
    let mut output = tool::run(call, &host, tool::UP_WITHIN, Some(report)).await?;
    output.text = client.redaction().text(&output.text).into_owned().into();
    tracing::info!(%environment, code = output.code, "compose up");
    Ok(Accepted::Output(Box::new(output)))
}
