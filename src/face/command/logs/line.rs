//! One log line as it is printed: for people, or as an object for scripts.

use ratatui::style::Style;

use crate::observe::log::{Level, LineView, Marker, Owner, data};
use crate::theme::{Role, Theme, sgr};

use super::super::Result;
use super::super::output::{Format, Out, say};
use super::is_data;
use super::merge::Source;
use super::pick::Pick;

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
            return self.marker(out, source, line, marker);
        }
        if !self.pick.takes(source.number, &source.instance, line) {
            return Ok(());
        }
        self.begin(out)?;
        if is_data(out) && !self.raw {
            return Ok(out.line(&data(owner(source), line))?);
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

    fn marker(&mut self, out: &mut Out, source: &Source, line: &LineView<'_>, marker: &Marker) -> Result<()> {
        if !is_data(out) {
            say(&format!("--- {}: {} ---", source.instance, marker.detail()));
            return Ok(());
        }
        self.begin(out)?;
        Ok(out.line(&data(owner(source), line))?)
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

fn owner(source: &Source) -> Owner<'_> {
    Owner { environment: &source.environment, workload: &source.workload, instance: &source.instance }
}
