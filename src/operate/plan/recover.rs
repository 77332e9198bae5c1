//! Ending what an operation whose owner died has left: planned again from what is there, forwards or back.

mod declared;
mod finish;
mod switch;
mod undo;

use std::sync::Arc;

use crate::model::{Instance, LockHolder, Snapshot, Workload};
use crate::operate::guard::{Owner, owner_state};
use crate::operate::refusal::Refusal;
use crate::operate::request::{Ending, Operation, Request};
use crate::operate::unfinished::{Affected, LockRequest};

use super::draft::{self, Draft};
use super::{Lock, Plan, Terms, words};

/// An unfinished operation and its lock.
struct Left<'a> {
    holder: &'a LockHolder,
    begun: LockRequest,
}

impl Left<'_> {
    /// What it set out to do, without the words of recoveries in between.
    fn title(&self) -> &str {
        self.holder.why.trim_start_matches("finish: ").trim_start_matches("undo: ")
    }
}

/// Plans the end of the unfinished operation. The lock of the dead is taken over, and keeps what it says, so that a
/// recovery that dies can itself be recovered; it is given back only when all is done.
pub fn recover(request: &Request, snapshot: &Snapshot, terms: &Terms<'_>, ending: Ending) -> Result<Plan, Refusal> {
    let name = snapshot.environment.id.name.clone();
    let Some(holder) = snapshot.lock.as_deref() else { return Err(Refusal::NotUnfinished { environment: name }) };
    let begun = match LockRequest::of(holder) {
        None => return Err(Refusal::NotUnfinished { environment: name }),
        Some(Err(why)) => return Err(Refusal::Unreadable { environment: name, why: why.to_string().into() }),
        Some(Ok(begun)) => begun,
    };
    let mut draft = Draft::new(request, snapshot, terms);
    let since = holder.since;
    match owner_state(holder, terms.actor, terms.alive) {
        Owner::Ours | Owner::Dead => {}
        Owner::Alive | Owner::Elsewhere if !terms.take_over => {
            let what = holder.why.clone();
            return Err(Refusal::MayBeAlive { environment: name, what, by: holder.by.clone(), since });
        }
        Owner::Alive | Owner::Elsewhere => {
            draft.warn(format!("{} began this and may still be at it: two at once do harm", holder.by));
        }
    }
    if ending == Ending::Finish && matches!(begun.operation, Operation::Run { .. }) {
        return Err(Refusal::OnlyUndo { what: holder.why.clone() });
    }
    let left = Left { holder, begun };
    draft.made_by = left.begun.made_by.clone();
    draft.affected.clone_from(&left.begun.workloads);
    match (ending, draft::is_declared(snapshot)) {
        (Ending::Finish, false) => finish::finish(&mut draft, &left)?,
        (Ending::Undo, false) => undo::undo(&mut draft, &left)?,
        (Ending::Finish, true) => declared::finish(&mut draft, &left)?,
        (Ending::Undo, true) => declared::undo(&mut draft, &left)?,
    }
    if draft.steps.is_empty() {
        draft.warn(match ending {
            Ending::Finish => "everything is done already: only the lock is given back",
            Ending::Undo => "nothing is left to take back: only the lock is given back",
        });
    }
    Ok(end(draft, &left, ending))
}

fn end(draft: Draft<'_>, left: &Left<'_>, ending: Ending) -> Plan {
    let why = left.title();
    let title = match ending {
        Ending::Finish => format!("finish: {why}"),
        Ending::Undo => format!("undo: {why}"),
    };
    let workloads: Vec<&str> = left.begun.workloads.iter().map(|w| w.workload.as_str()).collect();
    let target = workloads.join(", ");
    let holder = draft::holder(draft.terms, &title, left.holder.request.clone());
    let restores = left.begun.under.as_ref().map(|under| {
        Box::new(LockHolder {
            by: under.by.clone(),
            host: under.host.clone(),
            why: under.why.clone(),
            since: under.since,
            operation: None,
            request: None,
            ..holder.clone()
        })
    });
    let lock = Lock { holder: Box::new(holder), replaces: Some(Box::new(left.holder.clone())), restores };
    draft.into_plan(title, target, Some(lock))
}

/// The workload as it is now; gone with everything in it is an empty one's business.
fn workload(draft: &Draft<'_>, affected: &Affected) -> Option<Arc<Workload>> {
    draft.snapshot.workload(&affected.workload).cloned()
}

/// The instances the unfinished operation made, by number.
fn made(workload: &Workload, left: &Left<'_>) -> Vec<Arc<Instance>> {
    let original = |i: &Instance| left.begun.workloads.iter().any(|w| w.originals.iter().any(|o| o.id == i.id));
    let mut made: Vec<Arc<Instance>> = workload
        .instances
        .iter()
        .filter(|i| i.made_by.as_ref() == Some(&left.begun.made_by) && !i.one_off && !original(i))
        .cloned()
        .collect();
    made.sort_by(|a, b| (a.number, &a.id).cmp(&(b.number, &b.id)));
    made
}

/// The instance `id` where it still is.
fn there(workload: &Workload, id: &crate::model::InstanceId) -> Option<Arc<Instance>> {
    workload.instances.iter().find(|i| &i.id == id).cloned()
}

/// Says what becomes of an instance.
fn tell(draft: &mut Draft<'_>, workload: &Workload, instance: &Instance, after: &str) {
    let before = format!("{} ({})", instance.name, instance.state);
    draft.change(words::instance_label(workload, instance), before, after);
}
