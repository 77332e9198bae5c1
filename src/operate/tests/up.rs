//! Bringing services up as their file has them: the plan, its refusals, what is left when it dies.

use std::collections::BTreeMap;
use std::sync::Arc;

use expect_test::expect;

use crate::model::*;
use crate::operate::machine::Outcome;
use crate::operate::policy::Actor;
use crate::operate::request::{Ending, Operation, Request};

use super::drive::{Weather, ask, ask_as, me, on, policy, run};
use super::reading::check;
use super::world::World;

/// What the file of the world asks for.
#[derive(Clone, Debug, Default)]
pub struct Stack {
    pub file: Option<Arc<StackFile>>,
    pub drifts: BTreeMap<WorkloadId, Arc<Drift>>,
}

impl World {
    /// What the compose tool does.
    pub fn bring_up(&mut self, services: &[WorkloadId]) {
        for service in services.iter().filter(|s| self.of(s.as_str()).is_empty()).cloned().collect::<Vec<_>>() {
            self.add(service.as_str(), 1, "new:1", true, &[]);
        }
        self.stack.drifts.clear();
    }
}

fn deviation(path: &str, running: Option<&str>, wanted: Option<&str>) -> Deviation {
    Deviation { path: path.into(), running: running.map(Into::into), wanted: wanted.map(Into::into) }
}

fn drift(kind: DriftKind, deviations: Vec<Deviation>, replicas: Option<u32>) -> Arc<Drift> {
    Arc::new(Drift { kind, deviations, replicas })
}

/// `backend` has another image in the file, `db` another number of replicas, `frontend` is not in it.
fn world() -> World {
    let mut world = World::compose();
    let call = ["docker-compose", "--project-name", "lms", "--file", "/srv/lms.yml"].map(Into::into).to_vec();
    world.stack.file = Some(Arc::new(StackFile { names: "lms.yml".into(), state: FileState::Read { call } }));
    let image = deviation("image", Some("backend:1.4.2"), Some("backend:1.5.0"));
    world.stack.drifts.insert("backend".into(), drift(DriftKind::Changed, vec![image], None));
    let replicas = deviation("replicas", Some("1"), Some("2"));
    world.stack.drifts.insert("db".into(), drift(DriftKind::Changed, vec![replicas], Some(2)));
    world.stack.drifts.insert("frontend".into(), drift(DriftKind::Extra, Vec::new(), None));
    world
}

fn everything() -> Request {
    Request { targets: Vec::new(), ..on("backend", Operation::Up) }
}

#[test]
fn what_differs_is_made_anew_and_what_is_only_scaled_is_left_alone() {
    check(
        &world(),
        &everything(),
        expect![[r#"
        bring up backend, db
          bring up backend: docker-compose --project-name lms --file /srv/lms.yml up -d --no-deps --no-build --force-recreate --scale backend=3 backend
          bring up db: docker-compose --project-name lms --file /srv/lms.yml up -d --no-deps --no-build --no-recreate --scale db=2 db
          wait for backend: wait: healthy within 20 s
          wait for db: wait: healthy within 20 s and for 5 s
          ~ backend.image: backend:1.4.2 => backend:1.5.0
          ~ db.replicas: 1 => 2
          ! backend has 3 instances: the compose tool may replace them all at once
          ! the compose tool replaces the containers itself: what it has done is not undone when a step fails; to go back, change the file back and bring it up again
    "#]],
    );
    check(
        &world(),
        &on("backend", Operation::Up),
        expect![[r#"
        bring up backend
          bring up backend: docker-compose --project-name lms --file /srv/lms.yml up -d --no-deps --no-build --force-recreate --scale backend=3 backend
          wait for backend: wait: healthy within 20 s
          ~ backend.image: backend:1.4.2 => backend:1.5.0
          ! backend has 3 instances: the compose tool may replace them all at once
          ! the compose tool replaces the containers itself: what it has done is not undone when a step fails; to go back, change the file back and bring it up again
    "#]],
    );
}

#[test]
fn there_is_a_reason_where_it_cannot_be() {
    check(
        &world(),
        &on("frontend", Operation::Up),
        expect![[r#"
        up of frontend is not possible: it is not in the file; remove it, or add it there
    "#]],
    );
    let mut same = world();
    same.stack.drifts.clear();
    check(
        &same,
        &on("backend", Operation::Up),
        expect![[r#"
        nothing to do: backend runs as lms.yml has it
    "#]],
    );
    check(
        &same,
        &everything(),
        expect![[r#"
        nothing to do: everything runs as lms.yml has it
    "#]],
    );
    for state in [None, Some(FileState::Reading), Some(FileState::Failed("lms.yml: services.a.imge is unexpected".into()))] {
        let mut world = world();
        world.stack.file = state.map(|state| Arc::new(StackFile { names: "lms.yml".into(), state }));
        let refusal = ask(&world, &everything(), &policy(), "op-1").unwrap_err().to_string();
        let why = match world.stack.file.as_deref().map(|f| &f.state) {
            None => "not at hand",
            Some(FileState::Reading) => "still being read",
            Some(_) => "imge is unexpected",
        };
        assert!(refusal.contains(why), "{refusal}");
    }
}

#[test]
fn it_waits_until_all_are_well_and_can_be_finished_from_every_cut() {
    let start = world();
    let plan = ask(&start, &everything(), &policy(), "op-1").unwrap();
    let done = run(start.clone(), plan.clone(), &Weather::default(), "backend");
    assert_eq!(done.outcome(), Outcome::Failed, "db is to have two and has one: the gate says so");
    let mut start = world();
    start.stack.drifts.remove(&WorkloadId::from("db"));
    let plan = ask(&start, &everything(), &policy(), "op-1").unwrap();
    let heir = Actor { user: "ann".into(), pid: 8, pid_started: 80, ..me() };
    for cut in 2.. {
        let broken = run(start.clone(), plan.clone(), &Weather { cut_after: Some(cut), ..Weather::default() }, "backend");
        if broken.machine.outcome().is_some() {
            assert!(cut > 2);
            assert_eq!(broken.outcome(), Outcome::Done, "{}", broken.machine.detail);
            break;
        }
        for ending in [Ending::Finish, Ending::Undo] {
            let request = on("backend", Operation::Recover { ending });
            let ended = ask_as(&broken.world, &request, &policy(), "op-2", &heir, false).unwrap();
            let after = run(broken.world.clone(), ended, &Weather::default(), "backend");
            assert_eq!(after.outcome(), Outcome::Done, "{ending:?} after call {cut}: {}", after.machine.detail);
            assert!(after.world.lock.is_none());
            assert!(ending == Ending::Undo || after.world.stack.drifts.is_empty(), "{ending:?} after call {cut}");
        }
    }
}
