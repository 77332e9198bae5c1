//! The console: a session drawn on the terminal until the person ends it.

use std::io::{self, IsTerminal as _};

use crate::cli::Cli;
use crate::config::load;
use crate::runtime;
use crate::runtime::console::{Console, Themes};

use super::Setup;
use super::command::Exit;
use super::command::output::say;
use super::setup;

/// Runs the console; answers with the exit code.
#[must_use]
pub fn run(cli: &Cli) -> u8 {
    if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
        say("qd: the console needs a terminal; for scripts there are commands: qd status, qd ls, qd logs (qd --help)");
        return Exit::Usage.code();
    }
    let setup = match Setup::read(cli) {
        Ok(setup) => setup,
        Err(problems) => {
            for problem in problems {
                say(&problem.to_string());
            }
            return Exit::Usage.code();
        }
    };
    match open(&setup) {
        Ok(code) => code,
        Err(error) => {
            say(&format!("qd: {error}"));
            Exit::Failed.code()
        }
    }
}

fn open(setup: &Setup) -> io::Result<u8> {
    let runtime = runtime::start()?;
    let mut session = setup.session(runtime.handle())?;
    session.state.autoscalers.at_work = true;
    session.state.settings.dots = setup.resolved.charts.unwrap_or_else(setup::dots);
    let (paths, depth) = (setup.paths.clone(), setup.depth);
    let themes: Themes = Box::new(move |name| match load::theme(&paths, name) {
        Ok(theme) => Ok(theme.at_depth(depth)),
        Err(problems) => Err(problems.first().map(ToString::to_string).unwrap_or_default()),
    });
    // Signals and the terminal are listened to from here on, on the runtime's poller.
    let inside = runtime.enter();
    let mut console = Console::open(session, setup.theme.clone(), themes, false)?;
    let result = runtime.block_on(console.run());
    console.close();
    drop(inside);
    // What is still connected is cut, not waited for.
    runtime.shutdown_background();
    result
}
