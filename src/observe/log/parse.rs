//! A line taken apart for people: the message in front without its own time and level, the fields in their order.

use std::borrow::Cow;
use std::fmt::Write as _;

use crate::observe::text;

use super::format::{self, Format};
use super::json::{self, Scan, Value};
use super::{LineView, access, head, logfmt, time};

/// What a line says, without the way it is written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parsed<'a> {
    /// The line's own time, as it is written.
    pub time: Option<&'a str>,
    pub message: Cow<'a, str>,
    /// Names and values in the order they stand; objects within objects have names with dots.
    pub fields: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

impl Parsed<'_> {
    /// The value of a field; of one within an object by its last name too.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        let by_end = |key: &str| key.strip_suffix(name).is_some_and(|rest| rest.ends_with('.'));
        let found = self.fields.iter().find(|(key, _)| key == name).or_else(|| self.fields.iter().find(|(key, _)| by_end(key)));
        found.map(|(_, value)| value.as_ref())
    }
}

/// Keys of a message, the surest first.
const MESSAGES: &[&str] = &["message", "msg", "event", "log", "text", "short_message", "@m", "@mt", "body"];
/// Keys of a time; it is said elsewhere.
const TIMES: &[&str] = &["time", "ts", "timestamp", "@timestamp", "datetime", "asctime", "@t", "t.$date", "date"];
/// Keys of a level; it is said elsewhere too.
const LEVELS: &[&str] = &[
    "level",
    "severity",
    "lvl",
    "levelname",
    "log.level",
    "@l",
    "loglevel",
    "logLevel",
    "log_level",
    "severity_text",
    "Level",
    "LEVEL",
];

/// Takes a line apart by the format it came in as.
#[must_use]
pub fn parse<'a>(line: &LineView<'a>) -> Parsed<'a> {
    if line.marker.is_some() || line.continues { plain(line.text) } else { parse_text(line.format, line.text) }
}

/// Takes a text apart as a line of this format; one that is none comes back whole as the message.
#[must_use]
pub fn parse_text(format: Format, line: &str) -> Parsed<'_> {
    let parsed = match format {
        Format::Plain => None,
        Format::Json => object(line),
        Format::Logfmt => Some(pairs(line)),
        Format::Klog => klog(line),
        Format::Access => access::parse(line),
        Format::Redis => redis(line),
        Format::Postgres => postgres(line),
        Format::Syslog => syslog(line),
        Format::Log4j | Format::Logger => Some(headed(line)),
    };
    parsed.unwrap_or_else(|| plain(line))
}

fn plain(line: &str) -> Parsed<'_> {
    Parsed { message: Cow::Borrowed(line), ..Parsed::default() }
}

/// A line whose message may hold pairs of its own, which stay in the message and are fields too.
fn with_message<'a>(time: &'a str, message: &'a str, mut fields: Vec<(Cow<'a, str>, Cow<'a, str>)>) -> Parsed<'a> {
    if memchr::memchr(b'=', message.as_bytes()).is_some() {
        fields.extend(logfmt::Pairs::new(message).map(|(key, value, quoted)| (Cow::Borrowed(key), logfmt::read(value, quoted))));
    }
    Parsed { time: (!time.is_empty()).then_some(time), message: Cow::Borrowed(message), fields }
}

fn object(line: &str) -> Option<Parsed<'_>> {
    let mut parsed = Parsed::default();
    let mut message: Option<(usize, usize)> = None;
    let mut level_seen = false;
    json::walk(line, &mut |path, value| {
        let key: Cow<'_, str> = match path {
            [one] => Value::Text(one).read(),
            parts => Cow::Owned(text::clean(&json::unescape(&parts.join("."))).into_owned()),
        };
        if parsed.time.is_none() && TIMES.contains(&key.as_ref()) {
            parsed.time = Some(value.raw());
            return true;
        }
        if !level_seen && LEVELS.contains(&key.as_ref()) {
            level_seen = true;
            return true;
        }
        if let (Some(rank), Value::Text(_)) = (MESSAGES.iter().position(|m| *m == key), value)
            && message.is_none_or(|(best, _)| rank < best)
        {
            message = Some((rank, parsed.fields.len()));
        }
        parsed.fields.push((key, value.read()));
        true
    })?;
    parsed.message = match message {
        Some((_, at)) => parsed.fields.remove(at).1,
        None => Cow::Borrowed(line),
    };
    Some(parsed)
}

fn pairs(line: &str) -> Parsed<'_> {
    let mut parsed = Parsed { message: Cow::Borrowed(line), ..Parsed::default() };
    let mut found = false;
    for (key, value, quoted) in logfmt::Pairs::new(line) {
        if parsed.time.is_none() && TIMES.contains(&key) {
            parsed.time = Some(value);
        } else if LEVELS.contains(&key) {
        } else if !found && matches!(key, "msg" | "message" | "event") {
            found = true;
            parsed.message = logfmt::read(value, quoted);
        } else {
            parsed.fields.push((Cow::Borrowed(key), logfmt::read(value, quoted)));
        }
    }
    parsed
}

/// `E1121 14:03:22.000000       1 file.go:1] message`.
fn klog(line: &str) -> Option<Parsed<'_>> {
    let (front, message) = line.split_once("] ").or_else(|| line.strip_suffix(']').map(|f| (f, "")))?;
    let mut words = front.split_ascii_whitespace();
    let (_, _, pid, source) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let clock_end = front.find(pid).filter(|n| *n > 1)?;
    let fields = vec![("pid".into(), pid.into()), ("logger".into(), source.into())];
    let text = message.strip_prefix('"').and_then(|m| m.split_once('"')).map_or(message, |(quoted, _)| quoted);
    let mut parsed = with_message(front[1..clock_end].trim_end(), message, fields);
    parsed.message = Cow::Borrowed(text);
    Some(parsed)
}

fn redis(line: &str) -> Option<Parsed<'_>> {
    let (start, end, _) = format::redis_head(line)?;
    let (pid, role) = line[..start].trim_end().split_once(':')?;
    let role = match role {
        "M" => "master",
        "S" => "replica",
        "C" => "child",
        _ => "sentinel",
    };
    let message = line.get(end + 2..).unwrap_or("").trim_start();
    Some(with_message(&line[start..end], message, vec![("pid".into(), pid.into()), ("role".into(), role.into())]))
}

fn postgres(line: &str) -> Option<Parsed<'_>> {
    let end = time::leading(line);
    let (word, message) = format::postgres_word(line, end)?;
    let mut fields = Vec::new();
    for piece in line[end..word].split_ascii_whitespace() {
        if let Some(pid) = piece.strip_prefix('[').and_then(|p| p.strip_suffix(']')) {
            fields.push(("pid".into(), pid.into()));
        } else if let Some((user, database)) = piece.split_once('@') {
            fields.extend([("user".into(), user.into()), ("database".into(), database.into())]);
        }
    }
    let message = line.get(message..).unwrap_or("");
    if let Some(took) = message.strip_prefix("duration: ").and_then(|m| m.split_once(" ms")) {
        fields.push(("duration_ms".into(), took.0.into()));
    }
    let explains = matches!(&line[word..], w if ["DETAIL", "HINT", "CONTEXT", "STATEMENT", "QUERY", "LOCATION"].iter().any(|e| w.starts_with(e)));
    let mut parsed = Parsed { time: Some(&line[..end]), message: Cow::Borrowed(message), fields };
    if explains {
        parsed.message = Cow::Borrowed(&line[word..]);
    }
    Some(parsed)
}

fn syslog(line: &str) -> Option<Parsed<'_>> {
    let start = format::priority(line).map_or(0, |(_, at)| at);
    let rest = &line[start..];
    if let Some(rest) = rest.strip_prefix("1 ") {
        return Some(syslog_5424(rest));
    }
    let length = time::leading(rest);
    let message = format::syslog_3164(rest, length)?;
    let (host, tag) = rest[length + 1..message].split_once(' ')?;
    let mut fields = vec![("host".into(), host.into())];
    tagged(tag.trim_end_matches([':', ' ']), &mut fields);
    let body = &rest[message..];
    let head = head::read(body);
    Some(with_message(&rest[..length], if head.level.is_some() { &body[head.message..] } else { body }, fields))
}

/// `tag[123]`: the program and its process.
fn tagged<'a>(tag: &'a str, fields: &mut Vec<(Cow<'a, str>, Cow<'a, str>)>) {
    match tag.strip_suffix(']').and_then(|t| t.split_once('[')) {
        Some((program, pid)) => fields.extend([("logger".into(), program.into()), ("pid".into(), pid.into())]),
        None => fields.push(("logger".into(), tag.into())),
    }
}

/// `time host app procid msgid [data] message`, RFC 5424.
fn syslog_5424(rest: &str) -> Parsed<'_> {
    let mut words = rest.splitn(6, ' ');
    let mut part = || words.next().unwrap_or("-");
    let (time, host, app, pid, id) = (part(), part(), part(), part(), part());
    let mut message = words.next().unwrap_or("");
    let names = [("host", host), ("logger", app), ("pid", pid), ("msgid", id)];
    let mut fields: Vec<(Cow<'_, str>, Cow<'_, str>)> =
        names.into_iter().filter(|(_, v)| *v != "-").map(|(k, v)| (k.into(), v.into())).collect();
    if let Some(after) = message.strip_prefix('-') {
        message = after.trim_start();
    } else {
        while let Some((data, after)) = message.strip_prefix('[').and_then(|m| m.split_once(']')) {
            fields.extend(logfmt::Pairs::new(data).map(|(k, v, q)| (Cow::Borrowed(k), logfmt::read(v, q))));
            message = after;
        }
        message = message.trim_start();
    }
    Parsed { time: (time != "-").then_some(time), message: Cow::Borrowed(message), fields }
}

fn headed<'a>(line: &'a str) -> Parsed<'a> {
    let head = head::read(line);
    let mut message = line.get(head.message..).unwrap_or("");
    let mut fields: Vec<(Cow<'a, str>, Cow<'a, str>)> = Vec::new();
    let mut field = |name: &'static str, value: &'a str| fields.push((name.into(), value.into()));
    let mut logger = &line[head.logger.clone()];
    // Kafka has the logger in brackets at the end.
    if head.bracketed
        && let Some((text, name)) = message.strip_suffix(')').and_then(|m| m.rsplit_once(" ("))
        && name.contains('.')
        && !name.contains([' ', '='])
    {
        (message, logger) = (text, name);
    }
    for tag in head.tags.iter().filter(|t| !t.is_empty()) {
        let tag = &line[tag.clone()];
        if tag.bytes().all(|b| b.is_ascii_digit() || b == b'#') {
            field("pid", tag);
        } else if logger.is_empty() && !tag.contains(' ') {
            logger = tag;
        } else {
            field("thread", tag);
        }
    }
    if !logger.is_empty() {
        field("logger", logger);
    }
    with_message(&line[head.time], message, fields)
}

/// A JSON object over several lines, indented by two, its members in their order; line breaks within a text are taken.
/// `None` where the text is no JSON.
#[must_use]
pub fn pretty(text: &str) -> Option<Vec<String>> {
    let mut out = vec![String::new()];
    let mut scan = Scan::new(text);
    value(&mut scan, 0, &mut out)?;
    scan.peek().is_none().then_some(out)
}

fn value(scan: &mut Scan<'_>, depth: usize, out: &mut Vec<String>) -> Option<()> {
    let close = match scan.peek()? {
        b'{' if depth < 64 => b'}',
        b'[' if depth < 64 => b']',
        _ => return scan.value().map(|v| leaf(v, depth, out)),
    };
    let (open, end) = if close == b'}' { ("{", "}") } else { ("[", "]") };
    scan.take(open.as_bytes()[0])?;
    let line = out.last_mut()?;
    line.push_str(open);
    if scan.peek()? == close {
        line.push_str(end);
        return scan.take(close);
    }
    loop {
        out.push("  ".repeat(depth + 1));
        if close == b'}' {
            let key = scan.key()?;
            let _ = write!(out.last_mut()?, "\"{key}\": ");
        }
        value(scan, depth + 1, out)?;
        if !scan.more(close)? {
            break;
        }
        out.last_mut()?.push(',');
    }
    out.push("  ".repeat(depth) + end);
    Some(())
}

fn leaf(value: Value<'_>, depth: usize, out: &mut Vec<String>) {
    let text = match value {
        Value::Text(raw) if raw.contains("\\n") && !raw.contains("\\\\n") => raw.to_owned(),
        Value::Text(raw) => return out.last_mut().map_or((), |line| line.extend(["\"", raw, "\""])),
        Value::Other(raw) => return out.last_mut().map_or((), |line| line.push_str(raw)),
    };
    let indent = "  ".repeat(depth + 1);
    for (n, piece) in text.split("\\n").enumerate() {
        let piece = text::clean(&piece.replace("\\t", "    ")).into_owned();
        match out.last_mut() {
            Some(line) if n == 0 => line.extend(["\"", &piece]),
            _ => out.push(format!("{indent}{piece}")),
        }
    }
    if let Some(line) = out.last_mut() {
        line.push('"');
    }
}
