//! A port of a workload on this machine: each connection made here goes to an instance that is ready at that moment, so it
//! goes on when instances are replaced. Only this machine can reach it.

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::sync::mpsc::{Sender, channel};
use tokio::sync::{Semaphore, watch};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::timeout;

use crate::app::forward::{Told, ready};
use crate::app::{Msg, State};
use crate::engine::{Dialled, Engine, EngineError};
use crate::model::InstanceId;

use super::Incoming;

/// Connections at a time; more wait to be accepted.
const MOST: usize = 128;
/// Instances tried for one connection.
const TRIES: usize = 3;
/// How long an answer may still come once this side has said all it has to say.
const LINGER: Duration = Duration::from_secs(10);
/// Tellings that wait to be taken in.
const TELLINGS: usize = 64;
/// Read at a time, bytes.
const PIECE: usize = 32 << 10;

/// A port that is listened on, and where it leads.
pub struct Forward {
    listener: TcpListener,
    engine: Arc<dyn Engine>,
    /// The port in the instance.
    port: u16,
    /// The instances that are ready, kept up to date by whoever sees them.
    ready: watch::Receiver<Vec<InstanceId>>,
    told: Sender<Told>,
}

impl Forward {
    /// Listens on a port of this machine (0: any that is free) for connections to `port` of an instance.
    ///
    /// # Errors
    /// When that port is taken, or may not be listened on.
    pub async fn listen(
        engine: Arc<dyn Engine>,
        local: u16,
        port: u16,
        ready: watch::Receiver<Vec<InstanceId>>,
        told: Sender<Told>,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, local)).await?;
        Ok(Self { listener, engine, port, ready, told })
    }

    /// The address it listens on.
    ///
    /// # Errors
    /// When the system cannot say.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Passes connections on until nobody is told any more. Dropping it closes all of them.
    pub async fn run(self) {
        let (room, count) = (Arc::new(Semaphore::new(MOST)), AtomicU64::new(0));
        let mut open = JoinSet::new();
        loop {
            while open.try_join_next().is_some() {}
            let Ok(permit) = room.clone().acquire_owned().await else { return };
            let accepted = tokio::select! {
                accepted = self.listener.accept() => accepted,
                () = self.told.closed() => return,
            };
            let Ok((stream, _)) = accepted else {
                // Too many files open: it passes.
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            };
            let number = count.fetch_add(1, Ordering::Relaxed) + 1;
            let (engine, ready, told, port) = (self.engine.clone(), self.ready.borrow().clone(), self.told.clone(), self.port);
            open.spawn(async move {
                let _permit = permit;
                connection(stream, number, &engine, &ready, port, &told).await;
            });
        }
    }
}

/// One connection from its beginning to its end.
async fn connection(
    stream: TcpStream,
    number: u64,
    engine: &Arc<dyn Engine>,
    ready: &[InstanceId],
    port: u16,
    told: &Sender<Told>,
) {
    // Spread over those that are ready.
    let at = usize::try_from(number).unwrap_or(0) % ready.len().max(1);
    let order = ready.iter().cycle().skip(at).take(ready.len().min(TRIES));
    let (instance, dialled) = match dial(engine, order, port).await {
        Ok(found) => found,
        Err(why) => return drop(told.send(Told::Failed { why }).await),
    };
    drop(told.send(Told::Opened { connection: number, instance }).await);
    let (sent, received, why) = pass(stream, dialled).await;
    drop(told.send(Told::Closed { connection: number, sent, received, why }).await);
}

/// The first that answers. One may have gone since it was seen to be ready.
async fn dial(
    engine: &Arc<dyn Engine>,
    order: impl Iterator<Item = &InstanceId>,
    port: u16,
) -> Result<(InstanceId, Dialled), Arc<str>> {
    let mut why: Option<EngineError> = None;
    for instance in order {
        match engine.dial(instance.clone(), port).await {
            Ok(dialled) => return Ok((instance.clone(), dialled)),
            Err(error) => why = Some(error),
        }
    }
    Err(why.map_or_else(|| "no instance is ready".into(), |error| error.to_string().into()))
}

/// Passes bytes both ways. Answers how many went there and came back, and why it broke off.
async fn pass(stream: TcpStream, far: Dialled) -> (u64, u64, Option<Arc<str>>) {
    let (sent, received) = (AtomicU64::new(0), AtomicU64::new(0));
    let (near_read, near_write) = stream.into_split();
    let (far_read, far_write) = tokio::io::split(far);
    let why = {
        let mut there = std::pin::pin!(pour(near_read, far_write, &sent));
        let mut back = std::pin::pin!(pour(far_read, near_write, &received));
        tokio::select! {
            ended = &mut back => ended.err(),
            ended = &mut there => match ended {
                Err(error) => Some(error),
                // A way through a cluster cannot be closed on one side only: what is still to come is waited for, as long
                // as something comes.
                Ok(_writer) => loop {
                    let before = received.load(Ordering::Relaxed);
                    match timeout(LINGER, &mut back).await {
                        Ok(ended) => break ended.err(),
                        Err(_) if received.load(Ordering::Relaxed) == before => break None,
                        Err(_) => {}
                    }
                },
            },
        }
    };
    let why = why.map(|error| crate::observe::text::clean(&error.to_string()).as_ref().into());
    (sent.into_inner(), received.into_inner(), why)
}

/// Reads to the end of one side and writes to the other; hands the writer back, still open.
async fn pour<W: AsyncWrite + Unpin>(mut from: impl AsyncRead + Unpin, mut to: W, count: &AtomicU64) -> io::Result<W> {
    let mut piece = vec![0; PIECE];
    loop {
        match from.read(&mut piece).await? {
            0 => return Ok(to),
            n => {
                to.write_all(&piece[..n]).await?;
                to.flush().await?;
                count.fetch_add(n as u64, Ordering::Relaxed);
            }
        }
    }
}

/// The ports the console forwards.
#[derive(Default)]
pub(super) struct Forwards(BTreeMap<u64, Open>);

struct Open {
    task: AbortHandle,
    ready: watch::Sender<Vec<InstanceId>>,
}

impl Forwards {
    /// Begins to listen; what happens comes in as messages.
    pub(super) fn open(
        &mut self,
        id: u64,
        engine: Option<Arc<dyn Engine>>,
        (local, port): (u16, u16),
        handle: &Handle,
        inbox: &Sender<Incoming>,
    ) {
        let (ready, watched) = watch::channel(Vec::new());
        let inbox = inbox.clone();
        let task = handle.spawn(async move {
            let (told, mut heard) = channel(TELLINGS);
            let say = async |told: Told| inbox.send(Incoming::Msg(Msg::Forward { id, told })).await;
            let Some(engine) = engine else {
                return drop(say(Told::Refused("its engine is not connected".into())).await);
            };
            let listening = Forward::listen(engine, local, port, watched, told).await;
            let (forward, address) = match listening.and_then(|f| f.address().map(|address| (f, address))) {
                Ok(found) => found,
                Err(error) => return drop(say(Told::Refused(error.to_string().into())).await),
            };
            drop(say(Told::Listening(address.to_string().into())).await);
            let pass_on = async {
                while let Some(told) = heard.recv().await {
                    if say(told).await.is_err() {
                        return;
                    }
                }
            };
            tokio::select! {
                () = forward.run() => {}
                () = pass_on => {}
            }
        });
        self.0.insert(id, Open { task: task.abort_handle(), ready });
    }

    /// Closes one, and every connection through it.
    pub(super) fn close(&mut self, id: u64) {
        if let Some(open) = self.0.remove(&id) {
            open.task.abort();
        }
    }

    /// Tells each where its connections may go now; closes those the state has let go of.
    pub(super) fn settle(&mut self, state: &State) {
        self.0.retain(|id, open| {
            let Some(forward) = state.forwards.iter().find(|f| f.id == *id) else {
                open.task.abort();
                return false;
            };
            let now = ready(state, &forward.environment, &forward.workload, forward.instance.as_ref());
            open.ready.send_if_modified(|before| {
                *before != now && {
                    *before = now;
                    true
                }
            });
            true
        });
    }
}

impl Drop for Forwards {
    fn drop(&mut self) {
        self.0.values().for_each(|open| open.task.abort());
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use futures_util::future::BoxFuture;
    use futures_util::stream::{self, BoxStream, StreamExt as _};

    use super::*;
    use crate::engine::{Attached, Report, Shell, Topic, Update};
    use crate::operate::{Accepted, Action};

    /// Instances that answer everything with their name first; `gone` answers nothing.
    struct Fake;

    impl Engine for Fake {
        fn subscribe(&self, _: Topic) -> BoxStream<'static, Update> {
            stream::pending().boxed()
        }

        fn execute(&self, _: Action, _: Report) -> BoxFuture<'static, Result<Accepted, EngineError>> {
            async { Ok(Accepted::Done) }.boxed()
        }

        fn attach(&self, _: Shell) -> BoxFuture<'static, Result<Attached, EngineError>> {
            async { Err(EngineError::NotFound { what: "x".into() }) }.boxed()
        }

        fn dial(&self, instance: InstanceId, _: u16) -> BoxFuture<'static, Result<Dialled, EngineError>> {
            async move {
                if instance.as_str() == "gone" {
                    return Err(EngineError::NotFound { what: "gone".into() });
                }
                let (near, mut far) = tokio::io::duplex(64);
                tokio::spawn(async move {
                    let mut word = [0; 5];
                    far.read_exact(&mut word).await.unwrap();
                    far.write_all(format!("{instance}: ").as_bytes()).await.unwrap();
                    far.write_all(&word).await.unwrap();
                });
                Ok(Box::new(near) as Dialled)
            }
            .boxed()
        }
    }

    async fn ask(address: SocketAddr) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"hello").await.unwrap();
        // Closed on one side: the answer comes all the same.
        stream.shutdown().await.unwrap();
        let mut answer = String::new();
        // One that nobody takes is closed with what was sent still in it.
        let _ = stream.read_to_string(&mut answer).await;
        answer
    }

    #[tokio::test]
    async fn each_connection_goes_to_what_is_ready_then() {
        let (seen, ready) = watch::channel(vec!["gone".into(), "web-1".into()]);
        let (told, mut heard) = tokio::sync::mpsc::channel(8);
        let forward = Forward::listen(Arc::new(Fake), 0, 80, ready, told).await.unwrap();
        let address = forward.address().unwrap();
        assert!(address.ip().is_loopback());
        let running = tokio::spawn(forward.run());
        assert_eq!(ask(address).await, "web-1: hello");
        assert_eq!(heard.recv().await, Some(Told::Opened { connection: 1, instance: "web-1".into() }));
        assert_eq!(heard.recv().await, Some(Told::Closed { connection: 1, sent: 5, received: 12, why: None }));
        seen.send_replace(vec!["web-2".into()]);
        assert_eq!(ask(address).await, "web-2: hello", "the pod was replaced, the port stays");
        heard.recv().await;
        heard.recv().await;
        seen.send_replace(Vec::new());
        assert_eq!(ask(address).await, "");
        assert_eq!(heard.recv().await, Some(Told::Failed { why: "no instance is ready".into() }));
        drop(heard);
        running.await.unwrap();
        assert!(TcpStream::connect(address).await.is_err(), "closed when nobody is told any more");
    }
}
