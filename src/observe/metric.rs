//! Measured figures over time: per instance one bounded series a figure, counters turned into rates.

pub mod exposition;
pub use crate::model::labels;
pub mod reckon;
pub mod scan;
pub mod series;
pub mod words;

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;

use crate::model::{InstanceId, Sample};

/// Readings kept an instance: an hour at one every ten seconds, six minutes at one a second. About 40 KiB.
const BOUND: usize = 360;

/// A figure that can be drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Figure {
    /// Cores.
    Cpu,
    /// Bytes, without inactive file cache.
    Memory,
    /// Bytes a second.
    NetRx,
    /// Bytes a second.
    NetTx,
    /// Bytes a second.
    BlockRead,
    /// Bytes a second.
    BlockWrite,
}

/// The series of every instance that was measured.
#[derive(Debug, Default)]
pub struct Metrics {
    series: BTreeMap<InstanceId, VecDeque<Sample>>,
}

impl Metrics {
    /// Takes in a reading. One that is not newer than the last is left out.
    pub fn record(&mut self, sample: &Sample) {
        let series = self.series.entry(sample.instance.clone()).or_default();
        if series.back().is_some_and(|last| last.at >= sample.at) {
            return;
        }
        if series.len() == BOUND {
            series.pop_front();
        }
        series.push_back(sample.clone());
    }

    /// The last reading of an instance.
    #[must_use]
    pub fn latest(&self, instance: &InstanceId) -> Option<&Sample> {
        self.series.get(instance)?.back()
    }

    /// A figure over time, oldest first. A counter that went back (a restart) gives no point there.
    #[must_use]
    pub fn points(&self, instance: &InstanceId, figure: Figure) -> Vec<(Timestamp, f64)> {
        let Some(series) = self.series.get(instance) else { return Vec::new() };
        series
            .iter()
            .enumerate()
            .filter_map(|(i, sample)| value(i.checked_sub(1).and_then(|b| series.get(b)), sample, figure).map(|v| (sample.at, v)))
            .collect()
    }

    /// The last `n` values of a figure, oldest first; fewer where fewer were measured.
    #[must_use]
    pub fn recent(&self, instance: &InstanceId, figure: Figure, n: usize) -> Vec<f64> {
        let Some(series) = self.series.get(instance) else { return Vec::new() };
        let from = series.len().saturating_sub(n);
        (from..series.len()).filter_map(|i| value(i.checked_sub(1).and_then(|b| series.get(b)), &series[i], figure)).collect()
    }

    /// The last value of a figure.
    #[must_use]
    pub fn current(&self, instance: &InstanceId, figure: Figure) -> Option<f64> {
        let series = self.series.get(instance)?;
        let before = series.len().checked_sub(2).and_then(|i| series.get(i));
        value(before, series.back()?, figure)
    }

    /// The sum of the last values; `None` when none of the instances was measured.
    #[must_use]
    pub fn sum_latest<'a>(&self, instances: impl IntoIterator<Item = &'a InstanceId>, figure: Figure) -> Option<f64> {
        instances.into_iter().filter_map(|id| self.current(id, figure)).fold(None, |sum, v| Some(sum.unwrap_or(0.0) + v))
    }

    /// The sum of the last `n` values, matched from the newest back.
    #[must_use]
    pub fn sum_recent<'a>(&self, instances: impl IntoIterator<Item = &'a InstanceId>, figure: Figure, n: usize) -> Vec<f64> {
        let mut sum: Vec<f64> = Vec::new();
        for id in instances {
            for (i, value) in self.recent(id, figure, n).into_iter().rev().enumerate() {
                match sum.get_mut(i) {
                    Some(total) => *total += value,
                    None => sum.push(value),
                }
            }
        }
        sum.reverse();
        sum
    }

    /// Forgets the instances that are gone.
    pub fn retain(&mut self, keep: impl Fn(&InstanceId) -> bool) {
        self.series.retain(|id, _| keep(id));
    }
}

fn value(before: Option<&Sample>, sample: &Sample, figure: Figure) -> Option<f64> {
    let rate = |counter: fn(&Sample) -> Option<u64>| {
        let before = before?;
        let seconds = sample.at.duration_since(before.at).as_secs_f64();
        let delta = counter(sample)?.checked_sub(counter(before)?)?;
        (seconds > 0.0).then(|| delta as f64 / seconds)
    };
    match figure {
        Figure::Cpu => sample.cpu_cores,
        Figure::Memory => sample.memory_bytes.map(|b| b as f64),
        Figure::NetRx => rate(|s| s.net_rx_bytes),
        Figure::NetTx => rate(|s| s.net_tx_bytes),
        Figure::BlockRead => rate(|s| s.block_read_bytes),
        Figure::BlockWrite => rate(|s| s.block_write_bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(instance: &str, second: i64, cpu: f64, rx: u64) -> Sample {
        Sample {
            instance: instance.into(),
            at: Timestamp::from_second(second).unwrap(),
            cpu_cores: Some(cpu),
            memory_bytes: Some(10),
            memory_limit_bytes: None,
            net_rx_bytes: Some(rx),
            net_tx_bytes: None,
            block_read_bytes: None,
            block_write_bytes: None,
            pids: None,
        }
    }

    #[test]
    fn counters_become_rates_and_a_reset_gives_no_point() {
        let mut metrics = Metrics::default();
        for (second, rx) in [(0, 100), (2, 300), (4, 50), (6, 150)] {
            metrics.record(&sample("a", second, 0.5, rx));
        }
        let id = InstanceId::from("a");
        let values: Vec<f64> = metrics.points(&id, Figure::NetRx).into_iter().map(|(_, v)| v).collect();
        assert_eq!(values, [100.0, 50.0]);
        assert_eq!(metrics.recent(&id, Figure::Cpu, 2), [0.5, 0.5]);
        assert_eq!(metrics.points(&id, Figure::NetTx), []);
    }

    #[test]
    fn sums_match_from_the_newest_back_and_unknown_is_not_zero() {
        let mut metrics = Metrics::default();
        for second in 0..3 {
            metrics.record(&sample("a", second, 1.0, 0));
        }
        metrics.record(&sample("b", 2, 0.25, 0));
        let ids = [InstanceId::from("a"), InstanceId::from("b")];
        assert_eq!(metrics.sum_recent(&ids, Figure::Cpu, 3), [1.0, 1.0, 1.25]);
        assert_eq!(metrics.sum_latest(&ids, Figure::Cpu), Some(1.25));
        assert_eq!(metrics.sum_latest(&[InstanceId::from("c")], Figure::Cpu), None);
    }

    #[test]
    fn series_are_bounded_and_forgotten() {
        let mut metrics = Metrics::default();
        for second in 0..1_000 {
            metrics.record(&sample("a", second, 1.0, 0));
        }
        let id = InstanceId::from("a");
        assert_eq!(metrics.points(&id, Figure::Cpu).len(), BOUND);
        metrics.retain(|_| false);
        assert!(metrics.latest(&id).is_none());
    }
}
