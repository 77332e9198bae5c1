//! Environment variables whose values are not what they should be: left open, well known, empty. A value is looked at and
//! never repeated.

use std::sync::Arc;

use crate::observe::redact::is_secret_name;
use crate::observe::text::clean;

/// What stands in a template for a value somebody has to fill in, in lower case, words joined by `_`.
const PLACEHOLDERS: &[&str] = &[
    "change_me",
    "changeme",
    "change_this",
    "changethis",
    "replace_me",
    "replaceme",
    "replace_this",
    "fill_me_in",
    "fixme",
    "todo",
    "tbd",
    "placeholder",
    "example",
    "secret",
    "password",
    "...",
    "***",
];

/// Passwords everybody tries first, in lower case: those images come with, and those people take.
const WELL_KNOWN: &[&str] = &[
    "postgres",
    "postgresql",
    "mysql",
    "mariadb",
    "mongo",
    "mongodb",
    "redis",
    "rabbitmq",
    "elastic",
    "grafana",
    "minio",
    "minioadmin",
    "guest",
    "admin",
    "administrator",
    "admin123",
    "root",
    "toor",
    "user",
    "test",
    "testing",
    "dev",
    "demo",
    "default",
    "pass",
    "passwd",
    "password",
    "password1",
    "password123",
    "p@ssw0rd",
    "passw0rd",
    "secret",
    "secret123",
    "mysecretpassword",
    "supersecret",
    "letmein",
    "qwerty",
    "welcome",
    "1234",
    "12345",
    "123456",
    "1234567",
    "12345678",
    "123456789",
    "1234567890",
];

/// Switches that let everybody in, and the values that turn them on (those of the official images of Docker Hub).
const OPEN_DOORS: &[(&str, &[&str])] = &[
    ("POSTGRES_HOST_AUTH_METHOD", &["trust"]),
    ("MYSQL_ALLOW_EMPTY_PASSWORD", &["1", "yes", "true"]),
    ("MARIADB_ALLOW_EMPTY_ROOT_PASSWORD", &["1", "yes", "true"]),
    ("ALLOW_EMPTY_PASSWORD", &["1", "yes", "true"]),
    ("ALLOW_ANONYMOUS_LOGIN", &["1", "yes", "true"]),
    ("ALLOW_PLAINTEXT_LISTENER", &["1", "yes", "true"]),
];

/// What is wrong with a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Why {
    /// A password everybody knows.
    Default,
    /// It turns a password off.
    LetsAnybodyIn,
    /// Somebody has yet to fill it in.
    Placeholder,
    /// A secret that is none.
    Empty,
    /// A secret whoever may read the definition can read.
    Plain,
}

impl Why {
    /// What is said of so many keys that are so.
    #[must_use]
    pub fn words(self, keys: usize) -> &'static str {
        let one = keys == 1;
        match self {
            Self::Default if one => "is a well-known password",
            Self::Default => "are well-known passwords",
            Self::LetsAnybodyIn if one => "lets everybody in without a password",
            Self::LetsAnybodyIn => "let everybody in without a password",
            Self::Placeholder if one => "is still a placeholder",
            Self::Placeholder => "are still placeholders",
            Self::Empty if one => "is empty",
            Self::Empty => "are empty",
            Self::Plain if one => "stands in the definition for everybody to read who may read that",
            Self::Plain => "stand in the definition for everybody to read who may read that",
        }
    }
}

/// Whether a value only stands for one that somebody has yet to fill in.
#[must_use]
pub fn is_placeholder(value: &str) -> bool {
    let value = value.trim().to_lowercase();
    let joined = joined(&value);
    let all = |wanted: char| value.len() >= 3 && value.chars().all(|c| c == wanted);
    PLACEHOLDERS.contains(&joined.as_str()) || all('x') || all('*') || is_left_open(&value)
}

/// Whether a value can hardly be anything but left open, whatever it is the value of.
fn is_left_open(value: &str) -> bool {
    let joined = joined(value);
    joined.contains("change_me")
        || joined.contains("changeme")
        || joined.contains("replace_me")
        || joined.starts_with("your_")
        || (value.starts_with('<') && value.ends_with('>') && value.len() > 2)
        || (value.starts_with("{{") && value.ends_with("}}"))
}

fn joined(value: &str) -> String {
    value.replace(['-', ' '], "_")
}

/// What is wrong with the value of a variable; nothing when it is as it should be.
#[must_use]
pub fn suspicious(key: &str, value: &str) -> Option<Why> {
    let value = value.trim();
    let lower = value.to_lowercase();
    if let Some((_, on)) = OPEN_DOORS.iter().find(|(name, _)| *name == key) {
        return on.contains(&lower.as_str()).then_some(Why::LetsAnybodyIn);
    }
    if let Some((user, password)) = login(value) {
        return of_password(password, Some(user));
    }
    if !is_secret_name(key) {
        return is_left_open(&lower).then_some(Why::Placeholder);
    }
    if value.is_empty() { Some(Why::Empty) } else { of_password(value, None) }
}

/// What is wrong with a password.
fn of_password(password: &str, user: Option<&str>) -> Option<Why> {
    let lower = password.to_lowercase();
    // A word that is both is a password by now: something runs with it.
    if WELL_KNOWN.contains(&lower.as_str()) || user.is_some_and(|user| !user.is_empty() && user.eq_ignore_ascii_case(password)) {
        return Some(Why::Default);
    }
    is_placeholder(password).then_some(Why::Placeholder)
}

/// User and password of an address that has them in it; none where either is missing or taken from elsewhere.
fn login(value: &str) -> Option<(&str, &str)> {
    let (_, rest) = value.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let (login, _) = authority.rsplit_once('@')?;
    login.split_once(':').filter(|(_, password)| !password.is_empty() && !password.starts_with('$'))
}

/// Whether a value is, or holds, a secret: by the name it goes under, or because it is an address with a password.
#[must_use]
pub fn is_secret(key: &str, value: &str) -> bool {
    (is_secret_name(key) && !value.trim().is_empty()) || login(value.trim()).is_some()
}

/// The variables that are not as they should be, by name, of all that a container has: a password that is its user's name
/// can only be told by both.
#[must_use]
pub fn judge<'a>(entries: impl IntoIterator<Item = (&'a str, &'a str)>) -> Vec<(Arc<str>, Why)> {
    let all: Vec<(&str, &str)> = entries.into_iter().collect();
    let users: Vec<&str> =
        all.iter().filter(|(key, _)| is_user(key)).map(|(_, value)| *value).filter(|v| !v.is_empty()).collect();
    let of = |(key, value): &(&str, &str)| {
        let as_its_user = is_secret_name(key) && users.iter().any(|user| user.eq_ignore_ascii_case(value));
        let why = suspicious(key, value).or(as_its_user.then_some(Why::Default))?;
        Some((Arc::from(clean(key).as_ref()), why))
    };
    all.iter().filter_map(of).collect()
}

fn is_user(key: &str) -> bool {
    let key = key.to_ascii_uppercase();
    key == "USER" || key.ends_with("_USER") || key.ends_with("_USERNAME")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_a_value() {
        use Why::{Default, Empty, LetsAnybodyIn, Placeholder};
        for (key, value, expected) in [
            ("POSTGRES_PASSWORD", "postgres", Some(Default)),
            ("POSTGRES_PASSWORD", "Password", Some(Default)),
            ("POSTGRES_PASSWORD", "changeme", Some(Placeholder)),
            ("POSTGRES_PASSWORD", "change_me", Some(Placeholder)),
            ("JWT_SECRET", "your-jwt-secret-here", Some(Placeholder)),
            ("JWT_SECRET", "<jwt secret>", Some(Placeholder)),
            ("API_KEY", "xxxxxxxx", Some(Placeholder)),
            ("API_KEY", "", Some(Empty)),
            ("API_KEY", "   ", Some(Empty)),
            ("JWT_SECRET", "5d41402abc4b2a76b9719d911017c592", None),
            ("POSTGRES_PASSWORD_FILE", "/run/secrets/db", None),
            ("POSTGRES_HOST_AUTH_METHOD", "trust", Some(LetsAnybodyIn)),
            ("POSTGRES_HOST_AUTH_METHOD", "scram-sha-256", None),
            ("MYSQL_ALLOW_EMPTY_PASSWORD", "yes", Some(LetsAnybodyIn)),
            ("MYSQL_ALLOW_EMPTY_PASSWORD", "no", None),
            ("DATABASE_URL", "postgres://postgres:postgres@db:5432/app", Some(Default)),
            ("DATABASE_URL", "postgres://app:app@db/app", Some(Default)),
            ("DATABASE_URL", "postgres://app:change_me@db/app", Some(Placeholder)),
            ("DATABASE_URL", "postgres://app:9b1d2c7e@db/app", None),
            ("DATABASE_URL", "postgres://app:$(DB_PASSWORD)@db/app", None),
            ("REDIS_URL", "redis://redis:6379/0", None),
            // Words that mean nothing bad where no secret is expected.
            ("APP_ENV", "example", None),
            ("LOG_USER", "postgres", None),
            ("S3_BUCKET", "your-bucket-name", Some(Placeholder)),
            ("EMPTY", "", None),
            ("COMPARISON", "<>", None),
        ] {
            assert_eq!(suspicious(key, value), expected, "{key}={value}");
        }
    }

    #[test]
    fn a_password_that_is_its_users_name_is_none() {
        let found = judge([("POSTGRES_USER", "chatbot"), ("POSTGRES_PASSWORD", "chatbot"), ("TOKEN", "9f27c0ffee")]);
        assert_eq!(found, [("POSTGRES_PASSWORD".into(), Why::Default)]);
    }

    #[test]
    fn secrets_are_known_by_name_or_as_an_address() {
        for (key, value, expected) in [
            ("API_TOKEN", "abc", true),
            ("API_TOKEN", "", false),
            ("DATABASE_URL", "postgres://a:b@db/x", true),
            ("DATABASE_URL", "postgres://db/x", false),
            ("PORT", "3000", false),
        ] {
            assert_eq!(is_secret(key, value), expected, "{key}={value}");
        }
    }
}
