//! The demo engine: a seeded world of three environments that lives by itself and takes every operation, with no
//! engine, network or file but those copied out of it and into it. Outside this folder it is an [`Engine`] like any other.

pub mod act;
mod cluster;
mod containers;
mod declared;
mod describe;
mod dial;
mod dice;
pub mod feed;
mod figures;
mod hands;
mod hygiene;
pub mod incident;
mod journal;
mod moment;
mod outside;
mod place;
mod pods;
mod prompt;
mod recipe;
mod shell;
mod stacks;
pub mod still;
mod talk;
mod traffic;
mod trouble;
mod unit;
mod view;
mod voice;
pub mod world;

#[cfg(test)]
mod act_tests;
#[cfg(test)]
mod engine_tests;
#[cfg(test)]
mod hands_tests;
#[cfg(test)]
mod incident_tests;
#[cfg(test)]
mod operate_tests;
#[cfg(test)]
mod sound_tests;
#[cfg(test)]
mod world_tests;

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream, StreamExt};
use jiff::Timestamp;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::{mpsc, watch};
use tokio::time::{MissedTickBehavior, interval, sleep};

use self::feed::Feed;
use self::incident::Incident;
use self::moment::shift;
use self::world::{Terms, World};
use super::landing::{Landing, trouble};
use super::{Attached, AttachedInput, Dialled, Engine, EngineError, Report, Shell, Topic, Update};
use crate::config::{ConnectionSpec, TargetSpec};
use crate::model::{EnvironmentId, InstanceId, InstanceState};
use crate::observe::hygiene::Survey;
use crate::observe::redact::Redaction;
use crate::operate::Errand;
use crate::operate::action::{Accepted, Action, InstanceRef, Output};

/// The world catches up with so much at most; when the machine slept longer, so did the world.
const LONGEST_LEAP: Duration = Duration::from_secs(60);

/// The demo engine of a connection, its world beginning at `now`.
///
/// # Errors
/// [`EngineError::Unsupported`] when the connection is no demo or names an incident the demo does not know.
pub fn engine(spec: &ConnectionSpec, now: Timestamp) -> Result<Arc<dyn Engine>, EngineError> {
    let TargetSpec::Demo { seed, incident, speed_percent } = &spec.target else {
        let (what, why) = ("the demo of this connection", "it names a real engine");
        return Err(EngineError::Unsupported { what: what.into(), why: why.into() });
    };
    let incident = incident.as_deref().map(Incident::parse).transpose()?;
    let terms = Terms {
        connection: spec.id.clone(),
        seed: *seed,
        speed_percent: *speed_percent,
        environments: spec.environments.clone(),
        discover: spec.discover,
    };
    let (changed, _) = watch::channel(0);
    let ahead = now.duration_since(Timestamp::now()).as_secs_f64();
    let redaction = spec.redaction.clone();
    Ok(Arc::new(Demo(Arc::new(Shared { terms, redaction, incident, now, ahead, world: Mutex::new(None), changed }))))
}

struct Demo(Arc<Shared>);

struct Shared {
    terms: Terms,
    /// What is masked in its logs.
    redaction: Arc<Redaction>,
    incident: Option<Incident>,
    /// When the world begins.
    now: Timestamp,
    /// Seconds the world's clock is ahead of the machine's.
    ahead: f64,
    /// Made when first looked at: the first screen does not wait for it.
    world: Mutex<Option<World>>,
    /// Counts actions, so that what they change is seen at once.
    changed: watch::Sender<u64>,
}

impl Shared {
    /// Looks at the world as it is now: whoever looks lets the time since the last look pass.
    fn look<T>(&self, at: impl FnOnce(&mut World) -> T) -> T {
        let mut guard: MutexGuard<'_, Option<World>> = self.world.lock().unwrap_or_else(PoisonError::into_inner);
        let world = guard.get_or_insert_with(|| {
            let mut world = World::with(&self.terms, self.now);
            if let Some(incident) = self.incident
                && let Err(error) = incident::play(&mut world, incident)
            {
                tracing::warn!(%error, "the incident could not be played");
            }
            world
        });
        let here = shift(Timestamp::now(), self.ahead);
        let behind = Duration::try_from(here.duration_since(world.given())).unwrap_or_default();
        world.doze(behind.saturating_sub(LONGEST_LEAP));
        world.step(behind.min(LONGEST_LEAP));
        at(world)
    }

    /// How long something that takes so many seconds of the world's life takes on the clock.
    fn lasting(&self, seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds * 100.0 / f64::from(self.terms.speed_percent.clamp(10, 10_000)))
    }

    /// Takes the time a real engine would, with progress where there is some to tell.
    async fn labour(&self, action: &Action, report: &Report) {
        let seconds = match action {
            Action::EnsureImage { environment, image, .. } => {
                if self.look(|world| act::needs_pull(world, environment, image)) == Some(true) {
                    for part in 1..=4 {
                        sleep(self.lasting(0.35)).await;
                        report(format!("{} of 128 MB", part * 32));
                    }
                }
                0.05
            }
            Action::Stop { .. } | Action::Restart { .. } => 0.7,
            Action::Start { .. } | Action::Create { .. } | Action::Remove { .. } => 0.2,
            Action::Exec { .. } | Action::RunOnce { .. } => 1.5,
            Action::CopyIn { .. } | Action::CopyOut { .. } | Action::LookAtImage { .. } | Action::LookAtDisk { .. } => 0.3,
            Action::ForgetOnce { .. }
            | Action::PutFile { .. }
            | Action::RestoreFile { .. }
            | Action::ForgetFile { .. }
            | Action::Join { .. }
            | Action::Errand(_)
            | Action::TakeLock { .. }
            | Action::ReleaseLock { .. }
            | Action::SetAside { .. }
            | Action::BringBack { .. }
            | Action::Pause { .. }
            | Action::Unpause { .. }
            | Action::Kill { .. }
            | Action::SetReplicas { .. }
            | Action::SetImage { .. }
            | Action::Rollout { .. }
            | Action::Unpace { .. }
            | Action::ComposeUp { .. }
            | Action::Drill { .. }
            | Action::Suspend { .. }
            | Action::Trigger { .. }
            | Action::SetBounds { .. }
            | Action::Cordon { .. }
            | Action::Drain { .. }
            | Action::Mirror { .. }
            | Action::SwitchTraffic { .. }
            | Action::ForgetMirror { .. }
            | Action::Revert { .. } => 0.04,
        };
        sleep(self.lasting(seconds)).await;
    }
}

impl Engine for Demo {
    fn subscribe(&self, topic: Topic) -> BoxStream<'static, Update> {
        let shared = self.0.clone();
        let feed = Feed::new(topic).with(shared.redaction.clone());
        // The streams hold nothing but their place: who reads slowly skips, and nothing grows meanwhile.
        let following = stream::unfold((shared, feed, None, None), |(shared, mut feed, ticker, changes)| async move {
            let mut ticker = ticker.unwrap_or_else(|| {
                let mut ticker = interval(feed.rhythm());
                ticker.set_missed_tick_behavior(MissedTickBehavior::Delay);
                ticker
            });
            let mut changes = changes.unwrap_or_else(|| shared.changed.subscribe());
            loop {
                if feed.is_over() {
                    return None;
                }
                tokio::select! {
                    _ = ticker.tick() => {}
                    _ = changes.changed() => {}
                }
                let updates = shared.look(|world| feed.poll(world));
                if !updates.is_empty() {
                    return Some((stream::iter(updates), (shared, feed, Some(ticker), Some(changes))));
                }
            }
        });
        following.flatten().boxed()
    }

    fn execute(&self, action: Action, report: Report) -> BoxFuture<'static, Result<Accepted, EngineError>> {
        let shared = self.0.clone();
        Box::pin(async move {
            shared.labour(&action, &report).await;
            let result = match &action {
                Action::CopyOut { instance, from, to } => {
                    let content = shared.look(|world| hands::content(world, instance, from))?;
                    write(Path::new(&**to), &content).await
                }
                Action::CopyIn { instance, from, to } => {
                    let content = read(Path::new(&**from)).await?;
                    shared.look(|world| hands::place_file(world, instance, to, &content))
                }
                action => shared.look(|world| act::apply(world, action)),
            };
            shared.changed.send_modify(|count| *count += 1);
            result
        })
    }

    fn plays(&self, errand: &Errand) -> Option<BoxFuture<'static, Result<Accepted, EngineError>>> {
        let answer = self.0.look(|world| outside::answer(world, errand))?;
        let wait = self.0.lasting(0.05);
        Some(Box::pin(async move {
            sleep(wait).await;
            answer
        }))
    }

    fn dial(&self, instance: InstanceId, port: u16) -> BoxFuture<'static, Result<Dialled, EngineError>> {
        let shared = self.0.clone();
        Box::pin(async move {
            shared.look(|world| dial::listens(world, &instance, port))?;
            let answer = move |path: &str| shared.look(|world| dial::answer(world, &instance, path));
            Ok(Box::new(dial::open(answer)) as Dialled)
        })
    }

    fn ask(&self, instance: InstanceId, command: Vec<Arc<str>>, _: Duration) -> BoxFuture<'static, Result<Output, EngineError>> {
        let answer = self.0.look(|world| hands::exec(world, &InstanceRef::Known(instance), &command));
        let wait = self.0.lasting(0.05);
        Box::pin(async move {
            sleep(wait).await;
            match answer? {
                Accepted::Output(output) => Ok(*output),
                other => {
                    Err(EngineError::Protocol { endpoint: "the demo".into(), cause: format!("{other:?} is no output").into() })
                }
            }
        })
    }

    fn redaction(&self) -> Arc<Redaction> {
        self.0.redaction.clone()
    }

    fn survey(&self, environment: EnvironmentId) -> BoxFuture<'static, Result<Survey, EngineError>> {
        let seen = self.0.look(|world| hygiene::survey(world, &environment));
        let missing = move || EngineError::NotFound { what: environment.to_string().into() };
        Box::pin(async move { seen.ok_or_else(missing) })
    }

    fn attach(&self, shell: Shell) -> BoxFuture<'static, Result<Attached, EngineError>> {
        let shared = self.0.clone();
        Box::pin(async move {
            let words = shared.look(|world| {
                let unit = world.unit(&shell.instance).ok_or_else(|| act::not_found("the instance"))?;
                if unit.state != InstanceState::Running {
                    return Err(EngineError::Conflict { what: unit.name.clone(), cause: "it does not run".into() });
                }
                Ok(shell::Words::of(unit))
            })?;
            let (input, typed) = mpsc::channel(64);
            Ok(Attached { output: converse(words, typed), input })
        })
    }
}

/// Writes what is copied out of the world: the one file that is real.
async fn write(target: &Path, content: &str) -> Result<Accepted, EngineError> {
    let written = async {
        let landing = Landing::prepare(target).await?;
        let mut file = landing.open().await?;
        file.write_all(content.as_bytes()).await?;
        landing.land(file, target).await
    };
    written.await.map(|()| Accepted::Done).map_err(|error| trouble(target, &error))
}

/// What is copied into the world, as text; of a big file the world remembers the beginning.
async fn read(source: &Path) -> Result<String, EngineError> {
    const REMEMBERED: u64 = 64 << 10;
    let read = async {
        let mut bytes = Vec::new();
        tokio::fs::File::open(source).await?.take(REMEMBERED).read_to_end(&mut bytes).await?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    read.await.map_err(|error: std::io::Error| trouble(source, &error))
}

/// The two ways of a shell: what is typed, and what it prints until it ends or nobody types any more.
fn converse(words: shell::Words, typed: mpsc::Receiver<AttachedInput>) -> BoxStream<'static, Result<Bytes, EngineError>> {
    let greeting = Bytes::from(words.greeting());
    let talk = stream::unfold(Some((words, typed)), |state| async move {
        let (mut words, mut typed) = state?;
        loop {
            match typed.recv().await? {
                AttachedInput::Resize(..) => {}
                AttachedInput::Bytes(bytes) => {
                    let (said, over) = words.take(&bytes);
                    let next = (!over).then_some((words, typed));
                    return Some((Ok(Bytes::from(said)), next));
                }
            }
        }
    });
    stream::once(async move { Ok(greeting) }).chain(talk).boxed()
}
