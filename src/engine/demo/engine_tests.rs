//! The demo as an engine: streams that begin at once and see changes soon, actions, the little shell.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;

use super::engine;
use super::world_tests::{noon, query};
use crate::config::{ConnectionSpec, TargetSpec};
use crate::engine::{AttachedInput, Engine, EngineError, Shell, Topic, Update};
use crate::model::{EnvironmentId, Inventory};
use crate::operate::action::{Accepted, Action, InstanceRef};

fn spec(incident: Option<&str>, speed_percent: u32) -> ConnectionSpec {
    let target = TargetSpec::Demo { seed: 7, incident: incident.map(Into::into), speed_percent };
    ConnectionSpec {
        id: "demo".into(),
        target,
        environments: Vec::new(),
        discover: true,
        on_demand: false,
        redaction: Arc::default(),
    }
}

fn demo(incident: Option<&str>) -> Arc<dyn Engine> {
    engine(&spec(incident, 10_000), noon()).unwrap()
}

async fn next_inventory(stream: &mut (impl StreamExt<Item = Update> + Unpin)) -> Arc<Inventory> {
    loop {
        match stream.next().await {
            Some(Update::Inventory(inventory)) => return inventory,
            Some(_) => {}
            None => panic!("an inventory never ends"),
        }
    }
}

fn quiet() -> crate::engine::Report {
    Arc::new(|_| {})
}

#[tokio::test]
async fn a_change_is_seen_by_whoever_follows() {
    let engine = demo(None);
    let mut stream = engine.subscribe(Topic::Inventory);
    let before = next_inventory(&mut stream).await;
    let backend = EnvironmentId::new("demo", "production");
    let wanted = |i: &Arc<Inventory>| i.environments[1].workload(&"backend".into()).unwrap().desired;
    assert_eq!(wanted(&before), 3);
    let action = Action::SetReplicas { environment: backend, workload: "backend".into(), replicas: 5 };
    assert_eq!(engine.execute(action.clone(), quiet()).await, Ok(Accepted::Done));
    assert_eq!(engine.execute(action, quiet()).await, Ok(Accepted::AlreadySo));
    while wanted(&next_inventory(&mut stream).await) != 5 {}
}

#[tokio::test]
async fn pulling_tells_how_far_it_is() {
    let engine = demo(None);
    let told = Arc::new(Mutex::new(Vec::new()));
    let sink = told.clone();
    let image = |image: &str| Action::EnsureImage {
        environment: EnvironmentId::new("demo", "staging"),
        image: image.into(),
        digest: None,
    };
    let report: crate::engine::Report = Arc::new(move |text| sink.lock().unwrap().push(text));
    let pulled = engine.execute(image("chatbot:3.9.0"), report.clone()).await;
    assert!(matches!(pulled, Ok(Accepted::Image { pulled: true, digest: Some(_) })), "{pulled:?}");
    assert_eq!(told.lock().unwrap().last().map(String::as_str), Some("128 of 128 MB"));
    assert!(matches!(engine.execute(image("chatbot:3.9.0"), report.clone()).await, Ok(Accepted::Image { pulled: false, .. })));
    assert!(matches!(engine.execute(image("chatbot:nope"), report).await, Err(EngineError::NotFound { .. })));
}

#[tokio::test]
async fn a_log_ends_with_its_instance() {
    let engine = demo(None);
    let mut stream = engine.subscribe(Topic::Inventory);
    let inventory = next_inventory(&mut stream).await;
    let id = inventory.environments[0].workloads[0].instances[1].id.clone();
    let log = engine.subscribe(Topic::Logs(query(&id, Some(3))));
    engine.execute(Action::Remove { instance: InstanceRef::Known(id), force: true }, quiet()).await.unwrap();
    let updates: Vec<Update> = log.collect().await;
    assert!(updates.iter().any(|u| matches!(u, Update::Logs(_))));
}

#[tokio::test]
async fn an_incident_of_the_command_line_has_begun() {
    let engine = demo(Some("db-down"));
    let mut stream = engine.subscribe(Topic::Inventory);
    let inventory = next_inventory(&mut stream).await;
    assert_eq!(inventory.environments[2].workload(&"postgres".into()).unwrap().ready, 0);
    assert!(super::engine(&spec(Some("meteor"), 100), noon()).is_err());
}

#[tokio::test]
async fn figures_come_at_once() {
    let engine = demo(None);
    let inventory = next_inventory(&mut engine.subscribe(Topic::Inventory)).await;
    let id = inventory.environments[2].workloads[0].instances[0].id.clone();
    let mut stats = engine.subscribe(Topic::Stats { instances: BTreeSet::from([id.clone()]), every: Duration::from_secs(2) });
    loop {
        if let Some(Update::Samples(samples)) = stats.next().await {
            assert_eq!(samples[0].instance, id);
            break;
        }
    }
}

#[tokio::test]
async fn the_shell_answers_a_few_words_and_leaves() {
    let engine = demo(None);
    let inventory = next_inventory(&mut engine.subscribe(Topic::Inventory)).await;
    let instance = inventory.environments[1].workloads[0].instances[0].id.clone();
    let shell = Shell { instance, commands: vec![vec!["sh".into()]], size: (80, 24) };
    let attached = engine.attach(shell.clone()).await.unwrap();
    for typed in ["lx\x7fs\r", "env\r", "frobnicate\r", "exit\r"] {
        attached.input.send(AttachedInput::Bytes(Bytes::from(typed))).await.unwrap();
    }
    let said: Vec<_> = attached.output.map(|b| String::from_utf8_lossy(&b.unwrap()).into_owned()).collect().await;
    let said = said.concat();
    assert!(said.contains("package.json") && said.contains("frobnicate: not found"), "{said}");
    assert!(said.contains("NODE_ENV=production") && !said.contains("p4ss"), "{said}");
    let nobody = Shell { instance: "nobody".into(), ..shell };
    assert!(matches!(engine.attach(nobody).await, Err(EngineError::NotFound { .. })));
}
