//! The world around the engines, looked at and run errands into: addresses, certificates, probes, figures, alerts, commands
//! of this machine, requests. Each has an end: a time limit, a bound on what is read, and a sentence when it fails.
//!
//! Nothing here touches the terminal, decides what is done, or keeps anything: what is made of what was seen is pure
//! ([`crate::observe`], [`crate::operate`]).

pub mod alertmanager;
mod certificate;
mod check;
mod command;
mod endpoint;
mod figure;
mod file;
mod http;
mod load;
pub mod offer;
mod pace;
mod place;
pub mod prometheus;
mod server;
mod servers;
mod silences;
mod stream;
mod vigil;
pub mod watch;

use std::sync::Arc;
use std::time::Duration;

use crate::engine::{Engine, EngineError, Report};
use crate::model::Silence;
use crate::observe::load::{Figures, Load};
use crate::observe::redact::{self, Redaction};
use crate::observe::rule;
use crate::observe::text::clean;
use crate::operate::errand::{Keeper, Metric};
use crate::operate::{Accepted, Errand};

/// How long a server that is asked for figures or alerts may take.
const ASKED: Duration = Duration::from_secs(10);

/// Does an errand. `engine` is asked for addresses and figures of instances; what a command prints is masked by `redaction`.
///
/// # Errors
/// [`EngineError::Unmet`] when what was looked at is not as it should be or could not be looked at,
/// [`EngineError::TimedOut`] when a command took too long.
pub async fn perform(
    engine: Option<Arc<dyn Engine>>,
    errand: Errand,
    report: Report,
    redaction: Arc<Redaction>,
) -> Result<Accepted, EngineError> {
    match errand {
        Errand::EnvFile { path, required } => file::complete(&path, &required).await,
        Errand::Tcp { address, timeout } => {
            let took = stream::open(&address, timeout).await.map_err(|fault| unmet(&address, &fault.why))?.1;
            Ok(good(None, format!("{address} takes connections ({})", milliseconds(took))))
        }
        Errand::Certificate { address, days, timeout } => certificate::look(&address, Some(days), timeout).await,
        Errand::Probe { probe, instances } => check::probe(engine.as_ref(), &probe, &instances).await,
        Errand::Metric { metric, limit } => {
            let Metric { name, .. } = &*metric;
            let read = figure::read(engine.as_ref(), &metric, &report).await.map_err(|why| unmet(name, &why))?;
            read.judge(name, limit).map_err(|why| unmet(name, &why)).map(|words| good(Some(read.value), words))
        }
        Errand::Alerts { prometheus: server, name } => prometheus::silent(&server, name.as_deref()).await,
        Errand::Command { argv, folder, timeout, variables } => {
            let order = command::Order { argv: &argv, folder: folder.as_deref(), timeout, variables: &variables };
            command::run(order, redaction, &report).await
        }
        Errand::Load(load) => {
            // Whoever wants it to end early, or to know how it stands, calls [`load`] itself.
            let (_keep, stop) = tokio::sync::watch::channel(false);
            let words = report.clone();
            let tell: Arc<dyn Fn(Figures) + Send + Sync> = Arc::new(move |figures: Figures| words(figures.words()));
            self::load(&load, &tell, stop).await
        }
        Errand::Http { method, url, body, timeout } => http::send(&method, &url, body.as_deref(), timeout).await,
        Errand::Silence { keeper, silence } => silenced(keeper, *silence).await,
        Errand::Unsilence { keeper, id } => unsilenced(keeper, &id).await,
    }
}

/// Runs a load test: `tell` is called once a second, and it ends within one when `stop` turns true. It has a runtime of its
/// own, so that nothing else waits for it; dropped, all of it ends at once.
///
/// # Errors
/// [`EngineError::Unmet`] when it could not begin: nothing answers there, or it answers badly already.
pub async fn load(
    load: &Load,
    tell: &Arc<dyn Fn(Figures) + Send + Sync>,
    stop: tokio::sync::watch::Receiver<bool>,
) -> Result<Accepted, EngineError> {
    let figures = load::run(load, tell, stop).await.map_err(|why| unmet(&http::shown(&load.url), &why))?;
    Ok(Accepted::Load(Arc::new(figures)))
}

async fn silenced(keeper: Keeper, silence: Silence) -> Result<Accepted, EngineError> {
    let (what, until) = (rule::silence::words(&silence.matchers), silence.until);
    let made = match keeper {
        Keeper::Alertmanager(server) => alertmanager::create(&server, &silence).await,
        Keeper::File { path, environment } => {
            let id = silence.id.clone();
            let write = tokio::task::spawn_blocking(move || silences::add(&path, &environment, &silence).map(|()| id));
            write.await.unwrap_or_else(|error| Err(error.to_string()))
        }
    };
    made.map(|id| good(None, format!("{id}: silent until {until:.0}"))).map_err(|why| unmet(&what, &why))
}

async fn unsilenced(keeper: Keeper, id: &Arc<str>) -> Result<Accepted, EngineError> {
    let ended = match keeper {
        Keeper::Alertmanager(server) => alertmanager::expire(&server, id).await,
        Keeper::File { path, .. } => {
            let id = id.clone();
            let write = tokio::task::spawn_blocking(move || silences::remove(&path, &id));
            write.await.unwrap_or_else(|error| Err(error.to_string()))
        }
    };
    ended.map(|()| Accepted::Done).map_err(|why| unmet(id, &why))
}

/// Something is as it should be.
fn good(value: Option<f64>, words: impl AsRef<str>) -> Accepted {
    Accepted::Reading { value, words: safe(words.as_ref()) }
}

/// Something is not.
fn unmet(what: &str, why: &str) -> EngineError {
    EngineError::Unmet { what: safe(what), why: safe(why) }
}

/// Text of the world outside, safe to be shown: an address may hold a password.
fn safe(text: &str) -> Arc<str> {
    redact::text(&clean(text)).as_ref().into()
}

/// `12 ms`.
fn milliseconds(took: Duration) -> String {
    format!("{} ms", took.as_millis())
}

/// `1.5 s`, `3 s`.
fn seconds(limit: Duration) -> String {
    let tenths = (limit.as_millis() + 50) / 100;
    if tenths.is_multiple_of(10) { format!("{} s", tenths / 10) } else { format!("{}.{} s", tenths / 10, tenths % 10) }
}
