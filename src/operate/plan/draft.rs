//! A plan in the making: steps with their way back, names, changes, warnings, and the facts recovery needs.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crate::model::{Instance, LockHolder, Mechanics, OperationId, Revision, Snapshot, Workload};
use crate::operate::action::{Action, InstanceRef, Replica};
use crate::operate::policy::{DeployPolicy, OnFailure};
use crate::operate::request::{Operation, Request};
use crate::operate::unfinished::{Affected, Fate, LockRequest, Original, Under, Was};

use super::{Basis, Change, Gate, Lock, Name, Names, Plan, Step, Terms, Work, words};

/// A plan in the making.
pub struct Draft<'a> {
    pub request: &'a Request,
    pub snapshot: &'a Snapshot,
    pub terms: &'a Terms<'a>,
    pub steps: Vec<Step>,
    pub changes: Vec<Change>,
    pub warnings: Vec<Arc<str>>,
    pub affected: Vec<Affected>,
    /// Addresses that are told how it ended.
    pub notify: Vec<Arc<str>>,
    pub names: Names,
    /// Whose name is on what is made: this operation, or the one that is recovered.
    pub made_by: OperationId,
    slots: u32,
}

impl<'a> Draft<'a> {
    pub fn new(request: &'a Request, snapshot: &'a Snapshot, terms: &'a Terms<'a>) -> Self {
        Self {
            request,
            snapshot,
            terms,
            steps: Vec::new(),
            changes: Vec::new(),
            warnings: Vec::new(),
            affected: Vec::new(),
            notify: Vec::new(),
            names: Names { engine: Some(snapshot.environment.engine), ..Names::default() },
            made_by: terms.id.clone(),
            slots: 0,
        }
    }

    /// How `workload` is deployed here.
    pub fn policy(&self, workload: &Workload) -> &'a DeployPolicy {
        self.terms.policy.deploy_of(&workload.id)
    }

    pub fn slot(&mut self) -> u32 {
        self.slots += 1;
        self.slots - 1
    }

    pub fn step(&mut self, work: Work, undo: Vec<Work>) {
        self.steps.push(Step {
            name: words::name(&work, &self.names),
            call: words::call(&work, &self.names),
            work,
            undo,
            optional: false,
        });
    }

    pub fn act(&mut self, action: Action, undo: Vec<Work>) {
        self.step(Work::Act(action), undo);
    }

    /// A step of cleaning up: its failure is told and passed over.
    pub fn tidy(&mut self, action: Action) {
        self.act(action, Vec::new());
        if let Some(step) = self.steps.last_mut() {
            step.optional = true;
        }
    }

    pub fn change(&mut self, path: impl Into<Arc<str>>, before: impl Into<Arc<str>>, after: impl Into<Arc<str>>) {
        self.changes.push(Change { path: path.into(), before: before.into(), after: after.into() });
    }

    pub fn warn(&mut self, text: impl Into<Arc<str>>) {
        let text = text.into();
        if !self.warnings.contains(&text) {
            self.warnings.push(text);
        }
    }

    /// Names an instance that is there; `old` where a new one takes its label.
    pub fn know(&mut self, workload: &Workload, instance: &Instance, old: bool) -> InstanceRef {
        let plain = words::instance_label(workload, instance);
        let label = if old { format!("old {plain}") } else { plain };
        let reference = InstanceRef::Known(instance.id.clone());
        let name = Name { label: label.into(), path: words::short(&instance.id).into() };
        self.names.instances.insert(reference.clone(), name);
        reference
    }

    /// Names an instance that is to be made.
    pub fn name_made(&mut self, slot: u32, label: String, path: String) -> InstanceRef {
        let reference = InstanceRef::Made(slot);
        self.names.instances.insert(reference.clone(), Name { label: label.into(), path: path.into() });
        reference
    }

    /// Names a declared workload.
    pub fn know_workload(&mut self, workload: &Workload) {
        self.names.workloads.insert(workload.id.clone(), words::resource(workload).into());
    }

    /// Creates `replica`; undone by removing it.
    pub fn create(&mut self, replica: Replica) {
        let new = InstanceRef::Made(replica.slot);
        let undo = vec![Work::Act(Action::Remove { instance: new, force: true })];
        self.act(Action::Create { operation: self.made_by.clone(), replica: Box::new(replica) }, undo);
    }

    /// Stops an instance; undone by making it what it was.
    pub fn stop(&mut self, instance: &InstanceRef, undo: Vec<Work>) {
        self.act(Action::Stop { instance: instance.clone(), grace: None }, undo);
    }

    /// Starts an instance; undone by stopping it.
    pub fn start(&mut self, instance: &InstanceRef) {
        let undo = vec![Work::Act(Action::Stop { instance: instance.clone(), grace: None })];
        self.act(Action::Start { instance: instance.clone() }, undo);
    }

    /// Waits until an instance is healthy, and for `hold` after.
    pub fn healthy(&mut self, instance: &InstanceRef, policy: &DeployPolicy, hold: Duration) {
        self.step(healthy(instance.clone(), policy, hold), Vec::new());
    }

    /// The facts of a workload: `fate` says what is to become of each replica.
    pub fn affect(&mut self, workload: &Workload, fate: impl Fn(&Instance) -> Fate) -> &mut Affected {
        let originals = workload.instances.iter().filter(|i| !i.one_off).map(|i| Original::of(i, fate(i))).collect();
        self.affected.push(Affected {
            workload: workload.id.clone(),
            replicas: workload.desired,
            originals,
            makes: Vec::new(),
            from: workload.revision,
            revisions: Vec::new(),
            switch: None,
            mirrored: false,
            stop_first: false,
        });
        let last = self.affected.len() - 1;
        &mut self.affected[last]
    }

    /// The whole plan, under the environment's lock.
    pub fn finish(self, title: String, target: String, under: Option<LockHolder>) -> Plan {
        let request = LockRequest {
            made_by: self.made_by.clone(),
            operation: self.request.operation.clone(),
            targets: self.request.targets.clone(),
            workloads: self.affected.clone(),
            under: under.as_ref().map(|h| Under { by: h.by.clone(), host: h.host.clone(), why: h.why.clone(), since: h.since }),
        };
        let holder = holder(self.terms, &title, request.to_json().ok());
        let under = under.map(Box::new);
        let lock = Lock { holder: Box::new(holder), replaces: under.clone(), restores: under };
        self.into_plan(title, target, Some(lock))
    }

    /// The whole plan, under `lock` where one is needed.
    pub fn into_plan(self, title: String, target: String, lock: Option<Lock>) -> Plan {
        let touched: Vec<_> = self.affected.iter().filter_map(|a| self.snapshot.workload(&a.workload)).collect();
        let basis = Basis::of(touched.into_iter().map(Arc::as_ref));
        let on_failure = self.on_failure();
        Plan {
            id: self.terms.id.clone(),
            at: self.terms.now,
            request: self.request.clone(),
            title: title.into(),
            target: target.into(),
            endpoint: self.snapshot.environment.endpoint.clone(),
            guard: guard(self.snapshot, self.terms),
            destructive: destructive(self.request, self.snapshot, self.terms),
            basis,
            steps: self.steps,
            changes: self.changes,
            warnings: self.warnings,
            on_failure,
            confirmed: BTreeSet::new(),
            notify: self.notify,
            lock,
            names: self.names,
        }
    }

    fn on_failure(&self) -> OnFailure {
        match self.request.operation {
            Operation::Scale { .. }
            | Operation::Stop
            | Operation::Pause
            | Operation::Remove
            | Operation::Deploy { .. }
            | Operation::Rollback { .. }
            | Operation::Run { .. } => {
                let first = self.affected.first().map(|a| &a.workload);
                first.map_or(self.terms.policy.deploy.rollback, |w| self.terms.policy.deploy_of(w).rollback)
            }
            // What is started, frozen or killed has no better state to go back to.
            // The compose tool cannot take back what it did.
            Operation::Up
            | Operation::Restart
            | Operation::Start
            | Operation::Unpause
            | Operation::Kill { .. }
            | Operation::Lock { .. }
            | Operation::Unlock
            | Operation::Recover { .. }
            | Operation::Trigger
            | Operation::Load { .. }
            | Operation::Bounds { .. }
            | Operation::Cordon { .. }
            | Operation::Uncordon { .. }
            | Operation::Drain { .. }
            | Operation::Silence { .. }
            | Operation::Unsilence { .. }
            | Operation::Drill { .. } => OnFailure::Never,
        }
    }
}

/// A gate on one instance.
pub fn healthy(instance: InstanceRef, policy: &DeployPolicy, hold: Duration) -> Work {
    Work::Await(Gate::Healthy { instance, within: policy.healthy_within, hold })
}

/// How long an instance is watched once it is healthy when nothing else depends on it: one with a health check has
/// proven itself, one without must at least keep running.
pub fn brief_hold(instance: &Instance, policy: &DeployPolicy) -> Duration {
    if instance.has_healthcheck { Duration::ZERO } else { policy.hold }
}

/// What makes an instance again what it was, once it has been stopped.
pub fn revive(instance: &InstanceRef, original: &Original, policy: &DeployPolicy) -> Vec<Work> {
    let start = Work::Act(Action::Start { instance: instance.clone() });
    match original.was {
        Was::Running if original.healthy => vec![start, healthy(instance.clone(), policy, Duration::ZERO)],
        Was::Running => vec![start],
        Was::Paused => vec![start, Work::Act(Action::Pause { instance: instance.clone() })],
        Was::Stopped => Vec::new(),
    }
}

/// The revisions of a workload, newest first. What ran before quarterdeck came is its first.
pub fn recorded(workload: &Workload) -> Vec<Revision> {
    if !workload.revisions.is_empty() {
        return workload.revisions.clone();
    }
    vec![Revision {
        number: workload.revision.unwrap_or(1),
        image: workload.image.clone(),
        digest: workload.digest.clone(),
        at: workload.created_at,
        by: None,
        cause: None,
    }]
}

/// The number of the revision a workload is at.
pub fn current(workload: &Workload) -> u64 {
    workload.revision.or_else(|| workload.revisions.first().map(|r| r.number)).unwrap_or(1)
}

/// This process as the holder of a lock.
pub fn holder(terms: &Terms<'_>, why: &str, request: Option<Arc<str>>) -> LockHolder {
    LockHolder {
        by: terms.actor.by(),
        host: terms.actor.host.clone(),
        pid: terms.actor.pid,
        pid_started: terms.actor.pid_started,
        why: why.into(),
        since: terms.now,
        operation: Some(terms.id.clone()),
        request,
    }
}

/// The stricter of what the environment shows and what the configuration says.
fn guard(snapshot: &Snapshot, terms: &Terms<'_>) -> crate::model::Guard {
    let guard = snapshot.environment.guard.max(terms.policy.guard);
    if terms.read_only { crate::model::Guard::ReadOnly } else { guard }
}

/// Whether it takes something away that a person would miss.
fn destructive(request: &Request, snapshot: &Snapshot, terms: &Terms<'_>) -> bool {
    match &request.operation {
        Operation::Scale { to } => *to == 0,
        Operation::Unlock => {
            let foreign = |h: &Arc<LockHolder>| h.by != terms.actor.by() || h.operation.is_some();
            snapshot.lock.as_ref().is_some_and(foreign)
        }
        other => other.verb().is_destructive(),
    }
}

/// Whether the engine makes the wanted state itself.
pub fn is_declared(snapshot: &Snapshot) -> bool {
    snapshot.environment.mechanics == Mechanics::Declared
}
