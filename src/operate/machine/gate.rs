//! What must hold before the next step, read from snapshots and the clock.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::model::{Health, Instance, InstanceId, InstanceState, Snapshot, Workload, WorkloadId};
use crate::operate::action::InstanceRef;
use crate::operate::plan::{Gate, Names, words};

use super::elapsed;
use super::rollout::Rollout;

/// How long a feed may be away while a gate waits for it.
const AWAY: Duration = Duration::from_secs(120);
/// For so long after a gate has begun a look may still show what was before it.
const SETTLING: Duration = Duration::from_secs(5);
/// After so long without a newer look the last one stands.
const QUIET: Duration = Duration::from_secs(10);
/// An instance that ended so often while its rollout was watched will not become well by waiting.
const CRASHES: u32 = 3;

/// What a gate says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    Waiting(Arc<str>),
    Passed(Arc<str>),
    Failed(Arc<str>),
}

/// What a gate goes by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    pub began: Timestamp,
    /// Since when there has been nothing but waiting: since the first of several such gates in a row began.
    pub calm: Timestamp,
    /// When the action before was sent.
    pub issued: Timestamp,
}

/// A gate that is being watched.
#[derive(Clone, Debug)]
pub(super) struct Watch {
    gate: Gate,
    label: String,
    /// The instance as the engine names it.
    id: Option<InstanceId>,
    reference: Option<InstanceRef>,
    pub times: Times,
    /// Nothing taken since the calm began has been seen yet.
    pub unseen: bool,
    well_since: Option<Timestamp>,
    /// Restarts and start of the run that is watched.
    run: Option<(u32, Timestamp)>,
    /// Restarts of each instance of a rollout when it was first seen, by name: an engine may put another in its place.
    restarts: BTreeMap<Arc<str>, u32>,
    /// When the run before the action began, where there was one.
    before: Option<Timestamp>,
    seen: bool,
    /// Time the feed was away, which is not held against the instance.
    forgiven: Duration,
    why: Arc<str>,
}

impl Watch {
    pub(super) fn new(
        gate: &Gate,
        made: &BTreeMap<u32, InstanceId>,
        names: &Names,
        times: Times,
        runs: &BTreeMap<InstanceId, Timestamp>,
    ) -> Self {
        let reference = match gate {
            Gate::Healthy { instance, .. } => Some(instance.clone()),
            Gate::RolledOut { .. } | Gate::Wait { .. } | Gate::Reading { .. } | Gate::Person { .. } => None,
        };
        let id = match &reference {
            Some(InstanceRef::Known(id)) => Some(id.clone()),
            Some(InstanceRef::Made(slot)) => made.get(slot).cloned(),
            None => None,
        };
        let before = id.as_ref().and_then(|id| runs.get(id)).copied();
        let label = reference.as_ref().map(|r| words::label(names, r)).unwrap_or_default();
        Self {
            gate: gate.clone(),
            label,
            id,
            reference,
            times,
            unseen: true,
            well_since: None,
            run: None,
            restarts: BTreeMap::new(),
            before,
            seen: false,
            forgiven: Duration::ZERO,
            why: "not seen yet".into(),
        }
    }

    /// The instance that is watched.
    pub(super) fn instance(&self) -> Option<InstanceRef> {
        self.id.clone().map(InstanceRef::Known)
    }

    /// The feed was away for so long.
    pub(super) fn forgive(&mut self, time: Duration) {
        self.forgiven += time;
    }

    /// Reads the gate at `now` from the last snapshot; `stale`: since when the feed is not live.
    pub(super) fn read(&mut self, last: Option<&Snapshot>, stale: Option<Timestamp>, now: Timestamp) -> Reading {
        let (within, hold) = match &self.gate {
            Gate::Wait { hold } => {
                let left = hold.saturating_sub(elapsed(now, self.times.began));
                self.unseen = false;
                return if left.is_zero() {
                    Reading::Passed("waited".into())
                } else {
                    Reading::Waiting(format!("{} s to go", left.as_secs()).into())
                };
            }
            // These two are read elsewhere: by looking outside, and by asking.
            Gate::Reading { .. } | Gate::Person { .. } => return Reading::Passed("".into()),
            Gate::Healthy { within, hold, .. } | Gate::RolledOut { within, hold, .. } => (*within, *hold),
        };
        if let Some(since) = stale {
            let away = elapsed(now, since);
            return if away > AWAY {
                Reading::Failed(format!("the engine has not been seen for {} s", away.as_secs()).into())
            } else {
                Reading::Waiting(format!("the engine has not been seen for {} s", away.as_secs()).into())
            };
        }
        // A look taken while the action was on its way counts when nothing newer comes: then nothing has changed since.
        let quiet = elapsed(now, self.times.began) > QUIET;
        let seen = last.filter(|s| s.at >= self.times.calm || (quiet && s.at >= self.times.issued));
        let well = match seen {
            None => Ok(None),
            Some(snapshot) => {
                self.unseen = false;
                self.look(snapshot)
            }
        };
        match well {
            Err(why) => Reading::Failed(why),
            Ok(Some(())) => self.well(now, hold),
            Ok(None) => self.not_well(now, within),
        }
    }

    fn well(&mut self, now: Timestamp, hold: Duration) -> Reading {
        let lasted = elapsed(now, *self.well_since.get_or_insert(now));
        if lasted >= hold {
            let words = if hold.is_zero() { "healthy".to_owned() } else { format!("healthy for {}", words::seconds(hold)) };
            Reading::Passed(words.into())
        } else {
            let left = hold.saturating_sub(lasted).as_secs_f64().ceil();
            Reading::Waiting(format!("healthy for {} s, holding {left:.0} s more", lasted.as_secs()).into())
        }
    }

    fn not_well(&mut self, now: Timestamp, within: Duration) -> Reading {
        // Right after it was told, an engine may still show what was before.
        let settling = matches!(self.gate, Gate::RolledOut { .. }) && elapsed(now, self.times.began) < SETTLING;
        if self.well_since.take().is_some() && !settling {
            return Reading::Failed(format!("was healthy and did not stay so: {}", self.why).into());
        }
        let waited = elapsed(now, self.times.began).saturating_sub(self.forgiven);
        if waited >= within {
            Reading::Failed(format!("not healthy within {}: {}", words::seconds(within), self.why).into())
        } else {
            Reading::Waiting(format!("{} ({} of {})", self.why, waited.as_secs(), words::seconds(within)).into())
        }
    }

    /// Whether it is well, not yet, or cannot become so.
    fn look(&mut self, snapshot: &Snapshot) -> Result<Option<()>, Arc<str>> {
        match self.gate.clone() {
            Gate::Healthy { .. } => self.look_at_instance(snapshot),
            Gate::RolledOut { workload, revision, left, replicas, follow, .. } => {
                self.look_at_rollout(snapshot, &workload, &Rollout { revision, left, replicas, follow })
            }
            Gate::Wait { .. } | Gate::Reading { .. } | Gate::Person { .. } => Ok(Some(())),
        }
    }

    fn look_at_rollout(&mut self, snapshot: &Snapshot, id: &WorkloadId, rollout: &Rollout) -> Result<Option<()>, Arc<str>> {
        let settling = elapsed(snapshot.at, self.times.began) < SETTLING;
        let Some(workload) = snapshot.workload(id) else {
            if self.seen || !settling {
                return Err(format!("{id} is gone").into());
            }
            self.why = "not seen yet".into();
            self.unseen = true;
            return Ok(None);
        };
        self.seen = true;
        if let Some(why) = rollout.stuck(workload, settling).filter(|_| rollout.follow) {
            return Err(why);
        }
        let Err(why) = rollout.is_through(workload) else { return Ok(Some(())) };
        self.why = why.into();
        if rollout.is_before(workload) { Ok(None) } else { self.crashing(workload, rollout.current(workload)) }
    }

    /// Whether an instance of the wanted revision crashes again and again.
    fn crashing(&mut self, workload: &Workload, revision: Option<u64>) -> Result<Option<()>, Arc<str>> {
        for instance in workload.replicas().filter(|i| revision.is_none() || i.revision == revision) {
            let first = *self.restarts.entry(instance.name.clone()).or_insert(instance.restarts);
            let crashes = instance.restarts.saturating_sub(first);
            if crashes >= CRASHES && !is_well(instance) {
                let reason = instance.verdict.reasons.first().map(|r| format!(": {r}")).unwrap_or_default();
                return Err(format!("{} crashed {crashes} times{reason}", instance.name).into());
            }
        }
        Ok(None)
    }

    fn look_at_instance(&mut self, snapshot: &Snapshot) -> Result<Option<()>, Arc<str>> {
        let Some((_, instance)) = self.id.as_ref().and_then(|id| snapshot.instance(id)) else {
            if self.seen || elapsed(snapshot.at, self.times.began) >= SETTLING {
                return Err(format!("{} is gone: somebody removed it", self.label).into());
            }
            self.why = "not seen yet".into();
            // Were it gone already, nothing would change any more and nothing new be shown.
            self.unseen = true;
            return Ok(None);
        };
        self.seen = true;
        if self.is_old_run(instance, snapshot.at) {
            self.why = "not seen started yet".into();
            self.unseen = true;
            return Ok(None);
        }
        match instance.state {
            InstanceState::Created | InstanceState::Unknown | InstanceState::Paused => {
                self.why = instance.state.word().into();
                return Ok(None);
            }
            InstanceState::Exited | InstanceState::Dead | InstanceState::Removing => return Err(exited(instance)),
            InstanceState::Restarting => return Err(format!("crashed and is started again: {}", exited(instance)).into()),
            InstanceState::Running => {}
        }
        self.same_run(instance)?;
        if is_well(instance) {
            return Ok(Some(()));
        }
        let reason = instance.verdict.reasons.first().map(|r| format!(": {r}")).unwrap_or_default();
        self.why = format!("{}{reason}", instance.verdict.health).into();
        Ok(None)
    }

    /// A look may have been begun before the start took effect: then it still shows the run before.
    fn is_old_run(&self, instance: &Instance, at: Timestamp) -> bool {
        let same = self.before.is_some_and(|before| instance.started_at.is_none_or(|started| started == before));
        self.run.is_none() && same && elapsed(at, self.times.began) < SETTLING
    }

    /// The run that is watched must not end and be followed by another. What the engine has not told yet is no change.
    fn same_run(&mut self, instance: &Instance) -> Result<(), Arc<str>> {
        let made = matches!(self.reference, Some(InstanceRef::Made(_)));
        let base = self.run.map_or(if made { 0 } else { instance.restarts }, |(restarts, _)| restarts);
        if instance.restarts > base {
            return Err(format!("crashed and was started again {} times", instance.restarts - base).into());
        }
        let Some(started) = instance.started_at else { return Ok(()) };
        if self.well_since.is_some() && self.run.is_some_and(|(_, run)| run != started) {
            return Err("was started anew while it was watched".into());
        }
        self.run = Some((base, started));
        Ok(())
    }
}

/// With a health check: healthy. Without: running, and nothing known against it.
pub(super) fn is_well(instance: &Instance) -> bool {
    let health = instance.verdict.health;
    if instance.has_healthcheck {
        return health == Health::Healthy;
    }
    instance.state == InstanceState::Running && !matches!(health, Health::Unhealthy | Health::Degraded)
}

fn exited(instance: &Instance) -> Arc<str> {
    let code = instance.exit_code.map(|c| format!(" with code {c}")).unwrap_or_default();
    let oom = if instance.oom_killed { " (killed for lack of memory)" } else { "" };
    format!("exited{code}{oom}").into()
}

/// An instance that had passed its gate and is no longer well, in words.
pub(super) fn lost(held: &BTreeSet<InstanceRef>, snapshot: &Snapshot, names: &Names) -> Option<Arc<str>> {
    held.iter().find_map(|reference| {
        let InstanceRef::Known(id) = reference else { return None };
        let Some((_, instance)) = snapshot.instance(id) else {
            return Some(format!("{}, which had held, is gone", words::label(names, reference)).into());
        };
        if is_well(instance) && instance.state == InstanceState::Running {
            return None;
        }
        let reason = instance.verdict.reasons.first().map(|r| format!(": {r}")).unwrap_or_default();
        Some(format!("{} had held and is {} now{reason}", instance.name, instance.verdict.health).into())
    })
}
