//! The palette: every command and everything one can jump to, found by a few letters of it.

use std::sync::Arc;

use nucleo_matcher::pattern::{AtomKind, CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};

use crate::keymap::Context;
use crate::model::Capability;

use super::Command;
use super::available::available;
use super::command::{COMMANDS, Group};
use super::rows;
use super::state::{Choice, Palette, RowId, State};

/// Entries shown at most.
const SHOWN: usize = 100;

/// One thing the palette offers.
#[derive(Clone, Debug)]
pub struct Offer {
    /// What is matched and shown: `restart`, `production/backend`.
    pub label: String,
    /// The command's name, or what kind of thing it is.
    pub name: &'static str,
    pub doc: &'static str,
    pub keys: Vec<String>,
    pub choice: Choice,
    /// Why it cannot be chosen.
    pub denied: Option<Arc<str>>,
    /// Characters of the label that matched.
    pub hits: Vec<u32>,
}

/// What fits what was typed, best first.
#[must_use]
pub fn offers(state: &State, palette: &Palette) -> Vec<Offer> {
    let text = palette.input.text.trim();
    let mut matcher = Matcher::new(Config::DEFAULT);
    let pattern = Pattern::new(text, CaseMatching::Smart, Normalization::Smart, AtomKind::Fuzzy);
    let mut found: Vec<(u32, Offer)> = Vec::new();
    let mut buffer = Vec::new();
    if !palette.jump_only {
        for info in COMMANDS {
            let label = format!("{}: {}", info.title, info.doc);
            let title = score(&pattern, &mut matcher, &mut buffer, info.title).map(|s| s + 40);
            let name = score(&pattern, &mut matcher, &mut buffer, info.name).map(|s| s + 20);
            let doc = if text.len() > 2 { score(&pattern, &mut matcher, &mut buffer, &label) } else { None };
            if let Some(score) = title.into_iter().chain(name).chain(doc).max() {
                found.push((score, command(state, info.command, info.title, info.name, info.doc)));
            }
        }
    }
    if palette.jump_only || text.len() > 1 {
        for row in places(state) {
            let label = rows::label(state, &row);
            if let Some(score) = score(&pattern, &mut matcher, &mut buffer, &label) {
                found.push((score, place(row, label)));
            }
        }
    }
    if text.is_empty() {
        // Nothing typed yet: commands in the order of the table, what applies here first.
        found.sort_by_key(|(_, offer)| offer.denied.is_some());
    } else {
        found.sort_by_key(|(score, offer)| (std::cmp::Reverse(*score), offer.denied.is_some(), offer.label.len()));
    }
    let mut offers: Vec<Offer> = found.into_iter().take(SHOWN).map(|(_, offer)| offer).collect();
    for offer in &mut offers {
        buffer.clear();
        pattern.indices(Utf32Str::new(&offer.label, &mut buffer), &mut matcher, &mut offer.hits);
        offer.hits.sort_unstable();
        offer.hits.dedup();
    }
    offers
}

fn score(pattern: &Pattern, matcher: &mut Matcher, buffer: &mut Vec<char>, text: &str) -> Option<u32> {
    pattern.score(Utf32Str::new(text, buffer), matcher)
}

fn command(state: &State, command: Command, title: &str, name: &'static str, doc: &'static str) -> Offer {
    let denied = match available(state, command) {
        Capability::Allowed => None,
        Capability::Denied(why) => Some(why),
    };
    let label = match command.info().map(|i| i.group) {
        Some(Group::Move) if matches!(command, Command::Go(_)) => format!("go to {title}"),
        Some(_) | None => title.to_owned(),
    };
    let keys = state.keys.keymap.keys_of(Context::List, command);
    Offer { label, name, doc, keys, choice: Choice::Run(command), denied, hits: Vec::new() }
}

fn place(row: RowId, label: String) -> Offer {
    let name = match &row {
        RowId::Environment(_) => "environment",
        RowId::Workload(..) => "workload",
        RowId::Instance(..) => "instance",
        RowId::Connection(_) => "connection",
        RowId::Revision(_) => "revision",
        RowId::Operation(_) => "operation",
        RowId::Alert(..) => "alert",
        RowId::Item(_) => "event",
    };
    Offer { label, name, doc: "", keys: Vec::new(), choice: Choice::Open(row), denied: None, hits: Vec::new() }
}

/// Everything one can jump to: environments, workloads, instances.
fn places(state: &State) -> Vec<RowId> {
    let mut places = Vec::new();
    for snapshot in state.snapshots() {
        let id = &snapshot.environment.id;
        places.push(RowId::Environment(id.clone()));
        for workload in &snapshot.workloads {
            places.push(RowId::Workload(id.clone(), workload.id.clone()));
            // The only instance of a workload is found by the workload.
            if workload.instances.len() > 1 {
                places.extend(workload.instances.iter().map(|i| RowId::Instance(id.clone(), i.id.clone())));
            }
        }
    }
    places
}
