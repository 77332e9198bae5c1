//! Keys for what lies on top and takes no text of its own: help, texts, menus, the question before quitting.

use crate::app::state::{Entry, Overlay};
use crate::app::{Effect, State, layout};
use crate::keymap::{Chord, Key};

use super::keys::{Motion, edit, motion, typing_motion};
use super::{menus, operations};
use crate::app::state::Input;

/// Moves within `len` things of which a page shows `page`.
pub(super) fn moved(at: usize, len: usize, page: usize, motion: Motion) -> usize {
    let last = len.saturating_sub(1);
    match motion {
        Motion::Up => at.saturating_sub(1),
        Motion::Down => (at + 1).min(last),
        Motion::PageUp => at.saturating_sub(page),
        Motion::PageDown => (at + page).min(last),
        Motion::Top => 0,
        Motion::Bottom => last,
        Motion::Enter | Motion::Leave | Motion::Other => at.min(last),
    }
}

/// Help and texts: scrolled; help is filtered by typing.
pub fn reading(state: &mut State, chord: Chord) -> Vec<Effect> {
    let page = layout::page(state);
    let lines = crate::app::help::lines(state).len();
    let how = match state.overlays.last() {
        Some(Overlay::Help { .. }) => typing_motion(chord),
        Some(_) | None => motion(state, chord),
    };
    match state.overlays.last_mut() {
        Some(Overlay::Help { scroll, filter }) => match how {
            Motion::Leave if !filter.is_empty() => filter.clear(),
            Motion::Other if filter.is_empty() && matches!(chord.key, Key::Char('q' | '?') | Key::F(1)) => {
                drop(state.overlays.pop());
            }
            Motion::Other => {
                let mut input = Input::new(std::mem::take(filter));
                if edit(&mut input, chord) {
                    *scroll = 0;
                }
                *filter = input.text;
            }
            Motion::Leave | Motion::Enter => drop(state.overlays.pop()),
            Motion::Up | Motion::Down | Motion::PageUp | Motion::PageDown | Motion::Top | Motion::Bottom => {
                *scroll = moved(*scroll, lines, page, how);
            }
        },
        Some(Overlay::Text { lines, .. }) if chord.typed() == Some('c') => {
            let text = lines.iter().map(|l| crate::observe::redact::text(l)).collect::<Vec<_>>().join("\n");
            state.say(true, format!("copied {} lines", text.lines().count()));
            return vec![Effect::Copy(text)];
        }
        Some(Overlay::Text { lines, scroll, .. }) => match how {
            Motion::Leave | Motion::Enter => drop(state.overlays.pop()),
            Motion::Up | Motion::Down | Motion::PageUp | Motion::PageDown | Motion::Top | Motion::Bottom | Motion::Other => {
                *scroll = moved(*scroll, lines.len(), page, how);
            }
        },
        Some(
            Overlay::Palette(_)
            | Overlay::Confirm(_)
            | Overlay::Prompt(_)
            | Overlay::Menu(_)
            | Overlay::Quit
            | Overlay::Patterns { .. }
            | Overlay::Changes { .. },
        )
        | None => {}
    }
    Vec::new()
}

/// A menu: its own letters first, then moving.
pub fn menu(state: &mut State, chord: Chord) -> Vec<Effect> {
    let page = layout::page(state);
    let how = motion(state, chord);
    let Some(Overlay::Menu(menu)) = state.overlays.last_mut() else { return Vec::new() };
    let by_key = chord.typed().and_then(|c| menu.entries.iter().position(|e| e.key == Some(c)));
    if let Some(at) = by_key {
        menu.selected = at;
        return chosen(state);
    }
    match how {
        Motion::Enter => chosen(state),
        Motion::Leave => {
            state.overlays.pop();
            Vec::new()
        }
        Motion::Up | Motion::Down | Motion::PageUp | Motion::PageDown | Motion::Top | Motion::Bottom | Motion::Other => {
            menu.selected = moved(menu.selected, menu.entries.len(), page, how);
            Vec::new()
        }
    }
}

fn chosen(state: &mut State) -> Vec<Effect> {
    let Some(Overlay::Menu(menu)) = state.overlays.last() else { return Vec::new() };
    let Some(Entry { choice, denied, .. }) = menu.entries.get(menu.selected).cloned() else { return Vec::new() };
    if let Some(why) = denied {
        state.say(false, why);
        return Vec::new();
    }
    state.overlays.pop();
    menus::choose(state, choice)
}

/// The answers to quitting with operations under way: key and words.
pub const QUIT_ANSWERS: [(char, &str); 4] = [
    ('s', "stay"),
    ('w', "wait for it to end, then quit"),
    ('a', "abort it, go back to the old state, then quit"),
    ('l', "quit now and leave it unfinished: the next start offers to finish or undo it"),
];

/// Quitting with operations under way.
pub fn quit(state: &mut State, chord: Chord) -> Vec<Effect> {
    match chord.key {
        Key::Char('w') => {
            state.overlays.pop();
            state.quitting = true;
            state.say(true, "quitting as soon as nothing is under way");
        }
        Key::Char('a') => {
            state.overlays.pop();
            state.quitting = true;
            state.say(true, "aborting, then quitting");
            return operations::abort_all(state);
        }
        Key::Char('l') => return vec![Effect::Quit],
        Key::Char('s' | 'q' | 'n') | Key::Esc => {
            state.overlays.pop();
            state.quitting = false;
        }
        Key::Char(_)
        | Key::Enter
        | Key::Tab
        | Key::BackTab
        | Key::Backspace
        | Key::Delete
        | Key::Insert
        | Key::Home
        | Key::End
        | Key::PageUp
        | Key::PageDown
        | Key::Up
        | Key::Down
        | Key::Left
        | Key::Right
        | Key::F(_) => {}
    }
    Vec::new()
}
