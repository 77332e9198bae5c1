//! Every action where it applies, as often as one likes.

use std::sync::Arc;
use std::time::Duration;

use super::still::Still;
use super::world_tests::noon;
use crate::engine::EngineError;
use crate::model::{EnvironmentId, Health, InstanceId, InstanceState, LockHolder, OperationId, Revision, Workload};
use crate::operate::action::{Accepted, Action, InstanceRef, Replica};

fn local() -> EnvironmentId {
    EnvironmentId::new("demo", "local")
}

fn staging() -> EnvironmentId {
    EnvironmentId::new("demo", "staging")
}

fn production() -> EnvironmentId {
    EnvironmentId::new("demo", "production")
}

pub(super) fn fresh() -> Still {
    Still::new(7, None, noon()).unwrap()
}

fn workload(still: &Still, environment: &EnvironmentId, name: &str) -> Arc<Workload> {
    let inventory = still.inventory();
    let snapshot = inventory.environments.iter().find(|s| &s.environment.id == environment).unwrap();
    snapshot.workload(&name.into()).unwrap().clone()
}

pub(super) fn known(id: &InstanceId) -> InstanceRef {
    InstanceRef::Known(id.clone())
}

fn holder(operation: Option<&str>, by: &str) -> LockHolder {
    LockHolder {
        by: by.into(),
        host: "bastion-1".into(),
        pid: 7,
        pid_started: 70,
        why: "deploy app".into(),
        since: noon(),
        operation: operation.map(OperationId::new),
        request: Some("{}".into()),
    }
}

fn replica(workload: &Workload, slot: u32, number: Option<u32>, image: Option<&str>) -> Box<Replica> {
    Box::new(Replica {
        environment: staging(),
        workload: workload.id.clone(),
        like: workload.instances[0].id.clone(),
        slot,
        number,
        image: image.map(Into::into),
        digest: None,
        revisions: None,
        hidden: false,
    })
}

pub(super) fn revision(number: u64, image: &str) -> Revision {
    Revision { number, image: image.into(), digest: None, at: Some(noon()), by: Some("lan@bastion-1".into()), cause: None }
}

#[test]
fn a_lock_is_held_by_one_and_given_back_by_its_own() {
    let mut still = fresh();
    let take =
        |operation, by, replaces| Action::TakeLock { environment: staging(), holder: Box::new(holder(operation, by)), replaces };
    let release =
        |operation: Option<&str>| Action::ReleaseLock { environment: staging(), operation: operation.map(OperationId::new) };
    assert_eq!(still.execute(&take(Some("op-1"), "lan", None)), Ok(Accepted::Done));
    assert_eq!(still.execute(&take(Some("op-1"), "lan", None)), Ok(Accepted::AlreadySo));
    let error = still.execute(&take(Some("op-2"), "minh", None)).unwrap_err();
    assert!(
        matches!(&error, EngineError::Conflict { cause, .. } if cause.contains("lan") && cause.contains("deploy app")),
        "{error}"
    );
    let lock = still.inventory().environments[2].lock.clone().unwrap();
    assert_eq!(lock.operation, Some(OperationId::new("op-1")));
    assert_eq!(still.execute(&release(Some("op-2"))), Ok(Accepted::AlreadySo), "another's lock is not given back");
    assert!(still.inventory().environments[2].lock.is_some());
    assert_eq!(
        still.execute(&take(Some("op-2"), "minh", Some(Box::new(holder(Some("op-1"), "lan"))))),
        Ok(Accepted::Done),
        "taken over"
    );
    assert_eq!(still.execute(&release(None)), Ok(Accepted::Done));
    assert_eq!(still.execute(&release(None)), Ok(Accepted::AlreadySo));
    assert!(still.inventory().environments[2].lock.is_none());
}

#[test]
fn images_that_exist_and_one_that_does_not() {
    let mut still = fresh();
    let table = [
        (staging(), "chatbot:3.8.0", Some(false)),
        (staging(), "chatbot:3.9.0", Some(true)),
        (staging(), "chatbot:3.9.0-broken", Some(true)),
        (local(), "app_ap:v2.4", Some(true)),
        (staging(), "chatbot:nope", None),
        (staging(), "nobody/chatbot:1.0", None),
        (production(), "backend:1.5.0", Some(true)),
        (production(), "backend:nope", None),
    ];
    for (environment, image, expected) in table {
        let answer = still.execute(&Action::EnsureImage { environment, image: image.into(), digest: None });
        match (expected, answer) {
            (Some(expected), Ok(Accepted::Image { digest: Some(digest), pulled })) => {
                assert!(pulled == expected && digest.starts_with("sha256:"), "{image}");
            }
            (None, Err(EngineError::NotFound { what })) => assert!(what.contains(image)),
            (_, answer) => panic!("{image}: {answer:?}"),
        }
    }
}

#[test]
fn a_replica_is_made_once_for_its_slot_and_becomes_healthy() {
    let mut still = fresh();
    let app = workload(&still, &staging(), "app");
    let create = Action::Create { operation: "op-1".into(), replica: replica(&app, 0, Some(3), None) };
    let Ok(Accepted::Made(id)) = still.execute(&create) else { panic!("made") };
    assert_eq!(still.execute(&create), Ok(Accepted::Made(id.clone())));
    assert_eq!(workload(&still, &staging(), "app").desired, 2, "it is not meant to run yet");
    assert_eq!(still.execute(&Action::Start { instance: known(&id) }), Ok(Accepted::Done));
    assert_eq!(still.execute(&Action::Start { instance: known(&id) }), Ok(Accepted::AlreadySo));
    let now = workload(&still, &staging(), "app");
    let new = now.instances.iter().find(|i| i.id == id).unwrap();
    assert_eq!((&*new.name, new.verdict.health, now.verdict.health), ("chatbot-app-3", Health::Starting, Health::Starting));
    assert_eq!((new.made_by.as_ref(), &*new.labels["com.docker.compose.service"]), (Some(&"op-1".into()), "app"));
    still.advance(Duration::from_secs(12));
    let now = workload(&still, &staging(), "app");
    assert_eq!((now.ready, now.desired, now.verdict.health), (3, 3, Health::Healthy));
    let taken = Action::Create { operation: "op-2".into(), replica: replica(&app, 0, Some(3), None) };
    assert!(matches!(still.execute(&taken), Err(EngineError::Conflict { .. })));
    let absent = Action::Create { operation: "op-2".into(), replica: replica(&app, 1, Some(4), Some("chatbot:9.9")) };
    assert!(matches!(still.execute(&absent), Err(EngineError::NotFound { .. })), "the image was never pulled");
}

#[test]
fn a_container_is_replaced_and_brought_back() {
    let mut still = fresh();
    let app = workload(&still, &staging(), "app");
    let old = app.instances[0].id.clone();
    assert_eq!(still.execute(&Action::BringBack { instance: known(&old) }), Ok(Accepted::AlreadySo));
    assert_eq!(still.execute(&Action::SetAside { instance: known(&old) }), Ok(Accepted::Done));
    assert_eq!(still.execute(&Action::SetAside { instance: known(&old) }), Ok(Accepted::AlreadySo));
    let image = Action::EnsureImage { environment: staging(), image: "chatbot:3.9.0-broken".into(), digest: None };
    still.execute(&image).unwrap();
    let mut wanted = replica(&app, 0, None, Some("chatbot:3.9.0-broken"));
    wanted.revisions = Some(vec![revision(5, "chatbot:3.9.0-broken"), app.revisions[0].clone()]);
    let Ok(Accepted::Made(new)) = still.execute(&Action::Create { operation: "op-1".into(), replica: wanted }) else { panic!() };
    still.execute(&Action::Start { instance: known(&new) }).unwrap();
    let seen = workload(&still, &staging(), "app");
    assert_eq!((seen.revision, seen.revisions.len(), seen.replicas().count()), (Some(5), 2, 2));
    assert!(seen.instances.iter().any(|i| i.set_aside && i.name.ends_with("_chatbot-app-1")));
    for _ in 0..120 {
        still.advance(Duration::from_secs(1));
        let seen = workload(&still, &staging(), "app");
        assert_ne!(seen.instances.iter().find(|i| i.id == new).unwrap().verdict.health, Health::Healthy);
    }
    assert!(matches!(still.execute(&Action::BringBack { instance: known(&old) }), Err(EngineError::Conflict { .. })));
    let remove = |force| Action::Remove { instance: known(&new), force };
    assert!(matches!(still.execute(&remove(false)), Err(EngineError::Conflict { .. })));
    assert_eq!(still.execute(&remove(true)), Ok(Accepted::Done));
    assert_eq!(still.execute(&remove(true)), Ok(Accepted::AlreadySo));
    assert_eq!(still.execute(&Action::BringBack { instance: known(&old) }), Ok(Accepted::Done));
    let seen = workload(&still, &staging(), "app");
    assert_eq!((seen.verdict.health, seen.revision, &*seen.instances[0].name), (Health::Healthy, app.revision, "chatbot-app-1"));
}

#[test]
fn a_container_is_stopped_started_paused_and_killed() {
    let mut still = fresh();
    let id = workload(&still, &local(), "app_cp").instances[0].id.clone();
    let i = || known(&id);
    let table: Vec<(Action, InstanceState, u32)> = vec![
        (Action::Pause { instance: i() }, InstanceState::Paused, 1),
        (Action::Pause { instance: i() }, InstanceState::Paused, 1),
        (Action::Unpause { instance: i() }, InstanceState::Running, 1),
        (Action::Unpause { instance: i() }, InstanceState::Running, 1),
        (Action::Stop { instance: i(), grace: None }, InstanceState::Exited, 0),
        (Action::Stop { instance: i(), grace: None }, InstanceState::Exited, 0),
        (Action::Start { instance: i() }, InstanceState::Running, 1),
        (Action::Restart { instance: i(), grace: None }, InstanceState::Running, 1),
        (Action::Kill { instance: i(), signal: "SIGHUP".into() }, InstanceState::Running, 1),
        (Action::Kill { instance: i(), signal: "SIGKILL".into() }, InstanceState::Exited, 1),
        (Action::Kill { instance: i(), signal: "SIGKILL".into() }, InstanceState::Exited, 1),
        (Action::Restart { instance: i(), grace: None }, InstanceState::Running, 1),
    ];
    for (action, state, desired) in table {
        still.execute(&action).unwrap_or_else(|error| panic!("{action:?}: {error}"));
        still.advance(Duration::from_secs(1));
        let seen = workload(&still, &local(), "app_cp");
        assert_eq!((seen.instances[0].state, seen.desired), (state, desired), "{action:?}");
        let health = seen.verdict.health;
        match state {
            InstanceState::Exited if desired == 0 => assert_eq!(health, Health::Stopped),
            InstanceState::Exited => assert_eq!(health, Health::Unhealthy),
            InstanceState::Paused => assert_eq!(health, Health::Degraded),
            _ => {}
        }
    }
    still.advance(Duration::from_secs(20));
    let seen = workload(&still, &local(), "app_cp");
    assert_eq!((seen.verdict.health, seen.restarts()), (Health::Healthy, 0), "what people restart is not counted");
}

#[test]
fn a_published_port_is_given_once() {
    let mut still = fresh();
    let nginx = workload(&still, &staging(), "nginx");
    assert_eq!(nginx.instances[0].fixed_ports, [80, 443]);
    let create = Action::Create { operation: "op-1".into(), replica: replica(&nginx, 0, Some(2), None) };
    let Ok(Accepted::Made(id)) = still.execute(&create) else { panic!() };
    let error = still.execute(&Action::Start { instance: known(&id) }).unwrap_err();
    assert!(error.to_string().contains("port is already allocated"), "{error}");
    still.execute(&Action::Stop { instance: known(&nginx.instances[0].id), grace: None }).unwrap();
    assert_eq!(still.execute(&Action::Start { instance: known(&id) }), Ok(Accepted::Done));
}

#[test]
fn production_is_rolled_pod_by_pod_with_none_fewer_ready() {
    let mut still = fresh();
    let before = workload(&still, &production(), "backend");
    let set = Action::SetImage {
        environment: production(),
        workload: "backend".into(),
        container: None,
        revision: revision(5, "backend:1.5.0"),
        pacing: None,
    };
    assert_eq!(still.execute(&set), Ok(Accepted::Done));
    assert_eq!(still.execute(&set), Ok(Accepted::AlreadySo));
    for _ in 0..240 {
        still.advance(Duration::from_millis(250));
        let seen = workload(&still, &production(), "backend");
        let staying = seen.instances.iter().filter(|i| i.state != InstanceState::Removing).count();
        assert!(seen.ready >= 3 && staying <= 4, "{} ready of {staying}", seen.ready);
    }
    let after = workload(&still, &production(), "backend");
    assert_eq!((after.revision, after.ready, after.instances.len()), (Some(5), 3, 3));
    assert!(after.instances.iter().all(|i| i.revision == Some(5) && &*i.image == "backend:1.5.0"));
    assert!(before.instances.iter().all(|old| after.instances.iter().all(|new| new.id != old.id)));
    assert_eq!(after.revisions.len(), before.revisions.len() + 1);

    let rollout =
        Action::Rollout { environment: production(), workload: "backend".into(), operation: "op-9".into(), pacing: None };
    assert_eq!(still.execute(&rollout), Ok(Accepted::Done));
    assert_eq!(still.execute(&rollout), Ok(Accepted::AlreadySo));
    still.advance(Duration::from_secs(60));
    let fresh = workload(&still, &production(), "backend");
    assert!(fresh.instances.iter().all(|i| i.made_by == Some("op-9".into()) && &*i.image == "backend:1.5.0"), "{fresh:#?}");
    assert_eq!((fresh.ready, fresh.instances.len(), fresh.verdict.health), (3, 3, Health::Healthy));

    let unknown = Action::Revert {
        environment: production(),
        workload: "backend".into(),
        to: 99,
        revision: revision(9, "x"),
        pacing: None,
    };
    assert!(matches!(still.execute(&unknown), Err(EngineError::NotFound { .. })));
}

#[test]
fn production_scales_replaces_what_is_ended_and_waits_for_an_image_that_is_not_there() {
    let mut still = fresh();
    let scale = |name: &str, replicas| Action::SetReplicas { environment: production(), workload: name.into(), replicas };
    for wanted in [5, 1, 0, 2] {
        still.execute(&scale("backend", wanted)).unwrap();
        still.advance(Duration::from_secs(30));
        let seen = workload(&still, &production(), "backend");
        assert_eq!((seen.ready, seen.desired, seen.instances.len()), (wanted, wanted, wanted as usize));
    }
    assert!(matches!(still.execute(&scale("backend", 1000)), Err(EngineError::Rejected { status: 403, .. })));
    assert!(matches!(still.execute(&scale("db", 2)), Err(EngineError::Unsupported { .. })));
    let old = workload(&still, &production(), "db").instances[0].clone();
    still.execute(&Action::Remove { instance: known(&old.id), force: false }).unwrap();
    still.advance(Duration::from_secs(20));
    let new = workload(&still, &production(), "db").instances[0].clone();
    assert_eq!((&new.name, new.verdict.health), (&old.name, Health::Healthy), "a stateful pod comes back under its name");
    assert!(new.created_at > old.created_at);

    let set = Action::SetImage {
        environment: production(),
        workload: "frontend".into(),
        container: None,
        revision: revision(4, "frontend:nope"),
        pacing: None,
    };
    still.execute(&set).unwrap();
    still.advance(Duration::from_secs(20));
    let stuck = workload(&still, &production(), "frontend");
    assert_eq!((stuck.ready, stuck.verdict.health), (2, Health::Degraded));
    assert!(stuck.verdict.reasons[0].contains("ImagePullBackOff"), "{:?}", stuck.verdict);
}

#[test]
fn an_action_of_the_other_vocabulary_is_refused_in_words() {
    let mut still = fresh();
    let pod = workload(&still, &production(), "backend").instances[0].id.clone();
    let app = workload(&still, &staging(), "app");
    let mut wrong = *replica(&app, 0, Some(9), None);
    wrong.environment = production();
    let refused = [
        Action::SetReplicas { environment: local(), workload: "app_ap".into(), replicas: 3 },
        Action::SetImage {
            environment: local(),
            workload: "app_ap".into(),
            container: None,
            revision: revision(9, "app_ap:3.0"),
            pacing: None,
        },
        Action::Rollout { environment: staging(), workload: "app".into(), operation: "op".into(), pacing: None },
        Action::Revert { environment: staging(), workload: "app".into(), to: 1, revision: revision(9, "x"), pacing: None },
        Action::Create { operation: "op".into(), replica: Box::new(wrong) },
        Action::Start { instance: known(&pod) },
        Action::Stop { instance: known(&pod), grace: None },
        Action::Pause { instance: known(&pod) },
        Action::SetAside { instance: known(&pod) },
    ];
    for action in refused {
        let answer = still.execute(&action);
        assert!(matches!(answer, Err(EngineError::Unsupported { .. })), "{action:?}: {answer:?}");
    }
    let nowhere = Action::SetReplicas { environment: EnvironmentId::new("demo", "moon"), workload: "app".into(), replicas: 1 };
    assert!(matches!(still.execute(&nowhere), Err(EngineError::NotFound { .. })));
    assert!(matches!(still.execute(&Action::Start { instance: known(&"gone".into()) }), Err(EngineError::NotFound { .. })));
}
