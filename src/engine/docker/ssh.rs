//! An engine behind ssh: one `ssh` process forwards the engine's socket on the host to a private one here, and every connection
//! to the engine is opened over that. It is started when it is needed, and again when it has ended.

mod address;
mod child;
mod folder;
mod look;

use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::Instant;

pub use address::SshAddress;
use child::Said;
use folder::Folder;
use look::{Found, Seen};

use crate::engine::EngineError;
use crate::engine::ssh::SshTrouble;

/// How long a connection may take from the first packet to the look at the host's sockets.
const OPEN_WITHIN: Duration = Duration::from_secs(18);
/// How long ssh may take to say why it opened no channel, after it did not.
const SAID_WITHIN: Duration = Duration::from_millis(500);
/// Pauses after the host let nobody in: hosts bar those who knock too often.
const DENIED: [Duration; 3] = [Duration::from_secs(60), Duration::from_secs(120), Duration::from_secs(240)];

/// Leaves nothing of this process behind: called once, at its very end.
pub(super) fn leave() {
    folder::leave();
}

/// A way to one engine's socket; clones share it, and it is closed with the last.
#[derive(Clone)]
pub(super) struct Tunnel {
    inner: Arc<Inner>,
}

struct Inner {
    address: SshAddress,
    endpoint: Arc<str>,
    /// The socket on the host, once it was found elsewhere than first looked for.
    socket: OnceLock<String>,
    phase: Mutex<Phase>,
}

type Opened = Option<Result<PathBuf, EngineError>>;

enum Phase {
    Closed,
    Opening(watch::Receiver<Opened>),
    Open(Connection),
    /// Not to be tried again before then.
    Barred {
        error: EngineError,
        until: Instant,
        times: usize,
    },
}

/// A running ssh; its end ends the process and removes the socket.
struct Connection {
    folder: Folder,
    said: Said,
    keeper: AbortHandle,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.keeper.abort();
    }
}

impl Tunnel {
    pub(super) fn new(address: SshAddress, endpoint: Arc<str>) -> Self {
        let inner = Inner { address, endpoint, socket: OnceLock::new(), phase: Mutex::new(Phase::Closed) };
        Self { inner: Arc::new(inner) }
    }

    /// The private socket here that leads to the engine, once it does. Whoever gives up waiting stops nothing.
    ///
    /// # Errors
    /// [`EngineError::Ssh`], in words.
    pub(super) async fn open(&self) -> Result<PathBuf, EngineError> {
        let mut opening = match self.begin() {
            Ok(opening) => opening,
            Err(known) => return known,
        };
        let opened = opening.wait_for(Option::is_some).await.ok().and_then(|opened| opened.clone());
        opened.unwrap_or_else(|| Err(self.inner.trouble(SshTrouble::Ended, "the attempt was given up")))
    }

    /// What is known already, or the attempt under way.
    fn begin(&self) -> Result<watch::Receiver<Opened>, Result<PathBuf, EngineError>> {
        let mut phase = self.inner.phase();
        let times = match &*phase {
            Phase::Open(connection) if !connection.keeper.is_finished() => return Err(Ok(connection.folder.socket())),
            Phase::Opening(opening) => return Ok(opening.clone()),
            Phase::Barred { error, until, .. } if Instant::now() < *until => return Err(Err(error.clone())),
            Phase::Barred { times, .. } => *times,
            Phase::Open(_) | Phase::Closed => 0,
        };
        let (sender, receiver) = watch::channel(None);
        *phase = Phase::Opening(receiver.clone());
        let inner = self.inner.clone();
        tokio::spawn(async move {
            let result = inner.connect().await;
            let answer = result.as_ref().map(|c| c.folder.socket()).map_err(Clone::clone);
            *inner.phase() = Phase::after(result, times);
            sender.send_replace(Some(answer));
        });
        Ok(receiver)
    }

    /// How many channels the host refused so far: what [`Self::why`] counts from.
    pub(super) fn mark(&self) -> u64 {
        match &*self.inner.phase() {
            Phase::Open(connection) => connection.said.refused(),
            Phase::Closed | Phase::Opening(_) | Phase::Barred { .. } => 0,
        }
    }

    /// Why a call over an open connection failed, as far as ssh says so.
    pub(super) async fn why(&self, mark: u64) -> Option<EngineError> {
        let (said, keeper) = match &*self.inner.phase() {
            Phase::Open(connection) => (connection.said.clone(), connection.keeper.clone()),
            Phase::Barred { error, .. } => return Some(error.clone()),
            Phase::Closed | Phase::Opening(_) => return None,
        };
        // It says why before it closes the connection, on another pipe.
        drop(tokio::time::timeout(SAID_WITHIN, said.refusal(mark)).await);
        if said.refused() > mark {
            let words = format!("the host opens no way to {}", self.inner.remote());
            return Some(self.inner.trouble(SshTrouble::NoWay, &words));
        }
        keeper.is_finished().then(|| {
            let (trouble, words) = said.trouble();
            self.inner.trouble(trouble, &words)
        })
    }
}

impl Phase {
    fn after(result: Result<Connection, EngineError>, times: usize) -> Self {
        match result {
            Ok(connection) => Self::Open(connection),
            Err(error @ EngineError::Ssh { trouble: SshTrouble::Denied, .. }) => {
                let pause = DENIED[times.min(DENIED.len() - 1)];
                Self::Barred { error, until: Instant::now() + pause, times: times + 1 }
            }
            Err(_) => Self::Closed,
        }
    }
}

impl Inner {
    fn phase(&self) -> std::sync::MutexGuard<'_, Phase> {
        self.phase.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn trouble(&self, trouble: SshTrouble, words: &str) -> EngineError {
        EngineError::Ssh { endpoint: self.endpoint.clone(), trouble, cause: words.into() }
    }

    /// The socket on the host.
    fn remote(&self) -> &str {
        let named = self.address.socket.as_deref().or_else(|| self.socket.get().map(String::as_str));
        named.unwrap_or_else(|| look::first_guess())
    }

    /// Opens a connection; a second one where the host has its socket in another place than the first usual one.
    async fn connect(&self) -> Result<Connection, EngineError> {
        match self.connect_to(self.remote()).await? {
            (connection, Found::Here) => Ok(connection),
            (_, Found::Elsewhere(path)) => {
                let path = self.socket.get_or_init(|| path);
                match self.connect_to(path).await? {
                    (connection, Found::Here) => Ok(connection),
                    (_, Found::Elsewhere(_) | Found::Closed(_) | Found::Nothing) => Err(self.no_socket(path)),
                }
            }
            (_, Found::Closed(path)) => {
                let user = self.address.destination();
                Err(self.trouble(SshTrouble::ClosedSocket, &format!("{user} may not open {path}")))
            }
            (_, Found::Nothing) => Err(self.no_socket(self.remote())),
        }
    }

    fn no_socket(&self, path: &str) -> EngineError {
        self.trouble(SshTrouble::NoSocket, &format!("the host has no socket {path}"))
    }

    async fn connect_to(&self, remote: &str) -> Result<(Connection, Found), EngineError> {
        let began = tokio::time::timeout(OPEN_WITHIN, self.attempt(remote)).await;
        began.unwrap_or_else(|_| {
            let words = format!("the connection was not there after {} s", OPEN_WITHIN.as_secs());
            Err(self.trouble(SshTrouble::NoAnswer, &words))
        })
    }

    async fn attempt(&self, remote: &str) -> Result<(Connection, Found), EngineError> {
        let folder = Folder::new()
            .map_err(|error| self.trouble(SshTrouble::Ended, &format!("there is no folder for the socket: {error}")))?;
        let command = look::command(self.address.socket.as_deref());
        let mut ssh = child::start(&self.address, &folder.socket(), remote, &command)
            .map_err(|error| self.trouble(SshTrouble::NoProgram, &format!("ssh cannot be started: {error}")))?;
        let said = Said::default();
        let (input, output, errors) = (ssh.stdin.take(), ssh.stdout.take(), ssh.stderr.take());
        let listener = said.clone();
        let listening = async move {
            if let Some(errors) = errors {
                listener.listen(errors).await;
            }
        };
        let (found, told) = watch::channel(None);
        let keeper = tokio::spawn(async move {
            // The end of its input is what ends it, on every way out.
            let _input = input;
            let looking = async move {
                if let Some(output) = output {
                    look_on(output, &found).await;
                }
            };
            tokio::join!(listening, looking);
            drop(ssh.wait().await);
        });
        let connection = Connection { folder, said, keeper: keeper.abort_handle() };
        let mut told = told;
        let seen: Option<Seen> = told.wait_for(Option::is_some).await.ok().and_then(|seen| seen.clone());
        let Some(seen) = seen else {
            // It has ended: all of its words first.
            drop(keeper.await);
            let (trouble, words) = connection.said.trouble();
            return Err(self.trouble(trouble, &words));
        };
        let found = seen.found(remote);
        if found == Found::Here && !connection.folder.socket().exists() {
            let (_, words) = connection.said.trouble();
            return Err(self.trouble(SshTrouble::NoWay, &format!("ssh does not forward the socket: {words}")));
        }
        Ok((connection, found))
    }
}

/// Reads what the host says to its end; tells what was found as soon as that is whole.
async fn look_on(output: tokio::process::ChildStdout, found: &watch::Sender<Option<Seen>>) {
    let mut output = tokio::io::BufReader::new(output);
    let mut seen = Seen::default();
    while let Some(line) = child::next_line(&mut output).await {
        if !seen.whole {
            seen.line(&line);
            if seen.whole {
                found.send_replace(Some(seen.clone()));
            }
        }
    }
}

/// Opens connections for hyper over a tunnel.
#[derive(Clone)]
pub(super) struct Over(pub(super) Tunnel);

impl tower_service::Service<hyper::Uri> for Over {
    type Response = TokioIo<UnixStream>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: hyper::Uri) -> Self::Future {
        let tunnel = self.0.clone();
        Box::pin(async move {
            let socket = tunnel.open().await.map_err(io::Error::other)?;
            UnixStream::connect(socket).await.map(TokioIo::new)
        })
    }
}
