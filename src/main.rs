//! Parses arguments, installs error hooks, picks a face, sets the exit code.

use std::fs::OpenOptions;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Mutex;

use clap::Parser as _;
use color_eyre::eyre::WrapErr as _;

use quarterdeck::cli::Cli;
use quarterdeck::face;

fn main() -> color_eyre::Result<ExitCode> {
    let cli = Cli::parse();
    face::panic::install()?;
    if let Some(path) = &cli.global.log_file {
        log_to(path)?;
    }
    Ok(ExitCode::from(face::run(&cli)))
}

/// quarterdeck's own log goes to a file or nowhere: the terminal is for what was asked for.
fn log_to(path: &Path) -> color_eyre::Result<()> {
    let file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .wrap_err_with(|| format!("the log file {} cannot be written", path.display()))?;
    tracing_subscriber::fmt().with_ansi(false).with_max_level(tracing::Level::DEBUG).with_writer(Mutex::new(file)).init();
    Ok(())
}
