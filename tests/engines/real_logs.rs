//! Logs of a real engine, by both of its drivers that can be read: pages, lines cut into pieces, speed, cuts and ends.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use quarterdeck::config::{ConnectionSpec, DockerTarget, TargetSpec};
use quarterdeck::engine::docker::connect;
use quarterdeck::engine::{Engine, LogQuery, Topic, Update};
use quarterdeck::model::InstanceId;
use quarterdeck::observe::log::{LineView, Store, Stream};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::{AbortHandle, JoinSet};

use crate::paging::{it_pages_up, read_all};
use crate::real_engine::{Loose, RealEngine, not_run, real_engine};

const PATIENCE: Duration = Duration::from_secs(120);
const DRIVERS: [&str; 2] = ["json-file", "local"];

fn speaker<'a>(engine: &'a RealEngine, driver: &str, script: &str) -> (Loose<'a>, InstanceId) {
    let container = engine.run("logs", &["--log-driver", driver, "qd-test/app:1", "sh", "-c", script]);
    let id = InstanceId::new(container.id.as_str());
    (container, id)
}

/// Reads a log until `enough`, or to its end.
async fn read(engine: &Arc<dyn Engine>, query: LogQuery, enough: impl Fn(&Store) -> bool) -> Store {
    let mut topic = engine.subscribe(Topic::Logs(query));
    let mut store = Store::new(1 << 28);
    let reading = async {
        while let Some(update) = topic.next().await {
            if let Update::Logs(batch) = update {
                store.push(&batch);
                if enough(&store) {
                    return;
                }
            }
        }
    };
    tokio::time::timeout(PATIENCE, reading).await.expect("no more lines come");
    store
}

fn lines(store: &Store) -> impl Iterator<Item = LineView<'_>> {
    (0..store.len()).filter_map(|i| store.get(i)).filter(|l| l.marker.is_none())
}

fn texts(store: &Store) -> Vec<String> {
    lines(store).map(|l| l.text.to_owned()).collect()
}

#[tokio::test]
async fn five_thousand_lines_are_paged_up_while_more_come() {
    let Some(engine) = real_engine() else { return };
    let docker = connect(&engine.spec());
    for driver in DRIVERS {
        let script = "i=0; while [ $i -lt 5000 ]; do i=$((i+1)); echo line $i; [ $((i % 7)) = 0 ] && echo err $i >&2; done; \
                      while :; do echo more; sleep 0.02; done";
        let (_container, id) = speaker(engine, driver, script);
        read(&docker, LogQuery { follow: true, ..LogQuery::of(id.clone()) }, |s| texts(s).iter().any(|t| t == "more")).await;
        let held = it_pages_up(&docker, &id, 500, || ()).await;
        for stem in ["line", "err"] {
            let mut numbers: Vec<u32> = held.iter().filter_map(|t| t.strip_prefix(stem)?.trim().parse().ok()).collect();
            numbers.sort_unstable();
            let step = if stem == "err" { 7 } else { 1 };
            let expected: Vec<u32> = (1..=5000).filter(|n| n % step == 0).collect();
            let differs = numbers.iter().zip(&expected).find(|(a, b)| a != b);
            assert_eq!((numbers.len(), differs), (expected.len(), None), "{driver}: each {stem} once");
        }
    }
}

#[tokio::test]
async fn lines_cut_into_pieces_are_whole_and_odd_bytes_do_no_harm() {
    let Some(engine) = real_engine() else { return };
    let docker = connect(&engine.spec());
    // A long line is written in two goes; the other stream speaks in between.
    let script = "long() { head -c 40000 /dev/zero | tr '\\0' $1; }; \
                  long x; sleep 0.3; echo between >&2; long x; echo end; \
                  long y >&2; echo other; echo end >&2; \
                  printf 'not yet'; sleep 0.5; echo ' done'; \
                  printf 'a\\rb\\n'; printf 'nul\\000here\\n'; printf 'bad\\377\\376utf8\\n'; printf '\\033[31mred\\033[0m\\n'; echo; \
                  printf 'no end'";
    for driver in DRIVERS {
        let (_container, id) = speaker(engine, driver, script);
        // Followed while it is written, and read when it is done: the same.
        let ended = |s: &Store| lines(s).any(|l| l.text == "no end");
        let followed = read(&docker, LogQuery { follow: true, ..LogQuery::of(id.clone()) }, ended).await;
        let read = read(&docker, LogQuery::of(id.clone()), |_| false).await;
        // A line has the time of its first piece: what was said in between stands before it or after it.
        let sorted = |store| {
            let mut texts = texts(store);
            texts.sort_unstable();
            texts
        };
        assert!(sorted(&followed) == sorted(&read), "{driver}");
        let of = |stream| lines(&read).filter(|l| l.stream == stream).map(|l| l.text.to_owned()).collect::<Vec<_>>();
        let (out, err) = (of(Stream::Stdout), of(Stream::Stderr));
        assert_eq!(out[0], format!("{}end", "x".repeat(80_000)), "{driver}");
        assert_eq!(out[1..3], ["other", "not yet done"], "{driver}");
        assert!(!out[3].contains('\r') && out[3].contains('a') && out[3].contains('b'), "{driver}: {:?}", out[3]);
        assert!(out[4].starts_with("nul") && out[4].ends_with("here") && !out[4].contains('\0'), "{driver}: {:?}", out[4]);
        assert_eq!(out[5], "bad\u{fffd}\u{fffd}utf8", "{driver}");
        assert_eq!(out[6..], ["red", "", "no end"], "{driver}");
        assert_eq!(err, ["between", &format!("{}end", "y".repeat(40_000))], "{driver}");
    }
}

#[tokio::test]
async fn an_end_in_time_and_the_run_before_have_last_lines_too() {
    let Some(engine) = real_engine() else { return };
    let docker = connect(&engine.spec());
    for driver in DRIVERS {
        let script = "[ -e /been ] && name=second || name=first; touch /been; i=0; \
                      while [ $i -lt 300 ]; do i=$((i+1)); echo $name $i; done";
        let (container, id) = speaker(engine, driver, script);
        engine.docker(&["wait", &container.id]);
        engine.docker(&["start", &container.id]);
        engine.docker(&["wait", &container.id]);
        let whole = read(&docker, LogQuery::of(id.clone()), |_| false).await;
        assert_eq!(lines(&whole).count(), 600, "{driver}");
        // The run of now is longer than what is asked for.
        let query = LogQuery { previous: true, tail: Some(3), ..LogQuery::of(id.clone()) };
        assert_eq!(texts(&read(&docker, query, |_| false).await), ["first 298", "first 299", "first 300"], "{driver}");
        let until = lines(&whole).nth(99).map(|l| l.at);
        let query = LogQuery { until, tail: Some(2), ..LogQuery::of(id.clone()) };
        assert_eq!(texts(&read(&docker, query.clone(), |_| false).await), ["first 99", "first 100"], "{driver}");
        let query = LogQuery { tail: None, since: lines(&whole).nth(97).map(|l| l.at), ..query };
        assert_eq!(texts(&read(&docker, query, |_| false).await), ["first 98", "first 99", "first 100"], "{driver}");
    }
}

/// A way to the engine's socket that can be cut.
struct Way {
    directory: tempfile::TempDir,
    to: PathBuf,
    serving: Option<AbortHandle>,
}

impl Way {
    fn new(to: PathBuf) -> Self {
        let mut way = Self { directory: tempfile::tempdir().unwrap(), to, serving: None };
        way.open();
        way
    }

    fn socket(&self) -> PathBuf {
        self.directory.path().join("way.sock")
    }

    fn open(&mut self) {
        let (listener, to) = (UnixListener::bind(self.socket()).unwrap(), self.to.clone());
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (mut here, _) = listener.accept().await.unwrap();
                let to = to.clone();
                connections.spawn(async move {
                    let mut there = UnixStream::connect(to).await.unwrap();
                    // Either side may hang up.
                    drop(tokio::io::copy_bidirectional(&mut here, &mut there).await);
                });
            }
        });
        self.serving = Some(task.abort_handle());
    }

    fn cut(&mut self) {
        if let Some(task) = self.serving.take() {
            task.abort();
        }
        drop(std::fs::remove_file(self.socket()));
    }

    fn spec(&self) -> ConnectionSpec {
        let host = format!("unix://{}", self.socket().display());
        let target = TargetSpec::Docker(DockerTarget::Host(host.into()));
        ConnectionSpec {
            id: "real".into(),
            target,
            environments: Vec::new(),
            discover: true,
            on_demand: false,
            redaction: Arc::default(),
        }
    }
}

#[tokio::test]
async fn two_hundred_thousand_lines_at_full_speed_come_once_each_through_a_cut() {
    const LINES: usize = 200_000;
    let Some(engine) = real_engine() else { return };
    let Some(socket) = engine.host.strip_prefix("unix://") else {
        return not_run("a log at full speed through a cut", "the engine has no unix socket");
    };
    let mut way = Way::new(socket.into());
    let docker = connect(&way.spec());
    let (_container, id) = speaker(engine, "json-file", &format!("seq 1 {LINES}; sleep 60"));
    let mut topic = docker.subscribe(Topic::Logs(LogQuery { follow: true, ..LogQuery::of(id.clone()) }));
    let (mut next, mut markers, mut cut) = (1, 0, false);
    let reading = async {
        while next <= LINES {
            let Some(Update::Logs(batch)) = topic.next().await else { continue };
            for line in (0..batch.chunk.len()).filter_map(|i| batch.line(i)) {
                if line.marker.is_some() {
                    markers += 1;
                } else {
                    assert_eq!(line.text, next.to_string(), "neither lost nor doubled");
                    next += 1;
                }
            }
            if next > LINES / 2 && !cut {
                cut = true;
                way.cut();
                way.open();
            }
        }
    };
    tokio::time::timeout(PATIENCE, reading).await.expect("no more lines come");
    assert_eq!(markers, 1, "the cut is told");
    assert_eq!(read_all(&docker, &id).await.len(), LINES);
}
