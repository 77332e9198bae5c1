//! Whatever happens, in whatever order: the promises an operation makes.

use proptest::prelude::*;

use crate::operate::machine::{Outcome, Phase};
use crate::operate::policy::Switch;
use crate::operate::refusal::Refusal;
use crate::operate::request::{self, Ending, Operation};

use super::drive::{Fault, Weather, ask, deploy, on, policy, run, shape};
use super::world::{Behaviour, World};

fn behaviours() -> impl Strategy<Value = Vec<Behaviour>> {
    let one = prop_oneof![
        4 => (0..6i64).prop_map(Behaviour::Good),
        1 => Just(Behaviour::Never),
        1 => (0..12i64).prop_map(Behaviour::Crash),
        1 => (0..4i64, 4..30i64).prop_map(|(a, b)| Behaviour::Flap(a, b)),
    ];
    proptest::collection::vec(one, 0..6)
}

fn weather() -> impl Strategy<Value = Weather> {
    let fault = prop_oneof![3 => Just(Fault::Away), 3 => Just(Fault::Lost), 2 => Just(Fault::Refused)];
    let faults = proptest::collection::vec((1..30usize, fault), 0..6);
    let abort = proptest::option::weighted(0.2, 1..25usize);
    let cut = proptest::option::weighted(0.4, 2..25usize);
    let stale = proptest::collection::btree_set(0..60usize, 0..10);
    (faults, abort, cut, stale).prop_map(|(faults, abort_after, cut_after, stale)| Weather {
        faults,
        abort_after,
        cut_after,
        stale,
    })
}

fn operation() -> impl Strategy<Value = (&'static str, Operation)> {
    prop_oneof![
        4 => Just(("backend", deploy("backend:1.5.0"))),
        1 => Just(("backend", Operation::Deploy { image: "backend:1.5.0".into(), container: None, strategy: Some(request::Strategy::Recreate), fast: false, unwatched: false })),
        1 => Just(("frontend", deploy("frontend:2"))),
        1 => Just(("db", deploy("postgres:16"))),
        2 => (0..6u32).prop_filter("a change", |n| *n != 3).prop_map(|to| ("backend", Operation::Scale { to })),
        1 => Just(("backend", Operation::Stop)),
        1 => Just(("backend", Operation::Pause)),
        1 => Just(("backend", Operation::Restart)),
        1 => Just(("backend", Operation::Remove)),
    ]
}

/// Whether it has a way back, so that a failure must leave everything as it was.
fn goes_back(operation: &Operation) -> bool {
    matches!(operation, Operation::Deploy { .. } | Operation::Stop | Operation::Pause)
        || matches!(operation, Operation::Scale { to } if *to > 3)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn promises_hold((workload, operation) in operation(), behaviours in behaviours(), weather in weather()) {
        let mut world = World::compose();
        world.behaviours = behaviours;
        let before = shape(&world, workload);
        let plan = ask(&world, &on(workload, operation.clone()), &policy(), "op-1").unwrap();
        let rolling = operation == deploy("backend:1.5.0");
        let ended = run(world, plan, &weather, workload);
        let originals = |w: &World| before.iter().filter(|(id, ..)| w.boxes.iter().any(|b| b.id.as_str() == id)).count();
        if ended.machine.outcome().is_none() {
            // It was cut: there is a way back to what was, or it is too late for that and said so.
            let mut world = ended.world;
            world.behaviours.clear();
            if ended.machine.phase == Phase::Unlocking {
                return Ok(());
            }
            if world.lock.is_none() {
                prop_assert_eq!(shape(&world, workload), before);
                return Ok(());
            }
            let undo = on("x", Operation::Recover { ending: Ending::Undo });
            let was = originals(&world);
            match ask(&world, &undo, &policy(), "op-2") {
                Ok(plan) => {
                    let back = run(world, plan, &Weather::default(), workload);
                    prop_assert_eq!(back.outcome(), Outcome::Done, "{}", back.machine.detail);
                    prop_assert_eq!(shape(&back.world, workload), before);
                    prop_assert!(back.world.lock.is_none());
                }
                Err(refusal) => prop_assert!(was < before.len(), "{refusal}"),
            }
            return Ok(());
        }
        ended.check_journal();
        let outcome = ended.outcome();
        let world = &ended.world;
        let detail = &ended.machine.detail;
        if rolling && outcome != Outcome::Unknown {
            // One that falls after it has held is noticed at the next look: that much is not promised.
            prop_assert!(ended.fewest_fair >= 3, "{} healthy: {detail}", ended.fewest_fair);
        }
        match outcome {
            Outcome::Done => {}
            Outcome::RolledBack | Outcome::Refused => prop_assert_eq!(shape(world, workload), before, "{}", detail),
            Outcome::Failed if goes_back(&operation) => prop_assert_eq!(shape(world, workload), before, "{}", detail),
            Outcome::Failed => {}
            Outcome::Unknown => {
                prop_assert!(world.lock.is_some(), "{detail}");
                let mut world = world.clone();
                world.behaviours.clear();
                let undo = on("x", Operation::Recover { ending: Ending::Undo });
                let plan = ask(&world, &undo, &policy(), "op-2").unwrap();
                let back = run(world, plan, &Weather::default(), workload);
                prop_assert_eq!(shape(&back.world, workload), before, "{}", back.machine.detail);
            }
        }
        let kept = world.lock.is_some();
        let unlocked = detail.contains("could not be given back");
        prop_assert!(!kept || unlocked || outcome == Outcome::Unknown, "{outcome:?} keeps the lock: {detail}");
    }
}

/// What stands around it: a failing look or command, by its name in the plan.
fn failing() -> impl Strategy<Value = Option<&'static str>> {
    let names = ["run migrate", "probe api", "smoke", "run nginx -t", "write upstream.conf"];
    proptest::option::weighted(0.4, proptest::sample::select(names.to_vec()))
}

fn switches() -> impl Strategy<Value = Option<Switch>> {
    prop_oneof![Just(None), Just(Some(Switch::Alias(vec!["api".into()]))), Just(Some(Switch::Proxy(super::switching::proxy()))),]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// Blue-green with everything around it: whatever fails, is lost, is aborted or dies, three serve all the time, the
    /// migration runs once at most, and the end is one of those that are declared.
    #[test]
    fn blue_green_promises_hold(
        switch in switches(),
        failing in failing(),
        behaviours in behaviours(),
        weather in weather(),
    ) {
        let policy = super::switching::surrounded(switch);
        let mut world = super::switching::with_file(World::compose());
        world.behaviours = behaviours;
        world.hands.failing.extend(failing.map(str::to_owned));
        let before = shape(&world, "backend");
        let file = world.hands.files.clone();
        let plan = ask(&world, &on("backend", deploy("backend:1.5.0")), &policy, "op-1").unwrap();
        let ended = run(world, plan, &weather, "backend");
        let migrations = |w: &World| w.hands.runs.iter().filter(|(k, _)| k.contains("migrate")).map(|(_, n)| *n).sum::<u32>();
        prop_assert!(migrations(&ended.world) <= 1);
        let Some(outcome) = ended.machine.outcome().cloned() else {
            let mut world = ended.world;
            world.behaviours.clear();
            world.hands.failing.clear();
            if world.lock.is_none() || ended.machine.phase == Phase::Unlocking || matches!(ended.machine.phase, Phase::Telling(_)) {
                return Ok(());
            }
            let undo = on("x", Operation::Recover { ending: Ending::Undo });
            match ask(&world, &undo, &policy, "op-2") {
                Ok(plan) => {
                    let back = run(world, plan, &Weather::default(), "backend");
                    prop_assert_eq!(back.outcome(), Outcome::Done, "{}", back.machine.detail);
                    prop_assert_eq!(shape(&back.world, "backend"), before);
                    prop_assert_eq!(&back.world.hands.files, &file);
                }
                Err(refusal) => {
                    prop_assert!(matches!(refusal, Refusal::Switched { .. }), "{refusal}");
                    let finish = on("x", Operation::Recover { ending: Ending::Finish });
                    let plan = ask(&world, &finish, &policy, "op-2").unwrap();
                    let forward = run(world, plan, &Weather::default(), "backend");
                    prop_assert_eq!(forward.outcome(), Outcome::Done, "{}", forward.machine.detail);
                }
            }
            return Ok(());
        };
        ended.check_journal();
        let (world, detail) = (&ended.world, &ended.machine.detail);
        if outcome != Outcome::Unknown {
            prop_assert!(ended.fewest_fair >= 3, "{} healthy: {detail}", ended.fewest_fair);
        }
        match outcome {
            Outcome::Done => {
                let serving = world.of("backend").into_iter().filter(|b| !b.set_aside).count();
                prop_assert_eq!(serving, 3, "{}", detail);
                prop_assert!(world.hands.kept.is_empty() || detail.contains("left over"), "{detail}");
            }
            Outcome::RolledBack | Outcome::Refused | Outcome::Failed => {
                prop_assert_eq!(shape(world, "backend"), before, "{}", detail);
                prop_assert_eq!(&world.hands.files, &file, "{}", detail);
            }
            Outcome::Unknown => prop_assert!(world.lock.is_some(), "{detail}"),
        }
    }
}
