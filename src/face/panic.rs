//! A fault of ours: the terminal is given back first, then told what happened.

use std::panic;
use std::thread;

use crate::runtime::screen;

use super::command::output::say;

/// Installs the hooks for errors and panics. A panic of the thread that draws gives the terminal back and is told on it;
/// one elsewhere, while the screen is ours, goes to the log only: whoever started that thread or task says so in words.
///
/// # Errors
/// When hooks are installed already.
pub fn install() -> color_eyre::Result<()> {
    let hooks = color_eyre::config::HookBuilder::default()
        .display_env_section(false)
        .panic_section("This is a fault in quarterdeck. Your terminal was given back; operations under way can be recovered.");
    let (panic_hook, error_hook) = hooks.into_hooks();
    error_hook.install()?;
    panic::set_hook(Box::new(move |info| {
        let drawing = thread::current().name() == Some("main");
        tracing::error!(thread = thread::current().name(), %info, "panic");
        if screen::is_taken() && !drawing {
            return;
        }
        screen::restore();
        say(&panic_hook.panic_report(info).to_string());
    }));
    Ok(())
}
