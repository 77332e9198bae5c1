//! From what is held of a Swarm to environments: one for each stack, one for services without.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use jiff::Timestamp;

use super::cluster::{Held, Membership};
use super::facts::facts;
use super::service::{Containers, workload};
use crate::engine::docker::convert::{Details, Group, Places, Seen};
use crate::model::{Health, InstanceId, Inventory, Snapshot, Workload, WorkloadId};

/// What inspections added.
type DetailsById = HashMap<InstanceId, Details, std::hash::RandomState>;

/// The environments of a Swarm, unchanged ones shared with `before`.
#[must_use]
pub fn environments(
    membership: &Membership,
    places: &Places,
    (seen, details): (&[Seen], &DetailsById),
    before: Option<&Inventory>,
    now: Timestamp,
) -> Vec<Arc<Snapshot>> {
    let mut groups: BTreeMap<&Group, Vec<&Arc<Held>>> = BTreeMap::new();
    let configured: Vec<Group> = places.configured().filter(Group::is_swarm).collect();
    groups.extend(configured.iter().map(|group| (group, Vec::new())));
    let lost_from_the_start = matches!(membership, Membership::Lost { last: None, .. });
    if lost_from_the_start {
        groups.entry(&Group::NoStack).or_default();
    }
    for service in membership.cluster().iter().flat_map(|cluster| &cluster.services) {
        groups.entry(&service.group).or_default().push(service);
    }
    if groups.is_empty() {
        return Vec::new();
    }
    let containers: Containers<'_> = seen.iter().filter_map(|s| Some((s.task.as_deref()?, (s, details.get(&s.id))))).collect();
    groups
        .into_iter()
        .filter_map(|(group, services)| snapshot(membership, places, group, &services, &containers, before, now))
        .collect()
}

fn snapshot(
    membership: &Membership,
    places: &Places,
    group: &Group,
    services: &[&Arc<Held>],
    containers: &Containers<'_>,
    before: Option<&Inventory>,
    now: Timestamp,
) -> Option<Arc<Snapshot>> {
    let environment = places.environment(group)?;
    let before = before.and_then(|b| b.environments.iter().find(|s| s.environment.id == environment.id));
    let cluster = membership.cluster();
    let mut workloads: Vec<Arc<Workload>> = Vec::with_capacity(services.len());
    for service in services {
        let Some(cluster) = cluster else { continue };
        let old = before.and_then(|b| b.workload(&WorkloadId(service.name.clone())));
        let mut new = workload(cluster, service, containers, old, now);
        if let (Membership::Lost { .. }, Some(note)) = (membership, membership.note()) {
            // Nobody knows how it is now.
            new.verdict.health = new.verdict.health.max(Health::Unknown);
            new.verdict.reasons.insert(0, note);
        }
        workloads.push(old.filter(|old| ***old == new).cloned().unwrap_or_else(|| Arc::new(new)));
    }
    workloads.sort_by(|a, b| a.id.cmp(&b.id));
    let lock = cluster.and_then(|c| c.locks.get(group.scope())).cloned();
    let facts = cluster.map(|cluster| facts(cluster, services)).unwrap_or_default();
    let notes: Vec<Arc<str>> = membership.note().into_iter().collect();
    if let Some(before) = before {
        let same = *before.environment == environment
            && (&before.lock, &before.facts, &before.notes) == (&lock, &facts, &notes)
            && before.workloads.len() == workloads.len()
            && before.workloads.iter().zip(&workloads).all(|(a, b)| Arc::ptr_eq(a, b));
        if same {
            return Some(before.clone());
        }
    }
    let environment = match before {
        Some(before) if *before.environment == environment => before.environment.clone(),
        Some(_) | None => Arc::new(environment),
    };
    let at = cluster.map_or(now, |cluster| cluster.at);
    Some(Arc::new(Snapshot { environment, at, workloads, lock, facts, nodes: Vec::new(), notes, file: None }))
}
