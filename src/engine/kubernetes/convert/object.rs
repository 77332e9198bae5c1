//! Objects as they come in lists and watches, each made small at once.

use std::sync::Arc;

use super::declared::Declared;
use super::event::Told;
use super::facts::{Budget, Ingress, Lock, Service, Slice};
use super::history::Past;
use super::node::Machine;
use super::pod::Held;
use super::scaler::Autoscaler;
use super::{Key, declared, event, facts, history, node, pod, scaler};
use crate::engine::intern::Interner;
use crate::engine::kubernetes::watch::Kind;
use crate::engine::kubernetes::wire::{Line, List, Loose, Meta, Status, around, workload};

/// An object, made small.
#[derive(Clone, Debug)]
pub enum Object {
    Pod(Box<Held>),
    Declared(Box<Declared>),
    /// A `ReplicaSet` or `ControllerRevision`.
    Past(Box<Past>),
    Scaler(Box<Autoscaler>),
    Service(Box<Service>),
    Slice(Slice),
    Budget(Box<Budget>),
    Ingress(Box<Ingress>),
    Node(Box<Machine>),
    Event(Box<Told>),
    Lock(Box<Lock>),
}

/// What has become of an object, and its version.
#[derive(Clone, Debug)]
pub enum Change {
    Put(Key, Object, u64),
    Gone(Key, u64),
}

/// A page of a list.
#[derive(Debug, Default)]
pub struct Page {
    pub changes: Vec<Change>,
    /// Where the list goes on; empty at its end.
    pub next: String,
    pub version: String,
}

/// What lines of a watch say.
#[derive(Debug, Default)]
pub struct Heard {
    pub changes: Vec<Change>,
    /// The last version heard of.
    pub version: Option<String>,
    /// What there was is all told.
    pub complete: bool,
    pub error: Option<Status>,
}

/// Reads what is heard of one kind.
#[derive(Debug)]
pub struct Reader {
    kind: Kind,
    interner: Interner,
    /// Objects since texts nobody holds any more were let go of.
    since: u32,
}

/// Objects after which texts nobody holds any more are let go of.
const SWEEP: u32 = 4096;
/// What marks the end of what there was.
const INITIAL_END: &str = "k8s.io/initial-events-end";

type Make<T> = fn(Kind, &T, &Key, &mut Interner) -> Option<Object>;

impl Reader {
    #[must_use]
    pub fn new(kind: Kind) -> Self {
        Self { kind, interner: Interner::default(), since: 0 }
    }

    /// A page of a list.
    ///
    /// # Errors
    /// When it is no JSON.
    pub fn list(&mut self, body: &[u8]) -> Result<Page, String> {
        match self.kind {
            Kind::Pod => self.list_of(body, pod::object),
            Kind::Deployment | Kind::StatefulSet | Kind::DaemonSet | Kind::Job => self.list_of(body, declared::object),
            Kind::CronJob => self.list_of(body, declared::schedule),
            Kind::ReplicaSet => self.list_of(body, history::set),
            Kind::ControllerRevision => self.list_of(body, history::revision),
            Kind::Node => self.list_of(body, node::object),
            Kind::Scaler => self.list_of(body, scaler::object),
            Kind::Lease | Kind::ConfigMap => self.list_of(body, facts::lock),
            Kind::Service => self.list_of(body, facts::service),
            Kind::EndpointSlice => self.list_of(body, facts::slice),
            Kind::Budget => self.list_of(body, facts::budget),
            Kind::Ingress => self.list_of(body, facts::ingress),
            Kind::Event => self.list_of(body, event::object),
        }
    }

    /// Whole lines of a watch.
    ///
    /// # Errors
    /// When one is no JSON.
    pub fn lines(&mut self, text: &[u8]) -> Result<Heard, String> {
        match self.kind {
            Kind::Pod => self.lines_of(text, pod::object),
            Kind::Deployment | Kind::StatefulSet | Kind::DaemonSet | Kind::Job => self.lines_of(text, declared::object),
            Kind::CronJob => self.lines_of(text, declared::schedule),
            Kind::ReplicaSet => self.lines_of(text, history::set),
            Kind::ControllerRevision => self.lines_of(text, history::revision),
            Kind::Node => self.lines_of(text, node::object),
            Kind::Scaler => self.lines_of(text, scaler::object),
            Kind::Lease | Kind::ConfigMap => self.lines_of(text, facts::lock),
            Kind::Service => self.lines_of(text, facts::service),
            Kind::EndpointSlice => self.lines_of(text, facts::slice),
            Kind::Budget => self.lines_of(text, facts::budget),
            Kind::Ingress => self.lines_of(text, facts::ingress),
            Kind::Event => self.lines_of(text, event::object),
        }
    }

    fn list_of<T: Loose + Named>(&mut self, body: &[u8], make: Make<T>) -> Result<Page, String> {
        let list: List<T> = serde_json::from_slice(body).map_err(|error| self.odd(&error))?;
        let changes = list.items.iter().filter_map(|item| self.put(item, make)).collect();
        Ok(Page { changes, next: list.metadata.next, version: list.metadata.resource_version })
    }

    fn lines_of<T: Loose + Named>(&mut self, text: &[u8], make: Make<T>) -> Result<Heard, String> {
        let mut heard = Heard::default();
        for line in text.split(|b| *b == b'\n').filter(|line| !line.trim_ascii().is_empty()) {
            let read: Line<T> = serde_json::from_slice(line).map_err(|error| self.odd(&error))?;
            let meta = read.object.meta();
            match read.kind.as_str() {
                "ADDED" | "MODIFIED" => heard.changes.extend(self.put(&read.object, make)),
                "DELETED" => heard.changes.push(Change::Gone(Key::of(meta, &mut self.interner), version(meta))),
                "BOOKMARK" => heard.complete |= meta.annotations.get(INITIAL_END).is_some_and(|v| v == "true"),
                "ERROR" => {
                    let status: Line<Status> = serde_json::from_slice(line).map_err(|error| self.odd(&error))?;
                    heard.error = Some(status.object);
                    continue;
                }
                _ => continue,
            }
            if !meta.resource_version.is_empty() {
                heard.version = Some(meta.resource_version.clone());
            }
        }
        Ok(heard)
    }

    /// An object without a name is none.
    fn put<T: Named>(&mut self, item: &T, make: Make<T>) -> Option<Change> {
        self.since += 1;
        if self.since >= SWEEP {
            self.since = 0;
            self.interner.sweep();
        }
        let meta = item.meta();
        if meta.name.is_empty() {
            return None;
        }
        let key = Key::of(meta, &mut self.interner);
        let object = make(self.kind, item, &key, &mut self.interner)?;
        Some(Change::Put(key, object, version(meta)))
    }

    fn odd(&self, error: &serde_json::Error) -> String {
        format!("the list of {} is no JSON ({error})", self.kind.plural())
    }
}

/// Versions of one server can be compared as numbers.
fn version(meta: &Meta) -> u64 {
    meta.resource_version.parse().unwrap_or(0)
}

/// What has words for itself.
pub trait Named {
    fn meta(&self) -> &Meta;
}

macro_rules! named {
    ($($type:ty),* $(,)?) => { $(impl Named for $type {
        fn meta(&self) -> &Meta {
            &self.metadata
        }
    })* };
}

named!(
    crate::engine::kubernetes::wire::pod::Pod,
    workload::Declared,
    workload::CronJob,
    workload::ReplicaSet,
    workload::ControllerRevision,
    around::Service,
    around::EndpointSlice,
    around::Scaler,
    around::Budget,
    around::Ingress,
    around::Node,
    around::Event,
    around::Lock,
);

/// Labels as they are held.
pub(super) fn labels(
    raw: &std::collections::BTreeMap<String, String>,
    interner: &mut Interner,
) -> Arc<std::collections::BTreeMap<Arc<str>, Arc<str>>> {
    Arc::new(raw.iter().map(|(key, value)| (interner.text(key), interner.text(value))).collect())
}
