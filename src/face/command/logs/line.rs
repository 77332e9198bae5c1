//! One log line as it is printed: for people, or as an object for scripts.

use std::collections::BTreeMap;

use jiff::Timestamp;
use ratatui::style::Style;
use regex::Regex;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::observe::log::{Level, LineView, Marker};
use crate::theme::{Role, Theme, sgr};

use super::super::Result;
use super::super::output::{Format, Out, say};
use super::is_data;
use super::merge::Source;

#[derive(Serialize)]
struct LineShape<'a> {
    at: Timestamp,
    environment: &'a str,
    workload: &'a str,
    instance: &'a str,
    stream: &'static str,
    level: Option<&'static str>,
    message: &'a str,
    fields: &'a Map<String, Value>,
}

#[derive(Serialize)]
struct MarkerShape<'a> {
    at: Timestamp,
    environment: &'a str,
    workload: &'a str,
    instance: &'a str,
    marker: &'static str,
    detail: String,
    count: Option<u64>,
}

/// Prints the lines that pass.
pub(super) struct Printer<'a> {
    theme: &'a Theme,
    grep: Option<Regex>,
    level: Option<Level>,
    raw: bool,
    /// Names the instance in front of each line.
    several: bool,
    /// By instance: its colour, and whether its last whole line passed, which lines that go on with it follow.
    seen: BTreeMap<String, (usize, bool)>,
    printed: u64,
    trouble: Option<String>,
}

impl<'a> Printer<'a> {
    pub(super) fn new(theme: &'a Theme, grep: Option<Regex>, level: Option<Level>, raw: bool, several: bool) -> Self {
        Self { theme, grep, level, raw, several, seen: BTreeMap::new(), printed: 0, trouble: None }
    }

    /// Prints a line, or leaves it out.
    pub(super) fn print(&mut self, out: &mut Out, source: &Source, line: Option<&LineView<'_>>) -> Result<()> {
        let Some(line) = line else { return Ok(()) };
        let next = self.seen.len();
        let (color, passed) = *self.seen.entry(source.instance.clone()).or_insert((next, false));
        if let Some(marker) = line.marker {
            return self.marker(out, source, line.at, marker);
        }
        // Without a level of its own and indented it belongs to the line before (a stack trace).
        let goes_on = line.level.is_none() && line.text.starts_with([' ', '\t']);
        let loud = match self.level {
            None => true,
            Some(_) if goes_on => passed,
            Some(least) => line.level.is_some_and(|l| l >= least),
        };
        self.seen.insert(source.instance.clone(), (color, loud));
        if !loud || self.grep.as_ref().is_some_and(|g| !g.is_match(line.text)) {
            return Ok(());
        }
        self.begin(out)?;
        if is_data(out) && !self.raw {
            return data(out, source, line);
        }
        if self.raw {
            out.text(line.text)?;
        } else {
            self.words(out, source, line, color)?;
        }
        Ok(out.text("\n")?)
    }

    fn words(&self, out: &mut Out, source: &Source, line: &LineView<'_>, color: usize) -> Result<()> {
        let colored = out.color;
        let painted = |text: &str, style: Style| if colored { sgr::painted(text, style) } else { text.to_owned() };
        out.text(&painted(&format!("{:.3}", line.at), self.theme.style(Role::Dim)))?;
        out.text(" ")?;
        if self.several {
            out.text(&painted(&source.instance, self.theme.instance(color)))?;
            out.text(" ")?;
        }
        let style = match line.level {
            Some(Level::Warn | Level::Error | Level::Fatal) => self.theme.level(line.level),
            Some(Level::Trace | Level::Debug | Level::Info) | None => Style::new(),
        };
        Ok(out.text(&painted(line.text, style))?)
    }

    fn marker(&mut self, out: &mut Out, source: &Source, at: Timestamp, marker: &Marker) -> Result<()> {
        let detail = marker.detail();
        if !is_data(out) {
            say(&format!("--- {}: {detail} ---", source.instance));
            return Ok(());
        }
        self.begin(out)?;
        let count = match marker {
            Marker::Dropped(count) => Some(*count),
            Marker::Reconnected(_) | Marker::Ended(_) | Marker::Begin => None,
        };
        Ok(out.line(&MarkerShape {
            at,
            environment: &source.environment,
            workload: &source.workload,
            instance: &source.instance,
            marker: marker.word(),
            detail,
            count,
        })?)
    }

    /// What stands between two lines of one document.
    fn begin(&mut self, out: &mut Out) -> Result<()> {
        self.printed += 1;
        if out.format == Format::Json && !self.raw {
            out.text(if self.printed == 1 { "[" } else { "," })?;
        }
        Ok(())
    }

    /// Ends the document.
    pub(super) fn close(&self, out: &mut Out) -> Result<()> {
        if out.format == Format::Json && !self.raw {
            out.text(if self.printed == 0 { "[]\n" } else { "]\n" })?;
        }
        Ok(())
    }

    /// Notes trouble of a stream; told once.
    pub(super) fn note(&mut self, why: &str) {
        if self.trouble.as_deref() != Some(why) {
            say(&format!("qd: {why}"));
            self.trouble = Some(why.to_owned());
        }
    }

    pub(super) fn printed(&self) -> u64 {
        self.printed
    }

    pub(super) fn trouble(&self) -> Option<String> {
        self.trouble.clone()
    }
}

fn data(out: &mut Out, source: &Source, line: &LineView<'_>) -> Result<()> {
    let mut fields = fields(line.text);
    // The message has names; the rest of a structured line are its fields.
    let message = ["message", "msg", "event"].iter().find_map(|name| match fields.get(*name) {
        Some(Value::String(_)) => fields.remove(*name),
        Some(_) | None => None,
    });
    let message = match &message {
        Some(Value::String(text)) => text.as_str(),
        Some(_) | None => line.text,
    };
    Ok(out.line(&LineShape {
        at: line.at,
        environment: &source.environment,
        workload: &source.workload,
        instance: &source.instance,
        stream: line.stream.word(),
        level: line.level.map(Level::word),
        message,
        fields: &fields,
    })?)
}

/// The fields of a line that is a JSON object; none of any other.
fn fields(text: &str) -> Map<String, Value> {
    if !text.starts_with('{') {
        return Map::new();
    }
    serde_json::from_str(text).unwrap_or_default()
}
