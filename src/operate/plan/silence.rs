//! Silencing alerts, and ending that: one call, no lock, nothing the engine holds is changed.

use std::sync::Arc;

use jiff::SignedDuration;

use crate::model::{Matcher, Silence, Snapshot};
use crate::observe::rule::file::spell_span;
use crate::observe::rule::silence::words;
use crate::operate::action::Action;
use crate::operate::errand::{Errand, Keeper};
use crate::operate::refusal::Refusal;
use crate::operate::request::{Operation, Request};

use super::draft::Draft;
use super::{Plan, Terms};

/// What the names of silences kept on this machine begin with.
const HERE: &str = "here-";

/// Makes a silence: with the Alertmanager, where there is one.
pub fn silence(request: &Request, snapshot: &Snapshot, terms: &Terms<'_>) -> Result<Plan, Refusal> {
    let Operation::Silence { alert, labels, span, why } = &request.operation else {
        return Err(Refusal::NoTarget { verb: request.operation.verb() });
    };
    let verb = request.operation.verb();
    let denied = |why: &str| Refusal::Denied { verb, what: alert.clone(), why: why.into() };
    let until = SignedDuration::try_from(*span).ok().and_then(|span| terms.now.checked_add(span).ok());
    let until = until.filter(|until| *until > terms.now).ok_or_else(|| denied("it needs an end that can be reached"))?;
    if why.trim().is_empty() {
        return Err(denied("whoever finds it silenced must be told why"));
    }
    let keeper = match (&terms.policy.alertmanager, file(request, terms)) {
        (Some(server), _) => Keeper::Alertmanager(server.clone()),
        (None, Some(file)) => file,
        (None, None) => return Err(nobody()),
    };
    let matcher =
        |label: &Arc<str>, value: &Arc<str>| Matcher { label: label.clone(), value: value.clone(), regex: false, equal: true };
    let name = matcher(&"alertname".into(), alert);
    let others = labels.iter().map(|(label, value)| matcher(label, value));
    let silence = Silence {
        id: format!("{HERE}{}", terms.id).into(),
        matchers: std::iter::once(name).chain(others).collect(),
        why: why.clone(),
        by: terms.actor.by(),
        from: terms.now,
        until,
    };
    let mut draft = Draft::new(request, snapshot, terms);
    draft.change(format!("silence of {}", words(&silence.matchers)), "–", format!("until {until:.0}: {why}"));
    if let Keeper::File { .. } = keeper {
        draft.warn("it holds for what quarterdeck shows this user on this machine; whoever else is told of it still is");
    }
    draft.act(Action::Errand(Box::new(Errand::Silence { keeper, silence: Box::new(silence) })), Vec::new());
    Ok(draft.into_plan(format!("silence {alert} for {}", spell_span(*span)), alert.to_string(), None))
}

/// Ends a silence, where it is kept.
pub fn unsilence(request: &Request, snapshot: &Snapshot, terms: &Terms<'_>, id: &Arc<str>) -> Result<Plan, Refusal> {
    let keeper = if id.starts_with(HERE) {
        file(request, terms).ok_or_else(nobody)?
    } else {
        Keeper::Alertmanager(terms.policy.alertmanager.clone().ok_or_else(nobody)?)
    };
    let mut draft = Draft::new(request, snapshot, terms);
    draft.change(format!("silence {id}"), "in force", "ended");
    draft.act(Action::Errand(Box::new(Errand::Unsilence { keeper, id: id.clone() })), Vec::new());
    Ok(draft.into_plan(format!("end the silence {id}"), id.to_string(), None))
}

/// The file of this environment's silences.
fn file(request: &Request, terms: &Terms<'_>) -> Option<Keeper> {
    let path = terms.policy.silences.clone()?;
    Some(Keeper::File { path, environment: request.environment.name.clone() })
}

fn nobody() -> Refusal {
    let why = "this environment has no [environment.alertmanager], no [environment.prometheus] and no rules";
    Refusal::NoSource { what: "silences".into(), why }
}
