//! Plans and gates where a Swarm manager makes the wanted state so: how it is told to go about it, and how what it says of
//! that is read.

use std::sync::Arc;
use std::time::Duration;

use expect_test::expect;

use crate::model::*;
use crate::operate::Action;
use crate::operate::action::Accepted;
use crate::operate::machine::{Effect, Event, Machine, Outcome};
use crate::operate::policy::{Asked, Condition};
use crate::operate::request::{Operation, Strategy};

use super::drive::{ask, deploy, me, on, policy};
use super::reading::check;
use super::world::World;

fn swarm() -> World {
    let mut world = World::compose();
    let mut environment = world.environment.as_ref().clone();
    (environment.engine, environment.mechanics) = (EngineKind::Swarm, Mechanics::Declared);
    world.environment = environment.into();
    world
}

#[test]
fn a_manager_is_told_how_to_go_about_it_and_gets_its_settings_back() {
    let world = swarm();
    check(
        &world,
        &on("backend", deploy("backend:1.5.0")),
        expect![[r#"
        deploy backend 1.4.2 → 1.5.0
          set image of backend to backend:1.5.0: POST services/backend/update (image backend:1.5.0, revision 2)   <- take backend back to revision 1, wait for backend, give backend its own update settings back
          wait for backend: wait: healthy within 75 s and for 5 s
          give backend its own update settings back: POST services/backend/update (its own update settings) (tidy)
          ~ backend.image: backend:1.4.2 => backend:1.5.0
          ~ backend.revision: 1 => 2
          ~ backend.update: its own settings => 1 at a time, new ones first, each watched for 5 s, paused on failure; given back at the end
    "#]],
    );
    let recreate = Operation::Deploy {
        image: "backend:1.5.0".into(),
        container: None,
        strategy: Some(Strategy::Recreate),
        fast: false,
        unwatched: false,
    };
    check(
        &world,
        &on("backend", recreate),
        expect![[r#"
        deploy backend 1.4.2 → 1.5.0
          set image of backend to backend:1.5.0: POST services/backend/update (image backend:1.5.0, revision 2)   <- take backend back to revision 1, wait for backend, give backend its own update settings back
          wait for backend: wait: healthy within 25 s and for 5 s
          give backend its own update settings back: POST services/backend/update (its own update settings) (tidy)
          ~ backend.image: backend:1.4.2 => backend:1.5.0
          ~ backend.revision: 1 => 2
          ~ backend.update: its own settings => all at once, old ones stop first, each watched for 5 s, paused on failure; given back at the end
          ! all instances of backend stop before the new ones start (recreate): an outage
    "#]],
    );
    // It holds port 80 of its node: there is no second one beside it.
    check(
        &world,
        &on("frontend", deploy("frontend:1.5.0")),
        expect![[r#"
        deploy frontend 1.4.0 → 1.5.0
          set image of frontend to frontend:1.5.0: POST services/frontend/update (image frontend:1.5.0, revision 2)   <- take frontend back to revision 1, wait for frontend, give frontend its own update settings back
          wait for frontend: wait: healthy within 25 s and for 5 s
          give frontend its own update settings back: POST services/frontend/update (its own update settings) (tidy)
          ~ frontend.image: frontend:1.4.0 => frontend:1.5.0
          ~ frontend.revision: 1 => 2
          ~ frontend.update: its own settings => 1 at a time, old ones stop first, each watched for 5 s, paused on failure; given back at the end
          ! frontend holds port 80 of its nodes: an old one stops before its new one starts
    "#]],
    );
    check(
        &world,
        &on("backend", Operation::Restart),
        expect![[r#"
        restart backend
          restart backend: POST services/backend/update (restart)
          wait for backend: wait: healthy within 75 s and for 5 s
          give backend its own update settings back: POST services/backend/update (its own update settings) (tidy)
          ~ backend: 3 instances => fresh ones of the same definition
          ~ backend.update: its own settings => 1 at a time, new ones first, each watched for 5 s, paused on failure; given back at the end
    "#]],
    );
    check(
        &world,
        &on("backend", Operation::Stop),
        expect![[r#"
        stop backend
          scale backend to 0: POST services/backend/update (replicas 0)   <- scale backend to 3, wait for backend
          wait for backend to stop: wait: healthy within 20 s
          ~ backend.replicas: 3 => 0
    "#]],
    );
}

/// What the manager shows after it was told: a workload of three, changed so.
type Shown = fn(&mut Workload);

fn instance_of(workload: &mut Workload, number: usize) -> &mut Instance {
    Arc::make_mut(&mut workload.instances[number])
}

fn rollout(state: RolloutState, outdated: u32) -> Rollout {
    Rollout { state, message: "update paused due to failure of task x".into(), outdated }
}

/// Deploys, the manager showing one picture a second after it was told, and at last that all is well; the outcome, and
/// what was told.
fn follow(pictures: &[Shown]) -> (Outcome, String, Vec<String>) {
    let mut world = swarm();
    let plan = ask(&world, &on("backend", deploy("backend:1.5.0")), &policy(), "op-1").unwrap();
    let (mut machine, mut effects) = Machine::new(plan, &me(), world.now);
    let (mut told, mut pictures) = (Vec::new(), pictures.iter());
    let mut revision = 1;
    for _ in 0..200 {
        for effect in std::mem::take(&mut effects) {
            let Effect::Execute(ticket, action) = effect else { continue };
            let answer = match &action {
                Action::SetImage { revision: new, .. } | Action::Revert { revision: new, .. } => {
                    revision = new.number;
                    Ok(Accepted::Done)
                }
                Action::Unpace { .. } => Ok(Accepted::Done),
                other => world.execute(other),
            };
            told.push(format!("{action:?}").split([' ', '{']).next().unwrap_or_default().to_owned());
            effects.extend(machine.on(world.now, Event::Done(ticket, answer)));
        }
        if let Some(outcome) = machine.outcome() {
            return (outcome.clone(), machine.detail.to_string(), told);
        }
        if !effects.is_empty() {
            continue;
        }
        world.pass(std::time::Duration::from_secs(1));
        let mut snapshot = world.snapshot();
        let place = snapshot.workloads.iter_mut().find(|w| w.id.as_str() == "backend").unwrap();
        let workload = Arc::make_mut(place);
        if revision > 1 {
            workload.revision = Some(revision);
            (0..3).for_each(|number| instance_of(workload, number).revision = Some(revision));
        }
        if told.last().is_some_and(|t| t == "SetImage")
            && let Some(change) = pictures.next()
        {
            change(workload);
        }
        effects.extend(machine.on(world.now, Event::Snapshot(&snapshot)));
    }
    panic!("it never ends: {:?}", machine.progress);
}

#[test]
fn it_is_through_when_the_manager_says_so_too() {
    let busy: Shown = |w| w.rollout = Some(rollout(RolloutState::Running, 2));
    // All are ready and of the new definition, and still watched.
    let watched: Shown = |w| w.rollout = Some(rollout(RolloutState::Running, 0));
    let (outcome, detail, told) = follow(&[busy, busy, watched, watched]);
    assert_eq!(outcome, Outcome::Done, "{detail}");
    assert_eq!(told, ["TakeLock", "SetImage", "Unpace", "ReleaseLock"]);
}

#[test]
fn a_manager_that_stops_is_gone_back_on_at_once_with_the_tasks_own_words() {
    let paused: Shown = |w| {
        w.rollout = Some(rollout(RolloutState::Paused, 2));
        instance_of(w, 1).verdict = Verdict::because(Health::Unhealthy, "No such image: backend:1.5.0");
    };
    let wordless: Shown = |w| w.rollout = Some(rollout(RolloutState::Paused, 2));
    let gone: Shown = |w| w.rollout = Some(rollout(RolloutState::GoneBack, 0));
    for (picture, words) in [
        (paused, "the engine has paused the update: lms_backend_2: No such image: backend:1.5.0"),
        (wordless, "the engine has paused the update: update paused due to failure of task x"),
        (gone, "the engine has gone back by itself"),
    ] {
        let (outcome, detail, told) = follow(&[picture]);
        assert_eq!(outcome, Outcome::RolledBack, "{detail}");
        assert!(detail.contains(words), "{detail}");
        assert_eq!(told, ["TakeLock", "SetImage", "Revert", "Unpace", "ReleaseLock"]);
    }
}

#[test]
fn a_stopped_one_starts_as_many_as_it_had_and_far_ones_are_not_touched() {
    let world = swarm();
    let mut snapshot = world.snapshot();
    let place = snapshot.workloads.iter_mut().find(|w| w.id.as_str() == "backend").unwrap();
    let workload = Arc::make_mut(place);
    (workload.desired, workload.resting) = (0, Some(3));
    let far = workload.instances[0].id.clone();
    instance_of(workload, 0).elsewhere = Some("it runs on node-2".into());
    let (policy, actor) = (policy(), me());
    let alive = std::collections::BTreeSet::new();
    let terms = crate::operate::plan::Terms {
        policy: &policy,
        actor: &actor,
        read_only: false,
        take_over: false,
        alive: Some(&alive),
        id: "op-1".into(),
        now: world.now,
    };
    let plan = crate::operate::plan::plan(&on("backend", Operation::Start), &snapshot, &terms).unwrap();
    assert_eq!(&*plan.changes[0].after, "3");
    assert!(plan.warnings.is_empty(), "{:?}", plan.warnings);
    let mut request = on("backend", Operation::Remove);
    request.targets[0].instance = Some(far);
    let refusal = crate::operate::plan::plan(&request, &snapshot, &terms).unwrap_err();
    assert!(refusal.to_string().contains("it runs on node-2"), "{refusal}");
}

/// Its tasks are made by the manager: none can be named in the plan, and that is said instead of asking nobody.
#[test]
fn what_is_asked_of_instances_is_refused_and_what_is_not_is_asked_after_the_rollout() {
    let condition = |asked| Condition { asked, within: Duration::from_secs(10), hold: Duration::ZERO };
    let (mut each, mut command) = (policy(), policy());
    each.deploy.verify = vec![condition(Asked::Probe(super::surroundings::probe()))];
    let refusal = ask(&swarm(), &on("backend", deploy("backend:1.5.0")), &each, "op-1").unwrap_err();
    assert!(refusal.to_string().contains("none of them can be named before"), "{refusal}");
    let argv = vec!["./smoke".into()];
    command.deploy.gate = vec![condition(Asked::Command { argv, timeout: Duration::from_secs(5) })];
    let plan = ask(&swarm(), &on("backend", deploy("backend:1.5.0")), &command, "op-1").unwrap();
    let at = |name: &str| plan.steps.iter().position(|s| s.name.contains(name)).unwrap();
    assert!(at("smoke") > at("wait for backend"), "{:?}", plan.steps.iter().map(|s| &s.name).collect::<Vec<_>>());
}
