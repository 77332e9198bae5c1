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
/// What shells end with where there is no such program, and where it may not be run.
const NO_PROGRAM: i64 = 127;
const NOT_RUNNABLE: i64 = 126;

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

/// The command in one line, as a person would type it, masked.
pub(super) fn words(command: &[Arc<str>]) -> String {
    /// Longest command that is repeated in a message, characters.
    const LONGEST: usize = 80;
    let line = command.join(" ");
    let line = crate::observe::redact::text(&clean(&line)).into_owned();
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
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

/// Whether the engine says that the program could not be started.
pub(super) fn is_no_program(message: &str) -> bool {
    message.contains("OCI runtime")
        || message.contains("executable file not found")
        || message.contains("no such file or directory")
}

/// The code a shell would end with, from the engine's words.
pub(super) fn code_of(message: &str) -> i64 {
    // Its own words may have been masked in part: paths such as `/etc/passwd` look like a secret's name.
    if message.contains("denied") { NOT_RUNNABLE } else { NO_PROGRAM }
}

/// What a command left; where it could not even be started, that is said in a line of our own.
fn ended(mut capture: Capture, code: i64, command: &[Arc<str>], name: &str) -> Output {
    let said = capture.last_line().unwrap_or_default();
    if matches!(code, NO_PROGRAM | NOT_RUNNABLE) && (said.is_empty() || is_no_program(said)) {
        let code = if said.is_empty() { code } else { code_of(said) };
        capture.remark(&cannot_start(code, command, name));
        return finished(capture, code);
    }
    finished(capture, code)
}

/// `npx cannot be run in shop_api_1: there is no such program`.
pub(super) fn cannot_start(code: i64, command: &[Arc<str>], place: &str) -> String {
    let program = clean(command.first().map_or("", |program| program.as_ref())).into_owned();
    let why = if code == NOT_RUNNABLE { "it may not be executed" } else { "there is no such program" };
    format!("{program} cannot be run in {place}: {why}")
}

/// What is kept of it.
pub(super) fn finished(capture: Capture, code: i64) -> Output {
    let (text, cut) = capture.finish();
    Output { code, text: text.into(), cut }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_repeated_safely_and_not_at_length() {
        let of = |list: &[&str]| words(&list.iter().map(|word| Arc::from(*word)).collect::<Vec<_>>());
        assert_eq!(of(&["redis-cli", "BGSAVE"]), "redis-cli BGSAVE");
        assert_eq!(of(&["sh", "-c", "echo \u{1b}[31mx"]), "sh -c echo x");
        assert!(!of(&["login", "--password=hunter2"]).contains("hunter2"));
        assert_eq!(of(&["x".repeat(300).as_str()]).chars().count(), 81);
    }

    #[test]
    fn a_program_that_is_not_there_is_said_to_be_so() {
        let missing = "OCI runtime exec failed: exec failed: unable to start container process: exec: \"nope\": executable file \
                       not found in $PATH: unknown";
        let denied = "OCI runtime exec failed: exec: \"/etc/passwd\": permission denied: unknown";
        for (said, code, expected) in [
            (missing, 126, (127, "nope cannot be run in web: there is no such program")),
            (denied, 126, (126, "nope cannot be run in web: it may not be executed")),
            ("", 127, (127, "nope cannot be run in web: there is no such program")),
            ("sh: wget: not found", 127, (127, "sh: wget: not found")),
            ("", 0, (0, "")),
        ] {
            let mut capture = Capture::new(Arc::default());
            capture.take(Stream::Stdout, format!("{said}\r\n").as_bytes());
            let output = ended(capture, code, &["nope".into()], "web");
            assert_eq!((output.code, output.last_line()), expected, "{said}");
        }
    }
}
