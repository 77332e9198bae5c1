//! One log line as it is printed: for people, or as an object for scripts.

use jiff::Timestamp;
use ratatui::style::Style;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::observe::log::{Level, LineView, Marker, parse};
use crate::theme::{Role, Theme, sgr};

use super::super::Result;
use super::super::output::{Format, Out, say};
use super::fields::fields;
use super::is_data;
use super::merge::Source;
use super::pick::Pick;

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

/// Prints the lines that are picked.
pub(super) struct Printer<'a> {
    theme: &'a Theme,
    pick: Pick,
    raw: bool,
    /// What is named in front of each line.
    names: Names,
    printed: u64,
    trouble: Option<String>,
}

/// How much is said in front of a line about whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Names {
    /// There is only one.
    None,
    Instance,
    /// Of several environments.
    Both,
}

impl<'a> Printer<'a> {
    pub(super) fn new(theme: &'a Theme, pick: Pick, raw: bool, names: Names) -> Self {
        Self { theme, pick, raw, names, printed: 0, trouble: None }
    }

    /// Prints a line, or leaves it out.
    pub(super) fn print(&mut self, out: &mut Out, source: &Source, line: Option<&LineView<'_>>) -> Result<()> {
        let Some(line) = line else { return Ok(()) };
        if let Some(marker) = line.marker {
            return self.marker(out, source, line.at, marker);
        }
        if !self.pick.takes(source.number, &source.instance, line) {
            return Ok(());
        }
        self.begin(out)?;
        if is_data(out) && !self.raw {
            return data(out, source, line);
        }
        if self.raw {
            out.text(line.text)?;
        } else {
            self.words(out, source, line)?;
        }
        Ok(out.text("\n")?)
    }

    fn words(&self, out: &mut Out, source: &Source, line: &LineView<'_>) -> Result<()> {
        let colored = out.color;
        let painted = |text: &str, style: Style| if colored { sgr::painted(text, style) } else { text.to_owned() };
        out.text(&painted(&format!("{:.3}", line.at), self.theme.style(Role::Dim)))?;
        out.text(" ")?;
        let style = self.theme.instance(source.number);
        match self.names {
            Names::None => {}
            Names::Instance => out.text(&painted(&format!("{} ", source.instance), style))?,
            Names::Both => out.text(&painted(&format!("{}/{} ", source.environment, source.instance), style))?,
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
    let parsed = parse(line);
    Ok(out.line(&LineShape {
        at: line.at,
        environment: &source.environment,
        workload: &source.workload,
        instance: &source.instance,
        stream: line.stream.word(),
        level: line.level.map(Level::word),
        message: &parsed.message,
        fields: &fields(line, &parsed),
    })?)
}
