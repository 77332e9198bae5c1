//! Keys: to what lies on top, else through the keymap.

use crate::app::state::{Input, Overlay, Prompt, Purpose, Screen};
use crate::app::{Command, Effect, State};
use crate::keymap::{Chord, Context, Key, Lookup};

use super::{changes, confirm, overlay, palette, prompt, run, shapes};

/// What the keymap is asked for on the screen in view.
#[must_use]
pub fn context(state: &State) -> Context {
    match state.nav.view().screen {
        Screen::Logs => Context::Log,
        Screen::Fleet
        | Screen::Workloads
        | Screen::Instances
        | Screen::Health
        | Screen::Metrics
        | Screen::Alerts
        | Screen::Timeline
        | Screen::Operations
        | Screen::Revisions => Context::List,
        Screen::Describe => Context::Text,
    }
}

/// Takes a key.
pub fn key(state: &mut State, chord: Chord) -> Vec<Effect> {
    if !state.overlays.is_empty() {
        // Whatever lies on top and whatever the keymap says: this always leads out.
        if chord.ctrl && chord.key == Key::Char('c') {
            state.overlays.clear();
            return run::run(state, Command::Quit);
        }
        return over(state, chord);
    }
    state.keys.pending.push(chord);
    let found = state.keys.keymap.lookup(context(state), &state.keys.pending);
    match found {
        Lookup::Run(command) => {
            state.keys.pending.clear();
            run::run(state, command)
        }
        Lookup::Pending(_) => Vec::new(),
        Lookup::Nothing => {
            let alone = state.keys.pending.len() == 1;
            state.keys.pending.clear();
            let esc = chord.key == Key::Esc;
            // A chord begun by mistake is left with Esc; Esc alone always leads back; another key counts for itself.
            match (alone, esc) {
                (true, true) => run::run(state, Command::Back),
                (false, false) => key(state, chord),
                (true, false) | (false, true) => Vec::new(),
            }
        }
    }
}

fn over(state: &mut State, chord: Chord) -> Vec<Effect> {
    match state.overlays.last() {
        Some(Overlay::Help { .. } | Overlay::Text { .. }) => overlay::reading(state, chord),
        Some(Overlay::Menu(_)) => overlay::menu(state, chord),
        Some(Overlay::Quit) => overlay::quit(state, chord),
        Some(Overlay::Patterns { .. }) => {
            shapes::key(state, chord);
            Vec::new()
        }
        Some(Overlay::Changes { .. }) => changes::key(state, chord),
        Some(Overlay::Palette(_)) => palette::key(state, chord),
        Some(Overlay::Prompt(_)) => prompt::key(state, chord),
        Some(Overlay::Confirm(_)) => confirm::key(state, chord),
        None => Vec::new(),
    }
}

/// Text pasted: only what takes text takes it, and only its first line.
pub fn paste(state: &mut State, text: &str) -> Vec<Effect> {
    let line = text.lines().next().unwrap_or_default();
    let line = crate::observe::text::clean(line);
    match state.overlays.last_mut() {
        // A whole reference stands for itself, not for the tag of the name that is offered.
        Some(Overlay::Prompt(Prompt { purpose: Purpose::Image { .. }, input, .. }))
            if input.text.ends_with(':') && line.contains([':', '/']) =>
        {
            *input = Input::default();
            input.insert(&line);
        }
        Some(Overlay::Prompt(prompt)) => prompt.input.insert(&line),
        Some(Overlay::Palette(palette)) => palette.input.insert(&line),
        // What is typed to confirm has to be typed.
        Some(
            Overlay::Confirm(_)
            | Overlay::Help { .. }
            | Overlay::Text { .. }
            | Overlay::Menu(_)
            | Overlay::Quit
            | Overlay::Patterns { .. }
            | Overlay::Changes { .. },
        ) => {}
        None => state.say(false, "pasted text is not taken for keys; open a prompt first"),
    }
    prompt::changed(state);
    Vec::new()
}

/// Where a key leads in something that is moved through, whatever the keymap: arrows, paging, and their letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Motion {
    Up,
    Down,
    PageUp,
    PageDown,
    Top,
    Bottom,
    Enter,
    Leave,
    Other,
}

/// The motion of a key over a text that is being typed: letters are letters.
#[must_use]
pub fn typing_motion(chord: Chord) -> Motion {
    match (chord.key, chord.ctrl) {
        (Key::Up | Key::BackTab, _) | (Key::Char('p'), true) => Motion::Up,
        (Key::Down | Key::Tab, _) | (Key::Char('n'), true) => Motion::Down,
        (Key::PageUp, _) => Motion::PageUp,
        (Key::PageDown, _) => Motion::PageDown,
        (Key::Enter, _) => Motion::Enter,
        (Key::Esc, _) => Motion::Leave,
        (
            Key::Char(_) | Key::Backspace | Key::Delete | Key::Insert | Key::Home | Key::End | Key::Left | Key::Right | Key::F(_),
            _,
        ) => Motion::Other,
    }
}

/// The motion of a key where nothing is typed: what the keymap says for lists, and the keys everybody knows.
#[must_use]
pub fn motion(state: &State, chord: Chord) -> Motion {
    match typing_motion(chord) {
        Motion::Other => {}
        known @ (Motion::Up
        | Motion::Down
        | Motion::PageUp
        | Motion::PageDown
        | Motion::Top
        | Motion::Bottom
        | Motion::Enter
        | Motion::Leave) => return known,
    }
    match (chord.key, chord.ctrl) {
        (Key::Home, _) => return Motion::Top,
        (Key::End, _) => return Motion::Bottom,
        (_, _) => {}
    }
    match state.keys.keymap.lookup(Context::List, &[chord]) {
        Lookup::Run(Command::Down) => Motion::Down,
        Lookup::Run(Command::Up) => Motion::Up,
        Lookup::Run(Command::PageDown) => Motion::PageDown,
        Lookup::Run(Command::PageUp) => Motion::PageUp,
        Lookup::Run(Command::Top) => Motion::Top,
        Lookup::Run(Command::Bottom) => Motion::Bottom,
        Lookup::Run(Command::Enter) => Motion::Enter,
        Lookup::Run(Command::Back | Command::Quit | Command::Help) => Motion::Leave,
        Lookup::Run(_) | Lookup::Pending(_) | Lookup::Nothing => Motion::Other,
    }
}

/// Edits a line. Tells whether the text changed.
pub fn edit(input: &mut crate::app::state::Input, chord: Chord) -> bool {
    let before = input.text.len();
    match (chord.key, chord.ctrl || chord.alt) {
        (Key::Char(c), false) => input.insert(c.encode_utf8(&mut [0; 4])),
        (Key::Backspace, false) | (Key::Char('h'), true) => {
            input.backspace();
        }
        (Key::Backspace | Key::Char('w'), true) => input.delete_word(),
        (Key::Delete, _) | (Key::Char('d'), true) => input.delete(),
        (Key::Char('u'), true) => input.delete_to_start(),
        (Key::Left, _) | (Key::Char('b'), true) => input.left(),
        (Key::Right, _) | (Key::Char('f'), true) => input.right(),
        (Key::Home, _) | (Key::Char('a'), true) => input.home(),
        (Key::End, _) | (Key::Char('e'), true) => input.end(),
        (
            Key::Char(_)
            | Key::Enter
            | Key::Esc
            | Key::Tab
            | Key::BackTab
            | Key::Insert
            | Key::PageUp
            | Key::PageDown
            | Key::Up
            | Key::Down
            | Key::F(_),
            _,
        ) => {}
    }
    input.text.len() != before
}
