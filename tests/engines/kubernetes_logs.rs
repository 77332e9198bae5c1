//! Logs of a cluster that misbehaves: cut off, silent, away, out of order. Every line comes once, and what happened is said.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use quarterdeck::engine::{Engine, LogQuery, Topic, Update};
use quarterdeck::model::InstanceId;
use serde_json::json;

use crate::apiserver::{About, Answer, ApiServer, World};
use crate::cluster::engine;
use crate::paging::it_pages_up;

const NS: &str = "lms-ai";
const LIMIT: Duration = Duration::from_secs(60);

/// A pod of one container that says what the test lets it say.
fn talker(server: &ApiServer) -> (InstanceId, impl Fn(&str) + use<'_>) {
    server.settle();
    let pods = server.pods(NS);
    let redis = pods.iter().find(|p| p["metadata"]["name"] == json!("redis-0")).expect("a pod");
    let container = redis["spec"]["containers"][0]["name"].as_str().unwrap().to_owned();
    (InstanceId::new(format!("{NS}/redis-0")), move |text: &str| server.say(NS, "redis-0", &container, text))
}

/// A log as it is read: texts, and markers in brackets.
struct Read {
    updates: BoxStream<'static, Update>,
    lines: Vec<String>,
}

impl Read {
    fn follow(engine: &Arc<dyn Engine>, instance: &InstanceId) -> Self {
        Self::of(engine, LogQuery { follow: true, ..LogQuery::of(instance.clone()) })
    }

    fn of(engine: &Arc<dyn Engine>, query: LogQuery) -> Self {
        Self { updates: engine.subscribe(Topic::Logs(query)), lines: Vec::new() }
    }

    /// Reads until a line contains this, or to the end.
    async fn until(&mut self, text: &str) -> bool {
        let read = async {
            while !self.lines.iter().any(|l| l.contains(text)) {
                let Some(update) = self.updates.next().await else { return false };
                let Update::Logs(batch) = update else { continue };
                for line in (0..batch.chunk.len()).filter_map(|i| batch.line(i)) {
                    self.lines
                        .push(line.marker.map_or_else(|| line.text.to_owned(), |m| format!("[{}] {}", m.word(), m.detail())));
                }
            }
            true
        };
        let read = tokio::time::timeout(LIMIT, read).await;
        read.unwrap_or_else(|_| panic!("{text:?} never comes: {:#?}", self.lines))
    }

    /// What the test let it say.
    fn texts(&self) -> Vec<&str> {
        self.lines.iter().map(String::as_str).filter(|l| l.starts_with("line ")).collect()
    }

    fn markers(&self) -> Vec<&str> {
        self.lines.iter().map(String::as_str).filter(|l| l.starts_with('[')).collect()
    }
}

fn numbered(range: std::ops::RangeInclusive<u32>) -> Vec<String> {
    range.map(|n| format!("line {n}")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_is_cut_goes_on_without_loss_and_says_so() {
    let server = ApiServer::start(World::lms());
    let (pod, say) = talker(&server);
    let engine = engine(&server);
    (1..=50).for_each(|n| say(&format!("line {n}")));
    let mut read = Read::follow(&engine, &pod);
    assert!(read.until("line 50").await);
    for round in 0..3 {
        server.faults().cut();
        (1..=50).for_each(|n| say(&format!("line {}", 50 + round * 50 + n)));
        assert!(read.until(&format!("line {}", 100 + round * 50)).await);
    }
    assert_eq!(read.texts(), numbered(1..=200));
    let markers = read.markers();
    assert!(
        !markers.is_empty() && markers.iter().all(|m| m.starts_with("[reconnected] ") && m.ends_with("nothing lost")),
        "{markers:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_does_not_hand_its_log_out_is_waited_for() {
    let server = ApiServer::start(World::lms());
    let (pod, say) = talker(&server);
    let engine = engine(&server);
    say("line 1");
    let mut read = Read::follow(&engine, &pod);
    assert!(read.until("line 1").await);
    let down = "Get \"https://10.200.0.1:10250/containerLogs\": dial tcp 10.200.0.1:10250: connect: connection refused";
    server.faults().answer(About::path("/log?"), Answer::Broken(down.into()));
    server.faults().cut();
    assert!(read.until("connection refused").await);
    assert!(read.markers()[0].starts_with("[waiting] its log cannot be read now: "), "{:?}", read.markers());
    // Asked again and again, said once.
    say("line 2");
    server.forget_requests();
    let mend = async {
        while server.asked("/log?") < 2 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        server.faults().heal();
    };
    assert!(tokio::join!(read.until("line 2"), mend).0);
    assert_eq!(read.texts(), ["line 1", "line 2"]);
    assert_eq!(read.markers().len(), 2, "{:?}", read.markers());
    assert!(read.markers()[1].starts_with("[reconnected] "));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stands_before_the_server_is_got_through() {
    let server = ApiServer::start(World::lms());
    let (pod, say) = talker(&server);
    let engine = engine(&server);
    say("line 1");
    for answer in [
        Answer::Busy(1),
        Answer::Plain(503, "no healthy upstream".into()),
        Answer::Broken("etcdserver: request timed out".into()),
        Answer::Plain(404, "404 page not found".into()),
    ] {
        server.faults().answer(About::path("/pods/redis-0").times(2), answer.clone());
        let mut read = Read::of(&engine, LogQuery::of(pod.clone()));
        assert!(read.until("line 1").await, "{answer:?}: {:?}", read.lines);
        assert_eq!(read.texts(), ["line 1"], "{answer:?}");
    }
    server.faults().slow(About::path("/log?").times(1), Duration::from_millis(300));
    assert!(Read::of(&engine, LogQuery::of(pod.clone())).until("line 1").await);
    // A log that is not followed is given up in the end, with the reason.
    server.faults().answer(About::path("/log?"), Answer::Broken("the node is on fire".into()));
    let mut read = Read::of(&engine, LogQuery::of(pod));
    assert!(!read.until("never").await);
    assert!(read.lines.last().unwrap().contains("on fire"), "{:?}", read.lines);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_may_not_and_is_told() {
    let server = ApiServer::start(World::lms());
    let (pod, say) = talker(&server);
    say("line 1");
    server.faults().forbid("get", "pods/log");
    let mut read = Read::follow(&engine(&server), &pod);
    assert!(!read.until("never").await);
    assert_eq!(read.lines.len(), 1);
    assert!(read.lines[0].starts_with("[ended] ") && read.lines[0].contains("forbidden"), "{:?}", read.lines);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stall_holds_a_log_up_and_loses_nothing() {
    let server = ApiServer::start(World::lms());
    let (pod, say) = talker(&server);
    let engine = engine(&server);
    say("line 1");
    let mut read = Read::follow(&engine, &pod);
    assert!(read.until("line 1").await);
    server.faults().stall(true);
    (2..=20).for_each(|n| say(&format!("line {n}")));
    server.faults().stall(false);
    assert!(read.until("line 20").await);
    assert_eq!(read.texts(), numbered(1..=20));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_log_is_asked_for_once() {
    let server = ApiServer::start(World::lms());
    let (pod, say) = talker(&server);
    let engine = engine(&server);
    server.forget_requests();
    let mut read = Read::follow(&engine, &pod);
    for n in 1..=5 {
        // Each comes by itself, after a silence.
        say(&format!("line {n}"));
        assert!(read.until(&format!("line {n}")).await);
    }
    assert_eq!(server.asked("/log?"), 1);
    assert_eq!(read.texts(), numbered(1..=5));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_of_time_is_cut_out_exactly() {
    let server = ApiServer::start(World::lms());
    let (pod, say) = talker(&server);
    let engine = engine(&server);
    (1..=30).for_each(|n| say(&format!("line {n}")));
    let mut all = Read::of(&engine, LogQuery::of(pod.clone()));
    let mut times = Vec::new();
    while let Some(update) = all.updates.next().await {
        let Update::Logs(batch) = update else { continue };
        let lines = (0..batch.chunk.len()).filter_map(|i| batch.line(i));
        times.extend(lines.filter(|l| l.text.starts_with("line ")).map(|l| l.at));
    }
    assert_eq!(times.len(), 30);
    let (since, until) = (times[9], times[19]);
    let expected: Vec<String> =
        (1..=30_u32).filter(|n| (since..=until).contains(&times[*n as usize - 1])).map(|n| format!("line {n}")).collect();
    for tail in [None, Some(1000)] {
        let mut read = Read::of(&engine, LogQuery { since: Some(since), until: Some(until), tail, ..LogQuery::of(pod.clone()) });
        read.until("never").await;
        assert_eq!(read.texts(), expected, "tail {tail:?}: the server knows whole seconds only");
    }
    let mut read = Read::of(&engine, LogQuery { until: Some(until), tail: Some(3), ..LogQuery::of(pod) });
    read.until("never").await;
    assert_eq!(read.texts(), expected[expected.len() - 3..]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_is_paged_up_to_its_beginning() {
    let server = ApiServer::start(World::lms());
    let (pod, say) = talker(&server);
    let engine = engine(&server);
    // Many share a time, and lines differ in length.
    for n in 0..400 {
        say(&format!("single {n} {}", "x".repeat(n % 90)));
    }
    let container = server.get("pods", NS, "redis-0").unwrap()["spec"]["containers"][0]["name"].as_str().unwrap().to_owned();
    let many: Vec<String> = (0..300).map(|n| format!("together {n}")).collect();
    server.say_all(NS, "redis-0", &container, &many);
    say("the end");
    let next = std::sync::atomic::AtomicU32::new(0);
    let meanwhile = || say(&format!("meanwhile {}", next.fetch_add(1, std::sync::atomic::Ordering::Relaxed)));
    let held = it_pages_up(&engine, &pod, 64, meanwhile).await;
    assert!(held.len() > 700, "{}", held.len());
}
