//! The generator against a server whose delays are known: what it measures is so, a stall is seen, and it ends when it
//! should.

use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use super::*;
use crate::observe::load::Shape;

/// A server that answers with `ok` after a while; from the request `stalls` on, it keeps everybody waiting once.
struct Server {
    url: String,
    asked: Arc<AtomicU64>,
    failing: Arc<AtomicBool>,
}

async fn server(delay: Duration, stall: Option<(u64, Duration)>) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let (asked, failing) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    // Held by whoever is served while everybody waits.
    let gate = Arc::new(tokio::sync::RwLock::new(()));
    let (counted, broken) = (asked.clone(), failing.clone());
    let answer = move |_: Request<Incoming>| {
        let (counted, broken, gate) = (counted.clone(), broken.clone(), gate.clone());
        async move {
            let number = counted.fetch_add(1, Ordering::Relaxed);
            match stall {
                Some((at, long)) if number == at => {
                    let _closed = gate.write().await;
                    tokio::time::sleep(long).await;
                }
                Some(_) | None => drop(gate.read().await),
            }
            tokio::time::sleep(delay).await;
            let status = if broken.load(Ordering::Relaxed) { 503 } else { 200 };
            Ok::<_, Infallible>(Response::builder().status(status).body(Full::new(Bytes::from_static(b"ok"))).unwrap())
        }
    };
    tokio::spawn(async move {
        loop {
            let Ok((stream, _)) = listener.accept().await else { return };
            drop(stream.set_nodelay(true));
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(answer.clone())));
        }
    });
    Server { url, asked, failing }
}

fn quiet() -> Tell {
    Arc::new(|_| {})
}

async fn test(url: &str, shape: Shape) -> Result<Figures, String> {
    let (_keep, stop) = watch::channel(false);
    run(&Load { url: url.into(), shape, abort_percent: 50 }, &quiet(), stop).await
}

const MS: Duration = Duration::from_millis(1);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn closed_users_ask_one_after_the_other_over_connections_that_are_kept() {
    let server = server(MS * 20, None).await;
    let shape = Shape { users: 5, duration: MS * 1500, ..Shape::default() };
    let figures = test(&server.url, shape).await.unwrap();
    assert_eq!((figures.end, figures.failed, figures.in_flight), (Some(End::Done), 0, 0));
    assert_eq!(figures.connections, 5, "kept");
    // The one ahead is not counted.
    assert_eq!(figures.sent + 1, server.asked.load(Ordering::Relaxed));
    assert_eq!(figures.bytes, figures.answered * 2);
    assert!(figures.answered > 20 && figures.answered <= 5 * 1500 / 20 + 5, "{figures:?}");
    // Never faster than the server is, however slow this machine.
    assert!(figures.uncorrected.p50_us >= 20_000, "{figures:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thinking_users_ask_less() {
    let server = server(Duration::ZERO, None).await;
    let shape = Shape { users: 4, duration: MS * 1000, think: MS * 200, ..Shape::default() };
    let figures = test(&server.url, shape).await.unwrap();
    assert!((4..=4 * 6).contains(&figures.answered), "{figures:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_rate_is_kept_and_a_stall_is_not_left_out() {
    // Everybody waits for 800 ms once; 200 a second over two connections.
    let server = server(Duration::ZERO, Some((100, MS * 800))).await;
    let shape = Shape { users: 2, rate: Some(200), duration: Duration::from_secs(2), ..Shape::default() };
    let figures = test(&server.url, shape).await.unwrap();
    assert_eq!((figures.answered, figures.failed, figures.late), (400, 0, 0), "all that were due: {figures:?}");
    // Two requests waited for the stall; a hundred and sixty were due meanwhile and waited, too.
    assert!(figures.latency.p90_us > 300_000, "{figures:?}");
    assert!(figures.latency.max_us >= 700_000, "{figures:?}");
    assert!(figures.uncorrected.p90_us < figures.latency.p90_us / 2, "{figures:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stall_shows_in_the_closed_model_too() {
    let server = server(MS * 5, Some((60, MS * 900))).await;
    let shape = Shape { users: 1, duration: Duration::from_secs(2), ..Shape::default() };
    let figures = test(&server.url, shape).await.unwrap();
    assert!(figures.uncorrected.max_us >= 900_000, "{figures:?}");
    assert!(figures.uncorrected.p95_us < 500_000, "one of many: {figures:?}");
    assert!(figures.latency.p95_us > 500_000, "what would have been asked meanwhile: {figures:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_many_failures_end_it() {
    let server = server(MS * 5, None).await;
    let failing = server.failing.clone();
    let tell: Tell = Arc::new(move |_| failing.store(true, Ordering::Relaxed));
    let (_keep, stop) = watch::channel(false);
    let shape = Shape { users: 5, duration: Duration::from_secs(60), ..Shape::default() };
    let load = Load { url: server.url.as_str().into(), shape, abort_percent: 50 };
    let figures = run(&load, &tell, stop).await.unwrap();
    assert_eq!(figures.end, Some(End::Failing));
    assert!(figures.elapsed_ms < 30_000 && figures.failures.contains_key("status 503"), "{figures:?}");
    assert!(figures.failure().is_some_and(|why| why.contains("status 503")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_ends_when_it_is_stopped_and_tells_what_it_has() {
    // Nobody is answered for an hour.
    let server = server(Duration::ZERO, Some((50, Duration::from_secs(3600)))).await;
    let (sender, stop) = watch::channel(false);
    let tell: Tell = Arc::new(move |figures: Figures| {
        if figures.elapsed_ms > 900 {
            sender.send_replace(true);
        }
    });
    let shape = Shape { users: 3, duration: Duration::from_secs(600), timeout: Duration::from_secs(60), ..Shape::default() };
    let load = Load { url: server.url.as_str().into(), shape, abort_percent: 50 };
    let figures = run(&load, &tell, stop).await.unwrap();
    assert_eq!(figures.end, Some(End::Stopped));
    assert_eq!((figures.in_flight, figures.answered), (3, 49), "given up and told: {figures:?}");
}

#[tokio::test]
async fn what_cannot_begin_says_why() {
    let server = server(Duration::ZERO, None).await;
    server.failing.store(true, Ordering::Relaxed);
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let gone = format!("http://{closed}/");
    for (url, shape, part) in [
        (server.url.as_str(), Shape::default(), "status 503"),
        (gone.as_str(), Shape::default(), "nothing listens there"),
        ("ftp://a/", Shape::default(), "http and https are"),
        (server.url.as_str(), Shape { users: 6000, ..Shape::default() }, "at most 5000"),
    ] {
        let answer = test(url, shape).await;
        assert!(answer.as_ref().is_err_and(|why| why.contains(part)), "{url}: {answer:?}");
    }
}
