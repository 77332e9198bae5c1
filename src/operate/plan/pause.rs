//! Freezing processes and letting them go on.

use crate::operate::action::Action;
use crate::operate::refusal::Refusal;
use crate::operate::unfinished::{Fate, Was};

use super::Work;
use super::draft::Draft;
use super::targets::{Chosen, subject};
use super::words;

/// Freezes what runs among the chosen.
pub fn pause(draft: &mut Draft<'_>, chosen: &[Chosen]) -> Result<String, Refusal> {
    turn(draft, chosen, Was::Running)?;
    Ok(format!("pause {}", subject(chosen)))
}

/// Lets go on what is frozen among the chosen.
pub fn unpause(draft: &mut Draft<'_>, chosen: &[Chosen]) -> Result<String, Refusal> {
    turn(draft, chosen, Was::Paused)?;
    Ok(format!("unpause {}", subject(chosen)))
}

fn turn(draft: &mut Draft<'_>, chosen: &[Chosen], from: Was) -> Result<(), Refusal> {
    let pausing = from == Was::Running;
    let fate = if pausing { Fate::Paused } else { Fate::Unpaused };
    for one in chosen {
        let meant: Vec<_> = one.instances().into_iter().filter(|i| Was::of(i.state) == from).collect();
        if meant.is_empty() {
            continue;
        }
        draft.affect(&one.workload, |i| if meant.iter().any(|m| m.id == i.id) { fate } else { Fate::Kept });
        for instance in &meant {
            let reference = draft.know(&one.workload, instance, false);
            let label = words::instance_label(&one.workload, instance);
            let freeze = Action::Pause { instance: reference.clone() };
            let thaw = Action::Unpause { instance: reference };
            if pausing {
                draft.act(freeze, vec![Work::Act(thaw)]);
                draft.change(format!("{label}.state"), instance.state.word(), "paused");
            } else {
                draft.act(thaw, Vec::new());
                draft.change(format!("{label}.state"), instance.state.word(), "running");
            }
        }
    }
    if draft.steps.is_empty() {
        let what = if pausing { "does not run" } else { "is not paused" };
        return Err(Refusal::Nothing(format!("{} {what}", subject(chosen)).into()));
    }
    Ok(())
}
