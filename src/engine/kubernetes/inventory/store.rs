//! What is held of a cluster, by what it belongs to; and which workloads what is heard changes.

mod around;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use crate::engine::kubernetes::convert::Key;
use crate::engine::kubernetes::convert::declared::Declared;
use crate::engine::kubernetes::convert::event::Told;
use crate::engine::kubernetes::convert::history::Past;
use crate::engine::kubernetes::convert::object::{Change, Object};
use crate::engine::kubernetes::convert::pod::{Held, Maker};
use crate::engine::kubernetes::convert::scaler::Autoscaler;
use crate::engine::kubernetes::convert::verdict::Warning;
use crate::engine::kubernetes::convert::workload::Tail;
use crate::engine::kubernetes::watch::Kind;
use crate::model::Scaler;

pub use around::Around;

/// A workload by its namespace and what it is to its pods.
pub type Site = (Arc<str>, Maker);

/// Everything that belongs to one workload.
#[derive(Debug, Default)]
pub struct Unit {
    pub declared: Option<Box<Declared>>,
    /// Its pods, by name.
    pub pods: BTreeSet<Arc<str>>,
    pub past: BTreeMap<Arc<str>, Past>,
    pub scaler: Option<Arc<Scaler>>,
    pub services: Vec<Arc<str>>,
    /// Of a schedule: its jobs.
    pub jobs: BTreeSet<Arc<str>>,
}

impl Unit {
    fn is_empty(&self) -> bool {
        self.declared.is_none() && self.pods.is_empty() && self.past.is_empty() && self.scaler.is_none() && self.jobs.is_empty()
    }
}

/// What is held. Nothing is held of what is not shown.
#[derive(Debug, Default)]
pub struct Store {
    /// Everything there is, by kind: what a new list no longer names is gone.
    index: BTreeSet<(Kind, Key)>,
    /// What a list under way has named.
    listing: HashMap<usize, BTreeSet<Key>>,
    pub units: HashMap<Site, Unit>,
    pub pods: HashMap<Key, Box<Held>>,
    pub warnings: HashMap<Key, Warning>,
    pub tails: HashMap<Key, Tail>,
    /// Pods whose container has crashed once more.
    crashed: BTreeSet<Key>,
    past_of: HashMap<Key, Maker>,
    scalers: HashMap<Key, Autoscaler>,
    /// Shown workloads by namespace and name, to tell those of one name apart.
    names: HashMap<(Arc<str>, Arc<str>), BTreeSet<Maker>>,
    dirty: BTreeSet<Site>,
    pub around: Around,
}

impl Store {
    /// A list begins.
    pub fn begin(&mut self, feed: usize) {
        self.listing.insert(feed, BTreeSet::new());
    }

    /// A list is complete: what it did not name is gone.
    pub fn complete(&mut self, feed: usize, kind: Kind, namespace: Option<&Arc<str>>) {
        let Some(named) = self.listing.remove(&feed) else { return };
        let namespace = namespace.filter(|_| !kind.is_of_cluster());
        let first = Key { namespace: namespace.cloned().unwrap_or_default(), name: "".into() };
        let here = |(k, key): &&(Kind, Key)| *k == kind && namespace.is_none_or(|n| *n == key.namespace);
        let all = self.index.range((kind, first)..).take_while(here);
        let gone: Vec<Key> = all.map(|(_, key)| key).filter(|key| !named.contains(*key)).cloned().collect();
        for key in gone {
            self.remove(kind, &key);
        }
    }

    /// Takes in what is heard. Tells an event that is new.
    pub fn apply(&mut self, feed: usize, kind: Kind, change: Change) -> Option<Told> {
        match change {
            Change::Put(key, object, _) => {
                if let Some(named) = self.listing.get_mut(&feed) {
                    named.insert(key.clone());
                }
                let new = self.index.insert((kind, key.clone()));
                self.put(kind, key, object, new)
            }
            Change::Gone(key, _) => {
                self.remove(kind, &key);
                None
            }
        }
    }

    fn put(&mut self, kind: Kind, key: Key, object: Object, new: bool) -> Option<Told> {
        match object {
            Object::Pod(held) => self.put_pod(key, held),
            Object::Declared(declared) => self.put_declared(&key, declared),
            Object::Past(past) => self.put_past(key, *past),
            Object::Scaler(scaler) => self.put_scaler(key, *scaler),
            Object::Service(service) => {
                self.around.put_service(&key, Some(&service));
                self.lead(&key);
            }
            Object::Slice(slice) => self.around.put_slice(key, slice),
            Object::Budget(budget) => self.around.put_budget(key, *budget),
            Object::Ingress(ingress) => self.around.put_ingress(key, *ingress),
            Object::Node(node) => self.around.put_node(*node),
            Object::Lock(lock) => self.around.put_lock(kind, &key, *lock),
            Object::Event(told) => {
                if let Some(warning) = told.of_pod() {
                    self.warn(&told.about, warning);
                }
                return new.then_some(*told);
            }
        }
        None
    }

    fn remove(&mut self, kind: Kind, key: &Key) {
        if !self.index.remove(&(kind, key.clone())) {
            return;
        }
        let site = |maker: fn(Arc<str>) -> Maker| (key.namespace.clone(), maker(key.name.clone()));
        match kind {
            Kind::Pod => {
                self.warnings.remove(key);
                self.tails.remove(key);
                self.crashed.remove(key);
                if let Some(held) = self.pods.remove(key) {
                    self.leave(&(key.namespace.clone(), held.owner), |unit| {
                        unit.pods.remove(&key.name);
                    });
                }
            }
            Kind::Deployment => self.remove_declared(&site(Maker::Deployment)),
            Kind::StatefulSet => self.remove_declared(&site(Maker::StatefulSet)),
            Kind::DaemonSet => self.remove_declared(&site(Maker::DaemonSet)),
            Kind::Job => self.remove_declared(&site(Maker::Job)),
            Kind::CronJob => self.remove_declared(&site(Maker::CronJob)),
            Kind::ReplicaSet | Kind::ControllerRevision => {
                if let Some(owner) = self.past_of.remove(key) {
                    self.leave(&(key.namespace.clone(), owner), |unit| drop(unit.past.remove(&key.name)));
                }
            }
            Kind::Scaler => {
                if let Some(old) = self.scalers.remove(key) {
                    self.leave(&(key.namespace.clone(), old.owns), |unit| unit.scaler = None);
                }
            }
            Kind::Service => {
                self.around.put_service(key, None);
                self.lead(key);
            }
            Kind::EndpointSlice | Kind::Budget | Kind::Ingress | Kind::Node | Kind::Lease | Kind::ConfigMap => {
                self.around.remove(kind, key);
            }
            Kind::Event => {}
        }
    }

    fn put_pod(&mut self, key: Key, held: Box<Held>) {
        let site = (key.namespace.clone(), held.owner.clone());
        if let Some(old) = self.pods.get(&key).filter(|old| old.owner != held.owner) {
            let old = (key.namespace.clone(), old.owner.clone());
            self.leave(&old, |unit| {
                unit.pods.remove(&key.name);
            });
        }
        self.units.entry(site.clone()).or_default().pods.insert(key.name.clone());
        if let Some((_, restarts)) = &held.crash
            && self.tails.get(&key).is_none_or(|tail| tail.restarts != *restarts)
        {
            self.crashed.insert(key.clone());
        }
        self.pods.insert(key, held);
        self.touch(&site);
    }

    fn put_declared(&mut self, key: &Key, declared: Box<Declared>) {
        let site = (key.namespace.clone(), declared.maker(&key.name));
        let owner = declared.owner.clone();
        let unit = self.units.entry(site.clone()).or_default();
        if unit.declared.as_ref() == Some(&declared) {
            return;
        }
        if unit.declared.as_ref().is_none_or(|old| old.labels != declared.labels) {
            unit.services = self.around.leading(&key.namespace, &declared.labels);
        }
        unit.declared = Some(declared);
        if let (Maker::Job(name), Some(owner @ Maker::CronJob(_))) = (&site.1, owner) {
            self.units.entry((key.namespace.clone(), owner)).or_default().jobs.insert(name.clone());
            // It may have been shown by itself.
            self.dirty.insert(site.clone());
        }
        self.touch(&site);
    }

    fn remove_declared(&mut self, site: &Site) {
        let above = self.resolve(site);
        self.leave(site, |unit| {
            unit.declared = None;
            unit.services.clear();
        });
        if above != *site {
            let (_, name) = site.1.words();
            self.leave(&above, |unit| {
                unit.jobs.remove(name);
            });
        }
    }

    fn put_past(&mut self, key: Key, past: Past) {
        let site = (key.namespace.clone(), past.owner.clone());
        let unit = self.units.entry(site.clone()).or_default();
        if unit.past.get(&key.name) == Some(&past) {
            return;
        }
        unit.past.insert(key.name.clone(), past);
        self.past_of.insert(key, site.1.clone());
        self.touch(&site);
    }

    fn put_scaler(&mut self, key: Key, scaler: Autoscaler) {
        let site = (key.namespace.clone(), scaler.owns.clone());
        let before = self.scalers.insert(key, scaler.clone());
        if before.as_ref() == Some(&scaler) {
            return;
        }
        if let Some(old) = before.filter(|old| old.owns != scaler.owns) {
            self.leave(&(site.0.clone(), old.owns), |unit| unit.scaler = None);
        }
        self.units.entry(site.clone()).or_default().scaler = Some(scaler.scaler);
        self.touch(&site);
    }

    /// A service has changed: to whom it leads now.
    fn lead(&mut self, key: &Key) {
        let Self { around, units, dirty, .. } = self;
        for (site, unit) in units.iter_mut().filter(|((namespace, _), _)| *namespace == key.namespace) {
            let Some(declared) = &unit.declared else { continue };
            let leads = around.leads(key, &declared.labels);
            match (unit.services.binary_search(&key.name), leads) {
                (Err(place), true) => unit.services.insert(place, key.name.clone()),
                (Ok(place), false) => drop(unit.services.remove(place)),
                (Ok(_), true) | (Err(_), false) => continue,
            }
            dirty.insert(site.clone());
        }
    }

    fn warn(&mut self, pod: &Key, warning: Warning) {
        // A readiness probe that fails says more than the liveness probe that fails with it.
        let less = |old: &Warning| old.message.starts_with("Readiness") && warning.message.starts_with("Liveness");
        if self.warnings.get(pod).is_some_and(|old| old.at > warning.at || *old == warning || less(old)) {
            return;
        }
        self.warnings.insert(pod.clone(), warning);
        if let Some(held) = self.pods.get(pod) {
            let site = (pod.namespace.clone(), held.owner.clone());
            self.touch(&site);
        } else if self.warnings.len() > 2 * self.pods.len() + 4096 {
            // Of pods that are long gone.
            let pods = &self.pods;
            self.warnings.retain(|pod, _| pods.contains_key(pod));
        }
    }

    /// A pod whose container has crashed and whose last words nobody has asked for: the container and its crash.
    pub fn next_crash(&mut self) -> Option<(Key, Arc<str>, u32)> {
        while let Some(key) = self.crashed.pop_first() {
            if let Some((container, restarts)) = self.pods.get(&key).and_then(|held| held.crash.clone()) {
                return Some((key, container, restarts));
            }
        }
        None
    }

    /// What a container wrote last.
    pub fn put_tail(&mut self, key: Key, tail: Tail) {
        let Some(held) = self.pods.get(&key) else { return };
        let site = (key.namespace.clone(), held.owner.clone());
        self.tails.insert(key, tail);
        self.touch(&site);
    }

    /// Something leaves a unit, which is let go of with its last thing.
    fn leave(&mut self, site: &Site, change: impl FnOnce(&mut Unit)) {
        self.touch(site);
        if let Some(unit) = self.units.get_mut(site) {
            change(unit);
            if unit.is_empty() {
                self.units.remove(site);
            }
        }
    }

    fn touch(&mut self, site: &Site) {
        let above = self.resolve(site);
        self.dirty.insert(above);
    }

    /// What a unit is shown as: a job of a schedule is part of that.
    #[must_use]
    pub fn resolve(&self, site: &Site) -> Site {
        let declared = || self.units.get(site)?.declared.as_ref();
        match (&site.1, declared().and_then(|d| d.owner.as_ref())) {
            (Maker::Job(_), Some(owner @ Maker::CronJob(_))) => (site.0.clone(), owner.clone()),
            _ => site.clone(),
        }
    }

    /// What a `ReplicaSet` or an autoscaler is part of.
    #[must_use]
    pub fn owner_of(&self, kind: &str, key: &Key) -> Option<Site> {
        let maker = match kind {
            "ReplicaSet" => self.past_of.get(key).cloned(),
            "HorizontalPodAutoscaler" => self.scalers.get(key).map(|s| s.owns.clone()),
            _ => None,
        };
        Some((key.namespace.clone(), maker?))
    }

    /// Whether anything has changed since it was last shown.
    #[must_use]
    pub fn is_changed(&self) -> bool {
        !self.dirty.is_empty() || self.around.changed
    }

    /// The workloads to be put together again: those that changed, and those whose name has become or is no longer theirs
    /// alone.
    pub fn take_dirty(&mut self) -> BTreeSet<Site> {
        let mut dirty = std::mem::take(&mut self.dirty);
        for site in dirty.clone() {
            let shown = self.is_shown(&site);
            let (namespace, maker) = site;
            let (_, name) = maker.words();
            let place = (namespace.clone(), name.clone());
            let makers = self.names.entry(place.clone()).or_default();
            let changed = if shown { makers.insert(maker.clone()) } else { makers.remove(&maker) };
            if changed {
                dirty.extend(makers.iter().map(|other| (namespace.clone(), other.clone())));
            }
            if makers.is_empty() {
                self.names.remove(&place);
            }
        }
        dirty
    }

    /// Whether it is a workload of its own.
    #[must_use]
    pub fn is_shown(&self, site: &Site) -> bool {
        let here = |unit: &Unit| unit.declared.is_some() || !unit.pods.is_empty();
        self.units.get(site).is_some_and(here) && self.resolve(site) == *site
    }

    /// What it is called in its namespace: its name, and of several of one name all but the first with their kind.
    #[must_use]
    pub fn name(&self, (namespace, maker): &Site) -> String {
        let (kind, name) = maker.words();
        let first = self.names.get(&(namespace.clone(), name.clone())).and_then(BTreeSet::first);
        if first.is_none_or(|first| first == maker) { name.to_string() } else { format!("{}/{name}", kind.to_lowercase()) }
    }

    /// Everything is put together again.
    pub fn touch_all(&mut self) {
        let all: Vec<Site> = self.units.keys().cloned().collect();
        for site in all {
            self.touch(&site);
        }
        self.around.changed = true;
    }
}
