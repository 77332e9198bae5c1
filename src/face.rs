//! The two drivers of the one app: the console on a terminal, and the commands. The only place that prints.

pub mod command;
pub mod console;
pub mod panic;
mod setup;

use crate::cli::{Cli, Command};
use crate::engine::docker;

use setup::Setup;

/// Does what the command line asks for; answers with the exit code.
#[must_use]
pub fn run(cli: &Cli) -> u8 {
    let code = match &cli.command {
        None | Some(Command::Demo) => console::run(cli),
        Some(_) => command::run(cli),
    };
    docker::leave();
    code
}
