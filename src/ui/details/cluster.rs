//! What only clusters have: a workload's controller, a pod's containers, the machines.

use crate::app::format::{bytes, count};
use crate::model::{Container, ContainerRole, Controller, Health, Node, Pod};
use crate::theme::Role;

use super::super::scene::Scene;
use super::super::widget::Page;
use super::super::widget::text::cells;
use super::fact;

/// Machines shown before the rest is counted.
const NODES: usize = 12;

/// How a controller goes about it, and how far it is.
pub fn controller(scene: &Scene<'_>, controller: &Controller, width: u16, page: &mut Page) {
    let styles = (scene.style(Role::Text), scene.style(Role::Dim));
    let mut how: Vec<String> = Vec::new();
    if !controller.strategy.is_empty() {
        how.push(format!("{}, {} up to date, {} available", controller.strategy, controller.updated, controller.available));
    }
    if let Some(schedule) = &controller.schedule {
        how.push(format!("schedule {schedule}"));
    }
    if controller.paused {
        how.push(if controller.schedule.is_some() { "suspended" } else { "paused" }.to_owned());
    }
    if !how.is_empty() {
        fact(page, "rollout", &how.join(", "), styles);
    }
    if let Some(scaler) = &controller.scaler {
        let targets = if scaler.targets.is_empty() { String::new() } else { format!(": {}", scaler.targets.join(", ")) };
        let words = format!("{} keeps {} to {}, now {}{targets}", scaler.name, scaler.min, scaler.max, scaler.current);
        fact(page, "scaler", &words, styles);
        if let Some(trouble) = &scaler.trouble {
            page.wrapped(trouble, scene.style(Role::Warn), 10, width, 2);
        }
    }
    if controller.containers.len() > 1 {
        let all: Vec<String> = controller.containers.iter().map(|(name, image)| format!("{name} {image}")).collect();
        fact(page, "containers", &all.join("  "), styles);
    }
    if !controller.services.is_empty() {
        fact(page, "services", &controller.services.join("  "), styles);
    }
    for condition in &controller.conditions {
        page.wrapped(condition, scene.style(Role::Warn), 0, width, 2);
    }
}

/// A pod and each of its containers.
pub fn pod(scene: &Scene<'_>, pod: &Pod, width: u16, page: &mut Page) {
    let styles = (scene.style(Role::Text), scene.style(Role::Dim));
    let (ready, all) = pod.ready();
    let mut words = vec![format!("{}  {ready}/{all} ready", pod.status)];
    words.extend((!pod.qos.is_empty()).then(|| pod.qos.to_string()));
    fact(page, "pod", &words.join("  "), styles);
    let milli = |m: Option<u64>| m.map_or_else(|| "none".to_owned(), |m| format!("{m}m"));
    let memory = pod.memory_request_bytes.map_or_else(|| "none".to_owned(), |b| bytes(b as f64));
    let asked = format!("cpu {} (limit {})  memory {memory}", milli(pod.cpu_request_milli), milli(pod.cpu_limit_milli));
    fact(page, "requests", &asked, styles);
    if !pod.owners.is_empty() {
        fact(page, "owned by", &pod.owners.join(" ← "), styles);
    }
    let name = pod.containers.iter().map(|c| cells(&c.name)).max().unwrap_or(0).clamp(8, 30) + 2;
    for container in &pod.containers {
        line(scene, container, name, width, page);
    }
}

fn line(scene: &Scene<'_>, container: &Container, name: u16, width: u16, page: &mut Page) {
    let (text, dim) = (scene.style(Role::Text), scene.style(Role::Dim));
    let done = container.role == ContainerRole::Init && container.state.starts_with("terminated: Completed");
    let health = match (container.ready, done) {
        (true, _) | (_, true) => Health::Healthy,
        (false, false) if container.state.starts_with("running") => Health::Starting,
        (false, false) => Health::Unhealthy,
    };
    page.line().add(format!("{} ", health.symbol()), scene.theme.health(health)).column(&container.name, text, name + 2);
    page.column(container.role.word(), dim, name + 12);
    page.add(container.state.as_ref(), if health == Health::Healthy { dim } else { scene.theme.health(health) });
    if container.restarts > 0 {
        page.add(format!("  {}", count(container.restarts as usize, "restart")), scene.style(Role::Warn));
    }
    page.add(format!("  {}", container.image), dim);
    if let Some(last) = &container.last {
        page.wrapped(&format!("the run before: {last}"), scene.style(Role::Warn), name + 2, width, 2);
    }
}

/// The machines of a cluster, worst first.
pub fn nodes(scene: &Scene<'_>, nodes: &[std::sync::Arc<Node>], page: &mut Page) {
    let (text, dim) = (scene.style(Role::Text), scene.style(Role::Dim));
    let mut all: Vec<&Node> = nodes.iter().map(AsRef::as_ref).collect();
    all.sort_by_key(|n| std::cmp::Reverse(n.verdict.health));
    let name = all.iter().map(|n| cells(&n.name)).max().unwrap_or(0).clamp(8, 30) + 2;
    for node in all.iter().take(NODES) {
        let health = node.verdict.health;
        page.line().add(format!("{} ", health.symbol()), scene.theme.health(health)).column(&node.name, text, name + 2);
        page.add(format!("{:>9} pods", format!("{}/{}", node.pods, node.pods_max)), text);
        let share = |part: u64, whole: u64| (part * 100).checked_div(whole).unwrap_or(0);
        let cpu = share(node.cpu_requested_milli, node.cpu_milli);
        let memory = share(node.memory_requested_bytes, node.memory_bytes);
        page.add(format!("  asked for: cpu {cpu:>3} %  memory {memory:>3} % of {}", bytes(node.memory_bytes as f64)), dim);
        if node.cordoned {
            page.add("  cordoned", scene.style(Role::Warn));
        }
        match node.verdict.reasons.first() {
            Some(reason) if health != Health::Healthy => page.add(format!("  {reason}"), scene.style(Role::Warn)),
            Some(_) | None => page.add(format!("  {} {}", node.roles.join(","), node.version), dim),
        };
    }
    if nodes.len() > NODES {
        page.line().add(format!("and {}", count(nodes.len() - NODES, "more node")), dim);
    }
}
