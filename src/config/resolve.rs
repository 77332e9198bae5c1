//! What the files and flags mean, all taken together. Pure: what is outside comes in as arguments.

mod clusters;
mod policy;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::file::{self, Environment, File, Redact, Settings};
use super::{Clusters, ConnectionSpec, Demo, DockerTarget, EnvironmentSpec, Flags, Resolved, TargetSpec, clash};
use crate::model::{ConnectionId, EngineKind, Problem, Tier};
use crate::operate::Policy;

/// The address a target leads to, where that can be told: two targets with one address are one engine.
pub type Address<'a> = dyn Fn(&DockerTarget) -> Option<Arc<str>> + 'a;

/// An environment and the folder of its file.
type Placed<'a> = (Option<&'a Path>, &'a Environment);

/// An environment and why it cannot be shown.
type Unsupported = (Arc<str>, Arc<str>);

/// Puts files (lowest precedence first) and flags together. Without configured environments there is one connection, to
/// the ambient engine; configured ones are added to it, unless `--host` or `--context` name the one engine to look at.
///
/// # Errors
/// Environments that clash, flags that lead nowhere.
pub fn resolve(
    files: Vec<(PathBuf, File)>,
    flags: &Flags,
    address: &Address<'_>,
    clusters: &Clusters,
) -> Result<Resolved, Vec<Problem>> {
    let named: Vec<(Arc<str>, &File)> = files.iter().map(|(path, file)| (path.display().to_string().into(), file)).collect();
    let mut problems = clash::find(&named, address);
    let environments: Vec<Placed<'_>> =
        files.iter().flat_map(|(path, file)| file.environments.iter().map(|e| (path.parent(), e))).collect();
    if let Some(Err(why)) = flags.host.as_deref().map(file::check_host) {
        problems.push(flag("--host", why));
    }
    let mut only = only(flags, &environments).unwrap_or_else(|problem| {
        problems.push(problem);
        None
    });
    let chosen = clusters::chosen(flags, clusters).unwrap_or_else(|problem| {
        problems.push(problem);
        None
    });
    if let Some(chosen) = &chosen {
        only = only.or_else(|| Some(chosen.configured(&environments).unwrap_or_else(|| chosen.name())));
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let redact = redact(&files);
    let redaction = Arc::new(redact.redaction());
    let (mut connections, unsupported) = match &flags.demo {
        Some(demo) => (vec![demo_connection(demo)], Vec::new()),
        None => connections(&environments, flags, (only.as_deref(), chosen.as_ref()), (address, clusters)),
    };
    if let Err(why) = files_of(&mut connections, flags, only.as_ref()) {
        return Err(vec![flag("--file", why.to_owned())]);
    }
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
        charts: files.iter().rev().find_map(|(_, f)| f.settings.charts),
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

/// Gives the one environment that is meant the files of the command line; a project that is not configured becomes one that is.
fn files_of(connections: &mut [ConnectionSpec], flags: &Flags, only: Option<&Arc<str>>) -> Result<(), &'static str> {
    if flags.files.is_empty() {
        return Ok(());
    }
    let name = only.ok_or("say with --project or --env whose file it is")?;
    let spec = connections.iter_mut().flat_map(|c| &mut c.environments).find(|e| e.name == *name);
    if let Some(spec) = spec {
        spec.files.clone_from(&flags.files);
        return Ok(());
    }
    let open = connections.iter_mut().find(|c| c.discover).ok_or("there is no engine that could hold it")?;
    let tier = Tier::default();
    let guard = tier.default_guard();
    open.environments.push(EnvironmentSpec {
        name: name.clone(),
        tier,
        guard,
        engine: EngineKind::Compose,
        project: name.clone(),
        files: flags.files.clone(),
        env_file: None,
        policy: Policy::of(guard),
    });
    Ok(())
}

/// The one environment that is wanted: `-e`, or the one of a project.
fn only(flags: &Flags, environments: &[Placed<'_>]) -> Result<Option<Arc<str>>, Problem> {
    let Some(project) = &flags.project else { return Ok(flags.environment.clone()) };
    let configured: Vec<&Arc<str>> = environments
        .iter()
        .map(|(_, e)| e)
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
        host.or_else(|| self.context.clone().map(DockerTarget::Context))
    }
}

impl Environment {
    /// The Docker engine it names.
    fn docker(&self) -> DockerTarget {
        let host = self.host.clone().map(DockerTarget::Host);
        host.or_else(|| self.docker_context.clone().map(DockerTarget::Context)).unwrap_or(DockerTarget::Ambient)
    }
}

/// The endpoint and project (or namespace) of an environment, whose file is in `folder`.
///
/// # Errors
/// Why it leads nowhere.
fn place(environment: &Environment, folder: Option<&Path>, clusters: &Clusters) -> Result<(TargetSpec, Arc<str>), String> {
    if environment.engine != EngineKind::Kubernetes {
        return target(environment).ok_or_else(|| "it names no engine".to_owned());
    }
    let own = environment.kubeconfig.as_deref().map(|path| folder.unwrap_or(Path::new("")).join(path));
    let target = clusters::target(own, environment.context.as_ref(), clusters)?;
    Ok((TargetSpec::Kubernetes(target), environment.namespace.clone().unwrap_or_default()))
}

/// The endpoint and project of an environment; `None` for one whose endpoint is in a kubeconfig.
pub(super) fn target(environment: &Environment) -> Option<(TargetSpec, Arc<str>)> {
    let project = environment.project.clone().unwrap_or_else(|| environment.name.clone());
    match environment.engine {
        EngineKind::Compose | EngineKind::Swarm => Some((TargetSpec::Docker(environment.docker()), project)),
        EngineKind::Demo => Some((Demo::default().target(), project)),
        EngineKind::Kubernetes => None,
    }
}

/// What tells endpoints apart.
pub(super) fn key(target: &TargetSpec, address: &Address<'_>) -> String {
    match target {
        TargetSpec::Demo { .. } => "demo".to_owned(),
        TargetSpec::Kubernetes(cluster) => format!("kubernetes {:?} {}", cluster.kubeconfig, cluster.context),
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
    ConnectionSpec { id, target, environments: Vec::new(), discover, on_demand: false, redaction: Arc::default() }
}

/// The demo world, and what is configured of it.
fn demo_connection(demo: &Demo) -> ConnectionSpec {
    let file = super::demo::file();
    let project = |e: &Environment| e.project.clone().unwrap_or_else(|| e.name.clone());
    let environments = file.environments.iter().map(|e| policy::specify(e, project(e), None)).collect();
    ConnectionSpec { environments, ..connection("demo".into(), demo.target(), true) }
}

/// The connections, and the environments that get none with the reason. `only` and `chosen` are the one environment and
/// the one cluster that are wanted.
fn connections(
    environments: &[Placed<'_>],
    flags: &Flags,
    (only, chosen): (Option<&str>, Option<&clusters::Chosen>),
    (address, clusters): (&Address<'_>, &Clusters),
) -> (Vec<ConnectionSpec>, Vec<Unsupported>) {
    // The engine that is searched for more than what is configured: the one named by a flag, else the ambient one.
    let named = if chosen.is_some() { None } else { flags.docker() };
    let open = TargetSpec::Docker(named.clone().unwrap_or(DockerTarget::Ambient));
    let open_key = key(&open, address);
    let mut groups: BTreeMap<String, ConnectionSpec> = BTreeMap::new();
    let mut unsupported: Vec<Unsupported> = Vec::new();
    groups.insert(open_key.clone(), connection("".into(), open, true));
    for (folder, environment) in environments.iter().copied() {
        let (target, project) = match place(environment, folder, clusters) {
            Ok(found) => found,
            Err(why) => {
                unsupported.push((environment.name.clone(), format!("{} is left out: {why}", environment.name).into()));
                continue;
            }
        };
        let key = key(&target, address);
        if named.is_some() && key != open_key {
            continue;
        }
        let group = groups.entry(key).or_insert_with(|| connection("".into(), target, false));
        group.environments.push(policy::specify(environment, project, folder));
    }
    let mut all: Vec<ConnectionSpec> = groups.into_values().collect();
    let found = if named.is_none() { clusters::found(environments, flags, clusters) } else { Vec::new() };
    if let Some(trouble) = clusters.trouble.as_ref().filter(|_| named.is_none()) {
        unsupported.push(("kubeconfig".into(), trouble.clone()));
    }
    let elsewhere = !environments.is_empty() || !found.is_empty();
    all.extend(found);
    if let Some(chosen) = chosen.filter(|c| c.configured(environments).is_none()) {
        all = vec![clusters::place(chosen, clusters, false)];
    }
    // An environment that is asked for by name needs no other engine than its own.
    let holds = |c: &ConnectionSpec| only.is_some_and(|name| c.environments.iter().any(|e| &*e.name == name));
    if all.iter().any(holds) {
        all.retain(holds);
    } else if named.is_none() && elsewhere && address(&DockerTarget::Ambient).is_none() {
        // With environments elsewhere, an engine that is not installed here is nobody's trouble.
        all.retain(|c| !c.environments.is_empty());
    }
    // Nothing else to look at: it is opened.
    if let [one] = &mut all[..] {
        one.on_demand = false;
    }
    // What is searched comes first, then as configured, then what is only there to be opened.
    let rank = |c: &ConnectionSpec| {
        let first = environments.iter().position(|(_, e)| c.environments.first().is_some_and(|f| f.name == e.name));
        (!c.discover, c.on_demand, first)
    };
    all.sort_by_key(rank);
    name_all(&mut all);
    (all, unsupported)
}

/// Gives every connection a short name of its own.
fn name_all(connections: &mut [ConnectionSpec]) {
    let mut taken = BTreeSet::new();
    for connection in connections {
        let base = match (&connection.target, &connection.environments[..]) {
            // A place of a cluster that was not configured is named by its own name.
            (TargetSpec::Kubernetes(cluster), [one]) if one.name.starts_with(&*cluster.context) => one.name.to_string(),
            (target, _) => short(target),
        };
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
        TargetSpec::Kubernetes(cluster) => return cluster.context.to_string(),
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

#[cfg(test)]
mod tests;
