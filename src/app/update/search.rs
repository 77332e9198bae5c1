//! Searching the log: incremental, smart case, next and previous, matches counted.

use std::sync::Arc;

use regex::{Regex, RegexBuilder};

use crate::app::State;
use crate::app::layout;
use crate::app::state::{LogView, Search};

/// Searches for another pattern: to the first match from the first line in sight on, else the last one before.
pub fn set(state: &mut State, pattern: &str) {
    let page = usize::from(layout::log_lines(state.size).height).max(1);
    let Some(view) = &mut state.logs else { return };
    if pattern.is_empty() {
        view.search = None;
        return;
    }
    let regex = compile(pattern);
    let mut search = Search { pattern: pattern.to_owned(), regex, current: None, matches: 0, recount: false };
    if let Ok(regex) = &search.regex {
        let last = view.store.len();
        let bottom = if view.follow { last.saturating_sub(1) } else { view.store.index_of(view.anchor).unwrap_or(0) };
        let top = (bottom + 1).saturating_sub(page);
        search.matches = count(view, regex);
        let found = (top..last).find(|i| matches(view, regex, *i)).or_else(|| (0..top).rev().find(|i| matches(view, regex, *i)));
        search.current = found.and_then(|i| view.store.get(i)).map(|l| l.seq);
    }
    let current = search.current;
    view.search = Some(search);
    if let Some(seq) = current {
        show(view, seq, page);
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
    view.store.get(index).is_some_and(|l| l.marker.is_none() && regex.is_match(l.text))
}

fn count(view: &LogView, regex: &Regex) -> u64 {
    (0..view.store.len()).filter(|i| matches(view, regex, *i)).count() as u64
}

/// Brings a line into sight, a third of the page above the bottom, without following on.
fn show(view: &mut LogView, seq: u64, page: usize) {
    let Some(index) = view.store.index_of(seq) else { return };
    let last = view.store.len().saturating_sub(1);
    let bottom = if view.follow { last } else { view.store.index_of(view.anchor).unwrap_or(last) };
    let top = (bottom + 1).saturating_sub(page);
    if index >= top && index <= bottom && !view.follow {
        return;
    }
    let wanted = if index >= top && index <= bottom { bottom } else { (index + page / 3).max(page - 1).min(last) };
    if let Some(line) = view.store.get(wanted) {
        view.anchor = line.seq;
        view.follow = false;
    }
}

/// To the next match, or the previous one; past the end it begins again.
pub fn step(state: &mut State, forward: bool) {
    let page = usize::from(layout::log_lines(state.size).height).max(1);
    let Some(view) = &mut state.logs else { return };
    let Some(search) = &view.search else {
        state.say(false, "nothing is searched for yet");
        return;
    };
    let Ok(regex) = &search.regex else { return };
    let len = view.store.len();
    let from = search.current.and_then(|seq| view.store.index_of(seq));
    let hit = |i: &usize| matches(view, regex, *i);
    let found = match (from, forward) {
        (Some(at), true) => (at + 1..len).find(hit).or_else(|| (0..at).find(hit)),
        (Some(at), false) => (0..at).rev().find(hit).or_else(|| (at + 1..len).rev().find(hit)),
        (None, true) => (0..len).find(hit),
        (None, false) => (0..len).rev().find(hit),
    };
    let Some(seq) = found.and_then(|i| view.store.get(i)).map(|l| l.seq) else { return };
    if let Some(search) = &mut view.search {
        search.current = Some(seq);
    }
    show(view, seq, page);
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
