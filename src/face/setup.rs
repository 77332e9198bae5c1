//! From flags and files to a session: what both faces begin with.

use std::collections::BTreeMap;
use std::env;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use tokio::runtime::Handle;

use crate::app::State;
use crate::app::state::{Dots, Opening, Settings};
use crate::cli::Cli;
use crate::config::load;
use crate::config::paths::Paths;
use crate::config::{ConnectionSpec, DockerTarget, EnvironmentSpec, Flags, Resolved, TargetSpec};
use crate::engine::{Engine, EngineError, demo, docker, kubernetes};
use crate::keymap::Keymap;
use crate::model::{ConnectionId, EnvironmentId, Link, Problem};
use crate::runtime::journal::Journal;
use crate::runtime::{Session, process};
use crate::theme::{ColorDepth, Theme};

/// Mistakes of rule files told at the start.
const TOLD: usize = 2;

/// Everything that is known before anything is connected.
pub struct Setup {
    pub paths: Paths,
    pub resolved: Resolved,
    pub depth: ColorDepth,
    pub keymap: Arc<Keymap>,
    pub theme: Theme,
}

impl Setup {
    /// Reads files and flags.
    ///
    /// # Errors
    /// Every mistake in them.
    pub fn read(cli: &Cli) -> Result<Self, Vec<Problem>> {
        let paths = paths()?;
        let resolved = load::load(&paths, &Flags::new(&cli.global, cli.command.as_ref()))?;
        let depth = depth();
        let keymap = Arc::new(load::keymap(&paths, &resolved.keymap)?);
        let theme = load::theme(&paths, &resolved.theme)?.at_depth(depth);
        Ok(Self { paths, resolved, depth, keymap, theme })
    }

    /// The audit log of this user.
    #[must_use]
    pub fn journal(&self) -> Journal {
        Journal::new(self.paths.data.clone())
    }

    /// A session with every connection there is. Nothing is connected before it is settled.
    ///
    /// # Errors
    /// When no thread can be had.
    pub fn session(&self, handle: &Handle) -> std::io::Result<Session> {
        // Engines start their own tasks where they are made.
        let _inside = handle.enter();
        let mut state = State::new(Timestamp::now(), process::actor(), self.settings(), self.keymap.clone());
        let mut engines = BTreeMap::new();
        for spec in &self.resolved.connections {
            let opening = if spec.on_demand { Opening::OnDemand } else { Opening::Open };
            state.offer(&spec.id, address(spec), opening);
            if let Some(all) = all_namespaces(spec) {
                state.offer(&all.id, address(&all), Opening::Aside);
                engines.insert(all.id.clone(), kubernetes::connect(&all));
            }
            match engine(spec) {
                Ok(engine) => drop(engines.insert(spec.id.clone(), engine)),
                Err(error) => refuse(&mut state, &spec.id, &error),
            }
        }
        for (_, why) in &self.resolved.unsupported {
            state.say(false, why.clone());
        }
        for problem in self.problems().take(TOLD) {
            state.say(false, problem);
        }
        Session::new(state, engines, self.journal(), handle.clone())
    }

    /// What is wrong in rule files: the rules it is about are not evaluated.
    fn problems(&self) -> impl Iterator<Item = String> {
        let environments = self.resolved.connections.iter().flat_map(|c| &c.environments);
        environments.flat_map(|e| &e.policy.rules.problems).map(|problem| format!("{problem} (qd config check tells all)"))
    }

    /// What was configured, as the app needs it.
    #[must_use]
    pub fn settings(&self) -> Settings {
        let policies = self.resolved.connections.iter().flat_map(|connection| {
            connection.environments.iter().map(|e| (EnvironmentId::new(connection.id.clone(), e.name.clone()), e.policy.clone()))
        });
        Settings {
            read_only: self.resolved.read_only,
            policies: policies.collect(),
            only: self.resolved.only.clone(),
            refresh: self.resolved.refresh,
            log_bytes: self.resolved.log_bytes,
            log_tail: self.resolved.log_tail,
            dots: self.resolved.charts.unwrap_or_default(),
            utc_offset_minutes: utc_offset_minutes(),
            theme: self.resolved.theme.clone(),
            themes: load::themes(&self.paths),
        }
    }
}

/// The same cluster with all its namespaces, where it was found and not configured: to be opened by a person.
fn all_namespaces(spec: &ConnectionSpec) -> Option<ConnectionSpec> {
    let (TargetSpec::Kubernetes(target), [own]) = (&spec.target, &spec.environments[..]) else { return None };
    let name: Arc<str> = format!("{}:*", target.context).into();
    let environment = EnvironmentSpec { name: name.clone(), project: "*".into(), ..own.clone() };
    let found = own.project.is_empty() && own.name == target.context;
    found.then(|| ConnectionSpec { id: ConnectionId(name), environments: vec![environment], ..spec.clone() })
}

/// A connection that cannot even be begun is shown as failed, like one that fails later.
fn refuse(state: &mut State, id: &ConnectionId, error: &EngineError) {
    if let Some(connection) = state.connections.get_mut(id) {
        connection.link =
            Link::Failed { since: state.now, error: error.to_string().into(), hint: error.hint().into(), retry_at: None };
    }
}

fn engine(spec: &ConnectionSpec) -> Result<Arc<dyn Engine>, EngineError> {
    match &spec.target {
        TargetSpec::Docker(_) => Ok(docker::connect(spec)),
        TargetSpec::Kubernetes(_) => Ok(kubernetes::connect(spec)),
        TargetSpec::Demo { .. } => demo::engine(spec, Timestamp::now()),
    }
}

/// The address of a connection, as a person would check it.
#[must_use]
pub fn address(spec: &ConnectionSpec) -> Arc<str> {
    match &spec.target {
        TargetSpec::Demo { .. } => "demo".into(),
        TargetSpec::Kubernetes(target) => format!("context {}", target.context).into(),
        TargetSpec::Docker(target) => match docker::context::resolve(target) {
            Ok(endpoint) => endpoint.text,
            Err(_) => match target {
                DockerTarget::Ambient => "the Docker engine".into(),
                DockerTarget::Host(host) => host.clone(),
                DockerTarget::Context(name) => format!("docker context {name}").into(),
            },
        },
    }
}

/// How a connection is made, in words; `None` where that cannot be told or is nothing to tell.
#[must_use]
pub fn way(spec: &ConnectionSpec) -> Option<String> {
    match &spec.target {
        TargetSpec::Demo { .. } => None,
        TargetSpec::Kubernetes(target) => {
            let files: Vec<String> = target.kubeconfig.iter().map(|p| p.display().to_string()).collect();
            (!files.is_empty()).then(|| format!("kubeconfig {}", files.join(", ")))
        }
        TargetSpec::Docker(target) => docker::context::resolve(target).ok().map(|endpoint| endpoint.way()),
    }
}

/// The directories of this user.
///
/// # Errors
/// When there is no home directory.
pub fn paths() -> Result<Paths, Vec<Problem>> {
    Paths::find().map_err(|message| vec![Problem { file: "HOME".into(), line: 0, column: 0, message }])
}

/// Whether the screen of a world that stands still is meant: the demo's, whenever no real environment is named.
#[must_use]
pub fn is_still(cli: &Cli) -> bool {
    cli.global.demo || cli.global.names_nothing_real()
}

/// How many colours the terminal shows.
#[must_use]
pub fn depth() -> ColorDepth {
    let value = |name| env::var(name).ok();
    ColorDepth::detect(value("NO_COLOR").as_deref(), value("COLORTERM").as_deref(), value("TERM").as_deref())
}

/// What charts are drawn with where nobody says it: the fonts of the Linux console have blocks and no braille.
#[must_use]
pub fn dots() -> Dots {
    if env::var("TERM").as_deref() == Ok("linux") { Dots::Blocks } else { Dots::Braille }
}

/// Minutes east of UTC here and now.
fn utc_offset_minutes() -> i32 {
    // The system's own zone is read from its file: finding its name would read the folders of all zones.
    let own = || TimeZone::tzif("local", &std::fs::read("/etc/localtime").ok()?).ok();
    let zone = env::var_os("TZ").is_none().then(own).flatten().unwrap_or_else(TimeZone::system);
    zone.to_offset(Timestamp::now()).seconds() / 60
}
