//! The contract, kept on the simulated API server: a Deployment behind a Service.

use quarterdeck::operate::Action;
use quarterdeck::operate::plan::Work;
use quarterdeck::operate::request::Ending;

use crate::apiserver::{ApiServer, World, deployment};
use crate::cluster::{engine, place};
use crate::contract::{self, Case, Moment};

/// A world without an autoscaler, which would own what is scaled; `web` is behind a Service of its own.
fn server() -> ApiServer {
    let server = ApiServer::start(World::lms());
    server.put(deployment("web", "lms/ai-backend:1.0.0", 3));
    server.settle();
    server
}

fn case(server: &ApiServer) -> Case {
    let (good, bad) = ("lms/ai-backend:1.1.0", "lms/ai-backend:1.2.0-never-ready");
    Case { place: place(engine(server)), workload: "web", good, bad, missing: "lms/ai-backend:9-missing", declared: true }
}

#[tokio::test]
async fn lists() {
    let server = server();
    contract::it_lists_what_is_there(&case(&server)).await;
}

#[tokio::test]
async fn scale() {
    let server = server();
    contract::it_scales(&case(&server), &[5, 2], |_| {}).await;
}

#[tokio::test]
async fn restart() {
    let server = server();
    contract::it_restarts_one_by_one(&case(&server)).await;
}

#[tokio::test]
async fn deploy() {
    let server = server();
    contract::it_deploys(&case(&server)).await;
}

#[tokio::test]
async fn deploy_that_never_gets_healthy() {
    let server = server();
    contract::it_takes_a_bad_deploy_back(&case(&server)).await;
}

#[tokio::test]
async fn image_that_does_not_exist() {
    let server = server();
    let mut case = case(&server);
    case.place.policy.deploy.healthy_within = std::time::Duration::from_secs(4);
    contract::it_says_that_an_image_is_missing(&case).await;
}

#[tokio::test]
async fn rollback() {
    let server = server();
    contract::it_rolls_back(&case(&server)).await;
}

#[tokio::test]
async fn lock() {
    let server = server();
    contract::it_lets_one_person_work_at_a_time(&case(&server)).await;
}

/// The moments at which a deploy on a cluster may die.
fn moments() -> [Moment; 2] {
    [
        ("setting the image", |work| matches!(work, Work::Act(Action::SetImage { .. }))),
        ("waiting", |work| matches!(work, Work::Await(_))),
    ]
}

#[tokio::test]
async fn killed_in_the_middle_and_finished() {
    for (moment, at) in moments() {
        eprintln!("dying while {moment}");
        contract::it_recovers(&case(&server()), Ending::Finish, at).await;
    }
}

#[tokio::test]
async fn killed_in_the_middle_and_undone() {
    for (moment, at) in moments() {
        eprintln!("dying while {moment}");
        contract::it_recovers(&case(&server()), Ending::Undo, at).await;
    }
}
