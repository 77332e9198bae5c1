//! The contract, kept on a real Swarm, and what only a Swarm has: tasks that fail, an engine that goes on by itself, changes
//! others make with Docker's own tools.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::StreamExt;
use quarterdeck::engine::{Subject, Topic, Update, docker};
use quarterdeck::model::{EngineKind, EnvironmentId, Health, InstanceState, LockHolder};
use quarterdeck::operate::machine::{Outcome, Phase};
use quarterdeck::operate::plan::Work;
use quarterdeck::operate::request::{Ending, Strategy};
use quarterdeck::operate::{Accepted, Action, Operation};

use crate::contract::{self, Case, Moment};
use crate::driver::{Place, ids};
use crate::real_engine::RealEngine;
use crate::real_swarm::{SwarmStack, real_swarm};

/// The stack's `web`, of two replicas.
fn case(stack: &SwarmStack<'_>) -> Case {
    let place = Place::new(docker::connect(&stack.engine.spec()), stack.environment());
    let (good, bad) = ("qd-test/app:2", "qd-test/app:bad");
    Case { place, workload: "web", good, bad, missing: "127.0.0.1:1/qd-test/app:none", declared: true }
}

fn deploy(image: &str) -> Operation {
    Operation::Deploy { image: image.into(), container: None, strategy: None, fast: false, unwatched: false }
}

#[tokio::test]
async fn real_swarm_lists() {
    let Some(engine) = real_swarm() else { return };
    let stack = SwarmStack::up(engine, "sl");
    let case = case(&stack);
    case.place.settled("web", 2).await;
    contract::it_lists_what_is_there(&case).await;
    let everywhere = case.place.settled("everywhere", 1).await;
    assert_eq!(everywhere.desired, 1);
    let snapshot = case.place.look().await;
    let names: Vec<&str> = snapshot.workloads.iter().map(|w| w.id.as_str()).collect();
    assert_eq!(names, ["everywhere", "web"]);
    assert_eq!(snapshot.environment.engine, EngineKind::Swarm);
    assert!(snapshot.environment.endpoint.ends_with(&format!("· stack {}", stack.name)));
    let facts: Vec<String> = snapshot.facts.iter().map(|(what, words)| format!("{what}: {words}")).collect();
    let has = |text: &str| assert!(facts.iter().any(|fact| fact.contains(text)), "{text} in {facts:?}");
    has(&format!("networks: {}_back (overlay, not encrypted)", stack.name));
    has(&format!("secrets: {}_token", stack.name));
    has("leader, ready");
    // Shown as tasks, and not a second time as containers.
    let mut stream = case.place.engine.subscribe(Topic::Inventory);
    let inventory = loop {
        if let Some(Update::Inventory(inventory)) = stream.next().await {
            break inventory;
        }
    };
    let elsewhere = inventory.environments.iter().filter(|s| s.environment.id != case.place.environment);
    let names: Vec<&str> = elsewhere.flat_map(|s| &s.workloads).flat_map(|w| &w.instances).map(|i| &*i.name).collect();
    assert!(!names.iter().any(|name| name.contains(&stack.name)), "{names:?}");
}

#[tokio::test]
async fn real_swarm_logs_stats_and_definition() {
    let Some(engine) = real_swarm() else { return };
    let stack = SwarmStack::up(engine, "so");
    let case = case(&stack);
    let workload = case.place.settled("web", 2).await;
    // What maps tasks to containers is the inventory: somebody follows it for as long as logs are read.
    let mut inventory = case.place.engine.subscribe(Topic::Inventory);
    while !matches!(inventory.next().await, Some(Update::Inventory(_))) {}
    contract::it_follows_logs_in_order(&case).await;
    contract::it_measures_what_is_asked_for(&case).await;
    let mut subjects = vec![Subject::Workload(case.place.environment.clone(), "web".into())];
    subjects.extend(ids(&workload).into_iter().map(Subject::Instance));
    for subject in subjects {
        let mut stream = case.place.engine.subscribe(Topic::Describe(subject));
        let text = loop {
            if let Some(Update::Description(description)) = stream.next().await {
                break description.lines.join("\n");
            }
        };
        assert!(text.contains("\"ContainerSpec\"") && text.contains("_token"), "{text}");
        assert!(!text.contains("s3cret-not-for-eyes") && !text.contains("dev.quarterdeck.template"), "{text}");
    }
}

#[tokio::test]
async fn real_swarm_scales_stops_and_starts() {
    let Some(engine) = real_swarm() else { return };
    let stack = SwarmStack::up(engine, "ss");
    let case = case(&stack);
    case.place.settled("web", 2).await;
    contract::it_scales(&case, &[3, 2, 3], |to| {
        assert_eq!(stack.inspect("web")["Spec"]["Mode"]["Replicated"]["Replicas"], to);
    })
    .await;
    for (operation, replicas, health) in [(Operation::Stop, 0, Health::Stopped), (Operation::Start, 3, Health::Healthy)] {
        let ended = case.place.operate(operation, &["web"]).await.unwrap();
        assert_eq!(ended.outcome, Outcome::Done, "{}", ended.detail);
        let workload = case.place.settled("web", replicas).await;
        assert_eq!((workload.desired as usize, workload.verdict.health), (replicas, health));
    }
    for (operation, word) in [(Operation::Scale { to: 2 }, "every node"), (Operation::Pause, "freeze")] {
        let refusal = case.place.plan(operation, &["everywhere"]).await.unwrap_err();
        assert!(refusal.to_string().contains(word), "{refusal}");
    }
    // One task taken away: another one takes its place.
    let before = ids(&*case.place.settled("web", 3).await);
    let ended = case.place.operate(Operation::Kill { signal: "SIGKILL".into() }, &["web"]).await.unwrap();
    assert_eq!(ended.outcome, Outcome::Done, "{}", ended.detail);
    let after = ids(&*case.place.settled("web", 3).await);
    assert!(after.iter().all(|id| !before.contains(id)), "{before:?} {after:?}");
}

#[tokio::test]
async fn real_swarm_restarts_and_deploys() {
    let Some(engine) = real_swarm() else { return };
    let stack = SwarmStack::up(engine, "sd");
    let case = case(&stack);
    case.place.settled("web", 2).await;
    let own = stack.inspect("web")["Spec"]["UpdateConfig"].clone();
    contract::it_restarts_one_by_one(&case).await;
    let plan = case.place.plan(deploy("qd-test/app:2"), &["web"]).await.unwrap();
    let update = plan.changes.iter().find(|c| &*c.path == "web.update").unwrap();
    assert!(update.after.contains("new ones first") && update.after.contains("given back"), "{}", update.after);
    contract::it_deploys(&case).await;
    let service = stack.inspect("web");
    assert_eq!(service["Spec"]["UpdateConfig"], own, "its own settings are back");
    assert_eq!(service["Spec"]["Labels"]["dev.quarterdeck.revision"], "2");
    let recreate = Operation::Deploy {
        image: "qd-test/app:1".into(),
        container: None,
        strategy: Some(Strategy::Recreate),
        fast: false,
        unwatched: false,
    };
    let ended = case.place.operate(recreate, &["web"]).await.unwrap();
    assert_eq!(ended.outcome, Outcome::Done, "{}", ended.detail);
    case.place.settled("web", 2).await;
}

/// The old tasks stay until the new ones are healthy: so a bad one costs nothing.
#[tokio::test]
async fn real_swarm_takes_a_bad_deploy_back() {
    let Some(engine) = real_swarm() else { return };
    let stack = SwarmStack::up(engine, "sb");
    let case = case(&stack);
    let before = ids(&*case.place.settled("web", 2).await);
    contract::it_takes_a_bad_deploy_back(&case).await;
    assert_eq!(ids(&*case.place.settled("web", 2).await), before, "the very tasks that ran");
    // With patience enough it is the engine that stops, and says of which task.
    let ended = case.place.operate(deploy("qd-test/app:bad"), &["web"]).await.unwrap();
    assert_eq!(ended.outcome, Outcome::RolledBack, "{}", ended.detail);
    assert!(ended.detail.contains("paused the update") && ended.detail.contains("unhealthy container"), "{}", ended.detail);
    contract::it_says_that_an_image_is_missing(&case).await;
    assert_eq!(ids(&*case.place.settled("web", 2).await), before, "and still");
    assert_eq!(stack.inspect("web")["Spec"]["UpdateConfig"]["FailureAction"], "rollback", "its own settings are back");
}

#[tokio::test]
async fn real_swarm_rolls_back_and_tells_what_others_changed() {
    let Some(engine) = real_swarm() else { return };
    let stack = SwarmStack::up(engine, "sr");
    let case = case(&stack);
    case.place.settled("web", 2).await;
    contract::it_rolls_back(&case).await;
    let name = format!("{}_web", stack.name);
    let ours = case.place.settled("web", 2).await;
    // Somebody changes the environment, not the image, with Docker's own tool.
    engine.docker(&["service", "update", "--detach", "--env-add", "EXTRA=1", &name]);
    let number = ours.revision.unwrap() + 1;
    let seen =
        case.place.until("their revision", |s| s.workload(&"web".into()).is_some_and(|w| w.revision == Some(number))).await;
    let theirs = &seen.workload(&"web".into()).unwrap().revisions[0];
    assert_eq!((theirs.by.as_deref(), theirs.cause.as_deref()), (None, Some("changed without quarterdeck")));
    let calm = |s: &quarterdeck::model::Snapshot| s.workload(&"web".into()).is_some_and(|w| w.rollout.is_none() && w.ready == 2);
    case.place.until("their update through", calm).await;
    let ended = case.place.operate(Operation::Rollback { to: ours.revision }, &["web"]).await.unwrap();
    assert_eq!(ended.outcome, Outcome::Done, "{}", ended.detail);
    let template = stack.inspect("web")["Spec"]["TaskTemplate"].to_string();
    assert!(!template.contains("EXTRA=1"), "the whole definition went back: {template}");
    // The stack deployed anew from its file forgets our labels: what it was before is still known.
    stack.deploy();
    let again = case.place.until("known after all", |s| s.workload(&"web".into()).is_some_and(|w| w.revisions.len() > 3)).await;
    assert!(again.workload(&"web".into()).unwrap().revision > Some(number));
}

#[tokio::test]
async fn real_swarm_shows_why_tasks_fail() {
    let Some(engine) = real_swarm() else { return };
    let names = [engine.unique("crash"), engine.unique("nowhere"), engine.unique("none")];
    let quiet = ["service", "create", "--detach", "--no-resolve-image", "--restart-delay", "2s"];
    let create = |args: &[&str]| engine.docker(&[&quiet[..], args].concat());
    create(&["--name", &names[0], "--no-healthcheck", "qd-test/app:1", "sh", "-c", "echo dying; exit 3"]);
    create(&["--name", &names[1], "--constraint", "node.labels.no==such", "qd-test/app:1"]);
    create(&["--name", &names[2], "127.0.0.1:1/qd-test/app:none"]);
    let place = Place::new(docker::connect(&engine.spec()), EnvironmentId::new("real", "swarm"));
    for (name, words) in names.iter().zip(["non-zero exit (3)", "no suitable node", "No such image"]) {
        let id = name.as_str().into();
        let told = |s: &quarterdeck::model::Snapshot| {
            s.workload(&id).is_some_and(|w| w.instances.iter().any(|i| i.verdict.reasons.iter().any(|r| r.contains(words))))
        };
        let snapshot = place.until(words, told).await;
        assert_eq!(snapshot.workload(&id).unwrap().verdict.health, Health::Unhealthy);
    }
    // The task that failed is shown with its exit code, and counted.
    let id = names[0].as_str().into();
    let ended = |s: &quarterdeck::model::Snapshot| {
        let dead = |i: &quarterdeck::model::Instance| i.state == InstanceState::Exited && i.exit_code == Some(3);
        s.workload(&id).is_some_and(|w| w.instances.iter().any(|i| dead(i)) && w.restarts() > 1)
    };
    place.until("its exit code", ended).await;
    for name in &names {
        engine.docker(&["service", "rm", name]);
    }
}

#[tokio::test]
async fn real_swarm_lets_one_person_work_at_a_time() {
    let Some(engine) = real_swarm() else { return };
    let stack = SwarmStack::up(engine, "sk");
    let case = case(&stack);
    case.place.settled("web", 2).await;
    contract::it_lets_one_person_work_at_a_time(&case).await;
    of_many_one_gets_it(engine, &case.place).await;
}

fn holder(operation: &str) -> LockHolder {
    LockHolder {
        by: "ada@desk".into(),
        host: "desk".into(),
        pid: 7,
        pid_started: 99,
        why: "deploy web".into(),
        since: jiff::Timestamp::from_second(1_700_000_000).unwrap(),
        operation: Some(operation.into()),
        request: Some("{}".into()),
    }
}

async fn of_many_one_gets_it(engine: &RealEngine, place: &Place) {
    let report = || -> quarterdeck::engine::Report { std::sync::Arc::new(|_| ()) };
    let take = |name: String, replaces: Option<LockHolder>| {
        let (environment, holder) = (place.environment.clone(), Box::new(holder(&name)));
        place.engine.execute(Action::TakeLock { environment, holder, replaces: replaces.map(Box::new) }, report())
    };
    let answers = futures_util::future::join_all((0..6).map(|n| take(format!("op-{n}"), None))).await;
    let winner = answers.iter().position(|a| *a == Ok(Accepted::Done)).unwrap();
    assert_eq!(answers.iter().filter(|a| a.is_ok()).count(), 1, "{answers:?}");
    let refused = answers.iter().find_map(|a| a.as_ref().err()).unwrap().to_string();
    assert!(refused.contains("ada@desk has held it since 2023-11-14T22:13:20Z: deploy web"), "{refused}");
    let config = format!("quarterdeck-lock-{}", place.environment.name);
    assert!(engine.docker(&["config", "ls"]).contains(&config));
    // Taken over only where it is the one meant.
    assert!(take("heir".into(), Some(holder("other"))).await.is_err());
    assert_eq!(take("heir".into(), Some(holder(&format!("op-{winner}")))).await, Ok(Accepted::Done));
    let release = |operation: &str| {
        let (environment, operation) = (place.environment.clone(), Some(operation.into()));
        place.engine.execute(Action::ReleaseLock { environment, operation }, report())
    };
    assert_eq!(release("op-1").await, Ok(Accepted::AlreadySo), "not its own");
    assert_eq!(release("heir").await, Ok(Accepted::Done));
    assert_eq!(release("heir").await, Ok(Accepted::AlreadySo));
}

/// Before the manager is told anything, while it is at it, and before its own settings are given back.
fn moments() -> [Moment; 3] {
    [
        ("telling it", |work| matches!(work, Work::Act(Action::SetImage { .. }))),
        ("waiting", |work| matches!(work, Work::Await(_))),
        ("giving its settings back", |work| matches!(work, Work::Act(Action::Unpace { .. }))),
    ]
}

#[tokio::test]
async fn real_swarm_killed_in_the_middle_is_finished_or_undone() {
    let Some(engine) = real_swarm() else { return };
    for ending in [Ending::Finish, Ending::Undo] {
        let stack = SwarmStack::up(engine, "sx");
        let case = case(&stack);
        case.place.settled("web", 2).await;
        let own = stack.inspect("web")["Spec"]["UpdateConfig"].clone();
        for (moment, at) in moments() {
            eprintln!("dying while {moment}, then {ending:?}");
            contract::it_recovers(&case, ending, at).await;
            assert_eq!(stack.inspect("web")["Spec"]["UpdateConfig"], own, "its own settings are back after {moment}");
        }
    }
}

/// A client in the stack's network asks all the time, each time at another task, and tries nothing twice.
#[tokio::test]
async fn real_swarm_deploys_without_losing_a_request() {
    let Some(engine) = real_swarm() else { return };
    let stack = SwarmStack::up(engine, "sz");
    let case = case(&stack);
    case.place.settled("web", 2).await;
    contract::it_scales(&case, &[3], |_| {}).await;
    let script = r#"
        ok=0; bad=0; trap 'echo "requests $((ok+bad)) failed $bad versions $seen"; exit 0' TERM
        while :; do
            for ip in $(nslookup web 127.0.0.11 2>/dev/null | sed -n '/^Name/,$ s/^Address[^:]*: *\([0-9.]*\)$/\1/p'); do
                answer=$(printf 'GET /index.html HTTP/1.0\r\n\r\n' | nc -w 3 "$ip" 8080 | tail -n 1)
                case $answer in
                    version*) ok=$((ok+1)); case "$seen" in *"$answer"*) ;; *) seen="$seen[$answer]";; esac ;;
                    *) bad=$((bad+1)); echo "failed: $ip [$answer]" ;;
                esac
            done
        done"#;
    let network = format!("{}_back", stack.name);
    let client = engine.run("client", &["--network", &network, "--no-healthcheck", "qd-test/app:1", "sh", "-c", script]);
    tokio::time::sleep(Duration::from_secs(3)).await;
    for operation in [deploy("qd-test/app:2"), Operation::Scale { to: 5 }, Operation::Scale { to: 3 }, Operation::Restart] {
        let ended = case.place.operate(operation, &["web"]).await.unwrap();
        assert_eq!(ended.outcome, Outcome::Done, "{}", ended.detail);
    }
    let ended = case.place.operate(deploy("qd-test/app:bad"), &["web"]).await.unwrap();
    assert_eq!(ended.outcome, Outcome::RolledBack, "{}", ended.detail);
    engine.docker(&["stop", "--time", "10", &client.id]);
    let told = engine.docker(&["logs", &client.id]);
    let summary = told.lines().last().unwrap_or_default().to_owned();
    crate::load::report(&format!("Swarm: rolling deploy, scale 3 → 5 → 3, restart, a bad deploy taken back: {summary}"));
    let numbers: Vec<u32> = summary.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    assert!(numbers.first().is_some_and(|requests| *requests > 100), "{told}");
    assert_eq!(numbers.get(1), Some(&0), "{told}");
    assert!(summary.contains("[version 1][version 2]"), "{summary}");
    let gone: BTreeSet<&str> = told.lines().filter(|line| line.starts_with("failed")).collect();
    assert!(gone.is_empty(), "{gone:?}");
}

/// Between two steps somebody else changes the service: the operation notices under its lock.
#[tokio::test]
async fn real_swarm_sees_what_changed_under_a_plan() {
    let Some(engine) = real_swarm() else { return };
    let stack = SwarmStack::up(engine, "sc");
    let case = case(&stack);
    case.place.settled("web", 2).await;
    let plan = case.place.plan(deploy("qd-test/app:2"), &["web"]).await.unwrap();
    engine.docker(&["service", "scale", "--detach", &format!("{}_web=3", stack.name)]);
    case.place.settled("web", 3).await;
    let ended = case.place.run_until(plan, |machine| matches!(machine.phase, Phase::Running(_))).await;
    assert_eq!(ended.unwrap().outcome, Outcome::Refused);
}
