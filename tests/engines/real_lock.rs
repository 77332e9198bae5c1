//! The lock of an environment on a real engine: given out once, seen by others, and no part of the stack.

use jiff::Timestamp;
use quarterdeck::engine::EngineError;
use quarterdeck::model::{EnvironmentId, LockHolder, OperationId};
use quarterdeck::operate::{Accepted, Action};

use crate::real_engine::{RealEngine, real_engine};

fn holder(by: &str, operation: Option<&str>) -> LockHolder {
    LockHolder {
        by: by.into(),
        host: "desk".into(),
        pid: 7,
        pid_started: 99,
        why: format!("{by} works on it").into(),
        since: Timestamp::from_second(1_700_000_000).unwrap(),
        operation: operation.map(OperationId::from),
        request: Some(r#"{"do":"restart"}"#.into()),
    }
}

async fn take(
    engine: &RealEngine,
    environment: &EnvironmentId,
    holder: &LockHolder,
    replaces: Option<&LockHolder>,
) -> Result<Accepted, EngineError> {
    let replaces = replaces.map(|old| Box::new(old.clone()));
    engine.act(Action::TakeLock { environment: environment.clone(), holder: Box::new(holder.clone()), replaces }).await
}

async fn release(engine: &RealEngine, environment: &EnvironmentId, operation: Option<&str>) -> Result<Accepted, EngineError> {
    engine.act(Action::ReleaseLock { environment: environment.clone(), operation: operation.map(OperationId::from) }).await
}

#[tokio::test]
async fn a_lock_is_held_by_one_and_given_back_by_its_holder() {
    let Some(engine) = real_engine() else { return };
    let stack = engine.stack("lock");
    let at = stack.environment();
    let before = stack.compose(&["ps", "--quiet"]);
    let (ada, bob) = (holder("ada@desk", Some("op-1")), holder("bob@desk", Some("op-2")));

    assert_eq!(take(engine, &at, &ada, None).await, Ok(Accepted::Done));
    assert_eq!(take(engine, &at, &ada, None).await, Ok(Accepted::AlreadySo));
    let error = take(engine, &at, &bob, None).await.unwrap_err();
    let expected =
        format!("the lock of {at} is in the way: ada@desk has held it since 2023-11-14T22:13:20Z: ada@desk works on it");
    assert_eq!(error.to_string(), expected);
    let labels = engine.inspect(&format!("quarterdeck-lock-{at}"))["Config"]["Labels"].clone();
    for (key, value) in [
        ("dev.quarterdeck.lock", at.name.as_ref()),
        ("dev.quarterdeck.lock.by", "ada@desk"),
        ("dev.quarterdeck.lock.pid", "7"),
        ("dev.quarterdeck.lock.pid-started", "99"),
        ("dev.quarterdeck.lock.operation", "op-1"),
        ("dev.quarterdeck.lock.request", r#"{"do":"restart"}"#),
    ] {
        assert_eq!(labels[key], value, "{key}");
    }
    assert_eq!(stack.compose(&["ps", "--quiet"]), before, "compose does not see it");

    assert_eq!(release(engine, &at, Some("op-2")).await, Ok(Accepted::AlreadySo), "not his to give back");
    assert!(take(engine, &at, &bob, None).await.is_err(), "so it is still held");
    assert_eq!(release(engine, &at, Some("op-1")).await, Ok(Accepted::Done));
    assert_eq!(release(engine, &at, Some("op-1")).await, Ok(Accepted::AlreadySo));
    assert_eq!(take(engine, &at, &bob, None).await, Ok(Accepted::Done));
    assert_eq!(release(engine, &at, None).await, Ok(Accepted::Done), "whoever holds it");
}

#[tokio::test]
async fn a_lock_is_taken_over_only_when_it_is_the_one_meant() {
    let Some(engine) = real_engine() else { return };
    let at = EnvironmentId::new("real", engine.unique("takeover"));
    let (dead, other, heir) =
        (holder("ada@desk", Some("op-1")), holder("cy@desk", Some("op-9")), holder("bob@desk", Some("op-2")));
    assert_eq!(take(engine, &at, &heir, Some(&dead)).await, Ok(Accepted::Done), "none there is fine");
    release(engine, &at, None).await.unwrap();
    take(engine, &at, &dead, None).await.unwrap();
    assert!(matches!(take(engine, &at, &heir, Some(&other)).await, Err(EngineError::Conflict { .. })));
    assert_eq!(take(engine, &at, &heir, Some(&dead)).await, Ok(Accepted::Done));
    let labels = engine.inspect(&format!("quarterdeck-lock-{at}"))["Config"]["Labels"].clone();
    assert_eq!(labels["dev.quarterdeck.lock.operation"], "op-2");

    // Somebody else's container of that name is no lock, and is left alone.
    release(engine, &at, None).await.unwrap();
    let name = format!("quarterdeck-lock-{at}");
    engine.docker(&["create", "--name", &name, "qd-test/app:1"]);
    let error = take(engine, &at, &dead, None).await.unwrap_err();
    assert!(error.to_string().ends_with("has its name and is no lock"), "{error}");
    assert_eq!(release(engine, &at, None).await, Ok(Accepted::AlreadySo));
    // Still there.
    engine.docker(&["rm", &name]);
}

#[tokio::test]
async fn of_many_who_take_it_at_once_one_gets_it() {
    let Some(engine) = real_engine() else { return };
    let at = EnvironmentId::new("real", engine.unique("race"));
    let names: Vec<String> = (0..8).map(|n| format!("op-{n}")).collect();
    let holders: Vec<LockHolder> = names.iter().map(|name| holder("ada@desk", Some(name))).collect();
    let answers = futures_util::future::join_all(holders.iter().map(|holder| take(engine, &at, holder, None))).await;
    let taken = answers.iter().filter(|answer| **answer == Ok(Accepted::Done)).count();
    let refused = answers.iter().filter(|answer| matches!(answer, Err(EngineError::Conflict { .. }))).count();
    assert_eq!((taken, refused), (1, 7), "{answers:?}");
    release(engine, &at, None).await.unwrap();
}
