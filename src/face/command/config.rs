//! `qd config`: told every mistake, shown what is in force, given a file to begin with.

use crate::cli::{Cli, Config};
use crate::config::{Flags, TEMPLATE, load, show};

use super::super::setup;
use super::output::{Out, say};
use super::{Exit, Failure, Result};

/// Runs it.
///
/// # Errors
/// Every mistake in the configuration; a closed standard output.
pub(super) fn run(what: &Config, cli: &Cli, out: &mut Out) -> Result<Exit> {
    let flags = Flags::new(&cli.global, None);
    match what {
        Config::Check => {
            let paths = setup::paths().map_err(super::problems)?;
            let problems = load::check(&paths, &flags);
            if problems.is_empty() {
                let directory = std::env::current_dir().unwrap_or_default();
                for file in load::sources(&paths, &flags, &directory) {
                    say(&format!("{}: no mistakes", file.display()));
                }
                return Ok(Exit::Done);
            }
            let count = problems.len();
            let failure = super::problems(problems);
            say(&format!("{count} {}", if count == 1 { "mistake" } else { "mistakes" }));
            Err(failure)
        }
        Config::Show => {
            let paths = setup::paths().map_err(super::problems)?;
            let resolved = load::load(&paths, &flags).map_err(super::problems)?;
            out.text(&show(&resolved)).map_err(Failure::from)?;
            Ok(Exit::Done)
        }
        Config::Init => {
            out.text(TEMPLATE)?;
            Ok(Exit::Done)
        }
    }
}
