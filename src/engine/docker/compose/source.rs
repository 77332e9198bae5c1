//! Which files a project was made from: those that were configured, else those its containers name, where they are on
//! this machine and the engine is too.

use std::collections::HashMap;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::config::EnvironmentSpec;
use crate::engine::docker::convert::{Group, Seen};

/// Where Compose notes the files a container was made from.
const FILES: &str = "com.docker.compose.project.config_files";
const FOLDER: &str = "com.docker.compose.project.working_dir";

/// The files of one project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::engine::docker) struct Source {
    pub files: Vec<PathBuf>,
    pub env_file: Option<PathBuf>,
    /// Where relative paths in them begin; without one, where the first of them lies.
    pub folder: Option<PathBuf>,
    /// A person named them.
    pub is_configured: bool,
}

impl Source {
    /// Their names, for people.
    pub fn names(&self) -> String {
        let name = |path: &PathBuf| path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        crate::observe::text::clean(&self.files.iter().map(name).collect::<Vec<_>>().join(", ")).into_owned()
    }

    /// Every file whose change may change the meaning.
    pub fn watched(&self) -> Vec<PathBuf> {
        let folder = self.folder.clone().or_else(|| self.files.first()?.parent().map(Path::to_path_buf));
        let variables = self.env_file.clone().or_else(|| folder.map(|folder| folder.join(".env")));
        self.files.iter().cloned().chain(variables).collect()
    }

    /// The tool's arguments that name them, and the project.
    pub fn arguments(&self, project: &str) -> Vec<Arc<str>> {
        let mut all: Vec<Arc<str>> = vec!["--project-name".into(), project.into()];
        let path = |path: &Path| Arc::<str>::from(path.to_string_lossy());
        if let Some(folder) = &self.folder {
            all.extend(["--project-directory".into(), path(folder)]);
        }
        for file in &self.files {
            all.extend(["--file".into(), path(file)]);
        }
        if let Some(file) = &self.env_file {
            all.extend(["--env-file".into(), path(file)]);
        }
        all
    }
}

/// Remembers what the containers of each project said.
#[derive(Debug, Default)]
pub(in crate::engine::docker) struct Sources {
    noted: HashMap<(String, String), Option<Source>>,
}

impl Sources {
    /// The files of a project; `is_local` when the engine's files are this machine's.
    pub fn of(&mut self, group: &Group, spec: Option<&EnvironmentSpec>, members: &[&Seen], is_local: bool) -> Option<Source> {
        let Group::Project(_) = group else { return None };
        if let Some(spec) = spec.filter(|spec| !spec.files.is_empty()) {
            let absolute = |path: &PathBuf| std::path::absolute(path).unwrap_or_else(|_| path.clone());
            let files = spec.files.iter().map(absolute).collect();
            return Some(Source { files, env_file: spec.env_file.as_ref().map(absolute), folder: None, is_configured: true });
        }
        if !is_local {
            return None;
        }
        // Those of the newest container: an older one may be of a file that is gone.
        let newest = members.iter().filter(|s| !s.one_off && s.lock.is_none()).max_by_key(|s| s.created_at)?;
        let label = |name: &str| newest.labels.get(name).map(ToString::to_string).unwrap_or_default();
        let key = (label(FILES), label(FOLDER));
        let env_file = spec.and_then(|spec| spec.env_file.clone());
        self.noted.entry(key.clone()).or_insert_with(|| noted(&key.0, &key.1, env_file)).clone()
    }
}

fn noted(files: &str, folder: &str, env_file: Option<PathBuf>) -> Option<Source> {
    let folder = PathBuf::from(folder);
    if files.is_empty() || !folder.is_absolute() {
        return None;
    }
    let files: Vec<PathBuf> = files.split(',').map(|file| folder.join(file.trim())).collect();
    files.iter().all(|file| is_trusted(file)).then_some(Source { files, env_file, folder: Some(folder), is_configured: false })
}

/// Whoever may start containers may write labels: only files of this user's, or root's, are read on their word.
fn is_trusted(path: &Path) -> bool {
    let Ok(file) = std::fs::metadata(path) else { return false };
    let own = std::fs::metadata("/proc/self").map(|own| own.uid());
    file.is_file() && (file.uid() == 0 || own.is_ok_and(|uid| uid == file.uid()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_noted_on_containers_are_taken_where_all_are_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("a.yml"), "").unwrap();
        std::fs::write(path("b.yml"), "").unwrap();
        let at = folder.path().to_str().unwrap();
        let source = noted(&format!("a.yml,{}", path("b.yml").display()), at, None).unwrap();
        assert_eq!((source.files.clone(), source.names().as_str()), (vec![path("a.yml"), path("b.yml")], "a.yml, b.yml"));
        assert_eq!(source.watched().last(), Some(&path(".env")));
        let arguments = source.arguments("shop").join(" ");
        assert!(arguments.starts_with("--project-name shop --project-directory /"), "{arguments}");
        assert_eq!(arguments.matches("--file ").count(), 2);
        for (files, folder) in [("a.yml,c.yml", at), ("", at), ("a.yml", "relative")] {
            assert_eq!(noted(files, folder, None), None, "{files} in {folder}");
        }
    }
}
