//! One line of a log, cut or wrapped, with what is searched for lit up.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::app::format::age;
use crate::app::state::{LogView, Stamps};
use crate::observe::log::{LineView, Marker};
use crate::theme::Role;

use super::super::format::stamp;
use super::super::scene::Scene;
use super::super::widget::Pen;
use super::super::widget::text::wrap;
use super::compose::compose;
use super::{letter, stamp_width};

/// Cells of the level and the space after it.
const LEVEL: u16 = 6;

/// How the lines of this log are laid out.
pub struct Shape {
    /// Cells before the text.
    lead: u16,
    /// Cells of the text.
    room: u16,
    /// More than one instance: each line says whose it is.
    lettered: bool,
    wrap: bool,
}

impl Shape {
    pub fn new(logs: &LogView, width: u16) -> Self {
        let lettered = logs.sources.len() > 1;
        let lead = 2 + stamp_width(logs.stamps) + if lettered { 2 } else { 0 } + LEVEL;
        Self { lead, room: width.saturating_sub(lead + 1), lettered, wrap: logs.wrap }
    }

    /// Screen lines the log line takes, at most `most`.
    pub fn height(&self, scene: &Scene<'_>, logs: &LogView, view: &LineView<'_>, most: u16) -> u16 {
        // A line of this few bytes cannot be longer in cells, however it is taken apart.
        if !self.wrap || view.marker.is_some() || view.text.len() <= usize::from(self.room) / 2 {
            return 1;
        }
        let text = compose(scene, logs, view, None).text;
        let pieces = wrap(&text, usize::from(self.room.max(1)), usize::from(most.max(1)));
        u16::try_from(pieces.len()).unwrap_or(most)
    }
}

pub fn draw(
    scene: &Scene<'_>,
    logs: &LogView,
    shape: &Shape,
    (index, view): (usize, &LineView<'_>),
    area: Rect,
    buf: &mut Buffer,
) {
    let source = logs.source(view.instance).map(|(n, _)| n);
    if let Some(marker) = view.marker {
        let name = source.and_then(|n| logs.sources.get(n)).map_or("", |s| s.name.as_ref());
        return mark(scene, name, marker, area, buf);
    }
    let mut pen = Pen::new(buf, area, 0);
    let mark = if logs.marks.contains(&view.seq) { "◆" } else { " " };
    let current = !logs.follow && logs.cursor == Some(view.seq);
    let here = if current { "▸" } else { " " };
    pen.put(mark, scene.style(Role::Accent)).put(here, scene.style(Role::Accent));
    let mut time = String::with_capacity(12);
    match logs.stamps {
        Stamps::Off => {}
        Stamps::Utc => stamp(&mut time, view.at, 0),
        Stamps::Local => stamp(&mut time, view.at, scene.state.settings.utc_offset_minutes),
        Stamps::Relative => time = format!("{:>4}", age(scene.state.now, view.at)),
        Stamps::Delta => time = delta(logs, index, view),
    }
    if !time.is_empty() {
        pen.put(&time, scene.style(Role::Dim)).skip(1);
    }
    if shape.lettered {
        let (sign, style) = source.map_or(('?', scene.style(Role::Dim)), |n| (letter(n), scene.theme.instance(n)));
        pen.put(sign.encode_utf8(&mut [0; 4]), style).skip(1);
    }
    if let Some(level) = view.level {
        pen.put_in(&level.word().to_uppercase(), LEVEL - 1, scene.theme.level(Some(level)));
    }
    let above = index.checked_sub(1).and_then(|i| logs.line(i)).filter(|l| l.instance == view.instance && l.marker.is_none());
    let composed = compose(scene, logs, view, above.map(|l| l.text));
    // What stands around a match is there to be understood by, not to be found.
    let text = scene.style(if logs.lens.is_match(index) { Role::Text } else { Role::Dim });
    if !shape.wrap {
        let mut pen = Pen::new(buf, area, 0);
        pen.skip(shape.lead);
        return composed.draw(&mut pen, composed.after(logs.column)..composed.text.len(), text);
    }
    let pieces = wrap(&composed.text, usize::from(shape.room.max(1)), usize::from(area.height));
    for (piece, at) in pieces.into_iter().zip(0_u16..) {
        let from = piece.as_ptr() as usize - composed.text.as_ptr() as usize;
        let mut pen = Pen::new(buf, area, at);
        pen.skip(shape.lead);
        composed.draw(&mut pen, from..from + piece.len(), text);
    }
}

/// How long after the line before: `+1.204 s`.
fn delta(logs: &LogView, index: usize, view: &LineView<'_>) -> String {
    let before = index.checked_sub(1).and_then(|i| logs.line(i));
    let ms = before.map_or(0, |b| view.at.as_millisecond() - b.at.as_millisecond());
    match ms {
        i64::MIN..100_000 => format!("{:>8}", format!("+{:.3}", ms.max(0) as f64 / 1000.0)),
        _ => format!("{:>8}", format!("+{} s", ms / 1000)),
    }
}

/// Something to be said in the place of a line.
pub fn note(scene: &Scene<'_>, what: &str, area: Rect, buf: &mut Buffer) {
    let style = scene.style(Role::Bad);
    Pen::new(buf, area, 0).skip(2).put("┄┄┄ ", style).put(what, style).put(" ┄┄┄", style);
}

/// What happened to the log, in its place.
fn mark(scene: &Scene<'_>, name: &str, marker: &Marker, area: Rect, buf: &mut Buffer) {
    let style = match marker {
        Marker::Dropped(_) => scene.style(Role::Bad),
        Marker::Reconnected(_) | Marker::Waiting(_) => scene.style(Role::Warn),
        Marker::Ended(_) | Marker::Begin => scene.style(Role::Marker),
    };
    let mut pen = Pen::new(buf, area, 0);
    pen.skip(2).put("┄┄┄ ", style);
    if !name.is_empty() {
        pen.put(name, style).put(": ", style);
    }
    pen.put(&marker.detail(), style).put(" ┄┄┄", style);
}
