//! A command of this machine, away from the terminal: nothing to read, both streams taken, ended with everything it started
//! when it takes too long or nobody waits for it any more.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::{Child, Command};

use super::{safe, unmet};
use crate::engine::{EngineError, Report};
use crate::observe::capture::Capture;
use crate::observe::log::Stream;
use crate::observe::redact::Redaction;
use crate::operate::{Accepted, Output};

/// After a polite end this long is waited for one that is not.
const POLITE: Duration = Duration::from_secs(2);
/// What a command that has ended has printed is read for this long: something it has left behind may hold its output.
const LEFT: Duration = Duration::from_millis(500);
const REPORT_EVERY: Duration = Duration::from_millis(250);

/// A command that is to run.
pub(super) struct Order<'a> {
    pub(super) argv: &'a [Arc<str>],
    /// Where; `None` is the working directory.
    pub(super) folder: Option<&'a str>,
    pub(super) timeout: Duration,
    /// Put into its environment.
    pub(super) variables: &'a [(Arc<str>, Arc<str>)],
}

/// Runs the command and waits for its end.
pub(super) async fn run(order: Order<'_>, redaction: Arc<Redaction>, report: &Report) -> Result<Accepted, EngineError> {
    let what = safe(&order.argv.join(" "));
    let Some(program) = order.argv.first() else { return Err(unmet("a command", "it has no words")) };
    let folder = order.folder.map_or(Path::new("."), Path::new);
    if !folder.is_dir() {
        return Err(unmet(&what, &format!("there is no folder {} to run it in", folder.display())));
    }
    let Some(path) = found(program, folder) else {
        return Err(unmet(&what, &format!("there is no program {program} on this machine")));
    };
    let mut child = command(&path, &order).spawn().map_err(|error| unmet(&what, &error.to_string()))?;
    let group = Group::of(&child);
    let mut capture = Capture::new(redaction);
    let Ok(code) = tokio::time::timeout(order.timeout, attend(&mut child, &mut capture, report)).await else {
        group.end(&mut child).await;
        return Err(EngineError::TimedOut { what: format!("{what} (ended)").into(), seconds: order.timeout.as_secs() });
    };
    let code = code.map_err(|error| unmet(&what, &error.to_string()))?;
    group.release();
    let (text, cut) = capture.finish();
    Ok(Accepted::Output(Box::new(Output { code, text: text.into(), cut })))
}

/// The program as it is to be started: in a session of its own where `setsid` is there, so that not even `/dev/tty` is this
/// terminal; in a process group of its own anyway.
fn command(program: &Path, order: &Order<'_>) -> Command {
    let mut command = if let Some(setsid) = found("setsid", Path::new("/")) {
        // A process that leads no group becomes the new session's leader itself: its id stays.
        let mut command = Command::new(setsid);
        command.arg(program);
        command
    } else {
        let mut command = Command::new(program);
        command.process_group(0);
        command
    };
    command.args(order.argv.iter().skip(1).map(|word| &**word));
    if let Some(folder) = order.folder {
        command.current_dir(folder);
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    if order.variables.iter().any(|(name, _)| &**name == "DOCKER_HOST") {
        // The pinned target, whatever is switched meanwhile.
        command.env_remove("DOCKER_CONTEXT");
    }
    command.envs(order.variables.iter().map(|(name, value)| (&**name, &**value)));
    command
}

/// Where a program is; one with a folder in its name is looked for from where it is to run.
fn found(program: &str, from: &Path) -> Option<PathBuf> {
    if program.contains('/') {
        return from.join(program).is_file().then(|| PathBuf::from(program));
    }
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// Everything a command has started, ended when this is dropped before it was released.
struct Group(Option<Pid>);

impl Group {
    fn of(child: &Child) -> Self {
        Self(child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw))
    }

    /// The command has ended by itself; what it has left running was left on purpose.
    fn release(mut self) {
        self.0 = None;
    }

    /// Ends all of it, politely first.
    async fn end(self, child: &mut Child) {
        if let Some(group) = self.0 {
            // Nothing is left to end where it fails.
            let _ = kill_process_group(group, Signal::TERM);
        }
        drop(tokio::time::timeout(POLITE, child.wait()).await);
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

/// Takes what it prints until it ends; the code is that of a shell (128 and the signal's number).
async fn attend(child: &mut Child, capture: &mut Capture, report: &Report) -> std::io::Result<i64> {
    let (mut stdout, mut stderr) = (child.stdout.take(), child.stderr.take());
    let (mut out, mut err) = ([0; 4096], [0; 4096]);
    let mut said = Instant::now();
    let mut status = None;
    let mut left = std::pin::pin!(tokio::time::sleep(Duration::MAX));
    while status.is_none() || stdout.is_some() || stderr.is_some() {
        tokio::select! {
            n = read(&mut stdout, &mut out) => taken(n, &mut stdout, &out, Stream::Stdout, capture),
            n = read(&mut stderr, &mut err) => taken(n, &mut stderr, &err, Stream::Stderr, capture),
            ended = child.wait(), if status.is_none() => {
                status = Some(ended?);
                left.as_mut().reset(tokio::time::Instant::now() + LEFT);
            }
            () = &mut left, if status.is_some() => break,
        }
        if said.elapsed() >= REPORT_EVERY {
            said = Instant::now();
            if let Some(line) = capture.last_line() {
                report(line.to_owned());
            }
        }
    }
    Ok(status.map_or(0, code))
}

/// Bytes read; never ready where the stream has ended.
async fn read(stream: &mut Option<impl AsyncRead + Unpin>, buffer: &mut [u8]) -> usize {
    match stream {
        // A stream that fails says nothing more.
        Some(stream) => stream.read(buffer).await.unwrap_or(0),
        None => std::future::pending().await,
    }
}

fn taken<S>(n: usize, stream: &mut Option<S>, buffer: &[u8], which: Stream, capture: &mut Capture) {
    if n == 0 {
        *stream = None;
    }
    capture.take(which, &buffer[..n]);
}

fn code(status: std::process::ExitStatus) -> i64 {
    use std::os::unix::process::ExitStatusExt as _;
    let signal = status.signal().map(|signal| 128 + i64::from(signal));
    status.code().map(i64::from).or(signal).unwrap_or(-1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quiet() -> Report {
        Arc::new(|_| {})
    }

    async fn sh(script: &str, seconds: u64, variables: &[(Arc<str>, Arc<str>)]) -> Result<Accepted, EngineError> {
        let argv: Vec<Arc<str>> = vec!["sh".into(), "-c".into(), script.into()];
        run(Order { argv: &argv, folder: Some("/"), timeout: Duration::from_secs(seconds), variables }, Arc::default(), &quiet())
            .await
    }

    fn lives(pid: &str) -> bool {
        std::fs::read_to_string(format!("/proc/{}/stat", pid.trim())).is_ok_and(|stat| !stat.contains(") Z "))
    }

    async fn gone(pid: &str) {
        while lives(pid) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    #[tokio::test]
    async fn a_command_is_run_away_from_the_terminal_and_read() {
        let variables = [("QD_IMAGE".into(), "app:2".into())];
        for (script, code, text) in [
            ("echo one; echo two >&2; echo $QD_IMAGE", 0, "one\ntwo\napp:2"),
            ("printf 'x\\033[31my token=abcdefgh'; exit 7", 7, "xy token=••••••"),
            ("cat; test -t 0 || test -t 1 || test -t 2 || echo none", 0, "none"),
            ("kill -TERM $$", 143, ""),
            ("pwd", 0, "/"),
            ("( sh -c : < /dev/tty ) 2>/dev/null || echo no terminal", 0, "no terminal"),
        ] {
            // Both streams are pipes: which of two is read first is left open where they differ.
            let script = script.replace("echo two >&2; ", "sleep 0.2; echo two >&2; sleep 0.2; ");
            let Ok(Accepted::Output(output)) = sh(&script, 20, &variables).await else { panic!("{script}") };
            assert_eq!((output.code, &*output.text), (code, text), "{script}");
        }
    }

    #[tokio::test]
    async fn what_takes_too_long_is_ended_with_all_it_started() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pid");
        let script = format!("sh -c 'trap \"\" TERM; echo $$ > {}; while :; do sleep 1; done' & wait", file.display());
        let error = sh(&script, 1, &[]).await.unwrap_err();
        assert!(matches!(error, EngineError::TimedOut { seconds: 1, .. }), "{error}");
        gone(&std::fs::read_to_string(&file).unwrap()).await;
    }

    #[tokio::test]
    async fn what_nobody_waits_for_any_more_is_ended_too() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pid");
        let script = format!("sh -c 'echo $$ > {0}.new; mv {0}.new {0}; sleep 600' & wait", file.display());
        tokio::select! {
            answer = sh(&script, 600, &[]) => panic!("{answer:?}"),
            () = async { while !file.exists() { tokio::time::sleep(Duration::from_millis(20)).await; } } => {}
        }
        gone(&std::fs::read_to_string(&file).unwrap()).await;
    }

    #[tokio::test]
    async fn what_it_leaves_behind_does_not_hold_it_up() {
        let Ok(Accepted::Output(output)) = sh("sleep 600 & echo $!", 20, &[]).await else { panic!() };
        assert!(output.code == 0 && lives(&output.text), "{output:?}");
        let pid = Pid::from_raw(output.text.parse().unwrap()).unwrap();
        rustix::process::kill_process(pid, Signal::KILL).unwrap();
    }

    #[tokio::test]
    async fn a_program_that_is_not_there_is_named() {
        let argv: Vec<Arc<str>> = vec!["qd-no-such-program".into(), "x".into()];
        let error =
            run(Order { argv: &argv, folder: None, timeout: Duration::from_secs(5), variables: &[] }, Arc::default(), &quiet())
                .await
                .unwrap_err();
        assert_eq!(error.to_string(), "qd-no-such-program x: there is no program qd-no-such-program on this machine");
    }
}
