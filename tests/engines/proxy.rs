//! An engine that hangs, is cut off, comes back or never was: what is told, how soon, and that nothing comes twice.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use quarterdeck::config::{ConnectionSpec, DockerTarget, TargetSpec};
use quarterdeck::engine::docker::client::Pace;
use quarterdeck::engine::docker::connect_at;
use quarterdeck::engine::{Engine, Topic, Update};
use quarterdeck::model::{Inventory, Link};

use crate::fake::Fake;

/// Everything a hundred times faster, so that no test waits for a clock.
fn pace() -> Pace {
    Pace {
        ping_every: Duration::from_millis(20),
        ping_timeout: Duration::from_millis(60),
        retry_first: Duration::from_millis(5),
        retry_cap: Duration::from_millis(20),
        retry_hopeless: Duration::from_millis(20),
        debounce: Duration::from_millis(5),
        resync: Duration::from_secs(60),
        look_again: Duration::from_secs(60),
        log_flush: Duration::from_millis(5),
        ..Pace::default()
    }
}

pub fn engine(host: &str) -> std::sync::Arc<dyn Engine> {
    let target = TargetSpec::Docker(DockerTarget::Host(host.into()));
    connect_at(
        &ConnectionSpec {
            id: "fake".into(),
            target,
            environments: Vec::new(),
            discover: true,
            on_demand: false,
            redaction: std::sync::Arc::default(),
        },
        pace(),
    )
}

/// What comes next that `pick` picks; a test that waits in vain fails instead of hanging.
pub async fn next<T>(stream: &mut BoxStream<'static, Update>, mut pick: impl FnMut(Update) -> Option<T>) -> T {
    let wait = async {
        loop {
            match stream.next().await {
                Some(update) => {
                    if let Some(picked) = pick(update) {
                        return picked;
                    }
                }
                None => panic!("the topic ended"),
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), wait).await.expect("it never came")
}

async fn link(stream: &mut BoxStream<'static, Update>, word: &str) -> Link {
    next(stream, |u| if let Update::Link(link) = u { (link.word() == word).then_some(link) } else { None }).await
}

fn names(inventory: &Inventory) -> Vec<String> {
    inventory.environments.iter().flat_map(|e| &e.workloads).map(|w| w.id.to_string()).collect()
}

pub fn container(name: &str) -> String {
    format!(r#"{{"Id":"{}","Names":["/{name}"],"State":"running","Status":"Up 1 second","Image":"i"}}"#, id(name))
}

pub fn id(name: &str) -> String {
    format!("{name:a<64}")
}

pub fn event(name: &str, action: &str, ns: i64) -> (i64, String) {
    let json =
        format!(r#"{{"Action":"{action}","Actor":{{"ID":"{}","Attributes":{{"name":"{name}"}}}},"timeNano":{ns}}}"#, id(name));
    (ns, json)
}

pub fn now_ns() -> i64 {
    i64::try_from(jiff::Timestamp::now().as_nanosecond()).unwrap()
}

/// Reads until an inventory holds exactly these; answers the events told on the way.
pub async fn until(stream: &mut BoxStream<'static, Update>, wanted: &[&str]) -> Vec<String> {
    let mut events = Vec::new();
    next(stream, |update| match update {
        Update::Inventory(inventory) => (names(&inventory) == wanted).then_some(()),
        Update::Events(items) => {
            events.extend(items.iter().map(|i| format!("{} {}", i.subject, i.what)));
            None
        }
        _ => None,
    })
    .await;
    events
}

async fn goes_and_comes_back(lose: impl Fn(&Fake), regain: impl Fn(&Fake), said: &str) {
    let fake = Fake::started();
    fake.with(|w| w.list = format!("[{}]", container("one")));
    let engine = engine(&fake.host());
    let mut topic = engine.subscribe(Topic::Inventory);
    assert_eq!(link(&mut topic, "live").await, Link::Live { latency_ms: None });
    until(&mut topic, &["one"]).await;

    let first = now_ns();
    fake.with(|w| {
        w.list = format!("[{},{}]", container("one"), container("two"));
        w.events.push(event("two", "start", first));
    });
    assert_eq!(until(&mut topic, &["one", "two"]).await, ["two start"]);

    lose(&fake);
    let stale = link(&mut topic, "stale").await;
    let Link::Stale { since, error, retry_at } = stale else { panic!("{stale:?}") };
    assert!(error.contains(said) && retry_at.is_some(), "{error}");
    // It stays stale since the same moment, however often it is tried.
    let again = link(&mut topic, "stale").await;
    assert!(matches!(again, Link::Stale { since: s, .. } if s == since));

    fake.with(|w| {
        w.list = format!("[{}]", container("two"));
        w.events.push(event("one", "destroy", first + 5_000_000));
    });
    regain(&fake);
    link(&mut topic, "live").await;
    let mut events = until(&mut topic, &["two"]).await;
    fake.with(|w| {
        w.list = format!("[{},{}]", container("two"), container("three"));
        w.events.push(event("three", "start", now_ns()));
    });
    events.extend(until(&mut topic, &["three", "two"]).await);
    assert_eq!(events, ["one destroy", "three start"], "every event once");
    let hanging = fake.with(|w| w.open);
    assert!(hanging < 8, "{hanging} connections are open");
}

#[tokio::test]
async fn an_engine_that_hangs_is_stale_and_comes_back() {
    goes_and_comes_back(|fake| fake.stall(true), |fake| fake.stall(false), "does not answer").await;
}

#[tokio::test]
async fn an_engine_that_is_cut_off_is_stale_and_comes_back() {
    goes_and_comes_back(Fake::cut, Fake::start, "cannot be reached").await;
}

#[tokio::test]
async fn a_long_answer_is_no_hang_and_an_idle_engine_is_asked_nothing() {
    let fake = Fake::started();
    fake.with(|w| {
        w.list = format!("[{}]", container("one"));
        w.inspect.push((id("one"), r#"{"Id":"x","State":{"Status":"running"}}"#.into()));
    });
    let engine = engine(&fake.host());
    let mut topic = engine.subscribe(Topic::Inventory);
    until(&mut topic, &["one"]).await;
    // Pings go on, and nothing else is asked.
    next(&mut topic, |u| matches!(u, Update::Link(Link::Live { latency_ms: Some(_) })).then_some(())).await;
    let waited = async {
        while fake.with(|w| w.count("_ping")) < 8 {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        update = topic.next() => if let Some(Update::Inventory(_) | Update::Events(_)) = update { panic!("{update:?}") },
        () = waited => {}
    }
    assert_eq!(fake.with(|w| (w.count("/containers/json"), w.count("/events"))), (1, 1));
    drop(topic);
    let closed = async {
        while fake.with(|w| w.open) > 1 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), closed).await.expect("the event stream stays open after nobody follows it");
}

#[tokio::test]
async fn what_never_was_there_is_failed_with_a_hint_until_it_is() {
    let fake = Fake::new();
    let engine = engine(&fake.host());
    let mut topic = engine.subscribe(Topic::Inventory);
    let Link::Failed { error, hint, .. } = link(&mut topic, "failed").await else { unreachable!() };
    assert_eq!(error.as_ref(), format!("{} cannot be reached: the socket does not exist", fake.host()));
    assert!(hint.contains("check that the engine runs"));
    fake.start();
    link(&mut topic, "live").await;
}

#[tokio::test]
async fn every_wrong_counterpart_is_a_clear_sentence() {
    /// What is there instead of an engine, how it is put there, and what is said of it.
    type Row = (&'static str, fn(&Fake), &'static str, &'static str);
    let table: &[Row] = &[
        ("a file", |f| std::fs::write(f.socket(), "").unwrap(), "nothing listens there", "check that the engine runs"),
        (
            "another program",
            |f| {
                f.start();
                f.with(|w| w.garbage = Some(b"SSH-2.0-OpenSSH_9.2\r\n".to_vec()));
            },
            "answered nonsense: that is not HTTP",
            "check that the address is a Docker engine",
        ),
        (
            "a web server",
            |f| {
                f.start();
                f.with(|w| w.list = "<html>".into());
            },
            "answered nonsense: the container list is no list",
            "check that the address is a Docker engine",
        ),
        (
            "an old engine",
            |f| {
                f.start();
                f.with(|w| w.api = "1.39".into());
            },
            "is too old: Docker 20.10.24, API 1.39; API 1.40 is needed",
            "upgrade the engine",
        ),
        (
            "one that hangs up",
            |f| {
                f.start();
                f.with(|w| w.garbage = Some(Vec::new()));
            },
            "the connection broke off",
            "check that the engine runs",
        ),
    ];
    for (what, make, said, hinted) in table {
        let fake = Fake::new();
        make(&fake);
        let engine = engine(&fake.host());
        let Link::Failed { error, hint, .. } = link(&mut engine.subscribe(Topic::Inventory), "failed").await else {
            unreachable!()
        };
        assert!(error.contains(said) && error.contains("engine.sock") && hint.contains(hinted), "{what}: {error}; {hint}");
    }
}
