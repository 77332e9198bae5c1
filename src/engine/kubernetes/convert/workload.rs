//! A workload put together from what makes it, what it made, what it was, and what stands around it.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::declared::Declared;
use super::history::{self, Past};
use super::pod::{Held, Maker};
use super::scaler;
use super::verdict::{self, Warning};
use super::{Key, capability, rollout};
use crate::engine::kubernetes::permissions::Rights;
use crate::model::health::roll_up;
use crate::model::{
    Controller, Health, Instance, InstanceState, Revision, Rollout, RolloutState, Scaler, Verdict, Workload, WorkloadId,
    WorkloadKind,
};

/// What a container wrote last before it crashed; empty where that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tail {
    pub container: Arc<str>,
    /// The crash it is of.
    pub restarts: u32,
    pub text: Arc<str>,
}

/// All there is to know of one workload.
pub struct Parts<'a> {
    pub id: WorkloadId,
    pub namespace: &'a Arc<str>,
    pub maker: &'a Maker,
    pub declared: Option<&'a Declared>,
    /// Its pods by name, each with its last warning.
    pub pods: Vec<(&'a Key, &'a Held, Option<&'a Warning>)>,
    /// What containers that crash wrote last, by pod.
    pub tails: &'a HashMap<Key, Tail>,
    pub past: &'a BTreeMap<Arc<str>, Past>,
    pub scaler: Option<&'a Arc<Scaler>>,
    pub services: &'a [Arc<str>],
    /// Of a schedule: its jobs by name.
    pub jobs: Vec<(&'a Arc<str>, &'a Declared)>,
    pub rights: &'a Rights,
    pub before: Option<&'a Arc<Workload>>,
}

/// The workload; what did not change is that of before.
#[must_use]
pub fn workload(parts: &Parts<'_>) -> Arc<Workload> {
    let (_, name) = parts.maker.words();
    let kind = kind(parts);
    let current = current(parts);
    let instances = instances(parts);
    let desired = desired(parts, kind, &instances);
    let older = instances.iter().filter(|i| counts(i) && i.revision.is_some() && current.is_some() && i.revision != current);
    let older = u32::try_from(older.count()).unwrap_or(u32::MAX);
    let rollout = parts.declared.and_then(|d| rollout::of(d, older));
    let image = parts
        .declared
        .map_or_else(|| instances.first().map(|i| i.image.clone()).unwrap_or_default(), |declared| declared.image(name));
    let digest = instances.iter().filter(|i| i.image == image && i.revision == current).find_map(|i| i.digest.clone());
    let ready = instances.iter().filter(|i| is_ready(i)).count();
    let controller = controller(parts);
    let revisions = revisions(parts, name, &image);
    let workload = Workload {
        checks: Vec::new(),
        id: parts.id.clone(),
        kind,
        desired,
        resting: parts.declared.and_then(|d| d.resting),
        ready: u32::try_from(ready).unwrap_or(u32::MAX),
        verdict: judge(parts, desired, &instances, rollout.as_ref()),
        image,
        digest,
        revision: current,
        rollout,
        autoscaler: parts.scaler.map(|s| scaler::line(s)),
        drift: None,
        created_at: parts.declared.map_or_else(|| instances.first().and_then(|i| i.created_at), |d| d.created_at),
        capabilities: capability::of(parts, kind, desired, &instances, revisions.len()),
        revisions,
        controller: Some(shared(controller, parts.before)),
        instances,
    };
    parts.before.filter(|before| ***before == workload).cloned().unwrap_or_else(|| Arc::new(workload))
}

fn shared(new: Controller, before: Option<&Arc<Workload>>) -> Arc<Controller> {
    let old = before.and_then(|b| b.controller.as_ref()).filter(|old| ***old == new);
    old.cloned().unwrap_or_else(|| Arc::new(new))
}

fn kind(parts: &Parts<'_>) -> WorkloadKind {
    match parts.maker {
        Maker::Deployment(_) => WorkloadKind::Deployment,
        Maker::StatefulSet(_) => WorkloadKind::StatefulSet,
        Maker::DaemonSet(_) => WorkloadKind::DaemonSet,
        Maker::Job(_) => WorkloadKind::Job,
        Maker::CronJob(_) => WorkloadKind::CronJob,
        Maker::Other(..) => WorkloadKind::Container,
    }
}

/// Whether it does its work now.
#[must_use]
pub fn is_ready(instance: &Instance) -> bool {
    instance.state == InstanceState::Running && matches!(instance.verdict.health, Health::Healthy | Health::Degraded)
}

/// Whether its workload counts it: it is there, and not on its way out.
fn counts(instance: &Instance) -> bool {
    !instance.one_off && !matches!(instance.state, InstanceState::Removing | InstanceState::Exited)
}

/// The number of what the controller was told last, as far as it has seen that.
fn current(parts: &Parts<'_>) -> Option<u64> {
    let declared = parts.declared?;
    match parts.maker {
        Maker::Deployment(_) => declared.revision,
        Maker::StatefulSet(_) => parts.past.get(&declared.progress.update_revision).map(|p| p.number),
        Maker::DaemonSet(_) => parts.past.values().map(|p| p.number).max(),
        Maker::Job(_) | Maker::CronJob(_) | Maker::Other(..) => None,
    }
}

/// The number of the definition a pod was made from. One nobody knows any more is surely none of now.
fn revision(parts: &Parts<'_>, held: &Held) -> Option<u64> {
    let hash = held.hash.as_ref().filter(|_| !parts.past.is_empty())?;
    let past = match parts.maker {
        Maker::Deployment(name) | Maker::DaemonSet(name) => parts.past.get(&*format!("{name}-{hash}")),
        Maker::StatefulSet(_) => parts.past.get(hash),
        Maker::Job(_) | Maker::CronJob(_) | Maker::Other(..) => return None,
    };
    Some(past.map_or(0, |p| p.number))
}

fn instances(parts: &Parts<'_>) -> Vec<Arc<Instance>> {
    let mut pods: Vec<_> = parts.pods.iter().collect();
    let ordered = matches!(parts.maker, Maker::StatefulSet(_));
    pods.sort_by(|(a, x, _), (b, y, _)| (x.instance.created_at, &a.name).cmp(&(y.instance.created_at, &b.name)));
    let mut all: Vec<Arc<Instance>> = Vec::with_capacity(pods.len());
    for (place, (key, held, warning)) in pods.into_iter().enumerate() {
        let base = &held.instance;
        let (verdict, mut checks) = verdict::with(&held.verdict, &held.doubt, *warning);
        let tail = parts.tails.get(*key).filter(|tail| held.crash.is_some() && !tail.text.is_empty());
        checks.extend(tail.map(verdict::last_words));
        let number = if ordered { base.number } else { u32::try_from(place + 1).unwrap_or(u32::MAX) };
        let revision = revision(parts, held);
        let one_off = base.one_off || matches!(parts.maker, Maker::CronJob(_));
        let same = (base.number, base.revision, base.one_off) == (number, revision, one_off)
            && base.verdict == verdict
            && base.checks == checks;
        if same {
            all.push(base.clone());
            continue;
        }
        let made = Arc::new(Instance { number, verdict, checks, revision, one_off, ..(**base).clone() });
        let old = parts.before.and_then(|b| b.instances.iter().find(|i| i.id == made.id)).filter(|old| **old == made);
        all.push(old.cloned().unwrap_or(made));
    }
    all.sort_by(|a, b| (a.number, &a.id).cmp(&(b.number, &b.id)));
    all
}

fn desired(parts: &Parts<'_>, kind: WorkloadKind, instances: &[Arc<Instance>]) -> u32 {
    match (kind, parts.declared) {
        (WorkloadKind::CronJob, _) => {
            let running = instances.iter().filter(|i| !matches!(i.state, InstanceState::Exited | InstanceState::Removing));
            u32::try_from(running.count()).unwrap_or(u32::MAX)
        }
        (_, Some(declared)) => declared.desired,
        (_, None) => u32::try_from(instances.iter().filter(|i| counts(i)).count()).unwrap_or(u32::MAX),
    }
}

fn revisions(parts: &Parts<'_>, name: &Arc<str>, image: &Arc<str>) -> Vec<Revision> {
    let looked = parts.declared.and_then(|d| d.containers.iter().find(|(_, i)| i == image)).map_or(&**name, |(c, _)| &**c);
    history::revisions(parts.past.values(), looked)
}

fn controller(parts: &Parts<'_>) -> Controller {
    let (_, name) = parts.maker.words();
    let base = Controller {
        namespace: parts.namespace.clone(),
        name: name.clone(),
        scaler: parts.scaler.map(|s| (**s).clone()),
        services: parts.services.to_vec(),
        ..Controller::default()
    };
    let Some(declared) = parts.declared else { return base };
    let bad = |(kind, state): (&Arc<str>, &super::declared::State)| -> Option<Arc<str>> {
        let wrong = match &**kind {
            "Available" | "Progressing" => !state.holds,
            "ReplicaFailure" | "Failed" | "FailureTarget" => state.holds,
            _ => false,
        };
        wrong.then(|| format!("{}: {}", state.reason, state.message).into())
    };
    Controller {
        strategy: declared.strategy.clone(),
        updated: declared.progress.updated,
        available: declared.progress.available,
        paused: declared.paused,
        schedule: declared.schedule.clone(),
        last_run: declared.last_run,
        containers: declared.containers.clone(),
        conditions: declared.conditions.iter().filter_map(bad).collect(),
        ports: declared.ports.clone(),
        ..base
    }
}

/// As its pods are, as its controller says, and as the update under way is.
fn judge(parts: &Parts<'_>, desired: u32, instances: &[Arc<Instance>], rollout: Option<&Rollout>) -> Verdict {
    if let Some(verdict) = parts.declared.and_then(|declared| of_runs(parts, declared, instances)) {
        return verdict;
    }
    let named: Vec<(&str, &Verdict)> =
        instances.iter().filter(|i| !i.one_off && i.state != InstanceState::Removing).map(|i| (&*i.name, &i.verdict)).collect();
    let mut verdict = roll_up(desired, &named);
    if let Some(failure) = parts.declared.and_then(|d| d.holds("ReplicaFailure")) {
        verdict.health = verdict.health.max(Health::Degraded);
        verdict.reasons.insert(0, format!("{}: {}", failure.reason, failure.message).into());
    }
    if let Some(scaler) = parts.scaler.and_then(|s| s.trouble.as_ref()).filter(|_| desired > 0) {
        verdict.health = verdict.health.max(Health::Degraded);
        verdict.reasons.push(format!("autoscaler: {scaler}").into());
    }
    let Some(rollout) = rollout else { return verdict };
    let old = rollout.outdated;
    match rollout.state {
        RolloutState::Running => {
            verdict.health = verdict.health.max(Health::Starting);
            let text = format!("an update is under way, {old} still as before: {}", rollout.message);
            let place = usize::from(!verdict.reasons.is_empty());
            verdict.reasons.insert(place, text.into());
        }
        RolloutState::Paused if rollout.message.contains("Deadline") => {
            verdict.health = verdict.health.max(Health::Degraded);
            verdict.reasons.insert(0, rollout.message.clone());
        }
        // Somebody wants it so: said, and no trouble.
        RolloutState::Paused => verdict.reasons.extend((verdict.health != Health::Healthy).then(|| rollout.message.clone())),
        RolloutState::GoingBack | RolloutState::GoneBack => {}
    }
    verdict
}

/// What runs to an end is judged by how that was.
fn of_runs(parts: &Parts<'_>, declared: &Declared, instances: &[Arc<Instance>]) -> Option<Verdict> {
    let ended = |job: &Declared| {
        let failed = job.holds("Failed").map(|c| format!("{}: {}", c.reason, c.message));
        (job.holds("Complete").is_some(), failed)
    };
    match declared.kind {
        WorkloadKind::Job => match ended(declared) {
            (true, _) => Some(Verdict::because(Health::Stopped, "done")),
            (false, Some(why)) => Some(Verdict::because(Health::Unhealthy, why)),
            (false, None) if declared.paused => Some(Verdict::because(Health::Stopped, "suspended")),
            (false, None) => None,
        },
        WorkloadKind::CronJob => {
            if declared.paused {
                return Some(Verdict::because(Health::Stopped, "suspended"));
            }
            let last = parts.jobs.iter().max_by_key(|(name, job)| (job.created_at, *name));
            let failed = last.and_then(|(name, job)| Some((name, ended(job).1?)));
            if let Some((name, why)) = failed {
                return Some(Verdict::because(Health::Degraded, format!("its last run {name} failed: {why}")));
            }
            let bad = instances.iter().filter(|i| i.state != InstanceState::Exited && i.verdict.health == Health::Unhealthy);
            let reasons: Vec<Arc<str>> =
                bad.filter_map(|i| Some(format!("{}: {}", i.name, i.verdict.reasons.first()?).into())).collect();
            let health = if reasons.is_empty() { Health::Healthy } else { Health::Degraded };
            Some(Verdict::new(health, reasons))
        }
        WorkloadKind::Deployment
        | WorkloadKind::StatefulSet
        | WorkloadKind::DaemonSet
        | WorkloadKind::Service
        | WorkloadKind::Container
        | WorkloadKind::Dependency => None,
    }
}
