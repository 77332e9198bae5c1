//! The commands: the same app without a screen, one file each. Data to standard output, words to standard error.

mod alerts;
mod audit;
mod autoscale;
mod changes;
mod config;
mod doctor;
mod driver;
mod forward;
mod health;
mod history;
mod info;
mod interrupt;
mod keys;
mod logs;
mod ls;
mod operate;
pub mod output;
mod screenshot;
pub mod shape;
mod silence;
mod status;
pub mod target;
mod timeline;
mod top;

use std::io;

use crate::cli::{Cli, Command, Output};
use crate::runtime::{self, journal::Journal};

use super::Setup;
use super::setup;

pub use driver::Driver;
use output::{Format, Out, say};

/// How a command ends, for scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    Done,
    Failed,
    /// Usage or configuration.
    Usage,
    /// Unhealthy or alerting.
    Unhealthy,
    /// Refused by a guard.
    Refused,
    RolledBack,
}

impl Exit {
    /// The number scripts see.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Unhealthy => 3,
            Self::Refused => 4,
            Self::RolledBack => 5,
        }
    }
}

/// Why a command did not end well, in a sentence. An empty one has been told already.
#[derive(Debug)]
pub struct Failure {
    pub exit: Exit,
    pub text: String,
}

impl Failure {
    /// It did not work.
    #[must_use]
    pub fn failed(text: impl Into<String>) -> Self {
        Self { exit: Exit::Failed, text: text.into() }
    }

    /// It was asked for wrongly.
    #[must_use]
    pub fn usage(text: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, text: text.into() }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        // Whoever reads has read enough: `qd logs | head` ends well.
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self { exit: Exit::Done, text: String::new() };
        }
        Self::failed(error.to_string())
    }
}

/// What a command answers.
pub type Result<T> = std::result::Result<T, Failure>;

/// Runs a command; answers with the exit code.
#[must_use]
pub fn run(cli: &Cli) -> u8 {
    let mut out = Out::new(format(cli));
    let ended = dispatch(cli, &mut out).and_then(|exit| Ok(out.flush().map(|()| exit)?));
    match ended {
        Ok(exit) => exit.code(),
        Err(failure) => {
            // What was printed before the failure is still data.
            drop(out.flush());
            if !failure.text.is_empty() {
                say(&format!("qd: {}", failure.text));
            }
            failure.exit.code()
        }
    }
}

fn format(cli: &Cli) -> Format {
    match cli.global.output {
        None | Some(Output::Table) => Format::Table,
        Some(Output::Json) => Format::Json,
        Some(Output::Ndjson) => Format::Ndjson,
    }
}

fn pictured(cli: &Cli, out: &mut Out, arguments: &crate::cli::Screenshot) -> Result<Exit> {
    let setup = read(cli)?;
    connected(&setup, async |driver| screenshot::live(driver, &setup, out, arguments).await)
}

fn dispatch(cli: &Cli, out: &mut Out) -> Result<Exit> {
    use Command as C;
    let Some(command) = &cli.command else { return Err(Failure::usage("a command is needed")) };
    match command {
        // These need no configuration, or are about a broken one.
        C::Completions(arguments) => keys::completions(arguments.shell, out),
        C::Config(what) => config::run(what, cli, out),
        C::Doctor(arguments) => doctor::run(cli, out, arguments),
        C::Audit(arguments) => audited(cli, out, arguments),
        C::Info => info::run(&read(cli)?, out),
        C::Keys => keys::run(&read(cli)?, out),
        C::Themes => keys::themes(&read(cli)?, out),
        C::Screenshot(arguments) if setup::is_still(cli) => screenshot::still(cli, &read(cli)?, out, arguments),
        C::Screenshot(arguments) => pictured(cli, out, arguments),
        C::Logs(arguments) => {
            let setup = read(cli)?;
            connected(&setup, async |driver| logs::run(driver, out, &setup.theme, &setup.journal(), arguments).await)
        }
        C::Forward(arguments) => forwarded(cli, out, arguments),
        C::Status(arguments) => connected(&read(cli)?, async |driver| status::run(driver, out, arguments).await),
        C::Ls(arguments) => connected(&read(cli)?, async |driver| ls::run(driver, out, arguments).await),
        C::Top(arguments) => connected(&read(cli)?, async |driver| top::run(driver, out, arguments).await),
        C::Health(arguments) => connected(&read(cli)?, async |driver| health::run(driver, out, arguments).await),
        C::Alerts(arguments) => connected(&read(cli)?, async |driver| alerts::run(driver, out, arguments).await),
        C::Silence(_) | C::Unsilence(_) => silenced(cli, command, out),
        C::History(arguments) => connected(&read(cli)?, async |driver| history::run(driver, out, arguments).await),
        C::Diff(arguments) => connected(&read(cli)?, async |driver| history::diff(driver, out, arguments).await),
        C::Offer(arguments) => connected(&read(cli)?, async |driver| history::offer(driver, out, arguments).await),
        C::Changes(arguments) => connected(&read(cli)?, async |driver| changes::run(driver, out, arguments).await),
        C::Timeline(arguments) => connected(&read(cli)?, async |driver| timeline::run(driver, out, arguments).await),
        C::Run(arguments) if arguments.runbook.is_none() => {
            connected(&read(cli)?, async |driver| operate::runbooks(driver, out).await)
        }
        C::Autoscale(arguments) => connected(&read(cli)?, async |driver| autoscale::run(driver, out, arguments).await),
        C::Demo => Err(Failure::usage("the demo is a console")),
        C::Scale(_)
        | C::Restart(_)
        | C::Deploy(_)
        | C::Rollback(_)
        | C::Up(_)
        | C::Start(_)
        | C::Stop(_)
        | C::Pause(_)
        | C::Unpause(_)
        | C::Kill(_)
        | C::Remove(_)
        | C::Run(_)
        | C::Load(_)
        | C::Recover(_)
        | C::Lock(_)
        | C::Unlock(_)
        | C::Trigger(_)
        | C::Bounds(_)
        | C::Cordon(_)
        | C::Uncordon(_)
        | C::Drain(_) => {
            let Some((operation, names)) = operate::wanted(command) else { return Err(Failure::usage("nothing to do")) };
            connected(&read(cli)?, async |driver| operate::run(driver, out, &cli.global, operation, &names).await)
        }
    }
}

fn audited(cli: &Cli, out: &mut Out, arguments: &crate::cli::Audit) -> Result<Exit> {
    let journal = Journal::new(setup::paths().map_err(problems)?.data);
    audit::run(&journal, cli.global.environment.as_deref(), out, arguments)
}

fn silenced(cli: &Cli, command: &Command, out: &mut Out) -> Result<Exit> {
    connected(&read(cli)?, async |driver| match command {
        Command::Unsilence(arguments) => silence::unsilence(driver, out, &cli.global, arguments).await,
        Command::Silence(arguments) => silence::silence(driver, out, &cli.global, arguments).await,
        _ => Ok(Exit::Done),
    })
}

fn forwarded(cli: &Cli, out: &mut Out, arguments: &crate::cli::Forward) -> Result<Exit> {
    let setup = read(cli)?;
    connected(&setup, async |driver| forward::run(driver, out, &cli.global, &setup.journal(), arguments).await)
}

fn read(cli: &Cli) -> Result<Setup> {
    Setup::read(cli).map_err(problems)
}

/// Runs what talks to engines, and leaves everything on record and nothing connected.
fn connected(setup: &Setup, run: impl AsyncFnOnce(&mut Driver) -> Result<Exit>) -> Result<Exit> {
    let runtime = runtime::start()?;
    let mut driver = Driver::new(setup.session(runtime.handle())?, &setup.journal());
    let ended = runtime.block_on(run(&mut driver));
    driver.close();
    runtime.shutdown_background();
    ended
}

/// Mistakes in configuration, one a line.
fn problems(problems: Vec<crate::model::Problem>) -> Failure {
    for problem in problems {
        say(&problem.to_string());
    }
    Failure::usage("")
}

/// Tells of connections that showed nothing: all of them, and there is no answer; some, and it is not whole.
fn tell_failed(driver: &Driver) -> Exit {
    let failed = driver.failed();
    for (id, why) in &failed {
        say(&format!("qd: {id}: {why}"));
    }
    if failed.is_empty() { Exit::Done } else { Exit::Failed }
}
