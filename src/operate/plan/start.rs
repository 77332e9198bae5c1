//! Starting what is stopped, and waiting until it is well.

use crate::operate::action::Action;
use crate::operate::refusal::Refusal;
use crate::operate::unfinished::{Fate, Was};

use super::draft::{self, Draft};
use super::targets::{Chosen, subject};
use super::words;

/// Starts what is stopped among the chosen. What was started stays so, even when it does not become healthy: there is
/// no better state to go back to, and its log is wanted.
pub fn start(draft: &mut Draft<'_>, chosen: &[Chosen]) -> Result<String, Refusal> {
    let mut gates = Vec::new();
    for one in chosen {
        let stopped: Vec<_> = one.instances().into_iter().filter(|i| Was::of(i.state) == Was::Stopped).collect();
        if stopped.is_empty() {
            continue;
        }
        let policy = draft.policy(&one.workload);
        draft.affect(&one.workload, |i| if stopped.iter().any(|r| r.id == i.id) { Fate::Started } else { Fate::Kept });
        for instance in &stopped {
            let reference = draft.know(&one.workload, instance, false);
            draft.act(Action::Start { instance: reference.clone() }, Vec::new());
            let label = words::instance_label(&one.workload, instance);
            draft.change(format!("{label}.state"), instance.state.word(), "running");
            gates.push((reference, policy, draft::brief_hold(instance, policy)));
        }
    }
    if draft.steps.is_empty() {
        let frozen = chosen.iter().flat_map(Chosen::instances).any(|i| Was::of(i.state) == Was::Paused);
        let what = if frozen { "is paused, not stopped; unpause it" } else { "runs already" };
        return Err(Refusal::Nothing(format!("{} {what}", subject(chosen)).into()));
    }
    for (reference, policy, hold) in gates {
        draft.healthy(&reference, policy, hold);
    }
    Ok(format!("start {}", subject(chosen)))
}
