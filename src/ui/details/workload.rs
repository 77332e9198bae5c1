//! A workload's instances by container name, its revision, and what happened to it last.

use std::sync::Arc;

use crate::app::format::{UNKNOWN, age, bytes, cores, count};
use crate::model::{Drift, DriftKind, Health, Instance, Revision, Snapshot, Workload};
use crate::observe::metric::Figure;
use crate::theme::Role;

use super::super::format::digest;
use super::super::scene::Scene;
use super::super::widget::Page;
use super::super::widget::text::cells;
use super::{cluster, events};

/// Fields of a drift shown before the rest is counted.
const FIELDS: usize = 8;

pub fn write(
    scene: &Scene<'_>,
    snapshot: &Arc<Snapshot>,
    workload: &Arc<Workload>,
    (width, height): (u16, u16),
    page: &mut Page,
) {
    let dim = scene.style(Role::Dim);
    page.line();
    version(scene, workload, page);
    // A controller's scaler is told with the rest of the controller.
    let told = workload.controller.as_ref().is_some_and(|c| c.scaler.is_some());
    if let Some(autoscaler) = scene.state.autoscaler_of(&snapshot.environment.id, &workload.id).filter(|_| !told) {
        page.line().add(format!("autoscaler {autoscaler}"), dim);
    }
    if let Some(controller) = &workload.controller {
        cluster::controller(scene, controller, width, page);
    }
    if let Some(drift) = &workload.drift {
        self::drift(scene, snapshot, drift, width, page);
    }
    // The first reason is under the row already.
    for reason in workload.verdict.reasons.iter().skip(1).take(3) {
        page.wrapped(reason, scene.style(Role::Warn), 0, width, 2);
    }
    let room = usize::from(height).saturating_sub(page.lines.len());
    let name = workload.instances.iter().map(|i| cells(&i.name)).max().unwrap_or(0).clamp(12, 36) + 2;
    // Events get a third of what is left, instances the rest.
    let most = if room < 6 { room } else { room - room / 3 };
    let shown = if workload.instances.len() > most { most.saturating_sub(1) } else { workload.instances.len() };
    for instance in workload.instances.iter().take(shown) {
        instance_line(scene, instance, name, page);
    }
    if shown < workload.instances.len() {
        page.line().add(format!("and {}", count(workload.instances.len() - shown, "more instance")), dim);
    }
    let left = usize::from(height).saturating_sub(page.lines.len() + 1);
    let before = workload.revisions.iter().filter(|r| Some(r.number) != workload.revision).take((left / 3).min(4));
    for (at, revision) in before.enumerate() {
        if at == 0 {
            page.line();
        }
        earlier(scene, revision, page);
    }
    let left = usize::from(height).saturating_sub(page.lines.len() + 1);
    if left > 0 {
        let environment = &snapshot.environment.id;
        page.line();
        let ours = |subject: &str| subject == workload.id.as_str() || workload.instances.iter().any(|i| *i.name == *subject);
        events(scene, |item| &item.environment == environment && ours(&item.subject), left, page);
    }
}

/// What runs: image, digest, revision, by whom and when.
fn version(scene: &Scene<'_>, workload: &Workload, page: &mut Page) {
    let (text, dim) = (scene.style(Role::Text), scene.style(Role::Dim));
    page.add(workload.image.as_ref(), text);
    if let Some(address) = &workload.digest {
        page.add(format!("  {}", digest(address)), dim);
    }
    let current = workload.revisions.iter().find(|r| Some(r.number) == workload.revision);
    if let Some(revision) = current {
        page.add(format!("  revision {}", revision.number), text);
        if let Some(by) = &revision.by {
            page.add(format!(" by {by}"), dim);
        }
        if let Some(at) = revision.at {
            page.add(format!(" {} ago", age(scene.state.now, at)), dim);
        }
        if let Some(cause) = &revision.cause {
            page.add(format!(": {cause}"), dim);
        }
    }
}

/// A revision one can go back to.
fn earlier(scene: &Scene<'_>, revision: &Revision, page: &mut Page) {
    let (text, dim) = (scene.style(Role::Text), scene.style(Role::Dim));
    page.line().column(&format!("revision {}", revision.number), dim, 14).column(&revision.image, text, 38);
    if let Some(at) = revision.at {
        page.add(format!("{} ago", age(scene.state.now, at)), dim);
    }
    if let Some(by) = &revision.by {
        page.add(format!("  by {by}"), dim);
    }
}

fn instance_line(scene: &Scene<'_>, instance: &Instance, name: u16, page: &mut Page) {
    let (text, dim) = (scene.style(Role::Text), scene.style(Role::Dim));
    let health = instance.verdict.health;
    let figure = |f| scene.state.metrics.current(&instance.id, f);
    page.line().add(format!("{} ", health.symbol()), scene.theme.health(health)).column(&instance.name, text, name + 2);
    page.column(instance.state.word(), if health == Health::Healthy { dim } else { scene.theme.health(health) }, name + 13);
    page.add(format!("{:>6}", figure(Figure::Cpu).map_or_else(|| UNKNOWN.to_owned(), cores)), dim);
    page.add(format!("  {:>6}", figure(Figure::Memory).map_or_else(|| UNKNOWN.to_owned(), bytes)), dim);
    if instance.set_aside {
        page.add("  set aside for the way back", scene.style(Role::Warn));
    }
    if let Some(started) = instance.started_at {
        page.add(format!("  up {}", age(scene.state.now, started)), dim);
    }
    if instance.restarts > 0 {
        page.add(format!("  {}", count(instance.restarts as usize, "restart")), scene.style(Role::Warn));
    }
    for port in instance.ports.iter().take(3) {
        page.add(format!("  {port}"), dim);
    }
}

/// How it differs from its file, field by field: as it runs, then as the file has it.
fn drift(scene: &Scene<'_>, snapshot: &Snapshot, drift: &Drift, width: u16, page: &mut Page) {
    let file = snapshot.file.as_ref().map(|f| format!(" ({})", f.names)).unwrap_or_default();
    let words = match drift.kind {
        DriftKind::Changed => format!("drift: {}", count(drift.deviations.len(), "field")),
        DriftKind::Missing | DriftKind::Extra => format!("drift: {drift}"),
    };
    page.line().add(format!("{words}{file}"), scene.style(Role::Warn));
    for deviation in drift.deviations.iter().take(FIELDS) {
        let shown = |value: &Option<Arc<str>>| value.as_deref().unwrap_or("–").to_owned();
        let line = format!("{}  {} → {}", deviation.path, shown(&deviation.running), shown(&deviation.wanted));
        page.wrapped(&line, scene.style(Role::Dim), 2, width, 2);
    }
    if drift.deviations.len() > FIELDS {
        let more = drift.deviations.len() - FIELDS;
        page.line().add(format!("  and {} (qd diff --running)", count(more, "more field")), scene.style(Role::Dim));
    }
}
