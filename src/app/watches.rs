//! What is followed outside the engines, derived from state: the probes and endpoints of every environment that is open, one
//! watch an instance where each instance is looked at by itself.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::model::{ConnectionId, EnvironmentId, Instance, InstanceState, ProbeKind, ProbeSpec, ServerSpec};
use crate::observe::watch::{ProbeWatch, ScrapeWatch, ServerWatch, SilencesWatch, Watch};
use crate::operate::Policy;

use super::state::{Opening, State};

/// Instances of one environment that are looked at by themselves: what has more is told by the others.
pub const MOST: usize = 500;

/// Every watch the state wants followed, with the connection whose engine may be asked for the way.
#[must_use]
pub fn watches(state: &State) -> BTreeSet<(ConnectionId, Watch)> {
    let mut wanted = BTreeSet::new();
    for (environment, policy) in &state.settings.policies {
        if is_open(state, environment) {
            of_environment(state, environment, policy, &mut wanted);
        }
    }
    wanted
}

/// Whether an environment is shown and its endpoint followed.
fn is_open(state: &State, environment: &EnvironmentId) -> bool {
    let open = state.connections.get(&environment.connection).is_some_and(|c| c.opening == Opening::Open);
    let only = state.settings.only.as_ref();
    open && only.is_none_or(|only| environment.name == *only || state.name_of(environment) == **only)
}

fn of_environment(state: &State, environment: &EnvironmentId, policy: &Policy, wanted: &mut BTreeSet<(ConnectionId, Watch)>) {
    let mut want = |watch| {
        wanted.insert((environment.connection.clone(), watch));
    };
    for probe in &policy.probes {
        let watch = |instance| Watch::Probe(ProbeWatch { environment: environment.clone(), probe: probe.clone(), instance });
        if is_each(probe) {
            for instance in running(state, environment, probe.workload.as_deref()) {
                want(watch(Some(instance.id.clone())));
            }
        } else {
            want(watch(None));
        }
    }
    let server = |server: &Arc<ServerSpec>| ServerWatch { environment: environment.clone(), server: server.clone() };
    if let Some(prometheus) = &policy.prometheus {
        want(Watch::Prometheus(server(prometheus)));
    }
    if let Some(alertmanager) = &policy.alertmanager {
        want(Watch::Alertmanager(server(alertmanager)));
    }
    let has_alerts = policy.prometheus.is_some() || !policy.rules.groups.is_empty();
    if let Some(path) = policy.silences.as_ref().filter(|_| has_alerts) {
        want(Watch::Silences(SilencesWatch { environment: environment.clone(), path: path.clone() }));
    }
    for scrape in &policy.scrapes {
        let watch = |instance| Watch::Scrape(ScrapeWatch { environment: environment.clone(), scrape: scrape.clone(), instance });
        if scrape.url.contains("{instance}") {
            for instance in targets(state, environment, scrape.workload.as_deref()) {
                want(watch(Some((instance.id.clone(), instance.name.clone()))));
            }
        } else {
            want(watch(None));
        }
    }
}

/// Whether a probe looks at each instance of its workload by itself.
#[must_use]
pub fn is_each(probe: &ProbeSpec) -> bool {
    match &probe.kind {
        ProbeKind::Exec(_) => true,
        ProbeKind::Http(address) | ProbeKind::Tcp(address) | ProbeKind::Tls(address) => address.contains("{instance}"),
    }
}

/// The running replicas of a workload.
fn running<'a>(state: &'a State, environment: &EnvironmentId, workload: Option<&str>) -> impl Iterator<Item = &'a Instance> {
    replicas(state, environment, workload).filter(|i| i.state == InstanceState::Running).take(MOST)
}

/// What is scraped of a workload: a container that has stopped stays a target, which is not up; pods come and go.
fn targets<'a>(state: &'a State, environment: &EnvironmentId, workload: Option<&str>) -> impl Iterator<Item = &'a Instance> {
    let is_target = |i: &&Instance| i.pod.is_none() || i.state == InstanceState::Running;
    replicas(state, environment, workload).filter(is_target).take(MOST)
}

fn replicas<'a>(state: &'a State, environment: &EnvironmentId, workload: Option<&str>) -> impl Iterator<Item = &'a Instance> {
    let snapshot = state.snapshot(environment);
    let found = workload.and_then(|name| snapshot?.workload(&name.into()));
    found.into_iter().flat_map(|w| w.replicas()).map(AsRef::as_ref)
}
