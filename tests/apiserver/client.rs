//! A client that shows the answers as they are, no more.

use std::collections::VecDeque;
use std::io::{BufRead, Read, Write};
use std::time::Duration;

use serde_json::Value;

use crate::apiserver::ApiServer;

pub use std::io::BufReader;
pub use std::net::TcpStream;

/// An answer read to its end.
#[derive(Debug)]
pub struct Answered {
    pub code: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Answered {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&self.body)))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The lines of a stream.
    pub fn lines(&self) -> Vec<Value> {
        self.text().lines().map(|l| serde_json::from_str(l).unwrap()).collect()
    }
}

/// One connection for one request, whose answer is read as it comes.
pub struct Open {
    pub code: u16,
    pub head: String,
    chunked: bool,
    length: usize,
    lines: VecDeque<String>,
    stream: BufReader<TcpStream>,
}

pub fn open(server: &ApiServer, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Open {
    let address = server.url().trim_start_matches("http://").to_owned();
    let mut stream = TcpStream::connect(&address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut text = format!("{method} {path} HTTP/1.1\r\nHost: {address}\r\nContent-Length: {}\r\n", body.len());
    if !headers.iter().any(|(name, _)| *name == "Authorization") {
        text.push_str("Authorization: Bearer admin-token\r\n");
    }
    for (name, value) in headers.iter().filter(|(_, value)| !value.is_empty()) {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    stream.write_all(format!("{text}\r\n{body}").as_bytes()).unwrap();
    let mut stream = BufReader::new(stream);
    let mut head = String::new();
    while stream.read_line(&mut head).unwrap() > 2 {}
    let lower = head.to_lowercase();
    let length = lower.lines().find_map(|l| l.strip_prefix("content-length: ")).map_or(0, |l| l.trim().parse().unwrap());
    Open {
        code: head.split(' ').nth(1).unwrap_or("0").parse().unwrap(),
        chunked: lower.contains("transfer-encoding: chunked"),
        head,
        length,
        lines: VecDeque::new(),
        stream,
    }
}

impl Open {
    /// The next piece of a stream; nothing at its end, or where it is cut off.
    pub fn piece(&mut self) -> Option<Vec<u8>> {
        let mut size = String::new();
        self.stream.read_line(&mut size).ok()?;
        let size = usize::from_str_radix(size.trim(), 16).ok()?;
        let mut piece = vec![0; size + 2];
        self.stream.read_exact(&mut piece).ok()?;
        piece.truncate(size);
        (size > 0).then_some(piece)
    }

    /// The next line of a watch.
    pub fn event(&mut self) -> Option<Value> {
        while self.lines.is_empty() {
            let piece = self.piece()?;
            self.lines.extend(String::from_utf8_lossy(&piece).lines().map(str::to_owned));
        }
        self.lines.pop_front().map(|l| serde_json::from_str(&l).unwrap())
    }

    /// The connection after a change of protocol.
    pub fn raw(self) -> BufReader<TcpStream> {
        self.stream
    }

    pub fn read(mut self) -> Answered {
        let mut body = Vec::new();
        if self.chunked {
            while let Some(piece) = self.piece() {
                body.extend(piece);
            }
        } else {
            body.resize(self.length, 0);
            self.stream.read_exact(&mut body).unwrap();
        }
        Answered { code: self.code, head: self.head, body }
    }
}

pub fn get(server: &ApiServer, path: &str) -> Answered {
    open(server, "GET", path, &[], "").read()
}

pub fn send(server: &ApiServer, method: &str, path: &str, media: &str, body: &Value) -> Answered {
    open(server, method, path, &[("Content-Type", media)], &body.to_string()).read()
}
