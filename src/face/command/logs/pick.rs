//! Which lines are printed.

use std::collections::BTreeMap;

use regex::Regex;

use crate::cli::Logs;
use crate::observe::log::{Level, LineView, Query};

use super::super::{Failure, Result};

/// What is asked of a line, and what the last whole line of each instance answered.
pub(super) struct Pick {
    level: Option<Level>,
    /// One of them must match.
    grep: Vec<Regex>,
    /// None of them may.
    exclude: Vec<Regex>,
    query: Query,
    heads: BTreeMap<usize, Head>,
}

/// What the line answered that others go on with.
#[derive(Clone, Copy, Default)]
struct Head {
    level: bool,
    query: bool,
    excluded: bool,
}

impl Pick {
    /// What the arguments ask for.
    ///
    /// # Errors
    /// A pattern that is no regular expression; a filter that cannot be read, with the place.
    pub(super) fn new(arguments: &Logs) -> Result<Self> {
        let regexes = |name: &str, patterns: &[String]| -> Result<Vec<Regex>> {
            let read = |p: &String| Regex::new(p).map_err(|error| Failure::usage(format!("{name}: {error}")));
            patterns.iter().map(read).collect()
        };
        let filter = arguments.filter.as_deref().unwrap_or_default();
        let query = Query::parse(filter).map_err(|error| {
            let column = filter.get(..error.at).map_or(error.at, |before| before.chars().count()) + 1;
            Failure::usage(format!("--filter: column {column}: {error}"))
        })?;
        Ok(Self {
            level: arguments.level,
            grep: regexes("--grep", &arguments.grep)?,
            exclude: regexes("--exclude", &arguments.exclude)?,
            query,
            heads: BTreeMap::new(),
        })
    }

    /// Whether the line is printed. A line that goes on with another one (a stack trace) has no level and no fields of its
    /// own: it follows that one.
    pub(super) fn takes(&mut self, source: usize, name: &str, line: &LineView<'_>) -> bool {
        let any = |regexes: &[Regex]| regexes.iter().any(|r| r.is_match(line.text));
        let own = Head {
            level: self.level.is_none_or(|least| line.level.is_some_and(|l| l >= least)),
            query: self.query.matches(line, name),
            excluded: any(&self.exclude),
        };
        let head = if line.continues { self.heads.get(&source).copied() } else { None };
        if head.is_none() {
            self.heads.insert(source, own);
        }
        let answer = head.map_or(own, |head| Head {
            level: head.level,
            query: head.query || own.query,
            excluded: head.excluded || own.excluded,
        });
        answer.level && answer.query && !answer.excluded && (self.grep.is_empty() || any(&self.grep))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jiff::Timestamp;

    use super::*;
    use crate::observe::log::{ChunkBuilder, LogBatch, Stream};

    const LOG: &[&str] = &[
        "2026-11-21 14:00:01,100 INFO web read key=1 ms=12",
        "2026-11-21 14:00:02,200 ERROR web read failed",
        "Traceback (most recent call last):",
        "  File \"/srv/web.py\", line 201, in read",
        "KeyError: 'v'",
        "level=warn msg=slow ms=900",
        "level=info msg=quick ms=3",
    ];

    fn arguments() -> Logs {
        Logs {
            targets: Vec::new(),
            follow: false,
            since: None,
            until: None,
            tail: None,
            grep: Vec::new(),
            exclude: Vec::new(),
            filter: None,
            level: None,
            previous: false,
            container: None,
            raw: false,
            reveal: false,
        }
    }

    fn taken(arguments: &Logs) -> Vec<usize> {
        let mut chunk = ChunkBuilder::new();
        for text in LOG {
            chunk.line(Timestamp::UNIX_EPOCH, Stream::Stdout, text.as_bytes());
        }
        let batch = LogBatch::new("web-1".into(), Arc::new(chunk.finish()));
        let mut pick = Pick::new(arguments).unwrap_or_else(|f| panic!("{}", f.text));
        (0..LOG.len()).filter(|i| pick.takes(0, "web-1", &batch.line(*i).unwrap())).collect()
    }

    #[test]
    fn lines_are_picked_and_a_trace_follows_its_head() {
        let re = |patterns: &[&str]| patterns.iter().map(|p| (*p).to_owned()).collect::<Vec<_>>();
        let filter = |text: &str| Logs { filter: Some(text.into()), ..arguments() };
        let table: &[(Logs, &[usize])] = &[
            (arguments(), &[0, 1, 2, 3, 4, 5, 6]),
            (Logs { level: Some(Level::Error), ..arguments() }, &[1, 2, 3, 4]),
            (Logs { level: Some(Level::Warn), ..arguments() }, &[1, 2, 3, 4, 5]),
            (Logs { grep: re(&["slow", "quick"]), ..arguments() }, &[5, 6]),
            (Logs { grep: re(&["read"]), exclude: re(&["ERROR"]), ..arguments() }, &[0]),
            (filter("level>=warn"), &[1, 2, 3, 4, 5]),
            (filter("ms>500"), &[5]),
            (filter("!read instance:web msg:quick"), &[6]),
            (filter("KeyError"), &[4]),
        ];
        for (arguments, expected) in table {
            assert_eq!(taken(arguments), *expected, "{arguments:?}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_told_with_its_place() {
        let told = |arguments: &Logs| Pick::new(arguments).err().map(|f| f.text).unwrap_or_default();
        assert!(told(&Logs { grep: vec!["(".into()], ..arguments() }).starts_with("--grep: "));
        assert!(told(&Logs { exclude: vec!["[".into()], ..arguments() }).starts_with("--exclude: "));
        let said = told(&Logs { filter: Some("ok level>=wran".into()), ..arguments() });
        assert!(said.starts_with("--filter: column "), "{said}");
    }
}
