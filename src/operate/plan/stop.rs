//! Stopping, highest numbers first, with each container's own signal and patience.

use crate::operate::refusal::Refusal;
use crate::operate::unfinished::{Fate, Original, Was};

use super::draft::{self, Draft};
use super::targets::{Chosen, subject};
use super::words;

/// Stops what runs among the chosen.
pub fn stop(draft: &mut Draft<'_>, chosen: &[Chosen]) -> Result<String, Refusal> {
    for one in chosen {
        let running: Vec<_> = one.instances().into_iter().filter(|i| Was::of(i.state) != Was::Stopped).collect();
        if running.is_empty() {
            continue;
        }
        let policy = draft.policy(&one.workload);
        draft.affect(&one.workload, |i| if running.iter().any(|r| r.id == i.id) { Fate::Stopped } else { Fate::Kept });
        for instance in running.iter().rev() {
            let reference = draft.know(&one.workload, instance, false);
            let undo = draft::revive(&reference, &Original::of(instance, Fate::Stopped), policy);
            draft.stop(&reference, undo);
            let label = words::instance_label(&one.workload, instance);
            draft.change(format!("{label}.state"), instance.state.word(), "exited");
        }
    }
    if draft.steps.is_empty() {
        return Err(Refusal::Nothing(format!("{} is stopped already", subject(chosen)).into()));
    }
    Ok(format!("stop {}", subject(chosen)))
}
