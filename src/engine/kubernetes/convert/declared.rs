//! What makes pods, made small: Deployments, `StatefulSets`, `DaemonSets`, Jobs and `CronJobs` in one shape.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::object::{Object, labels};
use super::pod::{Maker, named_ports};
use super::{Key, RESTING, REVISION, count, words};
use crate::engine::intern::Interner;
use crate::engine::kubernetes::watch::Kind;
use crate::engine::kubernetes::wire::Meta;
use crate::engine::kubernetes::wire::meta::{Condition, condition};
use crate::engine::kubernetes::wire::pod::PodSpec;
use crate::engine::kubernetes::wire::workload::{self as wire, DeclaredSpec, DeclaredStatus, Strategy};
use crate::model::WorkloadKind;
use crate::observe::text::clean;

/// A condition that matters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    pub holds: bool,
    pub reason: Arc<str>,
    pub message: Arc<str>,
}

/// How far the controller is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// The controller has seen the last definition.
    pub observed: bool,
    /// Pods there are, of the current template, ready, and ready for long enough.
    pub replicas: u32,
    pub updated: u32,
    pub ready: u32,
    pub available: u32,
    /// A `StatefulSet`'s revisions by name: what ran before and what is to run.
    pub current_revision: Arc<str>,
    pub update_revision: Arc<str>,
    /// A Job's pods.
    pub active: u32,
    pub succeeded: u32,
    pub failed: u32,
}

/// A workload's definition and its controller's words, made small.
#[derive(Clone, Debug, PartialEq)]
pub struct Declared {
    pub kind: WorkloadKind,
    /// Who controls it.
    pub owner: Option<Maker>,
    pub desired: u32,
    pub resting: Option<u32>,
    pub revision: Option<u64>,
    pub strategy: Arc<str>,
    /// Pods are replaced only when somebody deletes them.
    pub on_delete: bool,
    pub partition: u32,
    pub min_ready_seconds: i64,
    /// Paused, or suspended.
    pub paused: bool,
    pub progress: Progress,
    pub conditions: BTreeMap<Arc<str>, State>,
    pub containers: Vec<(Arc<str>, Arc<str>)>,
    pub has_probe: bool,
    pub ports: Vec<u16>,
    /// Of its pods, which services select by.
    pub labels: Arc<BTreeMap<Arc<str>, Arc<str>>>,
    pub annotations: BTreeMap<Arc<str>, Arc<str>>,
    pub schedule: Option<Arc<str>>,
    pub last_run: Option<Timestamp>,
    pub created_at: Option<Timestamp>,
}

impl Declared {
    /// What it is to its pods.
    #[must_use]
    pub fn maker(&self, name: &Arc<str>) -> Maker {
        match self.kind {
            WorkloadKind::Deployment => Maker::Deployment(name.clone()),
            WorkloadKind::StatefulSet => Maker::StatefulSet(name.clone()),
            WorkloadKind::DaemonSet => Maker::DaemonSet(name.clone()),
            WorkloadKind::Job => Maker::Job(name.clone()),
            WorkloadKind::CronJob => Maker::CronJob(name.clone()),
            WorkloadKind::Service | WorkloadKind::Container | WorkloadKind::Dependency => {
                Maker::Other("Pod".into(), name.clone())
            }
        }
    }

    /// The container it is looked at by: the one of its own name, else the first.
    #[must_use]
    pub fn image(&self, name: &str) -> Arc<str> {
        let own = self.containers.iter().find(|(container, _)| &**container == name).or(self.containers.first());
        own.map(|(_, image)| image.clone()).unwrap_or_default()
    }

    /// Whether the condition holds.
    #[must_use]
    pub fn holds(&self, kind: &str) -> Option<&State> {
        self.conditions.get(kind).filter(|c| c.holds)
    }
}

/// A Deployment, `StatefulSet`, `DaemonSet` or Job as an object.
pub fn object(kind: Kind, object: &wire::Declared, _: &Key, interner: &mut Interner) -> Option<Object> {
    let kind = match kind {
        Kind::StatefulSet => WorkloadKind::StatefulSet,
        Kind::DaemonSet => WorkloadKind::DaemonSet,
        Kind::Job => WorkloadKind::Job,
        _ => WorkloadKind::Deployment,
    };
    let (spec, status) = (&object.spec, &object.status);
    let base = base(kind, &object.metadata, spec, interner);
    let on_delete = spec.update_strategy.kind == "OnDelete";
    let partition = count(spec.update_strategy.rolling_update.partition);
    Some(Object::Declared(Box::new(Declared {
        desired: desired(kind, spec, status),
        strategy: strategy(kind, spec),
        on_delete,
        partition,
        min_ready_seconds: spec.min_ready_seconds.unwrap_or(0),
        paused: spec.paused || spec.suspend,
        progress: progress(kind, &object.metadata, status),
        conditions: conditions(&status.conditions, interner),
        last_run: status.completion_time.or(status.start_time),
        ..base
    })))
}

/// A `CronJob` as an object.
pub fn schedule(_: Kind, object: &wire::CronJob, _: &Key, interner: &mut Interner) -> Option<Object> {
    let base = base(WorkloadKind::CronJob, &object.metadata, &object.spec.job_template.spec, interner);
    let zone = &object.spec.time_zone;
    let zone = if zone.is_empty() { String::new() } else { format!(" {zone}") };
    Some(Object::Declared(Box::new(Declared {
        paused: object.spec.suspend,
        schedule: Some(words(&format!("{}{zone}", object.spec.schedule))),
        last_run: object.status.last_schedule_time,
        ..base
    })))
}

fn base(kind: WorkloadKind, meta: &Meta, spec: &DeclaredSpec, interner: &mut Interner) -> Declared {
    let template: &PodSpec = &spec.template.spec;
    let note = |key: &str| meta.annotations.get(key);
    let owner = meta.owner().map(|owner| match owner.kind.as_str() {
        "CronJob" => Maker::CronJob(interner.text(&owner.name)),
        kind => Maker::Other(interner.text(kind), interner.text(&owner.name)),
    });
    let ours = |key: &&String| key.starts_with("quarterdeck.io/") || *key == super::CHANGE_CAUSE;
    let annotations = meta.annotations.iter().filter(|(key, _)| ours(key));
    let containers = template.containers.iter().filter(|c| !c.name.is_empty());
    Declared {
        kind,
        owner,
        desired: 0,
        resting: note(RESTING).and_then(|n| n.parse().ok()),
        revision: note(REVISION).and_then(|n| n.parse().ok()),
        strategy: "".into(),
        on_delete: false,
        partition: 0,
        min_ready_seconds: 0,
        paused: false,
        progress: Progress::default(),
        conditions: BTreeMap::new(),
        containers: containers.map(|c| (interner.text(&c.name), interner.text(&c.image))).collect(),
        has_probe: template.containers.iter().any(|c| c.readiness_probe.is_some()),
        ports: named_ports(&template.containers),
        labels: labels(&spec.template.metadata.labels, interner),
        annotations: annotations.map(|(key, value)| (interner.text(key), words(value))).collect(),
        schedule: None,
        last_run: None,
        created_at: meta.creation_timestamp,
    }
}

/// How many pods there are to be. A Job that is through is to have none any more.
fn desired(kind: WorkloadKind, spec: &DeclaredSpec, status: &DeclaredStatus) -> u32 {
    match kind {
        WorkloadKind::DaemonSet => count(status.desired_number_scheduled),
        WorkloadKind::Job => {
            let over = |kind: &str| condition(&status.conditions, kind).is_some_and(|c| c.status == "True");
            if over("Complete") || over("Failed") || spec.suspend {
                return 0;
            }
            let wanted = count(spec.completions.or(Some(1)));
            wanted.saturating_sub(count(status.succeeded)).min(count(spec.parallelism.or(Some(1))))
        }
        WorkloadKind::Deployment
        | WorkloadKind::StatefulSet
        | WorkloadKind::CronJob
        | WorkloadKind::Service
        | WorkloadKind::Container
        | WorkloadKind::Dependency => count(spec.replicas.or(Some(1))),
    }
}

/// `RollingUpdate (surge 1, unavailable 0)`.
fn strategy(kind: WorkloadKind, spec: &DeclaredSpec) -> Arc<str> {
    let of: &Strategy = if kind == WorkloadKind::Deployment { &spec.strategy } else { &spec.update_strategy };
    let rolling = &of.rolling_update;
    let partition = rolling.partition.filter(|p| *p > 0).map(|p| p.to_string()).unwrap_or_default();
    let parts = [("surge", &rolling.max_surge), ("unavailable", &rolling.max_unavailable), ("partition", &partition)];
    let parts: Vec<String> = parts.iter().filter(|(_, v)| !v.is_empty()).map(|(word, v)| format!("{word} {v}")).collect();
    let all = if parts.is_empty() { of.kind.clone() } else { format!("{} ({})", of.kind, parts.join(", ")) };
    words(&all)
}

fn progress(kind: WorkloadKind, meta: &Meta, status: &DeclaredStatus) -> Progress {
    let numbers = if kind == WorkloadKind::DaemonSet {
        (status.current_number_scheduled, status.updated_number_scheduled, status.number_ready, status.number_available)
    } else {
        (status.replicas, status.updated_replicas, status.ready_replicas, status.available_replicas)
    };
    Progress {
        // Jobs do not say.
        observed: kind == WorkloadKind::Job || status.observed_generation >= meta.generation,
        replicas: count(numbers.0),
        updated: count(numbers.1),
        ready: count(numbers.2),
        available: count(numbers.3),
        current_revision: clean(&status.current_revision).into(),
        update_revision: clean(&status.update_revision).into(),
        active: count(status.active),
        succeeded: count(status.succeeded),
        failed: count(status.failed),
    }
}

fn conditions(all: &[Condition], interner: &mut Interner) -> BTreeMap<Arc<str>, State> {
    let state = |c: &Condition, interner: &mut Interner| State {
        holds: c.status == "True",
        reason: interner.text(&c.reason),
        message: words(&c.message),
    };
    all.iter().map(|c| (interner.text(&c.kind), state(c, interner))).collect()
}
