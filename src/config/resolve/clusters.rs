//! The clusters of the kubeconfig at hand: each context is an environment of its own, connected when somebody opens it,
//! unless it is configured or named on the command line.

use std::path::PathBuf;
use std::sync::Arc;

use super::{Placed, connection, flag};
use crate::config::{Clusters, ConnectionSpec, EnvironmentSpec, Flags, KubernetesTarget, TargetSpec};
use crate::model::{EngineKind, Problem, Tier};
use crate::operate::Policy;

/// A namespace of a context, as the command line names it.
pub(super) struct Chosen {
    pub context: Arc<str>,
    /// Empty is the context's own, `*` all of them.
    pub namespace: Arc<str>,
}

impl Chosen {
    /// The name of the environment it is.
    pub(super) fn name(&self) -> Arc<str> {
        if self.namespace.is_empty() { self.context.clone() } else { format!("{}:{}", self.context, self.namespace).into() }
    }

    /// The configured environment that is the same place: its guard is the one that counts.
    pub(super) fn configured(&self, environments: &[Placed<'_>]) -> Option<Arc<str>> {
        let same = |e: &&crate::config::file::Environment| {
            e.engine == EngineKind::Kubernetes
                && e.context.as_ref().is_some_and(|c| *c == self.context)
                && e.namespace.as_deref().unwrap_or_default() == &*self.namespace
        };
        environments.iter().map(|(_, e)| *e).find(same).map(|e| e.name.clone())
    }
}

/// The one cluster the flags name. A context that is in no kubeconfig is taken for one of Docker, unless something else
/// says that a cluster is meant.
pub(super) fn chosen(flags: &Flags, clusters: &Clusters) -> Result<Option<Chosen>, Problem> {
    let meant = flags.kubeconfig.is_some() || flags.namespace.is_some() || flags.all_namespaces;
    let namespace = if flags.all_namespaces { "*".into() } else { flags.namespace.clone().unwrap_or_default() };
    let known = |name: &Arc<str>| clusters.contexts.contains(name);
    let unknown = |name: &str| {
        let names = clusters.contexts.iter().map(|c| &**c);
        Err(flag("--context", crate::document::unknown("context", name, names)))
    };
    if let Some(trouble) = clusters.trouble.as_ref().filter(|_| meant) {
        return Err(flag("--kubeconfig", trouble.to_string()));
    }
    let context = match (&flags.context, &clusters.current) {
        (Some(name), _) if known(name) => name.clone(),
        (Some(name), _) if meant => return unknown(name),
        (Some(_), _) => return Ok(None),
        (None, _) if !meant => return Ok(None),
        (None, Some(current)) if known(current) => current.clone(),
        (None, _) => match &clusters.contexts[..] {
            [one] => one.clone(),
            [] => return Err(flag("--kubeconfig", "there is no kubeconfig with a context here".into())),
            [_, _, ..] => return Err(flag("--namespace", "no context is current: say with --context which is meant".into())),
        },
    };
    Ok(Some(Chosen { context, namespace }))
}

/// The place a name means, where it is one of a context: `CONTEXT`, `CONTEXT:NAMESPACE` or `CONTEXT:*`.
fn named(name: &str, clusters: &Clusters) -> Option<Chosen> {
    let whole = |context: &Arc<str>| **context == *name;
    if let Some(context) = clusters.contexts.iter().find(|c| whole(c)) {
        return Some(Chosen { context: context.clone(), namespace: "".into() });
    }
    let (context, namespace) = name.rsplit_once(':')?;
    let context = clusters.contexts.iter().find(|c| ***c == *context)?.clone();
    (!namespace.is_empty() && !namespace.contains('/')).then(|| Chosen { context, namespace: namespace.into() })
}

/// What a target of the command line (`ENV/WORKLOAD`) opens: its longest beginning that is a place.
fn opened(target: &str, clusters: &Clusters) -> Option<Chosen> {
    let ends: Vec<usize> = target.match_indices('/').map(|(at, _)| at).chain([target.len()]).collect();
    ends.into_iter().rev().find_map(|at| named(target.get(..at)?, clusters))
}

/// A connection to one place.
pub(super) fn place(chosen: &Chosen, clusters: &Clusters, on_demand: bool) -> ConnectionSpec {
    let tier = Tier::default();
    let guard = tier.default_guard();
    let target = KubernetesTarget { kubeconfig: clusters.files.clone(), context: chosen.context.clone() };
    let environment = EnvironmentSpec {
        name: chosen.name(),
        tier,
        guard,
        engine: EngineKind::Kubernetes,
        project: chosen.namespace.clone(),
        files: Vec::new(),
        env_file: None,
        policy: Policy::of(guard),
    };
    let open = connection("".into(), TargetSpec::Kubernetes(target), false);
    ConnectionSpec { environments: vec![environment], on_demand, ..open }
}

/// What is found beside what is configured: every context nothing is configured on, and the places that are named.
pub(super) fn found(environments: &[Placed<'_>], flags: &Flags, clusters: &Clusters) -> Vec<ConnectionSpec> {
    let taken = |context: &str| {
        environments.iter().any(|(_, e)| e.engine == EngineKind::Kubernetes && e.context.as_deref().is_none_or(|c| c == context))
    };
    let name = flags.environment.iter().filter_map(|name| named(name, clusters));
    let wanted: Vec<Chosen> = name.chain(flags.targets.iter().filter_map(|t| opened(t, clusters))).collect();
    let mut all = Vec::new();
    for chosen in &wanted {
        let name = chosen.name();
        let again = all.iter().any(|c: &ConnectionSpec| c.environments.iter().any(|e| e.name == name));
        if !again && chosen.configured(environments).is_none() {
            all.push(place(chosen, clusters, false));
        }
    }
    for context in clusters.contexts.iter().filter(|c| !taken(c)) {
        if !wanted.iter().any(|w| w.context == *context && w.namespace.is_empty()) {
            all.push(place(&Chosen { context: context.clone(), namespace: "".into() }, clusters, true));
        }
    }
    all
}

/// The target of a configured environment: its own kubeconfig or the one at hand, its context or the current one.
pub(super) fn target(
    kubeconfig: Option<PathBuf>,
    context: Option<&Arc<str>>,
    clusters: &Clusters,
) -> Result<KubernetesTarget, String> {
    let own = kubeconfig.is_some();
    let files = kubeconfig.map_or_else(|| clusters.files.clone(), |path| vec![path]);
    match (context, &clusters.current) {
        (Some(context), _) => Ok(KubernetesTarget { kubeconfig: files, context: context.clone() }),
        (None, Some(current)) if !own => Ok(KubernetesTarget { kubeconfig: files, context: current.clone() }),
        (None, _) => Err("no `context` is given, and none is current: which cluster is meant?".to_owned()),
    }
}

#[cfg(test)]
mod tests;
