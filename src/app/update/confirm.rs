//! Keys on a plan: read it, answer it, or leave.

use crate::app::operations::question;
use crate::app::state::Overlay;
use crate::app::{Effect, State, layout};
use crate::keymap::{Chord, Key};
use crate::operate::Operation;
use crate::operate::guard::Question;

use super::keys::{Motion, edit, typing_motion};
use super::{ahead, operations};

/// Takes a key. Where the name is to be typed, every letter is part of it.
pub fn key(state: &mut State, chord: Chord) -> Vec<Effect> {
    let page = layout::page(state);
    let Some(Overlay::Confirm(confirm)) = state.overlays.last() else { return Vec::new() };
    let typing = matches!(question(state, &confirm.plan), Some(Question::Type(_)));
    let lines = confirm.plan.steps.len() + confirm.plan.changes.len() + confirm.plan.warnings.len() + 4;
    let how = typing_motion(chord);
    // No environment's name has a space in it that must be typed while something is to be ticked.
    if chord.typed() == Some(' ') && confirm.plan.asked().next().is_some() {
        ahead::tick(state);
        return Vec::new();
    }
    if chord.key == Key::Tab && matches!(confirm.plan.request.operation, Operation::Deploy { .. }) {
        return operations::other_path(state);
    }
    match how {
        // A yes is a yes only where a yes is asked for.
        Motion::Enter => return operations::answer(state, !typing),
        Motion::Leave => drop(state.overlays.pop()),
        Motion::Other if !typing => match chord.typed() {
            Some('y') => return operations::answer(state, true),
            Some('n' | 'q') => drop(state.overlays.pop()),
            Some('j') => scroll(state, lines, page, Motion::Down),
            Some('k') => scroll(state, lines, page, Motion::Up),
            Some(_) | None => {}
        },
        Motion::Other => {
            if let Some(Overlay::Confirm(confirm)) = state.overlays.last_mut()
                && edit(&mut confirm.typed, chord)
            {
                confirm.refusal = None;
            }
        }
        Motion::Up | Motion::Down | Motion::PageUp | Motion::PageDown | Motion::Top | Motion::Bottom => {
            scroll(state, lines, page, how);
        }
    }
    Vec::new()
}

fn scroll(state: &mut State, lines: usize, page: usize, how: Motion) {
    if let Some(Overlay::Confirm(confirm)) = state.overlays.last_mut() {
        confirm.scroll = super::overlay::moved(confirm.scroll, lines, page, how);
    }
}
