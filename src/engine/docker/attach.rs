//! An interactive command in a container: the first of those wanted that exists, on a terminal of its own, as raw bytes
//! both ways. Whose terminal that is, is not known here.

use std::pin::Pin;
use std::time::Duration;

use bollard::exec::{StartExecOptions, StartExecResults};
use bollard::models::{ContainerInspectResponse, ExecConfig};
use bollard::query_parameters::{ContainerArchiveInfoOptionsBuilder, ResizeExecOptionsBuilder};
use futures_util::StreamExt;
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;

use super::client::Client;
use super::operate::wire::{SHORT, Wire};
use crate::engine::{Attached, AttachedInput, EngineError, Shell};
use crate::observe::text::clean;

/// Pieces of input that wait for the engine; typing is never faster, and a paste waits for its turn.
const INPUT_BOUND: usize = 64;
/// Where programs are looked for in a container that names no `PATH`, as the engine does it.
const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// The engine refuses to resize a command that is about to start.
const RESIZE_TRIES: u32 = 20;
const RESIZE_PAUSE: Duration = Duration::from_millis(50);
/// What a terminal sends for the end of input (`ctrl-d`).
const END_OF_INPUT: &[u8] = &[4];

/// Opens the first of the shell's commands that exists in its instance.
///
/// # Errors
/// [`EngineError::Conflict`] when the instance does not run, [`EngineError::NotFound`] when it or every command is missing.
pub async fn attach(client: &Client, shell: Shell) -> Result<Attached, EngineError> {
    let wire = Wire::of(client).await?;
    let id = &*client.container(&shell.instance)?;
    let found = wire.container(id).await?;
    let name = found.name.clone().unwrap_or_default();
    let words = format!("a shell in {}", clean(name.trim_start_matches('/')));
    let state = found.state.clone().unwrap_or_default();
    if state.running != Some(true) || state.paused == Some(true) {
        let cause = if state.paused == Some(true) { "it is paused" } else { "it does not run" };
        return Err(EngineError::Conflict { what: words.into(), cause: cause.into() });
    }
    let command = first_there(&wire, id, &found, &shell.commands).await?;
    let config = ExecConfig {
        attach_stdin: Some(true),
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        tty: Some(true),
        console_size: Some(vec![usize::from(shell.size.1), usize::from(shell.size.0)]),
        cmd: Some(command),
        ..ExecConfig::default()
    };
    let exec = wire.call(&words, SHORT, |docker| async move { docker.create_exec(id, config).await }).await?.id;
    let options = StartExecOptions { detach: false, tty: true, output_capacity: None };
    let started = wire.call(&words, SHORT, |docker| {
        let exec = exec.clone();
        async move { docker.start_exec(&exec, Some(options)).await }
    });
    let StartExecResults::Attached { output, input } = started.await? else {
        return Err(EngineError::Protocol {
            endpoint: client.endpoint(),
            cause: "a command asked to be attached was detached".into(),
        });
    };
    let (sender, receiver) = mpsc::channel(INPUT_BOUND);
    tokio::spawn(feed(wire.clone(), exec, shell.size, input, receiver));
    let output = output
        .map(move |piece| piece.map(bollard::container::LogOutput::into_bytes).map_err(|error| wire.failure(&words, error)));
    Ok(Attached { output: Box::pin(output), input: sender })
}

/// Hands what is typed to the command, and the terminal's size; at the end of the input says so.
async fn feed(
    wire: Wire,
    exec: String,
    size: (u16, u16),
    mut input: Pin<Box<dyn AsyncWrite + Send>>,
    mut receiver: mpsc::Receiver<AttachedInput>,
) {
    for _ in 0..RESIZE_TRIES {
        if resize(&wire, &exec, size).await.is_ok() {
            break;
        }
        tokio::time::sleep(RESIZE_PAUSE).await;
    }
    while let Some(piece) = receiver.recv().await {
        match piece {
            AttachedInput::Bytes(bytes) => {
                // The command has ended: its output says so to whoever reads it.
                if input.write_all(&bytes).await.is_err() || input.flush().await.is_err() {
                    return;
                }
            }
            // A size that could not be set is set with the next one.
            AttachedInput::Resize(columns, rows) => drop(resize(&wire, &exec, (columns, rows)).await),
        }
    }
    // On a terminal, a closed connection alone would leave the command waiting for ever.
    let _ = input.write_all(END_OF_INPUT).await;
    let _ = input.shutdown().await;
}

async fn resize(wire: &Wire, exec: &str, (columns, rows): (u16, u16)) -> Result<(), EngineError> {
    let options = ResizeExecOptionsBuilder::new().w(i32::from(columns)).h(i32::from(rows)).build();
    wire.call("the terminal's size", SHORT, |docker| async move { docker.resize_exec(exec, options).await }).await
}

/// The first command whose program is a file in the container. Looking starts nothing in it.
async fn first_there(
    wire: &Wire,
    id: &str,
    found: &ContainerInspectResponse,
    commands: &[Vec<String>],
) -> Result<Vec<String>, EngineError> {
    let env = found.config.as_ref().and_then(|config| config.env.as_deref()).unwrap_or_default();
    let path = env.iter().find_map(|entry| entry.strip_prefix("PATH=")).unwrap_or(DEFAULT_PATH);
    for command in commands {
        let Some(program) = command.first() else { continue };
        for place in places(program, path) {
            let options = ContainerArchiveInfoOptionsBuilder::new().path(&place).build();
            let looked =
                wire.call(&place, SHORT, |docker| async move { docker.get_container_archive_info(id, Some(options)).await });
            if looked.await.is_ok() {
                return Ok(command.clone());
            }
        }
    }
    let tried: Vec<&str> = commands.iter().filter_map(|command| command.first()).map(String::as_str).collect();
    let name = found.name.as_deref().unwrap_or_default().trim_start_matches('/');
    Err(EngineError::NotFound { what: format!("any of {} in {}", clean(&tried.join(", ")), clean(name)).into() })
}

/// Where a program may be.
fn places(program: &str, path: &str) -> Vec<String> {
    if program.contains('/') {
        return vec![program.to_owned()];
    }
    path.split(':')
        .filter(|folder| !folder.is_empty())
        .map(|folder| format!("{}/{program}", folder.trim_end_matches('/')))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_looked_for_where_the_container_would() {
        assert_eq!(places("sh", "/usr/bin:/bin/:"), ["/usr/bin/sh", "/bin/sh"]);
        assert_eq!(places("/opt/sh", "/bin"), ["/opt/sh"]);
    }
}
