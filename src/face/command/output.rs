//! What commands print: one JSON document, one object a line, or an aligned table; data to standard output, words to
//! standard error.

use std::io::{self, IsTerminal as _, Write};

use serde::Serialize;

use crate::observe::text::width;

/// The form data is printed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Table,
    Json,
    Ndjson,
}

/// Where data goes.
pub struct Out {
    pub format: Format,
    /// Colours are for a terminal, and for one that wants them.
    pub color: bool,
    stdout: io::BufWriter<io::Stdout>,
}

impl Out {
    /// Standard output, in this form.
    #[must_use]
    pub fn new(format: Format) -> Self {
        let color = io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
        Self { format, color, stdout: io::BufWriter::with_capacity(64 << 10, io::stdout()) }
    }

    /// Prints a list: as one document, as a line each, or as a table.
    ///
    /// # Errors
    /// When standard output cannot be written: closed, most likely.
    pub fn list<T: Serialize>(&mut self, items: &[T], table: impl FnOnce(&[T]) -> Grid) -> io::Result<()> {
        match self.format {
            Format::Json => self.document(&items),
            Format::Ndjson => items.iter().try_for_each(|item| self.line(item)),
            Format::Table => self.text(&table(items).to_string()),
        }
    }

    /// Prints one thing: as a document, on one line, or in words.
    ///
    /// # Errors
    /// When standard output cannot be written.
    pub fn one<T: Serialize>(&mut self, item: &T, words: impl FnOnce(&T) -> String) -> io::Result<()> {
        match self.format {
            Format::Json => self.document(item),
            Format::Ndjson => self.line(item),
            Format::Table => self.text(&words(item)),
        }
    }

    /// Prints a JSON document.
    ///
    /// # Errors
    /// When standard output cannot be written.
    pub fn document<T: Serialize>(&mut self, item: &T) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut self.stdout, item)?;
        self.stdout.write_all(b"\n")
    }

    /// Prints a JSON object on a line of its own.
    ///
    /// # Errors
    /// When standard output cannot be written.
    pub fn line<T: Serialize>(&mut self, item: &T) -> io::Result<()> {
        serde_json::to_writer(&mut self.stdout, item)?;
        self.stdout.write_all(b"\n")
    }

    /// Prints text as it is.
    ///
    /// # Errors
    /// When standard output cannot be written.
    pub fn text(&mut self, text: &str) -> io::Result<()> {
        self.stdout.write_all(text.as_bytes())
    }

    /// Makes sure everything printed has left.
    ///
    /// # Errors
    /// When standard output cannot be written.
    pub fn flush(&mut self) -> io::Result<()> {
        self.stdout.flush()
    }
}

/// Tells the person something beside the data.
pub fn say(text: &str) {
    // Nobody to tell is no reason to stop.
    drop(writeln!(io::stderr().lock(), "{text}"));
}

/// A table of text, its columns as wide as what they hold.
#[derive(Debug)]
pub struct Grid {
    columns: Vec<Column>,
    rows: Vec<Vec<String>>,
}

#[derive(Clone, Copy, Debug)]
struct Column {
    title: &'static str,
    right: bool,
}

impl Grid {
    /// A table with these headings; `>` in front of one stands for a column of figures.
    #[must_use]
    pub fn new(titles: &[&'static str]) -> Self {
        let columns = titles
            .iter()
            .map(|t| t.strip_prefix('>').map_or(Column { title: t, right: false }, |title| Column { title, right: true }))
            .collect();
        Self { columns, rows: Vec::new() }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }
}

impl std::fmt::Display for Grid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let titles: Vec<String> = self.columns.iter().map(|c| c.title.to_owned()).collect();
        let widths: Vec<usize> = (0..self.columns.len())
            .map(|i| std::iter::once(&titles).chain(&self.rows).filter_map(|r| r.get(i)).map(|c| width(c)).max().unwrap_or(0))
            .collect();
        for row in std::iter::once(&titles).chain(&self.rows) {
            let mut line = String::new();
            for ((cell, column), wanted) in row.iter().zip(&self.columns).zip(&widths) {
                let blank = " ".repeat(wanted.saturating_sub(width(cell)));
                let (before, after) = if column.right { (blank.as_str(), "") } else { ("", blank.as_str()) };
                line.push_str(before);
                line.push_str(cell);
                line.push_str(after);
                line.push_str("  ");
            }
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_what_they_hold_and_figures_stand_right() {
        let mut grid = Grid::new(&["NAME", ">CPU", "STATE"]);
        grid.row(["界".into(), "0.42".into(), "running".into()]);
        grid.row(["backend".into(), "12.5".into(), String::new()]);
        assert_eq!(grid.to_string(), "NAME      CPU  STATE\n界       0.42  running\nbackend  12.5\n");
    }
}
