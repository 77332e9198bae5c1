//! Runs told as stories: what is called, what a failure leads to, and what is said at the end.

use std::collections::BTreeSet;
use std::time::Duration;

use expect_test::{Expect, expect};

use crate::model::*;
use crate::operate::machine::{Choice, Effect, Event, Machine, Outcome, Phase};
use crate::operate::plan::Work;
use crate::operate::policy::OnFailure;
use crate::operate::request::Operation;

use super::drive::{Fault, Run, Weather, ask, deploy, me, on, policy, run, shape, with};
use super::world::{Behaviour, World};

fn go(world: World, workload: &str, operation: Operation, weather: &Weather) -> Run {
    let plan = ask(&world, &on(workload, operation), &policy(), "op-1").unwrap();
    let run = run(world, plan, weather, workload);
    run.check_journal();
    run
}

fn told(run: &Run, expected: Expect) {
    expected.assert_eq(&format!("{:?}: {}\n", run.outcome(), run.machine.detail));
}

#[test]
fn a_good_deploy_replaces_everything_and_nobody_notices() {
    let run = go(World::compose(), "backend", deploy("backend:1.5.0"), &Weather::default());
    told(
        &run,
        expect![[r#"
            Done: deploy backend 1.4.2 → 1.5.0: 16 calls
        "#]],
    );
    assert_eq!(run.fewest, 3);
    let names: Vec<(&str, &str)> = run.world.of("backend").iter().map(|b| (b.name.as_str(), &*b.image)).collect();
    let new = "backend:1.5.0";
    assert_eq!(names, [("lms_backend_1", new), ("lms_backend_2", new), ("lms_backend_3", new)]);
    let revisions = &run.world.of("backend")[0].revisions;
    assert_eq!(revisions.iter().map(|r| r.number).collect::<Vec<_>>(), [2, 1]);
    assert_eq!(revisions[0].digest.as_deref(), Some("sha256:backend:1.5.0"), "what the tag meant is written down");
    assert!(run.world.lock.is_none());
}

#[test]
fn deploys_that_do_not_hold_restore_the_old_state() {
    let first = [Behaviour::Never, Behaviour::Crash(1), Behaviour::Flap(2, 5)];
    for behaviour in first {
        for position in 0..3 {
            let mut world = World::compose();
            world.behaviours = vec![Behaviour::Good(2); position];
            world.behaviours.push(behaviour);
            let before = shape(&world, "backend");
            let run = go(world, "backend", deploy("backend:bad"), &Weather::default());
            assert_eq!(run.outcome(), Outcome::RolledBack, "{behaviour:?} at {position}");
            assert_eq!(shape(&run.world, "backend"), before);
            assert_eq!(run.fewest, 3, "{behaviour:?} at {position}");
            assert!(run.world.lock.is_none());
        }
    }
}

#[test]
fn a_failure_says_what_it_did() {
    let mut world = World::compose();
    world.behaviours = vec![Behaviour::Crash(1)];
    let run = go(world, "backend", deploy("backend:bad"), &Weather::default());
    told(
        &run,
        expect![[r#"
            RolledBack: backend-1: exited with code 1; the old state is back: stop backend-1, remove backend-1, bring back old backend-1
        "#]],
    );
    let mut world = World::compose();
    world.behaviours = vec![Behaviour::Never];
    let run = go(world, "frontend", deploy("frontend:bad"), &Weather::default());
    told(
        &run,
        expect![[r#"
            RolledBack: frontend-1: not healthy within 20 s: starting: health check not passed; the old state is back: stop frontend-1, start old frontend-1, remove frontend-1, bring back old frontend-1
        "#]],
    );
}

#[test]
fn a_new_instance_that_falls_after_it_held_stops_the_rollout() {
    let mut world = World::compose();
    world.behaviours = vec![Behaviour::Flap(2, 11), Behaviour::Good(4)];
    let before = shape(&world, "backend");
    let run = go(world, "backend", deploy("backend:late"), &Weather::default());
    told(
        &run,
        expect![[r#"
            RolledBack: backend-2: lms_backend_1 had held and is starting now: health check not passed; the old state is back: stop backend-2, remove backend-2, bring back old backend-2, start old backend-1, stop backend-1, remove backend-1, bring back old backend-1
        "#]],
    );
    assert_eq!(shape(&run.world, "backend"), before);
}

#[test]
fn an_engine_away_for_a_while_is_waited_for() {
    let faults = vec![(4, Fault::Away), (5, Fault::Lost), (6, Fault::Away)];
    let run = go(World::compose(), "backend", deploy("backend:1.5.0"), &Weather { faults, ..Weather::default() });
    assert_eq!(run.outcome(), Outcome::Done);
    assert_eq!(run.world.of("backend").len(), 3);
}

#[test]
fn a_feed_away_for_a_while_is_not_held_against_an_instance() {
    let weather = Weather { stale: (8..48).collect::<BTreeSet<_>>(), ..Weather::default() };
    let run = go(World::compose(), "backend", deploy("backend:1.5.0"), &weather);
    assert_eq!(run.outcome(), Outcome::Done);
    assert_eq!(run.fewest, 3);
}

#[test]
fn an_engine_away_for_good_ends_unknown_and_keeps_the_lock() {
    let faults = (4..500).map(|n| (n, Fault::Away)).collect();
    let run = go(World::compose(), "backend", deploy("backend:1.5.0"), &Weather { faults, ..Weather::default() });
    told(
        &run,
        expect![[r#"
            Unknown: create backend-1: the engine cannot be reached: connection refused; taken back: nothing; NOT taken back: look for backend-1 (the engine cannot be reached: connection refused), remove backend-1 (whether it was made is not known), bring back old backend-1 (the engine cannot be reached: connection refused); the lock stays until it is recovered
        "#]],
    );
    assert!(run.world.lock.is_some());
}

#[test]
fn an_abort_goes_back_from_anywhere() {
    for after in 1..14 {
        let world = World::compose();
        let before = shape(&world, "backend");
        let run = go(world, "backend", deploy("backend:1.5.0"), &Weather { abort_after: Some(after), ..Weather::default() });
        let expected: &[Outcome] = if after <= 2 { &[Outcome::Failed, Outcome::RolledBack] } else { &[Outcome::RolledBack] };
        assert!(expected.contains(&run.outcome()), "after {after}: {:?}", run.outcome());
        assert_eq!(shape(&run.world, "backend"), before, "after {after}");
        assert!(run.world.lock.is_none());
    }
}

#[test]
fn an_abort_after_the_old_began_to_go_finishes() {
    let run = go(World::compose(), "backend", deploy("backend:1.5.0"), &Weather { abort_after: Some(15), ..Weather::default() });
    assert_eq!(run.outcome(), Outcome::Done);
    assert_eq!(run.world.of("backend").len(), 3);
}

#[test]
fn a_changed_basis_and_a_taken_lock_refuse() {
    let world = World::compose();
    let plan = ask(&world, &on("backend", deploy("backend:1.5.0")), &policy(), "op-1").unwrap();
    let mut changed = world.clone();
    changed.boxes.remove(1);
    let ended = run(changed, plan.clone(), &Weather::default(), "backend");
    told(
        &ended,
        expect![[r#"
        Refused: it has changed since the plan was made: backend: 1 of its instances are gone and 0 are new; plan again; nothing was changed
    "#]],
    );
    assert!(ended.world.lock.is_none());
    let mut locked = world;
    let mut other = plan.lock.as_ref().unwrap().holder.as_ref().clone();
    other.operation = Some("op-0".into());
    locked.lock = Some(other);
    let ended = run(locked, plan, &Weather::default(), "backend");
    told(
        &ended,
        expect![[r#"
        Refused: the lock could not be taken: the lock is in the way: taken; nothing was changed
    "#]],
    );
    assert!(ended.world.lock.is_some());
}

#[test]
fn a_policy_may_ask_or_leave() {
    let mut world = World::compose();
    world.behaviours = vec![Behaviour::Crash(1)];
    let before = shape(&world, "backend");
    let request = on("backend", deploy("backend:bad"));
    let plan = ask(&world, &request, &with(OnFailure::Never), "op-1").unwrap();
    let left = run(world.clone(), plan, &Weather::default(), "backend");
    told(
        &left,
        expect![[r#"
            Failed: backend-1: exited with code 1; left as it is after: have image backend:bad, set aside old backend-1, create backend-1, start backend-1; recover finishes or undoes it
        "#]],
    );
    assert!(left.world.lock.is_some(), "what is left is for recovery");

    let plan = ask(&world, &request, &with(OnFailure::Ask), "op-1").unwrap();
    let (mut machine, mut effects) = Machine::new(plan, &me(), world.now);
    let mut choice = Some(Choice::Undo);
    for _ in 0..200 {
        let mut next = Vec::new();
        for effect in effects.drain(..) {
            if let Effect::Execute(ticket, action) = effect {
                let answer = world.execute(&action);
                next.extend(machine.on(world.now, Event::Done(ticket, answer)));
            }
        }
        world.pass(std::time::Duration::from_secs(1));
        next.extend(machine.on(world.now, Event::Snapshot(&world.snapshot())));
        if matches!(machine.phase, Phase::Asking(_)) {
            if let Some(choice) = choice.take() {
                next.extend(machine.on(world.now, Event::Choose(choice)));
            }
        }
        effects = next;
    }
    assert_eq!(machine.outcome(), Some(&Outcome::RolledBack));
    assert_eq!(shape(&world, "backend"), before);
}

#[test]
fn ones_own_lock_is_put_back() {
    let mut world = World::compose();
    let plan = ask(&world, &on("db", Operation::Lock { why: "migration".into() }), &policy(), "op-0").unwrap();
    world = run(world, plan, &Weather::default(), "db").world;
    let taken = world.lock.clone().unwrap();
    let done = go(world, "db", Operation::Restart, &Weather::default());
    told(
        &done,
        expect![[r#"
            Done: restart db-1
        "#]],
    );
    assert_eq!(done.world.lock, Some(taken));
    let plan = ask(&done.world, &on("db", Operation::Unlock), &policy(), "op-2").unwrap();
    assert!(run(done.world, plan, &Weather::default(), "db").world.lock.is_none());
}

#[test]
fn every_verb_does_what_it_says() {
    let up = InstanceState::Running;
    let table: &[(Operation, &[InstanceState])] = &[
        (Operation::Scale { to: 5 }, &[up; 5]),
        (Operation::Scale { to: 1 }, &[up]),
        (Operation::Scale { to: 0 }, &[InstanceState::Exited]),
        (Operation::Restart, &[up; 3]),
        (Operation::Stop, &[InstanceState::Exited; 3]),
        (Operation::Pause, &[InstanceState::Paused; 3]),
        (Operation::Kill { signal: "SIGKILL".into() }, &[InstanceState::Exited; 3]),
        (Operation::Remove, &[]),
    ];
    for (operation, expected) in table {
        let run = go(World::compose(), "backend", operation.clone(), &Weather::default());
        assert_eq!(run.outcome(), Outcome::Done, "{operation:?}: {}", run.machine.detail);
        let states: Vec<InstanceState> = run.world.of("backend").iter().map(|b| b.state).collect();
        assert_eq!(&states, expected, "{operation:?}");
        assert!(run.world.lock.is_none());
    }
    let mut world = World::compose();
    for number in 1..=3 {
        world.by_number("backend", number).state = InstanceState::Exited;
    }
    assert_eq!(go(world.clone(), "backend", Operation::Start, &Weather::default()).outcome(), Outcome::Done);
    assert_eq!(go(world, "backend", Operation::Scale { to: 4 }, &Weather::default()).world.of("backend").len(), 4);
}

#[test]
fn a_look_from_before_the_restart_is_not_taken_for_the_new_run() {
    let mut world = World::compose();
    let id = world.of("backend")[0].id.clone();
    let mut request = on("backend", Operation::Restart);
    request.targets[0].instance = Some(id.clone());
    let plan = ask(&world, &request, &policy(), "op-1").unwrap();
    let (mut machine, mut effects) = Machine::new(plan, &me(), world.now);
    let old = world.snapshot();
    while !matches!(machine.phase, Phase::Running(1)) {
        let snapshot = world.snapshot();
        effects.extend(machine.on(world.now, Event::Snapshot(&snapshot)));
        for effect in std::mem::take(&mut effects) {
            if let Effect::Execute(ticket, action) = effect {
                let answer = world.execute(&action);
                effects.extend(machine.on(world.now, Event::Done(ticket, answer)));
            }
        }
    }
    world.pass(std::time::Duration::from_millis(500));
    // A list begun before the restart and handed over after it: healthy, but that was the run before.
    machine.on(world.now, Event::Snapshot(&Snapshot { at: world.now, ..old }));
    assert_eq!(machine.phase, Phase::Running(1), "{:?}", machine.progress[1]);
    // The state is told before the start: that is no proof yet, nor is what follows another start.
    world.by_number("backend", 1).started_at = None;
    machine.on(world.now, Event::Snapshot(&world.snapshot()));
    assert_eq!(machine.phase, Phase::Running(1), "{:?}", machine.progress[1]);
    world.by_number("backend", 1).started_at = Some(world.now);
    world.pass(std::time::Duration::from_secs(2));
    machine.on(world.now, Event::Snapshot(&world.snapshot()));
    assert_eq!(machine.phase, Phase::Unlocking, "{:?}", machine.progress[1]);
}

/// One look shows all of them: each is not waited for anew when nothing was done in between.
#[test]
fn several_gates_in_a_row_need_one_look() {
    let mut world = World::compose();
    let plan = ask(&world, &on("backend", Operation::Scale { to: 5 }), &policy(), "op").unwrap();
    let gates = plan.steps.iter().filter(|s| matches!(s.work, Work::Await(_))).count();
    assert_eq!(gates, 2, "one for each new one");
    let (mut machine, mut effects) = Machine::new(plan, &me(), world.now);
    let mut looks = 0;
    for _ in 0..100 {
        let Some((ticket, action)) = effects.into_iter().find_map(|e| match e {
            Effect::Execute(ticket, action) => Some((ticket, action)),
            Effect::Journal(_) | Effect::Refresh | Effect::Stop(_) => None,
        }) else {
            // Nothing is on its way: a verification under the lock, or gates.
            world.pass(Duration::from_secs(10));
            looks += 1;
            effects = machine.on(world.now, Event::Snapshot(&world.snapshot()));
            continue;
        };
        let answer = world.execute(&action);
        world.pass(Duration::from_millis(100));
        effects = machine.on(world.now, Event::Done(ticket, answer));
        if machine.outcome().is_some() {
            break;
        }
    }
    assert_eq!((machine.outcome(), looks), (Some(&Outcome::Done), 2), "one under the lock, one for all gates");
}
