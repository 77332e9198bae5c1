//! A plan: exactly what will be called, on which pinned target, what changes, and the way back. Making one is pure;
//! the makers are one file per operation.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use crate::model::{Guard, OperationId, WorkloadId};

use super::action::{Action, InstanceRef};
use super::policy::OnFailure;
use super::request::Request;

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
}
