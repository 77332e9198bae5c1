//! What a workload's controller (Kubernetes) allows: which rollouts there are to follow, what an autoscaler owns, which
//! container an image is for. How pods are replaced is the strategy of its own definition, which is never changed.

use std::sync::Arc;

use crate::model::{Controller, EngineKind, Workload, WorkloadKind};
use crate::operate::image;
use crate::operate::refusal::Refusal;
use crate::operate::request::Strategy;

use super::draft::Draft;
use super::replace::Wanted;

/// Whether the workloads of the environment have controllers.
pub fn is_here(draft: &Draft<'_>) -> bool {
    draft.snapshot.environment.engine == EngineKind::Kubernetes
}

fn denied(draft: &Draft<'_>, workload: &Workload, why: impl Into<Arc<str>>) -> Refusal {
    Refusal::Denied { verb: draft.request.operation.verb(), what: workload.id.0.clone(), why: why.into() }
}

/// Whether a rollout of the workload can be followed to its end.
pub fn may_roll(draft: &Draft<'_>, workload: &Workload) -> Result<(), Refusal> {
    if !is_here(draft) {
        return Ok(());
    }
    match workload.kind {
        WorkloadKind::Deployment | WorkloadKind::StatefulSet | WorkloadKind::DaemonSet => {}
        WorkloadKind::Service
        | WorkloadKind::Container
        | WorkloadKind::Job
        | WorkloadKind::CronJob
        | WorkloadKind::Dependency => {
            let why = format!("a {} has no rollout to follow: change its manifest where it comes from", workload.kind);
            return Err(denied(draft, workload, why));
        }
    }
    let Some(controller) = &workload.controller else { return Ok(()) };
    if controller.paused {
        return Err(denied(draft, workload, "its rollout is held where it is: let it go on first (unpause)"));
    }
    if controller.strategy.starts_with("OnDelete") {
        let why = "its strategy is OnDelete: its pods take a new definition only one by one, as they are removed";
        return Err(denied(draft, workload, why));
    }
    Ok(())
}

/// Whether a person may say how many: where an autoscaler owns that, it would set it back. Nothing at all it leaves alone.
pub fn may_scale(draft: &Draft<'_>, workload: &Workload, to: u32) -> Result<(), Refusal> {
    let Some(scaler) = workload.controller.as_ref().and_then(|c| c.scaler.as_ref()).filter(|_| to > 0) else { return Ok(()) };
    let why = format!(
        "its autoscaler {} owns the number ({} to {}) and would set it back; give it other bounds instead: qd bounds {}/{} --min N --max N",
        scaler.name, scaler.min, scaler.max, draft.request.environment.name, workload.id
    );
    Err(denied(draft, workload, why))
}

/// The container an image is for, settled in the plan; `None` where the engine knows of none.
pub fn settle(draft: &Draft<'_>, workload: &Workload, wanted: Wanted) -> Result<Wanted, Refusal> {
    let Some(controller) = known(draft, workload).filter(|_| wanted.from.is_none()) else { return Ok(wanted) };
    let name = image::container(&controller.containers, wanted.container.as_deref(), &controller.name, &wanted.image)
        .map_err(|why| denied(draft, workload, why))?;
    let now = controller.containers.iter().find(|(container, _)| *container == name);
    if now.is_some_and(|(_, now)| *now == wanted.image) {
        let why = format!(
            "{} runs {} already, and the same definition is no new revision; to have it fetched again, restart it",
            workload.id, wanted.image
        );
        return Err(Refusal::Nothing(why.into()));
    }
    Ok(Wanted { container: Some(name), ..wanted })
}

/// The image that is replaced: of several containers, that of the one meant.
pub fn image_before(workload: &Workload, wanted: &Wanted) -> Arc<str> {
    let containers = workload.controller.iter().flat_map(|c| &c.containers);
    let meant = containers.into_iter().find(|(name, _)| Some(name) == wanted.container.as_ref());
    meant.map_or_else(|| workload.image.clone(), |(_, image)| image.clone())
}

fn known<'a>(draft: &Draft<'_>, workload: &'a Workload) -> Option<&'a Controller> {
    workload.controller.as_deref().filter(|c| is_here(draft) && !c.containers.is_empty())
}

/// Says how its pods will be replaced, and where that is not what was asked for.
pub fn explain(draft: &mut Draft<'_>, workload: &Workload, strategy: Option<Strategy>) {
    if !is_here(draft) {
        return;
    }
    let own = workload.controller.as_ref().map(|c| c.strategy.clone()).filter(|s| !s.is_empty());
    let own = own.unwrap_or_else(|| "its own strategy".into());
    let id = &workload.id;
    let recreates = own.starts_with("Recreate");
    draft.change(format!("{id}.update"), own.clone(), "as it is: the cluster goes by it");
    if recreates {
        draft.warn(format!("all pods of {id} stop before the new ones start ({own}): an outage"));
    }
    match strategy.unwrap_or(draft.policy(workload).strategy) {
        Strategy::Recreate if !recreates => {
            draft.warn(format!("recreate is not done here: {id} is replaced by its own strategy, {own}"));
        }
        Strategy::BlueGreen => {
            draft.warn(format!("going back is not done blue-green: {id} is replaced by its own strategy, {own}"));
        }
        Strategy::Recreate | Strategy::Rolling => {}
    }
}
