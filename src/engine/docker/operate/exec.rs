//! A command run in a running container and waited for: what it printed, both streams in order, and what it ended with.

use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bollard::container::LogOutput;
use bollard::exec::{StartExecOptions, StartExecResults};
use bollard::models::ExecConfig;
use futures_util::StreamExt as _;
use tokio::io::{AsyncWrite, AsyncWriteExt as _};

use super::wire::{SHORT, Wire, container_words};
use crate::engine::command::{code_of, ended, is_no_program, words};
use crate::engine::{EngineError, Report};
use crate::observe::capture::Capture;
use crate::observe::log::Stream;
use crate::observe::text::clean;
use crate::operate::{Accepted, Output};

/// The engine may need a moment to note a command's end after its output has ended.
const NOTED_WITHIN: u32 = 50;
const NOTED_PAUSE: Duration = Duration::from_millis(100);
/// Time between two reports of what is printed.
const REPORT_EVERY: Duration = Duration::from_millis(250);
type Printed = Pin<Box<dyn futures_util::Stream<Item = Result<LogOutput, bollard::errors::Error>> + Send>>;

/// A command that is to run.
pub(super) struct Order<'a> {
    pub(super) command: &'a [Arc<str>],
    /// What it reads; nothing else is ever on its input.
    pub(super) input: Option<&'a [u8]>,
    pub(super) timeout: Duration,
}

/// Runs a command in container `id`.
pub(super) async fn run(wire: &Wire, id: &str, order: Order<'_>, report: &Report) -> Result<Accepted, EngineError> {
    let output = output(wire, id, order, report).await?;
    Ok(Accepted::Output(Box::new(output)))
}

/// Runs a command and answers what it left.
pub(super) async fn output(wire: &Wire, id: &str, order: Order<'_>, report: &Report) -> Result<Output, EngineError> {
    let found = wire.container(id).await?;
    let name = clean(found.name.as_deref().unwrap_or(id).trim_start_matches('/')).into_owned();
    let what = format!("{} in {name}", words(order.command));
    let state = found.state.unwrap_or_default();
    if state.running != Some(true) || state.paused == Some(true) {
        let cause = if state.paused == Some(true) { "it is paused" } else { "it does not run" };
        return Err(EngineError::Conflict { what: container_words(&name).into(), cause: cause.into() });
    }
    let config = ExecConfig {
        attach_stdin: Some(order.input.is_some()),
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        tty: Some(false),
        cmd: Some(order.command.iter().map(ToString::to_string).collect()),
        ..ExecConfig::default()
    };
    let exec = wire.call(&what, SHORT, |docker| async move { docker.create_exec(id, config).await }).await?.id;
    let mut capture = Capture::new(wire.redaction().clone());
    let work = converse(wire, &exec, &what, order.input, &mut capture, report);
    match tokio::time::timeout(order.timeout, work).await {
        Ok(Ok(())) => {}
        Ok(Err(EngineError::Rejected { message, .. })) if is_no_program(&message) => {
            return Ok(ended(capture, code_of(&message), order.command, &name));
        }
        Ok(Err(error)) => return Err(error),
        Err(_) => {
            // The engine has no way to end a command it has begun.
            let what = format!("{what} (it may still run there)");
            return Err(EngineError::TimedOut { what: what.into(), seconds: order.timeout.as_secs() });
        }
    }
    let code = code(wire, &exec, &what).await?;
    Ok(ended(capture, code, order.command, &name))
}

/// Starts it and takes what it prints until it ends.
async fn converse(
    wire: &Wire,
    exec: &str,
    what: &str,
    input: Option<&[u8]>,
    capture: &mut Capture,
    report: &Report,
) -> Result<(), EngineError> {
    let options = StartExecOptions { detach: false, tty: false, output_capacity: None };
    let started = wire.call(what, SHORT, |docker| async move { docker.start_exec(exec, Some(options)).await }).await?;
    let StartExecResults::Attached { output, input: mut sink } = started else {
        return Err(EngineError::Protocol {
            endpoint: wire.endpoint(),
            cause: "a command was started without its output".into(),
        });
    };
    let feed = async {
        if let Some(bytes) = input {
            // A command that has read enough closes its input, which is no fault.
            drop(feed(&mut sink, bytes).await);
        }
    };
    let ((), listened) = tokio::join!(feed, listen(wire, what, output, capture, report));
    listened
}

async fn feed(sink: &mut Pin<Box<dyn AsyncWrite + Send>>, bytes: &[u8]) -> std::io::Result<()> {
    sink.write_all(bytes).await?;
    sink.flush().await?;
    sink.shutdown().await
}

/// Takes what is printed until the end of it, and tells the last line now and then.
pub(super) async fn listen(
    wire: &Wire,
    what: &str,
    mut output: Printed,
    capture: &mut Capture,
    report: &Report,
) -> Result<(), EngineError> {
    let mut said = Instant::now();
    while let Some(piece) = output.next().await {
        match piece.map_err(|error| wire.failure(what, error))? {
            LogOutput::StdErr { message } => capture.take(Stream::Stderr, &message),
            LogOutput::StdOut { message } | LogOutput::Console { message } | LogOutput::StdIn { message } => {
                capture.take(Stream::Stdout, &message);
            }
        }
        if said.elapsed() >= REPORT_EVERY {
            said = Instant::now();
            if let Some(line) = capture.last_line() {
                report(line.to_owned());
            }
        }
    }
    Ok(())
}

/// What the command ended with.
async fn code(wire: &Wire, exec: &str, what: &str) -> Result<i64, EngineError> {
    for _ in 0..NOTED_WITHIN {
        let found = wire.call(what, SHORT, |docker| async move { docker.inspect_exec(exec).await }).await?;
        match (found.running, found.exit_code) {
            (Some(false) | None, Some(code)) => return Ok(code),
            _ => tokio::time::sleep(NOTED_PAUSE).await,
        }
    }
    // It has closed its output and goes on: a daemon it has started may hold nothing of ours.
    Err(EngineError::Rejected { what: what.into(), status: 500, message: "it closed its output and did not end".into() })
}
