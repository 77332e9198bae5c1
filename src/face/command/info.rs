//! `qd info`: every path used, versions, colour depth, keymap and theme in force.

use serde::Serialize;

use crate::config::load;

use super::super::setup;
use super::output::Out;
use super::{Exit, Result, Setup};

#[derive(Serialize)]
struct Info {
    version: &'static str,
    system: String,
    config_files: Vec<String>,
    user_config: String,
    config_directory: String,
    data_directory: String,
    state_directory: String,
    audit_log: String,
    connections: Vec<Connection>,
    read_only: bool,
    keymap: String,
    keymaps: Vec<String>,
    theme: String,
    themes: Vec<String>,
    color_depth: &'static str,
    term: Option<String>,
    size: [u16; 2],
    refresh_ms: u64,
    log_store_bytes: usize,
    log_tail: u64,
}

#[derive(Serialize)]
struct Connection {
    name: String,
    endpoint: String,
    /// How it is reached.
    way: Option<String>,
    environments: Vec<String>,
}

/// Runs it.
///
/// # Errors
/// When standard output is closed.
pub(super) fn run(setup: &Setup, out: &mut Out) -> Result<Exit> {
    let (paths, resolved) = (&setup.paths, &setup.resolved);
    let path = |p: &std::path::Path| p.display().to_string();
    let names = |names: Vec<std::sync::Arc<str>>| names.iter().map(ToString::to_string).collect();
    let (columns, rows) = crate::runtime::screen::size();
    let info = Info {
        version: env!("CARGO_PKG_VERSION"),
        system: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        config_files: resolved.files.iter().map(|p| path(p)).collect(),
        user_config: path(&paths.user_config()),
        config_directory: path(&paths.config),
        data_directory: path(&paths.data),
        state_directory: path(&paths.state),
        audit_log: path(&setup.journal().file()),
        connections: resolved
            .connections
            .iter()
            .map(|c| Connection {
                name: c.id.to_string(),
                endpoint: setup::address(c).to_string(),
                way: setup::way(c),
                environments: c.environments.iter().map(|e| e.name.to_string()).collect(),
            })
            .collect(),
        read_only: resolved.read_only,
        keymap: resolved.keymap.to_string(),
        keymaps: names(load::keymaps(paths)),
        theme: resolved.theme.to_string(),
        themes: names(load::themes(paths)),
        color_depth: setup.depth.word(),
        term: std::env::var("TERM").ok(),
        size: [columns, rows],
        refresh_ms: u64::try_from(resolved.refresh.as_millis()).unwrap_or(u64::MAX),
        log_store_bytes: resolved.log_bytes,
        log_tail: resolved.log_tail,
    };
    out.one(&info, words)?;
    Ok(Exit::Done)
}

fn words(info: &Info) -> String {
    let files = if info.config_files.is_empty() { "none".to_owned() } else { info.config_files.join(", ") };
    let way = |c: &Connection| c.way.as_ref().map(|way| format!(", by {way}")).unwrap_or_default();
    let connections: Vec<String> = info.connections.iter().map(|c| format!("{} ({}{})", c.name, c.endpoint, way(c))).collect();
    let rows = [
        ("version", info.version.to_owned()),
        ("system", info.system.clone()),
        ("configuration", files),
        ("user's own", info.user_config.clone()),
        ("audit log", info.audit_log.clone()),
        ("state", info.state_directory.clone()),
        ("connections", connections.join(", ")),
        ("read-only", if info.read_only { "yes" } else { "no" }.to_owned()),
        ("keymap", format!("{} of {}", info.keymap, info.keymaps.join(", "))),
        ("theme", format!("{} of {}", info.theme, info.themes.join(", "))),
        ("colours", format!("{} (TERM {})", info.color_depth, info.term.as_deref().unwrap_or("not set"))),
        ("terminal", format!("{}×{}", info.size[0], info.size[1])),
    ];
    rows.iter().map(|(name, value)| format!("{name:<14} {value}\n")).collect()
}
