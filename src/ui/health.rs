//! The health of what is selected: every reason, every check, and what it last said.

use std::fmt::Write as _;

use crate::app::format::{age, millis, moment};
use crate::model::{Check, EnvironmentId, Health, Instance, InstanceId, Verdict, Workload};
use crate::observe::probe::{Mark, Standing};
use crate::theme::Role;

use super::scene::Scene;
use super::widget::Page;

/// Lines of a check's output that are shown.
const OUTPUT: usize = 8;

/// The reasons, then the checks of each instance, worst first.
pub fn of_workload(scene: &Scene<'_>, environment: &EnvironmentId, workload: &Workload, width: u16, page: &mut Page) {
    since(scene, &workload.verdict, page);
    reasons(scene, &workload.verdict.reasons, width, page);
    for check in &workload.checks {
        one(scene, (environment, None), check, width, page);
    }
    let mut instances: Vec<_> = workload.replicas().collect();
    instances.sort_by_key(|i| std::cmp::Reverse(i.verdict.health));
    for instance in instances {
        let health = instance.verdict.health;
        page.line()
            .add(format!("{} ", health.symbol()), scene.theme.health(health))
            .add(instance.name.as_ref(), scene.style(Role::Text));
        page.add(format!("  {}", state_of(instance)), scene.style(Role::Dim));
        checks(scene, environment, instance, width, page);
    }
}

/// The reasons and checks of one instance.
pub fn of_instance(scene: &Scene<'_>, environment: &EnvironmentId, instance: &Instance, width: u16, page: &mut Page) {
    since(scene, &instance.verdict, page);
    reasons(scene, &instance.verdict.reasons, width, page);
    page.line().add(state_of(instance), scene.style(Role::Dim));
    checks(scene, environment, instance, width, page);
}

/// `degraded since 14:01:10, 4m`; nothing is said where it was so from the first sight on.
fn since(scene: &Scene<'_>, verdict: &Verdict, page: &mut Page) {
    if let Some(at) = verdict.since {
        let text = format!("{} since {}, {}", verdict.health, moment(scene.state.now, at, 0), age(scene.state.now, at));
        page.line().add(text, scene.style(Role::Dim));
    }
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

fn checks(scene: &Scene<'_>, environment: &EnvironmentId, instance: &Instance, width: u16, page: &mut Page) {
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
        one(scene, (environment, Some(&instance.id)), check, width, page);
    }
}

/// One check, what it last said, and how its last looks went.
fn one(scene: &Scene<'_>, place: (&EnvironmentId, Option<&InstanceId>), check: &Check, width: u16, page: &mut Page) {
    let dim = scene.style(Role::Dim);
    head(scene, check, page);
    let said = check.output.trim();
    // What a check that passes says is of little interest to somebody looking for trouble.
    if check.health == Health::Healthy {
        page.add("  ", dim).add(said.lines().next().unwrap_or_default(), dim);
    } else {
        page.wrapped(if said.is_empty() { "(no output)" } else { said }, dim, 6, width, OUTPUT);
    }
    if check.source == "probe"
        && let Some(standing) = scene.state.watched.standing(place.0, &check.name, place.1)
    {
        strip(scene, standing, width, page);
    }
}

/// The last looks, oldest first, each by a sign of its own, and how long they took.
fn strip(scene: &Scene<'_>, standing: &Standing, width: u16, page: &mut Page) {
    let dim = scene.style(Role::Dim);
    let room = usize::from(width.saturating_sub(40)).clamp(10, 60);
    page.line().add("      ", dim);
    for look in standing.strip().skip(standing.strip().len().saturating_sub(room)) {
        let (sign, role) = match look.mark {
            Mark::Good => ("▁", Role::Good),
            Mark::Late => ("▄", Role::Warn),
            Mark::Failed => ("█", Role::Bad),
        };
        page.add(sign, scene.style(role));
    }
    let ms = |part: f64| standing.latency(part).map(|l| millis(u64::try_from(l.as_millis()).unwrap_or(u64::MAX)));
    if let (Some(half), Some(most)) = (ms(0.5), ms(0.95)) {
        page.add(format!("  p50 {half}, p95 {most}"), dim);
    }
    if standing.failed_in_a_row() > 0 {
        page.add(format!("  {} failed in a row", standing.failed_in_a_row()), scene.style(Role::Warn));
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
