//! The access logs of Apache and nginx: `ip - user [time] "request" status bytes "referer" "agent" …`.

use std::borrow::Cow;

use super::{Parsed, time};

/// The parts of an access line.
struct Access<'a> {
    ip: &'a str,
    user: &'a str,
    time: &'a str,
    request: &'a str,
    status: &'a str,
    bytes: &'a str,
    /// Everything after the bytes.
    rest: &'a str,
}

/// The status of an access line, where it is one.
pub(super) fn status(line: &str) -> Option<u16> {
    split(line)?.status.parse().ok()
}

fn split(line: &str) -> Option<Access<'_>> {
    let head = line.as_bytes();
    let open = memchr::memchr(b'[', &head[..head.len().min(256)])?;
    // Before the time stand two words at least, after it a quote.
    if open < 4 || head[open - 1] != b' ' {
        return None;
    }
    let inner = &line[open + 1..];
    let length = time::leading(inner);
    let after = inner.get(length..)?.strip_prefix("] \"")?;
    if length == 0 {
        return None;
    }
    let (request, after) = quoted(after)?;
    let mut words = after.trim_start().splitn(3, ' ');
    let status = words.next().filter(|s| s.len() == 3 && s.bytes().all(|b| b.is_ascii_digit()))?;
    let bytes = words.next().unwrap_or("-");
    let mut front = line[..open].split_ascii_whitespace();
    let ip = front.next()?;
    let user = front.next_back().unwrap_or("-");
    Some(Access { ip, user, time: &inner[..length], request, status, bytes, rest: words.next().unwrap_or("") })
}

/// The text up to the closing quote, and what follows it.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let bytes = text.as_bytes();
    let mut at = 0;
    loop {
        let found = at + memchr::memchr2(b'"', b'\\', bytes.get(at..)?)?;
        if bytes[found] == b'"' {
            return Some((&text[..found], &text[found + 1..]));
        }
        at = found + 2;
    }
}

/// Reads an access line: the request and its status in front, the parts as fields.
pub(super) fn parse<'a>(line: &'a str) -> Option<Parsed<'a>> {
    let parts = split(line)?;
    let mut fields: Vec<(Cow<'a, str>, Cow<'a, str>)> = Vec::with_capacity(10);
    let mut field = |name: &'static str, value: &'a str| {
        if !value.is_empty() && value != "-" {
            fields.push((name.into(), value.into()));
        }
    };
    let mut words = parts.request.split(' ');
    let (method, path, protocol) = (words.next().unwrap_or(""), words.next(), words.next());
    if let Some(path) = path {
        field("method", method);
        field("path", path);
    }
    field("status", parts.status);
    field("bytes", parts.bytes);
    let mut rest = parts.rest.trim_start();
    let mut names = ["referer", "agent", "forwarded"].into_iter();
    while let Some((value, after)) = rest.strip_prefix('"').and_then(quoted) {
        if let Some(name) = names.next() {
            field(name, value);
        }
        rest = after.trim_start();
    }
    for word in rest.split_ascii_whitespace() {
        match word.split_once('=') {
            Some((key, value)) => fields.push((key.into(), value.trim_matches('"').into())),
            // A bare number after everything else is the time the request took, seconds in nginx.
            None if word.contains('.') && word.parse::<f64>().is_ok() && !fields.iter().any(|(k, _)| k == "latency") => {
                fields.push(("latency".into(), word.into()));
            }
            None => {}
        }
    }
    for (name, value) in [("ip", parts.ip), ("user", parts.user), ("protocol", protocol.unwrap_or(""))] {
        if !value.is_empty() && value != "-" {
            fields.push((name.into(), value.into()));
        }
    }
    let request = if path.is_some() {
        format!("{method} {} {}", path.unwrap_or(""), parts.status)
    } else {
        format!("{} {}", parts.request, parts.status)
    };
    Some(Parsed { time: Some(parts.time), message: Cow::Owned(request), fields })
}
