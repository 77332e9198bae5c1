//! From a verb to a request: what is still missing is asked for, then it is proposed.

use std::sync::Arc;

use crate::app::operations::{selected_alert, targets};
use crate::app::state::{Input, Purpose};
use crate::app::{Effect, State, layout};
use crate::engine::Shell;
use crate::model::{EnvironmentId, Guard, InstanceId, InstanceState, Verb};
use crate::operate::audit::{Deed, Record};
use crate::operate::{Operation, Request, Target};

use super::{menus, operations, prompt};

/// Begins an operation on what is selected or marked.
pub fn wish(state: &mut State, verb: Verb) -> Vec<Effect> {
    let (environment, targets) = match targets(state, verb) {
        Ok(found) => found,
        Err(why) => {
            state.say(false, why);
            return Vec::new();
        }
    };
    let operation = match verb {
        Verb::Restart => Operation::Restart,
        Verb::Stop => Operation::Stop,
        Verb::Start => Operation::Start,
        Verb::Pause => Operation::Pause,
        Verb::Unpause => Operation::Unpause,
        Verb::Kill => Operation::Kill { signal: "SIGKILL".into() },
        Verb::Remove => Operation::Remove,
        Verb::Up => Operation::Up,
        Verb::Trigger => Operation::Trigger,
        Verb::Unlock => Operation::Unlock,
        Verb::Rollback => match (menus::selected_revision(state), targets.as_slice()) {
            (Some(to), _) => Operation::Rollback { to: Some(to) },
            (None, [one]) => {
                menus::rollback(state, &environment, &one.clone());
                return Vec::new();
            }
            (None, [] | [_, _, ..]) => Operation::Rollback { to: None },
        },
        Verb::Scale => return scale(state, environment, targets),
        Verb::Deploy => return deploy(state, environment, targets),
        Verb::Shell => return shell(state, &environment, &targets),
        Verb::Lock => {
            let title = format!("lock {}: why", state.name_of(&environment));
            prompt::open(state, Purpose::LockReason { environment }, title, Input::default());
            return Vec::new();
        }
        Verb::Silence => return silence(state),
        Verb::Unsilence => return unsilence(state),
        Verb::Recover => {
            menus::recover(state, &environment);
            return Vec::new();
        }
        Verb::Drill => {
            menus::drill(state, &environment);
            return Vec::new();
        }
        Verb::Run => {
            menus::runbooks(state, &environment);
            return Vec::new();
        }
        Verb::Load => return load(state, environment, targets),
        Verb::Bounds => return bounds(state, environment, targets),
        Verb::Cordon | Verb::Uncordon | Verb::Drain => {
            menus::nodes(state, &environment, verb);
            return Vec::new();
        }
    };
    operations::propose(state, Request { environment, targets, operation }, false)
}

/// Asks how long and why the selected alert is silenced.
fn silence(state: &mut State) -> Vec<Effect> {
    let Some((environment, alert)) = selected_alert(state).map(|(id, alert)| (id.clone(), alert.name.clone())) else {
        state.say(false, "select an alert first");
        return Vec::new();
    };
    let title = format!("silence {alert}: how long, and why");
    prompt::open(state, Purpose::Silence { environment, alert }, title, Input::new("2h "));
    Vec::new()
}

/// Ends the silence over the selected alert.
fn unsilence(state: &mut State) -> Vec<Effect> {
    let found = selected_alert(state).and_then(|(id, alert)| Some((id.clone(), alert.silence.as_ref()?.id.clone())));
    let Some((environment, id)) = found else {
        state.say(false, "select a silenced alert first");
        return Vec::new();
    };
    operations::propose(state, Request { environment, targets: Vec::new(), operation: Operation::Unsilence { id } }, false)
}

/// What targets are called in a title.
fn called(targets: &[Target]) -> String {
    match targets {
        [one] => one.workload.to_string(),
        [] | [_, _, ..] => format!("{} workloads", targets.len()),
    }
}

fn scale(state: &mut State, environment: EnvironmentId, targets: Vec<Target>) -> Vec<Effect> {
    let current: Vec<u32> =
        targets.iter().filter_map(|t| state.workload(&environment, &t.workload)).map(|(_, w)| w.desired).collect();
    let same = current.first().filter(|first| current.iter().all(|n| n == *first));
    let text = same.map(ToString::to_string).unwrap_or_default();
    let now = if current.len() == 1 { format!(" (now {text})") } else { String::new() };
    let title = format!("replicas of {}{now}", called(&targets));
    prompt::open(state, Purpose::Replicas { environment, targets }, title, Input::new(text));
    Vec::new()
}

/// Asks for the size of a load test.
fn load(state: &mut State, environment: EnvironmentId, targets: Vec<Target>) -> Vec<Effect> {
    let what = if targets.is_empty() { state.name_of(&environment) } else { called(&targets) };
    let title = format!("load test of {what}: users or requests/s, how long, ramp (100 30s 5s, 200/s 1m), or a scenario (500)");
    prompt::open(state, Purpose::Load { environment, targets }, title, Input::new("10 30s"));
    Vec::new()
}

/// Asks for the bounds of an autoscaler.
fn bounds(state: &mut State, environment: EnvironmentId, targets: Vec<Target>) -> Vec<Effect> {
    let scaler = |t: &Target| {
        let (_, workload) = state.workload(&environment, &t.workload)?;
        workload.controller.as_ref()?.scaler.clone()
    };
    let Some(scaler) = targets.first().and_then(scaler) else {
        state.say(false, "no autoscaler owns it");
        return Vec::new();
    };
    let title = format!("{} of {}: least and most replicas", scaler.name, called(&targets));
    let text = format!("{} {}", scaler.min, scaler.max);
    prompt::open(state, Purpose::Bounds { environment, targets }, title, Input::new(text));
    Vec::new()
}

fn deploy(state: &mut State, environment: EnvironmentId, targets: Vec<Target>) -> Vec<Effect> {
    let mut repositories: Vec<&str> =
        targets.iter().filter_map(|t| state.workload(&environment, &t.workload)).map(|(_, w)| repository(&w.image)).collect();
    repositories.dedup();
    let text = match repositories.as_slice() {
        [one] if !one.is_empty() => format!("{one}:"),
        [_] | [] => String::new(),
        [_, _, ..] => {
            state.say(false, "the marked workloads run different images: deploy them one at a time");
            return Vec::new();
        }
    };
    let title = format!("deploy to {}: image", called(&targets));
    prompt::open(state, Purpose::Image { environment, targets }, title, Input::new(text));
    Vec::new()
}

/// An image without tag and digest. A colon before the last slash belongs to the registry's port.
fn repository(image: &str) -> &str {
    if image.starts_with("sha256:") {
        return "";
    }
    let name = image.split('@').next().unwrap_or(image);
    match name.rfind(':') {
        Some(colon) if name.rfind('/').is_none_or(|slash| slash < colon) => &name[..colon],
        Some(_) | None => name,
    }
}

/// Opens a shell; behind a strict guard the environment is named first, as for a change.
fn shell(state: &mut State, environment: &EnvironmentId, targets: &[Target]) -> Vec<Effect> {
    let Some(instance) = targets.first().and_then(|t| runs(state, environment, t)) else {
        state.say(false, "nothing runs there to open a shell in");
        return Vec::new();
    };
    if let Some(why) = state.instance(&environment.connection, &instance).and_then(|(_, _, i)| i.elsewhere.clone()) {
        state.say(false, format!("no shell: {why}"));
        return Vec::new();
    }
    let guard = guard_of(state, environment);
    if guard <= Guard::Open {
        return open_shell(state, environment, &instance);
    }
    let name = state.name_of(environment);
    let called = state.instance(&environment.connection, &instance).map(|(_, _, i)| i.name.clone()).unwrap_or_default();
    let how = if guard == Guard::Type { format!("type {name}") } else { "Enter".to_owned() };
    let title = format!("shell in {called} of {name}: {how} to open");
    prompt::open(state, Purpose::Shell { environment: environment.clone(), instance }, title, Input::default());
    Vec::new()
}

pub(super) fn guard_of(state: &State, environment: &EnvironmentId) -> Guard {
    if state.settings.read_only {
        return Guard::ReadOnly;
    }
    state.snapshot(environment).map_or(Guard::ReadOnly, |s| state.policy(&s.environment).guard)
}

/// The instance meant: the one named, else the workload's first that runs.
fn runs(state: &State, environment: &EnvironmentId, target: &Target) -> Option<InstanceId> {
    let (_, workload) = state.workload(environment, &target.workload)?;
    let running = |i: &&Arc<crate::model::Instance>| i.state == InstanceState::Running;
    let wanted = workload.instances.iter().filter(running);
    match &target.instance {
        Some(id) => wanted.into_iter().find(|i| &i.id == id),
        // One that can be entered from here before one that cannot.
        None => wanted.filter(|i| !i.set_aside && !i.one_off).min_by_key(|i| i.elsewhere.is_some()),
    }
    .map(|i| i.id.clone())
}

/// The answer to the prompt before a shell.
pub fn shell_named(state: &mut State, environment: &EnvironmentId, instance: &InstanceId, typed: &str) -> Vec<Effect> {
    let name = state.name_of(environment);
    let refusal = match guard_of(state, environment) {
        Guard::ReadOnly => Some(format!("{name} is read-only")),
        Guard::Type if typed != name => Some(format!("type {name} to open the shell")),
        Guard::Type | Guard::Confirm | Guard::Open => None,
    };
    if let Some(why) = refusal {
        if let Some(crate::app::state::Overlay::Prompt(prompt)) = state.overlays.last_mut() {
            prompt.error = Some(why.into());
        }
        return Vec::new();
    }
    state.overlays.pop();
    open_shell(state, environment, instance)
}

fn open_shell(state: &mut State, environment: &EnvironmentId, id: &InstanceId) -> Vec<Effect> {
    let Some((snapshot, _, instance)) = state.instance(&environment.connection, id) else {
        state.say(false, "the instance has gone");
        return Vec::new();
    };
    let deed = Deed {
        kind: Verb::Shell.word(),
        environment: state.name_of(environment).into(),
        endpoint: snapshot.environment.endpoint.clone(),
        target: instance.name.clone(),
        detail: "a shell was opened; what is done in it is not recorded".into(),
    };
    let record = Record::of_deed(deed, &state.actor, state.now);
    let body = layout::frame(state.size).body;
    let size = (state.size.0.max(1), state.size.1.max(body.height).max(1));
    let commands = vec![vec!["bash".to_owned()], vec!["sh".to_owned()]];
    let shell = Shell { instance: id.clone(), commands, size };
    vec![Effect::Journal(record), Effect::Shell { connection: environment.connection.clone(), shell }]
}

#[cfg(test)]
mod tests {
    use super::repository;

    #[test]
    fn a_repository_is_an_image_without_tag_and_digest() {
        let table = [
            ("backend:1.4.2", "backend"),
            ("backend", "backend"),
            ("localhost:5000/team/backend", "localhost:5000/team/backend"),
            ("localhost:5000/team/backend:1.4", "localhost:5000/team/backend"),
            ("backend:1.4@sha256:9f2a", "backend"),
            ("sha256:9f2a", ""),
        ];
        for (image, expected) in table {
            assert_eq!(repository(image), expected, "{image}");
        }
    }
}
