//! What a replica of the demo world uses: CPU and memory with the rhythm of the day, counters that only grow.

use super::dice::{noise, whole};
use super::moment::Moment;
use super::recipe::Recipe;
use super::traffic;
use super::trouble::Trouble;
use super::unit::Unit;
use crate::model::{Health, InstanceState, Sample};

const KIB: f64 = 1024.0;
const MIB: f64 = 1024.0 * 1024.0;

/// The memory limit, bytes.
#[must_use]
pub fn limit(recipe: &Recipe) -> f64 {
    recipe.figures.limit_mib as f64 * MIB
}

/// Bytes a second a leaking replica loses: from its usual size to its limit in 75 seconds and more, the second replica
/// later than the first.
#[must_use]
pub fn leak(unit: &Unit) -> f64 {
    let figures = &unit.recipe.figures;
    let seconds = 75.0 + f64::from((unit.number + 2) % 3) * 26.0;
    (figures.limit_mib as f64 - figures.memory_mib) * MIB / seconds
}

/// Memory in use, bytes.
#[must_use]
pub fn memory(unit: &Unit, moment: &Moment) -> f64 {
    let seconds = clock(moment);
    let warm = unit.started_at.map_or(1.0, |at| (moment.since(at) / 30.0).clamp(0.0, 1.0));
    let share = 0.84 + 0.12 * moment.load + 0.04 * noise(unit.salt ^ 1, seconds, 90.0);
    unit.recipe.figures.memory_mib * MIB * share * (0.6 + 0.4 * warm) + unit.usage.leaked
}

/// Cores in use.
#[must_use]
pub fn cpu(unit: &Unit, moment: &Moment) -> f64 {
    let seconds = clock(moment);
    let shape = 1.0 + 0.34 * noise(unit.salt ^ 2, seconds, 45.0) + 0.16 * noise(unit.salt ^ 3, seconds, 6.0);
    let mood = match unit.check.trouble {
        Some(Trouble::Deaf | Trouble::Fatal) => 0.1,
        Some(Trouble::BreakerOpen) => 0.4,
        Some(Trouble::Without(_)) => 0.6,
        Some(Trouble::Slow) => 2.6,
        Some(Trouble::Swollen) => 1.7,
        None if unit.check.health == Health::Starting && unit.recipe.probe.is_some() => 1.8,
        None => 1.0,
    };
    (unit.recipe.figures.cpu_cores * moment.load * shape * mood).max(0.000_5)
}

/// Adds what so many busy seconds use to the counters.
pub fn spend(unit: &mut Unit, busy_seconds: f64) {
    let figures = &unit.recipe.figures;
    let mut add = |rate: f64| rate * KIB * busy_seconds * unit.dice.between(0.6, 1.4);
    let (rx, tx, read, write) = (add(figures.rx_kib), add(figures.tx_kib), add(figures.read_kib), add(figures.write_kib));
    unit.usage.rx += rx;
    unit.usage.tx += tx;
    unit.usage.read += read;
    unit.usage.write += write;
    traffic::serve(unit, busy_seconds);
}

/// The figures of a replica that runs; a paused one uses no CPU; others have none.
#[must_use]
pub fn sample(unit: &Unit, moment: &Moment) -> Option<Sample> {
    let cpu = match unit.state {
        InstanceState::Running | InstanceState::Removing => cpu(unit, moment),
        InstanceState::Paused => 0.0,
        InstanceState::Created
        | InstanceState::Restarting
        | InstanceState::Exited
        | InstanceState::Dead
        | InstanceState::Unknown => return None,
    };
    Some(Sample {
        instance: unit.id.clone(),
        at: moment.now,
        cpu_cores: Some(cpu),
        memory_bytes: Some(whole(memory(unit, moment))),
        memory_limit_bytes: Some(whole(limit(unit.recipe))),
        net_rx_bytes: Some(whole(unit.usage.rx)),
        net_tx_bytes: Some(whole(unit.usage.tx)),
        block_read_bytes: Some(whole(unit.usage.read)),
        block_write_bytes: Some(whole(unit.usage.write)),
        pids: Some(unit.recipe.figures.pids),
    })
}

fn clock(moment: &Moment) -> f64 {
    moment.now.as_second() as f64 + f64::from(moment.now.subsec_nanosecond()) * 1e-9
}
