//! The compose tool as a child process: which one there is, its calls on the pinned engine, its words. It never sees the
//! terminal and never looks at a current context.

use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::process::Command;
use tokio::sync::OnceCell;

use crate::engine::{EngineError, Report};
use crate::observe::drift::wanted::Generation;
use crate::observe::text::clean;
use crate::operate::action::Output;

/// Images may have to be fetched.
pub(super) const UP_WITHIN: Duration = Duration::from_secs(15 * 60);
const CONFIG_WITHIN: Duration = Duration::from_secs(30);
const VERSION_WITHIN: Duration = Duration::from_secs(10);
/// The end of what a call prints that is kept, bytes.
const KEPT: usize = 64 << 10;
/// A file that is longer when it is read out is nobody's stack.
const CONFIG_LIMIT: usize = 16 << 20;
/// What would name another file, project or engine than the call does.
const REMOVED: [&str; 8] = [
    "COMPOSE_FILE",
    "COMPOSE_PROJECT_NAME",
    "COMPOSE_PATH_SEPARATOR",
    "DOCKER_CONTEXT",
    "DOCKER_HOST",
    "DOCKER_TLS",
    "DOCKER_TLS_VERIFY",
    "DOCKER_CERT_PATH",
];

/// A compose tool that is installed here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tool {
    /// `docker-compose`, or `docker compose`.
    pub call: Vec<Arc<str>>,
    pub generation: Generation,
}

/// The tool there is, looked for once. `docker compose` goes first.
pub(super) async fn find() -> Result<&'static Tool, Arc<str>> {
    static FOUND: OnceCell<Tool> = OnceCell::const_new();
    FOUND.get_or_try_init(look).await
}

async fn look() -> Result<Tool, Arc<str>> {
    for words in [&["docker", "compose"][..], &["docker-compose"][..]] {
        let call: Vec<Arc<str>> = words.iter().map(|word| (*word).into()).collect();
        let asked: Vec<Arc<str>> = call.iter().cloned().chain(["version".into(), "--short".into()]).collect();
        let Ok(output) = collect(&asked, &[], VERSION_WITHIN, KEPT).await else { continue };
        let version = output.out.trim().trim_start_matches('v');
        if output.code == 0 && version.starts_with(|c: char| c.is_ascii_digit()) {
            let generation = if version.starts_with("1.") { Generation::One } else { Generation::Two };
            return Ok(Tool { call, generation });
        }
    }
    Err("neither docker compose nor docker-compose is installed here: it reads compose files and brings services up".into())
}

/// What the tool makes of the files: every service, those with a profile too.
pub(super) async fn config(call: &[Arc<str>], host: &[(&'static str, String)]) -> Result<String, Arc<str>> {
    let mut call = call.to_vec();
    call.push("config".into());
    let mut around = host.to_vec();
    around.push(("COMPOSE_PROFILES", "*".to_owned()));
    let output = collect(&call, &around, CONFIG_WITHIN, CONFIG_LIMIT).await.map_err(|e| Arc::from(e.to_string()))?;
    match output.code {
        0 => Ok(output.out),
        _ => Err(words(&output.err).into()),
    }
}

/// The tool's own words about a mistake, in one line; it repeats what it is called before each.
fn words(printed: &str) -> String {
    let lines: Vec<_> = printed.lines().map(|line| clean(line.trim())).filter(|line| !line.is_empty()).collect();
    // Warnings about variables come first; what stopped it comes last.
    let told: Vec<&str> =
        lines.iter().map(AsRef::as_ref).filter(|l| !l.contains("level=warning") && !l.starts_with("WARNING")).collect();
    let text = if told.is_empty() { "it failed without a word".to_owned() } else { told.join(" ") };
    text.chars().take(600).collect()
}

/// Runs a call to its end; both streams together, the end of them.
pub(super) async fn run(
    call: &[Arc<str>],
    host: &[(&'static str, String)],
    within: Duration,
    report: Option<&Report>,
) -> Result<Output, EngineError> {
    let (mut child, what) = spawn(call, host)?;
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let mut kept = Kept::default();
    let work = async {
        let (mut out, mut err) = (out.map(BufReader::new), err.map(BufReader::new));
        while out.is_some() || err.is_some() {
            let line = tokio::select! {
                line = next(&mut out), if out.is_some() => line,
                line = next(&mut err), if err.is_some() => line,
            };
            if let Some(line) = line {
                if let Some(report) = report {
                    report(line.clone());
                }
                kept.push(&line);
            }
        }
        child.wait().await
    };
    match tokio::time::timeout(within, work).await {
        Ok(Ok(status)) => Ok(kept.output(i64::from(status.code().unwrap_or(-1)))),
        Ok(Err(error)) => {
            Err(EngineError::Rejected { what: what.into(), status: 500, message: clean(&error.to_string()).into() })
        }
        Err(_) => Err(EngineError::Rejected {
            what: what.into(),
            status: 400,
            message: format!("it was ended after {} s; what it had done stays", within.as_secs()).into(),
        }),
    }
}

/// The end of what was printed.
#[derive(Default)]
struct Kept {
    text: String,
    cut: bool,
}

impl Kept {
    fn push(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
        if self.text.len() > 2 * KEPT {
            let mut from = self.text.len() - KEPT;
            while !self.text.is_char_boundary(from) {
                from += 1;
            }
            self.text.drain(..from);
            self.cut = true;
        }
    }

    fn output(self, code: i64) -> Output {
        let mut from = self.text.len().saturating_sub(KEPT);
        while !self.text.is_char_boundary(from) {
            from += 1;
        }
        Output { code, text: self.text[from..].into(), cut: self.cut || from > 0 }
    }
}

/// The next line of a stream, cleaned; at its end the stream is taken away.
async fn next<R: AsyncRead + Unpin>(from: &mut Option<BufReader<R>>) -> Option<String> {
    let reader = from.as_mut()?;
    let mut line = Vec::new();
    // A bar that is drawn over and over ends its lines otherwise.
    match reader.read_until(b'\n', &mut line).await {
        Ok(count) if count > 0 => {
            let text = String::from_utf8_lossy(&line);
            let last = text.trim_end().rsplit('\r').next().unwrap_or_default();
            Some(clean(last).into_owned())
        }
        Ok(_) | Err(_) => {
            *from = None;
            None
        }
    }
}

struct Collected {
    code: i32,
    out: String,
    err: String,
}

/// Runs a call to its end and keeps both streams apart.
async fn collect(
    call: &[Arc<str>],
    host: &[(&'static str, String)],
    within: Duration,
    limit: usize,
) -> Result<Collected, EngineError> {
    let (child, what) = spawn(call, host)?;
    let said =
        |message: String| EngineError::Rejected { what: what.as_str().into(), status: 400, message: clean(&message).into() };
    match tokio::time::timeout(within, child.wait_with_output()).await {
        Ok(Ok(output)) if output.stdout.len() <= limit => Ok(Collected {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }),
        Ok(Ok(_)) => Err(said("it prints without an end".to_owned())),
        Ok(Err(error)) => Err(said(error.to_string())),
        Err(_) => Err(said(format!("it did not end within {} s", within.as_secs()))),
    }
}

fn spawn(call: &[Arc<str>], host: &[(&'static str, String)]) -> Result<(tokio::process::Child, String), EngineError> {
    let Some((program, arguments)) = call.split_first() else {
        return Err(EngineError::Unsupported { what: "The compose tool".into(), why: "its call is empty".into() });
    };
    let what = format!("{program} {}", arguments.first().map_or("", |a| a));
    let mut command = Command::new(&**program);
    command.args(arguments.iter().map(|a| &**a));
    for name in REMOVED {
        command.env_remove(name);
    }
    command.envs(host.iter().map(|(name, value)| (*name, value)));
    // In a group of its own: an interrupt is for us, and we end it in order.
    command.process_group(0).kill_on_drop(true);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    match command.spawn() {
        Ok(child) => Ok((child, what.trim_end().to_owned())),
        Err(error) => Err(EngineError::Rejected {
            what: what.trim_end().into(),
            status: 400,
            message: format!("it cannot be started: {error}").into(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(words: &[&str]) -> Vec<Arc<str>> {
        words.iter().map(|w| (*w).into()).collect()
    }

    #[test]
    fn a_mistake_is_told_in_the_tools_own_words() {
        let printed = "time=\"x\" level=warning msg=\"obsolete\"\nERROR: The Compose file './c.yml' is invalid because:\nservices.a.imge is unexpected\n";
        assert_eq!(words(printed), "ERROR: The Compose file './c.yml' is invalid because: services.a.imge is unexpected");
        assert_eq!(words("\n"), "it failed without a word");
    }

    #[tokio::test]
    async fn both_streams_and_the_code_are_kept_and_time_is_bounded() {
        let script = "echo one; echo two >&2; printf 'a\\rb\\n'; echo \"$DOCKER_HOST $COMPOSE_FILE\"; exit 3";
        let host = [("DOCKER_HOST", "unix:///x".to_owned())];
        let output = run(&call(&["sh", "-c", script]), &host, UP_WITHIN, None).await.unwrap();
        let mut lines: Vec<&str> = output.text.lines().collect();
        lines.sort_unstable();
        assert_eq!((output.code, lines), (3, vec!["b", "one", "two", "unix:///x"]));
        let late = run(&call(&["sh", "-c", "sleep 60"]), &[], Duration::from_millis(50), None).await.unwrap_err();
        assert!(late.to_string().contains("ended after"), "{late}");
        let none = run(&call(&["/no/such/tool", "up"]), &[], UP_WITHIN, None).await.unwrap_err();
        assert!(none.to_string().contains("cannot be started"), "{none}");
    }

    #[test]
    fn only_the_end_is_kept() {
        let mut kept = Kept::default();
        for n in 0..40_000 {
            kept.push(&format!("line {n} é"));
        }
        let output = kept.output(0);
        assert!(output.cut && output.text.len() <= KEPT && output.text.trim_end().ends_with("line 39999 é"));
    }
}
