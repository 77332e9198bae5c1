//! Errands that need a real engine: its instances probed at their own addresses, their figures read and reckoned.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use quarterdeck::engine::EngineError;
use quarterdeck::model::EnvironmentId;
use quarterdeck::model::probe::{Expect, Json, ProbeKind, ProbeSpec};
use quarterdeck::operate::action::InstanceRef;
use quarterdeck::operate::errand::{EngineFigure, Limit, Metric, MetricSource};
use quarterdeck::operate::{Accepted, Action, Errand};

use crate::real_engine::{RealEngine, known, not_run, real_engine};

/// An engine whose containers' addresses lead somewhere from here.
fn engine_here() -> Option<&'static RealEngine> {
    let engine = real_engine()?;
    if !engine.host.starts_with("unix://") {
        not_run("asking instances at their own addresses", "the engine is not on this machine");
        return None;
    }
    Some(engine)
}

fn probe(url: &str, expect: Expect, instances: Vec<InstanceRef>) -> Action {
    let spec = ProbeSpec { timeout: Duration::from_secs(5), expect, ..ProbeSpec::of("app", ProbeKind::Http(url.into())) };
    Action::Errand(Box::new(Errand::Probe { probe: Arc::new(spec), instances }))
}

fn words(answer: Result<Accepted, EngineError>) -> String {
    match answer {
        Ok(Accepted::Reading { words, .. }) => words.to_string(),
        Ok(other) => panic!("{other:?}"),
        Err(error) => format!("error: {error}"),
    }
}

#[tokio::test]
async fn every_instance_is_asked_and_the_bad_one_is_named() {
    let Some(engine) = engine_here() else { return };
    let (good, bad) = (engine.run("good", &["qd-test/app:1"]), engine.run("bad", &["qd-test/app:2"]));
    for (container, state) in [(&good, "up"), (&bad, "down")] {
        let script = format!("echo '{{\"components\":{{\"db\":\"{state}\"}}}}' > /www/health");
        engine.docker(&["exec", &container.id, "sh", "-c", &script]);
    }
    let url = "http://{instance}:8080/health";
    let expect = || Expect { json: BTreeMap::from([("components.db".into(), Json::Text("up".into()))]), ..Expect::default() };
    let both = || vec![known(&good.id), known(&bad.id)];
    let well = words(engine.act(probe(url, Expect::default(), both())).await);
    assert!(well.starts_with("all 2: 200 in "), "{well}");
    let well = words(engine.act(probe(url, expect(), vec![known(&good.id)])).await);
    assert!(well.starts_with("200 in "), "{well}");
    let sick = words(engine.act(probe(url, expect(), both())).await);
    assert_eq!(sick, format!("error: probe app: {}: components.db is \"down\", \"up\" is wanted", bad.name));

    engine.docker(&["stop", "--time", "0", &bad.id]);
    let gone = words(engine.act(probe(url, expect(), both())).await);
    assert!(gone.contains(&bad.name) && gone.contains("it does not run"), "{gone}");
    let nobody = words(engine.act(probe(url, expect(), vec![known(&"0".repeat(64))])).await);
    assert!(nobody.ends_with("is gone"), "{nobody}");
}

fn metric(name: &str, source: MetricSource, limit: Option<Limit>) -> Action {
    let metric =
        Metric { name: name.into(), environment: EnvironmentId::new("real", "shop"), source, window: Duration::from_millis(300) };
    Action::Errand(Box::new(Errand::Metric { metric: Box::new(metric), limit }))
}

#[tokio::test]
async fn figures_come_from_the_engine_and_from_what_instances_expose() {
    let Some(engine) = engine_here() else { return };
    let two = [
        engine.run("figure", &["--memory", "64m", "qd-test/app:1"]),
        engine.run("figure", &["--memory", "64m", "qd-test/app:1"]),
    ];
    let instances = || two.iter().map(|container| known(&container.id)).collect::<Vec<_>>();
    for figure in [EngineFigure::Cpu, EngineFigure::Memory] {
        let source = MetricSource::Engine { figure, instances: instances() };
        let read = engine.act(metric("memory", source, Some(Limit::Below(0.9)))).await;
        let Ok(Accepted::Reading { value: Some(value), words }) = read else { panic!("{read:?}") };
        assert!(value > 0.0 && value < 0.9 && words.contains("mean of 2"), "{words}");
    }
    for container in &two {
        let script = "printf 'queue_length 4\\nhttp_requests_total{code=\"200\"} 10\\n' > /www/metrics";
        engine.docker(&["exec", &container.id, "sh", "-c", script]);
    }
    let scrape = || MetricSource::Scrape { urls: vec!["http://{instance}:8080/metrics".into()], instances: instances() };
    assert_eq!(words(engine.act(metric("queue_length", scrape(), Some(Limit::Below(9.0)))).await), "queue_length 8 (< 9)");
    assert_eq!(
        words(engine.act(metric("queue_length", scrape(), Some(Limit::Below(8.0)))).await),
        "error: queue_length: it is 8, < 8 is wanted"
    );
    assert_eq!(words(engine.act(metric("error_rate", scrape(), None)).await), "error_rate 0, no requests");
    let missing = MetricSource::Scrape { urls: vec!["http://{instance}:8080/none".into()], instances: instances() };
    let missing = words(engine.act(metric("error_rate", missing, None)).await);
    assert!(missing.contains("it answers 404"), "{missing}");
}
