//! How bad a line says it is, read from the line itself.

use super::{format, trace};

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
        let mut low = [0; 13];
        let low = low.get_mut(..word.len())?;
        low.copy_from_slice(word.as_bytes());
        low.make_ascii_lowercase();
        match &*low {
            b"trace" | b"trc" | b"finer" | b"finest" => Some(Self::Trace),
            b"debug" | b"dbg" | b"verbose" | b"config" | b"fine" => Some(Self::Debug),
            b"info" | b"inf" | b"information" | b"informational" | b"notice" | b"note" | b"log" | b"system" => Some(Self::Info),
            b"warn" | b"warning" | b"wrn" => Some(Self::Warn),
            b"error" | b"err" | b"eror" | b"severe" => Some(Self::Error),
            b"fatal" | b"ftl" | b"critical" | b"crit" | b"panic" | b"dpanic" | b"emerg" | b"emergency" | b"alert" => {
                Some(Self::Fatal)
            }
            _ => None,
        }
    }

    /// The level of a severity of syslog, 0 to 7 (RFC 5424, 6.2.1).
    #[must_use]
    pub fn of_severity(severity: u16) -> Option<Self> {
        match severity {
            0..=2 => Some(Self::Fatal),
            3 => Some(Self::Error),
            4 => Some(Self::Warn),
            5 | 6 => Some(Self::Info),
            7 => Some(Self::Debug),
            _ => None,
        }
    }

    /// The level of a number under `level`: pino's and bunyan's tens, or a severity of syslog as GELF has it.
    #[must_use]
    pub fn of_number(number: u16) -> Option<Self> {
        match number {
            10 => Some(Self::Trace),
            20 => Some(Self::Debug),
            30 => Some(Self::Info),
            40 => Some(Self::Warn),
            50 => Some(Self::Error),
            60 => Some(Self::Fatal),
            other => Self::of_severity(other),
        }
    }

    /// Detects the level of a line by itself; one that goes on with another line has none of its own.
    #[must_use]
    pub fn detect(line: &str) -> Option<Self> {
        format::detect(line).1
    }

    /// The level of a text without one that begins as failures do.
    pub(super) fn of_trouble(text: &str) -> Option<Self> {
        const STARTS: &[(&str, Level)] = &[
            ("Traceback (most recent call last)", Level::Error),
            ("Exception in thread ", Level::Error),
            ("Uncaught ", Level::Error),
            ("Unhandled ", Level::Error),
            ("panic: ", Level::Fatal),
            ("fatal error: ", Level::Fatal),
            ("thread '", Level::Fatal),
            ("Segmentation fault", Level::Fatal),
            ("npm ERR! ", Level::Error),
            ("npm WARN ", Level::Warn),
        ];
        if !text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '(') {
            return None;
        }
        if let Some((start, level)) = STARTS.iter().find(|(start, _)| text.starts_with(start)) {
            return (*start != "thread '" || text.contains("' panicked at")).then_some(*level);
        }
        // Node's `(node:1) DeprecationWarning: …`
        let named = text.strip_prefix("(node:").and_then(|t| t.split_once(") ")).map_or(text, |(_, rest)| rest);
        match trace::exception(named) {
            Some(name) if name.ends_with("Warning") => Some(Self::Warn),
            Some(_) => Some(Self::Error),
            None => None,
        }
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
