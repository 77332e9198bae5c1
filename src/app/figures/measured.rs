//! The charts of what the engine measures: CPU, memory, network, disk, with their limits and what scales by them.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::app::rows::Subject;
use crate::app::state::State;
use crate::model::{Instance, Snapshot, Workload};
use crate::observe::metric::{Figure, Stretch};

use super::graph::{Graph, Level, Line, Unit};
use super::is_measurable;

/// How long a reading may hold, at most.
const BEFORE: SignedDuration = SignedDuration::from_secs(120);
/// Instances drawn by themselves at a time.
const MOST: usize = 10;

/// The charts of what a row stands for, from a moment on: sums, or with `each` every instance by itself.
#[must_use]
pub fn graphs(state: &State, subject: &Subject<'_>, from: Timestamp, each: bool) -> Vec<Graph> {
    let Some((snapshot, workload, instances)) = instances(subject) else { return Vec::new() };
    let each = each && instances.len() > 1;
    let mut graphs = vec![
        graph((state, from), "CPU", Unit::Cores, &instances, &[(Figure::Cpu, "")], each),
        graph((state, from), "Memory", Unit::Bytes, &instances, &[(Figure::Memory, "")], each),
    ];
    cpu_levels(state, (snapshot, workload), &instances, each, &mut graphs[0]);
    memory_levels((snapshot, workload), state, &instances, each, &mut graphs[1]);
    let pairs = [
        ("Network", [(Figure::NetRx, "in"), (Figure::NetTx, "out")]),
        ("Disk", [(Figure::BlockRead, "read"), (Figure::BlockWrite, "written")]),
    ];
    for (title, pair) in pairs {
        if each {
            for (figure, word) in pair {
                graphs.push(graph(
                    (state, from),
                    &format!("{title} {word}"),
                    Unit::BytesASecond,
                    &instances,
                    &[(figure, "")],
                    true,
                ));
            }
        } else {
            graphs.push(graph((state, from), title, Unit::BytesASecond, &instances, &pair, false));
        }
    }
    graphs
}

type Found<'a> = (&'a Snapshot, Option<&'a Workload>, Vec<&'a Arc<Instance>>);

/// The instances that have figures, in the order of their names.
#[must_use]
pub fn instances<'a>(subject: &Subject<'a>) -> Option<Found<'a>> {
    let of = |w: &'a Workload| w.instances.iter().filter(|i| is_measurable(i)).collect::<Vec<_>>();
    match *subject {
        Subject::Environment(s) => {
            let all = s.workloads.iter().flat_map(|w| of(w)).collect();
            Some((s.as_ref(), None, all))
        }
        Subject::Workload(s, w) => Some((s.as_ref(), Some(w.as_ref()), of(w))),
        Subject::Instance(s, w, i) => Some((s.as_ref(), Some(w.as_ref()), vec![i])),
        Subject::Connection(_)
        | Subject::Revision(..)
        | Subject::Running(_)
        | Subject::Past(_)
        | Subject::Alert(..)
        | Subject::Item(..) => None,
    }
}

fn graph(
    (state, from): (&State, Timestamp),
    title: &str,
    unit: Unit,
    instances: &[&Arc<Instance>],
    figures: &[(Figure, &'static str)],
    each: bool,
) -> Graph {
    // What is before it may still hold in its beginning.
    let from = from.saturating_sub(BEFORE).unwrap_or(from);
    let part =
        |i: &Arc<Instance>, figure| state.metrics.over(&i.id, figure).skip_while(|s| s.until < from).collect::<Vec<Stretch>>();
    let lines = if each {
        let own = |(at, i): (usize, &&Arc<Instance>)| Line {
            name: i.name.clone(),
            letter: Some(letter(at)),
            parts: figures.iter().map(|(figure, _)| part(i, *figure)).collect(),
        };
        instances.iter().take(MOST).enumerate().map(own).collect()
    } else {
        let sum = |(figure, word): &(Figure, &'static str)| Line {
            name: (*word).into(),
            letter: None,
            parts: instances.iter().map(|i| part(i, *figure)).filter(|p| !p.is_empty()).collect(),
        };
        figures.iter().map(sum).collect()
    };
    Graph::new(title, unit, lines)
}

/// The letter of the n-th instance.
#[must_use]
pub fn letter(at: usize) -> char {
    char::from(b'A' + u8::try_from(at % 26).unwrap_or(0))
}

/// Instances that are not drawn because there are too many.
#[must_use]
pub fn left_out(subject: &Subject<'_>) -> usize {
    instances(subject).map_or(0, |(_, _, all)| all.len().saturating_sub(MOST))
}

fn cpu_levels(
    state: &State,
    (snapshot, workload): (&Snapshot, Option<&Workload>),
    instances: &[&Arc<Instance>],
    each: bool,
    graph: &mut Graph,
) {
    let milli = |get: fn(&crate::model::Pod) -> Option<u64>| {
        let values: Option<Vec<f64>> =
            instances.iter().map(|i| i.pod.as_ref().and_then(|p| get(p)).map(|m| m as f64 / 1000.0)).collect();
        together(&values?, each)
    };
    graph.levels.extend(milli(|p| p.cpu_limit_milli).map(|value| Level { name: "limit".into(), value }));
    if let Some((target, requested)) = target(workload, "cpu").zip(milli(|p| p.cpu_request_milli)) {
        graph.levels.push(Level { name: "autoscaler".into(), value: target * requested });
    }
    let many = if each { 1.0 } else { instances.len() as f64 };
    policies(state, (snapshot, workload), "cpu", many, graph);
    graph.note = graph.note.take().or_else(|| scaler(workload, "cpu"));
}

fn memory_levels(
    (snapshot, workload): (&Snapshot, Option<&Workload>),
    state: &State,
    instances: &[&Arc<Instance>],
    each: bool,
    graph: &mut Graph,
) {
    let limit = |i: &Arc<Instance>| {
        let own = i.memory_limit_bytes.or_else(|| state.metrics.latest(&i.id)?.memory_limit_bytes);
        own.filter(|l| *l > 0).map(|l| l as f64)
    };
    let limits: Option<Vec<f64>> = instances.iter().map(|i| limit(i)).collect();
    let limit = limits.and_then(|l| together(&l, each));
    graph.levels.extend(limit.map(|value| Level { name: "limit".into(), value }));
    let requests: Option<Vec<f64>> = instances.iter().map(|i| i.pod.as_ref()?.memory_request_bytes.map(|b| b as f64)).collect();
    if let Some((target, requested)) = target(workload, "memory").zip(requests.and_then(|r| together(&r, each))) {
        graph.levels.push(Level { name: "autoscaler".into(), value: target * requested });
    }
    // A policy reads memory as a part of the limit.
    if let Some(limit) = limit {
        policies(state, (snapshot, workload), "memory", limit, graph);
    }
    graph.note = graph.note.take().or_else(|| scaler(workload, "memory"));
}

/// The sum, or what each has where all have the same.
fn together(values: &[f64], each: bool) -> Option<f64> {
    let first = *values.first()?;
    if each { values.iter().all(|v| (v - first).abs() < 1e-6).then_some(first) } else { Some(values.iter().sum()) }
}

/// The part of what is requested that the engine's autoscaler aims at: of `cpu 43 % of 70 %`, 0.7.
fn target(workload: Option<&Workload>, resource: &str) -> Option<f64> {
    let words = scaler(workload, resource)?;
    let percent = words.rsplit_once(" of ")?.1.trim().strip_suffix('%')?.trim().parse::<f64>().ok()?;
    Some(percent / 100.0)
}

/// What the engine's autoscaler says of a resource: `cpu 43 % of 70 %`.
fn scaler(workload: Option<&Workload>, resource: &str) -> Option<Arc<str>> {
    let scaler = workload?.controller.as_ref()?.scaler.as_ref()?;
    scaler.targets.iter().find(|t| t.starts_with(resource)).cloned()
}

/// The bounds of a policy of the configuration, in the chart's own terms: times `many`.
fn policies(state: &State, (snapshot, workload): (&Snapshot, Option<&Workload>), metric: &str, many: f64, graph: &mut Graph) {
    let (Some(workload), Some(policy)) = (workload, state.settings.policies.get(&snapshot.environment.id)) else { return };
    for (at, scale) in policy.autoscale.iter().enumerate().filter(|(_, a)| a.workload == workload.id && *a.metric == *metric) {
        let bounds = [("more above", scale.above), ("fewer below", scale.below)];
        graph.levels.extend(bounds.into_iter().filter_map(|(name, v)| Some(Level { name: name.into(), value: v? * many })));
        let scaler = state.autoscalers.scalers.get(&(snapshot.environment.id.clone(), at));
        graph.note = scaler.map(|s| s.words().into());
    }
}
