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
                if path == "/late" {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                drop(stream.write_all(&answer(path, &head)).await);
            });
        }
    });
    address
}

fn answer(path: &str, head: &str) -> Vec<u8> {
    let to = |place: &str| format!("HTTP/1.1 302 Found\r\nLocation: {place}\r\nContent-Length: 0\r\n\r\n").into_bytes();
    let say =
        |status: &str, body: &str| format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into_bytes();
    let packed = |packing: &str, body: &[u8]| {
        let head = format!("HTTP/1.1 200 OK\r\nContent-Encoding: {packing}\r\nContent-Length: {}\r\n\r\n", body.len());
        [head.as_bytes(), body].concat()
    };
    let has = |header: &str| head.to_lowercase().contains(header);
    let if_so = |so: bool| say(if so { "200 OK" } else { "400 Bad Request" }, "");
    match path {
        "/health" => say("200 OK", r#"{"status":"healthy","components":{"db":"up","kafka":"down"},"n":3,"ready":true}"#),
        "/broken" => say("503 Service Unavailable", "{\"status\":\"unhealthy\",\"password\":\"hunter2\"}"),
        "/once" => to("/health"),
        "/login" if has("authorization: basic bwu6eha=") => say("200 OK", ""),
        "/login" => say("401 Unauthorized", ""),
        "/round" => to("/round"),
        "/endless" => b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n".to_vec(),
        "/nonsense" => b"hello\r\n\r\n".to_vec(),
        "/packed" if has("accept-encoding: gzip") => packed("gzip", &gzip(b"{\"status\":\"packed\"}")),
        "/bomb" => packed("gzip", &gzip(&vec![b' '; 5 << 20])),
        "/brotli" => packed("br", b"x"),
        "/liar" => packed("gzip", b"{}"),
        "/head" => if_so(head.starts_with("HEAD ")),
        "/named" => if_so(has("host: lms.example\r\n")),
        "/key" => if_so(has("x-key: s3cret\r\n") && has("accept: application/json\r\n") && !has("*/*")),
        "/no-key" => if_so(!has("x-key") && !has("authorization")),
        "/late" => say("200 OK", ""),
        path => match path.strip_prefix("/away/") {
            Some(elsewhere) => to(&format!("http://{elsewhere}/no-key")),
            None => say("404 Not Found", "no such page"),
        },
    }
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut packer, body).unwrap();
    packer.finish().unwrap()
}

fn spec(kind: ProbeKind, expect: Expect) -> ProbeSpec {
    ProbeSpec { timeout: Duration::from_secs(2), expect, ..ProbeSpec::of("api", kind) }
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
    told(&spec(kind, expect)).await
}

async fn told(spec: &ProbeSpec) -> String {
    let answer = probe(None, spec, &[]).await;
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
        ("/health", json(&[("components.redis", text("up"))]), "probe api: components.redis is missing, \"up\" is wanted"),
        (
            "/health",
            json(&[
                ("status", text("ok")),
                ("components.db", text("up")),
                ("components.kafka", text("up")),
                ("n", Json::Number(4.0)),
            ]),
            "probe api: components.kafka is \"down\", \"up\" is wanted; n is 3, 4 is wanted; status is \"healthy\", \"ok\" is wanted",
        ),
        ("/packed", json(&[("status", text("packed"))]), "good: 200 in N ms"),
        ("/bomb", json(&[("status", text("packed"))]), "probe api: its answer is longer than 4 MiB"),
        ("/brotli", json(&[("status", text("x"))]), "probe api: its answer is packed with br, which nobody asked for"),
        ("/liar", json(&[("status", text("x"))]), "probe api: its answer says it is packed with gzip and is not"),
        ("/missing", Expect::default(), "probe api: answers 404"),
        ("/missing", json(&[("status", text("x"))]), "probe api: answers 404: no such page"),
        (
            "/broken",
            json(&[("status", text("healthy"))]),
            "probe api: answers 503: status is \"unhealthy\", \"healthy\" is wanted",
        ),
        (
            "/broken",
            json(&[("status", text("unhealthy"))]),
            "probe api: answers 503: {\"status\":\"unhealthy\",\"password\":\"••••••\"}",
        ),
        ("/broken", json(&[("password", text("x"))]), "probe api: answers 503: password is another than is wanted"),
        ("/once", Expect::default(), "good: 200 in N ms after a redirect"),
        ("/once", status(302), "good: 302 in N ms"),
        ("/round", Expect::default(), "probe api: it redirects more than 5 times"),
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

#[tokio::test]
async fn it_asks_in_the_manner_that_is_wanted() {
    let (address, other) = (serve().await, serve().await);
    let key = || BTreeMap::from([("X-Key".into(), "s3cret".into()), ("Accept".into(), "application/json".into())]);
    let usual = Manner::default;
    for (path, manner, words) in [
        ("/head", Manner { head: true, ..usual() }, "good: 200 in N ms"),
        ("/named", Manner { host: Some("lms.example".into()), ..usual() }, "good: 200 in N ms"),
        ("/once", Manner { redirects: 0, ..usual() }, "good: 302 in N ms"),
        ("/once", Manner { redirects: 1, ..usual() }, "good: 200 in N ms after a redirect"),
        ("/round", Manner { redirects: 1, ..usual() }, "probe api: it redirects more than once"),
        ("/round", Manner { redirects: 2, ..usual() }, "probe api: it redirects more than 2 times"),
        ("/key", Manner { headers: key(), ..usual() }, "good: 200 in N ms"),
        ("/no-key", Manner { headers: key(), ..usual() }, "probe api: answers 400"),
        ("/late", usual(), "good: 200 in N ms, N ms is wanted"),
        (
            "/key",
            Manner { headers: BTreeMap::from([("X-Key".into(), "${QD_NO_SUCH_KEY}".into())]), ..usual() },
            "probe api: the header X-Key needs the variable QD_NO_SUCH_KEY, which is not set",
        ),
    ] {
        let latency = (path == "/late").then_some(Duration::from_millis(5));
        let probe =
            ProbeSpec { latency, manner, ..spec(ProbeKind::Http(format!("http://{address}{path}").into()), Expect::default()) };
        assert_eq!(told(&probe).await, words, "{path}");
    }
    // What is meant for one server is not taken along to another.
    let url = format!("http://me:x@{address}/away/{other}");
    let probe =
        ProbeSpec { manner: Manner { headers: key(), ..usual() }, ..spec(ProbeKind::Http(url.into()), Expect::default()) };
    assert_eq!(told(&probe).await, "good: 200 in N ms after a redirect");
}

#[test]
fn variables_are_filled_into_headers() {
    let variable = |name: &str| (name == "TOKEN").then(|| "t0k".to_owned());
    for (text, expected) in [
        ("Bearer ${TOKEN}", Ok("Bearer t0k")),
        ("${TOKEN}${TOKEN}", Ok("t0kt0k")),
        ("plain $TOKEN {x}", Ok("plain $TOKEN {x}")),
        ("${OTHER}", Err("OTHER")),
        ("${TOKEN", Ok("${TOKEN")),
    ] {
        assert_eq!(filled(text, variable).as_deref().map_err(String::as_str), expected, "{text}");
    }
}

#[tokio::test]
async fn a_certificate_tells_its_days_without_being_asked() {
    let file = |name: &str| format!("{}/tests/probe/tls/{name}.pem", env!("CARGO_MANIFEST_DIR"));
    let address = serve_tls().await;
    let port = stream::host_of(&address).len() + 1;
    let url = format!("https://localhost:{}/", &address[port..]);
    let trusting = |ca: Option<String>, host: Option<&str>| Manner {
        ca: ca.map(Into::into),
        host: host.map(Into::into),
        ..Manner::default()
    };
    for (kind, manner, words) in [
        (
            ProbeKind::Http(url.as_str().into()),
            trusting(Some(file("authority")), None),
            "good: 200 in N ms, certificate valid for",
        ),
        (ProbeKind::Tls(address.as_str().into()), trusting(Some(file("authority")), None), "good: certificate valid for"),
        (
            ProbeKind::Tls(address.as_str().into()),
            trusting(Some(file("authority")), Some("lms.example")),
            "probe api: its certificate is not for lms.example",
        ),
        (
            ProbeKind::Http(url.as_str().into()),
            trusting(None, None),
            "probe api: its certificate is from an authority this machine does not trust",
        ),
        (ProbeKind::Tls(address.as_str().into()), trusting(Some(file("none")), None), "probe api: the authority in "),
    ] {
        let probe = ProbeSpec { manner, ..spec(kind, Expect::default()) };
        let told = told(&probe).await;
        assert!(told.starts_with(words), "{told}");
        let found = look(&probe, &Place::plain(address_of(&probe))).await;
        assert_eq!(found.days.is_some(), told.starts_with("good"), "{found:?}");
    }
}

fn address_of(probe: &ProbeSpec) -> &str {
    address(&probe.kind).unwrap()
}

/// Answers 200 to whoever likes the certificate.
async fn serve_tls() -> String {
    use rustls::pki_types::pem::PemObject as _;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    let chain = vec![CertificateDer::from_pem_slice(include_bytes!("../../tests/probe/tls/server.pem")).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(include_bytes!("../../tests/probe/tls/key.pem")).unwrap();
    let config = rustls::ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key).unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut head = [0; 1024];
            if stream.read(&mut head).await.is_ok_and(|n| n > 0) {
                drop(stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await);
            }
        }
    });
    address
}
