//! Playing a fault on purpose.

use std::sync::Arc;

use crate::model::Snapshot;
use crate::operate::action::Action;
use crate::operate::request::Request;

use super::draft::Draft;
use super::{Plan, Terms};

/// One call, no lock: whoever operates at the same time is part of the rehearsal.
pub fn drill(request: &Request, snapshot: &Snapshot, terms: &Terms<'_>, name: &Arc<str>) -> Plan {
    let mut draft = Draft::new(request, snapshot, terms);
    draft.act(Action::Drill { name: name.clone() }, Vec::new());
    draft.warn("this breaks something on purpose");
    let target = snapshot.environment.id.name.to_string();
    draft.into_plan(format!("drill {name}"), target, None)
}
