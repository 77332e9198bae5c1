//! `[[environment.autoscale]]`, and bounds of figures.

use std::time::Duration;

use super::one_of;
use crate::document::{Section, read};
use crate::model::WorkloadId;
use crate::operate::autoscale::{Autoscale, Mode};
pub use crate::operate::errand::Limit;

/// How long a figure must be past its bound when nothing is said.
const DURING: Duration = Duration::from_secs(60);
/// How long nothing follows an adjustment when nothing is said.
const COOLDOWN: Duration = Duration::from_secs(60);

/// `above` or `below`, one of them.
pub(super) fn limit(section: &Section<'_>) -> Option<Limit> {
    one_of(section, "a limit", &["above", "below"])?;
    let above = section.read("above", read::number).map(Limit::Above);
    above.or_else(|| section.read("below", read::number).map(Limit::Below))
}

pub(super) fn autoscale(section: &Section<'_>) -> Option<Autoscale> {
    let workload = section.require("workload", read::text);
    let metric = section.require("metric", read::text);
    let scale = Autoscale {
        workload: WorkloadId(workload.clone().unwrap_or_default()),
        metric: metric.clone().unwrap_or_default(),
        above: section.read("above", read::number),
        below: section.read("below", read::number),
        during: section.read("for", read::duration).unwrap_or(DURING),
        step: section.read("step", read::count(1..=1000)).unwrap_or(1),
        min: section.require("min", read::count(0..=10_000)).unwrap_or(0),
        max: section.require("max", read::count(1..=10_000)).unwrap_or(10_000),
        cooldown: section.read("cooldown", read::duration).unwrap_or(COOLDOWN),
        mode: section.read("mode", read::choice(&[("recommend", Mode::Recommend), ("act", Mode::Act)])).unwrap_or_default(),
    };
    section.end();
    if !section.has("above") && !section.has("below") {
        section.note("`above` or `below` is missing: nothing would ever be scaled");
    }
    if scale.above.zip(scale.below).is_some_and(|(above, below)| above <= below) {
        section.note("`above` must be more than `below`");
    }
    if scale.min > scale.max {
        section.note("`min` must not be more than `max`");
    }
    workload.and(metric).map(|_| scale)
}
