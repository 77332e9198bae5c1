//! Keys in the palette.

use crate::app::palette::offers;
use crate::app::state::{Overlay, Palette};
use crate::app::{Effect, State, layout};
use crate::keymap::Chord;

use super::keys::{Motion, edit, typing_motion};
use super::menus;

/// Puts the palette on top.
pub fn open(state: &mut State, jump_only: bool) {
    state.overlays.push(Overlay::Palette(Palette { jump_only, ..Palette::default() }));
}

/// Takes a key.
pub fn key(state: &mut State, chord: Chord) -> Vec<Effect> {
    let page = layout::page(state);
    let how = typing_motion(chord);
    match how {
        Motion::Leave => drop(state.overlays.pop()),
        Motion::Enter => return chosen(state),
        Motion::Other => {
            if let Some(Overlay::Palette(palette)) = state.overlays.last_mut()
                && edit(&mut palette.input, chord)
            {
                palette.selected = 0;
            }
        }
        Motion::Up | Motion::Down | Motion::PageUp | Motion::PageDown | Motion::Top | Motion::Bottom => {
            let Some(Overlay::Palette(palette)) = state.overlays.last() else { return Vec::new() };
            let selected = super::overlay::moved(palette.selected, offers(state, palette).len(), page, how);
            if let Some(Overlay::Palette(palette)) = state.overlays.last_mut() {
                palette.selected = selected;
            }
        }
    }
    Vec::new()
}

fn chosen(state: &mut State) -> Vec<Effect> {
    let Some(Overlay::Palette(palette)) = state.overlays.last() else { return Vec::new() };
    let Some(offer) = offers(state, palette).into_iter().nth(palette.selected) else { return Vec::new() };
    if let Some(why) = offer.denied {
        state.say(false, why);
        return Vec::new();
    }
    state.overlays.pop();
    menus::choose(state, offer.choice)
}

/// The selection stays among what is offered, whatever has gone meanwhile.
pub fn settle(state: &mut State) {
    let Some(Overlay::Palette(palette)) = state.overlays.last() else { return };
    if palette.selected == 0 {
        return;
    }
    let last = offers(state, palette).len().saturating_sub(1);
    if let Some(Overlay::Palette(palette)) = state.overlays.last_mut() {
        palette.selected = palette.selected.min(last);
    }
}
