//! One probe followed: looked at again and again by its own rhythm, never twice at once.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use crate::engine::{Engine, EngineError};
use crate::model::ProbeKind;
use crate::observe::watch::{Outcome, ProbeWatch};
use crate::operate::action::{Accepted, InstanceRef};
use crate::operate::{Action, Errand};

/// A probe at its place, and when it is looked at next.
pub(super) struct Vigil {
    engine: Option<Arc<dyn Engine>>,
    watch: ProbeWatch,
    due: Instant,
}

impl Vigil {
    /// One that looks for the first time at once.
    pub(super) fn new(engine: Option<Arc<dyn Engine>>, watch: ProbeWatch) -> Self {
        Self { engine, watch, due: Instant::now() }
    }

    /// Waits until it is time, looks, and tells.
    pub(super) async fn next(&mut self) -> Outcome {
        tokio::time::sleep_until(self.due).await;
        let begun = Instant::now();
        self.due = begun + self.watch.probe.interval;
        let answer = self.look().await;
        let took = begun.elapsed();
        let (ok, latency, words) = match answer {
            Ok(Accepted::Reading { value, words }) => {
                let latency = value.filter(|ms| *ms >= 0.0).map(|ms| Duration::from_secs_f64(ms / 1000.0));
                (true, latency.or(Some(took)), words)
            }
            Ok(Accepted::Output(output)) => {
                let said = if output.code == 0 { output.last_line().into() } else { output.failure() };
                (output.code == 0, Some(took), said)
            }
            Ok(Accepted::Done | Accepted::AlreadySo | Accepted::Made(_) | Accepted::Image { .. }) => {
                (true, Some(took), "".into())
            }
            Err(EngineError::Unmet { why, .. }) => (false, None, why),
            Err(error) => (false, None, error.to_string().into()),
        };
        Outcome { at: Timestamp::now(), ok, slow: false, latency, words, certificate_days: None }
    }

    async fn look(&self) -> Result<Accepted, EngineError> {
        let probe = self.watch.probe.clone();
        let instances: Vec<InstanceRef> = self.watch.instance.iter().cloned().map(InstanceRef::Known).collect();
        if let (ProbeKind::Exec(command), Some(instance)) = (&probe.kind, instances.first()) {
            let engine = self.engine.as_ref().ok_or_else(|| EngineError::NotFound { what: "the connection".into() })?;
            let action = Action::Exec { instance: instance.clone(), command: command.clone(), timeout: probe.timeout };
            return engine.execute(action, Arc::new(|_| {})).await;
        }
        let errand = Errand::Probe { probe, instances };
        if let Some(played) = self.engine.as_ref().and_then(|engine| engine.plays(&errand)) {
            return played.await;
        }
        let redaction = self.engine.as_ref().map(|engine| engine.redaction()).unwrap_or_default();
        super::perform(self.engine.clone(), errand, Arc::new(|_| {}), redaction).await
    }
}
