//! Follows the compose files of an endpoint's projects, away from the inventory's loop: read again when a file changes,
//! compared again when containers do, and now and then because a tag may have moved.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde_json::Value;
use tokio::sync::{mpsc, watch};
use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::source::Source;
use super::{running, tool};
use crate::engine::EngineError;
use crate::engine::docker::client::Client;
use crate::engine::docker::wire::segment;
use crate::model::{Drift, DriftKind, FileState, StackFile};
use crate::observe::drift::wanted::{self, Wanted};
use crate::observe::drift::{Running, compare};

/// How often files are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// How often it is compared again although nothing is known to have changed.
const AGAIN: Duration = Duration::from_secs(60);
/// Outcomes on their way to the inventory.
const AHEAD: usize = 16;

/// A project whose file is at hand, as last listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::engine::docker) struct Project {
    pub name: Arc<str>,
    pub source: Source,
    /// The replicas of each service.
    pub services: BTreeMap<Arc<str>, Vec<Arc<str>>>,
}

/// What came of comparing a project with its file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    pub file: Arc<StackFile>,
    pub drifts: BTreeMap<Arc<str>, Arc<Drift>>,
    /// Why there is nothing to compare with, where a person should know.
    pub note: Option<Arc<str>>,
    /// Services that are in the file alone, and their images.
    pub missing: BTreeMap<Arc<str>, Arc<str>>,
}

impl Outcome {
    /// Before anything came of it.
    pub(in crate::engine::docker) fn reading(source: &Source) -> Self {
        let file = StackFile { names: source.names().into(), state: FileState::Reading };
        Self { file: Arc::new(file), drifts: BTreeMap::new(), note: None, missing: BTreeMap::new() }
    }
}

/// The files of an endpoint, followed for as long as this lives.
pub(in crate::engine::docker) struct Watcher {
    client: Client,
    task: Option<(watch::Sender<Vec<Project>>, AbortHandle)>,
    sender: mpsc::Sender<(Arc<str>, Outcome)>,
    told: mpsc::Receiver<(Arc<str>, Outcome)>,
}

impl Drop for Watcher {
    fn drop(&mut self) {
        if let Some((_, task)) = &self.task {
            task.abort();
        }
    }
}

impl Watcher {
    pub fn new(client: Client) -> Self {
        let (sender, told) = mpsc::channel(AHEAD);
        Self { client, task: None, sender, told }
    }

    /// These are the projects now. Nothing runs before there is one.
    pub fn want(&mut self, projects: Vec<Project>) {
        match &self.task {
            Some((want, _)) => drop(want.send_if_modified(|before| {
                let news = *before != projects;
                *before = projects;
                news
            })),
            None if projects.is_empty() => {}
            None => {
                let (want, wanted) = watch::channel(projects);
                let look = Looker { client: self.client.clone(), known: HashMap::new(), images: HashMap::new() };
                let task = tokio::spawn(look.follow(wanted, self.sender.clone()));
                self.task = Some((want, task.abort_handle()));
            }
        }
    }

    /// The next outcome, with its project's name; never when there is nothing to follow.
    pub async fn next(&mut self) -> (Arc<str>, Outcome) {
        match self.told.recv().await {
            Some(outcome) => outcome,
            // The sender is ours: it never closes.
            None => std::future::pending().await,
        }
    }
}

/// When a file was last written, and its length; `None` where it is not there.
type Stamp = Vec<Option<(SystemTime, u64)>>;

struct Known {
    source: Source,
    stamp: Stamp,
    /// The file as the tool understood it, and the tool's call up to its verb.
    read: Result<(Wanted, Vec<Arc<str>>), Arc<str>>,
    services: BTreeMap<Arc<str>, Vec<Arc<str>>>,
    compared: Instant,
    told: Option<Outcome>,
}

struct Looker {
    client: Client,
    known: HashMap<Arc<str>, Known>,
    /// What images bring, by their content: that never changes.
    images: HashMap<String, Value>,
}

impl Looker {
    async fn follow(mut self, mut wanted: watch::Receiver<Vec<Project>>, told: mpsc::Sender<(Arc<str>, Outcome)>) {
        loop {
            let mut projects = wanted.borrow_and_update().clone();
            // What somebody named is looked at before what was found.
            projects.sort_by_key(|project| !project.source.is_configured);
            self.known.retain(|name, _| projects.iter().any(|p| p.name == *name));
            for project in projects {
                if let Some(outcome) = self.look(&project).await
                    && told.send((project.name.clone(), outcome)).await.is_err()
                {
                    return;
                }
            }
            tokio::select! {
                changed = wanted.changed() => if changed.is_err() { return },
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
    }

    /// Looks at a project; the outcome where it is another than before.
    async fn look(&mut self, project: &Project) -> Option<Outcome> {
        let stamp = stamp(project.source.watched()).await;
        let old = self.known.remove(&*project.name).filter(|known| known.source == project.source);
        let mut known = match old {
            Some(known) if known.stamp == stamp => {
                let same = known.services == project.services && known.compared.elapsed() < AGAIN;
                if same && known.told.is_some() {
                    self.known.insert(project.name.clone(), known);
                    return None;
                }
                known
            }
            old => Known {
                source: project.source.clone(),
                stamp,
                read: read(project).await,
                services: BTreeMap::new(),
                compared: Instant::now(),
                told: old.and_then(|known| known.told),
            },
        };
        let outcome = match &known.read {
            Ok((wanted, call)) => self.compare(project, wanted, call).await.ok(),
            Err(why) => {
                let mut outcome = outcome(project, FileState::Failed(why.clone()));
                outcome.note = (project.source.is_configured || tool::find().await.is_ok()).then(|| why.clone());
                Some(outcome)
            }
        };
        let news = outcome.filter(|outcome| known.told.as_ref() != Some(outcome));
        if let Some(outcome) = &news {
            known.told = Some(outcome.clone());
        }
        (known.services, known.compared) = (project.services.clone(), Instant::now());
        self.known.insert(project.name.clone(), known);
        news
    }

    async fn compare(&mut self, project: &Project, wanted: &Wanted, call: &[Arc<str>]) -> Result<Outcome, EngineError> {
        let mut outcome = outcome(project, FileState::Read { call: call.to_vec() });
        for (name, replicas) in &project.services {
            let Some(service) = wanted.services.get(&**name) else {
                let drift = Drift { kind: DriftKind::Extra, deviations: Vec::new(), replicas: None };
                outcome.drifts.insert(name.clone(), Arc::new(drift));
                continue;
            };
            let mut running: Vec<Running> = Vec::new();
            for id in replicas {
                running.extend(self.running(id, name).await?);
            }
            let wanted_id = match &service.image {
                Some(image) => self.image_id(image).await?,
                None => None,
            };
            let count = u32::try_from(replicas.len()).unwrap_or(u32::MAX);
            if let Some(drift) = compare(service, &running, wanted_id.as_deref(), count) {
                outcome.drifts.insert(name.clone(), Arc::new(drift));
            }
        }
        for (name, service) in &wanted.services {
            let is_there = project.services.contains_key(name.as_str());
            if !is_there && !service.has_profile && service.replicas != Some(0) {
                let drift = Drift { kind: DriftKind::Missing, deviations: Vec::new(), replicas: service.replicas };
                outcome.drifts.insert(name.as_str().into(), Arc::new(drift));
                let image = service.image.as_deref().unwrap_or_default();
                outcome.missing.insert(name.as_str().into(), crate::observe::text::clean(image).into());
            }
        }
        Ok(outcome)
    }

    /// A container; none where it has gone meanwhile.
    async fn running(&mut self, id: &str, service: &str) -> Result<Option<Running>, EngineError> {
        let path = format!("/containers/{}/json", segment(id));
        let container = match self.client.get_json::<Value>("Comparing a container", &path).await {
            Err(EngineError::NotFound { .. }) => return Ok(None),
            other => other?,
        };
        let image = container["Image"].as_str().unwrap_or_default().to_owned();
        if !self.images.contains_key(&image) {
            let found = self.image(&image).await?.unwrap_or_default();
            self.images.insert(image.clone(), found);
        }
        Ok(Some(running::read(&container, &self.images[&image], service)))
    }

    /// The content a name means now; none where it is not here.
    async fn image_id(&mut self, name: &str) -> Result<Option<String>, EngineError> {
        let found = self.image(name).await?;
        Ok(found.and_then(|image| image["Id"].as_str().map(str::to_owned)))
    }

    async fn image(&self, name: &str) -> Result<Option<Value>, EngineError> {
        if name.is_empty() {
            return Ok(None);
        }
        match self.client.get_json("Comparing an image", &format!("/images/{}/json", segment(name))).await {
            Ok(image) => Ok(Some(image)),
            Err(EngineError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn outcome(project: &Project, state: FileState) -> Outcome {
    let file = StackFile { names: project.source.names().into(), state };
    Outcome { file: Arc::new(file), drifts: BTreeMap::new(), note: None, missing: BTreeMap::new() }
}

async fn read(project: &Project) -> Result<(Wanted, Vec<Arc<str>>), Arc<str>> {
    let tool = tool::find().await?;
    let mut call = tool.call.clone();
    call.extend(project.source.arguments(&project.name));
    // Nothing is asked of an engine to read a file: wherever a current context leads, nobody goes there.
    let nowhere = [("DOCKER_HOST", "unix:///dev/null".to_owned())];
    let output = tool::config(&call, &nowhere).await.map_err(|why| Arc::from(format!("{}: {why}", project.source.names())))?;
    match wanted::read(&output, &project.name, tool.generation) {
        Ok(wanted) => Ok((wanted, call)),
        Err(why) => {
            let why = crate::observe::text::clean(&why).into_owned();
            Err(format!("what {} makes of {} cannot be read: {why}", tool.call.join(" "), project.source.names()).into())
        }
    }
}

async fn stamp(files: Vec<PathBuf>) -> Stamp {
    let look = move || -> Stamp {
        let one = |path: &PathBuf| std::fs::metadata(path).ok().and_then(|m| Some((m.modified().ok()?, m.len())));
        files.iter().map(one).collect()
    };
    tokio::task::spawn_blocking(look).await.unwrap_or_default()
}
