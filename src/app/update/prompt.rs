//! Prompts: one line of text, and what is done with it. Filter and search work while typing.

use crate::app::rows;
use crate::app::state::{Input, Overlay, Prompt, Purpose, Screen};
use crate::app::{Effect, State};
use crate::keymap::Chord;
use crate::observe::rule::file::parse_span;
use crate::operate::{Operation, Request, image};

use super::keys::{Motion, edit, typing_motion};
use super::{forward, inspect, lens, load, operations, output, search, when, wish};

/// Puts a prompt on top.
pub fn open(state: &mut State, purpose: Purpose, title: impl Into<std::sync::Arc<str>>, input: Input) {
    state.overlays.push(Overlay::Prompt(Prompt { purpose, title: title.into(), input, error: None }));
}

/// Filters the list, or searches the log.
pub fn filter_or_search(state: &mut State) {
    let view = state.nav.view();
    if view.screen == Screen::Logs {
        let pattern = state.logs.as_ref().and_then(|l| l.search.as_ref()).map(|s| s.pattern.clone());
        open(state, Purpose::Search, "search", Input::new(pattern.unwrap_or_default()));
    } else if rows::is_list(view.screen) {
        let filter = view.table.filter.clone();
        open(state, Purpose::Filter, "filter", Input::new(filter));
    } else {
        state.say(false, "there is nothing to filter here");
    }
}

/// Takes a key.
pub fn key(state: &mut State, chord: Chord) -> Vec<Effect> {
    let Some(Overlay::Prompt(prompt)) = state.overlays.last_mut() else { return Vec::new() };
    let live = matches!(prompt.purpose, Purpose::Filter | Purpose::Search | Purpose::LogFilter);
    match typing_motion(chord) {
        Motion::Enter => return submit(state),
        Motion::Leave => cancel(state),
        // While filtering the list can be moved through.
        Motion::Up if live => super::run::by(state, -1),
        Motion::Down if live => super::run::by(state, 1),
        Motion::Other => {
            // Going back over the beginning leaves, as in vi.
            let empty = prompt.input.text.is_empty() && chord.key == crate::keymap::Key::Backspace;
            if empty && live {
                cancel(state);
            } else if edit(&mut prompt.input, chord) {
                prompt.error = None;
                changed(state);
            }
        }
        Motion::Up | Motion::Down | Motion::PageUp | Motion::PageDown | Motion::Top | Motion::Bottom => {}
    }
    Vec::new()
}

/// The text has changed: filter and search follow.
pub fn changed(state: &mut State) {
    let Some(Overlay::Prompt(prompt)) = state.overlays.last_mut() else { return };
    let text = prompt.input.text.clone();
    match prompt.purpose {
        Purpose::Filter => {
            state.nav.view_mut().table.filter = text;
            let error = rows::filter_error(state.nav.view());
            if let Some(Overlay::Prompt(prompt)) = state.overlays.last_mut() {
                prompt.error = error.map(Into::into);
            }
        }
        Purpose::Search => {
            search::set(state, &text);
            let failed = state.logs.as_ref().and_then(|l| l.search.as_ref()).and_then(|s| s.regex.as_ref().err().cloned());
            if let Some(Overlay::Prompt(prompt)) = state.overlays.last_mut() {
                prompt.error = failed;
            }
        }
        Purpose::LogFilter => {
            let error = lens::set(state, &text).err();
            if let Some(Overlay::Prompt(prompt)) = state.overlays.last_mut() {
                prompt.error = error;
            }
        }
        Purpose::Replicas { .. }
        | Purpose::Image { .. }
        | Purpose::Bounds { .. }
        | Purpose::Load { .. }
        | Purpose::LockReason { .. }
        | Purpose::Silence { .. }
        | Purpose::Shell { .. }
        | Purpose::Forward { .. }
        | Purpose::ForwardInto { .. }
        | Purpose::Save
        | Purpose::Time
        | Purpose::Since
        | Purpose::Pipe
        | Purpose::Highlight
        | Purpose::Fields => {}
    }
}

fn cancel(state: &mut State) {
    let Some(Overlay::Prompt(prompt)) = state.overlays.pop() else { return };
    match prompt.purpose {
        Purpose::Filter => state.nav.view_mut().table.filter.clear(),
        Purpose::Search => search::set(state, ""),
        Purpose::LogFilter => drop(lens::set(state, "")),
        Purpose::Replicas { .. }
        | Purpose::Image { .. }
        | Purpose::Bounds { .. }
        | Purpose::Load { .. }
        | Purpose::LockReason { .. }
        | Purpose::Silence { .. }
        | Purpose::Shell { .. }
        | Purpose::Forward { .. }
        | Purpose::ForwardInto { .. }
        | Purpose::Save
        | Purpose::Time
        | Purpose::Since
        | Purpose::Pipe
        | Purpose::Highlight
        | Purpose::Fields => {}
    }
}

fn refuse(state: &mut State, why: impl Into<std::sync::Arc<str>>) -> Vec<Effect> {
    if let Some(Overlay::Prompt(prompt)) = state.overlays.last_mut() {
        prompt.error = Some(why.into());
    }
    Vec::new()
}

fn submit(state: &mut State) -> Vec<Effect> {
    let Some(Overlay::Prompt(prompt)) = state.overlays.last() else { return Vec::new() };
    let text = prompt.input.text.trim().to_owned();
    let request = match prompt.purpose.clone() {
        Purpose::Filter | Purpose::Search => {
            state.overlays.pop();
            return Vec::new();
        }
        Purpose::Replicas { environment, targets } => match text.parse::<u32>() {
            Ok(to) if to <= MAX_REPLICAS => Request { environment, targets, operation: Operation::Scale { to } },
            Ok(_) => return refuse(state, format!("at most {MAX_REPLICAS}")),
            Err(_) => return refuse(state, "a whole number is wanted, 0 or more"),
        },
        Purpose::Image { environment, targets } => match image::malformed(&text) {
            None => {
                let operation =
                    Operation::Deploy { image: text.into(), container: None, strategy: None, fast: false, unwatched: false };
                Request { environment, targets, operation }
            }
            Some(why) => return refuse(state, why),
        },
        Purpose::Bounds { environment, targets } => match bounds(&text) {
            Some((min, max)) => Request { environment, targets, operation: Operation::Bounds { min, max } },
            None => return refuse(state, "two whole numbers are wanted: the least and the most, such as 3 10"),
        },
        Purpose::Load { environment, targets } => match load::parse(&text) {
            Ok((url, shape)) => Request { environment, targets, operation: Operation::Load { url, shape } },
            Err(why) => return refuse(state, why),
        },
        Purpose::LockReason { environment } => {
            if text.is_empty() {
                return refuse(state, "say why, so that others know");
            }
            Request { environment, targets: Vec::new(), operation: Operation::Lock { why: text.into() } }
        }
        Purpose::Silence { environment, alert } => match silence(&text) {
            Ok((span, why)) => Request {
                environment,
                targets: Vec::new(),
                operation: Operation::Silence { alert, labels: Vec::new(), span, why },
            },
            Err(told) => return refuse(state, told),
        },
        Purpose::Shell { environment, instance } => return wish::shell_named(state, &environment, &instance, &text),
        Purpose::Forward { environment, target } => return forward::chosen(state, environment, target, &text),
        Purpose::ForwardInto { environment, target, local, remote } => {
            return forward::named(state, &environment, &target, (local, remote), &text);
        }
        purpose @ (Purpose::LogFilter
        | Purpose::Save
        | Purpose::Pipe
        | Purpose::Highlight
        | Purpose::Fields
        | Purpose::Since
        | Purpose::Time) => {
            return submit_log(state, &purpose, &text);
        }
    };
    state.overlays.pop();
    operations::propose(state, request, false)
}

/// How long, then why.
fn silence(text: &str) -> Result<(std::time::Duration, std::sync::Arc<str>), String> {
    let (span, why) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let span = parse_span(span)?;
    if why.trim().is_empty() {
        return Err("say why, after how long: 2h the disk is being replaced".to_owned());
    }
    Ok((span, why.trim().into()))
}

/// Two numbers, the least and the most.
fn bounds(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.split(|c: char| !c.is_ascii_digit()).filter(|n| !n.is_empty()).map(str::parse);
    match (numbers.next(), numbers.next(), numbers.next()) {
        (Some(Ok(min)), Some(Ok(max)), None) => Some((min, max)),
        (_, _, _) => None,
    }
}

/// What is typed for the log.
fn submit_log(state: &mut State, purpose: &Purpose, text: &str) -> Vec<Effect> {
    let mut effects = Vec::new();
    match purpose {
        Purpose::LogFilter => {
            if let Err(why) = lens::set(state, text) {
                return refuse(state, why);
            }
        }
        Purpose::Time => match when::parse(text, state.now, when::offset(state)) {
            Ok(at) => when::go(state, at),
            Err(why) => return refuse(state, why),
        },
        Purpose::Since => {
            if let Err(why) = when::read_since(state, text) {
                return refuse(state, why);
            }
        }
        Purpose::Save => effects = output::save(state, text),
        Purpose::Pipe => effects = output::pipe(state, text),
        Purpose::Highlight => inspect::highlight(state, text),
        Purpose::Fields => inspect::fields(state, text),
        Purpose::Filter
        | Purpose::Search
        | Purpose::Replicas { .. }
        | Purpose::Image { .. }
        | Purpose::Bounds { .. }
        | Purpose::Load { .. }
        | Purpose::LockReason { .. }
        | Purpose::Silence { .. }
        | Purpose::Shell { .. }
        | Purpose::Forward { .. }
        | Purpose::ForwardInto { .. } => {}
    }
    state.overlays.pop();
    effects
}

/// More replicas than this are a slip of the finger.
const MAX_REPLICAS: u32 = 1000;
