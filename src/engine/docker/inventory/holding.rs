//! What is held of the engine between answers: the containers as listed, what inspections added, what a Swarm manager
//! told, and the last inventory.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;

use crate::engine::EngineError;
use crate::engine::docker::client::Client;
use crate::engine::docker::compose::{Outcome, Project, Sources};
use crate::engine::docker::convert::{Details, Group, Interner, Places, Seen, assemble, list};
use crate::engine::docker::events::Event;
use crate::engine::docker::known::Whereabouts;
use crate::engine::docker::swarm::task::Attempt;
use crate::engine::docker::swarm::{Look, Membership, environments};
use crate::engine::docker::wire::Inspected;
use crate::model::{Health, InstanceId, InstanceState, Inventory};

/// Containers that are not well looked at again in one go, at most.
const UNWELL_AT_ONCE: usize = 32;
/// An event that is this much older than the last list was in it, nanoseconds: clocks differ a little.
const SKEW_NS: i64 = 2_000_000_000;

/// What is held between answers.
pub(super) struct Holding {
    places: Places,
    interner: Interner,
    seen: Vec<Seen>,
    membership: Membership,
    details: HashMap<InstanceId, Details>,
    /// Something happened to these since they were inspected.
    touched: HashSet<InstanceId>,
    last: Option<Arc<Inventory>>,
    sources: Sources,
    /// What came of comparing projects with their files.
    outcomes: HashMap<Arc<str>, Outcome>,
    /// When the last list was asked for.
    asked: Timestamp,
}

impl Holding {
    pub(super) fn new(client: &Client) -> Self {
        Self {
            places: client.places(),
            interner: Interner::default(),
            seen: Vec::new(),
            membership: Membership::default(),
            details: HashMap::new(),
            touched: HashSet::new(),
            last: None,
            sources: Sources::default(),
            outcomes: HashMap::new(),
            asked: Timestamp::UNIX_EPOCH,
        }
    }

    pub(super) fn places(&self) -> &Places {
        &self.places
    }

    /// What the engine is in a Swarm.
    pub(super) fn membership(&self) -> &Membership {
        &self.membership
    }

    /// Takes a look at the Swarm in.
    pub(super) fn looked(&mut self, look: Look) {
        self.membership.take(look, &mut self.interner);
    }

    /// Where a service is shown, and as what.
    pub(super) fn service(&self, id: &str) -> Option<(Group, Arc<str>)> {
        let services = &self.membership.cluster()?.services;
        services.iter().find(|s| s.wire.id == id).map(|s| (s.group.clone(), s.name.clone()))
    }

    pub(super) fn begin_list(&mut self, now: Timestamp) {
        self.asked = now;
    }

    /// Takes a new list in.
    pub(super) fn listed(&mut self, body: &[u8]) -> Result<(), String> {
        let before: HashMap<InstanceId, Seen> = self.seen.drain(..).map(|s| (s.id.clone(), s)).collect();
        let (seen, interner) = (&mut self.seen, &mut self.interner);
        let odd = list::read(body, |listed| {
            let known = before.get(&InstanceId::new(listed.id.as_str()));
            seen.extend(Seen::new(listed, known, interner));
        });
        if odd.is_err() {
            // What was known stays known.
            self.seen = before.into_values().collect();
        }
        let odd = odd?;
        if odd > 0 {
            tracing::warn!(odd, "containers in the list could not be read");
        }
        let there: HashSet<&InstanceId> = self.seen.iter().map(|s| &s.id).collect();
        self.details.retain(|id, _| there.contains(id));
        self.touched.retain(|id| there.contains(id));
        Ok(())
    }

    /// Whether the event is about something the last list cannot have told.
    pub(super) fn is_news(&self, event: &Event) -> bool {
        let asked_ns = i64::try_from(self.asked.as_nanosecond()).unwrap_or(0);
        !event.is_of_swarm() && event.changes_the_list() && event.at_ns() >= asked_ns.saturating_sub(SKEW_NS)
    }

    /// Something happened to it: what was inspected may not be true any more.
    pub(super) fn touch(&mut self, id: &InstanceId) {
        self.touched.insert(id.clone());
    }

    /// Containers whose inspection is missing or outdated, and whether it is urgent.
    pub(super) fn lacking(&mut self) -> Vec<(InstanceId, bool)> {
        let lacking = |s: &&Seen| {
            s.lock.is_none() && (self.touched.contains(&s.id) || self.details.get(&s.id).is_none_or(|d| d.key != s.key()))
        };
        let ids = self.seen.iter().filter(lacking).map(|s| (s.id.clone(), s.looks_wrong())).collect();
        self.touched.clear();
        ids
    }

    /// Containers whose health log grows without events.
    pub(super) fn unwell(&self) -> Vec<(InstanceId, bool)> {
        let unwell =
            |s: &&Seen| s.state == InstanceState::Running && matches!(s.health, Some(Health::Unhealthy | Health::Starting));
        self.seen.iter().filter(unwell).take(UNWELL_AT_ONCE).map(|s| (s.id.clone(), false)).collect()
    }

    /// Takes an inspection in. True when the list should be asked again: the container is gone.
    pub(super) fn add(&mut self, id: InstanceId, answer: Result<Inspected, EngineError>) -> bool {
        match answer {
            Ok(inspected) => {
                if let Some(seen) = self.seen.iter().find(|s| s.id == id) {
                    let details = Details::new(&inspected, seen.key(), &mut self.interner);
                    self.details.insert(id, details);
                }
                false
            }
            Err(EngineError::NotFound { .. }) => self.seen.iter().any(|s| s.id == id),
            // The next list asks again.
            Err(_) => false,
        }
    }

    /// The projects whose files are at hand.
    pub(super) fn projects(&mut self, is_local: bool) -> Vec<Project> {
        let mut groups: BTreeMap<Group, Vec<&Seen>> = self.places.configured().map(|group| (group, Vec::new())).collect();
        for one in &self.seen {
            groups.entry(one.group.clone()).or_default().push(one);
        }
        let mut projects = Vec::new();
        for (group, members) in groups.iter().filter(|(group, _)| self.places.name(group).is_some()) {
            let Some(source) = self.sources.of(group, self.places.spec(group), members, is_local) else { continue };
            let mut services: BTreeMap<Arc<str>, Vec<Arc<str>>> = BTreeMap::new();
            for seen in members.iter().filter(|s| s.lock.is_none() && !s.one_off && !s.set_aside) {
                services.entry(seen.workload.clone()).or_default().push(seen.id.0.clone());
            }
            projects.push(Project { name: group.scope().into(), source, services });
        }
        self.outcomes.retain(|name, _| projects.iter().any(|p| p.name == *name));
        for project in &projects {
            self.outcomes.entry(project.name.clone()).or_insert_with(|| Outcome::reading(&project.source));
        }
        projects
    }

    /// Takes in how a project compares with its file.
    pub(super) fn compared(&mut self, project: &Arc<str>, outcome: Outcome) {
        if let Some(held) = self.outcomes.get_mut(project) {
            *held = outcome;
        }
    }

    /// The inventory of all that is held; none when the last one still holds. It is as old as its list, whatever
    /// inspections have added since: who waits for what comes after a deed must not be shown what was before it.
    pub(super) fn inventory(&mut self, client: &Client, now: Timestamp) -> Option<Arc<Inventory>> {
        self.places.endpoint = client.endpoint();
        let project = |seen: &Seen| match &seen.group {
            Group::Project(name) => Some(name.clone()),
            Group::Loose | Group::Stack(_) | Group::NoStack => None,
        };
        self.places.projects = self.seen.iter().filter_map(project).collect();
        let last = self.last.as_deref();
        let hidden = self.membership.shows_tasks();
        let seen = self.seen.iter().filter(|seen| !hidden || seen.task.is_none());
        let times = (self.asked, now);
        let mut inventory = assemble(seen, &self.details, &self.places, &self.outcomes, client.words(), last, times);
        let swarm = environments(&self.membership, &self.places, (&self.seen, &self.details), last, now);
        inventory.environments.extend(swarm);
        inventory.environments.sort_by(|a, b| a.environment.id.cmp(&b.environment.id));
        let same = self.last.as_ref().is_some_and(|last| {
            last.engine == inventory.engine
                && last.environments.len() == inventory.environments.len()
                && last.environments.iter().zip(&inventory.environments).all(|(a, b)| Arc::ptr_eq(a, b))
        });
        if same {
            return None;
        }
        let swarm = self.membership.cluster();
        let groups = self.seen.iter().map(|s| &s.group).chain(swarm.iter().flat_map(|cluster| cluster.groups()));
        client.known().set_groups(self.places.named(groups.chain([&Group::NoStack])));
        client.known().set_tasks(self.whereabouts(&inventory));
        client.known().retain_readings(|id| self.seen.iter().any(|s| &s.id == id));
        let inventory = Arc::new(inventory);
        self.last = Some(inventory.clone());
        self.interner.sweep();
        Some(inventory)
    }

    /// Where the tasks are.
    fn whereabouts(&self, inventory: &Inventory) -> HashMap<InstanceId, Whereabouts> {
        let Some(cluster) = self.membership.cluster() else { return HashMap::new() };
        let here: HashMap<&str, &InstanceId> = self.seen.iter().filter_map(|s| Some((s.task.as_deref()?, &s.id))).collect();
        let reasons: HashMap<&InstanceId, Arc<str>> = inventory
            .environments
            .iter()
            .flat_map(|e| e.workloads.iter().flat_map(|w| &w.instances))
            .filter_map(|i| Some((&i.id, i.elsewhere.clone()?)))
            .collect();
        let mut found = HashMap::new();
        for tasks in cluster.tasks.values() {
            for (at, task) in tasks.iter().enumerate() {
                let same_place = |t: &&Arc<Attempt>| t.place() == task.place();
                let before = tasks[at + 1..].iter().find(same_place).map(|t| t.id.clone());
                let container = here.get(task.id.as_str()).map(|id| id.0.clone());
                let elsewhere = reasons.get(&task.id).cloned();
                found.insert(task.id.clone(), Whereabouts { container, before, elsewhere });
            }
        }
        found
    }
}
