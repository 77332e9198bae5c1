//! What is asked about, and when it began.

use jiff::Timestamp;

use crate::app::rows::{self, Subject};
use crate::app::state::{RowId, State};
use crate::model::{Alert, EnvironmentId, Health, Instance, Item, Snapshot, Source, Verdict, Workload};

use super::Asked;
use super::gather::owner_of;

/// What the selected row, or the screen, is about.
///
/// # Errors
/// A sentence where there is nothing to ask about.
pub fn of_selection(state: &State) -> Result<Asked, &'static str> {
    let view = state.nav.view();
    if let Some(asked) = view.table.selected.as_ref().and_then(|row| about(state, row)) {
        return Ok(asked);
    }
    let environment =
        view.environment.clone().or_else(|| state.environment()).ok_or("select something it may have happened to")?;
    let row = match &view.workload {
        Some(workload) => RowId::Workload(environment, workload.clone()),
        None => RowId::Environment(environment),
    };
    about(state, &row).ok_or("it is no longer there")
}

/// What a row is about; none for rows nothing happens to.
#[must_use]
pub fn about(state: &State, row: &RowId) -> Option<Asked> {
    Some(match rows::subject(state, row)? {
        Subject::Environment(s) => of_environment(state, s),
        Subject::Workload(s, w) => of_workload(state, s, w),
        Subject::Instance(s, w, i) => of_instance(state, s, w, i),
        Subject::Item(_, item) => of_item(state, item),
        Subject::Revision(w, r) => {
            let environment = state.nav.view().environment.clone()?;
            let title = format!("{} revision {}", w.id, r.number).into();
            let (moment, began) = (r.at.unwrap_or(state.now), r.at.is_some());
            Asked { title, environment, workload: Some(w.id.clone()), moment, began }
        }
        Subject::Running(m) => {
            let environment = m.plan.request.environment.clone();
            let workload = m.plan.request.targets.first().map(|t| t.workload.clone());
            Asked { title: m.plan.title.clone(), environment, workload, moment: m.began, began: true }
        }
        Subject::Past(p) => {
            let environment = state.snapshots().find(|s| p.environment() == Some(&*s.environment.id.name))?;
            let target = p.records.first().map(|r| r.target.clone())?;
            let workload = owner_of(environment, &target);
            let (title, environment) = (p.title().into(), environment.environment.id.clone());
            Asked { title, environment, workload, moment: p.at()?, began: true }
        }
        Subject::Alert(id, alert) => of_alert(state, id, alert),
        Subject::Connection(_) => return None,
    })
}

fn of_environment(state: &State, snapshot: &Snapshot) -> Asked {
    // What is asked of an environment is asked of what is worst in it.
    let ill = snapshot.workloads.iter().filter(|w| is_ill(w.verdict.health));
    let began = ill.clone().filter_map(|w| began(state, snapshot, w.id.as_str(), &w.verdict)).min();
    let name = state.name_of(&snapshot.environment.id);
    let title = match ill.max_by_key(|w| w.verdict.health) {
        Some(worst) => format!("{name}: {} is {}", worst.id, worst.verdict.health),
        None => name,
    };
    asked(state, title, &snapshot.environment.id, None, began)
}

fn of_workload(state: &State, snapshot: &Snapshot, workload: &Workload) -> Asked {
    let began = began(state, snapshot, workload.id.as_str(), &workload.verdict);
    let title = titled(workload.id.as_str(), workload.verdict.health);
    asked(state, title, &snapshot.environment.id, Some(workload), began)
}

fn of_instance(state: &State, snapshot: &Snapshot, workload: &Workload, instance: &Instance) -> Asked {
    let began = began(state, snapshot, &instance.name, &instance.verdict)
        .or_else(|| began(state, snapshot, workload.id.as_str(), &workload.verdict).filter(|_| is_ill(instance.verdict.health)));
    let title = titled(&instance.name, instance.verdict.health);
    asked(state, title, &snapshot.environment.id, Some(workload), began)
}

fn of_item(state: &State, item: &Item) -> Asked {
    let snapshot = state.snapshot(&item.environment);
    let workload = snapshot.and_then(|s| owner_of(s, &item.subject));
    let title = format!("{} {}", item.subject, item.what).into();
    Asked { title, environment: item.environment.clone(), workload, moment: item.at, began: true }
}

fn of_alert(state: &State, id: &EnvironmentId, alert: &Alert) -> Asked {
    let workload = state.workload_of_alert(id, alert);
    let on = workload.as_ref().map(|w| format!(" on {w}")).unwrap_or_default();
    let (moment, began) = (alert.since.unwrap_or(state.now), alert.since.is_some());
    Asked { title: format!("{}{on}", alert.name).into(), environment: id.clone(), workload, moment, began }
}

fn titled(name: &str, health: Health) -> String {
    if is_ill(health) { format!("{name} is {health}") } else { name.to_owned() }
}

fn asked(state: &State, title: String, id: &EnvironmentId, workload: Option<&Workload>, began: Option<Timestamp>) -> Asked {
    Asked {
        title: title.into(),
        environment: id.clone(),
        workload: workload.map(|w| w.id.clone()),
        moment: began.unwrap_or(state.now),
        began: began.is_some(),
    }
}

fn is_ill(health: Health) -> bool {
    matches!(health, Health::Unhealthy | Health::Degraded)
}

/// Since when something is not well: since when its verdict says so, else what the timeline told of it last; none where
/// it is well, or was not from the first look on.
#[must_use]
pub fn began(state: &State, snapshot: &Snapshot, subject: &str, verdict: &Verdict) -> Option<Timestamp> {
    if !is_ill(verdict.health) {
        return None;
    }
    let told =
        |item: &&Item| item.source == Source::Health && *item.subject == *subject && item.environment == snapshot.environment.id;
    let mut last = None;
    // Degraded and then unhealthy is one illness: it began with the first.
    for item in state.timeline.iter().rev().map(|(_, item)| item).filter(told) {
        if !matches!(&*item.what, "unhealthy" | "degraded") {
            break;
        }
        last = Some(item.at);
    }
    last.or(verdict.since)
}
