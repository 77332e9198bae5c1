//! When a replica of the demo world speaks: its history before the world began, and what it prints as moments pass.

use jiff::Timestamp;

use super::dice;
use super::moment::{Moment, shift};
use super::trouble::Trouble;
use super::unit::Unit;
use super::voice;
use crate::model::Health;

/// Lines of history a replica has when the world begins.
const HISTORY: u32 = 320;
/// Seconds of history at most.
const LONGEST: f64 = 12.0 * 3600.0;

/// Fills the log with what it said before the world began.
pub fn reminisce(unit: &mut Unit, started: Timestamp, now: Timestamp) {
    let typical = unit.recipe.figures.lines * 0.7;
    let lived = now.duration_since(started).as_secs_f64();
    let window = (f64::from(HISTORY) / typical).min(LONGEST).min(lived);
    let lines = dice::whole(window * typical).min(u64::from(HISTORY));
    for n in 0..lines {
        let ago = window * (1.0 - (n as f64 + unit.dice.unit() * 0.9) / lines as f64);
        let at = shift(now, -ago - 0.001);
        let said = voice::usual(unit.recipe, &mut unit.dice, at);
        unit.journal.write(at, unit.run, &said);
    }
}

/// Prints what it has to say about this moment.
pub fn chatter(unit: &mut Unit, moment: &Moment, trouble: Option<Trouble>) {
    let up = unit.check.health != Health::Starting;
    let usual = match trouble {
        Some(Trouble::Deaf | Trouble::Fatal) => 0.0,
        Some(Trouble::BreakerOpen) => 0.3,
        Some(Trouble::Without(_)) => 0.5,
        Some(Trouble::Slow | Trouble::Swollen) | None => f64::from(u8::from(up)),
    } * unit.recipe.figures.lines
        * moment.load;
    let complaints = trouble.map_or(0.0, Trouble::rate);
    let said = unit.dice.count((usual + complaints) * moment.passed).min(64);
    for n in 0..said {
        let part = (n as f64 + unit.dice.unit()) / said as f64;
        let at = moment.later((part - 1.0) * moment.passed);
        let line = match trouble {
            Some(trouble) if unit.dice.chance(complaints / (usual + complaints)) => {
                trouble.complaint(unit.recipe, &mut unit.dice, at)
            }
            Some(_) | None => voice::usual(unit.recipe, &mut unit.dice, at),
        };
        unit.journal.write(at, unit.run, &line);
    }
}
