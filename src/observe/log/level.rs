//! How bad a line says it is, read from the line itself.

/// How bad a line says it is, mild first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    Trace,
    Debug,
    Info,
    Warn,
    Error,
    Fatal,
}

impl Level {
    /// Every level, mild first.
    pub const ALL: [Self; 6] = [Self::Trace, Self::Debug, Self::Info, Self::Warn, Self::Error, Self::Fatal];

    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Trace => "trace",
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
            Self::Fatal => "fatal",
        }
    }

    /// The level a word names, in any of the usual spellings and cases.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        const WORDS: &[(&str, Level)] = &[
            ("trace", Level::Trace),
            ("debug", Level::Debug),
            ("info", Level::Info),
            ("notice", Level::Info),
            ("information", Level::Info),
            ("log", Level::Info),
            ("warn", Level::Warn),
            ("warning", Level::Warn),
            ("error", Level::Error),
            ("err", Level::Error),
            ("fatal", Level::Fatal),
            ("critical", Level::Fatal),
            ("crit", Level::Fatal),
            ("panic", Level::Fatal),
            ("emerg", Level::Fatal),
            ("alert", Level::Fatal),
        ];
        WORDS.iter().find(|(w, _)| w.eq_ignore_ascii_case(word)).map(|(_, level)| *level)
    }

    /// Detects a line's level: a `level` field (JSON, logfmt), a level word near the start, klog's letter, an HTTP
    /// status of an access log.
    #[must_use]
    pub fn detect(line: &str) -> Option<Self> {
        let head = head(line, 400);
        field(head).or_else(|| klog(head)).or_else(|| word(head)).or_else(|| access(line))
    }
}

fn head(line: &str, bytes: usize) -> &str {
    if line.len() <= bytes {
        return line;
    }
    let mut end = bytes;
    while !line.is_char_boundary(end) {
        end -= 1;
    }
    &line[..end]
}

/// `"level":"warn"`, `level=warn`, `severity: …`; pino's numbers too.
fn field(line: &str) -> Option<Level> {
    for key in ["level", "severity", "lvl", "loglevel", "levelname"] {
        let mut from = 0;
        while let Some(found) = line[from..].find(key) {
            let start = from + found;
            from = start + key.len();
            if line[..start].chars().next_back().is_some_and(|c| c.is_alphanumeric() || c == '_') {
                continue;
            }
            let rest = line[from..].trim_start_matches('"').trim_start();
            let Some(rest) = rest.strip_prefix([':', '=']) else { continue };
            let value = rest.trim_start().trim_start_matches('"');
            let end = value.find(|c: char| !c.is_alphanumeric()).unwrap_or(value.len());
            if let Some(level) = Level::parse(&value[..end]).or_else(|| number(&value[..end])) {
                return Some(level);
            }
        }
    }
    None
}

/// Pino's and bunyan's numeric levels.
fn number(text: &str) -> Option<Level> {
    match text.parse::<u32>().ok()? {
        10 => Some(Level::Trace),
        20 => Some(Level::Debug),
        30 => Some(Level::Info),
        40 => Some(Level::Warn),
        50 => Some(Level::Error),
        60 => Some(Level::Fatal),
        _ => None,
    }
}

/// `E1121 14:03:22.000000 1 file.go:1] …`
fn klog(line: &str) -> Option<Level> {
    let bytes = line.as_bytes();
    if bytes.len() < 6 || !bytes[1..5].iter().all(u8::is_ascii_digit) || bytes[5] != b' ' {
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

/// A level word standing alone among the first words: `2026-11-21 14:03 ERROR …`, `[warn]`, `FATAL:`; upper case, or
/// in brackets, or followed by a colon, so that prose is not taken for a level.
fn word(line: &str) -> Option<Level> {
    if line.starts_with("Traceback (most recent call last)") {
        return Some(Level::Error);
    }
    for token in line.split_whitespace().take(8) {
        let bare = token.trim_matches(|c: char| !c.is_alphanumeric());
        let loud = bare.len() > 2 && bare.bytes().all(|b| b.is_ascii_uppercase());
        let marked = token.starts_with('[') || token.ends_with(':') || token.ends_with(']');
        if (loud || marked)
            && let Some(level) = Level::parse(bare)
        {
            return Some(level);
        }
    }
    None
}

/// The status of a combined access log line: 5xx is an error, 4xx a warning.
fn access(line: &str) -> Option<Level> {
    let (_, rest) = line.split_once(" HTTP/")?;
    let (_, rest) = rest.split_once("\" ")?;
    let status = rest.get(..3)?;
    if !status.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    match status.as_bytes()[0] {
        b'5' => Some(Level::Error),
        b'4' => Some(Level::Warn),
        _ => Some(Level::Info),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_found_where_they_stand_and_not_in_prose() {
        let table: &[(&str, Option<Level>)] = &[
            (r#"{"event":"x","level":"warning","timestamp":"…"}"#, Some(Level::Warn)),
            (r#"{"level":50,"time":1,"msg":"boom"}"#, Some(Level::Error)),
            ("ts=1 level=debug msg=hi", Some(Level::Debug)),
            ("2026-11-21 14:03:22 ERROR db_slow", Some(Level::Error)),
            ("[warn] low disk", Some(Level::Warn)),
            ("FATAL:  the database system is starting up", Some(Level::Fatal)),
            ("E1121 14:03:22.000001 1 x.go:3] bad", Some(Level::Error)),
            ("Traceback (most recent call last):", Some(Level::Error)),
            (r#"10.0.0.1 - - [21/Nov/2026:14:03:22 +0000] "GET / HTTP/1.1" 502 10 "-" "-""#, Some(Level::Error)),
            (r#"10.0.0.1 - - [21/Nov/2026:14:03:22 +0000] "GET / HTTP/1.1" 200 10 "-" "-""#, Some(Level::Info)),
            ("no error here, just an info about it", None),
            ("loglevels are fun", None),
            ("", None),
        ];
        for (line, expected) in table {
            assert_eq!(Level::detect(line), *expected, "{line}");
        }
    }
}
