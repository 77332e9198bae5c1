//! What a row stands for, found by its identity.

use std::sync::Arc;

use crate::app::state::{Connection, Past, RowId, State, View};
use crate::model::{Alert, EnvironmentId, Health, Instance, Item, OperationId, Revision, Snapshot, Workload};
use crate::operate::machine::Machine;

/// The thing behind a row.
#[derive(Clone, Copy, Debug)]
pub enum Subject<'a> {
    Connection(&'a Connection),
    Environment(&'a Arc<Snapshot>),
    Workload(&'a Arc<Snapshot>, &'a Arc<Workload>),
    Instance(&'a Arc<Snapshot>, &'a Arc<Workload>, &'a Arc<Instance>),
    Revision(&'a Arc<Workload>, &'a Revision),
    Running(&'a Machine),
    Past(&'a Past),
    Alert(&'a EnvironmentId, &'a Arc<Alert>),
    Item(u64, &'a Item),
}

impl<'a> Subject<'a> {
    /// The row's identity.
    #[must_use]
    pub fn id(&self) -> RowId {
        match self {
            Self::Connection(c) => RowId::Connection(c.id.clone()),
            Self::Environment(s) => RowId::Environment(s.environment.id.clone()),
            Self::Workload(s, w) => RowId::Workload(s.environment.id.clone(), w.id.clone()),
            Self::Instance(s, _, i) => RowId::Instance(s.environment.id.clone(), i.id.clone()),
            Self::Revision(_, r) => RowId::Revision(r.number),
            Self::Running(m) => RowId::Operation(m.plan.id.clone()),
            Self::Past(p) => RowId::Operation(p.id.clone()),
            Self::Alert(id, alert) => RowId::Alert((*id).clone(), alert.key()),
            Self::Item(seq, _) => RowId::Item(*seq),
        }
    }

    /// The name a person reads.
    #[must_use]
    pub fn name(&self) -> &'a str {
        match self {
            Self::Connection(c) => c.id.as_str(),
            Self::Environment(s) => &s.environment.id.name,
            Self::Workload(_, w) => w.id.as_str(),
            Self::Instance(_, _, i) => &i.name,
            Self::Revision(_, r) => &r.image,
            Self::Running(m) => &m.plan.title,
            Self::Past(p) => p.title(),
            Self::Alert(_, alert) => &alert.name,
            Self::Item(_, item) => &item.subject,
        }
    }

    /// The environment it belongs to, where it says so.
    #[must_use]
    pub fn environment(&self) -> Option<&'a EnvironmentId> {
        match self {
            Self::Environment(s) | Self::Workload(s, _) | Self::Instance(s, _, _) => Some(&s.environment.id),
            Self::Running(m) => Some(&m.plan.request.environment),
            Self::Alert(id, _) => Some(id),
            Self::Item(_, item) => Some(&item.environment),
            Self::Connection(_) | Self::Revision(..) | Self::Past(_) => None,
        }
    }

    /// Its health; an environment's is that of its worst workload.
    #[must_use]
    pub fn health(&self) -> Option<Health> {
        match self {
            Self::Environment(s) => s.workloads.iter().map(|w| w.verdict.health).max(),
            Self::Workload(_, w) => Some(w.verdict.health),
            Self::Instance(_, _, i) => Some(i.verdict.health),
            Self::Connection(_) | Self::Revision(..) | Self::Running(_) | Self::Past(_) | Self::Alert(..) | Self::Item(..) => {
                None
            }
        }
    }
}

/// What the row stands for, while it is there.
#[must_use]
pub fn subject<'a>(state: &'a State, row: &RowId) -> Option<Subject<'a>> {
    match row {
        RowId::Connection(id) => state.connections.get(id).map(Subject::Connection),
        RowId::Environment(id) => state.snapshot(id).map(Subject::Environment),
        RowId::Workload(environment, id) => state.workload(environment, id).map(|(s, w)| Subject::Workload(s, w)),
        RowId::Instance(environment, id) => {
            state.instance(&environment.connection, id).map(|(s, w, i)| Subject::Instance(s, w, i))
        }
        RowId::Revision(number) => {
            let workload = workload_in_view(state, state.nav.view())?;
            workload.revisions.iter().find(|r| r.number == *number).map(|r| Subject::Revision(workload, r))
        }
        RowId::Operation(id) => operation(state, id),
        RowId::Alert(id, key) => state.alerts(id).find(|a| a.key() == *key).and_then(|a| {
            let (id, _) = state.watched.alerts.get_key_value(id)?;
            Some(Subject::Alert(id, a))
        }),
        RowId::Item(seq) => state.timeline.get(*seq).map(|item| Subject::Item(*seq, item)),
    }
}

fn operation<'a>(state: &'a State, id: &OperationId) -> Option<Subject<'a>> {
    let operations = &state.operations;
    match operations.running.iter().find(|m| &m.plan.id == id) {
        Some(machine) => Some(Subject::Running(machine)),
        None => operations.past.iter().find(|p| &p.id == id).map(Subject::Past),
    }
}

/// The workload a view is about.
pub(super) fn workload_in_view<'a>(state: &'a State, view: &View) -> Option<&'a Arc<Workload>> {
    state.workload(view.environment.as_ref()?, view.workload.as_ref()?).map(|(_, w)| w)
}

/// What a row is called in a sentence: `production/backend/backend-1`.
#[must_use]
pub fn label(state: &State, row: &RowId) -> String {
    match subject(state, row) {
        Some(Subject::Environment(s)) => state.name_of(&s.environment.id),
        Some(Subject::Workload(s, w)) => format!("{}/{}", state.name_of(&s.environment.id), w.id),
        Some(Subject::Instance(s, w, i)) => format!("{}/{}/{}", state.name_of(&s.environment.id), w.id, i.name),
        Some(other) => other.name().to_owned(),
        None => "nothing".to_owned(),
    }
}
