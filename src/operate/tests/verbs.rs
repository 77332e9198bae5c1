//! Plans of the simple verbs, of marks, locks and declared engines as a person reads them, and their refusals.

use expect_test::expect;

use crate::model::*;
use crate::operate::request::{Operation, Request, Target};

use super::drive::{ask, ask_as, deploy, me, on, policy};
use super::reading::{check, text};
use super::world::{World, at};

#[test]
fn simple_verbs() {
    let mut world = World::compose();
    check(
        &world,
        &on("backend", Operation::Restart),
        expect![[r#"
            restart backend
              restart backend-1: POST /containers/0001ffffffff/restart
              wait for backend-1: wait: healthy within 20 s
              restart backend-2: POST /containers/0002ffffffff/restart
              wait for backend-2: wait: healthy within 20 s
              restart backend-3: POST /containers/0003ffffffff/restart
              wait for backend-3: wait: healthy within 20 s
              ~ backend-1: running since 2027-01-15T07:43:20Z => restarted
              ~ backend-2: running since 2027-01-15T07:43:20Z => restarted
              ~ backend-3: running since 2027-01-15T07:43:20Z => restarted
        "#]],
    );
    check(
        &world,
        &on("backend", Operation::Stop),
        expect![[r#"
            stop backend
              stop backend-3: POST /containers/0003ffffffff/stop   <- start backend-3, wait for backend-3
              stop backend-2: POST /containers/0002ffffffff/stop   <- start backend-2, wait for backend-2
              stop backend-1: POST /containers/0001ffffffff/stop   <- start backend-1, wait for backend-1
              ~ backend-3.state: running => exited
              ~ backend-2.state: running => exited
              ~ backend-1.state: running => exited
        "#]],
    );
    check(
        &world,
        &on("backend", Operation::Start),
        expect![[r#"
        nothing to do: backend runs already
    "#]],
    );
    check(
        &world,
        &on("backend", Operation::Pause),
        expect![[r#"
        pause backend
          pause backend-1: POST /containers/0001ffffffff/pause   <- unpause backend-1
          pause backend-2: POST /containers/0002ffffffff/pause   <- unpause backend-2
          pause backend-3: POST /containers/0003ffffffff/pause   <- unpause backend-3
          ~ backend-1.state: running => paused
          ~ backend-2.state: running => paused
          ~ backend-3.state: running => paused
    "#]],
    );
    check(
        &world,
        &on("backend", Operation::Unpause),
        expect![[r#"
        nothing to do: backend is not paused
    "#]],
    );
    check(
        &world,
        &on("backend", Operation::Kill { signal: "SIGKILL".into() }),
        expect![[r#"
        kill backend
          kill backend-1 (SIGKILL): POST /containers/0001ffffffff/kill?signal=SIGKILL
          kill backend-2 (SIGKILL): POST /containers/0002ffffffff/kill?signal=SIGKILL
          kill backend-3 (SIGKILL): POST /containers/0003ffffffff/kill?signal=SIGKILL
          ~ backend-1.state: running => gets SIGKILL
          ~ backend-2.state: running => gets SIGKILL
          ~ backend-3.state: running => gets SIGKILL
    "#]],
    );
    check(
        &world,
        &on("db", Operation::Remove),
        expect![[r#"
            remove db
              stop db-1: POST /containers/0005ffffffff/stop   <- start db-1, wait for db-1
              remove db-1: DELETE /containers/0005ffffffff
              ~ db-1: lms_db_1 (running) => removed
              ! the definition of db goes with its last container: bring it back with `docker compose up -d db`
        "#]],
    );
    world.by_number("db", 1).state = InstanceState::Exited;
    check(
        &world,
        &on("db", Operation::Start),
        expect![[r#"
            start db
              start db-1: POST /containers/0005ffffffff/start
              wait for db-1: wait: healthy within 20 s and for 5 s
              ~ db-1.state: exited => running
        "#]],
    );
    check(
        &world,
        &on("db", Operation::Restart),
        expect![[r#"
        nothing to do: db does not run; start it instead
    "#]],
    );
}

#[test]
fn marks_over_workloads_and_instances() {
    let world = World::compose();
    let second = world.of("backend")[1].id.clone();
    let targets = vec![
        Target { workload: "backend".into(), instance: Some(second.clone()) },
        Target { workload: "db".into(), instance: None },
    ];
    let environment = EnvironmentId::new("local", "lms");
    let request = Request { environment: environment.clone(), targets: targets.clone(), operation: Operation::Stop };
    check(
        &world,
        &request,
        expect![[r#"
            stop backend-2, db
              stop backend-2: POST /containers/0002ffffffff/stop   <- start backend-2, wait for backend-2
              stop db-1: POST /containers/0005ffffffff/stop   <- start db-1, wait for db-1
              ~ backend-2.state: running => exited
              ~ db-1.state: running => exited
        "#]],
    );
    let scale = Request { environment: environment.clone(), targets, operation: Operation::Scale { to: 2 } };
    check(
        &world,
        &scale,
        expect![[r#"
        scale works on a whole workload, not on a single instance of backend
    "#]],
    );
    let none = Request { environment, targets: vec![], operation: Operation::Stop };
    check(
        &world,
        &none,
        expect![[r#"
        stop needs at least one workload or instance
    "#]],
    );
    check(
        &world,
        &on("bakend", Operation::Stop),
        expect![[r#"
        there is no workload bakend in lms (did you mean backend?)
    "#]],
    );
}

#[test]
fn locks() {
    let mut world = World::compose();
    check(
        &world,
        &on("backend", Operation::Lock { why: "migration".into() }),
        expect![[r#"
        lock lms
          lock lms: take the lock of lms   <- unlock lms
          ~ lock: – => ops@bastion-1: migration
    "#]],
    );
    check(
        &world,
        &on("backend", Operation::Unlock),
        expect![[r#"
        nothing to do: lms is not locked
    "#]],
    );
    let holder = |by: &str, host: &str, operation: Option<&str>| LockHolder {
        by: by.into(),
        host: host.into(),
        pid: 99,
        pid_started: 1,
        why: "deploy backend".into(),
        since: at(-60),
        operation: operation.map(Into::into),
        request: None,
    };
    world.lock = Some(holder("ann@other", "other", None));
    check(
        &world,
        &on("backend", Operation::Restart),
        expect![[r#"
        lms is locked by ann@other since 2027-01-15T07:59:00Z: deploy backend
    "#]],
    );
    check(
        &world,
        &on("backend", Operation::Unlock),
        expect![[r#"
        lms is locked by ann@other since 2027-01-15T07:59:00Z: deploy backend
    "#]],
    );
    let knowingly = ask_as(&world, &on("backend", Operation::Unlock), &policy(), "op", &me(), true).unwrap();
    expect![[r#"
        unlock lms
          unlock lms: give the lock of lms back
          ~ lock: ann@other: deploy backend => –
          ! this is the lock of ann@other: deploy backend
    "#]]
    .assert_eq(&text(&knowingly));
    assert!(knowingly.destructive);
    world.lock = Some(holder("ops@bastion-1", "bastion-1", Some("op-0")));
    check(
        &world,
        &on("backend", Operation::Restart),
        expect![[r#"
            an operation of ops@bastion-1 in lms has not ended (deploy backend, since 2027-01-15T07:59:00Z): finish or undo it first (qd recover lms --finish or --undo)
        "#]],
    );
    let finish = Operation::Recover { ending: crate::operate::request::Ending::Finish };
    check(
        &world,
        &on("backend", finish.clone()),
        expect![[r#"
        what was begun in lms cannot be read from its lock: EOF while parsing a value at line 1 column 0; look at its containers, then unlock it knowingly
    "#]],
    );
    world.lock = Some(holder("ann@other", "other", Some("op-0")));
    world.lock.as_mut().unwrap().request =
        Some(r#"{"made_by":"op-0","operation":{"do":"restart"},"targets":[],"workloads":[]}"#.into());
    check(
        &world,
        &on("backend", finish),
        expect![[r#"
        deploy backend in lms is ann@other's since 2027-01-15T07:59:00Z, who may still be at it: only to be taken over knowingly (--take-over)
    "#]],
    );
    world.lock = Some(holder("ops@bastion-1", "bastion-1", None));
    let under = ask(&world, &on("db", Operation::Restart), &policy(), "op-1").unwrap();
    let lock = under.lock.unwrap();
    assert_eq!(lock.restores.as_deref(), world.lock.as_ref(), "one's own lock is put back");
    assert_eq!(lock.replaces, lock.restores);
}

#[test]
fn declared_engines_are_told_what_is_wanted() {
    let mut world = World::compose();
    let mut environment = world.environment.as_ref().clone();
    environment.mechanics = Mechanics::Declared;
    world.environment = environment.into();
    check(
        &world,
        &on("backend", Operation::Scale { to: 5 }),
        expect![[r#"
            scale backend 3 → 5
              scale backend to 5: PATCH services/backend/scale (replicas 5)   <- scale backend to 3, wait for backend
              wait for backend: wait: healthy within 100 s
              ~ backend.replicas: 3 => 5
        "#]],
    );
    check(
        &world,
        &on("backend", deploy("backend:1.5.0")),
        expect![[r#"
            deploy backend 1.4.2 → 1.5.0
              set image of backend to backend:1.5.0: PATCH services/backend (image backend:1.5.0, revision 2)   <- take backend back to revision 1, wait for backend
              wait for backend: wait: healthy within 60 s and for 5 s
              ~ backend.image: backend:1.4.2 => backend:1.5.0
              ~ backend.revision: 1 => 2
        "#]],
    );
    check(
        &world,
        &on("backend", Operation::Stop),
        expect![[r#"
            stop backend
              scale backend to 0: PATCH services/backend/scale (replicas 0)   <- scale backend to 3, wait for backend
              wait for backend to stop: wait: healthy within 20 s
              ~ backend.replicas: 3 => 0
              ! remember that backend had 3: start brings back one
        "#]],
    );
    check(
        &world,
        &on("backend", Operation::Restart),
        expect![[r#"
            restart backend
              restart backend: PATCH services/backend (restart)
              wait for backend: wait: healthy within 60 s and for 5 s
              ~ backend: 3 instances => fresh ones of the same definition
        "#]],
    );
    check(
        &world,
        &on("backend", Operation::Pause),
        expect![[r#"
            pause of backend is not possible: a Service cannot be held where it is; scale it to 0 instead
        "#]],
    );
    check(
        &world,
        &on("backend", Operation::Remove),
        expect![[r#"
        remove of backend is not possible: that would delete its definition; scale it to 0 or remove single instances
    "#]],
    );
    check(
        &world,
        &on("db", Operation::Kill { signal: "SIGKILL".into() }),
        expect![[r#"
            kill db
              remove db-1: DELETE pods/0005ffffffff (at once)
              wait for db: wait: healthy within 20 s and for 5 s
              ~ lms_db_1: running => taken away; the engine makes a new one
        "#]],
    );
}
