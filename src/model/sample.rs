//! Measured figures of one instance at one moment.

use jiff::Timestamp;

use super::InstanceId;

/// One reading. CPU is in cores (1.0 = one core busy; `docker stats` prints it times 100 %).
/// Memory excludes inactive file cache, as `docker stats` does. Totals are counters since start.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    pub instance: InstanceId,
    pub at: Timestamp,
    /// Unknown on the first reading: usage is a difference of two.
    pub cpu_cores: Option<f64>,
    pub memory_bytes: Option<u64>,
    pub memory_limit_bytes: Option<u64>,
    /// Summed over all networks.
    pub net_rx_bytes: Option<u64>,
    pub net_tx_bytes: Option<u64>,
    pub block_read_bytes: Option<u64>,
    pub block_write_bytes: Option<u64>,
    pub pids: Option<u64>,
}
