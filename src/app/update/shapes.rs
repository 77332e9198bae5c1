//! The patterns of a log: lines of one shape counted together, the new ones first.

use jiff::Timestamp;

use crate::app::State;
use crate::app::state::{LogView, Overlay};
use crate::keymap::Chord;
use crate::observe::log::Patterns;

use super::keys::{Motion, motion};
use super::overlay::moved;
use super::reading::{self, Sheet};

/// Shows the patterns of the lines that are shown.
pub fn open(state: &mut State) {
    let since = news_since(state);
    let Some(view) = state.logs.as_mut().filter(|v| !v.is_empty()) else {
        state.say(false, "there is no line to look at");
        return;
    };
    view.patterns = Some(Patterns::new(&view.store));
    view.shaping = true;
    state.overlays.push(Overlay::Patterns { selected: 0, since });
}

/// What is new is new since the first marked line, else since the last change of what the log is of.
fn news_since(state: &State) -> Option<Timestamp> {
    let view = state.logs.as_ref()?;
    if let Some(marked) = view.marks.iter().filter_map(|seq| view.store.line(*seq)).map(|l| l.at).min() {
        return Some(marked);
    }
    let begins = view.store.get(0)?.at;
    let changes = view.sources.iter().filter_map(|s| state.workload(&s.environment, &s.workload));
    changes.filter_map(|(_, w)| w.revisions.first().and_then(|r| r.at)).filter(|at| *at > begins).max()
}

/// Moves, goes to a line of the pattern, or leaves.
pub fn key(state: &mut State, chord: Chord) {
    let page = crate::app::layout::page(state);
    let sheet = Sheet::of(state);
    let how = motion(state, chord);
    let Some(Overlay::Patterns { selected, since }) = state.overlays.last_mut() else { return };
    let Some(view) = &mut state.logs else { return };
    let sorted = view.patterns.as_ref().map(|p| p.sorted(*since)).unwrap_or_default();
    match how {
        Motion::Leave => close(view),
        Motion::Enter => {
            let seq = sorted.get(*selected).map(|p| p.sample);
            close(view);
            if let Some(index) = seq.and_then(|seq| view.index_of(seq)) {
                reading::read_around(view, index, sheet);
            }
        }
        Motion::Up | Motion::Down | Motion::PageUp | Motion::PageDown | Motion::Top | Motion::Bottom | Motion::Other => {
            *selected = moved(*selected, sorted.len(), page, how);
            return;
        }
    }
    state.overlays.pop();
}

fn close(view: &mut LogView) {
    view.patterns = None;
    view.shaping = false;
}
