//! An operation as it goes: one line for each change of a step, and one for its end.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use crate::app::State;
use crate::app::format;
use crate::model::{OperationId, Verb};
use crate::observe::load::Figures;
use crate::operate::Refusal;
use crate::operate::audit::Phase;
use crate::operate::machine::{Outcome, StepState};

use super::super::output::{Format, Out};
use super::super::{Exit, Result};

/// A step, when it changes.
#[derive(Debug, Serialize)]
struct StepLine {
    at: Timestamp,
    operation: String,
    step: String,
    state: &'static str,
    detail: String,
}

/// The end of an operation.
#[derive(Debug, Serialize)]
pub(super) struct Ended {
    pub at: Timestamp,
    pub operation: Option<String>,
    pub kind: &'static str,
    pub outcome: &'static str,
    pub detail: String,
    pub duration_ms: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub load: Option<Arc<Figures>>,
}

/// How a load test stands.
#[derive(Serialize)]
struct LoadLine<'a> {
    at: Timestamp,
    operation: String,
    load: &'a Figures,
}

/// Everything, for one document.
#[derive(Serialize)]
struct Document {
    steps: Vec<StepLine>,
    #[serde(flatten)]
    ended: Ended,
}

/// Tells an operation as it goes.
pub(super) struct Report {
    id: OperationId,
    verb: Verb,
    told: BTreeMap<usize, StepState>,
    names: Vec<String>,
    steps: Vec<StepLine>,
    /// How a load test stood when it was told last.
    load: Option<Arc<Figures>>,
}

impl Report {
    pub(super) fn new(id: &OperationId, verb: Verb) -> Self {
        Self { id: id.clone(), verb, told: BTreeMap::new(), names: Vec::new(), steps: Vec::new(), load: None }
    }

    /// Tells what has changed since the last time.
    pub(super) fn tell(&mut self, state: &State, out: &mut Out) -> Result<()> {
        let Some(machine) = state.operations.running.iter().find(|m| m.plan.id == self.id) else { return Ok(()) };
        if self.names.is_empty() {
            self.names = machine.plan.steps.iter().map(|s| s.name.to_string()).collect();
        }
        let now: Vec<(usize, StepState, String)> =
            machine.progress.iter().enumerate().map(|(i, p)| (i, p.state, p.detail.to_string())).collect();
        let load = machine.progress.iter().find_map(|p| p.load.clone());
        for (index, step, detail) in now {
            self.step(index, step, detail, out)?;
        }
        if let Some(load) = load {
            self.figures(load, out)?;
        }
        Ok(out.flush()?)
    }

    /// Tells how a load test stands, once a second.
    fn figures(&mut self, load: Arc<Figures>, out: &mut Out) -> Result<()> {
        if self.load.as_ref() == Some(&load) {
            return Ok(());
        }
        match out.format {
            Format::Ndjson => out.line(&LoadLine { at: Timestamp::now(), operation: self.id.to_string(), load: &load })?,
            Format::Table => out.text(&format!("  {:>4} s   {}\n", load.elapsed_ms / 1000, load.words()))?,
            Format::Json => {}
        }
        self.load = Some(load);
        Ok(())
    }

    fn step(&mut self, index: usize, step: StepState, detail: String, out: &mut Out) -> Result<()> {
        let word = match step {
            StepState::Waiting => return Ok(()),
            StepState::Running => "running",
            StepState::Done => "done",
            StepState::Failed => "failed",
            StepState::Skipped => "skipped",
            StepState::Undone => "undone",
        };
        let before = self.told.insert(index, step);
        if before == Some(step) {
            return Ok(());
        }
        let name = self.names.get(index).cloned().unwrap_or_else(|| format!("step {}", index + 1));
        let line = StepLine { at: Timestamp::now(), operation: self.id.to_string(), step: name, state: word, detail };
        match out.format {
            Format::Ndjson => out.line(&line)?,
            Format::Json => self.steps.push(line),
            Format::Table => out.text(&words(&line))?,
        }
        Ok(())
    }

    /// Tells the end, and what of the steps was not told yet; answers the outcome.
    pub(super) fn end(mut self, state: &State, out: &mut Out, took: Duration) -> Result<Option<Outcome>> {
        let past = state.operations.past.iter().find(|p| p.id == self.id);
        let steps: Vec<(usize, StepState, String)> = past
            .iter()
            .flat_map(|p| &p.records)
            .filter(|r| r.phase == Phase::Step)
            .filter_map(|r| r.step.as_ref())
            .filter_map(|s| {
                let index = self.names.iter().position(|n| **n == *s.name)?;
                Some((index, s.state, s.detail.to_string()))
            })
            .collect();
        for (index, step, detail) in steps {
            // A name may stand for several steps: only what is the next thing to tell of it is told.
            if self.told.get(&index).is_none_or(|told| *told == StepState::Running) {
                self.step(index, step, detail, out)?;
            }
        }
        let outcome = past.and_then(|p| p.outcome().cloned());
        let detail = past.and_then(|p| p.detail()).map(ToString::to_string).unwrap_or_default();
        let ended = Ended {
            at: Timestamp::now(),
            operation: Some(self.id.to_string()),
            kind: self.verb.word(),
            outcome: word(outcome.as_ref()),
            detail,
            load: past.and_then(|p| p.records.iter().rev().find_map(|r| r.step.as_ref()?.load.clone())),
            duration_ms: past
                .and_then(crate::app::state::Past::duration_ms)
                .unwrap_or(u64::try_from(took.as_millis()).unwrap_or(u64::MAX)),
        };
        match out.format {
            Format::Ndjson => out.line(&ended)?,
            Format::Json => out.document(&Document { steps: std::mem::take(&mut self.steps), ended })?,
            Format::Table => {
                for line in ended.load.iter().flat_map(|load| load.lines()) {
                    out.text(&format!("  {line}\n"))?;
                }
                let detail = if ended.detail.is_empty() { String::new() } else { format!(": {}", ended.detail) };
                let took = format::millis(ended.duration_ms);
                out.text(&format!("{} {} after {took}{detail}\n", ended.kind, ended.outcome.replace('_', " ")))?;
            }
        }
        Ok(outcome)
    }
}

fn word(outcome: Option<&Outcome>) -> &'static str {
    match outcome {
        Some(Outcome::Done) => "done",
        Some(Outcome::Failed) => "failed",
        Some(Outcome::RolledBack) => "rolled_back",
        Some(Outcome::Refused) => "refused",
        Some(Outcome::Unknown) | None => "unknown",
    }
}

fn words(line: &StepLine) -> String {
    let mark = match line.state {
        "done" => "✔",
        "failed" => "✖",
        "skipped" => "–",
        "undone" => "↩",
        _ => "●",
    };
    let detail = if line.detail.is_empty() { String::new() } else { format!("   {}", line.detail) };
    format!("{mark} {} {}{detail}\n", line.step, line.state)
}

/// What a refusal to plan is for a script: a mistake in what was asked, somebody in the way, or nothing to be done.
pub(super) fn exit_of(refusal: &Refusal) -> Exit {
    match refusal {
        Refusal::Unknown { .. }
        | Refusal::NoTarget { .. }
        | Refusal::WholeWorkload { .. }
        | Refusal::UnknownRevision { .. }
        | Refusal::NotAnImage { .. }
        | Refusal::NotUnfinished { .. }
        | Refusal::NoSource { .. }
        | Refusal::NoVariable { .. }
        | Refusal::BadLoad(_) => Exit::Usage,
        Refusal::Frozen { .. }
        | Refusal::NoSignal { .. }
        | Refusal::NoLoad { .. }
        | Refusal::Locked { .. }
        | Refusal::Unfinished { .. }
        | Refusal::MayBeAlive { .. } => Exit::Refused,
        Refusal::Denied { .. }
        | Refusal::Nothing(_)
        | Refusal::FixedPort { .. }
        | Refusal::FixedName { .. }
        | Refusal::NoDefinition { .. }
        | Refusal::NoPrevious { .. }
        | Refusal::Unreadable { .. }
        | Refusal::OnlyUndo { .. }
        | Refusal::Switched { .. }
        | Refusal::TooLate { .. } => Exit::Failed,
    }
}
