//! An environment's workloads at a glance, worst first.

use crate::app::figures;
use crate::app::format::{UNKNOWN, bytes, cores, count};
use crate::app::rows::Subject;
use crate::model::{Health, Snapshot};
use crate::observe::metric::Figure;
use crate::theme::Role;

use super::super::scene::Scene;
use super::super::widget::Page;
use super::cluster;
use std::sync::Arc;

pub fn write(scene: &Scene<'_>, snapshot: &Arc<Snapshot>, width: u16, height: u16, page: &mut Page) {
    let (text, dim) = (scene.style(Role::Text), scene.style(Role::Dim));
    page.line().add(snapshot.environment.endpoint.as_ref(), dim);
    for note in &snapshot.notes {
        page.wrapped(note, scene.style(Role::Warn), 0, width, 2);
    }
    for (what, words) in &snapshot.facts {
        page.wrapped(&format!("{what}: {words}"), dim, 0, width, 2);
    }
    cluster::nodes(scene, &snapshot.nodes, page);
    let mut workloads: Vec<_> = snapshot.workloads.iter().collect();
    workloads.sort_by_key(|w| std::cmp::Reverse(w.verdict.health));
    let name = workloads.iter().map(|w| super::super::widget::text::cells(w.id.as_str())).max().unwrap_or(0).clamp(10, 28) + 2;
    let room = usize::from(height);
    let total = workloads.len();
    for (at, workload) in workloads.into_iter().enumerate() {
        if page.lines.len() + 1 >= room && at + 1 < total {
            page.line().add(format!("and {}", count(total - at, "more workload")), dim);
            break;
        }
        let health = workload.verdict.health;
        let of = |figure| figures::of(scene.state, &Subject::Workload(snapshot, workload), figure).map(|t| t.value);
        page.line().add(format!("{} ", health.symbol()), scene.theme.health(health)).column(workload.id.as_str(), text, name + 2);
        page.add(format!("{:>7}", format!("{}/{}", workload.ready, workload.desired)), text);
        page.add(format!("  {:>6}", of(Figure::Cpu).map_or_else(|| UNKNOWN.to_owned(), cores)), dim);
        page.add(format!("  {:>6}  ", of(Figure::Memory).map_or_else(|| UNKNOWN.to_owned(), bytes)), dim);
        match workload.verdict.reasons.first() {
            Some(reason) if health != Health::Healthy => page.add(reason.as_ref(), scene.style(Role::Warn)),
            Some(_) | None => page.add(workload.image.as_ref(), dim),
        };
    }
}
