//! Which lines of the log are shown: the filter, folded traces, lines around a match. Long logs are gone through piece
//! by piece, the newest first, between other messages.

use std::sync::Arc;

use crate::app::State;
use crate::app::state::{FieldDeed, Input, LogView, Purpose};
use crate::observe::log::{Lens, Query};

use super::prompt;
use super::reading::{self, Sheet};

/// Lines shown around a match, at most.
const CONTEXT: u16 = 50;

/// Goes on with what is not finished.
pub fn work(state: &mut State) {
    let Some(view) = &mut state.logs else { return };
    let more = view.with_names(|lens, store, names| lens.work(store, names, LogView::SLICE));
    if !more {
        view.work_search(LogView::SLICE);
        if view.shaping {
            let query = Query::parse(&view.filter).unwrap_or_default();
            view.work_patterns(&query, LogView::SHAPES);
        }
    }
}

/// Asks for the filter.
pub fn ask(state: &mut State) {
    let text = state.logs.as_ref().map_or(String::new(), |l| l.filter.clone());
    prompt::open(state, Purpose::LogFilter, "show only", Input::new(text));
}

/// Shows only what is asked for; what cannot be understood changes nothing.
///
/// # Errors
/// What is wrong with it.
pub fn set(state: &mut State, text: &str) -> Result<(), Arc<str>> {
    let query = Query::parse(text).map_err(|e| Arc::from(e.to_string()))?;
    let sheet = Sheet::of(state);
    if let Some(view) = &mut state.logs {
        text.trim().clone_into(&mut view.filter);
        show(view, query, sheet);
    }
    Ok(())
}

/// Chooses the lines anew; the reader stays where it was, as near as it can be.
fn show(view: &mut LogView, query: Query, sheet: Sheet) {
    let at = view.line(view.at()).map(|l| l.seq).filter(|_| !view.follow);
    view.lens = Lens::new(Some(query), view.fold, view.context);
    view.lens.reset(&view.store);
    view.with_names(|lens, store, names| lens.work(store, names, LogView::SLICE));
    if let Some(index) = at.and_then(|seq| view.index_of(seq)) {
        reading::read_around(view, index.min(view.len().saturating_sub(1)), sheet);
    }
}

fn again(state: &mut State) {
    let sheet = Sheet::of(state);
    let Some(view) = &mut state.logs else { return };
    // What is in force could be read before.
    show(view, Query::parse(&view.filter).unwrap_or_default(), sheet);
}

/// Adds a condition on a field.
pub fn narrow(state: &mut State, name: &str, value: &str, deed: FieldDeed) {
    let Some(view) = &state.logs else { return };
    let value = value.replace('"', "\\\"");
    let not = if deed == FieldDeed::Exclude { "!" } else { "" };
    let term = if name == "message" { format!("{not}\"{value}\"") } else { format!("{not}{name}=\"{value}\"") };
    let text = format!("{} {term}", view.filter);
    if let Err(why) = set(state, &text) {
        state.say(false, format!("{term}: {why}"));
    }
}

/// Opens the trace the reader is at, or closes it.
pub fn open_trace(state: &mut State) {
    let Some(view) = &mut state.logs else { return };
    let at = view.at();
    let head = view.line(at).and_then(|l| view.lens.head_of(&view.store, l.seq));
    let Some(head) = head.filter(|seq| view.lens.under(&view.store, *seq) > 0) else {
        state.say(false, "nothing goes on with this line");
        return;
    };
    view.with_names(|lens, store, names| lens.toggle(store, names, head));
    if view.cursor.is_some() {
        view.cursor = Some(head);
    }
}

/// Folds traces, or shows every line.
pub fn fold(state: &mut State) {
    if let Some(view) = &mut state.logs {
        view.fold = !view.fold;
    }
    again(state);
}

/// Shows more lines around each match, or fewer.
pub fn context(state: &mut State, more: bool) {
    let Some(view) = &mut state.logs else { return };
    if view.filter.is_empty() {
        state.say(false, "lines around matches are shown with a filter: set one first");
        return;
    }
    view.context = if more { (view.context * 2).clamp(1, CONTEXT) } else { view.context / 2 };
    let context = view.context;
    again(state);
    state.say(true, format!("{context} lines before and after each match"));
}
