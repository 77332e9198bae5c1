//! `qd doctor`: whether everything quarterdeck needs is there, how clean what is shown is, and what to do where it is not.

mod hygiene;

use std::io::IsTerminal as _;
use std::process::{Command, Stdio};

use serde::Serialize;

use crate::app::State;
use crate::app::operations::unfinished_note;
use crate::cli::{self, Cli};
use crate::config::{Flags, Resolved, load};
use crate::engine::ssh::SshTrouble;
use crate::model::{ConnectionId, Link};
use crate::runtime;
use crate::theme::ColorDepth;

use super::super::{Setup, setup};
use super::output::{Grid, Out};
use super::{Driver, Exit, Result};

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    Ok,
    Warn,
    Fail,
}

#[derive(Serialize)]
struct Row {
    check: String,
    state: Verdict,
    detail: String,
    hint: String,
}

fn row(check: impl Into<String>, state: Verdict, detail: impl Into<String>, hint: impl Into<String>) -> Row {
    Row { check: check.into(), state, detail: detail.into(), hint: hint.into() }
}

/// Runs it. A broken configuration is a finding, not a reason to stop.
///
/// # Errors
/// When no thread can be had, or standard output is closed.
pub(super) fn run(cli: &Cli, out: &mut Out, asked: &cli::Doctor) -> Result<Exit> {
    let mut rows = configuration(cli);
    rows.extend(data_directory());
    rows.push(terminal());
    match Setup::read(cli) {
        Ok(setup) => {
            let runtime = runtime::start()?;
            let mut driver = Driver::new(setup.session(runtime.handle())?, &setup.journal());
            runtime.block_on(driver.inventory());
            rows.extend(engines(driver.state(), &setup.resolved));
            rows.extend(ssh(&setup.resolved));
            rows.extend(runtime.block_on(hygiene::look(&mut driver, asked.certificates)));
            driver.close();
            runtime.shutdown_background();
        }
        Err(_) => rows.push(row("engines", Verdict::Warn, "not looked at: the configuration has mistakes", "correct them first")),
    }
    rows.push(compose());
    let failed = rows.iter().any(|r| r.state == Verdict::Fail);
    out.list(&rows, table)?;
    Ok(if failed { Exit::Failed } else { Exit::Done })
}

fn configuration(cli: &Cli) -> Vec<Row> {
    let flags = Flags::new(&cli.global, cli.command.as_ref());
    let paths = match setup::paths() {
        Ok(paths) => paths,
        Err(problems) => {
            return problems.iter().map(|p| row("home", Verdict::Fail, p.message.clone(), "set HOME")).collect();
        }
    };
    let problems = load::check(&paths, &flags);
    if !problems.is_empty() {
        return problems
            .iter()
            .map(|p| {
                row("configuration", Verdict::Fail, p.to_string(), "correct the file; qd config check tells when it is right")
            })
            .collect();
    }
    let directory = std::env::current_dir().unwrap_or_default();
    let files: Vec<String> = load::sources(&paths, &flags, &directory).iter().map(|p| p.display().to_string()).collect();
    let detail = if files.is_empty() { "none needed, none found".to_owned() } else { files.join(", ") };
    let mut rows = vec![row("configuration", Verdict::Ok, detail, "")];
    if let Ok(resolved) = load::load(&paths, &flags) {
        rows.extend(resolved.unsupported.iter().map(|(name, why)| row(name.to_string(), Verdict::Warn, why.to_string(), "")));
    }
    rows
}

/// Whether changes can be recorded: without that none is made.
fn data_directory() -> Option<Row> {
    let paths = setup::paths().ok()?;
    let probe = paths.data.join(format!(".probe-{}", std::process::id()));
    let tried = std::fs::create_dir_all(&paths.data)
        .and_then(|()| std::fs::write(&probe, b"x"))
        .and_then(|()| std::fs::remove_file(&probe));
    let shown = paths.data.display();
    Some(match tried {
        Ok(()) => row("data directory", Verdict::Ok, format!("{shown} can be written"), ""),
        Err(error) => row(
            "data directory",
            Verdict::Fail,
            format!("{shown} cannot be written: {error}"),
            "without the audit log nothing is changed: set XDG_DATA_HOME, or correct the permissions",
        ),
    })
}

fn terminal() -> Row {
    let (columns, rows) = runtime::screen::size();
    let depth = setup::depth();
    if !std::io::stdout().is_terminal() {
        return row("terminal", Verdict::Ok, "not at one: commands only", "");
    }
    let detail = format!("{columns}×{rows}, colours: {}", depth.word());
    match depth {
        ColorDepth::None => row("terminal", Verdict::Ok, format!("{detail} (NO_COLOR or a terminal without)"), ""),
        ColorDepth::Ansi16 | ColorDepth::Ansi256 | ColorDepth::True if columns < 80 || rows < 24 => {
            row("terminal", Verdict::Warn, detail, "80×24 shows everything; smaller works with less")
        }
        ColorDepth::Ansi16 | ColorDepth::Ansi256 | ColorDepth::True => row("terminal", Verdict::Ok, detail, ""),
    }
}

fn engines(state: &State, resolved: &Resolved) -> Vec<Row> {
    let way = |id: &ConnectionId| {
        let spec = resolved.connections.iter().find(|spec| spec.id == *id)?;
        setup::way(spec).map(|way| format!(", by {way}"))
    };
    let mut rows = Vec::new();
    for connection in state.open_connections() {
        let check = format!("engine {}", connection.id);
        let named = connection
            .inventory
            .as_ref()
            .map_or_else(|| connection.endpoint.to_string(), |i| format!("{} at {}", i.engine, connection.endpoint));
        rows.push(match &connection.link {
            Link::Live { latency_ms } => {
                let latency = latency_ms.map(|ms| format!(", {ms} ms away")).unwrap_or_default();
                let way = way(&connection.id).unwrap_or_default();
                row(check, Verdict::Ok, format!("{named}{latency}{way}"), "")
            }
            Link::Connecting => row(check, Verdict::Fail, format!("{named} does not answer"), "the engine hangs or is not there"),
            Link::Stale { error, .. } => row(check, Verdict::Warn, format!("{named}: {error}"), "it is tried again by itself"),
            Link::Failed { error, hint, .. } => row(check, Verdict::Fail, error.to_string(), hint.to_string()),
        });
    }
    for snapshot in state.snapshots() {
        let name = state.name_of(&snapshot.environment.id);
        if let Some(words) = unfinished_note(state, snapshot) {
            let hint = format!("qd recover {name} --finish, or --undo");
            rows.push(row(format!("operations in {name}"), Verdict::Warn, words, hint));
        } else if let Some(lock) = &snapshot.lock {
            let detail = format!("held by {} since {:.0}: {}", lock.by, lock.since, lock.why);
            rows.push(row(format!("lock of {name}"), Verdict::Warn, detail, format!("ask them; or qd unlock {name}")));
        }
        for note in &snapshot.notes {
            rows.push(row(name.clone(), Verdict::Warn, note.to_string(), ""));
        }
    }
    rows
}

/// The program engines behind ssh are reached with, where there are any.
fn ssh(resolved: &Resolved) -> Option<Row> {
    resolved.connections.iter().find(|spec| setup::address(spec).starts_with("ssh://"))?;
    let output = Command::new("ssh").arg("-V").stdin(Stdio::null()).output();
    Some(match output {
        Ok(output) if output.status.success() => {
            let version = crate::observe::text::clean(String::from_utf8_lossy(&output.stderr).trim()).into_owned();
            row("ssh", Verdict::Ok, version, "")
        }
        Ok(_) | Err(_) => row("ssh", Verdict::Fail, "ssh was not found on the PATH", SshTrouble::NoProgram.hint()),
    })
}

/// The compose tool brings services up that have no container yet; everything else works without.
fn compose() -> Row {
    let tries: [(&str, &[&str]); 2] =
        [("docker", &["compose", "version", "--short"]), ("docker-compose", &["version", "--short"])];
    for (program, arguments) in tries {
        let output = Command::new(program).args(arguments).stdin(Stdio::null()).stderr(Stdio::null()).output();
        if let Ok(output) = output
            && output.status.success()
        {
            let version = crate::observe::text::clean(String::from_utf8_lossy(&output.stdout).trim()).into_owned();
            return row(
                "compose tool",
                Verdict::Ok,
                format!("{program} {} {version}", arguments[0].replace("version", "")).replace("  ", " "),
                "",
            );
        }
    }
    row(
        "compose tool",
        Verdict::Warn,
        "neither docker compose nor docker-compose was found",
        "only needed to bring new services up",
    )
}

fn table(rows: &[Row]) -> Grid {
    let mut grid = Grid::new(&["", "CHECK", "DETAIL", "WHAT TO DO"]);
    for row in rows {
        let mark = match row.state {
            Verdict::Ok => "✔",
            Verdict::Warn => "!",
            Verdict::Fail => "✖",
        };
        grid.row([mark.to_owned(), row.check.clone(), row.detail.clone(), row.hint.clone()]);
    }
    grid
}
