//! What a person should know before saying yes, beside what each maker says.

use crate::model::Health;
use crate::operate::request::Operation;

use super::draft::Draft;
use super::targets::Chosen;
use super::words;

/// Warns of everything around a change: no health signal, other trouble, autoscalers, drift.
pub fn around(draft: &mut Draft<'_>, chosen: &[Chosen]) {
    if !needs_calm(&draft.request.operation) {
        return;
    }
    for one in chosen {
        let workload = &one.workload;
        let hold = draft.policy(workload).hold;
        if !super::draft::is_declared(draft.snapshot) && one.instances().iter().any(|i| !i.has_healthcheck) {
            let text = format!("{} has no health check: it is only watched to run for {}", workload.id, words::seconds(hold));
            draft.warn(text);
        }
        if let (Some(autoscaler), Operation::Scale { .. }) = (&workload.autoscaler, &draft.request.operation) {
            draft.warn(format!("{autoscaler} owns the number of {} and may change it back", workload.id));
        }
        if let Some(drift) = &workload.drift {
            draft.warn(format!("{} differs from its file: {drift}", workload.id));
        }
    }
    for other in &draft.snapshot.workloads {
        let bad = matches!(other.verdict.health, Health::Unhealthy | Health::Degraded);
        if bad && !chosen.iter().any(|c| c.workload.id == other.id) {
            let why = other.verdict.reasons.first().map(|r| format!(": {r}")).unwrap_or_default();
            draft.warn(format!("{} is {} (not part of this){why}", other.id, other.verdict.health));
        }
    }
}

/// Whether the operation should rather not be started while something else is wrong.
fn needs_calm(operation: &Operation) -> bool {
    match operation {
        Operation::Scale { .. } | Operation::Restart | Operation::Deploy { .. } | Operation::Rollback { .. } => true,
        Operation::Stop
        | Operation::Start
        | Operation::Pause
        | Operation::Unpause
        | Operation::Kill { .. }
        | Operation::Remove
        | Operation::Up
        | Operation::Lock { .. }
        | Operation::Unlock
        | Operation::Recover { .. }
        | Operation::Drill { .. }
        | Operation::Run { .. }
        | Operation::Load { .. }
        | Operation::Trigger
        | Operation::Bounds { .. }
        | Operation::Cordon { .. }
        | Operation::Uncordon { .. }
        | Operation::Drain { .. }
        | Operation::Silence { .. }
        | Operation::Unsilence { .. } => false,
    }
}
