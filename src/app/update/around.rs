//! Taking in what was seen outside the engines, and judging health anew by it.

use std::sync::Arc;

use super::alerting;
use crate::app::figures::scraped::rates;
use crate::app::signs::signs;
use crate::app::{Effect, State};
use crate::model::{EnvironmentId, Inventory, Snapshot};
use crate::observe::health::{Judged, judge};
use crate::observe::probe::Standing;
use crate::observe::watch::{Outcome, ProbeWatch, Sighting, Watch};

/// Bytes of the scraped series of all environments together.
const SERIES_BYTES: usize = 64 << 20;

/// A probe has looked, or an endpoint was scraped.
pub fn sighted(state: &mut State, watch: &Watch, sighting: Sighting) -> Vec<Effect> {
    match (watch, sighting) {
        (Watch::Probe(watch), Sighting::Probed(outcome)) => probed(state, watch, outcome),
        (Watch::Scrape(watch), Sighting::Scraped(scraped)) => {
            let sharing = state.settings.policies.values().filter(|policy| !policy.scrapes.is_empty()).count();
            state.watched.scraped(watch, &scraped, SERIES_BYTES / sharing.max(1));
        }
        (Watch::Prometheus(watch), Sighting::Alerts(asked)) => alerting::told(state, &watch.environment, asked),
        (Watch::Alertmanager(watch), Sighting::Silences(asked)) => alerting::silences(state, &watch.environment, false, asked),
        (Watch::Silences(watch), Sighting::Silences(asked)) => alerting::silences(state, &watch.environment, true, asked),
        (
            Watch::Probe(_) | Watch::Scrape(_) | Watch::Prometheus(_) | Watch::Alertmanager(_) | Watch::Silences(_),
            Sighting::Probed(_) | Sighting::Scraped(_) | Sighting::Alerts(_) | Sighting::Silences(_),
        ) => {}
    }
    Vec::new()
}

/// A turn of a probe is judged at once; what only goes on is taken into the picture with the next tick.
fn probed(state: &mut State, watch: &ProbeWatch, outcome: Outcome) {
    let standing = state.watched.probes.entry(watch.clone()).or_insert_with(|| Standing::of(&watch.probe));
    if standing.record(outcome).is_some() {
        again(state, &watch.environment);
    } else {
        state.watched.unjudged.insert(watch.environment.clone());
    }
}

/// Time passed: what has come since is taken into the picture.
pub fn tick(state: &mut State) {
    for (environment, job) in std::mem::take(&mut state.watched.fresh) {
        if let Some(store) = state.watched.series.get(&environment) {
            let rates = rates(store, &job, state.now);
            state.watched.rates.insert((environment, job), rates);
            state.generation += 1;
        }
    }
    alerting::tick(state);
    for environment in std::mem::take(&mut state.watched.unjudged) {
        again(state, &environment);
    }
}

/// An inventory as its engine told it, with every sign taken in.
pub fn judged(state: &State, observed: &Arc<Inventory>) -> Arc<Inventory> {
    let Some(first) = observed.environments.first() else { return observed.clone() };
    let before = state.connections.get(&first.environment.id.connection);
    let (was, then) = before.map_or((None, None), |c| (c.observed.as_ref(), c.inventory.as_ref()));
    let find = |inventory: Option<&'_ Arc<Inventory>>, id: &EnvironmentId| -> Option<Arc<Snapshot>> {
        inventory?.environments.iter().find(|s| s.environment.id == *id).cloned()
    };
    let environments: Vec<Arc<Snapshot>> = observed
        .environments
        .iter()
        .map(|snapshot| {
            let id = &snapshot.environment.id;
            let (was, then) = (find(was, id), find(then, id));
            let before = was.as_ref().zip(then.as_ref()).map(|(observed, judged)| Judged { observed, judged });
            judge(snapshot, &signs(state, id), before, state.now)
        })
        .collect();
    if environments.iter().zip(&observed.environments).all(|(a, b)| Arc::ptr_eq(a, b)) {
        return observed.clone();
    }
    Arc::new(Inventory { environments, ..observed.as_ref().clone() })
}

/// Judges one environment anew, as it was last observed.
pub fn again(state: &mut State, environment: &EnvironmentId) {
    state.watched.unjudged.remove(environment);
    let Some(connection) = state.connections.get(&environment.connection) else { return };
    let (Some(observed), Some(before)) = (connection.observed.clone(), connection.inventory.clone()) else { return };
    let place = |inventory: &Inventory| inventory.environments.iter().position(|s| s.environment.id == *environment);
    let (Some(raw), Some(at)) = (place(&observed), place(&before)) else { return };
    let was = Judged { observed: &observed.environments[raw], judged: &before.environments[at] };
    let new = judge(was.observed, &signs(state, environment), Some(was), state.now);
    if Arc::ptr_eq(&new, was.judged) {
        return;
    }
    let mut environments = before.environments.clone();
    environments[at] = new;
    let after = Arc::new(Inventory { environments, ..before.as_ref().clone() });
    super::observe::replace(state, &environment.connection, observed, &after);
}
