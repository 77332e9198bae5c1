//! A command run in a container of a pod and waited for: what it printed, and what it ended with, as the server's last word
//! on its channel says it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Status;
use kube::Api;
use kube::api::{AttachParams, AttachedProcess};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::client::Client;
use super::place::Place;
use crate::engine::command::{code_of, ended, is_no_program, words};
use crate::engine::transfer::REPORT_EVERY;
use crate::engine::{EngineError, Report};
use crate::model::InstanceId;
use crate::observe::capture::Capture;
use crate::observe::log::Stream;
use crate::observe::redact;
use crate::observe::text::clean;
use crate::operate::{Accepted, Output};

/// How long the server may take to begin a command.
pub(super) const OPEN_WITHIN: Duration = Duration::from_secs(20);
/// Held between the connection and whoever reads, bytes.
pub(super) const HELD: usize = 256 << 10;

/// A command that is to run.
pub struct Order<'a> {
    pub command: &'a [Arc<str>],
    /// What it reads. It is not told that this ends: it has to know how much it reads.
    pub input: Option<&'a [u8]>,
    pub timeout: Duration,
}

/// Runs a command in an instance. Answers [`Accepted::Output`], whatever its exit code.
///
/// # Errors
/// [`EngineError::Conflict`] when its container does not run; what the server refused; that it took too long.
pub async fn run(client: &Client, instance: &InstanceId, order: Order<'_>, report: &Report) -> Result<Accepted, EngineError> {
    let place = Place::of(instance)?;
    let output = output(client, &place, order, report).await?;
    Ok(Accepted::Output(Box::new(output)))
}

/// Runs a command and answers what it left.
pub(super) async fn output(client: &Client, place: &Place, order: Order<'_>, report: &Report) -> Result<Output, EngineError> {
    let what = format!("{} in {}", words(order.command), place.words());
    let mut capture = Capture::new(client.redaction().clone());
    let mut process = begin(client, place, &what, order.command, order.input.is_some(), false).await?;
    let work = converse(&mut process, order.input, &mut capture, report);
    let Ok(status) = tokio::time::timeout(order.timeout, work).await else {
        let what = format!("{what} (it may still run there)");
        return Err(EngineError::TimedOut { what: what.into(), seconds: order.timeout.as_secs() });
    };
    let code = match end(status, &what)? {
        End::Code(code) => code,
        End::NotStarted(message) => {
            let code = code_of(&message);
            capture.take(Stream::Stderr, format!("{message}\n").as_bytes());
            code
        }
    };
    Ok(ended(capture, code, order.command, &place.words()))
}

/// Begins a command in the container meant, once it is known to run.
pub(super) async fn begin(
    client: &Client,
    place: &Place,
    what: &str,
    command: &[Arc<str>],
    stdin: bool,
    tty: bool,
) -> Result<AttachedProcess, EngineError> {
    let seen = place.look(client).await?;
    if !seen.is_running() {
        return Err(not_running(place));
    }
    let parameters = AttachParams {
        container: Some(seen.container.to_string()),
        stdin,
        stdout: true,
        // A terminal has one stream for both.
        stderr: !tty,
        tty,
        max_stdin_buf_size: Some(HELD),
        max_stdout_buf_size: Some(HELD),
        max_stderr_buf_size: Some(HELD),
    };
    let api: Api<Pod> = Api::namespaced(client.kube().await?, &place.namespace);
    let command: Vec<String> = command.iter().map(ToString::to_string).collect();
    match tokio::time::timeout(OPEN_WITHIN, api.exec(&place.pod, command, &parameters)).await {
        Ok(Ok(process)) => Ok(process),
        Ok(Err(error)) => Err(match client.fail(what, &error) {
            EngineError::Rejected { message, .. }
                if message.contains("container not found") || message.contains("completed pod") =>
            {
                not_running(place)
            }
            other => other,
        }),
        Err(_) => Err(EngineError::TimedOut { what: what.into(), seconds: OPEN_WITHIN.as_secs() }),
    }
}

fn not_running(place: &Place) -> EngineError {
    EngineError::Conflict { what: format!("container {}", place.words()).into(), cause: "it does not run".into() }
}

/// Hands it its input and takes what it prints until it ends; answers the server's last word.
async fn converse(process: &mut AttachedProcess, input: Option<&[u8]>, capture: &mut Capture, report: &Report) -> Option<Status> {
    let (mut stdin, stdout, stderr) = (process.stdin(), process.stdout(), process.stderr());
    let (Some(mut stdout), Some(mut stderr), Some(status)) = (stdout, stderr, process.take_status()) else { return None };
    let feed = async {
        if let (Some(stdin), Some(bytes)) = (&mut stdin, input) {
            // A command that has read enough closes its input, which is no fault.
            let _ = stdin.write_all(bytes).await;
            let _ = stdin.flush().await;
        }
    };
    let listen = async {
        let (mut out, mut err) = (vec![0; 32 << 10], vec![0; 32 << 10]);
        let (mut out_open, mut err_open) = (true, true);
        let mut said = Instant::now();
        while out_open || err_open {
            tokio::select! {
                // The server tells the two apart and not which came first.
                biased;
                read = stdout.read(&mut out), if out_open => match read {
                    Ok(n) if n > 0 => capture.take(Stream::Stdout, &out[..n]),
                    Ok(_) | Err(_) => out_open = false,
                },
                read = stderr.read(&mut err), if err_open => match read {
                    Ok(n) if n > 0 => capture.take(Stream::Stderr, &err[..n]),
                    Ok(_) | Err(_) => err_open = false,
                },
            }
            if said.elapsed() >= REPORT_EVERY {
                said = Instant::now();
                if let Some(line) = capture.last_line() {
                    report(line.to_owned());
                }
            }
        }
        status.await
    };
    let ((), status) = tokio::join!(feed, listen);
    status
}

/// How a command ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum End {
    Code(i64),
    /// It could not be started; with the runtime's own words.
    NotStarted(String),
}

/// Reads the server's last word on a command.
pub(super) fn end(status: Option<Status>, what: &str) -> Result<End, EngineError> {
    let Some(status) = status else {
        // Whether it was begun, and whether it has ended, nobody knows: it is not asked for again.
        let why = "the connection broke off before its end; it may still run there";
        return Err(EngineError::Unmet { what: what.into(), why: why.into() });
    };
    if status.status.as_deref() == Some("Success") {
        return Ok(End::Code(0));
    }
    let message = status.message.unwrap_or_default();
    let causes = status.details.and_then(|d| d.causes).unwrap_or_default();
    let code = causes.iter().find(|c| c.reason.as_deref() == Some("ExitCode")).and_then(|c| c.message.as_deref()?.parse().ok());
    match code {
        Some(code) => Ok(End::Code(code)),
        None if is_no_program(&message) => Ok(End::NotStarted(message)),
        None => {
            let message = redact::text(&clean(&message)).into_owned();
            let code = status.code.and_then(|code| u16::try_from(code).ok()).unwrap_or(500);
            Err(EngineError::Rejected { what: what.into(), status: code, message: message.into() })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_tells_how_a_command_ended() {
        let of = |text: &str| end(serde_json::from_str(text).ok(), "ls in web");
        assert_eq!(of(r#"{"metadata":{},"status":"Success"}"#), Ok(End::Code(0)));
        let failed = r#"{"metadata":{},"status":"Failure","message":"command terminated with non-zero exit code: exit status 3",
            "reason":"NonZeroExitCode","details":{"causes":[{"reason":"ExitCode","message":"3"}]}}"#;
        assert_eq!(of(failed), Ok(End::Code(3)));
        let missing = r#"{"metadata":{},"status":"Failure","reason":"InternalError","code":500,"message":"exec: \"bash\": executable file not found in $PATH"}"#;
        assert!(matches!(of(missing), Ok(End::NotStarted(_))));
        let odd = r#"{"metadata":{},"status":"Failure","code":500,"message":"the runtime is away"}"#;
        assert!(matches!(of(odd), Err(EngineError::Rejected { status: 500, .. })));
        assert!(matches!(of("nothing came"), Err(EngineError::Unmet { .. })));
    }
}
