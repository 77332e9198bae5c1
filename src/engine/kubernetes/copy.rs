//! One file between this machine and a container of a pod, streamed whatever its size. Out of a container it lands whole or
//! not at all; into one it is written only when all of it has come, and keeps the owner and mode of what is there.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use kube::api::AttachedProcess;
use tokio::fs::{self, File};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use super::client::Client;
use super::exec::{self, End, end};
use super::place::Place;
use super::script::{self, IS_SHORT, call, failure, shown};
use crate::engine::command::code_of;
use crate::engine::landing::{Landing, trouble};
use crate::engine::transfer::Progress;
use crate::engine::{EngineError, Report};
use crate::model::InstanceId;
use crate::observe::capture::Capture;
use crate::observe::log::Stream;
use crate::observe::text::clean;
use crate::operate::{Accepted, Output};

/// A copy of which nothing comes for this long is given up.
const SILENCE: Duration = Duration::from_secs(60);
/// Read and sent at a time, bytes.
const PIECE: usize = 64 << 10;

/// Its size goes before the content, on the other stream.
const OUT: &str = r#"if [ -d "$1" ]; then exit 91; fi
if [ ! -e "$1" ]; then exit 92; fi
if [ ! -f "$1" ]; then exit 93; fi
wc -c < "$1" >&2
exec cat "$1""#;

/// What comes is written beside its place; only when all of it is there does it take that place. Where it cannot be, what
/// comes is swallowed first: the server tells of an end only to who has sent everything.
const INTO: &str = r#"s=$2
no() { head -c "$s" >/dev/null; exit "$1"; }
if [ -d "$1" ]; then no 91; fi
if [ -e "$1" ] && [ ! -f "$1" ]; then no 93; fi
d=${1%/*}; if [ ! -d "${d:-/}" ]; then no 94; fi
p="$1.quarterdeck-$$"; trap 'rm -f "$p"' EXIT
head -c "$2" > "$p" || exit 1
if [ "$(wc -c < "$p")" -ne "$2" ]; then exit 95; fi
if [ -e "$1" ]; then cat "$p" > "$1"; else mv "$p" "$1"; fi"#;

/// Copies a file out of an instance.
///
/// # Errors
/// What is wrong with either file; [`EngineError::Unsupported`] where the container has no shell.
pub async fn out(client: &Client, instance: &InstanceId, from: &str, to: &str, report: &Report) -> Result<Accepted, EngineError> {
    let place = Place::of(instance)?;
    script::checked(&place, from)?;
    let target = Path::new(to);
    let landing = Landing::prepare(target).await.map_err(|error| trouble(target, &error))?;
    let what = shown(&place, from);
    let mut process = exec::begin(client, &place, &what, &call(OUT, &[from]), false, false).await?;
    let (Some(mut content), Some(mut said)) = (process.stdout(), process.stderr()) else {
        return Err(lost(client));
    };
    let mut file = landing.open().await.map_err(|error| trouble(target, &error))?;
    let (mut progress, mut size) = (Progress::new("copied", report), 0);
    let mut capture = Capture::new(client.redaction().clone());
    let (mut piece, mut words) = (vec![0; PIECE], vec![0; 4 << 10]);
    let (mut open, mut talks) = (true, true);
    while open || talks {
        tokio::select! {
            n = next(&mut content, &mut piece, &what), if open => match n? {
                0 => open = false,
                n => {
                    file.write_all(&piece[..n]).await.map_err(|error| trouble(target, &error))?;
                    progress.add(n as u64, size);
                }
            },
            n = next(&mut said, &mut words, &what), if talks => match n? {
                0 => talks = false,
                n => {
                    capture.take(Stream::Stderr, &words[..n]);
                    size = capture.last_line().and_then(|line| line.parse().ok()).unwrap_or(size);
                }
            },
        }
    }
    let output = outcome(&mut process, &what, capture).await?;
    if output.code != 0 {
        return Err(failure(&place, from, &output));
    }
    landing.land(file, target).await.map_err(|error| trouble(target, &error))?;
    progress.say();
    Ok(Accepted::Done)
}

/// Copies a file of this machine into an instance.
///
/// # Errors
/// As [`out`].
pub async fn into(
    client: &Client,
    instance: &InstanceId,
    from: &str,
    to: &str,
    report: &Report,
) -> Result<Accepted, EngineError> {
    let place = Place::of(instance)?;
    script::checked(&place, to)?;
    let source = Path::new(from);
    let found = fs::metadata(source).await.map_err(|error| trouble(source, &error))?;
    if !found.is_file() {
        let why = if found.is_dir() { "it is a folder; one file is copied" } else { "it is no regular file" };
        return Err(EngineError::Unmet { what: clean(from).into(), why: why.into() });
    }
    let size = found.len();
    let file = File::open(source).await.map_err(|error| trouble(source, &error))?;
    let what = shown(&place, to);
    let mut process = exec::begin(client, &place, &what, &call(INTO, &[to, &size.to_string()]), true, false).await?;
    let (Some(stdin), Some(stdout), Some(stderr)) = (process.stdin(), process.stdout(), process.stderr()) else {
        return Err(lost(client));
    };
    let capture = Capture::new(client.redaction().clone());
    let mut heard = std::pin::pin!(hear(stdout, stderr, capture));
    let mut sent = std::pin::pin!(send(file, size, stdin, &what, Progress::new("sent", report)));
    let capture = tokio::select! {
        stdin = &mut sent => {
            // Held open until then: where the server cannot pass an end of input on, it would end everything.
            let _stdin = stdin.map_err(|why| why.unwrap_or_else(|error| trouble(source, &error)))?;
            let silent = EngineError::TimedOut { what: what.clone(), seconds: SILENCE.as_secs() };
            tokio::time::timeout(SILENCE, &mut heard).await.map_err(|_| silent)?
        }
        capture = &mut heard => capture,
    };
    let output = outcome(&mut process, &what, capture).await?;
    if output.code == 0 { Ok(Accepted::Done) } else { Err(failure(&place, to, &output)) }
}

/// Sends a file. What is wrong is either of the connection, or of the file here.
async fn send<W: AsyncWrite + Unpin>(
    file: File,
    size: u64,
    mut to: W,
    what: &Arc<str>,
    mut progress: Progress,
) -> Result<W, Result<EngineError, io::Error>> {
    let (mut file, mut done, mut piece) = (file.take(size), 0, vec![0; PIECE]);
    while done < size {
        let read = file.read(&mut piece).await.map_err(Err)?;
        if read == 0 {
            return Err(Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file has become shorter")));
        }
        match tokio::time::timeout(SILENCE, to.write_all(&piece[..read])).await {
            Ok(Ok(())) => {}
            // It does not read on: it says why when it ends.
            Ok(Err(_)) => break,
            Err(_) => return Err(Ok(EngineError::TimedOut { what: what.clone(), seconds: SILENCE.as_secs() })),
        }
        done += read as u64;
        progress.add(read as u64, size);
    }
    let _ = to.flush().await;
    Ok(to)
}

/// Takes what a script says until it ends.
async fn hear(mut stdout: impl AsyncRead + Unpin, mut stderr: impl AsyncRead + Unpin, mut capture: Capture) -> Capture {
    let (mut out, mut err) = (vec![0; 4 << 10], vec![0; 4 << 10]);
    let (mut out_open, mut err_open) = (true, true);
    while out_open || err_open {
        tokio::select! {
            read = stdout.read(&mut out), if out_open => match read {
                Ok(n) if n > 0 => capture.take(Stream::Stdout, &out[..n]),
                Ok(_) | Err(_) => out_open = false,
            },
            read = stderr.read(&mut err), if err_open => match read {
                Ok(n) if n > 0 => capture.take(Stream::Stderr, &err[..n]),
                Ok(_) | Err(_) => err_open = false,
            },
        }
    }
    capture
}

/// The next piece; a silence is an end.
async fn next(from: &mut (impl AsyncRead + Unpin), piece: &mut [u8], what: &Arc<str>) -> Result<usize, EngineError> {
    match tokio::time::timeout(SILENCE, from.read(piece)).await {
        Ok(read) => Ok(read.unwrap_or(0)),
        Err(_) => Err(EngineError::TimedOut { what: what.clone(), seconds: SILENCE.as_secs() }),
    }
}

/// How the script ended. Where the connection broke off, what has come is not all.
async fn outcome(process: &mut AttachedProcess, what: &str, mut capture: Capture) -> Result<Output, EngineError> {
    let status = match process.take_status() {
        Some(status) => tokio::time::timeout(SILENCE, status).await.ok().flatten(),
        None => None,
    };
    let code = match end(status, what) {
        Ok(End::Code(code)) => code,
        Ok(End::NotStarted(message)) => {
            capture.remark("sh cannot be run there");
            code_of(&message)
        }
        // Our scripts leave nothing behind when they break off.
        Err(EngineError::Unmet { .. }) => IS_SHORT,
        Err(other) => return Err(other),
    };
    let (text, cut) = capture.finish();
    Ok(Output { code, text: text.into(), cut })
}

fn lost(client: &Client) -> EngineError {
    EngineError::Protocol { endpoint: client.endpoint(), cause: "a command was started without its streams".into() }
}
