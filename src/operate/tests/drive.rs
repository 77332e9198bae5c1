//! Drives a machine over the simulated engine, with faults and cuts where a test wants them.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crate::engine::EngineError;
use crate::model::*;
use crate::operate::action::InstanceRef;
use crate::operate::audit::{self, Record};
use crate::operate::machine::{Effect, Event, Machine, Outcome};
use crate::operate::plan::{Plan, Terms, plan};
use crate::operate::policy::{Actor, DeployPolicy, OnFailure, Policy};
use crate::operate::request::{Operation, Request, Target};
use crate::operate::{Action, Refusal};

use super::world::{Behaviour, World};

/// What goes wrong with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    None,
    /// The engine cannot be reached; nothing happens.
    Away,
    /// It happens, but the answer is lost.
    Lost,
    /// The engine refuses.
    Refused,
}

pub fn me() -> Actor {
    Actor { user: "ops".into(), host: "bastion-1".into(), ssh: None, pid: 7, pid_started: 70 }
}

pub fn policy() -> Policy {
    let deploy = DeployPolicy { hold: Duration::from_secs(5), healthy_within: Duration::from_secs(20), ..Default::default() };
    Policy { deploy, ..Policy::of(Guard::Open) }
}

pub fn on(workload: &str, operation: Operation) -> Request {
    let targets = vec![Target { workload: workload.into(), instance: None }];
    Request { environment: EnvironmentId::new("local", "lms"), targets, operation }
}

pub fn deploy(image: &str) -> Operation {
    Operation::Deploy { image: image.into(), container: None, strategy: None, fast: false, unwatched: true }
}

/// Plans as operation `id`; processes of this host other than our own are dead.
pub fn ask(world: &World, request: &Request, policy: &Policy, id: &str) -> Result<Plan, Refusal> {
    ask_as(world, request, policy, id, &me(), false)
}

pub fn ask_as(
    world: &World,
    request: &Request,
    policy: &Policy,
    id: &str,
    actor: &Actor,
    take_over: bool,
) -> Result<Plan, Refusal> {
    let alive = BTreeSet::new();
    let terms = Terms { policy, actor, read_only: false, take_over, alive: Some(&alive), id: id.into(), now: world.now };
    plan(request, &world.snapshot(), &terms)
}

/// A run and everything a test may want to know of it.
pub struct Run {
    pub world: World,
    pub machine: Machine,
    pub journal: Vec<Record>,
    /// Fewest healthy instances of the watched workload seen at any time.
    pub fewest: usize,
    /// The same, those not counted against it that fell after they had held.
    pub fewest_fair: usize,
    pub watched: Arc<str>,
    /// What was set aside when it began: kept from an operation before.
    kept: BTreeSet<InstanceId>,
}

/// What happens around a run: faults by call, an abort after so many calls, a cut after so many.
#[derive(Clone, Debug, Default)]
pub struct Weather {
    pub faults: Vec<(usize, Fault)>,
    pub abort_after: Option<usize>,
    pub cut_after: Option<usize>,
    /// The feed is away in these turns.
    pub stale: BTreeSet<usize>,
}

impl Weather {
    fn fault(&self, call: usize) -> Fault {
        self.faults.iter().find(|(at, _)| *at == call).map_or(Fault::None, |(_, f)| *f)
    }
}

/// Runs `plan` to its end or the cut.
pub fn run(world: World, plan: Plan, weather: &Weather, watched: &str) -> Run {
    let (machine, mut effects) = Machine::new(plan, &me(), world.now);
    let kept = world.boxes.iter().filter(|b| b.set_aside).map(|b| b.id.clone()).collect();
    let (journal, watched) = (Vec::new(), watched.into());
    let mut run = Run { world, machine, journal, fewest: usize::MAX, fewest_fair: usize::MAX, watched, kept };
    let mut calls = 0;
    for turn in 0..3000 {
        let mut answers = Vec::new();
        let mut pulling = false;
        for effect in effects.drain(..) {
            match effect {
                Effect::Journal(record) => run.journal.push(record),
                Effect::Refresh | Effect::Stop(_) => {}
                Effect::Execute(ticket, action) => {
                    // Only a pull that nobody waits for any more may still be under way.
                    assert!(answers.is_empty() || pulling, "one action at a time");
                    pulling = matches!(action, Action::EnsureImage { .. });
                    calls += 1;
                    if weather.cut_after == Some(calls) {
                        return run;
                    }
                    run.check_removal(&action);
                    answers.push((ticket, perform(&mut run.world, &action, weather.fault(calls))));
                }
            }
        }
        run.count();
        if run.machine.outcome().is_some() {
            return run;
        }
        for (ticket, result) in answers {
            run.world.pass(Duration::from_millis(100));
            let now = run.world.now;
            effects.extend(run.machine.on(now, Event::Done(ticket, result)));
            if weather.abort_after.is_some_and(|n| calls >= n) {
                effects.extend(run.machine.on(now, Event::Abort));
            }
        }
        if effects.iter().any(|e| matches!(e, Effect::Execute(..))) {
            continue;
        }
        run.world.pass(Duration::from_millis(900));
        let now = run.world.now;
        if weather.stale.contains(&turn) {
            effects.extend(run.machine.on(now, Event::Stale));
        } else {
            let snapshot = run.world.snapshot();
            effects.extend(run.machine.on(now, Event::Snapshot(&snapshot)));
        }
        effects.extend(run.machine.on(now, Event::Tick));
    }
    panic!("it never ends: {:?} {:?}", run.machine.phase, run.machine.progress);
}

fn perform(world: &mut World, action: &Action, fault: Fault) -> Result<crate::operate::Accepted, EngineError> {
    let away = || EngineError::Unreachable { endpoint: "the engine".into(), cause: "connection refused".into() };
    match fault {
        Fault::None => world.execute(action),
        Fault::Away => Err(away()),
        Fault::Lost => {
            let _ = world.execute(action);
            Err(away())
        }
        Fault::Refused => Err(EngineError::Rejected { what: "it".into(), status: 400, message: "no".into() }),
    }
}

impl Run {
    fn count(&mut self) {
        let now = self.world.now;
        let healthy = self.world.of(&self.watched).iter().filter(|b| b.is_healthy(now)).count();
        self.fewest = self.fewest.min(healthy);
        let fell = self.world.of(&self.watched).iter().filter(|b| b.fell_after_holding(now)).count();
        self.fewest_fair = self.fewest_fair.min(healthy + fell);
    }

    /// A replaced container goes only after the one in its place has held.
    fn check_removal(&self, action: &Action) {
        let (Action::Remove { instance: InstanceRef::Known(id), .. }, true) = (action, self.replaces()) else { return };
        let original = |b: &&super::world::Box_| &b.id == id && b.made_by.is_none() && !self.kept.contains(id);
        let Some(old) = self.world.boxes.iter().find(original) else { return };
        let new = self.world.boxes.iter().find(|b| b.made_by.is_some() && b.number == old.number && b.workload == old.workload);
        let new = new.unwrap_or_else(|| panic!("{} goes and nothing is in its place", old.name));
        let held = self.world.now.duration_since(new.started_at.expect("it was started"));
        // One that fell after the last look may be removed for: its fall was not to be seen.
        let lasted = new.is_up() || matches!(new.behaviour, Behaviour::Crash(after) if after >= 4);
        assert!(lasted && held.as_secs() >= 4, "{} goes before the new one has held: {new:?}", old.name);
    }

    fn replaces(&self) -> bool {
        matches!(self.machine.plan.request.operation, Operation::Deploy { .. } | Operation::Rollback { .. })
    }

    pub fn outcome(&self) -> Outcome {
        self.machine.outcome().cloned().expect("it has ended")
    }

    /// The journal begins with the plan and ends, once, with the outcome.
    pub fn check_journal(&self) {
        let phases: Vec<audit::Phase> = self.journal.iter().map(|r| r.phase).collect();
        assert_eq!(phases.first(), Some(&audit::Phase::Started));
        assert_eq!(phases.last(), Some(&audit::Phase::Ended));
        assert_eq!(phases.iter().filter(|p| **p == audit::Phase::Started).count(), 1);
        assert_eq!(phases.iter().filter(|p| **p == audit::Phase::Ended).count(), 1);
        assert_eq!(self.journal.last().and_then(|r| r.outcome.clone()), Some(self.outcome()));
        assert!(self.journal.last().is_some_and(|r| r.detail.is_some() && r.duration_ms.is_some()));
    }
}

/// What must be as it was: names, numbers, images and what each was doing.
pub fn shape(world: &World, workload: &str) -> Vec<(String, String, InstanceState, bool)> {
    let mut shape: Vec<_> = world.of(workload).iter().map(|b| (b.id.to_string(), b.name.clone(), b.state, b.set_aside)).collect();
    shape.sort();
    shape
}

/// The policy with another rule for failures.
pub fn with(rollback: OnFailure) -> Policy {
    let mut policy = policy();
    policy.deploy.rollback = rollback;
    policy
}
