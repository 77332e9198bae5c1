//! What is held of a Swarm between two looks: services with their history, tasks, nodes, networks, locks.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use jiff::Timestamp;

use super::history::History;
use super::look::{Answer, Around, Look};
use super::task::Attempt;
use super::wire::{Network, Node, Service};
use crate::engine::docker::convert::{Group, Interner, lock_holder, time};
use crate::engine::docker::labels;
use crate::model::{LockHolder, RolloutState};
use crate::observe::text::clean;

/// A service as the manager tells it, with what is made of its labels.
#[derive(Clone, Debug, PartialEq)]
pub struct Held {
    pub wire: Service,
    pub group: Group,
    /// Its name without that of its stack.
    pub name: Arc<str>,
    pub history: History,
    /// What its template is now: the tasks of it carry the same.
    pub print: u64,
    pub forced: u64,
}

/// All a manager knows.
#[derive(Clone, Debug, Default)]
pub struct Cluster {
    /// When the services were asked for.
    pub at: Timestamp,
    pub services: Vec<Arc<Held>>,
    /// By service, newest first.
    pub tasks: HashMap<String, Vec<Arc<Attempt>>>,
    pub nodes: Vec<Node>,
    pub networks: Vec<Network>,
    /// By scope.
    pub locks: BTreeMap<Arc<str>, Arc<LockHolder>>,
}

/// What the engine is in a Swarm.
#[derive(Clone, Debug, Default)]
pub enum Membership {
    /// Nobody has asked yet.
    #[default]
    Unknown,
    Outside,
    Worker,
    Manager(Box<Cluster>),
    /// It was asked in vain; what was known before is still shown.
    Lost {
        last: Option<Box<Cluster>>,
        why: Arc<str>,
        since: Timestamp,
    },
}

impl Membership {
    /// What is known of the Swarm, however old.
    #[must_use]
    pub fn cluster(&self) -> Option<&Cluster> {
        match self {
            Self::Manager(cluster) | Self::Lost { last: Some(cluster), .. } => Some(cluster),
            Self::Unknown | Self::Outside | Self::Worker | Self::Lost { last: None, .. } => None,
        }
    }

    /// Whether the containers of tasks are shown as their tasks and not by themselves.
    #[must_use]
    pub fn shows_tasks(&self) -> bool {
        matches!(self, Self::Unknown) || self.cluster().is_some()
    }

    /// What is wrong with what is shown of the Swarm.
    #[must_use]
    pub fn note(&self) -> Option<Arc<str>> {
        match self {
            Self::Unknown | Self::Manager(_) => None,
            Self::Outside => Some("this engine is in no Swarm".into()),
            Self::Worker => Some("this node is a worker of its Swarm: services are seen and changed on a manager".into()),
            Self::Lost { last, why, since } => {
                let shown = if last.is_some() { ": what is shown is from before" } else { "" };
                let since = since.strftime("%H:%M:%S");
                Some(format!("the Swarm has not answered since {since} UTC{shown} ({})", why.trim_end_matches('.')).into())
            }
        }
    }

    /// Takes a look in.
    pub fn take(&mut self, look: Look, interner: &mut Interner) {
        let before = std::mem::take(self);
        *self = match (look.answer, before) {
            (Answer::Outside, _) => Self::Outside,
            (Answer::Worker, _) => Self::Worker,
            (Answer::Trouble(why), Self::Manager(last)) => Self::Lost { last: Some(last), why, since: look.at },
            (Answer::Trouble(why), Self::Lost { last, since, .. }) => Self::Lost { last, why, since },
            (Answer::Trouble(why), Self::Unknown | Self::Worker | Self::Outside) => {
                Self::Lost { last: None, why, since: look.at }
            }
            (Answer::Manager { services, tasks, around }, before) => {
                let before = match before {
                    Self::Manager(last) | Self::Lost { last: Some(last), .. } => *last,
                    Self::Unknown | Self::Outside | Self::Worker | Self::Lost { last: None, .. } => Cluster::default(),
                };
                let mut cluster = Cluster { at: look.at, ..before };
                cluster.take_services(services, interner);
                cluster.tasks.clear();
                for task in &tasks {
                    let attempt = Arc::new(Attempt::new(task, interner));
                    cluster.tasks.entry(task.service_id.clone()).or_default().push(attempt);
                }
                for list in cluster.tasks.values_mut() {
                    list.sort_by(|a, b| (b.created_at, &b.id).cmp(&(a.created_at, &a.id)));
                }
                if let Some(around) = around {
                    cluster.take_around(around);
                }
                Self::Manager(Box::new(cluster))
            }
        };
    }
}

impl Cluster {
    fn take_services(&mut self, services: Vec<Service>, interner: &mut Interner) {
        let mut before: HashMap<String, Arc<Held>> = self.services.drain(..).map(|held| (held.wire.id.clone(), held)).collect();
        for wire in services {
            let same = before.remove(&wire.id).filter(|held| held.wire == wire);
            self.services.push(same.unwrap_or_else(|| Arc::new(Held::new(wire, interner))));
        }
    }

    fn take_around(&mut self, around: Around) {
        self.nodes = around.nodes;
        self.networks = around.networks;
        self.locks.clear();
        for config in around.configs {
            let Some(scope) = config.spec.labels.get(labels::LOCK) else { continue };
            let created = config.created_at.as_deref().and_then(time).unwrap_or_default();
            self.locks.insert(clean(scope).into(), Arc::new(lock_holder(&config.spec.labels, created)));
        }
    }

    /// The tasks of a service, newest first.
    #[must_use]
    pub fn tasks_of(&self, service: &Held) -> &[Arc<Attempt>] {
        self.tasks.get(&service.wire.id).map_or(&[], Vec::as_slice)
    }

    /// What people call a node.
    #[must_use]
    pub fn node(&self, id: &str) -> Option<Arc<str>> {
        let node = self.nodes.iter().find(|node| node.id == id)?;
        let name = if node.description.hostname.is_empty() { id } else { &node.description.hostname };
        Some(clean(name).into())
    }

    /// Whether something is on its way that no event will tell of: tasks of other nodes move without.
    #[must_use]
    pub fn is_moving(&self) -> bool {
        self.services.iter().any(|service| {
            let tasks = self.tasks_of(service);
            let updating = matches!(service.rollout_state(), Some(RolloutState::Running | RolloutState::GoingBack));
            updating || tasks.iter().any(|task| task.is_moving())
        })
    }

    /// The groups there are.
    pub fn groups(&self) -> impl Iterator<Item = &Group> {
        self.services.iter().map(|service| &service.group)
    }
}

impl Held {
    /// A service, its history read.
    #[must_use]
    pub fn new(wire: Service, interner: &mut Interner) -> Self {
        let stack = wire.spec.labels.get(labels::STACK).filter(|stack| !stack.is_empty());
        let bare = stack.and_then(|stack| wire.spec.name.strip_prefix(stack.as_str())?.strip_prefix('_'));
        let bare = bare.filter(|name| !name.is_empty()).unwrap_or(&wire.spec.name);
        Self {
            name: interner.text(bare),
            group: stack.map_or(Group::NoStack, |stack| Group::Stack(interner.text(stack))),
            history: History::of(&wire),
            print: super::template::fingerprint(&wire.spec.task_template),
            forced: super::template::forced(&wire.spec.task_template),
            wire,
        }
    }

    /// What the manager says of the last update; `None` when it is through, or was never one.
    #[must_use]
    pub fn rollout_state(&self) -> Option<RolloutState> {
        match self.wire.update_status.as_ref()?.state.as_str() {
            "updating" => Some(RolloutState::Running),
            "paused" | "rollback_paused" => Some(RolloutState::Paused),
            "rollback_started" => Some(RolloutState::GoingBack),
            "rollback_completed" => Some(RolloutState::GoneBack),
            _ => None,
        }
    }

    /// Of a job: which of its runs is the last. A task of the first says 0, or nothing.
    #[must_use]
    pub fn run(&self) -> u64 {
        self.wire.job_status.as_ref().map_or(0, |job| job.job_iteration.index)
    }

    /// Whether it runs to an end.
    #[must_use]
    pub fn is_job(&self) -> bool {
        self.wire.spec.mode.replicated_job.is_some() || self.wire.spec.mode.global_job.is_some()
    }

    /// Whether it runs once on every node that fits.
    #[must_use]
    pub fn is_global(&self) -> bool {
        self.wire.spec.mode.global.is_some() || self.wire.spec.mode.global_job.is_some()
    }
}
