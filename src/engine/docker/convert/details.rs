//! What an inspection adds to a listed container.

use std::sync::Arc;

use jiff::Timestamp;

use super::{Interner, time};
use crate::engine::docker::wire::{HealthState, HostConfig, Inspected};
use crate::model::{Check, Health, InstanceState, Port};
use crate::observe::redact;
use crate::observe::text::clean;

/// Longest output of a health check that is kept, bytes.
const OUTPUT_LIMIT: usize = 4096;

/// The state an inspection belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StateKey {
    pub state: InstanceState,
    pub health: Option<Health>,
    pub exit_code: Option<i64>,
}

/// What the list lacks. Only what does not change is true of other states than `key`'s.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Details {
    pub key: StateKey,
    pub restarts: u32,
    pub exit_code: Option<i64>,
    pub oom_killed: bool,
    /// Why the engine could not start it.
    pub error: Option<Arc<str>>,
    pub started_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
    pub has_healthcheck: bool,
    /// Its HEALTHCHECK's last run.
    pub check: Option<Check>,
    /// Failures in a row.
    pub failing: u32,
    pub memory_limit: Option<u64>,
    /// The engine starts it again whatever it ended with.
    pub always_restarted: bool,
    pub image: Option<Arc<str>>,
    /// Ports as the definition publishes them: what the list does not tell of a container that does not run.
    pub ports: Vec<Port>,
    /// Host ports named in the definition.
    pub fixed_ports: Vec<u16>,
}

impl Details {
    /// From an inspection of a container that was listed with `key`.
    #[must_use]
    pub fn new(inspected: &Inspected, key: StateKey, interner: &mut Interner) -> Self {
        let state = &inspected.state;
        // The engine calls a container it is about to start again running; the list does not.
        let runs = matches!(key.state, InstanceState::Running | InstanceState::Paused);
        let test = inspected.config.healthcheck.as_ref().map(|h| h.test.as_slice()).unwrap_or_default();
        let disabled = matches!(test.first().map(String::as_str), None | Some("NONE" | ""));
        let (ports, fixed_ports) = ports(&inspected.host_config, interner);
        Self {
            key,
            restarts: inspected.restart_count.and_then(|n| u32::try_from(n).ok()).unwrap_or(0),
            exit_code: if runs { None } else { state.exit_code.filter(|_| key.state != InstanceState::Created) },
            oom_killed: state.oom_killed.unwrap_or(false) && !runs,
            error: state.error.as_deref().map(str::trim).filter(|e| !e.is_empty()).map(|e| clean(e).into()),
            started_at: state.started_at.as_deref().and_then(time),
            finished_at: state.finished_at.as_deref().and_then(time),
            has_healthcheck: !disabled || state.health.is_some(),
            check: state.health.as_ref().and_then(check),
            failing: state.health.as_ref().and_then(|h| u32::try_from(h.failing_streak?).ok()).unwrap_or(0),
            memory_limit: inspected.host_config.memory.filter(|bytes| *bytes > 0),
            always_restarted: matches!(inspected.host_config.restart_policy.name.as_str(), "always" | "unless-stopped"),
            image: inspected.config.image.as_deref().filter(|i| !i.is_empty()).map(|i| interner.text(i)),
            ports,
            fixed_ports,
        }
    }
}

/// The last run of the container's own check.
fn check(health: &HealthState) -> Option<Check> {
    let word = match health.status.as_deref()? {
        "healthy" => Health::Healthy,
        "unhealthy" => Health::Unhealthy,
        "starting" => Health::Starting,
        _ => return None,
    };
    let last = health.log.last();
    let start = last.and_then(|run| time(run.start.as_deref()?));
    let end = last.and_then(|run| time(run.end.as_deref()?));
    Some(Check {
        name: "HEALTHCHECK".into(),
        source: "container",
        health: word,
        latency_ms: start.zip(end).and_then(|(start, end)| u64::try_from(end.duration_since(start).as_millis()).ok()),
        output: last.and_then(|run| run.output.as_deref()).map_or_else(|| "".into(), output),
        at: end,
    })
}

/// The output in one line, masked; a line end of its own shows as ` ⏎ `.
fn output(raw: &str) -> Arc<str> {
    let mut end = raw.len().min(OUTPUT_LIMIT);
    while !raw.is_char_boundary(end) {
        end -= 1;
    }
    let lines: Vec<_> = raw[..end].lines().map(|line| clean(line.trim_end())).filter(|line| !line.is_empty()).collect();
    redact::text(&lines.join(" ⏎ ")).into()
}

/// The published ports of the definition, and which host ports it names itself.
fn ports(host: &HostConfig, interner: &mut Interner) -> (Vec<Port>, Vec<u16>) {
    let mut ports = Vec::new();
    let mut fixed = Vec::new();
    for (inner, bindings) in &host.port_bindings {
        let (number, protocol) = inner.split_once('/').unwrap_or((inner, "tcp"));
        let Ok(container) = number.parse::<u16>() else { continue };
        for binding in bindings.iter().flatten() {
            let port = binding.host_port.as_deref().and_then(|p| p.parse::<u16>().ok()).filter(|p| *p > 0);
            fixed.extend(port);
            let address = binding.host_ip.as_deref().filter(|ip| !ip.is_empty()).unwrap_or("0.0.0.0");
            let host = port.map(|port| (interner.text(address), port));
            ports.push(Port { host, container, protocol: interner.text(protocol) });
        }
    }
    ports.sort();
    ports.dedup();
    fixed.sort_unstable();
    fixed.dedup();
    (ports, fixed)
}
