//! Every operation, planned and driven by the one machine, on the demo world: what it is for, and its way back.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::still::Still;
use super::world_tests::noon;
use crate::engine::{Topic, Update};
use crate::model::{Guard, Health, OperationId, Snapshot, Workload};
use crate::operate::machine::{Effect, Event, Machine, Outcome};
use crate::operate::plan::{self, Terms};
use crate::operate::policy::{Actor, Policy};
use crate::operate::refusal::Refusal;
use crate::operate::request::{Ending, Operation, Request, Target};

struct Rig {
    still: Still,
    policy: Policy,
    actor: Actor,
    operations: u32,
}

impl Rig {
    fn new(incident: Option<&str>) -> Self {
        let mut still = Still::new(7, incident, noon()).unwrap();
        still.follow(&BTreeSet::from([Topic::Inventory]));
        let policy = Policy::of(Guard::Open);
        let actor = Actor { user: "lan".into(), host: "bastion-1".into(), ssh: None, pid: 7, pid_started: 70 };
        Self { still, policy, actor, operations: 0 }
    }

    fn snapshot(&self, environment: &str) -> Arc<Snapshot> {
        let inventory = self.still.inventory();
        inventory.environments.iter().find(|s| &*s.environment.id.name == environment).unwrap().clone()
    }

    fn workload(&self, environment: &str, name: &str) -> Arc<Workload> {
        self.snapshot(environment).workload(&name.into()).unwrap().clone()
    }

    fn plan(&mut self, environment: &str, target: Option<&str>, operation: Operation) -> Result<plan::Plan, Refusal> {
        self.operations += 1;
        let snapshot = self.snapshot(environment);
        let targets = target.map(|t| {
            let (workload, index) = t.split_once('/').map_or((t, None), |(w, i)| (w, Some(i.parse::<usize>().unwrap())));
            let instance = index.map(|i| snapshot.workload(&workload.into()).unwrap().instances[i].id.clone());
            Target { workload: workload.into(), instance }
        });
        let request = Request { environment: snapshot.environment.id.clone(), targets: targets.into_iter().collect(), operation };
        let terms = Terms {
            policy: &self.policy,
            actor: &self.actor,
            read_only: false,
            take_over: true,
            alive: Some(&BTreeSet::new()),
            id: OperationId::new(format!("op-{}", self.operations)),
            now: self.still.now(),
        };
        plan::plan(&request, &snapshot, &terms)
    }

    /// Drives a plan to its end, or so many steps far.
    fn drive(&mut self, plan: plan::Plan, most: usize) -> (Option<Outcome>, String) {
        let environment = plan.request.environment.clone();
        let (mut machine, mut effects) = Machine::new(plan, &self.actor, self.still.now());
        for _ in 0..most {
            while let Some(effect) = effects.pop() {
                if let Effect::Execute(ticket, action) = effect {
                    let result = self.still.execute(&action);
                    effects.extend(machine.on(self.still.now(), Event::Done(ticket, result)));
                }
            }
            if machine.outcome().is_some() {
                break;
            }
            for (at, update) in self.still.advance(Duration::from_millis(500)) {
                if let Update::Inventory(inventory) = update {
                    let snapshot = inventory.environments.iter().find(|s| s.environment.id == environment).unwrap();
                    effects.extend(machine.on(at, Event::Snapshot(snapshot)));
                }
            }
            effects.extend(machine.on(self.still.now(), Event::Tick));
        }
        let progress =
            machine.plan.steps.iter().zip(&machine.progress).map(|(s, p)| format!("\n  {} {:?} {}", s.name, p.state, p.detail));
        (machine.outcome().cloned(), format!("{}{}", machine.detail, progress.collect::<String>()))
    }

    fn run(&mut self, environment: &str, target: Option<&str>, operation: &Operation) -> (Outcome, String) {
        let plan =
            self.plan(environment, target, operation.clone()).unwrap_or_else(|r| panic!("{operation:?} of {target:?}: {r}"));
        let (outcome, words) = self.drive(plan, 2000);
        (outcome.unwrap_or_else(|| panic!("{operation:?} of {target:?} ends: {words}")), words)
    }

    fn done(&mut self, environment: &str, target: &str, operation: &Operation) -> Arc<Workload> {
        let (outcome, words) = self.run(environment, Some(target), operation);
        assert_eq!(outcome, Outcome::Done, "{operation:?} of {target}: {words}");
        assert!(self.snapshot(environment).lock.is_none(), "the lock is given back");
        self.workload(environment, target.split('/').next().unwrap())
    }
}

#[test]
fn a_plan_for_another_number_of_replicas_refuses_to_run() {
    let mut rig = Rig::new(None);
    let early = rig.plan("production", Some("backend"), Operation::Scale { to: 6 }).unwrap();
    rig.done("production", "backend", &Operation::Scale { to: 4 });
    let (outcome, words) = rig.drive(early, 2000);
    assert_eq!(outcome, Some(Outcome::Refused), "{words}");
    assert!(words.contains("backend is to have 4 instances now, not 3"), "{words}");
    assert_eq!(rig.workload("production", "backend").desired, 4);
}

fn deploy(image: &str) -> Operation {
    Operation::Deploy { image: image.into(), container: None, strategy: None, fast: false, unwatched: false }
}

fn facts(w: &Workload) -> (u32, u32, Health, usize) {
    (w.ready, w.desired, w.verdict.health, w.instances.len())
}

#[test]
fn instances_are_scaled_restarted_stopped_and_started() {
    let mut rig = Rig::new(None);
    for to in [4, 1, 3] {
        let seen = rig.done("local", "app_ap", &Operation::Scale { to });
        assert_eq!(facts(&seen), (to, to, Health::Healthy, to as usize));
        assert!(seen.instances.iter().map(|i| i.number).eq(1..=to), "the highest numbers go first");
    }
    for (operation, expected) in [
        (Operation::Restart, (3, 3, Health::Healthy, 3)),
        (Operation::Stop, (0, 0, Health::Stopped, 3)),
        (Operation::Start, (3, 3, Health::Healthy, 3)),
        (Operation::Pause, (0, 3, Health::Degraded, 3)),
        (Operation::Unpause, (3, 3, Health::Healthy, 3)),
    ] {
        let seen = rig.done("local", "app_ap", &operation);
        assert_eq!(facts(&seen), expected, "{operation:?}: {:?}", seen.verdict);
    }
    rig.done("local", "app_ap/1", &Operation::Kill { signal: "SIGKILL".into() });
    assert_eq!(facts(&rig.workload("local", "app_ap")), (2, 3, Health::Degraded, 3));
    rig.done("local", "app_ap/1", &Operation::Start);
    rig.done("local", "app_ap/2", &Operation::Remove);
    assert_eq!(facts(&rig.workload("local", "app_ap")), (2, 2, Health::Healthy, 2));
}

#[test]
fn instances_are_deployed_and_rolled_back_whatever_the_image_does() {
    let mut rig = Rig::new(None);
    for (environment, name, good, crash, broken) in [
        ("local", "app_ap", "app_ap:2.4.0", "app_ap:2.5.0-crash", "app_ap:2.5.0-broken"),
        ("staging", "app", "chatbot:3.9.0", "chatbot:4.0.0-crash", "chatbot:4.0.0-broken"),
        ("staging", "nginx", "nginx:1.28", "nginx:1.29-crash", "nginx:1.29-broken"),
        ("staging", "postgres", "pgvector:0.8-pg15", "pgvector:0.9-crash", "pgvector:0.9-broken"),
    ] {
        let before = rig.workload(environment, name);
        let count = before.instances.len();
        let seen = rig.done(environment, name, &deploy(good));
        assert_eq!(facts(&seen), (before.desired, before.desired, Health::Healthy, count));
        assert_eq!((&*seen.image, seen.revision), (good, before.revision.map(|r| r + 1)));
        assert_eq!(seen.revisions[1], before.revisions[0]);
        for bad in [crash, broken] {
            let (outcome, words) = rig.run(environment, Some(name), &deploy(bad));
            assert_eq!(outcome, Outcome::RolledBack, "{bad}: {words}");
            rig.still.advance(Duration::from_secs(20));
            let seen = rig.workload(environment, name);
            assert_eq!((&*seen.image, seen.instances.len(), seen.verdict.health), (good, count, Health::Healthy), "{words}");
        }
        let (outcome, _) = rig.run(environment, Some(name), &deploy(&format!("{}:nope", good.split(':').next().unwrap())));
        assert!(matches!(outcome, Outcome::Failed | Outcome::RolledBack));
        let back = rig.done(environment, name, &Operation::Rollback { to: None });
        assert_eq!(
            (&back.image, back.revision, back.verdict.health),
            (&before.image, before.revision.map(|r| r + 2), Health::Healthy)
        );
        let first = before.revisions.last().unwrap();
        let named = rig.done(environment, name, &Operation::Rollback { to: Some(first.number) });
        assert_eq!(named.image, first.image);
    }
}

#[test]
fn production_is_scaled_restarted_deployed_and_rolled_back() {
    let mut rig = Rig::new(None);
    for to in [5, 2, 3] {
        assert_eq!(facts(&rig.done("production", "backend", &Operation::Scale { to })), (to, to, Health::Healthy, to as usize));
    }
    assert_eq!(facts(&rig.done("production", "backend", &Operation::Restart)), (3, 3, Health::Healthy, 3));
    let seen = rig.done("production", "backend", &deploy("backend:1.5.0"));
    assert_eq!((facts(&seen), &*seen.image), ((3, 3, Health::Healthy, 3), "backend:1.5.0"));
    for (bad, why) in [
        ("backend:1.5.0-rc.1", "crashed 3 times"),
        ("backend:1.6.0-broken", "not healthy within 270 s"),
        ("backend:1.6.0-crash", "crashed 3 times"),
        ("backend:nope", ""),
    ] {
        let (outcome, words) = rig.run("production", Some("backend"), &deploy(bad));
        assert_eq!(outcome, Outcome::RolledBack, "{bad}: {words}");
        assert!(words.contains(why), "{bad}: {words}");
        let seen = rig.workload("production", "backend");
        assert_eq!((facts(&seen), &*seen.image), ((3, 3, Health::Healthy, 3), "backend:1.5.0"), "{words}");
    }
    let oldest = rig.workload("production", "backend").revisions.last().unwrap().clone();
    let back = rig.done("production", "backend", &Operation::Rollback { to: Some(oldest.number) });
    assert_eq!((facts(&back), &back.image), ((3, 3, Health::Healthy, 3), &oldest.image));
    for operation in [Operation::Kill { signal: "SIGKILL".into() }, Operation::Remove, Operation::Restart] {
        let old = rig.workload("production", "backend").instances[1].id.clone();
        let seen = rig.done("production", "backend/1", &operation);
        assert!(seen.instances.iter().all(|i| i.id != old) && seen.ready == 3, "the engine has made another");
    }
    assert_eq!(facts(&rig.done("production", "frontend", &Operation::Stop)), (0, 0, Health::Stopped, 0));
    assert_eq!(facts(&rig.done("production", "frontend", &Operation::Start)), (1, 1, Health::Healthy, 1));
    assert!(rig.plan("production", Some("backend"), Operation::Pause).is_err());
    let seen = rig.done("production", "db", &deploy("postgres:15.9"));
    assert_eq!((facts(&seen), &*seen.image), ((1, 1, Health::Healthy, 1), "postgres:15.9"));
}

#[test]
fn what_makes_no_sense_is_refused_with_its_reason() {
    let mut rig = Rig::new(None);
    for (environment, name, words) in [
        ("local", "db_g1", "volume"),
        ("staging", "postgres", "volume"),
        ("production", "db", "volume"),
        ("staging", "nginx", "80"),
    ] {
        let refusal = rig.plan(environment, Some(name), Operation::Scale { to: 2 }).unwrap_err();
        assert!(refusal.to_string().contains(words), "{environment}/{name}: {refusal}");
    }
}

#[test]
fn incidents_are_mended_by_the_operations_people_would_choose() {
    for (incident, environment, target, operation) in [
        ("bad-deploy", "production", "backend", Operation::Rollback { to: None }),
        ("memory-leak", "staging", "app", Operation::Rollback { to: None }),
        ("db-down", "staging", "postgres", Operation::Start),
        ("breaker-open", "local", "db_g2", Operation::Restart),
    ] {
        let mut rig = Rig::new(Some(incident));
        rig.still.advance(Duration::from_secs(30));
        rig.done(environment, target, &operation);
        rig.still.advance(Duration::from_secs(30));
        assert!(rig.still.world().playing.is_empty(), "{incident} is over");
        for workload in &rig.snapshot(environment).workloads {
            assert_eq!(workload.verdict.health, Health::Healthy, "{incident}: {:?}", workload.verdict);
        }
    }
}

#[test]
fn a_lock_taken_by_hand_and_a_drill_are_operations_too() {
    let mut rig = Rig::new(None);
    let (outcome, words) = rig.run("staging", None, &Operation::Lock { why: "load test".into() });
    assert_eq!(outcome, Outcome::Done, "{words}");
    assert_eq!(&*rig.snapshot("staging").lock.as_ref().unwrap().why, "load test");
    assert_eq!(rig.run("staging", None, &Operation::Unlock).0, Outcome::Done);
    assert!(rig.snapshot("staging").lock.is_none());
    assert_eq!(rig.run("staging", None, &Operation::Drill { name: "db-down".into() }).0, Outcome::Done);
    assert_eq!(rig.still.world().playing.len(), 1);
}

#[test]
fn an_operation_whose_owner_died_is_finished_or_undone() {
    for (environment, name, image) in [("staging", "app", "chatbot:3.9.0"), ("production", "backend", "backend:1.5.0")] {
        for ending in [Ending::Finish, Ending::Undo] {
            for most in [3, 12, 30, 45] {
                let mut rig = Rig::new(None);
                let before = rig.workload(environment, name);
                let plan = rig.plan(environment, Some(name), deploy(image)).unwrap();
                let (outcome, words) = rig.drive(plan, most);
                if outcome.is_some() {
                    continue;
                }
                assert!(rig.snapshot(environment).lock.is_some(), "it left its lock: {words}");
                let (outcome, words) = rig.run(environment, None, &Operation::Recover { ending });
                assert!(matches!(outcome, Outcome::Done | Outcome::RolledBack), "{ending:?} after {most}: {outcome:?} {words}");
                let seen = rig.workload(environment, name);
                let expected = if ending == Ending::Finish { image } else { &*before.image };
                assert_eq!(
                    (&*seen.image, seen.ready, seen.instances.len()),
                    (expected, before.ready, before.instances.len()),
                    "{words}"
                );
                assert!(rig.snapshot(environment).lock.is_none());
            }
        }
    }
}
