//! From instances to workloads, environments and the inventory; what did not change is shared with the one before.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use jiff::Timestamp;

use super::{Details, Group, Places, Seen, instance, missing, verdict};
use crate::engine::docker::compose::Outcome;
use crate::engine::docker::labels;
use crate::model::health::roll_up;
use crate::model::{
    Capabilities, Environment, Instance, InstanceId, InstanceState, Inventory, LockHolder, Revision, Snapshot, Verb, Workload,
    WorkloadId, WorkloadKind,
};

/// What inspections added.
type DetailsById = HashMap<InstanceId, Details, std::hash::RandomState>;

/// What came of comparing projects with their files.
type Outcomes = HashMap<Arc<str>, Outcome, std::hash::RandomState>;

/// Everything the containers make up: as the list said that was `asked` for then, with ages as of `now`, each project
/// compared with its file.
#[must_use]
pub fn assemble<'a>(
    seen: impl IntoIterator<Item = &'a Seen>,
    details: &DetailsById,
    places: &Places,
    outcomes: &Outcomes,
    words: Arc<str>,
    before: Option<&Inventory>,
    (asked, now): (Timestamp, Timestamp),
) -> Inventory {
    let mut groups: BTreeMap<Group, Vec<&Seen>> =
        places.configured().filter(|group| !group.is_swarm()).map(|group| (group, Vec::new())).collect();
    for one in seen {
        groups.entry(one.group.clone()).or_default().push(one);
    }
    let mut environments: Vec<Arc<Snapshot>> = groups
        .iter()
        .filter_map(|(group, members)| {
            let environment = places.environment(group)?;
            let before = before.and_then(|b| b.environments.iter().find(|s| s.environment.id == environment.id));
            Some(snapshot(environment, members, details, outcomes.get(group.scope()), before, (asked, now)))
        })
        .collect();
    environments.sort_by(|a, b| a.environment.id.cmp(&b.environment.id));
    let basis = "1.00 CPU is one core; memory without inactive file cache, as docker stats".into();
    Inventory { at: asked, engine: words, basis, environments, drills: Vec::new() }
}

fn snapshot(
    environment: Environment,
    members: &[&Seen],
    details: &HashMap<InstanceId, Details>,
    outcome: Option<&Outcome>,
    before: Option<&Arc<Snapshot>>,
    (asked, now): (Timestamp, Timestamp),
) -> Arc<Snapshot> {
    let mut services: BTreeMap<&Arc<str>, Vec<&Seen>> = BTreeMap::new();
    let mut lock: Option<Arc<LockHolder>> = None;
    for seen in members {
        match &seen.lock {
            Some(holder) => lock = Some(holder.clone()),
            None => services.entry(&seen.workload).or_default().push(seen),
        }
    }
    let mut workloads: Vec<Arc<Workload>> = services
        .into_iter()
        .map(|(name, members)| {
            let id = WorkloadId(name.clone());
            let before = before.and_then(|b| b.workload(&id));
            let mut workload = workload(id, &members, details, before, now);
            workload.drift = outcome.and_then(|outcome| outcome.drifts.get(name)).cloned();
            match before {
                Some(before) if **before == workload => before.clone(),
                Some(_) | None => Arc::new(workload),
            }
        })
        .collect();
    let file = outcome.map(|outcome| outcome.file.clone());
    if let Some(outcome) = outcome {
        missing::add(outcome, before, &mut workloads);
    }
    if let Some(before) = before {
        let same = *before.environment == environment
            && before.lock == lock
            && before.file == file
            && before.workloads.len() == workloads.len()
            && before.workloads.iter().zip(&workloads).all(|(a, b)| Arc::ptr_eq(a, b));
        if same {
            return before.clone();
        }
    }
    let environment = match before {
        Some(before) if *before.environment == environment => before.environment.clone(),
        Some(_) | None => Arc::new(environment),
    };
    Arc::new(Snapshot {
        environment,
        at: asked,
        workloads,
        lock,
        facts: Vec::new(),
        nodes: Vec::new(),
        notes: outcome.and_then(|o| o.note.clone()).into_iter().collect(),
        file,
    })
}

fn workload(
    id: WorkloadId,
    members: &[&Seen],
    details: &HashMap<InstanceId, Details>,
    before: Option<&Arc<Workload>>,
    now: Timestamp,
) -> Workload {
    let mut instances: Vec<Arc<Instance>> = Vec::with_capacity(members.len());
    let mut desired = 0;
    for seen in members {
        let details = details.get(&seen.id);
        desired += u32::from(!seen.set_aside && !seen.one_off && verdict::is_meant_to_run(seen, details));
        let new = instance(seen, details, now);
        let old = before.and_then(|b| b.instances.iter().find(|i| i.id == new.id));
        instances.push(old.filter(|old| ***old == new).cloned().unwrap_or_else(|| Arc::new(new)));
    }
    instances.sort_by(|a, b| (a.number, &a.id).cmp(&(b.number, &b.id)));
    let replicas: Vec<&Arc<Instance>> = instances.iter().filter(|i| !i.set_aside && !i.one_off).collect();
    let ready = replicas.iter().filter(|i| verdict::is_ready(i.state, &i.verdict)).count();
    let rolled: Vec<_> = replicas.iter().map(|i| (i.name.as_ref(), &i.verdict)).collect();
    let newest = newest(members);
    let shown = newest.and_then(|n| instances.iter().find(|i| i.id == n.id));
    // What is kept after a way back tells of later revisions than what runs.
    let latest = members.iter().filter(|s| !s.one_off).max_by_key(|s| s.revision).copied();
    let history = |of: Option<&Seen>| of.map(|s| revisions(s, details.get(&s.id))).unwrap_or_default();
    let current = history(newest).first().map(|r| r.number);
    let revisions = history(latest);
    let kind = if newest.is_some_and(|n| n.group == Group::Loose) { WorkloadKind::Container } else { WorkloadKind::Service };
    Workload {
        checks: Vec::new(),
        id,
        kind,
        desired,
        ready: u32::try_from(ready).unwrap_or(u32::MAX),
        verdict: roll_up(desired, &rolled),
        image: shown.map_or_else(|| "".into(), |i| i.image.clone()),
        digest: shown.and_then(|i| i.digest.clone()),
        revision: current,
        capabilities: of_a_task(newest, capabilities(kind, &replicas, &revisions)),
        revisions,
        resting: None,
        controller: None,
        rollout: None,
        autoscaler: None,
        drift: None,
        created_at: shown.and_then(|i| i.created_at),
        instances,
    }
}

/// The container that tells what the workload is now: the newest replica, else the newest of whatever is there.
fn newest<'a>(members: &[&'a Seen]) -> Option<&'a Seen> {
    let rank = |s: &&&Seen| (!s.set_aside && !s.one_off, !s.set_aside, s.revision, s.created_at, s.number);
    members.iter().max_by_key(rank).copied()
}

/// What its label tells, else that it is the first.
fn revisions(newest: &Seen, details: Option<&Details>) -> Vec<Revision> {
    if !newest.history.is_empty() {
        return newest.history.clone();
    }
    vec![Revision {
        number: newest.revision.unwrap_or(1),
        image: newest.image_name(details),
        digest: newest.image_id.clone(),
        at: newest.created_at,
        by: None,
        cause: None,
    }]
}

/// A container of a Swarm task is the manager's: what is shown of it here (on a worker) is not made anew by hand.
fn of_a_task(newest: Option<&Seen>, mut caps: Capabilities) -> Capabilities {
    let Some(seen) = newest.filter(|seen| seen.task.is_some()) else { return caps };
    let service = seen.labels.get(labels::TASK_SERVICE).map_or("a service", |name| &**name);
    let why: Arc<str> = format!("it is a task of the Swarm service {service}: change that on a manager").into();
    for verb in [Verb::Scale, Verb::Deploy, Verb::Rollback, Verb::Start, Verb::Pause, Verb::Unpause, Verb::Remove] {
        caps.denied.insert(verb, why.clone());
    }
    caps
}

/// What cannot be done now, each with its reason.
fn capabilities(kind: WorkloadKind, replicas: &[&Arc<Instance>], revisions: &[Revision]) -> Capabilities {
    let mut caps = Capabilities::default();
    let any = |state: &[InstanceState]| replicas.iter().any(|i| state.contains(&i.state));
    let mut deny = |verbs: &[Verb], why: &str| {
        for verb in verbs {
            caps.denied.entry(*verb).or_insert_with(|| why.into());
        }
    };
    if replicas.is_empty() {
        let all = [Verb::Scale, Verb::Restart, Verb::Stop, Verb::Start, Verb::Pause, Verb::Unpause, Verb::Deploy, Verb::Rollback];
        deny(&all, "only one-off containers of docker compose run, or what an operation has set aside, are here");
    }
    if kind == WorkloadKind::Container {
        deny(&[Verb::Scale], "a container outside a Compose project is one of its kind; only a Compose service has replicas");
    }
    if revisions.len() < 2 {
        deny(&[Verb::Rollback], "there is no earlier revision on record to go back to");
    }
    if !any(&[InstanceState::Running, InstanceState::Restarting, InstanceState::Paused]) {
        deny(&[Verb::Stop, Verb::Kill], "nothing of it is running");
    }
    if !any(&[InstanceState::Running]) {
        deny(&[Verb::Shell, Verb::Pause], "nothing of it is running");
    }
    if !any(&[InstanceState::Paused]) {
        deny(&[Verb::Unpause], "nothing of it is paused");
    }
    if !replicas.is_empty() && !any(&[InstanceState::Exited, InstanceState::Created, InstanceState::Dead]) {
        deny(&[Verb::Start], "all of it is started already");
    }
    deny(&[Verb::Drill], "a real engine plays no faults");
    caps
}
