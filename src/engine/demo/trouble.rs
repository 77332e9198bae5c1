//! What can be wrong with an instance of the demo world, and how it tells of it: in its check and in its log.

use jiff::Timestamp;
use serde_json::json;

use super::dice::Dice;
use super::journal::Said;
use super::recipe::{Probe, Recipe, Voice};
use super::voice;
use crate::model::Health;

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Runs but never listens: an image with `broken` in its tag.
    Deaf,
    /// Ends right after its start: an image with `crash` in its tag.
    Fatal,
    /// A service it needs does not answer.
    Without(&'static str),
    /// Its circuit breaker is open.
    BreakerOpen,
    /// Answers, but far too late.
    Slow,
    /// Its memory is nearly used up.
    Swollen,
}

/// The version of the backend that a bad deploy brings: it crashes at every start.
pub const BAD_TAG: &str = "1.5.0-rc.1";
/// What every crash of a broken start says.
pub const MISSING_KEY: &str = "GOOGLE_API_KEY is not set";

impl Trouble {
    /// What is wrong with everything made from an image of this service.
    #[must_use]
    pub fn of_image(recipe: &Recipe, tag: &str) -> Option<Self> {
        if tag.contains("crash") || (recipe.name == "backend" && tag == BAD_TAG) {
            Some(Self::Fatal)
        } else if tag.contains("broken") {
            Some(Self::Deaf)
        } else {
            None
        }
    }

    /// How bad it is.
    #[must_use]
    pub fn health(self) -> Health {
        match self {
            Self::Deaf | Self::Fatal | Self::BreakerOpen => Health::Unhealthy,
            Self::Without(_) | Self::Slow | Self::Swollen => Health::Degraded,
        }
    }

    /// Why it is not well, in a few words.
    #[must_use]
    pub fn reason(self) -> String {
        match self {
            Self::Deaf => "health check fails: connection refused".into(),
            Self::Fatal => format!("ends right after its start: {MISSING_KEY}"),
            Self::Without(service) => format!("{service} does not answer"),
            Self::BreakerOpen => "circuit breaker OPEN: db_g2 answers too late".into(),
            Self::Slow => "health check answered after 1.9 s".into(),
            Self::Swollen => "memory nearly at its limit".into(),
        }
    }

    /// What the health check prints.
    #[must_use]
    pub fn output(self, recipe: &Recipe) -> String {
        match (self, recipe.probe) {
            (Self::Deaf | Self::Fatal, Some(Probe::Http { port, .. })) => {
                format!("curl: (7) Failed to connect to localhost port {port} after 0 ms: Connection refused")
            }
            (Self::Deaf | Self::Fatal, Some(Probe::RedisPing)) => {
                "Could not connect to Redis at 127.0.0.1:6379: Connection refused".into()
            }
            (Self::Deaf | Self::Fatal, Some(Probe::PgIsReady)) => "/var/run/postgresql:5432 - no response".into(),
            (Self::Deaf | Self::Fatal, None) => String::new(),
            (Self::Without(service), _) => {
                format!(r#"{{"status":"degraded","components":{{"{service}":"down: connection refused"}}}}"#)
            }
            (Self::BreakerOpen, _) => {
                r#"HTTP 503 {"status":"unhealthy","mode":"AP","circuit_breaker":"OPEN","failures":12,"retry_in_s":10}"#.into()
            }
            (Self::Slow, _) => "PONG (1.9 s)".into(),
            (Self::Swollen, _) => r#"{"status":"degraded","memory":"above 85 % of the limit"}"#.into(),
        }
    }

    /// Complaints a second in the log.
    #[must_use]
    pub fn rate(self) -> f64 {
        match self {
            Self::Deaf => 0.3,
            Self::Fatal => 0.0,
            Self::Without(_) => 0.9,
            Self::BreakerOpen => 1.6,
            Self::Slow => 0.25,
            Self::Swollen => 0.2,
        }
    }

    /// One complaint.
    #[must_use]
    pub fn complaint(self, recipe: &Recipe, dice: &mut Dice, at: Timestamp) -> Said {
        match self {
            Self::Deaf => plain(recipe, at, "ERROR", "cannot bind: permission denied, trying again"),
            Self::Fatal => plain(recipe, at, "FATAL", MISSING_KEY),
            Self::Without(service) if recipe.voice == Voice::Nginx => upstream(recipe, service, dice, at),
            Self::Without(service) => plain(recipe, at, "ERROR", &format!("{service}: connection refused")),
            Self::BreakerOpen => match dice.below(3) {
                0 => plain(recipe, at, "ERROR", "circuit breaker OPEN: write rejected, hint stored for g2"),
                1 => plain(recipe, at, "ERROR", "node=g2 timed out after 2.0 s (failures 12 of 12)"),
                _ => plain(recipe, at, "WARNING", &format!("stale read served, staleness_ms={}", 5200 + dice.below(30_000))),
            },
            Self::Slow => plain(
                recipe,
                at,
                "WARNING",
                "Asynchronous AOF fsync is taking too long (disk is busy?). Writing the AOF buffer without waiting for fsync to complete",
            ),
            Self::Swollen => plain(recipe, at, "WARNING", "worker memory above 85 % of its limit, cache not evicted"),
        }
    }
}

/// The error line nginx writes, and the access line beside it.
fn upstream(recipe: &Recipe, service: &str, dice: &mut Dice, at: Timestamp) -> Said {
    let access = voice::nginx(recipe, dice, at, 0.0);
    let stamp = at.strftime("%Y/%m/%d %H:%M:%S");
    Said::err(format!(
        "{stamp} [error] 29#29: *{} connect() failed (111: Connection refused) while connecting to upstream, upstream: \"http://{service}\"\n{}",
        1000 + dice.below(9000),
        access.text
    ))
}

/// A message in the service's own format.
#[must_use]
pub fn plain(recipe: &Recipe, at: Timestamp, level: &str, message: &str) -> Said {
    let low = level.to_lowercase();
    match recipe.voice {
        Voice::Nginx => Said::err(format!(
            "{} [{}] 1#1: {message}",
            at.strftime("%Y/%m/%d %H:%M:%S"),
            if low == "fatal" { "emerg" } else { &low }
        )),
        Voice::Structlog => Said::out(json!({"event": message, "timestamp": at, "level": low}).to_string()),
        Voice::Python => Said::err(format!("{} {level} {}.main {message}", at.strftime("%Y-%m-%d %H:%M:%S,%3f"), recipe.name)),
        Voice::Node => Said::out(json!({"level": low, "time": at, "msg": message}).to_string()),
        Voice::Logfmt => Said::err(format!("time={at:.3} level={low} msg=\"{message}\"")),
        Voice::Redis => {
            let sign = if low == "info" { '*' } else { '#' };
            Said::out(format!("1:M {} {sign} {message}", at.strftime("%d %b %Y %H:%M:%S.%3f")))
        }
        Voice::Postgres => {
            let word = if low == "info" { "LOG" } else { level };
            Said::err(format!("{} [1] {word}:  {message}", at.strftime("%Y-%m-%d %H:%M:%S.%3f UTC")))
        }
    }
}

/// What a service prints when it comes up.
#[must_use]
pub fn boot(recipe: &Recipe, tag: &str, at: Timestamp) -> Vec<Said> {
    let port = recipe.ports.first().map_or(0, |(_, port)| *port);
    let lines: &[&str] = match recipe.voice {
        Voice::Nginx => &["nginx/1.27.2", "start worker processes"],
        Voice::Structlog | Voice::Python => &["Starting gunicorn 22.0.0", "Booting worker with pid: 8"],
        Voice::Node => &["migrations: none pending"],
        Voice::Logfmt => &["providers loaded"],
        Voice::Redis => &[
            "Redis is starting oO0OoO0OoO0Oo",
            "DB loaded from append only file: 0.018 seconds",
            "Ready to accept connections tcp",
        ],
        Voice::Postgres => &["starting PostgreSQL 15 on x86_64-pc-linux-musl", "database system is ready to accept connections"],
    };
    let mut said: Vec<Said> = vec![plain(recipe, at, "INFO", &format!("{} {tag} starting", recipe.name))];
    said.extend(lines.iter().map(|line| plain(recipe, at, "INFO", line)));
    if matches!(recipe.voice, Voice::Node | Voice::Logfmt | Voice::Structlog | Voice::Python) {
        said.push(plain(recipe, at, "INFO", &format!("listening on :{port}")));
    }
    said
}

#[cfg(test)]
mod tests {
    use super::super::stacks::STACKS;
    use super::*;
    use crate::observe::log::Level;

    #[test]
    fn every_trouble_is_told_in_every_voice() {
        let at: Timestamp = "2026-11-14T14:03:19.123Z".parse().unwrap();
        let all =
            [Trouble::Deaf, Trouble::Fatal, Trouble::Without("redis"), Trouble::BreakerOpen, Trouble::Slow, Trouble::Swollen];
        for recipe in STACKS.iter().flat_map(|s| s.recipes) {
            for trouble in all {
                let mut dice = Dice::of(7, recipe.name);
                let said = trouble.complaint(recipe, &mut dice, at);
                let level = said.text.lines().next().and_then(Level::detect);
                let quiet = recipe.voice == Voice::Redis;
                assert!(
                    quiet || level.is_some_and(|l| l >= Level::Warn),
                    "{trouble:?} of {}: {level:?} {}",
                    recipe.name,
                    said.text
                );
                assert!(trouble.health() > Health::Starting && !trouble.reason().is_empty());
                assert!(recipe.probe.is_none() || !trouble.output(recipe).is_empty());
            }
        }
    }
}
