//! Plans of scaling, deploying and rolling back as a person reads them, and their refusals.

use expect_test::expect;

use crate::model::*;
use crate::operate::request::{Operation, Strategy};

use super::drive::{deploy, on};
use super::reading::check;
use super::world::{World, at};

#[test]
fn scale() {
    let world = World::compose();
    check(
        &world,
        &on("backend", Operation::Scale { to: 5 }),
        expect![[r#"
            scale backend 3 → 5
              create backend-4: POST /containers/create?name=lms_backend_4   <- remove backend-4
              create backend-5: POST /containers/create?name=lms_backend_5   <- remove backend-5
              start backend-4: POST /containers/lms_backend_4/start   <- stop backend-4
              start backend-5: POST /containers/lms_backend_5/start   <- stop backend-5
              wait for backend-4: wait: healthy within 20 s
              wait for backend-5: wait: healthy within 20 s
              ~ backend.replicas: 3 => 5
              ~ backend-4: – => new, like lms_backend_3
              ~ backend-5: – => new, like lms_backend_3
        "#]],
    );
    check(
        &world,
        &on("backend", Operation::Scale { to: 1 }),
        expect![[r#"
            scale backend 3 → 1
              stop backend-3: POST /containers/0003ffffffff/stop   <- start backend-3, wait for backend-3
              stop backend-2: POST /containers/0002ffffffff/stop   <- start backend-2, wait for backend-2
              remove backend-3: DELETE /containers/0003ffffffff
              remove backend-2: DELETE /containers/0002ffffffff
              ~ backend.replicas: 3 => 1
              ~ backend-3: lms_backend_3 (running) => removed
              ~ backend-2: lms_backend_2 (running) => removed
        "#]],
    );
    check(
        &world,
        &on("backend", Operation::Scale { to: 3 }),
        expect![[r#"
        nothing to do: backend already has 3
    "#]],
    );
    check(
        &world,
        &on("backend", Operation::Scale { to: 0 }),
        expect![[r#"
            scale backend 3 → 0
              stop backend-3: POST /containers/0003ffffffff/stop   <- start backend-3, wait for backend-3
              stop backend-2: POST /containers/0002ffffffff/stop   <- start backend-2, wait for backend-2
              stop backend-1: POST /containers/0001ffffffff/stop   <- start backend-1, wait for backend-1
              remove backend-3: DELETE /containers/0003ffffffff
              remove backend-2: DELETE /containers/0002ffffffff
              ~ backend.replicas: 3 => 0
              ~ backend-3: lms_backend_3 (running) => removed
              ~ backend-2: lms_backend_2 (running) => removed
              ~ backend-1.state: running => exited
              ! backend keeps one stopped container as its definition, so that it can be scaled up again
        "#]],
    );
    check(
        &world,
        &on("frontend", Operation::Scale { to: 2 }),
        expect![[r#"
        frontend cannot have more than one instance: its definition publishes host port 80; let the engine choose the port, or put a proxy in front
    "#]],
    );
    let mut fixed = World::compose();
    fixed.by_number("db", 1).fixed_name = true;
    check(
        &fixed,
        &on("db", Operation::Scale { to: 2 }),
        expect![[r#"
        db cannot have more than one instance: its definition fixes the name lms_db_1 (container_name)
    "#]],
    );
}

#[test]
fn scaling_counts_what_runs_and_takes_what_is_stopped_first() {
    let mut world = World::compose();
    world.by_number("backend", 2).state = InstanceState::Exited;
    check(
        &world,
        &on("backend", Operation::Scale { to: 2 }),
        expect![[r#"
            scale backend 3 → 2
              remove backend-2: DELETE /containers/0002ffffffff
              ~ backend.replicas: 3 => 2
              ~ backend-2: lms_backend_2 (exited) => removed
        "#]],
    );
    check(
        &world,
        &on("backend", Operation::Scale { to: 4 }),
        expect![[r#"
            scale backend 2 → 4
              create backend-4: POST /containers/create?name=lms_backend_4   <- remove backend-4
              start backend-2: POST /containers/0002ffffffff/start   <- stop backend-2
              start backend-4: POST /containers/lms_backend_4/start   <- stop backend-4
              wait for backend-2: wait: healthy within 20 s
              wait for backend-4: wait: healthy within 20 s
              ~ backend.replicas: 2 => 4
              ~ backend-2.state: exited => running
              ~ backend-4: – => new, like lms_backend_3
        "#]],
    );
}

#[test]
fn deploys() {
    let world = World::compose();
    check(
        &world,
        &on("backend", deploy("backend:1.5.0")),
        expect![[r#"
            deploy backend 1.4.2 → 1.5.0
              have image backend:1.5.0: POST /images/create?fromImage=backend:1.5.0 (unless present)
              set aside old backend-1: POST /containers/0001ffffffff/rename (out of the way)   <- bring back old backend-1
              create backend-1: POST /containers/create?name=lms_backend_1   <- remove backend-1
              start backend-1: POST /containers/lms_backend_1/start   <- stop backend-1
              wait for backend-1: wait: healthy within 20 s and for 5 s
              stop old backend-1: POST /containers/0001ffffffff/stop   <- start old backend-1, wait for old backend-1
              set aside old backend-2: POST /containers/0002ffffffff/rename (out of the way)   <- bring back old backend-2
              create backend-2: POST /containers/create?name=lms_backend_2   <- remove backend-2
              start backend-2: POST /containers/lms_backend_2/start   <- stop backend-2
              wait for backend-2: wait: healthy within 20 s and for 5 s
              stop old backend-2: POST /containers/0002ffffffff/stop   <- start old backend-2, wait for old backend-2
              set aside old backend-3: POST /containers/0003ffffffff/rename (out of the way)   <- bring back old backend-3
              create backend-3: POST /containers/create?name=lms_backend_3   <- remove backend-3
              start backend-3: POST /containers/lms_backend_3/start   <- stop backend-3
              wait for backend-3: wait: healthy within 20 s and for 5 s
              stop old backend-3: POST /containers/0003ffffffff/stop   <- start old backend-3, wait for old backend-3
              look at all new ones again: wait: a fresh look shows them still healthy
              remove old backend-1: DELETE /containers/0001ffffffff (tidy)
              remove old backend-2: DELETE /containers/0002ffffffff (tidy)
              remove old backend-3: DELETE /containers/0003ffffffff (tidy)
              ~ backend.image: backend:1.4.2 => backend:1.5.0
              ~ backend.digest: sha256:backend:1.4. => as the tag says when it is pulled
              ~ backend.revision: 1 => 2
              ~ backend-1: 0001ffffffff (running) => a new container; the old one is removed once it held
              ~ backend-2: 0002ffffffff (running) => a new container; the old one is removed once it held
              ~ backend-3: 0003ffffffff (running) => a new container; the old one is removed once it held
        "#]],
    );
    check(
        &world,
        &on("frontend", deploy("frontend:1.4.0")),
        expect![[r#"
            deploy frontend frontend:1.4.0 again
              have image frontend:1.4.0: POST /images/create?fromImage=frontend:1.4.0 (unless present)
              set aside old frontend-1: POST /containers/0004ffffffff/rename (out of the way)   <- bring back old frontend-1
              create frontend-1: POST /containers/create?name=lms_frontend_1   <- remove frontend-1
              stop old frontend-1: POST /containers/0004ffffffff/stop   <- start old frontend-1, wait for old frontend-1
              start frontend-1: POST /containers/lms_frontend_1/start   <- stop frontend-1
              wait for frontend-1: wait: healthy within 20 s and for 5 s
              look at all new ones again: wait: a fresh look shows them still healthy
              remove old frontend-1: DELETE /containers/0004ffffffff (tidy)
              ~ frontend.image: frontend:1.4.0 => frontend:1.4.0
              ~ frontend.digest: sha256:frontend:1.4 => as the tag says when it is pulled
              ~ frontend.revision: 1 => 2
              ~ frontend-1: 0004ffffffff (running) => a new container; the old one is removed once it held
              ! frontend runs frontend:1.4.0 already: it is made anew, and only differs if the tag has moved
              ! frontend holds host port 80: the old one stops before the new one starts, a short outage
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
              have image backend:1.5.0: POST /images/create?fromImage=backend:1.5.0 (unless present)
              set aside old backend-1: POST /containers/0001ffffffff/rename (out of the way)   <- bring back old backend-1
              create backend-1: POST /containers/create?name=lms_backend_1   <- remove backend-1
              set aside old backend-2: POST /containers/0002ffffffff/rename (out of the way)   <- bring back old backend-2
              create backend-2: POST /containers/create?name=lms_backend_2   <- remove backend-2
              set aside old backend-3: POST /containers/0003ffffffff/rename (out of the way)   <- bring back old backend-3
              create backend-3: POST /containers/create?name=lms_backend_3   <- remove backend-3
              stop old backend-1: POST /containers/0001ffffffff/stop   <- start old backend-1, wait for old backend-1, wait for old backend-2, wait for old backend-3
              stop old backend-2: POST /containers/0002ffffffff/stop   <- start old backend-2
              stop old backend-3: POST /containers/0003ffffffff/stop   <- start old backend-3
              start backend-1: POST /containers/lms_backend_1/start   <- stop backend-1
              start backend-2: POST /containers/lms_backend_2/start   <- stop backend-2
              start backend-3: POST /containers/lms_backend_3/start   <- stop backend-3
              wait for backend-1: wait: healthy within 20 s and for 5 s
              wait for backend-2: wait: healthy within 20 s and for 5 s
              wait for backend-3: wait: healthy within 20 s and for 5 s
              look at all new ones again: wait: a fresh look shows them still healthy
              remove old backend-1: DELETE /containers/0001ffffffff (tidy)
              remove old backend-2: DELETE /containers/0002ffffffff (tidy)
              remove old backend-3: DELETE /containers/0003ffffffff (tidy)
              ~ backend.image: backend:1.4.2 => backend:1.5.0
              ~ backend.digest: sha256:backend:1.4. => as the tag says when it is pulled
              ~ backend.revision: 1 => 2
              ~ backend-1: 0001ffffffff (running) => a new container; the old one is removed once it held
              ~ backend-2: 0002ffffffff (running) => a new container; the old one is removed once it held
              ~ backend-3: 0003ffffffff (running) => a new container; the old one is removed once it held
              ! all instances of backend stop before the new ones start (recreate): an outage
        "#]],
    );
}

#[test]
fn rollbacks() {
    let mut world = World::compose();
    check(
        &world,
        &on("backend", Operation::Rollback { to: None }),
        expect![[r#"
        backend has no earlier revision to go back to; recorded: 1
    "#]],
    );
    let revision = |number: u64, image: &str| Revision {
        number,
        image: image.into(),
        digest: Some(format!("sha256:{image}").into()),
        at: Some(at(-500)),
        by: Some("ops@bastion-1".into()),
        cause: None,
    };
    world.by_number("db", 1).revisions = vec![revision(3, "postgres:15"), revision(2, "postgres:14"), revision(1, "postgres:13")];
    check(
        &world,
        &on("db", Operation::Rollback { to: None }),
        expect![[r#"
            roll back db to revision 2 (15 → 14)
              have image postgres:14: POST /images/create?fromImage=postgres:14 (unless present)
              set aside old db-1: POST /containers/0005ffffffff/rename (out of the way)   <- bring back old db-1
              create db-1: POST /containers/create?name=lms_db_1   <- remove db-1
              start db-1: POST /containers/lms_db_1/start   <- stop db-1
              wait for db-1: wait: healthy within 20 s and for 5 s
              stop old db-1: POST /containers/0005ffffffff/stop   <- start old db-1, wait for old db-1
              look at all new ones again: wait: a fresh look shows them still healthy
              remove old db-1: DELETE /containers/0005ffffffff (tidy)
              ~ db.image: postgres:15 => postgres:14
              ~ db.digest: sha256:postgres:15 => sha256:postgres:14
              ~ db.revision: 3 => 4
              ~ db-1: 0005ffffffff (running) => a new container; the old one is removed once it held
              ! db has no health check: it is only watched to run for 5 s
        "#]],
    );
    check(
        &world,
        &on("db", Operation::Rollback { to: Some(1) }),
        expect![[r#"
            roll back db to revision 1 (15 → 13)
              have image postgres:13: POST /images/create?fromImage=postgres:13 (unless present)
              set aside old db-1: POST /containers/0005ffffffff/rename (out of the way)   <- bring back old db-1
              create db-1: POST /containers/create?name=lms_db_1   <- remove db-1
              start db-1: POST /containers/lms_db_1/start   <- stop db-1
              wait for db-1: wait: healthy within 20 s and for 5 s
              stop old db-1: POST /containers/0005ffffffff/stop   <- start old db-1, wait for old db-1
              look at all new ones again: wait: a fresh look shows them still healthy
              remove old db-1: DELETE /containers/0005ffffffff (tidy)
              ~ db.image: postgres:15 => postgres:13
              ~ db.digest: sha256:postgres:15 => sha256:postgres:13
              ~ db.revision: 3 => 4
              ~ db-1: 0005ffffffff (running) => a new container; the old one is removed once it held
              ! db has no health check: it is only watched to run for 5 s
        "#]],
    );
    check(
        &world,
        &on("db", Operation::Rollback { to: Some(7) }),
        expect![[r#"
        revision 7 of db is not recorded; recorded: 3, 2, 1
    "#]],
    );
    check(
        &world,
        &on("db", Operation::Rollback { to: Some(3) }),
        expect![[r#"
        nothing to do: db is at revision 3 already
    "#]],
    );
}
