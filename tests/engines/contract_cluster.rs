//! The contract, kept on a real cluster, and what only controllers of all kinds can show.

use std::time::Duration;

use quarterdeck::operate::machine::Outcome;
use quarterdeck::operate::plan::Work;
use quarterdeck::operate::request::{Ending, Strategy};
use quarterdeck::operate::{Action, Operation};

use crate::contract::{self, Case};
use crate::real_cluster::{space, workload};

#[tokio::test]
async fn lists_and_follows_and_measures() {
    let Some(space) = space("lists").await else { return };
    let case = space.case().await;
    contract::it_lists_what_is_there(&case).await;
    contract::it_follows_logs_in_order(&case).await;
    space.end().await;
}

#[tokio::test]
async fn scale_and_restart() {
    let Some(space) = space("scale").await else { return };
    let case = space.case().await;
    contract::it_scales(&case, &[3, 1], |_| {}).await;
    contract::it_restarts_one_by_one(&case).await;
    space.end().await;
}

#[tokio::test]
async fn deploy_and_rollback() {
    let Some(space) = space("deploy").await else { return };
    contract::it_rolls_back(&space.case().await).await;
    space.end().await;
}

#[tokio::test]
async fn deploys_that_go_wrong() {
    let Some(space) = space("wrong").await else { return };
    let mut case = space.case().await;
    contract::it_deploys(&case).await;
    case.good = "lms/ai-backend:1.2.0";
    contract::it_takes_a_bad_deploy_back(&case).await;
    case.place.policy.deploy.healthy_within = Duration::from_secs(15);
    contract::it_says_that_an_image_is_missing(&case).await;
    space.end().await;
}

#[tokio::test]
async fn lock() {
    let Some(space) = space("lock").await else { return };
    contract::it_lets_one_person_work_at_a_time(&space.case().await).await;
    space.end().await;
}

#[tokio::test]
async fn killed_in_the_middle() {
    for ending in [Ending::Finish, Ending::Undo] {
        let Some(space) = space("killed").await else { return };
        contract::it_recovers(&space.case().await, ending, |work| matches!(work, Work::Await(_))).await;
        space.end().await;
    }
}

async fn done(case: &Case, operation: Operation) {
    let ended = case.place.operate(operation, &[case.workload]).await.unwrap();
    assert_eq!(ended.outcome, Outcome::Done, "{}: {}", ended.plan.title, ended.detail);
}

fn deploy(image: &str, strategy: Option<Strategy>) -> Operation {
    Operation::Deploy { image: image.into(), container: None, strategy, fast: false, unwatched: false }
}

/// Blue-green leaves an ordinary Deployment behind, whether it goes well or not, and whether whoever began it lives.
#[tokio::test]
async fn blue_green() {
    let Some(space) = space("green").await else { return };
    let case = space.case().await;
    let plain = space.get("/api/v1", "services", "web").await.unwrap()["spec"]["selector"].clone();
    let ordinary = async |image: &str| {
        let after = case.place.settled("web", 2).await;
        assert_eq!(&*after.image, image);
        case.place.until("one workload and no lock", |s| s.workloads.len() == 1 && s.lock.is_none()).await;
        let service = space.get("/api/v1", "services", "web").await.unwrap();
        assert_eq!(service["spec"]["selector"], plain);
        assert!(!service["metadata"].to_string().contains("quarterdeck.io/selector"), "{service:#}");
    };
    done(&case, deploy(case.good, Some(Strategy::BlueGreen))).await;
    ordinary(case.good).await;
    let mut bad = deploy(case.bad, Some(Strategy::BlueGreen));
    let ended = case.place.operate(bad.clone(), &["web"]).await.unwrap();
    assert_eq!(ended.outcome, Outcome::RolledBack, "{}", ended.detail);
    ordinary(case.good).await;
    bad = deploy("lms/ai-backend:1.2.0", Some(Strategy::BlueGreen));
    let plan = case.place.plan(bad, &["web"]).await.unwrap();
    let switched = |machine: &quarterdeck::operate::machine::Machine| match machine.phase {
        quarterdeck::operate::machine::Phase::Running(index) => {
            matches!(machine.plan.steps[index].work, Work::Act(Action::SetImage { .. }))
        }
        _ => false,
    };
    assert!(case.place.run_until(plan, switched).await.is_none(), "it died");
    let ended = case.place.operate(Operation::Recover { ending: Ending::Undo }, &[]).await.unwrap();
    assert_eq!(ended.outcome, Outcome::Done, "{}", ended.detail);
    ordinary(case.good).await;
    space.end().await;
}

/// The others keep their history as `ControllerRevisions`.
#[tokio::test]
async fn stateful_sets_and_daemon_sets_go_back_too() {
    for (kind, plural) in [("StatefulSet", "statefulsets"), ("DaemonSet", "daemonsets")] {
        let Some(space) = space(&kind.to_lowercase()).await else { return };
        space.remove("/apis/apps/v1", "deployments", "web").await;
        space.post(&space.path("/apis/apps/v1", plural), workload(kind)).await;
        let case = space.case().await;
        case.place.until(kind, |s| s.workloads.len() == 1 && s.workloads[0].kind.word() == kind).await;
        let case = Case { ..case };
        let before = space.get("/apis/apps/v1", plural, "web").await.unwrap()["spec"]["template"].clone();
        done(&case, deploy(case.good, None)).await;
        done(&case, Operation::Restart).await;
        done(&case, Operation::Rollback { to: Some(1) }).await;
        let after = space.get("/apis/apps/v1", plural, "web").await.unwrap()["spec"]["template"].clone();
        assert_eq!(after, before, "{kind}");
        let seen = case.place.workload("web").await;
        assert_eq!(seen.revision, Some(4), "{kind}");
        space.end().await;
    }
}

/// Stopped, it remembers how many it had.
#[tokio::test]
async fn stop_and_start() {
    let Some(space) = space("stop").await else { return };
    let case = space.case().await;
    done(&case, Operation::Stop).await;
    done(&case, Operation::Start).await;
    case.place.settled("web", 2).await;
    done(&case, Operation::Pause).await;
    let refusal = case.place.plan(Operation::Restart, &["web"]).await.unwrap_err();
    assert!(refusal.to_string().contains("held"), "{refusal}");
    done(&case, Operation::Unpause).await;
    space.end().await;
}
