//! `qd keys`, `qd themes`, `qd completions`: what can be pressed, how it can look, what a shell can complete.

use clap::CommandFactory as _;
use serde::Serialize;

use crate::app::command::COMMANDS;
use crate::cli::Cli;
use crate::config::load;
use crate::keymap::{Context, spell};
use crate::model::{Health, Tier};
use crate::theme::{Role, sgr};

use super::output::{Format, Grid, Out};
use super::{Exit, Failure, Result, Setup};

#[derive(Serialize)]
struct Binding {
    context: &'static str,
    keys: String,
    command: &'static str,
    doc: &'static str,
}

/// Runs `qd keys`: every key of the keymap in force, then the commands that have none.
///
/// # Errors
/// When standard output is closed.
pub(super) fn run(setup: &Setup, out: &mut Out) -> Result<Exit> {
    let mut rows: Vec<Binding> = Vec::new();
    for context in Context::ALL {
        for (keys, command) in setup.keymap.bindings(context) {
            if let Some(info) = command.info() {
                rows.push(Binding { context: context.word(), keys: spell(keys), command: info.name, doc: info.doc });
            }
        }
    }
    for info in COMMANDS {
        if !rows.iter().any(|r| r.command == info.name) {
            rows.push(Binding { context: "palette", keys: String::new(), command: info.name, doc: info.doc });
        }
    }
    out.list(&rows, |rows| {
        let mut grid = Grid::new(&["WHERE", "KEYS", "COMMAND", "WHAT IT DOES"]);
        for row in rows {
            grid.row([row.context.to_owned(), row.keys.clone(), row.command.to_owned(), row.doc.to_owned()]);
        }
        grid
    })?;
    Ok(Exit::Done)
}

#[derive(Serialize)]
struct ThemeRow {
    name: String,
    in_force: bool,
    file: Option<String>,
}

/// Runs `qd themes`: every theme there is, as it looks here.
///
/// # Errors
/// When a theme has a mistake, or standard output is closed.
pub(super) fn themes(setup: &Setup, out: &mut Out) -> Result<Exit> {
    let names = load::themes(&setup.paths);
    if out.format != Format::Table {
        let rows: Vec<ThemeRow> = names
            .iter()
            .map(|name| {
                let own = setup.paths.theme(name);
                let file = own.is_file().then(|| own.display().to_string());
                ThemeRow { name: name.to_string(), in_force: *name == setup.resolved.theme, file }
            })
            .collect();
        out.list(&rows, |_| Grid::new(&[]))?;
        return Ok(Exit::Done);
    }
    for name in names {
        let theme = load::theme(&setup.paths, &name).map_err(super::problems)?.at_depth(setup.depth);
        let mark = if name == setup.resolved.theme { "▸" } else { " " };
        out.text(&format!("{mark} {name:<16}"))?;
        let sample = [
            (" text ".to_owned(), theme.style(Role::Text)),
            ("dim ".to_owned(), theme.style(Role::Dim)),
            (format!(" {} ", Tier::Production), theme.tier(Tier::Production)),
            (format!(" {} healthy", Health::Healthy.symbol()), theme.health(Health::Healthy)),
            (format!(" {} degraded", Health::Degraded.symbol()), theme.health(Health::Degraded)),
            (format!(" {} unhealthy ", Health::Unhealthy.symbol()), theme.health(Health::Unhealthy)),
            (" selected ".to_owned(), theme.row(true, false, false)),
        ];
        for (text, style) in sample {
            out.text(&if out.color { sgr::painted(&text, style) } else { text })?;
        }
        out.text("\n")?;
    }
    Ok(Exit::Done)
}

/// Runs `qd completions`.
///
/// # Errors
/// When standard output is closed.
pub(super) fn completions(shell: clap_complete::Shell, out: &mut Out) -> Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "qd", &mut script);
    let script = String::from_utf8(script).map_err(|error| Failure::failed(error.to_string()))?;
    out.text(&script)?;
    Ok(Exit::Done)
}
