//! A process that dies in mid-operation: from every point there is a way forward and a way back.

use std::sync::Arc;

use crate::model::*;
use crate::operate::machine::Outcome;
use crate::operate::policy::Actor;
use crate::operate::refusal::Refusal;
use crate::operate::request::{Ending, Operation, Strategy};
use crate::operate::unfinished::LockRequest;

use super::drive::{Weather, ask, ask_as, deploy, me, on, policy, run, shape};
use super::world::World;

/// Every operation there is something to recover of, with the number of containers it ends with.
fn operations() -> Vec<(&'static str, Operation, usize)> {
    vec![
        ("backend", deploy("backend:1.5.0"), 3),
        (
            "backend",
            Operation::Deploy {
                image: "backend:1.5.0".into(),
                container: None,
                strategy: Some(Strategy::Recreate),
                fast: false,
                unwatched: false,
            },
            3,
        ),
        ("frontend", deploy("frontend:2"), 1),
        ("backend", Operation::Scale { to: 5 }, 5),
        ("backend", Operation::Scale { to: 1 }, 1),
        ("backend", Operation::Restart, 3),
        ("backend", Operation::Stop, 3),
        ("backend", Operation::Pause, 3),
        ("backend", Operation::Kill { signal: "SIGKILL".into() }, 3),
        ("backend", Operation::Remove, 0),
    ]
}

/// Somebody else at the same host, later: the process that died is not theirs.
fn next() -> Actor {
    Actor { user: "ann".into(), pid: 8, pid_started: 80, ..me() }
}

fn recover(world: &World, ending: Ending, id: &str) -> Result<crate::operate::Plan, Refusal> {
    ask_as(world, &on("backend", Operation::Recover { ending }), &policy(), id, &next(), false)
}

#[test]
fn from_every_cut_forward_and_back() {
    for (workload, operation, count) in operations() {
        let start = World::compose();
        let before = shape(&start, workload);
        let plan = ask(&start, &on(workload, operation.clone()), &policy(), "op-1").unwrap();
        let done = shape_of_kinds(&run(start.clone(), plan.clone(), &Weather::default(), workload).world, workload);
        let mut cuts = 0;
        for cut in 2.. {
            let broken = run(start.clone(), plan.clone(), &Weather { cut_after: Some(cut), ..Weather::default() }, workload);
            if broken.machine.outcome().is_some() {
                break;
            }
            cuts += 1;
            let label = format!("{operation:?} cut before call {cut}");
            let ended = recover(&broken.world, Ending::Finish, "op-2").unwrap_or_else(|r| panic!("{label}: {r}"));
            let forward = run(broken.world.clone(), ended, &Weather::default(), workload);
            assert_eq!(forward.outcome(), Outcome::Done, "{label}: {}", forward.machine.detail);
            assert_eq!(shape_of_kinds(&forward.world, workload), done, "{label}");
            assert_eq!(forward.world.of(workload).len(), count, "{label}");
            assert!(forward.world.lock.is_none(), "{label}");
            match recover(&broken.world, Ending::Undo, "op-2") {
                Ok(plan) => {
                    let back = run(broken.world, plan, &Weather::default(), workload);
                    assert_eq!(back.outcome(), Outcome::Done, "{label}: {}", back.machine.detail);
                    assert_eq!(shape(&back.world, workload), before, "{label}");
                    assert!(back.world.lock.is_none(), "{label}");
                }
                Err(Refusal::TooLate { .. }) => {
                    let gone = before.iter().any(|(id, ..)| !broken.world.boxes.iter().any(|b| b.id.as_str() == id));
                    assert!(gone, "{label}: nothing is gone yet");
                }
                Err(other) => panic!("{label}: {other}"),
            }
        }
        assert!(cuts >= plan.steps.len() / 3, "{operation:?} was cut {cuts} times only");
    }
}

/// Names, images and states without identities.
fn shape_of_kinds(world: &World, workload: &str) -> Vec<(String, Arc<str>, InstanceState)> {
    let mut kinds: Vec<_> = world.of(workload).iter().map(|b| (b.name.clone(), b.image.clone(), b.state)).collect();
    kinds.sort();
    kinds
}

#[test]
fn a_recovery_that_dies_can_be_recovered() {
    let start = World::compose();
    let before = shape(&start, "backend");
    let plan = ask(&start, &on("backend", deploy("backend:1.5.0")), &policy(), "op-1").unwrap();
    for first in 5..16 {
        let broken = run(start.clone(), plan.clone(), &Weather { cut_after: Some(first), ..Weather::default() }, "backend");
        for second in 2..8 {
            let forward = recover(&broken.world, Ending::Finish, "op-2").unwrap();
            let weather = Weather { cut_after: Some(second), ..Weather::default() };
            let again = run(broken.world.clone(), forward, &weather, "backend");
            if again.machine.outcome().is_some() {
                break;
            }
            let third = match ask(&again.world, &on("x", Operation::Recover { ending: Ending::Undo }), &policy(), "op-3") {
                Ok(plan) => plan,
                Err(Refusal::TooLate { .. }) => {
                    let ended = ask(&again.world, &on("x", Operation::Recover { ending: Ending::Finish }), &policy(), "op-3");
                    let done = run(again.world, ended.unwrap(), &Weather::default(), "backend");
                    assert_eq!(done.outcome(), Outcome::Done);
                    assert!(done.world.of("backend").iter().all(|b| &*b.image == "backend:1.5.0"));
                    continue;
                }
                Err(other) => panic!("{other}"),
            };
            let back = run(again.world, third, &Weather::default(), "backend");
            assert_eq!(back.outcome(), Outcome::Done, "{first} {second}: {}", back.machine.detail);
            assert_eq!(shape(&back.world, "backend"), before, "{first} {second}");
        }
    }
}

#[test]
fn what_is_unfinished_stands_in_the_way_and_is_said() {
    let start = World::compose();
    let plan = ask(&start, &on("backend", deploy("backend:1.5.0")), &policy(), "op-1").unwrap();
    let broken = run(start.clone(), plan, &Weather { cut_after: Some(6), ..Weather::default() }, "backend").world;
    let refusal = ask_as(&broken, &on("db", Operation::Restart), &policy(), "op-2", &next(), false).unwrap_err();
    assert!(matches!(refusal, Refusal::Unfinished { .. }), "{refusal}");
    let elsewhere = Actor { host: "laptop".into(), ..next() };
    let request = on("x", Operation::Recover { ending: Ending::Undo });
    let refusal = ask_as(&broken, &request, &policy(), "op-2", &elsewhere, false).unwrap_err();
    assert!(matches!(refusal, Refusal::MayBeAlive { .. }), "{refusal}");
    let knowingly = ask_as(&broken, &request, &policy(), "op-2", &elsewhere, true).unwrap();
    assert!(knowingly.warnings.iter().any(|w| w.contains("may still be at it")));
    let none = ask(&start, &request, &policy(), "op-2").unwrap_err();
    assert!(matches!(none, Refusal::NotUnfinished { .. }));
}

#[test]
fn a_lock_says_everything_in_json_and_back() {
    let start = World::compose();
    for (workload, operation, _) in operations() {
        let plan = ask(&start, &on(workload, operation), &policy(), "op-1").unwrap();
        let holder = plan.lock.unwrap().holder;
        let read = LockRequest::of(&holder).unwrap().unwrap();
        assert_eq!(read.to_json().unwrap(), holder.request.unwrap());
        assert_eq!(read.made_by.as_str(), "op-1");
    }
}
