//! The store as a program of its own: PORT, MODE, NODE, DB (`host:port` of a Redis) and OPEN_MS from its environment.

mod app;

use std::net::TcpListener;
use std::time::Duration;

fn main() -> std::io::Result<()> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let number = |name: &str, usual: u64| variable(name).and_then(|value| value.parse().ok()).unwrap_or(usual);
    let mode = variable("MODE").unwrap_or_else(|| "cp".to_owned());
    let setup = app::Setup {
        node: variable("NODE").unwrap_or_else(|| mode.clone()),
        mode,
        db: variable("DB"),
        open_for: Duration::from_millis(number("OPEN_MS", 30_000)),
    };
    let port = u16::try_from(number("PORT", 5001)).unwrap_or(5001);
    let listener = TcpListener::bind(("0.0.0.0", port))?;
    println!("level=info msg=listening port={port} mode={}", setup.mode);
    app::serve(&listener, setup);
    Ok(())
}
