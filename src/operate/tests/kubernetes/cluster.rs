//! A small cluster in memory: Deployments whose controllers replace pods one by one, one Service, one lock.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::engine::EngineError;
use crate::model::*;
use crate::operate::action::Accepted;
use crate::operate::{Action, mirror};

use super::super::world::at;

/// A pod is ready this long after it was made, seconds, unless its image is bad; a rollout without progress is given up
/// after so long.
const READY: i64 = 2;
const DEADLINE: i64 = 12;

#[derive(Clone, Debug)]
pub struct Pod {
    name: String,
    revision: u64,
    pub image: Arc<str>,
    born: Timestamp,
}

/// A Deployment as it was told, and as its controller has made it.
#[derive(Clone, Debug)]
pub struct Deployment {
    pub image: Arc<str>,
    /// Number, image and restart of every template there was; the last one is the current.
    pub history: Vec<(u64, Arc<str>, u32)>,
    restart: u32,
    pub desired: u32,
    pub pods: Vec<Pod>,
    told: Option<Revision>,
    restarted_by: Option<OperationId>,
    moved: Timestamp,
}

/// Where the Service leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    Free,
    /// Only to pods of this revision of the workload's own.
    Own(u64),
    Mirror(String),
}

#[derive(Clone, Debug)]
pub struct Cluster {
    pub now: Timestamp,
    pub deployments: BTreeMap<String, Deployment>,
    pub way: Way,
    /// Which mirror the Service was held because of.
    held: Option<String>,
    pub lock: Option<LockHolder>,
    pub bad: BTreeSet<Arc<str>>,
    pub scaler: Option<Scaler>,
    pub paused: bool,
    pub containers: Vec<(Arc<str>, Arc<str>)>,
    pub served: bool,
    /// Its pods have no readiness probe.
    pub silent: bool,
    made: u32,
    pub log: Vec<String>,
    /// Fewest ready pods the Service led to at any time.
    pub fewest: usize,
    /// Ready pods of a bad image it ever led to.
    pub misled: usize,
}

impl Cluster {
    /// `backend` with three pods of `backend:1`, behind a Service.
    pub fn new() -> Self {
        let mut cluster = Self {
            now: at(0),
            deployments: BTreeMap::new(),
            way: Way::Free,
            held: None,
            lock: None,
            bad: BTreeSet::new(),
            scaler: None,
            paused: false,
            containers: vec![("web".into(), "backend:1".into())],
            served: true,
            silent: false,
            made: 0,
            log: Vec::new(),
            fewest: usize::MAX,
            misled: 0,
        };
        cluster.add("backend", "backend:1", 3, at(-1000));
        cluster
    }

    fn add(&mut self, name: &str, image: &str, desired: u32, born: Timestamp) {
        let history = vec![(1, Arc::from(image), 0)];
        let deployment = Deployment {
            image: image.into(),
            history,
            restart: 0,
            desired,
            pods: Vec::new(),
            told: None,
            restarted_by: None,
            moved: born,
        };
        self.deployments.insert(name.to_owned(), deployment);
        for _ in 0..desired {
            self.pod(name, born);
        }
    }

    fn pod(&mut self, of: &str, born: Timestamp) {
        self.made += 1;
        let name = format!("{of}-{}", self.made);
        let Some(deployment) = self.deployments.get_mut(of) else { return };
        let (revision, image) = (deployment.revision(), deployment.image.clone());
        deployment.pods.push(Pod { name, revision, image, born });
    }

    fn is_ready(&self, pod: &Pod) -> bool {
        !self.bad.contains(&pod.image) && self.now.duration_since(pod.born).as_secs() >= READY
    }

    /// One second, in which every controller does one thing.
    pub fn pass(&mut self) {
        self.now += Duration::from_secs(1);
        for name in self.deployments.keys().cloned().collect::<Vec<_>>() {
            self.control(&name);
        }
        self.look();
    }

    fn control(&mut self, name: &str) {
        let (now, deployment) = (self.now, self.deployments[name].clone());
        let (current, wanted) = (deployment.revision(), deployment.desired as usize);
        let of_now = deployment.pods.iter().filter(|p| p.revision == current).count();
        let ready = deployment.pods.iter().filter(|p| self.is_ready(p)).count();
        let old = |p: &Pod| p.revision != current;
        // What never got ready goes first, then what is more than wanted, old ones before new ones.
        let idle = deployment.pods.iter().position(|p| old(p) && !self.is_ready(p));
        let surplus = (deployment.pods.len() > wanted && ready > wanted || of_now > wanted)
            .then(|| deployment.pods.iter().position(old).or(Some(deployment.pods.len() - 1)))
            .flatten();
        if let Some(index) = idle.or(surplus) {
            let deployment = self.deployments.get_mut(name).unwrap();
            deployment.pods.remove(index);
            deployment.moved = now;
        } else if of_now < wanted && deployment.pods.len() <= wanted {
            self.pod(name, now);
        }
    }

    /// What the Service leads to now.
    fn look(&mut self) {
        let mut ready = 0;
        for (name, deployment) in &self.deployments {
            for pod in &deployment.pods {
                let led = match &self.way {
                    Way::Free => true,
                    Way::Own(revision) => name == "backend" && pod.revision == *revision,
                    Way::Mirror(tag) => name.ends_with(tag.as_str()),
                };
                if led && self.now.duration_since(pod.born).as_secs() >= READY {
                    ready += usize::from(!self.bad.contains(&pod.image));
                    // A mirror's pods may answer before they have held: they must not be asked.
                    self.misled += usize::from(self.bad.contains(&pod.image) && name != "backend");
                }
            }
        }
        self.fewest = self.fewest.min(ready);
    }

    fn is_settled(&self) -> bool {
        let own = self.own();
        own.pods.len() == own.desired as usize && own.pods.iter().all(|p| p.revision == own.revision() && self.is_ready(p))
    }

    pub fn own(&self) -> &Deployment {
        &self.deployments["backend"]
    }

    /// Performs an action as a cluster would: again is harmless.
    pub fn execute(&mut self, action: &Action) -> Result<Accepted, EngineError> {
        self.log.push(format!("{action:?}").split([' ', '{']).next().unwrap_or_default().to_owned());
        let now = self.now;
        match action {
            Action::TakeLock { holder, .. } => self.lock = Some(holder.as_ref().clone()),
            Action::ReleaseLock { .. } => self.lock = None,
            Action::SetReplicas { replicas, .. } => self.deployments.get_mut("backend").unwrap().desired = *replicas,
            Action::SetImage { revision, .. } => {
                let own = self.deployments.get_mut("backend").unwrap();
                if own.told.as_ref() == Some(revision) {
                    return Ok(Accepted::AlreadySo);
                }
                if own.image == revision.image {
                    return Err(EngineError::Conflict { what: "backend".into(), cause: "it has that image".into() });
                }
                (own.image, own.told) = (revision.image.clone(), Some(revision.clone()));
                own.next(now);
            }
            Action::Rollout { operation, .. } => {
                let own = self.deployments.get_mut("backend").unwrap();
                if own.restarted_by.as_ref() == Some(operation) {
                    return Ok(Accepted::AlreadySo);
                }
                own.restarted_by = Some(operation.clone());
                own.restart += 1;
                own.next(now);
            }
            Action::Revert { to, revision, .. } => {
                let own = self.deployments.get_mut("backend").unwrap();
                if own.told.as_ref() == Some(revision) {
                    return Ok(Accepted::AlreadySo);
                }
                let Some((_, image, restart)) = own.history.iter().find(|(n, ..)| n == to).cloned() else {
                    return Err(EngineError::NotFound { what: format!("revision {to}").into() });
                };
                if (&image, restart) == (&own.image, own.restart) {
                    return Ok(Accepted::AlreadySo);
                }
                (own.image, own.restart, own.told) = (image, restart, Some(revision.clone()));
                own.next(now);
            }
            Action::Mirror { operation, revision, .. } => {
                self.way = Way::Own(self.own().revision());
                self.held = Some(mirror::tag(operation));
                let name = mirror::beside("backend", operation);
                if !self.deployments.contains_key(&name) {
                    self.add(&name, &revision.image, 0, now);
                    self.deployments.get_mut(&name).unwrap().desired = self.own().desired;
                }
            }
            Action::SwitchTraffic { to_mirror: Some(operation), .. } => {
                if !self.deployments.contains_key(&mirror::beside("backend", operation)) {
                    return Err(EngineError::NotFound { what: "the mirror".into() });
                }
                self.way = Way::Mirror(mirror::tag(operation));
                self.held = Some(mirror::tag(operation));
            }
            Action::SwitchTraffic { to_mirror: None, .. } => self.lead_back(),
            Action::ForgetMirror { operation, .. } => {
                self.lead_back();
                self.deployments.remove(&mirror::beside("backend", operation));
                (self.way, self.held) = (Way::Free, None);
            }
            other => panic!("a cluster is not told {other:?}"),
        }
        self.look();
        Ok(Accepted::Done)
    }

    fn lead_back(&mut self) {
        // Not before there is something to be led to.
        while matches!(self.way, Way::Mirror(_)) && !self.is_settled() {
            self.pass();
        }
        let mirror = self.held.as_ref().and_then(|tag| self.deployments.iter().find(|(name, _)| name.ends_with(tag.as_str())));
        let other = mirror.is_some_and(|(_, mirror)| mirror.image != self.own().image);
        self.way = if other { Way::Own(self.own().revision()) } else { Way::Free };
        if !other {
            self.held = None;
        }
    }

    pub fn snapshot(&self) -> Snapshot {
        let environment = Environment {
            id: EnvironmentId::new("local", "lms"),
            tier: Tier::Local,
            engine: EngineKind::Kubernetes,
            mechanics: Mechanics::Declared,
            endpoint: "https://127.0.0.1:6443 · context eu · namespace shop".into(),
            guard: Guard::Open,
        };
        Snapshot {
            environment: Arc::new(environment),
            at: self.now,
            workloads: self.deployments.iter().map(|(name, one)| Arc::new(self.workload(name, one))).collect(),
            lock: self.lock.clone().map(Arc::new),
            facts: Vec::new(),
            nodes: Vec::new(),
            notes: Vec::new(),
            file: None,
        }
    }

    fn workload(&self, name: &str, one: &Deployment) -> Workload {
        let current = one.revision();
        let updated = one.pods.iter().filter(|p| p.revision == current && self.is_ready(p)).count();
        let outdated = one.pods.iter().filter(|p| p.revision != current).count() as u32;
        let through = updated == one.desired as usize && one.pods.len() == updated;
        let late = self.now.duration_since(one.moved).as_secs() >= DEADLINE;
        let state = if late { RolloutState::Paused } else { RolloutState::Running };
        let of = |(number, image, _): &(u64, Arc<str>, u32)| Revision {
            number: *number,
            image: image.clone(),
            digest: None,
            at: None,
            by: None,
            cause: None,
        };
        let controller = Controller {
            namespace: "shop".into(),
            name: name.into(),
            strategy: "RollingUpdate (surge 1, unavailable 0)".into(),
            paused: self.paused,
            containers: self.containers.clone(),
            scaler: self.scaler.clone(),
            services: if self.served { vec!["backend".into()] } else { Vec::new() },
            ..Controller::default()
        };
        Workload {
            checks: Vec::new(),
            id: name.into(),
            kind: WorkloadKind::Deployment,
            desired: one.desired,
            resting: None,
            ready: updated as u32,
            verdict: Verdict::healthy(),
            image: one.image.clone(),
            digest: None,
            revision: Some(current),
            revisions: one.history.iter().rev().map(of).collect(),
            rollout: (!through).then(|| Rollout { state, message: "progress deadline exceeded".into(), outdated }),
            instances: one.pods.iter().map(|pod| Arc::new(self.instance(pod))).collect(),
            autoscaler: None,
            drift: None,
            created_at: None,
            controller: Some(controller.into()),
            capabilities: Capabilities::default(),
        }
    }

    fn instance(&self, pod: &Pod) -> Instance {
        let mut world = super::super::world::World::compose();
        let like = world.snapshot().workload(&"backend".into()).unwrap().instances[0].as_ref().clone();
        world.now = self.now;
        let verdict = if self.is_ready(pod) {
            Verdict::healthy()
        } else if self.bad.contains(&pod.image) {
            Verdict::because(Health::Unhealthy, "probe failed: 503")
        } else {
            Verdict::because(Health::Starting, "not ready yet")
        };
        Instance {
            id: InstanceId::new(format!("shop/{}", pod.name)),
            name: pod.name.as_str().into(),
            verdict,
            image: pod.image.clone(),
            revision: Some(pod.revision),
            started_at: Some(pod.born),
            created_at: Some(pod.born),
            has_healthcheck: !self.silent,
            ..like
        }
    }
}

impl Deployment {
    pub fn revision(&self) -> u64 {
        self.history.last().map_or(0, |(number, ..)| *number)
    }

    /// A template of before gets the newest number; another one is a new revision.
    fn next(&mut self, now: Timestamp) {
        let number = self.revision() + 1;
        let (image, restart) = (self.image.clone(), self.restart);
        // Its pods are of the newest, too.
        let before = self.history.iter().find(|(_, i, r)| (i, *r) == (&image, restart)).map(|(n, ..)| *n);
        for pod in self.pods.iter_mut().filter(|p| Some(p.revision) == before) {
            pod.revision = number;
        }
        self.history.retain(|(_, i, r)| (i, *r) != (&image, restart));
        self.history.push((number, image, restart));
        self.moved = now;
    }
}
