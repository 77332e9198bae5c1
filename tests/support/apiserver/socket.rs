//! Commands in pods and ways to their ports, over `WebSocket` as the real ones are.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role};
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

use super::ask::{Aim, Ask, Content, Reply};
use super::hub::Hub;
use super::kind::plural;
use super::logs::{container, status_of};
use super::shell::Ran;
use super::status::{Outcome, bad_request, failure, not_found};
use super::store::{Entry, Key};

type Socket = WebSocketStream<TokioIo<Upgraded>>;

const OUT: u8 = 1;
const ERR: u8 = 2;
const STATUS: u8 = 3;
/// Says that a channel has ended: what a client sends in the newer protocol.
const CLOSED: u8 = 255;

/// How a server ends a connection that has done its work.
const DONE: CloseFrame = CloseFrame { code: CloseCode::Normal, reason: Utf8Bytes::from_static("") };

/// Hands the connection over, if it may be, and lets `work` go on with it.
fn switch<F>(
    hub: &Arc<Hub>,
    ask: &mut Ask,
    protocols: [&str; 2],
    work: impl FnOnce(Socket) -> F + Send + 'static,
) -> Outcome<Reply>
where
    F: Future<Output = ()> + Send,
{
    let upgrade: OnUpgrade = ask.upgrade.take().ok_or_else(|| bad_request("Upgrade request required"))?;
    let offered: Vec<&str> = ask.header("sec-websocket-protocol").split(',').map(str::trim).collect();
    let Some(chosen) = protocols.into_iter().find(|p| offered.contains(p)) else {
        return Err(bad_request("unable to upgrade: no protocol in common"));
    };
    let (accept, chosen) = (derive_accept_key(ask.header("sec-websocket-key").as_bytes()), chosen.to_owned());
    let mut cuts = hub.faults.cuts.subscribe();
    tokio::spawn(async move {
        let Ok(upgraded) = upgrade.await else { return };
        let socket = WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, None).await;
        tokio::select! {
            () = work(socket) => {}
            _ = cuts.changed() => {}
        }
    });
    Ok(Reply { code: 101, content: Content::Switched(accept, chosen), ..Reply::text("") })
}

fn running(hub: &Hub, aim: &Aim) -> Outcome<Entry> {
    let pod = hub.store().get(aim.kind, &aim.key()).ok_or_else(|| not_found(aim.kind, &aim.key().1))?;
    if pod.value["spec"]["nodeName"].is_null() {
        return Err(bad_request(format!("pod {} does not have a host assigned", pod.name())));
    }
    Ok(pod)
}

/// Answers an exec.
///
/// # Errors
/// No such pod, none of its containers, or one that does not run.
pub fn exec(hub: &Arc<Hub>, ask: &mut Ask, aim: &Aim) -> Outcome<Reply> {
    let pod = running(hub, aim)?;
    let name = container(ask, &pod)?;
    if status_of(&pod.value, &name)["state"]["running"].is_null() {
        return Err(failure(500, "InternalError", format!("unable to upgrade connection: container not found (\"{name}\")")));
    }
    let command: Vec<String> = ask.params("command").into_iter().map(str::to_owned).collect();
    if command.is_empty() {
        return Err(bad_request("you must specify at least 1 command for the container"));
    }
    let session = Session { hub: hub.clone(), key: aim.key(), command, input: ask.is("stdin"), tty: ask.is("tty") };
    switch(hub, ask, ["v5.channel.k8s.io", "v4.channel.k8s.io"], move |socket| session.run(socket))
}

/// One command in a container.
struct Session {
    hub: Arc<Hub>,
    key: Key,
    command: Vec<String>,
    input: bool,
    tty: bool,
}

impl Session {
    async fn run(self, mut socket: Socket) {
        let code = if self.talks() { self.talk(&mut socket).await } else { self.once(&mut socket).await };
        let Some(code) = code else { return };
        let status = if code == 0 {
            json!({ "metadata": {}, "status": "Success" })
        } else {
            json!({
                "metadata": {}, "status": "Failure", "reason": "NonZeroExitCode",
                "message": format!("command terminated with non-zero exit code: exit status {code}"),
                "details": { "causes": [{ "reason": "ExitCode", "message": code.to_string() }] }
            })
        };
        self.send(&mut socket, STATUS, status.to_string().as_bytes()).await;
        let _ = socket.close(Some(DONE)).await;
        // Until the other side has heard it.
        while let Some(Ok(_)) = socket.next().await {}
    }

    /// Whether it is a shell that reads what it is to do.
    fn talks(&self) -> bool {
        let last = self.command.last().map(|c| c.rsplit([' ', '/']).next().unwrap_or_default().trim_matches(['"', '\'', ';']));
        let shell = matches!(last, Some("sh" | "bash" | "ash"));
        self.input && shell && (self.command.len() == 1 || self.command.iter().any(|c| c.contains("exec ")))
    }

    async fn send(&self, socket: &mut Socket, channel: u8, bytes: &[u8]) {
        self.hub.faults.pass().await;
        for piece in bytes.chunks(30_000) {
            let mut message = vec![channel];
            message.extend_from_slice(piece);
            // One that has gone away hears no more.
            let _ = socket.send(Message::Binary(message.into())).await;
        }
    }

    async fn tell(&self, socket: &mut Socket, ran: &Ran) {
        self.send(socket, OUT, ran.bytes.as_deref().unwrap_or(ran.out.as_bytes())).await;
        self.send(socket, if self.tty { OUT } else { ERR }, ran.err.as_bytes()).await;
    }

    /// Runs the command with everything it is given to read; nothing where the other side goes away.
    async fn once(&self, socket: &mut Socket) -> Option<i32> {
        let mut input = Vec::new();
        if self.input && self.command.iter().any(|c| c == "cat" || c.starts_with("tar x") || c == "xf" || c == "-xf") {
            loop {
                match socket.next().await?.ok()? {
                    Message::Binary(bytes) if bytes.first() == Some(&0) => input.extend_from_slice(&bytes[1..]),
                    Message::Binary(bytes) if bytes.first() == Some(&CLOSED) => break,
                    Message::Close(_) => break,
                    Message::Text(_) | Message::Binary(_) | Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
                }
            }
        }
        let ran = self.hub.run(&self.key.0, &self.key.1, &self.command, &input);
        if let Some(seconds) = super::shell::lasts(&self.command) {
            tokio::time::sleep(self.hub.seconds(seconds)).await;
        }
        self.tell(socket, &ran).await;
        Some(ran.code)
    }

    /// Runs line by line what is typed.
    async fn talk(&self, socket: &mut Socket) -> Option<i32> {
        let mut typed = String::new();
        let mut last = 0;
        if self.tty {
            self.send(socket, OUT, b"/ # ").await;
        }
        loop {
            match socket.next().await?.ok()? {
                Message::Binary(bytes) if bytes.first() == Some(&0) => typed.push_str(&String::from_utf8_lossy(&bytes[1..])),
                Message::Binary(bytes) if bytes.first() == Some(&CLOSED) => return Some(last),
                Message::Close(_) => return None,
                Message::Text(_) | Message::Binary(_) | Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => continue,
            }
            while let Some(at) = typed.find(['\n', '\r', '\u{4}']) {
                let end = typed.as_bytes()[at] == 4;
                let line: String = typed.drain(..=at).collect();
                if self.tty {
                    self.send(socket, OUT, format!("{}\r\n", line.trim_end()).as_bytes()).await;
                }
                if end {
                    return Some(last);
                }
                let words: Vec<&str> = line.split_whitespace().collect();
                if let ["exit", rest @ ..] = words.as_slice() {
                    return Some(rest.first().and_then(|code| code.parse().ok()).unwrap_or(last));
                }
                let ran = self.hub.run(&self.key.0, &self.key.1, &["sh".into(), "-c".into(), line.trim().to_owned()], b"");
                last = ran.code;
                self.tell(socket, &ran).await;
                if self.tty {
                    self.send(socket, OUT, b"/ # ").await;
                }
            }
        }
    }
}

/// Answers a port-forward.
///
/// # Errors
/// No such pod, or no port named.
pub fn forward(hub: &Arc<Hub>, ask: &mut Ask, aim: &Aim) -> Outcome<Reply> {
    running(hub, aim)?;
    let ports: Vec<u16> = ask.params("ports").iter().flat_map(|p| p.split(',')).filter_map(|p| p.trim().parse().ok()).collect();
    if ports.is_empty() {
        return Err(bad_request("query parameter \"ports\" is required"));
    }
    let (server, key) = (hub.clone(), aim.key());
    switch(hub, ask, ["v4.channel.k8s.io", "v5.channel.k8s.io"], move |socket| relay(server, key, ports, socket))
}

/// What comes from a pod's ports, by channel; the last word of a channel is its error, or nothing.
type FromPod = (u8, Option<Bytes>);

async fn relay(hub: Arc<Hub>, key: Key, ports: Vec<u16>, mut socket: Socket) {
    let (from_pod, mut arrived) = mpsc::channel::<FromPod>(16);
    let mut ways = Vec::new();
    for (n, port) in ports.iter().enumerate() {
        let channel = u8::try_from(n * 2).unwrap_or(0);
        for channel in [channel, channel + 1] {
            let mut first = vec![channel];
            first.extend_from_slice(&port.to_le_bytes());
            let _ = socket.send(Message::Binary(first.into())).await;
        }
        let (to_pod, waiting) = mpsc::channel::<Bytes>(16);
        ways.push(to_pod);
        tokio::spawn(carry(hub.clone(), key.clone(), *port, channel, from_pod.clone(), waiting));
    }
    drop(from_pod);
    let mut changed = hub.changed.subscribe();
    loop {
        hub.faults.pass().await;
        tokio::select! {
            message = socket.next() => match message {
                Some(Ok(Message::Binary(bytes))) if bytes.len() > 1 => {
                    let way = ways.get(usize::from(bytes[0]) / 2);
                    if let Some(way) = way {
                        let _ = way.send(bytes.slice(1..)).await;
                    }
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                Some(Ok(_)) => {}
            },
            arrived = arrived.recv() => match arrived {
                Some((channel, Some(bytes))) => {
                    let mut message = vec![channel];
                    message.extend_from_slice(&bytes);
                    let _ = socket.send(Message::Binary(message.into())).await;
                }
                // A port that is done ends the whole connection, as it does with a real kubelet.
                Some((_, None)) | None => break,
            },
            _ = changed.changed() => if gone(&hub, &key) { break },
        }
    }
    let _ = socket.close(Some(DONE)).await;
    while let Some(Ok(_)) = socket.next().await {}
}

fn gone(hub: &Hub, key: &Key) -> bool {
    hub.store().get(plural("pods"), key).is_none()
}

/// Carries one port both ways.
async fn carry(
    hub: Arc<Hub>,
    key: Key,
    port: u16,
    channel: u8,
    from_pod: mpsc::Sender<FromPod>,
    mut waiting: mpsc::Receiver<Bytes>,
) {
    let Some(mut stream) = connect(&hub, &key, port).await else {
        let why =
            format!("an error occurred forwarding {port} -> {port}: dial tcp4 127.0.0.1:{port}: connect: connection refused");
        let _ = from_pod.send((channel + 1, Some(why.into()))).await;
        let _ = from_pod.send((channel, None)).await;
        return;
    };
    let mut buffer = vec![0; 16 * 1024];
    loop {
        tokio::select! {
            read = stream.read(&mut buffer) => match read {
                Ok(n) if n > 0 => if from_pod.send((channel, Some(Bytes::copy_from_slice(&buffer[..n])))).await.is_err() { return },
                Ok(_) | Err(_) => break,
            },
            bytes = waiting.recv() => match bytes {
                Some(bytes) => if stream.write_all(&bytes).await.is_err() { break },
                None => return,
            },
        }
    }
    let _ = from_pod.send((channel, None)).await;
}

async fn connect(hub: &Hub, key: &Key, port: u16) -> Option<TcpStream> {
    let at = {
        let insides = hub.insides.lock().unwrap();
        let mut known =
            insides.ports.iter().filter(|((n, pod, p), _)| *n == key.0 && *p == port && key.1.starts_with(pod.as_str()));
        known.next().map(|(_, at)| *at)?
    };
    TcpStream::connect(at).await.ok()
}
