//! Removing containers: first everything is stopped in good order, then it goes; named volumes stay.

use crate::operate::action::Action;
use crate::operate::refusal::Refusal;
use crate::operate::unfinished::{Fate, Original, Was};

use super::draft::{self, Draft};
use super::targets::{Chosen, subject};
use super::words;

/// Removes the chosen instances; of a whole workload those set aside, too.
pub fn remove(draft: &mut Draft<'_>, chosen: &[Chosen]) -> Result<String, Refusal> {
    let mut removals = Vec::new();
    for one in chosen {
        let mut meant = one.instances();
        if one.named.is_none() {
            meant.extend(one.workload.instances.iter().filter(|i| i.set_aside && !i.one_off).cloned());
        }
        if meant.is_empty() {
            continue;
        }
        let workload = &one.workload;
        let policy = draft.policy(workload);
        draft.affect(workload, |i| if meant.iter().any(|m| m.id == i.id) { Fate::Removed } else { Fate::Kept });
        for instance in meant.iter().rev() {
            let reference = draft.know(workload, instance, instance.set_aside);
            if Was::of(instance.state) != Was::Stopped {
                let undo = draft::revive(&reference, &Original::of(instance, Fate::Removed), policy);
                draft.stop(&reference, undo);
            }
            let label = words::instance_label(workload, instance);
            draft.change(label, format!("{} ({})", instance.name, instance.state), "removed");
            removals.push(reference);
        }
        if workload.instances.iter().all(|i| meant.iter().any(|m| m.id == i.id)) {
            draft.warn(format!(
                "the definition of {0} goes with its last container: bring it back with `docker compose up -d {0}`",
                workload.id
            ));
        }
    }
    if removals.is_empty() {
        return Err(Refusal::Nothing(format!("{} has no container", subject(chosen)).into()));
    }
    for instance in removals {
        draft.act(Action::Remove { instance, force: false }, Vec::new());
    }
    Ok(format!("remove {}", subject(chosen)))
}
