//! The built-in kinds of secrets. One pass over a line finds which of them it could hold at all; most lines hold none.

use std::borrow::Cow;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use regex::{Captures, Regex};

use super::{MASK, card};

/// A set of kinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kinds(u16);

impl Kinds {
    pub(super) const NONE: Self = Self(0);
    pub(super) const PASSWORDS: Self = Self(1);
    pub(super) const URLS: Self = Self(1 << 1);
    pub(super) const BEARER: Self = Self(1 << 2);
    pub(super) const JWT: Self = Self(1 << 3);
    pub(super) const KEYS: Self = Self(1 << 4);
    pub(super) const COOKIES: Self = Self(1 << 5);
    pub(super) const EMAIL: Self = Self(1 << 6);
    pub(super) const CARDS: Self = Self(1 << 7);
    pub(super) const PRIVATE_KEYS: Self = Self(1 << 8);
    pub(super) const ALL: Self = Self((1 << 9) - 1);

    pub(super) fn has(self, kind: Self) -> bool {
        self.0 & kind.0 != 0
    }

    pub(super) fn without(self, kind: Self) -> Self {
        Self(self.0 & !kind.0)
    }

    fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// The kinds by the names a config uses.
pub(super) const NAMES: &[(&str, Kinds)] = &[
    ("passwords", Kinds::PASSWORDS),
    ("urls", Kinds::URLS),
    ("bearer", Kinds::BEARER),
    ("jwt", Kinds::JWT),
    ("keys", Kinds::KEYS),
    ("cookies", Kinds::COOKIES),
    ("email", Kinds::EMAIL),
    ("cards", Kinds::CARDS),
    ("private-keys", Kinds::PRIVATE_KEYS),
];

/// Words without which a line cannot hold a secret of the kind, in lower case.
const WORDS: &[(&str, Kinds)] = &[
    ("passw", Kinds::PASSWORDS),
    ("passphrase", Kinds::PASSWORDS),
    ("pwd", Kinds::PASSWORDS),
    ("secret", Kinds::PASSWORDS),
    ("token", Kinds::PASSWORDS),
    ("apikey", Kinds::PASSWORDS),
    ("api_key", Kinds::PASSWORDS),
    ("api-key", Kinds::PASSWORDS),
    ("accesskey", Kinds::PASSWORDS),
    ("access_key", Kinds::PASSWORDS),
    ("access-key", Kinds::PASSWORDS),
    ("accountkey", Kinds::PASSWORDS),
    ("private_key", Kinds::PASSWORDS),
    ("signing_key", Kinds::PASSWORDS),
    ("encryption_key", Kinds::PASSWORDS),
    ("://", Kinds::URLS),
    ("bearer ", Kinds::BEARER),
    ("basic ", Kinds::BEARER),
    ("eyj", Kinds::JWT),
    ("akia", Kinds::KEYS),
    ("asia", Kinds::KEYS),
    ("ghp_", Kinds::KEYS),
    ("gho_", Kinds::KEYS),
    ("ghu_", Kinds::KEYS),
    ("ghs_", Kinds::KEYS),
    ("ghr_", Kinds::KEYS),
    ("github_pat_", Kinds::KEYS),
    ("glpat-", Kinds::KEYS),
    ("xox", Kinds::KEYS),
    ("k_live_", Kinds::KEYS),
    ("k_test_", Kinds::KEYS),
    ("sk-", Kinds::KEYS),
    ("aiza", Kinds::KEYS),
    ("npm_", Kinds::KEYS),
    ("cookie", Kinds::COOKIES),
    ("sessid", Kinds::COOKIES),
    ("jsessionid", Kinds::COOKIES),
    ("connect.sid", Kinds::COOKIES),
    ("private key", Kinds::PRIVATE_KEYS),
];

static PRESENT: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    AhoCorasick::builder().ascii_case_insensitive(true).kind(Some(AhoCorasickKind::DFA)).build(WORDS.iter().map(|(w, _)| *w)).ok()
});

/// The kinds this line could hold.
fn present(text: &str) -> Kinds {
    // Without the automaton nothing is ruled out.
    let Some(words) = PRESENT.as_ref() else { return Kinds::ALL };
    let found = words.find_iter(text).filter_map(|m| WORDS.get(m.pattern().as_usize()));
    let mut kinds = found.fold(Kinds::CARDS, |kinds, (_, kind)| kinds.and(*kind));
    if memchr::memchr(b'@', text.as_bytes()).is_some() {
        kinds = kinds.and(Kinds::EMAIL);
    } else {
        kinds = kinds.without(Kinds::URLS);
    }
    kinds
}

/// The first group of each pattern is kept, the second is the secret, a third is kept too.
static PATTERNS: LazyLock<Vec<(Kinds, Regex)>> = LazyLock::new(|| {
    [
        (Kinds::PRIVATE_KEYS, r"()(-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----(?:.*-----END [A-Z ]{0,30}PRIVATE KEY-----|.*))"),
        (Kinds::COOKIES, r#"(?i)(\b(?:set-)?cookie\\*["']?\s*[=:]\s*\\*["']?)([^"'\\]+)"#),
        (Kinds::COOKIES, r#"(?i)(\b(?:jsessionid|phpsessid|connect\.sid)=)([^\s"';&]+)"#),
        (Kinds::URLS, r"([a-zA-Z][a-zA-Z0-9+.-]*://[^\s:/@]*:)([^\s@/]+)(@)"),
        (Kinds::BEARER, r"(?i)(\b(?:bearer|basic)\s+)([A-Za-z0-9._~+/=-]{12,})"),
        (Kinds::JWT, r"(\b)(eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?)"),
        (
            Kinds::KEYS,
            r"(\b)((?:AKIA|ASIA)[A-Z0-9]{16}|gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{30,}|glpat-[A-Za-z0-9_-]{16,}|xox[abeoprs]-[A-Za-z0-9-]{10,}|[sr]k_(?:live|test)_[A-Za-z0-9]{16,}|sk-[A-Za-z0-9_-]{20,}|AIza[A-Za-z0-9_-]{30,}|npm_[A-Za-z0-9]{30,})",
        ),
        (
            Kinds::PASSWORDS,
            r#"(?i)((?:password|passwd|passphrase|pwd|secret(?:[_-]?key)?|token|api[_-]?key|access[_-]?key|accountkey|private_key|signing_key|encryption_key)\\*["']?\s*[=:]\s*)(\\*"[^"\\]+|'[^']+|[^\s"',;&}\]\\]{3,})"#,
        ),
        (Kinds::EMAIL, r"()([A-Za-z0-9._%+-]+@(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,24})"),
    ]
    .into_iter()
    .filter_map(|(kind, pattern)| Some((kind, Regex::new(pattern).ok()?)))
    .collect()
});

/// The text with the secrets of these kinds masked.
pub(super) fn mask(text: &str, on: Kinds) -> Cow<'_, str> {
    if on == Kinds::NONE {
        return Cow::Borrowed(text);
    }
    let present = present(text);
    let mut out = Cow::Borrowed(text);
    for (kind, pattern) in PATTERNS.iter().filter(|(kind, _)| on.has(*kind) && present.has(*kind)) {
        if pattern.is_match(&out) {
            let masked = pattern.replace_all(&out, |found: &Captures<'_>| replaced(*kind, found)).into_owned();
            if masked != out {
                out = Cow::Owned(masked);
            }
        }
    }
    if on.has(Kinds::CARDS) {
        for card in card::find(&out).into_iter().rev() {
            out.to_mut().replace_range(card, MASK);
        }
    }
    out
}

fn replaced(kind: Kinds, found: &Captures<'_>) -> String {
    let group = |n: usize| found.get(n).map_or("", |m| m.as_str());
    let secret = group(2);
    let bare = secret.trim_start_matches(['\\', '"', '\'']);
    let harmless =
        (kind == Kinds::PASSWORDS && is_word(group(1), bare)) || (kind == Kinds::EMAIL && is_address_of_something_else(secret));
    if harmless {
        return found[0].to_owned();
    }
    format!("{}{}{MASK}{}", group(1), &secret[..secret.len() - bare.len()], group(3))
}

/// What stands after `token:` or `password=` without being one.
fn is_word(name: &str, value: &str) -> bool {
    const WORDS: &[&str] = &[
        "null",
        "none",
        "nil",
        "true",
        "false",
        "undefined",
        "expired",
        "invalid",
        "missing",
        "empty",
        "required",
        "unexpected",
        "not",
        "unset",
        MASK,
    ];
    let count = value.len() < 10 && value.bytes().all(|b| b.is_ascii_digit()) && name.to_ascii_lowercase().contains("token");
    count || WORDS.iter().any(|w| w.eq_ignore_ascii_case(value))
}

/// `git@github.com` and systemd's `user@1000.service` are no people.
fn is_address_of_something_else(address: &str) -> bool {
    const UNITS: &[&str] = &["service", "socket", "slice", "mount", "timer", "target", "scope"];
    address.starts_with("git@") || address.rsplit('.').next().is_some_and(|end| UNITS.contains(&end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_compiles_and_every_kind_has_a_name() {
        assert_eq!(PATTERNS.len(), 9);
        assert!(PRESENT.is_some());
        assert_eq!(NAMES.iter().fold(Kinds::NONE, |all, (_, kind)| all.and(*kind)), Kinds::ALL);
    }
}
