//! A keymap file to a [`Keymap`]; every mistake in it is told at once, with its place.

use std::collections::BTreeMap;

use toml::de::DeValue;

use super::{Binding, Chord, Context, Keymap, NAMES, Table, builtin, spell};
use crate::app::Command;
use crate::app::command::COMMANDS;
use crate::document::{Document, Node, Section, listed, read, unknown};
use crate::model::Problem;

/// The sections of a file: what holds everywhere, then one for each context.
const SECTIONS: [&str; 4] = ["any", "list", "log", "text"];
/// Written in place of a command to take a key out.
const NONE: &str = "none";

/// A binding of the file at hand and where its keys stand.
struct Written {
    binding: Binding,
    offset: usize,
}

impl Keymap {
    /// Reads a keymap file:
    ///
    /// ```toml
    /// name = "mine"
    /// inherits = "default"      # one of the shipped keymaps, optional
    /// [any]                     # everywhere; `list`, `log` and `text` go before it on screens of that kind
    /// "g g" = "move.top"
    /// g = "none"                # takes an inherited key out
    /// ```
    ///
    /// # Errors
    /// Every mistake in it: unknown commands and keys, a key given twice, a key that hides another.
    pub fn parse(text: &str, file: &str) -> Result<Self, Vec<Problem>> {
        let document = Document::new(text, file);
        let root = document.root();
        let name = root.require("name", read::name);
        let base = root.read("inherits", inherited);
        let own = SECTIONS.map(|section| root.read(section, |node| Some(bindings(&node.section()?))).unwrap_or_default());
        root.end();
        let sections = merge(&own, base.as_ref());
        let tables = Context::ALL.map(|context| table(&sections[0], &sections[1 + context as usize]));
        for (context, table) in Context::ALL.into_iter().zip(&tables) {
            hidden(&document, context, table, &own);
        }
        drop(root);
        let problems = document.problems();
        match name {
            Some(name) if problems.is_empty() => Ok(Self { name, sections, tables }),
            Some(_) | None => Err(problems),
        }
    }
}

/// The shipped keymap a file builds on. They inherit from `default` only, so there is no way round in a circle.
fn inherited(node: Node<'_>) -> Option<Keymap> {
    let name = read::text(node)?;
    let Some(text) = builtin(&name) else {
        node.note(unknown("keymap", &name, NAMES.into_iter()));
        return None;
    };
    Keymap::parse(text, &format!("keymaps/{name}.toml"))
        .map_err(|problems| problems.iter().for_each(|p| node.note(p.to_string())))
        .ok()
}

/// The bindings of one section.
fn bindings(section: &Section<'_>) -> Vec<Written> {
    let mut written: Vec<Written> = Vec::new();
    for (text, offset, node) in section.rest() {
        let (Some(keys), Some(command)) = (sequence(text, offset, node.document()), command(node)) else { continue };
        if let Some(earlier) = written.iter().find(|w| w.binding.0 == keys) {
            let (line, _) = node.document().place(earlier.offset);
            node.document().note(offset, format!("`{}` is given twice: first in line {line}", spell(&keys)));
            continue;
        }
        written.push(Written { binding: (keys, command), offset });
    }
    written
}

/// The key sequence a binding is for.
fn sequence(text: &str, offset: usize, document: &Document<'_>) -> Option<Vec<Chord>> {
    let mut keys = Vec::new();
    for word in text.split_whitespace() {
        match Chord::parse(word) {
            Ok(chord) => keys.push(chord),
            Err(why) => document.note(offset, why),
        }
    }
    if keys.len() > 4 {
        document.note(offset, format!("`{text}` is longer than four keys"));
        return None;
    }
    if text.trim().is_empty() {
        document.note(offset, "a key is missing");
    }
    (!keys.is_empty() && keys.len() == text.split_whitespace().count()).then_some(keys)
}

/// The command a key is bound to; `Some(None)` for none.
#[expect(clippy::option_option, reason = "a mistake, no command, and a command are three things")]
fn command(node: Node<'_>) -> Option<Option<Command>> {
    let DeValue::String(name) = node.value() else { return node.mismatch("the name of a command, or \"none\"") };
    if name == NONE {
        return Some(None);
    }
    let found = Command::by_name(name);
    if found.is_none() {
        let known = || COMMANDS.iter().map(|i| i.name);
        let near = crate::model::problem::nearest(name, known());
        // The whole table would bury the sentence: the commands of the same group are enough.
        let group = name.split_once('.').map_or("", |(group, _)| group);
        let mut same = known().filter(|k| k.split_once('.').is_some_and(|(g, _)| g == group)).peekable();
        let expected = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None if same.peek().is_some() => format!("expected {}", listed(same)),
            None => "`qd keys` lists the commands".to_owned(),
        };
        node.note(format!("unknown command `{name}`, {expected}"));
    }
    found.map(Some)
}

/// Each section: what is written, then what is inherited and not written anew.
fn merge(own: &[Vec<Written>; 4], base: Option<&Keymap>) -> [Vec<Binding>; 4] {
    let mut sections: [Vec<Binding>; 4] = own.each_ref().map(|written| written.iter().map(|w| w.binding.clone()).collect());
    if let Some(base) = base {
        for (section, below) in sections.iter_mut().zip(&base.sections) {
            let added: Vec<Binding> = below.iter().filter(|(keys, _)| section.iter().all(|(k, _)| k != keys)).cloned().collect();
            section.extend(added);
        }
    }
    sections
}

/// What holds in a context: its own bindings, then the shared ones it does not change.
fn table(any: &[Binding], own: &[Binding]) -> Table {
    let shared = any.iter().filter(|(keys, _)| own.iter().all(|(k, _)| k != keys));
    let shown: Vec<(Vec<Chord>, Command)> =
        own.iter().chain(shared).filter_map(|(keys, command)| command.map(|c| (keys.clone(), c))).collect();
    let sorted: BTreeMap<_, _> = shown.iter().cloned().collect();
    Table { shown, sorted }
}

/// Notes sequences that can never be typed because what they begin with already runs something.
fn hidden(document: &Document<'_>, context: Context, table: &Table, own: &[Vec<Written>; 4]) {
    let place = |keys: &[Chord]| {
        let sections = [&own[1 + context as usize], &own[0]];
        sections.into_iter().flatten().find(|w| w.binding.0 == keys).map(|w| w.offset)
    };
    let mut short: Option<(&Vec<Chord>, &Command)> = None;
    for (keys, command) in &table.sorted {
        let Some((prefix, runs)) = short.filter(|(prefix, _)| keys.starts_with(prefix)) else {
            short = Some((keys, command));
            continue;
        };
        let runs = runs.info().map_or("a command", |i| i.name);
        let said = format!("`{}` can never be typed: `{}` already runs `{runs}`", spell(keys), spell(prefix));
        let inherited = |keys: &[Chord]| format!("; it is inherited, take it out with `\"{}\" = \"none\"`", spell(keys));
        match (place(keys), place(prefix)) {
            (Some(at), Some(other)) => document.note(at, format!("{said} in line {}", document.place(other).0)),
            (Some(at), None) => document.note(at, format!("{said}{}", inherited(prefix))),
            (None, Some(at)) => document.note(at, format!("{said}{}", inherited(keys))),
            (None, None) => {}
        }
    }
}
