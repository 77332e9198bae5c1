//! One health out of many signs: what an engine says of its workloads, and what probes and alerts say beside it. Worst first,
//! with reasons, and since when.
//!
//! - A probe of an instance that has failed makes that instance unhealthy, and its workload degraded, or unhealthy when no
//!   instance is left that is not.
//! - A probe of a workload as a whole that has failed makes the workload unhealthy, whatever its instances say.
//! - An alert that fires and is not silenced makes its workload degraded; one that is critical unhealthy.
//! - What is stopped on purpose, or still starting, is not made worse by a probe that does not answer.
//! - What is probed or alerted on and is no workload of the engine is a row of its own: a dependency.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use crate::model::{Capabilities, Check, Health, Instance, InstanceId, Snapshot, Verdict, Workload, WorkloadId, WorkloadKind};

/// What is known of an environment beside its engine.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Signs {
    pub instances: BTreeMap<InstanceId, Vec<Check>>,
    /// Of workloads as a whole; a name that is no workload's is a dependency's.
    pub workloads: BTreeMap<WorkloadId, Vec<Check>>,
}

impl Signs {
    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.instances.is_empty() && self.workloads.is_empty()
    }

    fn touches(&self, workload: &Workload) -> bool {
        self.workloads.contains_key(&workload.id)
            || (!self.instances.is_empty() && workload.instances.iter().any(|i| self.instances.contains_key(&i.id)))
    }
}

/// An environment as it was observed, and as it was judged.
#[derive(Clone, Copy, Debug)]
pub struct Judged<'a> {
    pub observed: &'a Arc<Snapshot>,
    pub judged: &'a Arc<Snapshot>,
}

/// The environment with every sign taken in. What has not changed since `before` is shared with it; without signs and
/// changes of health it is the observed one itself. `now` is when a health that differs from before began.
#[must_use]
pub fn judge(observed: &Arc<Snapshot>, signs: &Signs, before: Option<Judged<'_>>, now: Timestamp) -> Arc<Snapshot> {
    let mut workloads: Vec<Arc<Workload>> = Vec::with_capacity(observed.workloads.len());
    for raw in &observed.workloads {
        let was =
            before.and_then(|b| Some((near(b.observed, workloads.len(), &raw.id)?, near(b.judged, workloads.len(), &raw.id)?)));
        workloads.push(workload(raw, signs, was, now));
    }
    for (id, checks) in &signs.workloads {
        if observed.workload(id).is_none() {
            let was = before.and_then(|b| b.judged.workload(id));
            workloads.push(dependency(id, checks, was, now));
        }
    }
    if same(&observed.workloads, &workloads) {
        return observed.clone();
    }
    workloads.sort_by(|a, b| a.id.cmp(&b.id));
    if let Some(before) = before
        && Arc::ptr_eq(before.observed, observed)
        && same(&before.judged.workloads, &workloads)
    {
        return before.judged.clone();
    }
    Arc::new(Snapshot { workloads, ..observed.as_ref().clone() })
}

/// A workload that is most likely at this place: nothing is looked for among thousands that has not moved.
fn near<'a>(snapshot: &'a Snapshot, at: usize, id: &WorkloadId) -> Option<&'a Arc<Workload>> {
    snapshot.workloads.get(at).filter(|w| &w.id == id).or_else(|| snapshot.workload(id))
}

fn same(a: &[Arc<Workload>], b: &[Arc<Workload>]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| Arc::ptr_eq(a, b))
}

fn workload(raw: &Arc<Workload>, signs: &Signs, was: Option<(&Arc<Workload>, &Arc<Workload>)>, now: Timestamp) -> Arc<Workload> {
    let touched = signs.touches(raw);
    if let Some((observed, judged)) = was
        && !touched
        && Arc::ptr_eq(observed, raw)
        && is_plain(observed, judged)
    {
        return judged.clone();
    }
    let was = was.map(|(_, judged)| judged);
    let instances: Vec<Arc<Instance>> = raw
        .instances
        .iter()
        .enumerate()
        .map(|(at, i)| {
            instance(i, signs, was.and_then(|w| w.instances.get(at).filter(|o| o.id == i.id).or_else(|| find(w, &i.id))), now)
        })
        .collect();
    let checks = signs.workloads.get(&raw.id).cloned().unwrap_or_default();
    let mut verdict = raw.verdict.clone();
    if touched {
        from_instances(raw, &instances, &mut verdict);
        worsen(&mut verdict, &checks);
    }
    since(&mut verdict, was.map(|w| &w.verdict), now);
    let shared = instances.iter().zip(&raw.instances).all(|(a, b)| Arc::ptr_eq(a, b));
    if shared && checks.is_empty() && verdict == raw.verdict {
        return raw.clone();
    }
    Arc::new(Workload { verdict, checks, instances, ..raw.as_ref().clone() })
}

/// Whether no sign had been taken into it.
fn is_plain(observed: &Workload, judged: &Workload) -> bool {
    let same = |a: &Instance, b: &Instance| a.checks.len() == b.checks.len();
    judged.checks.len() == observed.checks.len()
        && judged.instances.iter().zip(&observed.instances).all(|(judged, observed)| same(judged, observed))
}

fn find<'a>(workload: &'a Workload, id: &InstanceId) -> Option<&'a Arc<Instance>> {
    workload.instances.iter().find(|i| &i.id == id)
}

fn instance(raw: &Arc<Instance>, signs: &Signs, was: Option<&Arc<Instance>>, now: Timestamp) -> Arc<Instance> {
    let found = signs.instances.get(&raw.id);
    let mut verdict = raw.verdict.clone();
    if let Some(checks) = found {
        worsen(&mut verdict, checks);
    }
    since(&mut verdict, was.map(|w| &w.verdict), now);
    if found.is_none() && verdict == raw.verdict {
        return raw.clone();
    }
    let checks = raw.checks.iter().chain(found.into_iter().flatten()).cloned().collect();
    Arc::new(Instance { verdict, checks, ..raw.as_ref().clone() })
}

/// Since when it is so: what was so before keeps its beginning, what was not begins now. Nothing is said of the first sight.
fn since(verdict: &mut Verdict, was: Option<&Verdict>, now: Timestamp) {
    let Some(was) = was else { return };
    verdict.since = if was.health == verdict.health { was.since } else { Some(now) };
}

/// What the checks say, taken into a verdict.
fn worsen(verdict: &mut Verdict, checks: &[Check]) {
    for check in checks {
        let expected = matches!(verdict.health, Health::Stopped | Health::Starting) && check.source == "probe";
        if expected || !matches!(check.health, Health::Degraded | Health::Unhealthy) {
            continue;
        }
        let said = check.output.lines().next().unwrap_or_default();
        let reason: Arc<str> = match said {
            "" => format!("{} {}", check.source, check.name).into(),
            said => format!("{} {}: {said}", check.source, check.name).into(),
        };
        if check.health > verdict.health {
            verdict.health = check.health;
            verdict.reasons.insert(0, reason);
        } else {
            verdict.reasons.push(reason);
        }
    }
}

/// What has become of the instances by their own signs, taken into their workload's verdict.
fn from_instances(raw: &Workload, judged: &[Arc<Instance>], verdict: &mut Verdict) {
    let counted = |i: &Instance| !i.set_aside && !i.one_off;
    let worse: Vec<(&Arc<Instance>, &Arc<Instance>)> =
        judged.iter().zip(&raw.instances).filter(|(now, raw)| counted(raw) && now.verdict.health > raw.verdict.health).collect();
    let Some(worst) = worse.iter().map(|(now, _)| now.verdict.health).max() else { return };
    let all = judged.iter().filter(|i| counted(i)).all(|i| i.verdict.health == Health::Unhealthy);
    let health = if worst == Health::Unhealthy && all { Health::Unhealthy } else { Health::Degraded };
    let several = raw.replicas().count() > 1;
    let mut reasons: Vec<Arc<str>> = Vec::new();
    for (now, raw) in worse {
        for reason in now.verdict.reasons.iter().filter(|reason| !raw.verdict.reasons.contains(*reason)) {
            reasons.push(if several { format!("{}: {reason}", now.name).into() } else { reason.clone() });
        }
    }
    if health > verdict.health {
        verdict.health = health;
        reasons.append(&mut verdict.reasons);
        verdict.reasons = reasons;
    } else {
        verdict.reasons.append(&mut reasons);
    }
}

/// A row for what the engine does not hold: known by its checks only.
fn dependency(id: &WorkloadId, checks: &[Check], was: Option<&Arc<Workload>>, now: Timestamp) -> Arc<Workload> {
    let mut verdict = if checks.iter().any(|c| c.health == Health::Healthy) {
        Verdict::healthy()
    } else {
        Verdict::new(Health::Unknown, Vec::new())
    };
    worsen(&mut verdict, checks);
    since(&mut verdict, was.map(|w| &w.verdict), now);
    let ready = u32::from(matches!(verdict.health, Health::Healthy | Health::Degraded));
    let workload = Workload {
        id: id.clone(),
        kind: WorkloadKind::Dependency,
        desired: 1,
        resting: None,
        ready,
        verdict,
        checks: checks.to_vec(),
        image: "".into(),
        digest: None,
        revision: None,
        revisions: Vec::new(),
        rollout: None,
        instances: Vec::new(),
        autoscaler: None,
        drift: None,
        created_at: None,
        controller: None,
        capabilities: Capabilities::none("it is a dependency: what runs it is elsewhere"),
    };
    match was {
        Some(was) if **was == workload => was.clone(),
        Some(_) | None => Arc::new(workload),
    }
}

#[cfg(test)]
mod tests;
