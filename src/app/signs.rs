//! What is known of an environment beside its engine, put into words its health is judged by.

use crate::model::{Alert, Check, EnvironmentId, Health, Severity, WorkloadId};
use crate::observe::health::Signs;
use crate::observe::metric::words::figure;
use crate::observe::probe::Standing;
use crate::observe::watch::ProbeWatch;

use super::format::clock;
use super::state::State;

/// Every sign of an environment.
#[must_use]
pub fn signs(state: &State, environment: &EnvironmentId) -> Signs {
    let mut signs = Signs::default();
    for (watch, standing) in state.watched.probes.iter().filter(|(watch, _)| watch.environment == *environment) {
        let check = probe(watch, standing);
        match &watch.instance {
            Some(instance) => signs.instances.entry(instance.clone()).or_default().push(check),
            None => signs.workloads.entry(subject(watch)).or_default().push(check),
        }
    }
    for alert in state.alerts(environment).filter(|alert| alert.is_loud()) {
        if let Some(workload) = state.workload_of_alert(environment, alert) {
            signs.workloads.entry(workload).or_default().push(sounding(alert));
        }
    }
    signs
}

/// What a probe that looks at no instance by itself speaks for: its workload, else what it is called.
#[must_use]
pub fn subject(watch: &ProbeWatch) -> WorkloadId {
    WorkloadId(watch.probe.workload.clone().unwrap_or_else(|| watch.probe.name.clone()))
}

fn probe(watch: &ProbeWatch, standing: &Standing) -> Check {
    let last = standing.last.as_ref();
    Check {
        name: watch.probe.name.clone(),
        source: "probe",
        health: standing.health,
        latency_ms: last.and_then(|o| o.latency).map(|l| u64::try_from(l.as_millis()).unwrap_or(u64::MAX)),
        output: last.map_or_else(|| "".into(), |o| o.words.clone()),
        at: last.map(|o| o.at),
    }
}

fn sounding(alert: &Alert) -> Check {
    let since = alert.since.map_or_else(String::new, |at| format!(" since {}", clock(at, 0)));
    let value = alert.value.map_or_else(String::new, |value| format!(" ({})", figure(value)));
    let health = match alert.severity() {
        Severity::Info => Health::Healthy,
        Severity::Warning => Health::Degraded,
        Severity::Critical => Health::Unhealthy,
    };
    Check {
        name: alert.name.clone(),
        source: "alert",
        health,
        latency_ms: None,
        output: format!("firing{since}{value}: {}", alert.words()).into(),
        at: alert.since,
    }
}
