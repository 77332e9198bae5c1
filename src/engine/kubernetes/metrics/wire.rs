//! What the metrics API and a kubelet's summary say, read loosely, and the figures in it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;

use crate::engine::kubernetes::convert::quantity;
use crate::engine::kubernetes::wire::{Meta, wire};
use crate::model::{Instance, InstanceId, Sample};

wire! {
    PodList { items: Vec<PodFigures> }

    PodFigures { metadata: Meta, timestamp: Option<Timestamp>, containers: Vec<ContainerFigures> }

    ContainerFigures { usage: BTreeMap<String, String> }

    Summary { pods: Vec<PodSummary> }

    PodSummary {
        pod_ref: PodRef,
        cpu: Cpu,
        memory: Memory,
        network: Network,
    }

    PodRef { name: String, namespace: String }

    Cpu { time: Option<Timestamp>, usage_nano_cores: Option<i64> }

    Memory { working_set_bytes: Option<i64> }

    Network { rx_bytes: Option<i64>, tx_bytes: Option<i64>, interfaces: Vec<Interface> }

    Interface { rx_bytes: Option<i64>, tx_bytes: Option<i64> }
}

type Known = BTreeMap<InstanceId, Arc<Instance>>;

fn empty(instance: InstanceId, at: Timestamp, known: &Known) -> Sample {
    Sample {
        memory_limit_bytes: known.get(&instance).and_then(|i| i.memory_limit_bytes),
        instance,
        at,
        cpu_cores: None,
        memory_bytes: None,
        net_rx_bytes: None,
        net_tx_bytes: None,
        block_read_bytes: None,
        block_write_bytes: None,
        pids: None,
    }
}

impl PodFigures {
    /// The pod it is of.
    #[must_use]
    pub fn id(&self) -> InstanceId {
        InstanceId::new(format!("{}/{}", self.metadata.namespace, self.metadata.name))
    }

    /// The sum over its containers; unknown where one is.
    #[must_use]
    pub fn sample(&self, instance: InstanceId, known: &Known, now: Timestamp) -> Sample {
        let each = |what: &str| -> Option<Vec<&String>> { self.containers.iter().map(|c| c.usage.get(what)).collect() };
        let cpu = each("cpu").and_then(|all| all.into_iter().map(|q| quantity::parse(q)).sum());
        let memory = each("memory").and_then(|all| all.into_iter().map(|q| quantity::whole(q)).sum());
        Sample { cpu_cores: cpu, memory_bytes: memory, ..empty(instance, self.timestamp.unwrap_or(now), known) }
    }
}

impl PodSummary {
    /// The figures of the pod, where it is one of those wanted.
    #[must_use]
    pub fn sample(&self, wanted: &BTreeSet<InstanceId>, known: &Known, now: Timestamp) -> Option<Sample> {
        let id = InstanceId::new(format!("{}/{}", self.pod_ref.namespace, self.pod_ref.name));
        let id = wanted.get(&id)?.clone();
        let bytes = |number: Option<i64>| number.and_then(|n| u64::try_from(n).ok());
        let net = |own: Option<i64>, of: fn(&Interface) -> Option<i64>| {
            let all: Option<i64> = self.network.interfaces.iter().map(of).sum();
            bytes(if self.network.interfaces.is_empty() { own } else { all })
        };
        Some(Sample {
            cpu_cores: self.cpu.usage_nano_cores.map(|nano| nano as f64 / 1e9),
            memory_bytes: bytes(self.memory.working_set_bytes),
            net_rx_bytes: net(self.network.rx_bytes, |i| i.rx_bytes),
            net_tx_bytes: net(self.network.tx_bytes, |i| i.tx_bytes),
            ..empty(id, self.cpu.time.unwrap_or(now), known)
        })
    }
}
