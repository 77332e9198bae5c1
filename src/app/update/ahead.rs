//! Looking ahead at a plan on screen: its checks are made while it is read, and what a person must say is ticked.

use std::sync::Arc;

use crate::app::state::Overlay;
use crate::app::{Effect, State};
use crate::engine::EngineError;
use crate::model::OperationId;
use crate::operate::{Accepted, Plan};

/// Has everything looked at that can be before it is started.
pub fn look(plan: &Plan) -> Vec<Effect> {
    let connection = &plan.request.environment.connection;
    let look = |(step, look)| Effect::Preview { connection: connection.clone(), plan: plan.id.clone(), step, look };
    plan.previews().into_iter().map(look).collect()
}

/// Keeps what a look has told, if its plan is still on screen.
pub fn previewed(state: &mut State, plan: &OperationId, step: usize, result: Result<Accepted, EngineError>) -> Vec<Effect> {
    if let Some(Overlay::Confirm(confirm)) = state.overlays.last_mut()
        && confirm.plan.id == *plan
    {
        confirm.previews.insert(step, told(result));
        state.generation += 1;
    }
    Vec::new()
}

fn told(result: Result<Accepted, EngineError>) -> (bool, Arc<str>) {
    match result {
        Ok(Accepted::Reading { words, .. }) => (true, words),
        Ok(Accepted::Output(output)) if output.code == 0 => (true, output.last_line().into()),
        Ok(Accepted::Output(output)) => (false, output.failure()),
        Ok(Accepted::Done | Accepted::AlreadySo | Accepted::Made(_) | Accepted::Image { .. } | Accepted::Load(_)) => {
            (true, "good".into())
        }
        Err(error) => (false, error.to_string().into()),
    }
}

/// Ticks the next thing a person must say; once all are ticked, unticks them.
pub fn tick(state: &mut State) {
    let Some(Overlay::Confirm(confirm)) = state.overlays.last_mut() else { return };
    let asked: Vec<Arc<str>> = confirm.plan.asked().cloned().collect();
    match asked.iter().find(|text| !confirm.plan.confirmed.contains(*text)) {
        Some(text) => {
            confirm.plan.confirmed.insert(text.clone());
        }
        None => confirm.plan.confirmed.clear(),
    }
    confirm.refusal = None;
}

/// What must still be ticked before it may start: what is asked later is asked then.
#[must_use]
pub fn unticked(plan: &Plan) -> Option<Arc<str>> {
    let before = plan.steps[..plan.before()].iter().filter_map(|step| match &step.work {
        crate::operate::Work::Await(crate::operate::Gate::Person { text }) => Some(text),
        _ => None,
    });
    before.into_iter().find(|text| !plan.confirmed.contains(*text)).cloned()
}
