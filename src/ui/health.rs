//! The health of what is selected: every reason, every check, and what it last said.

use std::fmt::Write as _;

use crate::app::format::{age, millis};
use crate::model::{Check, Health, Instance, Workload};
use crate::theme::Role;

use super::scene::Scene;
use super::widget::Page;

/// Lines of a check's output that are shown.
const OUTPUT: usize = 8;

/// The reasons, then the checks of each instance, worst first.
pub fn of_workload(scene: &Scene<'_>, workload: &Workload, width: u16, page: &mut Page) {
    reasons(scene, &workload.verdict.reasons, width, page);
    let mut instances: Vec<_> = workload.replicas().collect();
    instances.sort_by_key(|i| std::cmp::Reverse(i.verdict.health));
    for instance in instances {
        let health = instance.verdict.health;
        page.line()
            .add(format!("{} ", health.symbol()), scene.theme.health(health))
            .add(instance.name.as_ref(), scene.style(Role::Text));
        page.add(format!("  {}", state_of(instance)), scene.style(Role::Dim));
        checks(scene, instance, width, page);
    }
}

/// The reasons and checks of one instance.
pub fn of_instance(scene: &Scene<'_>, instance: &Instance, width: u16, page: &mut Page) {
    reasons(scene, &instance.verdict.reasons, width, page);
    page.line().add(state_of(instance), scene.style(Role::Dim));
    checks(scene, instance, width, page);
}

pub fn reasons(scene: &Scene<'_>, reasons: &[std::sync::Arc<str>], width: u16, page: &mut Page) {
    for reason in reasons {
        page.wrapped(reason, scene.style(Role::Warn), 0, width, 3);
    }
}

/// `running`, `exited 137, killed for memory`.
fn state_of(instance: &Instance) -> String {
    // Writing to a String cannot fail.
    let mut text = instance.state.word().to_owned();
    if let Some(code) = instance.exit_code {
        let _ = write!(text, ", exit {code}");
    }
    if instance.oom_killed {
        text.push_str(", killed for memory");
    }
    match instance.restarts {
        0 => {}
        1 => text.push_str(", restarted once"),
        n => {
            let _ = write!(text, ", restarted {n} times");
        }
    }
    text
}

fn checks(scene: &Scene<'_>, instance: &Instance, width: u16, page: &mut Page) {
    let dim = scene.style(Role::Dim);
    if instance.checks.is_empty() {
        let text = if instance.has_healthcheck && instance.pod.is_some() {
            // A kubelet tells what its probes find only when they fail.
            "its readiness probe is the kubelet's: it tells failures only"
        } else if instance.has_healthcheck {
            "its health check has not run yet"
        } else {
            "no health check: only that it runs is known"
        };
        page.line().add("    ", dim).add(text, dim);
        return;
    }
    for check in &instance.checks {
        head(scene, check, page);
        let said = check.output.trim();
        // What a check that passes says is of little interest to somebody looking for trouble.
        if check.health == Health::Healthy {
            page.add("  ", dim).add(said.lines().next().unwrap_or_default(), dim);
        } else {
            page.wrapped(if said.is_empty() { "(no output)" } else { said }, dim, 6, width, OUTPUT);
        }
    }
}

fn head(scene: &Scene<'_>, check: &Check, page: &mut Page) {
    let dim = scene.style(Role::Dim);
    let symbol = match check.health {
        Health::Healthy => "✔",
        Health::Unhealthy | Health::Degraded => "✖",
        Health::Stopped | Health::Unknown | Health::Starting => check.health.symbol(),
    };
    page.line().add("    ", dim).add(symbol, scene.theme.health(check.health));
    page.add(format!(" {}", check.name), scene.style(Role::Text)).add(format!("  {}", check.source), dim);
    if let Some(ms) = check.latency_ms {
        page.add(format!("  {}", millis(ms)), dim);
    }
    if let Some(at) = check.at {
        page.add(format!("  {} ago", age(scene.state.now, at)), dim);
    }
}
