//! The store scraped in a container, its breaker opened by taking its Redis away, and its health told component by component.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use quarterdeck::engine::Engine;
use quarterdeck::model::{EnvironmentId, Expect, InstanceId, Json, ProbeKind, ProbeSpec, ScrapeSpec};
use quarterdeck::observe::metric::series::Store;
use quarterdeck::observe::rule::expr::{Expr, Value};
use quarterdeck::observe::watch::{ProbeWatch, ScrapeWatch, Sighting, Watch};
use quarterdeck::probe::watch::follow;

use crate::real_engine::{RealEngine, with_store_image};
use crate::real_probes::{connected, engine_here};

const PATIENCE: Duration = Duration::from_secs(60);

/// An endpoint that is scraped, and the series of it.
struct Figures {
    watch: ScrapeWatch,
    sightings: BoxStream<'static, Sighting>,
    store: Store,
}

impl Figures {
    fn of(engine: &Arc<dyn Engine>, watch: ScrapeWatch) -> Self {
        let sightings = follow(Some(engine.clone()), Watch::Scrape(watch.clone()));
        Self { watch, sightings, store: Store::new(4 << 20) }
    }

    /// Scrapes until the expression gives something; the trouble of the last scrape, where it had one.
    async fn until(&mut self, expression: &str) -> Option<Arc<str>> {
        let expr = Expr::parse(expression).unwrap_or_else(|fault| panic!("{expression}: {fault:?}"));
        let target = self.watch.target();
        let wait = async {
            loop {
                let Some(Sighting::Scraped(scraped)) = self.sightings.next().await else { panic!("an endpoint never ends") };
                let (at, took) = (scraped.at.as_millisecond(), scraped.took.as_secs_f64());
                match &scraped.read {
                    Ok(scan) => self.store.record(&target, at, took, scan),
                    Err(_) => self.store.failed(&target, at, took),
                }
                let Ok(Value::Vector(found)) = expr.at(&self.store, at) else { panic!("{expression} gives no vector") };
                if !found.is_empty() {
                    return scraped.read.err();
                }
            }
        };
        tokio::time::timeout(PATIENCE, wait).await.unwrap_or_else(|_| panic!("never: {expression}"))
    }
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
    let mut figures = Figures::of(&console, watch);
    figures.until("circuit_breaker_state{node=\"g1\"} == 0").await;
    assert!(post(engine, &store.id, "/write/a/1"));
    figures.until("sum(app_requests_total{status=\"success\", operation=\"write\"}) == 1").await;

    engine.docker(&["pause", &redis.id]);
    for _ in 0..5 {
        assert!(!post(engine, &store.id, "/write/a/2"));
    }
    figures.until("circuit_breaker_state == 2").await;
    figures.until("sum(db_connection_failures_total) == 5").await;
    figures.until("sum by (mode) (app_requests_total{status=\"error\"}) == 5").await;
    // Five writes that waited half a second each for their database, and one that did not.
    figures.until("histogram_quantile(0.99, sum by (le) (app_request_latency_seconds_bucket)) > 0.5").await;

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
    figures.until("circuit_breaker_state == 1").await;
    assert!(post(engine, &store.id, "/write/a/3"));
    figures.until("circuit_breaker_state == 0").await;
    let well = async {
        while let Some(Sighting::Probed(outcome)) = looks.next().await {
            if outcome.ok {
                return;
            }
        }
    };
    tokio::time::timeout(PATIENCE, well).await.expect("it is well again");

    engine.docker(&["kill", &store.id]);
    let why = figures.until("up == 0").await.expect("a reason");
    assert!(!why.is_empty());
    while figures.until("up == 0").await.as_deref() != Some("it does not run") {}
}
