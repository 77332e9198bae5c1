//! Figures: from the engine's own statistics, from exposition text fetched twice, or from a Prometheus server.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;

use super::http::{Ask, shown};
use super::place::{Place, ids, places};
use super::{ASKED, prometheus, seconds};
use crate::engine::{Engine, Report, Topic, Update};
use crate::model::{InstanceId, Sample};
use crate::observe::metric::exposition::Exposition;
use crate::observe::metric::reckon::{Pair, reckon};
use crate::observe::metric::words;
use crate::operate::action::InstanceRef;
use crate::operate::errand::{EngineFigure, Limit, Metric, MetricSource};

/// How long an engine may take for two readings of an instance.
const MEASURED: Duration = Duration::from_secs(20);
/// Between its readings.
const EVERY: Duration = Duration::from_secs(1);
/// Targets scraped at once.
const AT_ONCE: usize = 8;

/// A figure that was read.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Figure {
    pub(super) value: f64,
    pub(super) note: Option<String>,
}

impl Figure {
    /// What to say of it: `error_rate 0.004 (< 0.05)`; an error when it is beyond its limit.
    pub(super) fn judge(&self, name: &str, limit: Option<Limit>) -> Result<String, String> {
        let note = self.note.as_ref().map_or_else(String::new, |note| format!(", {note}"));
        let value = words::figure(self.value);
        match limit {
            None => Ok(format!("{name} {value}{note}")),
            Some(limit) if limit.holds(self.value) => Ok(format!("{name} {value} ({}{note})", limit.words())),
            Some(limit) => Err(format!("it is {value}, {} is wanted{note}", limit.words())),
        }
    }
}

/// Reads the figure.
pub(super) async fn read(engine: Option<&Arc<dyn Engine>>, metric: &Metric, report: &Report) -> Result<Figure, String> {
    match &metric.source {
        MetricSource::Engine { figure, instances } => {
            let engine = engine.ok_or("its engine is not connected")?;
            measured(&**engine, *figure, &ids(instances)?).await
        }
        MetricSource::Scrape { urls, instances } => scraped(engine, metric, urls, instances, report).await,
        MetricSource::Prometheus { server } => {
            prometheus::single(server, &metric.name).await.map(|value| Figure { value, note: None })
        }
    }
}

/// The mean over the instances, from the engine's own statistics.
async fn measured(engine: &dyn Engine, figure: EngineFigure, instances: &[InstanceId]) -> Result<Figure, String> {
    if instances.is_empty() {
        return Err("no instance runs".to_owned());
    }
    let mut found: BTreeMap<InstanceId, f64> = BTreeMap::new();
    let listen = async {
        let wanted: BTreeSet<InstanceId> = instances.iter().cloned().collect();
        let mut updates = engine.subscribe(Topic::Stats { instances: wanted, every: EVERY });
        while let Some(update) = updates.next().await {
            let Update::Samples(samples) = update else { continue };
            found.extend(samples.iter().filter_map(|sample| Some((sample.instance.clone(), of(sample, figure)?))));
            if found.len() == instances.len() {
                return;
            }
        }
    };
    let waited = tokio::time::timeout(MEASURED, listen).await;
    if found.len() < instances.len() {
        let late = if waited.is_err() { format!(" within {}", seconds(MEASURED)) } else { String::new() };
        return Err(format!("the engine measured {} of {} instances{late}", found.len(), instances.len()));
    }
    let value = found.values().sum::<f64>() / found.len() as f64;
    Ok(Figure { value, note: (found.len() > 1).then(|| format!("mean of {}", found.len())) })
}

fn of(sample: &Sample, figure: EngineFigure) -> Option<f64> {
    match figure {
        EngineFigure::Cpu => sample.cpu_cores,
        EngineFigure::Memory => {
            let limit = sample.memory_limit_bytes.filter(|limit| *limit > 0)?;
            Some(sample.memory_bytes? as f64 / limit as f64)
        }
    }
}

/// Fetches every target twice and reckons.
async fn scraped(
    engine: Option<&Arc<dyn Engine>>,
    metric: &Metric,
    urls: &[Arc<str>],
    instances: &[InstanceRef],
    report: &Report,
) -> Result<Figure, String> {
    let mut targets: Vec<Place> = Vec::new();
    for url in urls {
        targets.extend(places(engine, url, instances).await?);
    }
    if targets.is_empty() {
        return Err("there is nothing to scrape".to_owned());
    }
    report(format!("measuring for {}", seconds(metric.window)));
    let pairs = futures_util::stream::iter(targets.into_iter().map(|target| twice(target, metric.window)));
    let pairs: Vec<Result<Pair, String>> = pairs.buffer_unordered(AT_ONCE).collect().await;
    let pairs: Vec<Pair> = pairs.into_iter().collect::<Result<_, _>>()?;
    reckon(&metric.name, &pairs).map(|reckoned| Figure { value: reckoned.value, note: reckoned.note })
}

async fn twice(target: Place, window: Duration) -> Result<Pair, String> {
    let (before, begun) = (scrape(&target).await?, Instant::now());
    tokio::time::sleep(window).await;
    let after = scrape(&target).await?;
    Ok(Pair { before, after, seconds: begun.elapsed().as_secs_f64() })
}

pub(super) async fn scrape(target: &Place) -> Result<Exposition, String> {
    let said = |why: &str| target.says(&format!("{}: {why}", shown(&target.address)));
    let ask = Ask { way: target.way.clone(), ..Ask::get(&target.address) };
    let answer = ask.send(ASKED).await.map_err(|fault| said(&fault.why))?;
    if answer.status != 200 {
        return Err(said(&format!("it answers {}", answer.status)));
    }
    let read = Exposition::read(&String::from_utf8_lossy(&answer.body));
    if read.points.is_empty() && read.unread > 0 {
        return Err(said("what it answers is no metrics text"));
    }
    Ok(read)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_is_told_with_its_limit() {
        let figure = |value: f64, note: Option<&str>| Figure { value, note: note.map(str::to_owned) };
        for (figure, limit, expected) in [
            (figure(0.004, None), Some(Limit::Below(0.05)), Ok("error_rate 0.004 (< 0.05)")),
            (figure(0.0, Some("no requests")), Some(Limit::Below(0.05)), Ok("error_rate 0 (< 0.05, no requests)")),
            (figure(0.123_456_78, None), Some(Limit::Below(0.05)), Err("it is 0.1235, < 0.05 is wanted")),
            (figure(12_345.67, None), None, Ok("error_rate 12346")),
            (figure(2.0, None), Some(Limit::Above(1.0)), Ok("error_rate 2 (> 1)")),
        ] {
            assert_eq!(figure.judge("error_rate", limit).as_deref().map_err(String::as_str), expected);
        }
    }
}
