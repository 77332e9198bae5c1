//! Blue-green: the plan, the way there, the way back, and from every point where the process may die.

use std::sync::Arc;
use std::time::Duration;

use expect_test::expect;

use crate::model::*;
use crate::operate::machine::Outcome;
use crate::operate::policy::{Actor, Asked, Condition, DeployPolicy, Migration, Place, Policy, Proxy, Switch};
use crate::operate::refusal::Refusal;
use crate::operate::request::{Ending, Operation, Strategy};

use super::drive::{Fault, Run, Weather, ask, ask_as, deploy, me, on, policy, run, shape};
use super::reading::text;
use super::world::{Behaviour, World};

const FILE: &str = "/etc/nginx/upstream.conf";

pub fn proxy() -> Proxy {
    Proxy {
        workload: "frontend".into(),
        file: FILE.into(),
        text: "upstream backend {\n{servers}\n}".into(),
        server: "  server {instance}:3000;".into(),
        test: Some(vec!["nginx".into(), "-t".into()]),
        reload: vec!["nginx".into(), "-s".into(), "reload".into()],
    }
}

fn smoke() -> Condition {
    let asked = Asked::Command { argv: vec!["./smoke".into()], timeout: Duration::from_secs(60) };
    Condition { asked, within: Duration::from_secs(10), hold: Duration::ZERO }
}

fn blue_green(switch: Option<Switch>) -> Policy {
    let migrate = Some(Migration { exec: vec!["migrate".into()], timeout: Duration::from_secs(60), place: Place::OneOff });
    let deploy = DeployPolicy {
        strategy: Strategy::BlueGreen,
        switch,
        migrate,
        verify: vec![smoke()],
        drain: Duration::from_secs(3),
        ..policy().deploy
    };
    Policy { deploy, ..policy() }
}

pub fn with_file(mut world: World) -> World {
    let frontend = world.of("frontend")[0].id.clone();
    world.hands.files.insert((frontend, FILE.into()), "upstream backend { server backend:3000; }".into());
    world
}

/// With a probe before the switch, too.
pub fn surrounded(switch: Option<Switch>) -> Policy {
    let mut policy = blue_green(switch);
    let probe = super::surroundings::probe();
    let asked = Asked::Probe(probe.clone());
    policy.deploy.gate = vec![Condition { asked, within: Duration::from_secs(10), hold: Duration::from_secs(2) }];
    policy.probes = vec![probe];
    policy
}

fn file(world: &World) -> Option<Arc<str>> {
    world.hands.files.values().next().cloned()
}

fn go(world: World, policy: &Policy, weather: &Weather) -> Run {
    let plan = ask(&world, &on("backend", deploy("backend:1.5.0")), policy, "op-1").unwrap();
    run(world, plan, weather, "backend")
}

#[test]
fn the_plan_by_proxy() {
    let plan = ask(&World::compose(), &on("backend", deploy("backend:1.5.0")), &blue_green(Some(Switch::Proxy(proxy()))), "op-1");
    expect![[r#"
        deploy backend 1.4.2 → 1.5.0
          have image backend:1.5.0: POST /images/create?fromImage=backend:1.5.0 (unless present)
          migrate backend: POST /containers/create and start: migrate in backend:1.5.0 (at most 60 s)   <- remove the one-off container
          create backend-4: POST /containers/create?name=lms_backend_4   <- remove backend-4
          start backend-4: POST /containers/lms_backend_4/start   <- stop backend-4
          create backend-5: POST /containers/create?name=lms_backend_5   <- remove backend-5
          start backend-5: POST /containers/lms_backend_5/start   <- stop backend-5
          create backend-6: POST /containers/create?name=lms_backend_6   <- remove backend-6
          start backend-6: POST /containers/lms_backend_6/start   <- stop backend-6
          wait for backend-4: wait: healthy within 20 s and for 5 s
          wait for backend-5: wait: healthy within 20 s and for 5 s
          wait for backend-6: wait: healthy within 20 s and for 5 s
          call backend-4 also backend: POST /networks/…/disconnect and connect lms_backend_4 as backend
          call backend-5 also backend: POST /networks/…/disconnect and connect lms_backend_5 as backend
          call backend-6 also backend: POST /networks/…/disconnect and connect lms_backend_6 as backend
          wait for backend-4: wait: healthy within 20 s
          wait for backend-5: wait: healthy within 20 s
          wait for backend-6: wait: healthy within 20 s
          write upstream.conf in frontend-1: PUT /containers/0004ffffffff/archive /etc/nginx/upstream.conf (the old one is kept)   <- put upstream.conf back in frontend-1, run nginx -s reload in frontend-1
          run nginx -t in frontend-1: POST /containers/0004ffffffff/exec nginx -t (at most 30 s)
          run nginx -s reload in frontend-1: POST /containers/0004ffffffff/exec nginx -s reload (at most 30 s)
          wait 3 s: wait 3 s
          run smoke here: ./smoke on this machine (at most 60 s)
          stop old backend-1: POST /containers/0001ffffffff/stop   <- start old backend-1, wait for old backend-1
          stop old backend-2: POST /containers/0002ffffffff/stop   <- start old backend-2, wait for old backend-2
          stop old backend-3: POST /containers/0003ffffffff/stop   <- start old backend-3, wait for old backend-3
          set aside old backend-1: POST /containers/0001ffffffff/rename (out of the way)   <- bring back old backend-1
          set aside old backend-2: POST /containers/0002ffffffff/rename (out of the way)   <- bring back old backend-2
          set aside old backend-3: POST /containers/0003ffffffff/rename (out of the way)   <- bring back old backend-3
          forget the old upstream.conf in frontend-1: remove what was kept of /etc/nginx/upstream.conf in 0004ffffffff (tidy)
          remove the one-off container: DELETE the one-off container (tidy)
          ~ backend.image: backend:1.4.2 => backend:1.5.0
          ~ backend.revision: 1 => 2
          ~ backend-1: 0001ffffffff (running) => blue: kept, stopped, once green has held
          ~ backend-2: 0002ffffffff (running) => blue: kept, stopped, once green has held
          ~ backend-3: 0003ffffffff (running) => blue: kept, stopped, once green has held
          ~ frontend-1:/etc/nginx/upstream.conf: names blue => upstream backend {
          server lms_backend_4:3000;
          server lms_backend_5:3000;
          server lms_backend_6:3000;
        }
          ! backend runs twice while it is switched: 3 instances more
          ! the migration (migrate) is not taken back by a roll back: what it changed stays
    "#]]
    .assert_eq(&text(&plan.unwrap()));
}

#[test]
fn green_takes_over_and_blue_is_kept() {
    for switch in [None, Some(Switch::Alias(vec!["api".into()])), Some(Switch::Proxy(proxy()))] {
        let run = go(with_file(World::compose()), &blue_green(switch.clone()), &Weather::default());
        assert_eq!(run.outcome(), Outcome::Done, "{}", run.machine.detail);
        run.check_journal();
        assert!(run.fewest >= 3, "{}", run.fewest);
        let world = &run.world;
        let serving: Vec<_> = world.of("backend").into_iter().filter(|b| !b.set_aside).collect();
        assert_eq!(serving.iter().map(|b| b.number).collect::<Vec<_>>(), [4, 5, 6]);
        assert!(serving.iter().all(|b| b.is_healthy(world.now) && &*b.image == "backend:1.5.0"));
        let kept: Vec<_> = world.of("backend").into_iter().filter(|b| b.set_aside).collect();
        assert!(kept.len() == 3 && kept.iter().all(|b| b.state == InstanceState::Exited));
        assert!(serving.iter().all(|b| world.hands.aliases[&b.id].contains("backend")));
        match switch {
            Some(Switch::Proxy(_)) => {
                assert!(file(world).unwrap().contains("server lms_backend_4:3000;"), "{:?}", file(world));
                assert!(world.hands.kept.is_empty(), "what was kept of the file is gone");
            }
            Some(Switch::Alias(_)) => assert!(serving.iter().all(|b| world.hands.aliases[&b.id].contains("api"))),
            None => {}
        }
        assert!(world.hands.once.is_empty(), "the migration's container is gone");
        assert!(world.lock.is_none());
    }
}

/// A quick way back makes nothing; the next deploy takes away what is kept.
#[test]
fn back_and_forth() {
    let policy = blue_green(Some(Switch::Proxy(proxy())));
    let run = go(with_file(World::compose()), &policy, &Weather::default());
    let green = shape(&run.world, "backend");
    let plan = ask(&run.world, &on("backend", Operation::Rollback { to: None }), &policy, "op-2").unwrap();
    expect![[r#"
        roll back backend to revision 1 (1.5.0 → 1.4.2)
          bring back backend-1: POST /containers/0001ffffffff/rename (its own name)   <- set aside backend-1
          bring back backend-2: POST /containers/0002ffffffff/rename (its own name)   <- set aside backend-2
          bring back backend-3: POST /containers/0003ffffffff/rename (its own name)   <- set aside backend-3
          start backend-1: POST /containers/0001ffffffff/start   <- stop backend-1
          start backend-2: POST /containers/0002ffffffff/start   <- stop backend-2
          start backend-3: POST /containers/0003ffffffff/start   <- stop backend-3
          wait for backend-1: wait: healthy within 20 s and for 5 s
          wait for backend-2: wait: healthy within 20 s and for 5 s
          wait for backend-3: wait: healthy within 20 s and for 5 s
          call backend-1 also backend: POST /networks/…/disconnect and connect 0001ffffffff as backend
          call backend-2 also backend: POST /networks/…/disconnect and connect 0002ffffffff as backend
          call backend-3 also backend: POST /networks/…/disconnect and connect 0003ffffffff as backend
          wait for backend-1: wait: healthy within 20 s
          wait for backend-2: wait: healthy within 20 s
          wait for backend-3: wait: healthy within 20 s
          write upstream.conf in frontend-1: PUT /containers/0004ffffffff/archive /etc/nginx/upstream.conf (the old one is kept)   <- put upstream.conf back in frontend-1, run nginx -s reload in frontend-1
          run nginx -t in frontend-1: POST /containers/0004ffffffff/exec nginx -t (at most 30 s)
          run nginx -s reload in frontend-1: POST /containers/0004ffffffff/exec nginx -s reload (at most 30 s)
          wait 3 s: wait 3 s
          run smoke here: ./smoke on this machine (at most 60 s)
          stop old backend-4: POST /containers/9001aaaaaaaa/stop   <- start old backend-4, wait for old backend-4
          stop old backend-5: POST /containers/9002aaaaaaaa/stop   <- start old backend-5, wait for old backend-5
          stop old backend-6: POST /containers/9003aaaaaaaa/stop   <- start old backend-6, wait for old backend-6
          set aside old backend-4: POST /containers/9001aaaaaaaa/rename (out of the way)   <- bring back old backend-4
          set aside old backend-5: POST /containers/9002aaaaaaaa/rename (out of the way)   <- bring back old backend-5
          set aside old backend-6: POST /containers/9003aaaaaaaa/rename (out of the way)   <- bring back old backend-6
          forget the old upstream.conf in frontend-1: remove what was kept of /etc/nginx/upstream.conf in 0004ffffffff (tidy)
          ~ backend-1: kept, stopped => running again
          ~ backend-2: kept, stopped => running again
          ~ backend-3: kept, stopped => running again
          ~ backend.revision: 2 => 1
          ~ frontend-1:/etc/nginx/upstream.conf: names blue => upstream backend {
          server lms_backend_1:3000;
          server lms_backend_2:3000;
          server lms_backend_3:3000;
        }
    "#]]
    .assert_eq(&text(&plan));
    let back = super::drive::run(run.world, plan, &Weather::default(), "backend");
    assert_eq!(back.outcome(), Outcome::Done, "{}", back.machine.detail);
    assert!(back.fewest >= 3);
    let serving: Vec<_> = back.world.of("backend").into_iter().filter(|b| !b.set_aside).collect();
    assert!(serving.iter().all(|b| &*b.image == "backend:1.4.2" && b.is_healthy(back.world.now)));
    assert!(file(&back.world).unwrap().contains("server lms_backend_1:3000;"));
    assert_eq!(shape(&back.world, "backend").len(), green.len(), "nothing was made or removed");
    let again = ask(&back.world, &on("backend", deploy("backend:1.6.0")), &policy, "op-3").unwrap();
    let next = again.lock.as_ref().unwrap().holder.request.clone().unwrap();
    assert!(next.contains("\"revision\":3"), "a number of its own: {next}");
    let forth = super::drive::run(back.world, again, &Weather::default(), "backend");
    assert_eq!(forth.outcome(), Outcome::Done, "{}", forth.machine.detail);
    assert_eq!(forth.world.of("backend").len(), 6, "three serve, three are kept, the ones before are gone");
    assert!(!forth.world.of("backend").iter().any(|b| &*b.image == "backend:1.5.0"));
}

/// Once something else is deployed in another way, what was kept goes.
#[test]
fn a_rolling_deploy_after_it_takes_away_what_was_kept() {
    let run = go(with_file(World::compose()), &blue_green(None), &Weather::default());
    let rolling = policy();
    let plan = ask(&run.world, &on("backend", deploy("backend:1.6.0")), &rolling, "op-2").unwrap();
    let after = super::drive::run(run.world, plan, &Weather::default(), "backend");
    assert_eq!(after.outcome(), Outcome::Done, "{}", after.machine.detail);
    let left = after.world.of("backend");
    assert!(left.len() == 3 && left.iter().all(|b| &*b.image == "backend:1.6.0" && !b.set_aside), "{left:?}");
}

#[test]
fn whatever_fails_blue_serves_again() {
    let proxied = blue_green(Some(Switch::Proxy(proxy())));
    let before = shape(&World::compose(), "backend");
    for (failing, outcome) in [("run migrate", Outcome::Failed), ("run nginx", Outcome::Unknown), ("smoke", Outcome::RolledBack)]
    {
        let mut world = with_file(World::compose());
        world.hands.failing.insert(failing.into());
        let run = go(world, &proxied, &Weather::default());
        // A reload that never works cannot be taken back by another one, and that is said.
        assert_eq!(run.outcome(), outcome, "{failing}: {}", run.machine.detail);
        assert_eq!(shape(&run.world, "backend"), before, "{failing}");
        assert_eq!(file(&run.world).as_deref(), Some("upstream backend { server backend:3000; }"), "{failing}");
        assert!(run.fewest >= 3, "{failing}");
    }
    let mut world = with_file(World::compose());
    world.behaviours = vec![Behaviour::Good(1), Behaviour::Never];
    let run = go(world, &proxied, &Weather::default());
    assert_eq!(run.outcome(), Outcome::RolledBack, "{}", run.machine.detail);
    assert_eq!(shape(&run.world, "backend"), before);
    assert!(run.machine.detail.contains("what stays: migrate backend"), "{}", run.machine.detail);
}

#[test]
fn what_cannot_be_there_twice_is_refused() {
    let policy = blue_green(None);
    let refusal = ask(&World::compose(), &on("frontend", deploy("frontend:2")), &policy, "op-1").unwrap_err();
    assert!(matches!(refusal, Refusal::FixedPort { .. }), "{refusal}");
    let absent = blue_green(Some(Switch::Proxy(Proxy { workload: "nginx".into(), ..proxy() })));
    let refusal = ask(&World::compose(), &on("backend", deploy("backend:2")), &absent, "op-1").unwrap_err();
    assert!(refusal.to_string().contains("proxy nginx"), "{refusal}");
}

#[test]
fn an_abort_goes_back_from_anywhere() {
    let policy = blue_green(Some(Switch::Proxy(proxy())));
    let before = shape(&World::compose(), "backend");
    for after in 2..40 {
        let run = go(with_file(World::compose()), &policy, &Weather { abort_after: Some(after), ..Weather::default() });
        if run.outcome() == Outcome::Done {
            assert!(after > 20, "{after}");
            return;
        }
        assert_eq!(shape(&run.world, "backend"), before, "after {after}: {}", run.machine.detail);
        assert_eq!(file(&run.world).as_deref(), Some("upstream backend { server backend:3000; }"), "after {after}");
        assert!(run.world.lock.is_none(), "after {after}: {}", run.machine.detail);
    }
    panic!("never too late");
}

fn recover(world: &World, policy: &Policy, ending: Ending) -> Result<crate::operate::Plan, Refusal> {
    let next = Actor { user: "ann".into(), pid: 8, pid_started: 80, ..me() };
    ask_as(world, &on("backend", Operation::Recover { ending }), policy, "op-9", &next, false)
}

#[test]
fn from_every_cut_forward_and_back() {
    let before = shape(&World::compose(), "backend");
    for switch in [None, Some(Switch::Proxy(proxy()))] {
        let policy = blue_green(switch);
        let mut cuts = 0;
        for cut in 2.. {
            let broken = go(with_file(World::compose()), &policy, &Weather { cut_after: Some(cut), ..Weather::default() });
            if broken.machine.outcome().is_some() {
                break;
            }
            cuts += 1;
            let plan = recover(&broken.world, &policy, Ending::Finish).unwrap_or_else(|r| panic!("cut {cut}: {r}"));
            let forward = run(broken.world.clone(), plan, &Weather::default(), "backend");
            assert_eq!(forward.outcome(), Outcome::Done, "cut {cut}: {}", forward.machine.detail);
            let serving: Vec<_> = forward.world.of("backend").into_iter().filter(|b| !b.set_aside).collect();
            assert_eq!(serving.len(), 3, "cut {cut}");
            assert!(serving.iter().all(|b| &*b.image == "backend:1.5.0" && b.is_healthy(forward.world.now)), "cut {cut}");
            let migrations: u32 = forward.world.hands.runs.iter().filter(|(k, _)| k.contains("migrate")).map(|(_, n)| n).sum();
            assert_eq!(migrations, 1, "cut {cut}: the migration runs once");
            assert!(forward.world.lock.is_none() && forward.fewest >= 3, "cut {cut}");
            let plan = match recover(&broken.world, &policy, Ending::Undo) {
                Ok(plan) => plan,
                Err(Refusal::Switched { .. }) => {
                    let blue = before.iter().filter_map(|(id, ..)| broken.world.boxes.iter().find(|b| b.id.as_str() == id));
                    assert!(blue.into_iter().all(|b| b.set_aside), "cut {cut}: not all are aside");
                    continue;
                }
                Err(other) => panic!("cut {cut}: {other}"),
            };
            let back = run(broken.world, plan, &Weather::default(), "backend");
            assert_eq!(back.outcome(), Outcome::Done, "cut {cut}: {}", back.machine.detail);
            assert_eq!(shape(&back.world, "backend"), before, "cut {cut}");
            assert_eq!(file(&back.world).as_deref(), Some("upstream backend { server backend:3000; }"), "cut {cut}");
            assert!(back.world.lock.is_none() && back.fewest >= 3, "cut {cut}");
        }
        assert!(cuts > 15, "cut {cuts} times only");
    }
}

#[test]
fn an_answer_that_is_lost_is_not_done_twice() {
    let policy = blue_green(Some(Switch::Proxy(proxy())));
    for lost in 2..40 {
        let run = go(with_file(World::compose()), &policy, &Weather { faults: vec![(lost, Fault::Lost)], ..Weather::default() });
        let migrations: u32 = run.world.hands.runs.iter().filter(|(k, _)| k.contains("migrate")).map(|(_, n)| n).sum();
        assert!(migrations <= 1, "lost {lost}");
        let serving = run.world.of("backend").into_iter().filter(|b| !b.set_aside && b.is_healthy(run.world.now)).count();
        assert_eq!(serving, 3, "lost {lost}: {:?} {}", run.outcome(), run.machine.detail);
    }
}
