//! Ending an unfinished operation where the engine makes the wanted state: the wanted state is told again, or the old.

use std::sync::Arc;

use crate::model::Workload;
use crate::operate::action::{Action, InstanceRef};
use crate::operate::refusal::Refusal;
use crate::operate::request::{Operation, Strategy};
use crate::operate::unfinished::{Affected, Fate};

use super::super::declared::{back, followed, roll, rolled_out, unpace};
use super::super::draft::{self, Draft};
use super::super::replace::Wanted;
use super::super::{Work, around, controlled, mirrored, pacing};
use super::{Left, there, workload};

fn known(draft: &mut Draft<'_>, affected: &Affected) -> Result<Arc<Workload>, Refusal> {
    let Some(workload) = workload(draft, affected) else {
        return Err(Refusal::NoDefinition { workload: affected.workload.0.clone() });
    };
    draft.know_workload(&workload);
    Ok(workload)
}

fn set(draft: &mut Draft<'_>, workload: &Workload, replicas: u32) {
    let environment = draft.request.environment.clone();
    if workload.desired != replicas {
        draft.change(format!("{}.replicas", workload.id), workload.desired.to_string(), replicas.to_string());
        draft.act(Action::SetReplicas { environment, workload: workload.id.clone(), replicas }, Vec::new());
    }
    let gate = rolled_out(draft, workload, None, replicas, std::time::Duration::ZERO);
    draft.step(gate, Vec::new());
}

pub fn finish(draft: &mut Draft<'_>, left: &Left<'_>) -> Result<(), Refusal> {
    for affected in &left.begun.workloads {
        let workload = known(draft, affected)?;
        let hold = draft.policy(&workload).hold;
        match &left.begun.operation {
            Operation::Scale { to } => set(draft, &workload, *to),
            Operation::Stop => set(draft, &workload, 0),
            Operation::Start => {
                let to = workload.resting.unwrap_or(workload.desired.max(1));
                set(draft, &workload, to);
            }
            Operation::Deploy { .. } if affected.mirrored => {
                let wanted = wanted(draft, left, affected, &workload)?;
                migrate(draft, affected, &workload, &wanted)?;
                mirrored::finish(draft, affected, &workload, &wanted)?;
                forget(draft, &workload);
            }
            Operation::Deploy { .. } => {
                let wanted = again(left, affected);
                migrate(draft, affected, &workload, &wanted)?;
                deploy(draft, left, affected, &workload);
                forget(draft, &workload);
            }
            Operation::Rollback { .. } => deploy(draft, left, affected, &workload),
            Operation::Restart | Operation::Kill { .. } | Operation::Remove => {
                for original in affected.originals.iter().filter(|o| o.fate == Fate::Killed) {
                    if let Some(instance) = there(&workload, &original.id) {
                        let instance: InstanceRef = draft.know(&workload, &instance, false);
                        draft.act(Action::Remove { instance, force: true }, Vec::new());
                    }
                }
                if affected.originals.iter().any(|o| o.fate == Fate::Restarted) {
                    let pacing = pacing::of(draft, &workload, Some(Strategy::Rolling));
                    roll(draft, &workload, pacing);
                    continue;
                }
                let gate = rolled_out(draft, &workload, None, workload.desired, hold);
                draft.step(gate, Vec::new());
            }
            Operation::Pause
            | Operation::Unpause
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
            | Operation::Unsilence { .. } => {}
        }
    }
    Ok(())
}

fn deploy(draft: &mut Draft<'_>, left: &Left<'_>, affected: &Affected, workload: &Workload) {
    let Some(revision) = affected.revisions.first().cloned() else { return };
    let number = revision.number;
    let strategy = if let Operation::Deploy { strategy, .. } = &left.begun.operation { *strategy } else { None };
    let pacing = pacing::of(draft, workload, strategy);
    if workload.revision != Some(number) {
        let (environment, id) = (draft.request.environment.clone(), workload.id.clone());
        draft.change(format!("{id}.image"), workload.image.clone(), revision.image.clone());
        let pacing = pacing.map(Box::new);
        let action = match (&left.begun.operation, earlier(left, affected)) {
            (Operation::Rollback { .. }, Some(to)) => Action::Revert { environment, workload: id, to, revision, pacing },
            (operation, _) => {
                let container = super::super::deploy::container(operation);
                Action::SetImage { environment, workload: id, container, revision, pacing }
            }
        };
        draft.act(action, Vec::new());
    }
    let gate = followed(draft, workload, Some(number), pacing, draft.policy(workload).hold);
    draft.step(gate, Vec::new());
    unpace(draft, workload);
}

/// The revision a roll back goes to: the one named, else the newest before the one it was begun at.
fn earlier(left: &Left<'_>, affected: &Affected) -> Option<u64> {
    if let Operation::Rollback { to: Some(to) } = left.begun.operation {
        return Some(to);
    }
    let before = |number: &u64| affected.from.is_none_or(|from| *number < from);
    affected.revisions.iter().skip(1).map(|r| r.number).filter(before).max()
}

/// What a mirror is to be of.
fn wanted(draft: &Draft<'_>, left: &Left<'_>, affected: &Affected, workload: &Workload) -> Result<Wanted, Refusal> {
    let wanted = again(left, affected);
    if is_there(affected, workload) { Ok(wanted) } else { controlled::settle(draft, workload, wanted) }
}

/// What was to be deployed.
fn again(left: &Left<'_>, affected: &Affected) -> Wanted {
    let first = affected.revisions.first();
    Wanted {
        image: first.map(|r| r.image.clone()).unwrap_or_default(),
        digest: None,
        cause: first.and_then(|r| r.cause.clone()).unwrap_or_default(),
        container: super::super::deploy::container(&left.begun.operation),
        from: None,
    }
}

/// Whether the engine has been told the new revision.
fn is_there(affected: &Affected, workload: &Workload) -> bool {
    affected.revisions.first().is_some_and(|r| workload.revision == Some(r.number))
}

/// The migration, where the cluster knows by itself whether it has run.
fn migrate(draft: &mut Draft<'_>, affected: &Affected, workload: &Workload, wanted: &Wanted) -> Result<(), Refusal> {
    let told = is_there(affected, workload);
    let by_itself = around::forget(draft, workload).is_some();
    if controlled::is_here(draft) && by_itself && !told { around::migrate(draft, workload, wanted) } else { Ok(()) }
}

fn forget(draft: &mut Draft<'_>, workload: &Workload) {
    if let Some(forget) = around::forget(draft, workload) {
        draft.tidy(forget);
    }
}

pub fn undo(draft: &mut Draft<'_>, left: &Left<'_>) -> Result<(), Refusal> {
    for affected in &left.begun.workloads {
        let workload = known(draft, affected)?;
        match &left.begun.operation {
            Operation::Scale { .. } | Operation::Stop | Operation::Start => set(draft, &workload, affected.replicas),
            Operation::Deploy { .. } if affected.mirrored => {
                mirrored::undo(draft, affected, &workload);
                forget(draft, &workload);
            }
            Operation::Deploy { .. } | Operation::Rollback { .. } => {
                if !is_there(affected, &workload) {
                    forget(draft, &workload);
                    continue;
                }
                let to = affected.from.unwrap_or_else(|| draft::current(&workload).saturating_sub(1));
                let number = draft::current(&workload) + 1;
                draft.change(format!("{}.revision", workload.id), draft::current(&workload).to_string(), number.to_string());
                let works: Vec<Work> = back(draft, &workload, to, number);
                for work in works {
                    draft.step(work, Vec::new());
                }
                forget(draft, &workload);
            }
            Operation::Restart
            | Operation::Kill { .. }
            | Operation::Remove
            | Operation::Pause
            | Operation::Unpause
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
            | Operation::Unsilence { .. } => {}
        }
    }
    Ok(())
}
