//! A store like those people operate: writes and reads behind a circuit breaker, a database it may lose, health by component,
//! and metrics. What can break in it breaks on demand. Std only: it is compiled alone into an image, and runs inside of tests.
//!
//! ```text
//! GET  /health           200 or 503, {"status":…,"components":{"db":…,"breaker":…,"kafka":…}}
//! GET  /metrics          requests, latencies, breaker, staleness, failures
//! GET  /circuit-breaker  {"state":"CLOSED","failures":0}
//! POST /write/K/V        GET /read/K
//! POST /break/db         the database is gone: writes and reads fail, the breaker opens after five of them
//! POST /break/kafka      the component says so, nothing else fails
//! POST /break/latency/MS every write and read takes so long more
//! POST /break/staleness/MS  what is read is so old
//! POST /break/health     /health hangs
//! POST /mend             everything is well again; an open breaker stays open until its time is over
//! ```

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Failures in a row that open the breaker.
const OPENS_AT: u32 = 5;
/// Upper bounds of the latency histogram, milliseconds.
const BUCKETS: [u64; 8] = [5, 10, 50, 100, 250, 500, 1_000, 5_000];

/// How it is set up.
#[derive(Clone, Debug)]
pub struct Setup {
    /// `cp` or `ap`.
    pub mode: String,
    pub node: String,
    /// `host:port` of the Redis it keeps its data in; without one it keeps them itself.
    pub db: Option<String>,
    /// How long the breaker stays open.
    pub open_for: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Breaker {
    Closed,
    HalfOpen,
    Open(Instant),
}

impl Breaker {
    fn word(self) -> &'static str {
        match self {
            Self::Closed => "CLOSED",
            Self::HalfOpen => "HALF_OPEN",
            Self::Open(_) => "OPEN",
        }
    }

    fn number(self) -> u8 {
        match self {
            Self::Closed => 0,
            Self::HalfOpen => 1,
            Self::Open(_) => 2,
        }
    }
}

#[derive(Debug)]
struct World {
    setup: Setup,
    data: BTreeMap<String, String>,
    breaker: Breaker,
    failures: u32,
    connection_failures: u64,
    /// By operation and status.
    requests: BTreeMap<(&'static str, &'static str), u64>,
    /// How many were within each bound, one more for all, and their sum.
    latencies: [u64; BUCKETS.len() + 1],
    latency_sum: f64,
    no_db: bool,
    no_kafka: bool,
    hangs: bool,
    slower: Duration,
    stale: u64,
}

/// Serves whoever connects, each connection by a thread of its own, until the process ends.
pub fn serve(listener: &TcpListener, setup: Setup) {
    let world = World {
        setup,
        data: BTreeMap::new(),
        breaker: Breaker::Closed,
        failures: 0,
        connection_failures: 0,
        requests: BTreeMap::new(),
        latencies: [0; BUCKETS.len() + 1],
        latency_sum: 0.0,
        no_db: false,
        no_kafka: false,
        hangs: false,
        slower: Duration::ZERO,
        stale: 0,
    };
    let world = Arc::new(Mutex::new(world));
    while let Ok((stream, _)) = listener.accept() {
        let world = world.clone();
        std::thread::spawn(move || drop(converse(stream, &world)));
    }
}

fn lock(world: &Mutex<World>) -> MutexGuard<'_, World> {
    world.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Answers one request after the other until the client has enough.
fn converse(stream: TcpStream, world: &Mutex<World>) -> std::io::Result<()> {
    let mut writer = stream.try_clone()?;
    let mut reader = BufReader::new(stream);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let (mut length, mut over) = (0_u64, false);
        loop {
            let mut header = String::new();
            if reader.read_line(&mut header)? == 0 || header.trim().is_empty() {
                break;
            }
            let header = header.trim().to_ascii_lowercase();
            if let Some(value) = header.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap_or(0);
            }
            over |= header == "connection: close";
        }
        std::io::copy(&mut reader.by_ref().take(length), &mut std::io::sink())?;
        let mut words = line.split_whitespace();
        let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let (status, kind, body) = answer(method, path, world);
        let close = if over { "Connection: close\r\n" } else { "" };
        write!(writer, "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n{close}\r\n{body}", body.len())?;
        writer.flush()?;
        if over {
            return Ok(());
        }
    }
}

type Answer = (&'static str, &'static str, String);

fn answer(method: &str, path: &str, world: &Mutex<World>) -> Answer {
    const JSON: &str = "application/json";
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    match (method, &parts[..]) {
        ("GET" | "HEAD", ["health"]) => health(world),
        ("GET", ["metrics"]) => ("200 OK", "text/plain; version=0.0.4", lock(world).metrics()),
        ("GET", ["circuit-breaker"]) => {
            let mut world = lock(world);
            world.breathe();
            let body = format!("{{\"state\":\"{}\",\"failures\":{}}}", world.breaker.word(), world.failures);
            ("200 OK", JSON, body)
        }
        ("POST", ["write", key, value]) => operate(world, "write", |world| world.write(key, value)),
        ("GET", ["read", key]) => operate(world, "read", |world| world.read(key)),
        ("POST", ["break", what, rest @ ..]) => {
            let amount = rest.first().and_then(|text| text.parse().ok()).unwrap_or(0);
            if lock(world).break_it(what, amount) {
                ("200 OK", JSON, "{\"done\":true}".to_owned())
            } else {
                ("404 Not Found", JSON, "{\"error\":\"that cannot be broken\"}".to_owned())
            }
        }
        ("POST", ["mend"]) => {
            lock(world).mend();
            ("200 OK", JSON, "{\"done\":true}".to_owned())
        }
        _ => ("404 Not Found", JSON, "{\"error\":\"no such page\"}".to_owned()),
    }
}

fn health(world: &Mutex<World>) -> Answer {
    if lock(world).hangs {
        std::thread::sleep(Duration::from_secs(60));
    }
    let mut world = lock(world);
    world.breathe();
    let word = |good: bool| if good { "up" } else { "down" };
    let db = world.reaches_db();
    let well = db && !matches!(world.breaker, Breaker::Open(_)) && !world.no_kafka;
    let body = format!(
        "{{\"status\":\"{}\",\"components\":{{\"db\":\"{}\",\"breaker\":\"{}\",\"kafka\":\"{}\"}}}}",
        if well { "healthy" } else { "unhealthy" },
        word(db),
        world.breaker.word(),
        word(!world.no_kafka)
    );
    (if well { "200 OK" } else { "503 Service Unavailable" }, "application/json", body)
}

/// A write or a read: through the breaker, counted and timed.
fn operate(world: &Mutex<World>, operation: &'static str, work: impl FnOnce(&mut World) -> Option<String>) -> Answer {
    let begun = Instant::now();
    let slower = lock(world).slower;
    std::thread::sleep(slower);
    let mut world = lock(world);
    world.breathe();
    let (status, answer): (&'static str, Answer) = if matches!(world.breaker, Breaker::Open(_)) {
        ("rejected", ("503 Service Unavailable", "application/json", "{\"error\":\"the breaker is open\"}".to_owned()))
    } else {
        match work(&mut world) {
            Some(value) => ("success", ("200 OK", "application/json", format!("{{\"value\":\"{value}\"}}"))),
            None => (
                "error",
                ("500 Internal Server Error", "application/json", "{\"error\":\"the database does not answer\"}".to_owned()),
            ),
        }
    };
    if status != "rejected" {
        world.settle(status == "success");
    }
    *world.requests.entry((operation, status)).or_default() += 1;
    world.time(begun.elapsed());
    println!("level={} msg={operation} status={status}", if status == "success" { "info" } else { "error" });
    answer
}

impl World {
    /// Lets the breaker half open when its time is over.
    fn breathe(&mut self) {
        if let Breaker::Open(since) = self.breaker
            && since.elapsed() >= self.setup.open_for
        {
            self.breaker = Breaker::HalfOpen;
        }
    }

    fn settle(&mut self, well: bool) {
        if well {
            (self.breaker, self.failures) = (Breaker::Closed, 0);
            return;
        }
        self.failures += 1;
        self.connection_failures += 1;
        if self.breaker == Breaker::HalfOpen || self.failures >= OPENS_AT {
            self.breaker = Breaker::Open(Instant::now());
        }
    }

    fn time(&mut self, took: Duration) {
        for (count, bound) in self.latencies.iter_mut().zip(BUCKETS) {
            *count += u64::from(took <= Duration::from_millis(bound));
        }
        self.latencies[BUCKETS.len()] += 1;
        self.latency_sum += took.as_secs_f64();
    }

    fn reaches_db(&self) -> bool {
        !self.no_db && self.setup.db.as_ref().is_none_or(|db| redis(db, &["PING"]).is_some())
    }

    fn write(&mut self, key: &str, value: &str) -> Option<String> {
        if self.no_db {
            return None;
        }
        match &self.setup.db {
            Some(db) => redis(db, &["SET", key, value])?,
            None => self.data.insert(key.to_owned(), value.to_owned()).unwrap_or_default(),
        };
        Some(value.to_owned())
    }

    fn read(&mut self, key: &str) -> Option<String> {
        if self.no_db {
            return None;
        }
        match &self.setup.db {
            Some(db) => redis(db, &["GET", key]),
            None => Some(self.data.get(key).cloned().unwrap_or_default()),
        }
    }

    fn break_it(&mut self, what: &str, amount: u64) -> bool {
        match what {
            "db" => self.no_db = true,
            "kafka" => self.no_kafka = true,
            "health" => self.hangs = true,
            "latency" => self.slower = Duration::from_millis(amount.min(60_000)),
            "staleness" => self.stale = amount,
            _ => return false,
        }
        true
    }

    fn mend(&mut self) {
        (self.no_db, self.no_kafka, self.hangs) = (false, false, false);
        (self.slower, self.stale) = (Duration::ZERO, 0);
    }

    fn metrics(&mut self) -> String {
        self.breathe();
        let Setup { mode, node, .. } = &self.setup;
        let mut text =
            "# HELP app_requests_total Writes and reads by how they ended.\n# TYPE app_requests_total counter\n".to_owned();
        for ((operation, status), count) in &self.requests {
            text += &format!("app_requests_total{{mode=\"{mode}\",operation=\"{operation}\",status=\"{status}\"}} {count}\n");
        }
        text += "# TYPE app_request_latency_seconds histogram\n";
        for (count, bound) in self.latencies.iter().zip(BUCKETS) {
            let bound = Duration::from_millis(bound).as_secs_f64();
            text += &format!("app_request_latency_seconds_bucket{{mode=\"{mode}\",le=\"{bound}\"}} {count}\n");
        }
        let all = self.latencies[BUCKETS.len()];
        text += &format!("app_request_latency_seconds_bucket{{mode=\"{mode}\",le=\"+Inf\"}} {all}\n");
        text += &format!("app_request_latency_seconds_sum{{mode=\"{mode}\"}} {}\n", self.latency_sum);
        text += &format!("app_request_latency_seconds_count{{mode=\"{mode}\"}} {all}\n");
        text +=
            &format!("# TYPE circuit_breaker_state gauge\ncircuit_breaker_state{{node=\"{node}\"}} {}\n", self.breaker.number());
        text += &format!("# TYPE data_staleness_ms gauge\ndata_staleness_ms{{node=\"{node}\"}} {}\n", self.stale);
        text += &format!(
            "# TYPE db_connection_failures_total counter\ndb_connection_failures_total{{node=\"{node}\"}} {}\n",
            self.connection_failures
        );
        text
    }
}

/// Asks Redis one thing over a connection of its own, in its own protocol (RESP); `None` when it cannot be had.
fn redis(address: &str, words: &[&str]) -> Option<String> {
    const WITHIN: Option<Duration> = Some(Duration::from_millis(500));
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(WITHIN).ok()?;
    let asked: String = words.iter().map(|word| format!("${}\r\n{word}\r\n", word.len())).collect();
    stream.write_all(format!("*{}\r\n{asked}", words.len()).as_bytes()).ok()?;
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let line = line.trim();
    match line.split_at_checked(1)? {
        ("+", said) => Some(said.to_owned()),
        ("$", "-1") => Some(String::new()),
        ("$", length) => {
            let mut value = vec![0; length.parse().ok().filter(|length| *length < 1 << 20)?];
            reader.read_exact(&mut value).ok()?;
            String::from_utf8(value).ok()
        }
        _ => None,
    }
}
