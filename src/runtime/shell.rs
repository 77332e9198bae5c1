//! A command in an instance with our terminal: bytes go both ways untouched until it ends.

use std::io::{self, Write as _};
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use tokio::io::AsyncReadExt as _;

use crate::engine::{Attached, AttachedInput, Engine, Shell};

use super::input::{self, Resized};
use super::screen;

/// How long opening may take.
const OPEN_WITHIN: Duration = Duration::from_secs(10);

/// Opens the command and passes bytes on until it ends.
///
/// # Errors
/// A sentence when it cannot be opened or breaks off.
pub async fn bridge(engine: Arc<dyn Engine>, shell: Shell) -> Result<(), Arc<str>> {
    let instance = shell.instance.clone();
    let shell = Shell { size: screen::size(), ..shell };
    let attached = match tokio::time::timeout(OPEN_WITHIN, engine.attach(shell)).await {
        Ok(Ok(attached)) => attached,
        Ok(Err(error)) => return Err(format!("no shell in {instance}: {error} ({})", error.hint()).into()),
        Err(_) => return Err(format!("no shell in {instance}: the engine did not answer within 10 s").into()),
    };
    pass(attached).await.map_err(|error| Arc::from(format!("the shell in {instance} broke off: {error}")))
}

async fn pass(attached: Attached) -> io::Result<()> {
    let Attached { mut output, input } = attached;
    let mut terminal = input::open()?;
    let mut resized = Resized::listen()?;
    let mut bytes = [0; 4096];
    loop {
        tokio::select! {
            printed = output.next() => match printed {
                Some(Ok(bytes)) => print(bytes).await?,
                Some(Err(error)) => return Err(io::Error::other(error.to_string())),
                None => return Ok(()),
            },
            read = terminal.read(&mut bytes) => match read? {
                0 => return Err(input::gone()),
                n => {
                    let typed = AttachedInput::Bytes(bytes::Bytes::copy_from_slice(&bytes[..n]));
                    if input.send(typed).await.is_err() {
                        return drain(output).await;
                    }
                }
            },
            () = resized.wait() => {
                let (columns, rows) = screen::size();
                if input.send(AttachedInput::Resize(columns, rows)).await.is_err() {
                    return drain(output).await;
                }
            }
        }
    }
}

/// The command takes no more input: what it still has to say is shown.
async fn drain(
    mut output: futures_util::stream::BoxStream<'static, Result<bytes::Bytes, crate::engine::EngineError>>,
) -> io::Result<()> {
    while let Some(Ok(bytes)) = output.next().await {
        print(bytes).await?;
    }
    Ok(())
}

/// A slow terminal holds up the command, as it should, and nothing else: writing happens on a thread for it.
async fn print(bytes: bytes::Bytes) -> io::Result<()> {
    tokio::task::spawn_blocking(move || {
        let mut out = io::stdout().lock();
        out.write_all(&bytes)?;
        out.flush()
    })
    .await
    .map_err(io::Error::other)?
}
