//! One line of a log looked at closely: everything it says, and what can be done with each field.

use std::sync::Arc;

use crate::app::format::clock_millis;
use crate::app::state::{Choice, Entry, FieldDeed, Input, LogView, Menu, Overlay, Purpose};
use crate::app::{Effect, State};
use crate::model::InstanceId;
use crate::observe::log::{Format, LineView, parse, pretty};
use crate::observe::redact;
use crate::observe::text::{clean, fit};

use super::{lens, prompt};

/// Cells of a value in a menu.
const VALUE: usize = 60;

/// Shows all of the line the reader is at.
pub fn open(state: &mut State) {
    let Some(view) = &state.logs else { return };
    let Some(line) = view.line(view.at()) else { return };
    let name = view.source(line.instance).map_or("", |(_, s)| s.name.as_ref());
    let title = format!("{} {name}", clock_millis(line.at, super::when::offset(state)));
    let lines = told(&line);
    state.overlays.push(Overlay::Text { title: title.into(), lines, scroll: 0 });
}

/// The message, then each field on a line of its own, then the line as it was written.
fn told(line: &LineView<'_>) -> Vec<Arc<str>> {
    if let Some(marker) = line.marker {
        return vec![marker.detail().into()];
    }
    let parsed = parse(line);
    let mut lines: Vec<Arc<str>> = parsed.message.lines().map(|l| clean(l).as_ref().into()).collect();
    let level = line.level.map(|l| ("level", l.word()));
    let said = [("time", parsed.time.unwrap_or_default()), ("stream", line.stream.word()), ("format", line.format.word())];
    let own = level.into_iter().chain(said).filter(|(_, v)| !v.is_empty());
    let fields = parsed.fields.iter().map(|(n, v)| (n.as_ref(), v.as_ref()));
    lines.push("".into());
    lines.extend(own.chain(fields).map(|(name, value)| Arc::from(format!("{:<20} {}", clean(name), clean(value)))));
    lines.push("".into());
    let written = pretty(line.text).unwrap_or_else(|| vec![line.text.to_owned()]);
    lines.extend(written.iter().map(|l| Arc::from(clean(l).as_ref())));
    lines
}

/// Asks which field of the line is meant.
pub fn pick(state: &mut State) {
    let Some(view) = &state.logs else { return };
    let Some(line) = view.line(view.at()).filter(|l| l.marker.is_none()) else {
        state.say(false, "there is no line here");
        return;
    };
    let parsed = parse(&line);
    let level = line.level.map(|l| ("level".into(), l.word().into()));
    let message = ("message".into(), parsed.message);
    let entries: Vec<Entry> = std::iter::once(message)
        .chain(level)
        .chain(parsed.fields)
        .map(|(name, value): (std::borrow::Cow<'_, str>, std::borrow::Cow<'_, str>)| Entry {
            label: format!("{:<16} {}", clean(&name), fit(&clean(&value), VALUE)).into(),
            key: None,
            choice: Choice::Field { name: name.as_ref().into(), value: value.as_ref().into() },
            denied: None,
        })
        .collect();
    state.overlays.push(Overlay::Menu(Menu { title: "field".into(), entries, selected: 0 }));
}

/// Asks what is to be done with a field.
pub fn field(state: &mut State, name: &Arc<str>, value: &Arc<str>) {
    let entry = |label: String, key: char, deed: FieldDeed| Entry {
        label: label.into(),
        key: Some(key),
        choice: Choice::FieldDeed { name: name.clone(), value: value.clone(), deed },
        denied: None,
    };
    let short = fit(&clean(value), VALUE).into_owned();
    let entries = vec![
        entry(format!("copy {short}"), 'c', FieldDeed::Copy),
        entry(format!("show only lines with {short}"), 'o', FieldDeed::Only),
        entry(format!("hide lines with {short}"), 'x', FieldDeed::Exclude),
        entry(format!("light up {short}"), 'h', FieldDeed::Highlight),
        entry(format!("show {name} before every message"), 's', FieldDeed::Column),
    ];
    state.overlays.push(Overlay::Menu(Menu { title: name.clone(), entries, selected: 0 }));
}

/// Does it.
pub fn deed(state: &mut State, name: &Arc<str>, value: &Arc<str>, deed: FieldDeed) -> Vec<Effect> {
    match deed {
        FieldDeed::Copy => {
            state.say(true, format!("copied {}", fit(&clean(value), VALUE)));
            // A value that the log shows unmasked is masked by its name, too.
            let masked = redact::env_entry(&format!("{name}={value}")).into_owned();
            let value = masked.split_once('=').map_or(value.to_string(), |(_, v)| v.to_owned());
            return vec![Effect::Copy(value)];
        }
        FieldDeed::Only | FieldDeed::Exclude => lens::narrow(state, name, value, deed),
        FieldDeed::Highlight => light(state, &[value]),
        FieldDeed::Column => {
            if let Some(view) = &mut state.logs
                && !view.fields.contains(name)
            {
                view.fields.push(name.clone());
            }
        }
    }
    Vec::new()
}

/// Asks how the lines of the instance the reader is at are to be read.
pub fn ask_format(state: &mut State) {
    let Some(view) = &state.logs else { return };
    let Some(line) = view.line(view.at()) else { return };
    let (instance, now) = (line.instance.clone(), view.formats.get(line.instance).copied());
    let name = view.source(&instance).map_or(Arc::from("lines"), |(_, s)| s.name.clone());
    let choices: Vec<Option<Format>> = std::iter::once(None).chain(Format::ALL.into_iter().map(Some)).collect();
    let selected = choices.iter().position(|c| *c == now).unwrap_or(0);
    let entries = choices
        .into_iter()
        .map(|format| Entry {
            label: format.map_or("as each line seems", Format::word).into(),
            key: None,
            choice: Choice::Format(instance.clone(), format),
            denied: None,
        })
        .collect();
    state.overlays.push(Overlay::Menu(Menu { title: format!("{name} is read as").into(), entries, selected }));
}

/// Reads the lines of an instance so from now on.
pub fn format(state: &mut State, instance: InstanceId, format: Option<Format>) {
    let Some(view) = &mut state.logs else { return };
    match format {
        Some(format) => drop(view.formats.insert(instance, format)),
        None => drop(view.formats.remove(&instance)),
    }
}

/// Asks which words are lit up.
pub fn ask_highlight(state: &mut State) {
    let current = state.logs.as_ref().map_or(String::new(), |l| l.highlighted.join(" "));
    prompt::open(state, Purpose::Highlight, "light up", Input::new(current));
}

/// Lights these words up and no others.
pub fn highlight(state: &mut State, text: &str) {
    if let Some(view) = &mut state.logs {
        view.highlighted.clear();
        view.highlights.clear();
    }
    light(state, &text.split_whitespace().collect::<Vec<_>>());
}

fn light(state: &mut State, words: &[&str]) {
    let Some(view) = &mut state.logs else { return };
    for word in words.iter().filter(|w| !w.is_empty()) {
        let pattern =
            regex::RegexBuilder::new(&regex::escape(word)).case_insensitive(!word.chars().any(char::is_uppercase)).build();
        if let Ok(pattern) = pattern
            && view.highlights.len() < LogView::HIGHLIGHTS
        {
            view.highlighted.push((*word).to_owned());
            view.highlights.push(pattern);
        }
    }
}

/// Asks which fields stand before the message.
pub fn ask_fields(state: &mut State) {
    let current = state.logs.as_ref().map_or(String::new(), |l| l.fields.join(" "));
    prompt::open(state, Purpose::Fields, "fields first", Input::new(current));
}

/// Shows these fields before every message.
pub fn fields(state: &mut State, text: &str) {
    if let Some(view) = &mut state.logs {
        view.fields = text.split([' ', ',']).filter(|f| !f.is_empty()).map(Arc::from).collect();
    }
}
