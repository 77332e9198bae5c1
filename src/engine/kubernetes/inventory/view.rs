//! From what is held to an environment: workloads put together again where something of them changed, the rest shared.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;

use super::store::{Site, Store, Unit};
use crate::config::EnvironmentSpec;
use crate::engine::kubernetes::client::Client;
use crate::engine::kubernetes::convert::pod::Maker;
use crate::engine::kubernetes::convert::workload::{Parts, workload};
use crate::engine::kubernetes::convert::{Key, event};
use crate::engine::kubernetes::lock_note;
use crate::engine::kubernetes::permissions::Rights;
use crate::model::{EngineKind, Environment, EnvironmentId, Item, Mechanics, Node, Snapshot, Source, Workload, WorkloadId};

/// Facts of one sort told of an environment, at most.
const MOST: usize = 200;

/// One environment and what is shown of it.
#[derive(Debug)]
pub struct View {
    pub environment: Arc<Environment>,
    /// `None` for all.
    pub namespace: Option<Arc<str>>,
    shown: BTreeMap<Site, Arc<Workload>>,
    last: Option<Arc<Snapshot>>,
}

impl View {
    /// The environment `spec` stands for.
    #[must_use]
    pub fn new(client: &Client, spec: &EnvironmentSpec, server: &str, namespace: Option<Arc<str>>) -> Self {
        let place = namespace.as_ref().map_or_else(|| "all namespaces".to_owned(), |n| format!("namespace {n}"));
        let environment = Environment {
            id: EnvironmentId { connection: client.connection().clone(), name: spec.name.clone() },
            tier: spec.tier,
            engine: EngineKind::Kubernetes,
            mechanics: Mechanics::Declared,
            endpoint: format!("{server} · context {} · {place}", client.context()).into(),
            guard: spec.guard,
        };
        Self { environment: Arc::new(environment), namespace, shown: BTreeMap::new(), last: None }
    }

    fn covers(&self, namespace: &Arc<str>) -> bool {
        self.namespace.as_ref().is_none_or(|own| own == namespace)
    }

    /// Puts the workloads together again that changed.
    pub fn rebuild(&mut self, store: &mut Store, dirty: &BTreeSet<Site>, rights: &Rights) {
        let own = self.namespace.clone();
        for site in dirty.iter().filter(|(namespace, _)| own.as_ref().is_none_or(|own| own == namespace)) {
            if !store.is_shown(site) {
                self.shown.remove(site);
                continue;
            }
            let made = self.workload(store, site, rights);
            for instance in &made.instances {
                let key = Key { namespace: site.0.clone(), name: instance.name.clone() };
                if let Some(held) = store.pods.get_mut(&key) {
                    // One copy is enough.
                    held.instance = instance.clone();
                }
            }
            self.shown.insert(site.clone(), made);
        }
    }

    fn workload(&self, store: &Store, site: &Site, rights: &Rights) -> Arc<Workload> {
        let (namespace, maker) = site;
        let name = store.name(site);
        let id = if self.namespace.is_none() { format!("{namespace}/{name}") } else { name };
        let none = Unit::default();
        let unit = store.units.get(site).unwrap_or(&none);
        let job = |name: &Arc<str>| store.units.get(&(namespace.clone(), Maker::Job(name.clone())));
        let jobs: Vec<(&Arc<str>, &Unit)> = unit.jobs.iter().filter_map(|name| Some((name, job(name)?))).collect();
        let names = unit.pods.iter().chain(jobs.iter().flat_map(|(_, job)| &job.pods));
        let keys: Vec<Key> = names.map(|name| Key { namespace: namespace.clone(), name: name.clone() }).collect();
        let pods = keys.iter().filter_map(|key| Some((key, &**store.pods.get(key)?, store.warnings.get(key))));
        workload(&Parts {
            id: WorkloadId::new(id),
            namespace,
            maker,
            declared: unit.declared.as_deref(),
            pods: pods.collect(),
            tails: &store.tails,
            past: &unit.past,
            scaler: unit.scaler.as_ref(),
            services: &unit.services,
            jobs: jobs.iter().filter_map(|(name, job)| Some((*name, job.declared.as_deref()?))).collect(),
            rights,
            before: self.shown.get(site),
        })
    }

    /// The snapshot as of `at`; where nothing has changed since, that of before.
    pub fn snapshot(&mut self, store: &Store, at: Timestamp, nodes: &[Arc<Node>], notes: &[Arc<str>]) -> Arc<Snapshot> {
        let mut workloads: Vec<Arc<Workload>> = self.shown.values().cloned().collect();
        workloads.sort_by(|a, b| a.id.cmp(&b.id));
        let lock = store.around.lock(&lock_note::namespace(self.namespace.as_ref())).and_then(|lock| lock.holder.clone());
        let facts = self.facts(store);
        if let Some(last) = &self.last {
            let same = last.workloads.len() == workloads.len()
                && last.workloads.iter().zip(&workloads).all(|(a, b)| Arc::ptr_eq(a, b))
                && (&last.lock, &last.facts) == (&lock, &facts)
                && (last.nodes.as_slice(), last.notes.as_slice()) == (nodes, notes);
            if same {
                return last.clone();
            }
        }
        let (nodes, notes) = (nodes.to_vec(), notes.to_vec());
        let environment = self.environment.clone();
        let made = Arc::new(Snapshot { environment, at, workloads, lock, facts, nodes, notes, file: None });
        self.last = Some(made.clone());
        made
    }

    fn facts(&self, store: &Store) -> Vec<(Arc<str>, Arc<str>)> {
        let around = &store.around;
        let endpoints = around.endpoints();
        let called = |key: &Key| match self.namespace {
            Some(_) => key.name.to_string(),
            None => format!("{}/{}", key.namespace, key.name),
        };
        let here = |key: &Key| self.covers(&key.namespace);
        let services = around.services.iter().filter(|(key, _)| here(key)).map(|(key, service)| {
            let (ready, all) = endpoints.get(&(&key.namespace, &key.name)).copied().unwrap_or_default();
            let ready = if service.selector.is_empty() { String::new() } else { format!(", {ready} of {all} endpoints ready") };
            format!("{}: {}{ready}", called(key), service.words)
        });
        let budgets = around.budgets.iter().filter(|(key, _)| here(key)).map(|(_, budget)| budget.0.to_string());
        let ingresses = around.ingresses.iter().filter(|(key, _)| here(key)).map(|(_, ingress)| ingress.0.to_string());
        let mut facts: Vec<(Arc<str>, Arc<str>)> = Vec::new();
        let mut tell = |what: &str, list: Vec<String>| {
            let more = list.len().saturating_sub(MOST);
            facts.extend(list.into_iter().take(MOST).map(|words| (what.into(), words.into())));
            facts.extend((more > 0).then(|| (what.into(), format!("and {more} more").into())));
        };
        tell("service", services.collect());
        tell("ingress", ingresses.collect());
        tell("disruption budget", budgets.collect());
        facts
    }

    /// What happened, as an item of this environment's timeline.
    #[must_use]
    pub fn item(&self, store: &Store, told: &event::Told) -> Option<Item> {
        if !self.covers(&told.about.namespace) {
            return None;
        }
        let name = &told.about.name;
        let maker = match &*told.kind {
            "Deployment" => Some(Maker::Deployment(name.clone())),
            "StatefulSet" => Some(Maker::StatefulSet(name.clone())),
            "DaemonSet" => Some(Maker::DaemonSet(name.clone())),
            "CronJob" => Some(Maker::CronJob(name.clone())),
            "Job" => Some(Maker::Job(name.clone())),
            _ => None,
        };
        let own = maker.map(|maker| (told.about.namespace.clone(), maker));
        let site = own.or_else(|| store.owner_of(&told.kind, &told.about));
        let shown = site.and_then(|site| self.shown.get(&store.resolve(&site)));
        Some(Item {
            at: told.last,
            environment: self.environment.id.clone(),
            subject: shown.map_or_else(|| name.clone(), |workload| workload.id.0.clone()),
            source: Source::Engine,
            what: told.reason.clone(),
            detail: told.message.clone(),
        })
    }
}
