//! Taking the environment's lock by hand and giving it back; and what a lock that is there means for everything else.

use std::sync::Arc;

use crate::model::{LockHolder, Snapshot};
use crate::operate::action::Action;
use crate::operate::guard::{Owner, owner_state};
use crate::operate::refusal::Refusal;
use crate::operate::request::Request;

use super::draft::{self, Draft};
use super::{Plan, Terms, Work};

/// Nobody's lock is in the way: there is none, or one's own taken by hand (returned, to be put back afterwards).
pub fn free_or_ours(snapshot: &Snapshot, terms: &Terms<'_>) -> Result<Option<LockHolder>, Refusal> {
    let Some(holder) = &snapshot.lock else { return Ok(None) };
    match (owner_state(holder, terms.actor, terms.alive), &holder.operation) {
        (Owner::Ours, None) => Ok(Some(holder.as_ref().clone())),
        (Owner::Ours | Owner::Dead, Some(_)) => Err(Refusal::Unfinished {
            environment: name(snapshot),
            by: holder.by.clone(),
            what: holder.why.clone(),
            since: holder.since,
        }),
        (Owner::Alive | Owner::Elsewhere, _) | (Owner::Dead, None) => Err(locked(snapshot, holder)),
    }
}

fn name(snapshot: &Snapshot) -> Arc<str> {
    snapshot.environment.id.name.clone()
}

fn locked(snapshot: &Snapshot, holder: &LockHolder) -> Refusal {
    Refusal::Locked { environment: name(snapshot), by: holder.by.clone(), why: holder.why.clone(), since: holder.since }
}

/// Takes the lock for a person: it stays until the person gives it back.
pub fn lock(request: &Request, snapshot: &Snapshot, terms: &Terms<'_>, why: &Arc<str>) -> Result<Plan, Refusal> {
    if let Some(ours) = free_or_ours(snapshot, terms)? {
        return Err(Refusal::Nothing(
            format!("you hold the lock of {} since {:.0}: {}", name(snapshot), ours.since, ours.why).into(),
        ));
    }
    let environment = request.environment.clone();
    let holder = LockHolder { operation: None, ..draft::holder(terms, why, None) };
    let undo = Action::ReleaseLock { environment: environment.clone(), operation: None };
    let mut draft = Draft::new(request, snapshot, terms);
    draft.change("lock", "–", format!("{}: {why}", holder.by));
    draft.act(Action::TakeLock { environment, holder: Box::new(holder), replaces: None }, vec![Work::Act(undo)]);
    Ok(draft.into_plan(format!("lock {}", name(snapshot)), name(snapshot).to_string(), None))
}

/// Gives the lock back: one's own; anybody else's only knowingly.
pub fn unlock(request: &Request, snapshot: &Snapshot, terms: &Terms<'_>) -> Result<Plan, Refusal> {
    let Some(holder) = &snapshot.lock else {
        return Err(Refusal::Nothing(format!("{} is not locked", name(snapshot)).into()));
    };
    let owner = owner_state(holder, terms.actor, terms.alive);
    let mut draft = Draft::new(request, snapshot, terms);
    match (&holder.operation, owner) {
        (None, Owner::Ours) => {}
        (None, Owner::Dead | Owner::Alive | Owner::Elsewhere) if !terms.take_over => return Err(locked(snapshot, holder)),
        (None, Owner::Dead | Owner::Alive | Owner::Elsewhere) => {
            draft.warn(format!("this is the lock of {}: {}", holder.by, holder.why));
        }
        (Some(_), _) if terms.take_over => {
            draft.warn(format!("what {} has begun ({}) is left as it is; recover ends it properly", holder.by, holder.why));
        }
        (Some(_), Owner::Ours | Owner::Dead) => {
            free_or_ours(snapshot, terms)?;
        }
        (Some(_), Owner::Alive | Owner::Elsewhere) => return Err(locked(snapshot, holder)),
    }
    let environment = request.environment.clone();
    draft.change("lock", format!("{}: {}", holder.by, holder.why), "–");
    draft.act(Action::ReleaseLock { environment, operation: holder.operation.clone() }, Vec::new());
    Ok(draft.into_plan(format!("unlock {}", name(snapshot)), name(snapshot).to_string(), None))
}
