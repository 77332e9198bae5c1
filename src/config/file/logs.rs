//! The `[logs]` table: how much is kept of an open log, and what is masked in it.

use std::sync::Arc;

use regex::Regex;

use crate::document::{Node, Section, read, unknown};
use crate::observe::redact::Redaction;

use super::Settings;

/// What is masked beyond what is masked anyway, and what is not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Redact {
    /// Built-in kinds of secrets that are left readable.
    pub off: Vec<Arc<str>>,
    pub patterns: Vec<Pattern>,
}

/// A pattern of one's own; where it has a group, the first is the secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// Stands in the mask.
    pub name: Option<Arc<str>>,
    /// A regular expression, tried when it was read.
    pub regex: Arc<str>,
}

impl Redact {
    /// What it means.
    #[must_use]
    pub fn redaction(&self) -> Redaction {
        let mut redaction = Redaction::default();
        for name in &self.off {
            // Tried when it was read.
            redaction.switch_off(name);
        }
        for pattern in &self.patterns {
            if let Ok(regex) = Regex::new(&pattern.regex) {
                redaction.add(pattern.name.as_deref(), regex);
            }
        }
        redaction
    }
}

pub(super) fn read(settings: &mut Settings, logs: &Section<'_>) {
    let (bytes, older) = (logs.read("bytes", bytes), logs.read("store_bytes", self::bytes));
    settings.log_store_bytes = bytes.or(older);
    settings.log_tail = logs.read("tail", read::integer(0..=10_000_000));
    settings.redact = logs.read("redact", |node| node.section().map(|section| redact(&section)));
    logs.end();
}

fn bytes(node: Node<'_>) -> Option<u64> {
    let bytes = read::bytes(node)?;
    if !(1 << 20..=4 << 30).contains(&bytes) {
        node.note("expected from 1MiB to 4GiB");
        return None;
    }
    Some(bytes)
}

fn redact(section: &Section<'_>) -> Redact {
    let redact = Redact {
        off: section.read("off", read::list("an array of kinds of secrets", kind)).unwrap_or_default(),
        patterns: section.read("patterns", read::list("an array of patterns", pattern)).unwrap_or_default(),
    };
    section.end();
    redact
}

fn kind(node: Node<'_>) -> Option<Arc<str>> {
    let name = read::text(node)?;
    if Redaction::names().any(|known| *known == *name) {
        return Some(name);
    }
    let known: Vec<&str> = Redaction::names().collect();
    node.note(unknown("kind of secret", &name, known.into_iter()));
    None
}

fn pattern(node: Node<'_>) -> Option<Pattern> {
    let section = node.section()?;
    let pattern = Pattern { name: section.read("name", read::text), regex: section.require("regex", regex).unwrap_or_default() };
    section.end();
    Some(pattern)
}

fn regex(node: Node<'_>) -> Option<Arc<str>> {
    let text = read::text(node)?;
    match Regex::new(&text) {
        Ok(found) if found.is_match("") => {
            node.note("this regular expression matches nothing at all, and so every line");
            None
        }
        Ok(_) => Some(text),
        Err(error) => {
            let error = error.to_string();
            // The last line of the library's picture says what is wrong.
            let why = error.lines().last().unwrap_or_default().trim().trim_start_matches("error: ");
            node.note(format!("this is no regular expression: {why}"));
            None
        }
    }
}
