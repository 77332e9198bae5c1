//! Forwarding ports: which one, behind the same question as a shell, what has become of it, and closing it.

use std::sync::Arc;

use crate::app::forward::{Forwarded, Told, ports, ready};
use crate::app::operations::targets;
use crate::app::state::{Choice, Entry, Input, Menu, Overlay, Purpose};
use crate::app::{Effect, State};
use crate::model::{EnvironmentId, Guard, Verb};
use crate::operate::Target;
use crate::operate::audit::{Deed, Record};

use super::{prompt, wish};

/// Asks which port of what is selected is to be reached.
pub(super) fn ask(state: &mut State) -> Vec<Effect> {
    let (environment, mut targets) = match targets(state, Verb::Shell) {
        Ok(found) => found,
        Err(why) => {
            state.say(false, why);
            return Vec::new();
        }
    };
    if targets.len() != 1 {
        state.say(false, "one workload or instance is forwarded to at a time");
        return Vec::new();
    }
    let Some(target) = targets.pop() else { return Vec::new() };
    let known = ports(state, &environment, &target.workload);
    let text = known.first().map_or_else(String::new, |port| format!("{port}:{port}"));
    let title = format!("forward to {}: LOCAL:REMOTE port", called(&target));
    prompt::open(state, Purpose::Forward { environment, target }, title, Input::new(text));
    Vec::new()
}

fn called(target: &Target) -> String {
    target.instance.as_ref().map_or_else(|| target.workload.to_string(), ToString::to_string)
}

/// `8080:80`, or `80` for the same port here and there.
fn pair(text: &str) -> Option<(u16, u16)> {
    let (local, remote) = text.split_once(':').unwrap_or((text, text));
    let (local, remote) = (local.trim().parse().ok()?, remote.trim().parse().ok()?);
    (remote != 0).then_some((local, remote))
}

/// The answer to which port; behind a strict guard the environment is named next, as for a shell.
pub(super) fn chosen(state: &mut State, environment: EnvironmentId, target: Target, text: &str) -> Vec<Effect> {
    let Some((local, remote)) = pair(text) else {
        if let Some(Overlay::Prompt(prompt)) = state.overlays.last_mut() {
            prompt.error = Some("two ports are wanted, here and there, such as 8080:80".into());
        }
        return Vec::new();
    };
    state.overlays.pop();
    let guard = wish::guard_of(state, &environment);
    if guard <= Guard::Open {
        return open(state, &environment, &target, (local, remote));
    }
    let name = state.name_of(&environment);
    let how = if guard == Guard::Type { format!("type {name}") } else { "Enter".to_owned() };
    let title = format!("a way into {} of {name}: {how} to open", called(&target));
    prompt::open(state, Purpose::ForwardInto { environment, target, local, remote }, title, Input::default());
    Vec::new()
}

/// The answer to the guard's question.
pub(super) fn named(
    state: &mut State,
    environment: &EnvironmentId,
    target: &Target,
    ports: (u16, u16),
    typed: &str,
) -> Vec<Effect> {
    let name = state.name_of(environment);
    let refusal = match wish::guard_of(state, environment) {
        Guard::ReadOnly => Some(format!("{name} is read-only")),
        Guard::Type if typed != name => Some(format!("type {name} to open it")),
        Guard::Type | Guard::Confirm | Guard::Open => None,
    };
    if let Some(why) = refusal {
        if let Some(Overlay::Prompt(prompt)) = state.overlays.last_mut() {
            prompt.error = Some(why.into());
        }
        return Vec::new();
    }
    state.overlays.pop();
    open(state, environment, target, ports)
}

fn open(state: &mut State, environment: &EnvironmentId, target: &Target, (local, remote): (u16, u16)) -> Vec<Effect> {
    let Some(snapshot) = state.snapshot(environment) else {
        state.say(false, "the environment has gone");
        return Vec::new();
    };
    let deed = Deed {
        kind: "forward",
        environment: state.name_of(environment).into(),
        endpoint: snapshot.environment.endpoint.clone(),
        target: called(target).into(),
        detail: format!("127.0.0.1:{local} to {remote}; what goes through is not recorded").into(),
    };
    let record = Record::of_deed(deed, &state.actor, state.now);
    let id = state.forwards.last().map_or(1, |f| f.id + 1);
    state.forwards.push(Forwarded {
        id,
        environment: environment.clone(),
        workload: target.workload.clone(),
        instance: target.instance.clone(),
        local,
        remote,
        address: None,
        open: 0,
        all: 0,
        sent: 0,
        received: 0,
        trouble: None,
    });
    let connection = environment.connection.clone();
    vec![Effect::Journal(record), Effect::Forward { id, connection, local, remote }]
}

/// What has become of one.
pub(super) fn told(state: &mut State, id: u64, told: Told) {
    let Some(at) = state.forwards.iter().position(|f| f.id == id) else { return };
    let forward = &mut state.forwards[at];
    let words = match told {
        Told::Listening(address) => {
            let words = format!("{address} leads to port {} of {}", forward.remote, forward.called());
            forward.address = Some(address);
            Some((true, words))
        }
        Told::Refused(why) => {
            let words = format!("port {} of this machine cannot be listened on: {why}", forward.local);
            state.forwards.remove(at);
            Some((false, words))
        }
        Told::Opened { .. } => {
            forward.open += 1;
            forward.all += 1;
            forward.trouble = None;
            None
        }
        Told::Failed { why } => {
            forward.trouble = Some(why.clone());
            Some((false, format!("{}: {why}", forward.called())))
        }
        Told::Closed { sent, received, why, .. } => {
            forward.open = forward.open.saturating_sub(1);
            forward.sent += sent;
            forward.received += received;
            forward.trouble = why;
            None
        }
    };
    if let Some((ok, words)) = words {
        state.say(ok, words);
    }
}

/// The ports that are forwarded, each as it is; choosing one closes it.
pub(super) fn list(state: &mut State) {
    if state.forwards.is_empty() {
        state.say(false, "no port is forwarded");
        return;
    }
    let label = |f: &Forwarded| {
        let ready = ready(state, &f.environment, &f.workload, f.instance.as_ref()).len();
        format!("close {}", f.words(&state.name_of(&f.environment), ready))
    };
    let entries: Vec<Entry> = state
        .forwards
        .iter()
        .map(|f| Entry { label: label(f).into(), key: None, choice: Choice::CloseForward(f.id), denied: None })
        .collect();
    state.overlays.push(Overlay::Menu(Menu { title: "forwarded ports".into(), entries, selected: 0 }));
}

/// Closes one, and every connection through it.
pub(super) fn close(state: &mut State, id: u64) -> Vec<Effect> {
    let Some(at) = state.forwards.iter().position(|f| f.id == id) else { return Vec::new() };
    let forward = state.forwards.remove(at);
    let called: Arc<str> = forward.called().into();
    state.say(true, format!("port {} of {called} is no longer forwarded", forward.remote));
    vec![Effect::Unforward(id)]
}

#[cfg(test)]
mod tests {
    use super::pair;

    #[test]
    fn ports_are_typed_in_either_form() {
        for (text, expected) in [
            ("8080:80", Some((8080, 80))),
            ("80", Some((80, 80))),
            ("0:80", Some((0, 80))),
            ("80:0", None),
            ("", None),
            ("x:80", None),
            ("70000", None),
        ] {
            assert_eq!(pair(text), expected, "{text}");
        }
    }
}
