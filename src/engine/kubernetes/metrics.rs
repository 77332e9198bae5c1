//! Figures of pods: of the metrics API, else of the kubelets' summaries through the node proxy, else none and why.

mod wire;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{self, BoxStream, StreamExt};
use jiff::Timestamp;
use tokio::time::{Instant, sleep_until};

use super::client::Client;
use super::known::Figures;
use super::place::encoded;
use crate::engine::outlet::drive;
use crate::engine::{EngineError, Update};
use crate::model::{Instance, InstanceId, Sample};

pub use wire::{PodFigures, PodList, Summary};

/// The server's own figures change every 15 s: asking more often shows nothing new.
const LEAST: Duration = Duration::from_secs(10);
/// Kubelets asked at once.
const AT_ONCE: usize = 8;
/// Above so many namespaces all of them are asked for at once.
const APART: usize = 4;
/// Rounds after which the metrics API is tried again where it was not there.
const AGAIN: u32 = 6;
const METRICS: &str = "/apis/metrics.k8s.io/v1beta1";

/// Follows the figures of these pods.
#[must_use]
pub fn follow(client: Client, instances: BTreeSet<InstanceId>, every: Duration) -> BoxStream<'static, Update> {
    drive(move |outlet| async move {
        let every = every.max(LEAST);
        let mut round = 0_u32;
        let mut missing = false;
        loop {
            let begun = Instant::now();
            let known = client.known().instances();
            if round.is_multiple_of(AGAIN) {
                missing = false;
            }
            let samples = read(&client, &instances, &known, &mut missing).await;
            if !samples.is_empty() && !outlet.send(Update::Samples(samples)).await {
                return;
            }
            round = round.saturating_add(1);
            sleep_until(begun + every).await;
        }
    })
}

/// Reads once. `missing`: the metrics API is not asked.
async fn read(
    client: &Client,
    instances: &BTreeSet<InstanceId>,
    known: &BTreeMap<InstanceId, Arc<Instance>>,
    missing: &mut bool,
) -> Vec<Sample> {
    let mut why = None;
    if !*missing {
        match by_api(client, instances, known).await {
            Ok(samples) => {
                tell(client, "metrics API (mean of its last window)", None);
                return samples;
            }
            Err(error) => {
                *missing = !matches!(error, EngineError::Unreachable { .. } | EngineError::TimedOut { .. });
                why = Some(error);
            }
        }
    }
    match by_kubelet(client, instances, known).await {
        Ok(samples) => {
            tell(client, "kubelet summary", None);
            samples
        }
        Err(error) => {
            let before = client.known().figures().trouble;
            let trouble = why.map(|why| format!("no metrics: {why}; {error}").into()).or(before);
            tell(client, "no metrics", trouble.or_else(|| Some(format!("no metrics: {error}").into())));
            Vec::new()
        }
    }
}

fn tell(client: &Client, basis: &str, trouble: Option<Arc<str>>) {
    client.known().set_figures(Figures { basis: basis.into(), trouble });
}

async fn by_api(
    client: &Client,
    instances: &BTreeSet<InstanceId>,
    known: &BTreeMap<InstanceId, Arc<Instance>>,
) -> Result<Vec<Sample>, EngineError> {
    let namespaces: BTreeSet<&str> = instances.iter().filter_map(|id| id.as_str().split_once('/')).map(|(n, _)| n).collect();
    let every = client.environments().iter().any(|e| &*e.project == "*");
    let paths: Vec<String> = if namespaces.len() > APART && every {
        vec![format!("{METRICS}/pods")]
    } else {
        namespaces.iter().map(|namespace| format!("{METRICS}/namespaces/{}/pods", encoded(namespace))).collect()
    };
    let mut samples = Vec::new();
    for path in paths {
        let list: PodList = client.get("Asking for figures", &path).await?;
        let own = |pod: &PodFigures| Some(pod.id()).filter(|id| instances.contains(id));
        samples.extend(list.items.iter().filter_map(|pod| Some(pod.sample(own(pod)?, known, Timestamp::now()))));
    }
    Ok(samples)
}

async fn by_kubelet(
    client: &Client,
    instances: &BTreeSet<InstanceId>,
    known: &BTreeMap<InstanceId, Arc<Instance>>,
) -> Result<Vec<Sample>, EngineError> {
    let nodes: BTreeSet<Arc<str>> = instances.iter().filter_map(|id| known.get(id)?.node.clone()).collect();
    let asked = stream::iter(nodes).map(|node| async move {
        let path = format!("/api/v1/nodes/{}/proxy/stats/summary", encoded(&node));
        client.get::<Summary>("Asking a kubelet for figures", &path).await
    });
    let answers: Vec<_> = asked.buffer_unordered(AT_ONCE).collect().await;
    let mut samples = Vec::new();
    let mut trouble = None;
    let mut answered = false;
    for answer in answers {
        match answer {
            Ok(summary) => {
                answered = true;
                let now = Timestamp::now();
                samples.extend(summary.pods.iter().filter_map(|pod| pod.sample(instances, known, now)));
            }
            // One node that is away leaves the others.
            Err(error) => trouble = Some(error),
        }
    }
    match trouble.filter(|_| !answered) {
        Some(error) => Err(error),
        None => Ok(samples),
    }
}
