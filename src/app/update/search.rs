//! Searching the log: incremental, smart case, next and previous, matches counted.

use std::sync::Arc;

use regex::{Regex, RegexBuilder};

use crate::app::State;
use crate::app::state::{LogView, Search};
use crate::observe::log::{Level, LineView};

use super::reading::{self, Sheet};

/// Searches for another pattern: to the first match from the first line in sight on, else the last one before.
pub fn set(state: &mut State, pattern: &str) {
    let sheet = Sheet::of(state);
    let Some(view) = &mut state.logs else { return };
    if pattern.is_empty() {
        view.search = None;
        return;
    }
    let regex = compile(pattern);
    let mut search = Search { pattern: pattern.to_owned(), regex, matches: 0, recount: false };
    let mut found = None;
    if let Ok(regex) = &search.regex {
        let (top, len) = (sheet.first_to(view, view.bottom()), view.len());
        search.matches = count(view, regex);
        found = (top..len).find(|i| matches(view, regex, *i)).or_else(|| (0..top).rev().find(|i| matches(view, regex, *i)));
    }
    view.search = Some(search);
    if let Some(index) = found {
        reading::read_around(view, index, sheet);
    }
}

/// Case counts only when the pattern has an upper-case letter. What is no regular expression is told, not guessed at.
fn compile(pattern: &str) -> Result<Regex, Arc<str>> {
    let sensitive = pattern.chars().any(char::is_uppercase);
    RegexBuilder::new(pattern).case_insensitive(!sensitive).size_limit(1 << 20).build().map_err(|error| {
        let text = error.to_string();
        text.lines().last().unwrap_or("not a regular expression").trim().to_owned().into()
    })
}

fn matches(view: &LogView, regex: &Regex, index: usize) -> bool {
    view.line(index).is_some_and(|l| l.marker.is_none() && regex.is_match(l.text))
}

fn count(view: &LogView, regex: &Regex) -> u64 {
    (0..view.len()).filter(|i| matches(view, regex, *i)).count() as u64
}

/// To the next match, or the previous one; past the end it begins again.
pub fn step(state: &mut State, forward: bool) {
    let sheet = Sheet::of(state);
    let Some(view) = &mut state.logs else { return };
    let Some(search) = &view.search else {
        state.say(false, "nothing is searched for yet");
        return;
    };
    let Ok(regex) = &search.regex else { return };
    match nearest(view, forward, |line| line.marker.is_none() && regex.is_match(line.text)) {
        Some(index) => reading::read_around(view, index, sheet),
        None => state.say(false, "not found"),
    }
}

/// To the next line that tells of an error, or the previous one; past the end it begins again.
pub fn error(state: &mut State, forward: bool) {
    let sheet = Sheet::of(state);
    let Some(view) = &mut state.logs else { return };
    match nearest(view, forward, |line| line.level.is_some_and(|l| l >= Level::Error)) {
        Some(index) => reading::read_around(view, index, sheet),
        None => state.say(true, "no error in what is held of this log"),
    }
}

/// To the next marked line, or the previous one; past the end it begins again.
pub fn mark(state: &mut State, forward: bool) {
    let sheet = Sheet::of(state);
    let Some(view) = &mut state.logs else { return };
    match nearest(view, forward, |line| view.marks.contains(&line.seq)) {
        Some(index) => reading::read_around(view, index, sheet),
        None => state.say(false, "no line is marked"),
    }
}

/// The nearest line of a kind from where the reader is, round the end.
fn nearest(view: &LogView, forward: bool, hit: impl Fn(&LineView<'_>) -> bool) -> Option<usize> {
    let (len, at) = (view.len(), view.at());
    let hit = |i: &usize| view.line(*i).is_some_and(|line| hit(&line));
    if forward {
        (at + 1..len).find(hit).or_else(|| (0..(at + 1).min(len)).find(hit))
    } else {
        (0..at).rev().find(hit).or_else(|| (at..len).rev().find(hit))
    }
}

/// Matches in the lines that came last.
#[must_use]
pub fn added(view: &LogView) -> u64 {
    let Some(Search { regex: Ok(regex), .. }) = &view.search else { return 0 };
    view.store.newest().filter(|l| l.marker.is_none() && regex.is_match(l.text)).count() as u64
}

/// Counts again after lines have gone.
pub fn recount(state: &mut State) {
    let Some(view) = &mut state.logs else { return };
    let Some(Search { regex: Ok(regex), recount: true, .. }) = &view.search else { return };
    let matches = count(view, regex);
    if let Some(search) = &mut view.search {
        search.matches = matches;
        search.recount = false;
    }
}
