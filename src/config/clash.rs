//! Environments that cannot both be meant: two of one name, and two names for the same containers.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::file::{Environment, File};
use super::resolve::{Address, target};
use crate::model::{EngineKind, Problem};

/// The clashes within one file, as far as they can be seen without looking where contexts lead.
#[must_use]
pub fn within(name: &str, file: &File) -> Vec<Problem> {
    find(&[(name.into(), file)], &|_| None)
}

/// The clashes over all files, each told at the later place and naming the earlier one. The same name in two files is
/// one too: which of them is meant when it is typed to start a deploy must never be a guess.
#[must_use]
pub fn find(files: &[(Arc<str>, &File)], address: &Address<'_>) -> Vec<Problem> {
    let mut names: BTreeMap<&str, String> = BTreeMap::new();
    let mut targets: BTreeMap<(String, Arc<str>), String> = BTreeMap::new();
    let mut problems = Vec::new();
    for (file, environment) in files.iter().flat_map(|(name, file)| file.environments.iter().map(move |e| (name, e))) {
        let Environment { line, column, name, .. } = environment;
        let place = format!("{file}:{line}");
        let mut note = |message: String| {
            problems.push(Problem { file: file.clone(), line: *line, column: *column, message });
        };
        if let Some(earlier) = names.get(&**name) {
            note(format!("the environment `{name}` is configured already at {earlier}"));
            continue;
        }
        names.insert(name, place.clone());
        let Some((target, project)) = target(environment) else { continue };
        // A Compose project and a Swarm stack of one name are not the same.
        let kind = if environment.engine == EngineKind::Swarm { "stack" } else { "project" };
        let key = (format!("{kind} on {}", super::resolve::key(&target, address)), project.clone());
        if let Some(earlier) = targets.get(&key) {
            note(format!("{kind} `{project}` of this engine is configured already at {earlier}, with another name and guard"));
            continue;
        }
        targets.insert(key, place);
    }
    problems
}
