//! Text given to a command of this machine: it runs away from the terminal, within bounds, and what it says is shown.

use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::Command;
use tokio::time::timeout;

use crate::observe::{redact, text};

/// How long a command may take.
const WITHIN: Duration = Duration::from_secs(30);
/// So much of what it says is kept, bytes.
const OUTPUT: u64 = 1 << 20;

/// Runs a shell command with `content` as its input; answers what it printed, made safe to be shown.
///
/// # Errors
/// A sentence when it cannot be started, fails, or takes longer than 30 s.
pub(super) async fn run(command: &str, content: String) -> Result<Arc<str>, Arc<str>> {
    // A process group of its own: neither keys nor the terminal's signals reach it, and it may not read from the terminal.
    let mut child = Command::new("sh")
        .args(["-c", command])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| Arc::from(format!("sh cannot be started: {error}")))?;
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let feed = async move {
        if let Some(mut stdin) = stdin {
            // A command that has read enough closes its input, which is no fault.
            drop(stdin.write_all(content.as_bytes()).await);
        }
    };
    let work = async {
        let ((), out, err) = tokio::join!(feed, said(stdout), said(stderr));
        child.wait().await.map(|status| (status, out, err))
    };
    match timeout(WITHIN, work).await {
        Err(_) => Err(format!("took longer than {} s and was ended", WITHIN.as_secs()).into()),
        Ok(Err(error)) => Err(error.to_string().into()),
        Ok(Ok((status, out, _))) if status.success() => Ok(out.into()),
        Ok(Ok((status, out, err))) => {
            let why = err.lines().chain(out.lines()).next().unwrap_or("it said nothing").to_owned();
            Err(format!("failed ({status}): {why}").into())
        }
    }
}

/// What comes out, line by line sanitised and masked. What is beyond the bound is read and left out.
async fn said(from: Option<impl AsyncRead + Unpin>) -> String {
    let Some(mut from) = from else { return String::new() };
    let mut bytes = Vec::new();
    drop((&mut from).take(OUTPUT).read_to_end(&mut bytes).await);
    let more = tokio::io::copy(&mut from, &mut tokio::io::sink()).await.unwrap_or(0);
    let mut shown = String::with_capacity(bytes.len());
    for line in bytes.split(|b| *b == b'\n') {
        shown.push_str(&redact::text(&text::clean_bytes(line)));
        shown.push('\n');
    }
    shown.truncate(shown.trim_end().len());
    if more > 0 {
        shown.push_str(&format!("\n… {more} bytes more are not shown"));
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_command_reads_the_text_and_what_it_says_is_made_safe() {
        assert_eq!(run("sort | uniq -c | tr -s ' '", "b\na\nb\n".into()).await.as_deref(), Ok(" 1 a\n 2 b"));
        assert_eq!(run("printf 'x\\033[31my password=hunter2'", String::new()).await.as_deref(), Ok("xy password=••••••"));
        assert_eq!(run("head -c 3", "y\n".repeat(1 << 20)).await.as_deref(), Ok("y\ny"), "it need not read everything");
        let long = run("head -c 1100000 /dev/zero | tr '\\0' x", String::new()).await;
        assert!(long.is_ok_and(|t| t.ends_with("bytes more are not shown")));
        let failed = run("echo no such thing >&2; exit 3", String::new()).await;
        assert!(failed.is_err_and(|why| why.contains("exit status: 3") && why.contains("no such thing")));
    }

    #[tokio::test]
    async fn a_command_has_no_terminal_to_read_from() {
        assert_eq!(run("cat; test -t 0 || test -t 1 || test -t 2 || echo none", "in\n".into()).await.as_deref(), Ok("in\nnone"));
    }
}
