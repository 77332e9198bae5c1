//! Probes against small servers of this process: what they answer, when, and where they point to.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;

/// Answers each request by its path; `/slow` never.
async fn serve() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut head = Vec::new();
                while !head.windows(4).any(|end| end == b"\r\n\r\n") {
                    let mut piece = [0; 1024];
                    match stream.read(&mut piece).await {
                        Ok(n) if n > 0 => head.extend_from_slice(&piece[..n]),
                        _ => return,
                    }
                }
                let head = String::from_utf8_lossy(&head).into_owned();
                let path = head.split(' ').nth(1).unwrap_or_default();
                if path == "/slow" {
                    std::future::pending::<()>().await;
                }
                drop(stream.write_all(answer(path, &head).as_bytes()).await);
            });
        }
    });
    address
}

fn answer(path: &str, head: &str) -> String {
    let to = |place: &str| format!("HTTP/1.1 302 Found\r\nLocation: {place}\r\nContent-Length: 0\r\n\r\n");
    let say = |status: &str, body: &str| format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    match path {
        "/health" => say("200 OK", r#"{"status":"healthy","components":{"db":"up","kafka":"down"},"n":3,"ready":true}"#),
        "/broken" => say("503 Service Unavailable", "{\"status\":\"unhealthy\",\"password\":\"hunter2\"}"),
        "/once" => to("/health"),
        "/login" if head.to_lowercase().contains("authorization: basic bwu6eha=") => say("200 OK", ""),
        "/login" => say("401 Unauthorized", ""),
        "/round" => to("/round"),
        "/endless" => "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n".to_owned(),
        "/nonsense" => "hello\r\n\r\n".to_owned(),
        _ => say("404 Not Found", "no such page"),
    }
}

fn spec(kind: ProbeKind, expect: Expect) -> ProbeSpec {
    ProbeSpec {
        name: "api".into(),
        workload: None,
        kind,
        interval: Duration::from_secs(10),
        timeout: Duration::from_secs(2),
        failures: 3,
        successes: 1,
        expect,
    }
}

fn json(pairs: &[(&str, Json)]) -> Expect {
    let json: BTreeMap<Arc<str>, Json> = pairs.iter().map(|(path, value)| (Arc::from(*path), value.clone())).collect();
    Expect { json, ..Expect::default() }
}

fn status(status: u16) -> Expect {
    Expect { status: Some(status), ..Expect::default() }
}

/// What a probe says, its milliseconds left out.
async fn said(kind: ProbeKind, expect: Expect) -> String {
    let answer = probe(None, &spec(kind, expect), &[]).await;
    let words = match answer {
        Ok(Accepted::Reading { words, value }) => {
            assert!(value.is_some(), "{words}");
            format!("good: {words}")
        }
        Ok(other) => panic!("{other:?}"),
        Err(error) => error.to_string(),
    };
    let digits = regex::Regex::new(r"\b[0-9]+ ms").unwrap();
    digits.replace_all(&words, "N ms").into_owned()
}

#[tokio::test]
async fn an_answer_is_held_to_what_is_expected() {
    let address = serve().await;
    let text = |value: &str| Json::Text(value.into());
    for (path, expect, words) in [
        ("/health", Expect::default(), "good: 200 in N ms"),
        ("/health", status(200), "good: 200 in N ms"),
        ("/health", status(204), "probe api: answers 200, 204 is wanted"),
        ("/health", json(&[("status", text("healthy")), ("components.db", text("up"))]), "good: 200 in N ms"),
        ("/health", json(&[("n", Json::Number(3.0)), ("ready", Json::Boolean(true))]), "good: 200 in N ms"),
        ("/health", json(&[("components.kafka", text("up"))]), "probe api: components.kafka is \"down\", \"up\" is wanted"),
        ("/health", json(&[("components.redis", text("up"))]), "probe api: answers 200 without components.redis"),
        ("/missing", Expect::default(), "probe api: answers 404"),
        ("/missing", json(&[("status", text("x"))]), "probe api: answers 404: no such page"),
        (
            "/broken",
            json(&[("status", text("healthy"))]),
            "probe api: answers 503: {\"status\":\"unhealthy\",\"password\":\"••••••\"}",
        ),
        ("/once", Expect::default(), "good: 200 in N ms after a redirect"),
        ("/once", status(302), "good: 302 in N ms"),
        ("/round", Expect::default(), "probe api: it redirects more than 3 times"),
        ("/slow", Expect::default(), "probe api: no answer within 2 s"),
        ("/endless", Expect::default(), "good: 200 in N ms"),
        ("/endless", json(&[("status", text("x"))]), "probe api: the connection broke off"),
        ("/nonsense", Expect::default(), "probe api: that is not HTTP"),
        ("/login", Expect::default(), "probe api: answers 401"),
        (
            "/health",
            Expect { certificate_days: Some(3), ..Expect::default() },
            "probe api: it is asked without TLS, so it has no certificate",
        ),
    ] {
        let url = format!("http://{address}{path}");
        assert_eq!(said(ProbeKind::Http(url.into()), expect.clone()).await, words, "{path} {expect:?}");
    }
    let url = format!("http://me:x%70@{address}/login");
    assert_eq!(said(ProbeKind::Http(url.into()), Expect::default()).await, "good: 200 in N ms");
}

#[tokio::test]
async fn a_port_is_open_or_it_is_said_why() {
    let address = serve().await;
    assert_eq!(said(ProbeKind::Tcp(address.into()), Expect::default()).await, "good: takes connections in N ms");
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for (kind, words) in [
        (ProbeKind::Tcp(nobody.to_string().into()), "probe api: nothing listens there"),
        (ProbeKind::Http(format!("http://{nobody}/x").into()), "probe api: nothing listens there"),
        (ProbeKind::Tls(nobody.to_string().into()), "probe api: nothing listens there"),
        (ProbeKind::Tcp("no-such-host.invalid:1".into()), "probe api: its name cannot be resolved"),
        (ProbeKind::Tcp("localhost".into()), "probe api: it is no host:port"),
        (ProbeKind::Http("ftp://x/".into()), "probe api: ftp is not spoken, http and https are"),
        (ProbeKind::Tcp("{instance}:80".into()), "probe api: there is no instance to ask"),
        (ProbeKind::Exec(vec!["true".into()]), "probe api: an exec probe is run in its instance, not from here"),
    ] {
        assert_eq!(said(kind, Expect::default()).await, words);
    }
}
