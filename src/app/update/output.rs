//! What leaves the console as text: the clipboard and files.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::Arc;

use crate::app::format::clock_millis;
use crate::app::rows;
use crate::app::state::{Input, LogView, Overlay, Purpose, RowId, Screen, Stamps};
use crate::app::{Effect, State, layout};
use crate::observe::log::{LineView, Owner, data};
use crate::observe::redact;

use super::prompt;

/// Copies the names marked or selected; in a log the match, else the lines in sight.
pub fn copy(state: &mut State) -> Vec<Effect> {
    let view = state.nav.view();
    let text = match view.screen {
        Screen::Logs => log_text(state),
        Screen::Describe => state.description.as_ref().map(|d| d.lines.iter().map(|l| &**l).collect::<Vec<_>>().join("\n")),
        Screen::Fleet
        | Screen::Workloads
        | Screen::Instances
        | Screen::Health
        | Screen::Metrics
        | Screen::Alerts
        | Screen::Timeline
        | Screen::Operations
        | Screen::Revisions => {
            let marked: Vec<&RowId> = view.table.marks.iter().collect();
            let rows = if marked.is_empty() { view.table.selected.iter().collect() } else { marked };
            let names: Vec<String> = rows.into_iter().filter_map(|row| name(state, row)).collect();
            (!names.is_empty()).then(|| names.join("\n"))
        }
    };
    match text {
        Some(text) if !text.is_empty() => {
            let lines = text.lines().count();
            let what = if lines == 1 { text.chars().take(60).collect() } else { format!("{lines} lines") };
            state.say(true, format!("copied {what}"));
            vec![Effect::Copy(text)]
        }
        Some(_) | None => {
            state.say(false, "there is nothing to copy");
            Vec::new()
        }
    }
}

fn name(state: &State, row: &RowId) -> Option<String> {
    let subject = rows::subject(state, row)?;
    Some(match subject {
        rows::Subject::Alert(_, a) => format!("{} {} {} {}", a.name, a.state.word(), a.labels, a.words()),
        rows::Subject::Item(_, item) => format!("{} {} {} {}", item.at, item.subject, item.what, item.detail),
        other => other.name().to_owned(),
    })
}

/// What leaves the console is masked, whatever is on the screen.
fn masked<'a>(view: &LogView, text: &'a str) -> Cow<'a, str> {
    if view.reveal { redact::text(text) } else { Cow::Borrowed(text) }
}

/// The marked lines, else the one the reader is at, else those in sight.
fn log_text(state: &State) -> Option<String> {
    let view = state.logs.as_ref()?;
    let text = |index: usize| view.line(index).map(|l| masked(view, l.text).into_owned());
    if !view.marks.is_empty() {
        let marked = (0..view.len()).filter(|i| view.line(*i).is_some_and(|l| view.marks.contains(&l.seq)));
        return Some(marked.filter_map(text).collect::<Vec<_>>().join("\n"));
    }
    if view.cursor.is_some() {
        return text(view.at());
    }
    let bottom = view.bottom();
    let rows = usize::from(layout::log_lines(state.size).height).max(1);
    Some(((bottom + 1).saturating_sub(rows)..=bottom).filter_map(text).collect::<Vec<_>>().join("\n"))
}

/// Asks where the log is to be written.
pub fn ask(state: &mut State) {
    let Some(view) = state.logs.as_ref().filter(|_| state.nav.view().screen == Screen::Logs) else {
        state.say(false, "only a log can be saved");
        return;
    };
    let safe: String = view.title.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).take(40).collect();
    let stamp: String = state.now.to_string().chars().take(19).filter(char::is_ascii_alphanumeric).collect();
    prompt::open(state, Purpose::Save, "save to", Input::new(format!("{safe}-{stamp}.log")));
}

/// Asks which command is given the log.
pub fn ask_pipe(state: &mut State) {
    if state.nav.view().screen != Screen::Logs || state.logs.as_ref().is_none_or(LogView::is_empty) {
        state.say(false, "only a log with lines in it can be piped");
        return;
    }
    prompt::open(state, Purpose::Pipe, "pipe to", Input::default());
}

/// Gives the marked lines, else all that are shown, to a command.
pub fn pipe(state: &mut State, command: &str) -> Vec<Effect> {
    let Some(view) = &state.logs else { return Vec::new() };
    if command.is_empty() {
        state.say(false, "name a command, like sort | uniq -c");
        return Vec::new();
    }
    let wanted = |i: &usize| view.marks.is_empty() || view.line(*i).is_some_and(|l| view.marks.contains(&l.seq));
    let mut content = String::new();
    for line in (0..view.len()).filter(wanted).filter_map(|i| view.line(i)).filter(|l| l.marker.is_none()) {
        content.push_str(&masked(view, line.text));
        content.push('\n');
    }
    state.say(true, format!("{command}: running"));
    vec![Effect::Pipe { command: command.to_owned(), content }]
}

/// Shows what the command has said.
pub fn piped(state: &mut State, command: &Arc<str>, result: Result<Arc<str>, Arc<str>>) -> Vec<Effect> {
    match result {
        Ok(text) if text.trim().is_empty() => state.say(true, format!("{command}: done, without a word")),
        Ok(text) => {
            let lines = text.lines().map(Arc::from).collect();
            state.overlays.push(Overlay::Text { title: command.clone(), lines, scroll: 0 });
        }
        Err(why) => state.say(false, format!("{command}: {why}")),
    }
    Vec::new()
}

/// Writes the marked lines, else all that are shown, masked; as JSON lines where the name ends so, else as on the screen.
pub fn save(state: &mut State, name: &str) -> Vec<Effect> {
    let Some(view) = &state.logs else { return Vec::new() };
    if name.is_empty() || name.contains(['/', '\\', '\0']) || name.starts_with('.') {
        state.say(false, "name a file in the working directory");
        return Vec::new();
    }
    let as_data = [".jsonl", ".ndjson"].iter().any(|end| name.ends_with(end));
    let mut content = String::with_capacity(view.store.bytes().min(1 << 26));
    let wanted = |line: &LineView<'_>| view.marks.is_empty() || view.marks.contains(&line.seq);
    for line in (0..view.len()).filter_map(|i| view.line(i)).filter(wanted) {
        if as_data {
            write_data(state, view, &line, &mut content);
        } else {
            write_text(view, &line, state.settings.utc_offset_minutes, &mut content);
        }
        content.push('\n');
    }
    vec![Effect::Save { name: name.to_owned(), content }]
}

fn write_data(state: &State, view: &LogView, line: &LineView<'_>, out: &mut String) {
    let source = view.source(line.instance).map(|(_, s)| s);
    let environment = source.map_or(String::new(), |s| state.name_of(&s.environment));
    let owner = Owner {
        environment: &environment,
        workload: source.map_or("", |s| s.workload.as_str()),
        instance: source.map_or("", |s| s.name.as_ref()),
    };
    let text = masked(view, line.text);
    let line = LineView { text: &text, ..line.clone() };
    // A string and numbers: there is nothing that could not be written.
    out.push_str(&serde_json::to_string(&data(owner, &line)).unwrap_or_default());
}

fn write_text(view: &LogView, line: &LineView<'_>, offset_minutes: i32, out: &mut String) {
    match view.stamps {
        Stamps::Off => {}
        Stamps::Local => drop(write!(out, "{} ", clock_millis(line.at, offset_minutes))),
        Stamps::Utc | Stamps::Relative | Stamps::Delta => drop(write!(out, "{:.3} ", line.at)),
    }
    if view.sources.len() > 1
        && let Some((_, source)) = view.source(line.instance)
    {
        out.push_str(&source.name);
        out.push(' ');
    }
    match line.marker {
        Some(marker) => drop(write!(out, "┄┄┄ {} {} ┄┄┄", marker.word(), marker.detail())),
        None => out.push_str(&masked(view, line.text)),
    }
}
