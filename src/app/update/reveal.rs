//! Showing a log unmasked: deliberate, on record, and never what is copied, saved or piped.

use std::sync::Arc;

use crate::app::{Effect, State};
use crate::model::{EnvironmentId, Guard};
use crate::operate::audit::{Deed, Record};

use super::logs;

/// Shows the log as it was written, or masked again. It is read anew: what is masked is not kept anywhere.
pub fn toggle(state: &mut State) -> Vec<Effect> {
    let Some(view) = &state.logs else { return Vec::new() };
    let read_only = |id: &&EnvironmentId| {
        state.settings.read_only || state.snapshot(id).is_none_or(|s| state.policy(&s.environment).guard == Guard::ReadOnly)
    };
    let closed = view.scope.environments().into_iter().find(read_only).filter(|_| !view.reveal);
    if let Some(name) = closed.map(|id| state.name_of(id)) {
        state.say(false, format!("{name} is read-only: its logs stay masked"));
        return Vec::new();
    }
    let Some(view) = &mut state.logs else { return Vec::new() };
    view.reveal = !view.reveal;
    let revealed = view.reveal;
    let (scope, title) = (view.scope.clone(), view.title.clone());
    logs::read_anew(state);
    if !revealed {
        state.say(true, "masked again");
        return Vec::new();
    }
    state.say(true, "not masked: that is on record; copies and files stay masked");
    let records = scope.environments().into_iter().filter_map(|id| {
        let endpoint: Arc<str> = state.snapshot(id)?.environment.endpoint.clone();
        let detail = "the log was shown unmasked".into();
        let deed = Deed { kind: "reveal", environment: state.name_of(id).into(), endpoint, target: title.clone(), detail };
        Some(Effect::Journal(Record::of_deed(deed, &state.actor, state.now)))
    });
    records.collect()
}
