//! The line of screens: as much of their names as fits, digits where it does not.

use crate::app::State;
use crate::app::rows;
use crate::app::state::{Direction, Screen};
use crate::observe::text;

/// One screen's place in the line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tab {
    pub screen: Screen,
    /// The key that goes there, as the keymap in force has it; may be empty.
    pub key: String,
    /// Its name, or nothing where there is no room.
    pub title: &'static str,
    pub x: u16,
    /// Cells of key, space and title.
    pub width: u16,
}

/// What a screen is called while another (or itself) is the current one.
type TitleOf = fn(Screen, Screen) -> &'static str;

/// The tabs from the second cell on, so that `spare` cells are left on the right if that can be had.
pub fn tabs(width: u16, spare: u16, current: Screen, key_of: impl Fn(Screen) -> String) -> Vec<Tab> {
    let room = width.saturating_sub(spare).saturating_sub(1);
    let keys: Vec<String> = Screen::ALL.iter().map(|s| key_of(*s)).collect();
    let attempts: [(TitleOf, u16); 4] = [
        (|screen, _| screen.title(), 3),
        (|screen, _| screen.title(), 2),
        (|screen, _| short(screen), 2),
        (|screen, current| if screen == current { screen.title() } else { "" }, 2),
    ];
    let last = attempts.len() - 1;
    for (n, (title_of, gap)) in attempts.into_iter().enumerate() {
        let made = lay(&keys, gap, |screen| title_of(screen, current));
        let end = made.last().map_or(0, |t| t.x + t.width);
        if end <= room || n == last {
            return made.into_iter().filter(|t| t.x + t.width <= width).collect();
        }
    }
    Vec::new()
}

fn lay(keys: &[String], gap: u16, title_of: impl Fn(Screen) -> &'static str) -> Vec<Tab> {
    let mut x = 1_u16;
    let mut made = Vec::with_capacity(keys.len());
    for (screen, key) in Screen::ALL.into_iter().zip(keys) {
        let title = title_of(screen);
        let cells = key.chars().count() + title.chars().count() + usize::from(!key.is_empty() && !title.is_empty());
        let Ok(width) = u16::try_from(cells) else { continue };
        if width == 0 {
            continue;
        }
        made.push(Tab { screen, key: key.clone(), title, x, width });
        x = x.saturating_add(width).saturating_add(gap);
    }
    made
}

/// A name cut to what is still understood.
fn short(screen: Screen) -> &'static str {
    match screen {
        Screen::Fleet => "Fleet",
        Screen::Workloads => "Work",
        Screen::Instances => "Inst",
        Screen::Logs => "Logs",
        Screen::Health => "Health",
        Screen::Metrics => "Metr",
        Screen::Alerts => "Alert",
        Screen::Timeline => "Time",
        Screen::Operations => "Ops",
        Screen::Revisions => "Rev",
        Screen::Describe => "Desc",
    }
}

/// What stands to the right of the tabs: what the list is about, filtered and sorted how.
#[must_use]
pub fn summary(state: &State) -> String {
    let view = state.nav.view();
    let mut parts: Vec<String> = Vec::new();
    if let Some(workload) = &view.workload {
        parts.push(workload.to_string());
    }
    if rows::is_list(view.screen) {
        if !view.table.marks.is_empty() {
            parts.push(format!("{} marked", view.table.marks.len()));
        }
        if let Some((column, direction)) = &view.table.sort {
            let title = rows::columns(view.screen).iter().find(|c| c.column == *column).map_or("", |c| c.title);
            let arrow = match direction {
                Direction::Up => "↑",
                Direction::Down => "↓",
            };
            parts.push(format!("{arrow} {}", title.to_lowercase()));
        }
        if !view.table.filter.is_empty() {
            let shown = rows::order(state, view).len();
            parts.push(format!("{shown} of {} · {}", rows::total(state, view), view.table.filter));
        }
    }
    parts.join(" · ")
}

/// Cells the tabs leave free for the summary if they can.
#[must_use]
pub fn summary_room(width: u16, summary: &str) -> u16 {
    u16::try_from(text::width(summary)).unwrap_or(u16::MAX).min(width / 2) + 2
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(width: u16, spare: u16) -> String {
        let digit = |s: Screen| ((Screen::ALL.iter().position(|x| *x == s).unwrap() + 1) % 10).to_string();
        let mut text = String::new();
        for tab in tabs(width, spare, Screen::Logs, digit) {
            while text.chars().count() < usize::from(tab.x) {
                text.push(' ');
            }
            text.push_str(format!("{} {}", tab.key, tab.title).trim_end());
        }
        text
    }

    #[test]
    fn names_shrink_to_digits() {
        assert_eq!(
            line(200, 20),
            " 1 Fleet   2 Workloads   3 Instances   4 Logs   5 Health   6 Metrics   7 Alerts   8 Timeline   9 Operations   0 Revisions   1 Describe"
        );
        assert_eq!(line(120, 20), " 1 Fleet  2 Work  3 Inst  4 Logs  5 Health  6 Metr  7 Alert  8 Time  9 Ops  0 Rev  1 Desc");
        assert_eq!(line(80, 20), " 1  2  3  4 Logs  5  6  7  8  9  0  1");
        assert_eq!(line(12, 0), " 1  2  3");
        assert_eq!(line(0, 0), "");
    }
}
