//! `qd screenshot`: a screen as a picture or text, of a demo world that is the same every time, or of a real environment.

use std::time::Duration;

use ratatui::Terminal;
use ratatui::backend::TestBackend;

use crate::app::state::Screen;
use crate::app::{Command, Msg, State};
use crate::cli::{Cli, Picture, Screenshot, Size};
use crate::config::load;
use crate::keymap::parse_keys;
use crate::model::problem::nearest;
use crate::runtime::stage::Stage;
use crate::theme::Theme;
use crate::ui;
use crate::ui::export::svg::{DARK, LIGHT};

use super::output::Out;
use super::{Driver, Exit, Failure, Result, Setup};

/// How long a real environment is watched before its picture is taken, so that there are figures in it.
const WATCHED: Duration = Duration::from_secs(3);
/// How long a key may take to show its effect there.
const SETTLED: Duration = Duration::from_millis(500);

/// Runs it on the demo world.
///
/// # Errors
/// When there is no such screen, incident or theme, or standard output is closed.
pub(super) fn still(cli: &Cli, setup: &Setup, out: &mut Out, arguments: &Screenshot) -> Result<Exit> {
    let screen = screen(&arguments.screen)?;
    let world = crate::config::Demo::from(&cli.global.world);
    let mut stage = Stage::new(&world, setup.settings(), setup.keymap.clone(), (arguments.size.columns, arguments.size.rows))
        .map_err(|error| Failure::usage(error.to_string()))?;
    stage.go(screen);
    stage.keys(&arguments.keys);
    picture(stage.state(), setup, out, arguments)
}

/// Runs it on a real environment.
///
/// # Errors
/// As [`still`]; and when nothing can be seen.
pub(super) async fn live(driver: &mut Driver, setup: &Setup, out: &mut Out, arguments: &Screenshot) -> Result<Exit> {
    let screen = screen(&arguments.screen)?;
    let Size { columns, rows } = arguments.size;
    drop(driver.feed(Msg::Resize(columns, rows)));
    driver.inventory().await;
    driver.only(None)?;
    drop(driver.feed(Msg::Run(Command::Go(screen))));
    driver.watch(WATCHED).await;
    for chord in parse_keys(&arguments.keys) {
        drop(driver.feed(Msg::Key(chord)));
        driver.watch(SETTLED).await;
    }
    picture(driver.state(), setup, out, arguments)
}

fn screen(name: &str) -> Result<Screen> {
    let wanted = name.to_lowercase();
    Screen::ALL.into_iter().find(|s| s.title().to_lowercase() == wanted).ok_or_else(|| {
        let names: Vec<String> = Screen::ALL.iter().map(|s| s.title().to_lowercase()).collect();
        let meant =
            nearest(&wanted, names.iter().map(String::as_str)).map(|n| format!(" (did you mean {n}?)")).unwrap_or_default();
        Failure::usage(format!("there is no screen {name}{meant}; there are: {}", names.join(", ")))
    })
}

fn picture(state: &State, setup: &Setup, out: &mut Out, arguments: &Screenshot) -> Result<Exit> {
    // A picture has all colours, whatever this terminal has.
    let theme = load::theme(&setup.paths, &setup.resolved.theme).map_err(super::problems)?;
    out.text(&drawn(state, &theme, arguments.size, arguments.format)?)?;
    Ok(Exit::Done)
}

fn drawn(state: &State, theme: &Theme, size: Size, format: Picture) -> Result<String> {
    let mut terminal =
        Terminal::new(TestBackend::new(size.columns, size.rows)).map_err(|error| Failure::failed(error.to_string()))?;
    terminal.draw(|frame| ui::render(state, theme, frame)).map_err(|error| Failure::failed(error.to_string()))?;
    let buffer = terminal.backend().buffer();
    Ok(match format {
        Picture::Txt => ui::export::text(buffer),
        Picture::Svg => ui::export::svg(buffer, if &*theme.name == "light" { &LIGHT } else { &DARK }),
    })
}
