//! Menus: what can be done here, columns to sort by, themes, revisions, faults, and the questions an operation asks.

use std::sync::Arc;

use crate::app::format::moment;
use crate::app::operations::drills;
use crate::app::rows;
use crate::app::state::{Choice, Entry, Menu, Overlay, RowId, Screen};
use crate::app::{Command, Effect, State, available};
use crate::model::{Capability, EnvironmentId, OperationId, Verb};
use crate::operate::machine;
use crate::operate::request::Ending;
use crate::operate::{Operation, Refusal, Request, Target};

use super::{forward, inspect, navigation, operations, run, table};

fn entry(label: impl Into<Arc<str>>, choice: Choice) -> Entry {
    Entry { label: label.into(), key: None, choice, denied: None }
}

fn show(state: &mut State, title: impl Into<Arc<str>>, entries: Vec<Entry>, selected: usize) {
    let title = title.into();
    if entries.is_empty() {
        state.say(false, format!("{title}: there is nothing to choose from"));
        return;
    }
    state.overlays.push(Overlay::Menu(Menu { title, entries, selected }));
}

/// Everything that can be done with what is selected; what cannot says why.
pub fn actions(state: &mut State) {
    let title = match &state.nav.view().table.selected {
        _ if !state.nav.view().table.marks.is_empty() => format!("{} marked", state.nav.view().table.marks.len()),
        Some(row) => rows::label(state, row),
        None => state.nav.view().screen.title().to_owned(),
    };
    let mut entries: Vec<Entry> = Vec::new();
    let context = super::keys::context(state);
    for command in available::actions(state) {
        let Some(info) = command.info() else { continue };
        let denied = match available::available(state, command) {
            Capability::Allowed => None,
            Capability::Denied(why) => Some(why),
        };
        // The very key that does it without the menu, so that menus teach keys and never mean another thing by them.
        let keys = state.keys.keymap.keys_of(context, command);
        let key = keys.iter().find_map(|k| k.parse::<char>().ok());
        entries.push(Entry { label: info.title.into(), key, choice: Choice::Run(command), denied });
    }
    let first = entries.iter().position(|e| e.denied.is_none()).unwrap_or(0);
    show(state, title, entries, first);
}

/// The columns to sort by.
pub fn sort(state: &mut State) {
    let view = state.nav.view();
    let current = view.table.sort.or_else(|| rows::default_sort(view.screen)).map(|(c, _)| c);
    let columns: Vec<_> = rows::columns(view.screen).iter().map(|s| s.column).filter(|c| *c != rows::Column::CpuTrend).collect();
    let selected = columns.iter().position(|c| Some(*c) == current).unwrap_or(0);
    let entries = columns.into_iter().map(|c| entry(rows::title(c), Choice::Sort(c))).collect();
    show(state, "sort by", entries, selected);
}

/// The themes at hand.
pub fn theme(state: &mut State) {
    let themes = state.settings.themes.clone();
    let selected = themes.iter().position(|t| *t == state.settings.theme).unwrap_or(0);
    let entries = themes.into_iter().map(|t| entry(t.clone(), Choice::Theme(t))).collect();
    show(state, "theme", entries, selected);
}

/// The revisions a workload can go back to.
pub fn rollback(state: &mut State, environment: &EnvironmentId, target: &Target) {
    let Some((_, workload)) = state.workload(environment, &target.workload) else { return };
    let current = workload.revision;
    let entries: Vec<Entry> = workload
        .revisions
        .iter()
        .map(|r| {
            let when = r.at.map(|at| format!(", {}", moment(state.now, at, state.settings.utc_offset_minutes)));
            let by = r.by.as_ref().map(|by| format!(" by {by}"));
            let label = format!("{}  {}{}{}", r.number, r.image, when.unwrap_or_default(), by.unwrap_or_default());
            let operation = Operation::Rollback { to: Some(r.number) };
            let choice = Choice::Do { environment: environment.clone(), targets: vec![target.clone()], operation };
            let denied = (current == Some(r.number)).then(|| "it runs already".into());
            Entry { label: label.into(), key: None, choice, denied }
        })
        .collect();
    let selected = entries.iter().position(|e| e.denied.is_none()).unwrap_or(0);
    show(state, format!("roll {} back to", target.workload), entries, selected);
}

/// The faults that can be played.
pub fn drill(state: &mut State, environment: &EnvironmentId) {
    let entries = drills(state, environment)
        .iter()
        .map(|(name, what)| {
            let operation = Operation::Drill { name: name.clone() };
            entry(format!("{name}: {what}"), Choice::Do { environment: environment.clone(), targets: Vec::new(), operation })
        })
        .collect();
    show(state, "play a fault", entries, 0);
}

/// The runbooks of an environment; one that may not run there says why.
pub fn runbooks(state: &mut State, environment: &EnvironmentId) {
    let Some(snapshot) = state.snapshot(environment) else { return };
    let tier = snapshot.environment.tier;
    let entries = state
        .policy(&snapshot.environment)
        .runbooks
        .iter()
        .map(|r| {
            let about = r.about.as_ref().map(|about| format!(": {about}")).unwrap_or_default();
            let operation = Operation::Run { runbook: r.name.clone(), variables: Vec::new() };
            let choice = Choice::Do { environment: environment.clone(), targets: Vec::new(), operation };
            let denied = (!r.tiers.is_empty() && !r.tiers.contains(&tier)).then(|| format!("it may not run on {tier}").into());
            Entry { label: format!("{}{about}", r.name).into(), key: None, choice, denied }
        })
        .collect();
    show(state, "run", entries, 0);
}

/// The nodes of a cluster, for what is done to one; where it is so already, that is said.
pub fn nodes(state: &mut State, environment: &EnvironmentId, verb: Verb) {
    let Some(snapshot) = state.snapshot(environment) else { return };
    let entries = snapshot
        .nodes
        .iter()
        .map(|n| {
            let node = n.name.clone();
            let (operation, denied) = match verb {
                Verb::Cordon => (Operation::Cordon { node }, n.cordoned.then(|| "it is cordoned already".into())),
                Verb::Uncordon => (Operation::Uncordon { node }, (!n.cordoned).then(|| "it is not cordoned".into())),
                _ => (Operation::Drain { node }, None),
            };
            let label = format!("{} · {} pods{}", n.name, n.pods, if n.cordoned { " · cordoned" } else { "" });
            let choice = Choice::Do { environment: environment.clone(), targets: Vec::new(), operation };
            Entry { label: label.into(), key: None, choice, denied }
        })
        .collect();
    show(state, verb.word(), entries, 0);
}

/// How to end what an operation has left unfinished.
pub fn recover(state: &mut State, environment: &EnvironmentId) {
    let name = state.name_of(environment);
    let why = state.snapshot(environment).and_then(|s| s.lock.as_ref()).map_or_else(String::new, |l| format!(": {}", l.why));
    let ending =
        |ending| Choice::Do { environment: environment.clone(), targets: Vec::new(), operation: Operation::Recover { ending } };
    let entries = vec![
        entry("leave it for now", Choice::Nothing),
        entry("finish it", ending(Ending::Finish)),
        entry("undo it: go back to how it was", ending(Ending::Undo)),
    ];
    show(state, format!("unfinished in {name}{why}"), entries, 0);
}

/// A lock whose owner may be alive is only taken over knowingly.
pub fn take_over(state: &mut State, request: Request, refusal: &Refusal) {
    let entries = vec![
        entry("leave it", Choice::Nothing),
        entry("take it over: I know that its owner is no longer at it", Choice::TakeOver(request)),
    ];
    show(state, refusal.to_string(), entries, 0);
}

/// What nothing tells well from ill, and what is frozen, is only deployed knowingly.
pub fn knowingly(state: &mut State, request: Request, refusal: &Refusal) {
    let Operation::Deploy { image, container, strategy, fast, unwatched } = request.operation else { return };
    let frozen = matches!(refusal, Refusal::Frozen { .. });
    let operation = Operation::Deploy { image, container, strategy, fast: fast || frozen, unwatched: unwatched || !frozen };
    let (environment, targets) = (request.environment, request.targets);
    let all_the_same = if frozen {
        "deploy it all the same: without the checks before"
    } else {
        "deploy it all the same: it is only watched to run"
    };
    let entries = vec![entry("leave it", Choice::Nothing), entry(all_the_same, Choice::Do { environment, targets, operation })];
    show(state, refusal.to_string(), entries, 0);
}

/// What to do about a failed step.
pub fn failed(state: &mut State, id: &OperationId) {
    let Some(machine) = state.operations.running.iter().find(|m| &m.plan.id == id) else { return };
    let title = format!("{}: {}", machine.plan.title, machine.detail);
    let answer = |choice| Choice::Answer(id.clone(), choice);
    let entries = vec![
        entry("try the step again", answer(machine::Choice::Retry)),
        entry("go back to the old state", answer(machine::Choice::Undo)),
        entry("leave it as it is, to be recovered later", answer(machine::Choice::Leave)),
    ];
    show(state, title, entries, 0);
}

/// What an operation waits for a person to say.
pub fn tick(state: &mut State, id: &OperationId, text: &Arc<str>) {
    let Some(machine) = state.operations.running.iter().find(|m| &m.plan.id == id) else { return };
    let title = format!("{} asks: {text}", machine.plan.title);
    let entries = vec![
        entry("not yet", Choice::Nothing),
        entry("it is so: go on", Choice::Tick(id.clone(), text.clone())),
        entry("stop here and go back", Choice::Abort(id.clone())),
    ];
    show(state, title, entries, 0);
}

/// Does what was chosen.
pub fn choose(state: &mut State, choice: Choice) -> Vec<Effect> {
    match choice {
        Choice::Run(command) => run::run(state, command),
        Choice::Do { environment, targets, operation } => {
            operations::propose(state, Request { environment, targets, operation }, false)
        }
        Choice::TakeOver(request) => operations::propose(state, request, true),
        Choice::Tick(id, text) => operations::event(state, &id, machine::Event::Confirm(text)),
        Choice::Abort(id) => operations::event(state, &id, machine::Event::Abort),
        Choice::Answer(id, answer) => operations::event(state, &id, machine::Event::Choose(answer)),
        Choice::Sort(column) => {
            table::sort_by(state, column);
            Vec::new()
        }
        Choice::Theme(name) => {
            state.settings.theme = name.clone();
            vec![Effect::Theme(name)]
        }
        Choice::Field { name, value } => {
            inspect::field(state, &name, &value);
            Vec::new()
        }
        Choice::FieldDeed { name, value, deed } => inspect::deed(state, &name, &value, deed),
        Choice::Format(instance, format) => {
            inspect::format(state, instance, format);
            Vec::new()
        }
        Choice::CloseForward(id) => forward::close(state, id),
        Choice::Open(row) => navigation::jump(state, &row),
        Choice::Nothing => Vec::new(),
    }
}

/// Whether a rollback is meant for the revision selected.
pub(super) fn selected_revision(state: &State) -> Option<u64> {
    let view = state.nav.view();
    match (&view.table.selected, view.screen) {
        (Some(RowId::Revision(number)), Screen::Revisions) => Some(*number),
        (_, _) => None,
    }
}

/// Verbs in the order of menus: harmless first.
pub const VERBS: [Verb; 25] = [
    Verb::Restart,
    Verb::Scale,
    Verb::Deploy,
    Verb::Rollback,
    Verb::Up,
    Verb::Bounds,
    Verb::Trigger,
    Verb::Shell,
    Verb::Start,
    Verb::Pause,
    Verb::Unpause,
    Verb::Stop,
    Verb::Kill,
    Verb::Remove,
    Verb::Run,
    Verb::Load,
    Verb::Lock,
    Verb::Unlock,
    Verb::Recover,
    Verb::Drill,
    Verb::Cordon,
    Verb::Uncordon,
    Verb::Drain,
    Verb::Silence,
    Verb::Unsilence,
];

/// The commands a menu is made of.
#[must_use]
pub fn commands(row: Option<&RowId>) -> Vec<Command> {
    let of_alerts = matches!(row, Some(RowId::Alert(..)));
    let mut commands = vec![Command::Enter, Command::Logs];
    if of_alerts {
        let silencing = [Verb::Silence, Verb::Unsilence].map(Command::Operate);
        commands.push(Command::WhatChanged);
        commands.extend(silencing);
    }
    let about_environment = matches!(row, None | Some(RowId::Environment(_) | RowId::Connection(_) | RowId::Operation(_)));
    if !about_environment {
        commands.extend([Command::PreviousLogs, Command::Describe, Command::Revisions]);
    }
    commands.push(Command::Copy);
    let fits = |v: &&Verb| matches!(**v, Verb::Up | Verb::Load) || crate::app::operations::is_about_environment(**v);
    let is_alerts = |v: &&Verb| matches!(**v, Verb::Silence | Verb::Unsilence);
    let verbs = VERBS.iter().filter(|v| (!about_environment || fits(v)) && !is_alerts(v));
    commands.extend(verbs.map(|v| Command::Operate(*v)));
    if matches!(row, Some(RowId::Operation(_))) {
        commands.extend([Command::AbortOperation, Command::TickOperation]);
    }
    commands
}
