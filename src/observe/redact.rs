//! Secrets are masked before they reach state: by the name they go under, or by their own look.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;

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
    &["_file", "_path", "_url_path", "_ttl", "_expiry", "_expires", "_length", "_name", "_id_header"];

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

/// The first group of each pattern is kept, the second is the secret; what follows is kept.
static PATTERNS: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    [
        // user:password@ in a URL
        r"([a-zA-Z][a-zA-Z0-9+.-]*://[^\s:/@]*:)([^\s@/]+)@",
        // Authorization: Bearer …, Basic …
        r"(?i)(\b(?:bearer|basic)\s+)([A-Za-z0-9._~+/=-]{12,})",
        // JSON Web Tokens
        r"(\b)(eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*)",
        // keys by their prefixes: AWS, GitHub, Slack, Stripe, OpenAI, Google
        r"(\b)((?:AKIA|ASIA)[A-Z0-9]{16}|gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{30,}|xox[abprs]-[A-Za-z0-9-]{10,}|[sr]k_(?:live|test)_[A-Za-z0-9]{16,}|sk-[A-Za-z0-9_-]{20,}|AIza[A-Za-z0-9_-]{30,})",
        // password=…, "token": "…"
        r#"(?i)((?:password|passwd|pwd|secret|token|api[_-]?key|access[_-]?key)["']?\s*[=:]\s*["']?)([^\s"',;&}\]]{3,})"#,
    ]
    .iter()
    .filter_map(|p| Regex::new(p).ok())
    .collect()
});

/// The text with everything that looks like a secret masked; borrowed when nothing does.
#[must_use]
pub fn text(text: &str) -> Cow<'_, str> {
    let mut out = Cow::Borrowed(text);
    for pattern in PATTERNS.iter() {
        if pattern.is_match(&out) {
            let masked = pattern.replace_all(&out, |found: &regex::Captures<'_>| {
                let tail = if found[0].ends_with('@') { "@" } else { "" };
                format!("{}{MASK}{tail}", &found[1])
            });
            out = Cow::Owned(masked.into_owned());
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_compiles() {
        assert_eq!(PATTERNS.len(), 5);
    }

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
}
