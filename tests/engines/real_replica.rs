//! Replicas on a real engine: like their sisters in all that was asked for, and Compose's own in its eyes.

use std::collections::BTreeMap;
use std::sync::Arc;

use quarterdeck::engine::EngineError;
use quarterdeck::model::{InstanceId, OperationId, Revision};
use quarterdeck::operate::Action;
use quarterdeck::operate::action::Replica;
use serde_json::Value;

use crate::real_engine::{RealEngine, Stack, known, made, real_engine};

fn replica(stack: &Stack<'_>, service: &str, like: &str) -> Replica {
    Replica {
        environment: stack.environment(),
        workload: service.into(),
        like: InstanceId::new(like),
        slot: 0,
        number: None,
        image: None,
        digest: None,
        revisions: None,
        hidden: false,
    }
}

fn create(replica: Replica) -> Action {
    // The operation is part of the identity of what is made: one for each project.
    let operation = OperationId::new(format!("op-{}", replica.environment.name));
    Action::Create { operation, replica: Box::new(replica) }
}

/// A container without what is its own alone: identity, addresses, times.
fn definition(engine: &RealEngine, id: &str) -> Value {
    let mut all = engine.inspect(id);
    let mut networks = BTreeMap::new();
    for (name, endpoint) in all["NetworkSettings"]["Networks"].as_object().unwrap() {
        let mut aliases: Vec<&str> = endpoint["Aliases"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        aliases.retain(|alias| *alias != &id[..12]);
        aliases.sort_unstable();
        networks.insert(name.clone(), serde_json::json!([endpoint["IPAMConfig"], endpoint["Links"], aliases]));
    }
    let mut config = all["Config"].take();
    for key in ["Hostname", "Image"] {
        if config[key] == id[..12] {
            config[key].take();
        }
    }
    let labels = config["Labels"].as_object_mut().unwrap();
    labels.retain(|key, _| key != "com.docker.compose.container-number" && !key.starts_with("dev.quarterdeck."));
    config["Env"].as_array_mut().unwrap().sort_by_key(ToString::to_string);
    let mut host = all["HostConfig"].take();
    // Without any, the engine shows null or an empty list, as it was asked.
    for key in ["Binds", "VolumesFrom"] {
        if host[key].as_array().is_some_and(Vec::is_empty) {
            host[key].take();
        }
    }
    serde_json::json!({ "config": config, "host": host, "networks": networks, "image": all["Image"], "path": all["Path"], "args": all["Args"] })
}

fn volumes(engine: &RealEngine, id: &str) -> BTreeMap<String, String> {
    let mounts = engine.inspect(id)["Mounts"].clone();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    mounts.as_array().unwrap().iter().map(|mount| (text(&mount["Destination"]), text(&mount["Name"]))).collect()
}

#[tokio::test]
async fn a_replica_is_like_its_sister_in_all_that_was_asked_for() {
    let Some(engine) = real_engine() else { return };
    let stack = engine.stack_of("rich", "tests/engines/stack/rich.yml");
    let sister = stack.only("store");
    let asked = Replica { number: Some(2), ..replica(&stack, "store", sister.as_str()) };
    let id = made(engine.act(create(asked)).await);
    assert_eq!(definition(engine, &id), definition(engine, sister.as_str()));
    assert_eq!(engine.inspect(&id)["State"]["Status"], "created", "not started");
    engine.act(Action::Start { instance: known(&id) }).await.unwrap();

    let (old, new) = (volumes(engine, sister.as_str()), volumes(engine, &id));
    assert_eq!(old["/named"], new["/named"]);
    assert_ne!(old["/anonymous"], new["/anonymous"], "beside its sister it has its own");

    let name = format!("{}_store_2", stack.project);
    assert!(stack.compose(&["ps"]).replace('-', "_").contains(&name));
    let up = stack.compose(&["up", "-d", "--scale", "store=2"]);
    assert_eq!(stack.ids("store"), [sister.as_str(), &id], "compose leaves both as they are: {up}");
}

#[tokio::test]
async fn in_its_sisters_place_it_keeps_name_number_and_volumes_and_takes_the_new_images_settings() {
    let Some(engine) = real_engine() else { return };
    let stack = engine.stack_of("place", "tests/engines/stack/rich.yml");
    let sister = stack.only("store");
    let volumes_before = volumes(engine, sister.as_str());
    let name = engine.inspect(sister.as_str())["Name"].clone();
    let revision = |number, image: &str| Revision {
        number,
        image: image.into(),
        digest: None,
        at: None,
        by: Some("ada@desk".into()),
        cause: None,
    };
    let asked = Replica {
        image: Some("qd-test/app:2".into()),
        revisions: Some(vec![revision(2, "qd-test/app:2"), revision(1, "qd-test/app:1")]),
        ..replica(&stack, "store", sister.as_str())
    };
    engine.act(Action::SetAside { instance: known(sister.as_str()) }).await.unwrap();
    let id = made(engine.act(create(asked)).await);
    let seen = engine.inspect(&id);
    assert_eq!(seen["Name"], name);
    assert_eq!(volumes(engine, &id), volumes_before, "what the nameless volume holds is kept");
    assert_eq!(seen["Image"], engine.image_id("qd-test/app:2"));
    let labels = &seen["Config"]["Labels"];
    assert_eq!(labels["com.docker.compose.container-number"], "1");
    assert_eq!(labels["dev.quarterdeck.revision"], "2");
    let history: Vec<Revision> = serde_json::from_str(labels["dev.quarterdeck.history"].as_str().unwrap()).unwrap();
    assert_eq!(history.iter().map(|r| r.number).collect::<Vec<_>>(), [2, 1]);
    let env: Vec<&str> = seen["Config"]["Env"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert!(env.contains(&"VERSION=7"), "the author's: {env:?}");

    // A service that leaves it to its image gets the new image's.
    let stack = engine.stack("image");
    let api = stack.only("api");
    let asked = Replica { image: Some("qd-test/app:2".into()), number: Some(2), ..replica(&stack, "api", api.as_str()) };
    let id = made(engine.act(create(asked)).await);
    let seen = engine.inspect(&id);
    let env: Vec<&str> = seen["Config"]["Env"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert!(env.contains(&"VERSION=2") && env.contains(&"ROLE=api"), "{env:?}");
    assert_eq!(seen["Config"]["Labels"]["org.opencontainers.image.version"], "2");
    let networks: Vec<&String> = seen["NetworkSettings"]["Networks"].as_object().unwrap().keys().collect();
    assert_eq!(networks, [&format!("{}_back", stack.project), &format!("{}_front", stack.project)]);
    let aliases = seen["NetworkSettings"]["Networks"][&format!("{}_back", stack.project)]["Aliases"].to_string();
    assert!(aliases.contains("backend") && aliases.contains("api") && !aliases.contains(&api.as_str()[..12]), "{aliases}");
}

#[tokio::test]
async fn asked_twice_it_is_the_same_and_made_whole() {
    let Some(engine) = real_engine() else { return };
    let stack = engine.stack("twice");
    let api = stack.only("api");
    let asked = || Replica { number: Some(2), ..replica(&stack, "api", api.as_str()) };
    let id = made(engine.act(create(asked())).await);
    // Whoever made it died before it was on its second network.
    engine.docker(&["network", "disconnect", &format!("{}_front", stack.project), &id]);
    assert_eq!(made(engine.act(create(asked())).await), id);
    assert_eq!(engine.inspect(&id)["NetworkSettings"]["Networks"].as_object().unwrap().len(), 2);
    let other = made(engine.act(create(Replica { slot: 1, number: Some(3), ..asked() })).await);
    assert_ne!(other, id);
    // Its sister is gone by the time it is asked for again.
    engine.docker(&["rm", "--force", api.as_str()]);
    assert_eq!(made(engine.act(create(asked())).await), id);
}

#[tokio::test]
async fn a_tag_that_moved_on_changes_nothing_for_replicas_of_what_runs() {
    let Some(engine) = real_engine() else { return };
    let stack = engine.stack("moved");
    let tag = format!("qd-test/{}:latest", stack.project);
    let (one, two) = (engine.image_id("qd-test/app:1"), engine.image_id("qd-test/app:2"));
    engine.docker(&["tag", "qd-test/app:1", &tag]);
    let api = stack.only("api");
    let asked = |slot| Replica { slot, number: Some(2 + slot), ..replica(&stack, "api", api.as_str()) };
    let image: Option<Arc<str>> = Some(tag.as_str().into());
    let first = made(engine.act(create(Replica { image: image.clone(), ..asked(0) })).await);
    assert_eq!(
        (engine.inspect(&first)["Config"]["Image"].as_str(), engine.inspect(&first)["Image"].as_str()),
        (Some(tag.as_str()), Some(one.as_str()))
    );
    engine.docker(&["tag", "qd-test/app:2", &tag]);

    let sister = made(engine.act(create(Replica { like: InstanceId::new(first.as_str()), ..asked(1) })).await);
    assert_eq!(engine.inspect(&sister)["Image"], one.as_str(), "of the same content as its sister");
    let pinned = made(engine.act(create(Replica { image: image.clone(), digest: Some(one.as_str().into()), ..asked(2) })).await);
    assert_eq!(engine.inspect(&pinned)["Image"], one.as_str(), "the revision's content");
    let current = made(engine.act(create(Replica { image: image.clone(), digest: Some(two.as_str().into()), ..asked(3) })).await);
    assert_eq!(engine.inspect(&current)["Config"]["Image"], tag.as_str());
    let gone = format!("sha256:{}", "0".repeat(64));
    let error = engine.act(create(Replica { image, digest: Some(gone.as_str().into()), ..asked(4) })).await.unwrap_err();
    assert!(matches!(error, EngineError::NotFound { .. }) && error.to_string().contains(&gone), "{error}");
    engine.docker(&["rmi", "--force", &tag]);
}

#[tokio::test]
async fn what_cannot_be_doubled_is_said() {
    let Some(engine) = real_engine() else { return };
    let stack = engine.stack("double");
    // No image of that name.
    let missing =
        Replica { image: Some("qd-test/app:none".into()), number: Some(2), ..replica(&stack, "api", stack.only("api").as_str()) };
    let error = engine.act(create(missing)).await.unwrap_err();
    assert_eq!(error, EngineError::NotFound { what: "image qd-test/app:none".into() });
    // No such sister.
    let error = engine.act(create(replica(&stack, "api", &"0".repeat(64)))).await.unwrap_err();
    assert_eq!(error, EngineError::NotFound { what: "container 000000000000".into() });

    let project = format!("com.docker.compose.project={}", stack.project);
    let labels =
        ["--label", &project, "--label", "com.docker.compose.service=solo", "--label", "com.docker.compose.container-number=1"];
    // container_name.
    let named = engine.run("named", &[&labels[..], &["qd-test/app:1"]].concat());
    let error = engine.act(create(Replica { number: Some(2), ..replica(&stack, "solo", &named.id) })).await.unwrap_err();
    assert!(matches!(error, EngineError::Conflict { .. }) && error.to_string().contains("container_name"), "{error}");

    // A fixed address.
    let network = stack.project.clone() + "_back";
    let subnet = engine.docker(&["network", "inspect", "--format", "{{(index .IPAM.Config 0).Subnet}}", &network]);
    let fixed_network = engine.unique("net");
    let base = subnet.trim().rsplit_once('.').unwrap().0.rsplit_once('.').unwrap().0.to_owned();
    engine.docker(&["network", "create", "--subnet", &format!("{base}.127.0/24"), &fixed_network]);
    let name = format!("{}_solo_1", stack.project);
    let address = format!("{base}.127.77");
    let mut args = vec!["run", "--detach", "--name", &name, "--network", &fixed_network, "--ip", &address];
    args.extend(labels);
    args.push("qd-test/app:1");
    let id = engine.docker(&args).trim().to_owned();
    let error = engine.act(create(Replica { number: Some(2), ..replica(&stack, "solo", &id) })).await.unwrap_err();
    assert!(matches!(error, EngineError::Conflict { .. }), "{error:?}");
    assert!(error.to_string().contains(&address) && error.to_string().ends_with("there can be only one"), "{error}");
    // In its place it can be made at any time, and started once the old one has stopped.
    engine.act(Action::SetAside { instance: known(&id) }).await.unwrap();
    let heir = made(engine.act(create(replica(&stack, "solo", &id))).await);
    let error = engine.act(Action::Start { instance: known(&heir) }).await.unwrap_err();
    assert!(matches!(error, EngineError::Conflict { .. }), "{error:?}");
    engine.act(Action::Stop { instance: known(&id), grace: None }).await.unwrap();
    engine.act(Action::Start { instance: known(&heir) }).await.unwrap();
    assert_eq!(engine.inspect(&heir)["NetworkSettings"]["Networks"][&fixed_network]["IPAddress"], address.as_str());
    engine.docker(&["rm", "--force", &heir, &id]);
    engine.docker(&["network", "rm", &fixed_network]);
}

#[tokio::test]
async fn a_loose_container_is_replaced_under_its_own_name() {
    let Some(engine) = real_engine() else { return };
    let loose =
        engine.run("loose", &["--env", "COLOUR=green", "--publish", "127.0.0.1::8080", "--hostname", "lone", "qd-test/app:1"]);
    let asked = Replica {
        environment: quarterdeck::model::EnvironmentId::new("real", "containers"),
        workload: loose.name.as_str().into(),
        like: InstanceId::new(loose.id.as_str()),
        slot: 0,
        number: None,
        image: Some("qd-test/app:2".into()),
        digest: None,
        revisions: None,
        hidden: false,
    };
    let operation = || OperationId::new(format!("op-{}", loose.name));
    let second = Replica { number: Some(2), ..asked.clone() };
    let error = engine.act(Action::Create { operation: operation(), replica: Box::new(second) }).await.unwrap_err();
    assert!(matches!(error, EngineError::Unsupported { .. }), "{error:?}");
    engine.act(Action::SetAside { instance: known(&loose.id) }).await.unwrap();
    let id = made(engine.act(Action::Create { operation: operation(), replica: Box::new(asked) }).await);
    engine.act(Action::Stop { instance: known(&loose.id), grace: None }).await.unwrap();
    engine.act(Action::Start { instance: known(&id) }).await.unwrap();
    let seen = engine.inspect(&id);
    assert_eq!(seen["Name"], format!("/{}", loose.name));
    assert_eq!(seen["Config"]["Hostname"], "lone");
    assert!(seen["Config"]["Env"].to_string().contains("COLOUR=green"));
    engine.docker(&["rm", "--force", "--volumes", &loose.id]);
}
