//! Help, made from the keymap in force: what the keys do here, and why some do nothing.

use std::sync::Arc;

use crate::model::Capability;

use super::available::available;
use super::command::{COMMANDS, Group, Info};
use super::rows::contains;
use super::state::{Overlay, State};
use super::update::context;

/// One line of help.
#[derive(Clone, Debug)]
pub enum Line {
    Heading(&'static str),
    Command {
        info: &'static Info,
        /// Empty for what only the palette runs.
        keys: Vec<String>,
        /// Why it does nothing here.
        denied: Option<Arc<str>>,
    },
}

/// The lines of the help on top, or of an unfiltered one.
#[must_use]
pub fn lines(state: &State) -> Vec<Line> {
    let filter = match state.overlays.last() {
        Some(Overlay::Help { filter, .. }) => filter.to_lowercase(),
        Some(_) | None => String::new(),
    };
    let context = context(state);
    let groups = [Group::Look, Group::Change, Group::Find, Group::Move, Group::Mark, Group::Logs, Group::Program];
    let mut lines = Vec::new();
    for group in groups {
        let before = lines.len();
        for info in COMMANDS.iter().filter(|i| i.group == group) {
            let keys = state.keys.keymap.keys_of(context, info.command);
            let fits = filter.is_empty()
                || [info.title, info.name, info.doc].iter().any(|t| contains(t, &filter))
                || keys.iter().any(|k| k.to_lowercase() == filter);
            if fits {
                let denied = match available(state, info.command) {
                    Capability::Allowed => None,
                    Capability::Denied(why) => Some(why),
                };
                lines.push(Line::Command { info, keys, denied });
            }
        }
        if lines.len() > before {
            lines.insert(before, Line::Heading(group.title()));
        }
    }
    lines
}
