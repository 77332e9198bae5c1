//! The log: when, whose, how bad, what; what happened to the log itself in its place among the lines.

mod compose;
mod histogram;
mod line;
mod title;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::app::layout;
use crate::app::state::{LogView, Stamps};
use crate::theme::Role;

use super::format::count;
use super::scene::Scene;
use super::{notice, rect};

pub fn draw(scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
    let Some(logs) = &scene.state.logs else {
        let headline = ("No log is open", scene.style(Role::Strong));
        return notice::draw(scene, area, buf, headline, &["Select a workload or instance and press l."]);
    };
    let lines = rect(scene.state.log_lines()).intersection(area);
    if lines.y > area.y {
        title::draw(scene, logs, Rect { height: 1, ..area }, buf);
        if layout::histogram(scene.state.size).is_some() {
            histogram::draw(scene, logs, Rect { y: area.y + 1, height: 1, ..area }, buf);
        }
        if logs.tells_drops() {
            let what = format!("{} older lines had to go; further up they are read again", count(logs.store.dropped()));
            line::note(scene, &what, Rect { y: lines.y - 1, height: 1, ..lines }, buf);
        }
    }
    if logs.is_empty() && !logs.store.is_empty() {
        let headline = if logs.lens.is_complete() { "No line is like that" } else { "◌ Looking …" };
        let what = format!("{} lines are held. Esc shows them all, x changes what is asked for.", count(logs.store.len() as u64));
        return notice::draw(scene, lines, buf, (headline, scene.style(Role::Dim)), &[&what]);
    }
    if logs.is_empty() {
        let (headline, what) = if !logs.sources.is_empty() && logs.sources.iter().all(|s| s.ended) {
            ("This log is empty", "Its instances have ended without writing a line.")
        } else {
            ("◌ Waiting for the first line", "Lines show here as they are written.")
        };
        return notice::draw(scene, lines, buf, (headline, scene.style(Role::Dim)), &[what]);
    }
    let shape = line::Shape::new(logs, lines.width);
    for (index, y, height) in in_sight(scene, logs, &shape, lines.height) {
        if let Some(view) = logs.line(index) {
            let place = Rect { y: lines.y + y, height, ..lines };
            line::draw(scene, logs, &shape, (index, &view), place, buf);
        }
    }
}

/// The lines in sight: index, first screen line, height. The one the view is anchored at stands at the bottom, unless
/// there is not enough above it to fill the screen.
fn in_sight(scene: &Scene<'_>, logs: &LogView, shape: &line::Shape, height: u16) -> Vec<(usize, u16, u16)> {
    let count = logs.len();
    let last = logs.bottom();
    let tall = |index: usize| logs.line(index).map_or(1, |view| shape.height(scene, logs, &view, height));
    let mut above = Vec::new();
    let mut used = 0;
    for index in (0..=last).rev() {
        let lines = tall(index);
        if used + lines > height {
            break;
        }
        used += lines;
        above.push((index, lines));
    }
    above.reverse();
    for index in last + 1..count {
        let lines = tall(index);
        if used + lines > height {
            break;
        }
        used += lines;
        above.push((index, lines));
    }
    let mut y = 0;
    above
        .into_iter()
        .map(|(index, lines)| {
            let at = y;
            y += lines;
            (index, at, lines)
        })
        .collect()
}

/// Cells of a time stamp and the space after it.
fn stamp_width(stamps: Stamps) -> u16 {
    match stamps {
        Stamps::Off => 0,
        Stamps::Utc | Stamps::Local => 13,
        Stamps::Relative => 5,
        Stamps::Delta => 9,
    }
}

/// The stable letter of the n-th instance of a log.
fn letter(n: usize) -> char {
    const LETTERS: &[u8; 52] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    char::from(LETTERS[n % LETTERS.len()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_stable_and_never_run_out() {
        assert_eq!([letter(0), letter(25), letter(26), letter(52)], ['A', 'Z', 'a', 'A']);
    }
}
