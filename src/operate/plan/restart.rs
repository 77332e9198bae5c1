//! Restarting, one instance after the other behind the health gate.

use crate::model::InstanceState;
use crate::operate::action::Action;
use crate::operate::refusal::Refusal;
use crate::operate::unfinished::{Fate, Was};

use super::draft::{self, Draft};
use super::targets::{Chosen, subject};
use super::words;

/// Restarts what runs among the chosen.
pub fn restart(draft: &mut Draft<'_>, chosen: &[Chosen]) -> Result<String, Refusal> {
    for one in chosen {
        let meant = one.instances();
        let running: Vec<_> = meant.into_iter().filter(|i| Was::of(i.state) != Was::Stopped).collect();
        if running.is_empty() {
            continue;
        }
        let workload = &one.workload;
        let policy = draft.policy(workload);
        draft.affect(workload, |i| if running.iter().any(|r| r.id == i.id) { Fate::Restarted } else { Fate::Kept });
        for instance in &running {
            let reference = draft.know(workload, instance, false);
            let label = words::instance_label(workload, instance);
            draft.act(Action::Restart { instance: reference.clone(), grace: None }, Vec::new());
            draft.healthy(&reference, policy, draft::brief_hold(instance, policy));
            let since = instance.started_at.map(|t| format!(" since {t:.0}")).unwrap_or_default();
            draft.change(label, format!("{}{since}", instance.state), "restarted");
        }
        let serving = workload.replicas().filter(|i| i.state == InstanceState::Running).count();
        if serving <= 1 {
            draft.warn(format!("{} has a single instance: it is away while it restarts", workload.id));
        }
    }
    if draft.steps.is_empty() {
        return Err(Refusal::Nothing(format!("{} does not run; start it instead", subject(chosen)).into()));
    }
    Ok(format!("restart {}", subject(chosen)))
}
