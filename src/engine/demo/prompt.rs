//! What commands print in a demo instance: those a runbook or a migration needs, answered from how the world is.

use std::sync::Arc;

use jiff::Timestamp;

use super::recipe::{Probe, Voice};
use super::trouble::Trouble;
use super::unit::Unit;
use crate::model::Health;

/// A shell's code for a program that is not there.
const NO_PROGRAM: i64 = 127;

/// What a command ends with and prints.
#[must_use]
pub fn answer(unit: &Unit, command: &[Arc<str>], now: Timestamp) -> (i64, String) {
    let words: Vec<&str> = command.iter().map(|word| &**word).collect();
    match words.as_slice() {
        ["sh" | "bash", "-c", script, ..] => script_of(unit, script, now),
        words => program(unit, words, now),
    }
}

/// A script: its commands one after the other, until one fails.
fn script_of(unit: &Unit, script: &str, now: Timestamp) -> (i64, String) {
    let mut said = Vec::new();
    for line in script.split(['\n', ';']).flat_map(|line| line.split("&&")).map(str::trim).filter(|line| !line.is_empty()) {
        let words: Vec<&str> = line.split_whitespace().map(|word| word.trim_matches(['"', '\''])).collect();
        let (code, text) = program(unit, &words, now);
        if !text.is_empty() {
            said.push(text);
        }
        if code != 0 || words.first() == Some(&"exit") {
            return (code, said.join("\n"));
        }
    }
    (0, said.join("\n"))
}

fn program(unit: &Unit, words: &[&str], now: Timestamp) -> (i64, String) {
    let Some((program, rest)) = words.split_first() else { return (0, String::new()) };
    match (*program, unit.recipe.voice) {
        ("true" | "sleep" | "sync", _) => (0, String::new()),
        ("false", _) => (1, String::new()),
        ("exit", _) => (rest.first().and_then(|code| code.parse().ok()).unwrap_or(0), String::new()),
        ("echo", _) => (0, rest.join(" ")),
        ("hostname", _) => (0, unit.id.as_str().get(..12).unwrap_or(unit.id.as_str()).to_owned()),
        ("date", _) => (0, now.to_string()),
        ("redis-cli", Voice::Redis) => redis(unit, rest, now),
        ("pg_isready", Voice::Postgres) => {
            let well = is_well(unit);
            let words = if well { "accepting connections" } else { "no response" };
            (if well { 0 } else { 2 }, format!("/var/run/postgresql:5432 - {words}"))
        }
        ("pg_dump" | "pg_dumpall" | "psql", Voice::Postgres) => (0, "-- PostgreSQL database dump complete".to_owned()),
        ("nginx", Voice::Nginx) if rest.contains(&"-t") => {
            (0, "nginx: configuration file /etc/nginx/nginx.conf test is successful".to_owned())
        }
        ("nginx", Voice::Nginx) => (0, "signal process started".to_owned()),
        ("npx" | "npm" | "node", Voice::Node) => {
            migration(unit, "No pending migrations to apply.", "P1001: Can't reach database server")
        }
        ("alembic" | "python" | "python3", Voice::Structlog | Voice::Python) => migration(
            unit,
            "INFO  [alembic.runtime.migration] Will assume transactional DDL.\nINFO  [alembic.runtime.migration] Running upgrade, done",
            "sqlalchemy.exc.OperationalError: connection to server failed: Connection refused",
        ),
        ("curl" | "wget", _) => fetch(unit),
        (missing, _) => (NO_PROGRAM, format!("{missing} cannot be run in {}: there is no such program in the demo", unit.name)),
    }
}

/// Whether it answers, as its check would find it.
fn is_well(unit: &Unit) -> bool {
    !matches!(unit.check.health, Health::Starting | Health::Unhealthy)
}

fn redis(unit: &Unit, rest: &[&str], now: Timestamp) -> (i64, String) {
    if !is_well(unit) {
        return (1, "Could not connect to Redis at 127.0.0.1:6379: Connection refused".to_owned());
    }
    // Options with a value (`-p 6379`) come before what is asked.
    let mut words = rest.iter();
    let mut asked = words.next();
    while asked.is_some_and(|word| word.starts_with('-')) {
        if asked.is_some_and(|word| matches!(*word, "-h" | "-p" | "-a" | "-n")) {
            words.next();
        }
        asked = words.next();
    }
    let text = match asked.map(|word| word.to_ascii_uppercase()).as_deref() {
        Some("PING") => "PONG".to_owned(),
        Some("BGSAVE") => "Background saving started".to_owned(),
        Some("LASTSAVE") => now.as_second().to_string(),
        Some("SAVE" | "SET" | "FLUSHALL") => "OK".to_owned(),
        Some("DBSIZE") => "2417".to_owned(),
        Some("INFO") => format!("redis_version:{}\nrdb_bgsave_in_progress:0\nrdb_last_bgsave_status:ok", unit.tag()),
        Some(_) | None => "(nil)".to_owned(),
    };
    (0, text)
}

/// A migration works where its database answers and its image is sound.
fn migration(unit: &Unit, done: &str, lost: &str) -> (i64, String) {
    match (Trouble::of_image(unit.recipe, unit.tag()), unit.check.trouble) {
        (Some(Trouble::Fatal | Trouble::Deaf), _) => (1, "the migration failed: column \"tenant_id\" does not exist".to_owned()),
        (_, Some(Trouble::Without(service))) => (1, format!("{lost} ({service})")),
        _ => (0, done.to_owned()),
    }
}

fn fetch(unit: &Unit) -> (i64, String) {
    match unit.recipe.probe {
        Some(Probe::Http { well, .. }) if is_well(unit) && unit.check.output.is_empty() => (0, well.to_owned()),
        Some(Probe::Http { .. }) if is_well(unit) => (0, unit.check.output.to_string()),
        Some(_) | None => (7, "curl: (7) Failed to connect: Connection refused".to_owned()),
    }
}
