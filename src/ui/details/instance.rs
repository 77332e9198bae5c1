//! One instance: where it runs, what it listens on, its checks, and what happened to it last.

use std::sync::Arc;

use crate::app::format::{age, bytes};
use crate::model::{Instance, Snapshot, Workload};
use crate::theme::Role;

use super::super::format::digest;
use super::super::health;
use super::super::scene::Scene;
use super::super::widget::Page;
use super::{cluster, events, fact};

pub fn write(
    scene: &Scene<'_>,
    (snapshot, workload, instance): (&Arc<Snapshot>, &Arc<Workload>, &Arc<Instance>),
    (width, height): (u16, u16),
    page: &mut Page,
) {
    let styles = (scene.style(Role::Text), scene.style(Role::Dim));
    let of = if let Some(pod) = &instance.pod {
        format!("{} {}  namespace {}", workload.kind, workload.id, pod.namespace)
    } else {
        let short: String = instance.id.as_str().chars().take(12).collect();
        format!("{}  number {}  id {short}", workload.id, instance.number)
    };
    fact(page, "of", &of, styles);
    let address = instance.digest.as_deref().map(digest).unwrap_or_default();
    fact(page, "image", &format!("{}  {address}", instance.image), styles);
    if !instance.ports.is_empty() {
        let ports: Vec<String> = instance.ports.iter().map(ToString::to_string).collect();
        fact(page, "ports", &ports.join("  "), styles);
    }
    fact(page, "where", &place(instance), styles);
    fact(page, "since", &since(scene, instance), styles);
    if let Some(pod) = &instance.pod {
        cluster::pod(scene, pod, width, page);
    }
    health::of_instance(scene, &snapshot.environment.id, instance, width, page);
    let left = usize::from(height).saturating_sub(page.lines.len() + 1);
    if left > 0 {
        page.line();
        let environment = &snapshot.environment.id;
        events(scene, |item| &item.environment == environment && *item.subject == *instance.name, left, page);
    }
}

fn place(instance: &Instance) -> String {
    let mut parts = Vec::new();
    parts.extend(instance.node.as_ref().map(ToString::to_string));
    parts.extend(instance.ip.as_ref().map(ToString::to_string));
    parts.push(
        instance
            .memory_limit_bytes
            .map_or_else(|| "no memory limit".to_owned(), |limit| format!("memory limit {}", bytes(limit as f64))),
    );
    parts.join("  ")
}

fn since(scene: &Scene<'_>, instance: &Instance) -> String {
    let now = scene.state.now;
    let mut parts = Vec::new();
    if let Some(at) = instance.created_at {
        parts.push(format!("created {} ago", age(now, at)));
    }
    if let Some(at) = instance.started_at {
        parts.push(format!("started {} ago", age(now, at)));
    }
    if let Some(at) = instance.finished_at {
        parts.push(format!("ended {} ago", age(now, at)));
    }
    if parts.is_empty() { "not known".to_owned() } else { parts.join("  ") }
}
