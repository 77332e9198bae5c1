//! One probe followed: looked at again and again by its own rhythm, never twice at once.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use tokio::time::Instant;

use super::check::{self, Found};
use super::pace::Pace;
use super::place::{self, Place};
use super::stream::Fault;
use crate::engine::{Engine, EngineError};
use crate::model::{InstanceId, ProbeKind, ProbeSpec};
use crate::observe::watch::{Outcome, ProbeWatch};
use crate::operate::action::{Accepted, InstanceRef};
use crate::operate::{Errand, Output};

/// How long a command that does not end is waited for before another one is begun.
const ABANDONED: Duration = Duration::from_secs(600);
/// Of what was seen no more is kept, characters.
const WORDS: usize = 1_000;

/// A probe at its place, and when it is looked at next.
pub(super) struct Vigil {
    engine: Option<Arc<dyn Engine>>,
    watch: ProbeWatch,
    pace: Pace,
    /// A command that has not ended in time. No engine can end one for us, so none is begun beside it.
    hung: Option<Hung>,
}

type Ran = Result<Output, EngineError>;

struct Hung {
    work: BoxFuture<'static, Ran>,
    begun: Instant,
}

impl Vigil {
    /// One that looks for the first time soon.
    pub(super) fn new(engine: Option<Arc<dyn Engine>>, watch: ProbeWatch) -> Self {
        let pace = Pace::new(watch.probe.interval);
        Self { engine, watch, pace, hung: None }
    }

    /// Waits until it is time, looks, and tells.
    pub(super) async fn next(&mut self) -> Outcome {
        self.pace.turn().await;
        let found = self.look().await;
        let words = super::safe(&found.words);
        let words =
            words.char_indices().nth(WORDS).map_or_else(|| words.clone(), |(end, _)| format!("{}…", &words[..end]).into());
        Outcome { at: Timestamp::now(), ok: found.ok, slow: found.slow, latency: found.took, words, certificate_days: found.days }
    }

    async fn look(&mut self) -> Found {
        let probe = self.watch.probe.clone();
        let mut found = match (&probe.kind, self.watch.instance.clone()) {
            (ProbeKind::Exec(command), Some(instance)) => self.run(instance, command, probe.timeout).await,
            (ProbeKind::Exec(_), None) => failed("there is no instance to run it in"),
            (ProbeKind::Http(address) | ProbeKind::Tcp(address) | ProbeKind::Tls(address), instance) => {
                match played(self.engine.as_ref(), &probe, instance.as_ref()).await {
                    Some(played) => played,
                    None => match self.place(address, instance.as_ref()) {
                        Ok(place) => check::look(&probe, &place).await,
                        Err(why) => failed(why),
                    },
                }
            }
        };
        found.hold_to(probe.latency);
        found
    }

    /// Where an address leads.
    fn place(&self, address: &str, instance: Option<&InstanceId>) -> Result<Place, &'static str> {
        if !place::is_of_instances(address) {
            return Ok(Place::plain(address));
        }
        let engine = self.engine.as_ref().ok_or("its engine is not connected")?;
        Ok(Place::inside(engine, instance.ok_or("there is no instance to ask")?, address))
    }

    /// Runs the probe's command, unless the last one has not ended yet.
    async fn run(&mut self, instance: InstanceId, command: &[Arc<str>], limit: Duration) -> Found {
        let Some(engine) = &self.engine else { return failed("its engine is not connected") };
        if let Some(hung) = &mut self.hung {
            if (&mut hung.work).now_or_never().is_none() {
                let since = super::seconds(Duration::from_secs(hung.begun.elapsed().as_secs()));
                return failed(format!("the command begun {since} ago has not ended; no other one is begun before it has"));
            }
            self.hung = None;
        }
        let begun = Instant::now();
        let mut work = engine.ask(instance, command.to_vec(), ABANDONED);
        let Ok(ran) = tokio::time::timeout(limit, &mut work).await else {
            self.hung = Some(Hung { work, begun });
            return Fault::late(limit).into();
        };
        let took = Some(begun.elapsed());
        match ran {
            Ok(output) if output.code == 0 => {
                let said = output.last_line();
                let words = if said.is_empty() { "ended with 0".to_owned() } else { said.to_owned() };
                Found { ok: true, took, words, ..Found::default() }
            }
            Ok(output) => Found { took, words: output.failure().to_string(), ..Found::default() },
            Err(error) => failed(error.to_string()),
        }
    }
}

/// What an engine with a world of its own answers.
async fn played(engine: Option<&Arc<dyn Engine>>, probe: &Arc<ProbeSpec>, instance: Option<&InstanceId>) -> Option<Found> {
    let instances = instance.cloned().map(InstanceRef::Known).into_iter().collect();
    let errand = Errand::Probe { probe: probe.clone(), instances };
    let begun = Instant::now();
    let answer = engine?.plays(&errand)?.await;
    Some(match answer {
        Ok(Accepted::Reading { value, words }) => {
            let told = value.filter(|ms| ms.is_finite() && *ms >= 0.0).map(|ms| Duration::from_secs_f64(ms / 1000.0));
            let took = told.unwrap_or_else(|| begun.elapsed());
            Found { ok: true, took: Some(took), words: words.to_string(), ..Found::default() }
        }
        Ok(other) => failed(format!("the answer is no reading: {other:?}")),
        Err(EngineError::Unmet { why, .. }) => failed(why.as_ref()),
        Err(error) => failed(error.to_string()),
    })
}

fn failed(why: impl Into<String>) -> Found {
    Found { words: why.into(), ..Found::default() }
}

#[cfg(test)]
#[path = "vigil_tests.rs"]
mod tests;
