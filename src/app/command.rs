//! Every command there is, and what is known of each. Keymaps, palette, help, footer and documentation are made from
//! their table.

mod log;
mod table;

use crate::model::Verb;

use super::state::Screen;

pub use log::LogCommand;
pub use table::COMMANDS;

/// Everything a key, the palette or a menu can run. What it does is `update`'s business.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Command {
    // moving
    Down,
    Up,
    PageDown,
    PageUp,
    Top,
    Bottom,
    Left,
    Right,
    Enter,
    Back,
    NextScreen,
    PreviousScreen,
    Go(Screen),
    NextEnvironment,
    PreviousEnvironment,
    // finding
    Filter,
    SearchNext,
    SearchPrevious,
    Palette,
    Jump,
    Sort,
    SortReverse,
    // marking
    Mark,
    MarkAll,
    MarkNone,
    // looking
    Logs,
    PreviousLogs,
    Describe,
    Revisions,
    Forwards,
    /// Asks what a workload could be watched by.
    Offer,
    Menu,
    Help,
    Refresh,
    Copy,
    Save,
    /// What changed before this?
    WhatChanged,
    /// A longer window of time, or a shorter one.
    Longer,
    Shorter,
    /// Each instance by itself, or their sum.
    Each,
    Log(LogCommand),
    // changing
    Operate(Verb),
    Forward,
    AbortOperation,
    TickOperation,
    // the program
    Theme,
    /// Opens all namespaces of a cluster.
    AllNamespaces,
    Suspend,
    Quit,
}

/// How a command is grouped in help and palette.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    Move,
    Find,
    Mark,
    Look,
    Logs,
    Change,
    Program,
}

impl Group {
    /// Its heading.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Move => "Moving",
            Self::Find => "Finding",
            Self::Mark => "Marking",
            Self::Look => "Looking",
            Self::Logs => "Logs",
            Self::Change => "Changing",
            Self::Program => "Program",
        }
    }
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Info {
    pub command: Command,
    /// As in keymaps and on the palette: `workload.restart`.
    pub name: &'static str,
    /// Two or three words, for the footer and menus.
    pub title: &'static str,
    /// One sentence.
    pub doc: &'static str,
    pub group: Group,
}

impl Command {
    /// Its row in the table; `None` only for values the table does not hold, which a test rules out.
    #[must_use]
    pub fn info(self) -> Option<&'static Info> {
        COMMANDS.iter().find(|i| i.command == self)
    }

    /// The command of this name.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        COMMANDS.iter().find(|i| i.name == name).map(|i| i.command)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_command_has_one_row_and_a_name_of_its_own() {
        let names: BTreeSet<_> = COMMANDS.iter().map(|i| i.name).collect();
        let commands: BTreeSet<_> = COMMANDS.iter().map(|i| i.command).collect();
        assert_eq!((names.len(), commands.len()), (COMMANDS.len(), COMMANDS.len()));
        for verb in Verb::ALL {
            assert!(Command::Operate(verb).info().is_some(), "{verb} is in the table");
        }
        for screen in Screen::ALL {
            assert!(Command::Go(screen).info().is_some(), "{screen:?} is in the table");
        }
    }
}
