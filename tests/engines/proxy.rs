//! An engine that hangs, is cut off, comes back or never was: what is told, how soon, and that nothing comes twice.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use quarterdeck::config::{ConnectionSpec, DockerTarget, TargetSpec};
use quarterdeck::engine::docker::client::Pace;
use quarterdeck::engine::docker::connect_at;
use quarterdeck::engine::{Engine, LogQuery, Topic, Update};
use quarterdeck::model::{Inventory, Link};
use quarterdeck::observe::log::{Marker, Store};

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
    }
}

fn engine(host: &str) -> std::sync::Arc<dyn Engine> {
    let target = TargetSpec::Docker(DockerTarget::Host(host.into()));
    connect_at(&ConnectionSpec { id: "fake".into(), target, environments: Vec::new(), discover: true }, pace())
}

/// What comes next that `pick` picks; a test that waits in vain fails instead of hanging.
async fn next<T>(stream: &mut BoxStream<'static, Update>, mut pick: impl FnMut(Update) -> Option<T>) -> T {
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

fn container(name: &str) -> String {
    format!(r#"{{"Id":"{}","Names":["/{name}"],"State":"running","Status":"Up 1 second","Image":"i"}}"#, id(name))
}

fn id(name: &str) -> String {
    format!("{name:a<64}")
}

fn event(name: &str, action: &str, ns: i64) -> (i64, String) {
    let json =
        format!(r#"{{"Action":"{action}","Actor":{{"ID":"{}","Attributes":{{"name":"{name}"}}}},"timeNano":{ns}}}"#, id(name));
    (ns, json)
}

fn now_ns() -> i64 {
    i64::try_from(jiff::Timestamp::now().as_nanosecond()).unwrap()
}

/// Reads until an inventory holds exactly these; answers the events told on the way.
async fn until(stream: &mut BoxStream<'static, Update>, wanted: &[&str]) -> Vec<String> {
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
    let engine = engine("ssh://deploy@10.0.0.5");
    let Link::Failed { error, .. } = link(&mut engine.subscribe(Topic::Inventory), "failed").await else { unreachable!() };
    assert!(error.starts_with("Connecting to ssh://deploy@10.0.0.5 cannot be done here: ssh:// is not built yet"), "{error}");
}

fn query(follow: bool, tail: Option<u64>) -> Topic {
    Topic::Logs(LogQuery { tail, follow, ..LogQuery::of(id("one").as_str().into()) })
}

/// Reads until as many lines, markers not counted, are there; answers texts and marker words.
async fn lines(stream: &mut BoxStream<'static, Update>, store: &mut Store, wanted: usize) -> Vec<String> {
    loop {
        let all: Vec<String> = (0..store.len())
            .filter_map(|i| store.get(i))
            .map(|l| l.marker.map_or_else(|| format!("{} {}", l.stream.word(), l.text), |m| format!("-- {}", m.word())))
            .collect();
        if all.iter().filter(|l| !l.starts_with("--")).count() >= wanted {
            return all;
        }
        let batch = next(stream, |u| if let Update::Logs(batch) = u { Some(batch) } else { None }).await;
        store.push(&batch);
    }
}

fn log(fake: &Fake, from: i64, to: i64) {
    // Three lines share each time, and all texts are alike but for their stream.
    fake.with(|w| {
        w.log.extend((from..to).map(|n| (1_795_230_000_000_000_000 + n / 3, if n % 5 == 0 { 2 } else { 1 }, b"line".to_vec())));
    });
}

#[tokio::test]
async fn a_followed_log_survives_every_cut_without_loss_or_repetition() {
    let fake = Fake::started();
    log(&fake, 0, 10);
    let engine = engine(&fake.host());
    let mut topic = engine.subscribe(query(true, Some(4)));
    let mut store = Store::new(1 << 20);
    assert_eq!(lines(&mut topic, &mut store, 4).await.len(), 4);
    for round in 1..=5 {
        log(&fake, round * 10, round * 10 + 4);
        lines(&mut topic, &mut store, 4 + usize::try_from(round).unwrap() * 10 - 6).await;
        fake.cut();
        log(&fake, round * 10 + 4, round * 10 + 10);
        fake.start();
        lines(&mut topic, &mut store, 4 + usize::try_from(round).unwrap() * 10).await;
    }
    let all = lines(&mut topic, &mut store, 54).await;
    let expected: Vec<String> = (6..60).map(|n| format!("{} line", if n % 5 == 0 { "stderr" } else { "stdout" })).collect();
    let got: Vec<String> = all.iter().filter(|l| !l.starts_with("--")).cloned().collect();
    assert_eq!(got.len(), expected.len());
    assert_eq!(
        got.iter().filter(|l| l.starts_with("stderr")).count(),
        expected.iter().filter(|l| l.starts_with("stderr")).count()
    );
    assert_eq!(all.iter().filter(|l| *l == "-- reconnected").count(), 5);
}

#[tokio::test]
async fn a_log_of_nothing_but_odd_bytes_is_safe() {
    let fake = Fake::started();
    let long = vec![b'x'; 1_500_000];
    fake.with(|w| {
        w.log = vec![
            (1, 1, b"\x1b[31mred\x1b[0m \x1b]0;t\x07".to_vec()),
            (2, 2, vec![0xff, 0xfe, b'a']),
            (3, 1, long),
            (4, 1, b"password=hunter2".to_vec()),
            (5, 1, Vec::new()),
        ];
    });
    let engine = engine(&fake.host());
    let mut topic = engine.subscribe(query(false, None));
    let mut store = Store::new(1 << 24);
    while let Some(update) = topic.next().await {
        if let Update::Logs(batch) = update {
            store.push(&batch);
        }
    }
    let texts: Vec<&str> = (0..store.len()).filter_map(|i| store.get(i)).map(|l| l.text).collect();
    assert_eq!(texts.len(), 5);
    assert_eq!((texts[0], texts[1], texts[3], texts[4]), ("red ", "\u{fffd}\u{fffd}a", "password=••••••", ""));
    assert!(texts[2].starts_with("xxxx") && texts[2].len() < 1_100_000 && texts[2].contains("cut"), "{}", texts[2].len());
}

#[tokio::test]
async fn a_log_goes_on_when_its_container_does_and_ends_when_it_is_gone() {
    let fake = Fake::started();
    log(&fake, 0, 3);
    let state = |word: &str| vec![(id("one"), format!(r#"{{"Id":"x","State":{{"Status":"{word}","ExitCode":3}}}}"#))];
    fake.with(|w| {
        w.inspect = state("exited");
        w.ended = true;
        w.list = format!("[{}]", container("one").replace("running", "exited"));
    });
    let engine = engine(&fake.host());
    let mut inventory = engine.subscribe(Topic::Inventory);
    until(&mut inventory, &["one"]).await;
    let mut topic = engine.subscribe(query(true, None));
    let mut store = Store::new(1 << 20);
    lines(&mut topic, &mut store, 3).await;
    let ended = next(&mut topic, |u| if let Update::Logs(batch) = u { Some(batch) } else { None }).await;
    store.push(&ended);
    let last = store.get(store.len() - 1).unwrap();
    assert_eq!(last.marker, Some(&Marker::Ended("the container has ended with exit code 3".into())));

    let run = |fake: &Fake, word: &str, ended: bool| {
        let containers = format!("[{}]", container("one").replace("running", word));
        fake.with(|w| {
            w.inspect = state(word);
            w.ended = ended;
            w.list = containers;
            w.events.push(event("one", "start", now_ns()));
        });
    };
    run(&fake, "running", false);
    log(&fake, 3, 6);
    let both = async {
        tokio::select! {
            all = lines(&mut topic, &mut store, 6) => all,
            () = async { while inventory.next().await.is_some() {} } => panic!("the inventory ended"),
        }
    };
    assert_eq!(both.await.iter().filter(|l| !l.starts_with("--")).count(), 6);

    fake.with(|w| {
        w.inspect.clear();
        w.ended = true;
    });
    let end = async {
        let mut last = None;
        while let Some(update) = topic.next().await {
            if let Update::Logs(batch) = update {
                store.push(&batch);
                last = store.get(store.len() - 1).and_then(|l| l.marker.cloned());
            }
        }
        last
    };
    let last = tokio::time::timeout(Duration::from_secs(20), end).await.expect("the log does not end");
    assert_eq!(last, Some(Marker::Ended("the container is gone".into())));
}
