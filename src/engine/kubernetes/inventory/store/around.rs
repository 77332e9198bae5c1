//! What is held beside workloads: services and their endpoints, budgets, ingresses, nodes, locks.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::engine::kubernetes::convert::Key;
use crate::engine::kubernetes::convert::facts::{Budget, Ingress, Lock, Service, Slice};
use crate::engine::kubernetes::convert::pod::Held;
use crate::engine::kubernetes::watch::Kind;
use crate::model::Node;

/// By namespace and service: endpoints that are ready, and all there are.
pub type Endpoints<'a> = HashMap<(&'a Arc<str>, &'a Arc<str>), (u32, u32)>;

/// Labels of pods.
type Labels = BTreeMap<Arc<str>, Arc<str>>;

/// What stands around workloads.
#[derive(Debug, Default)]
pub struct Around {
    pub services: BTreeMap<Key, Service>,
    slices: HashMap<Key, Slice>,
    pub budgets: BTreeMap<Key, Budget>,
    pub ingresses: BTreeMap<Key, Ingress>,
    nodes: BTreeMap<Arc<str>, Node>,
    locks: HashMap<(Arc<str>, bool), Lock>,
    /// Something of it has changed since it was last shown.
    pub changed: bool,
}

impl Around {
    pub(super) fn put_service(&mut self, key: &Key, service: Option<&Service>) {
        let before = match service {
            Some(service) => self.services.insert(key.clone(), service.clone()),
            None => self.services.remove(key),
        };
        self.changed |= before.as_ref() != service;
    }

    pub(super) fn put_slice(&mut self, key: Key, slice: Slice) {
        self.changed |= self.slices.insert(key, slice.clone()) != Some(slice);
    }

    pub(super) fn put_budget(&mut self, key: Key, budget: Budget) {
        self.changed |= self.budgets.insert(key, budget.clone()) != Some(budget);
    }

    pub(super) fn put_ingress(&mut self, key: Key, ingress: Ingress) {
        self.changed |= self.ingresses.insert(key, ingress.clone()) != Some(ingress);
    }

    pub(super) fn put_node(&mut self, node: Node) {
        self.changed |= self.nodes.insert(node.name.clone(), node.clone()) != Some(node);
    }

    pub(super) fn put_lock(&mut self, kind: Kind, key: &Key, lock: Lock) {
        let place = (key.namespace.clone(), kind == Kind::Lease);
        self.changed |= self.locks.insert(place, lock.clone()) != Some(lock);
    }

    pub(super) fn remove(&mut self, kind: Kind, key: &Key) {
        self.changed |= match kind {
            Kind::EndpointSlice => self.slices.remove(key).is_some(),
            Kind::Budget => self.budgets.remove(key).is_some(),
            Kind::Ingress => self.ingresses.remove(key).is_some(),
            Kind::Node => self.nodes.remove(&key.name).is_some(),
            Kind::Lease | Kind::ConfigMap => self.locks.remove(&(key.namespace.clone(), kind == Kind::Lease)).is_some(),
            Kind::Service
            | Kind::Pod
            | Kind::Deployment
            | Kind::StatefulSet
            | Kind::DaemonSet
            | Kind::Job
            | Kind::CronJob
            | Kind::ReplicaSet
            | Kind::Scaler
            | Kind::ControllerRevision
            | Kind::Event => false,
        };
    }

    /// Whether a service leads to pods of these labels.
    #[must_use]
    pub fn leads(&self, service: &Key, labels: &Labels) -> bool {
        self.services.get(service).is_some_and(|s| s.selects(labels))
    }

    /// The services of a namespace that lead to pods of these labels, sorted.
    #[must_use]
    pub fn leading(&self, namespace: &Arc<str>, labels: &Labels) -> Vec<Arc<str>> {
        let first = Key { namespace: namespace.clone(), name: "".into() };
        let here = self.services.range(first..).take_while(|(key, _)| key.namespace == *namespace);
        here.filter(|(_, service)| service.selects(labels)).map(|(key, _)| key.name.clone()).collect()
    }

    /// By service: its endpoints that are ready, and all there are.
    #[must_use]
    pub fn endpoints(&self) -> Endpoints<'_> {
        let mut all = HashMap::new();
        for (key, slice) in &self.slices {
            let sum: &mut (u32, u32) = all.entry((&key.namespace, &slice.service)).or_default();
            sum.0 += slice.ready;
            sum.1 += slice.all;
        }
        all
    }

    /// The lock that lies in a namespace: the Lease, else the `ConfigMap`.
    #[must_use]
    pub fn lock(&self, namespace: &Arc<str>) -> Option<&Lock> {
        let of = |lease| self.locks.get(&(namespace.clone(), lease)).filter(|lock| lock.holder.is_some());
        of(true).or_else(|| of(false))
    }

    /// The nodes with what is on them.
    #[must_use]
    pub fn nodes<'a>(&self, pods: impl Iterator<Item = &'a Held>) -> Vec<Node> {
        let mut sums: HashMap<&Arc<str>, (u32, u64, u64)> = HashMap::new();
        for held in pods {
            let Some(node) = &held.instance.node else { continue };
            let sum = sums.entry(node).or_default();
            sum.0 += u32::from(held.instance.finished_at.is_none());
            sum.1 += held.asks.0;
            sum.2 += held.asks.1;
        }
        let with = |node: &Node| {
            let (pods, cpu, memory) = sums.get(&node.name).copied().unwrap_or_default();
            Node { pods, cpu_requested_milli: cpu, memory_requested_bytes: memory, ..node.clone() }
        };
        self.nodes.values().map(with).collect()
    }
}
