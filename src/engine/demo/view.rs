//! The demo world as an engine shows it: whole inventories, sharing with the one before whatever has not changed.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::Arc;

use jiff::Timestamp;

use super::cluster;
use super::incident::Incident;
use super::place::{Place, Service};
use super::recipe::{Probe, Recipe};
use super::unit::Unit;
use super::world::World;
use super::{dice, figures};
use crate::model::health::roll_up;
use crate::model::{
    Capabilities, Check, Health, Instance, InstanceState, Inventory, Mechanics, Port, Snapshot, Verb, Verdict, Workload,
};
use crate::observe::{redact, text};

/// The inventory now. What is as it was in `before` is the same `Arc`.
#[must_use]
pub fn inventory(world: &World, before: Option<&Inventory>) -> Inventory {
    let environments = world
        .places
        .iter()
        .map(|place| {
            let old = before.and_then(|i| i.environments.iter().find(|s| s.environment.id == place.environment.id));
            snapshot(place, world.now, old)
        })
        .collect();
    Inventory {
        at: world.now,
        engine: format!("Demo world, seed {}", world.seed).into(),
        basis: "cores and bytes as docker stats counts them".into(),
        environments,
        drills: Incident::ALL.into_iter().map(|i| (i.name().into(), i.about().into())).collect(),
    }
}

/// Whether two inventories show the same, whenever they were taken.
#[must_use]
pub fn is_same(a: &Inventory, b: &Inventory) -> bool {
    a.environments.len() == b.environments.len()
        && a.environments.iter().zip(&b.environments).all(|(x, y)| {
            x.lock == y.lock
                && x.workloads.len() == y.workloads.len()
                && x.workloads.iter().zip(&y.workloads).all(|(v, w)| Arc::ptr_eq(v, w))
        })
}

fn snapshot(place: &Place, now: Timestamp, before: Option<&Arc<Snapshot>>) -> Arc<Snapshot> {
    let workloads = place
        .services
        .iter()
        .map(|service| {
            let old = before.and_then(|s| s.workloads.iter().find(|w| w.id.as_str() == service.recipe.name));
            let new = workload(place, service, old);
            share(new, old)
        })
        .collect();
    let (environment, lock) = (place.environment.clone(), place.lock.clone());
    Arc::new(Snapshot {
        environment,
        at: now,
        workloads,
        lock,
        facts: Vec::new(),
        nodes: if place.stack.mechanics == Mechanics::Declared { cluster::nodes(place) } else { Vec::new() },
        notes: Vec::new(),
        file: None,
    })
}

/// The one before where the new one is no different.
fn share<T: PartialEq>(new: T, before: Option<&Arc<T>>) -> Arc<T> {
    match before {
        Some(old) if **old == new => old.clone(),
        Some(_) | None => Arc::new(new),
    }
}

fn workload(place: &Place, service: &Service, before: Option<&Arc<Workload>>) -> Workload {
    let mut instances: Vec<Arc<Instance>> = service
        .units
        .iter()
        .map(|unit| share(instance(place, unit), before.and_then(|w| w.instances.iter().find(|i| i.id == unit.id))))
        .collect();
    instances.sort_by(|a, b| (a.number, &a.id).cmp(&(b.number, &b.id)));
    let replicas: Vec<&Unit> = service.units.iter().filter(|u| !u.set_aside && !u.one_off).collect();
    let declared = place.stack.mechanics == Mechanics::Declared;
    let leading = replicas.iter().max_by_key(|u| (u.revision, u.created_at)).copied().or(service.units.first());
    let (image, revision, revisions) = match leading {
        Some(unit) if !declared => (unit.image.clone(), unit.revision, unit.revisions.clone()),
        Some(_) | None => (service.template.image.clone(), service.template.revision, service.revisions.clone()),
    };
    let desired = if declared { service.desired } else { count(replicas.iter().filter(|u| u.wanted && u.run > 0).count()) };
    let shown = instances.iter().filter(|i| !i.set_aside && !i.one_off);
    let named: Vec<(&str, &Verdict)> = shown.clone().map(|i| (&*i.name, &i.verdict)).collect();
    let ready = shown.filter(|i| i.state == InstanceState::Running && is_ready(i.verdict.health)).count();
    Workload {
        checks: Vec::new(),
        id: service.recipe.name.into(),
        kind: service.recipe.kind,
        desired,
        ready: count(ready),
        verdict: roll_up(desired, &named),
        digest: Some(dice::digest(&image).into()),
        image,
        revision: Some(revision),
        revisions,
        instances,
        resting: None,
        controller: declared.then(|| cluster::controller(place, service, count(ready)).into()),
        rollout: None,
        autoscaler: None,
        drift: None,
        created_at: Some(service.born),
        capabilities: capabilities(service.recipe, declared),
    }
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

fn is_ready(health: Health) -> bool {
    matches!(health, Health::Healthy | Health::Degraded)
}

/// What makes no sense here, and why.
#[must_use]
pub fn capabilities(recipe: &Recipe, declared: bool) -> Capabilities {
    let mut capabilities = Capabilities::default();
    if let Some(volume) = recipe.volume {
        let why = format!("{} keeps its data in the volume {volume}; a second one on it would destroy it", recipe.name);
        capabilities = capabilities.deny(Verb::Scale, why);
    }
    if declared {
        let why = "the demo's rollouts cannot be held where they are; scale to 0 to take the workload out of service";
        capabilities = capabilities.deny(Verb::Pause, why).deny(Verb::Unpause, "nothing is held in the demo");
        capabilities = capabilities.deny(Verb::Trigger, "the demo has no schedules").deny(Verb::Bounds, "no autoscaler owns it");
    }
    capabilities
}

fn instance(place: &Place, unit: &Unit) -> Instance {
    let verdict = verdict(unit);
    Instance {
        pod: unit.pod.then(|| cluster::pod(place, unit, &verdict).into()),
        id: unit.id.clone(),
        name: unit.name.clone(),
        number: unit.number,
        state: unit.state,
        verdict,
        has_healthcheck: unit.recipe.probe.is_some(),
        checks: check(unit).into_iter().collect(),
        image: unit.image.clone(),
        digest: (!unit.unpulled).then(|| unit.digest.clone()),
        revision: Some(unit.revision),
        made_by: unit.made_by.clone(),
        set_aside: unit.set_aside,
        one_off: unit.one_off,
        fixed_name: false,
        fixed_ports: unit.recipe.ports.iter().filter_map(|(host, _)| *host).collect(),
        restarts: unit.restarts,
        exit_code: unit.exit_code,
        oom_killed: unit.oom_killed,
        node: unit.node.clone(),
        elsewhere: None,
        ip: Some(unit.ip.clone()),
        ports: unit.recipe.ports.iter().map(|(host, container)| port(*host, *container)).collect(),
        created_at: Some(unit.created_at),
        started_at: unit.started_at,
        finished_at: unit.finished_at,
        memory_limit_bytes: Some(dice::whole(figures::limit(unit.recipe))),
        labels: unit.labels.clone(),
    }
}

fn port(host: Option<u16>, container: u16) -> Port {
    Port { host: host.map(|port| ("0.0.0.0".into(), port)), container, protocol: "tcp".into() }
}

fn check(unit: &Unit) -> Option<Check> {
    let probe = unit.recipe.probe?;
    let name = match probe {
        Probe::Http { port, path, .. } => format!("GET :{port}{path}"),
        Probe::RedisPing => "redis-cli ping".to_owned(),
        Probe::PgIsReady => "pg_isready".to_owned(),
    };
    let (at, latency_ms) = (unit.check.at, unit.check.at.map(|_| unit.check.latency_ms));
    let (health, output) = (unit.check.health, unit.check.output.clone());
    Some(Check { name: name.into(), source: "container", health, latency_ms, output, at })
}

/// How a replica is, and why.
#[must_use]
pub fn verdict(unit: &Unit) -> Verdict {
    match unit.state {
        InstanceState::Created if unit.unpulled => {
            Verdict::because(Health::Unhealthy, format!("ImagePullBackOff: {} does not exist", unit.image))
        }
        InstanceState::Created => Verdict::because(Health::Stopped, "created, never started"),
        InstanceState::Running => running(unit),
        InstanceState::Paused => Verdict::because(Health::Degraded, "paused"),
        InstanceState::Restarting => Verdict::because(Health::Unhealthy, crash(unit)),
        InstanceState::Removing => Verdict::because(Health::Stopped, "terminating"),
        InstanceState::Exited if !unit.wanted => Verdict::because(Health::Stopped, "stopped by hand"),
        InstanceState::Exited | InstanceState::Dead => Verdict::because(Health::Unhealthy, ended(unit)),
        InstanceState::Unknown => Verdict::default(),
    }
}

fn running(unit: &Unit) -> Verdict {
    if unit.recipe.probe.is_none() {
        return Verdict::healthy();
    }
    match unit.check.health {
        Health::Healthy => Verdict::healthy(),
        Health::Starting if unit.restarts > 0 && unit.crashes > 1 => {
            Verdict::because(Health::Starting, format!("started again after {} crashes", unit.crashes))
        }
        Health::Starting => Verdict::because(Health::Starting, "no health check has passed yet"),
        Health::Stopped | Health::Unknown | Health::Degraded | Health::Unhealthy => {
            let reason = unit.check.trouble.map_or_else(|| unit.check.output.to_string(), super::trouble::Trouble::reason);
            Verdict::because(unit.check.health, reason)
        }
    }
}

/// `exit 1 (4 times in a row), last line: GOOGLE_API_KEY is not set`
fn ended(unit: &Unit) -> String {
    let code = unit.exit_code.unwrap_or_default();
    let mut why = if unit.oom_killed { format!("out of memory, exit {code}") } else { format!("exit {code}") };
    if unit.crashes > 1 {
        let _ = write!(why, " ({} times in a row)", unit.crashes);
    }
    if let Some(line) = unit.journal.last_text(unit.run).filter(|_| !unit.oom_killed) {
        let _ = write!(why, ", last line: {}", redact::text(&text::clean(&message(line))));
    }
    why
}

fn crash(unit: &Unit) -> String {
    format!("{}: {}", if unit.pod { "CrashLoopBackOff" } else { "restarting" }, ended(unit))
}

/// What a line says: of a JSON object its message.
fn message(line: &str) -> Cow<'_, str> {
    let Ok(value) = serde_json::from_str::<serde_json::Value>(line) else { return Cow::Borrowed(line) };
    let said = ["msg", "event"].into_iter().find_map(|key| value.get(key)?.as_str().map(str::to_owned));
    said.map_or(Cow::Borrowed(line), Cow::Owned)
}
