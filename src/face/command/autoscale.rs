//! `qd autoscale`: the policies at work without a console: every figure that is read, and every decision.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use tokio::time::Instant;

use crate::app::State;
use crate::cli::Autoscale;
use crate::model::{EnvironmentId, Source};

use super::interrupt::Interrupts;
use super::output::{Format, Out, say};
use super::{Driver, Exit, Failure, Result};

/// One reading, or one decision.
#[derive(Serialize)]
struct Row {
    at: Timestamp,
    environment: String,
    workload: String,
    /// `reading`, `autoscale`, or how an operation it began went.
    what: String,
    detail: String,
}

/// Runs it.
///
/// # Errors
/// When nothing can be seen, no environment has a policy, or standard output is closed.
pub async fn run(driver: &mut Driver, out: &mut Out, arguments: &Autoscale) -> Result<Exit> {
    driver.inventory().await;
    driver.only(arguments.name.as_deref())?;
    let shown: Vec<EnvironmentId> = driver.state().snapshots().map(|s| s.environment.id.clone()).collect();
    let policies = &mut driver.session().state.settings.policies;
    // What is not shown is not scaled either.
    policies.retain(|id, policy| shown.contains(id) && !policy.autoscale.is_empty());
    if policies.is_empty() {
        return Err(Failure::usage("no environment here has an autoscaling policy ([[environment.autoscale]])"));
    }
    driver.session().state.autoscalers.at_work = true;
    let end = arguments.duration.map(|span| Instant::now() + span);
    let mut told = Told::default();
    told.begin(driver.state());
    let mut interrupts = Interrupts::listen()?;
    loop {
        told.tell(driver.state(), out)?;
        let idle = driver.state().operations.running.is_empty();
        if end.is_some_and(|end| Instant::now() >= end) && idle {
            return Ok(Exit::Done);
        }
        tokio::select! {
            biased;
            () = interrupts.wait() => {
                if idle {
                    return Ok(Exit::Done);
                }
                say("interrupted: what is under way is brought to its end first");
            }
            _ = driver.step(Instant::now() + Duration::from_secs(1)) => {}
        }
    }
}

/// What was told already.
#[derive(Default)]
struct Told {
    items: Option<u64>,
    readings: BTreeMap<(EnvironmentId, usize), Timestamp>,
    troubles: BTreeMap<(EnvironmentId, usize), String>,
}

impl Told {
    /// What was before is not told.
    fn begin(&mut self, state: &State) {
        self.items = state.timeline.iter().map(|(seq, _)| seq).next_back();
    }

    fn tell(&mut self, state: &State, out: &mut Out) -> Result<()> {
        let mut rows = Vec::new();
        for (key, scaler) in &state.autoscalers.scalers {
            let news = match (&scaler.reading, &scaler.trouble) {
                (Some((at, _)), _) => self.readings.insert(key.clone(), *at) != Some(*at),
                (None, Some(why)) => self.troubles.insert(key.clone(), why.to_string()).as_deref() != Some(&**why),
                (None, None) => false,
            };
            if news {
                rows.push(Row {
                    at: state.now,
                    environment: state.name_of(&key.0),
                    workload: scaler.policy.workload.to_string(),
                    what: "reading".to_owned(),
                    detail: scaler.words(),
                });
            }
        }
        for (seq, item) in state.timeline.iter() {
            if self.items.is_none_or(|last| seq > last) {
                self.items = Some(seq);
                if item.source == Source::Operation {
                    rows.push(Row {
                        at: item.at,
                        environment: state.name_of(&item.environment),
                        workload: item.subject.to_string(),
                        what: item.what.to_string(),
                        detail: item.detail.to_string(),
                    });
                }
            }
        }
        for row in rows {
            match out.format {
                Format::Json | Format::Ndjson => out.line(&row)?,
                Format::Table => {
                    let Row { at, environment, workload, what, detail } = row;
                    out.text(&format!("{at:.0}  {environment}  {workload}  {what}  {detail}\n"))?;
                }
            }
        }
        Ok(out.flush()?)
    }
}
