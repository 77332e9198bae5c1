//! Chords to commands: which keys there are, what they run in which context, what may follow a chord begun.

mod chord;
mod parse;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::app::Command;

pub use chord::{Chord, Key, parse_keys, spell};

/// The keymaps shipped in the binary.
pub const NAMES: [&str; 4] = ["default", "vim", "k9s", "lazydocker"];

/// The text of a keymap shipped in the binary.
#[must_use]
pub fn builtin(name: &str) -> Option<&'static str> {
    match name {
        "default" => Some(include_str!("../keymaps/default.toml")),
        "vim" => Some(include_str!("../keymaps/vim.toml")),
        "k9s" => Some(include_str!("../keymaps/k9s.toml")),
        "lazydocker" => Some(include_str!("../keymaps/lazydocker.toml")),
        _ => None,
    }
}

/// What kind of screen keys are typed on. What a context does not bind falls back to the section `any`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Context {
    /// Rows with a selection.
    List,
    /// A log.
    Log,
    /// Text or charts to be scrolled.
    Text,
}

impl Context {
    /// Every context.
    pub const ALL: [Self; 3] = [Self::List, Self::Log, Self::Text];

    /// Its section in a keymap file.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::Log => "log",
            Self::Text => "text",
        }
    }
}

/// What the keys typed so far mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup {
    Run(Command),
    /// The beginning of something: what may follow, with the command it runs where it ends one.
    Pending(Vec<(Chord, Option<Command>)>),
    Nothing,
}

/// A key sequence and what it runs; `None` takes the sequence out of what lies below.
type Binding = (Vec<Chord>, Option<Command>);

/// One context's bindings, fallbacks taken in.
#[derive(Clone, Debug, Default)]
struct Table {
    /// In the order of help and footer: the context's own first, each as in the file.
    shown: Vec<(Vec<Chord>, Command)>,
    /// Sorted by keys: what begins alike lies together.
    sorted: BTreeMap<Vec<Chord>, Command>,
}

/// A whole keymap.
#[derive(Clone, Debug)]
pub struct Keymap {
    pub name: Arc<str>,
    /// As written, for those that inherit: `any`, then a section for each context.
    sections: [Vec<Binding>; 4],
    tables: [Table; 3],
}

impl Default for Keymap {
    /// The keymap `default`. A test holds it to be free of mistakes; with one it would be empty.
    fn default() -> Self {
        let text = builtin("default").unwrap_or_default();
        Self::parse(text, "keymaps/default.toml").unwrap_or_else(|_| Self {
            name: "default".into(),
            sections: <[Vec<Binding>; 4]>::default(),
            tables: <[Table; 3]>::default(),
        })
    }
}

impl Keymap {
    fn table(&self, context: Context) -> &Table {
        match context {
            Context::List => &self.tables[0],
            Context::Log => &self.tables[1],
            Context::Text => &self.tables[2],
        }
    }

    /// What `typed` means in `context`.
    #[must_use]
    pub fn lookup(&self, context: Context, typed: &[Chord]) -> Lookup {
        let table = self.table(context);
        if let Some(command) = table.sorted.get(typed) {
            return Lookup::Run(*command);
        }
        let followers = self.followers(context, typed);
        if typed.is_empty() || followers.is_empty() { Lookup::Nothing } else { Lookup::Pending(followers) }
    }

    /// What may follow `typed`, sorted, with the command where it ends one: the which-key strip.
    #[must_use]
    pub fn followers(&self, context: Context, typed: &[Chord]) -> Vec<(Chord, Option<Command>)> {
        let mut followers: Vec<(Chord, Option<Command>)> = Vec::new();
        let sorted = &self.table(context).sorted;
        for (keys, command) in sorted.range(typed.to_vec()..).take_while(|(keys, _)| keys.starts_with(typed)) {
            let Some(next) = keys.get(typed.len()) else { continue };
            if followers.last().is_none_or(|(last, _)| last != next) {
                followers.push((*next, (keys.len() == typed.len() + 1).then_some(*command)));
            }
        }
        followers
    }

    /// The key sequences that run `command` in `context`, spelled, the foremost first.
    #[must_use]
    pub fn keys_of(&self, context: Context, command: Command) -> Vec<String> {
        self.table(context).shown.iter().filter(|(_, c)| *c == command).map(|(keys, _)| spell(keys)).collect()
    }

    /// Every binding of `context`: its own first, then the shared ones, each in the order of the file.
    #[must_use]
    pub fn bindings(&self, context: Context) -> &[(Vec<Chord>, Command)] {
        &self.table(context).shown
    }
}

#[cfg(test)]
mod tests;
