//! What stands around workloads: services with their ready endpoints, ingresses, disruption budgets, and the lock.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::object::{Object, labels};
use super::{Key, count, words};
use crate::engine::intern::Interner;
use crate::engine::kubernetes::lock_note;
use crate::engine::kubernetes::watch::Kind;
use crate::engine::kubernetes::wire::around;
use crate::model::LockHolder;

/// What a service's slices name it by.
const SERVICE: &str = "kubernetes.io/service-name";

/// A service: whom it leads to, and how it is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    pub selector: Arc<BTreeMap<Arc<str>, Arc<str>>>,
    /// `ClusterIP 10.96.13.172, 80/TCP`.
    pub words: Arc<str>,
}

impl Service {
    /// Whether it leads to pods of these labels.
    #[must_use]
    pub fn selects(&self, labels: &BTreeMap<Arc<str>, Arc<str>>) -> bool {
        !self.selector.is_empty() && self.selector.iter().all(|(key, value)| labels.get(key) == Some(value))
    }
}

/// A slice of a service's endpoints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slice {
    pub service: Arc<str>,
    pub ready: u32,
    pub all: u32,
}

/// A disruption budget in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Budget(pub Arc<str>);

/// An ingress in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ingress(pub Arc<str>);

/// What may be the lock: the Lease wins over the `ConfigMap`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lock {
    pub lease: bool,
    pub holder: Option<Arc<LockHolder>>,
}

/// A service as an object.
pub fn service(_: Kind, raw: &around::Service, _: &Key, interner: &mut Interner) -> Option<Object> {
    let spec = &raw.spec;
    let port = |p: &around::ServicePort| {
        let node = p.node_port.filter(|n| *n > 0).map(|n| format!(":{n}")).unwrap_or_default();
        format!("{}{node}/{}", count(p.port), p.protocol)
    };
    let ports: Vec<String> = spec.ports.iter().map(port).collect();
    let kind = if spec.kind.is_empty() { "ClusterIP" } else { &spec.kind };
    let address = match (spec.cluster_ip.as_str(), spec.external_name.as_str()) {
        ("None", _) => "headless".to_owned(),
        ("", name) => format!("{kind} {name}").trim().to_owned(),
        (address, _) => format!("{kind} {address}"),
    };
    let text = if ports.is_empty() { address } else { format!("{address}, {}", ports.join(" ")) };
    Some(Object::Service(Box::new(Service { selector: labels(&spec.selector, interner), words: words(&text) })))
}

/// A slice as an object.
pub fn slice(_: Kind, raw: &around::EndpointSlice, _: &Key, interner: &mut Interner) -> Option<Object> {
    let service = interner.text(raw.metadata.labels.get(SERVICE)?);
    // Not said is ready.
    let ready = raw.endpoints.iter().filter(|e| e.conditions.ready != Some(false)).count();
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Some(Object::Slice(Slice { service, ready: number(ready), all: number(raw.endpoints.len()) }))
}

/// A budget as an object.
#[must_use]
pub fn budget(_: Kind, raw: &around::Budget, key: &Key, _: &mut Interner) -> Option<Object> {
    let (spec, status) = (&raw.spec, &raw.status);
    let rule = match (spec.min_available.as_str(), spec.max_unavailable.as_str()) {
        ("", "") => String::new(),
        ("", most) => format!(" at most {most} away,"),
        (least, _) => format!(" at least {least},"),
    };
    let text = format!(
        "{}:{rule} {} of {} healthy, {} may go",
        key.name,
        count(status.current_healthy),
        count(status.desired_healthy),
        count(status.disruptions_allowed)
    );
    Some(Object::Budget(Box::new(Budget(words(&text)))))
}

/// An ingress as an object.
#[must_use]
pub fn ingress(_: Kind, raw: &around::Ingress, key: &Key, _: &mut Interner) -> Option<Object> {
    let mut routes: Vec<String> = Vec::new();
    for rule in &raw.spec.rules {
        let host = if rule.host.is_empty() { "*" } else { &rule.host };
        let paths = rule.http.paths.iter().map(|p| format!("{host}{} → {}", p.path, p.backend.service.name));
        routes.extend(paths);
    }
    let backend = &raw.spec.default_backend.service.name;
    routes.extend((!backend.is_empty()).then(|| format!("* → {backend}")));
    Some(Object::Ingress(Box::new(Ingress(words(&format!("{}: {}", key.name, routes.join(", ")))))))
}

/// A Lease or `ConfigMap` as an object.
pub fn lock(kind: Kind, raw: &around::Lock, key: &Key, _: &mut Interner) -> Option<Object> {
    let named = &*key.name == lock_note::NAME;
    let text = raw.metadata.annotations.get(lock_note::ANNOTATION).filter(|_| named);
    let holder = text.and_then(|text| lock_note::parse(text)).map(Arc::new);
    Some(Object::Lock(Box::new(Lock { lease: kind == Kind::Lease, holder })))
}
