//! What is known from outside the engines: probes, scraped series, alerts.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::app::figures::scraped::Rates;
use crate::model::{Alert, EnvironmentId, InstanceId, WorkloadId};
use crate::observe::metric::series::Store;
use crate::observe::probe::Standing;
use crate::observe::watch::{ProbeWatch, ScrapeWatch, Scraped};

use super::alerting::Alerting;

/// Everything that is watched, as last seen.
#[derive(Debug, Default)]
pub struct Watched {
    pub probes: BTreeMap<ProbeWatch, Standing>,
    /// How the last scrape of each endpoint went.
    pub scrapes: BTreeMap<ScrapeWatch, LastScrape>,
    /// What was scraped of each environment.
    pub series: BTreeMap<EnvironmentId, Store>,
    /// What alerts are put together of.
    pub alerting: BTreeMap<EnvironmentId, Alerting>,
    /// Requests a second of each job, and the part of them that failed.
    pub rates: BTreeMap<(EnvironmentId, Arc<str>), Rates>,
    /// Jobs that were scraped since their rates were taken.
    pub fresh: BTreeSet<(EnvironmentId, Arc<str>)>,
    /// Worst first.
    pub alerts: BTreeMap<EnvironmentId, Vec<Arc<Alert>>>,
    /// Environments of which something was seen that is not in the picture yet.
    pub unjudged: BTreeSet<EnvironmentId>,
}

/// How a scrape went.
#[derive(Clone, Debug)]
pub struct LastScrape {
    pub at: Timestamp,
    pub took: Duration,
    /// Samples read, lines that could not be, and samples that were too many; or why nothing came.
    pub read: Result<(usize, usize, usize), Arc<str>>,
}

impl Watched {
    /// Takes in a scrape, into a store of at most `bound` bytes.
    pub fn scraped(&mut self, watch: &ScrapeWatch, scraped: &Scraped, bound: usize) {
        let store = self.series.entry(watch.environment.clone()).or_insert_with(|| Store::new(bound));
        let (target, at_ms, took) = (watch.target(), scraped.at.as_millisecond(), scraped.took.as_secs_f64());
        match &scraped.read {
            Ok(scan) => store.record(&target, at_ms, took, scan),
            Err(_) => store.failed(&target, at_ms, took),
        }
        let read = scraped.read.as_ref().map(|scan| (scan.samples, scan.unread, scan.left_out)).map_err(Arc::clone);
        self.fresh.insert((watch.environment.clone(), watch.scrape.job.clone()));
        self.scrapes.insert(watch.clone(), LastScrape { at: scraped.at, took: scraped.took, read });
    }

    /// Forgets what was seen at instances that are gone.
    pub fn retain(&mut self, is_there: impl Fn(&InstanceId) -> bool) {
        self.probes.retain(|watch, _| watch.instance.as_ref().is_none_or(&is_there));
        let series = &mut self.series;
        self.scrapes.retain(|watch, last| {
            let stays = watch.instance.as_ref().is_none_or(|(instance, _)| is_there(instance));
            if !stays && let Some(store) = series.get_mut(&watch.environment) {
                store.ended(&watch.target().id, last.at.as_millisecond() + 1);
            }
            stays
        });
    }

    /// The probe of this name at this place.
    #[must_use]
    pub fn standing(&self, environment: &EnvironmentId, name: &str, instance: Option<&InstanceId>) -> Option<&Standing> {
        let found = self.probes.iter().find(|(watch, _)| {
            watch.environment == *environment && *watch.probe.name == *name && watch.instance.as_ref() == instance
        });
        found.map(|(_, standing)| standing)
    }
}

impl super::State {
    /// Requests a second of a workload, and the part of them that failed, where it is scraped.
    #[must_use]
    pub fn rates(&self, environment: &EnvironmentId, workload: &WorkloadId) -> Rates {
        let Some(policy) = self.settings.policies.get(environment) else { return Rates::default() };
        let own = policy.scrapes.iter().find(|scrape| scrape.workload.as_deref() == Some(workload.as_str()));
        let rates = own.and_then(|scrape| self.watched.rates.get(&(environment.clone(), scrape.job.clone())));
        rates.copied().unwrap_or_default()
    }

    /// The alerts of an environment, worst first.
    pub fn alerts(&self, environment: &EnvironmentId) -> impl Iterator<Item = &Arc<Alert>> {
        self.watched.alerts.get(environment).into_iter().flatten()
    }

    /// How many alerts of an environment fire and are not silenced.
    #[must_use]
    pub fn alerts_firing(&self, environment: &EnvironmentId) -> usize {
        self.alerts(environment).filter(|alert| alert.is_loud()).count()
    }

    /// The workload an alert is about, as far as its labels say: by name, by the job it is scraped as, by one of its
    /// instances.
    #[must_use]
    pub fn workload_of_alert(&self, environment: &EnvironmentId, alert: &Alert) -> Option<WorkloadId> {
        let snapshot = self.snapshot(environment)?;
        let known = |name: &str| snapshot.workload(&name.into()).map(|w| w.id.clone());
        let jobs = || {
            let policy = self.settings.policies.get(environment)?;
            let job = alert.labels.get("job");
            policy.scrapes.iter().find(|scrape| *scrape.job == *job)?.workload.as_deref().and_then(known)
        };
        let instance = || {
            let host = |text: &str| text.rsplit_once(':').map_or(text, |(host, _)| host).to_owned();
            let named: Vec<String> = ["pod", "container", "instance"].iter().map(|label| host(alert.labels.get(label))).collect();
            let is = |i: &crate::model::Instance| {
                named.iter().any(|name| !name.is_empty() && (*name == *i.name || i.ip.as_deref() == Some(name)))
            };
            snapshot.workloads.iter().find(|w| w.instances.iter().any(|i| is(i))).map(|w| w.id.clone())
        };
        let labels = ["workload", "service", "deployment", "statefulset", "daemonset", "app", "job", "container"];
        jobs().or_else(|| labels.iter().find_map(|label| known(alert.labels.get(label)))).or_else(instance)
    }
}
