//! A real Prometheus with the same samples, and what it answers.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use quarterdeck::model::Labels;
use serde_json::Value;

use super::answer::Answer;

/// It ends with the test.
pub struct Server {
    child: Child,
    port: u16,
    _folder: tempfile::TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Whether both programs are installed here.
pub fn is_installed() -> bool {
    ["prometheus", "promtool"].into_iter().all(|name| {
        Command::new(name).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|s| s.success())
    })
}

impl Server {
    /// Starts one that has these samples, and waits until it answers.
    pub fn start(openmetrics: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("samples"), openmetrics).unwrap();
        std::fs::write(path("config.yml"), "global: {}\n").unwrap();
        blocks(&path("samples"), &path("data"));
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = Command::new("prometheus")
            .arg(format!("--config.file={}", path("config.yml").display()))
            .arg(format!("--storage.tsdb.path={}", path("data").display()))
            .arg("--storage.tsdb.retention.time=100y")
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(path("log")).unwrap())
            .spawn()
            .unwrap();
        let mut server = Self { child, port, _folder: folder };
        let began = Instant::now();
        while server.ask("GET /-/ready", "").is_none_or(|answer| !answer.contains(" 200 OK")) {
            let ended = server.child.try_wait().unwrap().is_some();
            let log = || std::fs::read_to_string(server._folder.path().join("log")).unwrap_or_default();
            assert!(!ended && began.elapsed() < Duration::from_secs(120), "Prometheus does not start: {}", log());
            std::thread::sleep(Duration::from_millis(50));
        }
        server
    }

    /// What an expression gives at a time.
    pub fn at(&self, expression: &str, at_ms: i64) -> Answer {
        let data = self.query("query", &[("query", expression), ("time", &seconds(at_ms))]);
        let Some(data) = data else { return Answer::Error };
        let row = |labels: Labels, pair: &Value| (labels.to_string(), vec![(at_ms, number(&pair[1]))]);
        Answer::Values(match data["resultType"].as_str() {
            Some("scalar") => vec![row(Labels::default(), &data["result"])],
            Some("vector") => {
                data["result"].as_array().unwrap().iter().map(|item| row(labels(&item["metric"]), &item["value"])).collect()
            }
            other => panic!("{expression} is {other:?}"),
        })
    }

    /// What it gives over a range.
    pub fn over(&self, expression: &str, from_ms: i64, to_ms: i64, step_ms: i64) -> Answer {
        let (from, to, step) = (seconds(from_ms), seconds(to_ms), seconds(step_ms));
        let data = self.query("query_range", &[("query", expression), ("start", &from), ("end", &to), ("step", &step)]);
        let Some(data) = data else { return Answer::Error };
        let rows = data["result"].as_array().unwrap().iter().map(|item| {
            let values = item["values"].as_array().unwrap().iter();
            let values = values.map(|pair| ((pair[0].as_f64().unwrap() * 1000.0).round() as i64, number(&pair[1])));
            (labels(&item["metric"]).to_string(), values.collect())
        });
        Answer::Values(rows.collect())
    }

    fn query(&self, what: &str, form: &[(&str, &str)]) -> Option<Value> {
        let form: Vec<String> = form.iter().map(|(name, value)| format!("{name}={}", escaped(value))).collect();
        let answer = self.ask(&format!("POST /api/v1/{what}"), &form.join("&")).expect("Prometheus answers");
        let body = answer.split_once("\r\n\r\n").unwrap().1;
        let answer: Value = serde_json::from_str(body).unwrap();
        match answer["status"].as_str() {
            Some("success") => Some(answer["data"].clone()),
            Some("error") => None,
            other => panic!("{other:?}"),
        }
    }

    fn ask(&self, line: &str, form: &str) -> Option<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(60))).ok()?;
        let head = "Content-Type: application/x-www-form-urlencoded";
        write!(stream, "{line} HTTP/1.0\r\n{head}\r\nContent-Length: {}\r\n\r\n{form}", form.len()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        Some(answer)
    }
}

fn blocks(samples: &Path, data: &Path) {
    let made =
        Command::new("promtool").args(["tsdb", "create-blocks-from", "openmetrics"]).args([samples, data]).output().unwrap();
    assert!(made.status.success(), "promtool: {}", String::from_utf8_lossy(&made.stderr));
}

fn seconds(ms: i64) -> String {
    format!("{}.{:03}", ms / 1000, ms % 1000)
}

fn labels(metric: &Value) -> Labels {
    Labels::new(metric.as_object().unwrap().iter().map(|(name, value)| (name.as_str(), value.as_str().unwrap())))
}

fn number(value: &Value) -> f64 {
    value.as_str().unwrap().parse().unwrap()
}

fn escaped(text: &str) -> String {
    text.bytes().map(|b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}
