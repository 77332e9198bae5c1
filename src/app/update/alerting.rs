//! Alerts of every environment: told by a server or evaluated here, with their silences, worst first. What comes to another
//! state is on the timeline.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::app::State;
use crate::app::format::clock;
use crate::app::state::Alerting;
use crate::app::watches::watches;
use crate::model::{Alert, AlertState, EnvironmentId, Item, Source};
use crate::observe::rule::file::Rules;
use crate::observe::rule::silence::Silences;
use crate::observe::watch::{Asked, Told, Watch};

/// A Prometheus server was asked.
pub fn told(state: &mut State, environment: &EnvironmentId, asked: Asked<Told>) {
    let alerting = state.watched.alerting.entry(environment.clone()).or_default();
    alerting.prometheus.take(asked.at, asked.read);
    gather(state, environment);
}

/// Whoever keeps silences was asked: the Alertmanager, or the file on this machine.
pub fn silences(state: &mut State, environment: &EnvironmentId, is_file: bool, asked: Asked<Silences>) {
    let alerting = state.watched.alerting.entry(environment.clone()).or_default();
    let keeper = if is_file { &mut alerting.file } else { &mut alerting.alertmanager };
    keeper.take(asked.at, asked.read);
    gather(state, environment);
}

/// Time passed: rules that are due are evaluated where no server does that.
pub fn tick(state: &mut State) {
    let environments: Vec<EnvironmentId> = state.settings.policies.keys().cloned().collect();
    for environment in environments {
        let Some(policy) = state.settings.policies.get(&environment) else { continue };
        let here = policy.prometheus.is_none() && !policy.rules.groups.is_empty();
        let rules = policy.rules.clone();
        let evaluated = here && is_ready(state, &environment) && evaluate(state, &environment, &rules);
        // A silence begins and ends by itself.
        if evaluated || state.watched.alerting.get(&environment).is_some_and(Alerting::has_silences) {
            gather(state, &environment);
        }
    }
}

/// Whether rules can be evaluated: not before every endpoint has been asked once, or what is only not read yet would be
/// taken for what is not there.
fn is_ready(state: &State, environment: &EnvironmentId) -> bool {
    let began = state.watched.alerting.get(environment).is_some_and(|alerting| alerting.evaluation.next().is_some());
    let asked = |watch: &Watch| match watch {
        Watch::Scrape(scrape) if scrape.environment == *environment => state.watched.scrapes.contains_key(scrape),
        Watch::Scrape(_) | Watch::Probe(_) | Watch::Prometheus(_) | Watch::Alertmanager(_) | Watch::Silences(_) => true,
    };
    state.snapshot(environment).is_some() && (began || watches(state).iter().all(|(_, watch)| asked(watch)))
}

/// Evaluates the groups that are due; tells whether there were any.
fn evaluate(state: &mut State, environment: &EnvironmentId, rules: &Arc<Rules>) -> bool {
    let now = state.now;
    let alerting = state.watched.alerting.entry(environment.clone()).or_default();
    if alerting.rules != *rules {
        alerting.evaluation.reload(rules);
        alerting.rules = rules.clone();
    }
    let Some(store) = state.watched.series.get_mut(environment) else { return false };
    let due = alerting.evaluation.due(now);
    if due {
        // What has changed is told of all alerts alike, whoever evaluates them.
        drop(alerting.evaluation.evaluate(store, now));
    }
    due
}

/// Puts together what is known of an environment's alerts.
fn gather(state: &mut State, environment: &EnvironmentId) {
    let now = state.now;
    let Some(alerting) = state.watched.alerting.get(environment) else { return };
    let heard = &alerting.prometheus;
    let mut alerts: Vec<Arc<Alert>> = match &heard.last {
        Some(told) => told.alerts.clone(),
        None => alerting.evaluation.alerts(),
    };
    if let Some((since, why)) = &heard.trouble {
        let stale: Arc<str> = format!("as of {}: {why}", clock(heard.at.unwrap_or(*since), 0)).into();
        for alert in &mut alerts {
            Arc::make_mut(alert).trouble = Some(stale.clone());
        }
    }
    let mut silences = Silences::default();
    for keeper in [&alerting.alertmanager, &alerting.file] {
        keeper.last.iter().for_each(|kept| silences.add(kept));
    }
    for alert in &mut alerts {
        let over = if alert.state.is_active() { silences.over(&alert.labels, now) } else { None };
        if alert.silence.as_ref() != over {
            Arc::make_mut(alert).silence = over.cloned();
        }
    }
    alerts.sort_by(|a, b| rank(a).cmp(&rank(b)).then_with(|| a.name.cmp(&b.name)).then_with(|| a.labels.cmp(&b.labels)));
    put(state, environment, alerts);
}

/// What fires and is not silenced first, then what fires, pends, was resolved, is inactive; the worse one first.
fn rank(alert: &Alert) -> (bool, Reverse<AlertState>, Reverse<crate::model::Severity>) {
    (!alert.is_loud(), Reverse(alert.state), Reverse(alert.severity()))
}

/// Takes them into the picture, and tells what has changed. Of what is seen for the first time nothing is told but what is
/// wrong with it.
fn put(state: &mut State, environment: &EnvironmentId, alerts: Vec<Arc<Alert>>) {
    let before = state.watched.alerts.get(environment);
    if before.is_some_and(|before| *before == alerts) {
        return;
    }
    let was: BTreeMap<Arc<str>, AlertState> = before.into_iter().flatten().map(|a| (a.key(), a.state)).collect();
    let mut items = Vec::new();
    let mut seen = BTreeSet::new();
    for alert in &alerts {
        let key = alert.key();
        let earlier = was.get(&key).copied().unwrap_or_default();
        if earlier != alert.state && alert.state != AlertState::Inactive {
            items.push(item(state, environment, alert, alert.state.word()));
        }
        seen.insert(key);
    }
    // A server forgets at once what it has resolved.
    for alert in before.into_iter().flatten().filter(|a| a.state == AlertState::Firing && !seen.contains(&a.key())) {
        items.push(item(state, environment, alert, AlertState::Resolved.word()));
    }
    for item in items {
        state.timeline.push(item);
    }
    state.watched.alerts.insert(environment.clone(), alerts);
    state.watched.unjudged.insert(environment.clone());
}

fn item(state: &State, environment: &EnvironmentId, alert: &Alert, what: &str) -> Item {
    let workload = state.workload_of_alert(environment, alert);
    let silenced = alert.silence.as_ref().map_or_else(String::new, |s| format!(" (silenced by {})", s.by));
    Item {
        at: if what == AlertState::Firing.word() { state.now } else { alert.since.unwrap_or(state.now) },
        environment: environment.clone(),
        subject: workload.map_or_else(|| alert.name.clone(), |w| w.0),
        source: Source::Alert,
        what: what.into(),
        detail: format!("{}: {}{silenced}", alert.name, alert.words()).into(),
    }
}
