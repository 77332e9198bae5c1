//! Secrets are masked before they reach state: by the name they go under, or by their own look.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::{Captures, Regex};

mod card;
mod pattern;

use pattern::Kinds;

/// What stands for a secret. Its length says nothing about the secret's.
pub const MASK: &str = "••••••";

/// Words in a name that make its value a secret.
const SECRET_WORDS: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "apikey",
    "api_key",
    "api-key",
    "access_key",
    "accesskey",
    "private_key",
    "privatekey",
    "credential",
    "cookie",
    "authorization",
    "auth_key",
    "signing_key",
    "encryption_key",
    "connection_string",
    "dsn",
];

/// Names that hold a secret word but no secret.
const HARMLESS_ENDINGS: &[&str] =
    &["_file", "_path", "_url_path", "_ttl", "_expiry", "_expires", "_length", "_name", "_id_header", "secretname", "secretid"];

/// Whether the value under this name is a secret.
#[must_use]
pub fn is_secret_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    if HARMLESS_ENDINGS.iter().any(|e| name.ends_with(e)) {
        return false;
    }
    SECRET_WORDS.iter().any(|w| name.contains(w)) || name.split(['_', '-', '.']).any(|part| matches!(part, "pass" | "pwd" | "pw"))
}

/// `KEY=value` with the value masked where the key or the value says so.
#[must_use]
pub fn env_entry(entry: &str) -> Cow<'_, str> {
    match entry.split_once('=') {
        Some((key, value)) if !value.is_empty() && is_secret_name(key) => Cow::Owned(format!("{key}={MASK}")),
        Some(_) | None => text(entry),
    }
}

/// The text with everything that looks like a secret masked; borrowed when nothing does.
#[must_use]
pub fn text(text: &str) -> Cow<'_, str> {
    static ALL: LazyLock<Redaction> = LazyLock::new(Redaction::default);
    ALL.text(text)
}

/// Whether a private key begins in this line and does not end in it.
pub(super) fn opens_key(line: &str) -> bool {
    line.rsplit_once("PRIVATE KEY-----")
        .is_some_and(|(front, rest)| front.rfind("-----BEGIN ") > front.rfind("-----END ") && !rest.contains("-----END "))
}

/// What is masked: the built-in kinds that are on, and patterns of one's own.
#[derive(Clone, Debug)]
pub struct Redaction {
    on: Kinds,
    own: Vec<Own>,
}

/// A pattern of one's own. Where it has a group, the first is the secret; else all of it is.
#[derive(Clone, Debug)]
struct Own {
    regex: Regex,
    mask: Box<str>,
}

impl Default for Redaction {
    /// Every built-in kind.
    fn default() -> Self {
        Self { on: Kinds::ALL, own: Vec::new() }
    }
}

impl Redaction {
    /// Nothing is masked: for a log that is revealed on purpose.
    #[must_use]
    pub fn none() -> Self {
        Self { on: Kinds::NONE, own: Vec::new() }
    }

    /// The names of the built-in kinds.
    pub fn names() -> impl Iterator<Item = &'static str> {
        pattern::NAMES.iter().map(|(name, _)| *name)
    }

    /// Switches a built-in kind off; `false` when none has this name.
    pub fn switch_off(&mut self, name: &str) -> bool {
        let kind = pattern::NAMES.iter().find(|(n, _)| *n == name).map(|(_, kind)| *kind);
        if let Some(kind) = kind {
            self.on = self.on.without(kind);
        }
        kind.is_some()
    }

    /// Adds a pattern. With a name, that name stands in the mask (`•order•`).
    pub fn add(&mut self, name: Option<&str>, regex: Regex) {
        let mask = name.map_or_else(|| MASK.into(), |n| format!("•{n}•").into());
        self.own.push(Own { regex, mask });
    }

    /// The text with everything masked that is a secret by this; borrowed when nothing is.
    #[must_use]
    pub fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut out = pattern::mask(text, self.on);
        for own in &self.own {
            if own.regex.is_match(&out) {
                out = Cow::Owned(own.masked(&out));
            }
        }
        out
    }

    /// Whether private keys are masked, which may go on over many lines.
    pub(super) fn hides_private_keys(&self) -> bool {
        self.on.has(Kinds::PRIVATE_KEYS)
    }
}

impl Own {
    fn masked(&self, text: &str) -> String {
        let masked = self.regex.replace_all(text, |found: &Captures<'_>| {
            let (whole, secret) = (found.get_match(), found.get(1).unwrap_or_else(|| found.get_match()));
            let (before, after) = (&text[whole.start()..secret.start()], &text[secret.end()..whole.end()]);
            if secret.is_empty() { whole.as_str().to_owned() } else { format!("{before}{}{after}", self.mask) }
        });
        masked.into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_masked_and_the_rest_is_kept() {
        let table: &[(&str, &str)] = &[
            ("POSTGRES_PASSWORD=hunter2", "POSTGRES_PASSWORD=••••••"),
            ("DB_PASS=x", "DB_PASS=••••••"),
            ("PASSPORT_COUNTRY=DE", "PASSPORT_COUNTRY=DE"),
            ("POSTGRES_PASSWORD_FILE=/run/secrets/db", "POSTGRES_PASSWORD_FILE=/run/secrets/db"),
            ("PATH=/usr/bin", "PATH=/usr/bin"),
            ("EMPTY_TOKEN=", "EMPTY_TOKEN="),
            ("DATABASE_URL=postgres://app:s3cret@db/app", "DATABASE_URL=postgres://app:••••••@db/app"),
        ];
        for (input, expected) in table {
            assert_eq!(env_entry(input), *expected);
        }
        let table: &[(&str, &str)] = &[
            ("Authorization: Bearer abcdef0123456789", "Authorization: Bearer ••••••"),
            (r#"{"token":"abcdef","user":"x"}"#, r#"{"token":"••••••","user":"x"}"#),
            ("login password=hunter2 ok", "login password=•••••• ok"),
            ("key AKIAIOSFODNN7EXAMPLE used", "key •••••• used"),
            ("tokens used: 15", "tokens used: 15"),
            ("nothing here", "nothing here"),
        ];
        for (input, expected) in table {
            assert_eq!(text(input), *expected);
        }
    }

    #[test]
    fn every_kind_of_secret_is_masked() {
        let table: &[(&str, &str)] = &[
            ("GET https://app:hunter2@db.internal/x", "GET https://app:••••••@db.internal/x"),
            ("amqp://guest:gu%21est@mq:5672//", "amqp://guest:••••••@mq:5672//"),
            ("authorization: Basic dXNlcjpwYXNzd29yZA==", "authorization: Basic ••••••"),
            ("jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N", "jwt ••••••"),
            ("pat ghp_16C7e42F292c6912E7710c838347Ae178B4a pushed", "pat •••••• pushed"),
            ("glpat-ABCDEF1234567890abcd used", "•••••• used"),
            ("key AIzaSyA1234567890abcdefghijklmnopqrstuv", "key ••••••"),
            ("slack xoxb-123456789012-abcdefghijkl", "slack ••••••"),
            ("aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "aws_secret_access_key = ••••••"),
            ("Server=db;User Id=sa;Password=p@ss w0rd;Encrypt=true", "Server=db;User Id=sa;Password=•••••• w0rd;Encrypt=true"),
            ("AccountName=x;AccountKey=abc123def456==;Suffix=y", "AccountName=x;AccountKey=••••••;Suffix=y"),
            (r#"{"password":"two words","n":1}"#, r#"{"password":"••••••","n":1}"#),
            (r#"{"body":"{\"token\":\"abcdef\"}"}"#, r#"{"body":"{\"token\":\"••••••\"}"}"#),
            ("Cookie: sid=abc; theme=dark", "Cookie: ••••••"),
            (r#"{"cookie":"sid=abc; a=b","status":200}"#, r#"{"cookie":"••••••","status":200}"#),
            ("mail sent to ann.lee+x@example.co.uk today", "mail sent to •••••• today"),
            ("card 4111 1111 1111 1111 declined", "card •••••• declined"),
            ("card=5555555555554444,", "card=••••••,"),
            ("amex 378282246310005.", "amex ••••••."),
            ("-----BEGIN RSA PRIVATE KEY-----\\nMIIE\\n-----END RSA PRIVATE KEY----- x", "•••••• x"),
            ("key: -----BEGIN PRIVATE KEY-----", "key: ••••••"),
        ];
        for (input, expected) in table {
            assert_eq!(text(input), *expected, "{input}");
        }
    }

    #[test]
    fn what_is_no_secret_stays() {
        for line in [
            "order 4111111111111112 shipped",
            "order 1234567890123456 shipped",
            "id 4b3403665fea4df0a8a7c4d3f1f1e8a1",
            "uuid 41111111-1111-4111-8111-111111111111",
            "trace 4111111111111111-abc",
            "v1.4111111111111111",
            "took 1763733802123456789 ns",
            "2026-11-21 14:03:22.123456 2026-11-21 14:03:22",
            "tokens used: 15",
            "token: 15",
            "invalid token: expired",
            r#"{"token":null,"password":""}"#,
            "prompt_tokens=1500 max_tokens: 4096",
            "password authentication failed for user app",
            "nginx@sha256:0a1b2c3d",
            "lodash@4.17.21",
            "git@github.com:org/repo.git",
            "user@1000.service started",
            "https://example.com/@user",
            "basic auth is off",
            "Bearer of bad news",
            "cookies: 3",
            "task-tokenizer ready",
            "Asia/Tokyo",
            "-----BEGIN CERTIFICATE-----",
        ] {
            assert_eq!(text(line), line);
        }
    }

    #[test]
    fn kinds_are_switched_off_and_patterns_of_ones_own_added() {
        let line = "ann@example.com ORD-12345678 password=hunter2";
        let mut redaction = Redaction::default();
        assert!(redaction.switch_off("email") && !redaction.switch_off("emial"));
        redaction.add(Some("order"), Regex::new("ORD-([0-9]{8})").unwrap());
        assert_eq!(redaction.text(line), "ann@example.com ORD-•order• password=••••••");
        assert_eq!(Redaction::none().text(line), line);
        let mut off = Redaction::default();
        for name in Redaction::names() {
            assert!(off.switch_off(name), "{name}");
        }
        assert_eq!(off.text(line), line);
    }
}
