//! Where files of quarterdeck's own lie.

use std::path::{Path, PathBuf};

use directories::ProjectDirs;

/// The directories of this user; XDG variables move them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    /// `config.toml`, `keymaps/`, `themes/`.
    pub config: PathBuf,
    /// The audit log, kept for ever; silences.
    pub data: PathBuf,
    /// What may be lost.
    pub state: PathBuf,
}

impl Paths {
    /// The directories of this user.
    ///
    /// # Errors
    /// A sentence when there is no home directory.
    pub fn find() -> Result<Self, String> {
        let project = ProjectDirs::from("", "", "quarterdeck")
            .ok_or_else(|| "there is no home directory: set HOME, or XDG_CONFIG_HOME and XDG_DATA_HOME".to_owned())?;
        let state = project.state_dir().unwrap_or_else(|| project.data_local_dir());
        Ok(Self { config: project.config_dir().to_owned(), data: project.data_dir().to_owned(), state: state.to_owned() })
    }

    /// All directories below one, for tests.
    #[must_use]
    pub fn below(root: &Path) -> Self {
        Self { config: root.join("config"), data: root.join("data"), state: root.join("state") }
    }

    /// The user's own configuration file.
    #[must_use]
    pub fn user_config(&self) -> PathBuf {
        self.config.join("config.toml")
    }

    /// The user's own keymap of this name.
    #[must_use]
    pub fn keymap(&self, name: &str) -> PathBuf {
        self.config.join("keymaps").join(format!("{name}.toml"))
    }

    /// The user's own theme of this name.
    #[must_use]
    pub fn theme(&self, name: &str) -> PathBuf {
        self.config.join("themes").join(format!("{name}.toml"))
    }

    /// The silences made on this machine; those of the demo world are others.
    #[must_use]
    pub fn silences(&self, demo: bool) -> PathBuf {
        self.data.join(if demo { "silences-demo.json" } else { "silences.json" })
    }

    /// The audit log, one JSON object a line.
    #[must_use]
    pub fn audit(&self) -> PathBuf {
        self.data.join("audit.jsonl")
    }
}

/// The project's file: the first `quarterdeck.toml` from `start` upward.
#[must_use]
pub fn project_config(start: &Path) -> Option<PathBuf> {
    start.ancestors().map(|directory| directory.join("quarterdeck.toml")).find(|path| path.is_file())
}
