//! A small engine of the tests' own on a unix socket: it answers like Docker, and stalls, cuts and lies when told to.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{broadcast, watch};
use tokio::task::{AbortHandle, JoinSet};

/// What the engine holds, changed by tests as they like.
#[derive(Default)]
pub struct World {
    /// The container list, JSON.
    pub list: String,
    /// All events so far: nanoseconds and JSON.
    pub events: Vec<(i64, String)>,
    /// The one log: nanoseconds, stream and text without its end.
    pub log: Vec<(i64, u8, Vec<u8>)>,
    /// Inspections, by container id; those missing are 404.
    pub inspect: Vec<(String, String)>,
    /// The followed log ends after what is there, as that of a container that has ended.
    pub ended: bool,
    pub api: String,
    /// Answered to everything, instead of HTTP.
    pub garbage: Option<Vec<u8>>,
    /// Requests so far: their paths.
    pub asked: Vec<String>,
    /// Connections open now.
    pub open: usize,
    /// Bytes of the log that were taken off the engine's hands.
    pub sent: usize,
}

impl World {
    /// How often something with this in its path was asked.
    pub fn count(&self, part: &str) -> usize {
        self.asked.iter().filter(|path| path.contains(part)).count()
    }

    /// The log in the pieces a real engine cuts long lines into, framed; its `tail` counts these.
    fn pieces(&self) -> Vec<(i64, Vec<u8>)> {
        let mut pieces = Vec::new();
        for (at, kind, text) in &self.log {
            let stamp = Timestamp::from_nanosecond(i128::from(*at)).unwrap().strftime("%Y-%m-%dT%H:%M:%S.%9fZ ").to_string();
            let parts: Vec<&[u8]> = if text.is_empty() { vec![&[]] } else { text.chunks(16 * 1024).collect() };
            for (index, part) in parts.iter().enumerate() {
                let end: &[u8] = if index + 1 == parts.len() { b"\n" } else { b"" };
                let body = [stamp.as_bytes(), part, end].concat();
                let head = [&[*kind, 0, 0, 0], &u32::try_from(body.len()).unwrap().to_be_bytes()[..]].concat();
                pieces.push((*at, [head, body].concat()));
            }
        }
        pieces
    }
}

pub struct Fake {
    directory: tempfile::TempDir,
    world: Arc<Mutex<World>>,
    stalled: watch::Sender<bool>,
    changed: broadcast::Sender<()>,
    serving: Mutex<Option<AbortHandle>>,
}

impl Fake {
    /// An engine that is not started yet.
    pub fn new() -> Self {
        let world = World { list: "[]".into(), api: "1.41".into(), ..World::default() };
        Self {
            directory: tempfile::tempdir().unwrap(),
            world: Arc::new(Mutex::new(world)),
            stalled: watch::Sender::new(false),
            changed: broadcast::Sender::new(64),
            serving: Mutex::new(None),
        }
    }

    pub fn started() -> Self {
        let fake = Self::new();
        fake.start();
        fake
    }

    pub fn socket(&self) -> PathBuf {
        self.directory.path().join("engine.sock")
    }

    pub fn host(&self) -> String {
        format!("unix://{}", self.socket().display())
    }

    /// Changes the world; whoever follows something hears of it.
    pub fn with<T>(&self, change: impl FnOnce(&mut World) -> T) -> T {
        let answer = change(&mut self.world.lock().unwrap());
        // Nobody may follow yet.
        drop(self.changed.send(()));
        answer
    }

    /// From now on nothing is answered, although connections are taken; or again it is.
    pub fn stall(&self, on: bool) {
        self.stalled.send_replace(on);
    }

    /// Listens.
    pub fn start(&self) {
        drop(std::fs::remove_file(self.socket()));
        let listener = UnixListener::bind(self.socket()).unwrap();
        let (world, stalled, changed) = (self.world.clone(), self.stalled.subscribe(), self.changed.clone());
        let task = tokio::spawn(async move {
            // Its connections end with it.
            let mut connections = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let connection = Connection { world: world.clone(), stalled: stalled.clone(), changed: changed.clone() };
                connections.spawn(connection.serve(stream));
            }
        });
        *self.serving.lock().unwrap() = Some(task.abort_handle());
    }

    /// Cuts every connection and stops listening.
    pub fn cut(&self) {
        if let Some(task) = self.serving.lock().unwrap().take() {
            task.abort();
        }
        drop(std::fs::remove_file(self.socket()));
    }
}

struct Connection {
    world: Arc<Mutex<World>>,
    stalled: watch::Receiver<bool>,
    changed: broadcast::Sender<()>,
}

struct Counted(Arc<Mutex<World>>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.lock().unwrap().open -= 1;
    }
}

impl Connection {
    async fn serve(mut self, stream: UnixStream) {
        self.world.lock().unwrap().open += 1;
        let _counted = Counted(self.world.clone());
        let mut stream = BufReader::new(stream);
        loop {
            let mut path = String::new();
            loop {
                let mut line = String::new();
                if stream.read_line(&mut line).await.unwrap_or(0) == 0 {
                    return;
                }
                if let Some(rest) = line.strip_prefix("GET ") {
                    path = rest.split(' ').next().unwrap().to_owned();
                }
                if line == "\r\n" {
                    break;
                }
            }
            if self.answer(&mut stream, &path).await.is_none() {
                return;
            }
        }
    }

    async fn say(&mut self, stream: &mut BufReader<UnixStream>, bytes: &[u8]) -> Option<()> {
        self.stalled.wait_for(|stalled| !stalled).await.ok()?;
        stream.write_all(bytes).await.ok()
    }

    async fn answer(&mut self, stream: &mut BufReader<UnixStream>, path: &str) -> Option<()> {
        let (garbage, list, api) = {
            let mut world = self.world.lock().unwrap();
            world.asked.push(path.to_owned());
            (world.garbage.clone(), world.list.clone(), world.api.clone())
        };
        if let Some(garbage) = garbage {
            self.say(stream, &garbage).await?;
            return None;
        }
        let bare = path.split('?').next().unwrap();
        let bare = bare.strip_prefix(&format!("/v{api}")).unwrap_or(bare);
        let id = bare.split('/').nth(2).unwrap_or_default();
        match bare {
            "/_ping" => self.whole(stream, 200, &api, "OK").await,
            "/containers/json" => self.whole(stream, 200, &api, &list).await,
            "/events" => self.events(stream, path, &api).await,
            _ if bare.ends_with("/logs") => self.log(stream, path, &api).await,
            _ => {
                let found = self.world.lock().unwrap().inspect.iter().find(|(i, _)| i == id).map(|(_, json)| json.clone());
                match found {
                    Some(json) => self.whole(stream, 200, &api, &json).await,
                    None => self.whole(stream, 404, &api, r#"{"message":"No such container: x"}"#).await,
                }
            }
        }
    }

    async fn whole(&mut self, stream: &mut BufReader<UnixStream>, status: u16, api: &str, body: &str) -> Option<()> {
        let head = format!(
            "HTTP/1.1 {status} X\r\nApi-Version: {api}\r\nServer: Docker/20.10.24 (linux)\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        self.say(stream, head.as_bytes()).await
    }

    async fn chunked(&mut self, stream: &mut BufReader<UnixStream>, api: &str) -> Option<()> {
        let head = format!(
            "HTTP/1.1 200 OK\r\nApi-Version: {api}\r\nDate: Sat, 21 Nov 2026 03:00:00 GMT\r\nTransfer-Encoding: chunked\r\n\r\n"
        );
        self.say(stream, head.as_bytes()).await
    }

    async fn chunk(&mut self, stream: &mut BufReader<UnixStream>, bytes: &[u8]) -> Option<()> {
        let mut out = format!("{:x}\r\n", bytes.len()).into_bytes();
        out.extend_from_slice(bytes);
        out.extend_from_slice(b"\r\n");
        self.say(stream, &out).await
    }

    /// Waits for a change, or ends when the other side hangs up.
    async fn wait(stream: &mut BufReader<UnixStream>, changes: &mut broadcast::Receiver<()>) -> Option<()> {
        let mut byte = [0];
        tokio::select! {
            _ = changes.recv() => Some(()),
            read = stream.read(&mut byte) => read.ok().filter(|n| *n > 0).map(drop),
        }
    }

    async fn events(&mut self, stream: &mut BufReader<UnixStream>, path: &str, api: &str) -> Option<()> {
        let since = since(path);
        let mut changes = self.changed.subscribe();
        self.chunked(stream, api).await?;
        let mut told = 0;
        loop {
            let news: Vec<(i64, String)> = self.world.lock().unwrap().events[told..].to_vec();
            told += news.len();
            for (_, event) in news.iter().filter(|(at, _)| *at >= since) {
                self.chunk(stream, format!("{event}\n").as_bytes()).await?;
            }
            Self::wait(stream, &mut changes).await?;
        }
    }

    async fn log(&mut self, stream: &mut BufReader<UnixStream>, path: &str, api: &str) -> Option<()> {
        let follow = path.contains("follow=true");
        let mut changes = self.changed.subscribe();
        self.chunked(stream, api).await?;
        let mut told = 0;
        if let Some(tail) = query(path, "tail").and_then(|t| t.parse::<usize>().ok()) {
            told = self.world.lock().unwrap().pieces().len().saturating_sub(tail);
        }
        let since = since(path);
        loop {
            let (news, ended) = {
                let world = self.world.lock().unwrap();
                (world.pieces().split_off(told), world.ended)
            };
            told += news.len();
            let wanted: Vec<u8> = news.into_iter().filter(|(at, _)| *at >= since).flat_map(|(_, frame)| frame).collect();
            // In parts, so that one who has read enough may hang up.
            for part in wanted.chunks(64 * 1024) {
                self.chunk(stream, part).await?;
                self.world.lock().unwrap().sent += part.len();
            }
            if !follow || ended {
                return self.say(stream, b"0\r\n\r\n").await;
            }
            Self::wait(stream, &mut changes).await?;
        }
    }
}

fn query<'a>(path: &'a str, name: &str) -> Option<&'a str> {
    path.split(['?', '&']).find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
}

/// Nanoseconds of the `since` asked for.
fn since(path: &str) -> i64 {
    let Some((seconds, nanos)) = query(path, "since").and_then(|s| s.split_once('.')) else { return 0 };
    seconds.parse::<i64>().unwrap() * 1_000_000_000 + nanos.parse::<i64>().unwrap()
}
