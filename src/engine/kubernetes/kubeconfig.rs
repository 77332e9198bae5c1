//! Kubeconfig files: which contexts there are, and what one of them needs to be reached. A context is pinned by its name:
//! nothing ever asks which one is current after the start.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use kube::config::{ExecInteractiveMode, KubeConfigOptions, Kubeconfig};

use crate::config::KubernetesTarget;
use crate::observe::text::clean;

/// The name of the one context there is inside a cluster without a kubeconfig.
pub const IN_CLUSTER: &str = "in-cluster";
/// Where a pod finds who it is.
const SERVICE_ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount/token";

/// A context as its files have it. Text is sanitised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context {
    pub name: Arc<str>,
    /// Its own namespace; `default` where none is named.
    pub namespace: Arc<str>,
    /// The address of its API server; empty where its cluster is not in the files.
    pub server: Arc<str>,
}

/// Every context of some files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contexts {
    pub files: Vec<PathBuf>,
    pub all: Vec<Context>,
    pub current: Option<Arc<str>>,
}

/// The files: the one named, else those of `KUBECONFIG`, else the one in the home directory. Only those that are there.
#[must_use]
pub fn files(named: Option<&Path>) -> Vec<PathBuf> {
    if let Some(path) = named {
        return vec![path.to_owned()];
    }
    let listed = std::env::var_os("KUBECONFIG").filter(|v| !v.is_empty());
    let all: Vec<PathBuf> = match &listed {
        Some(list) => std::env::split_paths(list).filter(|p| !p.as_os_str().is_empty()).collect(),
        None => std::env::home_dir().map(|home| home.join(".kube/config")).into_iter().collect(),
    };
    all.into_iter().filter(|path| path.is_file()).collect()
}

/// Every context of the files, merged as kubectl does: what a file says first stands. Without any file, the cluster this
/// runs in, if it does.
///
/// # Errors
/// A sentence naming the file that cannot be read or is no kubeconfig.
pub fn contexts(files: Vec<PathBuf>) -> Result<Contexts, String> {
    if files.is_empty() {
        let inside = Path::new(SERVICE_ACCOUNT).is_file() && std::env::var_os("KUBERNETES_SERVICE_HOST").is_some();
        let here = || Context { name: IN_CLUSTER.into(), namespace: "".into(), server: "".into() };
        return Ok(Contexts { files, all: inside.then(here).into_iter().collect(), current: None });
    }
    let merged = read(&files)?;
    let server = |cluster: &str| {
        let found = merged.clusters.iter().find(|c| c.name == cluster).and_then(|c| c.cluster.as_ref()?.server.clone());
        found.map(|s| Arc::from(&*clean(&s))).unwrap_or_default()
    };
    let context = |named: &kube::config::NamedContext| {
        let context = named.context.as_ref()?;
        let namespace = context.namespace.as_deref().filter(|n| !n.is_empty()).unwrap_or("default");
        Some(Context { name: clean(&named.name).into(), namespace: clean(namespace).into(), server: server(&context.cluster) })
    };
    let all = merged.contexts.iter().filter_map(context).collect();
    let current = merged.current_context.as_deref().filter(|c| !c.is_empty()).map(|c| clean(c).into());
    Ok(Contexts { files, all, current })
}

fn read(files: &[PathBuf]) -> Result<Kubeconfig, String> {
    let mut merged = Kubeconfig::default();
    for path in files {
        let shown = path.display();
        let next = Kubeconfig::read_from(path).map_err(|error| format!("{shown}: {}", reason(&error)))?;
        merged = merged.merge(next).map_err(|error| format!("{shown}: {}", reason(&error)))?;
    }
    Ok(merged)
}

/// What is needed to reach a context. Exec plugins are never given the terminal: what they print to standard error comes
/// with the error.
///
/// # Errors
/// A sentence: the context, its cluster or its user is not there, a certificate cannot be read.
pub async fn config(target: &KubernetesTarget) -> Result<kube::Config, String> {
    if target.kubeconfig.is_empty() {
        return kube::Config::incluster().map_err(|error| reason(&error));
    }
    let options = KubeConfigOptions { context: Some(target.context.to_string()), ..KubeConfigOptions::default() };
    let merged = read(&target.kubeconfig)?;
    let mut config = kube::Config::from_custom_kubeconfig(merged, &options).await.map_err(|error| reason(&error))?;
    if let Some(exec) = &mut config.auth_info.exec {
        exec.interactive_mode = Some(ExecInteractiveMode::Never);
    }
    // Retrying is decided where it is known what is asked.
    config.default_retry = false;
    Ok(config)
}

/// An error and its causes in one sentence.
pub(super) fn reason(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let said = inner.to_string();
        if !text.contains(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        cause = inner.source();
    }
    clean(&text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(directory: &Path, name: &str, text: &str) -> PathBuf {
        let path = directory.join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    const ONE: &str = "apiVersion: v1\nkind: Config\ncurrent-context: eu\nclusters:\n- name: a\n  cluster: {server: 'https://a:6443'}\n\
                       contexts:\n- name: eu\n  context: {cluster: a, user: u, namespace: shop}\nusers:\n- name: u\n  user: {token: t}\n";
    const TWO: &str = "apiVersion: v1\nkind: Config\ncurrent-context: us\nclusters:\n- name: a\n  cluster: {server: 'https://other'}\n\
                       contexts:\n- name: us\n  context: {cluster: a, user: v}\n- name: eu\n  context: {cluster: b, user: v}\n\
                       users:\n- name: v\n  user:\n    exec: {apiVersion: client.authentication.k8s.io/v1, command: no-such-plugin, interactiveMode: IfAvailable}\n";

    #[test]
    fn files_are_merged_and_the_first_word_stands() {
        let directory = tempfile::tempdir().unwrap();
        let files = vec![file(directory.path(), "one", ONE), file(directory.path(), "two", TWO)];
        let found = contexts(files).unwrap();
        let told: Vec<String> = found.all.iter().map(|c| format!("{} {} {}", c.name, c.namespace, c.server)).collect();
        assert_eq!(told, ["eu shop https://a:6443", "us default https://a:6443"]);
        assert_eq!(found.current.as_deref(), Some("eu"));
    }

    #[test]
    fn what_is_no_kubeconfig_is_said_with_its_file() {
        let directory = tempfile::tempdir().unwrap();
        let error = contexts(vec![file(directory.path(), "bad", "contexts: 7\n")]).unwrap_err();
        assert!(error.contains("/bad: "), "{error}");
    }

    #[tokio::test]
    async fn a_plugin_is_never_given_the_terminal_and_an_unknown_context_is_said() {
        let directory = tempfile::tempdir().unwrap();
        let kubeconfig = vec![file(directory.path(), "two", TWO)];
        let of = |context: &str| KubernetesTarget { kubeconfig: kubeconfig.clone(), context: context.into() };
        let found = config(&of("us")).await.unwrap();
        assert_eq!(found.auth_info.exec.unwrap().interactive_mode, Some(ExecInteractiveMode::Never));
        let error = config(&of("nowhere")).await.unwrap_err();
        assert!(error.contains("nowhere"), "{error}");
    }
}
