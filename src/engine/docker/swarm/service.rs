//! A service as a workload: its tasks in their places, how far its last update is, and what can be done with it.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use jiff::Timestamp;

use super::cluster::{Cluster, Held};
use super::task::{self, Attempt, Setting};
use crate::engine::docker::convert::{Details, Seen, is_ready, time};
use crate::engine::docker::labels;
use crate::model::health::roll_up;
use crate::model::{
    Capabilities, Health, Instance, InstanceState, Rollout, RolloutState, Verb, Verdict, Workload, WorkloadId, WorkloadKind,
};
use crate::observe::text::clean;

/// The containers of tasks on this node, by task.
pub type Containers<'a> = HashMap<&'a str, (&'a Seen, Option<&'a Details>)>;

/// The workload a service is; instances that did not change are those of `before`.
#[must_use]
pub fn workload(
    cluster: &Cluster,
    service: &Held,
    containers: &Containers<'_>,
    before: Option<&Arc<Workload>>,
    now: Timestamp,
) -> Workload {
    let tasks = cluster.tasks_of(service);
    let places = places(service, tasks);
    let ports = task::host_ports(&service.wire.endpoint.ports);
    let mut instances: Vec<Arc<Instance>> = Vec::new();
    let mut outdated = 0;
    for (place, attempts) in places.values().enumerate() {
        for attempt in shown(service, attempts) {
            let slot = attempt.slot.unwrap_or_else(|| u32::try_from(place + 1).unwrap_or(u32::MAX));
            outdated += u32::from(attempt.is_up() && !is_current(service, attempt));
            let new = instance(cluster, service, attempt, attempts, slot, containers, &ports, now);
            let old = before.and_then(|b| b.instances.iter().find(|i| i.id == new.id));
            instances.push(old.filter(|old| ***old == new).cloned().unwrap_or_else(|| Arc::new(new)));
        }
    }
    instances.sort_by(|a, b| (a.number, &a.id).cmp(&(b.number, &b.id)));
    let desired = desired(service, tasks);
    let ready = instances.iter().filter(|i| is_ready(i.state, &i.verdict)).count();
    let rollout = rollout(service, outdated);
    let (image, pinned) = task::image_of(&service.wire.spec.task_template);
    let current = service.history.current().map(|revision| revision.number);
    let local = instances.iter().filter(|i| i.revision == current && i.image == image).find_map(|i| i.digest.clone());
    let revisions = service.history.entries.iter().map(|entry| entry.revision.clone()).collect();
    let caps = capabilities(service, desired, &instances);
    Workload {
        checks: Vec::new(),
        id: WorkloadId(service.name.clone()),
        kind: if service.is_job() { WorkloadKind::Job } else { WorkloadKind::Service },
        desired,
        resting: service.wire.spec.labels.get(labels::RESTING).and_then(|n| n.parse().ok()),
        controller: None,
        ready: u32::try_from(ready).unwrap_or(u32::MAX),
        verdict: verdict(desired, &instances, rollout.as_ref()),
        image,
        digest: pinned.or(local),
        revision: current,
        revisions,
        rollout,
        instances,
        autoscaler: None,
        drift: None,
        created_at: service.wire.created_at.as_deref().and_then(time),
        capabilities: caps,
    }
}

/// The attempts of each place, newest first: a slot, or a node for what runs once on each.
fn places<'a>(service: &Held, tasks: &'a [Arc<Attempt>]) -> BTreeMap<(u32, Arc<str>), Vec<&'a Arc<Attempt>>> {
    let run = Some(service.run());
    let mut places: BTreeMap<(u32, Arc<str>), Vec<&Arc<Attempt>>> = BTreeMap::new();
    for task in tasks.iter().filter(|task| !service.is_job() || task.iteration == run) {
        places.entry(task.place()).or_default().push(task);
    }
    places
}

/// What is shown of a place: what is wanted there, what still ends, and what failed last while nothing wanted runs, or
/// only what is to be replaced by it.
fn shown<'a>(service: &Held, attempts: &[&'a Arc<Attempt>]) -> Vec<&'a Arc<Attempt>> {
    let mut shown: Vec<&Arc<Attempt>> = attempts.iter().copied().filter(|t| t.is_wanted() || t.is_up()).collect();
    let runs = shown.iter().any(|t| t.is_wanted() && (&*t.state == "running" || (&*t.state == "complete" && !t.has_failed())));
    let since = shown.iter().filter(|t| t.is_wanted() && &*t.state == "running").filter_map(|t| t.created_at).max();
    let explains = |t: &Attempt| !runs || (is_current(service, t) && t.created_at > since);
    // A place nobody wants any more (scaled down, another node) explains nothing.
    let wanted = shown.iter().any(|t| t.is_wanted());
    let told = shown.iter().any(|t| t.has_failed());
    let newest = attempts.iter().find(|t| !t.is_wanted() && !t.is_up());
    if let Some(failed) = newest.filter(|t| t.has_failed() && explains(t) && (wanted || shown.is_empty()) && !told) {
        shown.push(failed);
    }
    shown
}

fn is_current(service: &Held, task: &Attempt) -> bool {
    task.print == service.print && task.forced == service.forced
}

#[allow(clippy::too_many_arguments, reason = "what a task lacks comes from as many places")]
fn instance(
    cluster: &Cluster,
    service: &Held,
    task: &Attempt,
    place: &[&Arc<Attempt>],
    number: u32,
    containers: &Containers<'_>,
    ports: &[crate::model::Port],
    now: Timestamp,
) -> Instance {
    let node = cluster.node(&task.node);
    let mark = match (task.slot, &node) {
        (Some(slot), _) => slot.to_string(),
        (None, Some(node)) => node.to_string(),
        (None, None) => task.node.to_string(),
    };
    // Counted once: at what has taken their place.
    let older = place.iter().filter(|t| task.is_wanted() && t.id != task.id && t.created_at <= task.created_at);
    let failures = u32::try_from(older.filter(|t| t.has_failed()).count()).unwrap_or(u32::MAX);
    let revision = if task.print == service.print {
        service.history.current().map(|r| r.number)
    } else {
        // Of a definition nobody recorded: surely none of now.
        Some(service.history.number_of(task.print).unwrap_or(0))
    };
    let setting = Setting {
        name: format!("{}.{}", clean(&service.wire.spec.name), mark),
        number,
        revision,
        node,
        failures,
        container: containers.get(task.id.as_str()).copied(),
        host_ports: ports,
        now,
    };
    task::instance(task, &setting)
}

/// How many there are to be. A job that is through is to have none any more.
fn desired(service: &Held, tasks: &[Arc<Attempt>]) -> u32 {
    let mode = &service.wire.spec.mode;
    let run = Some(service.run());
    let of_run = || tasks.iter().filter(|t| t.iteration == run);
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    if let Some(replicated) = &mode.replicated {
        return u32::try_from(replicated.replicas.unwrap_or(1)).unwrap_or(u32::MAX);
    }
    if let Some(job) = &mode.replicated_job {
        let total = u32::try_from(job.total_completions.unwrap_or(1)).unwrap_or(u32::MAX);
        return total.saturating_sub(count(of_run().filter(|t| &*t.state == "complete").count()));
    }
    if mode.global_job.is_some() {
        return count(of_run().filter(|t| t.is_wanted() && &*t.state != "complete").count());
    }
    let mut nodes: Vec<&Arc<str>> = tasks.iter().filter(|t| t.is_wanted()).map(|t| &t.node).collect();
    nodes.sort();
    nodes.dedup();
    count(nodes.len())
}

fn rollout(service: &Held, outdated: u32) -> Option<Rollout> {
    let state = match service.rollout_state() {
        Some(state) => state,
        None if outdated > 0 => RolloutState::Running,
        None => return None,
    };
    let message = service.wire.update_status.as_ref().map_or("", |status| status.message.as_str());
    Some(Rollout { state, message: clean(message).into(), outdated })
}

/// As its instances are, and as the update under way is.
fn verdict(desired: u32, instances: &[Arc<Instance>], rollout: Option<&Rollout>) -> Verdict {
    let named: Vec<(&str, &Verdict)> = instances.iter().map(|i| (&*i.name, &i.verdict)).collect();
    let mut verdict = roll_up(desired, &named);
    let Some(rollout) = rollout else { return verdict };
    let old = rollout.outdated;
    let (least, text) = match rollout.state {
        RolloutState::Running => (Health::Starting, format!("an update is under way, {old} still as before")),
        RolloutState::Paused => (Health::Degraded, format!("the update is paused: {}", rollout.message)),
        RolloutState::GoingBack => (Health::Degraded, format!("the engine takes the update back: {}", rollout.message)),
        RolloutState::GoneBack => return verdict,
    };
    verdict.health = verdict.health.max(least);
    verdict.reasons.insert(usize::from(rollout.state == RolloutState::Running && !verdict.reasons.is_empty()), text.into());
    verdict
}

/// What cannot be done now, each with its reason.
fn capabilities(service: &Held, desired: u32, instances: &[Arc<Instance>]) -> Capabilities {
    let mut caps = Capabilities::default();
    let mut deny = |verbs: &[Verb], why: &str| {
        for verb in verbs {
            caps.denied.entry(*verb).or_insert_with(|| why.into());
        }
    };
    if service.is_job() {
        let all = [Verb::Scale, Verb::Restart, Verb::Stop, Verb::Start, Verb::Deploy, Verb::Rollback];
        deny(&all, "a job runs to its end and is not kept running; docker service update --force runs it once more");
    }
    if service.is_global() {
        let why = "it runs once on every node that fits: their number decides, not a number of replicas";
        deny(&[Verb::Scale, Verb::Stop, Verb::Start], why);
    }
    deny(&[Verb::Pause, Verb::Unpause], "Swarm cannot freeze a service; stop it to take it out of service");
    if desired == 0 {
        deny(&[Verb::Stop, Verb::Restart], "it is stopped");
    } else {
        deny(&[Verb::Start], "it is started already");
    }
    if service.history.entries.len() < 2 {
        deny(&[Verb::Rollback], "there is no earlier revision on record to go back to");
    }
    let running = |i: &&Arc<Instance>| i.state == InstanceState::Running;
    if !instances.iter().any(|i| running(&i)) {
        deny(&[Verb::Kill, Verb::Shell], "nothing of it is running");
    } else if let Some(why) =
        instances.iter().filter(running).map(|i| i.elsewhere.clone()).reduce(|a, b| a.filter(|_| b.is_some())).flatten()
    {
        deny(&[Verb::Shell], &format!("none of it runs on this node: {why}"));
    }
    deny(&[Verb::Drill], "a real engine plays no faults");
    caps
}
