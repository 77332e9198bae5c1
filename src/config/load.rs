//! Reads configuration, keymaps and themes from their files and hands the text on: the only place of this room that
//! opens files, besides `paths`.

mod rules;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::paths::{Paths, project_config};
use super::{Clusters, DockerTarget, Flags, Resolved, clash, demo, file, resolve};
use crate::engine::docker::context::{self, Address};
use crate::engine::kubernetes::kubeconfig;
use crate::keymap::{self, Keymap};
use crate::model::Problem;
use crate::observe::rule;
use crate::observe::rule::file::Rules;
use crate::theme::{self, Theme};

/// The configuration files there are, lowest precedence first: the user's own, then the project's or the one named.
#[must_use]
pub fn sources(paths: &Paths, flags: &Flags, directory: &Path) -> Vec<PathBuf> {
    let user = Some(paths.user_config()).filter(|path| path.is_file());
    let project = flags.config.clone().or_else(|| project_config(directory));
    user.into_iter().chain(project).collect()
}

/// Reads every configuration file and says what they and the flags mean.
///
/// # Errors
/// Every mistake in every file, or a file that cannot be read.
pub fn load(paths: &Paths, flags: &Flags) -> Result<Resolved, Vec<Problem>> {
    let directory = std::env::current_dir().unwrap_or_default();
    load_in(paths, flags, &directory, &address, &clusters(flags))
}

/// [`load`] from a working directory, with a way to tell where Docker targets lead.
///
/// # Errors
/// As [`load`].
pub fn load_in(
    paths: &Paths,
    flags: &Flags,
    directory: &Path,
    address: &resolve::Address<'_>,
    clusters: &Clusters,
) -> Result<Resolved, Vec<Problem>> {
    let mut files = Vec::new();
    let mut problems = Vec::new();
    for path in sources(paths, flags, directory) {
        let shown = path.display().to_string();
        match text(&path) {
            Ok(text) => {
                let (file, found) = file::read(&text, &shown);
                problems.extend(found);
                files.push((path, file));
            }
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() {
        let mut resolved = resolve::resolve(files, flags, address, clusters)?;
        alerts(&mut resolved, paths, flags);
        return Ok(resolved);
    }
    let named: Vec<(Arc<str>, &file::File)> = files.iter().map(|(p, f)| (p.display().to_string().into(), f)).collect();
    problems.extend(clash::find(&named, address));
    problems.sort();
    Err(problems)
}

/// Reads the rules of every environment, and says where its silences are. What is wrong in a rule file stops nothing else.
fn alerts(resolved: &mut Resolved, paths: &Paths, flags: &Flags) {
    let silences: Arc<str> = paths.silences(flags.demo.is_some()).display().to_string().into();
    for environment in resolved.connections.iter_mut().flat_map(|c| &mut c.environments) {
        let policy = &mut environment.policy;
        policy.rules =
            Arc::new(if flags.demo.is_some() { demo_rules(&policy.rule_files) } else { rules::load(&policy.rule_files) });
        policy.silences = Some(silences.clone());
    }
}

/// The rule files of the demo world come with the program.
fn demo_rules(paths: &[Arc<str>]) -> Rules {
    let mut all = Rules::default();
    for (path, text) in demo::RULES.iter().filter(|(path, _)| paths.iter().any(|wanted| **wanted == **path)) {
        all.add(rule::file::read(text, path));
    }
    all
}

/// Everything that is wrong with the configuration, with the rules, and with the keymap and theme it names.
#[must_use]
pub fn check(paths: &Paths, flags: &Flags) -> Vec<Problem> {
    match load(paths, flags) {
        Ok(resolved) => {
            let keymap = keymap(paths, &resolved.keymap).err();
            let theme = theme(paths, &resolved.theme).err();
            let rules = resolved.connections.iter().flat_map(|c| &c.environments).flat_map(|e| e.policy.rules.problems.clone());
            let mut problems: Vec<Problem> = keymap.into_iter().chain(theme).flatten().chain(rules).collect();
            // Two environments may read one file.
            problems.sort();
            problems.dedup();
            problems
        }
        Err(problems) => problems,
    }
}

/// The kubeconfig at hand. The demo needs none, and an engine named by its address neither.
fn clusters(flags: &Flags) -> Clusters {
    if flags.demo.is_some() || flags.host.is_some() {
        return Clusters::default();
    }
    let files = kubeconfig::files(flags.kubeconfig.as_deref());
    match kubeconfig::contexts(files.clone()) {
        Ok(found) => {
            let contexts = found.all.into_iter().map(|c| c.name).collect();
            Clusters { files: found.files, contexts, current: found.current, trouble: None }
        }
        Err(why) => {
            Clusters { files, trouble: Some(format!("the kubeconfig cannot be used: {why}").into()), ..Clusters::default() }
        }
    }
}

/// The address a target leads to, as the Docker engine resolves it; `None` for the ambient engine where there is none.
fn address(target: &DockerTarget) -> Option<Arc<str>> {
    let endpoint = context::resolve(target).ok()?;
    let absent = match &endpoint.address {
        Address::Unix(path) => *target == DockerTarget::Ambient && !path.exists(),
        Address::Tcp(_) | Address::Tls(..) | Address::Ssh(_) => false,
    };
    (!absent).then_some(endpoint.text)
}

/// The keymap of this name: the user's own file, else the shipped one.
///
/// # Errors
/// Every mistake in it; a name nobody knows.
pub fn keymap(paths: &Paths, name: &str) -> Result<Keymap, Vec<Problem>> {
    let (text, shown) = named(&paths.keymap(name), "keymap", name, keymap::builtin, &keymaps(paths))?;
    Keymap::parse(&text, &shown)
}

/// The theme of this name: the user's own file, else the shipped one.
///
/// # Errors
/// Every mistake in it; a name nobody knows.
pub fn theme(paths: &Paths, name: &str) -> Result<Theme, Vec<Problem>> {
    let (content, shown) = named(&paths.theme(name), "theme", name, theme::builtin, &themes(paths))?;
    // A file that changes the shipped theme of its own name inherits that one: each own file is found once.
    let given = RefCell::new(BTreeSet::from([name.to_owned()]));
    let find = |wanted: &str| {
        let own = given.borrow_mut().insert(wanted.to_owned()) && plain(wanted);
        own.then(|| text(&paths.theme(wanted)).ok()).flatten().or_else(|| theme::builtin(wanted).map(str::to_owned))
    };
    Theme::parse(&content, &shown, &find)
}

/// The names of every keymap at hand, sorted after the shipped ones.
#[must_use]
pub fn keymaps(paths: &Paths) -> Vec<Arc<str>> {
    names(&paths.config.join("keymaps"), &keymap::NAMES)
}

/// The names of every theme at hand, sorted after the shipped ones.
#[must_use]
pub fn themes(paths: &Paths) -> Vec<Arc<str>> {
    names(&paths.config.join("themes"), &theme::NAMES)
}

fn names(directory: &Path, shipped: &[&str]) -> Vec<Arc<str>> {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let own: BTreeSet<String> = entries
        .filter_map(|entry| entry.file_name().to_str()?.strip_suffix(".toml").map(str::to_owned))
        .filter(|name| !shipped.contains(&name.as_str()) && plain(name))
        .collect();
    shipped.iter().map(|name| (*name).into()).chain(own.into_iter().map(Into::into)).collect()
}

/// Whether a name can be a file's: it never leads out of its directory.
fn plain(name: &str) -> bool {
    !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\\', '\0'])
}

/// The text of a keymap or theme, and what its file is called.
fn named(
    own: &Path,
    what: &str,
    name: &str,
    builtin: fn(&str) -> Option<&'static str>,
    known: &[Arc<str>],
) -> Result<(String, String), Vec<Problem>> {
    if plain(name) && own.is_file() {
        return text(own).map(|text| (text, own.display().to_string())).map_err(|problem| vec![problem]);
    }
    builtin(name).map(|text| (text.to_owned(), format!("{what}s/{name}.toml"))).ok_or_else(|| {
        let message = crate::document::unknown(what, name, known.iter().map(|n| &**n));
        vec![Problem { file: format!("--{what}").into(), line: 0, column: 0, message }]
    })
}

/// The text of a file.
fn text(path: &Path) -> Result<String, Problem> {
    let problem = |message: String| Problem { file: path.display().to_string().into(), line: 0, column: 0, message };
    let bytes = std::fs::read(path).map_err(|error| {
        problem(match error.kind() {
            ErrorKind::NotFound => "this file does not exist".to_owned(),
            ErrorKind::PermissionDenied => "this file may not be read: check its permissions".to_owned(),
            ErrorKind::IsADirectory => "this is a directory, not a file".to_owned(),
            _ => format!("this file cannot be read: {error}"),
        })
    })?;
    String::from_utf8(bytes).map_err(|error| {
        let valid = String::from_utf8_lossy(&error.as_bytes()[..error.utf8_error().valid_up_to()]).into_owned();
        let (line, column) = crate::model::problem::position(&valid, valid.len());
        Problem { line, column, ..problem("not UTF-8: save the file in that encoding".to_owned()) }
    })
}

#[cfg(test)]
mod tests;
