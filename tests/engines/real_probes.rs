//! Probes of real servers in containers: Redis and PostgreSQL by exec, nginx by http, tcp and TLS through its engine, none of
//! their ports published; and what is made of them when they fall and rise again.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use quarterdeck::engine::docker::connect;
use quarterdeck::engine::{Engine, Topic, Update};
use quarterdeck::model::{EnvironmentId, Expect, Health, InstanceId, Json, Manner, ProbeKind, ProbeSpec};
use quarterdeck::observe::probe::{Mark, Standing};
use quarterdeck::observe::watch::{Outcome, ProbeWatch, Sighting, Watch};
use quarterdeck::probe::watch::follow;

use crate::real_engine::{RealEngine, not_run, real_engine, root, with_stack_images};

const PATIENCE: Duration = Duration::from_secs(60);

/// An engine whose containers are reached from here, with the images of the stacks on it.
pub fn engine_here() -> Option<&'static RealEngine> {
    let engine = with_stack_images(real_engine()?);
    if !engine.host.starts_with("unix://") {
        not_run("probes of containers at their own ports", "the engine is not on this machine");
        return None;
    }
    Some(engine)
}

/// The engine as the console holds it, its inventory followed, once it knows these containers.
pub async fn connected(engine: &RealEngine, containers: &[&str]) -> Arc<dyn Engine> {
    let connected = connect(&engine.spec());
    let mut updates = connected.subscribe(Topic::Inventory);
    let knows = async {
        while let Some(update) = updates.next().await {
            let Update::Inventory(inventory) = update else { continue };
            let has = |id: &str| inventory.environments.iter().any(|s| s.instance(&InstanceId::new(id)).is_some());
            if containers.iter().all(|id| has(id)) {
                return;
            }
        }
    };
    tokio::time::timeout(PATIENCE, knows).await.expect("the engine shows its containers");
    tokio::spawn(async move { while updates.next().await.is_some() {} });
    connected
}

/// A probe that is looked at, and what is made of its looks.
struct Eye {
    sightings: BoxStream<'static, Sighting>,
    standing: Standing,
}

impl Eye {
    fn of(engine: &Arc<dyn Engine>, spec: ProbeSpec, container: &str) -> Self {
        let standing = Standing::of(&spec);
        let environment = EnvironmentId::new("real", "containers");
        let watch = ProbeWatch { environment, probe: Arc::new(spec), instance: Some(InstanceId::new(container)) };
        Self { sightings: follow(Some(engine.clone()), Watch::Probe(watch)), standing }
    }

    async fn next(&mut self) -> Outcome {
        let Some(Sighting::Probed(outcome)) = self.sightings.next().await else { panic!("a probe never ends") };
        self.standing.record(outcome.clone());
        outcome
    }

    /// Looks until it is so; the last outcome.
    async fn until(&mut self, health: Health) -> Outcome {
        let wait = async {
            loop {
                let outcome = self.next().await;
                if self.standing.health == health {
                    return outcome;
                }
            }
        };
        let waited = tokio::time::timeout(PATIENCE, wait).await;
        waited.unwrap_or_else(|_| panic!("it never gets {health}: {:?}", self.standing.last))
    }
}

fn spec(kind: ProbeKind) -> ProbeSpec {
    ProbeSpec { interval: Duration::from_millis(150), timeout: Duration::from_secs(5), ..ProbeSpec::of("p", kind) }
}

fn exec(words: &[&str]) -> ProbeKind {
    ProbeKind::Exec(words.iter().map(|word| Arc::from(*word)).collect())
}

#[tokio::test]
async fn redis_and_postgres_answer_their_own_tools_and_turn_when_killed() {
    let Some(engine) = engine_here() else { return };
    let redis = engine.run("redis", &["qd-test/redis:1"]);
    let postgres = engine.run("postgres", &["qd-test/postgres:1"]);
    let console = connected(engine, &[&redis.id, &postgres.id]).await;
    let mut ping = Eye::of(&console, spec(exec(&["redis-cli", "ping"])), &redis.id);
    let mut ready = Eye::of(&console, spec(exec(&["pg_isready"])), &postgres.id);
    assert_eq!(&*ping.until(Health::Healthy).await.words, "PONG");
    let said = ready.until(Health::Healthy).await.words;
    assert!(said.contains("accepting connections"), "{said}");
    let mut port = Eye::of(&console, spec(ProbeKind::Tcp("{instance}:6379".into())), &redis.id);
    let said = port.until(Health::Healthy).await;
    assert!(said.words.starts_with("takes connections in "), "{said:?}");
    let mut wrong = Eye::of(&console, spec(exec(&["redis-cli", "-p", "1", "ping"])), &redis.id);
    let said = wrong.until(Health::Unhealthy).await.words;
    assert!(said.contains("Could not connect") || said.contains("Connection refused"), "{said}");
    let mut missing = Eye::of(&console, spec(exec(&["no-such-tool"])), &redis.id);
    let said = missing.until(Health::Unhealthy).await.words;
    assert!(said.contains("no-such-tool"), "{said}");

    engine.docker(&["kill", &redis.id]);
    let gone = ping.until(Health::Unhealthy).await;
    assert!(gone.words.contains("does not run"), "{gone:?}");
    // Three failures in a row, not one: and it is told since the first of them.
    let failed: Vec<_> = ping.standing.strip().filter(|look| look.mark == Mark::Failed).collect();
    assert!(failed.len() >= 3, "{failed:?}");
    assert_eq!(ping.standing.since, Some(failed[failed.len() - 3].at));
    port.until(Health::Unhealthy).await;
    engine.docker(&["start", &redis.id]);
    assert_eq!(&*ping.until(Health::Healthy).await.words, "PONG");
    port.until(Health::Healthy).await;
    assert!(ping.standing.latency(0.5).is_some() && ping.standing.latency(0.5) <= ping.standing.latency(0.95));
}

#[tokio::test]
async fn nginx_is_asked_through_its_engine_by_a_certificate_of_ones_own_authority() {
    let Some(engine) = engine_here() else { return };
    let file = |name: &str| root().join("tests/probe/tls").join(name);
    let pem = |name: &str| std::fs::read_to_string(file(name)).unwrap();
    let conf = "events {} http { access_log off; server { listen 8080; listen 8443 ssl; ssl_certificate /tmp/server.pem; \
                ssl_certificate_key /tmp/key.pem; gzip on; gzip_min_length 1; gzip_types application/json; \
                location = /health { default_type application/json; \
                return 200 '{\"status\":\"healthy\",\"components\":{\"db\":\"up\",\"kafka\":\"down\",\"redis\":\"up\"}}'; } \
                location = /old { return 301 /health; } \
                location = /away { return 302 http://127.0.0.1:1/; } } }";
    let script = "printf %s \"$CERT\" >/tmp/server.pem; printf %s \"$KEY\" >/tmp/key.pem; printf %s \"$CONF\" >/tmp/n.conf; \
                  exec nginx -c /tmp/n.conf -g 'user root root; daemon off; error_log stderr; pid /tmp/pid;'";
    let (cert, key, conf) = (format!("CERT={}", pem("server.pem")), format!("KEY={}", pem("key.pem")), format!("CONF={conf}"));
    let nginx = engine.run("nginx", &["-e", &cert, "-e", &key, "-e", &conf, "qd-test/nginx:0", "sh", "-c", script]);
    let console = connected(engine, &[&nginx.id]).await;
    let ca = Some(Arc::from(file("authority.pem").display().to_string()));
    let trusting = Manner { ca, ..Manner::default() };
    let json = |pairs: &[(&str, &str)]| Expect {
        json: pairs.iter().map(|(path, value)| (Arc::from(*path), Json::Text((*value).into()))).collect(),
        ..Expect::default()
    };
    let days = Expect { certificate_days: Some(14), ..Expect::default() };
    let up = |address: &str| ProbeKind::Http(address.into());
    let healthy = Health::Healthy;
    for (kind, expect, manner, health, words) in [
        (up("http://{instance}:8080/health"), json(&[("components.db", "up")]), Manner::default(), healthy, "200 in "),
        (up("http://{instance}:8080/old"), json(&[("status", "healthy")]), Manner::default(), healthy, "200 in "),
        (up("https://{instance}:8443/health"), days.clone(), trusting.clone(), healthy, "200 in "),
        (ProbeKind::Tls("{instance}:8443".into()), days, trusting.clone(), healthy, "certificate valid for "),
        (ProbeKind::Tcp("{instance}:8443".into()), Expect::default(), Manner::default(), healthy, "takes connections in "),
        (
            up("http://{instance}:8080/health"),
            json(&[("components.db", "down"), ("components.kafka", "up"), ("components.redis", "up")]),
            Manner::default(),
            Health::Unhealthy,
            "components.db is \"up\", \"down\" is wanted; components.kafka is \"down\", \"up\" is wanted",
        ),
        (
            up("https://{instance}:8443/health"),
            Expect::default(),
            Manner::default(),
            Health::Unhealthy,
            "its certificate is from an authority this machine does not trust",
        ),
        (
            ProbeKind::Tls("{instance}:8443".into()),
            Expect::default(),
            Manner { host: Some("lms.example".into()), ..trusting },
            Health::Unhealthy,
            "its certificate is not for lms.example",
        ),
        (up("http://{instance}:8080/away"), Expect::default(), Manner::default(), Health::Unhealthy, "nothing listens there"),
        (
            ProbeKind::Tcp("{instance}:81".into()),
            Expect::default(),
            Manner::default(),
            Health::Unhealthy,
            "nothing listens there",
        ),
    ] {
        let encrypted = matches!(&kind, ProbeKind::Http(url) if url.starts_with("https")) || matches!(kind, ProbeKind::Tls(_));
        let mut eye = Eye::of(&console, ProbeSpec { expect, manner, ..spec(kind.clone()) }, &nginx.id);
        let seen = eye.until(health).await;
        assert!(seen.words.starts_with(words), "{kind:?}: {seen:?}");
        assert_eq!(seen.certificate_days.is_some(), encrypted && health == healthy, "{seen:?}");
    }
}

#[tokio::test]
async fn a_command_that_hangs_is_left_behind_once_and_not_at_every_look() {
    let Some(engine) = engine_here() else { return };
    let container = engine.run("hang", &["qd-test/app:1"]);
    let console = connected(engine, &[&container.id]).await;
    let hanging = ProbeSpec { timeout: Duration::from_millis(400), ..spec(exec(&["sleep", "7654"])) };
    let mut eye = Eye::of(&console, hanging, &container.id);
    for _ in 0..6 {
        assert!(!eye.next().await.ok);
    }
    let said = eye.next().await.words;
    assert!(said.contains("has not ended; no other one is begun"), "{said}");
    let top = engine.docker(&["top", &container.id]);
    assert_eq!(top.matches("sleep 7654").count(), 1, "{top}");
}
