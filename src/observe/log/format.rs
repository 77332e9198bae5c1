//! Which way of writing logs a line follows, found once when it comes in.

use super::head::{self, Head};
use super::{Level, access, json, logfmt, time};

/// A way of writing logs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Format {
    /// Text without anything that could be read.
    #[default]
    Plain,
    /// One JSON object a line: structlog, pino, zap, bunyan, logrus.
    Json,
    /// `key=value key="two words"`.
    Logfmt,
    /// `E1121 14:03:22.000000 1 file.go:1] …`, of Kubernetes and glog.
    Klog,
    /// The common and the combined access log of Apache and nginx.
    Access,
    /// `1:M 21 Nov 2026 14:03:22.123 * …`
    Redis,
    /// `2026-11-21 14:03:22.123 UTC [1] LOG:  …`
    Postgres,
    /// The time in brackets, then level and logger: Kafka, Elasticsearch, gunicorn, celery.
    Log4j,
    /// RFC 3164 and RFC 5424.
    Syslog,
    /// Time, level, logger and message in some order: Python's logging, Spring, Rust's tracing, nginx's error log.
    Logger,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 10] = [
        Self::Plain,
        Self::Json,
        Self::Logfmt,
        Self::Klog,
        Self::Access,
        Self::Redis,
        Self::Postgres,
        Self::Log4j,
        Self::Syslog,
        Self::Logger,
    ];

    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Json => "json",
            Self::Logfmt => "logfmt",
            Self::Klog => "klog",
            Self::Access => "access",
            Self::Redis => "redis",
            Self::Postgres => "postgres",
            Self::Log4j => "log4j",
            Self::Syslog => "syslog",
            Self::Logger => "logger",
        }
    }

    /// The format of this name.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|f| f.word().eq_ignore_ascii_case(word))
    }
}

/// A format and the level read by it.
pub(super) type Found = (Format, Option<Level>);

/// The format and level of a line by itself.
pub(super) fn detect(line: &str) -> Found {
    let bytes = line.as_bytes();
    match bytes.first() {
        None | Some(b' ') => return (Format::Plain, None),
        Some(b'{') => {
            if let Some(found) = json::level(line) {
                return found;
            }
        }
        Some(b'<') => {
            if let Some(found) = syslog_5424(line) {
                return found;
            }
        }
        Some(b'I' | b'W' | b'E' | b'F') => {
            if let Some(level) = klog(bytes) {
                return (Format::Klog, Some(level));
            }
        }
        Some(b'0'..=b'9') => {
            if let Some(level) = redis(line) {
                return (Format::Redis, Some(level));
            }
        }
        Some(_) => {}
    }
    if let Some(status) = access::status(line) {
        return (Format::Access, Some(by_status(status)));
    }
    headed(line)
}

/// The formats told apart by what follows the time.
fn headed(line: &str) -> Found {
    let length = time::leading(line);
    if length > 0 {
        if let Some(found) = postgres(line, length) {
            return found;
        }
        if line.as_bytes()[0].is_ascii_alphabetic()
            && let Some(tag) = syslog_3164(line, length)
        {
            return (Format::Syslog, head::read(&line[tag..]).level);
        }
    } else if let Some(found) = logfmt::level(line) {
        return found;
    }
    let head = head::read(line);
    (of_head(&head), head.level.or_else(|| Level::of_trouble(&line[head.message..])))
}

fn of_head(head: &Head) -> Format {
    if head.bracketed {
        Format::Log4j
    } else if head.level.is_some() || !head.time.is_empty() {
        Format::Logger
    } else {
        Format::Plain
    }
}

/// A status of HTTP as a level: 5xx is an error, 4xx a warning.
pub(super) fn by_status(status: u16) -> Level {
    match status {
        500.. => Level::Error,
        400..=499 => Level::Warn,
        0..=399 => Level::Info,
    }
}

/// `E1121 14:03:22`, and glog's newer `E20261121 14:03:22`.
fn klog(bytes: &[u8]) -> Option<Level> {
    let digits = bytes[1..].iter().take_while(|b| b.is_ascii_digit()).count();
    if !matches!(digits, 4 | 8) || bytes.get(1 + digits) != Some(&b' ') || bytes.get(digits + 4) != Some(&b':') {
        return None;
    }
    match bytes[0] {
        b'I' => Some(Level::Info),
        b'W' => Some(Level::Warn),
        b'E' => Some(Level::Error),
        b'F' => Some(Level::Fatal),
        _ => None,
    }
}

/// `1:M 21 Nov 2026 14:03:22.123 * …`: where the time begins and ends, and the level its sign tells.
pub(super) fn redis_head(line: &str) -> Option<(usize, usize, Level)> {
    let colon = line.bytes().take(8).position(|b| b == b':')?;
    let start = colon + 3;
    let bytes = line.as_bytes();
    if !bytes[..colon].iter().all(u8::is_ascii_digit) || !matches!(bytes.get(colon + 1), Some(b'M' | b'S' | b'C' | b'X')) {
        return None;
    }
    let end = start + time::leading(line.get(start..)?);
    if end == start || bytes.get(end) != Some(&b' ') {
        return None;
    }
    let level = match bytes.get(end + 1)? {
        b'.' | b'-' => Level::Debug,
        b'*' => Level::Info,
        b'#' => Level::Warn,
        _ => return None,
    };
    Some((start, end, level))
}

fn redis(line: &str) -> Option<Level> {
    redis_head(line).map(|(_, _, level)| level)
}

/// `… LOG:  message`: where the word and the message begin.
pub(super) fn postgres_word(line: &str, from: usize) -> Option<(usize, usize)> {
    let bytes = line.as_bytes();
    let within = &bytes[from..bytes.len().min(from + 160)];
    let colon = from + memchr::memmem::find(within, b":  ")?;
    let word =
        bytes[from..colon].iter().rposition(|b| !b.is_ascii_uppercase() && !b.is_ascii_digit()).map_or(from, |n| from + n + 1);
    const WORDS: &[&str] = &[
        "LOG",
        "ERROR",
        "FATAL",
        "PANIC",
        "WARNING",
        "NOTICE",
        "INFO",
        "DEBUG",
        "DETAIL",
        "HINT",
        "CONTEXT",
        "STATEMENT",
        "QUERY",
        "LOCATION",
    ];
    WORDS.contains(&line[word..colon].trim_end_matches(|c: char| c.is_ascii_digit())).then_some((word, colon + 3))
}

/// The level of a line of PostgreSQL; none for those that explain the line before.
fn postgres(line: &str, time: usize) -> Option<Found> {
    let (word, message) = postgres_word(line, time)?;
    Some((Format::Postgres, Level::parse(line[word..message - 3].trim_end_matches(|c: char| c.is_ascii_digit()))))
}

/// The number of `<34>`; where what follows it begins.
pub(super) fn priority(line: &str) -> Option<(u16, usize)> {
    let end = line.bytes().take(5).position(|b| b == b'>')?;
    let number = line.get(1..end)?.parse().ok().filter(|n| *n < 192)?;
    Some((number, end + 1))
}

fn syslog_5424(line: &str) -> Option<Found> {
    let (number, rest) = priority(line)?;
    let rest = &line[rest..];
    // RFC 5424 has its version in front of the time, RFC 3164 has not.
    let timed = time::leading(rest) > 0 || rest.strip_prefix("1 ").is_some_and(|r| r.starts_with('-') || time::leading(r) > 0);
    timed.then(|| (Format::Syslog, Level::of_severity(number % 8)))
}

/// After the time `host tag[1]: `; where the message begins.
pub(super) fn syslog_3164(line: &str, time: usize) -> Option<usize> {
    let rest = line.get(time + 1..)?;
    let (host, rest_at) = rest.split_once(' ').map(|(h, _)| (h, time + 1 + h.len() + 1))?;
    let tag = &line[rest_at..];
    let end = tag.find(": ").or_else(|| tag.strip_suffix(':').map(str::len))?;
    let fits = !host.is_empty() && !host.ends_with(':') && !host.starts_with('[') && end <= 64 && !tag[..end].contains(' ');
    fits.then(|| (rest_at + end + 2).min(line.len()))
}
