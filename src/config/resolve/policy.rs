//! What an environment's configuration says about changes: defaults put in, names looked up, paths made absolute.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::config::EnvironmentSpec;
use crate::config::file::{self, Asked, Environment, ScrapeFrom};
use crate::model::server::{Login, Secret};
use crate::model::{Manner, ProbeSpec, ScrapeSpec, ServerSpec, WorkloadId};
use crate::operate::Policy;
use crate::operate::policy::{self, Before, Condition, DeployPolicy};
use crate::operate::runbook::{Runbook, RunbookStep};

/// Intervals and time of scrapes and commands when nothing is said.
const SCRAPE_EVERY: Duration = Duration::from_secs(15);
const COMMAND_TIMEOUT: Duration = Duration::from_secs(600);
/// How long a check may take to become so when nothing is said.
const WITHIN: Duration = Duration::from_secs(60);

/// The environment as the rest of the program gets to see it. `folder` is that of its file.
pub(super) fn specify(environment: &Environment, project: Arc<str>, folder: Option<&Path>) -> EnvironmentSpec {
    let tier = environment.tier.unwrap_or_default();
    let guard = environment.guard.unwrap_or_else(|| tier.default_guard());
    let probes: Vec<Arc<ProbeSpec>> = environment.probes.iter().map(|p| Arc::new(probe(p, folder))).collect();
    let names = Names { probes: &probes, folder };
    let deploy = names.deploy(&DeployPolicy::default(), &environment.deploy);
    let workloads =
        environment.deploy_of.iter().map(|(name, over)| (WorkloadId(name.clone()), names.deploy(&deploy, over))).collect();
    let files = environment.files.iter().map(|f| names.path(f).as_ref().into()).collect();
    let env_file = environment.env_file.as_ref().map(|f| names.path(f).as_ref().into());
    let policy = Policy {
        guard,
        deploy,
        workloads,
        runbooks: environment.runbooks.iter().map(|r| names.runbook(&r.runbook)).collect(),
        scrapes: environment.scrapes.iter().map(|s| Arc::new(scrape(s))).collect(),
        prometheus: environment.prometheus.as_ref().map(|s| Arc::new(names.server(s))),
        alertmanager: environment.alertmanager.as_ref().map(|s| Arc::new(names.server(s))),
        rule_files: environment.alert_rules.iter().map(|f| names.path(f)).collect(),
        // Read by whoever may open files.
        rules: Arc::default(),
        silences: None,
        autoscale: environment.autoscale.clone(),
        load: environment.load.clone(),
        folder: folder.map(|f| f.display().to_string().into()),
        probes,
    };
    EnvironmentSpec { name: environment.name.clone(), tier, guard, engine: environment.engine, project, files, env_file, policy }
}

/// A probe, laid over what holds when nothing is said.
fn probe(written: &file::Probe, folder: Option<&Path>) -> ProbeSpec {
    let usual = ProbeSpec::of(written.name.clone(), written.kind.clone());
    let ca = written.manner.ca.as_ref().map(|path| absolute(folder, path));
    ProbeSpec {
        workload: written.workload.clone(),
        interval: written.interval.unwrap_or(usual.interval),
        timeout: written.timeout.unwrap_or(usual.timeout),
        failures: written.failures.unwrap_or(usual.failures),
        successes: written.successes.unwrap_or(usual.successes),
        expect: written.expect.clone(),
        latency: written.latency,
        manner: Manner { ca, ..written.manner.clone() },
        ..usual
    }
}

/// A path of this machine: relative ones start at the configuration file.
fn absolute(folder: Option<&Path>, path: &Arc<str>) -> Arc<str> {
    match folder {
        Some(folder) if !Path::new(&**path).is_absolute() => folder.join(&**path).display().to_string().into(),
        Some(_) | None => path.clone(),
    }
}

fn scrape(written: &file::Scrape) -> ScrapeSpec {
    let interval = written.interval.unwrap_or(SCRAPE_EVERY);
    let (workload, url, job) = match &written.from {
        ScrapeFrom::Workload { workload, port, path } => {
            let path = path.as_deref().unwrap_or("/metrics");
            (Some(workload.clone()), format!("http://{{instance}}:{port}{path}").into(), workload.clone())
        }
        ScrapeFrom::Url(url) => (None, url.clone(), host_of(url)),
    };
    ScrapeSpec { workload, url, interval, job: written.job.clone().unwrap_or(job) }
}

/// The host and port of an address: the job of what is scraped there when nobody names one.
fn host_of(url: &str) -> Arc<str> {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?']).next().unwrap_or(rest);
    authority.rsplit_once('@').map_or(authority, |(_, host)| host).into()
}

/// What names in a configuration refer to.
struct Names<'a> {
    probes: &'a [Arc<ProbeSpec>],
    folder: Option<&'a Path>,
}

impl Names<'_> {
    fn path(&self, path: &Arc<str>) -> Arc<str> {
        absolute(self.folder, path)
    }

    /// A server with the paths of its files.
    fn server(&self, written: &ServerSpec) -> ServerSpec {
        let secret = |secret: &Secret| match secret {
            Secret::File(path) => Secret::File(self.path(path)),
            Secret::Clear(_) | Secret::Variable(_) => secret.clone(),
        };
        let login = match &written.login {
            Login::None => Login::None,
            Login::Basic { user, password } => Login::Basic { user: user.clone(), password: secret(password) },
            Login::Bearer(token) => Login::Bearer(secret(token)),
        };
        ServerSpec { url: written.url.clone(), login, ca: written.ca.as_ref().map(|path| self.path(path)) }
    }

    /// A policy with what was written laid over it. A list that is written replaces the one below.
    fn deploy(&self, below: &DeployPolicy, written: &file::Deploy) -> DeployPolicy {
        fn or<T: Clone>(written: Vec<T>, below: &[T]) -> Vec<T> {
            if written.is_empty() { below.to_vec() } else { written }
        }
        let all = |list: &[file::Verify]| list.iter().filter_map(|v| self.condition(v)).collect();
        DeployPolicy {
            strategy: written.strategy.unwrap_or(below.strategy),
            surge: written.surge.unwrap_or(below.surge),
            unavailable: written.unavailable.unwrap_or(below.unavailable),
            delay: written.delay.unwrap_or(below.delay),
            healthy_within: written.healthy_within.unwrap_or(below.healthy_within),
            hold: written.hold.unwrap_or(below.hold),
            rollback: written.rollback.unwrap_or(below.rollback),
            before: or(written.before.iter().filter_map(|b| self.before(b)).collect(), &below.before),
            gate: or(all(&written.gate), &below.gate),
            migrate: written.migrate.clone().or_else(|| below.migrate.clone()),
            verify: or(all(&written.verify), &below.verify),
            notify: or(written.notify.clone(), &below.notify),
            freeze: or(written.freeze.clone(), &below.freeze),
            switch: written.switch.clone().or_else(|| below.switch.clone()),
            drain: written.drain.unwrap_or(below.drain),
        }
    }

    fn before(&self, written: &file::Before) -> Option<Before> {
        Some(match written {
            file::Before::EnvFile { path, required } => Before::EnvFile { path: self.path(path), required: required.clone() },
            file::Before::Tcp(address) => Before::Tcp(address.clone()),
            file::Before::Certificate { address, days } => Before::Certificate { address: address.clone(), days: *days },
            file::Before::Disk(bytes) => Before::Disk(*bytes),
            file::Before::Runbook { name, .. } => Before::Runbook(name.clone()),
            file::Before::Also(verify) => Before::Condition(self.condition(verify)?),
        })
    }

    /// `None` only for a probe that is not there, which reading the file has told already.
    fn condition(&self, written: &file::Verify) -> Option<Condition> {
        let asked = match &written.asked {
            Asked::Probe { name, .. } => policy::Asked::Probe(self.probes.iter().find(|p| p.name == *name)?.clone()),
            Asked::Metric { name, limit } => policy::Asked::Metric { name: name.clone(), limit: *limit },
            Asked::Silent { name, .. } => policy::Asked::Silent((&**name != "any").then(|| name.clone())),
            Asked::Command { argv, timeout } => {
                policy::Asked::Command { argv: argv.clone(), timeout: timeout.unwrap_or(COMMAND_TIMEOUT) }
            }
            Asked::Check(text) => policy::Asked::Person(text.clone()),
        };
        Some(Condition { asked, within: written.within.unwrap_or(WITHIN), hold: written.during.unwrap_or_default() })
    }

    fn runbook(&self, written: &Runbook) -> Runbook {
        let step = |step: &RunbookStep| match step {
            RunbookStep::CopyIn { workload, from, to } => {
                RunbookStep::CopyIn { workload: workload.clone(), from: self.path(from), to: to.clone() }
            }
            RunbookStep::CopyOut { workload, from, to } => {
                RunbookStep::CopyOut { workload: workload.clone(), from: from.clone(), to: self.path(to) }
            }
            RunbookStep::Exec { .. }
            | RunbookStep::Stop { .. }
            | RunbookStep::Start { .. }
            | RunbookStep::Wait { .. }
            | RunbookStep::Sleep(_)
            | RunbookStep::Confirm(_)
            | RunbookStep::Command { .. }
            | RunbookStep::Http { .. } => step.clone(),
        };
        Runbook { steps: written.steps.iter().map(step).collect(), ..written.clone() }
    }
}
