//! Operations under way: started behind the guard, fed with what happens, ended into the past.

use std::collections::BTreeMap;

use crate::app::msg::Answer;
use crate::app::operations::{Refused, decide, plan_again, plan_for};
use crate::app::state::past::outcome_word;
use crate::app::state::{Confirm, Input, Overlay, Past, RowId, Screen, View};
use crate::app::{Effect, State};
use crate::model::{ConnectionId, EnvironmentId, Item, OperationId, Snapshot, Source};
use crate::operate::audit::Record;
use crate::operate::guard::{Decision, Question};
use crate::operate::machine::{self, Choice, Event, Machine, Outcome, Phase};
use crate::operate::{Operation, Plan, Refusal, Request};

use super::{ahead, menus, navigation};

/// Finished operations kept.
const PAST: usize = 200;

/// A request with its answers, from the command face. What became of it is in `state.operations.asked`.
pub fn ask(state: &mut State, request: &Request, answer: &Answer) -> Vec<Effect> {
    let asked = plan_for(state, request, answer.take_over).and_then(|plan| match decide(state, &plan, answer) {
        Decision::Go => Ok(plan),
        Decision::Ask(question) => Err(Refused::Ask { plan: Box::new(plan), question }),
        Decision::Refuse(why) => Err(Refused::Guard { plan: Box::new(plan), why }),
    });
    match asked {
        Ok(mut plan) => {
            plan.confirmed.clone_from(&answer.ticked);
            let id = plan.id.clone();
            state.operations.unattended.insert(id.clone());
            state.operations.asked = Some(Ok(id));
            start(state, plan)
        }
        Err(refused) => {
            state.operations.asked = Some(Err(refused));
            Vec::new()
        }
    }
}

/// A request from the console: planned, and shown wherever the guard asks for anything.
pub fn propose(state: &mut State, request: Request, take_over: bool) -> Vec<Effect> {
    let plan = match plan_for(state, &request, take_over) {
        Ok(plan) => plan,
        Err(Refused::Plan(refusal @ Refusal::MayBeAlive { .. })) => {
            menus::take_over(state, request, &refusal);
            return Vec::new();
        }
        Err(Refused::Plan(refusal @ (Refusal::NoSignal { .. } | Refusal::Frozen { .. }))) => {
            menus::knowingly(state, request, &refusal);
            return Vec::new();
        }
        Err(refused) => {
            state.say(false, refused.to_string());
            return Vec::new();
        }
    };
    match decide(state, &plan, &Answer::default()) {
        // What a person must say first is asked on the plan, whatever the guard.
        Decision::Go if ahead::unticked(&plan).is_none() => start(state, plan),
        Decision::Go | Decision::Ask(_) => {
            let effects = ahead::look(&plan);
            state.overlays.push(Overlay::Confirm(Confirm::of(plan, take_over)));
            effects
        }
        Decision::Refuse(why) => {
            state.say(false, why);
            Vec::new()
        }
    }
}

/// A deploy on screen with its checks before, or without them.
pub fn other_path(state: &mut State) -> Vec<Effect> {
    let Some(Overlay::Confirm(confirm)) = state.overlays.last() else { return Vec::new() };
    let (mut request, take_over) = (confirm.plan.request.clone(), confirm.take_over);
    if let Operation::Deploy { fast, .. } = &mut request.operation {
        *fast = !*fast;
    }
    let planned = plan_for(state, &request, take_over);
    let Some(Overlay::Confirm(confirm)) = state.overlays.last_mut() else { return Vec::new() };
    match planned {
        Ok(plan) => {
            let effects = ahead::look(&plan);
            *confirm = Confirm::of(plan, take_over);
            effects
        }
        Err(refused) => {
            confirm.refusal = Some(refused.to_string().into());
            Vec::new()
        }
    }
}

/// The answer to a plan on screen. It is planned once more: what changed since it was shown must be seen first.
pub fn answer(state: &mut State, yes: bool) -> Vec<Effect> {
    let Some(Overlay::Confirm(confirm)) = state.overlays.last() else { return Vec::new() };
    let typed = (!confirm.typed.text.is_empty()).then(|| confirm.typed.text.as_str().into());
    let ticked = confirm.plan.confirmed.clone();
    let answer = Answer { yes, typed, take_over: confirm.take_over, ticked };
    let shown = outline(&confirm.plan);
    let again = plan_again(state, &confirm.plan, answer.take_over);
    let mut effects = Vec::new();
    let refusal = match again {
        Ok(plan) if outline(&plan) == shown && ahead::unticked(&plan).is_some() => {
            let text = ahead::unticked(&plan).unwrap_or_default();
            format!("say first that it is so (space): {text}").into()
        }
        Ok(plan) if outline(&plan) == shown => match decide(state, &plan, &answer) {
            Decision::Go => {
                state.overlays.pop();
                return start(state, plan);
            }
            Decision::Ask(Question::Yes) => "press Enter to start".into(),
            Decision::Ask(Question::Type(name)) => format!("type {name} to start").into(),
            Decision::Refuse(why) => why,
        },
        Ok(plan) => {
            effects = ahead::look(&plan);
            if let Some(Overlay::Confirm(confirm)) = state.overlays.last_mut() {
                confirm.previews.clear();
                confirm.plan = plan;
            }
            "what is there has changed meanwhile: this is the plan now".into()
        }
        Err(refused) => refused.to_string().into(),
    };
    if let Some(Overlay::Confirm(confirm)) = state.overlays.last_mut() {
        confirm.refusal = Some(refusal);
        confirm.typed = Input::default();
    }
    effects
}

/// What a person has read of a plan, whatever its identity and times.
fn outline(plan: &Plan) -> (Vec<std::sync::Arc<str>>, Vec<crate::operate::Change>, Vec<std::sync::Arc<str>>) {
    (plan.steps.iter().map(|s| s.call.clone()).collect(), plan.changes.clone(), plan.warnings.clone())
}

/// Starts a plan the guard let through: the only place a machine is made.
pub(super) fn start(state: &mut State, plan: Plan) -> Vec<Effect> {
    state.operations.count += 1;
    let (id, environment) = (plan.id.clone(), plan.request.environment.clone());
    state.say(true, format!("{}: started", plan.title));
    state.timeline.push(Item {
        at: state.now,
        environment: environment.clone(),
        subject: plan.target.clone(),
        source: Source::Operation,
        what: plan.request.operation.verb().word().into(),
        detail: format!("{} by {}", plan.title, state.actor.by()).into(),
    });
    let (machine, first) = Machine::new(plan, &state.actor, state.now);
    state.operations.running.push(machine);
    state.generation += 1;
    let mut effects = translate(state, &environment.connection, &id, first);
    effects.extend(snapshot(state, &id));
    effects.extend(finish(state));
    effects
}

/// Shows the operation its environment as last seen, if that is fresh.
fn snapshot(state: &mut State, id: &OperationId) -> Vec<Effect> {
    let Some(machine) = state.operations.running.iter().find(|m| &m.plan.id == id) else { return Vec::new() };
    let environment = machine.plan.request.environment.clone();
    if !state.link(&environment.connection).is_some_and(crate::model::Link::is_live) {
        return Vec::new();
    }
    let Some(snapshot) = as_asked(state, &environment) else { return Vec::new() };
    feed(state, id, Event::Snapshot(&snapshot))
}

/// An environment as last seen, at the time the engine was asked: what has not changed is shared between inventories
/// and keeps the time it was first seen so, but a gate must know how fresh it is.
fn as_asked(state: &State, environment: &EnvironmentId) -> Option<Snapshot> {
    let at = state.connections.get(&environment.connection)?.inventory.as_ref()?.at;
    let snapshot = state.observed(environment)?;
    Some(Snapshot { at: at.max(snapshot.at), ..snapshot.as_ref().clone() })
}

/// Moves one machine.
fn feed(state: &mut State, id: &OperationId, event: Event<'_>) -> Vec<Effect> {
    let now = state.now;
    let Some(machine) = state.operations.running.iter_mut().find(|m| &m.plan.id == id) else { return Vec::new() };
    let connection = machine.plan.request.environment.connection.clone();
    let effects = machine.on(now, event);
    state.generation += 1;
    translate(state, &connection, id, effects)
}

/// What a machine wants done, as the program's effects; records are kept for the screen too.
fn translate(state: &mut State, connection: &ConnectionId, id: &OperationId, effects: Vec<machine::Effect>) -> Vec<Effect> {
    let mut out = Vec::with_capacity(effects.len());
    for effect in effects {
        out.push(match effect {
            machine::Effect::Execute(ticket, action) => {
                Effect::Execute { connection: connection.clone(), operation: id.clone(), ticket, action }
            }
            machine::Effect::Stop(ticket) => Effect::Stop { operation: id.clone(), ticket },
            machine::Effect::Journal(record) => {
                state.operations.records.entry(id.clone()).or_default().push(record.clone());
                Effect::Journal(record)
            }
            machine::Effect::Refresh => Effect::Refresh(connection.clone()),
        });
    }
    out
}

/// An answer, or words about an action under way.
pub fn event(state: &mut State, id: &OperationId, event: Event<'_>) -> Vec<Effect> {
    let mut effects = feed(state, id, event);
    effects.extend(finish(state));
    effects
}

fn ids(state: &State, connection: Option<&ConnectionId>) -> Vec<OperationId> {
    let running = state.operations.running.iter();
    let wanted = running.filter(|m| connection.is_none_or(|c| &m.plan.request.environment.connection == c));
    wanted.map(|m| m.plan.id.clone()).collect()
}

/// The same event for every operation of a connection.
pub fn broadcast(state: &mut State, connection: &ConnectionId, event: &Event<'_>) -> Vec<Effect> {
    let mut effects = Vec::new();
    for id in ids(state, Some(connection)) {
        effects.extend(feed(state, &id, event.clone()));
    }
    effects.extend(finish(state));
    effects
}

/// A fresh inventory came: every operation of the connection sees its environment. What comes is fresh by itself,
/// whatever the link last said.
pub fn snapshots(state: &mut State, connection: &ConnectionId) -> Vec<Effect> {
    let mut effects = Vec::new();
    for id in ids(state, Some(connection)) {
        let machine = state.operations.running.iter().find(|m| m.plan.id == id);
        let Some(snapshot) = machine.and_then(|m| as_asked(state, &m.plan.request.environment)) else { continue };
        effects.extend(feed(state, &id, Event::Snapshot(&snapshot)));
    }
    effects.extend(finish(state));
    effects
}

/// Time passed.
pub fn tick(state: &mut State) -> Vec<Effect> {
    let mut effects = Vec::new();
    for id in ids(state, None) {
        effects.extend(feed(state, &id, Event::Tick));
    }
    effects.extend(finish(state));
    effects
}

/// Puts what has ended into the past, and asks where a policy says to ask.
fn finish(state: &mut State) -> Vec<Effect> {
    let mut effects = Vec::new();
    while let Some(at) = state.operations.running.iter().position(|m| m.outcome().is_some()) {
        let machine = state.operations.running.remove(at);
        end(state, &machine);
    }
    let asking = |m: &&Machine| matches!(m.phase, Phase::Asking(_));
    let asking: Vec<OperationId> = state.operations.running.iter().filter(asking).map(|m| m.plan.id.clone()).collect();
    for id in asking {
        if state.operations.unattended.contains(&id) {
            // Nobody is there to be asked: the old state is the safe one.
            effects.extend(feed(state, &id, Event::Choose(Choice::Undo)));
        } else if state.overlays.is_empty() {
            menus::failed(state, &id);
        }
    }
    ask_people(state);
    effects
}

/// Asks what operations wait for a person to say: once by itself, later by command.
fn ask_people(state: &mut State) {
    let asks = |m: &Machine| Some((m.plan.id.clone(), m.asks()?.clone()));
    let asked: Vec<_> = state.operations.running.iter().filter_map(asks).collect();
    for (id, text) in asked {
        let known = state.operations.asked_people.contains(&(id.clone(), text.clone()));
        if !known && !state.operations.unattended.contains(&id) && state.overlays.is_empty() {
            state.operations.asked_people.insert((id.clone(), text.clone()));
            menus::tick(state, &id, &text);
        }
    }
}

/// Asks again what the operation meant waits for.
pub fn tick_meant(state: &mut State) -> Vec<Effect> {
    let asked = meant(state).and_then(|id| {
        let machine = state.operations.running.iter().find(|m| m.plan.id == id)?;
        Some((id, machine.asks()?.clone()))
    });
    match asked {
        Some((id, text)) => menus::tick(state, &id, &text),
        None => state.say(false, "no operation here waits for a person"),
    }
    Vec::new()
}

fn end(state: &mut State, machine: &Machine) {
    let id = machine.plan.id.clone();
    let Some(outcome) = machine.outcome() else { return };
    let records = state.operations.records.remove(&id).unwrap_or_default();
    state.operations.asked_people.retain(|(asking, _)| *asking != id);
    state.operations.past.insert(0, Past { id, records });
    state.operations.past.truncate(PAST);
    let (title, word) = (&machine.plan.title, outcome_word(outcome));
    let detail = if machine.detail.is_empty() { title.clone() } else { machine.detail.clone() };
    let text = if machine.detail.is_empty() { format!("{title}: {word}") } else { format!("{title}: {word}: {detail}") };
    state.say(*outcome == Outcome::Done, text);
    state.timeline.push(Item {
        at: state.now,
        environment: machine.plan.request.environment.clone(),
        subject: machine.plan.target.clone(),
        source: Source::Operation,
        what: word.into(),
        detail,
    });
    state.generation += 1;
}

/// The operation meant: the selected one, else the one in this environment, else the only one.
fn meant(state: &State) -> Option<OperationId> {
    if let Some(RowId::Operation(id)) = &state.nav.view().table.selected {
        return state.operations.running.iter().find(|m| &m.plan.id == id).map(|m| m.plan.id.clone());
    }
    let here = state.environment().and_then(|e| state.operation_in(&e)).map(|m| m.plan.id.clone());
    here.or_else(|| match state.operations.running.as_slice() {
        [one] => Some(one.plan.id.clone()),
        [] | [_, _, ..] => None,
    })
}

/// Aborts the operation meant; one that waits for an answer is answered instead.
pub fn abort(state: &mut State) -> Vec<Effect> {
    let Some(id) = meant(state) else {
        state.say(false, "no operation is under way here");
        return Vec::new();
    };
    if state.operations.running.iter().any(|m| m.plan.id == id && matches!(m.phase, Phase::Asking(_))) {
        menus::failed(state, &id);
        return Vec::new();
    }
    state.say(true, "aborting: going back to the old state");
    event(state, &id, Event::Abort)
}

/// Aborts everything under way.
pub fn abort_all(state: &mut State) -> Vec<Effect> {
    let mut effects = Vec::new();
    for id in ids(state, None) {
        effects.extend(feed(state, &id, Event::Abort));
    }
    effects.extend(finish(state));
    effects
}

/// Shows an operation among the others.
pub fn show(state: &mut State, row: &RowId) {
    if state.nav.view().screen != Screen::Operations {
        let mut view = View::new(Screen::Operations);
        view.table.selected = Some(row.clone());
        navigation::push(state, view);
    }
}

/// What the journal holds from before: put behind what this run has done itself.
pub fn past(state: &mut State, records: Vec<Record>) -> Vec<Effect> {
    let mut by_id: BTreeMap<OperationId, Vec<Record>> = BTreeMap::new();
    for record in records {
        by_id.entry(OperationId(record.operation.clone())).or_default().push(record);
    }
    let known = |id: &OperationId| {
        state.operations.past.iter().any(|p| &p.id == id) || state.operations.running.iter().any(|m| &m.plan.id == id)
    };
    let mut older: Vec<Past> = by_id.into_iter().filter(|(id, _)| !known(id)).map(|(id, records)| Past { id, records }).collect();
    older.sort_by_key(|p| std::cmp::Reverse(p.at()));
    state.operations.past.extend(older);
    state.operations.past.truncate(PAST);
    state.generation += 1;
    Vec::new()
}
