//! Measured figures over time: of each instance the last hour, bounded, counters turned into rates.

pub mod exposition;
pub mod hour;
pub use crate::model::labels;
pub mod reckon;
pub mod scan;
pub mod series;
pub mod words;

use std::collections::BTreeMap;

use crate::model::{InstanceId, Sample};

pub use hour::{Hour, Stretch};

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

impl Figure {
    /// Every figure, in the order they are declared.
    pub const ALL: [Self; 6] = [Self::Cpu, Self::Memory, Self::NetRx, Self::NetTx, Self::BlockRead, Self::BlockWrite];
}

/// The last hour of every instance that was measured: [`Hour::BYTES`] each at most.
#[derive(Debug, Default)]
pub struct Metrics {
    hours: BTreeMap<InstanceId, Hour>,
}

impl Metrics {
    /// Takes in a reading. One that is not newer than the last is left out.
    pub fn record(&mut self, sample: &Sample) {
        match self.hours.get_mut(&sample.instance) {
            Some(hour) => hour.record(sample),
            None => drop(self.hours.insert(sample.instance.clone(), Hour::new(sample))),
        }
    }

    /// The last reading of an instance.
    #[must_use]
    pub fn latest(&self, instance: &InstanceId) -> Option<&Sample> {
        self.hours.get(instance).map(Hour::latest)
    }

    /// A figure over the last hour, oldest first. A counter that went back (a restart) gives nothing there.
    pub fn over(&self, instance: &InstanceId, figure: Figure) -> impl Iterator<Item = Stretch> {
        self.hours.get(instance).into_iter().flat_map(move |hour| hour.over(figure))
    }

    /// The last `n` values of a figure, oldest first; fewer where fewer were measured.
    #[must_use]
    pub fn recent(&self, instance: &InstanceId, figure: Figure, n: usize) -> Vec<f64> {
        self.hours.get(instance).map_or_else(Vec::new, |hour| hour.recent(figure, n))
    }

    /// The last value of a figure.
    #[must_use]
    pub fn current(&self, instance: &InstanceId, figure: Figure) -> Option<f64> {
        self.hours.get(instance)?.current(figure)
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
        self.hours.retain(|id, _| keep(id));
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

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
        let values: Vec<f64> = metrics.over(&id, Figure::NetRx).map(|s| s.mean).collect();
        assert_eq!(values, [100.0, 50.0]);
        assert_eq!(metrics.recent(&id, Figure::Cpu, 2), [0.5, 0.5]);
        assert_eq!(metrics.over(&id, Figure::NetTx).count(), 0);
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
    fn what_is_gone_is_forgotten() {
        let mut metrics = Metrics::default();
        metrics.record(&sample("a", 1, 1.0, 0));
        let id = InstanceId::from("a");
        assert!(metrics.latest(&id).is_some());
        metrics.retain(|_| false);
        assert!(metrics.latest(&id).is_none());
    }
}
