//! Bringing services up as their file has them, through the compose tool: what differs, the exact call, and a gate on
//! each service after it. What the tool does is not undone.

use std::sync::Arc;
use std::time::Duration;

use crate::model::{Drift, DriftKind, FileState, Snapshot, Workload, WorkloadId};
use crate::operate::action::Action;
use crate::operate::refusal::Refusal;
use crate::operate::unfinished::Fate;

use super::draft::Draft;
use super::targets::{Chosen, subject};
use super::{Gate, Work};

/// The call of the compose tool for this environment, up to its verb.
///
/// # Errors
/// Why there is none.
pub fn tool(snapshot: &Snapshot) -> Result<Vec<Arc<str>>, Arc<str>> {
    match snapshot.file.as_ref().map(|file| (&file.state, &file.names)) {
        None => Err("its compose file is not at hand: name it with `files` in the configuration or with --file".into()),
        Some((FileState::Reading, names)) => Err(format!("{names} is still being read: try again in a moment").into()),
        Some((FileState::Failed(why), _)) => Err(why.clone()),
        Some((FileState::Read { call }, _)) => Ok(call.clone()),
    }
}

/// Every workload of the environment that is not as its file has it.
pub fn drifted(snapshot: &Snapshot) -> Vec<Chosen> {
    let meant = |w: &&Arc<Workload>| is_up_for(w);
    snapshot.workloads.iter().filter(meant).map(|w| Chosen { workload: w.clone(), named: None }).collect()
}

fn is_up_for(workload: &Workload) -> bool {
    workload.drift.as_ref().is_some_and(|d| d.kind != DriftKind::Extra)
}

/// Brings the chosen up, those of them that differ.
pub fn up(draft: &mut Draft<'_>, chosen: &[Chosen]) -> Result<String, Refusal> {
    let call = tool(draft.snapshot).map_err(|why| Refusal::Denied {
        verb: draft.request.operation.verb(),
        what: draft.snapshot.environment.id.name.clone(),
        why,
    })?;
    let mut meant: Vec<(&Arc<Workload>, &Arc<Drift>)> = Vec::new();
    for one in chosen {
        match &one.workload.drift {
            Some(drift) if drift.kind == DriftKind::Extra => {
                let why = "it is not in the file; remove it, or add it there".into();
                return Err(Refusal::Denied { verb: draft.request.operation.verb(), what: one.workload.id.0.clone(), why });
            }
            Some(drift) => meant.push((&one.workload, drift)),
            None => {}
        }
    }
    if meant.is_empty() {
        let names = draft.snapshot.file.as_ref().map(|f| f.names.clone()).unwrap_or_default();
        return Err(Refusal::Nothing(format!("{} runs as {names} has it", whole(chosen)).into()));
    }
    let mut made = Making::default();
    let mut scaled = Making::default();
    for (workload, drift) in &meant {
        tell(draft, workload, drift);
        let group = if only_replicas(drift) { &mut scaled } else { &mut made };
        group.services.push(workload.id.clone());
        // Replicas the file says nothing of stay as they are.
        let there = u32::try_from(workload.replicas().count()).unwrap_or(u32::MAX);
        if let Some(replicas) = drift.replicas.or((there > 1).then_some(there)) {
            group.scale.push((workload.id.clone(), replicas));
        }
    }
    // What differs is made anew whatever the tool makes of its own notes: they may be of another time.
    for (making, how) in [(made, "--force-recreate"), (scaled, "--no-recreate")] {
        if !making.services.is_empty() {
            let environment = draft.request.environment.clone();
            let call = making.call(&call, how);
            draft.act(Action::ComposeUp { environment, services: making.services, call }, Vec::new());
        }
    }
    for (workload, drift) in &meant {
        let policy = draft.policy(workload);
        let there = u32::try_from(workload.replicas().count()).unwrap_or(u32::MAX);
        let replicas = drift.replicas.unwrap_or(there.max(1));
        // One with a health check has proven itself; one without must at least keep running.
        let proven = workload.replicas().next().is_some_and(|i| i.has_healthcheck);
        let hold = if replicas == 0 || proven { Duration::ZERO } else { policy.hold };
        let (workload, within) = (workload.id.clone(), policy.healthy_within);
        let gate = Gate::RolledOut { workload, revision: None, left: None, replicas, within, hold, follow: false };
        draft.step(Work::Await(gate), Vec::new());
    }
    draft.warn("the compose tool replaces the containers itself: what it has done is not undone when a step fails; to go back, change the file back and bring it up again");
    Ok(format!(
        "bring up {}",
        whole(&meant.iter().map(|(w, _)| Chosen { workload: (*w).clone(), named: None }).collect::<Vec<_>>())
    ))
}

fn whole(chosen: &[Chosen]) -> String {
    if chosen.is_empty() { "everything".to_owned() } else { subject(chosen) }
}

/// What differs, and what becomes of the replicas there are.
fn tell(draft: &mut Draft<'_>, workload: &Workload, drift: &Drift) {
    draft.affect(workload, |_| Fate::Kept);
    if drift.kind == DriftKind::Missing {
        draft.change(workload.id.to_string(), "–", "created");
    }
    let shown = |value: &Option<Arc<str>>| value.clone().unwrap_or_else(|| "–".into());
    for deviation in &drift.deviations {
        draft.change(format!("{}.{}", workload.id, deviation.path), shown(&deviation.running), shown(&deviation.wanted));
    }
    let running = workload.replicas().count();
    if only_replicas(drift) {
        return;
    }
    if running == 1 {
        draft.warn(format!("{} has a single instance: it is away while it is replaced", workload.id));
    } else if running > 1 {
        draft.warn(format!("{} has {running} instances: the compose tool may replace them all at once", workload.id));
    }
}

/// Services that are brought up in one go.
#[derive(Default)]
struct Making {
    services: Vec<WorkloadId>,
    scale: Vec<(WorkloadId, u32)>,
}

impl Making {
    /// The whole call.
    fn call(&self, tool: &[Arc<str>], how: &str) -> Vec<Arc<str>> {
        let mut call = tool.to_vec();
        call.extend(["up", "-d", "--no-deps", "--no-build", how].map(Into::into));
        for (service, replicas) in &self.scale {
            call.extend(["--scale".into(), format!("{service}={replicas}").into()]);
        }
        call.extend(self.services.iter().map(|s| s.0.clone()));
        call
    }
}

fn only_replicas(drift: &Drift) -> bool {
    drift.kind == DriftKind::Changed && drift.deviations.iter().all(|d| &*d.path == "replicas")
}
