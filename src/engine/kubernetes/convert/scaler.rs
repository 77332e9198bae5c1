//! A `HorizontalPodAutoscaler`: what it owns, its bounds, what it goes by, why it cannot do its work.

use std::sync::Arc;

use super::object::Object;
use super::pod::Maker;
use super::{Key, count, words};
use crate::engine::intern::Interner;
use crate::engine::kubernetes::watch::Kind;
use crate::engine::kubernetes::wire::around::{self, Metric, MetricSource, MetricValue};
use crate::engine::kubernetes::wire::meta::condition;
use crate::model::Scaler;

/// An autoscaler and what it owns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Autoscaler {
    pub owns: Maker,
    pub scaler: Arc<Scaler>,
}

/// An autoscaler as an object.
pub fn object(_: Kind, raw: &around::Scaler, key: &Key, interner: &mut Interner) -> Option<Object> {
    let target = &raw.spec.scale_target_ref;
    let name = interner.text(&target.name);
    let owns = match target.kind.as_str() {
        "Deployment" => Maker::Deployment(name),
        "StatefulSet" => Maker::StatefulSet(name),
        kind => Maker::Other(interner.text(kind), name),
    };
    let status = &raw.status;
    let failed = |kind: &str| condition(&status.conditions, kind).filter(|c| c.status == "False");
    let trouble = failed("AbleToScale").or_else(|| failed("ScalingActive").filter(|c| c.reason != "ScalingDisabled"));
    let scaler = Scaler {
        name: key.name.clone(),
        min: count(raw.spec.min_replicas.or(Some(1))),
        max: count(raw.spec.max_replicas),
        current: count(status.current_replicas),
        desired: count(status.desired_replicas),
        targets: raw.spec.metrics.iter().map(|metric| target_words(metric, &status.current_metrics)).collect(),
        trouble: trouble.map(|c| words(&format!("{}: {}", c.reason, c.message))),
    };
    Some(Object::Scaler(Box::new(Autoscaler { owns, scaler: Arc::new(scaler) })))
}

fn source(metric: &Metric) -> Option<&MetricSource> {
    let all = [&metric.resource, &metric.container_resource, &metric.pods, &metric.object, &metric.external];
    all.into_iter().find_map(Option::as_ref)
}

fn name(source: &MetricSource) -> &str {
    if source.name.is_empty() { &source.metric.name } else { &source.name }
}

/// `cpu 43 % of 70 %`.
fn target_words(metric: &Metric, current: &[Metric]) -> Arc<str> {
    let Some(wanted) = source(metric) else { return words(&metric.kind) };
    let name = name(wanted);
    let now = current.iter().filter(|m| m.kind == metric.kind).filter_map(source).find(|s| self::name(s) == name);
    let value = |of: &MetricValue| match of.average_utilization {
        Some(percent) if wanted.target.average_utilization.is_some() => format!("{percent} %"),
        Some(_) | None if !of.average_value.is_empty() => of.average_value.clone(),
        Some(_) | None if !of.value.is_empty() => of.value.clone(),
        Some(_) | None => "unknown".to_owned(),
    };
    let now = now.map_or_else(|| "unknown".to_owned(), |s| value(&s.current));
    words(&format!("{name} {now} of {}", value(&wanted.target)))
}

/// The workload's one line: `3 to 10, now 6 of 10 (cpu 300 % of 70 %)`.
#[must_use]
pub fn line(scaler: &Scaler) -> Arc<str> {
    let targets = if scaler.targets.is_empty() { String::new() } else { format!(" ({})", scaler.targets.join(", ")) };
    let trouble = scaler.trouble.as_ref().map(|t| format!("; {t}")).unwrap_or_default();
    let wants = if scaler.desired == scaler.current {
        String::new()
    } else {
        format!(", wants {} of now {}", scaler.desired, scaler.current)
    };
    format!("{} to {}{wants}{targets}{trouble}", scaler.min, scaler.max).into()
}
