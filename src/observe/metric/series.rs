//! The scraped series of one environment: an hour of them, bounded in bytes.
//!
//! A scrape gives every series of its target one value, so times are kept per target, values per series: the newest up to
//! 24 scrapes as they came, older ones packed ([`chunk`]). A series costs its labels (about 150 bytes, shared with the scanner),
//! up to 24 × 8 bytes of newest values, and per 24 older ones 6 bytes where it does not change, 30 to 60 where it is a counter
//! or a gauge of few digits, 200 where it is a float of many; `cargo bench --bench series` measures it.
//!
//! Series end as in Prometheus: one that a scrape does not show, or whose scrape failed, has no value from then on; one that
//! is not scraped any more has its last value for five minutes.
//! <https://prometheus.io/docs/prometheus/latest/querying/basics/#staleness>

pub mod chunk;
mod layout;
mod select;
mod source;
mod take;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::{Labels, TargetId};

use super::exposition::Kind;
pub use chunk::{ABSENT, is_absent};
pub use layout::{Layout, Scan, Target};
pub use select::{Matcher, Must};
pub use source::Growth;
use source::Source;

/// How far back series are kept, milliseconds.
pub const KEPT_MS: i64 = 3_600_000;

/// How long the last value of a series that is not scraped any more counts, milliseconds: Prometheus' lookback.
pub const LOOKBACK_MS: i64 = 300_000;

/// What a store says of each target beside what the target shows, as Prometheus does.
/// <https://prometheus.io/docs/concepts/jobs_instances/#automatically-generated-labels-and-time-series>
const SAID: [&str; 4] = ["up", "scrape_duration_seconds", "scrape_samples_scraped", "scrape_samples_post_metric_relabeling"];

/// One series of a store, as long as the store is not changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Series {
    source: u32,
    slot: u32,
}

/// What a store holds, and what it does not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    pub targets: usize,
    pub series: usize,
    /// Values held.
    pub samples: usize,
    /// Bytes of all of it, labels included.
    pub bytes: usize,
    /// The oldest value held, milliseconds since 1970.
    pub oldest_ms: Option<i64>,
    /// Values that went before their hour was over, for want of room.
    pub dropped: u64,
    /// Up to when some of those were: what is older may have holes.
    pub dropped_until_ms: Option<i64>,
    /// Series that were not taken in, for want of room.
    pub left_out: u64,
}

/// The series of one environment.
#[derive(Debug)]
pub struct Store {
    bound: usize,
    sources: Vec<Option<Source>>,
    targets: BTreeMap<TargetId, Scraped>,
    /// Series that came one by one.
    loose: BTreeMap<Labels, u32>,
    names: BTreeMap<Arc<str>, Vec<Series>>,
    kinds: BTreeMap<Arc<str>, Kind>,
    /// Bytes of the labels of slots.
    labels: usize,
    newest_ms: i64,
    swept_ms: i64,
    dropped: u64,
    dropped_until_ms: Option<i64>,
    left_out: u64,
}

/// Where the series of a target are.
#[derive(Debug)]
struct Scraped {
    labels: Labels,
    shown: u32,
    said: u32,
    layout: Arc<Layout>,
    /// The slot of the source for each of the layout's; `None` for one there was no room for.
    slots: Vec<Option<u32>>,
}

impl Store {
    /// A store that holds at most about this many bytes; the oldest values go first.
    #[must_use]
    pub fn new(bound_bytes: usize) -> Self {
        Self {
            bound: bound_bytes,
            sources: Vec::new(),
            targets: BTreeMap::new(),
            loose: BTreeMap::new(),
            names: BTreeMap::new(),
            kinds: BTreeMap::new(),
            labels: 0,
            newest_ms: i64::MIN,
            swept_ms: i64::MIN,
            dropped: 0,
            dropped_until_ms: None,
            left_out: 0,
        }
    }

    /// Takes in what a target has shown at a time, milliseconds since 1970, and how long it took to say so, seconds. A
    /// scrape that is not newer than the target's last is left out.
    pub fn record(&mut self, target: &Target, at_ms: i64, took_s: f64, scan: &Scan) {
        self.enter(target);
        let row = self.row(&target.id, scan);
        let samples = scan.samples as f64;
        self.push(&target.id, at_ms, row, [1.0, took_s, samples + scan.left_out as f64, samples]);
    }

    /// Takes in that a target could not be scraped: it is not up, and its series end.
    pub fn failed(&mut self, target: &Target, at_ms: i64, took_s: f64) {
        self.enter(target);
        self.push(&target.id, at_ms, Arc::from([]), [0.0, took_s, 0.0, 0.0]);
    }

    /// Takes in that a target is not scraped any more: all its series end, what they were stays.
    pub fn ended(&mut self, target: &TargetId, at_ms: i64) {
        self.push(target, at_ms, Arc::from([]), [ABSENT; 4]);
    }

    /// Takes in one value of one series: what a rule has recorded. [`ABSENT`] ends it.
    pub fn append(&mut self, labels: &Labels, at_ms: i64, value: f64) {
        let known = self.loose.get(labels).copied();
        let number = known.unwrap_or_else(|| {
            let number = self.source_of(Labels::default());
            self.loose.insert(labels.clone(), number);
            self.admit(number, labels);
            number
        });
        self.put(number, at_ms, Arc::from([value]));
        self.settle(at_ms);
    }

    /// Forgets a target and all it has shown.
    pub fn forget(&mut self, target: &TargetId) {
        if let Some(scraped) = self.targets.remove(target) {
            self.drop_source(scraped.shown);
            self.drop_source(scraped.said);
        }
    }

    /// What it holds, and what it does not.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let sources = || self.sources.iter().flatten();
        Stats {
            targets: self.targets.len(),
            series: sources().map(|s| s.own.len()).sum(),
            samples: sources().map(|s| s.samples).sum(),
            bytes: self.bytes(),
            oldest_ms: sources().filter_map(Source::oldest).min(),
            dropped: self.dropped,
            dropped_until_ms: self.dropped_until_ms,
            left_out: self.left_out,
        }
    }

    /// The names of all series, sorted.
    pub fn names(&self) -> impl Iterator<Item = &Arc<str>> {
        self.names.keys()
    }

    /// What a family was last said to be, by the name its series begin with.
    #[must_use]
    pub fn kind(&self, family: &str) -> Option<Kind> {
        self.kinds.get(family).copied()
    }

    /// All labels of a series, its name among them.
    #[must_use]
    pub fn labels(&self, series: Series) -> Labels {
        let Some(source) = self.source(series) else { return Labels::default() };
        let Some(own) = source.own.get(series.slot as usize) else { return Labels::default() };
        if source.shared.is_empty() {
            return own.clone();
        }
        Labels::new(own.iter().chain(source.shared.iter()).map(|(n, v)| (n.clone(), v.clone())))
    }

    /// One label of a series; empty where it has none of that name.
    #[must_use]
    pub fn label(&self, series: Series, name: &str) -> &str {
        let Some(source) = self.source(series) else { return "" };
        match source.shared.get(name) {
            "" => source.own.get(series.slot as usize).map_or("", |own| own.get(name)),
            value => value,
        }
    }

    /// The newest value within these times, both included, and when it was. `None` where the series had ended by then.
    #[must_use]
    pub fn last(&self, series: Series, from_ms: i64, to_ms: i64) -> Option<(i64, f64)> {
        self.source(series)?.last(series.slot as usize, from_ms, to_ms).filter(|(_, value)| !is_absent(*value))
    }

    /// Replaces what is in `into` by the values within these times, both included, oldest first.
    pub fn samples(&self, series: Series, from_ms: i64, to_ms: i64, into: &mut Vec<(i64, f64)>) {
        into.clear();
        if let Some(source) = self.source(series) {
            source.each(series.slot as usize, from_ms, to_ms, |at, value| into.push((at, value)));
        }
    }

    /// Hands over what counters did within these times, both included; of those without a value there nothing. Those of one
    /// target are read together where they follow one another, as [`Self::select`] has them.
    pub fn growths(&self, series: &[Series], from_ms: i64, to_ms: i64, mut take: impl FnMut(Series, Growth)) {
        for of_one in series.chunk_by(|a, b| a.source == b.source) {
            let Some(source) = of_one.first().and_then(|one| self.source(*one)) else { continue };
            let slots: Vec<usize> = of_one.iter().map(|one| one.slot as usize).collect();
            for (one, growth) in of_one.iter().zip(source.growths(&slots, from_ms, to_ms)) {
                if let Some(growth) = growth {
                    take(*one, growth);
                }
            }
        }
    }

    fn source(&self, series: Series) -> Option<&Source> {
        self.sources.get(series.source as usize)?.as_ref()
    }

    fn bytes(&self) -> usize {
        self.labels + self.sources.iter().flatten().map(|s| s.bytes).sum::<usize>()
    }
}

#[cfg(test)]
#[path = "series/tests.rs"]
mod tests;
