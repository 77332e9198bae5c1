//! Inside of pods: their logs, commands in them, ways to their ports.

use std::io::{Read, Write};
use std::net::TcpListener;

use serde_json::{Value, json};

use crate::apiserver::{ApiServer, World, deployment};
use crate::client::{BufReader, TcpStream, get, open};

fn lms() -> (ApiServer, String) {
    let server = ApiServer::start(World::lms());
    server.settle();
    let pods = server.pods("lms-ai").into_iter();
    let mut names = pods.map(|p| p["metadata"]["name"].as_str().unwrap().to_owned()).filter(|n| n.starts_with("lms-ai-backend"));
    let name = names.next().unwrap();
    (server, name)
}

#[test]
fn logs_are_cut_as_they_are_asked_for() {
    let (server, pod) = lms();
    let log = |query: &str| get(&server, &format!("/api/v1/namespaces/lms-ai/pods/{pod}/log?{query}")).text();
    let lines: Vec<String> = (1..=5).map(|n| format!("line {n}")).collect();
    server.say_all("lms-ai", &pod, "backend", &lines);
    assert_eq!(log("tailLines=2"), "line 4\nline 5\n");
    assert_eq!(log("tailLines=2&limitBytes=9"), "line 4\nli");
    assert_eq!(log("").lines().count(), 6);
    let stamped = log("timestamps=true&tailLines=1");
    let (stamp, text) = stamped.split_once(' ').unwrap();
    assert_eq!((stamp.len(), text), (30, "line 5\n"));
    let since = log(&format!("sinceTime={stamp}"));
    assert!(since.ends_with(&(lines.join("\n") + "\n")), "by whole seconds: {since}");
    assert_eq!(log("sinceTime=2100-01-01T00:00:00Z"), "");
}

#[test]
fn a_followed_log_goes_on_until_the_container_ends() {
    let (server, pod) = lms();
    let path = format!("/api/v1/namespaces/lms-ai/pods/{pod}/log?follow=true&tailLines=0");
    let mut log = open(&server, "GET", &path, &[], "");
    server.say("lms-ai", &pod, "backend", "one");
    assert_eq!(log.piece().unwrap(), b"one\n");
    server.say("lms-ai", &pod, "backend", "two");
    assert_eq!(log.piece().unwrap(), b"two\n");
    server.delete("pods", "lms-ai", &pod);
    assert!(log.piece().is_none());
}

#[test]
fn a_crashed_container_leaves_its_log() {
    let server = ApiServer::start(World::empty().with(deployment("crasher", "lms/ai-backend:1-crash", 1)));
    server.wait("the back-off", |s| {
        s.pods("lms-ai").iter().any(|p| p["status"]["containerStatuses"][0]["restartCount"].as_i64() > Some(1))
    });
    let pod = server.pods("lms-ai")[0]["metadata"]["name"].as_str().unwrap().to_owned();
    let log = get(&server, &format!("/api/v1/namespaces/lms-ai/pods/{pod}/log?previous=true")).text();
    assert!(log.contains("starting") && log.contains("FATAL"), "{log}");
}

/// A frame as a client writes it: masked with nothing.
fn frame(bytes: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x82, 0x80 | u8::try_from(bytes.len()).unwrap(), 0, 0, 0, 0];
    frame.extend(bytes);
    frame
}

/// The next message; nothing at the end.
fn message(stream: &mut BufReader<TcpStream>) -> Option<Vec<u8>> {
    let mut head = [0; 2];
    stream.read_exact(&mut head).ok()?;
    let mut size = usize::from(head[1]);
    if size == 126 {
        let mut long = [0; 2];
        stream.read_exact(&mut long).ok()?;
        size = usize::from(u16::from_be_bytes(long));
    }
    let mut body = vec![0; size];
    stream.read_exact(&mut body).ok()?;
    (head[0] & 0x0f != 8).then_some(body)
}

fn socket(server: &ApiServer, path: &str, protocol: &str) -> BufReader<TcpStream> {
    let headers = [
        ("Connection", "Upgrade"),
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("Sec-WebSocket-Protocol", protocol),
    ];
    let open = open(server, "GET", path, &headers, "");
    assert_eq!(open.code, 101, "{}", open.head);
    assert!(open.head.to_lowercase().contains("s3pplmbitxaq9kygzzhzrbk+xoo="), "{}", open.head);
    open.raw()
}

/// What a command says on each channel, in order.
fn exec(server: &ApiServer, pod: &str, query: &str) -> Vec<(u8, String)> {
    let path = format!("/api/v1/namespaces/lms-ai/pods/{pod}/exec?stdout=true&stderr=true&{query}");
    let mut socket = socket(server, &path, "v5.channel.k8s.io, v4.channel.k8s.io");
    let mut told = Vec::new();
    while let Some(message) = message(&mut socket) {
        told.push((message[0], String::from_utf8_lossy(&message[1..]).into_owned()));
    }
    told
}

#[test]
fn commands_run_in_pods() {
    let (server, pod) = lms();
    server.command("redis-cli ping", "PONG\n", "", 0);
    server.file("lms-ai", "lms-ai-backend", "/etc/version", b"1.0.0");
    let said = |query: &str| exec(&server, &pod, query);
    assert_eq!(said("command=echo&command=hello")[0], (1, "hello\n".into()));
    assert_eq!(said("command=sh&command=-c&command=redis-cli+ping")[0], (1, "PONG\n".into()));
    assert_eq!(said("command=cat&command=/etc/version")[0], (1, "1.0.0".into()));
    let archive = said("command=tar&command=cf&command=-&command=/etc/version");
    assert!(archive[0].1.starts_with("etc/version\0") && archive[0].1.contains("1.0.0"));
    let failed = said("command=sh&command=-c&command=exit+3");
    let status: Value = serde_json::from_str(&failed[0].1).unwrap();
    assert_eq!((failed[0].0, &status["details"]["causes"][0]["message"]), (3, &json!("3")));
}

#[test]
fn a_shell_reads_what_it_is_told() {
    let (server, pod) = lms();
    let path = format!("/api/v1/namespaces/lms-ai/pods/{pod}/exec?stdin=true&stdout=true&tty=true&command=sh");
    let mut socket = socket(&server, &path, "v4.channel.k8s.io");
    socket.get_mut().write_all(&frame(b"\0echo hi\nexit 2\n")).unwrap();
    let mut out = String::new();
    let status = loop {
        let message = message(&mut socket).unwrap();
        if message[0] == 3 {
            break serde_json::from_slice::<Value>(&message[1..]).unwrap();
        }
        out.push_str(&String::from_utf8_lossy(&message[1..]));
    };
    assert!(out.contains("/ # ") && out.contains("hi\n"), "{out}");
    assert_eq!(status["reason"], "NonZeroExitCode");
}

#[test]
fn a_port_leads_to_its_listener_until_the_pod_goes() {
    let (server, pod) = lms();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    server.listen("lms-ai", "lms-ai-backend", 3000, listener.local_addr().unwrap());
    let echo = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut heard = [0; 5];
        stream.read_exact(&mut heard).unwrap();
        stream.write_all(&heard).unwrap();
        // Until the other side is gone.
        let _ = stream.read(&mut heard);
    });
    let path = format!("/api/v1/namespaces/lms-ai/pods/{pod}/portforward?ports=3000");
    let mut way = socket(&server, &path, "v4.channel.k8s.io");
    assert_eq!([message(&mut way).unwrap(), message(&mut way).unwrap()], [vec![0, 0xb8, 0x0b], vec![1, 0xb8, 0x0b]]);
    way.get_mut().write_all(&frame(b"\0hello")).unwrap();
    assert_eq!(message(&mut way).unwrap(), b"\0hello");
    server.delete("pods", "lms-ai", &pod);
    assert_eq!(message(&mut way), None);
    drop(way);
    echo.join().unwrap();
    let path = path.replace("3000", "3001").replace(&pod, "redis-0");
    let mut refused = socket(&server, &path, "v4.channel.k8s.io");
    let told: Vec<Vec<u8>> = std::iter::from_fn(|| message(&mut refused)).collect();
    assert!(told.iter().any(|m| m[0] == 1 && String::from_utf8_lossy(m).contains("connection refused")), "{told:?}");
}
