//! Showing a log unmasked: deliberate, on record, and never what is copied, saved or piped.

use std::sync::Arc;

use crate::app::{Effect, State};
use crate::operate::audit::{Deed, Record};

use super::logs;

/// Shows the log as it was written, or masked again. It is read anew: what is masked is not kept anywhere.
pub fn toggle(state: &mut State) -> Vec<Effect> {
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
