//! One `ssh` process: how it is started so that it can neither ask nor print anything, and what it says kept for the
//! error. It ends when its input does, so also with a quarterdeck that was killed.

use std::collections::VecDeque;
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::Notify;

use super::address::SshAddress;
use crate::engine::ssh::SshTrouble;
use crate::observe::text::clean;

/// Lines of what ssh prints that are kept, and the bytes of one.
const KEPT_LINES: usize = 40;
const LINE_BYTES: u64 = 2048;

/// What every connection is opened with, whatever `~/.ssh/config` says; the rest of it is honoured.
const OPTIONS: [&str; 14] = [
    // Nobody is asked anything, here or by a jump host's ssh.
    "BatchMode=yes",
    // A connection of our own: one shared with somebody's shell would keep the forwarding after us.
    "ControlMaster=no",
    "ControlPath=none",
    "RemoteCommand=none",
    "PermitLocalCommand=no",
    "ForwardAgent=no",
    "ForwardX11=no",
    "StreamLocalBindUnlink=yes",
    "StreamLocalBindMask=0177",
    // Ports that the configuration forwards for people may be taken: that is no reason to fail.
    "ExitOnForwardFailure=no",
    "ConnectTimeout=10",
    "ServerAliveInterval=5",
    "ServerAliveCountMax=3",
    // Louder hides nothing that is needed; quieter would.
    "LogLevel=INFO",
];

/// Starts ssh to forward `local` to `remote` and to run `command` on the host.
///
/// # Errors
/// When there is no ssh, or no process can be had.
pub(super) fn start(address: &SshAddress, local: &Path, remote: &str, command: &str) -> std::io::Result<Child> {
    let arguments = arguments(address, local, remote, command);
    // A session of its own: whatever it starts finds no terminal to ask at. Where there is no setsid, nobody can be asked
    // either: every question goes to a program that says no.
    let mut with = Command::new("setsid");
    with.arg("ssh");
    let mut plain = Command::new("ssh");
    plain.process_group(0);
    let spawn = |mut ssh: Command| {
        ssh.args(&arguments)
            .env("SSH_ASKPASS", "false")
            .env("SSH_ASKPASS_REQUIRE", "force")
            .env_remove("DISPLAY")
            // Its words are read.
            .env("LC_ALL", "C")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
    };
    match spawn(with) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => spawn(plain),
        other => other,
    }
}

fn arguments(address: &SshAddress, local: &Path, remote: &str, command: &str) -> Vec<String> {
    let mut all: Vec<String> = vec!["-T".into(), "-x".into(), "-a".into()];
    all.extend(OPTIONS.iter().flat_map(|option| ["-o".to_owned(), (*option).to_owned()]));
    if let Some(port) = address.port {
        all.extend(["-p".into(), port.to_string()]);
    }
    if let Some(user) = &address.user {
        all.extend(["-l".into(), user.clone()]);
    }
    all.extend(["-L".into(), format!("{}:{remote}", local.display())]);
    all.extend(["--".into(), address.host.clone(), command.into()]);
    all
}

/// The last lines of what ssh printed.
#[derive(Clone, Debug, Default)]
pub(super) struct Said {
    inner: Arc<(Mutex<Lines>, Notify)>,
}

#[derive(Debug, Default)]
struct Lines {
    kept: VecDeque<String>,
    /// Channels the host would not open, so far.
    refused: u64,
    over: bool,
}

impl Said {
    /// Reads to the end.
    pub(super) async fn listen(&self, from: impl AsyncRead + Unpin) {
        let mut from = BufReader::new(from);
        while let Some(line) = next_line(&mut from).await {
            self.change(|lines| {
                // `channel 3: open failed: connect failed: open failed`
                lines.refused += u64::from(line.starts_with("channel ") && line.contains("open failed"));
                if lines.kept.len() == KEPT_LINES {
                    lines.kept.pop_front();
                }
                lines.kept.push_back(line);
            });
        }
        self.change(|lines| lines.over = true);
    }

    fn change(&self, change: impl FnOnce(&mut Lines)) {
        self.with(change);
        self.inner.1.notify_waiters();
    }

    fn with<T>(&self, look: impl FnOnce(&mut Lines) -> T) -> T {
        look(&mut self.inner.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What it means that it ended.
    pub(super) fn trouble(&self) -> (SshTrouble, String) {
        self.with(|lines| SshTrouble::read(lines.kept.make_contiguous()))
    }

    /// Channels the host would not open so far.
    pub(super) fn refused(&self) -> u64 {
        self.with(|lines| lines.refused)
    }

    /// Waits until ssh has said of one more than `before` channels that it was refused, or has ended.
    pub(super) async fn refusal(&self, before: u64) {
        loop {
            let news = self.inner.1.notified();
            tokio::pin!(news);
            news.as_mut().enable();
            if self.with(|lines| lines.refused > before || lines.over) {
                return;
            }
            news.await;
        }
    }
}

/// The next line, cleaned and cut; `None` at the end.
pub(super) async fn next_line(mut from: &mut (impl AsyncBufRead + Unpin)) -> Option<String> {
    let mut line = Vec::new();
    let count = (&mut from).take(LINE_BYTES).read_until(b'\n', &mut line).await.ok()?;
    (count > 0).then(|| clean(String::from_utf8_lossy(&line).trim_end()).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_the_address_is_an_option() {
        let address = SshAddress::parse("deploy@10.0.0.5:2222").unwrap();
        let all = arguments(&address, Path::new("/run/x/engine.sock"), "/var/run/docker.sock", "exec true");
        let end: Vec<&str> = all.iter().skip_while(|a| *a != "-p").map(String::as_str).collect();
        let expected =
            ["-p", "2222", "-l", "deploy", "-L", "/run/x/engine.sock:/var/run/docker.sock", "--", "10.0.0.5", "exec true"];
        assert_eq!(end, expected);
        assert!(all.iter().any(|a| a == "BatchMode=yes") && !all.iter().any(|a| a.contains("StrictHostKeyChecking")));
    }

    #[tokio::test]
    async fn what_is_said_is_kept_in_bounds() {
        let said = Said::default();
        let text = format!("{}\n{}channel 4: open failed: connect failed: open failed\n", "x".repeat(9000), "line\n".repeat(50));
        let before = said.refused();
        tokio::join!(said.listen(text.as_bytes()), said.refusal(before));
        assert_eq!((said.refused(), said.with(|lines| lines.kept.len())), (1, KEPT_LINES));
        said.refusal(99).await;
    }
}
