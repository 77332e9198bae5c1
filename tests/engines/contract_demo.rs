//! The contract, kept by the demo engine: its Compose-like environments make instances one by one, its Kubernetes-like one
//! is told a wanted state.

use jiff::Timestamp;
use quarterdeck::config::{ConnectionSpec, TargetSpec};
use quarterdeck::engine::demo;
use quarterdeck::model::{ConnectionId, EnvironmentId};
use quarterdeck::operate::request::Ending;

use crate::contract::{self, Case};
use crate::driver::{Place, ids};
use crate::paging::it_pages_up;

/// A world of its own for each test, ten times as fast as life.
fn place(environment: &str) -> Place {
    let spec = ConnectionSpec {
        id: ConnectionId::new("demo"),
        target: TargetSpec::Demo { seed: 7, incident: None, speed_percent: 1000 },
        environments: Vec::new(),
        discover: true,
        on_demand: false,
        redaction: std::sync::Arc::default(),
    };
    let engine = demo::engine(&spec, Timestamp::now()).unwrap();
    Place::new(engine, EnvironmentId::new("demo", environment))
}

/// One container of a Compose project.
fn single() -> Case {
    let (good, bad) = ("app_cp:2.4.0", "app_cp:2.4.0-broken");
    Case { place: place("local"), workload: "app_cp", good, bad, missing: "app_cp:nowhere", declared: false }
}

/// Two of them.
fn double() -> Case {
    let (good, bad) = ("chatbot:3.9.0", "chatbot:3.9.0-broken");
    Case { place: place("staging"), workload: "app", good, bad, missing: "chatbot:nowhere", declared: false }
}

/// A Deployment.
fn declared() -> Case {
    let (good, bad) = ("lms-ai-backend:1.6.0", "lms-ai-backend:1.6.0-broken");
    Case { place: place("production"), workload: "backend", good, bad, missing: "lms-ai-backend:nowhere", declared: true }
}

fn all() -> [Case; 3] {
    [single(), double(), declared()]
}

#[tokio::test]
async fn lists() {
    for case in all() {
        contract::it_lists_what_is_there(&case).await;
    }
}

#[tokio::test]
async fn logs() {
    for case in all() {
        contract::it_follows_logs_in_order(&case).await;
    }
}

#[tokio::test]
async fn pages_of_logs() {
    for case in all() {
        let instance = ids(&*case.place.workload(case.workload).await)[0].clone();
        let lines = it_pages_up(&case.place.engine, &instance, 50, || ()).await;
        assert!(lines.len() > 100, "more than a page or two: {}", lines.len());
    }
}

#[tokio::test]
async fn stats() {
    for case in all() {
        contract::it_measures_what_is_asked_for(&case).await;
    }
}

#[tokio::test]
async fn scale() {
    contract::it_scales(&single(), &[3, 2, 1], |_| {}).await;
    contract::it_scales(&declared(), &[5, 2], |_| {}).await;
}

#[tokio::test]
async fn restart() {
    for case in all() {
        contract::it_restarts_one_by_one(&case).await;
    }
}

#[tokio::test]
async fn stop_start_pause_kill() {
    contract::it_stops_and_starts_and_pauses(&double()).await;
}

#[tokio::test]
async fn deploy() {
    for case in all() {
        contract::it_deploys(&case).await;
    }
}

#[tokio::test]
async fn deploy_that_never_gets_healthy() {
    for case in all() {
        contract::it_takes_a_bad_deploy_back(&case).await;
    }
}

#[tokio::test]
async fn image_that_does_not_exist() {
    for case in [single(), double()] {
        contract::it_says_that_an_image_is_missing(&case).await;
    }
}

#[tokio::test]
async fn rollback() {
    for case in all() {
        contract::it_rolls_back(&case).await;
    }
}

#[tokio::test]
async fn lock() {
    for case in [single(), double()] {
        contract::it_lets_one_person_work_at_a_time(&case).await;
    }
}

#[tokio::test]
async fn killed_in_the_middle_and_finished() {
    for (moment, at) in contract::moments() {
        eprintln!("dying while {moment}");
        contract::it_recovers(&double(), Ending::Finish, at).await;
    }
}

#[tokio::test]
async fn killed_in_the_middle_and_undone() {
    // Once an old one is removed there is no way back.
    for (moment, at) in contract::moments().into_iter().filter(|(moment, _)| !moment.starts_with("removing")) {
        eprintln!("dying while {moment}");
        contract::it_recovers(&double(), Ending::Undo, at).await;
    }
}
