//! When a command applies, and why not: what keys, palette, menu, help and footer dim.

use crate::model::{Capability, EngineKind, Verb};

use super::operations;
use super::rows;
use super::state::{RowId, Screen, State};
use super::update::{can_follow, menu_commands};
use super::{Command, LogCommand};

const SELECT: &str = "select a workload or an instance first";
const MARKED: &str = "only environments, workloads, instances and revisions can be marked";
const ONE: &str = "there is only one environment";
const NOBODY: &str = "no operation waits for a person";

/// Whether the command does something here and now.
#[must_use]
pub fn available(state: &State, command: Command) -> Capability {
    let view = state.nav.view();
    let selected = view.table.selected.as_ref();
    let log = view.screen == Screen::Logs;
    let list = rows::is_list(view.screen);
    match command {
        Command::Operate(verb) => operations::capability(state, verb),
        Command::Forward => can_forward(state),
        Command::Forwards => need(!state.forwards.is_empty(), "no port is forwarded"),
        Command::TickOperation => need(state.operations.running.iter().any(|m| m.asks().is_some()), NOBODY),
        Command::AbortOperation => need(!state.operations.running.is_empty(), "no operation is under way"),
        Command::Logs | Command::Go(Screen::Logs) => need(log || can_follow(state), SELECT),
        Command::PreviousLogs => need(can_follow(state), SELECT),
        Command::Offer | Command::Describe | Command::Revisions | Command::Go(Screen::Describe | Screen::Revisions) => {
            need(is_of_workload(state), SELECT)
        }
        Command::Left | Command::Right if view.screen == Screen::Metrics => Capability::Allowed,
        Command::Longer | Command::Shorter | Command::Each => need(view.screen == Screen::Metrics, "only on the screen Metrics"),
        Command::WhatChanged => need(super::changes::of_selection(state).is_ok(), "select what it happened to first"),
        Command::Log(_) | Command::Save | Command::SearchNext | Command::SearchPrevious | Command::Left | Command::Right => {
            in_log(state, command)
        }
        Command::Mark | Command::MarkNone if log => Capability::Allowed,
        Command::Filter => need(list || log, "there is nothing to filter here"),
        Command::Sort | Command::SortReverse | Command::MarkAll => need(list, "there is no list here"),
        Command::Mark => need(selected.is_some_and(can_be_marked), MARKED),
        Command::MarkNone => need(!view.table.marks.is_empty(), "nothing is marked"),
        Command::Enter => need(log || selected.is_some(), "nothing is selected"),
        Command::NextEnvironment | Command::PreviousEnvironment => need(state.snapshots().nth(1).is_some(), ONE),
        Command::Theme => need(!state.settings.themes.is_empty(), "there is only one theme"),
        Command::Down
        | Command::Up
        | Command::PageDown
        | Command::PageUp
        | Command::Top
        | Command::Bottom
        | Command::Back
        | Command::NextScreen
        | Command::PreviousScreen
        | Command::Go(
            Screen::Fleet
            | Screen::Workloads
            | Screen::Instances
            | Screen::Health
            | Screen::Metrics
            | Screen::Alerts
            | Screen::Timeline
            | Screen::Operations,
        )
        | Command::Palette
        | Command::Jump
        | Command::Menu
        | Command::Help
        | Command::Refresh
        | Command::Copy
        | Command::AllNamespaces
        | Command::Suspend
        | Command::Quit => Capability::Allowed,
    }
}

fn can_forward(state: &State) -> Capability {
    operations::targets(state, Verb::Shell).map_or_else(Capability::Denied, |_| Capability::Allowed)
}

fn can_be_marked(row: &RowId) -> bool {
    matches!(row, RowId::Environment(_) | RowId::Workload(..) | RowId::Instance(..) | RowId::Revision(_))
}

fn need(holds: bool, why: &'static str) -> Capability {
    if holds { Capability::Allowed } else { Capability::Denied(why.into()) }
}

/// Whether what is selected, or what the screen is about, is of a workload.
fn is_of_workload(state: &State) -> bool {
    let view = state.nav.view();
    match &view.table.selected {
        Some(RowId::Workload(..) | RowId::Instance(..)) => true,
        Some(RowId::Alert(environment, key)) => {
            let alert = state.alerts(environment).find(|alert| alert.key() == *key);
            alert.is_some_and(|alert| state.workload_of_alert(environment, alert).is_some())
        }
        Some(RowId::Connection(_) | RowId::Environment(_) | RowId::Revision(_) | RowId::Operation(_) | RowId::Item(_)) | None => {
            view.workload.is_some()
        }
    }
}

/// What is done in a log alone.
fn in_log(state: &State, command: Command) -> Capability {
    let Some(log) = state.logs.as_ref().filter(|_| state.nav.view().screen == Screen::Logs) else {
        return need(false, "only in a log");
    };
    match command {
        Command::SearchNext | Command::SearchPrevious => need(log.search.is_some(), "search a log first"),
        Command::Log(LogCommand::MarkNext | LogCommand::MarkPrevious) => need(!log.marks.is_empty(), "no line is marked"),
        _ => Capability::Allowed,
    }
}

/// Everything that can be done with what is selected, for its menu.
#[must_use]
pub fn actions(state: &State) -> Vec<Command> {
    let engine = state.environment().and_then(|id| Some(state.snapshot(&id)?.environment.engine));
    let mut commands = menu_commands(state.nav.view().table.selected.as_ref());
    commands.retain(|c| if let Command::Operate(verb) = c { belongs(*verb, engine) } else { true });
    commands
}

/// Whether a verb is of the engine's world at all: what no workload there could ever do is not offered.
fn belongs(verb: Verb, engine: Option<EngineKind>) -> bool {
    match verb {
        Verb::Trigger | Verb::Bounds | Verb::Cordon | Verb::Uncordon | Verb::Drain => engine == Some(EngineKind::Kubernetes),
        Verb::Up => engine != Some(EngineKind::Kubernetes),
        Verb::Scale
        | Verb::Restart
        | Verb::Stop
        | Verb::Start
        | Verb::Pause
        | Verb::Unpause
        | Verb::Kill
        | Verb::Remove
        | Verb::Deploy
        | Verb::Rollback
        | Verb::Shell
        | Verb::Load
        | Verb::Lock
        | Verb::Unlock
        | Verb::Recover
        | Verb::Drill
        | Verb::Run
        | Verb::Silence
        | Verb::Unsilence => true,
    }
}

const IN_LOG: [Command; 10] = [
    Command::Filter,
    Command::Log(LogCommand::Follow),
    Command::SearchNext,
    Command::SearchPrevious,
    Command::Log(LogCommand::ErrorNext),
    Command::Log(LogCommand::Time),
    Command::Log(LogCommand::Wrap),
    Command::Copy,
    Command::Save,
    Command::Back,
];

/// The commands worth a place in the footer, most useful first.
#[must_use]
pub fn footer(state: &State) -> Vec<Command> {
    let mut commands = match state.nav.view().screen {
        Screen::Fleet => vec![Command::Enter, Command::Logs, Command::Operate(Verb::Lock), Command::Jump],
        Screen::Metrics => {
            vec![Command::Enter, Command::Logs, Command::Longer, Command::Shorter, Command::Each, Command::WhatChanged]
        }
        Screen::Workloads | Screen::Health => vec![
            Command::Enter,
            Command::Logs,
            Command::WhatChanged,
            Command::Operate(Verb::Restart),
            Command::Operate(Verb::Scale),
            Command::Operate(Verb::Deploy),
            Command::Operate(Verb::Rollback),
        ],
        Screen::Instances => {
            vec![
                Command::Logs,
                Command::Operate(Verb::Shell),
                Command::Operate(Verb::Restart),
                Command::Operate(Verb::Stop),
                Command::Describe,
            ]
        }
        Screen::Logs => IN_LOG.to_vec(),
        Screen::Alerts => {
            vec![
                Command::Enter,
                Command::Logs,
                Command::WhatChanged,
                Command::Operate(Verb::Silence),
                Command::Go(Screen::Metrics),
            ]
        }
        Screen::Timeline => vec![Command::Enter, Command::Logs, Command::Go(Screen::Metrics), Command::WhatChanged],
        Screen::Operations => vec![Command::AbortOperation, Command::TickOperation, Command::Operate(Verb::Recover)],
        Screen::Revisions => vec![Command::Operate(Verb::Rollback), Command::Operate(Verb::Deploy), Command::Describe],
        Screen::Describe => vec![Command::Copy, Command::Back],
    };
    match state.nav.view().screen {
        Screen::Logs | Screen::Describe => {}
        Screen::Fleet
        | Screen::Workloads
        | Screen::Instances
        | Screen::Health
        | Screen::Metrics
        | Screen::Alerts
        | Screen::Timeline
        | Screen::Operations
        | Screen::Revisions => commands.extend([Command::Menu, Command::Filter, Command::Sort, Command::Mark]),
    }
    commands.extend([Command::Palette, Command::Help]);
    commands
}
