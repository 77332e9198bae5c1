//! Everything known that may be a cause, each thing once: what we did ourselves is told by its operation, what was
//! deployed by its revision, the rest by the timeline.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;

use crate::app::state::{Past, State};
use crate::model::{EnvironmentId, Instance, Item, Revision, Snapshot, Source, Workload, WorkloadId, WorkloadKind};
use crate::observe::cause::{Candidate, Kind, Relation};
use crate::observe::timeline::between;

use super::words::{kind_of, kind_of_operation};
use super::{Asked, Lead};

/// Seconds in which an item of the timeline, an operation and a revision are one and the same deed.
const SAME_S: u64 = 120;

/// What happened from `from` on, in no order.
pub(super) fn candidates(state: &State, asked: &Asked, from: Timestamp) -> Vec<Candidate<Lead>> {
    let mut found = Vec::new();
    let inside = |at: Timestamp| at >= from && at <= asked.moment;
    for snapshot in state.snapshots().filter(|s| s.environment.id.connection == asked.environment.connection) {
        let circle = Circle::of(state, asked, snapshot);
        operations(state, &circle, &mut found);
        revisions(&circle, &mut found);
        items(state, &circle, from, &mut found);
        instances(&circle, &mut found);
    }
    found.retain(|c| inside(c.at));
    found
}

/// One environment as seen from what is asked about.
struct Circle<'a> {
    asked: &'a Asked,
    snapshot: &'a Snapshot,
    here: bool,
    /// What the workload says it depends on.
    needs: BTreeSet<Arc<str>>,
    /// Whose each name is.
    names: BTreeMap<&'a str, &'a WorkloadId>,
}

impl<'a> Circle<'a> {
    fn of(state: &'a State, asked: &'a Asked, snapshot: &'a Snapshot) -> Self {
        let here = snapshot.environment.id == asked.environment;
        let workload = asked.workload.as_ref().and_then(|id| state.workload(&asked.environment, id));
        let needs = workload.map(|(_, w)| needs(w)).unwrap_or_default();
        let of = |w: &'a Arc<Workload>| w.instances.iter().map(|i| (&*i.name, &w.id)).chain([(w.id.as_str(), &w.id)]);
        let names = snapshot.workloads.iter().flat_map(of).collect();
        Self { asked, snapshot, here, needs, names }
    }

    fn id(&self) -> &EnvironmentId {
        &self.snapshot.environment.id
    }

    fn relation(&self, workload: Option<&WorkloadId>) -> Relation {
        match (self.here, &self.asked.workload, workload) {
            (false, _, _) => Relation::Elsewhere,
            (true, Some(asked), Some(other)) if asked == other => Relation::Same,
            (true, Some(_), Some(other)) if self.is_needed(other) => Relation::Needed,
            // Of a whole environment everything in it is its own.
            (true, None, _) => Relation::Same,
            (true, Some(_), _) => Relation::Beside,
        }
    }

    fn owner_of(&self, subject: &str) -> Option<WorkloadId> {
        self.names.get(subject).map(|id| (*id).clone()).or_else(|| by_its_name(self.snapshot, subject))
    }

    fn is_needed(&self, other: &WorkloadId) -> bool {
        let dependency = || self.snapshot.workload(other).is_some_and(|w| w.kind == WorkloadKind::Dependency);
        self.needs.contains(&other.0) || dependency()
    }

    fn lead(&self, workload: Option<WorkloadId>) -> Lead {
        Lead { environment: Some(self.id().clone()), workload, ..Lead::default() }
    }
}

/// The services a compose file says a workload depends on, as the compose tool notes them on its containers.
fn needs(workload: &Workload) -> BTreeSet<Arc<str>> {
    let labels = workload.instances.iter().filter_map(|i| i.labels.get("com.docker.compose.depends_on"));
    labels
        .flat_map(|l| l.split(','))
        .filter_map(|part| part.split(':').next())
        .map(str::trim)
        .filter(|n| !n.is_empty())
        .map(Arc::from)
        .collect()
}

fn operations(state: &State, circle: &Circle<'_>, found: &mut Vec<Candidate<Lead>>) {
    for machine in state.operations.running.iter().filter(|m| &m.plan.request.environment == circle.id()) {
        let workload = machine.plan.request.targets.first().map(|t| t.workload.clone());
        found.push(Candidate {
            at: machine.began,
            kind: kind_of_operation(machine.plan.request.operation.verb().word()),
            relation: circle.relation(workload.as_ref()),
            subject: machine.plan.target.clone(),
            what: format!("{} (under way)", machine.plan.title).into(),
            by: Some(state.actor.by()),
            times: 1,
            lead: Lead { operation: Some(machine.plan.id.clone()), ..circle.lead(workload) },
        });
    }
    for past in state.operations.past.iter().filter(|p| p.environment() == Some(&*circle.id().name)) {
        let (Some(first), Some(at)) = (past.records.first(), past.at()) else { continue };
        // What only looks is no cause.
        if matches!(&*first.kind, "reveal" | "shell" | "forward") {
            continue;
        }
        let workload = owner_of(circle.snapshot, &first.target);
        let ended = if past.outcome_word() == "done" { String::new() } else { format!(" ({})", past.outcome_word()) };
        found.push(Candidate {
            at,
            kind: kind_of_operation(&first.kind),
            relation: circle.relation(workload.as_ref()),
            subject: first.target.clone(),
            what: format!("{}{ended}", past.title()).into(),
            by: Some(format!("{}@{}", first.by, first.host).into()),
            times: 1,
            lead: Lead { operation: Some(past.id.clone()), ..circle.lead(workload) },
        });
    }
}

/// Whether an operation of ours was at work on it then: it tells of it itself.
fn is_ours(state: &State, id: &EnvironmentId, at: Timestamp) -> bool {
    let within = |from: Timestamp, to: Timestamp| at.as_second() >= from.as_second() - 2 && at.as_second() <= to.as_second() + 30;
    let here = |p: &&Past| p.environment() == Some(&*id.name);
    let ended = |p: &Past| p.records.last().map(|r| r.at);
    state.operations.past.iter().filter(here).any(|p| p.at().zip(ended(p)).is_some_and(|(from, to)| within(from, to)))
        || state.operations.running.iter().any(|m| &m.plan.request.environment == id && within(m.began, state.now))
}

fn revisions(circle: &Circle<'_>, found: &mut Vec<Candidate<Lead>>) {
    for workload in &circle.snapshot.workloads {
        // The first revision on record is how it was found, not a change.
        for (revision, before) in workload.revisions.iter().zip(workload.revisions.iter().skip(1)) {
            let Some(at) = revision.at else { continue };
            let lead = Lead { revision: Some(revision.number), ..circle.lead(Some(workload.id.clone())) };
            // Ours are told by their operations, which lead to the revision too.
            let same = |c: &&mut Candidate<Lead>| {
                c.lead.operation.is_some()
                    && (&c.lead.environment, &c.lead.workload) == (&lead.environment, &lead.workload)
                    && c.at.as_second().abs_diff(at.as_second()) < SAME_S
            };
            if let Some(own) = found.iter_mut().find(same) {
                own.lead.revision = own.lead.revision.max(lead.revision);
                continue;
            }
            found.push(of_revision(circle, workload, (before, revision), at, lead));
        }
    }
}

fn of_revision(
    circle: &Circle<'_>,
    workload: &Workload,
    (before, revision): (&Revision, &Revision),
    at: Timestamp,
    lead: Lead,
) -> Candidate<Lead> {
    let same = before.image == revision.image;
    let cause = revision.cause.as_ref().map(|c| format!(": {c}")).unwrap_or_default();
    let what = if same {
        format!("revision {} → {}{cause}", before.number, revision.number)
    } else {
        format!("revision {}: image {}{cause}", revision.number, between(&before.image, &revision.image))
    };
    Candidate {
        at,
        kind: if same { Kind::Config } else { Kind::Deploy },
        relation: circle.relation(Some(&workload.id)),
        subject: workload.id.0.clone(),
        what: what.into(),
        by: revision.by.clone(),
        times: 1,
        lead,
    }
}

fn items(state: &State, circle: &Circle<'_>, from: Timestamp, found: &mut Vec<Candidate<Lead>>) {
    let deployed: Vec<(Timestamp, Option<WorkloadId>)> = found
        .iter()
        .filter(|c| c.lead.revision.is_some() && c.lead.environment.as_ref() == Some(circle.id()))
        .map(|c| (c.at, c.lead.workload.clone()))
        .collect();
    let inside = |i: &Item| &i.environment == circle.id() && i.at >= from && i.at <= circle.asked.moment;
    for item in state.timeline.iter().map(|(_, item)| item).filter(|i| inside(i)) {
        let workload = circle.owner_of(&item.subject);
        let relation = circle.relation(workload.as_ref());
        let Some(kind) = kind_of(item, relation) else { continue };
        // From another environment only what somebody did can matter here.
        if relation == Relation::Elsewhere && !kind.is_change() {
            continue;
        }
        let told =
            |(at, w): &(Timestamp, Option<WorkloadId>)| *w == workload && at.as_second().abs_diff(item.at.as_second()) < SAME_S;
        if matches!(kind, Kind::Deploy | Kind::Config) && deployed.iter().any(told) {
            continue;
        }
        if item.source == Source::Engine
            && is_ours(state, circle.id(), item.at)
            && !matches!(kind, Kind::OutOfMemory | Kind::Drift)
        {
            continue;
        }
        let instance = instance_of(circle.snapshot, item);
        found.push(Candidate {
            at: item.at,
            kind,
            relation,
            subject: item.subject.clone(),
            what: said(item),
            by: None,
            times: 1,
            lead: Lead { instance, ..circle.lead(workload) },
        });
    }
}

fn said(item: &Item) -> Arc<str> {
    let text = if item.detail.is_empty() { item.what.to_string() } else { format!("{} {}", item.what, item.detail) };
    text.into()
}

fn instance_of(snapshot: &Snapshot, item: &Item) -> Option<crate::model::InstanceId> {
    snapshot.workloads.iter().flat_map(|w| &w.instances).find(|i| i.name == item.subject).map(|i| i.id.clone())
}

/// What instances say of their own beginnings and ends, where nobody has told of them.
fn instances(circle: &Circle<'_>, found: &mut Vec<Candidate<Lead>>) {
    if !circle.here {
        return;
    }
    let mut said = Vec::new();
    for workload in &circle.snapshot.workloads {
        for instance in workload.replicas() {
            for (at, kind, what) in moments(instance) {
                let told = |c: &Candidate<Lead>| {
                    (c.subject == instance.name || c.lead.workload.as_ref() == Some(&workload.id))
                        && c.at.as_second().abs_diff(at.as_second()) < 10
                };
                if found.iter().any(told) {
                    continue;
                }
                said.push(Candidate {
                    at,
                    kind,
                    relation: circle.relation(Some(&workload.id)),
                    subject: instance.name.clone(),
                    what: what.into(),
                    by: None,
                    times: 1,
                    lead: Lead { instance: Some(instance.id.clone()), ..circle.lead(Some(workload.id.clone())) },
                });
            }
        }
    }
    found.extend(said);
}

fn moments(instance: &Instance) -> Vec<(Timestamp, Kind, String)> {
    let mut moments = Vec::new();
    if let Some(at) = instance.finished_at {
        let code = instance.exit_code.map(|c| format!("exit code {c}")).unwrap_or_default();
        moments.push(if instance.oom_killed {
            (at, Kind::OutOfMemory, format!("ended, killed for its memory, {code}"))
        } else {
            (at, Kind::Died, format!("ended, {code}").trim_end_matches([',', ' ']).to_owned())
        });
    }
    if let Some(at) = instance.started_at {
        let again = match instance.restarts {
            0 => String::new(),
            n => format!(", restart {n}"),
        };
        moments.push((at, Kind::Began, format!("started{again}")));
    }
    moments
}

/// The workload a name on the timeline belongs to: its own, an instance's, or one an instance had that is gone.
#[must_use]
pub(super) fn owner_of(snapshot: &Snapshot, subject: &str) -> Option<WorkloadId> {
    let exact = |w: &&Arc<Workload>| *w.id.as_str() == *subject || w.instances.iter().any(|i| *i.name == *subject);
    if let Some(found) = snapshot.workloads.iter().find(exact) {
        return Some(found.id.clone());
    }
    by_its_name(snapshot, subject)
}

/// The workload an instance that is gone belonged to, by how instances are called.
fn by_its_name(snapshot: &Snapshot, subject: &str) -> Option<WorkloadId> {
    // `shop_api_3`, `shop-api-3`, `api-5d4f-x`, `api/api-1`: the longest name that fits.
    let environment = &snapshot.environment.id.name;
    let bare = subject.strip_prefix(&**environment).and_then(|rest| rest.strip_prefix(['_', '-', '.'])).unwrap_or(subject);
    let fits = |w: &&Arc<Workload>| bare.strip_prefix(w.id.as_str()).is_some_and(|rest| rest.starts_with(['-', '_', '.', '/']));
    snapshot.workloads.iter().filter(fits).max_by_key(|w| w.id.as_str().len()).map(|w| w.id.clone())
}
