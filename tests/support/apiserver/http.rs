//! The wire: takes connections, reads requests, finds who answers, and writes what comes back.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use tokio::net::{TcpListener, TcpStream};

use super::ask::{Aim, Ask, Content, Reply};
use super::faults::Answer;
use super::hub::{Hub, Seen};
use super::status::{method_not_allowed, unauthorized};
use super::{discover, logs, metrics, read, remove, socket, stream, sub, write};

type Body = UnsyncBoxBody<Bytes, std::io::Error>;

/// Takes connections until the server is dropped.
pub async fn serve(hub: Arc<Hub>, listener: TcpListener) {
    while let Ok((connection, _)) = listener.accept().await {
        hub.connections.fetch_add(1, Ordering::SeqCst);
        if hub.faults.refuse.load(Ordering::SeqCst) {
            drop(connection);
            continue;
        }
        tokio::spawn(attend(hub.clone(), connection));
    }
}

async fn attend(hub: Arc<Hub>, connection: TcpStream) {
    let mut cuts = hub.faults.cuts.subscribe();
    // Small answers must not wait for more to come.
    let _ = connection.set_nodelay(true);
    let service = service_fn(move |request| {
        let hub = hub.clone();
        async move { Ok::<_, Infallible>(answer(&hub, request).await) }
    });
    let served = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(connection), service).with_upgrades();
    tokio::select! {
        // A client that goes away is no fault of ours.
        _ = served => {}
        _ = cuts.changed() => {}
    }
}

async fn answer(hub: &Arc<Hub>, request: Request<Incoming>) -> Response<Body> {
    let (ask, seen) = understood(request).await;
    let (method, path, query) = (seen.method.clone(), seen.path.clone(), seen.query.clone());
    let number = hub.record(seen);
    hub.faults.pass().await;
    let line = if query.is_empty() { path } else { format!("{path}?{query}") };
    if let Some(delay) = hub.faults.delay(&method, &line) {
        tokio::time::sleep(delay).await;
    }
    let reply = match (ask, hub.faults.instead(&method, &line)) {
        (_, Some(Answer::Garbage(text))) => Reply::json(200, text),
        (_, Some(fault)) => fault.failure().into(),
        (Some(ask), None) => route(hub, ask).await,
        (None, None) => unauthorized().into(),
    };
    hub.faults.pass().await;
    hub.answered(number, reply.code);
    written(if hub.faults.halved(&method, &line) { halved(reply) } else { reply })
}

/// The first half of an answer, and then nothing but the end of the connection.
fn halved(mut reply: Reply) -> Reply {
    if let Content::Whole(bytes) = &reply.content {
        let half = bytes.slice(..bytes.len() / 2);
        // The half has to be on its way before the end comes.
        let cut = async {
            tokio::time::sleep(Duration::from_millis(20)).await;
            Err(std::io::Error::other("cut by the test"))
        };
        let pieces = futures_util::stream::iter([Ok(half)]).chain(futures_util::stream::once(cut));
        reply.content = Content::Stream(Box::pin(pieces));
    }
    reply
}

/// The request read to its end; nothing where its token is unknown.
async fn understood(mut request: Request<Incoming>) -> (Option<Ask>, Seen) {
    let upgrade = request.headers().contains_key("upgrade").then(|| hyper::upgrade::on(&mut request));
    let (head, body) = request.into_parts();
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let text = |name: &str| head.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
    let query = head.uri.query().unwrap_or_default().to_owned();
    let pairs: Vec<(String, String)> = query.split('&').filter(|p| !p.is_empty()).map(pair).collect();
    let user = Hub::user(&text("authorization"));
    let seen = Seen {
        number: 0,
        at: Timestamp::now(),
        method: head.method.to_string(),
        path: head.uri.path().to_owned(),
        query,
        user_agent: text("user-agent"),
        user: user.unwrap_or_default().to_owned(),
        accept: text("accept"),
        content_type: text("content-type"),
        manager: pairs.iter().find(|(key, _)| key == "fieldManager").map(|(_, value)| value.clone()).unwrap_or_default(),
        body: String::from_utf8_lossy(&body).into_owned(),
        code: 0,
    };
    let ask = user.ok().map(|user| Ask {
        method: seen.method.clone(),
        path: unescaped(&seen.path),
        query: pairs,
        headers: head.headers,
        body,
        user: user.to_owned(),
        upgrade,
    });
    (ask, seen)
}

fn pair(text: &str) -> (String, String) {
    let (key, value) = text.split_once('=').unwrap_or((text, ""));
    (unescaped(key), unescaped(&value.replace('+', " ")))
}

fn unescaped(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let code = tail.get(..2).and_then(|hex| std::str::from_utf8(hex).ok()).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        if first == b'%'
            && let Some(code) = code
        {
            bytes.push(code);
            rest = &tail[2..];
        } else {
            bytes.push(first);
            rest = tail;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

async fn route(hub: &Arc<Hub>, mut ask: Ask) -> Reply {
    if let Some(reply) = discover::answer(hub, &ask) {
        return reply;
    }
    if ask.path.starts_with("/apis/metrics.k8s.io/") {
        return metrics::answer(hub, &ask).unwrap_or_else(Into::into);
    }
    let aim = match Aim::parse(&ask.path) {
        Ok(aim) => aim,
        Err(failure) => return failure.into(),
    };
    if let Err(failure) = hub.permit(&ask, &aim) {
        return failure.into();
    }
    let outcome = match (ask.method.as_str(), aim.sub.as_deref()) {
        ("GET", None) if ask.is("watch") => stream::watch(hub, &ask, &aim).await,
        ("GET", None) if aim.name.is_none() => read::list(hub, &ask, &aim).await,
        ("GET", None | Some("status")) => read::get(hub, &ask, &aim),
        ("POST", None) if aim.name.is_none() => write::create(hub, &ask, &aim),
        ("PUT", None | Some("status")) if aim.name.is_some() => write::update(hub, &ask, &aim),
        ("PATCH", None | Some("status")) if aim.name.is_some() => write::patch(hub, &ask, &aim),
        ("DELETE", None) if aim.name.is_some() => remove::delete(hub, &ask, &aim),
        ("DELETE", None) => sub::delete_all(hub, &ask, &aim),
        ("GET" | "PUT" | "PATCH", Some("scale")) => sub::scaled(hub, &ask, &aim),
        ("POST", Some("eviction")) => sub::evict(hub, &ask, &aim),
        ("GET", Some("log")) => logs::answer(hub, &ask, &aim),
        ("GET" | "POST", Some("exec")) => socket::exec(hub, &mut ask, &aim),
        ("GET" | "POST", Some("portforward")) => socket::forward(hub, &mut ask, &aim),
        ("GET", Some("proxy")) => metrics::node_proxy(hub, &ask, &aim),
        _ => Err(method_not_allowed()),
    };
    outcome.unwrap_or_else(Into::into)
}

fn written(reply: Reply) -> Response<Body> {
    let mut response = Response::builder().status(reply.code).header("content-type", reply.media);
    if let Some(seconds) = reply.retry_after {
        response = response.header("retry-after", seconds);
    }
    let body = match reply.content {
        Content::Whole(bytes) => Full::new(bytes).map_err(|never| match never {}).boxed_unsync(),
        Content::Stream(stream) => StreamBody::new(stream.map(|piece| piece.map(Frame::data))).boxed_unsync(),
        Content::Switched(accept, protocol) => {
            response = response.header("upgrade", "websocket").header("connection", "Upgrade");
            response = response.header("sec-websocket-accept", accept);
            if !protocol.is_empty() {
                response = response.header("sec-websocket-protocol", protocol);
            }
            Full::new(Bytes::new()).map_err(|never| match never {}).boxed_unsync()
        }
    };
    response.body(body).unwrap_or_else(|_| Response::new(Full::new(Bytes::new()).map_err(|never| match never {}).boxed_unsync()))
}
