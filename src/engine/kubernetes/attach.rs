//! An interactive command in a container of a pod: the first of those wanted that exists, on a terminal of its own, as raw
//! bytes both ways. Whose terminal that is, is not known here.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Status;
use kube::api::{AttachedProcess, TerminalSize};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::mpsc;

use super::client::Client;
use super::exec::{self, End, end};
use super::place::Place;
use crate::engine::{Attached, AttachedInput, EngineError, Shell};
use crate::observe::text::clean;

/// Pieces of input that wait for the server; typing is never faster, and a paste waits for its turn.
const INPUT_BOUND: usize = 64;
/// A command that says nothing for this long has begun: a program that is missing is told at once.
const BEGUN: Duration = Duration::from_secs(2);
/// What a terminal sends for the end of input (`ctrl-d`).
const END_OF_INPUT: &[u8] = &[4];
/// Read at a time, bytes.
const PIECE: usize = 16 << 10;

type LastWord = Pin<Box<dyn Future<Output = Option<Status>> + Send>>;

/// Opens the first of the shell's commands that exists in its instance.
///
/// # Errors
/// [`EngineError::Conflict`] when the container does not run, [`EngineError::NotFound`] when it or every command is missing,
/// [`EngineError::Forbidden`] when one may not.
pub async fn attach(client: &Client, shell: Shell) -> Result<Attached, EngineError> {
    let place = Place::of(&shell.instance)?;
    let what = format!("a shell in {}", place.words());
    for command in shell.commands.iter().filter(|command| !command.is_empty()) {
        let words: Vec<Arc<str>> = command.iter().map(|word| word.as_str().into()).collect();
        let process = exec::begin(client, &place, &what, &words, true, true).await?;
        if let Some(attached) = begun(process, shell.size, &what).await? {
            return Ok(attached);
        }
    }
    let tried: Vec<&str> = shell.commands.iter().filter_map(|command| command.first()).map(String::as_str).collect();
    Err(EngineError::NotFound { what: format!("any of {} in {}", clean(&tried.join(", ")), place.words()).into() })
}

/// A command that has begun; `None` where its program is not there.
async fn begun(mut process: AttachedProcess, size: (u16, u16), what: &str) -> Result<Option<Attached>, EngineError> {
    let (stdin, stdout, status) = (process.stdin(), process.stdout(), process.take_status());
    let (Some(stdin), Some(mut stdout), Some(status), Some(mut resize)) = (stdin, stdout, status, process.terminal_size()) else {
        return Err(EngineError::Unmet { what: what.into(), why: "it was started without a terminal".into() });
    };
    let mut status: Option<LastWord> = Some(Box::pin(status));
    let mut set_size = move |width, height| drop(resize.try_send(TerminalSize { width, height }));
    // A size that could not be set is set with the next one.
    set_size(size.0, size.1);
    let mut piece = vec![0; PIECE];
    let first = match tokio::time::timeout(BEGUN, stdout.read(&mut piece)).await {
        Ok(Ok(n)) if n > 0 => Some(Bytes::copy_from_slice(&piece[..n])),
        Ok(Ok(_) | Err(_)) => {
            let last = match status.take() {
                Some(last) => last.await,
                None => None,
            };
            if let End::NotStarted(_) = end(last, what)? {
                return Ok(None);
            }
            None
        }
        Err(_) => None,
    };
    let (sender, receiver) = mpsc::channel(INPUT_BOUND);
    tokio::spawn(feed(stdin, set_size, receiver));
    let rest = Rest { _process: process, stdout, status, what: what.into() };
    let output = stream::iter(first.map(Ok)).chain(stream::unfold(rest, next));
    Ok(Some(Attached { output: output.boxed(), input: sender }))
}

/// What is still to come of a command. Dropping it ends the command's terminal.
struct Rest<R> {
    _process: AttachedProcess,
    stdout: R,
    status: Option<LastWord>,
    what: Arc<str>,
}

async fn next<R: AsyncRead + Unpin>(mut rest: Rest<R>) -> Option<(Result<Bytes, EngineError>, Rest<R>)> {
    let mut piece = vec![0; PIECE];
    match rest.stdout.read(&mut piece).await {
        Ok(n) if n > 0 => {
            piece.truncate(n);
            Some((Ok(piece.into()), rest))
        }
        // How it ended is its own business; that the connection broke off is not.
        Ok(_) | Err(_) => match end(rest.status.take()?.await, &rest.what) {
            Ok(_) => None,
            Err(error) => Some((Err(error), rest)),
        },
    }
}

/// Hands what is typed to the command, and the terminal's size; at the end of the input says so.
async fn feed(
    mut stdin: impl tokio::io::AsyncWrite + Unpin,
    mut set_size: impl FnMut(u16, u16),
    mut receiver: mpsc::Receiver<AttachedInput>,
) {
    while let Some(piece) = receiver.recv().await {
        match piece {
            AttachedInput::Bytes(bytes) => {
                // The command has ended: its output says so to whoever reads it.
                if stdin.write_all(&bytes).await.is_err() || stdin.flush().await.is_err() {
                    return;
                }
            }
            AttachedInput::Resize(width, height) => set_size(width, height),
        }
    }
    // On a terminal, a closed connection alone would leave the command waiting for ever.
    let _ = stdin.write_all(END_OF_INPUT).await;
    let _ = stdin.shutdown().await;
}
