//! The command table: every command with its name, words and kind. Keymaps, palette, help, footer and documentation
//! are made from it.

mod log;

use crate::model::Verb;

use super::state::Screen;

pub use log::LogCommand;

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
    Menu,
    Help,
    Refresh,
    Copy,
    Save,
    Log(LogCommand),
    // changing
    Operate(Verb),
    AbortOperation,
    // the program
    Theme,
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

const fn row(command: Command, name: &'static str, title: &'static str, group: Group, doc: &'static str) -> Info {
    Info { command, name, title, doc, group }
}

/// Every command there is.
pub const COMMANDS: &[Info] = &[
    row(Command::Down, "move.down", "down", Group::Move, "Select the next row, or scroll one line down."),
    row(Command::Up, "move.up", "up", Group::Move, "Select the row above, or scroll one line up."),
    row(Command::PageDown, "move.page-down", "page down", Group::Move, "Move down by a screenful."),
    row(Command::PageUp, "move.page-up", "page up", Group::Move, "Move up by a screenful."),
    row(Command::Top, "move.top", "top", Group::Move, "Go to the first row or line."),
    row(Command::Bottom, "move.bottom", "bottom", Group::Move, "Go to the last row or line; in a log, follow it again."),
    row(Command::Left, "move.left", "left", Group::Move, "Scroll left."),
    row(Command::Right, "move.right", "right", Group::Move, "Scroll right."),
    row(Command::Enter, "go.in", "open", Group::Move, "Open what is selected."),
    row(Command::Back, "go.back", "back", Group::Move, "Close what lies on top, clear the filter, or go back."),
    row(Command::NextScreen, "go.next", "next screen", Group::Move, "Go to the next screen."),
    row(Command::PreviousScreen, "go.previous", "previous screen", Group::Move, "Go to the previous screen."),
    row(Command::Go(Screen::Fleet), "go.fleet", "fleet", Group::Move, "Every environment, one row each."),
    row(Command::Go(Screen::Workloads), "go.workloads", "workloads", Group::Move, "The workloads of the environment."),
    row(
        Command::Go(Screen::Instances),
        "go.instances",
        "instances",
        Group::Move,
        "The instances of the workload or environment.",
    ),
    row(Command::Go(Screen::Logs), "go.logs", "logs", Group::Move, "The log of what is selected."),
    row(
        Command::Go(Screen::Health),
        "go.health",
        "health",
        Group::Move,
        "What is wrong, worst first, with reasons and last check output.",
    ),
    row(Command::Go(Screen::Metrics), "go.metrics", "metrics", Group::Move, "CPU, memory and network over time."),
    row(
        Command::Go(Screen::Timeline),
        "go.timeline",
        "timeline",
        Group::Move,
        "What happened: engine events, operations, health changes.",
    ),
    row(
        Command::Go(Screen::Operations),
        "go.operations",
        "operations",
        Group::Move,
        "Operations under way and past, step by step.",
    ),
    row(Command::Go(Screen::Revisions), "go.revisions", "revisions", Group::Move, "The revisions of the workload."),
    row(
        Command::Go(Screen::Describe),
        "go.describe",
        "describe",
        Group::Move,
        "The definition as the engine has it, secrets masked.",
    ),
    row(
        Command::NextEnvironment,
        "environment.next",
        "next environment",
        Group::Move,
        "The same screen for the next environment.",
    ),
    row(
        Command::PreviousEnvironment,
        "environment.previous",
        "previous environment",
        Group::Move,
        "The same screen for the previous environment.",
    ),
    row(
        Command::Filter,
        "find.filter",
        "filter",
        Group::Find,
        "Filter the list (name, health:unhealthy, image:x, !not), or search the log.",
    ),
    row(Command::SearchNext, "find.next", "next match", Group::Find, "Go to the next match."),
    row(Command::SearchPrevious, "find.previous", "previous match", Group::Find, "Go to the previous match."),
    row(Command::Palette, "find.palette", "command", Group::Find, "Run any command by name."),
    row(
        Command::Jump,
        "find.jump",
        "jump",
        Group::Find,
        "Jump to any environment, workload or instance by a few of its letters.",
    ),
    row(Command::Sort, "find.sort", "sort by", Group::Find, "Choose the column to sort by."),
    row(Command::SortReverse, "find.sort-reverse", "reverse", Group::Find, "Turn the order round."),
    row(Command::Mark, "mark.toggle", "mark", Group::Mark, "Mark or unmark the row for a bulk operation."),
    row(Command::MarkAll, "mark.all", "mark all", Group::Mark, "Mark every row in the list as filtered."),
    row(Command::MarkNone, "mark.none", "unmark all", Group::Mark, "Take every mark away."),
    row(Command::Logs, "look.logs", "logs", Group::Look, "Follow the log of what is selected or marked."),
    row(
        Command::PreviousLogs,
        "look.previous-logs",
        "previous logs",
        Group::Look,
        "The log of the run before this one, where the engine keeps it.",
    ),
    row(Command::Describe, "look.describe", "describe", Group::Look, "The definition as the engine has it, secrets masked."),
    row(Command::Revisions, "look.revisions", "revisions", Group::Look, "The revisions of the workload."),
    row(Command::Menu, "look.menu", "menu", Group::Look, "Everything that can be done with what is selected."),
    row(Command::Help, "look.help", "help", Group::Look, "The keys in force here."),
    row(Command::Refresh, "look.refresh", "refresh", Group::Look, "Ask the engine again now."),
    row(Command::Copy, "look.copy", "copy", Group::Look, "Copy the name or line to the clipboard, over ssh too (OSC 52)."),
    row(
        Command::Save,
        "look.save",
        "save",
        Group::Look,
        "Save the log as shown to a file, as JSON lines where its name ends in .jsonl.",
    ),
    row(Command::Log(LogCommand::Follow), "logs.follow", "follow", Group::Logs, "Pause the log or follow its end again."),
    row(Command::Log(LogCommand::Wrap), "logs.wrap", "wrap", Group::Logs, "Wrap long lines or cut them."),
    row(
        Command::Log(LogCommand::Stamps),
        "logs.timestamps",
        "timestamps",
        Group::Logs,
        "Time stamps: UTC, local, relative, since the line before, none.",
    ),
    row(
        Command::Log(LogCommand::Filter),
        "logs.filter",
        "show only",
        Group::Logs,
        "Show only lines that are asked for: words, /patterns/, !not, level>=warn, field:value, latency_ms>500.",
    ),
    row(Command::Log(LogCommand::Fold), "logs.fold", "open trace", Group::Logs, "Open the stack trace here, or fold it."),
    row(Command::Log(LogCommand::FoldAll), "logs.fold-all", "fold", Group::Logs, "Fold stack traces, or show every line."),
    row(
        Command::Log(LogCommand::ContextMore),
        "logs.context-more",
        "more around",
        Group::Logs,
        "Show more lines around each match of the filter.",
    ),
    row(
        Command::Log(LogCommand::ContextLess),
        "logs.context-less",
        "less around",
        Group::Logs,
        "Show fewer lines around each match of the filter.",
    ),
    row(
        Command::Log(LogCommand::Patterns),
        "logs.patterns",
        "patterns",
        Group::Logs,
        "Count lines of one shape together; what is new since a mark or the last deploy first.",
    ),
    row(Command::Log(LogCommand::Since), "logs.since", "read since", Group::Logs, "Read the log from a time on: 15m, 2h, 14:03."),
    row(Command::Log(LogCommand::Format), "logs.format", "read as", Group::Logs, "Choose how the lines here are read."),
    row(Command::Log(LogCommand::BucketNext), "logs.later", "later", Group::Logs, "Go one column of the histogram on."),
    row(Command::Log(LogCommand::BucketPrevious), "logs.earlier", "earlier", Group::Logs, "Go one column of the histogram back."),
    row(Command::Log(LogCommand::Raw), "logs.raw", "raw", Group::Logs, "Show lines as they were written, or taken apart."),
    row(
        Command::Log(LogCommand::Reveal),
        "logs.reveal",
        "reveal",
        Group::Logs,
        "Show what is masked, or mask it again; that goes on record, and copies and files stay masked.",
    ),
    row(
        Command::Log(LogCommand::Highlight),
        "logs.highlight",
        "light up",
        Group::Logs,
        "Light words up in colours of their own.",
    ),
    row(Command::Log(LogCommand::Fields), "logs.fields", "fields", Group::Logs, "Show chosen fields before every message."),
    row(Command::Log(LogCommand::Pick), "logs.field", "field", Group::Logs, "Do something with a field of the line."),
    row(
        Command::Log(LogCommand::ErrorNext),
        "logs.error-next",
        "next error",
        Group::Logs,
        "Go to the next line that tells of an error.",
    ),
    row(
        Command::Log(LogCommand::ErrorPrevious),
        "logs.error-previous",
        "previous error",
        Group::Logs,
        "Go to the previous error.",
    ),
    row(Command::Log(LogCommand::MarkNext), "logs.mark-next", "next mark", Group::Logs, "Go to the next marked line."),
    row(
        Command::Log(LogCommand::MarkPrevious),
        "logs.mark-previous",
        "previous mark",
        Group::Logs,
        "Go to the previous marked line.",
    ),
    row(Command::Log(LogCommand::Time), "logs.time", "go to time", Group::Logs, "Go to a time: 14:03, 14:03:22, or 5m ago."),
    row(Command::Log(LogCommand::Pipe), "logs.pipe", "pipe", Group::Logs, "Send the lines shown, or those marked, to a command."),
    row(Command::Operate(Verb::Scale), "workload.scale", "scale", Group::Change, "Change the number of replicas."),
    row(Command::Operate(Verb::Restart), "workload.restart", "restart", Group::Change, "Restart, one instance after the other."),
    row(Command::Operate(Verb::Stop), "workload.stop", "stop", Group::Change, "Stop."),
    row(Command::Operate(Verb::Start), "workload.start", "start", Group::Change, "Start what is stopped."),
    row(Command::Operate(Verb::Pause), "workload.pause", "pause", Group::Change, "Freeze the processes."),
    row(Command::Operate(Verb::Unpause), "workload.unpause", "unpause", Group::Change, "Let frozen processes go on."),
    row(Command::Operate(Verb::Kill), "workload.kill", "kill", Group::Change, "Kill at once, without a chance to finish."),
    row(Command::Operate(Verb::Remove), "workload.remove", "remove", Group::Change, "Remove the containers; named volumes stay."),
    row(
        Command::Operate(Verb::Deploy),
        "workload.deploy",
        "deploy",
        Group::Change,
        "Deploy an image, gated, undone by itself when it fails.",
    ),
    row(
        Command::Operate(Verb::Rollback),
        "workload.rollback",
        "roll back",
        Group::Change,
        "Go back to the previous or any recorded revision.",
    ),
    row(Command::Operate(Verb::Shell), "workload.shell", "shell", Group::Change, "Open a shell in the instance."),
    row(Command::Operate(Verb::Run), "environment.run", "run", Group::Change, "Run a runbook of the environment."),
    row(Command::Operate(Verb::Lock), "environment.lock", "lock", Group::Change, "Take the environment's lock, with a reason."),
    row(Command::Operate(Verb::Unlock), "environment.unlock", "unlock", Group::Change, "Give the environment's lock back."),
    row(
        Command::Operate(Verb::Recover),
        "environment.recover",
        "recover",
        Group::Change,
        "Finish or undo an operation whose owner died.",
    ),
    row(
        Command::Operate(Verb::Drill),
        "environment.drill",
        "drill",
        Group::Change,
        "Play a fault on purpose, where the engine offers it.",
    ),
    row(
        Command::AbortOperation,
        "operation.abort",
        "abort",
        Group::Change,
        "Abort the running operation and go back to the old state.",
    ),
    row(Command::Theme, "program.theme", "theme", Group::Program, "Choose a theme."),
    row(Command::Suspend, "program.suspend", "suspend", Group::Program, "Go back to the shell for a while (fg returns)."),
    row(Command::Quit, "program.quit", "quit", Group::Program, "Quit."),
];

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
