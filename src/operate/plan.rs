//! A plan: exactly what will be called, on which pinned target, what changes, and the way back. Making one is pure;
//! the makers are one file per operation.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use crate::model::{Guard, LockHolder, OperationId, Snapshot, WorkloadId};

use super::action::{Action, InstanceRef};
use super::policy::{Actor, OnFailure, Policy};
use super::refusal::Refusal;
use super::request::{Operation, Request};

/// What must hold before the next step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gate {
    /// The instance becomes healthy (or, without a health signal, runs) `within` this time and stays so for `hold`.
    Healthy { instance: InstanceRef, within: Duration, hold: Duration },
    /// Declared engines: every replica of the workload is at `revision` (where one is named) and healthy, `replicas` of them, and for `hold`.
    RolledOut { workload: WorkloadId, revision: Option<u64>, replicas: u32, within: Duration, hold: Duration },
    /// Nothing but time.
    Wait { hold: Duration },
}

/// What a step does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Work {
    Act(Action),
    Await(Gate),
}

/// One step, and how it is undone: reversed, the undos of the steps begun are the way back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Short, for people: `start backend-2`.
    pub name: Arc<str>,
    /// The call as the engine sees it: `POST /containers/4f1c…/start`.
    pub call: Arc<str>,
    pub work: Work,
    /// Empty where nothing needs undoing.
    pub undo: Vec<Work>,
    /// Failure of it is noted and passed over (cleaning up).
    pub optional: bool,
}

/// A difference between before and after, for people and `--plan`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    pub path: Arc<str>,
    pub before: Arc<str>,
    pub after: Arc<str>,
}

/// What the plan was made from; it refuses to run if that has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Basis {
    /// Per workload: its revision and the instances it had.
    pub workloads: Vec<(WorkloadId, Option<u64>, Vec<crate::model::InstanceId>)>,
}

/// How an instance is called in a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// For people: `backend-2`.
    pub label: Arc<str>,
    /// In calls: a short id, or the name of one that is still to be made.
    pub path: Arc<str>,
}

/// The lock an operation runs under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lock {
    pub holder: Box<LockHolder>,
    /// The lock taken over: one's own taken by hand, or that of an operation to be recovered.
    pub replaces: Option<Box<LockHolder>>,
    /// One's own lock taken by hand, put back at the end.
    pub restores: Option<Box<LockHolder>>,
}

/// Exactly what will be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    pub id: OperationId,
    pub request: Request,
    /// `deploy backend 1.4.2 → 1.5.0`.
    pub title: Arc<str>,
    /// For audit and lists: `backend` or `3 workloads`.
    pub target: Arc<str>,
    pub endpoint: Arc<str>,
    pub guard: Guard,
    pub destructive: bool,
    pub basis: Basis,
    pub steps: Vec<Step>,
    pub changes: Vec<Change>,
    /// What a person should know first: no healthcheck, something else is unhealthy, stop-first because of port 80.
    pub warnings: Vec<Arc<str>>,
    pub on_failure: OnFailure,
    /// Taken before the first step and given back after the last; `None` for lock, unlock and drill.
    pub lock: Option<Lock>,
    /// Every instance the steps are about.
    pub names: BTreeMap<InstanceRef, Name>,
}

/// Who asks, under which rules, and when.
#[derive(Clone, Debug)]
pub struct Terms<'a> {
    pub policy: &'a Policy,
    pub actor: &'a Actor,
    /// `--read-only`: the plan can be made and looked at; [`super::guard::decide`] does not let it start.
    pub read_only: bool,
    /// The person knows that a lock's owner may be alive and takes it over (`unlock`, `recover`).
    pub take_over: bool,
    /// Living processes of this host among the lock holders; `None`: not asked yet.
    pub alive: Option<&'a BTreeSet<(u32, u64)>>,
    /// The new operation's identity.
    pub id: OperationId,
    pub now: Timestamp,
}

/// Plans `request` on what `snapshot` shows. Pure: the same input gives the same plan.
///
/// # Errors
/// A [`Refusal`]: a sentence saying why there is nothing to run.
pub fn plan(request: &Request, snapshot: &Snapshot, terms: &Terms<'_>) -> Result<Plan, Refusal> {
    let _ = (snapshot, terms);
    match &request.operation {
        Operation::Scale { .. }
        | Operation::Restart
        | Operation::Stop
        | Operation::Start
        | Operation::Pause
        | Operation::Unpause
        | Operation::Kill { .. }
        | Operation::Remove
        | Operation::Deploy { .. }
        | Operation::Rollback { .. }
        | Operation::Lock { .. }
        | Operation::Unlock
        | Operation::Recover { .. }
        | Operation::Drill { .. } => Err(Refusal::NoTarget { verb: request.operation.verb() }),
    }
}
