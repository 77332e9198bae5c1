//! The log's title line: whose lines these are, following or not, how many, what was lost.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::app::state::{LogView, Stamps};
use crate::model::Link;
use crate::theme::Role;

use super::super::format::count;
use super::super::scene::Scene;
use super::super::widget::Pen;
use super::super::widget::text::cells;
use super::letter;
use crate::app::format::{clock, count as plural};

pub fn draw(scene: &Scene<'_>, logs: &LogView, area: Rect, buf: &mut Buffer) {
    let dim = scene.style(Role::Dim);
    let mut pen = Pen::new(buf, area, 0);
    pen.put_at_end(" ", dim);
    for (text, role) in states(scene, logs).into_iter().rev() {
        if pen.left() > cells(&text) + 20 {
            pen.put_at_end(&text, scene.style(role)).put_at_end("", dim);
        }
    }
    pen.skip(3).put(&logs.title, scene.style(Role::Strong));
    if logs.previous {
        pen.put("  the run before this one", scene.style(Role::Warn));
    }
    if logs.sources.len() < 2 {
        return;
    }
    let shared = shared_prefix(logs);
    for (at, source) in logs.sources.iter().enumerate() {
        let name = source.name.get(shared..).unwrap_or(&source.name);
        if pen.left() < cells(name) + 8 {
            pen.put(&format!("  and {} more", logs.sources.len() - at), dim);
            break;
        }
        let style = scene.theme.instance(at);
        pen.skip(2).put(letter(at).encode_utf8(&mut [0; 4]), style).skip(1).put(name, if source.ended { dim } else { style });
        if source.ended {
            pen.put(" ended", dim);
        }
    }
}

/// What there is to say about the log's state, most important first.
fn states(scene: &Scene<'_>, logs: &LogView) -> Vec<(String, Role)> {
    let mut out = Vec::new();
    out.push(match scene.state.log_link() {
        None | Some(Link::Connecting) => ("◌ connecting".to_owned(), Role::Warn),
        Some(Link::Live { .. }) if logs.follow => ("● following".to_owned(), Role::Good),
        Some(Link::Live { .. }) if logs.new_lines > 0 => (format!("‖ paused, {} new", count(logs.new_lines)), Role::Accent),
        Some(Link::Live { .. }) => ("‖ paused".to_owned(), Role::Accent),
        Some(Link::Stale { error, .. } | Link::Failed { error, .. }) => (format!("◌ {error}"), Role::Warn),
    });
    if logs.reveal {
        out.push(("NOT MASKED".to_owned(), Role::Bad));
    }
    if logs.store.dropped() > 0 {
        out.push((format!("{} dropped", count(logs.store.dropped())), Role::Warn));
    }
    if logs.sources.iter().any(|s| s.page.is_some()) {
        out.push(("reading further back …".to_owned(), Role::Dim));
    }
    if let Some(since) = logs.since {
        out.push((format!("since {}", clock(since, 0)), Role::Dim));
    }
    if logs.is_cut() {
        out.push(("newer lines not held: f".to_owned(), Role::Warn));
    }
    if !logs.filter.is_empty() {
        let more = if logs.lens.is_complete() { "" } else { "…" };
        let (shown, all) = (count(logs.lens.matches(&logs.store) as u64), count(logs.store.len() as u64));
        out.push((format!("{}  {shown}{more} of {all}", logs.filter), Role::Accent));
    }
    if let Some(search) = &logs.search {
        out.push(match &search.regex {
            Ok(_) => {
                let more = if search.found.is_complete() { "" } else { "…" };
                (format!("/{}  {}{more} found", search.pattern, count(search.found.matches(&logs.store) as u64)), Role::Match)
            }
            Err(why) => (format!("/{}  {why}", search.pattern), Role::Bad),
        });
    }
    out.extend(shown_as(logs).into_iter().filter(|word| !word.is_empty()).map(|word| (word, Role::Dim)));
    out
}

/// How the lines are shown, where it is not as usual.
fn shown_as(logs: &LogView) -> [String; 6] {
    let stamps = match logs.stamps {
        Stamps::Off | Stamps::Utc => "",
        Stamps::Local => "local time",
        Stamps::Relative => "ages",
        Stamps::Delta => "after the line before",
    };
    let when = |holds: bool, word: &str| if holds { word.to_owned() } else { String::new() };
    let around = format!("{} around", plural(usize::from(logs.context), "line"));
    let column = format!("from column {}", logs.column + 1);
    [
        stamps.to_owned(),
        when(logs.wrap, "wrapped"),
        when(logs.raw, "as written"),
        when(!logs.fold, "unfolded"),
        when(logs.context > 0, &around),
        when(logs.column > 0 && !logs.wrap, &column),
    ]
}

/// What all the names begin with, up to a separator: it says nothing here.
fn shared_prefix(logs: &LogView) -> usize {
    let mut names = logs.sources.iter().map(|s| s.name.as_ref());
    let Some(first) = names.next() else { return 0 };
    let shared =
        names.fold(first.len(), |shared, name| first.bytes().zip(name.bytes()).take(shared).take_while(|(a, b)| a == b).count());
    first.get(..shared).and_then(|p| p.rfind(['_', '-', '/'])).map_or(0, |at| at + 1)
}
