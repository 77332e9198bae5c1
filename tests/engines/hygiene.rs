//! What each engine tells of definitions is what they are, judged the same on all: on a real engine and a real Swarm, on
//! the simulated API server, in the demo. No value of a variable comes along.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use jiff::Timestamp;
use quarterdeck::config::{ConnectionSpec, TargetSpec};
use quarterdeck::engine::{Engine, EngineError, Topic, Update, demo, docker};
use quarterdeck::model::{ConnectionId, EngineKind, EnvironmentId, Snapshot, Tier};
use quarterdeck::observe::hygiene::{Check, Finding, Survey, judge};
use serde_json::json;

use crate::apiserver::{ApiServer, World};
use crate::cluster::{engine, environment};
use crate::driver::Place;
use crate::real_engine::{RealEngine, real_engine};
use crate::real_swarm::{SwarmStack, real_swarm};

/// The environment once it is whole, and the look at it.
async fn survey(engine: &Arc<dyn Engine>, environment: &EnvironmentId, enough: impl Fn(&Snapshot) -> bool) -> Survey {
    let mut inventory = engine.subscribe(Topic::Inventory);
    let wait = async {
        while let Some(update) = inventory.next().await {
            let Update::Inventory(all) = update else { continue };
            let found = all.environments.iter().find(|s| &s.environment.id == environment);
            if found.is_some_and(|s| s.is_listed() && enough(s)) {
                return;
            }
        }
        panic!("the topic ended");
    };
    tokio::time::timeout(Duration::from_secs(60), wait).await.expect("the environment never came");
    engine.survey(environment.clone()).await.unwrap()
}

/// A container that was made and is never started, gone at the end of the test.
struct Created<'a> {
    real: &'a RealEngine,
    name: String,
}

impl Drop for Created<'_> {
    fn drop(&mut self) {
        self.real.try_docker(&["rm", "--force", &self.name]);
    }
}

fn checks(findings: &[Finding], workload: &str) -> Vec<(Check, bool)> {
    findings.iter().filter(|f| f.workload.as_str() == workload).map(|f| (f.check, f.grave)).collect()
}

fn has(findings: &[Finding], workload: &str, check: Check) -> bool {
    findings.iter().any(|f| f.workload.as_str() == workload && f.check == check)
}

#[tokio::test]
async fn real_containers_are_told_apart_by_their_habits() {
    let Some(real) = real_engine() else { return };
    let bad = real.run(
        "bad",
        &[
            "--env",
            "POSTGRES_PASSWORD=postgres",
            "--env",
            "API_KEY=hush-6f1d2c3b",
            "--env",
            "JWT_SECRET=",
            "--publish",
            "0.0.0.0::6379",
            "--volume",
            "/var/run/docker.sock:/var/run/docker.sock",
            "--no-healthcheck",
            "qd-test/app:1",
            "sh",
            "-c",
            "sleep 1000",
        ],
    );
    let good = real.run(
        "good",
        &[
            "--user",
            "1000:1000",
            "--memory",
            "32m",
            "--cpus",
            "0.2",
            "--log-opt",
            "max-size=1m",
            "--health-cmd",
            "true",
            "--env",
            "API_KEY=hush-6f1d2c3b",
            "--publish",
            "127.0.0.1::6379",
            "qd-test/app:1",
            "sh",
            "-c",
            "sleep 1000",
        ],
    );
    // Not every machine lets one start: its definition is enough.
    let rules = Created { real, name: real.unique("rules") };
    real.docker(&["create", "--name", &rules.name, "--privileged", "--network", "host", "qd-test/app:1"]);
    let engine = docker::connect(&real.spec());
    let loose = EnvironmentId::new("real", "containers");
    let there =
        |s: &Snapshot| [&bad.name, &good.name, &rules.name].iter().all(|name| s.workload(&name.as_str().into()).is_some());
    let survey = survey(&engine, &loose, there).await;
    assert!(!format!("{survey:?}").contains("hush"), "no value comes along: {survey:#?}");
    let findings = judge(&survey.makeups, Tier::Production, EngineKind::Compose);
    for check in [
        Check::Passwords,
        Check::EmptySecrets,
        Check::Databases,
        Check::EngineSocket,
        Check::Root,
        Check::Logs,
        Check::Health,
        Check::Limits,
    ] {
        assert!(has(&findings, &bad.name, check), "{check:?}: {findings:#?}");
    }
    for check in [Check::Privileges, Check::HostNetwork] {
        assert!(has(&findings, &rules.name, check), "{check:?}: {findings:#?}");
    }
    // Pinned it is not: nothing else is held against it.
    assert_eq!(checks(&findings, &good.name), [(Check::Tags, false)]);
}

#[tokio::test]
async fn real_services_are_looked_at_through_their_manager() {
    let Some(real) = real_swarm() else { return };
    let stack = SwarmStack::up(real, "hy");
    let engine = docker::connect(&real.spec());
    Place::new(engine.clone(), stack.environment()).settled("web", 2).await;
    let survey = survey(&engine, &stack.environment(), |s| s.workloads.len() == 2).await;
    assert_eq!(survey.unseen, Vec::<Arc<str>>::new());
    let web = survey.makeups.iter().find(|m| m.workload.as_str() == "web").unwrap();
    let spec = stack.inspect("web");
    let container = &spec["Spec"]["TaskTemplate"]["ContainerSpec"];
    assert_eq!(Some(&*web.image), container["Image"].as_str());
    assert_eq!(web.log.as_ref().map(|log| &*log.driver), Some("json-file"), "a task of it is on this node: {web:#?}");
    let limited = spec["Spec"]["TaskTemplate"]["Resources"]["Limits"]["MemoryBytes"].as_i64().is_some();
    assert_eq!(web.memory_limited, Some(limited));
}

#[tokio::test]
async fn a_clusters_templates_are_judged_as_they_are_written() {
    let server = ApiServer::start(World::lms());
    server.settle();
    server.create(json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "legacy", "namespace": "lms-ai" },
        "spec": { "replicas": 1, "selector": { "matchLabels": { "app": "legacy" } }, "template": {
            "metadata": { "labels": { "app": "legacy" } },
            "spec": { "hostNetwork": true, "containers": [{
                "name": "db", "image": "postgres", "ports": [{ "containerPort": 5432 }],
                "env": [{ "name": "POSTGRES_PASSWORD", "value": "change_me" }, { "name": "API_TOKEN", "value": "hush-6f1d2c3b" }],
                "securityContext": { "privileged": true, "runAsUser": 0 },
            }] },
        } },
    }));
    server.create(json!({
        "apiVersion": "v1", "kind": "Service", "metadata": { "name": "legacy", "namespace": "lms-ai" },
        "spec": { "type": "LoadBalancer", "selector": { "app": "legacy" }, "ports": [{ "port": 5432, "targetPort": 5432 }] },
    }));
    let engine = engine(&server);
    let survey = survey(&engine, &environment(), |s| s.workload(&"legacy".into()).is_some_and(|w| !w.instances.is_empty())).await;
    assert!(!format!("{survey:?}").contains("hush"), "no value comes along: {survey:#?}");
    let findings = judge(&survey.makeups, Tier::Production, EngineKind::Kubernetes);
    assert_eq!(
        checks(&findings, "legacy"),
        [
            (Check::Placeholders, false),
            (Check::PlainSecrets, false),
            (Check::Databases, true),
            (Check::Privileges, false),
            (Check::HostNetwork, false),
            (Check::Root, false),
            (Check::Escalation, false),
            (Check::Health, false),
            (Check::Limits, false),
            (Check::Tags, false),
        ]
    );
    // Probes, limits, secrets by reference, no door to the outside: what is left is what its manifest does not say.
    assert_eq!(
        checks(&findings, "lms-ai-backend"),
        [(Check::Root, false), (Check::Escalation, false), (Check::Tags, false)],
        "{findings:#?}"
    );
    assert!(!has(&findings, "redis", Check::Databases), "a ClusterIP is no door: {findings:#?}");
}

#[tokio::test]
async fn what_may_not_be_listed_is_told_and_the_rest_is_judged() {
    let server = ApiServer::start(World::lms());
    server.settle();
    let engine = engine(&server);
    let mut inventory = engine.subscribe(Topic::Inventory);
    while !matches!(inventory.next().await, Some(Update::Inventory(all)) if all.environments.iter().any(|s| s.is_listed() && !s.workloads.is_empty()))
    {
    }
    server.faults().forbid("list", "services");
    let survey = engine.survey(environment()).await.unwrap();
    assert!(survey.unseen.iter().any(|why| why.starts_with("services could not be looked at")), "{:?}", survey.unseen);
    assert!(survey.makeups.iter().any(|m| m.workload.as_str() == "lms-ai-backend"));
}

#[tokio::test]
async fn the_demos_stacks_are_judged_by_their_recipes() {
    let spec = ConnectionSpec {
        id: ConnectionId::new("demo"),
        target: TargetSpec::Demo { seed: 1, incident: None, speed_percent: 100 },
        environments: Vec::new(),
        discover: true,
        on_demand: false,
        redaction: Arc::default(),
    };
    let engine = demo::engine(&spec, Timestamp::now()).unwrap();
    let production = EnvironmentId::new("demo", "production");
    let survey = survey(&engine, &production, |s| !s.workloads.is_empty()).await;
    let findings = judge(&survey.makeups, Tier::Production, EngineKind::Kubernetes);
    assert!(has(&findings, "backend", Check::PlainSecrets) && has(&findings, "db", Check::Root), "{findings:#?}");
    assert!(!format!("{findings:?}").contains("p4ss"));
    let elsewhere = engine.survey(EnvironmentId::new("demo", "nowhere")).await;
    assert!(matches!(elsewhere, Err(EngineError::NotFound { .. })), "{elsewhere:?}");
}
