//! The world outside the demo's engine: its probes and figures are read from the world, and its invented hosts are nowhere
//! else. Whatever names a real host is looked at for real.

use std::sync::Arc;

use super::unit::Unit;
use super::world::World;
use super::{figures, traffic, view};
use crate::engine::EngineError;
use crate::model::{Health, InstanceId, InstanceState, ProbeKind};
use crate::operate::Errand;
use crate::operate::action::{Accepted, InstanceRef};
use crate::operate::errand::{EngineFigure, Limit, Metric, MetricSource};

/// Endings of names that no real host has (RFC 2606, RFC 6762, RFC 9476).
const INVENTED: &[&str] =
    &["example", "example.com", "example.org", "example.net", "test", "invalid", "internal", "local", "alt"];

/// What the world answers; `None` where the errand leads out of it.
pub fn answer(world: &mut World, errand: &Errand) -> Option<Result<Accepted, EngineError>> {
    match errand {
        // Its silences are kept in a file like everybody's.
        Errand::EnvFile { .. } | Errand::Command { .. } | Errand::Silence { .. } | Errand::Unsilence { .. } => None,
        Errand::Load(load) => {
            let host = host_of(load.url.split("://").nth(1).unwrap_or(&load.url));
            let why = "nothing in the demo serves for real, so there is nothing to send to";
            (is_invented(host) || is_service(world, host)).then(|| Err(unmet(host, why)))
        }
        Errand::Tcp { address, .. } => {
            let address = address.strip_prefix("tcp://").unwrap_or(address);
            let units = units_of(world, host_of(address))?;
            Some(well(&units, address).map(|ms| reading(Some(ms), format!("{address} takes connections ({ms} ms)"))))
        }
        Errand::Certificate { address, days, .. } => is_invented(host_of(address)).then(|| certificate(address, *days)),
        Errand::Probe { probe, instances } => {
            if let ProbeKind::Http(address) | ProbeKind::Tcp(address) | ProbeKind::Tls(address) = &probe.kind {
                let host = host_of(address.split("://").nth(1).unwrap_or(address));
                if host != "{instance}" && !is_invented(host) && !is_service(world, host) {
                    return None;
                }
            }
            let asked = asked(world, instances, probe.workload.as_deref());
            let what = format!("probe {}", probe.name);
            Some(well(&asked, &what).map(|ms| reading(Some(ms), format!("200 in {ms} ms"))))
        }
        Errand::Metric { metric, limit } => Some(figure(world, metric, *limit)),
        Errand::Alerts { prometheus, name } => {
            let shown = prometheus.to_string();
            let host = host_of(shown.split("://").nth(1).unwrap_or(&shown));
            (is_invented(host) || is_service(world, host)).then(|| alerts(world, name.as_deref()))
        }
        Errand::Http { method, url, .. } => {
            let host = host_of(url.split("://").nth(1).unwrap_or(url));
            (is_invented(host) || is_service(world, host))
                .then(|| Ok(reading(None, format!("200 to {method} (in the demo, nothing was sent)"))))
        }
    }
}

fn reading(value: Option<f64>, words: String) -> Accepted {
    Accepted::Reading { value, words: words.into() }
}

fn unmet(what: &str, why: impl Into<Arc<str>>) -> EngineError {
    EngineError::Unmet { what: what.into(), why: why.into() }
}

/// `host` of `user@host:port/path`.
fn host_of(address: &str) -> &str {
    let authority = address.split(['/', '?']).next().unwrap_or(address);
    let host = authority.rsplit('@').next().unwrap_or(authority);
    host.rsplit_once(':').map_or(host, |(host, _)| host)
}

fn is_invented(host: &str) -> bool {
    INVENTED.iter().any(|ending| host == *ending || host.strip_suffix(ending).is_some_and(|front| front.ends_with('.')))
}

fn is_service(world: &World, host: &str) -> bool {
    world.places.iter().any(|place| place.stack.recipes.iter().any(|recipe| recipe.name == host))
}

/// The replicas behind a host: those of the service of this name; none behind an invented one, which is simply there.
fn units_of<'a>(world: &'a World, host: &str) -> Option<Vec<&'a Unit>> {
    let services = world.places.iter().flat_map(|place| &place.services).filter(|service| service.recipe.name == host);
    let units: Vec<&Unit> = services.flat_map(|service| &service.units).collect();
    (!units.is_empty() || is_invented(host) || is_service(world, host)).then_some(units)
}

/// The replicas a probe asks: the ones it names, or all of its workload.
fn asked<'a>(world: &'a World, instances: &[InstanceRef], workload: Option<&str>) -> Vec<&'a Unit> {
    let ids: Vec<&InstanceId> = ids(instances);
    let all = world.places.iter().flat_map(|place| &place.services).flat_map(|service| &service.units);
    all.filter(|unit| {
        if ids.is_empty() {
            Some(unit.recipe.name) == workload && !unit.set_aside && !unit.one_off
        } else {
            ids.contains(&&unit.id)
        }
    })
    .collect()
}

fn ids(instances: &[InstanceRef]) -> Vec<&InstanceId> {
    let known = instances.iter().filter_map(|instance| match instance {
        InstanceRef::Known(id) => Some(id),
        InstanceRef::Made(_) => None,
    });
    known.collect()
}

/// How long the slowest of them takes, milliseconds; an error names the first that is not well.
fn well(units: &[&Unit], what: &str) -> Result<f64, EngineError> {
    let bad = units
        .iter()
        .find(|unit| unit.state != InstanceState::Running || matches!(unit.check.health, Health::Starting | Health::Unhealthy));
    if let Some(unit) = bad {
        let why = view::verdict(unit).reasons.first().map_or_else(|| "it does not answer".to_owned(), ToString::to_string);
        return Err(unmet(what, format!("{}: {why}", unit.name)));
    }
    Ok(units.iter().map(|unit| unit.check.latency_ms).max().unwrap_or(3) as f64)
}

fn certificate(address: &str, days: u32) -> Result<Accepted, EngineError> {
    const LEFT: u32 = 61;
    if LEFT < days {
        return Err(unmet(address, format!("its certificate ends in {LEFT} days, {days} are wanted")));
    }
    Ok(reading(Some(f64::from(LEFT)), format!("{address} valid for {LEFT} days more")))
}

/// An alert fires where something has been found unhealthy.
fn alerts(world: &World, name: Option<&str>) -> Result<Accepted, EngineError> {
    let all = world.places.iter().flat_map(|place| &place.services).flat_map(|service| &service.units);
    let down = all.into_iter().find(|unit| unit.check.health == Health::Unhealthy && !unit.one_off);
    match (down, name) {
        (Some(unit), None | Some("ServiceDown")) => {
            Err(unmet(name.unwrap_or("alerts"), format!("ServiceDown fires for {}", unit.name)))
        }
        (_, Some(name)) => Ok(reading(None, format!("{name} does not fire"))),
        (None, None) => Ok(reading(None, "no alert fires".to_owned())),
    }
}

/// A figure of the replicas it is about, as the world is now.
fn figure(world: &mut World, metric: &Metric, limit: Option<Limit>) -> Result<Accepted, EngineError> {
    let moment = world.moment();
    let instances: &[InstanceRef] = match &metric.source {
        MetricSource::Engine { instances, .. } | MetricSource::Scrape { instances, .. } => instances,
        MetricSource::Prometheus { .. } => &[],
    };
    let ids = ids(instances);
    let place = world.place(&metric.environment).map(|index| &world.places[index]);
    let all = place.into_iter().flat_map(|place| &place.services).flat_map(|service| &service.units);
    let units: Vec<&Unit> =
        all.filter(|unit| unit.state == InstanceState::Running && (ids.is_empty() || ids.contains(&&unit.id))).collect();
    if units.is_empty() {
        return Err(unmet(&metric.name, "no instance runs"));
    }
    let mean = |of: &dyn Fn(&Unit) -> f64| units.iter().map(|unit| of(unit)).sum::<f64>() / units.len() as f64;
    let share = |health: Health| mean(&|unit| f64::from(u8::from(unit.check.health == health)));
    let value = match (&metric.source, &*metric.name) {
        (MetricSource::Engine { figure: EngineFigure::Cpu, .. }, _) => mean(&|unit| figures::cpu(unit, &moment)),
        (MetricSource::Engine { figure: EngineFigure::Memory, .. }, _) => {
            mean(&|unit| figures::memory(unit, &moment) / figures::limit(unit.recipe))
        }
        (_, "requests") => units.iter().map(|unit| traffic::rate(unit.recipe) * moment.load).sum(),
        (_, "p50") => mean(&|unit| unit.check.latency_ms as f64 / 1000.0),
        (_, "p95" | "p99") => units.iter().map(|unit| unit.check.latency_ms as f64 / 400.0).fold(0.0, f64::max),
        (_, name) if name.contains("error") => 0.002 + 0.12 * share(Health::Degraded) + 0.6 * share(Health::Unhealthy),
        (_, name) => return Err(unmet(name, "the demo world does not measure that")),
    };
    let rounded = (value * 1e4).round() / 1e4;
    match limit {
        Some(limit) if !limit.holds(value) => Err(unmet(&metric.name, format!("it is {rounded}, {} is wanted", limit.words()))),
        Some(limit) => Ok(reading(Some(value), format!("{} {rounded} ({})", metric.name, limit.words()))),
        None => Ok(reading(Some(value), format!("{} {rounded}", metric.name))),
    }
}
