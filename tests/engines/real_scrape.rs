//! The store scraped in a container, its breaker opened by taking its Redis away, and its health told component by component.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use quarterdeck::model::{EnvironmentId, Expect, InstanceId, Json, ProbeKind, ProbeSpec, ScrapeSpec};
use quarterdeck::observe::watch::{ProbeWatch, ScrapeWatch, Scraped, Sighting, Watch};
use quarterdeck::probe::watch::follow;

use crate::real_engine::{RealEngine, with_store_image};
use crate::real_probes::{connected, engine_here};

const PATIENCE: Duration = Duration::from_secs(60);

/// The sum of a family, where it is exposed.
fn value(scraped: &Scraped, family: &str, label: Option<(&str, &str)>) -> Option<f64> {
    let read = scraped.read.as_ref().ok()?;
    let fits = |labels: &std::collections::BTreeMap<Arc<str>, Arc<str>>| {
        label.is_none_or(|(name, value)| labels.get(name).is_some_and(|found| **found == *value))
    };
    let found: Vec<f64> = read.points.iter().filter(|p| *p.name == *family && fits(&p.labels)).map(|p| p.value).collect();
    (!found.is_empty()).then(|| found.iter().sum())
}

/// Scrapes until it is so.
async fn until(sightings: &mut BoxStream<'static, Sighting>, what: &str, so: impl Fn(&Scraped) -> bool) -> Scraped {
    let wait = async {
        loop {
            let Some(Sighting::Scraped(scraped)) = sightings.next().await else { panic!("an endpoint never ends") };
            if so(&scraped) {
                return scraped;
            }
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.unwrap_or_else(|_| panic!("never: {what}"))
}

/// Asks the store something from inside of its container; whether that went well.
fn post(engine: &RealEngine, store: &str, path: &str) -> bool {
    let url = format!("http://127.0.0.1:5001{path}");
    engine.try_docker(&["exec", store, "wget", "-q", "-O", "-", "--post-data=", &url]).status.success()
}

#[tokio::test]
async fn the_breaker_of_a_store_that_lost_its_redis_is_seen_open_and_closed_again() {
    let Some(engine) = engine_here().map(with_store_image) else { return };
    let redis = engine.run("storedb", &["qd-test/redis:1"]);
    let ip = engine.inspect(&redis.id)["NetworkSettings"]["IPAddress"].as_str().unwrap().to_owned();
    let store = engine.run("store", &["-e", &format!("DB={ip}:6379"), "-e", "NODE=g1", "-e", "OPEN_MS=1500", "qd-test/store:1"]);
    let console = connected(engine, &[&redis.id, &store.id]).await;
    let environment = EnvironmentId::new("real", "containers");
    let scrape = ScrapeSpec {
        workload: None,
        url: "http://{instance}:5001/metrics".into(),
        interval: Duration::from_millis(200),
        job: "store".into(),
    };
    let instance = Some((InstanceId::new(store.id.as_str()), Arc::from(store.name.as_str())));
    let watch = ScrapeWatch { environment: environment.clone(), scrape: Arc::new(scrape), instance };
    let mut figures = follow(Some(console.clone()), Watch::Scrape(watch));
    let state = |scraped: &Scraped| value(scraped, "circuit_breaker_state", Some(("node", "g1")));
    until(&mut figures, "the store is up", |scraped| state(scraped) == Some(0.0)).await;
    assert!(post(engine, &store.id, "/write/a/1"));
    let ok = Some(("status", "success"));
    until(&mut figures, "a write is counted", |scraped| value(scraped, "app_requests_total", ok) == Some(1.0)).await;

    engine.docker(&["pause", &redis.id]);
    for _ in 0..5 {
        assert!(!post(engine, &store.id, "/write/a/2"));
    }
    let open = until(&mut figures, "the breaker opens", |scraped| state(scraped) == Some(2.0)).await;
    assert_eq!(value(&open, "db_connection_failures_total", None), Some(5.0));
    assert_eq!(value(&open, "app_requests_total", Some(("status", "error"))), Some(5.0));
    assert!(value(&open, "app_request_latency_seconds_bucket", Some(("le", "+Inf"))) == Some(6.0), "{open:?}");

    // Its health names every component that is not well.
    let json = [("components.breaker", "CLOSED"), ("components.db", "up"), ("components.kafka", "up")];
    let json = json.map(|(path, value)| (Arc::from(path), Json::Text(value.into()))).into_iter().collect();
    let health = ProbeSpec {
        interval: Duration::from_millis(200),
        expect: Expect { json, ..Expect::default() },
        ..ProbeSpec::of("health", ProbeKind::Http("http://{instance}:5001/health".into()))
    };
    assert!(post(engine, &store.id, "/break/kafka"));
    let watch = ProbeWatch { environment, probe: Arc::new(health), instance: Some(InstanceId::new(store.id.as_str())) };
    let mut looks = follow(Some(console), Watch::Probe(watch));
    let Some(Sighting::Probed(sick)) = looks.next().await else { panic!("a probe never ends") };
    assert!(!sick.ok && sick.words.starts_with("answers 503: components."), "{sick:?}");
    for component in ["components.db is \"down\", \"up\" is wanted", "components.kafka is \"down\", \"up\" is wanted"] {
        assert!(sick.words.contains(component), "{sick:?}");
    }

    engine.docker(&["unpause", &redis.id]);
    assert!(post(engine, &store.id, "/mend"));
    until(&mut figures, "the breaker half opens", |scraped| state(scraped) == Some(1.0)).await;
    assert!(post(engine, &store.id, "/write/a/3"));
    until(&mut figures, "the breaker closes", |scraped| state(scraped) == Some(0.0)).await;
    let well = async {
        while let Some(Sighting::Probed(outcome)) = looks.next().await {
            if outcome.ok {
                return;
            }
        }
    };
    tokio::time::timeout(PATIENCE, well).await.expect("it is well again");

    engine.docker(&["kill", &store.id]);
    let gone = |scraped: &Scraped| scraped.read.as_ref().is_err_and(|why| &**why == "it does not run");
    until(&mut figures, "it is told to be gone", gone).await;
}
