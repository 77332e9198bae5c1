//! Endpoints of this process, scraped: over how many connections, and what is said of those that are none.

use std::sync::atomic::{AtomicU32, Ordering};

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;

use super::*;
use crate::model::{EnvironmentId, ScrapeSpec};

const METRICS: &str = "# TYPE x_total counter\nx_total{a=\"1\"} 7\n";

/// Answers by path, many requests a connection; counts the connections.
async fn serve() -> (String, Arc<AtomicU32>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, count) = (listener.local_addr().unwrap().to_string(), Arc::new(AtomicU32::new(0)));
    let counted = count.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(async move {
                let mut stream = BufReader::new(stream);
                while let Some(head) = request(&mut stream).await {
                    let path = head.split(' ').nth(1).unwrap_or_default();
                    if stream.write_all(&answer(path, &head)).await.is_err() || path == "/rude" {
                        return;
                    }
                }
            });
        }
    });
    (address, count)
}

async fn request(stream: &mut BufReader<tokio::net::TcpStream>) -> Option<String> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if stream.read_line(&mut head).await.ok()? == 0 {
            return None;
        }
    }
    Some(head)
}

fn answer(path: &str, head: &str) -> Vec<u8> {
    let say = |status: &str, body: &[u8]| {
        [format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n", body.len()).as_bytes(), body].concat()
    };
    let packed = |body: &[u8]| {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut packer, body).unwrap();
        let body = packer.finish().unwrap();
        [format!("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n", body.len()).as_bytes(), &body]
            .concat()
    };
    let lower = head.to_lowercase();
    match path {
        "/metrics" if lower.contains("accept: application/openmetrics-text") => say("200 OK", METRICS.as_bytes()),
        "/packed" if lower.contains("accept-encoding: gzip") => packed(METRICS.as_bytes()),
        "/rude" => say("200 OK", METRICS.as_bytes()),
        "/bomb" => packed(&vec![b'\n'; MOST + 1]),
        "/page" => say("200 OK", b"<!doctype html>\n<p>\x1b[31mhello</p>\n"),
        "/moved" => b"HTTP/1.1 301 Moved\r\nLocation: /metrics?token=x\r\nContent-Length: 0\r\n\r\n".to_vec(),
        "/closed" => say("401 Unauthorized", b""),
        "/silent" => Vec::new(),
        _ => say("404 Not Found", b""),
    }
}

fn endpoint(url: &str, interval: u64) -> Endpoint {
    let scrape = ScrapeSpec { workload: None, url: url.into(), interval: Duration::from_millis(interval), job: "j".into() };
    Endpoint::new(None, ScrapeWatch { environment: EnvironmentId::new("c", "shop"), scrape: Arc::new(scrape), instance: None })
}

#[tokio::test]
async fn one_connection_serves_as_long_as_the_server_keeps_it() {
    for (path, expected) in [("/metrics", 1), ("/packed", 1), ("/rude", 5)] {
        let (address, count) = serve().await;
        let mut endpoint = endpoint(&format!("http://{address}{path}"), 20);
        for _ in 0..5 {
            let scraped = endpoint.next().await;
            assert!(scraped.read.is_ok(), "{path}: {scraped:?}");
        }
        assert_eq!(count.load(Ordering::SeqCst), expected, "{path}");
    }
}

#[tokio::test]
async fn what_is_no_endpoint_is_said_with_what_to_do() {
    let (address, _) = serve().await;
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let cases = [
        (format!("http://{address}/none"), "it answers 404: nothing is exposed at that path"),
        (format!("http://{address}/closed"), "it answers 401: it wants a login (a user and a password in the address)"),
        (format!("http://{address}/moved"), "it answers 301 and points to /metrics: scrape that address"),
        (
            format!("http://{address}/page"),
            "what it answers is no metrics text, it begins with \"<!doctype html>\": check port and path",
        ),
        (format!("http://{address}/bomb"), "its answer is longer than 16 MiB"),
        (format!("http://{address}/silent"), "no answer within 0.3 s"),
        (format!("http://{nobody}/metrics"), "nothing listens there"),
        (format!("http://{{instance}}:{}/metrics", nobody.port()), "its engine is not connected"),
    ];
    // All at once: each waits for its first turn.
    let looks = cases.iter().map(|(url, _)| {
        let interval = if url.ends_with("/silent") { 300 } else { 60_000 };
        let mut endpoint = endpoint(url, interval);
        async move { endpoint.next().await }
    });
    for ((url, why), scraped) in cases.iter().zip(futures_util::future::join_all(looks).await) {
        assert_eq!(scraped.read.unwrap_err().as_ref(), *why, "{url}");
    }
}
