//! Figures of instances, by the formulas of `docker stats`: counters of one reading, usage of two.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use jiff::Timestamp;
use serde::Deserialize;

use super::client::Client;
use super::wire::{or_default, segment};
use crate::engine::Update;
use crate::engine::outlet::drive;
use crate::model::{InstanceId, Sample};

/// Readings under way at once. Engines answer at their next measurement, up to a second later: waiting costs them nothing.
const AT_ONCE: usize = 32;
/// A reading that takes longer is given up: the next round asks again.
const PATIENCE: Duration = Duration::from_secs(5);
/// The second round comes after this at the latest: the first has no usage yet.
const SECOND_ROUND: Duration = Duration::from_secs(1);
/// An older reading is no basis for the usage of now.
const BASIS_SECONDS: i64 = 60;

/// The engine's reply, as far as figures are made of it. Everything may be missing.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Reply {
    read: Option<String>,
    #[serde(deserialize_with = "or_default")]
    cpu_stats: Cpu,
    #[serde(deserialize_with = "or_default")]
    memory_stats: Memory,
    networks: Option<HashMap<String, Network>>,
    #[serde(deserialize_with = "or_default")]
    blkio_stats: Blkio,
    #[serde(deserialize_with = "or_default")]
    pids_stats: Pids,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Cpu {
    #[serde(rename = "cpu_usage", deserialize_with = "or_default")]
    usage: CpuUsage,
    system_cpu_usage: Option<u64>,
    online_cpus: Option<u32>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct CpuUsage {
    total_usage: Option<u64>,
    percpu_usage: Option<Vec<u64>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Memory {
    usage: Option<u64>,
    limit: Option<u64>,
    stats: Option<BTreeMap<String, u64>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Network {
    rx_bytes: Option<u64>,
    tx_bytes: Option<u64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Blkio {
    io_service_bytes_recursive: Option<Vec<BlkioEntry>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct BlkioEntry {
    op: Option<String>,
    value: Option<u64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Pids {
    current: Option<u64>,
}

/// The counters usage is the difference of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    pub at: Timestamp,
    /// CPU time of the instance, nanoseconds.
    total: u64,
    /// CPU time of the whole machine over all cores, nanoseconds.
    system: u64,
    cores: u32,
}

impl Reply {
    /// A reply of an instance that does not run is all zeros, its time the year 1.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.read.as_deref().is_none_or(|at| at.starts_with("0001-")) || self.cpu_stats.usage.total_usage.is_none()
    }

    /// Its counters, read at `at`.
    #[must_use]
    pub fn reading(&self, at: Timestamp) -> Option<Reading> {
        let cpu = &self.cpu_stats;
        let listed = cpu.usage.percpu_usage.as_ref().map_or(0, Vec::len);
        let cores = cpu.online_cpus.filter(|n| *n > 0).or_else(|| u32::try_from(listed).ok())?;
        Some(Reading { at, total: cpu.usage.total_usage?, system: cpu.system_cpu_usage?, cores })
    }

    /// The figures, with the usage since `before`.
    #[must_use]
    pub fn sample(&self, instance: InstanceId, at: Timestamp, before: Option<Reading>) -> Sample {
        let now = self.reading(at);
        let sum = |of: fn(&Network) -> Option<u64>| {
            self.networks.as_ref().map(|list| list.values().filter_map(of).fold(0_u64, u64::saturating_add))
        };
        Sample {
            instance,
            at,
            cpu_cores: before.zip(now).and_then(|(before, now)| cpu_cores(before, now)),
            memory_bytes: self.memory_stats.used(),
            memory_limit_bytes: self.memory_stats.limit.filter(|limit| *limit > 0),
            net_rx_bytes: sum(|n| n.rx_bytes),
            net_tx_bytes: sum(|n| n.tx_bytes),
            block_read_bytes: self.blkio_stats.sum('r'),
            block_write_bytes: self.blkio_stats.sum('w'),
            pids: self.pids_stats.current,
        }
    }
}

/// Cores busy between two readings: the share of the machine's CPU time, times its cores. The Docker client's
/// `calculateCPUPercentUnix` without its factor 100. Unknown when a counter went back (a restart).
#[must_use]
pub fn cpu_cores(before: Reading, now: Reading) -> Option<f64> {
    if now.at.as_second() - before.at.as_second() > BASIS_SECONDS {
        return None;
    }
    let used = now.total.checked_sub(before.total)?;
    let passed = now.system.checked_sub(before.system).filter(|passed| *passed > 0)?;
    Some(used as f64 / passed as f64 * f64::from(now.cores))
}

impl Memory {
    /// Usage without inactive file cache: the Docker client's `calculateMemUsageUnixNoCache`. The statistic is
    /// `total_inactive_file` on cgroup v1 and `inactive_file` on v2, where the v1 name does not exist.
    fn used(&self) -> Option<u64> {
        let usage = self.usage?;
        let of = |name: &str| self.stats.as_ref().and_then(|stats| stats.get(name)).copied();
        let cache = of("total_inactive_file").or_else(|| of("inactive_file")).filter(|cache| *cache < usage);
        Some(usage - cache.unwrap_or(0))
    }
}

impl Blkio {
    /// Bytes of the operations whose name begins with this letter (`Read` on v1, `read` on v2).
    fn sum(&self, letter: char) -> Option<u64> {
        let entries = self.io_service_bytes_recursive.as_ref()?;
        let of =
            |entry: &&BlkioEntry| entry.op.as_deref().is_some_and(|op| op.starts_with([letter, letter.to_ascii_uppercase()]));
        Some(entries.iter().filter(of).filter_map(|e| e.value).fold(0, u64::saturating_add))
    }
}

/// Follows the figures of these instances. Those known not to run are not asked about; one that cannot be read now is
/// left out of the round.
#[must_use]
pub fn follow(client: Client, instances: BTreeSet<InstanceId>, every: Duration) -> BoxStream<'static, Update> {
    drive(move |outlet| async move {
        let mut round = 0_u32;
        loop {
            let begun = tokio::time::Instant::now();
            let wanted: Vec<InstanceId> = instances.iter().filter(|id| client.known().may_run(id)).cloned().collect();
            let asked = stream::iter(wanted).map(|id| read(client.clone(), id)).buffer_unordered(AT_ONCE);
            let samples: Vec<Sample> = asked.filter_map(std::future::ready).collect().await;
            if !samples.is_empty() && !outlet.send(Update::Samples(samples)).await {
                return;
            }
            let pause = if round == 0 { every.min(SECOND_ROUND) } else { every };
            round = round.saturating_add(1);
            tokio::time::sleep_until(begun + pause).await;
        }
    })
}

async fn read(client: Client, id: InstanceId) -> Option<Sample> {
    let container = client.container(&id).ok()?;
    let path = format!("/containers/{}/stats?stream=false&one-shot=true", segment(&container));
    let reply: Reply = tokio::time::timeout(PATIENCE, client.get_json("Statistics", &path)).await.ok()?.ok()?;
    if reply.is_empty() {
        return None;
    }
    let at = Timestamp::now();
    let before = reply.reading(at).and_then(|reading| client.known().exchange(&id, reading));
    Some(reply.sample(id, at, before))
}
