//! What a log line says, put together for reading: the message first, its fields after it, each piece in its style.

use std::borrow::Cow;
use std::ops::Range;

use ratatui::style::Style;
use regex::Regex;

use crate::app::state::LogView;
use crate::observe::log::{Format, LineView, parse};
use crate::observe::text::{clean, width};
use crate::theme::Role;

use super::super::scene::Scene;
use super::super::widget::Pen;

/// Pieces lit up in one line, at most.
const LIT: usize = 64;

/// A shorter beginning is not worth telling apart.
const REPEATED: usize = 11;
/// Fields that the message of an access log is made of.
const IN_REQUEST: &[&str] = &["method", "path", "status"];

/// A line's text as it is shown, and how its pieces look.
#[derive(Debug, Default)]
pub struct Composed<'a> {
    pub text: Cow<'a, str>,
    /// Where each piece ends, and its style. What is behind the last has the style of text.
    runs: Vec<(usize, Style)>,
}

/// Puts a line together.
pub fn compose<'a>(scene: &Scene<'_>, logs: &LogView, view: &LineView<'a>, above: Option<&str>) -> Composed<'a> {
    let mut composed = if logs.raw || view.continues || view.format == Format::Plain {
        as_written(scene, logs, view, above)
    } else {
        taken_apart(scene, logs, view)
    };
    let under = if view.continues || logs.lens.is_open(view.seq) { 0 } else { logs.lens.under(&logs.store, view.seq) };
    if under > 0 {
        composed.push(&format!("  (+{under} lines)"), scene.style(Role::Dim));
    }
    for (at, pattern) in logs.highlights.iter().enumerate() {
        composed.light(pattern, scene.theme.instance(at + 1).patch(scene.style(Role::Strong)));
    }
    if let Some(Ok(pattern)) = logs.search.as_ref().map(|s| s.regex.as_ref()) {
        let here = !logs.follow && logs.cursor == Some(view.seq);
        composed.light(pattern, scene.style(if here { Role::MatchCurrent } else { Role::Match }));
    }
    composed
}

/// The line as it came, in its own colours; the level it begins with stands in a column before it.
fn as_written<'a>(scene: &Scene<'_>, logs: &LogView, view: &LineView<'a>, above: Option<&str>) -> Composed<'a> {
    let text = if logs.raw { view.text } else { without_level(view) };
    let cut = view.text.len() - text.len();
    let mut runs = Vec::new();
    for (range, look) in view.looks.iter() {
        let (from, to) = (range.start.saturating_sub(cut), range.end.saturating_sub(cut));
        if from < to {
            runs.push((from, Style::new()));
            runs.push((to, scene.theme.own(look)));
        }
    }
    if runs.is_empty() && !logs.raw && !view.continues {
        let again = repeated(text, above.map_or("", |a| a.get(cut..).unwrap_or_default()));
        if again > 0 {
            runs.push((again, scene.style(Role::Dim)));
        }
    }
    Composed { text: Cow::Borrowed(text), runs }
}

/// Bytes the line begins with like the one above it, up to a separator; a few are not worth it.
fn repeated(text: &str, above: &str) -> usize {
    let same = text.bytes().zip(above.bytes()).take_while(|(a, b)| a == b).count();
    let prefix = text.get(..same).unwrap_or_default();
    let end = prefix.rfind([' ', ']', ':', '|', '/']).map_or(0, |at| at + 1);
    if end > REPEATED { end } else { 0 }
}

/// The message, and behind it what the line says by name.
fn taken_apart<'a>(scene: &Scene<'_>, logs: &LogView, view: &LineView<'a>) -> Composed<'a> {
    let parsed = parse(view);
    let mut composed = Composed::default();
    for name in &logs.fields {
        let value = parsed.field(name).map_or(Cow::Borrowed("–"), clean);
        composed.push(&value, scene.style(Role::Strong));
        composed.push("  ", Style::new());
    }
    composed.push(&clean(&parsed.message), Style::new());
    let message = parsed.message.as_ref();
    for (name, value) in &parsed.fields {
        let first = logs.fields.iter().any(|f| **f == **name);
        let told = first || says(message, name) || (view.format == Format::Access && IN_REQUEST.contains(&name.as_ref()));
        if told || value.is_empty() {
            continue;
        }
        composed.push(" ", Style::new());
        composed.push(&clean(name), scene.style(Role::Dim));
        composed.push("=", scene.style(Role::Dim));
        composed.push(&clean(value), scene.style(Role::Dim));
    }
    composed
}

/// Whether a message tells the value of this name itself.
fn says(message: &str, name: &str) -> bool {
    message.match_indices(name).any(|(at, _)| message[at + name.len()..].starts_with('='))
}

/// The text after the level word it begins with.
fn without_level<'a>(view: &LineView<'a>) -> &'a str {
    let Some(level) = view.level else { return view.text };
    let word = level.word();
    match (view.text.get(..word.len()), view.text.get(word.len()..)) {
        (Some(first), Some(rest)) if first.eq_ignore_ascii_case(word) && rest.starts_with([' ', ':']) => {
            rest.trim_start_matches([':', ' '])
        }
        _ => view.text,
    }
}

impl Composed<'_> {
    fn push(&mut self, text: &str, style: Style) {
        self.text.to_mut().push_str(text);
        self.runs.push((self.text.len(), style));
    }

    /// Lights up what a pattern finds.
    fn light(&mut self, pattern: &Regex, lit: Style) {
        let found: Vec<Range<usize>> =
            pattern.find_iter(&self.text).filter(|m| !m.is_empty()).take(LIT).map(|m| m.range()).collect();
        if found.is_empty() {
            return;
        }
        let mut runs = Vec::with_capacity(self.runs.len() + 2 * found.len());
        let mut from = 0;
        for (end, style) in self.runs.drain(..).chain([(self.text.len(), Style::new())]) {
            let start = from;
            for part in found.iter().filter(|f| f.start < end && f.end > start) {
                if part.start > from {
                    runs.push((part.start, style));
                }
                from = part.end.min(end);
                runs.push((from, style.patch(lit)));
            }
            if from < end {
                runs.push((end, style));
                from = end;
            }
        }
        self.runs = runs;
    }

    /// Draws a part of it, byte offsets on character borders.
    pub fn draw(&self, pen: &mut Pen<'_>, part: Range<usize>, text: Style) {
        let mut from = part.start;
        for (end, style) in self.runs.iter().copied().chain([(self.text.len(), Style::new())]) {
            let to = end.min(part.end);
            if to > from {
                if pen.left() == 0 {
                    return;
                }
                pen.put(&self.text[from..to], text.patch(style));
                from = to;
            }
        }
    }

    /// The byte offset of what is left after this many cells.
    #[must_use]
    pub fn after(&self, cells: usize) -> usize {
        let mut taken = 0;
        for (at, c) in self.text.char_indices() {
            if taken >= cells {
                return at;
            }
            taken += width(c.encode_utf8(&mut [0; 4]));
        }
        self.text.len()
    }
}

#[cfg(test)]
mod tests {
    use ratatui::buffer::Buffer;
    use ratatui::layout::Rect;
    use ratatui::style::Modifier;

    use super::*;

    fn lit(text: &str, runs: &[(usize, Style)], pattern: &str) -> String {
        let mut composed = Composed { text: Cow::Borrowed(text), runs: runs.to_vec() };
        composed.light(&Regex::new(pattern).unwrap(), Style::new().add_modifier(Modifier::BOLD));
        let area = Rect::new(0, 0, 20, 1);
        let mut buf = Buffer::empty(area);
        composed.draw(&mut Pen::new(&mut buf, area, 0), 0..text.len(), Style::new());
        let sign = |m: Modifier| match (m.contains(Modifier::BOLD), m.contains(Modifier::DIM)) {
            (true, true) => 'X',
            (true, false) => 'B',
            (false, true) => 'd',
            (false, false) => '.',
        };
        (0..width(text)).map(|x| sign(buf[(u16::try_from(x).unwrap(), 0)].modifier)).collect()
    }

    #[test]
    fn what_is_found_is_lit_over_any_pieces() {
        let dim = Style::new().add_modifier(Modifier::DIM);
        assert_eq!(lit("abcdef", &[], "cd"), "..BB..");
        assert_eq!(lit("abcdef", &[(6, dim)], "cd"), "ddXXdd");
        assert_eq!(lit("abcdef", &[(3, dim)], "bcde"), "dXXBB.");
        assert_eq!(lit("abcdef", &[(3, Style::new()), (6, dim)], "abcdef"), "BBBXXX");
        assert_eq!(lit("abcabc", &[(3, dim)], "a|c"), "XdXB.B");
        assert_eq!(lit("a界b", &[], "界"), ".B..", "the other half of a wide character has no look of its own");
    }

    #[test]
    fn a_beginning_said_before_is_known_up_to_a_separator() {
        for (text, above, again) in [
            ("[worker 17] job 81 done", "[worker 17] job 80 done", "[worker 17] job "),
            ("[worker 17] job", "[worker 17] job", "[worker 17] "),
            ("short one", "short two", ""),
            ("über alles in der Welt", "über alles in die Welt", "über alles in "),
            ("anything", "", ""),
        ] {
            assert_eq!(&text[..repeated(text, above)], again, "{text}");
        }
    }

    #[test]
    fn scrolling_right_counts_cells() {
        let after = |text: &'static str, cells| {
            let composed = Composed { text: Cow::Borrowed(text), runs: Vec::new() };
            text[composed.after(cells)..].to_owned()
        };
        assert_eq!(
            [after("abc", 0), after("abc", 2), after("abc", 9), after("界x", 2), after("界x", 1)],
            ["abc", "c", "", "x", "x"]
        );
    }
}
