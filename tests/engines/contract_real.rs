//! The contract, kept on a real Docker engine: a Compose stack of four services, looked at with Docker's own tools too.

use quarterdeck::engine::docker;
use quarterdeck::operate::machine::{Outcome, Phase};
use quarterdeck::operate::plan::{Gate, Work};
use quarterdeck::operate::request::Ending;
use quarterdeck::operate::{Accepted, Operation};

use crate::contract::{self, Case};
use crate::driver::{Place, ids};
use crate::real_engine::{Stack, real_engine};

/// The stack's `api`, which has no port of its own and takes its health check from its image.
fn case(stack: &Stack<'_>) -> Case {
    let place = Place::new(docker::connect(&stack.engine.spec()), stack.environment());
    let (good, bad) = ("qd-test/app:2", "qd-test/app:bad");
    // A registry nobody runs: not there, and not to be had.
    Case { place, workload: "api", good, bad, missing: "127.0.0.1:1/qd-test/app:none", declared: false }
}

#[tokio::test]
async fn lists() {
    let Some(engine) = real_engine() else { return };
    let stack = engine.stack("lists");
    let case = case(&stack);
    contract::it_lists_what_is_there(&case).await;
    let snapshot = case.place.look().await;
    let names: Vec<&str> = snapshot.workloads.iter().map(|w| w.id.as_str()).collect();
    assert_eq!(names, ["api", "cache", "db", "web"]);
    assert!(snapshot.environment.endpoint.contains(&engine.host) && snapshot.environment.endpoint.contains(&stack.project));
    for name in names {
        let workload = case.place.settled(name, 1).await;
        assert_eq!(ids(&workload), [stack.only(name)], "{name}");
        assert_eq!(workload.digest.as_deref(), Some(engine.image_id("qd-test/app:1").as_str()));
    }
}

#[tokio::test]
async fn logs() {
    let Some(engine) = real_engine() else { return };
    let stack = engine.stack("logs");
    contract::it_follows_logs_in_order(&case(&stack)).await;
}

#[tokio::test]
async fn stats() {
    let Some(engine) = real_engine() else { return };
    let stack = engine.stack("stats");
    let case = case(&stack);
    contract::it_measures_what_is_asked_for(&case).await;
}

#[tokio::test]
async fn scale() {
    let Some(engine) = real_engine() else { return };
    let stack = engine.stack("scale");
    // Compose sees the same replicas, by its own names, and follows their logs.
    let check = |replicas: u32| {
        let (listed, logs) =
            (stack.compose(&["ps", "--all"]).replace('-', "_"), stack.compose(&["logs", "api"]).replace('-', "_"));
        for number in 1..=3 {
            let there = number <= replicas;
            assert_eq!(listed.contains(&format!("{}_api_{number}", stack.project)), there, "{listed}");
            assert_eq!(logs.contains(&format!("api_{number}")), there, "{logs}");
        }
    };
    contract::it_scales(&case(&stack), &[3, 2], check).await;
    // `web` is published on a port of the engine's choosing: it can be doubled too.
    let web = Case { workload: "web", ..case(&stack) };
    contract::it_scales(&web, &[2], |_| {}).await;
    stack.compose(&["down", "--volumes"]);
    assert!(stack.ids("api").is_empty() && stack.ids("web").is_empty(), "compose takes ours down too");
}

#[tokio::test]
async fn restart() {
    let Some(engine) = real_engine() else { return };
    let stack = engine.stack("restart");
    contract::it_restarts_one_by_one(&case(&stack)).await;
}

#[tokio::test]
async fn stop_start_pause_kill() {
    let Some(engine) = real_engine() else { return };
    let stack = engine.stack("stop");
    contract::it_stops_and_starts_and_pauses(&case(&stack)).await;
}

#[tokio::test]
async fn deploy() {
    let Some(engine) = real_engine() else { return };
    let stack = engine.stack("deploy");
    let case = case(&stack);
    contract::it_scales(&case, &[2], |_| {}).await;
    contract::it_deploys(&case).await;
    let ids = stack.ids("api");
    assert_eq!(ids.len(), 2);
    for (index, id) in ids.iter().enumerate() {
        let seen = engine.inspect(id);
        assert_eq!(seen["Image"], engine.image_id("qd-test/app:2").as_str());
        assert_eq!(seen["Config"]["Labels"]["com.docker.compose.container-number"], (index + 1).to_string());
    }
    assert!(stack.compose(&["ps"]).contains("api"));
}

#[tokio::test]
async fn deploy_that_never_gets_healthy() {
    let Some(engine) = real_engine() else { return };
    let stack = engine.stack("bad");
    contract::it_takes_a_bad_deploy_back(&case(&stack)).await;
}

#[tokio::test]
async fn image_that_does_not_exist() {
    let Some(engine) = real_engine() else { return };
    let stack = engine.stack("missing");
    contract::it_says_that_an_image_is_missing(&case(&stack)).await;
}

#[tokio::test]
async fn rollback() {
    let Some(engine) = real_engine() else { return };
    let stack = engine.stack("back");
    contract::it_rolls_back(&case(&stack)).await;
}

#[tokio::test]
async fn rollback_to_a_tag_that_moved_gives_the_content_that_ran() {
    let Some(engine) = real_engine() else { return };
    let stack = engine.stack("tag");
    let tag = format!("qd-test/{}:latest", stack.project);
    engine.docker(&["tag", "qd-test/app:2", &tag]);
    let case = case(&stack);
    let deploy =
        |image: &str| Operation::Deploy { image: image.into(), container: None, strategy: None, fast: false, unwatched: false };
    let ended = case.place.operate(deploy(&tag), &["api"]).await.unwrap();
    assert_eq!(ended.outcome, Outcome::Done, "{}", ended.detail);
    let ran = case.place.settled("api", 1).await;
    engine.docker(&["tag", "qd-test/app:bad", &tag]);
    let ended = case.place.operate(deploy("qd-test/app:1"), &["api"]).await.unwrap();
    assert_eq!(ended.outcome, Outcome::Done, "{}", ended.detail);
    let ended = case.place.operate(Operation::Rollback { to: ran.revision }, &["api"]).await.unwrap();
    assert_eq!(ended.outcome, Outcome::Done, "{}", ended.detail);
    let back = case.place.settled("api", 1).await;
    assert_eq!((&back.digest, &*back.revisions[0].image), (&ran.digest, tag.as_str()));
    engine.docker(&["rmi", "--force", &tag]);
}

#[tokio::test]
async fn lock() {
    let Some(engine) = real_engine() else { return };
    let stack = engine.stack("locked");
    contract::it_lets_one_person_work_at_a_time(&case(&stack)).await;
}

#[tokio::test]
async fn killed_in_the_middle_and_finished() {
    let Some(engine) = real_engine() else { return };
    let stack = engine.stack("finish");
    for (moment, at) in contract::moments() {
        eprintln!("dying while {moment}");
        contract::it_recovers(&case(&stack), Ending::Finish, at).await;
    }
}

#[tokio::test]
async fn killed_in_the_middle_and_undone() {
    let Some(engine) = real_engine() else { return };
    let stack = engine.stack("undo");
    // Once an old one is removed there is no way back.
    for (moment, at) in contract::moments().into_iter().filter(|(moment, _)| !moment.starts_with("removing")) {
        eprintln!("dying while {moment}");
        contract::it_recovers(&case(&stack), Ending::Undo, at).await;
    }
}

/// Somebody removes the new container by hand while its health is waited for.
#[tokio::test]
async fn a_container_that_vanishes_is_said_and_the_old_is_back() {
    let Some(engine) = real_engine() else { return };
    let stack = engine.stack("vanish");
    let case = case(&stack);
    let before = case.place.settled("api", 1).await;
    let deploy =
        Operation::Deploy { image: "qd-test/app:bad".into(), container: None, strategy: None, fast: false, unwatched: false };
    let plan = case.place.plan(deploy, &["api"]).await.unwrap();
    let mut removed = false;
    let vanish = |machine: &quarterdeck::operate::machine::Machine| {
        let waits = matches!(machine.phase, Phase::Running(at) if matches!(machine.plan.steps[at].work, Work::Await(Gate::Healthy { .. })));
        if waits && !removed {
            removed = true;
            for id in stack.ids("api").iter().filter(|id| id.as_str() != ids(&before)[0].as_str()) {
                engine.docker(&["rm", "--force", id]);
            }
        }
        false
    };
    let ended = case.place.run_until(plan, vanish).await.unwrap();
    assert_eq!(ended.outcome, Outcome::RolledBack, "{}", ended.detail);
    assert!(ended.detail.contains("gone"), "{}", ended.detail);
    let after = case.place.settled("api", 1).await;
    assert_eq!(ids(&after), ids(&before));
}

/// The engine says no in the middle: the way back is gone through and told.
#[tokio::test]
async fn a_service_with_a_fixed_port_is_replaced_stop_first_and_not_doubled() {
    let Some(engine) = real_engine() else { return };
    let stack = engine.stack("ports");
    let case = case(&stack);
    // The same service, published on a port that is named.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let labels = [
        format!("com.docker.compose.project={}", stack.project),
        "com.docker.compose.service=edge".to_owned(),
        "com.docker.compose.container-number=1".to_owned(),
        "com.docker.compose.oneoff=False".to_owned(),
    ];
    let (name, publish) = (format!("{}_edge_1", stack.project), format!("127.0.0.1:{port}:8080"));
    let mut args = vec!["run", "--detach", "--name", &name, "--publish", &publish];
    args.extend(labels.iter().flat_map(|label| ["--label", label]));
    args.push("qd-test/app:1");
    engine.docker(&args);
    case.place.settled("edge", 1).await;
    let refusal = case.place.plan(Operation::Scale { to: 2 }, &["edge"]).await.unwrap_err();
    assert!(refusal.to_string().contains(&port.to_string()), "{refusal}");
    let edge = Case { workload: "edge", ..case };
    contract::it_deploys(&edge).await;
    contract::it_takes_a_bad_deploy_back(&edge).await;
    assert_eq!(
        engine.act(quarterdeck::operate::Action::Remove { instance: crate::real_engine::known(&name), force: true }).await,
        Ok(Accepted::Done)
    );
}
