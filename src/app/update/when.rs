//! Going to a time in the log.

use jiff::Timestamp;

use crate::app::State;
use crate::app::layout;
use crate::app::state::{Input, LogView, Purpose, Screen, Stamps};

use super::reading::{self, Sheet};
use super::{logs, prompt};

/// Asks for a time.
pub fn ask(state: &mut State) {
    if state.nav.view().screen != Screen::Logs || state.logs.as_ref().is_none_or(LogView::is_empty) {
        state.say(false, "there is no line to go to");
        return;
    }
    prompt::open(state, Purpose::Time, "go to time", Input::default());
}

/// Minutes east of UTC of the times on screen.
pub fn offset(state: &State) -> i32 {
    let local = state.logs.as_ref().is_some_and(|l| l.stamps == Stamps::Local);
    if local { state.settings.utc_offset_minutes } else { 0 }
}

/// A time as people write it: `14:03`, `14:03:22` (today, or yesterday where it is yet to come), `5m` ago, or all of it.
///
/// # Errors
/// What would have been understood.
pub fn parse(text: &str, now: Timestamp, offset_minutes: i32) -> Result<Timestamp, &'static str> {
    let text = text.trim();
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(at);
    }
    if let Some(seconds) = ago(text.trim_end_matches("ago").trim()) {
        return Timestamp::from_second(now.as_second() - seconds).map_err(|_| HELP);
    }
    let parts: Vec<&str> = text.split(':').collect();
    let number = |at: usize, most: i64| match parts.get(at) {
        None if at == 2 => Ok(0),
        Some(p) => p.parse::<i64>().ok().filter(|n| (0..=most).contains(n)).ok_or(HELP),
        None => Err(HELP),
    };
    let (hours, minutes, seconds) = (number(0, 23)?, number(1, 59)?, number(2, 59)?);
    if parts.len() > 3 {
        return Err(HELP);
    }
    let shift = i64::from(offset_minutes) * 60;
    let midnight = (now.as_second() + shift).div_euclid(86_400) * 86_400 - shift;
    let at = midnight + hours * 3600 + minutes * 60 + seconds;
    let at = if at > now.as_second() { at - 86_400 } else { at };
    Timestamp::from_second(at).map_err(|_| HELP)
}

const HELP: &str = "a time is wanted: 14:03, 14:03:22, 5m (ago), or 2026-11-21T14:03:22Z";

fn ago(text: &str) -> Option<i64> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return None,
    };
    number.trim().parse::<i64>().ok()?.checked_mul(seconds).filter(|s| *s >= 0)
}

/// Goes to the first line at or after a time, else to the last one.
pub fn go(state: &mut State, at: Timestamp) {
    let sheet = Sheet::of(state);
    let Some(view) = &mut state.logs else { return };
    let Some(last) = view.len().checked_sub(1) else { return };
    let (mut low, mut high) = (0, last);
    while low < high {
        let middle = low.midpoint(high);
        if view.line(middle).is_some_and(|l| l.at < at) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    let first = view.line(0).map(|l| l.at);
    reading::read_around(view, low, sheet);
    if first.is_some_and(|first| at < first) {
        state.say(true, "that is before the first line held");
    }
}

/// Asks from when on the log is to be read.
pub fn ask_since(state: &mut State) {
    if state.nav.view().screen == Screen::Logs && state.logs.is_some() {
        prompt::open(state, Purpose::Since, "read since", Input::default());
    }
}

/// Reads the log anew from a time on; from its last lines when none is named.
///
/// # Errors
/// What would have been understood.
pub fn read_since(state: &mut State, text: &str) -> Result<(), &'static str> {
    let since = if text.is_empty() { None } else { Some(parse(text, state.now, offset(state))?) };
    if let Some(view) = &mut state.logs {
        view.since = since;
    }
    logs::read_anew(state);
    Ok(())
}

/// Goes so many columns of the histogram on.
pub fn column(state: &mut State, by: i64) {
    let columns = i64::from(layout::histogram(state.size).unwrap_or(layout::COLUMNS));
    let Some(view) = &state.logs else { return };
    let Some((from, to)) = view.span() else { return };
    let Some(here) = view.line(view.at()).map(|l| l.at) else { return };
    let (from, to, here) = (from.as_millisecond(), to.as_millisecond(), here.as_millisecond());
    let width = ((to - from) / columns).max(1);
    let wanted = from + ((here - from) / width + by).clamp(0, columns - 1) * width;
    if let Ok(at) = Timestamp::from_millisecond(wanted) {
        go(state, at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_understood_as_people_write_them() {
        let now: Timestamp = "2026-11-21T14:03:22Z".parse().unwrap();
        for (text, offset, expected) in [
            ("14:00", 0, "2026-11-21T14:00:00Z"),
            ("14:03:22", 0, "2026-11-21T14:03:22Z"),
            ("15:00", 0, "2026-11-20T15:00:00Z"),
            ("15:00", 60, "2026-11-21T14:00:00Z"),
            ("00:30", 60, "2026-11-20T23:30:00Z"),
            ("5m", 0, "2026-11-21T13:58:22Z"),
            ("2 h ago", 0, "2026-11-21T12:03:22Z"),
            ("2026-11-20T01:02:03Z", 0, "2026-11-20T01:02:03Z"),
        ] {
            assert_eq!(parse(text, now, offset).map(|t| t.to_string()), Ok(expected.to_owned()), "{text}");
        }
        for bad in ["", "14", "25:00", "14:61", "5", "m", "-5m", "1:2:3:4", "soon"] {
            assert!(parse(bad, now, 0).is_err(), "{bad}");
        }
    }
}
