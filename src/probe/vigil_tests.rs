//! Probes followed against small servers and engines of this process: their rhythm, their words, and commands that hang.

use std::sync::atomic::{AtomicU32, Ordering};

use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use tokio::sync::Notify;

use super::*;
use crate::engine::{Attached, Dialled, Report, Shell, Topic, Update};
use crate::model::EnvironmentId;
use crate::observe::watch::{Sighting, Watch};
use crate::operate::Action;
use crate::probe::watch::follow;

/// An engine whose commands end as the test says, and whose ports are all the one of the test.
#[derive(Default)]
struct Fake {
    begun: Arc<AtomicU32>,
    running: Arc<AtomicU32>,
    release: Arc<Notify>,
    /// Commands wait for `release`.
    hangs: bool,
    code: i64,
    address: Option<String>,
}

impl Engine for Fake {
    fn subscribe(&self, _: Topic) -> BoxStream<'static, Update> {
        futures_util::stream::pending().boxed()
    }

    fn execute(&self, action: Action, _: Report) -> BoxFuture<'static, Result<Accepted, EngineError>> {
        let (begun, running, release, hangs, code) =
            (self.begun.clone(), self.running.clone(), self.release.clone(), self.hangs, self.code);
        Box::pin(async move {
            let Action::Exec { command, .. } = action else { panic!("{action:?}") };
            begun.fetch_add(1, Ordering::SeqCst);
            assert_eq!(running.fetch_add(1, Ordering::SeqCst), 0, "two at once");
            if hangs {
                release.notified().await;
            }
            running.fetch_sub(1, Ordering::SeqCst);
            let text = format!("first\n{}\n", command.join(" "));
            Ok(Accepted::Output(Box::new(Output { code, text: text.into(), cut: false })))
        })
    }

    fn dial(&self, instance: InstanceId, port: u16) -> BoxFuture<'static, Result<Dialled, EngineError>> {
        let address = self.address.clone();
        Box::pin(async move {
            let what = format!("Port {port} of {instance}").into();
            let Some(address) = address.filter(|_| port == 3000) else {
                return Err(EngineError::Unmet { what, why: "nothing listens there".into() });
            };
            Ok(Box::new(tokio::net::TcpStream::connect(address).await.unwrap()) as Dialled)
        })
    }

    fn attach(&self, _: Shell) -> BoxFuture<'static, Result<Attached, EngineError>> {
        unreachable!("nobody opens a shell")
    }
}

fn watch(kind: ProbeKind, interval: u64, instance: Option<&str>) -> ProbeWatch {
    let ms = Duration::from_millis;
    ProbeWatch {
        environment: EnvironmentId::new("c", "shop"),
        probe: Arc::new(ProbeSpec { interval: ms(interval), timeout: ms(interval * 2), ..ProbeSpec::of("p", kind) }),
        instance: instance.map(InstanceId::new),
    }
}

async fn outcomes(engine: Fake, watch: ProbeWatch, count: usize) -> Vec<Outcome> {
    let sightings = follow(Some(Arc::new(engine)), Watch::Probe(watch));
    let outcome = |sighting| async {
        match sighting {
            Sighting::Probed(outcome) => Some(outcome),
            _ => None,
        }
    };
    tokio::time::timeout(Duration::from_secs(60), sightings.filter_map(outcome).take(count).collect()).await.unwrap()
}

fn exec(words: &[&str]) -> ProbeKind {
    ProbeKind::Exec(words.iter().map(|word| Arc::from(*word)).collect())
}

#[tokio::test]
async fn a_command_is_judged_by_how_it_ends() {
    for (code, ok, words) in [(0, true, "redis-cli ping"), (2, false, "ended with 2: redis-cli ping")] {
        let engine = Fake { code, ..Fake::default() };
        let begun = engine.begun.clone();
        let seen = outcomes(engine, watch(exec(&["redis-cli", "ping"]), 5, Some("r")), 3).await;
        assert!(seen.iter().all(|o| o.ok == ok && &*o.words == words && o.latency.is_some()), "{seen:?}");
        assert!(seen.windows(2).all(|two| two[0].at <= two[1].at));
        assert_eq!(begun.load(Ordering::SeqCst), 3);
    }
    let seen = outcomes(Fake::default(), watch(exec(&["x"]), 5, None), 1).await;
    assert_eq!(&*seen[0].words, "there is no instance to run it in");
}

#[tokio::test]
async fn no_command_is_begun_beside_one_that_hangs() {
    let engine = Fake { hangs: true, ..Fake::default() };
    let (begun, release) = (engine.begun.clone(), engine.release.clone());
    let mut sightings = follow(Some(Arc::new(engine)), Watch::Probe(watch(exec(&["pg_isready"]), 5, Some("db"))));
    let mut words = Vec::new();
    while words.len() < 4 {
        let Some(Sighting::Probed(outcome)) = sightings.next().await else { panic!("it ends") };
        words.push((outcome.ok, outcome.words));
    }
    assert_eq!(begun.load(Ordering::SeqCst), 1);
    assert!(words.iter().all(|(ok, _)| !ok) && words[0].1.starts_with("no answer within"), "{words:?}");
    assert!(words[3].1.contains("has not ended; no other one is begun before it has"), "{words:?}");
    // One that ends in the end makes room for the next.
    release.notify_one();
    while begun.load(Ordering::SeqCst) < 2 {
        release.notify_one();
        sightings.next().await;
    }
}

#[tokio::test]
async fn an_instance_is_reached_through_its_engine() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = vec![0; 4096];
            let n = tokio::io::AsyncReadExt::read(&mut stream, &mut head).await.unwrap_or(0);
            let named = String::from_utf8_lossy(&head[..n]).contains("host: localhost:3000\r\n");
            let answer: &[u8] = if named {
                b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
            } else {
                b"HTTP/1.1 400 Bad\r\nContent-Length: 0\r\n\r\n"
            };
            drop(tokio::io::AsyncWriteExt::write_all(&mut stream, answer).await);
        }
    });
    for (kind, ok, words) in [
        (ProbeKind::Http("http://{instance}:3000/health".into()), true, "200 in "),
        (ProbeKind::Tcp("{instance}:3000".into()), true, "takes connections in "),
        (ProbeKind::Http("http://{instance}:3001/health".into()), false, "nothing listens there"),
        (ProbeKind::Tcp("{instance}:3001".into()), false, "nothing listens there"),
        (ProbeKind::Tls("{instance}:3001".into()), false, "nothing listens there"),
    ] {
        let engine = Fake { address: Some(address.clone()), ..Fake::default() };
        let seen = outcomes(engine, watch(kind.clone(), 200, Some("a")), 1).await;
        assert!(seen[0].ok == ok && seen[0].words.starts_with(words), "{kind:?}: {seen:?}");
    }
}
