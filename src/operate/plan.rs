//! A plan: exactly what will be called, on which pinned target, what changes, and the way back. Making one is pure;
//! the makers are one file per operation.

mod around;
mod basis;
mod blue_green;
mod cluster;
mod controlled;
mod declared;
mod deploy;
mod draft;
mod drill;
mod kill;
mod load;
mod lock;
mod mirrored;
mod pacing;
mod pause;
mod recover;
mod remove;
mod replace;
mod restart;
mod rollback;
mod runbook;
mod scale;
mod silence;
mod start;
mod stop;
mod targets;
pub(crate) mod up;
mod warnings;
pub(in crate::operate) mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use crate::model::{EngineKind, Guard, InstanceId, LockHolder, Mechanics, OperationId, Snapshot, WorkloadId};

use super::action::{Action, InstanceRef};
use super::policy::{Actor, OnFailure, Policy};
use super::refusal::Refusal;
use super::request::{Operation, Request};

use draft::Draft;

pub use around::reading_of;

/// What must hold before the next step.
#[derive(Clone, Debug, PartialEq)]
pub enum Gate {
    /// The instance becomes healthy (or, without a health signal, runs) `within` this time and stays so for `hold`.
    Healthy { instance: InstanceRef, within: Duration, hold: Duration },
    /// Declared engines: every replica of the workload is at `revision` (where one is named) and healthy, `replicas` of
    /// them, and for `hold`. With `follow` the engine was told a new definition: it must be through with it, too, and
    /// fails the gate when it stops in the middle.
    RolledOut {
        workload: WorkloadId,
        revision: Option<u64>,
        /// A revision it must be away from, where which number the engine gives to the next one is not known.
        left: Option<u64>,
        replicas: u32,
        within: Duration,
        hold: Duration,
        follow: bool,
    },
    /// Nothing but time.
    Wait { hold: Duration },
    /// A look, repeated: good at once or `within` this time, and for `hold` after. Once it was good, so many bad ones in a
    /// row as `patience` says are a failure.
    Reading {
        /// `probe api`, `error_rate < 0.05`.
        name: Arc<str>,
        /// What is asked each time: something that only looks.
        look: Box<Action>,
        /// Time between two looks.
        every: Duration,
        within: Duration,
        hold: Duration,
        patience: u32,
    },
    /// A person says that it is so.
    Person { text: Arc<str> },
}

/// What a step does.
#[derive(Clone, Debug, PartialEq)]
pub enum Work {
    Act(Action),
    Await(Gate),
}

/// One step, and how it is undone: reversed, the undos of the steps begun are the way back.
#[derive(Clone, Debug, PartialEq)]
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
    pub workloads: Vec<Was>,
}

/// What a workload was when it was planned for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Was {
    pub workload: WorkloadId,
    pub revision: Option<u64>,
    pub desired: u32,
    pub instances: Vec<InstanceId>,
}

/// How an instance is called in a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// For people: `backend-2`.
    pub label: Arc<str>,
    /// In calls: a short id, or the name of one that is still to be made.
    pub path: Arc<str>,
}

/// How everything a plan is about is called.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    pub instances: BTreeMap<InstanceRef, Name>,
    /// The path of a workload in calls: `deployments/backend`.
    pub workloads: BTreeMap<WorkloadId, Arc<str>>,
    /// Whose calls they are; without one, those of containers.
    pub engine: Option<EngineKind>,
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
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    pub id: OperationId,
    /// When it was made.
    pub at: Timestamp,
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
    /// What a person has already said is so: it is not asked again.
    pub confirmed: BTreeSet<Arc<str>>,
    /// Addresses that are told how it ended.
    pub notify: Vec<Arc<str>>,
    /// Taken before the first step and given back after the last; `None` for lock, unlock, drill, load and silences.
    pub lock: Option<Lock>,
    pub names: Names,
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
    match &request.operation {
        Operation::Lock { why } => lock::lock(request, snapshot, terms, why),
        Operation::Unlock => lock::unlock(request, snapshot, terms),
        Operation::Recover { ending } => recover::recover(request, snapshot, terms, *ending),
        Operation::Drill { name } => Ok(drill::drill(request, snapshot, terms, name)),
        Operation::Run { runbook, .. } => runbook::run(request, snapshot, terms, runbook),
        Operation::Load { url, shape } => load::load(request, snapshot, terms, url.as_ref(), shape),
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
        | Operation::Trigger
        | Operation::Bounds { .. }
        | Operation::Up => change(request, snapshot, terms),
        Operation::Cordon { node } => cluster::cordon(request, snapshot, terms, node, true),
        Operation::Uncordon { node } => cluster::cordon(request, snapshot, terms, node, false),
        Operation::Drain { node } => cluster::drain(request, snapshot, terms, node),
        Operation::Silence { .. } => silence::silence(request, snapshot, terms),
        Operation::Unsilence { id } => silence::unsilence(request, snapshot, terms, id),
    }
}

/// Plans a change of workloads or instances.
fn change(request: &Request, snapshot: &Snapshot, terms: &Terms<'_>) -> Result<Plan, Refusal> {
    let under = lock::free_or_ours(snapshot, terms)?;
    let everything = request.operation == Operation::Up && request.targets.is_empty();
    let chosen = if everything { up::drifted(snapshot) } else { targets::choose(request, snapshot)? };
    let mut draft = Draft::new(request, snapshot, terms);
    let declared = snapshot.environment.mechanics == Mechanics::Declared;
    let title = match &request.operation {
        Operation::Scale { to } if declared => declared::scale(&mut draft, &chosen, *to)?,
        Operation::Restart if declared => declared::restart(&mut draft, &chosen)?,
        Operation::Stop if declared => declared::stop(&mut draft, &chosen)?,
        Operation::Start if declared => declared::start(&mut draft, &chosen)?,
        Operation::Pause if declared => cluster::suspend(&mut draft, &chosen, true)?,
        Operation::Unpause if declared => cluster::suspend(&mut draft, &chosen, false)?,
        Operation::Trigger => cluster::trigger(&mut draft, &chosen)?,
        Operation::Bounds { min, max } => cluster::bounds(&mut draft, &chosen, *min, *max)?,
        Operation::Kill { .. } | Operation::Remove if declared => declared::take_away(&mut draft, &chosen)?,
        Operation::Deploy { image, strategy, .. } if declared => deploy::declared(&mut draft, &chosen, image, *strategy)?,
        Operation::Rollback { to } if declared => rollback::declared(&mut draft, &chosen, *to)?,
        Operation::Up => up::up(&mut draft, &chosen)?,
        Operation::Scale { to } => scale::scale(&mut draft, &chosen, *to)?,
        Operation::Restart => restart::restart(&mut draft, &chosen)?,
        Operation::Stop => stop::stop(&mut draft, &chosen)?,
        Operation::Start => start::start(&mut draft, &chosen)?,
        Operation::Pause => pause::pause(&mut draft, &chosen)?,
        Operation::Unpause => pause::unpause(&mut draft, &chosen)?,
        Operation::Kill { signal } => kill::kill(&mut draft, &chosen, signal)?,
        Operation::Remove => remove::remove(&mut draft, &chosen)?,
        Operation::Deploy { image, strategy, .. } => deploy::deploy(&mut draft, &chosen, image, *strategy)?,
        Operation::Rollback { to } => rollback::rollback(&mut draft, &chosen, *to)?,
        Operation::Lock { .. }
        | Operation::Unlock
        | Operation::Recover { .. }
        | Operation::Drill { .. }
        | Operation::Run { .. }
        | Operation::Load { .. }
        | Operation::Cordon { .. }
        | Operation::Uncordon { .. }
        | Operation::Drain { .. }
        | Operation::Silence { .. }
        | Operation::Unsilence { .. } => {
            return Err(Refusal::NoTarget { verb: request.operation.verb() });
        }
    };
    warnings::around(&mut draft, &chosen);
    Ok(draft.finish(title, targets::subject(&chosen), under))
}

impl Plan {
    /// How many of the first steps only look or ask: until they are over, nothing is changed.
    #[must_use]
    pub fn before(&self) -> usize {
        let looks = |step: &Step| match &step.work {
            Work::Await(Gate::Reading { .. } | Gate::Person { .. })
            | Work::Act(Action::LookAtImage { .. } | Action::LookAtDisk { .. }) => true,
            Work::Act(Action::Errand(errand)) => errand.is_look(),
            Work::Await(Gate::Healthy { .. } | Gate::RolledOut { .. } | Gate::Wait { .. }) | Work::Act(_) => false,
        };
        self.steps.iter().position(|step| !looks(step)).unwrap_or(0)
    }

    /// What can be looked at before it is started: the checks before, and the images. By step; harmless.
    #[must_use]
    pub fn previews(&self) -> Vec<(usize, Action)> {
        let before = self.before();
        let look = |(index, step): (usize, &Step)| match &step.work {
            Work::Await(Gate::Reading { look, .. }) if index < before => Some((index, (**look).clone())),
            Work::Act(action) if index < before => Some((index, action.clone())),
            Work::Act(Action::EnsureImage { environment, image, digest }) => {
                let (environment, image, digest) = (environment.clone(), image.clone(), digest.clone());
                Some((index, Action::LookAtImage { environment, image, digest }))
            }
            Work::Act(_) | Work::Await(_) => None,
        };
        self.steps.iter().enumerate().filter_map(look).collect()
    }

    /// What a person is asked to say is so, in order.
    pub fn asked(&self) -> impl Iterator<Item = &Arc<str>> {
        self.steps.iter().filter_map(|step| match &step.work {
            Work::Await(Gate::Person { text }) => Some(text),
            Work::Act(_) | Work::Await(_) => None,
        })
    }

    /// Every call in order, the lock's included, as (what, call).
    #[must_use]
    pub fn calls(&self) -> Vec<(Arc<str>, Arc<str>)> {
        let scope = &self.request.environment.name;
        let mut calls = Vec::with_capacity(self.steps.len() + 2);
        if self.lock.is_some() {
            calls.push(("lock".into(), format!("take the lock of {scope}").into()));
        }
        calls.extend(self.steps.iter().map(|s| (s.name.clone(), s.call.clone())));
        if self.lock.is_some() {
            calls.push(("unlock".into(), format!("give the lock of {scope} back").into()));
        }
        calls
    }
}
