//! A client that asks a service for pages all the time, as many people do, and counts what it got.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Write;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::Request;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// Nobody waits longer for a page.
const PATIENCE: Duration = Duration::from_secs(10);
/// A breath between two pages: the load is there all the time, and leaves the machine to the others.
const PAUSE: Duration = Duration::from_millis(15);

/// A page that takes a second: one is under way when its replica is asked to stop.
pub const SLOW: &[&str] = &["/report"];

/// What has been asked and answered so far.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    pub requests: u64,
    /// When, after the beginning, and what went wrong.
    pub failures: Vec<(Duration, String)>,
    /// Kept connections that were closed between two requests: asked again on a new one, as every browser does.
    pub asked_again: u64,
    /// Pages by the version that wrote them.
    pub versions: BTreeMap<String, u64>,
    pub slowest: Duration,
}

impl Tally {
    /// Nobody has noticed anything.
    pub fn nothing_lost(&self) {
        assert_eq!(self.failures, [], "{self}");
    }

    /// How many pages a version wrote.
    pub fn of(&self, version: &str) -> u64 {
        self.versions.get(version).copied().unwrap_or(0)
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "requests {}, failed {}", self.requests, self.failures.len())?;
        for (version, count) in &self.versions {
            write!(f, ", {count} by version {version}")?;
        }
        write!(f, ", slowest {} ms, asked again {}", self.slowest.as_millis(), self.asked_again)?;
        for (at, what) in self.failures.iter().take(10) {
            write!(f, "\n    after {:.2} s: {what}", at.as_secs_f64())?;
        }
        Ok(())
    }
}

/// One way people come.
#[derive(Clone, Copy)]
enum Manner {
    /// A new connection for every page.
    Fresh,
    /// One connection for all of them.
    Kept,
}

/// People asking, until [`Load::stop`].
pub struct Load {
    tally: Arc<Mutex<Tally>>,
    stop: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Load {
    /// Ten people ask `address` (`/path`, or `POST /path`): four for `pages` in turn on a new connection each time, four on one they keep, and two for
    /// `slow`, which takes a while. The first answers are good ones before this returns, so that what goes wrong later was
    /// broken by somebody.
    pub fn start(address: SocketAddr, pages: &'static [&'static str], slow: &'static [&'static str]) -> Self {
        let mut load = Self { tally: Arc::default(), stop: Arc::default(), thread: None };
        let (tally, stop) = (load.tally.clone(), load.stop.clone());
        // A thread of its own: what the test does meanwhile does not hold it up.
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let person = |manner, pages| {
                    let (tally, stop) = (tally.clone(), stop.clone());
                    Person { address, pages, manner, began: Instant::now(), tally, stop }
                };
                // The stack has only just come up: people come when its doors open.
                let early = person(Manner::Fresh, pages);
                while early.page(&mut None, pages[0]).await.is_err() && !stop.load(Ordering::Relaxed) {
                    tokio::time::sleep(PAUSE).await;
                }
                let mut people = tokio::task::JoinSet::new();
                for number in 0..10 {
                    let manner = if number < 4 { Manner::Fresh } else { Manner::Kept };
                    let person = person(manner, if number < 8 { pages } else { slow });
                    people.spawn(person.ask_on(number));
                }
                while people.join_next().await.is_some() {}
            });
        });
        load.thread = Some(thread);
        load.wait("the first pages", |tally| tally.requests > 50);
        assert_eq!(load.so_far().failures, [], "the stack answers before anything is done to it");
        load
    }

    /// What there is so far.
    pub fn so_far(&self) -> Tally {
        lock(&self.tally).clone()
    }

    /// Waits until what there is so far is `enough`; generously, and not for ever.
    pub fn wait(&self, what: &str, enough: impl Fn(&Tally) -> bool) {
        let began = Instant::now();
        while !enough(&self.so_far()) {
            assert!(began.elapsed() < Duration::from_secs(60), "waiting for {what}: {}", self.so_far());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Lets everybody finish, and puts the result on the report under `what`.
    pub fn stop(mut self, what: &str) -> Tally {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
        let tally = self.so_far();
        report(&format!("{what}: {tally}"));
        tally
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the load until here: {}", self.so_far());
        }
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// Says a measured result: at once, and (runners hide what passing tests print) at the end of `tests/run`.
pub fn report(line: &str) {
    println!("{line}");
    let Some(file) = std::env::var_os("QD_TEST_REPORT") else { return };
    let file = std::fs::OpenOptions::new().create(true).append(true).open(file);
    // One short write: tests in other processes write there too.
    drop(file.and_then(|mut file| file.write_all(format!("{line}\n").as_bytes())));
}

fn lock(tally: &Mutex<Tally>) -> MutexGuard<'_, Tally> {
    tally.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One who asks.
struct Person {
    address: SocketAddr,
    pages: &'static [&'static str],
    manner: Manner,
    began: Instant,
    tally: Arc<Mutex<Tally>>,
    stop: Arc<AtomicBool>,
}

impl Person {
    async fn ask_on(self, number: usize) {
        let mut kept: Option<SendRequest<Empty<Bytes>>> = None;
        // A connection that lies idle may be closed in the very moment somebody posts over it: nobody can know then whether
        // it was done. Whoever posts comes anew.
        let mine = |page: &&&str| matches!(self.manner, Manner::Fresh) || !page.starts_with("POST ");
        let pages: Vec<&str> = self.pages.iter().filter(mine).copied().collect();
        for page in pages.into_iter().cycle().skip(number) {
            if self.stop.load(Ordering::Relaxed) {
                return;
            }
            let asked = Instant::now();
            let answer = tokio::time::timeout(PATIENCE, self.page(&mut kept, page)).await;
            let answer = answer.unwrap_or_else(|_| Err(format!("no answer within {} s", PATIENCE.as_secs())));
            {
                let mut tally = lock(&self.tally);
                tally.requests += 1;
                tally.slowest = tally.slowest.max(asked.elapsed());
                match answer {
                    Ok(version) => *tally.versions.entry(version).or_default() += 1,
                    Err(what) => {
                        kept = None;
                        tally.failures.push((self.began.elapsed(), format!("{page}: {what}")));
                    }
                }
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// One page, whole; answers with the version that wrote it.
    async fn page(&self, kept: &mut Option<SendRequest<Empty<Bytes>>>, page: &str) -> Result<String, String> {
        if let Some(connection) = kept.as_mut().filter(|c| !c.is_closed()) {
            match ask(connection, page).await {
                // Closed while it lay idle, before there was any answer.
                Err(Trouble::Closed(_)) => lock(&self.tally).asked_again += 1,
                Err(Trouble::Answer(what)) => return Err(what),
                Ok(version) => return Ok(version),
            }
        }
        let stream = TcpStream::connect(self.address).await.map_err(|e| format!("connecting: {e}"))?;
        let (mut connection, run) = handshake(TokioIo::new(stream)).await.map_err(|e| format!("connecting: {e}"))?;
        tokio::spawn(run);
        let answer = ask(&mut connection, page).await;
        *kept = match self.manner {
            Manner::Fresh => None,
            Manner::Kept => Some(connection),
        };
        answer.map_err(|trouble| match trouble {
            Trouble::Closed(what) | Trouble::Answer(what) => what,
        })
    }
}

/// Why a page did not come.
enum Trouble {
    /// The connection ended before the answer began, and it can be asked again.
    Closed(String),
    Answer(String),
}

async fn ask(connection: &mut SendRequest<Empty<Bytes>>, page: &str) -> Result<String, Trouble> {
    let (method, path) = page.split_once(' ').unwrap_or(("GET", page));
    // What may have been done is not asked for twice, unless asking twice does no harm.
    let closed = |e: hyper::Error| {
        let again = method == "GET" || e.is_canceled();
        let what = format!("no answer: {e}");
        if again { Trouble::Closed(what) } else { Trouble::Answer(what) }
    };
    connection.ready().await.map_err(closed)?;
    let request = Request::builder().method(method).uri(path).header("host", "shop.example").body(Empty::new());
    let answer = connection.send_request(request.map_err(|e| Trouble::Answer(e.to_string()))?).await.map_err(closed)?;
    let status = answer.status();
    let version = answer.headers().get("x-version").and_then(|v| v.to_str().ok()).unwrap_or("unknown").to_owned();
    let cut = |e| Trouble::Answer(format!("status {status}, then cut off: {e}"));
    answer.into_body().collect().await.map_err(cut)?;
    if status != 200 {
        return Err(Trouble::Answer(format!("status {status}")));
    }
    Ok(version)
}
