//! Plans and their runs where controllers make the pods: what is refused, how a rollout is followed, blue-green by
//! Services, and every way out of the middle.

mod cluster;

use std::collections::BTreeSet;
use std::time::Duration;

use expect_test::{Expect, expect};

use crate::engine::EngineError;
use crate::model::*;
use crate::operate::machine::{Effect, Event, Machine, Outcome};
use crate::operate::plan::{Plan, Terms, plan};
use crate::operate::policy::{Actor, Asked, Condition, Migration, Place, Policy};
use crate::operate::refusal::Refusal;
use crate::operate::request::{Ending, Operation, Request, Strategy};

use self::cluster::{Cluster, Way};
use super::drive::{me, on, policy};
use super::reading::text;

fn ask(cluster: &Cluster, request: &Request, policy: &Policy, id: &str, actor: &Actor) -> Result<Plan, Refusal> {
    let alive = BTreeSet::new();
    let now = cluster.now;
    let terms = Terms { policy, actor, read_only: false, take_over: false, alive: Some(&alive), id: id.into(), now };
    plan(request, &cluster.snapshot(), &terms)
}

fn check(cluster: &Cluster, operation: Operation, expected: Expect) {
    let said = match ask(cluster, &on("backend", operation), &policy(), "op-1", &me()) {
        Ok(plan) => text(&plan),
        Err(refusal) => format!("{refusal}\n"),
    };
    expected.assert_eq(&said);
}

fn deploy(image: &str, strategy: Option<Strategy>) -> Operation {
    Operation::Deploy { image: image.into(), container: None, strategy, fast: false, unwatched: false }
}

/// What goes wrong around a run.
#[derive(Clone, Copy, Debug, Default)]
struct Weather {
    /// The process dies before this call.
    cut: Option<usize>,
    /// The answer to this call is lost.
    lost: Option<usize>,
    /// A person gives up after this call.
    abort: Option<usize>,
}

/// Runs a plan to its end or the cut; the number of calls, and the machine.
fn run(cluster: &mut Cluster, plan: Plan, weather: Weather) -> (usize, Machine) {
    let (mut machine, mut effects) = Machine::new(plan, &me(), cluster.now);
    let mut calls = 0;
    for _ in 0..600 {
        let mut answers = Vec::new();
        for effect in std::mem::take(&mut effects) {
            let Effect::Execute(ticket, action) = effect else { continue };
            calls += 1;
            if weather.cut == Some(calls) {
                return (calls, machine);
            }
            let answer = cluster.execute(&action);
            let away = || EngineError::Unreachable { endpoint: "context eu".into(), cause: "connection reset".into() };
            answers.push((ticket, if weather.lost == Some(calls) { Err(away()) } else { answer }));
        }
        for (ticket, answer) in answers {
            effects.extend(machine.on(cluster.now, Event::Done(ticket, answer)));
            if weather.abort == Some(calls) {
                effects.extend(machine.on(cluster.now, Event::Abort));
            }
        }
        if machine.outcome().is_some() {
            return (calls, machine);
        }
        if effects.iter().any(|e| matches!(e, Effect::Execute(..))) {
            continue;
        }
        cluster.pass();
        let snapshot = cluster.snapshot();
        effects.extend(machine.on(cluster.now, Event::Snapshot(&snapshot)));
        effects.extend(machine.on(cluster.now, Event::Tick));
    }
    panic!("it never ends: {:?} {:?}", machine.phase, machine.progress);
}

/// An ordinary workload again: every pod of this image, the Service free, no mirror, no lock.
fn is_ordinary(cluster: &Cluster, image: &str, why: &str) {
    let mut later = cluster.clone();
    (0..40).for_each(|_| later.pass());
    assert_eq!(later.deployments.keys().collect::<Vec<_>>(), ["backend"], "{why}");
    assert_eq!((&later.way, &later.lock), (&Way::Free, &None), "{why}");
    assert_eq!(&*later.own().image, image, "{why}");
    let pods: Vec<&str> = later.own().pods.iter().map(|p| &*p.image).collect();
    assert_eq!(pods, [image; 3], "{why}");
}

#[test]
fn a_controller_goes_its_own_way_and_is_followed() {
    let cluster = Cluster::new();
    check(
        &cluster,
        deploy("backend:2", None),
        expect![[r#"
        deploy backend 1 → 2
          set image of backend to backend:2: PATCH deployments/backend (image backend:2, revision 2)   <- take backend back to revision 1, wait for backend
          wait for backend: wait: healthy within 60 s and for 5 s
          ~ backend.image: backend:1 => backend:2
          ~ backend.revision: 1 => 2
          ~ backend.update: RollingUpdate (surge 1, unavailable 0) => as it is: the cluster goes by it
    "#]],
    );
    check(
        &cluster,
        Operation::Restart,
        expect![[r#"
        restart backend
          restart backend: PATCH deployments/backend (restart)
          wait for backend: wait: healthy within 60 s and for 5 s
          ~ backend: 3 instances => fresh ones of the same definition
          ~ backend.update: RollingUpdate (surge 1, unavailable 0) => as it is: the cluster goes by it
    "#]],
    );
    check(
        &cluster,
        Operation::Stop,
        expect![[r#"
        stop backend
          scale backend to 0: PATCH deployments/backend/scale (replicas 0)   <- scale backend to 3, wait for backend
          wait for backend to stop: wait: healthy within 20 s
          ~ backend.replicas: 3 => 0
    "#]],
    );
    check(
        &cluster,
        deploy("backend:2", Some(Strategy::BlueGreen)),
        expect![[r#"
            deploy backend 1 → 2
              mirror backend with backend:2: POST deployments (like backend, image backend:2)   <- remove the mirror of backend
              wait for backend-953c8ba8: wait: healthy within 60 s and for 5 s
              lead traffic to the mirror of backend: PATCH services of backend (selector of its mirror)   <- lead traffic to backend
              wait 5 s: wait 5 s
              set image of backend to backend:2: PATCH deployments/backend (image backend:2, revision 2)   <- take backend back to revision 1, wait for backend
              wait for backend: wait: healthy within 60 s and for 5 s
              lead traffic to backend: PATCH services of backend (selector of its own pods)
              remove the mirror of backend: DELETE deployments (the mirror of backend) (tidy)
              ~ backend.image: backend:1 => backend:2
              ~ backend.revision: 1 => 2
              ~ backend-953c8ba8: not there => 3 pods of backend:2, then removed
              ~ services backend: all pods of it => only the mirror's, then all pods of it again
              ! backend runs twice while it is switched: 3 pods more
        "#]],
    );
}

#[test]
fn what_a_controller_would_set_back_or_not_do_is_refused_with_what_to_do_instead() {
    let mut scaled = Cluster::new();
    let scaler = Scaler { name: "backend".into(), min: 2, max: 6, current: 3, desired: 3, targets: Vec::new(), trouble: None };
    scaled.scaler = Some(scaler);
    let mut paused = Cluster::new();
    paused.paused = true;
    let mut several = Cluster::new();
    several.containers = vec![("web".into(), "backend:1".into()), ("proxy".into(), "envoy:1".into())];
    let mut alone = Cluster::new();
    alone.served = false;
    let blue_green = deploy("backend:2", Some(Strategy::BlueGreen));
    let said = |cluster: &Cluster, operation: Operation| {
        let answer = ask(cluster, &on("backend", operation), &policy(), "op-1", &me());
        answer.map_or_else(|refusal| refusal.to_string(), |plan| format!("planned: {}", plan.title))
    };
    let lines = [
        said(&scaled, Operation::Scale { to: 5 }),
        said(&scaled, Operation::Stop),
        said(&paused, Operation::Restart),
        said(&paused, deploy("backend:2", None)),
        said(&Cluster::new(), deploy("backend:1", None)),
        said(&several, deploy("other:2", None)),
        said(&several, deploy("envoy:2", None)),
        said(&alone, blue_green),
    ];
    expect![[r#"
        scale of backend is not possible: its autoscaler backend owns the number (2 to 6) and would set it back; give it other bounds instead: qd bounds lms/backend --min N --max N
        planned: stop backend
        restart of backend is not possible: its rollout is held where it is: let it go on first (unpause)
        deploy of backend is not possible: its rollout is held where it is: let it go on first (unpause)
        nothing to do: backend runs backend:1 already, and the same definition is no new revision; to have it fetched again, restart it
        deploy of backend is not possible: it has several containers (web, proxy): say which one is meant (--container)
        planned: deploy backend backend:1 → envoy:2
        deploy of backend is not possible: no Service leads to it, so there is no traffic to switch: deploy it rolling"#]].assert_eq(&lines.join("\n"));
}

#[test]
fn a_migration_is_a_job_of_the_workloads_own_and_probes_of_single_pods_are_refused() {
    let mut policy = policy();
    let exec = vec!["./migrate".into()];
    policy.deploy.migrate = Some(Migration { exec, place: Place::OneOff, timeout: Duration::from_secs(60) });
    let plan = ask(&Cluster::new(), &on("backend", deploy("backend:2", None)), &policy, "op-1", &me()).unwrap();
    let calls: Vec<&str> = plan.steps.iter().map(|s| &*s.call).collect();
    assert_eq!(calls[0], "POST jobs: ./migrate in backend:2 (at most 60 s)");
    assert_eq!(calls.last(), Some(&"DELETE the job"));
    let asked = Asked::Probe(super::surroundings::probe());
    policy.deploy.verify = vec![Condition { asked, within: Duration::from_secs(5), hold: Duration::ZERO }];
    let refusal = ask(&Cluster::new(), &on("backend", deploy("backend:2", None)), &policy, "op-1", &me()).unwrap_err();
    assert!(refusal.to_string().contains("none of them can be named before"), "{refusal}");
}

#[test]
fn what_nothing_tells_well_from_ill_is_not_deployed_unless_told_to() {
    let mut cluster = Cluster::new();
    cluster.silent = true;
    let told = |unwatched| {
        let operation = Operation::Deploy { image: "backend:2".into(), container: None, strategy: None, fast: false, unwatched };
        ask(&cluster, &on("backend", operation), &policy(), "op-1", &me())
    };
    assert!(matches!(told(false), Err(Refusal::NoSignal { .. })));
    assert!(told(true).is_ok());
}

#[test]
fn deploys_restarts_and_rollbacks_end_when_the_controller_is_through() {
    for strategy in [None, Some(Strategy::BlueGreen)] {
        let mut cluster = Cluster::new();
        let plan = ask(&cluster, &on("backend", deploy("backend:2", strategy)), &policy(), "op-1", &me()).unwrap();
        let (_, machine) = run(&mut cluster, plan, Weather::default());
        assert_eq!(machine.outcome(), Some(&Outcome::Done), "{strategy:?}: {}", machine.detail);
        assert_eq!(cluster.own().revision(), 2);
        is_ordinary(&cluster, "backend:2", "deployed");
        assert!(cluster.fewest >= 3, "{strategy:?}: only {} were ready", cluster.fewest);
    }
    let mut cluster = Cluster::new();
    for (operation, revision, image) in [
        (Operation::Restart, 2, "backend:1"),
        (deploy("backend:2", None), 3, "backend:2"),
        // The template of 1 is the one before the restart: it becomes the newest, and 1 is no more.
        (Operation::Rollback { to: Some(1) }, 4, "backend:1"),
        (Operation::Rollback { to: None }, 5, "backend:2"),
    ] {
        let id = format!("op-{revision}");
        let plan = ask(&cluster, &on("backend", operation.clone()), &policy(), &id, &me()).unwrap();
        let (_, machine) = run(&mut cluster, plan, Weather::default());
        assert_eq!(machine.outcome(), Some(&Outcome::Done), "{operation:?}: {}", machine.detail);
        assert_eq!(cluster.own().revision(), revision, "{operation:?}");
        is_ordinary(&cluster, image, "as told");
    }
}

#[test]
fn what_does_not_get_ready_is_taken_back() {
    for strategy in [None, Some(Strategy::BlueGreen)] {
        let mut cluster = Cluster::new();
        cluster.bad.insert("backend:2".into());
        let plan = ask(&cluster, &on("backend", deploy("backend:2", strategy)), &policy(), "op-1", &me()).unwrap();
        let (_, machine) = run(&mut cluster, plan, Weather::default());
        assert_eq!(machine.outcome(), Some(&Outcome::RolledBack), "{strategy:?}: {}", machine.detail);
        assert!(machine.detail.contains("probe failed: 503"), "{}", machine.detail);
        is_ordinary(&cluster, "backend:1", "taken back");
        assert_eq!((cluster.fewest >= 3, cluster.misled), (true, 0), "{strategy:?}: nobody noticed");
    }
}

#[test]
fn from_every_point_there_is_a_way_out() {
    for strategy in [None, Some(Strategy::BlueGreen)] {
        let begin = || {
            let cluster = Cluster::new();
            let plan = ask(&cluster, &on("backend", deploy("backend:2", strategy)), &policy(), "op-1", &me()).unwrap();
            (cluster, plan)
        };
        let (mut cluster, plan) = begin();
        let (calls, _) = run(&mut cluster, plan, Weather::default());
        for call in 2..=calls {
            for ending in [Ending::Finish, Ending::Undo] {
                let (mut cluster, plan) = begin();
                run(&mut cluster, plan, Weather { cut: Some(call), ..Weather::default() });
                (0..3).for_each(|_| cluster.pass());
                let next = Actor { user: "ann".into(), pid: 8, pid_started: 80, ..me() };
                let request = on("backend", Operation::Recover { ending });
                let plan = ask(&cluster, &request, &policy(), "op-2", &next).unwrap();
                let (_, machine) = run(&mut cluster, plan, Weather::default());
                let why = format!("{strategy:?}, cut at {call} of {calls}, {ending:?}: {}", machine.detail);
                assert_eq!(machine.outcome(), Some(&Outcome::Done), "{why}");
                let image = if ending == Ending::Undo { "backend:1" } else { "backend:2" };
                is_ordinary(&cluster, image, &why);
                assert!(cluster.fewest >= 3, "{why}: only {} were ready", cluster.fewest);
            }
            let (mut cluster, plan) = begin();
            let (_, machine) = run(&mut cluster, plan, Weather { abort: Some(call), ..Weather::default() });
            let why = format!("{strategy:?}, given up after {call} of {calls}: {}", machine.detail);
            let image = if machine.outcome() == Some(&Outcome::Done) { "backend:2" } else { "backend:1" };
            is_ordinary(&cluster, image, &why);
            assert!(cluster.fewest >= 3, "{why}: only {} were ready", cluster.fewest);
        }
    }
}

#[test]
fn a_lost_answer_changes_nothing() {
    for strategy in [None, Some(Strategy::BlueGreen)] {
        for call in 1..=8 {
            let mut cluster = Cluster::new();
            let plan = ask(&cluster, &on("backend", deploy("backend:2", strategy)), &policy(), "op-1", &me()).unwrap();
            let (calls, machine) = run(&mut cluster, plan, Weather { lost: Some(call), ..Weather::default() });
            let why = format!("{strategy:?}, answer {call} of {calls} lost: {}", machine.detail);
            assert_eq!(machine.outcome(), Some(&Outcome::Done), "{why}");
            is_ordinary(&cluster, "backend:2", &why);
        }
    }
}
