//! Searching the log: incremental, smart case, next and previous, matches counted.

use std::sync::Arc;

use regex::{Regex, RegexBuilder};

use crate::app::State;
use crate::app::state::{LogView, Search};
use crate::observe::log::{Lens, Level, LineView, Query};

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
    let mut found = Lens::default();
    if let Ok(regex) = &regex {
        found = Lens::matching(Query::default().and(regex.clone()));
        found.reset(&view.store);
    }
    view.search = Some(Search { pattern: pattern.to_owned(), regex, found });
    view.work_search(LogView::SLICE);
    let top = sheet.first_to(view, view.bottom());
    let Some(top) = view.line(top).map(|l| l.seq) else { return };
    let Some(at) = view.search.as_ref().and_then(|s| s.found.index_of(&view.store, top)) else { return };
    if let Some(index) = place(view, at, true).or_else(|| place(view, at, false)) {
        reading::read_around(view, index, sheet);
    }
}

/// Where the match is shown that comes at this place among them, or else after or before it.
fn place(view: &LogView, at: usize, forward: bool) -> Option<usize> {
    let search = view.search.as_ref().filter(|s| s.regex.is_ok())?;
    let shown = |i: usize| {
        let seq = search.found.seq(&view.store, i)?;
        // What is folded away stands under its first line.
        let seq = if view.lens.shows(&view.store, seq) { seq } else { view.lens.head_of(&view.store, seq)? };
        view.index_of(seq).filter(|_| view.lens.shows(&view.store, seq))
    };
    let len = search.found.len(&view.store);
    if forward { (at..len).find_map(shown) } else { (0..at.min(len)).rev().find_map(shown) }
}

/// Case counts only when the pattern has an upper-case letter. What is no regular expression is told, not guessed at.
fn compile(pattern: &str) -> Result<Regex, Arc<str>> {
    let sensitive = pattern.chars().any(char::is_uppercase);
    RegexBuilder::new(pattern).case_insensitive(!sensitive).size_limit(1 << 20).build().map_err(|error| {
        let text = error.to_string();
        text.lines().last().unwrap_or("not a regular expression").trim().to_owned().into()
    })
}

/// To the next match, or the previous one; past the end it begins again.
pub fn step(state: &mut State, forward: bool) {
    let sheet = Sheet::of(state);
    let Some(view) = &mut state.logs else { return };
    let Some(search) = &view.search else {
        state.say(false, "nothing is searched for yet");
        return;
    };
    let Some(here) = view.line(view.at()).map(|l| l.seq) else { return };
    let Some(at) = search.found.index_of(&view.store, here) else { return };
    let len = search.found.len(&view.store);
    let on_one = search.found.seq(&view.store, at) == Some(here);
    let found = if forward {
        place(view, at + usize::from(on_one), true).or_else(|| place(view, 0, true))
    } else {
        place(view, at, false).or_else(|| place(view, len, false))
    };
    match found {
        Some(index) => reading::read_around(view, index, sheet),
        None if search.found.is_complete() => state.say(false, "not found"),
        None => state.say(true, "not found yet: still searching"),
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
