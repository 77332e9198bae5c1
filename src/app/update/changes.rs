//! What changed before this: asked for, moved through, and what can be done about a cause.

use crate::app::changes::{self, Changes, Lead, WINDOWS};
use crate::app::state::{Overlay, RowId, Screen, View};
use crate::app::{Command, Effect, State};
use crate::keymap::{Chord, Context, Lookup};
use crate::model::{Capability, EngineKind, Verb};
use crate::operate::Target;

use super::keys::{Motion, motion};
use super::overlay::moved;
use super::{logs, menus, navigation};

/// Asks it of what is selected.
pub fn ask(state: &mut State) {
    match changes::of_selection(state) {
        Ok(asked) => {
            let told = changes::before(state, asked, WINDOWS[0]);
            state.overlays.push(Overlay::Changes { changes: Box::new(told), selected: 0 });
        }
        Err(why) => state.say(false, why),
    }
}

/// A key over the answer: moving, or the very key that does a thing on any screen.
pub fn key(state: &mut State, chord: Chord) -> Vec<Effect> {
    let page = crate::app::layout::page(state);
    let how = motion(state, chord);
    let run = match state.keys.keymap.lookup(Context::List, &[chord]) {
        Lookup::Run(command) => Some(command),
        Lookup::Pending(_) | Lookup::Nothing => None,
    };
    let Some(Overlay::Changes { changes, selected }) = state.overlays.last_mut() else { return Vec::new() };
    let lead = changes.causes.get(*selected).map(|c| (c.at, c.lead.clone()));
    match (how, run) {
        (Motion::Leave, _) | (_, Some(Command::WhatChanged)) => drop(state.overlays.pop()),
        (Motion::Enter, _) => {
            if let Some((_, lead)) = lead {
                open(state, &lead);
            }
        }
        (Motion::Other, Some(Command::Longer)) => widen(state, 1),
        (Motion::Other, Some(Command::Shorter)) => widen(state, -1),
        (Motion::Other, Some(command)) => {
            if let Some((at, lead)) = lead {
                return act(state, command, at, &lead);
            }
        }
        (Motion::Up | Motion::Down | Motion::PageUp | Motion::PageDown | Motion::Top | Motion::Bottom, _) => {
            *selected = moved(*selected, changes.causes.len(), page, how);
        }
        (Motion::Other, None) => {}
    }
    Vec::new()
}

/// Looks further back, or not so far.
fn widen(state: &mut State, by: isize) {
    let Some(Overlay::Changes { changes, .. }) = state.overlays.last() else { return };
    let at = WINDOWS.iter().position(|w| *w == changes.window).unwrap_or(0);
    let window = WINDOWS[at.saturating_add_signed(by).min(WINDOWS.len() - 1)];
    let told: Changes = changes::before(state, changes.asked.clone(), window);
    if let Some(Overlay::Changes { changes, selected }) = state.overlays.last_mut() {
        **changes = told;
        *selected = 0;
    }
}

/// What can be done about a cause from here.
fn act(state: &mut State, command: Command, at: jiff::Timestamp, lead: &Lead) -> Vec<Effect> {
    let Some(environment) = lead.environment.clone() else { return Vec::new() };
    match command {
        Command::Describe | Command::Revisions | Command::Go(Screen::Describe | Screen::Revisions) => diff(state, lead),
        Command::Logs | Command::Go(Screen::Logs) => {
            state.overlays.pop();
            logs::open_at(state, &environment, (lead.workload.as_ref(), lead.instance.as_ref()), at);
        }
        Command::Go(screen @ (Screen::Metrics | Screen::Timeline)) => {
            state.overlays.pop();
            let row = lead.workload.clone().map(|w| RowId::Workload(environment.clone(), w));
            let mut view = View::of(screen, environment);
            view.table.selected = row;
            if screen == Screen::Metrics {
                state.charts.show(at, state.now);
            }
            navigation::push(state, view);
        }
        Command::Operate(Verb::Rollback) => match (&lead.workload, rollback(state, lead)) {
            (Some(workload), Capability::Allowed) => {
                state.overlays.pop();
                menus::rollback(state, &environment, &Target { workload: workload.clone(), instance: None });
            }
            (Some(_), Capability::Denied(why)) => state.say(false, format!("roll back: {why}")),
            (None, _) => state.say(false, "roll back: this is of no workload"),
        },
        _ => {}
    }
    Vec::new()
}

/// Whether the workload a cause is about can be rolled back.
#[must_use]
pub fn rollback(state: &State, lead: &Lead) -> Capability {
    let found = lead.environment.as_ref().zip(lead.workload.as_ref()).and_then(|(e, w)| state.workload(e, w));
    let Some((snapshot, workload)) = found else { return Capability::Denied("it is no longer there".into()) };
    if state.settings.read_only || state.policy(&snapshot.environment).guard == crate::model::Guard::ReadOnly {
        return Capability::Denied("nothing may be changed here".into());
    }
    workload.capabilities.of(Verb::Rollback)
}

/// What a revision changed, where the engine keeps revisions whole; else the revisions with it selected.
fn diff(state: &mut State, lead: &Lead) {
    let found = lead.environment.as_ref().zip(lead.workload.as_ref()).and_then(|(e, w)| state.workload(e, w));
    let Some((snapshot, workload)) = found else {
        state.say(false, "it is no longer there");
        return;
    };
    let (id, workload_id) = (snapshot.environment.id.clone(), workload.id.clone());
    let before = lead.revision.and_then(|r| workload.revisions.iter().map(|o| o.number).filter(|n| *n < r).max());
    let whole = snapshot.environment.engine == EngineKind::Kubernetes;
    let mut view = View { workload: Some(workload_id), ..View::of(Screen::Revisions, id) };
    match lead.revision {
        Some(revision) if whole => {
            view.screen = Screen::Describe;
            view.revision = Some((before, revision));
        }
        revision => view.table.selected = revision.map(RowId::Revision),
    }
    state.overlays.pop();
    navigation::push(state, view);
}

/// Goes to what a cause is: its operation, its revision, else what it happened to.
fn open(state: &mut State, lead: &Lead) {
    if let Some(operation) = &lead.operation {
        state.overlays.pop();
        super::operations::show(state, &RowId::Operation(operation.clone()));
        return;
    }
    if lead.revision.is_some() {
        diff(state, lead);
        return;
    }
    let Some(environment) = lead.environment.clone() else { return };
    let row = match (&lead.instance, &lead.workload) {
        (Some(instance), _) => RowId::Instance(environment, instance.clone()),
        (None, Some(workload)) => RowId::Workload(environment, workload.clone()),
        (None, None) => RowId::Environment(environment),
    };
    state.overlays.pop();
    drop(navigation::jump(state, &row));
}
