//! What the files and flags mean, all taken together. Pure: what is outside comes in as arguments.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::file::{self, Environment, File, Redact, Settings};
use super::{ConnectionSpec, DockerTarget, EnvironmentSpec, Flags, Resolved, TargetSpec, clash};
use crate::model::{ConnectionId, EngineKind, Problem, WorkloadId};
use crate::operate::Policy;
use crate::operate::policy::DeployPolicy;
use crate::operate::request::Strategy;

/// The address a target leads to, where that can be told: two targets with one address are one engine.
pub type Address<'a> = dyn Fn(&DockerTarget) -> Option<Arc<str>> + 'a;

/// An environment and why it cannot be shown.
type Unsupported = (Arc<str>, Arc<str>);

/// Puts files (lowest precedence first) and flags together. Without configured environments there is one connection, to
/// the ambient engine; configured ones are added to it, unless `--host` or `--context` name the one engine to look at.
///
/// # Errors
/// Environments that clash, flags that lead nowhere.
pub fn resolve(files: Vec<(PathBuf, File)>, flags: &Flags, address: &Address<'_>) -> Result<Resolved, Vec<Problem>> {
    let named: Vec<(Arc<str>, &File)> = files.iter().map(|(path, file)| (path.display().to_string().into(), file)).collect();
    let mut problems = clash::find(&named, address);
    let environments: Vec<&Environment> = files.iter().flat_map(|(_, file)| &file.environments).collect();
    if let Some(Err(why)) = flags.host.as_deref().map(file::check_host) {
        problems.push(flag("--host", why));
    }
    let only = only(flags, &environments).unwrap_or_else(|problem| {
        problems.push(problem);
        None
    });
    if !problems.is_empty() {
        return Err(problems);
    }
    let redact = redact(&files);
    let redaction = Arc::new(redact.redaction());
    let (mut connections, unsupported) = match &flags.demo {
        Some(demo) => (vec![connection("demo".into(), demo.target(), true)], Vec::new()),
        None => connections(&environments, flags, only.as_deref(), address),
    };
    for connection in &mut connections {
        connection.redaction = redaction.clone();
    }
    let setting = |pick: &dyn Fn(&Settings) -> Option<Arc<str>>| files.iter().rev().find_map(|(_, f)| pick(&f.settings));
    let number = |pick: &dyn Fn(&Settings) -> Option<u64>| files.iter().rev().find_map(|(_, f)| pick(&f.settings));
    let refresh = files.iter().rev().find_map(|(_, f)| f.settings.refresh);
    Ok(Resolved {
        connections,
        // A lock is not opened from further in: once read-only, always read-only.
        read_only: flags.read_only || files.iter().any(|(_, f)| f.settings.read_only == Some(true)),
        keymap: flags.keymap.clone().or_else(|| setting(&|s| s.keymap.clone())).unwrap_or_else(|| "default".into()),
        theme: flags.theme.clone().or_else(|| setting(&|s| s.theme.clone())).unwrap_or_else(|| "terminal".into()),
        refresh: flags.refresh.or(refresh).unwrap_or(Duration::from_secs(2)).max(Duration::from_millis(500)),
        log_bytes: number(&|s| s.log_store_bytes).and_then(|b| usize::try_from(b).ok()).unwrap_or(64 << 20),
        log_tail: number(&|s| s.log_tail).unwrap_or(1000),
        redact,
        only,
        unsupported,
        files: files.into_iter().map(|(path, _)| path).collect(),
    })
}

/// Every pattern of every file; what is left readable is what the last file that speaks of it says.
fn redact(files: &[(PathBuf, File)]) -> Redact {
    let said = || files.iter().filter_map(|(_, f)| f.settings.redact.as_ref());
    let off = said().rfind(|r| !r.off.is_empty()).map(|r| r.off.clone()).unwrap_or_default();
    Redact { off, patterns: said().flat_map(|r| r.patterns.clone()).collect() }
}

fn flag(name: &str, message: String) -> Problem {
    Problem { file: name.into(), line: 0, column: 0, message }
}

/// The one environment that is wanted: `-e`, or the one of a project.
fn only(flags: &Flags, environments: &[&Environment]) -> Result<Option<Arc<str>>, Problem> {
    let Some(project) = &flags.project else { return Ok(flags.environment.clone()) };
    let configured: Vec<&Arc<str>> = environments
        .iter()
        .filter(|e| target(e).is_some_and(|(_, p)| p == *project) && flags.docker().is_none_or(|d| e.docker() == d))
        .map(|e| &e.name)
        .collect();
    match configured[..] {
        [] => Ok(Some(project.clone())),
        [name] => Ok(Some(name.clone())),
        [..] => {
            let names = crate::document::listed(configured.iter().map(|n| &***n));
            Err(flag("--project", format!("`{project}` is configured as {names}: say with --env which is meant")))
        }
    }
}

impl Flags {
    /// The one engine they name.
    fn docker(&self) -> Option<DockerTarget> {
        let host = self.host.clone().map(DockerTarget::Host);
        host.or_else(|| self.docker_context.clone().map(DockerTarget::Context))
    }
}

impl Environment {
    /// The Docker engine it names.
    fn docker(&self) -> DockerTarget {
        let host = self.host.clone().map(DockerTarget::Host);
        host.or_else(|| self.docker_context.clone().map(DockerTarget::Context)).unwrap_or(DockerTarget::Ambient)
    }
}

/// The endpoint and project of an environment; `None` for engines that have other ways.
pub(super) fn target(environment: &Environment) -> Option<(TargetSpec, Arc<str>)> {
    let project = environment.project.clone().unwrap_or_else(|| environment.name.clone());
    match environment.engine {
        EngineKind::Compose | EngineKind::Swarm => Some((TargetSpec::Docker(environment.docker()), project)),
        EngineKind::Demo => Some((super::Demo::default().target(), project)),
        EngineKind::Kubernetes => None,
    }
}

/// What tells endpoints apart.
pub(super) fn key(target: &TargetSpec, address: &Address<'_>) -> String {
    match target {
        TargetSpec::Demo { .. } => "demo".to_owned(),
        TargetSpec::Docker(docker) => {
            let text = match (address(docker), docker) {
                (Some(text), _) => text,
                (None, DockerTarget::Host(host)) => host.clone(),
                (None, DockerTarget::Context(name)) => format!("context {name}").into(),
                (None, DockerTarget::Ambient) => "ambient".into(),
            };
            text.replace("unix:///var/run/", "unix:///run/")
        }
    }
}

fn connection(id: ConnectionId, target: TargetSpec, discover: bool) -> ConnectionSpec {
    ConnectionSpec { id, target, environments: Vec::new(), discover, redaction: Arc::default() }
}

/// The connections, and the environments that get none with the reason.
fn connections(
    environments: &[&Environment],
    flags: &Flags,
    only: Option<&str>,
    address: &Address<'_>,
) -> (Vec<ConnectionSpec>, Vec<Unsupported>) {
    // The engine that is searched for more than what is configured: the one named by a flag, else the ambient one.
    let named = flags.docker();
    let open = TargetSpec::Docker(named.clone().unwrap_or(DockerTarget::Ambient));
    let open_key = key(&open, address);
    let mut groups: BTreeMap<String, ConnectionSpec> = BTreeMap::new();
    let mut unsupported = Vec::new();
    groups.insert(open_key.clone(), connection("".into(), open, true));
    for environment in environments {
        let Some((target, project)) = target(environment).filter(|_| environment.engine != EngineKind::Swarm) else {
            let why = format!(
                "{} environments are not operated by this version yet: {} is left out",
                environment.engine, environment.name
            );
            unsupported.push((environment.name.clone(), why.into()));
            continue;
        };
        let key = key(&target, address);
        if named.is_some() && key != open_key {
            continue;
        }
        let group = groups.entry(key).or_insert_with(|| connection("".into(), target, false));
        group.environments.push(specify(environment, project));
    }
    // A configured environment that is asked for by name needs no other engine than its own.
    let holds = |c: &ConnectionSpec| only.is_some_and(|name| c.environments.iter().any(|e| &*e.name == name));
    let mut all: Vec<ConnectionSpec> = groups.into_values().collect();
    if all.iter().any(holds) {
        all.retain(holds);
    } else if named.is_none() && !environments.is_empty() && address(&DockerTarget::Ambient).is_none() {
        // With environments configured elsewhere, an engine that is not installed here is nobody's trouble.
        all.retain(|c| !c.environments.is_empty());
    }
    // What is searched comes first, then as configured.
    let rank = |c: &ConnectionSpec| {
        let first = environments.iter().position(|e| c.environments.first().is_some_and(|f| f.name == e.name));
        (!c.discover, first)
    };
    all.sort_by_key(rank);
    name_all(&mut all);
    (all, unsupported)
}

/// Gives every connection a short name of its own.
fn name_all(connections: &mut [ConnectionSpec]) {
    let mut taken = BTreeSet::new();
    for connection in connections {
        let base = short(&connection.target);
        let mut name = base.clone();
        let mut number = 2;
        while !taken.insert(name.clone()) {
            name = format!("{base}-{number}");
            number += 1;
        }
        connection.id = ConnectionId::new(name);
    }
}

/// What an endpoint is called in a word: `local`, a host, a context.
fn short(target: &TargetSpec) -> String {
    let docker = match target {
        TargetSpec::Demo { .. } => return "demo".to_owned(),
        TargetSpec::Docker(docker) => docker,
    };
    match docker {
        DockerTarget::Ambient => "local".to_owned(),
        DockerTarget::Context(name) => name.to_string(),
        DockerTarget::Host(host) => match host.split_once("://") {
            Some(("unix", _)) | None => "local".to_owned(),
            Some((_, rest)) => {
                let authority = rest.split('/').next().unwrap_or(rest);
                let host = authority.rsplit('@').next().unwrap_or(authority);
                let bare = host.rsplit_once(':').map_or(host, |(name, _)| name);
                bare.trim_matches(['[', ']']).to_owned()
            }
        },
    }
}

fn specify(environment: &Environment, project: Arc<str>) -> EnvironmentSpec {
    let tier = environment.tier.unwrap_or_default();
    let guard = environment.guard.unwrap_or_else(|| tier.default_guard());
    let deploy = deploy(&DeployPolicy::default(), &environment.deploy);
    let workloads =
        environment.deploy_of.iter().map(|(name, over)| (WorkloadId::new(name.clone()), self::deploy(&deploy, over))).collect();
    let policy = Policy { guard, deploy, workloads, notes: notes(environment) };
    EnvironmentSpec { name: environment.name.clone(), tier, guard, engine: environment.engine, project, policy }
}

/// A policy with what was written laid over it.
fn deploy(below: &DeployPolicy, written: &file::Deploy) -> DeployPolicy {
    let strategy = written.strategy.map(|s| match s {
        file::Strategy::Rolling | file::Strategy::BlueGreen => Strategy::Rolling,
        file::Strategy::Recreate => Strategy::Recreate,
    });
    DeployPolicy {
        strategy: strategy.unwrap_or(below.strategy),
        surge: written.surge.unwrap_or(below.surge),
        unavailable: written.unavailable.unwrap_or(below.unavailable),
        delay: written.delay.unwrap_or(below.delay),
        healthy_within: written.healthy_within.unwrap_or(below.healthy_within),
        hold: written.hold.unwrap_or(below.hold),
        rollback: written.rollback.unwrap_or(below.rollback),
    }
}

/// What a deploy of this version leaves undone although it is configured.
fn notes(environment: &Environment) -> Vec<Arc<str>> {
    let deploys: Vec<&file::Deploy> =
        std::iter::once(&environment.deploy).chain(environment.deploy_of.iter().map(|(_, d)| d)).collect();
    let has = |test: &dyn Fn(&file::Deploy) -> bool| deploys.iter().any(|d| test(d));
    let table: [(bool, &str); 6] = [
        (
            has(&|d| d.strategy == Some(file::Strategy::BlueGreen)),
            "blue-green is configured, which this version cannot do yet: instances are replaced one after the other instead",
        ),
        (has(&|d| !d.before.is_empty()), "the configured checks before a deploy are not made by this version: make them by hand"),
        (has(&|d| d.migrate.is_some()), "the configured migration is not run by this version: run it by hand where it is needed"),
        (has(&|d| !d.verify.is_empty()), "the configured verification is not made by this version: look yourself afterwards"),
        (has(&|d| !d.notify.is_empty()), "the configured notification is not sent by this version"),
        (has(&|d| !d.freeze.is_empty()), "the configured freeze windows are not looked at by this version"),
    ];
    table.into_iter().filter(|(on, _)| *on).map(|(_, text)| text.into()).collect()
}

#[cfg(test)]
mod tests;
