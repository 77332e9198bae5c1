//! Killing at once, without a chance to finish.

use std::sync::Arc;

use crate::operate::action::Action;
use crate::operate::refusal::Refusal;
use crate::operate::unfinished::{Fate, Was};

use super::draft::Draft;
use super::targets::{Chosen, subject};
use super::words;

/// Sends `signal` to what runs among the chosen.
pub fn kill(draft: &mut Draft<'_>, chosen: &[Chosen], signal: &Arc<str>) -> Result<String, Refusal> {
    for one in chosen {
        let running: Vec<_> = one.instances().into_iter().filter(|i| Was::of(i.state) != Was::Stopped).collect();
        if running.is_empty() {
            continue;
        }
        draft.affect(&one.workload, |i| if running.iter().any(|r| r.id == i.id) { Fate::Killed } else { Fate::Kept });
        for instance in &running {
            let reference = draft.know(&one.workload, instance, false);
            draft.act(Action::Kill { instance: reference, signal: signal.clone() }, Vec::new());
            let label = words::instance_label(&one.workload, instance);
            draft.change(format!("{label}.state"), instance.state.word(), format!("gets {signal}"));
        }
    }
    if draft.steps.is_empty() {
        return Err(Refusal::Nothing(format!("{} does not run", subject(chosen)).into()));
    }
    Ok(format!("kill {}", subject(chosen)))
}
