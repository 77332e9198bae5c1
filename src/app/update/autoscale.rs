//! Autoscaling: figures are asked for, policies decide, and what they decide is told, and done where they are told to.

use std::sync::Arc;
use std::time::Duration;

use crate::app::operations::plan_for;
use crate::app::{Effect, State};
use crate::engine::EngineError;
use crate::model::{EngineKind, EnvironmentId, Guard, InstanceState, Item, Link, Source, Verb};
use crate::operate::action::InstanceRef;
use crate::operate::autoscale::{Around, Autoscale, Decision, Mode, Scaler};
use crate::operate::{Accepted, Action, Operation, Request, Target, plan};

use super::operations;

/// Time between two readings, at most; policies that are quick are read more often.
const EVERY: Duration = Duration::from_secs(10);

/// Asks for the figures that are due.
pub fn tick(state: &mut State) -> Vec<Effect> {
    if !state.autoscalers.at_work {
        return Vec::new();
    }
    let mut effects = Vec::new();
    for (environment, at, policy) in policies(state) {
        let key = (environment.clone(), at);
        let every = EVERY.min(policy.during / 3).max(Duration::from_secs(1));
        let asked = state.autoscalers.asked.get(&key);
        let rested = asked.is_none_or(|asked| state.now.duration_since(*asked).unsigned_abs() >= every);
        if rested && let Some(look) = look(state, &environment, &policy) {
            state.autoscalers.asked.insert(key.clone(), state.now);
            match look {
                Ok(look) => {
                    let connection = environment.connection.clone();
                    effects.push(Effect::Measure { connection, environment, policy: at, look });
                }
                Err(why) => effects.extend(read(state, &environment, at, Err(why))),
            }
        }
    }
    effects
}

/// The policies of environments whose engine does not scale by itself.
fn policies(state: &State) -> Vec<(EnvironmentId, usize, Autoscale)> {
    let here = |id: &EnvironmentId| state.snapshot(id).is_some_and(|s| s.environment.engine != EngineKind::Kubernetes);
    let all = state.settings.policies.iter().filter(|(id, _)| here(id));
    all.flat_map(|(id, p)| p.autoscale.iter().enumerate().map(|(at, a)| (id.clone(), at, a.clone()))).collect()
}

/// What is to be asked; `None` while the environment cannot be seen, or nothing of the workload runs.
fn look(state: &State, environment: &EnvironmentId, scale: &Autoscale) -> Option<Result<Action, Arc<str>>> {
    if !state.link(&environment.connection).is_some_and(Link::is_live) {
        return None;
    }
    let (snapshot, workload) = state.workload(environment, &scale.workload)?;
    let running = workload.replicas().filter(|i| i.state == InstanceState::Running);
    let instances: Vec<InstanceRef> = running.map(|i| InstanceRef::Known(i.id.clone())).collect();
    if instances.is_empty() {
        return None;
    }
    let policy = state.policy(&snapshot.environment);
    let look = plan::reading_of(&policy, environment, &scale.workload, &scale.metric, &instances);
    Some(look.map_err(|refusal| refusal.to_string().into()))
}

/// A figure came, or why there is none.
pub fn measured(
    state: &mut State,
    environment: &EnvironmentId,
    policy: usize,
    result: Result<Accepted, EngineError>,
) -> Vec<Effect> {
    let value = match result {
        Ok(Accepted::Reading { value: Some(value), .. }) => Ok(value),
        Ok(_) => Err("it was no figure".into()),
        Err(error) => Err(error.to_string().into()),
    };
    read(state, environment, policy, value)
}

fn read(state: &mut State, environment: &EnvironmentId, at: usize, value: Result<f64, Arc<str>>) -> Vec<Effect> {
    let Some(scale) = state.settings.policies.get(environment).and_then(|p| p.autoscale.get(at)).cloned() else {
        return Vec::new();
    };
    let Some((_, workload)) = state.workload(environment, &scale.workload) else { return Vec::new() };
    let (replicas, held) = (workload.desired, held(state, environment));
    let around = Around { replicas, held: held.as_deref() };
    let key = (environment.clone(), at);
    let now = state.now;
    let scaler = state.autoscalers.scalers.entry(key.clone()).or_insert_with(|| Scaler::new(scale.clone()));
    let decision = scaler.read(now, value, around);
    state.generation += 1;
    decision.map_or_else(Vec::new, |decision| act(state, &key, &scale, &decision))
}

/// Why nothing may be changed in the environment now.
fn held(state: &State, environment: &EnvironmentId) -> Option<String> {
    let snapshot = state.snapshot(environment)?;
    if let Some(machine) = state.in_the_way(environment, Verb::Scale) {
        return Some(format!("{} is under way", machine.plan.title));
    }
    if let Some(lock) = &snapshot.lock {
        return Some(format!("locked by {}: {}", lock.by, lock.why));
    }
    if state.settings.read_only || state.policy(&snapshot.environment).guard == Guard::ReadOnly {
        return Some("it is read-only".to_owned());
    }
    (!state.link(&environment.connection).is_some_and(Link::is_live)).then(|| "it cannot be seen".to_owned())
}

/// Tells a decision, and does it where the policy is told to act: its mode is the answer to the guard.
fn act(state: &mut State, key: &(EnvironmentId, usize), scale: &Autoscale, decision: &Decision) -> Vec<Effect> {
    let environment = &key.0;
    let detail = match (&decision.held, scale.mode) {
        (Some(held), _) => format!("{} (not done: {held})", decision.why),
        (None, Mode::Recommend) => format!("{} (recommended)", decision.why),
        (None, Mode::Act) => decision.why.to_string(),
    };
    tell(state, environment, scale, detail);
    if decision.held.is_some() || scale.mode == Mode::Recommend {
        return Vec::new();
    }
    let targets = vec![Target { workload: scale.workload.clone(), instance: None }];
    let request = Request { environment: environment.clone(), targets, operation: Operation::Scale { to: decision.to } };
    match plan_for(state, &request, false) {
        Ok(plan) => {
            state.operations.unattended.insert(plan.id.clone());
            operations::start(state, plan)
        }
        Err(refused) => {
            if let Some(scaler) = state.autoscalers.scalers.get_mut(key) {
                scaler.not_done();
            }
            tell(state, environment, scale, format!("{} could not be done: {refused}", decision.why));
            Vec::new()
        }
    }
}

fn tell(state: &mut State, environment: &EnvironmentId, scale: &Autoscale, detail: String) {
    state.timeline.push(Item {
        at: state.now,
        environment: environment.clone(),
        subject: scale.workload.0.clone(),
        source: Source::Operation,
        what: "autoscale".into(),
        detail: detail.into(),
    });
}
