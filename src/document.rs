//! A TOML file read with positions: a mistake is noted where it stands and reading goes on, so that a person is told
//! all of them at once. Keymaps, themes and configuration are read through this. Knows no file, only text.

pub mod read;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::model::Problem;
use crate::model::problem::{nearest, position};

/// A file's text, taken apart as far as its syntax allows, and what was found wrong with it so far.
#[derive(Debug)]
pub struct Document<'a> {
    text: &'a str,
    file: Arc<str>,
    root: Spanned<DeTable<'a>>,
    syntax: Vec<Problem>,
    found: RefCell<Vec<Found>>,
}

/// A mistake in what a file means, not in how it is written.
#[derive(Debug)]
struct Found {
    offset: usize,
    message: String,
    /// Something is absent: in a file with syntax errors it may be there, only unreadable.
    missing: bool,
}

impl<'a> Document<'a> {
    /// Takes a text apart; `file` is its name for people.
    #[must_use]
    pub fn new(text: &'a str, file: &str) -> Self {
        let file: Arc<str> = file.into();
        let (root, errors) = DeTable::parse_recoverable(text);
        let syntax = errors
            .iter()
            .map(|error| {
                let (line, column) = position(text, error.span().map_or(text.len(), |s| s.start));
                Problem { file: file.clone(), line, column, message: error.message().to_owned() }
            })
            .collect();
        Self { text, file, root, syntax, found: RefCell::default() }
    }

    /// The file's outermost table.
    #[must_use]
    pub fn root(&self) -> Section<'_> {
        Section { document: self, table: self.root.get_ref(), offset: 0, asked: RefCell::default() }
    }

    /// Notes a mistake at a byte offset.
    pub fn note(&self, offset: usize, message: impl Into<String>) {
        self.found.borrow_mut().push(Found { offset, message: message.into(), missing: false });
    }

    /// Line and column (from 1, in characters) of a byte offset.
    #[must_use]
    pub fn place(&self, offset: usize) -> (usize, usize) {
        position(self.text, offset)
    }

    /// The text between two byte offsets.
    #[must_use]
    pub fn slice(&self, span: Range<usize>) -> &str {
        self.text.get(span).unwrap_or_default()
    }

    /// Everything that is wrong with the file, top down; empty when nothing is. Where the syntax is broken, what seems
    /// missing or wrong on the same line is left out: it only repeats the syntax error.
    #[must_use]
    pub fn problems(self) -> Vec<Problem> {
        let broken: BTreeSet<usize> = self.syntax.iter().map(|p| p.line).collect();
        let mut all = self.syntax;
        for found in self.found.into_inner() {
            let (line, column) = position(self.text, found.offset);
            if broken.contains(&line) || (found.missing && !broken.is_empty()) {
                continue;
            }
            all.push(Problem { file: self.file.clone(), line, column, message: found.message });
        }
        all.sort();
        all.dedup();
        all
    }
}

/// One value and where it stands.
#[derive(Clone, Copy, Debug)]
pub struct Node<'d> {
    document: &'d Document<'d>,
    value: &'d Spanned<DeValue<'d>>,
}

impl<'d> Node<'d> {
    /// The value itself.
    #[must_use]
    pub fn value(self) -> &'d DeValue<'d> {
        self.value.get_ref()
    }

    /// Its bytes in the file.
    #[must_use]
    pub fn span(self) -> Range<usize> {
        self.value.span()
    }

    /// Its document.
    #[must_use]
    pub fn document(self) -> &'d Document<'d> {
        self.document
    }

    /// Notes a mistake here.
    pub fn note(self, message: impl Into<String>) {
        self.document.note(self.value.span().start, message);
    }

    /// Notes a mistake at a byte of the string this value is; exact for strings without escapes.
    pub fn note_within(self, byte: usize, message: impl Into<String>) {
        let source = self.document.slice(self.value.span());
        let quotes = if source.starts_with("\"\"\"") || source.starts_with("'''") { 3 } else { 1 };
        let inside = if source.contains('\\') { 0 } else { quotes + byte };
        self.document.note(self.value.span().start + inside, message);
    }

    /// Notes that something else was expected.
    pub fn note_expected(self, expected: &str) {
        self.note(format!("expected {expected}, found {}", kind(self.value())));
    }

    /// Notes that something else was expected, and gives nothing.
    #[must_use]
    pub fn mismatch<T>(self, expected: &str) -> Option<T> {
        self.note_expected(expected);
        None
    }

    /// The table it is, or a note.
    #[must_use]
    pub fn section(self) -> Option<Section<'d>> {
        match self.value() {
            DeValue::Table(table) => {
                Some(Section { document: self.document, table, offset: self.span().start, asked: RefCell::default() })
            }
            _ => self.mismatch("a table"),
        }
    }

    /// The nodes of the array it is, or a note.
    #[must_use]
    pub fn items(self, of: &str) -> Option<Vec<Node<'d>>> {
        match self.value() {
            DeValue::Array(items) => Some(items.iter().map(|value| Node { document: self.document, value }).collect()),
            _ => self.mismatch(of),
        }
    }
}

/// What a value is, with its article.
fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "an array",
        DeValue::Table(_) => "a table",
    }
}

/// A table while it is read: it remembers which keys were asked for, so that [`Self::end`] can tell the unknown ones.
#[derive(Debug)]
pub struct Section<'d> {
    document: &'d Document<'d>,
    table: &'d DeTable<'d>,
    offset: usize,
    asked: RefCell<Vec<&'static str>>,
}

impl<'d> Section<'d> {
    /// Where it begins, in bytes.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// Its document.
    #[must_use]
    pub fn document(&self) -> &'d Document<'d> {
        self.document
    }

    /// Notes a mistake of the table as a whole.
    pub fn note(&self, message: impl Into<String>) {
        self.document.note(self.offset, message);
    }

    /// The value of `key`, if there is one.
    pub fn get(&self, key: &'static str) -> Option<Node<'d>> {
        let mut asked = self.asked.borrow_mut();
        if !asked.contains(&key) {
            asked.push(key);
        }
        self.table.get(key).map(|value| Node { document: self.document, value })
    }

    /// Whether `key` is there; not counted as asking for it.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// Reads `key` if it is there.
    pub fn read<T>(&self, key: &'static str, reader: impl FnOnce(Node<'d>) -> Option<T>) -> Option<T> {
        self.get(key).and_then(reader)
    }

    /// Reads `key`, which must be there.
    pub fn require<T>(&self, key: &'static str, reader: impl FnOnce(Node<'d>) -> Option<T>) -> Option<T> {
        let node = self.get(key);
        if node.is_none() {
            let message = format!("`{key}` is missing");
            self.document.found.borrow_mut().push(Found { offset: self.offset, message, missing: true });
        }
        node.and_then(reader)
    }

    /// Every element of the array of tables `key`; none when it is absent.
    pub fn each<T>(&self, key: &'static str, mut reader: impl FnMut(Section<'d>) -> Option<T>) -> Vec<T> {
        let items = self.get(key).and_then(|n| n.items("an array of tables")).unwrap_or_default();
        items.into_iter().filter_map(|n| n.section().and_then(&mut reader)).collect()
    }

    /// Every entry in the order of the file: the key, its byte offset, its value.
    #[must_use]
    pub fn entries(&self) -> Vec<(&'d str, usize, Node<'d>)> {
        let mut all: Vec<_> = self
            .table
            .iter()
            .map(|(key, value)| (key.get_ref().as_ref(), key.span().start, Node { document: self.document, value }))
            .collect();
        all.sort_by_key(|(_, offset, _)| *offset);
        all
    }

    /// The entries nobody has asked for yet.
    #[must_use]
    pub fn rest(&self) -> Vec<(&'d str, usize, Node<'d>)> {
        let asked = self.asked.borrow();
        self.entries().into_iter().filter(|(key, _, _)| !asked.contains(key)).collect()
    }

    /// Notes every key nobody asked for, with the nearest that is known.
    pub fn end(&self) {
        for (key, offset, _) in self.rest() {
            self.unknown(key, offset);
        }
    }

    /// Notes one unknown key.
    pub fn unknown(&self, key: &str, offset: usize) {
        let asked = self.asked.borrow();
        self.document.note(offset, unknown("key", key, asked.iter().copied()));
    }
}

/// `unknown key `projct`, did you mean `project`?`, or what is known where nothing is near.
#[must_use]
pub fn unknown<'k>(what: &str, word: &str, known: impl Iterator<Item = &'k str> + Clone) -> String {
    let shown: String = word.chars().flat_map(char::escape_debug).collect();
    match nearest(word, known.clone()) {
        Some(near) => format!("unknown {what} `{shown}`, did you mean `{near}`?"),
        None => format!("unknown {what} `{shown}`, expected {}", listed(known)),
    }
}

/// `a, b or c`, each in backticks.
#[must_use]
pub fn listed<'k>(words: impl Iterator<Item = &'k str>) -> String {
    let words: Vec<String> = words.map(|w| format!("`{w}`")).collect();
    match words.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
        None => "nothing".to_owned(),
    }
}

#[cfg(test)]
mod tests;
