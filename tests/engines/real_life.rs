//! What happens to one container on a real engine: done, said to be so already, or refused in a sentence.

use std::time::Duration;

use quarterdeck::engine::EngineError;
use quarterdeck::operate::action::InstanceRef;
use quarterdeck::operate::{Accepted, Action};

use crate::real_engine::{known, real_engine};

#[tokio::test]
async fn every_deed_is_done_once_and_then_so_already() {
    let Some(engine) = real_engine() else { return };
    let container = engine.run("life", &["qd-test/app:1"]);
    let instance = || known(&container.id);
    let stop = || Action::Stop { instance: instance(), grace: None };
    let kill = || Action::Kill { instance: instance(), signal: "SIGKILL".into() };
    let table = [
        (Action::Start { instance: instance() }, Accepted::AlreadySo, "running"),
        (Action::Pause { instance: instance() }, Accepted::Done, "paused"),
        (Action::Pause { instance: instance() }, Accepted::AlreadySo, "paused"),
        (Action::Unpause { instance: instance() }, Accepted::Done, "running"),
        (Action::Unpause { instance: instance() }, Accepted::AlreadySo, "running"),
        (stop(), Accepted::Done, "exited"),
        (stop(), Accepted::AlreadySo, "exited"),
        (kill(), Accepted::AlreadySo, "exited"),
        (Action::Restart { instance: instance(), grace: None }, Accepted::Done, "running"),
        (kill(), Accepted::Done, "exited"),
        (Action::Start { instance: instance() }, Accepted::Done, "running"),
        // A paused container that is started runs on.
        (Action::Pause { instance: instance() }, Accepted::Done, "paused"),
        (Action::Start { instance: instance() }, Accepted::Done, "running"),
        // And one that is stopped while it is paused stops.
        (Action::Pause { instance: instance() }, Accepted::Done, "paused"),
        (Action::Stop { instance: instance(), grace: Some(Duration::from_millis(500)) }, Accepted::Done, "exited"),
        (Action::SetAside { instance: instance() }, Accepted::Done, "exited"),
        (Action::SetAside { instance: instance() }, Accepted::AlreadySo, "exited"),
        (Action::BringBack { instance: instance() }, Accepted::Done, "exited"),
        (Action::BringBack { instance: instance() }, Accepted::AlreadySo, "exited"),
    ];
    for (index, (action, expected, state)) in table.into_iter().enumerate() {
        let context = format!("{index}: {action:?}");
        assert_eq!(engine.act(action).await, Ok(expected), "{context}");
        assert_eq!(engine.inspect(&container.id)["State"]["Status"], state, "{context}");
    }
    assert_eq!(engine.inspect(&container.id)["Name"], format!("/{}", container.name));
    let remove = || Action::Remove { instance: instance(), force: false };
    assert_eq!(engine.act(remove()).await, Ok(Accepted::Done));
    assert_eq!(engine.act(remove()).await, Ok(Accepted::AlreadySo));
}

#[tokio::test]
async fn a_name_set_aside_is_that_of_compose() {
    let Some(engine) = real_engine() else { return };
    let container = engine.run("aside", &["qd-test/app:1"]);
    engine.act(Action::SetAside { instance: known(&container.id) }).await.unwrap();
    assert_eq!(engine.inspect(&container.id)["Name"], format!("/{}_{}", &container.id[..12], container.name));
    // Meanwhile somebody else has taken the name.
    engine.docker(&["create", "--name", &container.name, "qd-test/app:1"]);
    let error = engine.act(Action::BringBack { instance: known(&container.id) }).await.unwrap_err();
    assert!(matches!(error, EngineError::Conflict { .. }), "{error}");
    assert!(error.to_string().contains(&container.name), "{error}");
}

#[tokio::test]
async fn stopping_uses_the_containers_own_signal_and_timeout() {
    let Some(engine) = real_engine() else { return };
    let says = "trap 'exit 42' USR1; while :; do sleep 1 & wait $!; done";
    let own = engine.run("signal", &["--stop-signal", "USR1", "qd-test/app:1", "/bin/sh", "-c", says]);
    let deaf =
        engine.run("deaf", &["--stop-timeout", "1", "qd-test/app:1", "/bin/sh", "-c", "trap '' TERM; while :; do sleep 1; done"]);
    for (container, code) in [(&own, 42), (&deaf, 137)] {
        engine.act(Action::Stop { instance: known(&container.id), grace: None }).await.unwrap();
        assert_eq!(engine.inspect(&container.id)["State"]["ExitCode"], code);
    }
}

#[tokio::test]
async fn removing_leaves_every_volume() {
    let Some(engine) = real_engine() else { return };
    let volume = engine.unique("vol");
    let container = engine.run("volumes", &["--volume", &format!("{volume}:/data"), "--volume", "/anonymous", "qd-test/app:1"]);
    let mounts = engine.inspect(&container.id)["Mounts"].clone();
    let names: Vec<&str> = mounts.as_array().unwrap().iter().filter_map(|mount| mount["Name"].as_str()).collect();
    assert_eq!(names.len(), 2);
    let refused = engine.act(Action::Remove { instance: known(&container.id), force: false }).await.unwrap_err();
    assert!(matches!(refused, EngineError::Conflict { .. }), "it runs: {refused}");
    assert_eq!(engine.act(Action::Remove { instance: known(&container.id), force: true }).await, Ok(Accepted::Done));
    for name in names {
        engine.docker(&["volume", "rm", name]);
    }
}

#[tokio::test]
async fn what_cannot_be_done_is_said() {
    let Some(engine) = real_engine() else { return };
    let nobody = "0".repeat(64);
    for action in [
        Action::Start { instance: known(&nobody) },
        Action::Stop { instance: known(&nobody), grace: None },
        Action::Restart { instance: known(&nobody), grace: None },
        Action::Pause { instance: known(&nobody) },
        Action::Unpause { instance: known(&nobody) },
        Action::Kill { instance: known(&nobody), signal: "SIGTERM".into() },
        Action::SetAside { instance: known(&nobody) },
        Action::BringBack { instance: known(&nobody) },
    ] {
        let context = format!("{action:?}");
        let error = engine.act(action).await.unwrap_err();
        assert_eq!(error, EngineError::NotFound { what: "container 000000000000".into() }, "{context}");
    }
    let container = engine.run("nosignal", &["qd-test/app:1"]);
    let error = engine.act(Action::Kill { instance: known(&container.id), signal: "SIGNONE".into() }).await.unwrap_err();
    assert!(error.to_string().contains("SIGNONE") && error.to_string().contains(&container.name), "{error}");

    let unmade = engine.act(Action::Start { instance: InstanceRef::Made(3) }).await.unwrap_err();
    assert_eq!(unmade.to_string(), "acting on new replica 3 cannot be done here: it has not been made yet");
    let environment = quarterdeck::model::EnvironmentId::new("real", "shop");
    let declared = Action::SetReplicas { environment, workload: "web".into(), replicas: 3 };
    assert!(matches!(engine.act(declared).await, Err(EngineError::Unsupported { .. })));
    assert!(matches!(engine.act(Action::Drill { name: "db-down".into() }).await, Err(EngineError::Unsupported { .. })));
}

#[tokio::test]
async fn a_port_that_is_taken_is_named() {
    let Some(engine) = real_engine() else { return };
    let first = engine.run("port", &["--publish", "127.0.0.1::8080", "qd-test/app:1"]);
    let port = engine.inspect(&first.id)["NetworkSettings"]["Ports"]["8080/tcp"][0]["HostPort"].as_str().unwrap().to_owned();
    let second = engine.unique("port2");
    let publish = format!("127.0.0.1:{port}:8080");
    let id = engine.docker(&["create", "--name", &second, "--publish", &publish, "qd-test/app:1"]).trim().to_owned();
    let error = engine.act(Action::Start { instance: known(&id) }).await.unwrap_err();
    assert!(matches!(error, EngineError::Conflict { .. }), "{error:?}");
    assert!(error.to_string().contains(&port) && error.to_string().contains(&second), "{error}");
    engine.docker(&["rm", "--force", &second]);
}
